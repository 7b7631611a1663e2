#include "pico/web_rate.h"

#include <check.h>

enum { MEMORY = 4 * 1024 * 1024, STRANGERS = 100000 };

static struct arena arena;
static struct clock_sim clock_of_test;
static struct web_rate *rate;

static void up(void)
{
    arena_init(&arena, MEMORY);
    clock_sim_init(&clock_of_test, 0, 1);
    rate = web_rate_init(&arena, &clock_of_test.clock, 60);
}

static void down(void)
{
    web_rate_fini(rate);
    arena_fini(&arena);
}

START_TEST(a_minutes_worth_comes_at_once_and_then_one_a_second)
{
    int64_t retry = 0;
    for (int i = 0; i < 60; i++)
        ck_assert(web_rate_take(rate, STR("one"), &retry));
    ck_assert(!web_rate_take(rate, STR("one"), &retry));
    ck_assert_int_eq(retry, 1);
    ck_assert(web_rate_take(rate, STR("two"), &retry));
    clock_sim_advance(&clock_of_test, US_PER_SECOND);
    ck_assert(web_rate_take(rate, STR("one"), &retry));
    ck_assert(!web_rate_take(rate, STR("one"), &retry));
    clock_sim_advance(&clock_of_test, 10 * US_PER_MINUTE);
    for (int i = 0; i < 60; i++)
        ck_assert(web_rate_take(rate, STR("one"), &retry));
    ck_assert(!web_rate_take(rate, STR("one"), &retry));
}
END_TEST

START_TEST(made_up_channels_do_not_lift_the_limit_of_one_that_is_used)
{
    int64_t retry = 0;
    char text[16];
    for (int i = 0; i < 60; i++)
        ck_assert(web_rate_take(rate, STR("one"), &retry));
    for (int i = 0; i < STRANGERS; i++) {
        int n = snprintf(text, sizeof text, "s%d", i);
        ck_assert(web_rate_take(rate, str_n(text, (size_t)n), &retry));
    }
    ck_assert(!web_rate_take(rate, STR("one"), &retry));
}
END_TEST

Suite *web_rate_suite(void);
Suite *web_rate_suite(void)
{
    Suite *s = suite_create("web_rate");
    TCase *c = tcase_create("rate");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_test(c, a_minutes_worth_comes_at_once_and_then_one_a_second);
    tcase_add_test(c, made_up_channels_do_not_lift_the_limit_of_one_that_is_used);
    suite_add_tcase(s, c);
    return s;
}
