/* The tax of a document in the currency in which its seller accounts for it. */
#include "model.h"

#include <stdio.h>

static int64_t exchanged(const struct model *m, int from, int to, wide amount)
{
    struct w_rate r = world_rate(m->w, from, to);
    return (int64_t)model_round(amount * r.to * model_ten(w_currencies[to].exponent),
                                (wide)r.from * model_ten(w_currencies[from].exponent));
}

/* What was credited before of the group of an invoice. d is a copy of the newest document. */
static wide credited_before(const struct model *m, const struct m_doc *d, const struct m_group *g)
{
    wide sum = 0;
    for (size_t i = 0; i + 1 < m->doc_count; i++)
        for (size_t k = 0; k < m->docs[i].group_count && m->docs[i].refers == d->refers; k++)
            if (m->docs[i].groups[k].ppm == g->ppm && m->docs[i].groups[k].category == g->category)
                sum += m->docs[i].groups[k].tax;
    return sum;
}

static wide taken(wide part, wide credited, wide tax)
{
    return tax == 0 ? 0 : model_round((tax < 0 ? -1 : 1) * part * credited, tax < 0 ? -tax : tax);
}

/* What the seller owes the tax office, it owes in its own currency, by groups. Of an invoice: what
 * is rounded up to each. A credit note takes back its part of what the invoice said. */
static void exchange_groups(const struct model *m, const struct m_doc *d, int to, int64_t *ret)
{
    wide sum = 0;
    int64_t done = 0;
    if (d->refers == EVERYTHING) {
        for (size_t i = 0; i < d->group_count; i++) {
            sum += d->groups[i].tax;
            int64_t until = exchanged(m, d->currency, to, sum);
            ret[i] = until - done;
            done = until;
        }
        return;
    }
    int64_t of[GROUPS_MAX] = {0};
    const struct m_doc *invoice = &m->docs[d->refers];
    exchange_groups(m, invoice, to, of);
    for (size_t i = 0; i < d->group_count; i++) {
        size_t k = 0;
        while (invoice->groups[k].ppm != d->groups[i].ppm ||
               invoice->groups[k].category != d->groups[i].category)
            k++;
        wide before = credited_before(m, d, &d->groups[i]);
        ret[i] = (int64_t)(taken(of[k], before + d->groups[i].tax, invoice->groups[k].tax) -
                           taken(of[k], before, invoice->groups[k].tax));
    }
}

void model_exchange(struct model *m, const struct m_doc *d, int seller, int sign)
{
    char pair[KEY_MAX];
    int64_t parts[GROUPS_MAX] = {0};
    int to = m->w->parties[d->from].tax_currency - 1;
    const struct m_doc *of = d->refers != EVERYTHING ? &m->docs[d->refers] : d;
    if (to < 0 || to == d->currency || of->tax == 0)
        return;
    exchange_groups(m, d, to, parts);
    (void)snprintf(pair, sizeof pair, "%s-%s", w_currencies[d->currency].code,
                   w_currencies[to].code);
    for (size_t i = 0; i < d->group_count; i++) {
        model_post(m, seller, d->currency,
                   model_tax_code("VAT-Out", &d->groups[i], d->groups[i].ppm),
                   model_label("FX", pair), sign * d->groups[i].tax);
        model_post(m, seller, to, model_label("FX", pair),
                   model_tax_code("VAT-Out", &d->groups[i], d->groups[i].ppm), sign * parts[i]);
    }
}
