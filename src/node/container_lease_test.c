#include "node/container_inside.h"
#include "node/file.h"
#include "node/spool.h"

#include <check.h>
#include <unistd.h>

#define ID        STR("svc_a")
#define START     (INT64_C(1800000000) * US_PER_SECOND)
#define SECONDS   US_PER_SECOND
#define LEASE_US  (60 * SECONDS)
#define MARGIN_US (10 * SECONDS)
#define UP_US     (5000 * SECONDS)

static struct arena arena;
static struct err err;
static char folder[64];
static struct clock_sim now;
static struct clock machine; /* steady since its boot, as those of Linux */
static struct container container;

static time_us wall(struct clock *c UNUSED)
{
    return clock_now(&now.clock);
}

static time_us steady(struct clock *c UNUSED)
{
    return clock_now(&now.clock) - START + UP_US;
}

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    err_clear(&err);
    clock_sim_init(&now, START, 1);
    machine = (struct clock){.now = wall, .steady = steady};
    snprintf(folder, sizeof folder, "/tmp/hanse-lease-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    container =
        (struct container){.o = {.clock = &machine, .run = folder, .bridge = STR("hanse0")}};
    ck_assert_int_eq(file_make_folder(arena_fmt(&arena, "%s/pids", folder).p, &err), RC_OK);
}

static void teardown(void)
{
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

static void put_lease(time_us until)
{
    ck_assert_int_eq(container_put_lease(&container, ID, until, &arena, &err), RC_OK);
}

static time_us end_of(time_us started)
{
    return container_lease_end(&container, ID, started, &arena);
}

START_TEST(what_has_no_lease_has_no_end)
{
    ck_assert_int_eq(end_of(START), 0);
    put_lease(0);
    ck_assert_int_eq(end_of(START), 0);
}
END_TEST

START_TEST(a_lease_ends_when_it_ends_however_late_that_is_seen)
{
    put_lease(clock_steady(&machine) + LEASE_US);
    ck_assert_int_eq(end_of(START), 0); /* it may have died before: who saw it says when */
    clock_sim_advance(&now, LEASE_US);
    ck_assert_int_eq(end_of(START), START + LEASE_US);
    clock_sim_advance(&now, 3600 * SECONDS);
    ck_assert_int_eq(end_of(START), START + LEASE_US);
}
END_TEST

START_TEST(a_lease_that_ended_before_the_start_says_nothing)
{
    put_lease(clock_steady(&machine) + LEASE_US);
    clock_sim_advance(&now, LEASE_US + MARGIN_US);
    ck_assert_int_eq(end_of(START + LEASE_US + 1), 0);
}
END_TEST

/* An agent that is dead for an hour finds what ended by its lease: nothing after that is used. */
START_TEST(no_second_after_the_lease_is_metered)
{
    struct spool *spool = NULL;
    struct list records;
    ck_assert_int_eq(spool_open(":memory:", &spool, &err), RC_OK);
    put_lease(clock_steady(&machine) + LEASE_US);
    clock_sim_advance(&now, 3600 * SECONDS);
    struct driver_stats stats = {.process = STR("1"), .ended = end_of(START), .cpu_us = 1};
    struct spool_sample sample = {.service = ID,
                                  .subscription = STR("sub_a"),
                                  .started = START,
                                  .now = min_i64(stats.ended, clock_now(&machine)),
                                  .stats = &stats};
    ck_assert_int_eq(spool_add(spool, &sample, 1, &err), RC_OK);
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    ck_assert_uint_eq(records.count, 1);
    const struct spool_record *record = records.items;
    ck_assert_int_eq(record->from, START);
    ck_assert_int_eq(record->until, START + LEASE_US);
    spool_close(spool);
}
END_TEST

Suite *container_lease_suite(void);
Suite *container_lease_suite(void)
{
    Suite *s = suite_create("container_lease");
    TCase *c = tcase_create("container_lease");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_has_no_lease_has_no_end);
    tcase_add_test(c, a_lease_ends_when_it_ends_however_late_that_is_seen);
    tcase_add_test(c, a_lease_that_ended_before_the_start_says_nothing);
    tcase_add_test(c, no_second_after_the_lease_is_metered);
    suite_add_tcase(s, c);
    return s;
}
