/*
 * Events to picos of other engines. A row that the sender's commit made is posted to the channel's
 * address there, again and again with growing pauses, until the other engine has it or refuses it;
 * in the order of the rows, host by host. An engine of ours knows a repeat by its key, which comes
 * in a header, so that it handles the event once; an official engine may handle it twice.
 */
#include "pico/inside.h"

#include "base/json.h"
#include "pico/url.h"

#include <stdlib.h>
#include <time.h>

enum {
    HOSTS_MAX = 1000, /* that events wait for at once */
    BATCH = 64,       /* rows of one host in one go */
    ROWS_ARENA = 64 * 1024 * 1024,
    CALL_ARENA = 32 * 1024 * 1024,
    REPLY_MAX = 8 * 1024 * 1024,
    URL_BYTES_MAX = 8 * 1024,
};

#define CALL_US      (10 * US_PER_SECOND)
#define PAUSE_US     (US_PER_SECOND / 2) /* after the first failure; doubled after each */
#define PAUSE_MAX_US (60 * US_PER_SECOND)
#define LOOK_US      (US_PER_SECOND / 4)
#define GIVE_UP_US   (7 * US_PER_DAY)
#define SEEN_US      (30 * US_PER_DAY) /* longer than anybody tries */
#define FORGET_US    US_PER_HOUR       /* between two looks for old keys */

struct remote_host {
    struct str name; /* empty: this place is free */
    bool busy;       /* a thread sends to it */
    bool wanted;     /* there may be rows */
    int64_t pause_us;
    time_us until; /* it is left alone */
};

struct remote {
    struct remote_host hosts[HOSTS_MAX];
    pthread_cond_t work;
    time_us forgot; /* when old keys were last looked for */
};

/* --- which hosts: all with the lock --- */

static struct remote_host *find_host(struct remote *r, struct str name)
{
    struct remote_host *room = NULL;
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        struct remote_host *h = &r->hosts[i];
        if (str_eq(h->name, name))
            return h;
        if (!h->busy && !h->wanted && (room == NULL || h->name.n == 0))
            room = h;
    }
    if (room == NULL)
        return NULL;
    free((char *)(uintptr_t)room->name.p);
    char *copy = malloc(name.n + 1);
    ASSERT(copy != NULL);
    memcpy(copy, name.p, name.n);
    *room = (struct remote_host){.name = {copy, name.n}};
    return room;
}

void remote_wake(struct pico_engine *e, struct str host)
{
    struct remote_host *h = find_host(e->remote, host);
    if (h == NULL)
        return; /* the rows are found when the engine starts again */
    h->wanted = true;
    pthread_cond_signal(&e->remote->work);
}

void remote_wake_all(struct pico_engine *e)
{
    for (size_t i = 0; i < HOSTS_MAX; i++)
        e->remote->hosts[i].wanted = e->remote->hosts[i].name.n > 0;
    pthread_cond_broadcast(&e->remote->work);
}

bool remote_has_room(struct pico_engine *e, struct str host)
{
    pthread_mutex_lock(&e->lock);
    bool room = find_host(e->remote, host) != NULL;
    pthread_mutex_unlock(&e->lock);
    return room;
}

static struct remote_host *due_host(struct pico_engine *e)
{
    time_us now = clock_now(e->clock);
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        struct remote_host *h = &e->remote->hosts[i];
        if (h->wanted && !h->busy && (h->until <= now || h->until > now + PAUSE_MAX_US))
            return h;
    }
    return NULL;
}

/* --- one call --- */

static struct str url_of(struct arena *arena, struct str host, const char *format,
                         const struct str *parts)
{
    struct buf b;
    buf_init(&b, arena, URL_BYTES_MAX);
    buf_add(&b, host);
    for (const char *f = format; *f != '\0'; f++) {
        if (*f == '*')
            pico_url_escape(&b, *parts++);
        else
            buf_add_char(&b, *f);
    }
    return buf_str(&b);
}

struct posting {
    struct str url;
    struct str body;
    struct str key; /* empty: none */
    int64_t hops;
};

static enum rc post(struct pico_engine *e, const struct posting *p, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct pair headers[4] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("User-Agent"), STR("hanse-pico/" HANSE_VERSION)},
        {STR(PICO_HOPS_HEADER), arena_fmt(arena, "%lld", (long long)p->hops)}};
    size_t n = 3;
    if (p->key.n > 0)
        headers[n++] = (struct pair){STR(PICO_KEY_HEADER), p->key};
    const struct wire_request request = {
        .method = STR("POST"),
        .url = p->url,
        .body = p->body.n == 0 ? STR("{}") : p->body,
        .headers = headers,
        .header_count = n,
        .timeout_us = CALL_US,
        .reply_bytes_max = REPLY_MAX,
        .public_only = !e->o.private_hosts,
    };
    if (e->o.wire == NULL)
        return err_set(err, RC_UNSUPPORTED, "Error: this engine asks no other hosts");
    return wire_call(e->o.wire, &request, arena, ret, err);
}

/* --- the rows of one host --- */

struct row {
    struct row *next;
    int64_t no;
    struct str key;
    struct str eci;
    struct str domain;
    struct str name;
    struct str attrs;
    int64_t hops;
    time_us made;
};

struct sending {
    struct pico_engine *e;
    struct str host;
    struct arena arena;
    struct row *first;
    struct row **last;
    size_t n;
    const struct row *behind; /* all before it are done; NULL: all are */
};

static enum rc read_row(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct sending *s = arg;
    (void)tx;
    ASSERT(columns == 8);
    struct row *r = NEW(&s->arena, struct row);
    *r = (struct row){.no = v[0].number,
                      .key = arena_str(&s->arena, v[1].text),
                      .eci = arena_str(&s->arena, v[2].text),
                      .domain = arena_str(&s->arena, v[3].text),
                      .name = arena_str(&s->arena, v[4].text),
                      .attrs = arena_str(&s->arena, v[5].text),
                      .hops = v[6].number,
                      .made = v[7].number};
    *s->last = r;
    s->last = &r->next;
    s->n++;
    return RC_OK;
}

static enum rc read_rows(struct tx *tx, void *arg)
{
    struct sending *s = arg;
    s->first = NULL; /* a read may run again */
    s->last = &s->first;
    s->n = 0;
    return sql_each(tx, read_row, s,
                    "SELECT no, key, eci, domain, name, attrs, hops, made FROM pico_remote WHERE "
                    "host = $1 ORDER BY no LIMIT $2",
                    V(s->host), V(BATCH));
}

static enum rc drop_rows(struct tx *tx, void *arg)
{
    const struct sending *s = arg;
    for (const struct row *r = s->first; r != s->behind; r = r->next)
        TRY(sql_run(tx, "DELETE FROM pico_remote WHERE no = $1", V(r->no)));
    return RC_OK;
}

/* The sentence of an official answer that is an error; empty: it is none. */
static struct str refusal(struct arena *arena, const struct wire_reply *reply)
{
    struct err ignored = {0};
    const struct json *j = NULL;
    if (reply->status >= 300)
        return arena_fmt(arena, "status %d", reply->status);
    if (json_parse(reply->body, arena, &j, &ignored) != RC_OK || json_type(j) != JSON_OBJECT)
        return STR("");
    const struct json *error = json_get(j, STR("error"));
    return error != NULL && json_type(error) == JSON_STRING ? json_text(error) : STR("");
}

static bool comes_back(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* False: it is tried again. */
static bool send_row(struct pico_engine *e, struct str host, const struct row *r)
{
    struct arena arena;
    struct err err = {0};
    struct wire_reply reply = {.status = 0};
    const struct str parts[] = {r->eci, r->domain, r->name};
    arena_init(&arena, CALL_ARENA);
    const struct posting p = {.url = url_of(&arena, host, "/c/*/event/*/*", parts),
                              .body = r->attrs,
                              .key = r->key,
                              .hops = r->hops};
    enum rc rc = post(e, &p, &arena, &reply, &err);
    bool again = rc == RC_UNAVAILABLE || rc == RC_TIMEOUT || rc == RC_REMOTE ||
                 (rc == RC_OK && comes_back(reply.status));
    struct str why = rc == RC_OK ? refusal(&arena, &reply) : err_text(&err);
    bool late = again && clock_now(e->clock) - r->made > GIVE_UP_US;
    if ((late || !again) && why.n > 0 && e->o.log != NULL)
        log_event(e->o.log, LOG_WARN, "pico.event_refused", LOG_S("host", host),
                  LOG_S("error", why));
    arena_fini(&arena);
    return late || !again;
}

/* With the lock, which is given up meanwhile; the number of rows that are done. */
static size_t serve_host(struct pico_engine *e, struct remote_host *h)
{
    struct sending s = {.e = e, .host = h->name};
    struct arena arena;
    struct err err;
    size_t done = 0;
    h->busy = true;
    h->wanted = false;
    pthread_mutex_unlock(&e->lock);
    arena_init(&s.arena, ROWS_ARENA);
    arena_init(&arena, ROWS_ARENA);
    enum rc rc = store_read(e->store, &arena, &err, read_rows, &s);
    s.behind = s.first;
    bool good = rc == RC_OK;
    while (good && s.behind != NULL && !atomic_load(&e->ending)) {
        good = send_row(e, h->name, s.behind);
        if (good) {
            s.behind = s.behind->next;
            done++;
        }
    }
    if (done > 0)
        rc = store_write(e->store, &arena, &err, drop_rows, &s);
    arena_fini(&arena);
    arena_fini(&s.arena);
    pthread_mutex_lock(&e->lock);
    good = good && rc == RC_OK;
    h->pause_us = good ? 0 : min_i64(max_i64(PAUSE_US, 2 * h->pause_us), PAUSE_MAX_US);
    h->until = clock_now(e->clock) + h->pause_us;
    h->wanted = h->wanted || !good || s.n == BATCH;
    h->busy = false;
    e->counters.sent_away += done;
    return done;
}

/* --- keys of long ago --- */

static enum rc forget_keys(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "DELETE FROM pico_seen WHERE at < $1", V(tx->now - SEEN_US));
}

/* With the lock, which is given up meanwhile. */
static void forget(struct pico_engine *e)
{
    struct arena arena;
    struct err err;
    time_us now = clock_now(e->clock);
    if (now - e->remote->forgot < FORGET_US && now >= e->remote->forgot)
        return;
    e->remote->forgot = now;
    pthread_mutex_unlock(&e->lock);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, &err, forget_keys, NULL);
    if (rc != RC_OK && e->o.log != NULL) /* they go an hour later */
        log_event(e->o.log, LOG_WARN, "pico.keys_kept", LOG_S("error", err_text(&err)));
    arena_fini(&arena);
    pthread_mutex_lock(&e->lock);
}

/* --- who does it --- */

size_t remote_run(struct pico_engine *e)
{
    size_t done = 0;
    struct remote_host *h = NULL;
    while ((h = due_host(e)) != NULL)
        done += serve_host(e, h);
    forget(e);
    return done;
}

void *remote_thread(void *arg)
{
    struct pico_engine *e = arg;
    struct timespec until;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        struct remote_host *h = due_host(e);
        if (h != NULL) {
            (void)serve_host(e, h); /* the number is in the counters */
            continue;
        }
        forget(e);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)LOOK_US * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (!e->stopping) /* late or early: it looks again */
            (void)pthread_cond_timedwait(&e->remote->work, &e->lock, &until);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* --- begin and end --- */

static enum rc find_host_row(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    (void)tx;
    ASSERT(columns == 1);
    remote_wake(arg, v[0].text);
    return RC_OK;
}

static enum rc find_all(struct tx *tx, void *arg)
{
    struct pico_engine *e = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico_remote"));
    atomic_store(&e->next_remote, row_int(&rows, 0, 0) + 1);
    TRY(sql_rows(tx, &rows, "SELECT eci FROM pico_moved ORDER BY eci LIMIT 1"));
    atomic_store(&e->emigrated, rows.count > 0);
    return sql_each(tx, find_host_row, e,
                    "SELECT DISTINCT host FROM pico_remote ORDER BY host LIMIT $1", V(HOSTS_MAX));
}

enum rc remote_open(struct pico_engine *e, struct err *err)
{
    struct arena arena;
    pthread_condattr_t monotonic;
    e->remote = calloc(1, sizeof *e->remote);
    ASSERT(e->remote != NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->remote->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, find_all, e);
    arena_fini(&arena);
    return rc;
}

void remote_stop(struct pico_engine *e)
{
    if (e->remote != NULL)
        pthread_cond_broadcast(&e->remote->work);
}

void remote_close(struct pico_engine *e)
{
    if (e->remote == NULL)
        return;
    for (size_t i = 0; i < HOSTS_MAX; i++)
        free((char *)(uintptr_t)e->remote->hosts[i].name.p);
    pthread_cond_destroy(&e->remote->work);
    free(e->remote);
}

/* --- channels that moved --- */

struct moved_reading {
    struct str eci;
    struct arena *arena;
    struct str host;
};

static enum rc read_moved(struct tx *tx, void *arg)
{
    struct moved_reading *r = arg;
    struct rows rows;
    r->host = STR("");
    TRY(sql_rows(tx, &rows, "SELECT host FROM pico_moved WHERE eci = $1", V(r->eci)));
    if (rows.count > 0)
        r->host = arena_str(r->arena, row_str(&rows, 0, 0));
    return RC_OK;
}

enum rc remote_moved(struct pico_engine *e, struct str eci, struct arena *arena, struct str *ret,
                     struct err *err)
{
    struct moved_reading r = {.eci = eci, .arena = arena};
    struct arena own;
    *ret = STR("");
    if (!atomic_load(&e->emigrated) || eci.n > ECI_MAX || !str_is_utf8(eci) ||
        (eci.n > 0 && memchr(eci.p, 0, eci.n) != NULL))
        return RC_OK;
    arena_init(&own, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &own, err, read_moved, &r);
    arena_fini(&own);
    if (rc == RC_OK)
        *ret = r.host;
    return rc;
}

/* --- asking there --- */

struct keeping {
    struct pico_engine *e;
    const struct pico_request *r;
    struct str key;
    int64_t no;
};

static enum rc keep_event(struct tx *tx, void *arg)
{
    const struct keeping *k = arg;
    const struct pico_request *r = k->r;
    return sql_run(tx,
                   "INSERT INTO pico_remote (no, host, key, eci, domain, name, attrs, hops, made) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   V(k->no), V(r->moved_to), V(k->key), V(r->eci), V(r->domain), V(r->name),
                   V(r->attrs.n == 0 ? STR("{}") : r->attrs), V(r->hops), V(tx->now));
}

/* An event that is only to be durable goes by the rows. */
static enum rc forward_later(struct pico_engine *e, struct pico_request *r)
{
    struct keeping k = {.e = e, .r = r, .key = r->key};
    struct arena arena;
    char key[ECI_N + 1];
    if (r->domain.n == 0 || r->name.n == 0 || r->domain.n > WORD_MAX || r->name.n > WORD_MAX ||
        r->attrs.n > PICO_ATTRS_BYTES_MAX)
        return err_set(&r->err, RC_INVALID, "Error: missing event.%s",
                       r->domain.n == 0 ? "domain" : "name");
    chance_eci(e, key);
    if (k.key.n == 0)
        k.key = str_c(key);
    k.no = atomic_fetch_add(&e->next_remote, 1);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_write(e->store, &arena, &r->err, keep_event, &k);
    arena_fini(&arena);
    if (rc != RC_OK)
        return rc;
    r->reply = arena_fmt(r->arena, "\"%s\"", key);
    pthread_mutex_lock(&e->lock);
    remote_wake(e, r->moved_to);
    pthread_mutex_unlock(&e->lock);
    return RC_OK;
}

/* What the other engine says in problem+json. */
static enum rc problem(struct pico_request *r, const struct wire_reply *reply)
{
    struct err ignored = {0};
    const struct json *j = NULL;
    struct str detail = STR("");
    enum rc rc = rc_from_http(reply->status);
    if (json_parse(reply->body, r->arena, &j, &ignored) == RC_OK && json_type(j) == JSON_OBJECT) {
        const struct json *d = json_get(j, STR("detail"));
        detail = d != NULL && json_type(d) == JSON_STRING ? json_text(d) : STR("");
    }
    if (detail.n == 0)
        detail = arena_fmt(r->arena, "Error: the pico moved to %.*s, which answers with status %d",
                           STRF(r->moved_to), reply->status);
    return err_set(&r->err, rc == RC_OK ? RC_REMOTE : rc, "%.*s", STRF(detail));
}

static enum rc forward_now(struct pico_engine *e, struct pico_request *r)
{
    const struct str event[] = {r->eci, r->domain, r->name};
    const struct str query[] = {r->eci, r->rid, r->query};
    const struct str both[] = {r->eci, r->domain, r->name, r->rid, r->query};
    struct wire_reply reply = {.status = 0};
    struct posting p = {.body = r->attrs, .key = r->key, .hops = r->hops};
    if (r->ask == PICO_EVENT_WAIT)
        p.url = url_of(r->arena, r->moved_to, "/v1/channels/*/events/*/*", event);
    else if (r->ask == PICO_QUERY)
        p.url = url_of(r->arena, r->moved_to, "/v1/channels/*/queries/*/*", query);
    else
        p.url = url_of(r->arena, r->moved_to, "/c/*/event/*/*/query/*/*", both);
    enum rc rc = post(e, &p, r->arena, &reply, &r->err);
    if (rc != RC_OK)
        return rc == RC_TIMEOUT ? rc : RC_UNAVAILABLE;
    if (reply.status >= 300)
        return problem(r, &reply);
    r->reply = reply.body;
    r->undefined = false;
    return RC_OK;
}

void pico_forward(struct pico_engine *e, struct pico_request *r)
{
    ASSERT(r->moved_to.n > 0);
    err_clear(&r->err);
    if (r->ask == PICO_EVENT)
        r->rc = forward_later(e, r);
    else if (r->ask == PICO_EVENT_WAIT || r->ask == PICO_QUERY || r->ask == PICO_EVENT_QUERY)
        r->rc = forward_now(e, r);
    else
        r->rc = err_set(&r->err, RC_GONE, "Error: the pico moved to %.*s", STRF(r->moved_to));
}
