/*
 * select.h - what a rule waits for: its event expression as a machine of states.
 *
 * An expression is compiled to transitions between states; 0 is the start, 1 the end. A rule that
 * waits is in a set of states. An event that the rule names moves it; when it comes to the end the
 * rule fires, and the next event begins anew (after "repeat" it stays at the end).
 *
 * Events that are named but whose attributes do not match are ignored, which is the documented
 * meaning; the official engine resets the machine then.
 */
#ifndef KRL_SELECT_H
#define KRL_SELECT_H

#include "krl/value.h"

enum {
    KRL_STATES_MAX = 512, /* of one rule */
    KRL_TRANSITIONS_MAX = 4096,
    KRL_EVENTS_MAX = 64, /* basic expressions of one rule */
    KRL_ALL_OF_MAX = 6,  /* operands of "and", "any": all orders are built */
};

enum { KRL_STATE_START, KRL_STATE_END };

struct krl_proto;

enum krl_aggregate {
    KRL_AGGREGATE_NONE,
    KRL_AGGREGATE_MAX,
    KRL_AGGREGATE_MIN,
    KRL_AGGREGATE_SUM,
    KRL_AGGREGATE_AVG,
    KRL_AGGREGATE_PUSH,
};

/* A basic event expression. */
struct krl_wanted {
    struct str domain; /* "*": any */
    struct str type;
    const struct krl_text *const *attributes; /* that must match */
    const struct krl_regex *const *patterns;
    uint32_t matches_n;
    const struct krl_text *const *setting; /* names for the captures */
    uint32_t setting_n;
    const struct krl_proto *where; /* its locals are the rule's settings; NULL: none */
    enum krl_aggregate aggregate;
    const struct krl_text *const *aggregate_names;
    uint32_t aggregate_names_n;
};

struct krl_transition {
    uint16_t from;
    uint16_t to;
    uint16_t wanted;
    bool other; /* on any event of the rule that none of the place's own transitions takes */
};

struct krl_select {
    const struct krl_wanted *wanted;
    uint32_t wanted_n;
    const struct krl_transition *transitions;
    uint32_t transitions_n;
    uint32_t states_n;
    const struct krl_proto *within;        /* milliseconds; NULL: for ever */
    const struct krl_text *const *setting; /* all names, in the order of the locals of where */
    uint32_t setting_n;
};

/* Where a rule stands between events. Values live in some heap; krl_rule_state_pack keeps them. */
struct krl_rule_state {
    uint16_t *states;
    uint32_t states_n;           /* 0: at the start */
    struct krl_value setting;    /* map of name to value; undefined: empty */
    struct krl_value aggregates; /* map of name to array */
    double start_ms;             /* of the window; 0: none */
};

#endif
