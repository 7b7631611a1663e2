/*
 * rule_step.h - a rule of an agreement, as people write it, as a step of a waterfall.
 */
#ifndef SETTLE_RULE_STEP_H
#define SETTLE_RULE_STEP_H

#include "channel/agreement.h"
#include "settle/waterfall.h"

/* base and base_before are left to the caller. RC_INVALID: a number that is none (the agreement was
 * checked when it was made, so this is for stores that were written by other hands). */
MUST_CHECK enum rc rule_step(const struct rule *rule, const struct currency *currency,
                             struct waterfall_step *ret, struct err *err);
/* A cap is for the period: what is left of it, where so much was had, binds. -1: none. */
int64_t rule_cap_left(int64_t cap, int64_t had);
/* An amount within what is left of a cap, in both directions. */
int64_t rule_within(int64_t cap, int64_t amount);
/* "5 % of the wholesale price", "13.00 a unit": what a statement says. */
struct str rule_text(const struct rule *rule, struct arena *arena);

#endif
