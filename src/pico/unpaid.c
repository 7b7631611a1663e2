#include "pico/unpaid.h"

#include "base/json.h"
#include "base/map.h"
#include "pico/account.h"

#include <time.h>

enum {
    PAGE_BYTES_MAX = 1024 * 1024,
    URL_BYTES_MAX = 4096,
    LIST_ARENA = 256 * 1024 * 1024,
    PAGE_ARENA = 64 * 1024 * 1024,
    ACCOUNTS_A_TIME = 200,
    LEVEL_ERROR = 10, /* the official engine's number */
};

#define CALL_US (20 * US_PER_SECOND)

/* --- the list --- */

struct unpaid {
    struct unpaid *next;
    struct str subscription;
    struct str why;
};

struct unpaid_list {
    struct arena arena;
    struct unpaid *first;
    struct map known; /* subscription to struct unpaid */
};

/* Whole characters of it, UNPAID_WHY_MAX bytes at most. */
static struct str shorten(struct str s)
{
    size_t n = min_size(s.n, UNPAID_WHY_MAX);
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

static bool take_item(struct unpaid_list *l, const struct json *item)
{
    const struct json *id = json_get(item, STR("subscription"));
    const struct json *why = json_get(item, STR("why"));
    if (id == NULL || json_type(id) != JSON_STRING || json_text(id).n == 0 ||
        json_text(id).n > ACCOUNT_SUBSCRIPTION_MAX)
        return false;
    if (map_get(&l->known, json_text(id)) != NULL)
        return true;
    struct unpaid *u = NEW(&l->arena, struct unpaid);
    *u = (struct unpaid){.next = l->first, .subscription = arena_str(&l->arena, json_text(id))};
    if (why != NULL && json_type(why) == JSON_STRING)
        u->why = arena_str(&l->arena, shorten(json_text(why)));
    l->first = u;
    (void)map_put(&l->known, u->subscription, u); /* NULL: it was not there */
    return true;
}

/* *ret_next is empty behind the last page. */
static enum rc take_page(struct unpaid_list *l, struct str body, struct arena *arena,
                         struct str *ret_next, struct err *err)
{
    const struct json *root = NULL;
    TRY(json_parse(body, arena, &root, err));
    const struct json *items = json_type(root) == JSON_OBJECT ? json_get(root, STR("items")) : NULL;
    const struct json *next = items == NULL ? NULL : json_get(root, STR("next"));
    bool good = items != NULL && json_type(items) == JSON_ARRAY &&
                (next == NULL || json_type(next) == JSON_NULL || json_type(next) == JSON_STRING);
    const struct json *i = good ? json_first(items) : NULL;
    for (; i != NULL && good; i = json_next(items, i))
        good = json_type(i) == JSON_OBJECT && take_item(l, i);
    if (!good)
        return err_set(err, RC_REMOTE, "the answer is no list of suspended subscriptions");
    *ret_next = STR("");
    if (next != NULL && json_type(next) == JSON_STRING)
        *ret_next = json_text(next);
    return RC_OK;
}

static struct str page_url(struct pico_engine *e, struct str after, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, URL_BYTES_MAX);
    buf_add(&b, e->o.usage.suspended_url);
    buf_add(&b, STR("?limit=200"));
    if (after.n > 0)
        buf_add(&b, STR("&after="));
    buf_add_escaped(&b, after, "");
    return b.full ? STR("") : buf_str(&b);
}

static enum rc ask_page(struct pico_engine *e, struct unpaid_list *l, struct arena *arena,
                        struct str after, struct str *ret_next, struct err *err)
{
    struct wire_reply reply = {.status = 0};
    const struct pair headers[] = {
        {STR("User-Agent"), STR("hanse-pico/" HANSE_VERSION)},
        {STR("Authorization"), arena_fmt(arena, "Bearer %.*s", STRF(e->o.usage.token))}};
    const struct wire_request q = {.method = STR("GET"),
                                   .url = page_url(e, after, arena),
                                   .headers = headers,
                                   .header_count = e->o.usage.token.n > 0 ? 2 : 1,
                                   .timeout_us = CALL_US,
                                   .reply_bytes_max = PAGE_BYTES_MAX,
                                   .given_up = &e->ending};
    if (q.url.n == 0)
        return err_set(err, RC_REMOTE, "the cursor of the list is too long");
    TRY(wire_call(e->o.wire, &q, arena, &reply, err));
    if (reply.status != 200)
        return err_set(err, RC_REMOTE, "it answers with %d", reply.status);
    return take_page(l, reply.body, arena, ret_next, err);
}

static enum rc ask(struct pico_engine *e, struct unpaid_list *l, struct err *err)
{
    struct str after = STR("");
    for (int i = 0; i < UNPAID_PAGES_MAX; i++) {
        struct arena arena;
        struct str next = STR("");
        arena_init(&arena, PAGE_ARENA);
        enum rc rc = ask_page(e, l, &arena, after, &next, err);
        if (rc == RC_OK)
            after = arena_str(&l->arena, next);
        arena_fini(&arena);
        if (rc != RC_OK || after.n == 0)
            return rc;
    }
    return err_set(err, RC_REMOTE, "the list of suspended subscriptions has no end");
}

/* --- what it says --- */

struct account {
    struct str id;
    struct str subscription;
    int64_t no;
};

struct looking {
    struct str subscription; /* empty: those that are unpaid, whatever their subscription */
    int64_t after;
    struct account found[ACCOUNTS_A_TIME];
    size_t n;
};

static enum rc look(struct tx *tx, void *arg)
{
    struct looking *k = arg;
    struct rows rows;
    if (k->subscription.n > 0)
        TRY(sql_rows(tx, &rows,
                     "SELECT pico, id, subscription FROM pico_account WHERE subscription = $1 AND "
                     "pico > $2 AND unpaid = 0 ORDER BY pico LIMIT $3",
                     V(k->subscription), V(k->after), V(ACCOUNTS_A_TIME)));
    else
        TRY(sql_rows(tx, &rows,
                     "SELECT pico, id, subscription FROM pico_account WHERE unpaid = 1 AND pico > "
                     "$1 ORDER BY pico LIMIT $2",
                     V(k->after), V(ACCOUNTS_A_TIME)));
    k->n = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        k->found[i] = (struct account){.no = row_int(&rows, i, 0),
                                       .id = row_str(&rows, i, 1),
                                       .subscription = row_str(&rows, i, 2)};
    return RC_OK;
}

/* The logs of the pico and of the engine say it. */
static void note(struct pico_engine *e, const struct account *a, bool unpaid, struct str why)
{
    struct arena arena;
    struct buf b;
    struct json_writer w;
    char at[TIME_TEXT_MAX];
    time_us now = clock_now(e->clock);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    buf_init(&b, &arena, 8 * UNPAID_WHY_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("level"));
    json_put_i64(&w, LEVEL_ERROR);
    json_put_key(&w, STR("time"));
    json_put_str(&w, str_n(at, time_format(now, at)));
    json_put_key(&w, STR("msg"));
    json_put_str(&w, unpaid ? arena_fmt(&arena, "suspended: %.*s", STRF(why))
                            : STR("it is paid for again, and goes on"));
    json_end_object(&w);
    diary_add(e, a->no, now, buf_str(&b));
    if (e->o.log != NULL)
        log_event(e->o.log, LOG_INFO, unpaid ? "pico.suspended" : "pico.resumed",
                  LOG_S("pico", a->id), LOG_S("subscription", a->subscription), LOG_S("why", why));
    arena_fini(&arena);
}

/* One that moves, or was deleted meanwhile, is left to the next list. */
static void settle(struct pico_engine *e, const struct account *a, bool unpaid, struct str why)
{
    struct err err;
    enum rc rc = pico_account_unpaid(e, a->id, a->subscription, unpaid, why, &err);
    if (rc == RC_OK)
        note(e, a, unpaid, why);
    else if (rc != RC_NOT_FOUND && rc != RC_CONFLICT && e->o.log != NULL)
        log_event(e->o.log, LOG_WARN, "pico.unpaid", LOG_S("pico", a->id),
                  LOG_S("error", err_text(&err)));
}

/* u: the accounts of it are suspended; NULL: those that the list no longer has go on. */
static enum rc settle_all(struct pico_engine *e, struct unpaid_list *l, const struct unpaid *u,
                          struct err *err)
{
    struct arena arena;
    struct looking k = {.subscription = u == NULL ? STR("") : u->subscription};
    enum rc rc = RC_OK;
    arena_init(&arena, ARENA_COMMIT_BYTES);
    do {
        arena_reset(&arena);
        rc = store_read(e->store, &arena, err, look, &k);
        for (size_t i = 0; rc == RC_OK && i < k.n && !atomic_load(&e->ending); i++) {
            const struct account *a = &k.found[i];
            k.after = a->no;
            if (u != NULL || map_get(&l->known, a->subscription) == NULL)
                settle(e, a, u != NULL, u == NULL ? STR("") : u->why);
        }
    } while (rc == RC_OK && k.n == ACCOUNTS_A_TIME && !atomic_load(&e->ending));
    arena_fini(&arena);
    return rc;
}

enum rc unpaid_turn(struct pico_engine *e, struct err *err)
{
    struct unpaid_list l = {.first = NULL};
    if (e->o.usage.suspended_url.n == 0 || e->o.wire == NULL ||
        clock_steady(e->clock) < e->unpaid_due)
        return RC_OK;
    e->unpaid_due = clock_steady(e->clock) + e->o.usage.suspended_us;
    arena_init(&l.arena, LIST_ARENA);
    map_init(&l.known, &l.arena, e->seed);
    enum rc rc = ask(e, &l, err);
    for (const struct unpaid *u = l.first; rc == RC_OK && u != NULL; u = u->next)
        rc = settle_all(e, &l, u, err);
    if (rc == RC_OK)
        rc = settle_all(e, &l, NULL, err);
    arena_fini(&l.arena);
    return rc;
}

void *unpaid_thread(void *arg)
{
    struct pico_engine *e = arg;
    struct timespec until;
    struct err err;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        pthread_mutex_unlock(&e->lock);
        if (unpaid_turn(e, &err) != RC_OK && e->o.log != NULL)
            log_event(e->o.log, LOG_WARN, "pico.unpaid", LOG_S("error", err_text(&err)));
        pthread_mutex_lock(&e->lock);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        if (!e->stopping)
            (void)pthread_cond_timedwait(&e->asking, &e->lock, &until); /* it looks again */
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}
