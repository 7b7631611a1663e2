/*
 * settle_routes.c - money that comes in, what is owed for shares, money that goes out.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "settle/clearing.h"
#include "settle/financing.h"
#include "settle/fund.h"
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

/* --- a run of settlement --- */

struct settling {
    struct ledger *ledger;
    struct settlement order;
    struct settlement_progress at; /* as it is durable */
    struct settlement_progress next;
};

static enum rc settle_some(struct tx *tx, void *arg)
{
    struct settling *s = arg;
    if (s->order.cut_off == 0) /* one for all units */
        s->order.cut_off = tx->now;
    s->next = s->at;
    return settlement_some(tx, s->ledger, &s->order, &s->next);
}

static enum rc settle_end(struct call *c)
{
    struct settlement made;
    const struct settling *s = c->steps;
    TRY(settlement_end(c->tx, &s->order, &s->at, &made));
    call_note(c, made.id, &settlement_schema, NULL, &made);
    return call_reply(c, &made);
}

/* Unit by unit, so that others write between them. */
enum rc settlement_create_handler(struct call *c)
{
    enum rc rc = RC_OK;
    struct arena own;
    const struct settlement *body = c->body;
    struct settling s = {.ledger = c->api->ledger,
                         .order = {.party = c->owner, .id = body->id, .cut_off = body->cut_off}};
    c->steps = &s;
    arena_init(&own, STORE_TX_ARENA_BYTES);
    while (rc == RC_OK && s.at.step != SETTLEMENT_END) {
        rc = store_write(c->api->store, &own, c->err, settle_some, &s);
        if (rc == RC_OK)
            s.at = s.next;
        else if (settlement_pass(&s.at, &s.next, c->err))
            rc = RC_OK;
        arena_reset(&own);
    }
    arena_fini(&own);
    return rc == RC_OK ? call_write(c, settle_end) : rc;
}

enum rc clearing_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(clearing_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc fund_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(fund_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc fund_create_handler(struct call *c)
{
    struct fund fund;
    TRY(fund_create(c->tx, c->api->ledger, c->owner, c->caller.user, c->body, &fund));
    call_note(c, fund.id, &fund_schema, NULL, &fund);
    return call_reply(c, &fund);
}

enum rc fund_get_handler(struct call *c)
{
    struct fund fund;
    TRY(fund_get(c->tx, c->params[0], &fund));
    return call_reply(c, &fund);
}

enum rc fund_release_handler(struct call *c)
{
    struct fund before;
    struct fund after;
    TRY(fund_get(c->tx, c->params[0], &before));
    TRY(fund_release(c->tx, c->api->ledger, c->params[0], c->caller.user, &after));
    call_note(c, after.id, &fund_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc fund_withdraw_handler(struct call *c)
{
    struct fund before;
    struct fund after;
    TRY(fund_get(c->tx, c->params[0], &before));
    TRY(fund_withdraw(c->tx, c->params[0], &after));
    call_note(c, after.id, &fund_schema, &before, &after);
    return call_reply(c, &after);
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

enum rc financing_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(financing_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc financing_create_handler(struct call *c)
{
    struct financing financing;
    TRY(financing_create(c->tx, c->api->ledger, c->owner, c->body, &financing));
    call_note(c, financing.id, &financing_schema, NULL, &financing);
    return call_reply(c, &financing);
}

enum rc financing_get_handler(struct call *c)
{
    struct financing financing;
    TRY(financing_get(c->tx, c->params[0], &financing));
    return call_reply(c, &financing);
}
