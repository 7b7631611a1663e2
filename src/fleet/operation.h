/*
 * operation.h - what somebody asked for, and how far it is: named steps, told as events.
 */
#ifndef FLEET_OPERATION_H
#define FLEET_OPERATION_H

#include "store/page.h"

enum { OPERATION_STEPS_MAX = 8 };

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED };
extern const char *const step_states[];

struct operation_step {
    uint64_t set;
    struct str name; /* "reserve", "place", "prepare", "start" */
    int64_t state;
    time_us at; /* when it came to this state */
};

struct operation {
    uint64_t set;
    struct str id; /* "opr_..." */
    struct str service;
    struct str client;
    struct str kind; /* "order", "stop", "start", ... */
    int64_t state;   /* enum step_state: RUNNING until it is done or failed */
    struct str step; /* the one in hand */
    struct list steps;
    struct str reason;
    time_us created;
    time_us changed;
};
extern const struct schema operation_schema;
extern const struct schema operation_step_schema;

/* Begin one: names, a NULL at the end. One that is still open for the service fails, as it was
 * overtaken. */
MUST_CHECK enum rc operation_begin(struct tx *tx, struct str service, struct str client,
                                   const char *kind, const char *const *names,
                                   struct operation *ret);
/* The open one of the service comes to the step with this name (those before it are done); what has
 * no such step, or is further, stays. NULL: it is done. */
MUST_CHECK enum rc operation_reach(struct tx *tx, struct str service, const char *name);
/* Why the open one does not get on, as its node says; it is tried again. Empty: it does. */
MUST_CHECK enum rc operation_explain(struct tx *tx, struct str service, struct str reason);
/* It ends without success. */
MUST_CHECK enum rc operation_fail(struct tx *tx, struct str service, struct str reason);
MUST_CHECK enum rc operation_get(struct tx *tx, struct str id, struct operation *ret);
MUST_CHECK enum rc operation_list(struct tx *tx, struct str service, const struct page_query *q,
                                  struct page *ret);

#endif
