/*
 * price.h - what one unit costs, in the major unit of a currency that stands beside it.
 *
 * mantissa x 10^-scale, scale 0..12, so that a byte-second has an exact price. The scale keeps the
 * digits that were written. specs/billing.md 3.9 (2).
 */
#ifndef MONEY_PRICE_H
#define MONEY_PRICE_H

#include "money/quantity.h"
#include "money/rated.h"

enum { PRICE_SCALE_MAX = 12, PRICE_TEXT_MAX = 24 };

#define PRICE_WHOLE_PPM INT64_C(1000000)
/* The highest that may be agreed, in major units: of a unit of anything. What is computed from such
 * prices may be more. */
#define PRICE_ONE_MAX INT64_C(1000000000000)

struct price {
    int64_t mantissa;
    int scale; /* 0..PRICE_SCALE_MAX */
};

/* Decimal text, at most 12 digits behind the point and 18 or 19 in all. RC_INVALID on anything
 * else. */
MUST_CHECK enum rc price_parse(struct str text, struct price *ret, struct err *err);
/* The same for what comes in: also RC_INVALID above PRICE_ONE_MAX, either way. */
MUST_CHECK enum rc price_parse_one(struct str text, struct price *ret, struct err *err);
/* The digits as they are: "3.125". Returns the length without the NUL. */
size_t price_format(struct price p, char text[PRICE_TEXT_MAX]);
/* -1, 0 or 1; 1.5 equals 1.50. */
int price_compare(struct price a, struct price b);

/* At the finer of the two scales; exact. RC_INVALID where it does not fit. */
MUST_CHECK enum rc price_add(struct price a, struct price b, struct price *ret, struct err *err);
/* p x ppm / 1,000,000: 1,120,000 is an uplift of 12 %. Exact where the result has at most 12
 * digits behind the point, else rounded there half away from zero. Keeps the scale of p where that
 * is exact, and takes as few more digits as it needs. RC_INVALID where it does not fit. */
MUST_CHECK enum rc price_scale_ppm(struct price p, int64_t ppm, struct price *ret, struct err *err);

/* What q units cost: p x q. The exact product has up to 21 digits behind the point; it is brought
 * to the 9 of a rated amount in one step, half away from zero. RC_INVALID where it does not fit. */
MUST_CHECK enum rc price_rate(struct price p, struct quantity q, rated *ret, struct err *err);
/* The same where the price is for base units, "5.00 per 1,000": p x q / base (EN 16931 BT-146,
 * BT-149), still one rounding. base > 0. */
MUST_CHECK enum rc price_rate_per(struct price p, struct quantity q, struct quantity base,
                                  rated *ret, struct err *err);

#endif
