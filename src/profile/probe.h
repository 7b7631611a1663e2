/*
 * probe.h - what the control plane asks a node to look at from where it stands, and what it saw.
 *
 * A node that is a vantage point probes published ports of services at other sites. It is told an
 * address and how to look, never whose service it is. It asks for its tasks
 * (GET /v1/node/probes) and tells what it saw (POST /v1/node/probes); both are signed
 * (signature.h). A result is kept by the node until it was taken, and taken once.
 */
#ifndef PROFILE_PROBE_H
#define PROFILE_PROBE_H

#include "base/schema.h"
#include "profile/spec.h"

enum {
    PROBE_TASKS_MAX = 500,   /* of one node */
    PROBE_RESULTS_MAX = 500, /* in one request */
    PROBE_EVERY_S = 60,
    PROBE_EVERY_MIN_S = 10,
    PROBE_EVERY_MAX_S = 3600,
    PROBE_TIMEOUT_S = 10,
    PROBE_WHY_MAX = 200,
    PROBE_DAYS = 14, /* a certificate is good for so many days more, unless another is said */
    PROBE_DAYS_MAX = 1000,
    /* Where agents publish (node/network.h). Nothing else is ever probed. */
    PROBE_PORT_FIRST = SPEC_PORT_FIRST,
    PROBE_PORT_LAST = SPEC_PORT_LAST,
};

/* What an agent says among its features when it looks for others. */
#define PROBE_FEATURE STR("probe")

enum probe_kind { PROBE_TCP, PROBE_HTTP, PROBE_CERTIFICATE };
extern const char *const probe_kinds[];

struct probe_task {
    uint64_t set;
    struct str id; /* "vpt_...": of this node looking at this address in this way */
    int64_t kind;
    struct str address; /* of a node, or its name */
    int64_t port;
    struct str path;     /* HTTP: "/health" */
    int64_t status;      /* HTTP: the one that is wanted; 0: any from 200 to 399 */
    struct str contains; /* HTTP: the body has this somewhere; empty: any body will do */
    int64_t days;        /* certificate: good for so many days more */
    int64_t every_s;
};
extern const struct schema probe_task_schema;
struct probe_tasks {
    uint64_t set;
    struct list tasks; /* struct probe_task */
};
extern const struct schema probe_tasks_schema;

/* REFUSED: the node did not look, as its settings forbid that address. Says nothing of the service.
 */
enum probe_outcome { PROBE_GOOD, PROBE_BAD, PROBE_REFUSED };
extern const char *const probe_outcomes[];

struct probe_result {
    uint64_t set;
    struct str id; /* of the task */
    time_us at;    /* when it was begun, by the node's clock */
    int64_t outcome;
    int64_t connect_us; /* until the connection stood; 0: it did not */
    int64_t total_us;   /* until the end of the look */
    int64_t days;       /* certificate: whole days that it is good for; else 0 */
    struct str text;    /* why it is not good */
};
extern const struct schema probe_result_schema;
struct probe_results {
    uint64_t set;
    struct list results; /* struct probe_result, of one task in the order of their time */
};
extern const struct schema probe_results_schema;

/* The answer: how many of them count. What does not (of a task that ended, told before, too old)
 * never will: nothing is sent again. */
struct probe_taken {
    uint64_t set;
    int64_t count;
};
extern const struct schema probe_taken_schema;

#endif
