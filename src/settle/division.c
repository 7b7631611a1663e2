#include "settle/division.h"

#include "base/map.h"
#include "money/amount.h"
#include "money/round.h"
#include "settle/fee.h"
#include "settle/rule_step.h"

enum {
    FOUND_MAX = 4096,
    FEW_MAX = 64,      /* instants */
    CLAIMS_FIRST = 64, /* so many are looked through one by one, more by their keys */
    CLAIM_KEY_MAX = 200,
    MAP_SEED = 2,
    INSTANT_TEXT_MAX = 400,
    INSTANTS_MAX = 200,
    AGREEMENT_KINDS = AGREEMENT_REVSHARE + 1
};

/* Agreements of a kind from a party, as of an instant. */
struct found {
    enum agreement_kind kind;
    struct str from;
    time_us at;
    struct list agreements; /* struct agreement */
};
struct found_path {
    int64_t path; /* 0: while lines are rated; then the same path is the same object */
    const struct supply_path *of;
    time_us at;
    struct list agreements;
};
/* All referrals of an instant, where they are few. */
struct found_few {
    time_us at;
    bool few;
    struct list all;
};
struct division {
    struct tx *tx;
    struct claims *claims; /* of the invoice in hand; the room of the one before is taken again */
    struct claims *trial;  /* of a line that is only looked at */
    time_us at;            /* the line in hand is shared by what was agreed then */
    bool known;            /* what follows was asked */
    bool has[AGREEMENT_KINDS]; /* agreements of a kind */
    bool mixed;                /* agreements count in several currencies */
    struct map instants;       /* by what decides them: struct instant */
    struct kept *kept;         /* few: bounded fees of producers */
    size_t count;
    size_t few_count;
    size_t path_count;
    size_t item_count;
    struct found found[FOUND_MAX];
    struct found_few few[FEW_MAX];
    struct found_path paths[FOUND_MAX];
    struct item items[FOUND_MAX];
};

struct instant {
    time_us at;
};

/* What a bounded rule left with the operator in a close so far: kept by division_keep. */
struct kept {
    int64_t close_no;
    struct str agreement;
    int64_t rule;
    int64_t terms; /* the newest */
    int64_t amount;
    bool changed;
    struct kept *next;
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
    size_t room;
    struct claim **list; /* kept for the next invoice, with the claims that were made */
    struct map by_key;   /* of all, where they are more than CLAIMS_FIRST */
};

static const uint64_t map_seed[MAP_SEED] = {11, 12}; /* keys are our own ids */

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

static enum rc few_referrals(struct division *d, time_us at, struct found_few *ret)
{
    for (size_t i = 0; i < d->few_count; i++)
        if (d->few[i].at == at) {
            *ret = d->few[i];
            return RC_OK;
        }
    *ret = (struct found_few){.at = at};
    if (d->few_count == FEW_MAX) /* asked for path by path: slower, not wrong */
        return RC_OK;
    TRY(supply_referrals_few(d->tx, at, &ret->all, &ret->few));
    d->few[d->few_count++] = *ret;
    return RC_OK;
}

enum rc division_referrals(struct division *d, const struct rated_line *line, time_us at,
                           struct list *ret)
{
    struct found_few few;
    TRY(few_referrals(d, at, &few));
    *ret = (struct list){0};
    if (few.few && few.all.count == 0)
        return RC_OK;
    for (size_t i = 0; i < d->path_count; i++)
        if (d->paths[i].path == line->path_number && d->paths[i].at == at &&
            (line->path_number > 0 || d->paths[i].of == line->path)) {
            *ret = d->paths[i].agreements;
            return RC_OK;
        }
    if (few.few)
        *ret = supply_referrals_among(&few.all, line->path, d->tx->arena);
    else
        TRY(supply_referrals(d->tx, line->path, at, ret));
    if (d->path_count < FOUND_MAX)
        d->paths[d->path_count++] = (struct found_path){line->path_number, line->path, at, *ret};
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

/* What is about no item is about those that its author wrote. */
static bool of_author(const struct agreement *a, const struct item *item)
{
    const struct scope *s = &a->terms.scope;
    return a->kind != AGREEMENT_REVSHARE || s->item.n > 0 || s->category.n > 0 ||
           str_eq(item->author, a->to);
}

static bool in_scope(const struct agreement *a, const struct rated_line *line,
                     const struct item *item)
{
    const struct scope *s = &a->terms.scope;
    return !narrows(s->item, line->item) && !narrows(s->category, item->category) &&
           !narrows(s->asset, line->asset);
}

/* An agreement is about what is sold in its currency. Percentages are of any, unless the two
 * parties agreed on the same in the line's own; what says an amount is of no other. Fees are added
 * up over a whole close, in one currency. */
static enum rc speaks_of(struct division *d, const struct list *all, const struct agreement *a,
                         const struct rated_line *line, const struct item *item, bool *ret)
{
    const struct agreement *others = all->items;
    struct str currency = line->path->currency;
    *ret = str_eq(a->terms.currency, currency);
    if (*ret)
        return RC_OK;
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(others[i].to, a->to) && str_eq(others[i].from, a->from) &&
            str_eq(others[i].terms.currency, currency) && in_scope(&others[i], line, item))
            return RC_OK;
    if (a->kind == AGREEMENT_FEE || terms_have_amount(&a->terms))
        return err_set(d->tx->err, RC_INVALID,
                       "agreement '%.*s' counts in %.*s, and '%.*s' is sold in %.*s: agree on that "
                       "as well, or say what the agreement is about",
                       STRF(a->id), STRF(a->terms.currency), STRF(line->item), STRF(currency));
    *ret = true;
    return RC_OK;
}

/* Whether one of those agreements is about the line. */
static enum rc covers(struct division *d, const struct list *all, const struct agreement *a,
                      const struct rated_line *line, const struct item *item, bool *ret)
{
    *ret = of_author(a, item) && in_scope(a, line, item);
    return *ret ? speaks_of(d, all, a, line, item, ret) : RC_OK;
}

enum rc division_covers(struct division *d, const struct list *all, const struct agreement *a,
                        const struct rated_line *line, bool *ret)
{
    const struct item *item = NULL;
    TRY(find_item(d, line->item, &item));
    return covers(d, all, a, line, item, ret);
}

bool division_has(const struct division *d, enum agreement_kind kind)
{
    ASSERT(d->known);
    return d->has[kind];
}

struct tx *division_tx(const struct division *d)
{
    return d->tx;
}

bool division_in_months(const struct rule *r, const struct rated_line *line)
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

/* The edge of the path at which a party sells; a producer, who is not on it, sells to the operator
 * what that sells at the first. */
static int64_t edge_of(const struct rated_line *line, struct str seller)
{
    for (size_t k = 0; k < line->path->count; k++)
        if (str_eq(line->path->edges[k].seller, seller))
            return (int64_t)k + 1;
    return 1;
}

int64_t division_base(const struct rule *rule, struct str payer, const struct rated_line *line)
{
    int64_t edge = edge_of(line, payer);
    int64_t sale = at_edge(line, edge);
    switch ((enum rule_base)rule->base) {
    case BASE_WHOLESALE:
    case BASE_CASH: /* what came in follows from the invoice: shares are earned with its cash */
        return sale;
    case BASE_RETAIL:
        return edge == (int64_t)line->path->count ? sale : 0;
    case BASE_LIST:
        return edge == 1 ? line->list_amount : sale;
    case BASE_MARGIN:
        return edge == 1 ? sale : sale - at_edge(line, edge - 1);
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

bool division_counts_units(const struct rule *rule)
{
    return rule->kind == RULE_FIXED || rule->kind == RULE_PER_UNIT;
}

enum rc division_for_units(struct division *d, const struct rule *rule,
                           const struct rated_line *line, int64_t *ret)
{
    struct waterfall_step step;
    const struct currency *currency = currency_find(line->path->currency);
    TRY(rule_step(rule, currency, &step, d->tx->err));
    step.cap = -1;
    step.floor = 0;
    const struct waterfall_use use = use_of(line, 0, currency);
    return waterfall_run(&step, 1, &use, ret, d->tx->err);
}

/* --- claims --- */

/* Shares of one rule in one invoice are one share. */
struct claim_key {
    enum share_origin origin;
    size_t rule;
    struct str payee;
    int64_t terms;
    struct str agreement;
};

static struct str claim_key_text(const struct claim_key *k, char text[CLAIM_KEY_MAX])
{
    int n = snprintf(text, CLAIM_KEY_MAX, "%d %zu %lld %.*s %.*s", (int)k->origin, k->rule,
                     (long long)k->terms, STRF(k->agreement), STRF(k->payee));
    ASSERT(n > 0 && n < CLAIM_KEY_MAX); /* ids and numbers of ours */
    return str_n(text, (size_t)n);
}

static struct claim *claim_find(const struct claims *c, const struct claim_key *k)
{
    char text[CLAIM_KEY_MAX];
    if (c->count > CLAIMS_FIRST)
        return map_get(&c->by_key, claim_key_text(k, text));
    for (size_t i = 0; i < c->count; i++) {
        const struct share *s = &c->list[i]->share;
        if (s->origin == k->origin && s->rule == (int64_t)k->rule && s->terms == k->terms &&
            str_eq(s->payee, k->payee) && str_eq(s->agreement, k->agreement))
            return c->list[i];
    }
    return NULL;
}

static void claim_put(struct claims *c, struct claim *claim)
{
    char text[CLAIM_KEY_MAX];
    const struct share *s = &claim->share;
    const struct claim_key key = {s->origin, (size_t)s->rule, s->payee, s->terms, s->agreement};
    void *before =
        map_put(&c->by_key, arena_str(c->d->tx->arena, claim_key_text(&key, text)), claim);
    ASSERT(before == NULL);
}

/* From the first one that is too many on, all are found by their keys. */
static void claim_index(struct claims *c)
{
    size_t from = c->count - 1;
    if (from < CLAIMS_FIRST)
        return;
    if (from == CLAIMS_FIRST) {
        map_init(&c->by_key, c->d->tx->arena, map_seed);
        from = 0;
    }
    for (size_t i = from; i < c->count; i++)
        claim_put(c, c->list[i]);
}

/* One more; where an invoice before had as many, its room. */
static enum rc claim_next(struct claims *c, struct claim **ret)
{
    struct arena *arena = c->d->tx->arena;
    if (c->count == SHARES_OF_DOCUMENT_MAX)
        return err_set(c->d->tx->err, RC_TOO_LARGE, "one invoice gives more than %d shares",
                       SHARES_OF_DOCUMENT_MAX);
    if (c->count == c->room) {
        size_t room = c->room == 0 ? CLAIMS_FIRST : c->room * 2;
        struct claim **list = NEW_N(arena, struct claim *, room);
        for (size_t i = 0; i < c->room; i++)
            list[i] = c->list[i];
        c->list = list;
        c->room = room;
    }
    if (c->list[c->count] == NULL)
        c->list[c->count] = NEW(arena, struct claim);
    *ret = c->list[c->count++];
    return RC_OK;
}

static enum rc claim_of(struct claims *c, const struct agreement *a, size_t rule,
                        enum share_origin origin, const struct rated_line *line, struct str payee,
                        struct claim **ret)
{
    const struct claim_key key = {origin, rule, payee, a != NULL ? a->terms.number : 0,
                                  a != NULL ? a->id : STR("")};
    struct claim *claim = claim_find(c, &key);
    *ret = claim;
    if (claim != NULL) {
        struct share *s = &claim->share;
        if (!str_eq(s->subscription, line->subscription))
            s->subscription = STR("");
        if (!str_eq(s->item, line->item))
            s->item = STR("");
        return RC_OK;
    }
    TRY(claim_next(c, &claim));
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
    claim_index(c);
    *ret = claim;
    return RC_OK;
}

/* What a claim has gathered, with one more part of it. */
struct part {
    int64_t base;
    int64_t weight;
    int64_t amount;
};
static enum rc claim_add(struct claims *c, struct share *s, const struct part *part)
{
    struct err *err = c->d->tx->err;
    TRY(amount_add(s->base, part->base, &s->base, err));
    TRY(amount_add(s->weight, part->weight, &s->weight, err));
    return amount_add(s->amount, part->amount, &s->amount, err);
}

/* A percentage, a bounty: computed once, when the base of the whole invoice is there. What is for
 * units: line by line. */
static enum rc claim_bases(struct claims *c, const struct agreement *a, enum share_origin origin,
                           const struct rated_line *line)
{
    const struct rule *rules = a->terms.rules.items;
    for (size_t i = 0; i < a->terms.rules.count; i++) {
        struct claim *claim = NULL;
        if (!division_in_months(&rules[i], line))
            continue;
        TRY(claim_of(c, a, i, origin, line, a->to, &claim));
        struct part part = {.base = division_base(&rules[i], a->from, line)};
        part.weight = part.base;
        if (division_counts_units(&rules[i]))
            TRY(division_for_units(c->d, &rules[i], line, &part.amount));
        TRY(claim_add(c, &claim->share, &part));
        if (origin == SHARE_OF_REFERRAL)
            claim->share.client = line->client;
    }
    return RC_OK;
}

static enum rc claim_referrals(struct claims *c, const struct rated_line *line)
{
    struct list list;
    const struct item *item = NULL;
    TRY(division_referrals(c->d, line, c->d->at, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t i = 0; i < list.count; i++) {
        bool meant = false;
        TRY(covers(c->d, &list, &a[i], line, item, &meant));
        if (meant)
            TRY(claim_bases(c, &a[i], SHARE_OF_REFERRAL, line));
    }
    return RC_OK;
}

static enum rc claim_revshares(struct claims *c, const struct rated_line *line)
{
    for (size_t k = 0; k < line->path->count; k++) {
        struct list list;
        const struct item *item = NULL;
        TRY(division_agreements(c->d, AGREEMENT_REVSHARE, line->path->edges[k].seller, c->d->at,
                                &list));
        const struct agreement *a = list.items;
        if (list.count > 0)
            TRY(find_item(c->d, line->item, &item));
        for (size_t i = 0; i < list.count; i++) {
            bool meant = false;
            TRY(covers(c->d, &list, &a[i], line, item, &meant));
            if (meant)
                TRY(claim_bases(c, &a[i], SHARE_OF_REVSHARE, line));
        }
    }
    return RC_OK;
}

/* --- waterfalls --- */

struct fall_step {
    const struct agreement *agreement; /* NULL: the producer's by nature */
    size_t rule;
    struct str payee;
    enum share_origin origin;
    bool stays;        /* with the operator: no debt */
    struct kept *kept; /* where what stays is bounded in a period */
};
struct fall {
    size_t count;
    struct str residual; /* the agreement that takes what the others leave */
    struct waterfall_step steps[WATERFALL_STEPS_MAX];
    struct fall_step who[WATERFALL_STEPS_MAX];
};

/* Its steps are large, and nobody looks at one that was not added. */
static void begin_fall(struct fall *f)
{
    f->count = 0;
    f->residual = STR("");
}

/* Of one thing one rule takes what the others leave. */
static enum rc one_residual(const struct claims *c, const struct fall *f, struct str wanted,
                            const struct rated_line *line)
{
    if (f->residual.n == 0)
        return RC_OK;
    if (wanted.n > 0)
        return err_set(c->d->tx->err, RC_INVALID,
                       "agreements '%.*s' and '%.*s' both take what is left of '%.*s'",
                       STRF(f->residual), STRF(wanted), STRF(line->item));
    return err_set(c->d->tx->err, RC_INVALID,
                   "agreement '%.*s' takes what is left of '%.*s', and so does its producer, with "
                   "whom no cost is agreed",
                   STRF(f->residual), STRF(line->item));
}

static enum rc add_rule(struct claims *c, struct fall *f, const struct agreement *a, size_t i,
                        const struct rated_line *line, int64_t amount, enum share_origin origin)
{
    const struct rule *rule = &((const struct rule *)a->terms.rules.items)[i];
    if (!division_in_months(rule, line))
        return RC_OK;
    if (f->count == WATERFALL_STEPS_MAX)
        return err_set(c->d->tx->err, RC_TOO_LARGE, "more than %d rules share one line",
                       WATERFALL_STEPS_MAX);
    struct waterfall_step *s = &f->steps[f->count];
    TRY(rule_step(rule, c->invoice->currency, s, c->d->tx->err));
    if (s->kind == SHARE_RESIDUAL) {
        TRY(one_residual(c, f, a->id, line));
        f->residual = a->id;
    }
    s->base = rule->base == BASE_WHOLESALE ? amount : division_base(rule, a->from, line);
    s->cap = -1; /* for a period: a cost has neither, a fee that stays in bound_kept and floor.c */
    s->floor = 0;
    f->who[f->count++] = (struct fall_step){a, i, a->to, origin, false, NULL};
    return RC_OK;
}

/* The owner's COST agreements. to: only those to this party (empty: all others than `but`). */
static enum rc add_costs(struct claims *c, struct fall *f, struct str owner, struct str to,
                         struct str but, const struct rated_line *line, int64_t amount)
{
    struct list list;
    const struct item *item = NULL;
    TRY(division_agreements(c->d, AGREEMENT_COST, owner, c->d->at, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t k = 0; k < list.count; k++) {
        bool wanted = to.n > 0 ? str_eq(a[k].to, to) : !str_eq(a[k].to, but);
        if (wanted)
            TRY(covers(c->d, &list, &a[k], line, item, &wanted));
        if (!wanted)
            continue;
        for (size_t i = 0; i < a[k].terms.rules.count; i++)
            TRY(add_rule(c, f, &a[k], i, line, amount,
                         to.n > 0 ? SHARE_OF_PRODUCTION : SHARE_OF_COST));
    }
    return RC_OK;
}

/* --- fees that stay --- */

static enum rc find_kept(struct division *d, int64_t close_no, const struct agreement *a,
                         int64_t rule, struct kept **ret)
{
    struct rows rows;
    struct kept *k = d->kept;
    while (k != NULL &&
           !(k->close_no == close_no && k->rule == rule && str_eq(k->agreement, a->id)))
        k = k->next;
    if (k == NULL) {
        TRY(sql_rows(d->tx, &rows,
                     "SELECT amount, terms FROM fee_kept WHERE close_no = $1 AND agreement = $2 "
                     "AND rule = $3",
                     V(close_no), V(a->id), V(rule)));
        k = NEW(d->tx->arena, struct kept);
        *k = (struct kept){.close_no = close_no, .agreement = a->id, .rule = rule, .next = d->kept};
        if (rows.count > 0) {
            k->amount = row_int(&rows, 0, 0);
            k->terms = row_int(&rows, 0, 1);
        }
        d->kept = k;
    }
    k->terms = max_i64(k->terms, a->terms.number);
    *ret = k;
    return RC_OK;
}

/* The cap is for a close: what is left of it binds. Lines that are only looked at are of none. */
static enum rc bound_kept(struct claims *c, const struct agreement *a, struct fall *f)
{
    int64_t cap = -1;
    struct fall_step *who = &f->who[f->count - 1];
    const struct rule *rule = &((const struct rule *)a->terms.rules.items)[who->rule];
    if (c->invoice->close_no == 0 || (rule->cap.n == 0 && rule->floor.n == 0))
        return RC_OK;
    if (rule->cap.n > 0)
        TRY(amount_parse(rule->cap, c->invoice->currency, &cap, c->d->tx->err));
    TRY(find_kept(c->d, c->invoice->close_no, a, (int64_t)who->rule, &who->kept));
    f->steps[f->count - 1].cap = rule_cap_left(cap, who->kept->amount);
    return RC_OK;
}

enum rc division_keep(struct division *d)
{
    for (struct kept *k = d->kept; k != NULL; k = k->next) {
        if (!k->changed)
            continue;
        TRY(sql_run(d->tx,
                    "INSERT INTO fee_kept (close_no, agreement, rule, terms, amount) VALUES ($1, "
                    "$2, $3, $4, $5) ON CONFLICT (close_no, agreement, rule) DO UPDATE SET "
                    "terms = excluded.terms, amount = excluded.amount",
                    V(k->close_no), V(k->agreement), V(k->rule), V(k->terms), V(k->amount)));
        k->changed = false;
    }
    return RC_OK;
}

/* Fees that the producer leaves with the operator: they shorten the residual, and are no debt. */
static enum rc add_kept_fees(struct claims *c, struct fall *f, const struct rated_line *line,
                             struct str operator_id, int64_t amount)
{
    struct list list;
    const struct item *item = NULL;
    TRY(division_agreements(c->d, AGREEMENT_FEE, line->producer, c->d->at, &list));
    const struct agreement *a = list.items;
    if (list.count > 0)
        TRY(find_item(c->d, line->item, &item));
    for (size_t k = 0; k < list.count; k++) {
        bool wanted = str_eq(a[k].to, operator_id);
        if (wanted)
            TRY(covers(c->d, &list, &a[k], line, item, &wanted));
        if (!wanted)
            continue;
        for (size_t i = 0; i < a[k].terms.rules.count; i++) {
            size_t before = f->count;
            TRY(add_rule(c, f, &a[k], i, line, amount, SHARE_OF_FEE));
            if (f->count == before)
                continue;
            f->who[before].stays = true;
            TRY(bound_kept(c, &a[k], f));
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
        if (who->kept != NULL) {
            TRY(amount_add(who->kept->amount, shares[i], &who->kept->amount, c->d->tx->err));
            who->kept->changed = true;
        }
        if (who->stays)
            continue;
        TRY(claim_of(c, who->agreement, who->rule, who->origin, line, who->payee, &claim));
        claim->shared = true;
        claim->share.payer = payer;
        struct part part = {amount, at_edge(line, 1), shares[i]};
        part.weight += line->free_tier ? line->discount : 0;
        TRY(claim_add(c, &claim->share, &part));
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
    struct fall f;
    begin_fall(&f);
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
    struct fall f;
    begin_fall(&f);
    int64_t produced = 0;
    TRY(add_kept_fees(c, &f, line, operator_id, amount));
    TRY(add_costs(c, &f, operator_id, STR(""), line->producer, line, amount));
    size_t before = f.count;
    TRY(add_costs(c, &f, operator_id, line->producer, STR(""), line, amount));
    if (f.count == before) { /* nothing said: the rest is the producer's */
        TRY(one_residual(c, &f, STR(""), line));
        f.steps[f.count] = (struct waterfall_step){.kind = SHARE_RESIDUAL, .cap = -1};
        f.who[f.count++] =
            (struct fall_step){NULL, 0, line->producer, SHARE_OF_PRODUCTION, false, NULL};
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
        TRY(claim_add(c, &claim->share, &(struct part){margin, margin, margin}));
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

/* A payee is told what its share is of where it follows from that, and of no price else. */
static bool of_base(const struct rule *rule)
{
    return rule->kind == RULE_PERCENT || rule->kind == RULE_TIERED || rule->kind == RULE_RESIDUAL;
}

static enum rc settle_claim(struct claims *c, struct claim *claim)
{
    struct share *s = &claim->share;
    struct arena *arena = c->d->tx->arena;
    if (claim->rule != NULL && !of_base(claim->rule))
        s->note = rule_text(claim->rule, arena);
    else if (claim->rule != NULL)
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
    s->counts = step.kind == SHARE_TIERED && s->base != 0;
    if (step.kind == SHARE_TIERED || step.kind == SHARE_BOUNTY || step.cap >= 0)
        TRY(history(c, s, &base_before, &amount_before, &ever));
    if (step.kind == SHARE_RESIDUAL || (step.kind == SHARE_BOUNTY && ever))
        return RC_OK;
    step.base = s->base;
    step.base_before = base_before;
    step.cap = rule_cap_left(step.cap, amount_before);
    step.floor = 0;
    if (division_counts_units(claim->rule)) {
        s->amount = rule_within(step.cap, s->amount);
        return RC_OK;
    }
    const struct waterfall_use use = {.units = {1, 0}, .quantity = {1, 0}, .currency = s->currency};
    return waterfall_run(&step, 1, &use, &s->amount, c->d->tx->err);
}

/* --- as of when --- */

static enum rc learn(struct division *d)
{
    struct rows rows;
    if (d->known)
        return RC_OK;
    TRY(sql_rows(d->tx, &rows,
                 "SELECT (SELECT MIN(currency) FROM agreement_terms), (SELECT MAX(currency) FROM "
                 "agreement_terms)"));
    d->mixed = !str_eq(row_str(&rows, 0, 0), row_str(&rows, 0, 1));
    for (int kind = 0; kind < AGREEMENT_KINDS; kind++) {
        TRY(sql_rows(d->tx, &rows, "SELECT id FROM agreement WHERE kind = $1 ORDER BY id LIMIT 1",
                     V(agreement_kinds[kind])));
        d->has[kind] = rows.count > 0;
    }
    map_init(&d->instants, d->tx->arena, map_seed);
    d->known = true;
    return RC_OK;
}

/* The waterfalls of one line, and with several currencies all else that is agreed about it, by
 * what was agreed at an instant. Without its units: the answer is kept for others like it, however
 * many they have (fit.h looks at those). */
static enum rc try_line(struct division *d, const struct rated_line *of, time_us at)
{
    struct rated_line without = *of;
    const struct rated_line *line = &without;
    without.units.mantissa = 0;
    without.quantity.mantissa = 0;
    const struct document_row none = {.currency = currency_find(line->path->currency)};
    if (d->trial == NULL)
        d->trial = NEW(d->tx->arena, struct claims);
    struct claims *c = d->trial;
    c->d = d;
    c->invoice = &none;
    c->count = 0;
    d->at = at;
    TRY(claim_production(c, line));
    if (!d->mixed)
        return RC_OK;
    TRY(claim_referrals(c, line));
    TRY(claim_revshares(c, line));
    return fee_try(d, line, at);
}

static bool cannot_share(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_TOO_LARGE;
}

/* What was agreed cannot be changed for the past. So where that cannot be computed with, the first
 * agreements behind it that can be have the line: those by which the parties put it right. They are
 * the same whenever one asks, as nothing is ever agreed for the past. */
static enum rc later(struct division *d, const struct rated_line *line, time_us *ret)
{
    struct rows rows;
    struct err first = *d->tx->err;
    TRY(sql_rows(d->tx, &rows,
                 "SELECT u.at FROM (SELECT valid_from AS at FROM agreement_terms WHERE signed_at "
                 "IS NOT NULL UNION SELECT ended FROM agreement WHERE ended IS NOT NULL) u WHERE "
                 "u.at > $1 AND u.at <= $2 ORDER BY u.at LIMIT $3",
                 V(line->window.from), V(d->tx->now), V((int64_t)INSTANTS_MAX)));
    for (size_t i = 0; i < rows.count; i++) {
        err_clear(d->tx->err);
        *ret = row_int(&rows, i, 0);
        enum rc rc = try_line(d, line, *ret);
        if (rc == RC_OK || !cannot_share(rc))
            return rc;
    }
    *d->tx->err = first;
    return first.rc;
}

static enum rc find_instant(struct division *d, const struct rated_line *line, time_us *ret)
{
    *ret = line->window.from;
    enum rc rc = try_line(d, line, *ret);
    return cannot_share(rc) ? later(d, line, ret) : rc;
}

/* With one currency it follows from these alone; with several from the path, too. */
static size_t instant_key(const struct division *d, const struct rated_line *line,
                          char text[INSTANT_TEXT_MAX])
{
    const void *path = d->mixed && line->path_number == 0 ? line->path : NULL;
    int n = snprintf(text, INSTANT_TEXT_MAX, "%lld %lld %p %.*s %.*s %.*s %.*s",
                     (long long)line->window.from, d->mixed ? (long long)line->path_number : 0LL,
                     path, STRF(line->path->edges[0].seller), STRF(line->producer),
                     STRF(line->item), STRF(line->asset));
    ASSERT(n > 0);
    return (size_t)n;
}

enum rc division_at(struct division *d, const struct rated_line *line, time_us *ret)
{
    char text[INSTANT_TEXT_MAX];
    TRY(learn(d));
    *ret = line->window.from;
    if (!d->has[AGREEMENT_COST] && !d->mixed)
        return RC_OK;
    size_t n = instant_key(d, line, text);
    if (n >= sizeof text)
        return find_instant(d, line, ret);
    struct str key = str_n(text, n);
    struct instant *known = map_get(&d->instants, key);
    if (known == NULL) {
        struct instant found = {0};
        TRY(find_instant(d, line, &found.at));
        known = NEW(d->tx->arena, struct instant);
        *known = found;
        (void)map_put(&d->instants, arena_str(d->tx->arena, key), known); /* was not there */
    }
    *ret = known->at;
    return RC_OK;
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
        time_us at = 0;
        TRY(division_at(d, &lines[i], &at));
        d->at = at;
        TRY(claim_production(c, &lines[i]));
        TRY(claim_margins(c, &lines[i]));
        if (lines[i].free_tier && lines[i].path->count == 1)
            continue; /* nobody paid: nobody is introduced, no author earns */
        TRY(claim_referrals(c, &lines[i]));
        TRY(claim_revshares(c, &lines[i]));
    }
    struct share *shares = NEW_N(d->tx->arena, struct share, c->count);
    for (size_t i = 0; i < c->count; i++) {
        const struct rule *rule = c->list[i]->rule;
        TRY(settle_claim(c, c->list[i]));
        shares[i] = c->list[i]->share;
        if (rule != NULL && !of_base(rule))
            shares[i].base = shares[i].amount;
    }
    *ret = shares;
    *ret_count = c->count;
    return RC_OK;
}
