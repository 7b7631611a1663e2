#include "main/jobs.h"

#include "billing/close.h"
#include "meter/total.h"
#include "settle/statement.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { FOLD_RECORDS = 200000 };

/* After a failure it waits so long, so that a full disk is not asked a thousand times a second. */
#define FAILED_WAIT_US US_PER_SECOND

struct jobs {
    struct store *store;
    struct ledger *ledger;
    const struct log *log;
    struct arena arena;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool stop;
    bool news; /* something was committed since the last look */
};

/* --- pieces of work --- */

static enum rc look(struct tx *tx, void *arg)
{
    return total_waiting(tx, arg);
}

static enum rc fold(struct tx *tx, void *arg)
{
    return total_fold(tx, FOLD_RECORDS, arg);
}

static enum rc fold_usage(struct jobs *j, bool *ret_worked, struct err *err)
{
    bool done = false;
    *ret_worked = false;
    TRY(store_read(j->store, &j->arena, err, look, ret_worked));
    return *ret_worked ? store_write(j->store, &j->arena, err, fold, &done) : RC_OK;
}

/* One piece of either kind. What fails is said once and tried again later. */
static bool work(struct jobs *j, bool *ret_failed)
{
    bool folded = false;
    bool closed = false;
    struct err err = {0};
    arena_reset(&j->arena);
    enum rc rc = fold_usage(j, &folded, &err);
    if (rc == RC_OK) {
        arena_reset(&j->arena);
        rc = close_work(j->store, j->ledger, &settle_above, &j->arena, &closed, &err);
    }
    *ret_failed = rc != RC_OK;
    if (rc != RC_OK)
        log_event(j->log, LOG_ERROR, "jobs.failed", LOG_S("code", str_c(rc_slug(rc))),
                  LOG_S("text", err_text(&err)));
    return rc == RC_OK && (folded || closed);
}

/* --- the thread --- */

static void wait_for(struct jobs *j, int64_t wait_us)
{
    struct timespec until;
    time_us at = clock_now(clock_system()) + wait_us;
    until.tv_sec = at / US_PER_SECOND;
    until.tv_nsec = at % US_PER_SECOND * 1000;
    pthread_mutex_lock(&j->mutex);
    while (!j->stop && !j->news)
        if (pthread_cond_timedwait(&j->woken, &j->mutex, &until) != 0)
            break;
    j->news = false;
    pthread_mutex_unlock(&j->mutex);
}

static bool stopped(struct jobs *j)
{
    pthread_mutex_lock(&j->mutex);
    bool stop = j->stop;
    pthread_mutex_unlock(&j->mutex);
    return stop;
}

static void *run(void *arg)
{
    struct jobs *j = arg;
    while (!stopped(j)) {
        bool failed = false;
        if (work(j, &failed))
            continue;
        if (failed) { /* not even its own commits wake it */
            struct timespec pause = {FAILED_WAIT_US / US_PER_SECOND, 0};
            (void)nanosleep(&pause, NULL);
        }
        wait_for(j, JOBS_LOOK_US);
    }
    return NULL;
}

static void wake(void *arg)
{
    struct jobs *j = arg;
    pthread_mutex_lock(&j->mutex);
    j->news = true;
    pthread_cond_signal(&j->woken);
    pthread_mutex_unlock(&j->mutex);
}

enum rc jobs_open(struct jobs **ret, struct store *s, struct ledger *l, const struct log *log,
                  struct err *err)
{
    struct jobs *j = calloc(1, sizeof *j);
    ASSERT(j != NULL);
    *j = (struct jobs){.store = s, .ledger = l, .log = log};
    arena_init(&j->arena, JOBS_ARENA_BYTES);
    pthread_mutex_init(&j->mutex, NULL);
    pthread_cond_init(&j->woken, NULL);
    store_on_commit(s, wake, j);
    if (pthread_create(&j->thread, NULL, run, j) != 0) {
        arena_fini(&j->arena);
        free(j);
        return err_set(err, RC_UNAVAILABLE, "the thread for jobs cannot be started");
    }
    *ret = j;
    return RC_OK;
}

void jobs_close(struct jobs *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->mutex);
    j->stop = true;
    pthread_cond_signal(&j->woken);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->thread, NULL);
}

void jobs_free(struct jobs *j)
{
    if (j == NULL)
        return;
    arena_fini(&j->arena);
    pthread_cond_destroy(&j->woken);
    pthread_mutex_destroy(&j->mutex);
    free(j);
}
