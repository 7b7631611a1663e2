#include "main/alerts.h"

#include "api/alerter.h"

#include <pthread.h>

#define LOOK_US (250 * US_PER_MS)   /* whether anything was committed */
#define REST_US (2 * US_PER_SECOND) /* after the store failed */
#define ASK_US  (1 * US_PER_SECOND) /* PostgreSQL: for what other processes committed */

enum { THREADS = 2 }; /* one that waits for a receiver holds up no other */

struct worker {
    struct alerts *alerts;
    struct alerter alerter;
    struct arena arena;
    pthread_t thread;
    uint64_t seen; /* commits there were at the last look */
    time_us next;  /* steady: when there is something without another commit */
    bool failing;  /* told once, until it works again */
};

struct alerts {
    struct worker workers[THREADS];
    atomic_bool closing; /* set under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static void tell(struct worker *a, enum rc rc, const struct err *err)
{
    if (rc != RC_OK && !a->failing)
        log_event(a->alerter.log, LOG_ERROR, "alert.failed", LOG_S("code", str_c(rc_slug(rc))),
                  LOG_S("text", err_text(err)));
    if (rc == RC_OK && a->failing)
        log_event(a->alerter.log, LOG_INFO, "alert.works", LOG_S("code", str_c(rc_slug(rc))));
    a->failing = rc != RC_OK;
}

/* How long to pause then. */
static int64_t work(struct worker *a)
{
    struct err err = {0};
    bool worked = false;
    int64_t wait_us = 0;
    uint64_t commits = store_commits(a->alerter.store);
    time_us now = clock_steady(clock_system());
    if (commits == a->seen && now < a->next)
        return LOOK_US;
    enum rc rc = alerter_work(&a->alerter, &worked, &wait_us, &err);
    tell(a, rc, &err);
    if (rc != RC_OK)
        return REST_US;
    a->seen = commits;
    int64_t longest = store_engine(a->alerter.store) == STORE_POSTGRES ? ASK_US : US_PER_HOUR;
    a->next = worked ? 0 : now + min_i64(wait_us, longest);
    return worked ? 0 : min_i64(wait_us, LOOK_US);
}

/* False: closing. */
static bool pause_for(struct alerts *a, int64_t us)
{
    time_us until = clock_steady(clock_system()) + us;
    struct timespec ts = {.tv_sec = until / US_PER_SECOND, .tv_nsec = until % US_PER_SECOND * 1000};
    int waited = 0;
    pthread_mutex_lock(&a->lock);
    while (!atomic_load(&a->closing) && waited == 0 && us > 0)
        waited = pthread_cond_timedwait(&a->wake, &a->lock, &ts);
    bool go_on = !atomic_load(&a->closing);
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    while (pause_for(w->alerts, work(w)))
        ;
    return NULL;
}

static void start(struct alerts *a, struct worker *w, const struct alerts_options *o)
{
    arena_init(&w->arena, STORE_TX_ARENA_BYTES);
    w->alerts = a;
    w->alerter = (struct alerter){.store = o->store,
                                  .mailer = o->mailer,
                                  .log = o->log,
                                  .seal = o->seal,
                                  .private_hosts = o->private_hosts,
                                  .arena = &w->arena,
                                  .closing = &a->closing};
    w->seen = UINT64_MAX;
    int failed = pthread_create(&w->thread, NULL, run, w);
    ASSERT(failed == 0);
}

struct alerts *alerts_open(const struct alerts_options *o)
{
    struct alerts *a = calloc(1, sizeof *a);
    ASSERT(a != NULL);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, &steady);
    pthread_condattr_destroy(&steady);
    for (size_t i = 0; i < THREADS; i++)
        start(a, &a->workers[i], o);
    return a;
}

void alerts_close(struct alerts *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    atomic_store(&a->closing, true);
    pthread_cond_broadcast(&a->wake);
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(a->workers[i].thread, NULL);
        arena_fini(&a->workers[i].arena);
    }
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
