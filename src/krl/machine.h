/*
 * machine.h - runs the code of rulesets within a budget.
 *
 * One machine is one activation: an event, a query, an initialisation. All it makes lives in its
 * arena. It ends with a result or with one error, of which there are those of the ruleset
 * ("TypeError: only works on collections", RC_INVALID) and those of the budget: RC_TIMEOUT (steps),
 * RC_TOO_LARGE (memory, depth). Nothing of a ruleset can stop the process or run for ever.
 *
 * Calls of KRL functions use no C stack; depth counts them, those of map, filter and the like too.
 */
#ifndef KRL_MACHINE_H
#define KRL_MACHINE_H

#include "krl/host.h"

enum {
    KRL_DEPTH_DEFAULT = 20000,
    KRL_STEPS_DEFAULT = 50 * 1000 * 1000,
    KRL_MEMORY_DEFAULT = 16 * 1024 * 1024,
    KRL_NESTED_MAX = 32, /* runs within runs: a host that initialises modules */
};

struct krl_event {
    struct krl_value eci; /* texts */
    struct krl_value domain;
    struct krl_value name;
    struct krl_value eid;
    struct krl_value attrs; /* a map */
    double time_ms;
};

/* A module that a ruleset uses under an alias. */
struct krl_used {
    struct str alias;
    struct krl_instance *instance;
};

/* A ruleset on a pico: its code and the values of its globals. */
struct krl_instance {
    const struct krl_code *code;
    struct krl_value *globals;
    struct krl_used *used; /* uses_n of the code */
    uint32_t used_n;
    struct krl_value config; /* map for "configure using"; undefined: none */
};

struct krl_frame;

struct krl_machine {
    struct krl_heap heap;
    struct krl_host *host;
    const struct krl_event *event; /* NULL: a query */
    struct krl_instance *root;     /* whose rule or query runs; modules do not see the event */
    struct krl_value setting;      /* of the rule that fired */
    struct str rule_name;
    bool last; /* the rule said last: no more rules of this ruleset */
    uint32_t depth_max;
    bool official_reset;  /* an event whose attributes do not match resets its rule */
    bool official_window; /* the window of "within" goes on when its rule fired */
    /* inside */
    uint32_t nested;
    struct krl_frame *frames;
    uint32_t frames_n;
    uint32_t frames_capacity;
    struct krl_value *stack;
    size_t stack_n;
    size_t stack_capacity;
};

/* The arena's limit is the memory budget. It is the caller's, who resets it afterwards. */
void krl_machine_init(struct krl_machine *m, struct arena *arena, struct krl_host *host,
                      int64_t steps, const uint64_t seed[2]);

/* Make an instance and evaluate its globals. Its memory is the machine's. *ret_value, which may be
 * NULL, is the value of a program. RC_OK, or the error, which is in m->heap.err too. */
MUST_CHECK enum rc krl_instance_init(struct krl_machine *m, const struct krl_code *code,
                                     struct krl_value config, struct krl_instance **ret,
                                     struct krl_value *ret_value);

/* The global with the name, or NULL. */
const struct krl_value *krl_instance_global(const struct krl_instance *i, struct str name);
/* The same among those that the ruleset shares. */
const struct krl_value *krl_instance_shared(const struct krl_instance *i, struct str name);

/* Call a function (or action) with arguments by name: args is a map; undefined: none. */
MUST_CHECK enum rc krl_machine_call(struct krl_machine *m, struct krl_instance *root,
                                    struct krl_value callee, struct krl_value args,
                                    struct krl_value *ret);

/* Run code that takes no arguments; the first locals are given. */
MUST_CHECK enum rc krl_machine_run(struct krl_machine *m, struct krl_instance *instance,
                                   const struct krl_proto *proto, const struct krl_value *locals,
                                   size_t n, struct krl_value *ret);

/* The instance whose function runs now: not the root where a module's does. NULL: none runs. */
struct krl_instance *krl_machine_running(const struct krl_machine *m);

/* Where in the source the error of the last run arose, and in which code; false: unknown. */
bool krl_machine_where(const struct krl_machine *m, struct krl_place *ret);

#endif
