/*
 * close_routes.c - the close of a month, which is the operator's; credit and coupons, which are
 * each seller's.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "billing/close.h"
#include "billing/wallet.h"

/* Closes have one owner: nobody else is told that there are any. */
static enum rc allow_operator(struct call *c, enum permission p)
{
    struct party operator;
    TRY(party_operator(c->tx, &operator));
    TRY(permission_allow(c->tx, &c->caller, p, operator.id));
    c->owner = operator.id;
    return RC_OK;
}

enum rc close_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(allow_operator(c, PERM_CLOSE_READ));
    TRY(close_list(c->tx, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc close_create_handler(struct call *c)
{
    struct close close;
    const struct close *wanted = c->body;
    TRY(allow_operator(c, PERM_CLOSE_WRITE));
    TRY(close_begin(c->tx, wanted->period, wanted->review, wanted->dry, &close));
    call_note(c, close.id, &close_schema, NULL, &close);
    c->note.party = c->owner;
    return call_reply(c, &close);
}

enum rc close_get_handler(struct call *c)
{
    struct close close;
    TRY(close_get(c->tx, c->params[0], &close));
    return call_reply(c, &close);
}

enum rc close_exceptions_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(close_exceptions(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc close_approve_handler(struct call *c)
{
    struct close before;
    struct close after;
    TRY(close_get(c->tx, c->params[0], &before));
    TRY(close_approve(c->tx, c->params[0], &after));
    call_note(c, after.id, &close_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- credit --- */

enum rc wallet_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(wallet_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc wallet_create_handler(struct call *c)
{
    struct wallet wallet;
    TRY(wallet_create(c->tx, c->api->ledger, c->owner, c->body, &wallet));
    call_note(c, wallet.id, &wallet_schema, NULL, &wallet);
    return call_reply(c, &wallet);
}

enum rc wallet_get_handler(struct call *c)
{
    struct wallet wallet;
    TRY(wallet_get(c->tx, c->params[0], &wallet));
    return call_reply(c, &wallet);
}

/* --- coupons --- */

enum rc coupon_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(coupon_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc coupon_create_handler(struct call *c)
{
    struct coupon coupon;
    TRY(coupon_create(c->tx, c->owner, c->body, &coupon));
    call_note(c, coupon.id, &coupon_schema, NULL, &coupon);
    return call_reply(c, &coupon);
}

enum rc coupon_get_handler(struct call *c)
{
    struct coupon coupon;
    TRY(coupon_get(c->tx, c->params[0], &coupon));
    return call_reply(c, &coupon);
}
