#include "base/clock.h"

#include <check.h>
#include <signal.h>

static time_us at(int64_t year, int month, int day, int64_t us_of_day)
{
    return days_from_civil(year, month, day) * US_PER_DAY + us_of_day;
}

START_TEST(times_are_read_and_written)
{
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"2026-11-22T01:57:28.1Z", "2026-11-22T01:57:28.100000Z"},
        {"2026-11-22t01:57:28.000001z", "2026-11-22T01:57:28.000001Z"},
        {"2026-11-22T01:57:28+08:00", "2026-11-21T17:57:28Z"},
        {"2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        time_us t = 0;
        char text[TIME_TEXT_MAX];
        ck_assert_msg(time_parse(str_c(cases[i].text), &t), "%s", cases[i].text);
        ck_assert_uint_eq(time_format(t, text), strlen(cases[i].written));
        ck_assert_str_eq(text, cases[i].written);
    }
    time_us t = 0;
    ck_assert(time_parse(STR("2026-11-22T01:57:28.000123Z"), &t));
    ck_assert_int_eq(t, INT64_C(1795312648000123));
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T01:57",
        "2026-11-22T01:57:28",
        "2026-11-22 01:57:28Z",
        "2026-11-22T01:57:28.Z",
        "2026-11-22T01:57:28.1234567Z",
        "2026-11-22T01:57:28Z ",
        " 2026-11-22T01:57:28Z",
        "2026-11-22T01:57:28ZZ",
        "2026-13-22T01:57:28Z",
        "2026-00-22T01:57:28Z",
        "2026-11-31T01:57:28Z",
        "2026-11-00T01:57:28Z",
        "2023-02-29T01:57:28Z",
        "1900-02-29T01:57:28Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T01:60:28Z",
        "2026-11-22T23:59:60Z",
        "2026-11-22T01:57:28+0800",
        "2026-11-22T01:57:28+08",
        "2026-11-22T01:57:28+24:00",
        "2026-11-22T01:57:28+08:60",
        "2026-11-22T01:57:28 08:00",
        "0000-01-01T00:00:00Z",
        "-026-11-22T01:57:28Z",
        "2026-11-2xT01:57:28Z",
        "2026/11/22T01:57:28Z",
        "2026-11-22T01.57.28Z",
        /* An offset must not lead out of the years 1 to 9999: they could not be written. */
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        time_us t = 77;
        ck_assert_msg(!time_parse(str_c(cases[i]), &t), "%s", cases[i]);
        ck_assert_int_eq(t, 77);
    }
    time_us t = 77;
    ck_assert(!time_parse((struct str){NULL, 0}, &t));
}
END_TEST

START_TEST(every_day_of_a_cycle_converts_both_ways)
{
    /* 400 years and the seams on both sides: the calendar repeats from there. */
    int64_t year = 1600;
    int month = 1;
    int day = 1;
    int64_t first = days_from_civil(1600, 1, 1);
    for (int64_t days = first; days < first + 146097 + 366; days++) {
        int64_t got_year = 0;
        int got_month = 0;
        int got_day = 0;
        civil_from_days(days, &got_year, &got_month, &got_day);
        /* ck_assert is slow by the thousand. */
        if (got_year != year || got_month != month || got_day != day ||
            days_from_civil(year, month, day) != days)
            ck_abort_msg("day %lld", (long long)days);
        if (++day > days_in_month(year, month)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
    ck_assert_int_eq(days_from_civil(1970, 1, 1), 0);
    ck_assert_int_eq(days_from_civil(0, 3, 1), -719468);
    ck_assert_int_eq(days_from_civil(-400, 3, 1), -719468 - 146097);
}
END_TEST

START_TEST(months_have_their_days)
{
    ck_assert_int_eq(days_in_month(2023, 2), 28);
    ck_assert_int_eq(days_in_month(2024, 2), 29);
    ck_assert_int_eq(days_in_month(1900, 2), 28);
    ck_assert_int_eq(days_in_month(2000, 2), 29);
    int total = 0;
    for (int month = 1; month <= 12; month++)
        total += days_in_month(2026, month);
    ck_assert_int_eq(total, 365);
}
END_TEST

START_TEST(the_simulated_clock_stands_still_until_moved)
{
    struct clock_sim sim;
    clock_sim_init(&sim, at(2026, 11, 22, 0), 1);
    ck_assert_int_eq(clock_now(&sim.clock), at(2026, 11, 22, 0));
    ck_assert_int_eq(clock_now(&sim.clock), at(2026, 11, 22, 0));
    time_us steady = clock_steady(&sim.clock);
    clock_sim_advance(&sim, US_PER_DAY);
    ck_assert_int_eq(clock_now(&sim.clock), at(2026, 11, 23, 0));
    ck_assert_int_eq(clock_steady(&sim.clock) - steady, US_PER_DAY);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_chance)
{
    struct clock_sim a;
    struct clock_sim b;
    struct clock_sim c;
    clock_sim_init(&a, 0, 7);
    clock_sim_init(&b, 0, 7);
    clock_sim_init(&c, 0, 8);
    unsigned char bytes[3][100];
    clock_chance(&a.clock, bytes[0], sizeof bytes[0]);
    clock_chance(&b.clock, bytes[1], sizeof bytes[1]);
    clock_chance(&c.clock, bytes[2], sizeof bytes[2]);
    ck_assert_mem_eq(bytes[0], bytes[1], sizeof bytes[0]);
    ck_assert_mem_ne(bytes[0], bytes[2], sizeof bytes[0]);
}
END_TEST

START_TEST(chance_below_a_bound_reaches_all_of_it_and_no_more)
{
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 7);
    int hits[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint64_t n = clock_sim_below(&sim, COUNT(hits));
        ck_assert_uint_lt(n, COUNT(hits));
        hits[n]++;
    }
    for (size_t i = 0; i < COUNT(hits); i++)
        ck_assert(hits[i] > 850 && hits[i] < 1150);
    ck_assert_uint_eq(clock_sim_below(&sim, 1), 0);
    (void)clock_sim_below(&sim, UINT64_MAX);
}
END_TEST

START_TEST(the_clock_of_a_test_installation_is_moved_by_hand_and_never_back)
{
    struct clock_test t;
    clock_test_init(&t, 1000);
    ck_assert_int_eq(clock_now(&t.clock), 1000);
    ck_assert_int_eq(clock_test_move(&t, 5000), 5000);
    ck_assert_int_eq(clock_test_move(&t, 2000), 5000);
    ck_assert_int_eq(clock_now(&t.clock), 5000);
    ck_assert(clock_runs(&t.clock));
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 1);
    ck_assert(!clock_runs(&sim.clock));
}
END_TEST

START_TEST(the_machine_has_a_clock_and_chance)
{
    struct clock *clock = clock_system();
    ck_assert_int_gt(clock_now(clock), at(2020, 1, 1, 0));
    time_us a = clock_steady(clock);
    ck_assert_int_le(a, clock_steady(clock));
    unsigned char bytes[2][32] = {{0}};
    clock_chance(clock, bytes[0], sizeof bytes[0]);
    clock_chance(clock, bytes[1], sizeof bytes[1]);
    ck_assert_mem_ne(bytes[0], bytes[1], sizeof bytes[0]);
}
END_TEST

START_TEST(time_that_goes_back_is_a_mistake)
{
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 1);
    clock_sim_advance(&sim, -1);
}
END_TEST

START_TEST(chance_below_nothing_is_a_mistake)
{
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 1);
    (void)clock_sim_below(&sim, 0);
}
END_TEST

START_TEST(a_thirteenth_month_is_a_mistake)
{
    (void)days_from_civil(2026, 13, 1);
}
END_TEST

START_TEST(writing_a_year_of_five_digits_is_a_mistake)
{
    char text[TIME_TEXT_MAX];
    (void)time_format(at(10000, 1, 1, 0), text);
}
END_TEST

Suite *clock_suite(void);
Suite *clock_suite(void)
{
    Suite *s = suite_create("clock");
    TCase *c = tcase_create("clock");
    tcase_add_test(c, times_are_read_and_written);
    tcase_add_test(c, what_is_no_time_is_refused);
    tcase_add_test(c, every_day_of_a_cycle_converts_both_ways);
    tcase_add_test(c, months_have_their_days);
    tcase_add_test(c, the_simulated_clock_stands_still_until_moved);
    tcase_add_test(c, the_same_seed_gives_the_same_chance);
    tcase_add_test(c, chance_below_a_bound_reaches_all_of_it_and_no_more);
    tcase_add_test(c, the_clock_of_a_test_installation_is_moved_by_hand_and_never_back);
    tcase_add_test(c, the_machine_has_a_clock_and_chance);
    tcase_add_test_raise_signal(c, time_that_goes_back_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, chance_below_nothing_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, a_thirteenth_month_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, writing_a_year_of_five_digits_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
