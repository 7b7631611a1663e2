#include "money/amount.h"

#include "money/decimal.h"

static enum rc too_large(struct err *err)
{
    return err_set(err, RC_INVALID, "the amount is too large: at most %lld minor units fit",
                   (long long)INT64_MAX);
}

enum rc amount_add(int64_t a, int64_t b, int64_t *ret, struct err *err)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return too_large(err);
    *ret = sum;
    return RC_OK;
}

enum rc amount_sub(int64_t a, int64_t b, int64_t *ret, struct err *err)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return too_large(err);
    *ret = difference;
    return RC_OK;
}

enum rc amount_neg(int64_t a, int64_t *ret, struct err *err)
{
    return amount_sub(0, a, ret, err);
}

__int128 amount_total(const int64_t *amounts, size_t count)
{
    __int128 total = 0;
    for (size_t i = 0; i < count; i++)
        total += amounts[i];
    return total;
}

enum rc amount_narrow(__int128 total, int64_t *ret, struct err *err)
{
    if (total < INT64_MIN || total > INT64_MAX)
        return too_large(err);
    *ret = (int64_t)total;
    return RC_OK;
}

int amount_compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

enum rc amount_parse(struct str text, const struct currency *c, int64_t *ret, struct err *err)
{
    char what[32];
    (void)snprintf(what, sizeof what, "an amount in %s", c->code);
    struct decimal d;
    TRY(decimal_parse(text, c->exponent, what, &d, err));
    /* At the most 38 digits were read: more than an amount ever holds is refused before it is
     * brought to minor units, so that the product cannot overflow. */
    if (d.mantissa < INT64_MIN || d.mantissa > INT64_MAX)
        return too_large(err);
    return amount_narrow(d.mantissa * decimal_power(c->exponent - d.scale), ret, err);
}

enum rc amount_check_one(int64_t amount, const struct currency *c, const char *what,
                         struct err *err)
{
    char most[AMOUNT_TEXT_MAX];
    if (amount <= AMOUNT_ONE_MAX && amount >= -AMOUNT_ONE_MAX)
        return RC_OK;
    (void)amount_format(AMOUNT_ONE_MAX, c, most);
    return err_set(err, RC_INVALID, "%s comes to more than %s %s, the most that is carried", what,
                   most, c->code);
}

enum rc amount_parse_one(struct str text, const struct currency *c, int64_t *ret, struct err *err)
{
    int64_t amount = 0;
    TRY(amount_parse(text, c, &amount, err));
    TRY(amount_check_one(amount, c, "the amount", err));
    *ret = amount;
    return RC_OK;
}

size_t amount_format(int64_t amount, const struct currency *c, char text[AMOUNT_TEXT_MAX])
{
    char full[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(amount, c->exponent, full);
    ASSERT(n < AMOUNT_TEXT_MAX);
    memcpy(text, full, n + 1);
    return n;
}

struct str amount_str(int64_t amount, const struct currency *c, struct arena *arena)
{
    char text[AMOUNT_TEXT_MAX];
    return arena_str(arena, str_n(text, amount_format(amount, c, text)));
}
