#include "api/callers.h"

#include "base/map.h"

#include <pthread.h>

enum { SHARDS = 16, PLACES = 64, TEXTS = 5, TEXT_MAX = 192 };

struct place {
    uint64_t hash[2];
    uint64_t commits;
    time_us at; /* steady */
    struct caller who;
    char text[TEXT_MAX]; /* of who's texts, one behind the other */
};

struct shard {
    pthread_mutex_t mutex;
    struct place places[PLACES];
};

struct callers {
    struct clock *clock;
    uint64_t seeds[2][2];
    struct shard shards[SHARDS];
};

struct callers *callers_init(struct arena *arena, struct clock *clock)
{
    struct callers *c = NEW(arena, struct callers);
    c->clock = clock;
    clock_chance(clock, c->seeds, sizeof c->seeds);
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&c->shards[i].mutex, NULL);
    return c;
}

void callers_fini(struct callers *c)
{
    for (int i = 0; c != NULL && i < SHARDS; i++)
        pthread_mutex_destroy(&c->shards[i].mutex);
}

static void texts_of(struct caller *who, struct str *ret[TEXTS])
{
    ret[0] = &who->user;
    ret[1] = &who->session;
    ret[2] = &who->token;
    ret[3] = &who->party;
    ret[4] = &who->csrf;
}

static struct shard *shard_of(struct callers *c, const uint64_t hash[2])
{
    return &c->shards[hash[0] % SHARDS];
}

static struct place *place_of(struct shard *shard, const uint64_t hash[2])
{
    return &shard->places[hash[1] % PLACES];
}

bool callers_find(struct callers *c, struct str secret, uint64_t commits, struct arena *arena,
                  struct caller *ret)
{
    const uint64_t hash[2] = {hash_str(secret, c->seeds[0]), hash_str(secret, c->seeds[1])};
    char *text = arena_bytes(arena, TEXT_MAX);
    struct shard *shard = shard_of(c, hash);
    struct caller who = {.kind = CALLER_NOBODY};
    time_us now = clock_steady(c->clock);
    pthread_mutex_lock(&shard->mutex);
    const struct place *p = place_of(shard, hash);
    bool found = p->hash[0] == hash[0] && p->hash[1] == hash[1] && p->commits == commits &&
                 now - p->at < CALLERS_KEEP_US && p->who.kind != CALLER_NOBODY;
    if (found) {
        who = p->who;
        memcpy(text, p->text, TEXT_MAX);
    }
    pthread_mutex_unlock(&shard->mutex);
    if (!found)
        return false;
    struct str *texts[TEXTS];
    texts_of(&who, texts);
    for (int i = 0; i < TEXTS; i++) {
        texts[i]->p = text;
        text += texts[i]->n;
    }
    *ret = who;
    return true;
}

void callers_keep(struct callers *c, struct str secret, uint64_t commits, const struct caller *who)
{
    const uint64_t hash[2] = {hash_str(secret, c->seeds[0]), hash_str(secret, c->seeds[1])};
    struct place fresh = {
        .hash = {hash[0], hash[1]}, .commits = commits, .at = clock_steady(c->clock), .who = *who};
    struct str *texts[TEXTS];
    size_t n = 0;
    texts_of(&fresh.who, texts);
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i]->n > TEXT_MAX - n)
            return; /* longer than ids are */
        if (texts[i]->n > 0)
            memcpy(fresh.text + n, texts[i]->p, texts[i]->n);
        n += texts[i]->n;
        texts[i]->p = NULL;
    }
    struct shard *shard = shard_of(c, hash);
    pthread_mutex_lock(&shard->mutex);
    *place_of(shard, hash) = fresh;
    pthread_mutex_unlock(&shard->mutex);
}
