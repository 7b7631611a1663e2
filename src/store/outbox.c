/*
 * The outbox: rows that a transaction left, and the thread that carries them out.
 *
 * An event waits (NEW) until the relay gives it the next number (SENT); it stays OUTBOX_KEEP_US
 * for those who listen. The last one always stays: it remembers the number. On SQLite, where one
 * writer makes one change after the other, it gets its number with its row: in the order of the
 * commits, as a relay would number it. On PostgreSQL changes that do not meet would meet there.
 * Any other row is DUE until its function succeeded, then it is gone; or FAILED, and stays for
 * people to see.
 *
 * The thread sleeps until a commit brings rows, or one is due again. With PostgreSQL it also looks
 * once a second, as other processes commit too, and works only while it holds the lease.
 */
#include "store/outbox.h"

#include "store/engine.h"

enum { STATE_NEW = 0, STATE_SENT = 1, STATE_DUE = 2, STATE_FAILED = 3 };

enum {
    TOPICS_MAX = 64,
    TOPIC_BYTES_MAX = 64,
    HOOKS_MAX = 8,
    DELIVER_BATCH = 100, /* times OUTBOX_BODY_MAX fits the arena of one unit of work */
    EVENTS_MAX = 1000,
    HOLDER_MAX = 32,
    RUN_ARENA_BYTES = 64 * 1024 * 1024,
};

#define LEASE_US         (30 * US_PER_SECOND)
#define LOOK_US          (1 * US_PER_SECOND) /* PostgreSQL: for what other processes committed */
#define REST_US          (5 * US_PER_MS)     /* between two runs: one for many commits */
#define FAULT_PAUSE_US   (1 * US_PER_SECOND) /* the store failed: not again at once */
#define CLEAN_US         (1 * US_PER_MINUTE)
#define RETRY_FIRST_US   (1 * US_PER_SECOND)
#define RETRY_LONGEST_US (1 * US_PER_HOUR)
#define NEVER_DUE        INT64_MAX

struct service {
    const char *topic;
    outbox_fn fn;
    void *arg;
};

struct outbox {
    struct store *store;
    struct clock *clock;
    const struct log *log;
    char holder[HOLDER_MAX]; /* who we are, for the lease */

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    bool closing;
    bool woken;
    struct service services[TOPICS_MAX];
    size_t services_count;
    struct hook hooks[HOOKS_MAX];
    size_t hooks_count;

    pthread_mutex_t running; /* one run at a time; what follows is the run's */
    struct arena rows;       /* a batch of rows */
    struct arena work;       /* one unit of work, one delivery */
    time_us cleaned;
    int64_t last_seq; /* that listeners were told of */

    atomic_uint_fast64_t seen; /* outbox_commits when the last run began */
    atomic_uint_fast64_t delivered;
    atomic_uint_fast64_t failed;
    atomic_uint_fast64_t retried;
    pthread_t thread;
    bool started;
};

/* --- putting and reading --- */

static bool is_event(struct str topic)
{
    return str_starts(topic, STR("event."));
}

/* The number of the next event. Nobody else gives one while this transaction lasts, so only its
 * first event asks the store. */
static enum rc next_seq(struct tx *tx, int64_t *ret)
{
    struct store_conn *conn = tx->conn;
    if (conn->event_seq == 0) {
        struct rows last;
        TRY(sql_rows(tx, &last, "SELECT MAX(seq) FROM outbox"));
        conn->event_seq = row_int(&last, 0, 0);
    }
    *ret = ++conn->event_seq;
    return RC_OK;
}

static enum rc put_numbered(struct tx *tx, struct str topic, struct str party, struct str body)
{
    int64_t seq = 0;
    TRY(next_seq(tx, &seq));
    return sql_run(tx,
                   "INSERT INTO outbox (id, seq, topic, party, body, state, tries, created, due, "
                   "error) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, NULL)",
                   V(id_new(tx->ids, tx->arena, "obx")), V(seq), V(topic), value_opt(party),
                   V(body), V(STATE_SENT), V(tx->now), V(tx->now + OUTBOX_KEEP_US));
}

enum rc outbox_put(struct tx *tx, const char *topic, struct str party, struct str body)
{
    struct str t = str_c(topic);
    ASSERT(tx->writing);
    ASSERT(t.n > 0 && t.n <= TOPIC_BYTES_MAX);
    if (body.n > OUTBOX_BODY_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "a message of %zu bytes is too large: at most %d",
                       body.n, OUTBOX_BODY_MAX);
    tx->conn->outbox = true;
    if (is_event(t) && tx->conn->engine->kind == STORE_SQLITE)
        return put_numbered(tx, t, party, body);
    return sql_run(tx,
                   "INSERT INTO outbox (id, seq, topic, party, body, state, tries, created, due, "
                   "error) VALUES ($1, NULL, $2, $3, $4, $5, 0, $6, $6, NULL)",
                   V(id_new(tx->ids, tx->arena, "obx")), V(t), value_opt(party), V(body),
                   V(is_event(t) ? STATE_NEW : STATE_DUE), V(tx->now));
}

struct events {
    struct outbox_row *rows;
    size_t count;
};

static enum rc take_event(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)columns;
    struct events *to = arg;
    size_t need = cells[1].text.n + cells[2].text.n + cells[3].text.n + cells[4].text.n + 64;
    if (arena_room(tx->arena) < need)
        return to->count > 0 ? RC_GONE /* enough for this time */
                             : err_set(tx->err, RC_TOO_LARGE, "there is no room for an event");
    struct outbox_row *row = &to->rows[to->count++];
    row->seq = cells[0].number;
    row->id = arena_str(tx->arena, cells[1].text);
    row->topic = arena_str(tx->arena, cells[2].text);
    row->party = arena_str(tx->arena, cells[3].text);
    row->body = arena_str(tx->arena, cells[4].text);
    row->created = cells[5].number;
    return RC_OK;
}

enum rc outbox_events(struct tx *tx, int64_t after, size_t limit, struct outbox_row **ret,
                      size_t *ret_count, int64_t *ret_oldest)
{
    ASSERT(limit >= 1 && limit <= EVENTS_MAX);
    struct rows oldest;
    TRY(sql_rows(tx, &oldest, "SELECT MIN(seq) FROM outbox"));
    struct events e = {.rows = NEW_N(tx->arena, struct outbox_row, limit)};
    enum rc rc = sql_each(tx, take_event, &e,
                          "SELECT seq, id, topic, party, body, created FROM outbox WHERE seq > $1 "
                          "ORDER BY seq LIMIT $2",
                          V(after), V(limit));
    if (rc != RC_OK && !(rc == RC_GONE && e.count > 0))
        return rc;
    *ret = e.rows;
    *ret_count = e.count;
    *ret_oldest = row_int(&oldest, 0, 0);
    return RC_OK;
}

enum rc outbox_last(struct tx *tx, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT MAX(seq) FROM outbox"));
    *ret = row_int(&r, 0, 0);
    return RC_OK;
}

enum rc outbox_forget(struct tx *tx)
{
    return sql_run(tx, "DELETE FROM outbox WHERE state NOT IN (0, 1)");
}

/* --- what is to be done --- */

struct outlook {
    bool events;        /* some wait for their number */
    int64_t last_seq;   /* 0: none yet */
    time_us oldest_due; /* when the oldest event but the last may go; NEVER_DUE */
    time_us next_due;   /* when the next delivery is due; NEVER_DUE */
};

static enum rc look(struct tx *tx, void *arg)
{
    struct outlook *o = arg;
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT (SELECT due FROM outbox WHERE state = 0 ORDER BY due, id LIMIT 1), "
                 "(SELECT due FROM outbox WHERE state = 1 AND seq < (SELECT MAX(seq) FROM outbox) "
                 "ORDER BY due, id LIMIT 1), "
                 "(SELECT due FROM outbox WHERE state = 2 ORDER BY due, id LIMIT 1), "
                 "(SELECT MAX(seq) FROM outbox)"));
    o->events = !row_null(&r, 0, 0);
    o->oldest_due = row_null(&r, 0, 1) ? NEVER_DUE : row_int(&r, 0, 1);
    o->next_due = row_null(&r, 0, 2) ? NEVER_DUE : row_int(&r, 0, 2);
    o->last_seq = row_int(&r, 0, 3);
    return RC_OK;
}

static enum rc look_now(struct outbox *o, struct outlook *ret, struct err *err)
{
    arena_reset(&o->work);
    return store_read(o->store, &o->work, err, look, ret);
}

static enum rc write_now(struct outbox *o, tx_fn fn, void *arg, struct err *err)
{
    arena_reset(&o->work);
    return store_write(o->store, &o->work, err, fn, arg);
}

/* --- the lease: one relay among many processes --- */

struct lease {
    const char *holder;
    bool release;
    bool mine; /* out */
};

static enum rc take_lease(struct tx *tx, void *arg)
{
    struct lease *l = arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT holder, ends FROM lease WHERE name = 'outbox'"));
    bool held = r.count > 0 && row_int(&r, 0, 1) > tx->now;
    bool ours = r.count > 0 && str_eq(row_str(&r, 0, 0), str_c(l->holder));
    l->mine = ours || !held;
    if (!l->mine || (l->release && !ours))
        return RC_OK;
    if (!l->release && ours && row_int(&r, 0, 1) - tx->now > LEASE_US / 2)
        return RC_OK; /* long enough still: nothing to write */
    return sql_run(tx,
                   "INSERT INTO lease (name, holder, ends) VALUES ('outbox', $1, $2) ON CONFLICT "
                   "(name) DO UPDATE SET holder = $1, ends = $2",
                   V(l->holder), V(l->release ? 0 : tx->now + LEASE_US));
}

static enum rc hold_lease(struct outbox *o, bool *ret_mine, struct err *err)
{
    *ret_mine = true;
    if (store_engine(o->store) == STORE_SQLITE)
        return RC_OK; /* one process has the store */
    struct lease l = {.holder = o->holder};
    TRY(write_now(o, take_lease, &l, err));
    *ret_mine = l.mine;
    return RC_OK;
}

/* --- events --- */

static enum rc relay(struct tx *tx, void *arg)
{
    int64_t last = 0;
    TRY(outbox_last(tx, &last));
    return sql_change(
        tx, arg,
        "UPDATE outbox SET state = 1, seq = $1 + batch.n, due = outbox.created + $2 FROM "
        "(SELECT id, ROW_NUMBER() OVER (ORDER BY due, id) AS n FROM "
        "(SELECT id, due FROM outbox WHERE state = 0 ORDER BY due, id LIMIT $3) AS waiting) AS "
        "batch WHERE outbox.id = batch.id",
        V(last), V(OUTBOX_KEEP_US), V(OUTBOX_BATCH));
}

static enum rc clean(struct tx *tx, void *arg)
{
    return sql_change(
        tx, arg,
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 1 AND "
        "due <= $1 ORDER BY due, id LIMIT $2) AND seq < (SELECT MAX(seq) FROM outbox)",
        V(tx->now), V(OUTBOX_BATCH));
}

/* Run fn, which counts what it did, until a batch is not full. */
static enum rc until_done(struct outbox *o, tx_fn fn, struct err *err)
{
    int64_t changed = OUTBOX_BATCH;
    while (changed == OUTBOX_BATCH)
        TRY(write_now(o, fn, &changed, err));
    return RC_OK;
}

static void tell_listeners(struct outbox *o, int64_t last_seq)
{
    if (last_seq <= o->last_seq)
        return;
    o->last_seq = last_seq;
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->hooks_count; i++)
        o->hooks[i].fn(o->hooks[i].arg);
    pthread_mutex_unlock(&o->lock);
}

/* --- deliveries --- */

static enum rc fetch_due(struct tx *tx, void *arg)
{
    return sql_rows(tx, arg,
                    "SELECT id, topic, party, body, created, tries FROM outbox WHERE state = 2 AND "
                    "due <= $1 ORDER BY due, id LIMIT $2",
                    V(tx->now), V(DELIVER_BATCH));
}

static enum rc deliver(struct outbox *o, const struct outbox_row *row, struct err *err)
{
    struct service s = {0};
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->services_count; i++)
        if (str_eq(row->topic, str_c(o->services[i].topic)))
            s = o->services[i];
    pthread_mutex_unlock(&o->lock);
    if (s.fn == NULL)
        return err_set(err, RC_UNAVAILABLE, "nobody here serves the topic '%.*s'",
                       STRF(row->topic));
    arena_reset(&o->work);
    return s.fn(s.arg, row, &o->work, err);
}

/* What becomes of a row after one try. */
struct verdict {
    struct str id;
    int64_t state; /* -1: done */
    int64_t tries;
    time_us due;
    struct str error;
};

static enum rc record(struct tx *tx, void *arg)
{
    const struct verdict *v = arg;
    if (v->state < 0)
        return sql_run(tx, "DELETE FROM outbox WHERE id = $1", V(v->id));
    return sql_run(tx,
                   "UPDATE outbox SET state = $2, tries = $3, due = $4, error = $5 WHERE id = $1",
                   V(v->id), V(v->state), V(v->tries), V(v->due), V(v->error));
}

/* Twice as long each time, and spread, so that what failed together does not return together. */
static int64_t pause_after(struct outbox *o, int64_t tries)
{
    int64_t us = min_i64(RETRY_FIRST_US << min_i64(tries - 1, 20), RETRY_LONGEST_US);
    uint64_t chance = 0;
    clock_chance(o->clock, &chance, sizeof chance);
    return us / 2 + (int64_t)(chance % (uint64_t)us);
}

static enum rc deliver_and_record(struct outbox *o, const struct outbox_row *row, struct err *err)
{
    struct err why = {0};
    enum rc rc = deliver(o, row, &why);
    struct verdict v = {.id = row->id, .state = -1, .tries = row->tries + 1};
    if (rc != RC_OK) {
        bool hopeless = rc == RC_INVALID || rc == RC_UNSUPPORTED || v.tries >= OUTBOX_TRIES_MAX;
        v.state = hopeless ? STATE_FAILED : STATE_DUE;
        v.due = clock_now(o->clock) + (hopeless ? 0 : pause_after(o, v.tries));
        v.error = err_text(&why);
        log_event(o->log, hopeless ? LOG_ERROR : LOG_WARN,
                  hopeless ? "outbox.failed" : "outbox.retry", LOG_S("topic", row->topic),
                  LOG_S("id", row->id), LOG_I("tries", v.tries), LOG_S("text", v.error));
    }
    TRY(write_now(o, record, &v, err));
    atomic_fetch_add(v.state < 0               ? &o->delivered
                     : v.state == STATE_FAILED ? &o->failed
                                               : &o->retried,
                     1);
    return RC_OK;
}

static bool is_closing(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
    bool closing = o->closing;
    pthread_mutex_unlock(&o->lock);
    return closing;
}

/* One batch; *ret_more: there may be another. */
static enum rc deliver_due(struct outbox *o, bool *ret_more, struct err *err)
{
    struct rows r;
    arena_reset(&o->rows);
    TRY(store_read(o->store, &o->rows, err, fetch_due, &r));
    *ret_more = r.count == DELIVER_BATCH;
    for (size_t i = 0; i < r.count && !is_closing(o); i++) {
        bool mine = false;
        TRY(hold_lease(o, &mine, err));
        if (!mine) {
            *ret_more = false;
            break;
        }
        struct outbox_row row = {.id = row_str(&r, i, 0),
                                 .topic = row_str(&r, i, 1),
                                 .party = row_str(&r, i, 2),
                                 .body = row_str(&r, i, 3),
                                 .created = row_int(&r, i, 4),
                                 .tries = row_int(&r, i, 5)};
        TRY(deliver_and_record(o, &row, err));
    }
    return RC_OK;
}

/* --- a run --- */

static enum rc do_ours(struct outbox *o, const struct outlook *seen, struct err *err)
{
    bool mine = false;
    TRY(hold_lease(o, &mine, err));
    if (!mine)
        return RC_OK;
    time_us now = clock_now(o->clock);
    if (seen->events)
        TRY(until_done(o, relay, err));
    if (seen->oldest_due <= now && (o->cleaned == 0 || now - o->cleaned >= CLEAN_US)) {
        TRY(until_done(o, clean, err));
        o->cleaned = now;
    }
    bool more = seen->next_due <= now;
    while (more && !is_closing(o))
        TRY(deliver_due(o, &more, err));
    return RC_OK;
}

/* *ret_next: when something will be due. */
static enum rc run(struct outbox *o, time_us *ret_next, struct err *err)
{
    atomic_store(&o->seen, atomic_load(&o->store->outbox_commits));
    struct outlook seen;
    TRY(look_now(o, &seen, err));
    time_us now = clock_now(o->clock);
    if (seen.events || seen.next_due <= now || seen.oldest_due <= now) {
        TRY(do_ours(o, &seen, err));
        TRY(look_now(o, &seen, err));
    }
    tell_listeners(o, seen.last_seq);
    time_us clean_at = max_i64(seen.oldest_due, o->cleaned ? o->cleaned + CLEAN_US : 0);
    *ret_next = min_i64(seen.next_due, seen.oldest_due == NEVER_DUE ? NEVER_DUE : clean_at);
    return RC_OK;
}

enum rc outbox_run_once(struct outbox *o, struct err *err)
{
    time_us next = 0;
    pthread_mutex_lock(&o->running);
    enum rc rc = run(o, &next, err);
    pthread_mutex_unlock(&o->running);
    return rc;
}

/* --- the thread --- */

static void on_commit(void *arg)
{
    struct outbox *o = arg;
    if (atomic_load(&o->store->outbox_commits) == atomic_load(&o->seen))
        return;
    pthread_mutex_lock(&o->lock);
    if (!o->woken)
        pthread_cond_signal(&o->wake);
    o->woken = true;
    pthread_mutex_unlock(&o->lock);
}

/* Under the lock: sleep until somebody wakes us, or for so long. */
static void sleep_for(struct outbox *o, int64_t pause_us, const bool *awake)
{
    time_us until = clock_steady(o->clock) + min_i64(pause_us, US_PER_HOUR);
    struct timespec ts = {.tv_sec = until / US_PER_SECOND, .tv_nsec = until % US_PER_SECOND * 1000};
    int waited = 0;
    while (!*awake && !o->closing && waited == 0 && pause_us > 0)
        waited = pthread_cond_timedwait(&o->wake, &o->lock, &ts);
}

/* Sleep until a commit brings something, or pause_us are over, but REST_US at least: where one
 * commit follows the other, looking after each would take more of the processors than they do.
 * False: closing. */
static bool wait_for_work(struct outbox *o, int64_t pause_us)
{
    static const bool never = false;
    pthread_mutex_lock(&o->lock);
    if (pause_us > 0) {
        sleep_for(o, REST_US, &never);
        sleep_for(o, pause_us, &o->woken);
    }
    o->woken = false;
    bool go_on = !o->closing;
    pthread_mutex_unlock(&o->lock);
    return go_on;
}

static int64_t run_on_thread(struct outbox *o)
{
    struct err err = {0};
    time_us next = NEVER_DUE;
    pthread_mutex_lock(&o->running);
    enum rc rc = run(o, &next, &err);
    pthread_mutex_unlock(&o->running);
    if (rc != RC_OK) {
        log_event(o->log, LOG_WARN, "outbox.waits", LOG_S("rc", str_c(rc_slug(rc))),
                  LOG_S("text", err_text(&err)));
        return FAULT_PAUSE_US;
    }
    int64_t longest = store_engine(o->store) == STORE_POSTGRES ? LOOK_US : US_PER_HOUR;
    if (next == NEVER_DUE)
        return longest;
    return min_i64(max_i64(next - clock_now(o->clock), 0), longest);
}

static void *run_thread(void *arg)
{
    struct outbox *o = arg;
    int64_t pause_us = 0; /* a crash may have left something */
    while (wait_for_work(o, pause_us))
        pause_us = run_on_thread(o);
    return NULL;
}

/* --- opening and closing --- */

struct outbox *outbox_open(struct store *s, struct clock *clock, const struct log *log)
{
    struct outbox *o = store_alloc(1, sizeof *o);
    o->store = s;
    o->clock = clock;
    o->log = log;
    uint64_t chance = 0;
    clock_chance(clock_system(), &chance, sizeof chance);
    (void)snprintf(o->holder, sizeof o->holder, "outbox-%016llx", (unsigned long long)chance);
    arena_init(&o->rows, RUN_ARENA_BYTES);
    arena_init(&o->work, RUN_ARENA_BYTES);
    pthread_mutex_init(&o->lock, NULL);
    pthread_mutex_init(&o->running, NULL);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &steady);
    pthread_condattr_destroy(&steady);
    if (!clock_runs(clock))
        return o; /* simulated time passes only where outbox_run_once is called */
    store_on_commit(s, on_commit, o);
    int failed = pthread_create(&o->thread, NULL, run_thread, o);
    ASSERT(failed == 0);
    o->started = true;
    return o;
}

void outbox_serve(struct outbox *o, const char *topic, outbox_fn fn, void *arg)
{
    ASSERT(fn != NULL);
    ASSERT(!is_event(str_c(topic)));
    pthread_mutex_lock(&o->lock);
    ASSERT(o->services_count < TOPICS_MAX);
    o->services[o->services_count++] = (struct service){topic, fn, arg};
    pthread_mutex_unlock(&o->lock);
}

void outbox_on_relay(struct outbox *o, void (*hook)(void *arg), void *arg)
{
    pthread_mutex_lock(&o->lock);
    ASSERT(o->hooks_count < HOOKS_MAX);
    o->hooks[o->hooks_count++] = (struct hook){hook, arg};
    pthread_mutex_unlock(&o->lock);
}

static void stop_thread(struct outbox *o)
{
    if (!o->started)
        return;
    store_off_commit(o->store, on_commit, o);
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    pthread_join(o->thread, NULL);
}

void outbox_close(struct outbox *o)
{
    if (o == NULL)
        return;
    stop_thread(o);
    if (store_engine(o->store) == STORE_POSTGRES) {
        struct lease l = {.holder = o->holder, .release = true};
        struct err ignored = {0};
        (void)write_now(o, take_lease, &l, &ignored); /* else it runs out by itself */
    }
    arena_fini(&o->rows);
    arena_fini(&o->work);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    pthread_mutex_destroy(&o->running);
    free(o);
}

/* --- counters --- */

static enum rc count_waiting(struct tx *tx, void *arg)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM outbox WHERE state IN (0, 2)"));
    *(int64_t *)arg = row_int(&r, 0, 0);
    return RC_OK;
}

struct outbox_counters outbox_counters(struct outbox *o)
{
    struct outbox_counters c = {.delivered = atomic_load(&o->delivered),
                                .failed = atomic_load(&o->failed),
                                .retried = atomic_load(&o->retried)};
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    struct err ignored = {0};
    if (store_read(o->store, &arena, &ignored, count_waiting, &c.waiting) != RC_OK)
        c.waiting = -1;
    arena_fini(&arena);
    return c;
}
