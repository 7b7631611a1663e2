/*
 * agreement_check.h - the rules that terms keep by themselves, before the store is asked.
 *
 * Pure. Failures are RC_INVALID with the JSON pointer of the field: "/terms/rules/2/value".
 */
#ifndef CHANNEL_AGREEMENT_CHECK_H
#define CHANNEL_AGREEMENT_CHECK_H

#include "channel/agreement.h"

extern const struct schema scope_schema;
extern const struct schema rule_tier_schema;

/* a: whole, its currency filled in. Rules are copied into the arena with all their bits set, and a
 * wholesale or margin base without a tier gets tier 1. */
MUST_CHECK enum rc agreement_check(struct agreement *a, struct arena *arena, struct err *err);
/* The first rule that takes what the others leave; their count where none does. */
size_t terms_residual(const struct terms *t);

#endif
