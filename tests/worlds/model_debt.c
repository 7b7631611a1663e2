/* An invoice that nobody pays: who bears it, edge by edge, in the words of settle/bad_debt.h. */
#include "model.h"

#include <string.h>

/* Who bears how much: [0] is the operator, the last one sold to the client. */
struct loss {
    int count;
    int sellers[DEPTH_MAX];
    int64_t bears[DEPTH_MAX];
    int64_t moves[DEPTH_MAX]; /* [k]: from seller k + 1 to seller k */
};

/* What the seller of an edge takes over of what its buyer lost: all, none, or the part that it sold
 * the same thing for. */
static int64_t moved(enum w_bad_debt rule, int64_t lost, int64_t bought, int64_t sold)
{
    int64_t part = rule == BEARS_SELLER ? lost : 0;
    if (rule == BEARS_BOTH && sold > 0)
        part = model_part(lost, bought, sold);
    return part < 0 ? 0 : part > lost ? lost : part;
}

static struct loss lose_all(const struct model *m, const struct m_doc *d, int64_t left)
{
    int64_t sums[DEPTH_MAX] = {0};
    struct loss loss = {.count = 1, .sellers = {d->from}};
    if (d->count == 0) { /* between two tiers, or by hand: the issuer's alone */
        loss.bears[0] = left;
        return loss;
    }
    const struct m_line *first = &m->lines[d->first];
    loss.count = first->depth;
    for (size_t i = d->first; i < d->first + d->count; i++) {
        const struct m_line *l = &m->lines[i];
        for (int k = 0; k < l->depth && l->depth == first->depth; k++)
            sums[k] += l->amounts[k] - (k == l->depth - 1 ? l->discount : 0);
    }
    for (int k = 0; k < first->depth; k++)
        loss.sellers[k] = m->w->edges[first->edges[k]].from;
    for (int k = first->depth - 1; k > 0; k--) {
        enum w_bad_debt rule = m->w->edges[first->edges[k - 1]].bad_debt;
        loss.moves[k - 1] = moved(rule, left, sums[k - 1], sums[k]);
        loss.bears[k] = left - loss.moves[k - 1];
        left = loss.moves[k - 1];
    }
    loss.bears[0] = left;
    return loss;
}

/* So much more is lost than before; below 0: less. */
static struct loss lose(const struct model *m, const struct m_doc *d, int64_t amount)
{
    struct loss loss = lose_all(m, d, d->written_off + amount);
    struct loss before = lose_all(m, d, d->written_off);
    for (int k = 0; k < loss.count; k++) {
        loss.bears[k] -= before.bears[k];
        loss.moves[k] -= before.moves[k];
    }
    return loss;
}

bool model_may_write_off(struct model *m, int doc)
{
    const struct m_doc *d = &m->docs[doc];
    int64_t open = model_open(d);
    bool own = d->count == 0 || lose(m, d, open).bears[m->lines[d->first].depth - 1] == open;
    int64_t today = world_day((enum w_zone)m->w->parties[d->from].zone, m->w->now);
    return d->code == CODE_INVOICE && model_open(d) > 0 && (own || today > d->due_day);
}

static void post(struct model *m, const struct m_doc *d, const struct loss *loss, int64_t amount)
{
    int creditor = d->settle == WAY_COLLECT ? CLEARING : d->from;
    const char *client = model_code("AR", d->to);
    if (creditor != CLEARING)
        model_post(m, creditor, d->currency, "Expense:BadDebt", client, amount);
    for (int k = 0; k < loss->count && creditor == CLEARING; k++) {
        model_post(m, CLEARING, d->currency, model_code("AP", loss->sellers[k]),
                   model_code("AR", d->to), loss->bears[k]);
        model_post(m, loss->sellers[k], d->currency, "Expense:BadDebt", "AR:Clearing",
                   loss->bears[k]);
    }
    model_post(m, d->to, d->currency, model_code("AP", creditor), "Income:BadDebt", amount);
}

static void change(struct model *m, int doc, int64_t amount)
{
    struct m_doc *d = &m->docs[doc];
    bool collect = d->settle == WAY_COLLECT;
    struct loss loss = lose(m, d, amount);
    d->written_off += amount;
    post(m, d, &loss, amount);
    if (amount > 0)
        model_void_waiting(m, doc);
    else
        model_revive(m, doc);
    for (int k = 0; k < loss.count; k++) {
        bool last = k + 1 == loss.count;
        struct m_share s = {.agreement = EVERYTHING,
                            .origin = O_BAD_DEBT,
                            .payer = collect ? CLEARING : loss.sellers[k],
                            .payee = loss.sellers[collect || last ? k : k + 1],
                            .doc = doc,
                            .close = d->close,
                            .client = EVERYTHING,
                            .currency = d->currency,
                            .label = "BadDebt",
                            .on_invoice = true,
                            .booked = collect};
        s.amount = s.base = collect ? -loss.bears[k] : last ? 0 : loss.moves[k];
        model_accrue(m, &s, 0, 0);
    }
}

void model_write_off(struct model *m, int doc)
{
    change(m, doc, model_open(&m->docs[doc]));
}

void model_recover(struct model *m, int doc, int64_t amount)
{
    change(m, doc, -amount);
}
