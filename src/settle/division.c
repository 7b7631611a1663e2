#include "settle/division.h"

#include "money/amount.h"
#include "money/round.h"
#include "settle/rule_step.h"

enum { FOUND_MAX = 4096, CLAIMS_MAX = 512, PARTIES_MAX = SUPPLY_DEPTH_MAX + 1 };

/* Agreements of a kind from a party, as of an instant. */
struct found {
    enum agreement_kind kind;
    struct str from;
    time_us at;
    struct list agreements; /* struct agreement */
};
struct found_path {
    int64_t path;
    time_us at;
    struct list agreements;
};
struct division {
    struct tx *tx;
    struct claims *claims; /* of the invoice in hand; the room of the one before is taken again */
    size_t count;
    size_t path_count;
    size_t item_count;
    struct found found[FOUND_MAX];
    struct found_path paths[FOUND_MAX];
    struct item items[FOUND_MAX];
};

/* What one rule has gathered in one invoice. */
struct claim {
    struct share share;
    const struct rule *rule; /* NULL: the amount is there already */
    bool shared;             /* the amount is a sum of waterfalls, not a percentage of the base */
};
struct claims {
    struct division *d;
    const struct document_row *invoice;
    size_t count;
    struct claim list[CLAIMS_MAX];
};

struct division *division_new(struct tx *tx)
{
    struct division *d = NEW(tx->arena, struct division);
    d->tx = tx;
    return d;
}

/* --- what is agreed --- */

enum rc division_agreements(struct division *d, enum agreement_kind kind, struct str from,
                            time_us at, struct list *ret)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->found[i].kind == kind && d->found[i].at == at && str_eq(d->found[i].from, from)) {
            *ret = d->found[i].agreements;
            return RC_OK;
        }
    TRY(agreement_active(d->tx, kind, from, at, ret));
    if (d->count < FOUND_MAX) /* beyond it asks again: slower, not wrong */
        d->found[d->count++] = (struct found){kind, from, at, *ret};
    return RC_OK;
}

static enum rc referrals(struct division *d, const struct rated_line *line, struct list *ret)
{
    time_us at = line->window.from;
    for (size_t i = 0; i < d->path_count; i++)
        if (d->paths[i].path == line->path_number && d->paths[i].at == at) {
            *ret = d->paths[i].agreements;
            return RC_OK;
        }
    TRY(supply_referrals(d->tx, line->path, at, ret));
    if (d->path_count < FOUND_MAX)
        d->paths[d->path_count++] = (struct found_path){line->path_number, at, *ret};
    return RC_OK;
}

static enum rc find_item(struct division *d, struct str code, const struct item **ret)
{
    for (size_t i = 0; i < d->item_count; i++)
        if (str_eq(d->items[i].code, code)) {
            *ret = &d->items[i];
            return RC_OK;
        }
    struct item *item =
        d->item_count < FOUND_MAX ? &d->items[d->item_count] : NEW(d->tx->arena, struct item);
    TRY(item_find(d->tx, code, item));
    if (d->item_count < FOUND_MAX)
        d->item_count++;
    *ret = item;
    return RC_OK;
}

static bool narrows(struct str wanted, struct str is)
{
    return wanted.n > 0 && !str_eq(wanted, is);
}

static bool in_scope(const struct agreement *a, const struct rated_line *line,
                     const struct item *item)
{
    const struct scope *s = &a->terms.scope;
    return !narrows(s->item, line->item) && !narrows(s->category, item->category) &&
           !narrows(s->asset, line->asset);
}

enum rc division_covers(struct division *d, const struct agreement *a,
                        const struct rated_line *line, bool *ret)
{
    const struct item *item = NULL;
    TRY(find_item(d, line->item, &item));
    *ret = in_scope(a, line, item);
    return RC_OK;
}

struct tx *division_tx(const struct division *d)
{
    return d->tx;
}

static bool in_months(const struct rule *r, const struct rated_line *line)
{
    int64_t month = line->window.period_number;
    return (r->from_month == 0 || month >= r->from_month) &&
           (r->to_month == 0 || month <= r->to_month);
}

/* --- bases --- */

/* What the buyer of edge k pays for the line (k from 1), after what the last edge gave away. */
static int64_t at_edge(const struct rated_line *line, int64_t k)
{
    int64_t count = (int64_t)line->path->count;
    int64_t edge = k < 1 ? 1 : min_i64(k, count);
    return line->amounts[edge - 1] - (edge == count ? line->discount : 0);
}

int64_t division_base(const struct rule *rule, const struct rated_line *line)
{
    int64_t tier = rule->tier < 1 ? 1 : rule->tier;
    switch ((enum rule_base)rule->base) {
    case BASE_WHOLESALE:
        return at_edge(line, tier);
    case BASE_RETAIL:
    case BASE_CASH: /* what came in follows from the invoice: shares are earned with its cash */
        return at_edge(line, SUPPLY_DEPTH_MAX);
    case BASE_LIST:
        return line->list_amount;
    case BASE_MARGIN:
        return tier == 1 ? at_edge(line, 1) : at_edge(line, tier) - at_edge(line, tier - 1);
    }
    NEVER("every base was computed");
}

/* --- one rule and one line --- */

struct quantity division_units(const struct rated_line *line)
{
    bool back = line->quantity.mantissa < 0;
    int64_t units = line->timed ? line->units.mantissa : 0;
    return (struct quantity){back ? -units : units, line->units.scale};
}

static struct waterfall_use use_of(const struct rated_line *line, int64_t amount,
                                   const struct currency *currency)
{
    return (struct waterfall_use){.amount = amount,
                                  .units = division_units(line),
                                  .quantity = line->quantity,
                                  .begin = line->window.begin,
                                  .end = line->window.end,
                                  .from = line->window.from,
                                  .until = line->window.until,
                                  .currency = currency};
}

static bool counts_units(const struct rule *rule)
{
    return rule->kind == RULE_FIXED || rule->kind == RULE_PER_UNIT;
}

/* So much for each unit of a line: added up over the invoice, where a cap binds. */
static enum rc for_units(struct division *d, const struct rule *rule, const struct rated_line *line,
                         const struct currency *currency, int64_t *sum)
{
    struct waterfall_step step;
    int64_t share = 0;
    TRY(rule_step(rule, currency, &step, d->tx->err));
    step.cap = -1;
    step.floor = 0;
    const struct waterfall_use use = use_of(line, 0, currency);
    TRY(waterfall_run(&step, 1, &use, &share, d->tx->err));
    return amount_add(*sum, share, sum, d->tx->err);
}

/* --- claims --- */

static enum rc claim_of(struct claims *c, const struct agreement *a, size_t rule,
                        enum share_origin origin, const struct rated_line *line, struct str payee,
                        struct claim **ret)
{
    for (size_t i = 0; i < c->count; i++) {
        struct share *s = &c->list[i].share;
        if (s->origin == origin && s->rule == (int64_t)rule && str_eq(s->payee, payee) &&
            str_eq(s->agreement, a != NULL ? a->id : STR(""))) {
            if (!str_eq(s->subscription, line->subscription))
                s->subscription = STR("");
            if (!str_eq(s->item, line->item))
                s->item = STR("");
            *ret = &c->list[i];
            return RC_OK;
        }
    }
    if (c->count == CLAIMS_MAX)
        return err_set(c->d->tx->err, RC_TOO_LARGE, "one invoice gives more than %d shares",
                       CLAIMS_MAX);
    struct claim *claim = &c->list[c->count++];
    *claim = (struct claim){.share = {.rule = (int64_t)rule,
                                      .origin = origin,
                                      .payee = payee,
                                      .document = c->invoice->no,
                                      .close_no = c->invoice->close_no,
                                      .subscription = line->subscription,
                                      .item = line->item,
                                      .currency = c->invoice->currency}};
    if (a != NULL) {
        const struct rule *rules = a->terms.rules.items;
        claim->share.agreement = a->id;
        claim->share.terms = a->terms.number;
        claim->share.payer = a->from;
        claim->share.earn = (enum earn_on)a->terms.earn;
        claim->share.maturity_days = a->terms.maturity_days;
        claim->share.label = rules[rule].label.n > 0 ? rules[rule].label : STR("Commission");
        claim->rule = &rules[rule];
    }
    *ret = claim;
    return RC_OK;
}

/* A percentage, a bounty: computed once, when the base of the whole invoice is there. What is for
 * units: line by line. */
static enum rc claim_bases(struct claims *c, const struct agreement *a, enum share_origin origin,
                           const struct rated_line *line)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++) {
        struct claim *claim = NULL;
        if (!in_months(&rules[i], line))
            continue;
        TRY(claim_of(c, a, i, origin, line, a->to, &claim));
        claim->share.base += division_base(&rules[i], line);
        claim->share.weight = claim->share.base;
        if (origin == SHARE_OF_REFERRAL)
            claim->share.client = line->client;
        if (counts_units(&rules[i]))
            TRY(for_units(c->d, &rules[i], line, c->invoice->currency, &claim->share.amount));
    }
    return RC_OK;
}

static enum rc claim_referrals(struct claims *c, const struct rated_line *line)
{
    struct list list;
    const struct item *item = NULL;
    TRY(referrals(c->d, line, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t i = 0; i < list.count; i++)
        if (in_scope(&a[i], line, item))
            TRY(claim_bases(c, &a[i], SHARE_OF_REFERRAL, line));
    return RC_OK;
}

static enum rc claim_revshares(struct claims *c, const struct rated_line *line)
{
    for (size_t k = 0; k < line->path->count; k++) {
        struct list list;
        const struct item *item = NULL;
        TRY(division_agreements(c->d, AGREEMENT_REVSHARE, line->path->edges[k].seller,
                                line->window.from, &list));
        const struct agreement *a = list.items;
        if (list.count > 0)
            TRY(find_item(c->d, line->item, &item));
        for (size_t i = 0; i < list.count; i++) {
            bool open = a[i].terms.scope.item.n == 0 && a[i].terms.scope.category.n == 0;
            if (in_scope(&a[i], line, item) && (!open || str_eq(item->author, a[i].to)))
                TRY(claim_bases(c, &a[i], SHARE_OF_REVSHARE, line));
        }
    }
    return RC_OK;
}

/* --- waterfalls --- */

struct fall_step {
    const struct agreement *agreement; /* NULL: kept by the owner, or the producer's by nature */
    size_t rule;
    struct str payee;
    enum share_origin origin;
};
struct fall {
    size_t count;
    struct waterfall_step steps[WATERFALL_STEPS_MAX];
    struct fall_step who[WATERFALL_STEPS_MAX];
};

static enum rc add_rule(struct claims *c, struct fall *f, const struct agreement *a, size_t i,
                        const struct rated_line *line, int64_t amount, enum share_origin origin)
{
    const struct rule *rule = &((const struct rule *)a->terms.rules.items)[i];
    if (!in_months(rule, line))
        return RC_OK;
    if (f->count == WATERFALL_STEPS_MAX)
        return err_set(c->d->tx->err, RC_TOO_LARGE, "more than %d rules share one line",
                       WATERFALL_STEPS_MAX);
    struct waterfall_step *s = &f->steps[f->count];
    TRY(rule_step(rule, c->invoice->currency, s, c->d->tx->err));
    s->base = rule->base == BASE_WHOLESALE && rule->tier <= 1 ? amount : division_base(rule, line);
    s->cap = -1; /* caps and floors are for a period: they bind where percentages are added up */
    s->floor = 0;
    f->who[f->count++] = (struct fall_step){a, i, a->to, origin};
    return RC_OK;
}

/* The owner's COST agreements. to: only those to this party (empty: all others than `but`). */
static enum rc add_costs(struct claims *c, struct fall *f, struct str owner, struct str to,
                         struct str but, const struct rated_line *line, int64_t amount)
{
    struct list list;
    const struct item *item = NULL;
    TRY(division_agreements(c->d, AGREEMENT_COST, owner, line->window.from, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t k = 0; k < list.count; k++) {
        bool wanted = to.n > 0 ? str_eq(a[k].to, to) : !str_eq(a[k].to, but);
        if (!wanted || !in_scope(&a[k], line, item))
            continue;
        for (size_t i = 0; i < a[k].terms.rules.count; i++)
            TRY(add_rule(c, f, &a[k], i, line, amount,
                         to.n > 0 ? SHARE_OF_PRODUCTION : SHARE_OF_COST));
    }
    return RC_OK;
}

/* Fees that the producer leaves with the operator: they shorten the residual, and are no debt. */
static enum rc add_kept_fees(struct claims *c, struct fall *f, const struct rated_line *line,
                             struct str operator_id, int64_t amount)
{
    struct list list;
    const struct item *item = NULL;
    TRY(division_agreements(c->d, AGREEMENT_FEE, line->producer, line->window.from, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t k = 0; k < list.count; k++) {
        if (!str_eq(a[k].to, operator_id) || !in_scope(&a[k], line, item))
            continue;
        for (size_t i = 0; i < a[k].terms.rules.count; i++) {
            size_t before = f->count;
            TRY(add_rule(c, f, &a[k], i, line, amount, SHARE_OF_FEE));
            if (f->count > before)
                f->who[before].agreement = NULL;
        }
    }
    return RC_OK;
}

static enum rc run_fall(struct claims *c, const struct fall *f, struct str payer,
                        const struct rated_line *line, int64_t amount, int64_t *ret_to,
                        struct str to)
{
    int64_t shares[WATERFALL_STEPS_MAX];
    const struct waterfall_use use = use_of(line, amount, c->invoice->currency);
    TRY(waterfall_run(f->steps, f->count, &use, shares, c->d->tx->err));
    *ret_to = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct claim *claim = NULL;
        const struct fall_step *who = &f->who[i];
        if (who->payee.n == 0 || (who->agreement == NULL && who->origin == SHARE_OF_FEE))
            continue;
        TRY(claim_of(c, who->agreement, who->rule, who->origin, line, who->payee, &claim));
        claim->shared = true;
        claim->share.payer = payer;
        claim->share.base += amount;
        claim->share.weight += at_edge(line, 1) + (line->free_tier ? line->discount : 0);
        claim->share.amount += shares[i];
        if (who->agreement == NULL)
            claim->share.label = STR("Production");
        if (line->free_tier)
            claim->share.label = STR("Marketing:FreeTier");
        if (str_eq(who->payee, to))
            *ret_to += shares[i];
    }
    return RC_OK;
}

/* What the producer owes in turn. Its residual stays with it where no rule takes it. */
static enum rc claim_inputs(struct claims *c, struct str producer, const struct rated_line *line,
                            int64_t amount)
{
    struct fall f = {0};
    int64_t none = 0;
    TRY(add_costs(c, &f, producer, STR(""), STR(""), line, amount));
    return f.count > 0 ? run_fall(c, &f, producer, line, amount, &none, STR("")) : RC_OK;
}

static enum rc claim_production(struct claims *c, const struct rated_line *line)
{
    struct str operator_id = line->path->edges[0].seller;
    int64_t amount = at_edge(line, 1) + (line->free_tier && line->path->count == 1
                                             ? line->discount
                                             : 0); /* what is free to the client costs the host */
    if (line->producer.n == 0 || str_eq(line->producer, operator_id))
        return claim_inputs(c, operator_id, line, amount);
    struct fall f = {0};
    int64_t produced = 0;
    TRY(add_kept_fees(c, &f, line, operator_id, amount));
    TRY(add_costs(c, &f, operator_id, STR(""), line->producer, line, amount));
    size_t before = f.count;
    TRY(add_costs(c, &f, operator_id, line->producer, STR(""), line, amount));
    if (f.count == before) { /* nothing said: the rest is the producer's */
        f.steps[f.count] = (struct waterfall_step){.kind = SHARE_RESIDUAL, .cap = -1};
        f.who[f.count++] = (struct fall_step){NULL, 0, line->producer, SHARE_OF_PRODUCTION};
    }
    TRY(run_fall(c, &f, operator_id, line, amount, &produced, line->producer));
    return claim_inputs(c, line->producer, line, produced);
}

/* COLLECT: what the neutral book owes each tier. */
static enum rc claim_margins(struct claims *c, const struct rated_line *line)
{
    const struct supply_path *path = line->path;
    if (path->edges[path->count - 1].settle != SETTLE_COLLECT)
        return RC_OK;
    for (size_t k = 0; k < path->count; k++) {
        struct claim *claim = NULL;
        int64_t margin = at_edge(line, (int64_t)k + 1) - (k > 0 ? at_edge(line, (int64_t)k) : 0);
        TRY(claim_of(c, NULL, k, SHARE_OF_MARGIN, line, path->edges[k].seller, &claim));
        claim->shared = true;
        claim->share.payer = POSTING_CLEARING;
        claim->share.label = k == 0 ? STR("Wholesale") : STR("Margin");
        claim->share.booked = true;
        claim->share.base += margin;
        claim->share.weight += margin;
        claim->share.amount += margin;
    }
    return RC_OK;
}

/* --- the end of an invoice --- */

/* What the rule has had in this close before, and whether a bounty was paid ever. */
static enum rc history(struct claims *c, const struct share *s, int64_t *ret_base,
                       int64_t *ret_amount, bool *ret_ever)
{
    struct rows rows;
    TRY(sql_rows(c->d->tx, &rows,
                 "SELECT COALESCE(SUM(CASE WHEN close_no = $3 THEN base ELSE 0 END), 0), "
                 "COALESCE(SUM(CASE WHEN close_no = $3 THEN amount ELSE 0 END), 0), "
                 "COALESCE(SUM(CASE WHEN COALESCE(client, '') = $4 THEN 1 ELSE 0 END), 0) "
                 "FROM share WHERE agreement = $1 AND rule = $2",
                 V(s->agreement), V(s->rule), V(s->close_no), V(s->client)));
    *ret_base = row_int(&rows, 0, 0);
    *ret_amount = row_int(&rows, 0, 1);
    *ret_ever = row_int(&rows, 0, 2) > 0;
    return RC_OK;
}

/* A cap is for the period: what is left of it binds. */
static int64_t left_of_cap(int64_t cap, int64_t had)
{
    return cap < 0 ? -1 : max_i64(0, cap - had);
}

/* What was added up already, within its cap. */
static int64_t within(int64_t cap, int64_t amount)
{
    if (cap < 0)
        return amount;
    return amount < 0 ? max_i64(amount, -cap) : min_i64(amount, cap);
}

static enum rc settle_claim(struct claims *c, struct claim *claim)
{
    struct share *s = &claim->share;
    struct arena *arena = c->d->tx->arena;
    if (claim->rule != NULL)
        s->note = arena_fmt(arena, "%.*s, of %.*s", STRF(rule_text(claim->rule, arena)),
                            STRF(amount_str(s->base, s->currency, arena)));
    else
        s->note = s->label;
    if (claim->shared)
        return RC_OK;
    ASSERT(claim->rule != NULL); /* what follows from no agreement is shared line by line */
    struct waterfall_step step;
    int64_t base_before = 0;
    int64_t amount_before = 0;
    bool ever = false;
    TRY(rule_step(claim->rule, s->currency, &step, c->d->tx->err));
    if (step.kind == SHARE_TIERED || step.kind == SHARE_BOUNTY || step.cap >= 0)
        TRY(history(c, s, &base_before, &amount_before, &ever));
    if (step.kind == SHARE_RESIDUAL || (step.kind == SHARE_BOUNTY && ever))
        return RC_OK;
    step.base = s->base;
    step.base_before = base_before;
    step.cap = left_of_cap(step.cap, amount_before);
    step.floor = 0;
    if (counts_units(claim->rule)) {
        s->amount = within(step.cap, s->amount);
        return RC_OK;
    }
    const struct waterfall_use use = {.units = {1, 0}, .quantity = {1, 0}, .currency = s->currency};
    return waterfall_run(&step, 1, &use, &s->amount, c->d->tx->err);
}

enum rc division_run(struct division *d, const struct document_row *invoice,
                     const struct rated_line *lines, size_t count, struct share **ret,
                     size_t *ret_count)
{
    if (d->claims == NULL)
        d->claims = NEW(d->tx->arena, struct claims);
    struct claims *c = d->claims;
    c->d = d;
    c->invoice = invoice;
    c->count = 0;
    for (size_t i = 0; i < count; i++) {
        TRY(claim_production(c, &lines[i]));
        TRY(claim_margins(c, &lines[i]));
        if (lines[i].free_tier && lines[i].path->count == 1)
            continue; /* nobody paid: nobody is introduced, no author earns */
        TRY(claim_referrals(c, &lines[i]));
        TRY(claim_revshares(c, &lines[i]));
    }
    struct share *shares = NEW_N(d->tx->arena, struct share, c->count);
    for (size_t i = 0; i < c->count; i++) {
        TRY(settle_claim(c, &c->list[i]));
        shares[i] = c->list[i].share;
    }
    *ret = shares;
    *ret_count = c->count;
    return RC_OK;
}
