#include "money/round.h"

#include "money/decimal.h"

static bool grows(unsigned __int128 rest, unsigned __int128 d, enum round_mode mode)
{
    switch (mode) {
    case ROUND_HALF_AWAY:
        return rest >= d - rest; /* 2 * rest >= d, without the product */
    case ROUND_TO_ZERO:
        return false;
    case ROUND_FROM_ZERO:
        return rest > 0;
    }
    NEVER("a mode that is not in the enum");
}

__int128 round_div_mode(__int128 n, __int128 d, enum round_mode mode)
{
    ASSERT(d > 0);
    /* The magnitude in unsigned arithmetic: the smallest __int128 has no positive twin. */
    unsigned __int128 magnitude = n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;
    unsigned __int128 divisor = (unsigned __int128)d;
    unsigned __int128 quotient;
    if (magnitude <= UINT64_MAX && divisor <= UINT64_MAX) /* one instruction, and nearly always */
        quotient = (uint64_t)magnitude / (uint64_t)divisor;
    else
        quotient = magnitude / divisor;
    if (grows(magnitude - quotient * divisor, divisor, mode))
        quotient++; /* only where d >= 2, so that the quotient is far from the edge */
    return (__int128)(n < 0 ? -quotient : quotient);
}

__int128 round_div(__int128 n, __int128 d)
{
    return round_div_mode(n, d, ROUND_HALF_AWAY);
}

enum rc round_product(int64_t a, int64_t b, int64_t d, int exponent, enum round_mode mode,
                      __int128 *ret, struct err *err)
{
    ASSERT(d > 0);
    ASSERT(exponent >= -DECIMAL_SCALE_MAX && exponent <= DECIMAL_SCALE_MAX);
    __int128 n = (__int128)a * b; /* at most 2^126 */
    if (exponent <= 0) {
        *ret = round_div_mode(n, d * decimal_power(-exponent), mode); /* below 10^37 */
        return RC_OK;
    }
    /* Divide first, then bring quotient and rest up. The rest is below 2^63, so its product fits;
     * both have the sign of n, so rounding the rest alone rounds the whole. */
    __int128 power = decimal_power(exponent);
    __int128 result;
    if (__builtin_mul_overflow(n / d, power, &result) ||
        __builtin_add_overflow(result, round_div_mode(n % d * power, d, mode), &result))
        return err_set(err, RC_INVALID, "the product is too large to be counted exactly");
    *ret = result;
    return RC_OK;
}
