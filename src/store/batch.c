/*
 * Group commit. Callers queue; a writer takes what is queued, runs each caller's work inside one
 * transaction, commits once, and tells them all. There is no waiting window: while one commit is on
 * its way to the disk, the next batch gathers by itself.
 *
 * Where the engine allows it, a batch is first tried with nothing between its units of work: a
 * savepoint each makes SQLite keep a copy of every page that every unit touches. A unit that fails
 * before it wrote anything is no trouble; one that fails half way costs the batch a second run, now
 * with each unit inside its own savepoint, and so run the next few batches.
 *
 * A batch that cannot be committed as a whole is run again one by one, so that each caller gets
 * the answer to its own work and nobody pays for a neighbour.
 */
#include "store/engine.h"

#include <semaphore.h>

enum {
    PAUSE_FIRST_US = 500,
    PAUSE_DOUBLINGS_MAX = 7,
    /* Batches with savepoints after one that had to run twice: who makes units fail half way, again
     * and again, costs the others a copy of some pages, not half of all commits. */
    CAREFUL_BATCHES = 32,
};

/* --- the queue --- */

static void put_job(struct queue *q, struct store_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&q->lock);
    ASSERT(!q->closing);
    if (q->waiting >= STORE_QUEUE_MAX) {
        job->next = q->refused;
        q->refused = job;
    } else {
        if (q->first == NULL)
            q->first = job;
        else
            q->last->next = job;
        q->last = job;
        q->waiting++;
    }
    pthread_cond_signal(&q->some);
    pthread_mutex_unlock(&q->lock);
}

/* Wait for work. Up to max jobs into ret, and those that found no room into *ret_refused. 0 and no
 * refused ones: closing, and nothing is left; or (not for the first writer) not wanted any more. */
static size_t take_jobs(struct queue *q, bool first_writer, struct store_job **ret, size_t max,
                        struct store_job **ret_refused)
{
    pthread_mutex_lock(&q->lock);
    while (q->first == NULL && q->refused == NULL && !q->closing && (first_writer || !q->alone))
        pthread_cond_wait(&q->some, &q->lock);
    if (q->alone && !first_writer)
        max = 0;
    *ret_refused = max > 0 ? q->refused : NULL;
    if (max > 0)
        q->refused = NULL;
    size_t n = 0;
    for (; n < max && q->first != NULL; n++) {
        ret[n] = q->first;
        q->first = q->first->next;
    }
    q->waiting -= n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

/* --- participants --- */

static struct tx participants_tx(struct writer *w, struct err *err)
{
    return (struct tx){.conn = w->conn,
                       .arena = &w->arena,
                       .err = err,
                       .ids = &w->ids,
                       .now = clock_now(w->store->clock),
                       .writing = true};
}

/* As for a unit of work: what failed is not kept, whatever the participant says. */
static enum rc judge(struct store_conn *conn, enum rc rc, struct err *err)
{
    if (conn->lost != RC_OK)
        return conn->lost;
    if (rc == RC_OK && conn->failed != RC_OK)
        return err_set(err, RC_INTERNAL, "a change to the store failed, and went unnoticed");
    return rc;
}

static enum rc tell_begin(struct writer *w, struct err *err)
{
    arena_reset(&w->arena);
    struct tx tx = participants_tx(w, err);
    for (size_t i = 0; i < w->store->participants_count; i++) {
        const struct store_participant *p = &w->store->participants[i];
        enum rc rc = judge(w->conn, p->begin(p->arg, &tx), err);
        if (rc == RC_OK)
            continue;
        while (i-- > 0) /* those that did begin */
            w->store->participants[i].rolled_back(w->store->participants[i].arg);
        return rc;
    }
    return RC_OK;
}

static enum rc tell_before_commit(struct writer *w, struct err *err)
{
    struct tx tx = participants_tx(w, err);
    for (size_t i = 0; i < w->store->participants_count; i++) {
        const struct store_participant *p = &w->store->participants[i];
        TRY(judge(w->conn, p->before_commit(p->arg, &tx), err));
    }
    return RC_OK;
}

static void tell_unit(struct writer *w, bool kept)
{
    for (size_t i = 0; i < w->store->participants_count; i++) {
        const struct store_participant *p = &w->store->participants[i];
        (kept ? p->keep : p->undo)(p->arg);
    }
}

static void tell_end(struct writer *w, bool committed)
{
    for (size_t i = 0; i < w->store->participants_count; i++) {
        const struct store_participant *p = &w->store->participants[i];
        (committed ? p->committed : p->rolled_back)(p->arg);
    }
}

/* --- one batch --- */

/* How the units of one transaction stand to each other. */
enum way {
    WAY_ALONE, /* there is only one: the transaction is its savepoint */
    WAY_BARE,  /* nothing between them: one that fails half way spoils the batch */
    WAY_SAVED, /* each in its own savepoint */
};

/* *ret_spoiled: the unit failed and its changes cannot be told from its neighbours'. */
static enum rc run_job(struct writer *w, struct store_job *job, enum way way, bool *ret_spoiled,
                       struct err *err)
{
    struct store_conn *conn = w->conn;
    if (way == WAY_SAVED)
        TRY(conn->engine->save(conn, err));
    struct tx tx = {.conn = conn,
                    .arena = job->arena,
                    .err = job->err,
                    .ids = &w->ids,
                    .now = clock_now(w->store->clock),
                    .writing = true};
    err_clear(job->err);
    conn->failed = RC_OK;
    conn->wrote = false;
    job->rc = job->fn(&tx, job->arg);
    if (conn->lost != RC_OK) {
        *err = *job->err;
        return conn->lost;
    }
    /* A unit of work in which a statement failed is never kept, whatever its function says. */
    if (job->rc == RC_OK && conn->failed != RC_OK)
        job->rc =
            err_set(job->err, RC_INTERNAL, "a change to the store failed, and went unnoticed");
    conn->failed = RC_OK;
    tell_unit(w, job->rc == RC_OK);
    *ret_spoiled = way == WAY_BARE && job->rc != RC_OK && conn->wrote;
    if (way != WAY_SAVED)
        return RC_OK;
    if (job->rc == RC_OK)
        return conn->engine->keep(conn, err);
    conn->event_seq = 0; /* its events are gone, and their numbers free */
    return conn->engine->undo(conn, err);
}

/* Up to the commit, where any job succeeded. *ret_spoiled: not to be committed, to be run again. */
static enum rc run_jobs(struct writer *w, struct store_job **jobs, size_t n, enum way way,
                        size_t *ret_succeeded, bool *ret_spoiled, struct err *err)
{
    size_t succeeded = 0;
    for (size_t i = 0; i < n; i++) {
        TRY(run_job(w, jobs[i], way, ret_spoiled, err));
        if (*ret_spoiled)
            return RC_OK;
        succeeded += jobs[i]->rc == RC_OK;
    }
    if (succeeded > 0) {
        TRY(tell_before_commit(w, err));
        TRY(w->conn->engine->commit(w->conn, err));
    }
    *ret_succeeded = succeeded;
    return RC_OK;
}

/* Run the jobs in one transaction and commit what succeeded. Anything but RC_OK, or *ret_spoiled:
 * nothing is kept (or, with conn->unknown_outcome, nobody knows). */
static enum rc try_way(struct writer *w, struct store_job **jobs, size_t n, enum way way,
                       bool *ret_spoiled, struct err *err)
{
    struct store_conn *conn = w->conn;
    conn->outbox = false;
    conn->event_seq = 0;
    TRY(conn->engine->begin_write(conn, err));
    enum rc rc = tell_begin(w, err);
    if (rc != RC_OK) {
        conn->engine->rollback(conn);
        return rc;
    }
    size_t succeeded = 0;
    rc = run_jobs(w, jobs, n, way, &succeeded, ret_spoiled, err);
    if (rc != RC_OK || succeeded == 0) {
        conn->engine->rollback(conn);
        tell_end(w, false);
        return rc;
    }
    tell_end(w, true);
    /* Before anybody is told: a reader that compares the count sees what its caller was told. */
    atomic_fetch_add(&w->store->commits, 1);
    if (conn->outbox)
        atomic_fetch_add(&w->store->outbox_commits, 1);
    atomic_fetch_add_explicit(&w->store->batched, succeeded, memory_order_relaxed);
    return RC_OK;
}

static enum rc try_batch(struct writer *w, struct store_job **jobs, size_t n, struct err *err)
{
    bool spoiled = false;
    enum way way = n == 1                                               ? WAY_ALONE
                   : w->conn->engine->has_bare_units && w->careful == 0 ? WAY_BARE
                                                                        : WAY_SAVED;
    if (way == WAY_SAVED && w->careful > 0)
        w->careful--;
    TRY(try_way(w, jobs, n, way, &spoiled, err));
    if (!spoiled)
        return RC_OK;
    w->careful = CAREFUL_BATCHES;
    atomic_fetch_add_explicit(&w->store->spoiled, 1, memory_order_relaxed);
    return try_way(w, jobs, n, WAY_SAVED, &spoiled, err);
}

/* Longer each time, and never the same for two that run into each other. */
static void pause_before(struct writer *w, int attempt)
{
    int64_t us = (int64_t)PAUSE_FIRST_US << min_i64(attempt, PAUSE_DOUBLINGS_MAX);
    uint32_t chance = 0;
    clock_chance(w->store->clock, &chance, sizeof chance);
    us = us / 2 + (int64_t)(chance % (uint32_t)us);
    struct timespec ts = {.tv_nsec = us * 1000};
    (void)nanosleep(&ts, NULL); /* cut short by a signal, it is still a pause */
}

static enum rc run_whole(struct writer *w, struct store_job **jobs, size_t n, struct err *err)
{
    for (int attempt = 0;; attempt++) {
        enum rc rc = try_batch(w, jobs, n, err);
        if (rc != RC_RETRY)
            return rc;
        if (attempt == STORE_RETRIES_MAX)
            return err_set(err, RC_UNAVAILABLE,
                           "too many others change the same things: try again in a moment");
        atomic_fetch_add_explicit(&w->store->retries, 1, memory_order_relaxed);
        pause_before(w, attempt);
    }
}

static void finish(struct writer *w, struct store_job **jobs, size_t n, enum rc rc,
                   const struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct store_job *job = jobs[i];
        if (rc != RC_OK) {
            job->rc = rc;
            *job->err = *err;
        }
        if (job->rc != RC_OK)
            atomic_fetch_add_explicit(&w->store->rolled_back, 1, memory_order_relaxed);
        job->done(job, job->rc); /* the job is its caller's again */
    }
}

static void log_failure(const struct store *s, enum rc rc, size_t n, const struct err *err)
{
    if (rc != RC_OK)
        log_event(s->log, rc == RC_UNAVAILABLE ? LOG_WARN : LOG_ERROR, "store.not_committed",
                  LOG_S("rc", str_c(rc_slug(rc))), LOG_I("callers", (int64_t)n),
                  LOG_S("text", err_text(err)));
}

static void tell_hooks(struct store *s)
{
    pthread_mutex_lock(&s->hooks_lock);
    for (size_t i = 0; i < s->hooks_count; i++)
        s->hooks[i].fn(s->hooks[i].arg);
    pthread_mutex_unlock(&s->hooks_lock);
}

/* Whether running one by one can help: not where the engine is away, or the outcome unknown. */
static bool worth_splitting(const struct store_conn *conn, enum rc rc, size_t n)
{
    return n > 1 && rc != RC_OK && !conn->unknown_outcome && conn->lost != RC_UNAVAILABLE;
}

static void run_batch(struct writer *w, struct store_job **jobs, size_t n)
{
    struct err err = {0};
    enum rc rc = run_whole(w, jobs, n, &err);
    log_failure(w->store, rc, n, &err);
    if (!worth_splitting(w->conn, rc, n)) {
        finish(w, jobs, n, rc, &err);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        rc = run_whole(w, &jobs[i], 1, &err);
        finish(w, &jobs[i], 1, rc, &err);
    }
}

static void refuse(struct store_job *job)
{
    while (job != NULL) {
        struct store_job *next = job->next;
        job->rc = err_set(job->err, RC_UNAVAILABLE,
                          "too many changes are waiting already: try again in a moment");
        job->done(job, job->rc);
        job = next;
    }
}

static void write_batch(struct writer *w, struct store_job **jobs, size_t n)
{
    struct store *s = w->store;
    uint64_t before = atomic_load(&s->commits);
    if (s->shared)
        pthread_mutex_lock(&s->pool.lock);
    run_batch(w, jobs, n);
    if (s->shared)
        pthread_mutex_unlock(&s->pool.lock);
    if (atomic_load(&s->commits) != before)
        tell_hooks(s);
    s->engine->tidy(w->conn);
}

/* On the thread of the caller, whose `done` must not write in its turn. */
static void write_here(struct store *s, struct store_job *job)
{
    ASSERT(!s->running); /* it would wait for itself */
    s->running = true;
    write_batch(&s->writers[0], &job, 1);
    s->running = false;
}

static void *write_thread(void *arg)
{
    struct writer *w = arg;
    struct store *s = w->store;
    for (;;) {
        struct store_job *refused = NULL;
        size_t n = take_jobs(&s->queue, w == &s->writers[0], w->jobs, s->batch_max, &refused);
        if (n == 0 && refused == NULL)
            return NULL;
        refuse(refused);
        if (n == 0)
            continue;
        write_batch(w, w->jobs, n);
    }
}

/* --- the doors --- */

void store_submit(struct store *s, struct store_job *job)
{
    ASSERT(job->fn != NULL && job->done != NULL);
    ASSERT(job->arena != NULL && job->err != NULL);
    if (s->unthreaded)
        write_here(s, job);
    else
        put_job(&s->queue, job);
}

struct waiter {
    struct store_job job;
    sem_t done;
};

static void wake_waiter(struct store_job *job, enum rc rc)
{
    (void)rc; /* it is in the job */
    sem_post(&CONTAINER_OF(job, struct waiter, job)->done);
}

enum rc store_write(struct store *s, struct arena *arena, struct err *err, tx_fn fn, void *arg)
{
    ASSERT(!batch_on_thread(s)); /* it would wait for itself */
    struct waiter w = {
        .job = {.fn = fn, .arg = arg, .arena = arena, .err = err, .done = wake_waiter}};
    int failed = sem_init(&w.done, 0, 0);
    ASSERT(failed == 0);
    store_submit(s, &w.job);
    while (sem_wait(&w.done) != 0)
        continue; /* EINTR: the only error of a valid semaphore */
    sem_destroy(&w.done);
    return w.job.rc;
}

bool batch_on_thread(const struct store *s)
{
    if (s->unthreaded)
        return s->running;
    for (size_t i = 0; i < s->writers_count; i++)
        if (s->writers[i].started && pthread_equal(s->writers[i].thread, pthread_self()))
            return true;
    return false;
}

void batch_start(struct store *s)
{
    for (size_t i = 0; i < s->writers_count && !s->unthreaded; i++) {
        struct writer *w = &s->writers[i];
        int failed = pthread_create(&w->thread, NULL, write_thread, w);
        ASSERT(failed == 0);
        w->started = true;
    }
}

void batch_alone(struct store *s)
{
    pthread_mutex_lock(&s->queue.lock);
    s->queue.alone = true;
    pthread_cond_broadcast(&s->queue.some);
    pthread_mutex_unlock(&s->queue.lock);
    for (size_t i = 1; i < s->writers_count; i++) {
        if (s->writers[i].started)
            pthread_join(s->writers[i].thread, NULL);
        s->writers[i].started = false;
    }
}

void batch_stop(struct store *s)
{
    pthread_mutex_lock(&s->queue.lock);
    s->queue.closing = true;
    pthread_cond_broadcast(&s->queue.some);
    pthread_mutex_unlock(&s->queue.lock);
    for (size_t i = 0; i < s->writers_count; i++)
        if (s->writers[i].started)
            pthread_join(s->writers[i].thread, NULL);
}
