/*
 * vantage_routes.c - services as other sites see them: for people, and for the nodes that look.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "fleet/vantage.h"

enum rc vantage_get_handler(struct call *c)
{
    struct vantage vantage;
    TRY(vantage_get(c->tx, c->params[0], c->query, &vantage));
    return call_reply(c, &vantage);
}

enum rc vantage_set_handler(struct call *c)
{
    struct vantage vantage;
    TRY(vantage_set(c->tx, c->params[0], c->body, &vantage));
    call_note(c, vantage.service, &vantage_order_schema, NULL, c->body);
    return call_reply(c, &vantage);
}

enum rc vantage_site_handler(struct call *c)
{
    struct site_vantage vantage;
    TRY(vantage_site(c->tx, c->params[0], c->query, &vantage));
    return call_reply(c, &vantage);
}

enum rc vantage_node_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(vantage_node(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

/* --- the agents' --- */

enum rc agent_probes_handler(struct call *c)
{
    struct probe_tasks tasks;
    TRY(vantage_tasks(c->tx, c->caller.node, &tasks));
    return call_reply(c, &tasks);
}

enum rc agent_probes_told_handler(struct call *c)
{
    struct probe_taken taken = {.set = schema_all(&probe_taken_schema)};
    TRY(vantage_take(c->tx, c->caller.node, c->body, &taken.count));
    return call_reply(c, &taken);
}
