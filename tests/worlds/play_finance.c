/* Capital: money that is lent, invoices that somebody pays for a client. */
#include "play_inside.h"
#include "settle/financing.h"

struct financing_step {
    struct play *p;
    struct w_financing *financing;
    const struct m_doc *doc; /* or NULL */
};

static enum rc put_in(struct tx *tx, void *arg)
{
    struct financing_step *g = arg;
    const struct world *w = g->p->w;
    const struct w_financing *f = g->financing;
    const struct w_agreement *a = &w->agreements[f->agreement];
    struct financing made;
    struct financing fresh = {.agreement = str_c(a->id),
                              .label = str_c(f->label),
                              .reference = arena_fmt(tx->arena, "loan-%zu", w->financing_count),
                              .currency = str_c(w_currencies[a->currency].code),
                              .amount = play_amount(tx, f->amount, a->currency)};
    if (f->returns != f->amount)
        fresh.returns = play_amount(tx, f->returns, a->currency);
    if (g->doc != NULL) {
        fresh.document = str_c(g->doc->id);
        fresh.client = str_c(w->parties[f->client].id);
    }
    TRY(financing_create(tx, g->p->l, str_c(w->parties[g->doc != NULL ? a->to : a->from].id),
                         &fresh, &made));
    play_keep_id(g->financing->id, made.id);
    return RC_OK;
}

/* One whose payee puts something in, or EVERYTHING. */
static int some_cost(struct world *w)
{
    for (int tries = 0; tries < 10 && w->agreement_count > 0; tries++) {
        int i = (int)world_below(w, w->agreement_count);
        if (w->agreements[i].kind == A_COST)
            return i;
    }
    return EVERYTHING;
}

/* An invoice that a party has to pay, not taken back and not financed, or EVERYTHING. */
static int some_invoice(const struct play *p, int buyer, int currency)
{
    for (size_t i = 0; i < p->m->doc_count; i++) {
        const struct m_doc *d = &p->m->docs[i];
        bool fits = d->to == buyer && d->currency == currency && !d->financed &&
                    (d->code == CODE_INVOICE || d->code == CODE_SELF_BILLED) && d->credited == 0 &&
                    d->written_off == 0 && d->net > 0 && d->gross > 0;
        if (fits)
            return (int)i;
    }
    return EVERYTHING;
}

static const char *some_label(struct world *w, const struct w_agreement *a)
{
    int terms = a->term_count - 1;
    while (terms > 0 && a->terms[terms].from > w->now)
        terms--;
    const struct w_rules *t = &a->terms[terms];
    return w_rule_labels[t->rules[world_below(w, (uint64_t)t->count)].label];
}

void play_finance(struct play *p)
{
    struct world *w = p->w;
    int cost = some_cost(w);
    if (cost == EVERYTHING)
        return;
    const struct w_agreement *a = &w->agreements[cost];
    int doc = world_percent(w, 60) ? some_invoice(p, a->to, a->currency) : EVERYTHING;
    struct m_doc *d = doc != EVERYTHING ? &p->m->docs[doc] : NULL;
    struct w_financing *f = WORLD_ADD(w->financings, w->financing_count);
    *f = (struct w_financing){.agreement = cost,
                              .label = some_label(w, a),
                              .client = EVERYTHING,
                              .amount = world_between(w, 1, 30000)};
    if (d != NULL) {
        f->client = w->edges[world_below(w, w->edge_count)].to;
        f->amount = d->recoverable ? d->net : d->gross;
        d->financed = true;
    }
    f->returns = f->amount + (world_percent(w, 50) ? world_between(w, 0, f->amount / 4) : 0);
    play_say(p, "#%d finances %lld by agreement %d, document %d", a->to, (long long)f->amount, cost,
             doc + 1);
    play_write(p, put_in, &(struct financing_step){p, f, d});
    model_finance(p->m, doc);
}
