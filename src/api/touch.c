#include "api/touch.h"

#include <pthread.h>

enum { TOUCH_PLACES = 32, TOUCH_ARENA_BYTES = 256 * 1024 };

struct touch {
    struct touches *all;
    struct store_job job;
    struct arena arena;
    struct err err;
    bool session;
    char id[ID_TEXT_MAX];
    size_t id_n;
    struct touch *next; /* free list */
};

struct touches {
    struct store *store;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    struct touch *free;
    size_t busy;
    struct touch places[TOUCH_PLACES];
};

struct touches *touches_init(struct arena *arena, struct store *store)
{
    struct touches *t = NEW(arena, struct touches);
    t->store = store;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->idle, NULL);
    for (size_t i = 0; i < TOUCH_PLACES; i++) {
        t->places[i].all = t;
        t->places[i].next = t->free;
        arena_init(&t->places[i].arena, TOUCH_ARENA_BYTES);
        t->free = &t->places[i];
    }
    return t;
}

void touches_wait(struct touches *t)
{
    pthread_mutex_lock(&t->mutex);
    while (t->busy > 0)
        pthread_cond_wait(&t->idle, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
}

void touches_fini(struct touches *t)
{
    if (t == NULL)
        return;
    touches_wait(t);
    for (size_t i = 0; i < TOUCH_PLACES; i++)
        arena_fini(&t->places[i].arena);
    pthread_cond_destroy(&t->idle);
    pthread_mutex_destroy(&t->mutex);
}

static enum rc touch_run(struct tx *tx, void *arg)
{
    struct touch *touch = arg;
    struct str id = str_n(touch->id, touch->id_n);
    return touch->session ? session_touch(tx, id) : token_touch(tx, id);
}

static void touch_done(struct store_job *job, enum rc rc)
{
    (void)rc; /* made again by a later request */
    struct touch *touch = CONTAINER_OF(job, struct touch, job);
    struct touches *t = touch->all;
    arena_reset(&touch->arena);
    pthread_mutex_lock(&t->mutex);
    touch->next = t->free;
    t->free = touch;
    if (--t->busy == 0)
        pthread_cond_broadcast(&t->idle);
    pthread_mutex_unlock(&t->mutex);
}

void touches_add(struct touches *t, const struct caller *who)
{
    ASSERT(who->kind != CALLER_NOBODY);
    pthread_mutex_lock(&t->mutex);
    struct touch *touch = t->free;
    if (touch != NULL) {
        t->free = touch->next;
        t->busy++;
    }
    pthread_mutex_unlock(&t->mutex);
    if (touch == NULL)
        return;
    touch->session = who->kind == CALLER_SESSION;
    struct str id = touch->session ? who->session : who->token;
    ASSERT(id.n <= sizeof touch->id);
    memcpy(touch->id, id.p, id.n);
    touch->id_n = id.n;
    touch->job = (struct store_job){.fn = touch_run,
                                    .arg = touch,
                                    .arena = &touch->arena,
                                    .err = &touch->err,
                                    .done = touch_done};
    store_submit(t->store, &touch->job);
}
