/*
 * settle_routes.c - money that comes in, what is owed for shares, money that goes out.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "settle/clearing.h"
#include "settle/share.h"
#include "settle/statement.h"

enum rc payment_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(payment_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc payment_create_handler(struct call *c)
{
    struct payment payment;
    TRY(payment_book(c->tx, c->api->ledger, c->owner, c->body, &payment));
    call_note(c, payment.id, &payment_schema, NULL, &payment);
    return call_reply(c, &payment);
}

enum rc payment_get_handler(struct call *c)
{
    struct payment payment;
    TRY(payment_get(c->tx, c->params[0], &payment));
    return call_reply(c, &payment);
}

enum rc payment_return_handler(struct call *c)
{
    struct payment before;
    struct payment after;
    TRY(payment_get(c->tx, c->params[0], &before));
    TRY(payment_return(c->tx, c->api->ledger, c->params[0], &after));
    call_note(c, after.id, &payment_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc share_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(share_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc statement_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(statement_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc statement_get_handler(struct call *c)
{
    struct statement statement;
    TRY(statement_get(c->tx, c->params[0], &statement));
    return call_reply(c, &statement);
}

enum rc statement_lines_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(statement_lines(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc settlement_create_handler(struct call *c)
{
    struct settlement made;
    const struct settlement *body = c->body;
    TRY(settlement_run(c->tx, c->api->ledger, c->owner, body->id, body->cut_off, &made));
    call_note(c, made.id, &settlement_schema, NULL, &made);
    return call_reply(c, &made);
}

enum rc clearing_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(clearing_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc payout_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(payout_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc payout_get_handler(struct call *c)
{
    struct payout payout;
    TRY(payout_get(c->tx, c->params[0], &payout));
    return call_reply(c, &payout);
}

enum rc payout_approve_handler(struct call *c)
{
    struct payout before;
    struct payout after;
    TRY(payout_get(c->tx, c->params[0], &before));
    TRY(payout_approve(c->tx, c->params[0], c->caller.user, &after));
    call_note(c, after.id, &payout_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc payout_release_handler(struct call *c)
{
    struct payout before;
    struct payout after;
    TRY(payout_get(c->tx, c->params[0], &before));
    TRY(payout_release(c->tx, c->api->ledger, c->params[0], c->caller.user, &after));
    call_note(c, after.id, &payout_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc payout_confirm_handler(struct call *c)
{
    struct payout before;
    struct payout after;
    const struct payout_answer *body = c->body;
    TRY(payout_get(c->tx, c->params[0], &before));
    TRY(payout_confirm(c->tx, c->api->ledger, c->params[0], body->returned, &after));
    call_note(c, after.id, &payout_schema, &before, &after);
    return call_reply(c, &after);
}
