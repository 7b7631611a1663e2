#include "pico/web_late.h"

#include <pthread.h>
#include <stdlib.h>

struct web_late {
    struct clock *clock;
    pthread_mutex_t lock;
    pthread_cond_t some;
    pthread_t thread;
    bool ending;
    time_us latest;                /* when the last of them is due */
    struct web_late_answer *first; /* in the order in which they are due */
    struct web_late_answer **last;
    size_t n;
};

static time_us round_up(time_us at, time_us step)
{
    return (at + step - 1) / step * step;
}

/* With the lock. */
static struct web_late_answer *take_first(struct web_late *l)
{
    struct web_late_answer *a = l->first;
    l->first = a->next;
    if (l->first == NULL)
        l->last = &l->first;
    l->n--;
    return a;
}

/* With the lock, which is given up meanwhile. */
static void wait_until(struct web_late *l, time_us due)
{
    const struct timespec until = {.tv_sec = (time_t)(due / US_PER_SECOND),
                                   .tv_nsec = (long)(due % US_PER_SECOND * 1000)};
    (void)pthread_cond_clockwait(&l->some, &l->lock, CLOCK_MONOTONIC, &until); /* looks again */
}

static void *send_thread(void *arg)
{
    struct web_late *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->ending || l->first != NULL) {
        if (l->first == NULL) {
            pthread_cond_wait(&l->some, &l->lock);
        } else if (!l->ending && l->first->due > clock_steady(l->clock)) {
            wait_until(l, l->first->due);
        } else {
            struct web_late_answer *a = take_first(l);
            pthread_mutex_unlock(&l->lock);
            http_send(a->x);
            pthread_mutex_lock(&l->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct web_late *web_late_open(struct clock *clock)
{
    struct web_late *l = calloc(1, sizeof *l);
    ASSERT(l != NULL);
    l->clock = clock;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->some, NULL);
    int failed = pthread_create(&l->thread, NULL, send_thread, l);
    ASSERT(failed == 0); /* without threads the process cannot work */
    return l;
}

void web_late_close(struct web_late *l)
{
    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_cond_signal(&l->some);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->some);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void web_late_send(struct web_late *l, struct web_late_answer *a)
{
    pthread_mutex_lock(&l->lock);
    bool full = l->n >= WEB_LATE_MAX;
    if (!full) {
        a->next = NULL;
        l->latest = max_i64(clock_steady(l->clock) + WEB_LATE_US, l->latest + WEB_LATE_APART_US);
        a->due = round_up(l->latest, WEB_LATE_STEP_US);
        *l->last = a;
        l->last = &a->next;
        if (l->n++ == 0)
            pthread_cond_signal(&l->some);
    }
    pthread_mutex_unlock(&l->lock);
    if (full)
        http_send(a->x);
}
