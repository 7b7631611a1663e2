#include "settle/rule_step.h"

#include "money/amount.h"
#include "money/decimal.h"

enum { PERCENT_SCALE = 4 }; /* of ppm: "5" is 50,000 */

static enum rc percent(struct str text, int64_t *ret_ppm, struct err *err)
{
    struct price p;
    struct price ppm;
    TRY(price_parse(text, &p, err));
    TRY(price_add(p, (struct price){0, PERCENT_SCALE}, &ppm, err));
    if (ppm.scale != PERCENT_SCALE)
        return err_set(err, RC_INVALID, "a percentage has at most %d digits behind the point",
                       PERCENT_SCALE);
    *ret_ppm = ppm.mantissa;
    return RC_OK;
}

static enum rc optional_amount(struct str text, const struct currency *c, int64_t otherwise,
                               int64_t *ret, struct err *err)
{
    *ret = otherwise;
    return text.n > 0 ? amount_parse(text, c, ret, err) : RC_OK;
}

static enum rc tiers(const struct rule *rule, const struct currency *c, struct waterfall_step *ret,
                     struct err *err)
{
    const struct rule_tier *list = rule->tiers.items;
    if (rule->tiers.count == 0 || rule->tiers.count > WATERFALL_TIERS_MAX)
        return err_set(err, RC_INVALID, "a tiered rule has 1 to %d tiers", WATERFALL_TIERS_MAX);
    ret->tier_count = rule->tiers.count;
    for (size_t i = 0; i < ret->tier_count; i++) {
        TRY(percent(list[i].percent, &ret->tiers[i].ppm, err));
        TRY(optional_amount(list[i].up_to, c, INT64_MAX, &ret->tiers[i].up_to, err));
    }
    return RC_OK;
}

enum rc rule_step(const struct rule *rule, const struct currency *currency,
                  struct waterfall_step *ret, struct err *err)
{
    static const enum share_kind kinds[] = {
        [RULE_FIXED] = SHARE_FIXED,     [RULE_PER_UNIT] = SHARE_PER_UNIT,
        [RULE_PERCENT] = SHARE_PERCENT, [RULE_TIERED] = SHARE_TIERED,
        [RULE_BOUNTY] = SHARE_BOUNTY,   [RULE_RESIDUAL] = SHARE_RESIDUAL,
    };
    struct waterfall_step s = {.kind = kinds[rule->kind]};
    if (s.kind == SHARE_PERCENT)
        TRY(percent(rule->value, &s.ppm, err));
    else if (s.kind == SHARE_TIERED)
        TRY(tiers(rule, currency, &s, err));
    else if (s.kind != SHARE_RESIDUAL)
        TRY(price_parse(rule->value, &s.value, err));
    TRY(optional_amount(rule->cap, currency, -1, &s.cap, err));
    TRY(optional_amount(rule->floor, currency, 0, &s.floor, err));
    *ret = s;
    return RC_OK;
}

int64_t rule_cap_left(int64_t cap, int64_t had)
{
    if (cap < 0)
        return -1;
    return had < cap - INT64_MAX ? INT64_MAX : max_i64(0, cap - had);
}

int64_t rule_within(int64_t cap, int64_t amount)
{
    if (cap < 0)
        return amount;
    return amount < 0 ? max_i64(amount, -cap) : min_i64(amount, cap);
}

static struct str base_text(const struct rule *rule)
{
    switch ((enum rule_base)rule->base) {
    case BASE_WHOLESALE:
        return STR("the wholesale price");
    case BASE_RETAIL:
        return STR("the client's price");
    case BASE_LIST:
        return STR("the list price");
    case BASE_MARGIN:
        return STR("the margin");
    case BASE_CASH:
        return STR("what came in");
    }
    NEVER("every base was named");
}

struct str rule_text(const struct rule *rule, struct arena *arena)
{
    switch ((enum rule_kind)rule->kind) {
    case RULE_FIXED:
        return arena_fmt(arena, "%.*s a unit and period", STRF(rule->value));
    case RULE_PER_UNIT:
        return arena_fmt(arena, "%.*s for each unit used", STRF(rule->value));
    case RULE_PERCENT:
        return arena_fmt(arena, "%.*s %% of %.*s", STRF(rule->value), STRF(base_text(rule)));
    case RULE_TIERED:
        return arena_fmt(arena, "by tiers, of %.*s", STRF(base_text(rule)));
    case RULE_BOUNTY:
        return arena_fmt(arena, "%.*s once", STRF(rule->value));
    case RULE_RESIDUAL:
        return STR("what is left");
    }
    NEVER("every kind of rule was told");
}
