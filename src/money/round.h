/*
 * round.h - the one rounding of the house: half away from zero.
 *
 *     R(n, d) = sign(n) * ((2|n| + d) / (2d))          specs/billing.md 3.9 (3)
 *
 * It is symmetric, R(-n, d) == -R(n, d), so that a credit note mirrors its invoice. It is total:
 * computed from quotient and rest, no step can overflow, whatever n. The two other directions
 * exist for exchange only, where the liquidity account must not lose (exchange.h).
 */
#ifndef MONEY_ROUND_H
#define MONEY_ROUND_H

#include "base/err.h"

enum round_mode {
    ROUND_HALF_AWAY, /* to the nearest, a half away from zero: everything that is posted */
    ROUND_TO_ZERO,   /* the magnitude never grows */
    ROUND_FROM_ZERO, /* the magnitude never shrinks */
};

/* R(n, d): n / d rounded half away from zero. d > 0. */
__int128 round_div(__int128 n, __int128 d);
/* n / d rounded as mode says. d > 0. */
__int128 round_div_mode(__int128 n, __int128 d, enum round_mode mode);

/* a * b * 10^exponent / d as one exact number, rounded once, also where a * b * 10^exponent alone
 * would be beyond 128 bits. d > 0, exponent -18..18. RC_INVALID where the result does not fit. */
MUST_CHECK enum rc round_product(int64_t a, int64_t b, int64_t d, int exponent,
                                 enum round_mode mode, __int128 *ret, struct err *err);

#endif
