/* Prices that hold the tax: what lines are without it, specs/billing.md 3.6 and 3.9 (7); and what
 * tiers earn of what was paid in advance. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define PPM INT64_C(1000000)

static int64_t *place_of(struct m_line *l, int place)
{
    return place < l->depth ? &l->amounts[place] : &l->list;
}

static int64_t ppm_of(const struct m_doc *d, enum w_class class)
{
    for (size_t i = 0; i < d->group_count; i++)
        if (d->groups[i].classes & 1U << class)
            return d->groups[i].ppm;
    return -1;
}

/* What each line is at a place: the tax is taken off all of them together. */
static void net_all(struct model *m, const struct m_doc *d, struct m_line *lines, int place)
{
    struct m_doc again = {.from = d->from, .to = d->to, .included = true};
    struct m_sum kinds[INCOMES_MAX] = {0};
    struct m_sum *nets = calloc(d->count, sizeof *nets);
    size_t kind_count = 0;
    int sign = d->code == CODE_CREDIT ? -1 : 1;
    if (nets == NULL)
        abort();
    for (size_t i = 0; i < d->count; i++) {
        struct m_line *l = &lines[i];
        size_t k = 0;
        nets[i] = (struct m_sum){.label = w_labels[model_item(m, l)->label],
                                 .class = model_item(m, l)->class,
                                 .deferred = model_advance(m, l),
                                 .amount = sign * *place_of(l, place)};
        if (place == l->depth - 1)
            nets[i].amount -= sign * l->discount;
        while (k < kind_count &&
               (strcmp(kinds[k].label, nets[i].label) != 0 || kinds[k].class != nets[i].class ||
                kinds[k].deferred != nets[i].deferred))
            k++;
        if (k == kind_count) {
            kinds[kind_count] = nets[i];
            kinds[kind_count++].amount = 0;
        }
        kinds[k].amount += nets[i].amount;
    }
    model_total(m, &again, kinds, kind_count);
    for (size_t k = 0; k < kind_count; k++)
        model_give_net(&again, &kinds[k], nets, d->count);
    for (size_t i = 0; i < d->count; i++)
        *place_of(&lines[i], place) = sign * nets[i].net;
    free(nets);
}

/* The rate of the invoice between two tiers; where there is none, the client's. */
static int64_t rate_at(const struct model *m, const struct m_doc *d, const struct m_line *l, int k)
{
    enum w_class class = model_item(m, l)->class;
    int64_t ppm = -1;
    for (size_t i = 0; i < m->doc_count && k + 1 < l->depth && ppm < 0; i++) {
        const struct m_doc *of = &m->docs[i];
        if (of->close == d->close && of->count == 0 && of->edge == l->edges[k] && of->included)
            ppm = ppm_of(of, class);
    }
    return ppm >= 0 ? ppm : ppm_of(d, class);
}

static int64_t without(int64_t amount, int64_t ppm)
{
    return (int64_t)model_round((wide)amount * PPM, PPM + ppm);
}

struct m_line *model_net_lines(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    struct m_line *lines = calloc(d->count + 1, sizeof *lines);
    if (lines == NULL)
        abort();
    if (d->count > 0)
        memcpy(lines, m->lines + d->first, d->count * sizeof *lines);
    if (!d->included || d->count == 0)
        return lines;
    for (size_t i = 0; i < d->count && d->settle != WAY_COLLECT; i++) {
        struct m_line *l = &lines[i];
        for (int k = 0; k + 1 < l->depth; k++)
            l->amounts[k] = without(l->amounts[k], rate_at(m, d, l, k));
        l->list = without(l->list, rate_at(m, d, l, 0));
    }
    if (d->settle == WAY_COLLECT) {
        for (int k = 0; k + 1 < lines[0].depth; k++)
            net_all(m, d, lines, k);
        net_all(m, d, lines, lines[0].depth);
    }
    /* The last edge: what the client's invoice says, and the discount above it. */
    struct m_line *last = calloc(d->count, sizeof *last);
    if (last == NULL)
        abort();
    memcpy(last, lines, d->count * sizeof *last);
    for (size_t i = 0; i < d->count; i++) { /* the same place in all of them */
        last[i].amounts[0] = last[i].amounts[last[i].depth - 1];
        last[i].depth = 1;
    }
    net_all(m, d, last, 0);
    for (size_t i = 0; i < d->count; i++) {
        struct m_line *l = &lines[i];
        l->discount = without(l->discount, ppm_of(d, model_item(m, l)->class));
        l->amounts[l->depth - 1] = last[i].amounts[0] + l->discount;
    }
    free(last);
    return lines;
}

/* COLLECT: what a credit note gives back at each edge; at the last one what it says. */
static void parts_of(const struct m_line *net, const struct m_taking *t, int64_t *parts)
{
    for (int k = 0; k < net->depth; k++)
        parts[k] = t->whole == 0 ? net->amounts[k]
                                 : model_part(net->amounts[k], t->before + t->net, t->whole) -
                                       model_part(net->amounts[k], t->before, t->whole);
    parts[net->depth - 1] = t->net;
}

void model_credit_tiers(struct model *m, struct m_doc *c, const struct m_taking *t,
                        int64_t *ret_wholesale)
{
    int64_t parts[DEPTH_MAX];
    const struct m_doc *of = &m->docs[t->doc];
    if (c->settle != WAY_COLLECT)
        return;
    struct m_line *net = model_net_lines(m, t->doc);
    const struct m_line *l = &net[t->line - of->first];
    parts_of(l, t, parts);
    model_add_tiers(m, c, l, parts, 1);
    *ret_wholesale = parts[0];
    free(net);
}

/* What waits in the book of a tier, of what a credit note takes. */
int64_t model_deferred_part(struct model *m, const struct m_taking *t, int tier)
{
    int64_t parts[DEPTH_MAX];
    const struct m_doc *of = &m->docs[t->doc];
    if (of->settle != WAY_COLLECT)
        return t->net;
    struct m_line *net = model_net_lines(m, t->doc);
    parts_of(&net[t->line - of->first], t, parts);
    free(net);
    return parts[tier] - (tier > 0 ? parts[tier - 1] : 0);
}

/* The tiers of a client's document. */
void model_doc_tiers(struct model *m, int doc)
{
    struct m_doc *d = &m->docs[doc];
    int sign = d->code == CODE_CREDIT ? -1 : 1;
    if (d->settle != WAY_COLLECT)
        return;
    struct m_line *net = model_net_lines(m, doc);
    for (size_t i = 0; i < d->income_count; i++)
        d->incomes[i].wholesale = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct m_line *l = &net[i];
        size_t k = 0;
        while (strcmp(d->incomes[k].label, w_labels[model_item(m, l)->label]) != 0 ||
               d->incomes[k].deferred != model_advance(m, l))
            k++;
        d->incomes[k].wholesale += sign * l->amounts[0];
        l->amounts[l->depth - 1] -= l->discount;
        model_add_tiers(m, d, l, l->amounts, sign);
    }
    free(net);
}
