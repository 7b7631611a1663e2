/*
 * work_routes.c - hardware work: who asks for it, who does it, and what they show one another.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "fleet/work_order.h"

static enum rc is_operator(struct call *c, bool *ret)
{
    struct party party;
    TRY(party_get(c->tx, c->owner, &party));
    *ret = party.sponsor.n == 0;
    return RC_OK;
}

enum rc work_kind_list_handler(struct call *c)
{
    struct list list;
    TRY(work_kind_list(c->tx, &list));
    return call_reply_list(c, list);
}

enum rc work_kind_put_handler(struct call *c)
{
    bool yes = false;
    struct work_kind kind;
    TRY(is_operator(c, &yes));
    if (!yes)
        return err_set(c->err, RC_FORBIDDEN, "kinds of work are the operator's");
    TRY(work_kind_put(c->tx, c->body, &kind));
    call_location(c, STR("/v1/work-kinds"));
    call_note(c, kind.code, &work_kind_schema, NULL, &kind);
    return call_reply(c, &kind);
}

enum rc work_order_list_handler(struct call *c)
{
    struct page page;
    bool all = false;
    TRY(is_operator(c, &all));
    TRY(work_order_list(c->tx, c->owner, all, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc work_order_open_handler(struct call *c)
{
    struct work_order order;
    TRY(work_order_open(c->tx, c->owner, c->body, &order));
    call_location(c, arena_fmt(c->arena, "/v1/work-orders/%.*s", STRF(order.id)));
    call_note(c, order.id, &work_order_schema, NULL, &order);
    return call_reply(c, &order);
}

enum rc work_order_get_handler(struct call *c)
{
    struct work_order order;
    TRY(work_order_get(c->tx, c->params[0], &order));
    return call_reply(c, &order);
}

enum rc work_order_change_handler(struct call *c)
{
    struct work_order before;
    struct work_order after;
    int64_t version = 0;
    TRY(work_order_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(work_order_change(c->tx, c->owner, before.id, version, c->body, &after));
    call_note(c, after.id, &work_order_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc work_order_assign_handler(struct call *c)
{
    struct work_order before;
    struct work_order after;
    TRY(work_order_get(c->tx, c->params[0], &before));
    TRY(work_order_assign(c->tx, before.id, c->body, &after));
    call_note(c, after.id, &work_order_schema, &before, &after);
    return call_reply(c, &after);
}

static enum rc act(struct call *c, enum work_action action)
{
    const struct work_word *word = c->body;
    struct work_order before;
    struct work_order after;
    TRY(work_order_get(c->tx, c->params[0], &before));
    TRY(work_order_act(c->tx, c->owner, before.id, action, word->text, &after));
    call_note(c, after.id, &work_order_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc work_order_accept_handler(struct call *c)
{
    return act(c, WORK_ACCEPT);
}

enum rc work_order_decline_handler(struct call *c)
{
    return act(c, WORK_DECLINE);
}

enum rc work_order_done_handler(struct call *c)
{
    return act(c, WORK_FINISH);
}

enum rc work_order_return_handler(struct call *c)
{
    return act(c, WORK_RETURN);
}

enum rc work_order_cancel_handler(struct call *c)
{
    return act(c, WORK_CANCEL);
}

/* --- steps --- */

enum rc work_step_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(work_step_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

static enum rc add_step(struct call *c, struct str text, struct str photo)
{
    struct work_step step;
    TRY(work_step_add(c->tx, c->owner, c->params[0], text, photo, &step));
    call_location(c, arena_fmt(c->arena, "/v1/work-orders/%.*s/steps", STRF(c->params[0])));
    call_note(c, step.id, &work_step_schema, NULL, &step);
    return call_reply(c, &step);
}

enum rc work_step_add_handler(struct call *c)
{
    const struct work_word *word = c->body;
    return add_step(c, word->text, STR(""));
}

static enum rc keep_photo(struct call *c)
{
    const struct work_word *word = c->query;
    struct str photo = http_body(c->x);
    if (photo.n == 0)
        return err_set(c->err, RC_INVALID, "the photo is missing");
    return add_step(c, word->text, photo);
}

enum rc work_photo_add_handler(struct call *c)
{
    return call_write(c, keep_photo);
}

enum rc work_photo_get_handler(struct call *c)
{
    struct str type;
    struct str bytes;
    TRY(work_photo(c->tx, c->params[0], &type, &bytes));
    return call_reply_bytes(c, 200, str_eq(type, STR("image/png")) ? "image/png" : "image/jpeg",
                            bytes);
}
