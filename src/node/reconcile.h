/*
 * reconcile.h - from what should be and what is to the next step, for one service.
 *
 * Pure. The agent looks, asks for a step, does it, and looks again; so it may be stopped anywhere,
 * and whatever it finds afterwards, the steps lead to what is wanted:
 *
 *     absent -prepare-> resting -start-> running (-restore-> running)
 *     dead, running -stop-> resting -remove-> absent
 *     absent, resting -restore-> resting, where a whole disk is what it begins with
 *     resting -revert-> resting
 *     running, resting -snapshot-> as it was
 *
 * The form of a spec names what a service is made of. Another form wants it to be made anew, with
 * its volumes kept; another generation of the same form (limits, ports, promises) is only
 * adjusted, while it runs.
 */
#ifndef NODE_RECONCILE_H
#define NODE_RECONCILE_H

#include "node/driver.h"

enum step {
    STEP_NONE,
    STEP_PREPARE,
    STEP_START,
    STEP_ADJUST,
    STEP_STOP,
    STEP_REMOVE,
    STEP_SNAPSHOT, /* take those that are wanted, remove others; it runs, or is to rest */
    STEP_REVERT,   /* go back to one, while it rests */
    STEP_RESTORE,  /* feed it the backup that it begins with: it runs, and is no service yet; or
                     lay the disk of one, while it rests */
};
extern const char *const step_names[];

/* What the agent knows beside spec and machine. */
struct reconcile_mind {
    bool leased;      /* it holds the lease, or the service needs none */
    int64_t failures; /* of steps in a row, since the spec changed */
    time_us tried;    /* when the last step failed */
    /* It failed as what it needs is not there yet: an image or a backup that another has to bring.
     * Nothing is wrong with the service, and as soon as that is there it shall go on. */
    bool waits;
};

/* The first pause after a failure, and the longest; and the longest of who waits for another. */
#define RECONCILE_PAUSE_US     US_PER_SECOND
#define RECONCILE_PAUSE_MAX_US (300 * US_PER_SECOND)
#define RECONCILE_WAIT_MAX_US  (4 * US_PER_SECOND)

/* Hexadecimal, DRIVER_FORM_MAX bytes, in the arena. */
struct str reconcile_form(const struct service_spec *spec, struct arena *arena);

/* spec NULL: the control plane did not speak of it. Then it is stopped, and what it has on disk
 * is kept: only a spec that says "gone" has data removed. form: reconcile_form of spec. seen NULL:
 * it is absent. STEP_NONE: it is as it should be, or a pause is not over. */
enum step reconcile_step(const struct service_spec *spec, struct str form,
                         const struct observed *seen, const struct reconcile_mind *mind,
                         time_us now);

/* What a person is told. step: what is being done right now, or STEP_NONE. */
enum sighting_state reconcile_sighting(const struct service_spec *spec, struct str form,
                                       const struct observed *seen, enum step step,
                                       const struct reconcile_mind *mind);

/* When to try again after so many failures. */
time_us reconcile_retry(const struct reconcile_mind *mind);

#endif
