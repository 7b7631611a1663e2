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

static void add_of(const char *subscription, const char *process, time_us started_s, time_us now_s,
                   int64_t cpu_us)
{
    struct driver_stats stats = {.process = str_c(process), .cpu_us = cpu_us, .memory_bytes = 100};
    struct spool_sample sample = {.service = STR("svc_a"),
                                  .subscription = str_c(subscription),
                                  .started = started_s * US_PER_SECOND,
                                  .now = now_s * US_PER_SECOND,
                                  .stats = &stats};
    ck_assert_int_eq(spool_add(spool, &sample, 1, &err), RC_OK);
}

static void add(const char *process, time_us started_s, time_us now_s, int64_t cpu_us)
{
    add_of("sub_a", process, started_s, now_s, cpu_us);
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

/* The agent lost what it was told last, while the control plane is away. */
START_TEST(use_is_its_payer_s_though_nobody_says_whose_for_a_while)
{
    size_t count;
    struct list records;
    add_of("", "1", 10, 20, 500);
    add("1", 10, 30, 800);
    add_of("", "1", 10, 40, 900);
    add_of("", "2", 41, 50, 70);
    ck_assert_int_eq(sum(&count), 900 + 70);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    const struct spool_record *items = records.items;
    ck_assert_int_eq(items[0].from, 10 * US_PER_SECOND);
    for (size_t i = 0; i < records.count; i++)
        ck_assert(str_eq(items[i].subscription, STR("sub_a")));
    /* Of a service that is gone nothing is known any more: the copy of a drill has no payer. */
    ck_assert_int_eq(spool_end(spool, STR("svc_a"), &err), RC_OK);
    add_of("", "1", 60, 70, 500);
    ck_assert_int_eq(sum(&count), 900 + 70);
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

/* The loop samples, and before it writes that down a step stops the service, samples its end, and
 * the next process is sampled as well. */
START_TEST(an_older_sample_that_comes_late_counts_nothing_twice)
{
    size_t count;
    add("1", 10, 20, 500);
    add("1", 10, 31, 800);
    add("2", 32, 40, 70);
    add("1", 10, 30, 790);
    add("2", 32, 50, 90);
    ck_assert_int_eq(sum(&count), 800 + 90);
    ck_assert_uint_eq(count, 4);
}
END_TEST

START_TEST(many_samples_are_kept_together)
{
    enum { MANY = 300 };
    static struct driver_stats stats[MANY];
    static struct spool_sample samples[MANY];
    struct list records;
    for (size_t i = 0; i < MANY; i++) {
        stats[i] = (struct driver_stats){.process = STR("1"), .cpu_us = (int64_t)i};
        samples[i] = (struct spool_sample){.service = arena_fmt(&arena, "svc_%zu", i),
                                           .subscription = STR("sub_a"),
                                           .started = 10,
                                           .now = 20,
                                           .stats = &stats[i]};
    }
    ck_assert_int_eq(spool_add(spool, samples, MANY, &err), RC_OK);
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    ck_assert_uint_eq(records.count, MANY);
    const struct spool_record *items = records.items;
    for (size_t i = 0; i < MANY; i++)
        ck_assert_int_eq(items[i].cpu_us, (int64_t)i);
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
    tcase_add_test(c, use_is_its_payer_s_though_nobody_says_whose_for_a_while);
    tcase_add_test(c, a_clock_that_goes_back_counts_nothing_twice);
    tcase_add_test(c, an_older_sample_that_comes_late_counts_nothing_twice);
    tcase_add_test(c, many_samples_are_kept_together);
    tcase_add_test(c, a_service_that_came_back_counts_its_processes_anew);
    tcase_add_test(c, what_was_taken_is_gone_and_its_number_never_returns);
    tcase_add_test(c, what_is_no_spool_is_refused);
    suite_add_tcase(s, c);
    return s;
}
