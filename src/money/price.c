#include "money/price.h"

#include "money/decimal.h"
#include "money/round.h"

static bool is_valid(struct price p)
{
    return p.scale >= 0 && p.scale <= PRICE_SCALE_MAX;
}

static enum rc narrow(__int128 mantissa, int scale, struct price *ret, struct err *err)
{
    if (mantissa < INT64_MIN || mantissa > INT64_MAX)
        return err_set(err, RC_INVALID, "the price has too many digits: at most 18 are exact");
    *ret = (struct price){(int64_t)mantissa, scale};
    return RC_OK;
}

enum rc price_parse(struct str text, struct price *ret, struct err *err)
{
    struct decimal d;
    TRY(decimal_parse(text, PRICE_SCALE_MAX, "a price", &d, err));
    return narrow(d.mantissa, d.scale, ret, err);
}

enum rc price_parse_one(struct str text, struct price *ret, struct err *err)
{
    struct price p;
    TRY(price_parse(text, &p, err));
    if (price_compare(p, (struct price){PRICE_ONE_MAX, 0}) > 0 ||
        price_compare(p, (struct price){-PRICE_ONE_MAX, 0}) < 0)
        return err_set(err, RC_INVALID, "the price is more than %lld, the most that is carried",
                       (long long)PRICE_ONE_MAX);
    *ret = p;
    return RC_OK;
}

size_t price_format(struct price p, char text[PRICE_TEXT_MAX])
{
    ASSERT(is_valid(p));
    char full[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(p.mantissa, p.scale, full);
    ASSERT(n < PRICE_TEXT_MAX);
    memcpy(text, full, n + 1);
    return n;
}

int price_compare(struct price a, struct price b)
{
    return decimal_compare(a.mantissa, a.scale, b.mantissa, b.scale);
}

enum rc price_add(struct price a, struct price b, struct price *ret, struct err *err)
{
    ASSERT(is_valid(a));
    ASSERT(is_valid(b));
    int scale = a.scale > b.scale ? a.scale : b.scale;
    __int128 sum =
        a.mantissa * decimal_power(scale - a.scale) + b.mantissa * decimal_power(scale - b.scale);
    return narrow(sum, scale, ret, err);
}

enum rc price_scale_ppm(struct price p, int64_t ppm, struct price *ret, struct err *err)
{
    ASSERT(is_valid(p));
    enum { PPM_DIGITS = 6 };
    __int128 mantissa = (__int128)p.mantissa * ppm;
    int scale = p.scale + PPM_DIGITS;
    while (scale > p.scale && mantissa % 10 == 0) {
        mantissa /= 10;
        scale--;
    }
    if (scale > PRICE_SCALE_MAX) {
        mantissa = round_div(mantissa, decimal_power(scale - PRICE_SCALE_MAX));
        scale = PRICE_SCALE_MAX;
    }
    return narrow(mantissa, scale, ret, err);
}

enum rc price_rate(struct price p, struct quantity q, rated *ret, struct err *err)
{
    return price_rate_per(p, q, (struct quantity){1, 0}, ret, err);
}

enum rc price_rate_per(struct price p, struct quantity q, struct quantity base, rated *ret,
                       struct err *err)
{
    ASSERT(is_valid(p));
    ASSERT(q.scale >= 0 && q.scale <= QUANTITY_SCALE_MAX);
    ASSERT(base.scale >= 0 && base.scale <= QUANTITY_SCALE_MAX);
    ASSERT(base.mantissa > 0);
    int exponent = RATED_SCALE + base.scale - p.scale - q.scale; /* -12 .. 18 */
    return round_product(p.mantissa, q.mantissa, base.mantissa, exponent, ROUND_HALF_AWAY, ret,
                         err);
}
