/*
 * rule.h - an event comes to a ruleset: its rules wait, fire and run.
 */
#ifndef KRL_RULE_H
#define KRL_RULE_H

#include "krl/machine.h"

/* Let all rules of the instance see the event, in the order of the source. states has one entry for
 * each rule of the code, zeroed at first; it is written as the rules go on, also where the call
 * fails later. A rule that fires runs at once; "last" ends it. RC_OK, or the error of the ruleset
 * or the budget, which is in m->heap.err. */
MUST_CHECK enum rc krl_rules_run(struct krl_machine *m, struct krl_instance *instance,
                                 const struct krl_event *event, struct krl_rule_state *states);

/* Whether any rule of the code can care for such an event: for the engine's index. */
bool krl_rules_salient(const struct krl_code *code, struct str domain, struct str name);

/* A rule's state as a value that pack.h keeps, and back. */
struct krl_value krl_rule_state_value(struct krl_heap *h, const struct krl_rule_state *s);
/* False where v is no such value for this rule. */
bool krl_rule_state_read(struct krl_heap *h, const struct krl_rule *rule, struct krl_value v,
                         struct krl_rule_state *ret);

#endif
