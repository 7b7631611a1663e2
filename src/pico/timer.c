/* Schedules that are due become items of their picos. The table is the only list of them. */
#include "pico/inside.h"
#include "pico/usage.h"

#include <time.h>

enum { POLL_MAX = 1000 };

#define LOOK_US  US_PER_SECOND    /* a clock that is set is noticed after so long */
#define AGAIN_US (20 * US_PER_MS) /* there was more than one look takes */

struct due {
    struct due *next;
    int64_t pico;
    time_us due;
    struct str id;
};

struct polling {
    time_us now;
    struct arena *arena;
    struct due *first;
    struct due **last;
    size_t n;
    time_us next_due;
};

static enum rc read_due(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct polling *p = arg;
    (void)tx;
    ASSERT(columns == 3);
    struct due *d = NEW(p->arena, struct due);
    *d =
        (struct due){.pico = v[0].number, .id = arena_str(p->arena, v[1].text), .due = v[2].number};
    *p->last = d;
    p->last = &d->next;
    p->n++;
    return RC_OK;
}

static enum rc poll(struct tx *tx, void *arg)
{
    struct polling *p = arg;
    struct rows rows;
    p->first = NULL;
    p->last = &p->first;
    p->n = 0;
    TRY(sql_each(tx, read_due, p,
                 "SELECT s.pico, s.id, s.due FROM pico_schedule s WHERE s.due <= $1 AND NOT EXISTS "
                 "(SELECT 1 "
                 "FROM pico p JOIN pico_account a ON a.pico = p.account WHERE p.no = s.pico AND "
                 "a.suspended = 1) ORDER BY s.due, s.pico, s.id LIMIT $2",
                 V(p->now), V(POLL_MAX)));
    TRY(sql_rows(tx, &rows,
                 "SELECT due FROM pico_schedule WHERE due > $1 ORDER BY due, pico, id LIMIT 1",
                 V(p->now)));
    p->next_due = rows.count > 0 ? row_int(&rows, 0, 0) : INT64_MAX;
    return RC_OK;
}

static bool is_queued(const struct pico *p, struct str id)
{
    for (const struct item *i = p->first; i != NULL; i = i->next)
        if (i->kind == ITEM_SCHEDULE && str_eq(i->name, id))
            return true;
    return false;
}

enum rc timer_poll(struct pico_engine *e, size_t *ret_fired, struct err *err)
{
    struct arena arena;
    struct polling p = {.now = clock_now(e->clock), .arena = &arena};
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, poll, &p);
    pthread_mutex_lock(&e->lock);
    *ret_fired = 0;
    for (const struct due *d = p.first; rc == RC_OK && d != NULL; d = d->next) {
        struct pico *to = table_need(e, d->pico);
        if (is_queued(to, d->id))
            continue;
        const struct str event[2] = {STR(""), d->id};
        struct item *i = item_new(ITEM_SCHEDULE, STR(""), STR(""), event, STR(""));
        i->old = d->due < e->started;
        queue_push(e, to, i);
        ++*ret_fired;
    }
    if (rc == RC_OK)
        e->next_due = p.n > 0 ? p.now + AGAIN_US : p.next_due;
    pthread_mutex_unlock(&e->lock);
    arena_fini(&arena);
    return rc;
}

/* With the lock: until something is due, or a moment. */
static void wait_tick(struct pico_engine *e)
{
    struct timespec until;
    int64_t wait = e->next_due - clock_now(e->clock);
    if (wait <= 0)
        return;
    wait = min_i64(wait, LOOK_US);
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait % US_PER_SECOND * 1000;
    until.tv_sec += (time_t)(wait / US_PER_SECOND + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    (void)pthread_cond_timedwait(&e->tick, &e->lock, &until); /* late or early: it looks again */
}

void *timer_thread(void *arg)
{
    struct pico_engine *e = arg;
    time_us woken = clock_steady(e->clock);
    size_t fired = 0;
    struct err err;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        if (clock_steady(e->clock) - woken >= LOOK_US) {
            queue_wake(e);
            diary_write(e);
            usage_write(e);
            woken = clock_steady(e->clock);
        }
        wait_tick(e);
        if (e->stopping || e->next_due > clock_now(e->clock))
            continue;
        pthread_mutex_unlock(&e->lock);
        enum rc rc = timer_poll(e, &fired, &err);
        pthread_mutex_lock(&e->lock);
        if (rc != RC_OK)
            e->next_due = clock_now(e->clock) + LOOK_US;
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}
