#include "money/rated.h"

#include "money/amount.h"
#include "money/decimal.h"
#include "money/round.h"

static enum rc too_large(struct err *err)
{
    return err_set(err, RC_INVALID, "the rated amount is too large to be counted exactly");
}

enum rc rated_add(rated a, rated b, rated *ret, struct err *err)
{
    rated sum;
    if (__builtin_add_overflow(a, b, &sum))
        return too_large(err);
    *ret = sum;
    return RC_OK;
}

enum rc rated_sub(rated a, rated b, rated *ret, struct err *err)
{
    rated difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return too_large(err);
    *ret = difference;
    return RC_OK;
}

rated rated_from_amount(int64_t amount, const struct currency *c)
{
    return amount * decimal_power(RATED_SCALE - c->exponent);
}

enum rc rated_round(rated r, const struct currency *c, int64_t *ret, struct err *err)
{
    return amount_narrow(round_div(r, decimal_power(RATED_SCALE - c->exponent)), ret, err);
}

enum rc rated_parse(struct str text, rated *ret, struct err *err)
{
    struct decimal d;
    TRY(decimal_parse(text, RATED_SCALE, "a rated amount", &d, err));
    rated value;
    if (__builtin_mul_overflow(d.mantissa, decimal_power(RATED_SCALE - d.scale), &value))
        return too_large(err);
    *ret = value;
    return RC_OK;
}

size_t rated_format(rated r, char text[RATED_TEXT_MAX])
{
    char full[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(r, RATED_SCALE, full);
    ASSERT(n < RATED_TEXT_MAX);
    memcpy(text, full, n + 1);
    return n;
}
