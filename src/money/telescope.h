/*
 * telescope.h - amounts that grow over time or in parts, posted as differences.
 *
 * What is posted for a step is R(f(after)) - R(f(before)). So whatever way the whole is cut, the
 * steps add up to the same total, to the minor unit, and a correction is simply the next step.
 * Proration, instalments, deferred recognition, late usage and cumulative tiers all go through
 * here. specs/billing.md 3.9 (4).
 */
#ifndef MONEY_TELESCOPE_H
#define MONEY_TELESCOPE_H

#include "money/rated.h"

/* The step from part `from` to part `to` of `whole` equal parts of amount:
 * R(amount * to / whole) - R(amount * from / whole), in the unit of amount. 0 <= from <= to <=
 * whole, whole > 0. The parts may be seconds, pieces or months. Never overflows. */
int64_t telescope_step(int64_t amount, int64_t from, int64_t to, int64_t whole);

/* The share of amount for the time [from, to) of the period [begin, end); the steps of a period cut
 * anywhere add up to amount. begin <= from <= to <= end, begin < end. Counts microseconds, so whole
 * seconds give what seconds would. */
int64_t telescope_time(int64_t amount, time_us begin, time_us end, time_us from, time_us to);

/* Instalment k of n, k = 1..n. */
int64_t telescope_instalment(int64_t amount, int64_t k, int64_t n);

/* What is posted when a rated total grows (or shrinks) from before to after: R(after) - R(before)
 * in minor units. RC_INVALID where one of them does not fit an amount. */
MUST_CHECK enum rc telescope_rated(rated before, rated after, const struct currency *c,
                                   int64_t *ret, struct err *err);

#endif
