/*
 * alert_routes.c - who is told of promises that fail.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "fleet/alert.h"

enum rc alert_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(alert_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc alert_create_handler(struct call *c)
{
    struct alert alert;
    TRY(alert_create(c->tx, api_seal(c->api), c->owner, c->body, &alert));
    call_location(c, arena_fmt(c->arena, "/v1/alerts/%.*s", STRF(alert.id)));
    call_note(c, alert.id, &alert_schema, NULL, &alert);
    return call_reply(c, &alert);
}

enum rc alert_get_handler(struct call *c)
{
    struct alert alert;
    TRY(alert_get(c->tx, c->params[0], &alert));
    return call_reply(c, &alert);
}

enum rc alert_change_handler(struct call *c)
{
    struct alert before;
    struct alert after;
    int64_t version = 0;
    TRY(alert_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(alert_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &alert_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc alert_delete_handler(struct call *c)
{
    struct alert before;
    TRY(alert_get(c->tx, c->params[0], &before));
    TRY(alert_delete(c->tx, before.id));
    call_note(c, before.id, &alert_schema, &before, NULL);
    return call_reply_nothing(c);
}

enum rc alert_secret_handler(struct call *c)
{
    struct alert before;
    struct alert after;
    TRY(alert_get(c->tx, c->params[0], &before));
    TRY(alert_renew(c->tx, api_seal(c->api), before.id, &after));
    call_note(c, after.id, &alert_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc alert_confirm_handler(struct call *c)
{
    const struct alert_confirmation *said = c->body;
    struct alert before;
    struct alert after;
    TRY(alert_get(c->tx, c->params[0], &before));
    TRY(alert_confirm(c->tx, before.id, said->code, &after));
    call_note(c, after.id, &alert_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc alert_test_handler(struct call *c)
{
    struct alert_delivery delivery;
    TRY(alert_test(c->tx, c->params[0], &delivery));
    call_location(c, arena_fmt(c->arena, "/v1/alerts/%.*s/deliveries", STRF(c->params[0])));
    call_note(c, delivery.id, &alert_delivery_schema, NULL, &delivery);
    return call_reply(c, &delivery);
}

enum rc alert_deliveries_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(alert_delivery_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}
