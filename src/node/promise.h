/*
 * promise.h - one look at whether a service (or the node) keeps what it promised.
 */
#ifndef NODE_PROMISE_H
#define NODE_PROMISE_H

#include "http/wire.h"
#include "node/driver.h"

#define PROMISE_SENSORS "/sys/class/thermal"

enum {
    PROMISE_TEXT_MAX = 200,
    PROMISE_EVERY_S = 60,
    PROMISE_TIMEOUT_S = 10,
    PROMISE_PERCENT_MAX = 90, /* of a disk, unless the profile says another */
    PROMISE_DEGREES_MAX = 85, /* likewise */
};

/* How a look reaches a service. Twin in the tests. */
struct promise_door {
    /* Address of a service inside the node. RC_NOT_FOUND. */
    enum rc (*address)(void *arg, struct str id, struct arena *arena, struct str *ret,
                       struct err *err);
    /* Part of a volume that is taken, in percent. RC_NOT_FOUND. */
    enum rc (*taken)(void *arg, struct str id, struct str volume, struct arena *arena,
                     int64_t *ret_percent, struct err *err);
    void *arg;
    struct wire *wire;
};

struct promise_look {
    struct driver *driver;
    const struct promise_door *door;
    const struct service_spec *spec;
    const struct spec_promise *promise;
};

/* RC_OK: kept. Anything else: it is not, and err says why in words. */
MUST_CHECK enum rc promise_check(const struct promise_look *look, struct arena *arena,
                                 struct err *err);

/* The hottest sensor of the machine in degrees; -1: it has none. root: PROMISE_SENSORS. */
int64_t promise_temperature(const char *root);

#endif
