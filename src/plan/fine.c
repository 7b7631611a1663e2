#include "plan/fine.h"

#include "money/amount.h"
#include "money/decimal.h"
#include "money/round.h"

struct str fine_text(fine f, int least, int digits, struct arena *arena)
{
    ASSERT(least >= 0 && least <= digits);
    ASSERT(digits <= FINE_PRICE_DIGITS);
    fine value = round_div(f, decimal_power(FINE_SCALE - digits));
    int scale = digits;
    while (scale > least && value % 10 == 0) {
        value /= 10;
        scale--;
    }
    char text[DECIMAL_TEXT_MAX];
    size_t n = decimal_format(value, scale, text);
    return arena_str(arena, str_n(text, n));
}

struct str fine_price(fine f, const struct currency *c, struct arena *arena)
{
    return fine_text(f, c->exponent, FINE_PRICE_DIGITS, arena);
}

enum rc fine_round(fine f, const struct currency *c, int64_t *ret, struct err *err)
{
    if (amount_narrow(round_div(f, decimal_power(FINE_SCALE - c->exponent)), ret, err) == RC_OK)
        return RC_OK;
    return err_set(err, RC_INVALID, "the sums of this plan are too large to be counted in %s",
                   c->code);
}

enum rc fine_step(struct fine_sum *s, fine add, const struct currency *c, int64_t *ret,
                  struct err *err)
{
    fine sum = s->sum + add;
    int64_t posted = 0;
    TRY(fine_round(sum, c, &posted, err));
    TRY(amount_sub(posted, s->posted, ret, err));
    *s = (struct fine_sum){sum, posted};
    return RC_OK;
}
