#include "api/limit.h"

#include <check.h>

static struct arena arena;
static struct clock_sim sim;

static struct limits *open_limits(int64_t read, int64_t login)
{
    arena_init(&arena, 4 * 1024 * 1024);
    clock_sim_init(&sim, US_PER_DAY, 3);
    const int64_t per_minute[LIMIT_COUNT] = {read, 10, login, 10};
    return limits_init(&arena, &sim.clock, per_minute);
}

static void close_limits(struct limits *l)
{
    limits_fini(l);
    arena_fini(&arena);
}

static bool take(struct limits *l, const char *who)
{
    struct limit_state s;
    return limits_take(l, LIMIT_READ, str_c(who), &s);
}

START_TEST(bucket_gives_a_minute_at_once_and_fills_evenly)
{
    struct limits *l = open_limits(60, 10);
    for (int i = 0; i < 60; i++)
        ck_assert(take(l, "a"));
    ck_assert(!take(l, "a"));
    clock_sim_advance(&sim, 999 * US_PER_MS);
    ck_assert(!take(l, "a"));
    clock_sim_advance(&sim, US_PER_MS);
    ck_assert(take(l, "a"));
    ck_assert(!take(l, "a"));
    clock_sim_advance(&sim, US_PER_DAY);
    for (int i = 0; i < 60; i++)
        ck_assert(take(l, "a"));
    ck_assert(!take(l, "a"));
    ck_assert_uint_eq(limits_refused(l), 4);
    close_limits(l);
}
END_TEST

START_TEST(the_largest_limit_is_counted_without_overflow)
{
    const int64_t most = 1000 * INT64_C(1000000);
    struct limits *l = open_limits(most, 10);
    struct limit_state s;
    ck_assert(limits_take(l, LIMIT_READ, STR("a"), &s));
    ck_assert_int_eq(s.left, most - 1);
    ck_assert_int_eq(s.full_s, 1);
    clock_sim_advance(&sim, 10 * US_PER_DAY);
    ck_assert(limits_take(l, LIMIT_READ, STR("a"), &s));
    ck_assert_int_eq(s.left, most - 1);
    close_limits(l);
}
END_TEST

START_TEST(one_does_not_pay_for_another_nor_one_class_for_another)
{
    struct limits *l = open_limits(1, 1);
    struct limit_state s;
    ck_assert(take(l, "a") && !take(l, "a"));
    ck_assert(take(l, "b"));
    ck_assert(limits_take(l, LIMIT_LOGIN, STR("a"), &s));
    close_limits(l);
}
END_TEST

START_TEST(the_state_says_what_is_left_and_when_to_come_back)
{
    struct limits *l = open_limits(6, 10);
    struct limit_state s;
    ck_assert(limits_take(l, LIMIT_READ, STR("a"), &s));
    ck_assert(str_eq(limits_header(&s, &arena), STR("\"read\";r=5;t=10")));
    ck_assert(str_eq(limits_policy(l, LIMIT_READ), STR("\"read\";q=6;w=60")));
    while (limits_take(l, LIMIT_READ, STR("a"), &s))
        ;
    ck_assert_int_eq(s.left, 0);
    ck_assert_int_eq(s.retry_s, 10);
    clock_sim_advance(&sim, s.retry_s * US_PER_SECOND);
    ck_assert(limits_peek(l, LIMIT_READ, STR("a"), &s));
    ck_assert(limits_take(l, LIMIT_READ, STR("a"), &s));
    close_limits(l);
}
END_TEST

START_TEST(a_crowd_takes_no_more_memory_and_spoils_few_buckets)
{
    struct limits *l = open_limits(1, 10);
    size_t used = arena.used_bytes;
    ck_assert(take(l, "steady"));
    char name[32];
    for (int i = 0; i < 200000; i++) {
        (void)snprintf(name, sizeof name, "crowd-%d", i);
        ck_assert(take(l, name));
        if (i % 100 == 0) { /* who keeps coming stays in the table */
            clock_sim_advance(&sim, 1);
            ck_assert(!take(l, "steady"));
        }
    }
    ck_assert_uint_eq(arena.used_bytes, used);
    close_limits(l);
}
END_TEST

START_TEST(addresses_of_ipv6_count_by_their_network)
{
    struct limits *l = open_limits(1, 10);
    struct str a = limit_peer(STR("2001:db8:1:2::1"), &arena);
    struct str b = limit_peer(STR("2001:db8:1:2:ffff::9"), &arena);
    struct str c = limit_peer(STR("2001:db8:1:3::1"), &arena);
    ck_assert(str_eq(a, b) && !str_eq(a, c));
    ck_assert(str_eq(limit_peer(STR("192.0.2.7"), &arena), STR("192.0.2.7")));
    ck_assert(str_eq(limit_peer(STR("unix"), &arena), STR("unix")));
    close_limits(l);
}
END_TEST

Suite *limit_suite(void);
Suite *limit_suite(void)
{
    Suite *s = suite_create("limit");
    TCase *c = tcase_create("limit");
    tcase_add_test(c, bucket_gives_a_minute_at_once_and_fills_evenly);
    tcase_add_test(c, the_largest_limit_is_counted_without_overflow);
    tcase_add_test(c, one_does_not_pay_for_another_nor_one_class_for_another);
    tcase_add_test(c, the_state_says_what_is_left_and_when_to_come_back);
    tcase_add_test(c, a_crowd_takes_no_more_memory_and_spoils_few_buckets);
    tcase_add_test(c, addresses_of_ipv6_count_by_their_network);
    suite_add_tcase(s, c);
    return s;
}
