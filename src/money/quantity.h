/*
 * quantity.h - how much was used or ordered: seconds, bytes, unit-seconds, pieces, hours.
 *
 * mantissa x 10^-scale, scale 0..9; the unit is the meter's. The scale keeps the digits that
 * were written. Always exact: what does not fit is refused. specs/billing.md 3.9 (2).
 */
#ifndef MONEY_QUANTITY_H
#define MONEY_QUANTITY_H

#include "base/err.h"

enum { QUANTITY_SCALE_MAX = 9, QUANTITY_TEXT_MAX = 24 };

struct quantity {
    int64_t mantissa;
    int scale; /* 0..QUANTITY_SCALE_MAX */
};

/* Decimal text, at most 9 digits behind the point and 18 or 19 in all. RC_INVALID on anything
 * else. */
MUST_CHECK enum rc quantity_parse(struct str text, struct quantity *ret, struct err *err);
/* The digits as they are: "1.50" of 150 at scale 2. Returns the length without the NUL. */
size_t quantity_format(struct quantity q, char text[QUANTITY_TEXT_MAX]);

/* At the finer of the two scales. RC_INVALID where it does not fit. */
MUST_CHECK enum rc quantity_add(struct quantity a, struct quantity b, struct quantity *ret,
                                struct err *err);
MUST_CHECK enum rc quantity_sub(struct quantity a, struct quantity b, struct quantity *ret,
                                struct err *err);
/* -1, 0 or 1; 1.5 equals 1.50. */
int quantity_compare(struct quantity a, struct quantity b);

#endif
