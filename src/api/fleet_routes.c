/*
 * fleet_routes.c - sites, nodes, kinds, offers and services, as people use them.
 */
#include "api/handlers.h"
#include "api/inside.h"

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
    return yes ? RC_OK : err_set(c->err, RC_FORBIDDEN, "offers are the operator's");
}

static enum rc want_seal(struct call *c, const struct seal **ret)
{
    *ret = &c->api->seal;
    return c->api->sealed ? RC_OK
                          : err_set(c->err, RC_UNSUPPORTED,
                                    "services need the setting key_file, which is not set here");
}

/* --- sites --- */

enum rc site_list_handler(struct call *c)
{
    struct page page;
    bool all = false;
    TRY(is_operator(c, &all));
    TRY(site_list(c->tx, c->owner, all, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc site_create_handler(struct call *c)
{
    struct site site;
    TRY(site_create(c->tx, c->owner, c->body, &site));
    call_location(c, arena_fmt(c->arena, "/v1/sites/%.*s", STRF(site.id)));
    call_note(c, site.id, &site_schema, NULL, &site);
    return call_reply(c, &site);
}

enum rc site_get_handler(struct call *c)
{
    struct site site;
    TRY(site_get(c->tx, c->params[0], &site));
    return call_reply(c, &site);
}

enum rc site_change_handler(struct call *c)
{
    struct site before;
    struct site after;
    int64_t version = 0;
    TRY(site_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(site_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &site_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- nodes --- */

enum rc node_list_handler(struct call *c)
{
    struct page page;
    bool all = false;
    TRY(is_operator(c, &all));
    TRY(node_list(c->tx, c->owner, all, c->query, &page));
    return call_reply_page(c, &page);
}

/* The token is for the answer, not for the log. */
static enum rc reply_token(struct call *c, struct node *node)
{
    struct node noted = *node;
    noted.set &= ~schema_bit(&node_schema, "token");
    call_note(c, node->id, &node_schema, NULL, &noted);
    return call_reply(c, node);
}

enum rc node_create_handler(struct call *c)
{
    struct node node;
    TRY(node_create(c->tx, c->params[0], c->body, &node));
    call_location(c, arena_fmt(c->arena, "/v1/nodes/%.*s", STRF(node.id)));
    return reply_token(c, &node);
}

enum rc node_token_handler(struct call *c)
{
    struct node node;
    TRY(node_token(c->tx, c->params[0], &node));
    return reply_token(c, &node);
}

enum rc node_get_handler(struct call *c)
{
    struct node node;
    TRY(node_get(c->tx, c->params[0], &node));
    return call_reply(c, &node);
}

enum rc node_change_handler(struct call *c)
{
    struct node before;
    struct node after;
    int64_t version = 0;
    TRY(node_get(c->tx, c->params[0], &before));
    TRY(call_match(c, before.version, &version));
    TRY(node_change(c->tx, before.id, version, c->body, &after));
    call_note(c, after.id, &node_schema, &before, &after);
    return call_reply(c, &after);
}

/* What runs there, and nothing of whose it is or what was chosen. */
enum rc node_services_handler(struct call *c)
{
    static const char *const shown[] = {"id",        "profile",      "state",      "wanted",
                                        "cpu_milli", "memory_bytes", "disk_bytes", "generation",
                                        "seen",      "step",         "reason"};
    struct page page;
    uint64_t set = 0;
    const struct list_query *q = c->query;
    TRY(service_list_node(c->tx, c->params[0], &q->page, &page));
    for (size_t i = 0; i < COUNT(shown); i++)
        set |= schema_bit(&service_schema, shown[i]);
    struct service *items = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        items[i].set = set;
    return call_reply_page(c, &page);
}

static enum rc act_on_node(struct call *c, enum node_action action)
{
    struct node before;
    struct node after;
    TRY(node_get(c->tx, c->params[0], &before));
    TRY(node_act(c->tx, before.id, action, &after));
    call_note(c, after.id, &node_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc node_drain_handler(struct call *c)
{
    return act_on_node(c, NODE_DRAIN);
}

enum rc node_disable_handler(struct call *c)
{
    return act_on_node(c, NODE_DISABLE);
}

enum rc node_enable_handler(struct call *c)
{
    return act_on_node(c, NODE_ENABLE);
}

enum rc node_evacuate_handler(struct call *c)
{
    return act_on_node(c, NODE_EVACUATE);
}

enum rc node_revoke_handler(struct call *c)
{
    struct node before;
    struct node after;
    TRY(node_get(c->tx, c->params[0], &before));
    TRY(node_revoke(c->tx, before.id, &after));
    call_note(c, after.id, &node_schema, &before, &after);
    return call_reply(c, &after);
}

/* --- kinds and offers --- */

enum rc kind_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(kind_list(c->tx, &q->page, &page));
    struct kind *items = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        items[i].set &= ~schema_bit(&kind_schema, "owner");
    return call_reply_page(c, &page);
}

enum rc kind_get_handler(struct call *c)
{
    struct kind kind;
    struct str named = c->params[0];
    TRY(id_is(named, "prf") ? kind_get(c->tx, named, &kind) : kind_find(c->tx, named, &kind));
    kind.set &= ~schema_bit(&kind_schema, "owner");
    return call_reply(c, &kind);
}

enum rc kind_create_handler(struct call *c)
{
    struct kind kind;
    TRY(kind_create(c->tx, c->owner, c->body, &kind));
    call_location(c, arena_fmt(c->arena, "/v1/kinds/%.*s", STRF(kind.id)));
    call_note(c, kind.id, &kind_schema, NULL, &kind);
    return call_reply(c, &kind);
}

enum rc offer_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(offer_list(c->tx, c->owner, &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc offer_create_handler(struct call *c)
{
    struct offer offer;
    TRY(want_operator(c));
    TRY(offer_create(c->tx, c->owner, c->body, &offer));
    call_location(c, arena_fmt(c->arena, "/v1/offers/%.*s", STRF(offer.id)));
    call_note(c, offer.id, &offer_schema, NULL, &offer);
    return call_reply(c, &offer);
}

enum rc offer_get_handler(struct call *c)
{
    struct offer offer;
    TRY(offer_get(c->tx, c->params[0], &offer));
    return call_reply(c, &offer);
}

/* --- services --- */

enum rc service_list_handler(struct call *c)
{
    struct page page;
    TRY(service_list(c->tx, c->owner, c->query, &page));
    return call_reply_page(c, &page);
}

enum rc service_order_handler(struct call *c)
{
    const struct seal *seal = NULL;
    struct service service;
    TRY(want_seal(c, &seal));
    TRY(service_order(c->tx, seal, c->owner, c->body, &service));
    call_location(c, arena_fmt(c->arena, "/v1/services/%.*s", STRF(service.id)));
    call_note(c, service.id, &service_schema, NULL, &service);
    return call_reply(c, &service);
}

enum rc service_price_handler(struct call *c)
{
    struct list list;
    TRY(service_price(c->tx, c->owner, c->body, &list));
    return call_reply_list(c, list);
}

enum rc service_get_handler(struct call *c)
{
    struct service service;
    TRY(service_get(c->tx, c->params[0], &service));
    return call_reply(c, &service);
}

enum rc service_connection_handler(struct call *c)
{
    const struct seal *seal = NULL;
    struct list list;
    TRY(want_seal(c, &seal));
    TRY(service_connection(c->tx, seal, c->params[0], &list));
    return call_reply_list(c, list);
}

enum rc service_operations_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(operation_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

/* Of a service, or of a node. */
enum rc service_availability_handler(struct call *c)
{
    const struct availability_query *q = c->query;
    struct availability availability;
    TRY(availability_of(c->tx, c->params[0], q->month, &availability));
    return call_reply(c, &availability);
}

static enum rc reply_promises(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(promise_change_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc service_promises_handler(struct call *c)
{
    return reply_promises(c);
}

enum rc node_promises_handler(struct call *c)
{
    return reply_promises(c);
}

enum rc site_promises_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(promise_change_list_site(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc operation_get_handler(struct call *c)
{
    struct operation operation;
    TRY(operation_get(c->tx, c->params[0], &operation));
    return call_reply(c, &operation);
}

static enum rc reply_change(struct call *c, const struct service *before,
                            const struct service *after)
{
    call_note(c, after->id, &service_schema, before, after);
    return call_reply(c, after);
}

static enum rc act(struct call *c, enum service_action action)
{
    const struct seal *seal = NULL;
    struct service before;
    struct service after;
    TRY(want_seal(c, &seal));
    TRY(service_get(c->tx, c->params[0], &before));
    TRY(service_act(c->tx, seal, before.id, action, &after));
    return reply_change(c, &before, &after);
}

enum rc service_approve_handler(struct call *c)
{
    return act(c, SERVICE_APPROVE);
}

enum rc service_refuse_handler(struct call *c)
{
    return act(c, SERVICE_REFUSE);
}

enum rc service_stop_handler(struct call *c)
{
    return act(c, SERVICE_STOP);
}

enum rc service_start_handler(struct call *c)
{
    return act(c, SERVICE_START);
}

enum rc service_restart_handler(struct call *c)
{
    return act(c, SERVICE_RESTART);
}

enum rc service_move_handler(struct call *c)
{
    return act(c, SERVICE_MOVE);
}

enum rc service_cancel_handler(struct call *c)
{
    return act(c, SERVICE_CANCEL);
}

enum rc service_resize_handler(struct call *c)
{
    const struct seal *seal = NULL;
    struct service before;
    struct service after;
    TRY(want_seal(c, &seal));
    TRY(service_get(c->tx, c->params[0], &before));
    TRY(service_resize(c->tx, seal, before.id, c->body, &after));
    return reply_change(c, &before, &after);
}

enum rc service_upgrade_handler(struct call *c)
{
    const struct seal *seal = NULL;
    struct upgrade upgrade;
    TRY(want_seal(c, &seal));
    TRY(upgrade_begin(c->tx, seal, c->params[0], c->body, &upgrade));
    call_location(c, arena_fmt(c->arena, "/v1/services/%.*s/upgrades", STRF(upgrade.service)));
    call_note(c, upgrade.id, &upgrade_schema, NULL, &upgrade);
    return call_reply(c, &upgrade);
}

enum rc upgrade_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(upgrade_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc service_rename_handler(struct call *c)
{
    const struct naming *naming = c->body;
    struct service before;
    struct service after;
    TRY(service_get(c->tx, c->params[0], &before));
    TRY(service_rename(c->tx, before.id, naming->name, &after));
    return reply_change(c, &before, &after);
}

/* --- what a server costs --- */

enum rc node_cost_get_handler(struct call *c)
{
    struct node_cost cost;
    TRY(node_cost_get(c->tx, c->params[0], &cost));
    return call_reply(c, &cost);
}

/* Noted is that it was said; what, is its owner's alone. */
enum rc node_cost_set_handler(struct call *c)
{
    struct node_cost cost;
    TRY(node_cost_set(c->tx, c->params[0], c->body, &cost));
    c->note.subject = c->params[0];
    return call_reply(c, &cost);
}
