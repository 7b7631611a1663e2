#include "money/quantity.h"

#include "money/decimal.h"

static bool is_valid(struct quantity q)
{
    return q.scale >= 0 && q.scale <= QUANTITY_SCALE_MAX;
}

static enum rc narrow(__int128 mantissa, int scale, struct quantity *ret, struct err *err)
{
    if (mantissa < INT64_MIN || mantissa > INT64_MAX)
        return err_set(err, RC_INVALID, "the quantity has too many digits: at most 18 are exact");
    *ret = (struct quantity){(int64_t)mantissa, scale};
    return RC_OK;
}

enum rc quantity_parse(struct str text, struct quantity *ret, struct err *err)
{
    struct decimal d;
    TRY(decimal_parse(text, QUANTITY_SCALE_MAX, "a quantity", &d, err));
    return narrow(d.mantissa, d.scale, ret, err);
}

size_t quantity_format(struct quantity q, char text[QUANTITY_TEXT_MAX])
{
    ASSERT(is_valid(q));
    char full[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(q.mantissa, q.scale, full);
    ASSERT(n < QUANTITY_TEXT_MAX);
    memcpy(text, full, n + 1);
    return n;
}

/* a + sign * b. Two mantissas brought up by at most 10^9 are below 2^94. */
static enum rc sum(struct quantity a, struct quantity b, int sign, struct quantity *ret,
                   struct err *err)
{
    ASSERT(is_valid(a));
    ASSERT(is_valid(b));
    int scale = a.scale > b.scale ? a.scale : b.scale;
    __int128 mantissa = a.mantissa * decimal_power(scale - a.scale) +
                        sign * (b.mantissa * decimal_power(scale - b.scale));
    return narrow(mantissa, scale, ret, err);
}

enum rc quantity_add(struct quantity a, struct quantity b, struct quantity *ret, struct err *err)
{
    return sum(a, b, 1, ret, err);
}

enum rc quantity_sub(struct quantity a, struct quantity b, struct quantity *ret, struct err *err)
{
    return sum(a, b, -1, ret, err);
}

int quantity_compare(struct quantity a, struct quantity b)
{
    return decimal_compare(a.mantissa, a.scale, b.mantissa, b.scale);
}
