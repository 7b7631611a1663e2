/*
 * work.h - a fixed pool of threads for work that may wait: password hashing, PostgreSQL, SMTP.
 *
 * The queue is bounded: work_submit answers false when it is full, and the caller says 503.
 */
#ifndef BASE_WORK_H
#define BASE_WORK_H

#include "base/base.h"

struct work_item {
    void (*run)(struct work_item *item);
    struct work_item *next; /* the pool's while queued */
};

struct work_pool;

/* threads 1..64, queue_max >= 1. Never fails: without threads the process cannot work. */
struct work_pool *work_open(size_t threads, size_t queue_max);
/* Run item on some thread of the pool. The item stays the caller's and lives until run returns. */
MUST_CHECK bool work_submit(struct work_pool *pool, struct work_item *item);
/* Items waiting. */
size_t work_waiting(struct work_pool *pool);
/* Finish what is queued, then end the threads. NULL is fine. */
void work_close(struct work_pool *pool);

#endif
