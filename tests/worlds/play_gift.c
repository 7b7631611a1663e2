/* Credit that clients have: money paid before, promotional credit that ends, coupons. */
#include "billing/wallet.h"
#include "play_inside.h"

struct giving {
    struct play *p;
    struct w_wallet *wallet;
    struct w_coupon *coupon;
};

static struct str party_id(const struct play *p, int party)
{
    return str_c(party == EVERYTHING ? "" : p->w->parties[party].id);
}

static enum rc make_wallet(struct tx *tx, void *arg)
{
    struct giving *g = arg;
    const struct w_wallet *w = g->wallet;
    struct wallet made;
    struct wallet fresh = {.client = party_id(g->p, w->client),
                           .kind = w->promo ? WALLET_PROMO : WALLET_PREPAID,
                           .currency = str_c(w_currencies[w->currency].code),
                           .amount = play_amount(tx, w->amount, w->currency),
                           .priority = w->priority,
                           .expires = w->expires};
    TRY(wallet_create(tx, g->p->l, party_id(g->p, w->party), &fresh, &made));
    play_keep_id(g->wallet->id, made.id);
    return RC_OK;
}

void play_wallet(struct play *p, int edge)
{
    enum { DAYS = 60 };
    struct world *w = p->w;
    struct w_wallet *fresh = WORLD_ADD(w->wallets, w->wallet_count);
    *fresh = (struct w_wallet){.party = w->edges[edge].from,
                               .client = w->edges[edge].to,
                               .currency = w->edges[edge].currency,
                               .promo = world_percent(w, 60),
                               .amount = world_between(w, 1, 200000),
                               .priority = world_between(w, 0, 3)};
    if (fresh->promo && world_percent(w, 70))
        fresh->expires = world_between(w, w->now + 1, w->now + DAYS * DAY_US);
    play_write(p, make_wallet, &(struct giving){.p = p, .wallet = fresh});
    model_wallet(p->m);
}

static enum rc make_coupon(struct tx *tx, void *arg)
{
    struct giving *g = arg;
    const struct w_coupon *c = g->coupon;
    struct coupon made;
    struct coupon fresh = {.code = arena_fmt(tx->arena, "C%zu", g->p->w->coupon_count),
                           .client = party_id(g->p, c->client),
                           .times = c->times,
                           .expires = c->expires};
    if (c->item != EVERYTHING)
        fresh.item = str_c(g->p->w->items[c->item].code);
    if (c->ppm > 0)
        fresh.percent = play_number(tx, (struct w_num){c->ppm, 4});
    else {
        fresh.amount = play_amount(tx, c->most, c->currency);
        fresh.currency = str_c(w_currencies[c->currency].code);
    }
    TRY(coupon_create(tx, party_id(g->p, c->party), &fresh, &made));
    play_keep_id(g->coupon->id, made.id);
    return RC_OK;
}

void play_coupon(struct play *p, int edge)
{
    enum { DAYS = 90, MOST_PPM = 1000000 };
    struct world *w = p->w;
    const struct w_edge *e = &w->edges[edge];
    struct w_coupon *fresh = WORLD_ADD(w->coupons, w->coupon_count);
    *fresh = (struct w_coupon){.party = e->from,
                               .client = world_percent(w, 50) ? e->to : EVERYTHING,
                               .currency = e->currency,
                               .item = EVERYTHING,
                               .times = world_between(w, 0, 4)};
    if (world_percent(w, 40))
        fresh->item = (int)world_below(w, w->item_count);
    if (world_percent(w, 50))
        fresh->ppm = world_between(w, 1, MOST_PPM);
    else
        fresh->most = world_between(w, 1, 5000);
    if (world_percent(w, 50))
        fresh->expires = world_between(w, w->now + 1, w->now + DAYS * DAY_US);
    play_write(p, make_coupon, &(struct giving){.p = p, .coupon = fresh});
}
