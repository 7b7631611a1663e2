#include "api/waiters.h"

#include "api/inside.h"
#include "base/map.h"
#include "fleet/node.h"

#include <poll.h>
#include <pthread.h>

#define LOOK_MS   INT64_C(50)           /* how often time and closing are looked at */
#define OTHERS_MS INT64_C(250)          /* and what other processes on the same database changed */
#define LATELY_US (120 * US_PER_SECOND) /* more than any unit of work takes */

/* Looks take at most one part in so many of a core, however often something is committed. */
enum { WAITERS_MAX = 20000, PAUSE_PARTS = 8, PAUSE_MS_MIN = 1, PAUSE_MS_MAX = 20 };

struct waiters {
    struct store *store;
    struct clock *clock;
    void (*resume)(struct request *r);
    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t some;
    struct request *list; /* by request.next_waiter */
    size_t count;
    bool came; /* somebody, or a commit, since the last look */
    bool closing;
    /* --- the thread's --- */
    bool others;    /* there may be other processes */
    bool failed;    /* the store did not answer at the last look */
    time_us looked; /* steady */
    struct arena arena;
    struct map changed; /* of the tick in hand: id to struct node_change */
};

static enum rc read_changes(struct tx *tx, void *arg)
{
    struct waiters *w = arg;
    static const uint64_t seed[2] = {0x68616e7365,
                                     0x776169747273}; /* ids are ours: no stranger's */
    struct node_change *changes = NULL;
    size_t count = 0;
    map_init(&w->changed, tx->arena, seed);
    TRY(node_changes(tx, clock_now(w->clock) - LATELY_US, &changes, &count));
    for (size_t i = 0; i < count; i++)
        (void)map_put(&w->changed, changes[i].id, &changes[i]);
    return RC_OK;
}

static bool is_due(const struct waiters *w, const struct request *r, bool looked)
{
    if (clock_steady(w->clock) >= r->wait_until || http_closing(r->call.x))
        return true;
    const struct node_change *change = looked ? map_get(&w->changed, r->call.caller.node) : NULL;
    return change != NULL && change->revision != r->wait_after;
}

/* Take those that are due off the list. */
static struct request *take_due(struct waiters *w, bool looked)
{
    struct request *due = NULL;
    pthread_mutex_lock(&w->mutex);
    for (struct request **at = &w->list; *at != NULL;) {
        struct request *r = *at;
        if (!w->closing && !is_due(w, r, looked)) {
            at = &r->next_waiter;
            continue;
        }
        *at = r->next_waiter;
        w->count--;
        r->next_waiter = due;
        due = r;
    }
    pthread_mutex_unlock(&w->mutex);
    return due;
}

/* After each commit, on a store's thread. */
static void on_commit(void *arg)
{
    struct waiters *w = arg;
    pthread_mutex_lock(&w->mutex);
    w->came = true;
    if (w->count > 0)
        pthread_cond_signal(&w->some);
    pthread_mutex_unlock(&w->mutex);
}

/* Until it is time to look again: without anybody that is when somebody comes. *ret_look: something
 * was committed since, or somebody came, whose snapshot may be older than that. */
static bool wait_some(struct waiters *w, bool *ret_look)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + LOOK_MS * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&w->mutex);
    while (!w->closing && w->count == 0)
        pthread_cond_wait(&w->some, &w->mutex);
    if (!w->closing && !w->came)
        (void)pthread_cond_timedwait(&w->some, &w->mutex, &until); /* early is as good */
    bool others = w->others && clock_steady(w->clock) - w->looked >= OTHERS_MS * US_PER_MS;
    *ret_look = w->came || w->failed || others;
    w->came = false;
    bool closing = w->closing;
    pthread_mutex_unlock(&w->mutex);
    return !closing;
}

static void look(struct waiters *w, bool reads)
{
    struct err err = {0};
    arena_reset(&w->arena);
    bool looked = reads && store_read(w->store, &w->arena, &err, read_changes, w) == RC_OK;
    w->failed = reads && !looked;
    struct request *due = take_due(w, looked);
    while (due != NULL) {
        struct request *next = due->next_waiter;
        w->resume(due);
        due = next;
    }
}

static void *run(void *arg)
{
    struct waiters *w = arg;
    bool reads = false;
    while (wait_some(w, &reads)) {
        time_us began = clock_steady(w->clock);
        look(w, reads);
        if (!reads)
            continue;
        w->looked = clock_steady(w->clock);
        int64_t pause_ms = PAUSE_PARTS * (w->looked - began) / US_PER_MS;
        (void)poll(NULL, 0, (int)max_i64(PAUSE_MS_MIN, min_i64(pause_ms, PAUSE_MS_MAX)));
    }
    look(w, false); /* the end: all of them are due */
    return NULL;
}

struct waiters *waiters_init(struct arena *arena, struct store *store, struct clock *clock,
                             void (*resume)(struct request *r))
{
    struct waiters *w = NEW(arena, struct waiters);
    *w = (struct waiters){.store = store,
                          .clock = clock,
                          .resume = resume,
                          .others = store_engine(store) != STORE_SQLITE};
    if (!clock_runs(clock))
        return w;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->some, &steady);
    pthread_condattr_destroy(&steady);
    arena_init(&w->arena, STORE_TX_ARENA_BYTES);
    int failed = pthread_create(&w->thread, NULL, run, w);
    ASSERT(failed == 0);
    w->threaded = true;
    store_on_commit(store, on_commit, w);
    return w;
}

void waiters_fini(struct waiters *w)
{
    if (!w->threaded)
        return;
    store_off_commit(w->store, on_commit, w);
    pthread_mutex_lock(&w->mutex);
    w->closing = true;
    pthread_cond_signal(&w->some);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    ASSERT(w->count == 0);
    w->threaded = false;
    arena_fini(&w->arena);
}

bool waiters_add(struct waiters *w, struct request *r)
{
    bool room = false;
    if (!w->threaded || http_closing(r->call.x))
        return false;
    pthread_mutex_lock(&w->mutex);
    room = !w->closing && w->count < WAITERS_MAX;
    if (room) {
        r->next_waiter = w->list;
        w->list = r;
        w->count++;
        w->came = true; /* what was committed since its snapshot is looked at once */
        pthread_cond_signal(&w->some);
    }
    pthread_mutex_unlock(&w->mutex);
    return room;
}
