/*
 * document_routes.c - invoices and credit notes, rates of tax, the books of a party.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/resources.h"
#include "billing/close.h"
#include "billing/exchange_rate.h"
#include "settle/bad_debt.h"
#include "settle/statement.h"

enum rc tax_list_handler(struct call *c)
{
    struct list list;
    TRY(tax_rates(c->arena, &list));
    return call_reply_list(c, list);
}

/* --- documents --- */

enum rc document_list_handler(struct call *c)
{
    struct page page;
    TRY(document_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc document_order_handler(struct call *c)
{
    struct document made;
    TRY(document_order(c->tx, c->owner, c->body, &made));
    call_location(c, arena_fmt(c->arena, "/v1/documents/%.*s", STRF(made.id)));
    call_note(c, made.id, &document_schema, NULL, &made);
    return call_reply(c, &made);
}

/* The document that {id} names, as far as the side that asks may know of it: the recipient knows
 * of no drafts. */
static enum rc find_document(struct call *c, struct document *ret)
{
    struct document d;
    TRY(document_get(c->tx, c->params[0], &d));
    if (d.state < DOCUMENT_FINAL && !str_eq(c->owner, d.issuer))
        return err_set(c->err, RC_NOT_FOUND, "there is no document '%.*s'", STRF(c->params[0]));
    *ret = d;
    return RC_OK;
}

enum rc document_get_handler(struct call *c)
{
    struct document d;
    TRY(find_document(c, &d));
    return call_reply(c, &d);
}

enum rc document_lines_handler(struct call *c)
{
    const struct document_line_query *q = c->query;
    struct document d;
    struct page page;
    TRY(find_document(c, &d));
    TRY(document_lines(c->tx, d.id, &q->page, &page));
    return call_reply_page(c, &page);
}

static enum rc reply_changed(struct call *c, const struct document *before,
                             const struct document *after)
{
    call_note(c, after->id, &document_schema, before, after);
    return call_reply(c, after);
}

static enum rc hold(struct call *c, bool held)
{
    struct document before;
    struct document after;
    TRY(find_document(c, &before));
    TRY(document_hold(c->tx, before.id, held, &after));
    return reply_changed(c, &before, &after);
}

enum rc document_hold_handler(struct call *c)
{
    return hold(c, true);
}

enum rc document_release_handler(struct call *c)
{
    return hold(c, false);
}

enum rc document_finalise_handler(struct call *c)
{
    struct document before;
    struct document after;
    TRY(find_document(c, &before));
    TRY(document_finalise(c->tx, c->api->ledger, before.id, &after));
    return reply_changed(c, &before, &after);
}

enum rc document_credit_handler(struct call *c)
{
    const struct credit_order *body = c->body;
    struct document before;
    struct document credit;
    TRY(find_document(c, &before));
    struct credit_request request = {before.id, body->lines.items, body->lines.count, body->note};
    TRY(document_credit(c->tx, c->api->ledger, &settle_above, &request, &credit));
    call_location(c, arena_fmt(c->arena, "/v1/documents/%.*s", STRF(credit.id)));
    call_note(c, before.id, &document_schema, NULL, &credit);
    return call_reply(c, &credit);
}

enum rc document_write_off_handler(struct call *c)
{
    struct document before;
    struct document after;
    TRY(find_document(c, &before));
    TRY(bad_debt_write_off(c->tx, c->api->ledger, before.id, &after));
    return reply_changed(c, &before, &after);
}

/* --- books --- */

enum rc book_list_handler(struct call *c)
{
    struct page page;
    TRY(book_list(c->tx, c->api->ledger, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc book_transfers_handler(struct call *c)
{
    struct page page;
    TRY(book_transfers(c->tx, c->api->ledger, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

/* --- rates of currencies --- */

enum rc exchange_rate_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(exchange_rate_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc exchange_rate_create_handler(struct call *c)
{
    struct exchange_rate rate;
    TRY(exchange_rate_create(c->tx, c->owner, c->body, &rate));
    call_note(c, rate.id, &exchange_rate_schema, NULL, &rate);
    return call_reply(c, &rate);
}

enum rc exchange_rate_get_handler(struct call *c)
{
    struct exchange_rate rate;
    TRY(exchange_rate_get(c->tx, c->params[0], &rate));
    return call_reply(c, &rate);
}
