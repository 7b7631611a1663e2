#include "api/limit.h"

#include "base/buf.h"
#include "base/map.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>

enum { SHARDS = 16, SETS = 128, WAYS = 8, HEADER_MAX = 96 };

#define MICRO INT64_C(1000000) /* levels count in millionths of a request */

/* What follows is counted in 64 bits: a full bucket times the seconds of a minute is the most. */
#define PER_MINUTE_MAX (1000 * MICRO)
_Static_assert(PER_MINUTE_MAX <= INT64_MAX / MICRO / 60 / 2, "no product overflows");

struct bucket {
    uint64_t key; /* 0: free */
    int64_t level;
    time_us seen;
};

struct shard {
    pthread_mutex_t mutex;
    struct bucket buckets[SETS][WAYS];
};

struct limits {
    struct clock *clock;
    int64_t per_minute[LIMIT_COUNT];
    struct str policy[LIMIT_COUNT];
    uint64_t seed[2];
    atomic_uint_fast64_t refused;
    struct shard shards[SHARDS];
};

static const char *const class_names[LIMIT_COUNT] = {"read", "write", "login", "failed"};

struct limits *limits_init(struct arena *arena, struct clock *clock,
                           const int64_t per_minute[LIMIT_COUNT])
{
    struct limits *l = NEW(arena, struct limits);
    l->clock = clock;
    clock_chance(clock, l->seed, sizeof l->seed);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        ASSERT(per_minute[i] > 0);
        ASSERT(per_minute[i] <= PER_MINUTE_MAX);
        l->per_minute[i] = per_minute[i];
        l->policy[i] =
            arena_fmt(arena, "\"%s\";q=%lld;w=60", class_names[i], (long long)per_minute[i]);
    }
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&l->shards[i].mutex, NULL);
    return l;
}

void limits_fini(struct limits *l)
{
    if (l == NULL)
        return;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&l->shards[i].mutex);
}

static struct bucket *bucket_find(struct bucket set[WAYS], uint64_t key, int64_t full, time_us now)
{
    struct bucket *oldest = &set[0];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].key == 0 || (oldest->key != 0 && set[i].seen < oldest->seen))
            oldest = &set[i];
    }
    *oldest = (struct bucket){.key = key, .level = full, .seen = now};
    return oldest;
}

/* The wait, in whole seconds rounded up, until missing millionths have come in. */
static int64_t seconds_for(int64_t missing, int64_t per_minute)
{
    if (missing <= 0)
        return 0;
    int64_t us = (missing * 60 + per_minute - 1) / per_minute;
    return (us + US_PER_SECOND - 1) / US_PER_SECOND;
}

static bool bucket_use(struct limits *l, enum limit_class class, struct str who, int64_t cost,
                       struct limit_state *ret)
{
    uint64_t seed[2] = {l->seed[0] + (uint64_t) class, l->seed[1]};
    uint64_t key = hash_str(who, seed) | 1; /* 0 means free */
    struct shard *shard = &l->shards[(key >> 1) % SHARDS];
    int64_t per_minute = l->per_minute[class];
    int64_t full = per_minute * MICRO;
    time_us now = clock_steady(l->clock);

    pthread_mutex_lock(&shard->mutex);
    struct bucket *b = bucket_find(shard->buckets[(key >> 8) % SETS], key, full, now);
    int64_t passed = min_i64(max_i64(now - b->seen, 0), US_PER_MINUTE);
    b->level = min_i64(full, b->level + passed * per_minute / 60);
    b->seen = max_i64(now, b->seen);
    bool ok = b->level >= MICRO;
    if (ok)
        b->level -= cost;
    int64_t level = b->level;
    pthread_mutex_unlock(&shard->mutex);

    *ret = (struct limit_state){
        .class = class,
        .left = level / MICRO,
        .full_s = seconds_for(full - level, per_minute),
        .retry_s = ok ? 0 : max_i64(1, seconds_for(MICRO - level, per_minute)),
    };
    if (!ok)
        atomic_fetch_add_explicit(&l->refused, 1, memory_order_relaxed);
    return ok;
}

bool limits_take(struct limits *l, enum limit_class class, struct str who, struct limit_state *ret)
{
    return bucket_use(l, class, who, MICRO, ret);
}

bool limits_peek(struct limits *l, enum limit_class class, struct str who, struct limit_state *ret)
{
    return bucket_use(l, class, who, 0, ret);
}

void limits_book(struct limits *l, enum limit_class class, struct str who)
{
    struct limit_state state;
    if (!bucket_use(l, class, who, MICRO, &state))
        return; /* it was empty already */
}

struct str limit_peer(struct str peer, struct arena *arena)
{
    struct in6_addr address;
    if (str_find(peer, ':', 0) == peer.n ||
        inet_pton(AF_INET6, arena_cstr(arena, peer), &address) != 1)
        return peer;
    char *network = arena_bytes(arena, 8);
    memcpy(network, &address, 8);
    return str_n(network, 8);
}

struct str limits_policy(const struct limits *l, enum limit_class class)
{
    return l->policy[class];
}

struct str limits_header(const struct limit_state *s, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, HEADER_MAX);
    buf_add_char(&b, '"');
    buf_add(&b, str_c(class_names[s->class]));
    buf_add(&b, STR("\";r="));
    buf_add_i64(&b, s->left);
    buf_add(&b, STR(";t="));
    buf_add_i64(&b, s->full_s);
    ASSERT(!b.full);
    return buf_str(&b);
}

uint64_t limits_refused(const struct limits *l)
{
    return atomic_load_explicit(&l->refused, memory_order_relaxed);
}
