#include "main/jobs.h"

#include "api/stored.h"
#include "billing/dunning.h"
#include "fleet/backup.h"
#include "fleet/service.h"
#include "fleet/vantage.h"
#include "meter/total.h"
#include "settle/statement.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define IDLE_US       (500 * US_PER_MS)
#define FOLD_US       (10 * US_PER_SECOND)
#define TICK_US       (5 * US_PER_SECOND)
#define DUNNING_US    (60 * US_PER_SECOND)
#define SWEEP_US      (3600 * US_PER_SECOND)
#define UNFINISHED_US (7 * 24 * 3600 * US_PER_SECOND) /* so long an upload may be gone on with */

enum { FOLD_RECORDS = 100000 };

struct jobs {
    struct store *store;
    struct ledger *ledger;
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* stop */
    pthread_cond_t wake;
    bool stop;
    struct arena arena;
    uint64_t folded; /* commits there were when usage was last added up */
    time_us fold_at;
    const struct seal *seal; /* NULL: no services here */
    time_us tick_at;
    time_us vantage_at;
    struct str backups;
    time_us backup_at;
    struct str images;
    time_us sweep_at;
    time_us dunning_at;
    bool failing; /* told once, until it works again */
};

/* --- usage --- */

static enum rc fold_in(struct tx *tx, void *arg)
{
    return total_fold(tx, FOLD_RECORDS, arg);
}

/* Where nothing was committed since, there is no usage either. */
static enum rc fold(struct jobs *j, bool *ret_worked, struct err *err)
{
    bool done = true;
    time_us now = clock_steady(clock_system());
    *ret_worked = false;
    if (now < j->fold_at || store_commits(j->store) == j->folded)
        return RC_OK;
    arena_reset(&j->arena);
    TRY(store_write(j->store, &j->arena, err, fold_in, &done));
    *ret_worked = !done;
    if (done) {
        j->fold_at = now + FOLD_US;
        j->folded = store_commits(j->store);
    }
    return RC_OK;
}

/* --- what is looked for every so often --- */

/* Both get the same arg, and say by *more whether there is something to do. */
struct round {
    tx_fn due;
    tx_fn work;
    void *arg;
    const bool *more;
    time_us *at; /* the next look, where there is nothing */
    int64_t every;
};

/* *ret_did: work was called. */
static enum rc go_round(struct jobs *j, const struct round *r, bool *ret_did, struct err *err)
{
    time_us now = clock_steady(clock_system());
    *ret_did = false;
    if (now < *r->at)
        return RC_OK;
    arena_reset(&j->arena);
    TRY(store_read(j->store, &j->arena, err, r->due, r->arg));
    *ret_did = *r->more;
    if (*ret_did)
        TRY(store_write(j->store, &j->arena, err, r->work, r->arg));
    if (!*r->more)
        *r->at = now + r->every;
    return RC_OK;
}

/* --- nodes that are not heard any more --- */

struct tick {
    const struct seal *seal;
    bool more;
};

static enum rc due_in(struct tx *tx, void *arg)
{
    struct tick *t = arg;
    return service_tick_due(tx, &t->more);
}

static enum rc tick_in(struct tx *tx, void *arg)
{
    struct tick *t = arg;
    return service_tick(tx, t->seal, &t->more);
}

static enum rc tick(struct jobs *j, bool *ret_worked, struct err *err)
{
    struct tick t = {.seal = j->seal};
    bool did = false;
    TRY(go_round(j, &(struct round){due_in, tick_in, &t, &t.more, &j->tick_at, TICK_US}, &did,
                 err));
    *ret_worked = t.more;
    return RC_OK;
}

/* --- services as other sites see them --- */

static enum rc vantage_due_in(struct tx *tx, void *arg)
{
    return vantage_tick_due(tx, arg);
}

static enum rc vantage_tick_in(struct tx *tx, void *arg)
{
    return vantage_tick(tx, arg);
}

static enum rc vantage(struct jobs *j, bool *ret_worked, struct err *err)
{
    bool did = false;
    *ret_worked = false;
    return go_round(j,
                    &(struct round){vantage_due_in, vantage_tick_in, ret_worked, ret_worked,
                                    &j->vantage_at, TICK_US},
                    &did, err);
}

/* --- backups --- */

static enum rc backup_due_in(struct tx *tx, void *arg)
{
    return backup_tick_due(tx, arg);
}

static enum rc backup_tick_in(struct tx *tx, void *arg)
{
    return backup_tick(tx, arg);
}

static enum rc sweep_in(struct tx *tx, void *arg)
{
    return backup_sweep(tx, arg);
}

static enum rc swept_in(struct tx *tx, void *arg)
{
    return backup_swept(tx, arg);
}

/* First the files, then the rows: what is killed in between does it again. */
static enum rc sweep(struct jobs *j, struct err *err)
{
    struct list ids;
    TRY(store_read(j->store, &j->arena, err, sweep_in, &ids));
    const struct str *items = ids.items;
    for (size_t i = 0; i < ids.count; i++) {
        const char *path = arena_fmt(&j->arena, "%.*s/%.*s", STRF(j->backups), STRF(items[i])).p;
        if (unlink(path) != 0 && errno != ENOENT)
            return err_set(err, RC_UNAVAILABLE, "cannot remove '%s': %s", path, strerror(errno));
    }
    return ids.count > 0 ? store_write(j->store, &j->arena, err, swept_in, &ids) : RC_OK;
}

static enum rc backups(struct jobs *j, bool *ret_worked, struct err *err)
{
    bool did = false;
    *ret_worked = false;
    if (j->backups.n == 0)
        return RC_OK;
    TRY(go_round(j,
                 &(struct round){backup_due_in, backup_tick_in, ret_worked, ret_worked,
                                 &j->backup_at, TICK_US},
                 &did, err));
    enum rc rc = did ? sweep(j, err) : RC_OK;
    if (rc != RC_OK)
        j->backup_at = 0; /* what is left to sweep is looked at again at once */
    return rc;
}

/* --- what is not paid for --- */

static enum rc dunning_due_in(struct tx *tx, void *arg)
{
    return dunning_due(tx, arg);
}

static enum rc dunning_tick_in(struct tx *tx, void *arg)
{
    return dunning_tick(tx, arg);
}

static enum rc dunning(struct jobs *j, bool *ret_worked, struct err *err)
{
    bool did = false;
    *ret_worked = false;
    return go_round(j,
                    &(struct round){dunning_due_in, dunning_tick_in, ret_worked, ret_worked,
                                    &j->dunning_at, DUNNING_US},
                    &did, err);
}

/* --- uploads that nobody went on with --- */

static enum rc uploads(struct jobs *j, struct err *err)
{
    time_us now = clock_steady(clock_system());
    size_t count = 0;
    if (j->images.n == 0 || now < j->sweep_at)
        return RC_OK;
    const char *folder = arena_cstr(&j->arena, j->images);
    /* Files have the machine's time, whatever a test clock says. */
    if (!stored_sweep(folder, clock_now(clock_system()) - UNFINISHED_US, &count))
        return err_set(err, RC_UNAVAILABLE, "cannot sweep '%s': %s", folder,
                       strerrordesc_np(errno));
    j->sweep_at = now + SWEEP_US;
    if (count > 0)
        log_event(j->log, LOG_INFO, "image.swept", LOG_I("count", (int64_t)count));
    return RC_OK;
}

/* --- the thread --- */

static void tell(struct jobs *j, enum rc rc, const struct err *err)
{
    if (rc != RC_OK && !j->failing)
        log_event(j->log, LOG_ERROR, "job.failed", LOG_S("code", str_c(rc_slug(rc))),
                  LOG_S("text", err_text(err)));
    if (rc == RC_OK && j->failing)
        log_event(j->log, LOG_INFO, "job.works", LOG_S("code", str_c(rc_slug(rc))));
    j->failing = rc != RC_OK;
}

/* Whether to go on at once. */
static bool work(struct jobs *j)
{
    struct err err = {0};
    bool worked = false;
    arena_reset(&j->arena);
    enum rc rc = close_work(j->store, j->ledger, &settle_above, &j->arena, &worked, &err);
    if (rc == RC_OK && !worked)
        rc = fold(j, &worked, &err);
    if (rc == RC_OK && !worked && j->seal != NULL)
        rc = tick(j, &worked, &err);
    if (rc == RC_OK && !worked && j->seal != NULL)
        rc = vantage(j, &worked, &err);
    if (rc == RC_OK && !worked && j->seal != NULL)
        rc = backups(j, &worked, &err);
    if (rc == RC_OK && !worked)
        rc = dunning(j, &worked, &err);
    if (rc == RC_OK && !worked)
        rc = uploads(j, &err);
    tell(j, rc, &err);
    return rc == RC_OK && worked;
}

static bool wait_or_stop(struct jobs *j, int64_t us)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    int64_t ns = ts.tv_nsec + us % US_PER_SECOND * 1000;
    ts.tv_sec += us / US_PER_SECOND + ns / 1000000000;
    ts.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&j->lock);
    int waited = 0;
    while (!j->stop && waited == 0 && us > 0)
        waited = pthread_cond_timedwait(&j->wake, &j->lock, &ts);
    bool stop = j->stop;
    pthread_mutex_unlock(&j->lock);
    return stop;
}

static void *run(void *arg)
{
    struct jobs *j = arg;
    bool worked = true;
    while (!wait_or_stop(j, worked ? 0 : IDLE_US))
        worked = work(j);
    return NULL;
}

struct jobs *jobs_open(const struct jobs_options *o)
{
    struct jobs *j = calloc(1, sizeof *j);
    ASSERT(j != NULL);
    *j = (struct jobs){.store = o->store,
                       .ledger = o->ledger,
                       .seal = o->seal,
                       .log = o->log,
                       .backups = o->backups,
                       .images = o->images,
                       .folded = UINT64_MAX};
    arena_init(&j->arena, STORE_TX_ARENA_BYTES);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->wake, &steady);
    pthread_condattr_destroy(&steady);
    int failed = pthread_create(&j->thread, NULL, run, j);
    ASSERT(failed == 0);
    return j;
}

void jobs_close(struct jobs *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->lock);
    j->stop = true;
    pthread_cond_signal(&j->wake);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    pthread_cond_destroy(&j->wake);
    pthread_mutex_destroy(&j->lock);
    arena_fini(&j->arena);
    free(j);
}
