#include "money/exchange.h"

#include "money/amount.h"
#include "money/ascii.h"
#include "money/decimal.h"
#include "money/round.h"

static __int128 common_divisor(__int128 a, __int128 b)
{
    while (b != 0) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* numerator / denominator in lowest terms, both above 0. */
static enum rc reduce(__int128 numerator, __int128 denominator, struct exchange *x, struct err *err)
{
    __int128 common = common_divisor(numerator, denominator);
    numerator /= common;
    denominator /= common;
    if (numerator > INT64_MAX || denominator > INT64_MAX)
        return err_set(err, RC_INVALID, "the exchange rate from %s to %s has too many digits",
                       x->from->code, x->to->code);
    x->numerator = (int64_t)numerator;
    x->denominator = (int64_t)denominator;
    return RC_OK;
}

enum rc exchange_make(const struct currency *from, const struct currency *to, int64_t from_major,
                      int64_t to_major, struct exchange *ret, struct err *err)
{
    if (from_major <= 0 || to_major <= 0)
        return err_set(err, RC_INVALID, "an exchange rate from %s to %s is above 0", from->code,
                       to->code);
    struct exchange x = {.from = from, .to = to};
    TRY(reduce(to_major, from_major, &x, err));
    *ret = x;
    return RC_OK;
}

enum rc exchange_parse(struct str rate, const struct currency *from, const struct currency *to,
                       struct exchange *ret, struct err *err)
{
    size_t slash = str_find(rate, '/', 0);
    struct decimal over = {1, 0};
    struct decimal under = {1, 0};
    int scale_max = slash < rate.n ? 0 : EXCHANGE_DIGITS_MAX;
    TRY(decimal_parse(str_sub(rate, 0, slash), scale_max, "an exchange rate", &over, err));
    if (slash < rate.n)
        TRY(decimal_parse(str_sub(rate, slash + 1, rate.n), 0, "an exchange rate", &under, err));
    if (over.mantissa <= 0 || under.mantissa <= 0)
        return err_set(err, RC_INVALID, "the exchange rate '%.*s' is not above 0",
                       STRF(ascii_shown(rate)));
    struct exchange x = {.from = from, .to = to};
    TRY(reduce(over.mantissa, under.mantissa * decimal_power(over.scale), &x, err));
    *ret = x;
    return RC_OK;
}

size_t exchange_format(const struct exchange *x, char text[EXCHANGE_RATE_TEXT_MAX])
{
    __int128 power = decimal_power(EXCHANGE_DIGITS_MAX);
    if (power % x->denominator != 0) {
        int n = snprintf(text, EXCHANGE_RATE_TEXT_MAX, "%lld/%lld", (long long)x->numerator,
                         (long long)x->denominator);
        ASSERT(n > 0 && n < EXCHANGE_RATE_TEXT_MAX);
        return (size_t)n;
    }
    /* As few digits as are exact. */
    __int128 mantissa = x->numerator * (power / x->denominator);
    int scale = EXCHANGE_DIGITS_MAX;
    while (scale > 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        scale--;
    }
    char full[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(mantissa, scale, full);
    ASSERT(n < EXCHANGE_RATE_TEXT_MAX);
    memcpy(text, full, n + 1);
    return n;
}

struct str exchange_str(const struct exchange *x, struct arena *arena)
{
    char text[EXCHANGE_RATE_TEXT_MAX];
    return arena_str(arena, str_n(text, exchange_format(x, text)));
}

struct exchange exchange_turn(const struct exchange *x)
{
    struct exchange turned = *x;
    turned.from = x->to;
    turned.to = x->from;
    turned.numerator = x->denominator;
    turned.denominator = x->numerator;
    return turned;
}

enum rc exchange_chain(const struct exchange *a, const struct exchange *b, struct exchange *ret,
                       struct err *err)
{
    ASSERT(a->to == b->from);
    struct exchange x = {.from = a->from, .to = b->to, .source = a->source};
    x.day = min_i64(a->day, b->day);
    TRY(reduce((__int128)a->numerator * b->numerator, (__int128)a->denominator * b->denominator, &x,
               err));
    *ret = x;
    return RC_OK;
}

static enum round_mode mode_of(enum exchange_side side)
{
    switch (side) {
    case EXCHANGE_PAYS:
        return ROUND_TO_ZERO;
    case EXCHANGE_TAKES:
        return ROUND_FROM_ZERO;
    case EXCHANGE_NEUTRAL:
        return ROUND_HALF_AWAY;
    }
    NEVER("a side that is not in the enum");
}

enum rc exchange_convert(const struct exchange *x, int64_t amount, enum exchange_side side,
                         int64_t *ret, struct err *err)
{
    ASSERT(x->numerator > 0);
    ASSERT(x->denominator > 0);
    __int128 converted;
    TRY(round_product(amount, x->numerator, x->denominator, x->to->exponent - x->from->exponent,
                      mode_of(side), &converted, err));
    return amount_narrow(converted, ret, err);
}
