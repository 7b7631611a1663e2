/*
 * case.h - upper and lower case as ECMAScript has it.
 */
#ifndef KRL_CASE_H
#define KRL_CASE_H

#include "krl/text.h"

/* NULL: no room. */
const struct krl_text *krl_text_upper(struct krl_heap *h, const struct krl_text *t);
const struct krl_text *krl_text_lower(struct krl_heap *h, const struct krl_text *t);

/* Canonicalize of ECMAScript 22.2.2.7.3 for the flag i without u. */
uint16_t krl_fold(uint16_t unit);
/* The simple lower case of one unit. */
uint16_t krl_unit_lower(uint16_t unit);

#endif
