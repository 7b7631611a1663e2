/*
 * testing.h - the query that every ruleset has: __testing lists what it shares and what events it
 * waits for, rule by rule, with the attributes that the rule's source names.
 */
#ifndef PICO_TESTING_H
#define PICO_TESTING_H

#include "krl/code.h"

/* {"queries": [{"name", "args"}], "events": [{"domain", "name", "attrs"}]}; KRL_FAILED: no room. */
struct krl_value testing_value(struct krl_heap *h, const struct krl_code *code);

#endif
