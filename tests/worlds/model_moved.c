/* What is paid in advance moves to another seller: specs/billing.md 3.8. */
#include "model.h"

#include <stdlib.h>

/* What a document gives back (sign -1) or bills ahead (1) of a subscription, in a time. */
static int64_t ahead_of(const struct model *m, int doc, int sub, int sign, int64_t *from,
                        int64_t *until)
{
    int64_t sum = 0;
    for (size_t i = 0; i < m->deferral_count; i++) {
        const struct m_deferral *f = &m->deferrals[i];
        bool mine = f->doc == doc && m->lines[f->line].sub == sub && sign * f->amount > 0;
        if (!mine)
            continue;
        if (sign > 0 && (f->begins < *from || f->begins >= *until))
            continue;
        if (sign < 0) {
            *from = sum == 0 || f->begins < *from ? f->begins : *from;
            *until = sum == 0 || f->ends > *until ? f->ends : *until;
        }
        sum += sign * f->amount;
    }
    return sum;
}

/* Of all subscriptions, what both tell of. */
static int64_t net_of(const struct model *m, int given, int taken)
{
    int64_t sum = 0;
    bool *seen = calloc(m->w->sub_count + 1, sizeof *seen);
    if (seen == NULL)
        abort();
    for (size_t i = 0; i < m->deferral_count; i++) {
        int64_t from = 0;
        int64_t until = 0;
        int sub = m->lines[m->deferrals[i].line].sub;
        if (m->deferrals[i].doc != given || seen[sub])
            continue;
        seen[sub] = true;
        int64_t back = ahead_of(m, given, sub, -1, &from, &until);
        int64_t billed = ahead_of(m, taken, sub, 1, &from, &until);
        sum += back < billed ? back : billed;
    }
    free(seen);
    return sum;
}

static int64_t with_tax(const struct m_doc *d, int64_t net)
{
    if (net == d->net)
        return d->gross;
    if (d->group_count != 1)
        return net;
    return net + (int64_t)model_round((wide)net * d->groups[0].ppm, 1000000);
}

static void hand_over(struct model *m, int given, int taken, int month)
{
    struct m_doc *g = &m->docs[given];
    struct m_doc *t = &m->docs[taken];
    int64_t net = net_of(m, given, taken);
    int64_t most[] = {with_tax(g, net), with_tax(t, net), model_open(g), model_open(t)};
    int64_t amount = most[0];
    for (size_t i = 1; i < sizeof most / sizeof *most; i++)
        amount = most[i] < amount ? most[i] : amount;
    if (amount <= 0)
        return;
    model_post(m, g->from, g->currency, model_code("AR", g->to), model_code("AP", t->from), amount);
    model_post(m, g->to, g->currency, model_code("AP", t->from), model_code("AP", g->from), amount);
    model_post(m, t->from, g->currency, model_code("AR", g->from), model_code("AR", g->to), amount);
    g->paid += amount;
    t->paid += amount;
    model_follow(m, taken);
    const struct m_share owed = {.agreement = EVERYTHING,
                                 .origin = O_MOVE,
                                 .payer = g->from,
                                 .payee = t->from,
                                 .doc = EVERYTHING,
                                 .close = month,
                                 .client = g->to,
                                 .currency = g->currency,
                                 .label = "Portability",
                                 .base = amount,
                                 .amount = amount,
                                 .booked = true,
                                 .on_invoice = true};
    model_accrue(m, &owed, 0, 0);
}

void model_close_moved(struct model *m, int month)
{
    for (size_t g = 0; g < m->doc_count; g++)
        for (size_t t = 0; t < m->doc_count; t++) {
            const struct m_doc *given = &m->docs[g];
            const struct m_doc *taken = &m->docs[t];
            bool of_close = given->close == month && taken->close == month &&
                            given->refers == EVERYTHING && given->settle != WAY_COLLECT &&
                            taken->settle != WAY_COLLECT;
            if (of_close && given->code == CODE_CREDIT && taken->code == CODE_INVOICE &&
                given->to == taken->to && given->from != taken->from &&
                given->currency == taken->currency)
                hand_over(m, (int)g, (int)t, month);
        }
}
