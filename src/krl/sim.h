/*
 * sim.h - the simulated twin of the engine (host.h): one pico in memory, for tests, for
 * "hanse krl run", and for whoever wants to see what a ruleset does.
 *
 * Each event and each query is an activation of its own with a machine, a budget and an arena that
 * end with it; entity variables and the states of rules are packed in between, as the real engine
 * keeps them. Raised events are done one after the other, breadth first, before the call returns.
 * What happens is written as lines of text:
 *
 *     directive NAME {"option":1}
 *     log LEVEL LABEL value
 *     raise DOMAIN:NAME {"attribute":1}
 *     schedule at|repeat WHEN DOMAIN:NAME {"attribute":1}
 *     send ECI DOMAIN:NAME {"attribute":1}
 *     error TypeError: ...
 */
#ifndef KRL_SIM_H
#define KRL_SIM_H

#include "base/buf.h"
#include "krl/rule.h"

enum {
    KRL_SIM_RULESETS_MAX = 16,
    KRL_SIM_VARIABLES_MAX = 1024,
    KRL_SIM_QUEUE_MAX = 256,   /* raised events that wait */
    KRL_SIM_RAISED_MAX = 1000, /* in one call */
    KRL_SIM_OUT_MAX = 4 * 1024 * 1024,
};

struct krl_sim_variable {
    struct str rid;
    struct str name;
    struct str packed; /* p is NULL: not set */
};

struct krl_sim_event {
    struct str domain;
    struct str name;
    struct str attrs; /* packed */
    struct str rid;   /* only for this ruleset; empty: for all */
};

struct krl_sim_ruleset {
    const struct krl_code *code;
    struct str *states; /* packed, one for each rule */
};

struct krl_sim {
    struct krl_host host;
    struct arena *arena; /* the caller's: what is kept between activations */
    struct buf *out;     /* the lines; the caller's */
    size_t memory_bytes; /* budgets of one activation */
    int64_t steps;
    double now;
    uint64_t chance;
    struct krl_sim_ruleset rulesets[KRL_SIM_RULESETS_MAX];
    size_t rulesets_n;
    struct krl_sim_variable variables[KRL_SIM_VARIABLES_MAX];
    size_t variables_n;
    struct krl_sim_event queue[KRL_SIM_QUEUE_MAX];
    size_t queue_first;
    size_t queue_n;
    struct krl_sim_ruleset *running; /* the ruleset of the present activation */
    bool cleared;                    /* error error: the rest of the queue is dropped */
    int64_t steps_used;              /* by the last activation */
};

void krl_sim_init(struct krl_sim *s, struct arena *arena, struct buf *out);
/* Install a ruleset; its code outlives the sim. RC_TOO_LARGE: no more rulesets. */
MUST_CHECK enum rc krl_sim_add(struct krl_sim *s, const struct krl_code *code, struct err *err);
/* Bring an event; attrs is a JSON object, or empty. The error of a ruleset is returned, and written
 * as a line too. */
MUST_CHECK enum rc krl_sim_event(struct krl_sim *s, struct str domain, struct str name,
                                 struct str attrs, struct err *err);
/* Call a shared function with arguments, a JSON object or empty. The result is appended to out as
 * JSON and a line end. */
MUST_CHECK enum rc krl_sim_query(struct krl_sim *s, struct str rid, struct str name,
                                 struct str args, struct err *err);
/* The value of a program (declarations and expressions), appended as JSON and a line end;
 * "undefined" where there is none, and where is a place in the source at an error. */
MUST_CHECK enum rc krl_sim_evaluate(struct krl_sim *s, const struct krl_code *code,
                                    struct krl_place *ret_where, struct err *err);

#endif
