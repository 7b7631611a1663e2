/*
 * fine.h - amounts of a plan before they are printed: exact at 10^-21 of the major unit.
 *
 * That is a rated amount (money/rated.h, 10^-9) times two shares in ppm, so that an occupancy and
 * a share of members leave nothing to round. A __int128 holds 1.7 x 10^17 of the major unit; the
 * bounds of forecast.h keep every sum of a plan below that. Rounded once, where a line is printed.
 */
#ifndef PLAN_FINE_H
#define PLAN_FINE_H

#include "base/arena.h"
#include "money/rated.h"

typedef __int128 fine;

enum { FINE_SCALE = 21, FINE_PRICE_DIGITS = 9 };

#define FINE_PER_RATED ((fine)INT64_C(1000000000000))

/* The nearest text with digits behind the point, at least least of them: trailing zeros beyond
 * those are left out. 0 <= least <= digits <= FINE_PRICE_DIGITS. */
struct str fine_text(fine f, int least, int digits, struct arena *arena);
/* A price: at least the currency's digits, at most 9. */
struct str fine_price(fine f, const struct currency *c, struct arena *arena);
/* The one rounding to minor units. RC_INVALID where it does not fit. */
MUST_CHECK enum rc fine_round(fine f, const struct currency *c, int64_t *ret, struct err *err);

/* A sum that grows, printed step by step: the steps add up to the rounded sum. */
struct fine_sum {
    fine sum;
    int64_t posted; /* minor units: all steps so far */
};
/* Add, and answer what is printed for this step: R(after) - R(before). RC_INVALID where one does
 * not fit. */
MUST_CHECK enum rc fine_step(struct fine_sum *s, fine add, const struct currency *c, int64_t *ret,
                             struct err *err);

#endif
