#include "channel/agreement_check.h"

#include "channel/percent.h"
#include "money/amount.h"
#include "money/ascii.h"

enum { HASH_DIGITS = 64 };

#define BIT(i) (1U << (i))

/* --- what each kind of agreement has --- */

/* A percentage of a margin makes sense where somebody earns one on the path: not for inputs and
 * fees, which are paid whatever the price. */
static const struct {
    unsigned rules; /* bits of enum rule_kind */
    unsigned bases; /* bits of enum rule_base */
    bool rules_wanted;
} kinds[] = {
    [AGREEMENT_SUPPLY] = {0, 0, false},
    [AGREEMENT_REFERRAL] = {BIT(RULE_FIXED) | BIT(RULE_PER_UNIT) | BIT(RULE_PERCENT) |
                                BIT(RULE_TIERED) | BIT(RULE_BOUNTY),
                            BIT(BASE_WHOLESALE) | BIT(BASE_RETAIL) | BIT(BASE_LIST) |
                                BIT(BASE_MARGIN) | BIT(BASE_CASH),
                            true},
    [AGREEMENT_COST] = {BIT(RULE_FIXED) | BIT(RULE_PER_UNIT) | BIT(RULE_PERCENT) |
                            BIT(RULE_TIERED) | BIT(RULE_BOUNTY) | BIT(RULE_RESIDUAL),
                        BIT(BASE_WHOLESALE) | BIT(BASE_RETAIL) | BIT(BASE_LIST) | BIT(BASE_CASH),
                        true},
    /* No tiers: fees are added up exactly, line by line (settle/fee.h). */
    [AGREEMENT_FEE] = {BIT(RULE_FIXED) | BIT(RULE_PER_UNIT) | BIT(RULE_PERCENT),
                       BIT(BASE_WHOLESALE) | BIT(BASE_RETAIL) | BIT(BASE_LIST) | BIT(BASE_CASH),
                       true},
    [AGREEMENT_REVSHARE] = {BIT(RULE_FIXED) | BIT(RULE_PER_UNIT) | BIT(RULE_PERCENT) |
                                BIT(RULE_TIERED) | BIT(RULE_BOUNTY),
                            BIT(BASE_WHOLESALE) | BIT(BASE_RETAIL) | BIT(BASE_LIST) |
                                BIT(BASE_MARGIN) | BIT(BASE_CASH),
                            true},
};

/* --- amounts, labels --- */

/* Empty is none: *ret stays. */
static enum rc check_amount(struct str text, const struct currency *c, const char *pointer,
                            int64_t *ret, struct err *err)
{
    int64_t amount = 0;
    if (text.n == 0)
        return RC_OK;
    TRY(err_blame(amount_parse_one(text, c, &amount, err), pointer, err));
    if (amount < 0)
        return err_set_at(err, RC_INVALID, str_c(pointer), "an amount here is not below 0");
    *ret = amount;
    return RC_OK;
}

/* What ledger/ takes as a part of an account's code; "Reserve:" in front sets aside within the
 * book of the one who owes. */
static enum rc check_label(struct str whole, struct err *err)
{
    struct str reserve = STR(AGREEMENT_RESERVE);
    bool aside = str_starts(whole, reserve) && whole.n > reserve.n;
    struct str label = aside ? str_sub(whole, reserve.n, whole.n) : whole;
    bool good = whole.n <= AGREEMENT_LABEL_MAX;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        bool first = ascii_upper(c) || ascii_digit(c);
        good = good && (first || (i > 0 && (ascii_letter(c) || c == '-')));
    }
    return good ? RC_OK
                : err_set_at(err, RC_INVALID, STR("/label"),
                             "a label is a capital letter or a digit, then letters, digits and "
                             "'-', at most %d in all",
                             AGREEMENT_LABEL_MAX);
}

/* --- one rule --- */

static enum rc check_tier_end(const struct rule_tier *tier, bool last, const struct currency *c,
                              int64_t *before, struct err *err)
{
    int64_t end = 0;
    if (last && tier->up_to.n > 0)
        return err_set_at(err, RC_INVALID, STR("/up_to"), "the last tier has no end");
    if (last)
        return RC_OK;
    if (tier->up_to.n == 0)
        return err_set_at(err, RC_INVALID, STR("/up_to"), "every tier but the last has an end");
    TRY(check_amount(tier->up_to, c, "/up_to", &end, err));
    if (end <= *before)
        return err_set_at(err, RC_INVALID, STR("/up_to"), "the ends of tiers ascend");
    *before = end;
    return RC_OK;
}

static enum rc check_tiers(struct rule *r, const struct currency *c, struct arena *arena,
                           struct err *err)
{
    int64_t before = 0;
    if (r->tiers.count == 0 || r->tiers.count > AGREEMENT_TIERS_MAX)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "a tiered rule has 1 to %d tiers",
                          AGREEMENT_TIERS_MAX);
    struct rule_tier *tiers = NEW_N(arena, struct rule_tier, r->tiers.count);
    for (size_t i = 0; i < r->tiers.count; i++) {
        int64_t ppm = 0;
        char under[32];
        (void)snprintf(under, sizeof under, "/tiers/%zu", i);
        tiers[i] = ((const struct rule_tier *)r->tiers.items)[i];
        tiers[i].set = schema_all(&rule_tier_schema);
        enum rc rc = check_tier_end(&tiers[i], i + 1 == r->tiers.count, c, &before, err);
        if (rc == RC_OK)
            rc = err_blame(percent_parse(tiers[i].percent, PERCENT_HUNDRED_PPM, &ppm, err),
                           "/percent", err);
        if (rc != RC_OK) {
            err_under(err, str_c(under));
            return rc;
        }
    }
    r->tiers.items = tiers;
    return RC_OK;
}

static enum rc check_value(struct rule *r, const struct currency *c, struct arena *arena,
                           struct err *err)
{
    struct price price = {0};
    int64_t ppm = 0;
    bool valued = r->kind != RULE_TIERED && r->kind != RULE_RESIDUAL;
    if (valued != (r->value.n > 0))
        return err_set_at(err, RC_INVALID, STR("/value"), "a rule of kind %s has %s value",
                          rule_kinds[r->kind], valued ? "a" : "no");
    if (r->kind != RULE_TIERED && r->tiers.count > 0)
        return err_set_at(err, RC_INVALID, STR("/tiers"), "only a tiered rule has tiers");
    switch ((enum rule_kind)r->kind) {
    case RULE_FIXED:
    case RULE_PER_UNIT:
    case RULE_BOUNTY:
        TRY(err_blame(price_parse_one(r->value, &price, err), "/value", err));
        if (price.mantissa < 0)
            return err_set_at(err, RC_INVALID, STR("/value"), "a share is not below 0");
        return RC_OK;
    case RULE_PERCENT:
        return err_blame(percent_parse(r->value, PERCENT_HUNDRED_PPM, &ppm, err), "/value", err);
    case RULE_TIERED:
        return check_tiers(r, c, arena, err);
    case RULE_RESIDUAL:
        return RC_OK;
    }
    NEVER("a kind of rule outside its enum");
}

static enum rc check_base(struct rule *r, enum agreement_kind kind, struct err *err)
{
    bool percent = r->kind == RULE_PERCENT || r->kind == RULE_TIERED;
    bool tiered = percent && (r->base == BASE_WHOLESALE || r->base == BASE_MARGIN);
    if (!percent && r->base != BASE_WHOLESALE)
        return err_set_at(err, RC_INVALID, STR("/base"), "only percentages have a base");
    if (percent && (kinds[kind].bases & BIT(r->base)) == 0)
        return err_set_at(err, RC_INVALID, STR("/base"), "an agreement of kind %s has no base %s",
                          agreement_kinds[kind], rule_bases[r->base]);
    if (!tiered && r->tier != 0)
        return err_set_at(err, RC_INVALID, STR("/tier"),
                          "only percentages of wholesale and margin have a tier");
    if (r->tier < 0 || r->tier > 1)
        return err_set_at(err, RC_INVALID, STR("/tier"),
                          "a party has shares of its own sale, which is tier 1, and sees no other");
    if (tiered && r->tier == 0)
        r->tier = 1;
    return RC_OK;
}

static enum rc check_bounds(const struct rule *r, const struct currency *c, struct err *err)
{
    int64_t floor = 0;
    int64_t cap = INT64_MAX;
    if (r->from_month < 0 || r->to_month < 0 || (r->to_month > 0 && r->to_month < r->from_month))
        return err_set_at(err, RC_INVALID, STR("/to_month"), "it ends before it begins");
    TRY(check_amount(r->floor, c, "/floor", &floor, err));
    TRY(check_amount(r->cap, c, "/cap", &cap, err));
    if (floor > cap)
        return err_set_at(err, RC_INVALID, STR("/floor"), "the floor is above the cap");
    if (r->kind == RULE_RESIDUAL && (r->floor.n > 0 || r->cap.n > 0))
        return err_set_at(err, RC_INVALID, r->cap.n > 0 ? STR("/cap") : STR("/floor"),
                          "what is left has neither floor nor cap");
    return RC_OK;
}

static enum rc check_rule(struct rule *r, enum agreement_kind kind, const struct currency *c,
                          struct arena *arena, struct err *err)
{
    if ((kinds[kind].rules & BIT(r->kind)) == 0)
        return err_set_at(err, RC_INVALID, STR("/kind"), "an agreement of kind %s has no rule %s",
                          agreement_kinds[kind], rule_kinds[r->kind]);
    TRY(check_base(r, kind, err));
    TRY(check_value(r, c, arena, err));
    TRY(check_bounds(r, c, err));
    /* Line by line, and what one takes is missing to the next: nothing is added up for a period. */
    if (kind == AGREEMENT_COST && (r->floor.n > 0 || r->cap.n > 0))
        return err_set_at(err, RC_INVALID, r->cap.n > 0 ? STR("/cap") : STR("/floor"),
                          "a cost is taken out of each line: it has neither floor nor cap");
    TRY(check_label(r->label, err));
    r->set = schema_all(&rule_schema);
    return RC_OK;
}

/* --- terms --- */

static enum rc check_rules(struct agreement *a, const struct currency *c, struct arena *arena,
                           struct err *err)
{
    struct terms *t = &a->terms;
    size_t residuals = 0;
    if (t->rules.count > AGREEMENT_RULES_MAX)
        return err_set_at(err, RC_INVALID, STR("/terms/rules"), "at most %d rules",
                          AGREEMENT_RULES_MAX);
    if ((t->rules.count > 0) != kinds[a->kind].rules_wanted)
        return err_set_at(err, RC_INVALID, STR("/terms/rules"), "an agreement of kind %s has %s",
                          agreement_kinds[a->kind],
                          t->rules.count > 0 ? "no rules: prices come from price books"
                                             : "at least one rule");
    struct rule *rules = NEW_N(arena, struct rule, t->rules.count);
    for (size_t i = 0; i < t->rules.count; i++) {
        char under[40];
        (void)snprintf(under, sizeof under, "/terms/rules/%zu", i);
        rules[i] = ((const struct rule *)t->rules.items)[i];
        enum rc rc = check_rule(&rules[i], (enum agreement_kind)a->kind, c, arena, err);
        residuals += rc == RC_OK && rules[i].kind == RULE_RESIDUAL ? 1 : 0;
        if (residuals > 1)
            rc = err_set_at(err, RC_INVALID, STR("/kind"),
                            "only one rule can take what the others leave");
        if (rc != RC_OK) {
            err_under(err, str_c(under));
            return rc;
        }
    }
    t->rules.items = rules;
    return RC_OK;
}

static enum rc check_supply(const struct agreement *a, struct err *err)
{
    const struct terms *t = &a->terms;
    if (a->kind == AGREEMENT_SUPPLY)
        return RC_OK;
    const char *pointer = t->upstream.n > 0  ? "/terms/upstream"
                          : t->book.n > 0    ? "/terms/book"
                          : t->settle != 0   ? "/terms/settle"
                          : t->bad_debt != 0 ? "/terms/bad_debt"
                                             : NULL;
    return pointer == NULL ? RC_OK
                           : err_set_at(err, RC_INVALID, str_c(pointer),
                                        "only an agreement of kind supply has this");
}

static enum rc check_scope(const struct agreement *a, struct err *err)
{
    const struct scope *s = &a->terms.scope;
    bool any = s->party.n > 0 || s->item.n > 0 || s->category.n > 0 || s->asset.n > 0;
    if (a->kind == AGREEMENT_SUPPLY && (any || s->subtree))
        return err_set_at(err, RC_INVALID, STR("/terms/scope"),
                          "an agreement of kind supply has no scope: what is sold is subscribed");
    if (a->kind != AGREEMENT_REFERRAL && s->party.n > 0)
        return err_set_at(err, RC_INVALID, STR("/terms/scope/party"),
                          "only a referral is about a party's purchases");
    if (s->subtree && s->party.n == 0)
        return err_set_at(err, RC_INVALID, STR("/terms/scope/subtree"),
                          "below whom? name the party");
    return RC_OK;
}

static enum rc check_hash(struct str hash, struct err *err)
{
    bool good = hash.n == 0 || str_is_hex(hash, HASH_DIGITS);
    return good ? RC_OK
                : err_set_at(err, RC_INVALID, STR("/terms/document_hash"),
                             "a SHA-256 is %d digits 0-9 and a-f", HASH_DIGITS);
}

enum rc agreement_check(struct agreement *a, struct arena *arena, struct err *err)
{
    const struct currency *currency = NULL;
    int64_t min_payout = 0;
    ASSERT(a->kind >= 0 && (size_t)a->kind < COUNT(kinds));
    if (str_eq(a->from, a->to))
        return err_set_at(err, RC_INVALID, STR("/to"), "nobody agrees with itself");
    TRY(err_blame(currency_parse(a->terms.currency, &currency, err), "/terms/currency", err));
    TRY(check_supply(a, err));
    TRY(check_scope(a, err));
    TRY(check_rules(a, currency, arena, err));
    TRY(check_amount(a->terms.min_payout, currency, "/terms/min_payout", &min_payout, err));
    return check_hash(a->terms.document_hash, err);
}

size_t terms_residual(const struct terms *t)
{
    const struct rule *rules = t->rules.items;
    size_t i = 0;
    while (i < t->rules.count && rules[i].kind != RULE_RESIDUAL)
        i++;
    return i;
}

static bool has_amount(const struct rule *r)
{
    bool bounded = r->cap.n > 0 || r->floor.n > 0;
    switch ((enum rule_kind)r->kind) {
    case RULE_FIXED:
    case RULE_PER_UNIT:
    case RULE_BOUNTY:
        return true;
    case RULE_TIERED:
        return bounded || r->tiers.count > 1;
    case RULE_PERCENT:
    case RULE_RESIDUAL:
        return bounded;
    }
    NEVER("a kind of rule outside its enum");
}

bool terms_have_amount(const struct terms *t)
{
    const struct rule *rules = t->rules.items;
    bool any = false;
    for (size_t i = 0; i < t->rules.count; i++)
        any = any || has_amount(&rules[i]);
    return any;
}
