#include "store/engine.h"
#include "store/migrate.h"

enum { READERS_DEFAULT = 4, WRITERS_DEFAULT = 2, POOL_HOLD_MS = 200 };
/* What one batch may gather: bounded by what its units of work may hold, one of the largest. */
#define PARTICIPANTS_ARENA_BYTES ((size_t)4 * 1024 * 1024 * 1024)

void *store_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);
    ASSERT(p != NULL); /* out of memory stops the process, CONVENTIONS "Memory" */
    return p;
}

char *store_copy(struct str s)
{
    char *p = store_alloc(s.n + 1, 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return p;
}

/* --- the address of a store --- */

enum rc store_url_engine(struct str url, const struct engine **ret, struct err *err)
{
    if (str_find(url, '\0', 0) != url.n || url.n > STORE_PATH_MAX)
        return err_set(err, RC_INVALID, "the address of the store is no text of at most %d bytes",
                       STORE_PATH_MAX);
    if (str_starts(url, STR("sqlite:")) && url.n > strlen("sqlite:")) {
        *ret = &engine_sqlite;
        return RC_OK;
    }
    if (str_starts(url, STR("postgresql://")) || str_starts(url, STR("postgres://"))) {
        *ret = &engine_postgres;
        return RC_OK;
    }
    /* Not repeated here: what was meant may hold a password. */
    return err_set(err, RC_INVALID,
                   "the address of the store is not understood: give sqlite:FOLDER or "
                   "postgresql://USER@HOST/DATABASE");
}

struct str store_url_folder(struct str url)
{
    struct str folder = str_sub(url, strlen("sqlite:"), url.n);
    return str_eq(folder, STR(":memory:")) ? STR("") : folder;
}

/* --- reading --- */

static void end_reading(struct pool *p)
{
    p->reading--;
    pthread_cond_signal(p->held ? &p->still : &p->some);
}

/* An idle connection, or a new one while there may be more, or wait for one. */
static enum rc take_reader(struct store *s, struct store_conn **ret, struct err *err)
{
    struct pool *p = &s->pool;
    pthread_mutex_lock(&p->lock);
    while (p->held || (p->idle == NULL && p->open == s->readers_max))
        pthread_cond_wait(&p->some, &p->lock);
    p->reading++;
    struct store_conn *conn = p->idle;
    if (conn != NULL)
        p->idle = conn->next;
    else
        p->open++;
    pthread_mutex_unlock(&p->lock);

    enum rc rc = conn != NULL ? RC_OK : s->engine->connect(s, false, &conn, err);
    if (rc == RC_OK) {
        *ret = conn;
        return RC_OK;
    }
    pthread_mutex_lock(&p->lock);
    p->open--;
    end_reading(p);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

static void give_reader(struct store *s, struct store_conn *conn)
{
    pthread_mutex_lock(&s->pool.lock);
    conn->next = s->pool.idle;
    s->pool.idle = conn;
    end_reading(&s->pool);
    pthread_mutex_unlock(&s->pool.lock);
}

void pool_drop_snapshots(struct store *s)
{
    pthread_mutex_lock(&s->pool.lock);
    for (struct store_conn *c = s->pool.idle; c != NULL; c = c->next)
        s->engine->drop_snapshot(c);
    pthread_mutex_unlock(&s->pool.lock);
}

bool pool_hold(struct store *s)
{
    struct pool *p = &s->pool;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += POOL_HOLD_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&p->lock);
    p->held = true;
    int rc = 0;
    while (p->reading > 0 && rc == 0)
        rc = pthread_cond_timedwait(&p->still, &p->lock, &until);
    bool still = p->reading == 0;
    pthread_mutex_unlock(&p->lock);
    if (still)
        pool_drop_snapshots(s);
    return still;
}

void pool_release(struct store *s)
{
    pthread_mutex_lock(&s->pool.lock);
    s->pool.held = false;
    pthread_cond_broadcast(&s->pool.some);
    pthread_mutex_unlock(&s->pool.lock);
}

static void close_readers(struct store *s)
{
    while (s->pool.idle != NULL) {
        struct store_conn *c = s->pool.idle;
        s->pool.idle = c->next;
        s->engine->disconnect(c);
        s->pool.open--;
    }
    ASSERT(s->pool.open == 0); /* a store is closed when nobody reads it any more */
}

static enum rc read_once(struct store *s, struct store_conn *conn, struct tx *tx, tx_fn fn,
                         void *arg)
{
    TRY(s->engine->begin_read(conn, tx->err));
    enum rc rc = fn(tx, arg);
    if (rc == RC_OK && conn->failed != RC_OK)
        rc = err_set(tx->err, RC_INTERNAL, "a question to the store failed, and went unnoticed");
    if (conn->lost != RC_OK)
        rc = conn->lost;
    s->engine->end_read(conn);
    return rc;
}

/* With PostgreSQL a connection may have died since its last use: then once more, on a new one. */
static enum rc read_on(struct store *s, struct store_conn *conn, struct tx *tx, tx_fn fn, void *arg)
{
    tx->conn = conn;
    tx->now = clock_now(s->clock);
    enum rc rc = RC_RETRY;
    for (int i = 0; rc == RC_RETRY && i < STORE_RETRIES_MAX; i++) {
        err_clear(tx->err);
        rc = read_once(s, conn, tx, fn, arg);
    }
    if (rc == RC_RETRY)
        rc = err_set(tx->err, RC_UNAVAILABLE, "the store is too busy: try again in a moment");
    return rc;
}

enum rc store_read(struct store *s, struct arena *arena, struct err *err, tx_fn fn, void *arg)
{
    ASSERT(arena != NULL && err != NULL);
    struct tx tx = {.arena = arena, .err = err};
    atomic_fetch_add_explicit(&s->reads, 1, memory_order_relaxed);
    if (s->shared) {
        pthread_mutex_lock(&s->pool.lock);
        enum rc rc = read_on(s, s->writers[0].conn, &tx, fn, arg);
        pthread_mutex_unlock(&s->pool.lock);
        return rc;
    }
    struct store_conn *conn = NULL;
    TRY(take_reader(s, &conn, err));
    enum rc rc = read_on(s, conn, &tx, fn, arg);
    give_reader(s, conn);
    return rc;
}

/* --- opening and closing --- */

static void init_locks(struct store *s)
{
    pthread_mutex_init(&s->pool.lock, NULL);
    pthread_cond_init(&s->pool.some, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->pool.still, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&s->queue.lock, NULL);
    pthread_mutex_init(&s->hooks_lock, NULL);
    pthread_cond_init(&s->queue.some, NULL);
}

static struct store *make_store(const struct store_options *o, const struct engine *engine)
{
    ASSERT(o->clock != NULL);
    ASSERT(o->readers_max <= STORE_READERS_MAX);
    ASSERT(o->writers <= STORE_WRITERS_MAX);
    ASSERT(o->batch_max <= STORE_BATCH_MAX);
    struct store *s = store_alloc(1, sizeof *s);
    s->engine = engine;
    s->clock = o->clock;
    s->log = o->log;
    s->url = store_copy(o->url);
    s->lock_fd = -1;
    s->readers_max = o->readers_max ? o->readers_max : READERS_DEFAULT;
    s->batch_max = o->batch_max ? o->batch_max : STORE_BATCH_MAX;
    s->writers_count = o->writers ? o->writers : WRITERS_DEFAULT;
    s->sole = o->sole;
    s->unthreaded = o->unthreaded;
    if (engine->kind == STORE_SQLITE || o->sole)
        s->writers_count = 1;
    for (size_t i = 0; i < s->writers_count; i++) {
        struct writer *w = &s->writers[i];
        w->store = s;
        w->jobs = store_alloc(s->batch_max, sizeof(struct store_job *));
        id_source_init(&w->ids, s->clock);
        arena_init(&w->arena, PARTICIPANTS_ARENA_BYTES);
    }
    init_locks(s);
    return s;
}

static void free_store(struct store *s)
{
    close_readers(s);
    for (size_t i = 0; i < s->writers_count; i++) {
        if (s->writers[i].conn != NULL)
            s->engine->disconnect(s->writers[i].conn);
        free(s->writers[i].jobs);
        arena_fini(&s->writers[i].arena);
    }
    s->engine->stop(s);
    pthread_mutex_destroy(&s->pool.lock);
    pthread_cond_destroy(&s->pool.some);
    pthread_cond_destroy(&s->pool.still);
    pthread_mutex_destroy(&s->queue.lock);
    pthread_mutex_destroy(&s->hooks_lock);
    pthread_cond_destroy(&s->queue.some);
    free(s->folder);
    free(s->describe);
    free(s->url);
    free(s);
}

static enum rc prepare(struct store *s, bool no_migrate, struct err *err)
{
    TRY(s->engine->start(s, err));
    for (size_t i = 0; i < s->writers_count; i++)
        TRY(s->engine->connect(s, true, &s->writers[i].conn, err));
    return migrate(s->writers[0].conn, no_migrate, s->clock, err);
}

enum rc store_open(struct store **ret, const struct store_options *options, struct err *err)
{
    const struct engine *engine = NULL;
    TRY(store_url_engine(options->url, &engine, err));
    struct store *s = make_store(options, engine);
    time_us began = clock_steady(s->clock);
    enum rc rc = prepare(s, options->no_migrate, err);
    if (rc != RC_OK) {
        free_store(s);
        return rc;
    }
    batch_start(s);
    log_event(s->log, LOG_INFO, "store.opened", LOG_S("store", store_describe(s)),
              LOG_I("us", clock_steady(s->clock) - began));
    *ret = s;
    return RC_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    batch_stop(s);
    log_event(s->log, LOG_INFO, "store.closed", LOG_S("store", store_describe(s)),
              LOG_I("commits", (int64_t)store_commits(s)));
    free_store(s);
}

/* --- what it says of itself --- */

enum store_engine store_engine(const struct store *s)
{
    return s->engine->kind;
}

struct str store_describe(const struct store *s)
{
    return str_c(s->describe);
}

uint64_t store_commits(const struct store *s)
{
    return atomic_load(&s->commits);
}

void store_on_commit(struct store *s, void (*hook)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->hooks_lock);
    ASSERT(s->hooks_count < STORE_HOOKS_MAX);
    s->hooks[s->hooks_count++] = (struct hook){hook, arg};
    pthread_mutex_unlock(&s->hooks_lock);
}

void store_take_part(struct store *s, const struct store_participant *p)
{
    ASSERT(p->begin != NULL && p->keep != NULL && p->undo != NULL);
    ASSERT(p->before_commit != NULL && p->committed != NULL && p->rolled_back != NULL);
    ASSERT(s->participants_count < STORE_PARTICIPANTS_MAX);
    ASSERT(store_commits(s) == 0);
    ASSERT(!batch_on_thread(s));
    batch_alone(s);
    /* The first writer reads the list after it took a job from the queue, under this lock. */
    pthread_mutex_lock(&s->queue.lock);
    ASSERT(s->queue.waiting == 0);
    s->participants[s->participants_count++] = *p;
    pthread_mutex_unlock(&s->queue.lock);
}

void store_off_commit(struct store *s, void (*hook)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->hooks_lock);
    for (size_t i = 0; i < s->hooks_count; i++) {
        if (s->hooks[i].fn != hook || s->hooks[i].arg != arg)
            continue;
        s->hooks[i] = s->hooks[--s->hooks_count];
        break;
    }
    pthread_mutex_unlock(&s->hooks_lock);
}

struct store_counters store_counters(struct store *s)
{
    pthread_mutex_lock(&s->queue.lock);
    uint64_t waiting = s->queue.waiting;
    pthread_mutex_unlock(&s->queue.lock);
    return (struct store_counters){
        .commits = atomic_load(&s->commits),
        .batched = atomic_load(&s->batched),
        .rolled_back = atomic_load(&s->rolled_back),
        .retries = atomic_load(&s->retries),
        .spoiled = atomic_load(&s->spoiled),
        .reads = atomic_load(&s->reads),
        .queue = waiting,
    };
}
