#include "base/work.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* A door that items wait at until the test opens it. */
struct door {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open;
    size_t waiting;
};

struct item {
    struct work_item work;
    struct door *door; /* NULL: do not wait */
    atomic_int runs;
    int order; /* the how-manieth to run */
};

static atomic_int ran;

static void run_item(struct work_item *work)
{
    struct item *item = CONTAINER_OF(work, struct item, work);
    if (item->door != NULL) {
        pthread_mutex_lock(&item->door->lock);
        item->door->waiting++;
        pthread_cond_broadcast(&item->door->moved);
        while (!item->door->open)
            pthread_cond_wait(&item->door->moved, &item->door->lock);
        pthread_mutex_unlock(&item->door->lock);
    }
    atomic_fetch_add(&item->runs, 1);
    item->order = atomic_fetch_add(&ran, 1);
}

static void door_await(struct door *door, size_t waiting)
{
    pthread_mutex_lock(&door->lock);
    while (door->waiting < waiting)
        pthread_cond_wait(&door->moved, &door->lock);
    pthread_mutex_unlock(&door->lock);
}

static void door_open(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    door->open = true;
    pthread_cond_broadcast(&door->moved);
    pthread_mutex_unlock(&door->lock);
}

#define DOOR_INIT                                                            \
    {                                                                        \
        .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER \
    }

START_TEST(every_item_runs_once_before_close_returns)
{
    enum { MANY = 2000 };
    struct item *items = calloc(MANY, sizeof *items);
    ck_assert_ptr_nonnull(items);
    struct work_pool *pool = work_open(4, MANY);
    for (int i = 0; i < MANY; i++) {
        items[i].work.run = run_item;
        ck_assert(work_submit(pool, &items[i].work));
    }
    work_close(pool);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(atomic_load(&items[i].runs), 1);
    free(items);
}
END_TEST

START_TEST(a_full_queue_says_no_and_stays_as_it_is)
{
    struct door door = DOOR_INIT;
    struct item items[5];
    for (size_t i = 0; i < COUNT(items); i++)
        items[i] = (struct item){.work = {.run = run_item}, .door = &door};
    struct work_pool *pool = work_open(1, 2);
    ck_assert(work_submit(pool, &items[0].work));
    door_await(&door, 1); /* the thread is busy, the queue is empty */
    ck_assert(work_submit(pool, &items[1].work));
    ck_assert(work_submit(pool, &items[2].work));
    ck_assert_uint_eq(work_waiting(pool), 2);
    ck_assert(!work_submit(pool, &items[3].work));
    ck_assert_uint_eq(work_waiting(pool), 2);
    door_open(&door);
    work_close(pool);
    for (size_t i = 0; i < COUNT(items); i++)
        ck_assert_int_eq(atomic_load(&items[i].runs), i < 3);
}
END_TEST

START_TEST(one_thread_keeps_the_order)
{
    struct door door = DOOR_INIT;
    struct item items[50];
    struct work_pool *pool = work_open(1, COUNT(items));
    for (size_t i = 0; i < COUNT(items); i++) {
        items[i] = (struct item){.work = {.run = run_item}, .door = i == 0 ? &door : NULL};
        ck_assert(work_submit(pool, &items[i].work));
    }
    door_open(&door);
    work_close(pool);
    for (size_t i = 1; i < COUNT(items); i++)
        ck_assert_int_eq(items[i].order, items[i - 1].order + 1);
}
END_TEST

START_TEST(threads_work_beside_each_other)
{
    struct door door = DOOR_INIT;
    struct item items[3];
    struct work_pool *pool = work_open(3, 3);
    for (size_t i = 0; i < COUNT(items); i++) {
        items[i] = (struct item){.work = {.run = run_item}, .door = &door};
        ck_assert(work_submit(pool, &items[i].work));
    }
    door_await(&door, 3); /* would never come with fewer threads */
    door_open(&door);
    work_close(pool);
}
END_TEST

START_TEST(no_pool_is_fine_to_close)
{
    work_close(NULL);
    work_close(work_open(1, 1));
}
END_TEST

START_TEST(a_pool_without_threads_is_a_mistake)
{
    (void)work_open(0, 1);
}
END_TEST

START_TEST(a_pool_without_a_queue_is_a_mistake)
{
    (void)work_open(1, 0);
}
END_TEST

Suite *work_suite(void);
Suite *work_suite(void)
{
    Suite *s = suite_create("work");
    TCase *c = tcase_create("work");
    tcase_add_test(c, every_item_runs_once_before_close_returns);
    tcase_add_test(c, a_full_queue_says_no_and_stays_as_it_is);
    tcase_add_test(c, one_thread_keeps_the_order);
    tcase_add_test(c, threads_work_beside_each_other);
    tcase_add_test(c, no_pool_is_fine_to_close);
    tcase_add_test_raise_signal(c, a_pool_without_threads_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_pool_without_a_queue_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
