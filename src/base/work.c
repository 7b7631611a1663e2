#include "base/work.h"

#include <pthread.h>

enum { THREADS_MAX = 64 };

struct work_pool {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct work_item *first;
    struct work_item *last;
    size_t waiting;
    size_t queue_max;
    bool closing;
    size_t thread_count;
    pthread_t threads[THREADS_MAX];
};

static struct work_item *next_item(struct work_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->closing)
        pthread_cond_wait(&pool->some, &pool->lock);
    struct work_item *item = pool->first;
    if (item != NULL) {
        pool->first = item->next;
        pool->waiting--;
    }
    pthread_mutex_unlock(&pool->lock);
    return item;
}

static void *run_thread(void *arg)
{
    struct work_pool *pool = arg;
    for (struct work_item *item = next_item(pool); item != NULL; item = next_item(pool))
        item->run(item);
    return NULL;
}

struct work_pool *work_open(size_t threads, size_t queue_max)
{
    ASSERT(threads >= 1 && threads <= THREADS_MAX);
    ASSERT(queue_max >= 1);
    struct work_pool *pool = calloc(1, sizeof *pool);
    ASSERT(pool != NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->some, NULL);
    pool->queue_max = queue_max;
    for (; pool->thread_count < threads; pool->thread_count++) {
        int failed = pthread_create(&pool->threads[pool->thread_count], NULL, run_thread, pool);
        ASSERT(failed == 0);
    }
    return pool;
}

bool work_submit(struct work_pool *pool, struct work_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&pool->lock);
    bool room = pool->waiting < pool->queue_max && !pool->closing;
    if (room) {
        if (pool->waiting++ == 0)
            pool->first = item;
        else
            pool->last->next = item;
        pool->last = item;
        pthread_cond_signal(&pool->some);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

size_t work_waiting(struct work_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    size_t waiting = pool->waiting;
    pthread_mutex_unlock(&pool->lock);
    return waiting;
}

void work_close(struct work_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->some);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->some);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
