/* Who has a share in what: specs/billing.md 3.1 and 3.5 to 3.7. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define PPM INT64_C(1000000)
enum { NANO = 9, PRICE = 12, CLAIMS_ROOM = 256 };

/* --- what is agreed --- */

static int by_id(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    return strcmp(w->agreements[*(const int *)a].id, w->agreements[*(const int *)b].id);
}

/* In the order of their ids. */
static void sort_agreements(struct model *m)
{
    size_t count = m->w->agreement_count;
    if (m->agreement_order != NULL)
        return;
    m->agreement_order = calloc(count + 1, sizeof *m->agreement_order);
    if (m->agreement_order == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        m->agreement_order[i] = (int)i;
    qsort_r(m->agreement_order, count, sizeof *m->agreement_order, by_id, m->w);
}

/* Agreements of a kind from a party that are about the line: their numbers, how many. */
struct found {
    size_t count;
    int list[CLAIMS_ROOM];
};

static struct found find(struct model *m, enum w_agreement_kind kind, int from,
                         const struct m_line *l)
{
    struct found f = {0};
    sort_agreements(m);
    for (size_t i = 0; i < m->w->agreement_count; i++) {
        const struct w_agreement *a = &m->w->agreements[m->agreement_order[i]];
        bool item = a->scope_item == EVERYTHING || a->scope_item == m->w->plans[l->plan].item;
        if (a->kind == kind && item && (from == EVERYTHING || a->from == from))
            f.list[f.count++] = m->agreement_order[i];
    }
    return f;
}

/* Which row of an agreement's terms holds for a line: the latest in force where it begins. */
static int terms_of(const struct w_agreement *a, const struct m_line *l)
{
    int terms = 0;
    for (int i = 1; i < a->term_count; i++)
        if (a->terms[i].from <= l->from)
            terms = i;
    return terms;
}

/* --- one rule on one line --- */

static int64_t at_edge(const struct m_line *l, int k)
{
    int edge = k < 1 ? 1 : k < l->depth ? k : l->depth;
    return l->amounts[edge - 1] - (edge == l->depth ? l->discount : 0);
}

/* Of what the payer sees: what it sells the line at, and what it buys it at. A producer is on no
 * path: it sells what the operator sells. */
static int64_t base_of(const struct world *w, const struct w_rule *r, int payer,
                       const struct m_line *l)
{
    int k = 0;
    while (k < l->depth && w->edges[l->edges[k]].from != payer)
        k++;
    if (k == l->depth)
        k = 0;
    int64_t sells = at_edge(l, k + 1);
    int64_t buys = k > 0 ? at_edge(l, k) : 0;
    if (r->base == B_RETAIL && k + 1 < l->depth)
        return 0;
    if (r->base == B_LIST && k == 0)
        return l->list;
    return r->base == B_MARGIN ? sells - buys : sells;
}

/* Once for each unit of the item and period: the plan's flat charge tells the time (of what is sold
 * once the first one), no other line of the same window does. What was given back counts below 0.
 */
static int64_t timed_units(const struct model *m, const struct m_line *l)
{
    const struct w_plan *p = &m->w->plans[l->plan];
    int flat = 0;
    while (p->period != PER_ONCE && p->charges[flat].kind != C_FLAT)
        flat++;
    if (l->charge != flat)
        return 0;
    return l->quantity < 0 ? -l->units : l->units;
}

/* A rule may speak of some periods of a subscription's life alone. */
static bool in_months(const struct w_rule *r, const struct m_line *l)
{
    return l->month >= r->from_month && (r->to_month == 0 || l->month <= r->to_month);
}

static wide price(struct w_num value)
{
    return value.m * model_ten(PRICE - value.s);
}

static int64_t percent(struct w_num value, int64_t base)
{
    return (int64_t)model_round((wide)base * value.m, 100 * model_ten(value.s));
}

static int64_t fixed(const struct model *m, const struct w_rule *r, const struct m_line *l,
                     int currency)
{
    wide nano = model_round(price(r->value) * timed_units(m, l), model_ten(PRICE));
    int64_t whole = model_minor(nano, currency);
    return model_part(whole, l->until - l->begin, l->end - l->begin) -
           model_part(whole, l->from - l->begin, l->end - l->begin);
}

static int64_t per_unit(const struct w_rule *r, const struct m_line *l, int currency)
{
    return model_minor(model_round(price(r->value) * l->quantity, model_ten(PRICE)), currency);
}

/* --- claims: what one rule gathers in one invoice --- */

struct claims {
    struct model *m;
    const struct m_doc *doc;
    int number; /* of the document */
    bool takes_back;
    size_t count;
    struct m_share list[CLAIMS_ROOM];
};

static struct m_share *claim(struct claims *c, int agreement, int terms, int rule,
                             enum m_origin origin, int payee)
{
    for (size_t i = 0; i < c->count; i++) {
        struct m_share *s = &c->list[i];
        if (s->agreement == agreement && s->terms == terms && s->rule == rule &&
            s->origin == origin && s->payee == payee)
            return s;
    }
    struct m_share *s = &c->list[c->count++];
    *s = (struct m_share){.agreement = agreement,
                          .terms = terms,
                          .rule = rule,
                          .origin = origin,
                          .payee = payee,
                          .client = EVERYTHING,
                          .doc = c->number,
                          .close = c->doc->close,
                          .currency = c->doc->currency};
    if (agreement != EVERYTHING) {
        const struct w_agreement *a = &c->m->w->agreements[agreement];
        s->payer = a->from;
        s->on_invoice = a->on_invoice;
        s->maturity_days = a->maturity_days;
        s->label = w_rule_labels[a->terms[terms].rules[rule].label];
    }
    return s;
}

/* Percentages and bounties of the whole invoice; what is for units, line by line. */
static void claim_bases(struct claims *c, int agreement, enum m_origin origin,
                        const struct m_line *l)
{
    const struct w_agreement *a = &c->m->w->agreements[agreement];
    int terms = terms_of(a, l);
    for (int i = 0; i < a->terms[terms].count; i++) {
        const struct w_rule *r = &a->terms[terms].rules[i];
        if (!in_months(r, l))
            continue;
        struct m_share *s = claim(c, agreement, terms, i, origin, a->to);
        s->base += base_of(c->m->w, r, a->from, l);
        s->weight = s->base;
        if (origin == O_REFERRAL)
            s->client = l->client;
        if (r->kind == R_FIXED)
            s->amount += fixed(c->m, r, l, s->currency);
        if (r->kind == R_PER_UNIT)
            s->amount += per_unit(r, l, s->currency);
    }
}

static bool buys_on(const struct world *w, const struct m_line *l, int party)
{
    for (int k = 0; k < l->depth; k++)
        if (w->edges[l->edges[k]].to == party)
            return true;
    return false;
}

static bool sells_on(const struct world *w, const struct m_line *l, int party)
{
    for (int k = 0; k < l->depth; k++)
        if (w->edges[l->edges[k]].from == party)
            return true;
    return false;
}

static void claim_referrals(struct claims *c, const struct m_line *l)
{
    const struct world *w = c->m->w;
    struct found f = find(c->m, A_REFERRAL, EVERYTHING, l);
    for (size_t i = 0; i < f.count; i++) {
        const struct w_agreement *a = &w->agreements[f.list[i]];
        bool about = a->scope_party == EVERYTHING || a->scope_party == l->client ||
                     (a->subtree && buys_on(w, l, a->scope_party));
        if (about && sells_on(w, l, a->from))
            claim_bases(c, f.list[i], O_REFERRAL, l);
    }
}

static void claim_revshares(struct claims *c, const struct m_line *l)
{
    const struct world *w = c->m->w;
    for (int k = 0; k < l->depth; k++) {
        struct found f = find(c->m, A_REVSHARE, w->edges[l->edges[k]].from, l);
        for (size_t i = 0; i < f.count; i++) {
            const struct w_agreement *a = &w->agreements[f.list[i]];
            if (a->scope_item != EVERYTHING || model_item(c->m, l)->author == a->to)
                claim_bases(c, f.list[i], O_REVSHARE, l);
        }
    }
}

/* --- waterfalls --- */

struct fall {
    size_t count;
    struct {
        int agreement; /* EVERYTHING: the rest, by nature */
        int terms;
        int rule;
        int payee;
        enum m_origin origin;
        bool kept; /* by the operator: no debt */
        int64_t share;
    } steps[CLAIMS_ROOM];
};

static void add_rules(struct fall *f, const struct world *w, int agreement, const struct m_line *l,
                      enum m_origin origin, bool kept)
{
    const struct w_agreement *a = &w->agreements[agreement];
    int terms = terms_of(a, l);
    for (int i = 0; i < a->terms[terms].count; i++) {
        if (!in_months(&a->terms[terms].rules[i], l))
            continue;
        f->steps[f->count].agreement = agreement;
        f->steps[f->count].terms = terms;
        f->steps[f->count].rule = i;
        f->steps[f->count].payee = a->to;
        f->steps[f->count].origin = origin;
        f->steps[f->count++].kept = kept;
    }
}

static int payer_of(const struct claims *c, const struct fall *f, size_t i)
{
    return c->m->w->agreements[f->steps[i].agreement].from;
}

static int64_t minor_of(struct w_num major, int currency)
{
    return (int64_t)(major.m * model_ten(w_currencies[currency].exponent - major.s));
}

/* What is left of a cap binds in both directions. */
static int64_t within(const struct w_rule *r, int64_t had, int64_t amount, int currency)
{
    if (r->cap.m < 0)
        return amount;
    int64_t cap = minor_of(r->cap, currency);
    int64_t left = cap > had ? cap - had : 0;
    if (amount < 0)
        return amount < -left ? -left : amount;
    return amount > left ? left : amount;
}

/* What a rule left with the operator in a month. */
static struct m_kept *kept_of(struct model *m, int agreement, int rule, int month)
{
    for (size_t i = 0; i < m->kept_count; i++)
        if (m->kept[i].agreement == agreement && m->kept[i].rule == rule &&
            m->kept[i].month == month)
            return &m->kept[i];
    struct m_kept *k = WORLD_ADD(m->kept, m->kept_count);
    *k = (struct m_kept){.agreement = agreement, .rule = rule, .month = month};
    return k;
}

/* A fee that stays has its cap too. (A credit note's shares count by their weights alone.) */
static int64_t keep(struct claims *c, const struct fall *f, size_t i, const struct w_rule *r,
                    int64_t share)
{
    if (c->takes_back || (r->cap.m < 0 && r->floor == 0))
        return share;
    struct m_kept *k = kept_of(c->m, f->steps[i].agreement, f->steps[i].rule, c->doc->close);
    share = within(r, k->amount, share, c->doc->currency);
    k->amount += share;
    k->terms = f->steps[i].terms > k->terms ? f->steps[i].terms : k->terms;
    return share;
}

/* Each rule takes in its order; the one that takes the residual has what the others leave. */
static void run(struct claims *c, struct fall *f, const struct m_line *l, int64_t amount)
{
    int64_t left = amount;
    size_t claimant = f->count;
    for (size_t i = 0; i < f->count; i++) {
        int64_t share = 0;
        struct w_rule rest = {.kind = R_RESIDUAL};
        const struct w_rule *r = &rest;
        if (f->steps[i].agreement != EVERYTHING)
            r = &c->m->w->agreements[f->steps[i].agreement]
                     .terms[f->steps[i].terms]
                     .rules[f->steps[i].rule];
        if (r->kind == R_FIXED)
            share = fixed(c->m, r, l, c->doc->currency);
        else if (r->kind == R_PER_UNIT)
            share = per_unit(r, l, c->doc->currency);
        else if (r->kind == R_PERCENT)
            share = percent(r->value, r->base == B_WHOLESALE
                                          ? amount
                                          : base_of(c->m->w, r, payer_of(c, f, i), l));
        else
            claimant = i;
        if (f->steps[i].kept)
            share = keep(c, f, i, r, share);
        f->steps[i].share = share;
        left -= share;
    }
    if (claimant < f->count)
        f->steps[claimant].share = left;
}

/* What comes to a party. */
static int64_t share_out(struct claims *c, struct fall *f, int payer, const struct m_line *l,
                         int64_t amount, int party)
{
    int64_t sum = 0;
    run(c, f, l, amount);
    for (size_t i = 0; i < f->count; i++) {
        if (f->steps[i].kept)
            continue;
        struct m_share *s = claim(c, f->steps[i].agreement, f->steps[i].terms, f->steps[i].rule,
                                  f->steps[i].origin, f->steps[i].payee);
        s->lines_shared = true;
        s->payer = payer;
        s->base += amount;
        s->weight += at_edge(l, 1) + (l->free ? l->discount : 0);
        s->amount += f->steps[i].share;
        if (f->steps[i].agreement == EVERYTHING)
            s->label = "Production";
        if (l->free)
            s->label = "Marketing:FreeTier";
        if (f->steps[i].payee == party)
            sum += f->steps[i].share;
    }
    return sum;
}

static void claim_inputs(struct claims *c, int owner, const struct m_line *l, int64_t amount)
{
    struct fall f = {0};
    struct found costs = find(c->m, A_COST, owner, l);
    for (size_t i = 0; i < costs.count; i++)
        add_rules(&f, c->m->w, costs.list[i], l, O_COST, false);
    if (f.count > 0)
        (void)share_out(c, &f, owner, l, amount, EVERYTHING);
}

/* The operator owes the producer what it sells at, less fees that stay with it and its own costs.
 */
static void claim_production(struct claims *c, const struct m_line *l)
{
    const struct world *w = c->m->w;
    int64_t amount = at_edge(l, 1) + (l->free && l->depth == 1 ? l->discount : 0);
    if (l->producer == EVERYTHING) {
        claim_inputs(c, 0, l, amount);
        return;
    }
    struct fall f = {0};
    struct found fees = find(c->m, A_FEE, l->producer, l);
    struct found costs = find(c->m, A_COST, 0, l);
    for (size_t i = 0; i < fees.count; i++)
        if (w->agreements[fees.list[i]].to == 0)
            add_rules(&f, w, fees.list[i], l, O_FEE, true);
    for (size_t i = 0; i < costs.count; i++)
        if (w->agreements[costs.list[i]].to != l->producer)
            add_rules(&f, w, costs.list[i], l, O_COST, false);
    size_t before = f.count;
    for (size_t i = 0; i < costs.count; i++)
        if (w->agreements[costs.list[i]].to == l->producer)
            add_rules(&f, w, costs.list[i], l, O_PRODUCTION, false);
    if (f.count == before) {
        f.steps[f.count].agreement = EVERYTHING;
        f.steps[f.count].payee = l->producer;
        f.steps[f.count++].origin = O_PRODUCTION;
    }
    claim_inputs(c, l->producer, l, share_out(c, &f, 0, l, amount, l->producer));
}

/* COLLECT: the neutral book owes each tier what it earns. */
static void claim_margins(struct claims *c, const struct m_line *l)
{
    for (int k = 0; k < l->depth && c->doc->settle == WAY_COLLECT; k++) {
        int64_t margin = at_edge(l, k + 1) - (k > 0 ? at_edge(l, k) : 0);
        struct m_share *s = claim(c, EVERYTHING, 0, k, O_MARGIN, c->m->w->edges[l->edges[k]].from);
        s->lines_shared = s->booked = true;
        s->payer = CLEARING;
        s->label = k == 0 ? "Wholesale" : "Margin";
        s->base += margin;
        s->weight += margin;
        s->amount += margin;
    }
}

/* --- the end of an invoice --- */

/* Graduated on the base of the period so far. */
static int64_t tiered(const struct w_rule *r, int64_t base, int currency)
{
    wide sum = 0;
    int64_t from = 0;
    for (int i = 0; i < r->tier_count && base > from; i++) {
        wide end = r->tiers[i].up_to.m * model_ten(w_currencies[currency].exponent) /
                   model_ten(r->tiers[i].up_to.s);
        int64_t until = i + 1 == r->tier_count || end > base ? base : (int64_t)end;
        sum +=
            (wide)(until - from) * r->tiers[i].price.m * PPM / 100 / model_ten(r->tiers[i].price.s);
        from = until;
    }
    return (int64_t)model_round(sum, PPM);
}

static void finish(struct claims *c, struct m_share *s)
{
    const struct model *m = c->m;
    int64_t base_before = 0;
    int64_t amount_before = 0;
    bool ever = false;
    if (s->lines_shared)
        return;
    const struct w_rule *r = &m->w->agreements[s->agreement].terms[s->terms].rules[s->rule];
    s->counts = r->kind == R_TIERED && s->base != 0;
    for (size_t i = 0; i < m->share_count; i++) {
        const struct m_share *old = &m->shares[i];
        if (old->agreement != s->agreement || old->rule != s->rule)
            continue;
        ever = ever || old->client == s->client;
        base_before += old->close == s->close ? old->base : 0;
        amount_before += old->close == s->close ? old->amount : 0;
    }
    if (r->kind == R_PERCENT)
        s->amount = percent(r->value, s->base);
    if (r->kind == R_TIERED)
        s->amount =
            tiered(r, base_before + s->base, s->currency) - tiered(r, base_before, s->currency);
    if (r->kind == R_BOUNTY && !ever)
        s->amount = model_minor(model_round(price(r->value), model_ten(PRICE - NANO)), s->currency);
    s->amount = within(r, amount_before, s->amount, s->currency);
}

/* What it is of is told where it follows from that. */
static void tell_base(const struct model *m, struct m_share *s)
{
    if (s->agreement == EVERYTHING)
        return;
    enum w_rule_kind kind = m->w->agreements[s->agreement].terms[s->terms].rules[s->rule].kind;
    if (kind == R_FIXED || kind == R_PER_UNIT || kind == R_BOUNTY)
        s->base = s->amount;
}

static void run_lines(struct claims *c, const struct m_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        claim_production(c, &lines[i]);
        claim_margins(c, &lines[i]);
        if (lines[i].free && lines[i].depth == 1)
            continue;
        claim_referrals(c, &lines[i]);
        claim_revshares(c, &lines[i]);
    }
    for (size_t i = 0; i < c->count; i++) {
        finish(c, &c->list[i]);
        tell_base(c->m, &c->list[i]);
    }
}

/* --- a share's life --- */

/* Expense and what is owed some day. */
static void post_accrual(struct model *m, const struct m_share *s, int64_t amount)
{
    bool marketing = strncmp(s->label, "Marketing:", strlen("Marketing:")) == 0;
    if (!s->booked)
        model_post(m, s->payer, s->currency,
                   marketing ? s->label : model_label("Expense", s->label),
                   model_code("Commission", s->payee), amount);
}

/* The neutral book pays tiers out of what came in: of a cent that is not whole it pays nothing. */
static int64_t part_down(int64_t amount, wide part, wide whole)
{
    wide n = whole > 0 ? amount * part : -(amount * part);
    wide d = whole > 0 ? whole : -whole;
    wide q = n / d;
    return (int64_t)(n % d < 0 ? q - 1 : q);
}

static void earn(struct model *m, int share, int64_t paid, int64_t gross)
{
    struct m_share *s = &m->shares[share];
    int64_t worth = s->amount - s->voided;
    int64_t most = gross < 0 ? (paid > gross ? paid : gross) : (paid < gross ? paid : gross);
    int64_t earned = worth;
    if (!s->on_invoice && gross != 0)
        earned = s->booked ? part_down(worth, most, gross) : model_part(worth, most, gross);
    if (earned == s->earned)
        return;
    struct m_earning *e = WORLD_ADD(m->earnings, m->earning_count);
    *e = (struct m_earning){share, m->w->now, earned - s->earned};
    s->earned = earned;
}

void model_accrue(struct model *m, const struct m_share *fresh, int64_t paid, int64_t gross)
{
    if (fresh->amount == 0 && !fresh->counts)
        return;
    struct m_share *s = WORLD_ADD(m->shares, m->share_count);
    *s = *fresh;
    s->created = m->w->now;
    post_accrual(m, s, s->amount);
    earn(m, (int)m->share_count - 1, paid, gross);
}

void model_follow(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    for (size_t i = 0; i < m->share_count; i++)
        if (m->shares[i].doc == doc)
            earn(m, (int)i, d->paid + d->prepaid, d->gross - d->credited - d->written_off);
}

void model_void_waiting(struct model *m, int doc)
{
    for (size_t i = 0; i < m->share_count; i++) {
        struct m_share *s = &m->shares[i];
        int64_t waiting = s->amount - s->voided - s->earned;
        if (s->doc != doc || s->booked || s->origin == O_BAD_DEBT)
            continue;
        post_accrual(m, s, -waiting);
        s->voided += waiting;
        s->lost += waiting;
        model_lose_capital(m, (int)i, waiting);
    }
    model_follow(m, doc);
}

void model_revive(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    int64_t owed = d->gross - d->credited;
    for (size_t i = 0; i < m->share_count; i++) {
        struct m_share *s = &m->shares[i];
        int64_t whole = s->amount - s->voided + s->lost;
        if (s->doc != doc || s->lost == 0)
            continue;
        int64_t back = s->lost - (whole - model_part(whole, owed - d->written_off, owed));
        post_accrual(m, s, back);
        s->voided -= back;
        s->lost -= back;
        model_lose_capital(m, (int)i, -back);
    }
    model_follow(m, doc);
}

/* Whose lines earned and lost the same has no share, and a part of them is taken back. */
static void add_missing(struct model *m, const struct claims *c)
{
    for (size_t k = 0; k < c->count; k++) {
        struct m_share part = c->list[k];
        bool have = part.amount == 0;
        for (size_t i = 0; i < m->share_count && !have; i++)
            have = m->shares[i].doc == part.doc && m->shares[i].origin == part.origin &&
                   m->shares[i].rule == part.rule && m->shares[i].payee == part.payee &&
                   m->shares[i].agreement == part.agreement && m->shares[i].terms == part.terms;
        part.amount = part.base = part.weight = 0;
        part.created = m->w->now;
        if (!have)
            *WORLD_ADD(m->shares, m->share_count) = part;
    }
}

/* What was earned is had for good some days after it accrued. */
static int64_t taken_back(const struct model *m, const struct m_share *s, int64_t part)
{
    const struct m_doc *d = &m->docs[s->doc];
    int64_t back = model_part(s->amount, s->weight_credited, s->weight);
    if (s->weight == 0) { /* what was free, or given back as much: part by part, and no more */
        back = s->voided + part;
        if (s->amount > 0)
            back = back < 0 ? 0 : back > s->amount ? s->amount : back;
        if (s->amount < 0)
            back = back > 0 ? 0 : back < s->amount ? s->amount : back;
        if (d->credited == d->gross && d->gross != 0)
            back = s->amount;
    }
    int64_t days = s->agreement != EVERYTHING ? m->w->agreements[s->agreement].clawback_days : 0;
    bool late = days > 0 && m->w->now - s->created > days * DAY_US;
    if (late && s->amount >= 0 && back > s->amount - s->earned)
        back = s->amount - s->earned;
    return back;
}

static wide wide_part(wide amount, wide part, wide whole)
{
    return whole > 0 ? model_round(amount * part, whole) : model_round(-(amount * part), -whole);
}

/* The shares of what is taken back, as if it had been sold, say how much of each. */
void model_credit_shares(struct model *m, int doc, const struct m_taking *taken, size_t count)
{
    struct claims *c = calloc(1, sizeof *c);
    struct m_line *lines = calloc(count + 1, sizeof *lines);
    if (c == NULL || lines == NULL)
        abort();
    c->m = m;
    c->doc = &m->docs[doc];
    c->number = doc;
    c->takes_back = true;
    struct m_line *net = model_net_lines(m, doc);
    for (size_t i = 0; i < count; i++) {
        const struct m_taking *t = &taken[i];
        struct m_line *l = &lines[i];
        *l = net[t->line - c->doc->first];
        int64_t *parts[DEPTH_MAX + 2] = {&l->list, &l->discount};
        for (int k = 0; k < l->depth; k++)
            parts[k + 2] = &l->amounts[k];
        if (t->whole != 0) {
            l->units = model_part(l->units, t->before + t->net, t->whole) -
                       model_part(l->units, t->before, t->whole);
            l->quantity = wide_part(l->quantity, t->before + t->net, t->whole) -
                          wide_part(l->quantity, t->before, t->whole);
        }
        for (int k = 0; k < l->depth + 2 && t->whole != 0; k++)
            *parts[k] = model_part(*parts[k], t->before + t->net, t->whole) -
                        model_part(*parts[k], t->before, t->whole);
        l->discount = l->amounts[l->depth - 1] - t->net; /* what the client is credited */
    }
    free(net);
    run_lines(c, lines, count);
    add_missing(m, c);
    for (size_t i = 0; i < m->share_count; i++) {
        struct m_share *s = &m->shares[i];
        for (size_t k = 0; k < c->count && s->doc == doc; k++) {
            const struct m_share *part = &c->list[k];
            if (part->agreement != s->agreement || part->terms != s->terms ||
                part->rule != s->rule || part->origin != s->origin || part->payee != s->payee)
                continue;
            s->weight_credited += part->weight;
            int64_t voided = s->booked ? s->voided + part->amount : taken_back(m, s, part->amount);
            post_accrual(m, s, s->voided - voided);
            s->voided = voided;
        }
    }
    model_follow(m, doc);
    free(c);
    free(lines);
}

/* --- fees: exact until the end of a close --- */

static void add_fee(struct model *m, const struct m_fee *fee)
{
    size_t i = 0;
    while (i < m->fee_count &&
           (m->fees[i].agreement != fee->agreement || m->fees[i].terms != fee->terms ||
            m->fees[i].rule != fee->rule || m->fees[i].free != fee->free))
        i++;
    if (i == m->fee_count) {
        *WORLD_ADD(m->fees, m->fee_count) = *fee;
        m->fees[i].nano = 0;
    }
    m->fees[i].nano += fee->nano;
}

static wide fee_of(const struct model *m, const struct w_agreement *a, const struct w_rule *r,
                   const struct m_line *l, int currency)
{
    wide units = timed_units(m, l);
    wide unit = model_ten(NANO - w_currencies[currency].exponent);
    if (r->kind == R_PER_UNIT)
        return model_round(price(r->value) * l->quantity, model_ten(PRICE));
    if (r->kind == R_PERCENT)
        return model_round(base_of(m->w, r, a->from, l) * unit * r->value.m,
                           100 * model_ten(r->value.s));
    return model_round(model_round(price(r->value) * units, model_ten(PRICE)) *
                           (l->until - l->from),
                       l->end - l->begin);
}

static void fees_of(struct model *m, int debtor, const struct m_line *l, int currency)
{
    struct found f = find(m, A_FEE, debtor, l);
    for (size_t i = 0; i < f.count; i++) {
        const struct w_agreement *a = &m->w->agreements[f.list[i]];
        if (debtor == l->producer && a->to == 0) /* it shortens the producer's share */
            continue;
        int terms = terms_of(a, l);
        for (int r = 0; r < a->terms[terms].count; r++) {
            if (!in_months(&a->terms[terms].rules[r], l))
                continue;
            struct m_fee fee = {f.list[i], terms, r, l->free,
                                fee_of(m, a, &a->terms[terms].rules[r], l, currency)};
            if (fee.nano != 0)
                add_fee(m, &fee);
        }
    }
}

/* COLLECT: what credit paid never came to the neutral book; who has it has so much less. */
static void share_prepaid(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    const struct m_share s = {.agreement = EVERYTHING,
                              .origin = O_PREPAID,
                              .payer = CLEARING,
                              .payee = d->from,
                              .doc = doc,
                              .close = d->close,
                              .client = EVERYTHING,
                              .currency = d->currency,
                              .label = "Prepaid",
                              .base = -d->prepaid,
                              .amount = -d->prepaid,
                              .on_invoice = true,
                              .booked = true};
    if (d->settle == WAY_COLLECT)
        model_accrue(m, &s, 0, 0);
}

void model_share_doc(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    struct claims *c = calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    c->m = m;
    c->doc = d;
    c->number = doc;
    struct m_line *net = model_net_lines(m, doc);
    run_lines(c, net, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const struct m_line *l = &net[i];
        for (int k = 0; k < l->depth; k++)
            fees_of(m, m->w->edges[l->edges[k]].from, l, d->currency);
        if (l->producer != EVERYTHING && !sells_on(m->w, l, l->producer))
            fees_of(m, l->producer, l, d->currency);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (d->code == CODE_CREDIT) /* what is taken back waits for no money */
            c->list[i].on_invoice = true;
        model_accrue(m, &c->list[i], d->paid + d->prepaid, d->gross - d->credited);
    }
    share_prepaid(m, doc);
    free(net);
    free(c);
}

static int by_fee(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    const struct m_fee *x = a;
    const struct m_fee *y = b;
    int order = strcmp(w->agreements[x->agreement].id, w->agreements[y->agreement].id);
    if (order != 0)
        return order;
    if (x->terms != y->terms)
        return x->terms - y->terms;
    return x->rule != y->rule ? x->rule - y->rule : (int)x->free - (int)y->free;
}

/* What a rule brought in a month, and by which newest terms: shares, and what stayed. */
static struct m_kept brought(const struct model *m, int agreement, int rule, int month)
{
    struct m_kept sum = {.terms = 0};
    for (size_t i = 0; i < m->share_count; i++) {
        const struct m_share *s = &m->shares[i];
        if (s->agreement != agreement || s->rule != rule || s->close != month)
            continue;
        sum.amount += s->amount;
        sum.terms = s->terms > sum.terms ? s->terms : sum.terms;
    }
    for (size_t i = 0; i < m->kept_count; i++) {
        const struct m_kept *k = &m->kept[i];
        if (k->agreement != agreement || k->rule != rule || k->month != month)
            continue;
        sum.amount += k->amount;
        sum.terms = k->terms > sum.terms ? k->terms : sum.terms;
    }
    return sum;
}

void model_close_fees(struct model *m, int month)
{
    qsort_r(m->fees, m->fee_count, sizeof *m->fees, by_fee, m->w);
    for (size_t i = 0; i < m->fee_count; i++) {
        const struct m_fee *f = &m->fees[i];
        const struct w_agreement *a = &m->w->agreements[f->agreement];
        struct m_share s = {.agreement = f->agreement,
                            .terms = f->terms,
                            .rule = f->rule,
                            .origin = O_FEE,
                            .payer = a->from,
                            .payee = a->to,
                            .doc = EVERYTHING,
                            .close = month,
                            .client = EVERYTHING,
                            .currency = a->currency,
                            .on_invoice = true,
                            .maturity_days = a->maturity_days};
        s.label =
            f->free ? "Marketing:FreeTier" : w_rule_labels[a->terms[f->terms].rules[f->rule].label];
        s.amount = within(&a->terms[f->terms].rules[f->rule],
                          brought(m, f->agreement, f->rule, month).amount,
                          model_minor(f->nano, a->currency), a->currency);
        s.base = s.amount;
        model_accrue(m, &s, 0, 0);
    }
    m->fee_count = 0;
}

/* What brought something, and less than it should, brings the rest. */
static void raise_rule(struct model *m, int agreement, int rule, int month)
{
    const struct w_agreement *a = &m->w->agreements[agreement];
    struct m_kept had = brought(m, agreement, rule, month);
    if (had.amount <= 0 || rule >= a->terms[had.terms].count)
        return;
    const struct w_rule *r = &a->terms[had.terms].rules[rule];
    int64_t floor = minor_of((struct w_num){r->floor, 0}, a->currency);
    struct m_share s = {.agreement = agreement,
                        .terms = had.terms,
                        .rule = rule,
                        .origin = a->kind == A_REFERRAL   ? O_REFERRAL
                                  : a->kind == A_REVSHARE ? O_REVSHARE
                                                          : O_FEE,
                        .payer = a->from,
                        .payee = a->to,
                        .doc = EVERYTHING,
                        .close = month,
                        .client = EVERYTHING,
                        .currency = a->currency,
                        .label = w_rule_labels[r->label],
                        .amount = floor - had.amount,
                        .on_invoice = true,
                        .maturity_days = a->maturity_days};
    if (had.amount < floor)
        model_accrue(m, &s, 0, 0);
}

void model_close_floors(struct model *m, int month)
{
    sort_agreements(m);
    for (size_t i = 0; i < m->w->agreement_count; i++) {
        enum w_agreement_kind kind = m->w->agreements[m->agreement_order[i]].kind;
        for (int r = 0; r < RULES_MAX && kind != A_COST; r++)
            raise_rule(m, m->agreement_order[i], r, month);
    }
}

void model_settle_share(struct model *m, int share, int64_t amount)
{
    post_accrual(m, &m->shares[share], -amount);
    m->shares[share].settled += amount;
}
