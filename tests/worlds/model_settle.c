/* Statements, what they owe, and payouts: specs/billing.md 3.3 (7) and (8), 3.7. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is due --- */

/* What has waited long enough. What was taken back takes what was earned last before it; below
 * nothing it counts at once. What was settled is asked back where it is not earned any more. */
static int64_t due_of(const struct model *m, int share, int64_t until)
{
    const struct m_share *s = &m->shares[share];
    int64_t latest = until - s->maturity_days * DAY_US;
    int64_t ripe = 0;
    int64_t back = 0;
    for (size_t i = m->earning_count; i > 0; i--) {
        const struct m_earning *e = &m->earnings[i - 1];
        if (e->share != share)
            continue;
        int64_t rest = e->amount - back;
        back = rest < 0 ? -rest : 0;
        if (rest > 0 && e->at <= latest)
            ripe += rest;
    }
    ripe -= back;
    int64_t least = s->settled > 0 ? s->settled : 0;
    least = s->earned < least ? s->earned : least;
    return (ripe > least ? ripe : least) - s->settled;
}

static const char *name_of(const struct world *w, int party)
{
    return party == CLEARING ? "Clearing" : w->parties[party].id;
}

struct pair {
    int payer;
    int payee;
    int currency;
};

static int by_pair(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    const struct pair *x = a;
    const struct pair *y = b;
    int order = strcmp(name_of(w, x->payer), name_of(w, y->payer));
    if (order == 0)
        order = strcmp(name_of(w, x->payee), name_of(w, y->payee));
    return order != 0 ? order
                      : strcmp(w_currencies[x->currency].code, w_currencies[y->currency].code);
}

/* --- one statement --- */

struct part {
    int share;
    int64_t due;
};
struct line {
    const struct m_share *of;
    int64_t net;
};
struct making {
    struct model *m;
    struct pair pair;
    size_t count, line_count;
    struct part *parts;
    struct line *lines;
    int64_t total, back;
};

static bool same_line(const struct m_share *a, const struct m_share *b)
{
    return a->agreement == b->agreement && a->rule == b->rule && a->origin == b->origin &&
           a->client == b->client && strcmp(a->label, b->label) == 0;
}

/* Debts that are in the books already and those that are not have statements of their own. */
static void gather(struct making *k, int64_t until)
{
    struct model *m = k->m;
    bool booked = false;
    for (size_t i = 0; i < m->share_count; i++) {
        struct m_share *s = &m->shares[i];
        size_t at = 0;
        if (s->payer != k->pair.payer || s->payee != k->pair.payee ||
            s->currency != k->pair.currency || s->created > until)
            continue;
        int64_t due = due_of(m, (int)i, until);
        if (due == 0 || (k->count > 0 && s->booked != booked))
            continue;
        booked = s->booked;
        k->parts[k->count++] = (struct part){(int)i, due};
        while (at < k->line_count && !same_line(k->lines[at].of, s))
            at++;
        if (at == k->line_count)
            k->lines[k->line_count++] = (struct line){s, 0};
        k->lines[at].net += due;
        k->total += due;
        k->back += due < 0 ? -due : 0;
    }
}

static bool is_marketing(const char *label)
{
    return strncmp(label, "Marketing:", strlen("Marketing:")) == 0;
}

static void post_debt(struct making *k)
{
    struct model *m = k->m;
    for (size_t i = 0; i < k->line_count; i++) {
        const char *label = k->lines[i].of->label;
        bool marketing = is_marketing(label);
        model_post(m, k->pair.payer, k->pair.currency,
                   marketing ? label : model_label("Expense", label),
                   model_code("AP", k->pair.payee), k->lines[i].net);
        model_post(m, k->pair.payee, k->pair.currency, model_code("AR", k->pair.payer),
                   marketing ? "Income:Services" : model_label("Income", label), k->lines[i].net);
    }
}

static bool consents(const struct making *k)
{
    for (size_t i = 0; i < k->count; i++) {
        int agreement = k->m->shares[k->parts[i].share].agreement;
        if (agreement != EVERYTHING && k->m->w->agreements[agreement].self_billing)
            return true;
    }
    return false;
}

/* The payee's invoice, written for it. Its gross, with the sign of the total. */
static int64_t self_bill(struct making *k)
{
    struct model *m = k->m;
    int sign = k->total < 0 ? -1 : 1;
    struct m_sum *sums = calloc(k->line_count + 1, sizeof *sums);
    struct m_doc d = {.code = sign < 0 ? CODE_SELF_CREDIT : CODE_SELF_BILLED,
                      .close = EVERYTHING,
                      .edge = EVERYTHING,
                      .refers = EVERYTHING,
                      .from = k->pair.payee,
                      .to = k->pair.payer,
                      .currency = k->pair.currency,
                      .settle = WAY_DIRECT};
    size_t count = 0;
    if (sums == NULL)
        abort();
    for (size_t i = 0; i < k->line_count; i++) {
        size_t at = 0;
        const char *label = k->lines[i].of->label;
        if (is_marketing(label)) { /* what the payee sells are services */
            model_post(m, k->pair.payer, k->pair.currency, label, "Expense:Services",
                       k->lines[i].net);
            label = "Services";
        }
        while (at < count && strcmp(sums[at].label, label) != 0)
            at++;
        if (at == count)
            sums[count++] = (struct m_sum){.label = label};
        sums[at].amount += sign * k->lines[i].net;
    }
    model_total(m, &d, sums, count);
    free(sums);
    *model_doc(m) = d;
    model_post_doc(m, &d);
    return sign * d.gross;
}

static bool make_one(struct making *k, int64_t until, const char *period)
{
    struct model *m = k->m;
    gather(k, until);
    if (k->count == 0)
        return false;
    bool booked = m->shares[k->parts[0].share].booked;
    for (size_t i = 0; i < k->count; i++)
        model_settle_share(m, k->parts[i].share, k->parts[i].due);
    for (size_t i = 0; i < k->count; i++)
        model_give_back(m, k->parts[i].share, k->parts[i].due);
    struct m_statement s = {.payer = k->pair.payer,
                            .payee = k->pair.payee,
                            .currency = k->pair.currency,
                            .earned = k->total + k->back,
                            .back = k->back,
                            .payable = k->total,
                            .payout = EVERYTHING};
    for (size_t i = 0; i < k->count; i++) {
        int agreement = m->shares[k->parts[i].share].agreement;
        int64_t least = 0;
        if (agreement != EVERYTHING)
            least = (int64_t)(m->w->agreements[agreement].min_payout.m *
                              model_ten(w_currencies[s.currency].exponent));
        s.least = least > s.least ? least : s.least;
    }
    (void)snprintf(s.period, sizeof s.period, "%s", period);
    if (!booked && consents(k) && k->total != 0)
        s.payable = self_bill(k);
    else if (!booked)
        post_debt(k);
    *WORLD_ADD(m->statements, m->statement_count) = s;
    return true;
}

void model_statements(struct model *m, int payer, int64_t until, const char *period)
{
    size_t count = 0;
    struct pair *pairs = calloc(m->share_count + 1, sizeof *pairs);
    if (pairs == NULL)
        abort();
    for (size_t i = 0; i < m->share_count; i++) {
        const struct m_share *s = &m->shares[i];
        struct pair p = {s->payer, s->payee, s->currency};
        bool have = payer != EVERYTHING && payer != p.payer;
        for (size_t k = 0; k < count; k++)
            have = have || memcmp(&pairs[k], &p, sizeof p) == 0;
        if (!have)
            pairs[count++] = p;
    }
    qsort_r(pairs, count, sizeof *pairs, by_pair, m->w);
    for (size_t i = 0; i < count;) {
        struct making k = {.m = m, .pair = pairs[i]};
        k.parts = calloc(m->share_count + 1, sizeof *k.parts);
        k.lines = calloc(m->share_count + 1, sizeof *k.lines);
        if (k.parts == NULL || k.lines == NULL)
            abort();
        if (!make_one(&k, until, period))
            i++;
        free(k.parts);
        free(k.lines);
    }
    free(pairs);
}

/* --- payouts --- */

/* As many statements, the oldest first, as the neutral book has cash for. */
static int64_t fitting(struct model *m, const struct pair *p, int64_t all, int *ret_last)
{
    int64_t cash = model_cash_free(m, p->currency);
    int64_t sum = 0;
    int64_t best = 0;
    if (all <= cash)
        return all;
    for (size_t i = 0; i < m->statement_count; i++) {
        const struct m_statement *s = &m->statements[i];
        if (s->payer != p->payer || s->payee != p->payee || s->currency != p->currency ||
            s->payout != EVERYTHING)
            continue;
        sum += s->payable;
        if (sum <= 0 || sum > cash)
            continue;
        best = sum;
        *ret_last = (int)i;
    }
    return best;
}

static void pay_pair(struct model *m, int from, const struct pair *p)
{
    int64_t sum = 0;
    int64_t least = 0;
    for (size_t i = 0; i < m->statement_count; i++) {
        const struct m_statement *s = &m->statements[i];
        if (s->payer != p->payer || s->payee != p->payee || s->currency != p->currency ||
            s->payout != EVERYTHING)
            continue;
        sum += s->payable;
        least = s->least > least ? s->least : least;
    }
    if (sum <= 0 || sum < least)
        return;
    int last = (int)m->statement_count - 1;
    if (p->payer == CLEARING)
        sum = fitting(m, p, sum, &last);
    if (sum == 0)
        return;
    struct m_payout *out = WORLD_ADD(m->payouts, m->payout_count);
    *out = (struct m_payout){
        .payer = from, .book = p->payer, .payee = p->payee, .currency = p->currency, .amount = sum};
    for (int i = 0; i <= last; i++) {
        struct m_statement *s = &m->statements[i];
        if (s->payer == p->payer && s->payee == p->payee && s->currency == p->currency &&
            s->payout == EVERYTHING)
            s->payout = (int)m->payout_count - 1;
    }
}

static int by_currency(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    const struct pair *x = a;
    const struct pair *y = b;
    int order = strcmp(w_currencies[x->currency].code, w_currencies[y->currency].code);
    return order != 0 ? order : strcmp(name_of(w, x->payee), name_of(w, y->payee));
}

static void pay_book(struct model *m, int from, int book)
{
    size_t count = 0;
    struct pair *pairs = calloc(m->statement_count + 1, sizeof *pairs);
    if (pairs == NULL)
        abort();
    for (size_t i = 0; i < m->statement_count; i++) {
        const struct m_statement *s = &m->statements[i];
        struct pair p = {s->payer, s->payee, s->currency};
        bool have = s->payer != book || s->payout != EVERYTHING;
        for (size_t k = 0; k < count; k++)
            have = have || memcmp(&pairs[k], &p, sizeof p) == 0;
        if (!have)
            pairs[count++] = p;
    }
    qsort_r(pairs, count, sizeof *pairs, by_currency, m->w);
    for (size_t i = 0; i < count; i++)
        if (pairs[i].payee != 0)
            pay_pair(m, from, &pairs[i]);
    for (size_t i = 0; i < count; i++) /* the operator comes last */
        if (pairs[i].payee == 0)
            pay_pair(m, from, &pairs[i]);
    free(pairs);
}

void model_settlement(struct model *m, int party, const char *period)
{
    int64_t until = m->w->now;
    model_statements(m, party, until, period);
    pay_book(m, party, party);
    if (party != 0)
        return;
    model_fund_back(m);
    model_statements(m, CLEARING, until, period);
    pay_book(m, party, CLEARING);
    model_net(m);
}

static void post_payout(struct model *m, const struct m_payout *o, int64_t amount)
{
    model_post(m, o->book, o->currency, model_code("AP", o->payee), "Bank", amount);
    model_post(m, o->payee, o->currency, "Bank", model_code("AR", o->book), amount);
}

void model_release(struct model *m, int payout)
{
    m->payouts[payout].state = P_SENT;
    post_payout(m, &m->payouts[payout], m->payouts[payout].amount);
}

void model_confirm(struct model *m, int payout, bool returned)
{
    struct m_payout *o = &m->payouts[payout];
    o->state = returned ? P_RETURNED : P_CONFIRMED;
    if (!returned)
        return;
    post_payout(m, o, -o->amount);
    for (size_t i = 0; i < m->statement_count; i++)
        if (m->statements[i].payout == payout)
            m->statements[i].payout = EVERYTHING;
}
