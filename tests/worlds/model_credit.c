/* Wallets and coupons: what pays of a document, and what lowers it. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* The seller owes so much more, or less, and the client's book says the same. */
static void book_wallet(struct model *m, const struct w_wallet *w, const char *here,
                        const char *there, int64_t amount)
{
    const char *kind = w->promo ? "Promo" : "Wallet";
    model_post(m, w->party, w->currency, here, model_code(kind, w->client), amount);
    model_post(m, w->client, w->currency, model_code(kind, w->party), there, amount);
}

void model_wallet(struct model *m)
{
    const struct w_wallet *w = &m->w->wallets[m->w->wallet_count - 1];
    *WORLD_ADD(m->left, m->left_count) = w->amount;
    book_wallet(m, w, w->promo ? "Marketing:Referral" : "Bank", w->promo ? "Income:Reward" : "Bank",
                w->amount);
}

void model_break(struct model *m)
{
    for (size_t i = 0; i < m->left_count; i++) {
        const struct w_wallet *w = &m->w->wallets[i];
        if (w->expires == 0 || w->expires > m->w->now)
            continue;
        book_wallet(m, w, "Income:Breakage", "Expense:Breakage", -m->left[i]);
        m->left[i] = 0;
    }
}

/* Whether x pays before y. */
static bool before(const struct w_wallet *x, const struct w_wallet *y)
{
    int64_t end_x = x->expires == 0 ? INT64_MAX : x->expires;
    int64_t end_y = y->expires == 0 ? INT64_MAX : y->expires;
    if (x->priority != y->priority)
        return x->priority < y->priority;
    return end_x != end_y ? end_x < end_y : strcmp(x->id, y->id) < 0;
}

static int next_wallet(const struct model *m, const struct m_doc *d)
{
    int best = EVERYTHING;
    for (size_t i = 0; i < m->left_count; i++) {
        const struct w_wallet *w = &m->w->wallets[i];
        bool fits = w->party == d->from && w->client == d->to && w->currency == d->currency &&
                    m->left[i] > 0 && (w->expires == 0 || w->expires > m->w->now);
        if (fits && (best == EVERYTHING || before(w, &m->w->wallets[best])))
            best = (int)i;
    }
    return best;
}

void model_prepay(struct model *m, struct m_doc *d)
{
    if (d->code != CODE_INVOICE)
        return;
    while (d->prepaid < d->gross) {
        int wallet = next_wallet(m, d);
        if (wallet == EVERYTHING)
            return;
        int64_t part = d->gross - d->prepaid;
        part = part < m->left[wallet] ? part : m->left[wallet];
        m->left[wallet] -= part;
        d->prepaid += part;
        d->promo += m->w->wallets[wallet].promo ? part : 0;
    }
}

/* COLLECT: the issuer has the money, or gave it away, and owes it to the neutral book. */
static void post_kind(struct model *m, const struct m_doc *d, const char *kind, int64_t amount)
{
    bool collect = d->settle == WAY_COLLECT;
    int seller = collect ? CLEARING : d->from;
    const char *owed = model_code(kind, d->to);
    if (collect) {
        model_post(m, CLEARING, d->currency, model_code("AP", d->from), model_code("AR", d->to),
                   amount);
        model_post(m, d->from, d->currency, owed, "AR:Clearing", amount);
    } else {
        model_post(m, seller, d->currency, owed, model_code("AR", d->to), amount);
    }
    model_post(m, d->to, d->currency, model_code("AP", seller), model_code(kind, d->from), amount);
}

void model_post_prepaid(struct model *m, const struct m_doc *d)
{
    post_kind(m, d, "Wallet", d->prepaid - d->promo);
    post_kind(m, d, "Promo", d->promo);
}

/* --- coupons --- */

static int by_id(const void *a, const void *b, void *arg)
{
    const struct world *w = arg;
    return strcmp(w->coupons[*(const int *)a].id, w->coupons[*(const int *)b].id);
}

void model_coupons(struct model *m, int edge, struct m_coupons *ret)
{
    const struct w_edge *e = &m->w->edges[edge];
    ret->count = 0;
    for (size_t i = 0; i < m->w->coupon_count; i++) {
        const struct w_coupon *c = &m->w->coupons[i];
        bool fits = c->party == e->from && (c->client == EVERYTHING || c->client == e->to) &&
                    (c->ppm > 0 || c->currency == e->currency) &&
                    (c->expires == 0 || c->expires > m->w->now) &&
                    (c->times == 0 || c->used < c->times);
        if (fits && ret->count < COUPONS_AT_ONCE_ROOM)
            ret->list[ret->count++] = (int)i;
    }
    qsort_r(ret->list, ret->count, sizeof *ret->list, by_id, m->w);
    if (ret->count > COUPONS_AT_ONCE)
        ret->count = COUPONS_AT_ONCE;
    for (size_t i = 0; i < ret->count; i++) {
        ret->left[i] = m->w->coupons[ret->list[i]].most;
        ret->used[i] = false;
    }
}

int64_t model_coupon(const struct model *m, struct m_coupons *coupons, int item, int64_t amount)
{
    int64_t left = amount;
    for (size_t i = 0; i < coupons->count && left > 0; i++) {
        const struct w_coupon *c = &m->w->coupons[coupons->list[i]];
        int64_t part = left < coupons->left[i] ? left : coupons->left[i];
        if (c->ppm > 0)
            part = model_part(left, c->ppm, 1000000);
        if (part == 0 || (c->item != EVERYTHING && c->item != item))
            continue;
        coupons->left[i] -= c->ppm > 0 ? 0 : part;
        coupons->used[i] = true;
        left -= part;
    }
    return amount - left;
}

void model_coupons_used(struct model *m, const struct m_coupons *coupons)
{
    for (size_t i = 0; i < coupons->count; i++)
        m->w->coupons[coupons->list[i]].used += coupons->used[i];
}

/* --- rewards --- */

/* What a party promises now: the latest, and of those the last; NULL: nothing was ever promised. */
static const struct w_reward *promise_of(const struct world *w, int party)
{
    const struct w_reward *best = NULL;
    for (size_t i = 0; i < w->reward_count; i++) {
        const struct w_reward *r = &w->rewards[i];
        if (r->party == party && r->from <= w->now && (best == NULL || r->from >= best->from))
            best = r;
    }
    return best;
}

static void grant(struct model *m, const struct w_reward *r, int client, int64_t amount)
{
    struct world *w = m->w;
    if (amount == 0 || client == r->party)
        return;
    *WORLD_ADD(w->wallets, w->wallet_count) =
        (struct w_wallet){.party = r->party,
                          .client = client,
                          .currency = r->currency,
                          .promo = true,
                          .amount = amount,
                          .expires = r->days > 0 ? w->now + r->days * DAY_US : 0};
    model_wallet(m);
}

/* By who invites, or where that promises nothing by its sponsor: specs/billing.md 3.6. */
void model_reward(struct model *m, int founded)
{
    int inviter = m->w->parties[founded].sponsor;
    const struct w_reward *r = promise_of(m->w, inviter);
    if (r == NULL && m->w->parties[inviter].sponsor != EVERYTHING)
        r = promise_of(m->w, m->w->parties[inviter].sponsor);
    if (r == NULL)
        return;
    grant(m, r, inviter, r->inviter);
    grant(m, r, founded, r->invitee);
}
