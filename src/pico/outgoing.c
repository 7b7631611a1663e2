#include "pico/outgoing.h"

#include "base/buf.h"
#include "base/json.h"
#include "pico/usage.h"

#include <stdlib.h>
#include <time.h>

enum {
    LEVEL_ERROR = 10, /* as in the log of a pico */
    BATCH = 200,      /* records of usage in one call */
    ROWS_ARENA = 64 * 1024 * 1024,
    BODY_MAX = 16 * 1024 * 1024,
    HOST_MAX = 300,
    REPLY_MAX = 64 * 1024,
    PAUSE_DOUBLINGS = 12,
};

#define CALL_US       (10 * US_PER_SECOND)
#define PAUSE_US      US_PER_SECOND /* after the first failure; doubled after each */
#define PAUSE_MAX_US  US_PER_HOUR
#define OTHERS_MAX_US (60 * US_PER_SECOND) /* for the other rows of the same host */
#define LOOK_US       US_PER_SECOND
#define GIVE_UP_US    (7 * US_PER_DAY)

struct row {
    struct row *next;
    int64_t no;
    int64_t pico;
    enum outgoing_kind kind;
    struct str id;
    struct str host;
    struct str target;
    struct str subject;
    struct str body;
    time_us made;
    int64_t tries;
};

struct outgoing_state {
    pthread_cond_t work;
    struct str busy[OUTGOING_THREADS]; /* hosts; empty: a place is free */
    bool wanted;                       /* there may be something due */
};

/* --- rows --- */

/* The origin of a URL; the receiver of a mail has that of its domain, the meter one of its own. */
static struct str host_of(const struct outgoing *o)
{
    struct str rest = o->target;
    if (o->kind == OUTGOING_USAGE)
        return STR("usage");
    if (o->kind == OUTGOING_MAIL)
        return STR("mail");
    size_t behind = str_find(rest, ':', 0) + 3; /* of "://" */
    size_t end = str_find(rest, '/', behind);
    end = min_size(end, str_find(rest, '?', behind));
    return str_sub(rest, 0, min_size(end, HOST_MAX));
}

enum rc outgoing_put(struct tx *tx, struct pico_engine *e, int64_t pico, const struct outgoing *o)
{
    return sql_run(tx,
                   "INSERT INTO pico_outbox (no, kind, pico, id, host, target, subject, body, "
                   "made, due, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0)",
                   V(atomic_fetch_add(&e->next_outgoing, 1)), V((int64_t)o->kind), V(pico),
                   V(o->id), V(host_of(o)), V(o->target), V(o->subject), V(o->body), V(tx->now));
}

struct taking {
    struct pico_engine *e;
    struct arena *arena;
    struct str avoid; /* the host that another thread serves; empty: none */
    time_us now;
    struct row *first;
    struct row **last;
    size_t n;
};

static enum rc read_row(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct taking *t = arg;
    (void)tx;
    ASSERT(columns == 10);
    struct row *r = NEW(t->arena, struct row);
    *r = (struct row){.no = v[0].number,
                      .kind = (enum outgoing_kind)v[1].number,
                      .pico = v[2].number,
                      .id = arena_str(t->arena, v[3].text),
                      .host = arena_str(t->arena, v[4].text),
                      .target = arena_str(t->arena, v[5].text),
                      .subject = arena_str(t->arena, v[6].text),
                      .body = arena_str(t->arena, v[7].text),
                      .made = v[8].number,
                      .tries = v[9].number};
    *t->last = r;
    t->last = &r->next;
    t->n++;
    return RC_OK;
}

/* The first that is due; usage goes in batches, but what was refused once goes alone, so that one
 * wrong record holds up no other. */
static enum rc take_rows(struct tx *tx, void *arg)
{
    struct taking *t = arg;
    t->first = NULL;
    t->last = &t->first;
    t->n = 0;
    TRY(sql_each(tx, read_row, t,
                 "SELECT no, kind, pico, id, host, target, subject, body, made, tries FROM "
                 "pico_outbox WHERE due <= $1 AND host <> $2 ORDER BY due, no LIMIT 1",
                 V(t->now), V(t->avoid)));
    if (t->n == 0 || t->first->kind != OUTGOING_USAGE || t->first->tries > 0)
        return RC_OK;
    t->first = NULL;
    t->last = &t->first;
    t->n = 0;
    return sql_each(tx, read_row, t,
                    "SELECT no, kind, pico, id, host, target, subject, body, made, tries FROM "
                    "pico_outbox WHERE host = $1 AND due <= $2 AND tries = 0 ORDER BY no LIMIT $3",
                    V(STR("usage")), V(t->now), V(BATCH));
}

/* --- sending --- */

/* What became of a call. */
enum fate { FATE_DONE, FATE_AGAIN, FATE_REFUSED };

struct sent {
    enum fate fate;
    struct str why; /* of all but FATE_DONE */
};

static bool comes_back(int status)
{
    return status == 401 || status == 408 || status == 425 || status == 429 || status >= 500;
}

static enum fate fate_of(enum rc rc)
{
    bool again = rc == RC_UNAVAILABLE || rc == RC_TIMEOUT || rc == RC_REMOTE || rc == RC_TOO_LARGE;
    return rc == RC_OK ? FATE_DONE : again ? FATE_AGAIN : FATE_REFUSED;
}

static struct sent call(struct pico_engine *e, const struct wire_request *request,
                        struct arena *arena)
{
    struct err err = {0};
    struct wire_reply reply = {.status = 0};
    enum rc rc = wire_call(e->o.wire, request, arena, &reply, &err);
    if (rc != RC_OK)
        return (struct sent){fate_of(rc), arena_str(arena, err_text(&err))};
    if (reply.status >= 200 && reply.status < 300)
        return (struct sent){.fate = FATE_DONE};
    return (struct sent){comes_back(reply.status) ? FATE_AGAIN : FATE_REFUSED,
                         arena_fmt(arena, "it answers with %d", reply.status)};
}

static struct sent send_usage(struct pico_engine *e, const struct row *first, struct arena *arena)
{
    struct buf b;
    struct pair headers[3] = {
        {STR("Content-Type"), STR("application/cloudevents-batch+json")},
        {STR("User-Agent"), STR("hanse-pico/" HANSE_VERSION)},
        {STR("Authorization"), arena_fmt(arena, "Bearer %.*s", STRF(e->o.usage.token))}};
    buf_init(&b, arena, BODY_MAX);
    for (const struct row *r = first; r != NULL; r = r->next) {
        buf_add_char(&b, r == first ? '[' : ',');
        buf_add(&b, r->body);
    }
    buf_add_char(&b, ']');
    ASSERT(!b.full);
    const struct wire_request request = {.method = STR("POST"),
                                         .url = e->o.usage.url,
                                         .body = buf_str(&b),
                                         .headers = headers,
                                         .header_count = e->o.usage.token.n > 0 ? 3 : 2,
                                         .timeout_us = CALL_US,
                                         .reply_bytes_max = REPLY_MAX,
                                         .given_up = &e->ending};
    return call(e, &request, arena);
}

static struct sent send_webhook(struct pico_engine *e, const struct row *r, struct arena *arena)
{
    const struct pair headers[] = {{STR("Content-Type"), STR("application/json")},
                                   {STR("User-Agent"), STR("hanse-pico/" HANSE_VERSION)},
                                   {STR(PICO_KEY_HEADER), r->id},
                                   {STR("Idempotency-Key"), r->id}};
    const struct wire_request request = {.method = STR("POST"),
                                         .url = r->target,
                                         .body = r->body,
                                         .headers = headers,
                                         .header_count = COUNT(headers),
                                         .timeout_us = CALL_US,
                                         .reply_bytes_max = REPLY_MAX,
                                         .public_only = !e->o.private_hosts,
                                         .given_up = &e->ending};
    return call(e, &request, arena);
}

static struct sent send_mail(struct pico_engine *e, const struct row *r, struct arena *arena)
{
    struct err err = {0};
    const struct wire_mail mail = {.url = e->o.mail.url,
                                   .user = e->o.mail.user,
                                   .password = e->o.mail.password,
                                   .from = e->o.mail.from,
                                   .to = r->target,
                                   .subject = r->subject,
                                   .text = r->body,
                                   .message_id = r->id};
    if (e->o.mail.url.n == 0)
        return (struct sent){FATE_REFUSED, STR("this engine sends no mail")};
    enum rc rc = e->o.wire->mail(e->o.wire, &mail, arena, &err);
    return (struct sent){fate_of(rc), arena_str(arena, err_text(&err))};
}

static struct sent send_rows(struct pico_engine *e, const struct row *r, struct arena *arena)
{
    if (e->o.wire == NULL)
        return (struct sent){FATE_REFUSED, STR("this engine asks no other hosts")};
    switch (r->kind) {
    case OUTGOING_USAGE:
        return send_usage(e, r, arena);
    case OUTGOING_WEBHOOK:
        return send_webhook(e, r, arena);
    case OUTGOING_MAIL:
        return send_mail(e, r, arena);
    }
    NEVER("no such kind");
}

/* --- afterwards --- */

struct writing {
    const struct row *first;
    enum fate fate;
};

static int64_t pause_of(const struct row *r)
{
    int64_t doublings = min_i64(r->tries, PAUSE_DOUBLINGS);
    return min_i64(PAUSE_US << doublings, PAUSE_MAX_US);
}

static enum rc write_fate(struct tx *tx, void *arg)
{
    const struct writing *w = arg;
    ASSERT(w->first != NULL);
    for (const struct row *r = w->first; r != NULL; r = r->next) {
        if (w->fate == FATE_AGAIN)
            TRY(sql_run(tx, "UPDATE pico_outbox SET due = $2, tries = tries + 1 WHERE no = $1",
                        V(r->no), V(tx->now + pause_of(r))));
        else
            TRY(sql_run(tx, "DELETE FROM pico_outbox WHERE no = $1", V(r->no)));
    }
    if (w->fate != FATE_AGAIN)
        return RC_OK;
    time_us until = tx->now + min_i64(pause_of(w->first), OTHERS_MAX_US);
    return sql_run(tx, "UPDATE pico_outbox SET due = $2 WHERE host = $1 AND due < $2",
                   V(w->first->host), V(until));
}

/* The pico's log, and the engine's, say what was given up. */
static void note(struct pico_engine *e, const struct row *r, struct str why)
{
    struct arena arena;
    struct buf b;
    struct json_writer w;
    char at[TIME_TEXT_MAX];
    arena_init(&arena, ARENA_COMMIT_BYTES);
    if (e->o.log != NULL)
        log_event(e->o.log, LOG_WARN, "pico.not_sent", LOG_S("id", r->id), LOG_S("host", r->host),
                  LOG_S("error", why));
    if (r->kind != OUTGOING_USAGE) {
        time_us now = clock_now(e->clock);
        buf_init(&b, &arena, HOST_MAX * 8);
        json_writer_init(&w, &b);
        json_begin_object(&w);
        json_put_key(&w, STR("level"));
        json_put_i64(&w, LEVEL_ERROR);
        json_put_key(&w, STR("time"));
        json_put_str(&w, str_n(at, time_format(now, at)));
        json_put_key(&w, STR("msg"));
        json_put_str(&w, arena_fmt(&arena, "not sent to %.*s: %.*s", STRF(r->host),
                                   STRF(str_sub(why, 0, HOST_MAX))));
        json_end_object(&w);
        diary_add(e, r->pico, now, buf_str(&b));
    }
    arena_fini(&arena);
}

/* Whether it is given up. A record of usage never is: it waits until somebody has looked. */
static enum fate settle(struct pico_engine *e, const struct row *r, const struct sent *s)
{
    bool late = clock_now(e->clock) - r->made > GIVE_UP_US;
    enum fate fate = s->fate;
    if (fate != FATE_DONE && r->kind == OUTGOING_USAGE)
        fate = FATE_AGAIN;
    else if (fate == FATE_AGAIN && late)
        fate = FATE_REFUSED;
    if (fate == FATE_REFUSED || (s->fate == FATE_REFUSED && r->next == NULL))
        note(e, r, s->why);
    return fate;
}

/* With the lock: a place for one more host; -1: none is free. */
static int free_place(const struct outgoing_state *o)
{
    for (int i = 0; i < OUTGOING_THREADS; i++)
        if (o->busy[i].n == 0)
            return i;
    return -1;
}

/* With the lock, which is given up meanwhile: send what is due first. How many rows are done with;
 * *ret_some: there was something. */
static size_t serve(struct pico_engine *e, bool *ret_some)
{
    struct arena arena;
    struct err err;
    struct outgoing_state *o = e->outgoing;
    struct taking t = {.e = e, .arena = &arena, .now = clock_now(e->clock)};
    size_t done = 0;
    int place = free_place(o);
    *ret_some = false;
    if (place < 0)
        return 0;
    arena_init(&arena, ROWS_ARENA);
    t.avoid = arena_str(&arena, o->busy[1 - place]);
    o->busy[place] = STR("?"); /* nobody is called so; the other one looks after this one */
    bool first = t.avoid.n == 0 || !str_eq(t.avoid, STR("?"));
    pthread_mutex_unlock(&e->lock);
    enum rc rc = first ? store_read(e->store, &arena, &err, take_rows, &t) : RC_OK;
    if (rc == RC_OK && t.first != NULL) {
        pthread_mutex_lock(&e->lock);
        o->busy[place] = t.first->host;
        pthread_mutex_unlock(&e->lock);
        struct sent s = send_rows(e, t.first, &arena);
        struct writing w = {.first = t.first, .fate = settle(e, t.first, &s)};
        rc = store_write(e->store, &arena, &err, write_fate, &w);
        *ret_some = rc == RC_OK;
        done = rc == RC_OK && w.fate != FATE_AGAIN ? t.n : 0;
    }
    if (rc != RC_OK && e->o.log != NULL) /* it is looked for again */
        log_event(e->o.log, LOG_WARN, "pico.outbox", LOG_S("error", err_text(&err)));
    pthread_mutex_lock(&e->lock);
    o->busy[place] = STR("");
    arena_fini(&arena);
    return done;
}

/* --- who does it --- */

size_t outgoing_run(struct pico_engine *e)
{
    size_t done = 0;
    bool some = true;
    while (some && !atomic_load(&e->ending))
        done += serve(e, &some);
    return done;
}

void outgoing_wake(struct pico_engine *e)
{
    e->outgoing->wanted = true;
    pthread_cond_signal(&e->outgoing->work);
}

/* With the lock, which is given up meanwhile. */
static void end_periods(struct pico_engine *e)
{
    struct err err;
    bool more = true;
    while (more && !e->stopping) {
        pthread_mutex_unlock(&e->lock);
        enum rc rc = usage_turn(e, &more, &err);
        if (rc != RC_OK && e->o.log != NULL)
            log_event(e->o.log, LOG_WARN, "pico.usage", LOG_S("error", err_text(&err)));
        pthread_mutex_lock(&e->lock);
    }
}

void *outgoing_thread(void *arg)
{
    struct pico_engine *e = arg;
    struct timespec until;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_US / US_PER_SECOND;
        if (!e->outgoing->wanted)
            (void)pthread_cond_timedwait(&e->outgoing->work, &e->lock, &until); /* looks anyway */
        e->outgoing->wanted = false;
        if (!e->stopping)
            end_periods(e);
        if (!e->stopping)
            (void)outgoing_run(e); /* what is not done is due later */
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static enum rc start(struct tx *tx, void *arg)
{
    struct pico_engine *e = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) FROM pico_outbox"));
    atomic_store(&e->next_outgoing, row_int(&rows, 0, 0) + 1);
    return RC_OK;
}

enum rc outgoing_open(struct pico_engine *e, struct err *err)
{
    struct arena arena;
    pthread_condattr_t monotonic;
    e->outgoing = calloc(1, sizeof *e->outgoing);
    ASSERT(e->outgoing != NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->outgoing->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, start, e);
    arena_fini(&arena);
    return rc;
}

void outgoing_close(struct pico_engine *e)
{
    if (e->outgoing == NULL)
        return;
    pthread_cond_destroy(&e->outgoing->work);
    free(e->outgoing);
}

/* --- room --- */

struct room {
    int64_t pico;
    bool some;
};

static enum rc look_for_room(struct tx *tx, void *arg)
{
    struct room *r = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT COUNT(*) FROM (SELECT 1 AS one FROM pico_outbox WHERE pico = $1 LIMIT $2) "
                 "AS waiting",
                 V(r->pico), V(OUTGOING_PICO_MAX)));
    r->some = row_int(&rows, 0, 0) < OUTGOING_PICO_MAX;
    return RC_OK;
}

enum rc outgoing_room(struct pico_engine *e, int64_t pico, bool *ret, struct err *err)
{
    struct arena arena;
    struct room r = {.pico = pico};
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, look_for_room, &r);
    arena_fini(&arena);
    *ret = r.some;
    return rc;
}
