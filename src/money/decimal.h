/*
 * decimal.h - decimal text to an integer and its scale, and back. Never floating point.
 *
 * A decimal is mantissa x 10^-scale. The scale keeps the digits that were written: "12.50" is
 * 1250 at scale 2, "12.5" is 125 at scale 1. One number has one spelling per scale: no '+', no
 * exponent, no leading zeros, no bare point, no separators, no spaces. "-0" reads as 0.
 */
#ifndef MONEY_DECIMAL_H
#define MONEY_DECIMAL_H

#include "base/err.h"

enum {
    DECIMAL_DIGITS_MAX = 38, /* of all digits: the largest number of them that fits 127 bits */
    DECIMAL_TEXT_MAX = 64,   /* any __int128 at any scale up to DECIMAL_SCALE_MAX, with a NUL */
    DECIMAL_SCALE_MAX = 18,
};

struct decimal {
    __int128 mantissa;
    int scale; /* 0..DECIMAL_SCALE_MAX */
};

/* 10^exponent, exponent 0..DECIMAL_DIGITS_MAX. */
__int128 decimal_power(int exponent);

/* Read text with at most scale_max digits behind the point. what names the thing in errors with
 * its article: "an amount in EUR". RC_INVALID where text is no number, has more digits behind
 * the point than scale_max, or more than DECIMAL_DIGITS_MAX in all. */
MUST_CHECK enum rc decimal_parse(struct str text, int scale_max, const char *what,
                                 struct decimal *ret, struct err *err);

/* "-0.05" of -5 at scale 2; at scale 0 no point. Returns the length without the NUL. */
size_t decimal_format(__int128 mantissa, int scale, char text[DECIMAL_TEXT_MAX]);

/* -1, 0 or 1 as a x 10^-a_scale is below, equal to or above b x 10^-b_scale. Exact for all values:
 * nothing is multiplied that could overflow. */
int decimal_compare(__int128 a, int a_scale, __int128 b, int b_scale);

#endif
