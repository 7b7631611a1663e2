#include "node/spool.h"

#include "node/file.h"

#include <check.h>
#include <unistd.h>

static struct arena arena;
static struct err err;
static char folder[64];
static struct spool *spool;

static const char *path(void)
{
    return arena_fmt(&arena, "%s/usage.db", folder).p;
}

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    err_clear(&err);
    snprintf(folder, sizeof folder, "/tmp/hanse-spool-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(spool_open(path(), &spool, &err), RC_OK);
}

static void teardown(void)
{
    spool_close(spool);
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

static void add(const char *process, time_us started_s, time_us now_s, int64_t cpu_us)
{
    struct driver_stats stats = {.process = str_c(process), .cpu_us = cpu_us, .memory_bytes = 100};
    struct spool_sample sample = {.service = STR("svc_a"),
                                  .subscription = STR("sub_a"),
                                  .started = started_s * US_PER_SECOND,
                                  .now = now_s * US_PER_SECOND,
                                  .stats = &stats};
    ck_assert_int_eq(spool_add(spool, &sample, &err), RC_OK);
}

static int64_t sum(size_t *ret_count)
{
    struct list records;
    int64_t cpu = 0;
    time_us until = 0;
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    const struct spool_record *items = records.items;
    for (size_t i = 0; i < records.count; i++) {
        ck_assert_int_ge(items[i].from, until);
        ck_assert_int_gt(items[i].until, items[i].from);
        until = items[i].until;
        cpu += items[i].cpu_us;
    }
    *ret_count = records.count;
    return cpu;
}

START_TEST(restarts_neither_lose_nor_invent)
{
    size_t count;
    add("1", 10, 20, 500);
    add("1", 10, 30, 800);
    /* The agent is killed, and another one goes on. */
    spool_close(spool);
    ck_assert_int_eq(spool_open(path(), &spool, &err), RC_OK);
    add("1", 10, 40, 900);
    /* The service starts anew: its counters do, too. */
    add("2", 41, 50, 70);
    add("2", 41, 60, 80);
    ck_assert_int_eq(sum(&count), 900 + 80);
    ck_assert_uint_eq(count, 5);
}
END_TEST

START_TEST(a_clock_that_goes_back_counts_nothing_twice)
{
    size_t count;
    add("1", 10, 30, 800);
    add("1", 10, 25, 850);
    add("1", 10, 40, 900);
    ck_assert_int_eq(sum(&count), 900);
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(a_service_that_came_back_counts_its_processes_anew)
{
    size_t count;
    add("1", 10, 20, 500);
    /* Removed by an agent that was killed before it forgot the counters: it comes back later. */
    add("1", 100, 110, 700);
    ck_assert_int_eq(sum(&count), 500 + 700);
    ck_assert_uint_eq(count, 2);
    struct list records;
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    ck_assert_int_eq(((struct spool_record *)records.items)[1].from, 100 * US_PER_SECOND);
}
END_TEST

START_TEST(what_was_taken_is_gone_and_its_number_never_returns)
{
    struct list records;
    size_t count;
    add("1", 10, 20, 500);
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    int64_t number = ((struct spool_record *)records.items)[0].number;
    ck_assert_int_eq(spool_sent(spool, number, &err), RC_OK);
    ck_assert_int_eq(sum(&count), 0);
    add("1", 10, 30, 600);
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    ck_assert_int_gt(((struct spool_record *)records.items)[0].number, number);
    ck_assert_int_eq(sum(&count), 100);
}
END_TEST

START_TEST(what_is_no_spool_is_refused)
{
    struct spool *other;
    const char *wrong = arena_fmt(&arena, "%s/wrong", folder).p;
    struct buf text;
    buf_init(&text, &arena, 8192);
    for (int i = 0; i < 512; i++)
        buf_add(&text, STR("no database "));
    ck_assert_int_eq(file_write(wrong, buf_str(&text), &err), RC_OK);
    ck_assert_int_eq(spool_open(wrong, &other, &err), RC_INVALID);
}
END_TEST

Suite *spool_suite(void);
Suite *spool_suite(void)
{
    Suite *s = suite_create("spool");
    TCase *c = tcase_create("spool");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, restarts_neither_lose_nor_invent);
    tcase_add_test(c, a_clock_that_goes_back_counts_nothing_twice);
    tcase_add_test(c, a_service_that_came_back_counts_its_processes_anew);
    tcase_add_test(c, what_was_taken_is_gone_and_its_number_never_returns);
    tcase_add_test(c, what_is_no_spool_is_refused);
    suite_add_tcase(s, c);
    return s;
}
