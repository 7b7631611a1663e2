/*
 * system_routes.c - the installation itself: health, version, status, the document of the API,
 * events.
 */
#include "api/handlers.h"
#include "api/inside.h"
#include "api/metrics.h"
#include "api/resources.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

enum rc healthz_handler(struct call *c)
{
    return call_reply_bytes(c, 200, TEXT_PLAIN, STR("ok\n"));
}

enum rc readyz_handler(struct call *c)
{
    struct party operator_party;
    enum rc rc = party_operator(c->tx, &operator_party);
    if (rc == RC_NOT_FOUND || atomic_load(&c->api->server) == NULL)
        return err_set(c->err, RC_UNAVAILABLE, "starting");
    TRY(rc);
    return call_reply_bytes(c, 200, TEXT_PLAIN, STR("ready\n"));
}

enum rc version_handler(struct call *c)
{
    struct version v = {
        .set = schema_all(&version_schema), .version = str_c(HANSE_VERSION), .api = STR("v1")};
    return call_reply(c, &v);
}

enum rc openapi_handler(struct call *c)
{
    const struct api *a = c->api;
    call_header(c, "ETag", a->openapi_etag);
    if (str_has(http_header(c->x, "If-None-Match"), a->openapi_etag))
        return call_reply_bytes(c, 304, NULL, STR(""));
    return call_reply_bytes(c, 200, "application/json", a->openapi);
}

/* Whether the caller reads state and metrics of the installation. */
static enum rc reads_system(struct call *c)
{
    struct party operator_party;
    TRY(party_operator(c->tx, &operator_party));
    enum rc rc = permission_allow(c->tx, &c->caller, PERM_SYSTEM_READ, operator_party.id);
    if (rc != RC_NOT_FOUND && rc != RC_FORBIDDEN)
        return rc;
    request_of(c)->missing = PERM_SYSTEM_READ;
    return err_set(c->err, RC_FORBIDDEN, "this needs the permission '%s' for the operator",
                   permission_text(PERM_SYSTEM_READ));
}

enum rc metrics_handler(struct call *c)
{
    if (!c->api->options.metrics_public)
        TRY(reads_system(c));
    struct buf b;
    buf_init(&b, c->arena, METRICS_BYTES_MAX);
    metrics_write(c->api, &b);
    ASSERT(!b.full);
    return call_reply_bytes(c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&b));
}

static const char *const staff_fields[] = {"store",   "parties",        "users",        "requests",
                                           "commits", "outbox_waiting", "outbox_failed"};

static enum rc fill_for_staff(struct call *c, struct status *s)
{
    struct api *a = c->api;
    struct http_server *server = atomic_load(&a->server);
    TRY(party_counts(c->tx, &s->parties, &s->users));
    s->store = store_describe(a->store);
    s->requests = server != NULL ? (int64_t)http_counters(server).requests : 0;
    s->commits = (int64_t)store_commits(a->store);
    if (a->options.outbox != NULL) {
        struct outbox_counters counters = outbox_counters(a->options.outbox);
        s->outbox_waiting = counters.waiting;
        s->outbox_failed = (int64_t)counters.failed;
    }
    return RC_OK;
}

enum rc status_handler(struct call *c)
{
    struct user user;
    TRY(user_get(c->tx, c->caller.user, &user));
    struct status s = {
        .set = schema_all(&status_schema),
        .version = str_c(HANSE_VERSION),
        .user = user.id,
        .email = user.email,
        .memberships = user.memberships,
        .now = c->tx->now,
        .up_seconds = (clock_steady(c->api->options.clock) - c->api->started) / US_PER_SECOND,
    };
    if (reads_system(c) == RC_OK) {
        TRY(fill_for_staff(c, &s));
        return call_reply(c, &s);
    }
    err_clear(c->err);
    request_of(c)->missing = PERM_NONE;
    for (size_t i = 0; i < COUNT(staff_fields); i++) {
        int field = schema_find(&status_schema, str_c(staff_fields[i]));
        ASSERT(field >= 0);
        s.set &= ~(UINT64_C(1) << field);
    }
    return call_reply(c, &s);
}

enum rc events_handler(struct call *c)
{
    TRY(stream_open(c, &c->stream));
    c->status = 200;
    return RC_OK;
}
