#include "api/dispatch.h"

#include "api/auth.h"
#include "api/handlers.h"
#include "api/input.h"
#include "api/pages.h"
#include "api/problem.h"

enum { LOG_FIELDS = 8 };

/* --- the answer --- */

static void common_headers(struct request *r)
{
    struct call *c = &r->call;
    struct http_exchange *x = c->x;
    http_reply_header(x, "X-Content-Type-Options", STR("nosniff"));
    http_reply_header(x, "Referrer-Policy", STR("no-referrer"));
    if (c->api->https)
        http_reply_header(x, "Strict-Transport-Security", STR("max-age=63072000"));
    if (r->limited) {
        http_reply_header(x, "RateLimit-Policy", limits_policy(c->api->limits, r->limit.class));
        http_reply_header(x, "RateLimit", limits_header(&r->limit, c->arena));
    }
}

static void reply_problem(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    http_reply_header(c->x, "Cache-Control", STR("no-store"));
    problem_headers(r, rc);
    if (c->route != NULL && (c->route->flags & ROUTE_HIDDEN))
        page_problem_reply(r, rc);
    else
        http_reply(c->x, rc_http(rc), "application/problem+json", problem_json(r, rc));
}

/* Whether the client has this version already (RFC 9110, 13.1.2). */
static bool not_modified(struct request *r)
{
    struct call *c = &r->call;
    if (r->unsafe || c->status != 200 || c->etag.n == 0)
        return false;
    struct str header = http_header(c->x, "If-None-Match");
    struct etags seen;
    int64_t version = 0;
    if (header.n == 0 || etags_parse(header, "If-None-Match", &seen, c->err) != RC_OK)
        return false; /* RFC 9110 lets a server pass over what it cannot read */
    return str_to_i64(str_sub(c->etag, 1, c->etag.n - 1), 1, INT64_MAX, &version) &&
           etags_match(&seen, version);
}

static void reply_answer(struct request *r)
{
    struct call *c = &r->call;
    struct http_exchange *x = c->x;
    ASSERT(c->status >= 200);
    ASSERT(c->status <= 599);
    if (c->etag.n > 0)
        http_reply_header(x, "ETag", c->etag);
    if (c->location.n > 0)
        http_reply_header(x, "Location", c->location);
    if (c->next.n > 0)
        http_reply_header(x, "Link", arena_fmt(c->arena, "<%.*s>; rel=\"next\"", STRF(c->next)));
    bool cached = c->route->kind == ROUTE_PLAIN; /* else it is somebody's own */
    http_reply_header(x, "Cache-Control",
                      cached                        ? STR("no-cache")
                      : c->etag.n > 0 && !r->unsafe ? STR("private, no-cache")
                                                    : STR("no-store"));
    if (c->route->flags & ROUTE_LIST)
        http_reply_header(x, "Vary", STR("Accept"));
    for (size_t i = 0; i < c->header_count; i++)
        http_reply_header(x, c->headers[i].name.p, c->headers[i].value);
    if (http_replied(x))
        ASSERT(c->status > 0); /* the handler answered with a file */
    else if (c->stream != NULL)
        stream_start(c->stream, x);
    else if (not_modified(r))
        http_reply(x, 304, "", STR(""));
    else
        http_reply(x, c->status, c->type ? c->type : "", c->reply_body);
}

/* --- after it --- */

static size_t add_field(struct log_field fields[LOG_FIELDS], size_t count, const char *key,
                        struct str value)
{
    ASSERT(count < LOG_FIELDS);
    if (value.n == 0)
        return count;
    fields[count] = LOG_S(key, value);
    return count + 1;
}

static void log_outcome(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    const struct log *log = c->api->options.log;
    enum log_level level = rc == RC_OK && !r->unsafe ? LOG_DEBUG
                           : rc_http(rc) == 500      ? LOG_ERROR
                                                     : LOG_INFO;
    if (log == NULL || level < log->level)
        return;
    const char *event = c->route != NULL ? c->api->facts[c->route - routes].event : "http.unrouted";
    int64_t us = clock_steady(c->api->options.clock) - r->began;
    struct log_field fields[LOG_FIELDS] = {
        LOG_I("status", rc == RC_OK ? c->status : rc_http(rc)),
        LOG_I("us", us),
        LOG_S("request", http_request_id(c->x)),
        LOG_S("peer", http_peer(c->x)),
    };
    size_t count = 4;
    count = add_field(fields, count, "user", c->caller.user);
    count = add_field(fields, count, "subject", c->note.subject);
    if (rc != RC_OK)
        count = add_field(fields, count, "text", err_text(c->err));
    log_write(log, level, event, fields, count);
}

/* After these somebody may see less than before: streams ask anew. */
static bool changes_rights(const struct route *route)
{
    enum permission p = route->permission;
    return p == PERM_SELF_WRITE || p == PERM_PARTY_WRITE || p == PERM_MEMBER_WRITE ||
           p == PERM_NONE;
}

static void book_failure(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    bool unknown = r->credential.kind != CREDENTIAL_NONE && c->caller.kind == CALLER_NOBODY &&
                   (rc == RC_UNAUTHENTICATED || rc == RC_OK);
    if (unknown)
        limits_book(c->api->limits, LIMIT_FAILED, r->peer);
}

/* The handler found nothing new, and the caller would rather wait: the answer is held. */
static bool begin_to_wait(struct request *r)
{
    struct call *c = &r->call;
    if (!r->waits)
        return false;
    r->waits = false;
    if (!r->held)
        http_hold(c->x);
    r->held = true;
    return waiters_add(c->api->waiters, r);
}

static void finish(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    if (rc == RC_OK && begin_to_wait(r))
        return;
    if (r->limited)
        book_failure(r, rc);
    if (rc == RC_OK) {
        ASSERT(r->allowed); /* no rule, no answer */
        if (r->unsafe && c->route->kind != ROUTE_READ && changes_rights(c->route))
            event_hub_recheck(c->api->events);
        if (r->stale && c->caller.kind != CALLER_NOBODY)
            touches_add(c->api->touches, &c->caller);
        reply_answer(r);
    } else {
        if (c->stream != NULL)
            stream_drop(c->stream);
        reply_problem(r, rc);
    }
    common_headers(r);
    log_outcome(r, rc);
    if (r->held)
        http_send(c->x); /* the exchange is gone, and the request with it */
}

/* --- inside the store --- */

/* Who asks, whether they may, whether they were answered already. */
static enum rc admit(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    call_reset(c);
    c->tx = tx;
    if (c->stream != NULL) /* of an earlier run */
        stream_drop(c->stream);
    c->stream = NULL;
    TRY(auth_caller(r, tx));
    TRY(auth_allow(r, tx));
    if (r->bad != RC_OK) {
        *c->err = *r->bad_err;
        return r->bad;
    }
    return idempotency_find(r, tx);
}

static enum rc read_tx(struct tx *tx, void *arg)
{
    struct request *r = arg;
    struct call *c = &r->call;
    enum rc rc = admit(r, tx);
    bool here = c->route->kind == ROUTE_READ || c->route->kind == ROUTE_STREAM;
    if (rc == RC_OK && here)
        rc = handlers[c->route - routes](c);
    c->tx = NULL;
    return rc;
}

static enum rc put_audit(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    struct audit entry = {
        .user = c->note.user.n > 0 ? c->note.user : c->caller.user,
        .token = c->caller.token,
        .party = c->note.party.n > 0 ? c->note.party : c->owner,
        .action = str_c(c->route->operation),
        .subject = c->note.subject.n > 0 ? c->note.subject : c->owner,
        .before = c->note.before,
        .after = c->note.after,
        .address = http_peer(c->x),
        .request = http_request_id(c->x),
    };
    return audit_put(tx, &entry);
}

/* The effect, its audit entry and the answer kept for repeats: all or nothing. */
static enum rc take_effect(struct request *r, struct tx *tx, handler_fn fn)
{
    TRY(fn(&r->call));
    if (!(r->call.route->flags & ROUTE_QUIET))
        TRY(put_audit(r, tx));
    return idempotency_keep(r, tx);
}

static enum rc write_tx(struct tx *tx, void *arg)
{
    struct request *r = arg;
    struct call *c = &r->call;
    enum rc rc = admit(r, tx);
    if (rc == RC_OK && !r->replayed)
        rc = take_effect(r, tx, handlers[c->route - routes]);
    c->tx = NULL;
    return rc;
}

static void write_done(struct store_job *job, enum rc rc)
{
    struct request *r = CONTAINER_OF(job, struct request, job);
    if (rc == RC_OK && r->replayed)
        atomic_fetch_add(&r->call.api->replayed, 1);
    finish(r, rc);
}

/* --- what handlers of ROUTE_WORK call --- */

/* The work took a while since the snapshot in which the caller was admitted: who was logged out or
 * lost a permission meanwhile has no effect any more. A repeat that came while the first was at
 * work is answered here. */
static enum rc admit_again(struct request *r, struct tx *tx)
{
    struct call *c = &r->call;
    bool somebody = c->caller.kind != CALLER_NOBODY;
    if (somebody) {
        TRY(admit(r, tx));
        return c->caller.kind != CALLER_NOBODY
                   ? RC_OK
                   : err_set(c->err, RC_UNAUTHENTICATED, "you were logged out meanwhile");
    }
    call_reset(c);
    c->tx = tx;
    return idempotency_find(r, tx);
}

static enum rc work_effect_tx(struct tx *tx, void *arg)
{
    struct request *r = arg;
    struct call *c = &r->call;
    enum rc rc = admit_again(r, tx);
    if (rc == RC_OK && !r->replayed)
        rc = take_effect(r, tx, r->work_fn);
    c->tx = NULL;
    return rc;
}

static enum rc work_tx(struct tx *tx, void *arg)
{
    struct request *r = arg;
    r->call.tx = tx;
    enum rc rc = r->work_fn(&r->call);
    r->call.tx = NULL;
    return rc;
}

enum rc call_read(struct call *c, handler_fn fn)
{
    struct request *r = request_of(c);
    r->work_fn = fn;
    return store_read(c->api->store, c->arena, c->err, work_tx, r);
}

enum rc call_write(struct call *c, handler_fn fn)
{
    struct request *r = request_of(c);
    ASSERT(!r->written);
    r->work_fn = fn;
    TRY(store_write(c->api->store, c->arena, c->err, work_effect_tx, r));
    r->written = true;
    return RC_OK;
}

enum rc call_book(struct call *c, handler_fn fn)
{
    struct request *r = request_of(c);
    r->work_fn = fn;
    return store_write(c->api->store, c->arena, c->err, work_tx, r);
}

/* --- the ways of running --- */

static enum rc run_read(struct request *r)
{
    struct call *c = &r->call;
    r->commits = store_commits(c->api->store);
    return store_read(c->api->store, c->arena, c->err, read_tx, r);
}

static void on_pool(struct work_item *item)
{
    struct request *r = CONTAINER_OF(item, struct request, item);
    struct call *c = &r->call;
    enum rc rc = run_read(r);
    if (rc == RC_OK && !r->replayed && c->route->kind == ROUTE_WORK && r->bad == RC_OK)
        rc = handlers[c->route - routes](c);
    if (rc == RC_OK && r->replayed)
        atomic_fetch_add(&c->api->replayed, 1);
    finish(r, rc);
}

static void run_on_pool(struct request *r)
{
    struct call *c = &r->call;
    http_hold(c->x);
    r->held = true;
    r->item.run = on_pool;
    if (!work_submit(c->api->work, &r->item))
        finish(r, err_set(c->err, RC_UNAVAILABLE, "too much is waiting already: try again"));
}

void dispatch_resume(struct request *r)
{
    struct call *c = &r->call;
    r->item.run = on_pool;
    if (!work_submit(c->api->work, &r->item))
        finish(r, err_set(c->err, RC_UNAVAILABLE, "too much is waiting already: try again"));
}

static void run_write(struct request *r)
{
    struct call *c = &r->call;
    http_hold(c->x);
    r->held = true;
    r->job = (struct store_job){
        .fn = write_tx, .arg = r, .arena = c->arena, .err = c->err, .done = write_done};
    store_submit(c->api->store, &r->job);
}

static void run_in_snapshot(struct request *r)
{
    if (r->call.api->read_inline)
        finish(r, run_read(r));
    else
        run_on_pool(r);
}

static void run(struct request *r)
{
    struct call *c = &r->call;
    switch (c->route->kind) {
    case ROUTE_PLAIN:
        r->allowed = c->route->access == ACCESS_PUBLIC;
        call_reset(c);
        finish(r, r->bad == RC_OK ? handlers[c->route - routes](c) : r->bad);
        return;
    case ROUTE_READ:
    case ROUTE_STREAM:
        run_in_snapshot(r);
        return;
    case ROUTE_WRITE:
        if (r->bad == RC_OK)
            run_write(r);
        else
            run_in_snapshot(r); /* what cannot be used needs no tx to be refused in */
        return;
    case ROUTE_WORK:
        run_on_pool(r);
        return;
    }
    NEVER("every kind of route was run");
}

/* --- before it --- */

static enum rc too_many(struct request *r)
{
    return err_set(r->call.err, RC_TOO_MANY, "too many requests: wait %lld seconds",
                   (long long)r->limit.retry_s);
}

/* Which bucket pays. A credential has its own, unless its address has shown too many that nobody
 * has: else a made-up one for each request would never run dry. */
static enum rc take_limits(struct request *r)
{
    struct call *c = &r->call;
    struct limits *limits = c->api->limits;
    r->peer = limit_peer(http_peer(c->x), c->arena);
    r->limited = true;
    struct str who = r->credential.kind == CREDENTIAL_NONE ? r->peer : r->credential.secret;
    if (r->credential.kind != CREDENTIAL_NONE &&
        !limits_peek(limits, LIMIT_FAILED, r->peer, &r->limit)) {
        if (r->credential.kind == CREDENTIAL_TOKEN)
            return too_many(r);
        who = r->peer; /* an old cookie is nobody's fault */
    }
    enum limit_class class = c->route->flags & ROUTE_LOGIN ? LIMIT_LOGIN
                             : r->unsafe                   ? LIMIT_WRITE
                                                           : LIMIT_READ;
    if (class == LIMIT_LOGIN)
        who = r->peer;
    return limits_take(limits, class, who, &r->limit) ? RC_OK : too_many(r);
}

static enum rc prepare(struct request *r)
{
    struct call *c = &r->call;
    if (c->route->kind == ROUTE_PLAIN)
        return RC_OK; /* costs less than counting it */
    enum rc rc = auth_credential(r);
    TRY(take_limits(r));
    TRY(rc);
    if (r->credential.kind == CREDENTIAL_NONE && c->route->access != ACCESS_PUBLIC)
        return err_set(c->err, RC_UNAUTHENTICATED, "log in, or send a token");
    if (r->unsafe && (r->credential.kind == CREDENTIAL_COOKIE || (c->route->flags & ROUTE_LOGIN)))
        TRY(auth_origin(r));
    return idempotency_read(r);
}

static struct request *request_new(struct api *a, struct http_exchange *x)
{
    struct arena *arena = http_arena(x);
    struct request *r = NEW(arena, struct request);
    r->call.api = a;
    r->call.x = x;
    r->call.arena = arena;
    r->call.err = http_err(x);
    r->missing = PERM_NONE;
    r->unsafe = http_method(x) != HTTP_GET && http_method(x) != HTTP_HEAD;
    r->began = clock_steady(a->options.clock);
    return r;
}

static void run_unrouted(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    if (http_method(c->x) == HTTP_OPTIONS && rc == RC_METHOD) {
        http_reply_header(c->x, "Allow", r->allow);
        http_reply(c->x, 204, "", STR(""));
        common_headers(r);
        return;
    }
    if (rc == RC_METHOD)
        finish(r, err_set(c->err, rc, "this address answers %.*s", STRF(r->allow)));
    else
        finish(r, err_set(c->err, rc, "there is nothing at this address"));
}

void dispatch_head(void *api, struct http_exchange *x)
{
    struct api *a = api;
    const struct route *route = NULL;
    struct str params[ROUTE_PARAMS_MAX];
    struct str allow;
    bool somebody = http_has_header(x, "Authorization") || http_has_header(x, "Cookie");
    enum rc rc = router_find(a->router, http_method(x), http_path(x), &route, params, &allow);
    if (rc == RC_OK && somebody && (route->flags & ROUTE_RAW))
        http_body_limit(x, ROUTE_RAW_BYTES_MAX);
}

void dispatch_request(void *api, struct http_exchange *x)
{
    struct api *a = api;
    struct request *r = request_new(a, x);
    struct call *c = &r->call;
    enum rc rc =
        router_find(a->router, http_method(x), http_path(x), &c->route, c->params, &r->allow);
    if (a->web_root != NULL && !r->unsafe && page_static(r, rc)) {
        common_headers(r);
        return;
    }
    if (rc != RC_OK) {
        run_unrouted(r, rc);
        return;
    }
    if (a->facts[c->route - routes].secret_path)
        http_log_path(x, str_c(c->route->path));
    rc = prepare(r);
    if (rc != RC_OK) {
        finish(r, rc);
        return;
    }
    r->bad = input_read(r);
    if (r->bad != RC_OK) {
        r->bad_err = NEW(c->arena, struct err);
        *r->bad_err = *c->err;
    }
    run(r);
}
