#include "pico/web_rate.h"

#include "base/map.h"

#include <pthread.h>

enum { LOCKS = 16, WAYS = 4, SETS = WEB_RATE_PLACES / WAYS };

struct bucket {
    uint64_t who;
    time_us full_at; /* steady; it is empty a minute before that */
};

struct web_rate {
    struct clock *clock;
    int64_t each_us; /* what one request costs */
    uint64_t key[2];
    pthread_mutex_t locks[LOCKS];
    struct bucket sets[SETS][WAYS];
};

struct web_rate *web_rate_init(struct arena *arena, struct clock *clock, int64_t per_minute)
{
    struct web_rate *r = NEW(arena, struct web_rate);
    ASSERT(per_minute >= 1 && per_minute <= WEB_RATE_MAX);
    r->clock = clock;
    r->each_us = max_i64(US_PER_MINUTE / per_minute, 1);
    clock_chance(clock, r->key, sizeof r->key);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&r->locks[i], NULL);
    return r;
}

void web_rate_fini(struct web_rate *r)
{
    for (size_t i = 0; i < LOCKS && r != NULL; i++)
        pthread_mutex_destroy(&r->locks[i]);
}

/* The channel's own bucket, or the one that is fullest, which is given up. */
static struct bucket *find(struct bucket set[WAYS], uint64_t who)
{
    struct bucket *fullest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].who == who)
            return &set[i];
        if (set[i].full_at < fullest->full_at)
            fullest = &set[i];
    }
    *fullest = (struct bucket){.who = who};
    return fullest;
}

bool web_rate_take(struct web_rate *r, struct str eci, int64_t *ret_retry_s)
{
    uint64_t who = hash_str(eci, r->key);
    pthread_mutex_t *lock = &r->locks[who % SETS % LOCKS];
    time_us now = clock_steady(r->clock);
    pthread_mutex_lock(lock);
    struct bucket *b = find(r->sets[who % SETS], who);
    b->full_at = max_i64(b->full_at, now);
    int64_t wait_us = b->full_at + r->each_us - now - US_PER_MINUTE;
    if (wait_us <= 0)
        b->full_at += r->each_us;
    pthread_mutex_unlock(lock);
    if (wait_us > 0)
        *ret_retry_s = (wait_us + US_PER_SECOND - 1) / US_PER_SECOND;
    return wait_us <= 0;
}
