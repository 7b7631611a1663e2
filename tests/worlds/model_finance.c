/* Capital that is put in and comes back: specs/billing.md 3.5, a7 and a8, in the words of
 * settle/financing.h. */
#include "model.h"

#include <string.h>

/* What the document made an expense of its buyer is capital of it. */
static void post_document(struct model *m, const struct w_financing *f, const struct m_doc *d,
                          int sign)
{
    const char *capital = model_code("Financing", f->client);
    for (size_t i = 0; i < d->income_count; i++)
        model_post(m, d->to, d->currency, capital, model_label("Expense", d->incomes[i].label),
                   sign * d->incomes[i].net);
    for (size_t i = 0; i < d->group_count && !d->recoverable; i++)
        model_post(m, d->to, d->currency, capital, model_label("Expense", d->groups[i].expense),
                   sign * d->groups[i].tax);
}

void model_finance(struct model *m, int doc)
{
    const struct w_financing *f = &m->w->financings[m->w->financing_count - 1];
    const struct w_agreement *a = &m->w->agreements[f->agreement];
    *WORLD_ADD(m->stakes, m->stake_count) = (struct m_stake){.doc = doc};
    if (doc != EVERYTHING) {
        post_document(m, f, &m->docs[doc], 1);
        return;
    }
    model_post(m, a->to, a->currency, model_code("Financing", a->from), "Bank", f->amount);
    model_post(m, a->from, a->currency, "Bank", model_code("Loan", a->to), f->amount);
}

/* Money comes back from whomever; what was paid for a client, out of that client's invoices. */
static bool gives_back(const struct model *m, const struct m_share *s, const struct w_financing *f)
{
    bool about =
        f->client == EVERYTHING || (s->doc != EVERYTHING && m->docs[s->doc].to == f->client);
    return s->agreement == f->agreement && strcmp(s->label, f->label) == 0 && about;
}

/* So much of what came back is capital: R((amount - credited) x received / returns). What does not
 * come, as the client's invoice was written off, is the financier's loss from there on. */
static void change(struct model *m, size_t financing, struct m_stake to)
{
    struct m_stake *from = &m->stakes[financing];
    const struct w_financing *f = &m->w->financings[financing];
    const struct w_agreement *a = &m->w->agreements[f->agreement];
    const char *capital = model_code("Financing", f->client == EVERYTHING ? a->from : f->client);
    int64_t was = model_part(f->amount - from->credited, from->received, f->returns);
    int64_t is = model_part(f->amount - to.credited, to.received, f->returns);
    int64_t out_was =
        model_part(f->amount - from->credited, from->received + from->lost, f->returns);
    int64_t out_is = model_part(f->amount - to.credited, to.received + to.lost, f->returns);
    model_post(m, a->to, a->currency, model_label("Income", f->label), capital, is - was);
    model_post(m, a->to, a->currency, "Expense:BadDebt", capital, (out_is - is) - (out_was - was));
    if (f->client == EVERYTHING)
        model_post(m, a->from, a->currency, model_code("Loan", a->to),
                   model_label("Expense", f->label), is - was);
    *from = to;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The oldest has its money first; what is taken back is taken from the youngest. */
void model_give_back(struct model *m, int share, int64_t due)
{
    const struct m_share *s = &m->shares[share];
    size_t count = m->stake_count;
    for (size_t i = 0; i < count && due != 0; i++) {
        size_t at = due > 0 ? i : count - 1 - i;
        const struct w_financing *f = &m->w->financings[at];
        struct m_stake to = m->stakes[at];
        if (!gives_back(m, s, f))
            continue;
        int64_t part = due > 0 ? least(due, f->returns - to.received) : -least(-due, to.received);
        to.received += part;
        to.lost = least(to.lost, f->returns - to.received);
        change(m, at, to);
        due -= part;
    }
}

/* Of what was paid for a client; who had money owes it all the same. */
void model_lose_capital(struct model *m, int share, int64_t amount)
{
    const struct m_share *s = &m->shares[share];
    size_t count = m->stake_count;
    for (size_t i = 0; i < count && amount != 0; i++) {
        size_t at = amount > 0 ? i : count - 1 - i;
        const struct w_financing *f = &m->w->financings[at];
        struct m_stake to = m->stakes[at];
        if (f->client == EVERYTHING || !gives_back(m, s, f))
            continue;
        int64_t room = f->returns - to.received - to.lost;
        int64_t part = amount > 0 ? least(amount, room) : -least(-amount, to.lost);
        to.lost += part;
        change(m, at, to);
        amount -= part;
    }
}

void model_finance_credited(struct model *m, int doc, const struct m_doc *c)
{
    for (size_t i = 0; i < m->stake_count; i++) {
        struct m_stake to = m->stakes[i];
        if (to.doc != doc)
            continue;
        to.credited += c->recoverable ? c->net : c->gross;
        post_document(m, &m->w->financings[i], c, -1);
        change(m, i, to);
    }
}
