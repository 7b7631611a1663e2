/*
 * rated.h - money between rating and the document: exact to 10^-9 of the major unit.
 *
 * A rated amount is what a quantity costs at a price, before the one rounding to minor units at
 * the document line. It is added up freely, and never posted. One __int128: about 1.7 x 10^29 of
 * the major unit. specs/billing.md 3.9 (3).
 */
#ifndef MONEY_RATED_H
#define MONEY_RATED_H

#include "money/currency.h"

typedef __int128 rated;

enum { RATED_SCALE = 9, RATED_TEXT_MAX = 48 };

/* RC_INVALID where the result does not fit. */
MUST_CHECK enum rc rated_add(rated a, rated b, rated *ret, struct err *err);
MUST_CHECK enum rc rated_sub(rated a, rated b, rated *ret, struct err *err);

/* The same money at 10^-9: always exact. */
rated rated_from_amount(int64_t amount, const struct currency *c);
/* The one rounding, to minor units, half away from zero. RC_INVALID where it does not fit. */
MUST_CHECK enum rc rated_round(rated r, const struct currency *c, int64_t *ret, struct err *err);

/* Decimal text with at most 9 digits behind the point. RC_INVALID on anything else, or where it
 * does not fit. */
MUST_CHECK enum rc rated_parse(struct str text, rated *ret, struct err *err);
/* Always with 9 digits behind the point: "3.125000000". Returns the length without the NUL. */
size_t rated_format(rated r, char text[RATED_TEXT_MAX]);

#endif
