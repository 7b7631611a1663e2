#include "api/api.h"

#include "api/dispatch.h"
#include "api/inside.h"

#include <sodium.h>

enum {
    API_ARENA_BYTES = 32 * 1024 * 1024,
    WORK_THREADS = 4,
    WORK_QUEUE_MAX = 2000,
    READ_PER_MINUTE = 6000,
    WRITE_PER_MINUTE = 1200,
    LOGIN_PER_MINUTE = 10,
    FAILED_PER_LOGIN = 6, /* unknown credentials for each login that is allowed */
    OPENAPI_BYTES_MAX = 4 * 1024 * 1024,
    EVENT_NAME_MAX = 64,
};

/* "party_change" is "party.change" in the log. */
static const char *event_name(const struct route *route, struct arena *arena)
{
    size_t n = strlen(route->operation);
    char *name = arena_alloc(arena, n + 1);
    memcpy(name, route->operation, n);
    for (size_t i = n; i > 0; i--)
        if (name[i - 1] == '_') {
            name[i - 1] = '.';
            return name;
        }
    return arena_fmt(arena, "%s.get", name).p;
}

static void learn_routes(struct api *a)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *r = &routes[i];
        bool one = r->reply != NULL && !(r->flags & ROUTE_LIST);
        a->facts[i] = (struct route_facts){
            .event = event_name(r, &a->arena),
            .party = route_param(r, STR("party")),
            .secrets = r->reply != NULL ? call_secrets(r->reply) : 0,
            .secret_path = route_param(r, STR("token")) >= 0,
            .id = one ? schema_find(r->reply, STR("id")) : -1,
            .version = one ? schema_find(r->reply, STR("version")) : -1,
        };
        ASSERT(r->kind != ROUTE_PLAIN || r->access == ACCESS_PUBLIC);
        bool by_party = r->access == ACCESS_PARTY || r->access == ACCESS_SPONSOR;
        ASSERT(!by_party || a->facts[i].party >= 0);
        /* The version's type is known to call_reply; resource "version" is of the product. */
        if (r->reply == NULL || a->facts[i].version < 0 ||
            r->reply->fields[a->facts[i].version].type != FIELD_INT)
            a->facts[i].version = -1;
    }
}

static void make_document(struct api *a)
{
    struct buf b;
    buf_init(&b, &a->arena, OPENAPI_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    openapi_write(&w, a->options.public_url);
    ASSERT(!b.full);
    a->openapi = buf_str(&b);
    unsigned char hash[16];
    char hex[2 * sizeof hash + 1];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)a->openapi.p, a->openapi.n, NULL,
                       0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    a->openapi_etag = arena_fmt(&a->arena, "\"%s\"", hex);
}

static void copy_options(struct api *a, const struct api_options *o)
{
    a->options = *o;
    struct str url = arena_str(&a->arena, o->public_url);
    while (str_ends(url, STR("/")))
        url = str_sub(url, 0, url.n - 1);
    a->options.public_url = url;
    a->https = str_starts(url, STR("https://"));
    a->web_root = o->web_root.n > 0 ? arena_cstr(&a->arena, o->web_root) : NULL;
    a->images = o->images.n > 0 ? arena_cstr(&a->arena, o->images) : NULL;
    a->backups = o->backups.n > 0 ? arena_cstr(&a->arena, o->backups) : NULL;
    a->sealed = o->seal != NULL;
    if (a->sealed)
        a->seal = *o->seal;
    a->store = o->store;
    a->ledger = o->ledger;
    a->read_inline = store_engine(o->store) == STORE_SQLITE;
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

enum rc api_open(struct api **ret, const struct api_options *o, struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, RC_UNAVAILABLE, "libsodium cannot start on this machine");
    struct arena arena;
    arena_init(&arena, API_ARENA_BYTES);
    struct api *a = NEW(&arena, struct api);
    a->arena = arena; /* from here on the copy in it is used */
    copy_options(a, o);
    learn_routes(a);
    make_document(a);
    int64_t login = or_default(o->login_per_minute, LOGIN_PER_MINUTE);
    const int64_t per_minute[LIMIT_COUNT] = {
        [LIMIT_READ] = or_default(o->read_per_minute, READ_PER_MINUTE),
        [LIMIT_WRITE] = or_default(o->write_per_minute, WRITE_PER_MINUTE),
        [LIMIT_LOGIN] = login,
        [LIMIT_FAILED] = login * FAILED_PER_LOGIN,
    };
    a->router = router_build(&a->arena);
    a->limits = limits_init(&a->arena, o->clock, per_minute);
    a->touches = touches_init(&a->arena, a->store);
    a->callers = callers_init(&a->arena, o->clock);
    a->events = event_hub_init(&a->arena, a->store, o->outbox, o->clock, o->log);
    a->waiters = waiters_init(&a->arena, a->store, o->clock, dispatch_resume);
    a->work = work_open(o->work_threads > 0 ? o->work_threads : WORK_THREADS, WORK_QUEUE_MAX);
    a->started = clock_steady(o->clock);
    a->started_at = clock_now(o->clock);
    *ret = a;
    return RC_OK;
}

struct http_handler api_handler(struct api *a)
{
    return (struct http_handler){.head = dispatch_head, .request = dispatch_request, .arg = a};
}

void api_serve(struct api *a, struct http_server *server)
{
    atomic_store(&a->server, server);
}

void api_close(struct api *a)
{
    if (a == NULL)
        return;
    waiters_fini(a->waiters);
    work_close(a->work);
    touches_fini(a->touches);
    event_hub_fini(a->events);
    callers_fini(a->callers);
    limits_fini(a->limits);
    struct arena arena = a->arena;
    arena_fini(&arena);
}
