/*
 * catalog_routes.c - items, meters, plans, prices, limits, subscriptions.
 *
 * List prices are the operator's alone; everybody else asks for the prices of an agreement, and is
 * told those of its own side.
 */
#include "api/handlers.h"
#include "api/resources.h"

/* --- items --- */

static enum rc is_operator(struct call *c, bool *ret)
{
    struct party party;
    TRY(party_get(c->tx, c->owner, &party));
    *ret = party.sponsor.n == 0;
    return RC_OK;
}

static enum rc want_operator(struct call *c)
{
    bool yes = false;
    TRY(is_operator(c, &yes));
    return yes ? RC_OK
               : err_set(c->err, RC_FORBIDDEN,
                         "the catalogue and its list prices are the operator's");
}

enum rc item_list_handler(struct call *c)
{
    struct page page;
    bool all = false;
    TRY(is_operator(c, &all));
    TRY(all ? item_list(c->tx, c->query, &page)
            : item_list_visible(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc item_create_handler(struct call *c)
{
    struct item item;
    TRY(want_operator(c));
    TRY(item_create(c->tx, c->owner, c->body, &item));
    call_location(c, arena_fmt(c->arena, "/v1/items/%.*s", STRF(item.id)));
    call_note(c, item.id, &item_schema, NULL, &item);
    return call_reply(c, &item);
}

enum rc item_get_handler(struct call *c)
{
    struct item item;
    TRY(item_get(c->tx, c->params[0], &item));
    return call_reply(c, &item);
}

enum rc item_change_handler(struct call *c)
{
    struct item before;
    struct item after;
    int64_t version = 0;
    TRY(item_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(item_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &item_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- meters --- */

enum rc meter_list_handler(struct call *c)
{
    struct list list;
    TRY(meter_list(c->tx, &list));
    struct meter *meters = list.items;
    for (size_t i = 0; i < list.count; i++)
        if (!str_eq(meters[i].owner, c->owner)) /* who the operator is, not everybody is told */
            meters[i].set &= ~schema_bit(&meter_schema, "owner");
    return call_reply_list(c, list);
}

enum rc meter_create_handler(struct call *c)
{
    struct meter meter;
    TRY(want_operator(c));
    TRY(meter_create(c->tx, c->owner, c->body, &meter));
    call_location(c, arena_fmt(c->arena, "/v1/parties/%.*s/meters", STRF(c->owner)));
    call_note(c, meter.id, &meter_schema, NULL, &meter);
    return call_reply(c, &meter);
}

/* --- plans --- */

enum rc plan_list_handler(struct call *c)
{
    struct page page;
    TRY(want_operator(c));
    TRY(plan_list(c->tx, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc plan_create_handler(struct call *c)
{
    struct plan plan;
    TRY(want_operator(c));
    TRY(plan_create(c->tx, c->body, &plan));
    call_location(c, arena_fmt(c->arena, "/v1/plans/%.*s", STRF(plan.id)));
    call_note(c, plan.id, &plan_schema, NULL, &plan);
    return call_reply(c, &plan);
}

enum rc plan_get_handler(struct call *c)
{
    struct plan plan;
    TRY(plan_get(c->tx, c->params[0], &plan));
    return call_reply(c, &plan);
}

enum rc plan_change_handler(struct call *c)
{
    struct plan before;
    struct plan after;
    int64_t version = 0;
    TRY(plan_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(plan_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &plan_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- what an agreement sells --- */

/* Both sides ask for an agreement of any kind; things are sold by those of one. */
static enum rc want_supply(struct call *c, struct agreement *ret)
{
    TRY(agreement_get(c->tx, c->params[0], ret));
    bool secret = ret->terms.offered == 0 && ret->terms.signed_at == 0;
    if (ret->kind != AGREEMENT_SUPPLY || (secret && !str_eq(ret->from, c->owner)))
        return err_set(c->err, RC_NOT_FOUND, "there is no supply agreement '%.*s'",
                       STRF(c->params[0]));
    return RC_OK;
}

enum rc price_list_handler(struct call *c)
{
    const struct instant_query *q = c->query;
    struct agreement a;
    struct list list;
    TRY(want_supply(c, &a));
    TRY(catalog_prices(c->tx, a.id, c->owner, q->at != 0 ? q->at : c->tx->now, &list));
    return call_reply_list(c, list);
}

enum rc limit_list_handler(struct call *c)
{
    struct agreement a;
    struct list list;
    TRY(want_supply(c, &a));
    TRY(path_limit_list(c->tx, a.id, &list));
    return call_reply_list(c, list);
}

enum rc limit_set_handler(struct call *c)
{
    struct agreement a;
    struct path_limit limit;
    TRY(want_supply(c, &a));
    TRY(path_limit_set(c->tx, a.id, c->body, &limit));
    call_note(c, a.id, &path_limit_schema, NULL, &limit);
    return call_reply(c, &limit);
}

/* --- subscriptions --- */

enum rc subscription_list_handler(struct call *c)
{
    struct page page;
    TRY(subscription_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc subscription_create_handler(struct call *c)
{
    struct subscription fresh = *(const struct subscription *)c->body;
    struct subscription made;
    struct agreement a;
    TRY(want_supply(c, &a));
    if (fresh.agreement.n > 0 && !str_eq(fresh.agreement, a.id))
        return err_set_at(c->err, RC_INVALID, STR("/agreement"),
                          "the path names another agreement");
    fresh.agreement = a.id;
    TRY(subscription_create(c->tx, &fresh, &made));
    call_location(c, arena_fmt(c->arena, "/v1/subscriptions/%.*s", STRF(made.id)));
    call_note(c, made.id, &subscription_schema, NULL, &made);
    return call_reply(c, &made);
}

enum rc subscription_get_handler(struct call *c)
{
    struct subscription s;
    TRY(subscription_get(c->tx, c->params[0], &s));
    return call_reply(c, &s);
}

static enum rc reply_with(struct call *c, const struct subscription *before,
                          const struct subscription *after)
{
    call_note(c, after->id, &subscription_schema, before, after);
    return call_reply(c, after);
}

/* What patch says; *ret_version 0 where the caller did not say what it had read. */
static enum rc change(struct call *c, time_us at, const struct subscription *before,
                      const struct subscription *patch)
{
    struct subscription after;
    int64_t version = 0;
    TRY(call_match(c, before->version, &version));
    TRY(subscription_change(c->tx, before->id, version, at, patch, &after));
    return reply_with(c, before, &after);
}

/* That the seller of an agreement is the caller's side: nobody hands a client on to another. */
static enum rc check_own(struct call *c, const struct subscription *patch)
{
    struct agreement a;
    if (!schema_has(&subscription_schema, patch, "agreement"))
        return RC_OK;
    enum rc rc = agreement_get(c->tx, patch->agreement, &a);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    return rc == RC_OK && str_eq(a.from, c->owner)
               ? RC_OK
               : err_set_at(c->err, RC_INVALID, STR("/agreement"),
                            "'%.*s' is no supply agreement of yours", STRF(patch->agreement));
}

enum rc subscription_change_handler(struct call *c)
{
    const struct instant_query *q = c->query;
    struct subscription before;
    TRY(subscription_get(c->tx, c->params[0], &before));
    TRY(check_own(c, c->body));
    return change(c, q->at, &before, c->body);
}

enum rc subscription_end_handler(struct call *c)
{
    const struct ending *body = c->body;
    struct subscription before;
    struct subscription after;
    int64_t version = 0;
    TRY(subscription_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(subscription_end(c->tx, before.id, body->at, &after));
    return reply_with(c, &before, &after);
}

enum rc subscription_rename_handler(struct call *c)
{
    const struct naming *body = c->body;
    struct subscription before;
    struct subscription patch = {.set = schema_bit(&subscription_schema, "name"),
                                 .name = body->name};
    TRY(subscription_get(c->tx, c->params[0], &before));
    return change(c, 0, &before, &patch);
}

/* The client chooses: the seller of the other agreement has offered it the plan by its books. */
enum rc subscription_move_handler(struct call *c)
{
    const struct moving *body = c->body;
    struct subscription before;
    struct subscription patch = {.set = schema_bit(&subscription_schema, "agreement"),
                                 .agreement = body->agreement};
    struct agreement a;
    TRY(subscription_get(c->tx, c->params[0], &before));
    enum rc rc = agreement_get(c->tx, body->agreement, &a);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(a.to, c->owner)))
        return err_set_at(c->err, RC_INVALID, STR("/agreement"),
                          "'%.*s' is no supply agreement of yours", STRF(body->agreement));
    TRY(rc);
    return change(c, 0, &before, &patch);
}
