/* CHAIN: what the platform collected for a seller pays what that seller owes up the path, and the
 * rest is paid out to it: specs/billing.md 3.4 and 3.7. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool model_collected(const struct model *m, const struct m_doc *d)
{
    if (d->settle == WAY_COLLECT)
        return true;
    return d->settle == WAY_CHAIN && d->edge != EVERYTHING &&
           m->w->edges[d->edge].upstream != EVERYTHING;
}

/* What COLLECT owes a party there: it waits for cash, for its statement, or for its payout. */
static int64_t collect_part(const struct model *m, int party, int currency)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->share_count; i++) {
        const struct m_share *s = &m->shares[i];
        if (s->payer == CLEARING && s->payee == party && s->currency == currency)
            sum += s->amount - s->voided - s->settled;
    }
    for (size_t i = 0; i < m->statement_count; i++) {
        const struct m_statement *s = &m->statements[i];
        if (s->payer == CLEARING && s->payee == party && s->currency == currency &&
            s->payout == EVERYTHING)
            sum += s->payable;
    }
    return sum > 0 ? sum : 0;
}

/* What a party has in the neutral book for itself, without what is on its way out. */
static int64_t free_of(struct model *m, int party, int currency)
{
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "Clearing %s AP:#%d", w_currencies[currency].code, party);
    const struct m_balance *b = model_balance(m, key);
    int64_t left = (b != NULL ? -b->amount : 0) - collect_part(m, party, currency);
    for (size_t i = 0; i < m->payout_count; i++) {
        const struct m_payout *o = &m->payouts[i];
        if (o->book == CLEARING && o->payee == party && o->currency == currency &&
            o->state == P_PENDING)
            left -= o->amount;
    }
    return left;
}

static int64_t owed_on(struct model *m, const char *code, int currency)
{
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "Clearing %s %s", w_currencies[currency].code, code);
    const struct m_balance *b = model_balance(m, key);
    return b != NULL ? b->amount : 0;
}

int64_t model_cash(struct model *m, int currency)
{
    return owed_on(m, "Bank", currency) + owed_on(m, "Suspense", currency);
}

int64_t model_cash_free(struct model *m, int currency)
{
    int64_t left = model_cash(m, currency);
    for (size_t i = 0; i < m->payout_count; i++) {
        const struct m_payout *o = &m->payouts[i];
        if (o->book == CLEARING && o->currency == currency && o->state == P_PENDING)
            left -= o->amount;
    }
    return left;
}

/* The oldest due invoice of the path that a party has to pay, or EVERYTHING. */
static int next_debt(const struct model *m, int party, int currency)
{
    int best = EVERYTHING;
    for (size_t i = 0; i < m->doc_count; i++) {
        const struct m_doc *d = &m->docs[i];
        bool fits = d->to == party && d->currency == currency && d->code == CODE_INVOICE &&
                    d->settle == WAY_CHAIN && d->edge != EVERYTHING && model_open(d) > 0 &&
                    d->written_off == 0;
        if (fits && (best == EVERYTHING || d->due_day < m->docs[best].due_day))
            best = (int)i;
    }
    return best;
}

static void pay_part(struct model *m, int doc, int64_t amount)
{
    struct m_doc *d = &m->docs[doc];
    const char *owes = model_code("AP", d->from);
    model_post(m, CLEARING, d->currency, model_code("AP", d->to), owes, amount);
    model_post(m, d->to, d->currency, owes, "AR:Clearing", amount);
    model_post(m, d->from, d->currency, "AR:Clearing", model_code("AR", d->to), amount);
    d->paid += amount;
    model_follow(m, doc);
    *WORLD_ADD(m->parts, m->part_count) = (struct m_part){d->to, doc, amount};
}

static bool net_one(struct model *m, int party, int currency)
{
    bool moved = false;
    int64_t left = free_of(m, party, currency);
    for (int doc = next_debt(m, party, currency); left > 0 && doc != EVERYTHING;
         doc = next_debt(m, party, currency)) {
        int64_t open = model_open(&m->docs[doc]);
        int64_t part = open < left ? open : left;
        pay_part(m, doc, part);
        left -= part;
        moved = true;
    }
    return moved;
}

void model_net(struct model *m)
{
    bool moved = true;
    while (moved) {
        size_t known = m->purse_count; /* whom this round pays comes in the next one */
        moved = false;
        for (size_t i = 0; i < known; i++)
            moved = net_one(m, m->purses[i].party, m->purses[i].currency) || moved;
    }
    size_t count = m->purse_count;
    for (size_t i = 0; i < count; i++) {
        struct m_purse p = m->purses[i];
        int64_t left = free_of(m, p.party, p.currency);
        if (left <= 0 || next_debt(m, p.party, p.currency) != EVERYTHING)
            continue;
        int64_t cash = model_cash_free(m, p.currency);
        left = left < cash ? left : cash;
        if (left <= 0)
            continue;
        *WORLD_ADD(m->payouts, m->payout_count) = (struct m_payout){.payer = 0,
                                                                    .book = CLEARING,
                                                                    .payee = p.party,
                                                                    .currency = p.currency,
                                                                    .amount = left,
                                                                    .rest = true};
    }
}

/* What a payer paid of a document so far, and its latest part; -1: it paid none. */
static int64_t parts_of(const struct model *m, int payer, int doc, int64_t *ret_latest)
{
    int64_t sum = 0;
    *ret_latest = -1;
    for (size_t i = 0; i < m->part_count; i++)
        if (m->parts[i].payer == payer && m->parts[i].doc == doc) {
            sum += m->parts[i].amount;
            *ret_latest = (int64_t)i;
        }
    return sum;
}

/* The invoice that a party paid last, of which something is paid. */
static int last_paid(const struct model *m, int party, int currency, const bool *seen)
{
    int best = EVERYTHING;
    int64_t best_at = -1;
    for (size_t i = 0; i < m->doc_count; i++) {
        int64_t latest = -1;
        bool mine = m->docs[i].to == party && m->docs[i].currency == currency && !seen[i];
        if (!mine || parts_of(m, party, (int)i, &latest) <= 0 || latest <= best_at)
            continue;
        best = (int)i;
        best_at = latest;
    }
    return best;
}

struct missing {
    int party;
    int64_t amount;
};

/* Invoices that were paid last are open again; their issuers miss that money in turn. */
static size_t reopen(struct model *m, int party, int currency, int64_t amount, struct missing *more)
{
    size_t count = 0;
    bool *seen = calloc(m->doc_count + 1, sizeof *seen);
    if (seen == NULL)
        abort();
    for (int doc = last_paid(m, party, currency, seen); amount > 0 && doc != EVERYTHING;
         doc = last_paid(m, party, currency, seen)) {
        int64_t latest = 0;
        int64_t paid = parts_of(m, party, doc, &latest);
        int64_t part = paid < amount ? paid : amount;
        seen[doc] = true;
        pay_part(m, doc, -part);
        more[count++] = (struct missing){m->docs[doc].from, part};
        amount -= part;
    }
    free(seen);
    return count;
}

void model_undo(struct model *m, int party, int currency, int64_t amount)
{
    size_t count = 1;
    struct missing *list = calloc((m->doc_count + 2) * DEPTH_MAX, sizeof *list);
    if (list == NULL)
        abort();
    list[0] = (struct missing){party, amount};
    for (size_t i = 0; i < count; i++) {
        struct missing it = list[i];
        if (free_of(m, it.party, currency) >= 0)
            continue;
        for (size_t k = 0; k < m->payout_count; k++) {
            struct m_payout *o = &m->payouts[k];
            if (o->book == CLEARING && o->payee == it.party && o->currency == currency &&
                o->state == P_PENDING && o->rest)
                o->state = P_VOID;
        }
        int64_t left = free_of(m, it.party, currency);
        if (left < 0)
            count +=
                reopen(m, it.party, currency, -left < it.amount ? -left : it.amount, list + count);
    }
    free(list);
}

/* What the neutral book paid of a document above its worth is the buyer's again. */
void model_refund(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    int64_t latest = 0;
    int64_t paid = parts_of(m, d->to, doc, &latest);
    int64_t over = -model_open(d);
    int64_t back = paid < over ? paid : over;
    if (back <= 0)
        return;
    pay_part(m, doc, -back);
    model_undo(m, m->docs[doc].from, m->docs[doc].currency, back);
}

/* --- what the operator lends --- */

/* The balance that is against a party, and what was booked for it and waits for cash. */
static int64_t debt_of(struct model *m, int party, int currency)
{
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "AP:#%d", party);
    int64_t debt = owed_on(m, key, currency);
    for (size_t i = 0; i < m->share_count; i++) {
        const struct m_share *s = &m->shares[i];
        if (s->payer == CLEARING && s->payee == party && s->currency == currency)
            debt += s->amount - s->voided - s->earned;
    }
    return debt > 0 ? debt : 0;
}

static int64_t lent_for(const struct model *m, int party, int currency)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->fund_count; i++)
        if (m->funds[i].debtor == party && m->funds[i].currency == currency)
            sum += m->funds[i].amount - m->funds[i].recovered;
    return sum;
}

int64_t model_gap(struct model *m, int party, int currency)
{
    int64_t gap = debt_of(m, party, currency) - lent_for(m, party, currency);
    return gap > 0 ? gap : 0;
}

void model_fund(struct model *m, int debtor, int currency, int64_t amount)
{
    *WORLD_ADD(m->funds, m->fund_count) =
        (struct m_fund){.debtor = debtor, .currency = currency, .amount = amount};
    model_post(m, 0, currency, "Financing:Clearing", "Bank", amount);
    model_post(m, CLEARING, currency, "Bank", "Loan:#0", amount);
}

void model_fund_back(struct model *m)
{
    for (size_t i = 0; i < m->fund_count; i++) {
        struct m_fund *f = &m->funds[i];
        int64_t back = lent_for(m, f->debtor, f->currency) - debt_of(m, f->debtor, f->currency);
        int64_t rest = f->amount - f->recovered;
        int64_t cash = model_cash_free(m, f->currency);
        back = back < rest ? back : rest;
        back = back < cash ? back : cash;
        if (back <= 0)
            continue;
        f->recovered += back;
        model_post(m, CLEARING, f->currency, "Loan:#0", "AP:#0", back);
        model_post(m, 0, f->currency, "AR:Clearing", "Financing:Clearing", back);
        *WORLD_ADD(m->payouts, m->payout_count) = (struct m_payout){.payer = 0,
                                                                    .book = CLEARING,
                                                                    .payee = 0,
                                                                    .currency = f->currency,
                                                                    .amount = back,
                                                                    .rest = true};
    }
}
