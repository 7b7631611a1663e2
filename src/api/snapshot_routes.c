/* snapshot_routes.c - snapshots of machines, as people ask for them. */
#include "api/handlers.h"
#include "api/inside.h"
#include "fleet/snapshot.h"

static enum rc want_seal(struct call *c)
{
    return c->api->sealed ? RC_OK
                          : err_set(c->err, RC_UNSUPPORTED,
                                    "snapshots need the setting key_file, which is not set here");
}

enum rc snapshot_list_handler(struct call *c)
{
    struct page page;
    const struct list_query *q = c->query;
    TRY(snapshot_list(c->tx, c->params[0], &q->page, &page));
    return call_reply_page(c, &page);
}

enum rc snapshot_get_handler(struct call *c)
{
    struct snapshot snapshot;
    TRY(snapshot_get(c->tx, c->params[0], &snapshot));
    return call_reply(c, &snapshot);
}

enum rc snapshot_take_handler(struct call *c)
{
    struct snapshot snapshot;
    TRY(want_seal(c));
    TRY(snapshot_take(c->tx, &c->api->seal, c->params[0], c->body, &snapshot));
    call_location(c, arena_fmt(c->arena, "/v1/snapshots/%.*s", STRF(snapshot.id)));
    call_note(c, snapshot.id, &snapshot_schema, NULL, &snapshot);
    return call_reply(c, &snapshot);
}

enum rc snapshot_revert_handler(struct call *c)
{
    struct snapshot snapshot;
    struct service before;
    struct service after;
    TRY(want_seal(c));
    TRY(snapshot_get(c->tx, c->params[0], &snapshot));
    TRY(service_get(c->tx, snapshot.service, &before));
    TRY(snapshot_revert(c->tx, &c->api->seal, snapshot.id, &after));
    call_note(c, snapshot.id, &service_schema, &before, &after);
    return call_reply(c, &after);
}

enum rc snapshot_delete_handler(struct call *c)
{
    struct snapshot before;
    struct snapshot after;
    TRY(want_seal(c));
    TRY(snapshot_get(c->tx, c->params[0], &before));
    TRY(snapshot_delete(c->tx, &c->api->seal, before.id, &after));
    call_note(c, after.id, &snapshot_schema, &before, &after);
    return call_reply(c, &after);
}
