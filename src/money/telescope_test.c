#include "money/property.h"
#include "money/round.h"
#include "money/telescope.h"

#include <check.h>

START_TEST(part_of_a_month_by_the_second)
{
    /* specs 3.9 (4): 195.00 for 1,234,567 s of a month of 2,678,400 s. */
    ck_assert_int_eq(telescope_step(19500, 0, 1234567, 2678400), 8988);
    ck_assert_int_eq(telescope_step(19500, 1234567, 2678400, 2678400), 19500 - 8988);
    ck_assert_int_eq(telescope_time(19500, 0, 2678400 * US_PER_SECOND, 0, 1234567 * US_PER_SECOND),
                     8988);
}
END_TEST

START_TEST(instalments_differ_by_a_cent_and_add_up)
{
    /* specs 3.5, a8: 10,000.00 in 35 months is 15 x 285.72 and 20 x 285.71. */
    int high = 0;
    int low = 0;
    int64_t sum = 0;
    for (int64_t k = 1; k <= 35; k++) {
        int64_t amount = telescope_instalment(1000000, k, 35);
        high += amount == 28572;
        low += amount == 28571;
        sum += amount;
    }
    ck_assert_int_eq(high, 15);
    ck_assert_int_eq(low, 20);
    ck_assert_int_eq(sum, 1000000);
}
END_TEST

START_TEST(any_cutting_gives_the_same_total)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        int64_t amount = property_i64(&chance);
        int64_t whole = property_between(&chance, 1, (int64_t)1 << clock_sim_below(&chance, 62));
        int64_t at = 0;
        __int128 sum = 0;
        while (at < whole && clock_sim_below(&chance, 8) != 0) {
            int64_t to = property_between(&chance, at, whole);
            sum += telescope_step(amount, at, to, whole);
            at = to;
        }
        HOLDS(sum == telescope_step(amount, 0, at, whole), SEED_FMT "%" PRId64, seed, amount);
        sum += telescope_step(amount, at, whole, whole);
        HOLDS(sum == amount, SEED_FMT "%" PRId64 " over %" PRId64, seed, amount, whole);
    }
}
END_TEST

START_TEST(steps_mirror_and_never_turn_back)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        int64_t amount = property_between(&chance, 0, INT64_MAX);
        int64_t whole = property_between(&chance, 1, 100000);
        int64_t from = property_between(&chance, 0, whole);
        int64_t to = property_between(&chance, from, whole);
        int64_t step = telescope_step(amount, from, to, whole);
        HOLDS(step >= 0, SEED_FMT, seed);
        HOLDS(telescope_step(-amount, from, to, whole) == -step, SEED_FMT, seed);
    }
}
END_TEST

START_TEST(the_edges_of_an_amount_are_fine)
{
    ck_assert_int_eq(telescope_step(INT64_MIN, 0, INT64_MAX, INT64_MAX), INT64_MIN);
    ck_assert_int_eq(telescope_step(INT64_MAX, 0, 1, 1), INT64_MAX);
    ck_assert_int_eq(telescope_step(INT64_MAX, INT64_MAX - 1, INT64_MAX, INT64_MAX), 1);
    ck_assert_int_eq(telescope_step(5, 3, 3, 7), 0);
    ck_assert_int_eq(telescope_time(100, -10, 10, -10, 0), 50);
}
END_TEST

START_TEST(late_usage_is_the_next_step)
{
    const struct currency *eur = currency_find(STR("EUR"));
    struct err err = {0};
    int64_t first;
    int64_t second;
    /* 0.004 posts nothing, another 0.004 then posts the cent that both make. */
    ck_assert_int_eq(telescope_rated(0, 4000000, eur, &first, &err), RC_OK);
    ck_assert_int_eq(telescope_rated(4000000, 8000000, eur, &second, &err), RC_OK);
    ck_assert_int_eq(first, 0);
    ck_assert_int_eq(second, 1);
    ck_assert_int_eq(telescope_rated(8000000, 0, eur, &second, &err), RC_OK);
    ck_assert_int_eq(second, -1);
    second = 77;
    const rated most = (((__int128)1 << 126) - 1) * 2 + 1;
    ck_assert_int_eq(telescope_rated(0, most, eur, &second, &err), RC_INVALID);
    ck_assert_int_eq(telescope_rated(rated_from_amount(INT64_MIN, eur), rated_from_amount(1, eur),
                                     eur, &second, &err),
                     RC_INVALID);
    ck_assert_int_eq(second, 77);
}
END_TEST

START_TEST(a_step_outside_the_whole_is_a_bug)
{
    (void)telescope_step(100, 0, 8, 7);
}
END_TEST

Suite *telescope_suite(void);
Suite *telescope_suite(void)
{
    Suite *s = suite_create("telescope");
    TCase *c = tcase_create("telescope");
    tcase_add_test(c, part_of_a_month_by_the_second);
    tcase_add_test(c, instalments_differ_by_a_cent_and_add_up);
    tcase_add_test(c, any_cutting_gives_the_same_total);
    tcase_add_test(c, steps_mirror_and_never_turn_back);
    tcase_add_test(c, the_edges_of_an_amount_are_fine);
    tcase_add_test(c, late_usage_is_the_next_step);
    tcase_add_test_raise_signal(c, a_step_outside_the_whole_is_a_bug, 6);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
