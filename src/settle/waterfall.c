#include "settle/waterfall.h"

#include "money/amount.h"
#include "money/round.h"
#include "money/telescope.h"

enum { PPM = 1000000, NO_CAP = -1 };

/* The value of a unit, times how many, for the whole period, in minor units. */
static enum rc price_amount(struct price value, struct quantity q, const struct currency *c,
                            int64_t *ret, struct err *err)
{
    rated r = 0;
    int64_t amount = 0;
    TRY(price_rate(value, q, &r, err));
    TRY(rated_round(r, c, &amount, err));
    TRY(amount_check_one(amount, c, "a share", err));
    *ret = amount;
    return RC_OK;
}

/* For a part of the period, so that the parts of any cutting add up to the whole. */
static enum rc fixed(const struct waterfall_step *s, const struct waterfall_use *u, int64_t *ret,
                     struct err *err)
{
    int64_t whole = 0;
    TRY(price_amount(s->value, u->units, u->currency, &whole, err));
    *ret = u->begin == u->end ? whole : telescope_time(whole, u->begin, u->end, u->from, u->until);
    return RC_OK;
}

/* Graduated on the base's total in the period: the difference of two cumulative shares, so that it
 * does not matter in how many pieces the base arrives. */
static __int128 tiered_total(const struct waterfall_step *s, int64_t base)
{
    __int128 sum = 0;
    int64_t from = 0;
    for (size_t i = 0; i < s->tier_count && base > from; i++) {
        bool last = i + 1 == s->tier_count;
        int64_t until = last ? base : min_i64(base, s->tiers[i].up_to);
        sum += (__int128)(until - from) * s->tiers[i].ppm;
        from = until;
    }
    return round_div(sum, PPM);
}

static enum rc narrow(__int128 wide, const struct currency *c, int64_t *ret, struct err *err)
{
    int64_t amount = 0;
    TRY(amount_narrow(wide, &amount, err));
    TRY(amount_check_one(amount, c, "a share", err));
    *ret = amount;
    return RC_OK;
}

static enum rc tiered(const struct waterfall_step *s, const struct currency *c, int64_t *ret,
                      struct err *err)
{
    __int128 after = (__int128)s->base_before + s->base;
    if (after > INT64_MAX || after < INT64_MIN)
        return err_set(err, RC_INVALID, "the base of a tiered share does not fit an amount");
    return narrow(tiered_total(s, (int64_t)after) - tiered_total(s, s->base_before), c, ret, err);
}

static enum rc step_share(const struct waterfall_step *s, const struct waterfall_use *u,
                          int64_t *ret, struct err *err)
{
    switch (s->kind) {
    case SHARE_FIXED:
        return fixed(s, u, ret, err);
    case SHARE_PER_UNIT:
        return price_amount(s->value, u->quantity, u->currency, ret, err);
    case SHARE_PERCENT:
        return narrow(round_div((__int128)s->base * s->ppm, PPM), u->currency, ret, err);
    case SHARE_TIERED:
        return tiered(s, u->currency, ret, err);
    case SHARE_BOUNTY:
        return price_amount(s->value, (struct quantity){1, 0}, u->currency, ret, err);
    case SHARE_RESIDUAL:
        *ret = 0; /* the caller's last word */
        return RC_OK;
    }
    NEVER("every kind of share was computed");
}

/* A correction or a credit is below zero: there the bounds hold for its magnitude. */
static int64_t bounded(const struct waterfall_step *s, int64_t share)
{
    int64_t size = share < 0 ? -share : share;
    if (s->cap != NO_CAP)
        size = min_i64(size, s->cap);
    if (share != 0)
        size = max_i64(size, s->floor);
    return share < 0 ? -size : size;
}

enum rc waterfall_run(const struct waterfall_step *steps, size_t count,
                      const struct waterfall_use *use, int64_t *ret_shares, struct err *err)
{
    size_t claimant = count;
    __int128 left = use->amount;
    int64_t shares[WATERFALL_STEPS_MAX];
    if (count > WATERFALL_STEPS_MAX)
        return err_set(err, RC_INVALID, "a waterfall has at most %d rules", WATERFALL_STEPS_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(step_share(&steps[i], use, &shares[i], err));
        if (steps[i].kind != SHARE_RESIDUAL) {
            shares[i] = bounded(&steps[i], shares[i]);
            left -= shares[i];
            continue;
        }
        if (claimant < count)
            return err_set(err, RC_INVALID, "two rules of a waterfall take the residual");
        claimant = i;
    }
    if (claimant < count)
        TRY(amount_narrow(left, &shares[claimant], err));
    left = use->amount;
    for (size_t i = 0; i < count; i++) {
        ret_shares[i] = shares[i];
        left -= shares[i];
    }
    ASSERT(claimant == count || left == 0); /* nothing is minted, nothing is lost */
    return RC_OK;
}
