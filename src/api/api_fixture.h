/*
 * api_fixture.h - a whole hansed in one process, with people in it, asked through real sockets.
 * Only for tests: everything here asserts.
 *
 *     operator (olga, owner)
 *       reseller (rita, owner)
 *         client (carl, owner; rolf, reader)
 *       other (tom, owner)
 *     lea: a user without any party
 *
 * Time stands still but for house_advance; events are handed out by house_relay.
 */
#ifndef API_API_FIXTURE_H
#define API_API_FIXTURE_H

#include "api/inside.h"
#include "http/probe.h"
#include "party/invitation.h"
#include "party/party_fixture.h"

#include <pthread.h>

enum { HOUSE_ARENA_BYTES = 512 * 1024 * 1024 };

/* As struct clock_sim, for many threads. */
struct house_clock {
    struct clock clock;
    atomic_int_fast64_t at;
    pthread_mutex_t mutex;
    struct clock_sim chance;
};

/* Somebody who asks: the headers that say so. */
struct guest {
    struct str user;
    struct str credentials; /* whole header lines */
    struct str secret;
    uint64_t held; /* bits of permissions, for any of the user's parties */
};

struct house {
    struct fixture fixture;
    struct house_clock clock;
    struct log log;
    struct ledger *ledger;
    struct outbox *outbox;
    struct api *api;
    struct http_server *server;
    struct arena arena;
    struct seal seal;
    struct api_options options; /* set before house_open, or left zero */
    struct str op, reseller, client, other;
    struct guest olga, rita, carl, rolf, tom, lea;
};

struct answer {
    int status;
    struct str head; /* from the status line to the empty line */
    struct str body;
};

static inline time_us house_now(struct clock *c)
{
    return atomic_load(&CONTAINER_OF(c, struct house_clock, clock)->at);
}

static inline void house_chance(struct clock *c, void *bytes, size_t n)
{
    struct house_clock *h = CONTAINER_OF(c, struct house_clock, clock);
    pthread_mutex_lock(&h->mutex);
    clock_chance(&h->chance.clock, bytes, n);
    pthread_mutex_unlock(&h->mutex);
}

static inline void house_advance(struct house *h, int64_t by_us)
{
    atomic_fetch_add(&h->clock.at, by_us);
}

/* --- people --- */

/* A token with all that the user holds, for any party. */
static inline struct str give_token(struct tx *tx, struct arena *arena, struct str user,
                                    uint64_t scopes)
{
    struct caller who = by_session(user);
    struct str *texts = NEW_N(tx->arena, struct str, PERM_COUNT);
    struct token fresh = {.name = STR("test"), .scopes = {.items = texts}};
    struct token made;
    for (enum permission p = 0; p < PERM_COUNT; p++)
        if (scopes & PERM_BIT(p))
            texts[fresh.scopes.count++] = str_c(permission_text(p));
    OK(tx, token_create(tx, &who, &fresh, &made));
    return arena_str(arena, made.secret);
}

static inline struct str bearer(struct arena *arena, struct str secret)
{
    return arena_fmt(arena, "Authorization: Bearer %.*s\r\n", STRF(secret));
}

static inline struct guest make_guest(struct tx *tx, struct house *h, struct str user)
{
    struct caller who = by_session(user);
    struct guest g = {.user = arena_str(&h->arena, user)};
    OK(tx, permission_held(tx, &who, STR(""), &g.held));
    g.secret = give_token(tx, &h->arena, user, g.held);
    g.credentials = bearer(&h->arena, g.secret);
    return g;
}

static inline enum rc fill_house(struct tx *tx, void *arg)
{
    struct house *h = arg;
    struct arena *a = &h->arena;
    h->op = arena_str(a, make_operator(tx));
    h->reseller = arena_str(a, make_party(tx, "Reseller", h->op));
    h->client = arena_str(a, make_party(tx, "Client", h->reseller));
    h->other = arena_str(a, make_party(tx, "Other", h->op));
    h->olga = make_guest(tx, h, make_member(tx, "olga", h->op, "owner"));
    h->rita = make_guest(tx, h, make_member(tx, "rita", h->reseller, "owner"));
    h->carl = make_guest(tx, h, make_member(tx, "carl", h->client, "owner"));
    h->rolf = make_guest(tx, h, make_member(tx, "rolf", h->client, "reader"));
    h->tom = make_guest(tx, h, make_member(tx, "tom", h->other, "owner"));
    h->lea = make_guest(tx, h, make_user(tx, "lea"));
    return RC_OK;
}

/* Run one unit of work in the house's store. */
static inline void house_write(struct house *h, tx_fn fn, void *arg)
{
    enum rc rc = fixture_write(&h->fixture, fn, arg);
    ck_assert_msg(rc == RC_OK, "%s", h->fixture.err.text);
}

struct session_order {
    struct house *house;
    struct str user;
    struct str secret;
    struct str csrf;
};

static inline enum rc open_session(struct tx *tx, void *arg)
{
    struct session_order *o = arg;
    OK(tx, session_create(tx, o->user, STR("192.0.2.1"), STR("test"), &o->secret, &o->csrf));
    o->secret = arena_str(&o->house->arena, o->secret);
    o->csrf = arena_str(&o->house->arena, o->csrf);
    return RC_OK;
}

/* A login by cookie, just made. */
static inline struct session_order house_session(struct house *h, struct str user)
{
    struct session_order o = {.house = h, .user = user};
    house_write(h, open_session, &o);
    return o;
}

static inline struct str cookie(struct house *h, const struct session_order *o)
{
    return arena_fmt(&h->arena, "Cookie: a=b; __Host-sid=%.*s; c=d\r\nX-CSRF: %.*s\r\n",
                     STRF(o->secret), STRF(o->csrf));
}

/* --- the house --- */

static inline void house_serve(struct house *h)
{
    struct api_options o = h->options;
    o.seal = &h->seal;
    struct err err = {0};
    h->outbox = outbox_open(h->fixture.store, &h->clock.clock, &h->log);
    o.store = h->fixture.store;
    o.ledger = h->ledger;
    o.outbox = h->outbox;
    o.clock = &h->clock.clock;
    o.log = &h->log;
    if (o.login_per_minute == 0)
        o.login_per_minute = 100000;
    enum rc rc = api_open(&h->api, &o, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    h->server = probe_open(&(struct http_options){.handler = api_handler(h->api), .log = &h->log});
    api_serve(h->api, h->server);
}

static inline struct house *house_open_with(struct api_options options)
{
    struct house *h = calloc(1, sizeof *h);
    ASSERT(h != NULL);
    struct err err = {0};
    enum rc rc = RC_OK;
    h->options = options;
    h->clock.clock = (struct clock){.now = house_now, .steady = house_now, .chance = house_chance};
    h->clock.at = WORLD_START;
    pthread_mutex_init(&h->clock.mutex, NULL);
    clock_sim_init(&h->clock.chance, WORLD_START, 11);
    arena_init(&h->arena, HOUSE_ARENA_BYTES);
    log_init(&h->log, &h->clock.clock, STDERR_FILENO, LOG_ERROR, false);
    fixture_init_handed_on(&h->fixture);
    fixture_open_with(&h->fixture,
                      (struct store_options){.clock = &h->clock.clock, .log = &h->log});
    rc = ledger_open(&h->ledger, h->fixture.store, &h->log, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    house_write(h, fill_house, h);
    house_serve(h);
    return h;
}

static inline struct house *house_open(void)
{
    return house_open_with((struct api_options){0});
}

static inline void house_close(struct house *h)
{
    http_close(h->server, US_PER_SECOND);
    outbox_close(h->outbox);
    api_close(h->api);
    store_close(h->fixture.store);
    h->fixture.store = NULL;
    ledger_close(h->ledger);
    fixture_close(&h->fixture);
    arena_fini(&h->arena);
    pthread_mutex_destroy(&h->clock.mutex);
    free(h);
}

/* Number what happened, and hand it to those who listen. */
static inline void house_relay(struct house *h)
{
    struct err err = {0};
    enum rc rc = outbox_run_once(h->outbox, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    event_hub_tick(h->api->events);
}

/* --- asking --- */

/* headers: whole lines. body empty: none. */
static inline struct answer ask(struct house *h, const struct guest *who, const char *method,
                                struct str path, struct str headers, struct str body)
{
    struct str length =
        body.n > 0 ? arena_fmt(&h->arena, "Content-Length: %zu\r\n", body.n) : STR("");
    bool typed = body.n == 0 || str_has(headers, STR("Content-Type"));
    struct str text = arena_fmt(
        &h->arena,
        "%s %.*s HTTP/1.1\r\nHost: cloud.test\r\nConnection: close\r\n%.*s%.*s%s%.*s\r\n%.*s",
        method, STRF(path), STRF(who ? who->credentials : STR("")), STRF(headers),
        typed ? "" : "Content-Type: application/json\r\n", STRF(length), STRF(body));
    int fd = probe_connect(http_address(h->server));
    ck_assert(probe_send(fd, text));
    size_t n = 0;
    char *reply = probe_read_all(fd, &n);
    close(fd);
    char *end = strstr(reply, "\r\n\r\n");
    ck_assert_msg(end != NULL, "no whole answer: %s", reply);
    struct answer a = {.status = probe_status(reply),
                       .head = arena_str(&h->arena, str_n(reply, (size_t)(end + 2 - reply))),
                       .body = arena_str(&h->arena, str_n(end + 4, n - (size_t)(end + 4 - reply)))};
    free(reply);
    return a;
}

static inline struct answer get(struct house *h, const struct guest *who, const char *path)
{
    return ask(h, who, "GET", str_c(path), STR(""), STR(""));
}

static inline struct answer post(struct house *h, const struct guest *who, const char *path,
                                 const char *body)
{
    return ask(h, who, "POST", str_c(path), STR(""), str_c(body));
}

/* "/v1/parties/" and an id, and what follows. */
static inline const char *at(struct house *h, const char *before, struct str id, const char *behind)
{
    return arena_fmt(&h->arena, "%s%.*s%s", before, STRF(id), behind).p;
}

/* A header of the answer, empty where missing. name as "ETag". */
static inline struct str header(const struct answer *a, const char *name)
{
    struct str rest = a->head;
    while (rest.n > 0) {
        struct str value = str_cut(&rest, '\n');
        struct str key = str_cut(&value, ':');
        if (str_eq_nocase(key, str_c(name)))
            return str_trim(value);
    }
    return STR("");
}

static inline const struct json *json_of(struct house *h, const struct answer *a)
{
    const struct json *json = NULL;
    struct err err = {0};
    enum rc rc = json_parse(a->body, &h->arena, &json, &err);
    ck_assert_msg(rc == RC_OK, "%s in %.*s", err.text, STRF(a->body));
    return json;
}

/* The text of a member at a path such as "user/email"; empty where there is none. */
static inline struct str text_at(struct house *h, const struct answer *a, const char *path)
{
    const struct json *j = json_of(h, a);
    struct str rest = str_c(path);
    while (rest.n > 0 && j != NULL && json_type(j) == JSON_OBJECT)
        j = json_get(j, str_cut(&rest, '/'));
    bool text = j != NULL && (json_type(j) == JSON_STRING || json_type(j) == JSON_NUMBER);
    return text ? json_text(j) : STR("");
}

static inline size_t items_in(struct house *h, const struct answer *a)
{
    const struct json *items = json_get(json_of(h, a), STR("items"));
    ck_assert_msg(items != NULL, "no list: %.*s", STRF(a->body));
    return items->n;
}

#define STATUS(given, want)                                                                    \
    do {                                                                                       \
        struct answer status_ = (given);                                                       \
        ck_assert_msg(status_.status == (want), "%d, wanted was %d: %.*s%.*s", status_.status, \
                      (want), STRF(status_.head), STRF(status_.body));                         \
    } while (0)

#endif
