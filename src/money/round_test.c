#include "money/property.h"
#include "money/round.h"

#include <check.h>

static const __int128 i128_max = (((__int128)1 << 126) - 1) * 2 + 1;

/* The slow and obvious model: try q = 0, 1, 2, ... until q is nearest, the farther of two. */
static int64_t model(int64_t n, int64_t d)
{
    int64_t magnitude = n < 0 ? -n : n;
    int64_t q = 0;
    while (2 * (magnitude - q * d) >= d)
        q++;
    return n < 0 ? -q : q;
}

START_TEST(a_half_goes_away_from_zero)
{
    static const struct {
        int64_t n, d, want;
    } cases[] = {
        {5, 2, 3},     {-5, 2, -3},   {4, 2, 2},       {1, 3, 0}, {2, 3, 1},
        {-1, 3, 0},    {-2, 3, -1},   {0, 7, 0},       {1, 2, 1}, {-1, 2, -1},
        {149, 100, 1}, {150, 100, 2}, {-150, 100, -2}, {7, 1, 7}, {INT64_MIN, 1, INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert(round_div(cases[i].n, cases[i].d) == cases[i].want);
}
END_TEST

START_TEST(it_agrees_with_the_obvious_model)
{
    for (int64_t d = 1; d <= 40; d++)
        for (int64_t n = -400; n <= 400; n++)
            ck_assert(round_div(n, d) == model(n, d));
}
END_TEST

START_TEST(it_agrees_with_the_formula_and_mirrors)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        int64_t n = property_i64(&chance);
        int64_t d = property_i64(&chance);
        if (d <= 0)
            continue;
        /* 3.9 (3) word for word; 64-bit arguments leave room for it. */
        __int128 magnitude = n < 0 ? -(__int128)n : n;
        __int128 want = (2 * magnitude + d) / (2 * (__int128)d);
        HOLDS(round_div(n, d) == (n < 0 ? -want : want), SEED_FMT "%" PRId64 "/%" PRId64, seed, n,
              d);
        HOLDS(round_div(-(__int128)n, d) == -round_div(n, d), SEED_FMT, seed);
        __int128 down = round_div_mode(n, d, ROUND_TO_ZERO);
        __int128 up = round_div_mode(n, d, ROUND_FROM_ZERO);
        HOLDS(down == (__int128)n / d, SEED_FMT "%" PRId64 "/%" PRId64, seed, n, d);
        HOLDS(up == down + (n % d == 0 ? 0 : n < 0 ? -1 : 1), SEED_FMT, seed);
    }
}
END_TEST

START_TEST(the_edges_of_128_bits_do_not_overflow)
{
    const __int128 min = -i128_max - 1;
    ck_assert(round_div(i128_max, 1) == i128_max);
    ck_assert(round_div(min, 1) == min);
    ck_assert(round_div(i128_max, i128_max) == 1);
    ck_assert(round_div(min, i128_max) == -1);
    ck_assert(round_div(i128_max, 2) == i128_max / 2 + 1);
    ck_assert(round_div(min, 2) == min / 2);
    ck_assert(round_div(i128_max / 2, i128_max) == 0);
    ck_assert(round_div(i128_max / 2 + 1, i128_max) == 1);
    ck_assert(round_div_mode(min, 1, ROUND_FROM_ZERO) == min);
    ck_assert(round_div_mode(1, i128_max, ROUND_FROM_ZERO) == 1);
}
END_TEST

START_TEST(products_are_rounded_once_where_the_plain_product_would_overflow)
{
    struct err err = {0};
    __int128 got = 77;
    /* (2^63 - 1)^2 x 10^18 is far beyond 128 bits, divided by 2^63 - 1 it is not. */
    ck_assert_int_eq(
        round_product(INT64_MAX, INT64_MAX, INT64_MAX, 18, ROUND_HALF_AWAY, &got, &err), RC_OK);
    ck_assert(got == (__int128)INT64_MAX * 1000000000000000000);
    ck_assert_int_eq(round_product(1, 1, 3, 18, ROUND_HALF_AWAY, &got, &err), RC_OK);
    ck_assert(got == 333333333333333333);
    ck_assert_int_eq(round_product(-2, 1, 3, 18, ROUND_HALF_AWAY, &got, &err), RC_OK);
    ck_assert(got == -666666666666666667);
    ck_assert_int_eq(round_product(5, 1, 1, -1, ROUND_HALF_AWAY, &got, &err), RC_OK);
    ck_assert(got == 1);
    got = 77;
    ck_assert_int_eq(round_product(INT64_MAX, INT64_MAX, 1, 18, ROUND_HALF_AWAY, &got, &err),
                     RC_INVALID);
    ck_assert_int_eq(round_product(INT64_MIN, INT64_MAX, 1, 1, ROUND_HALF_AWAY, &got, &err),
                     RC_INVALID);
    ck_assert(got == 77);
    ck_assert_int_eq(round_product(INT64_MIN, INT64_MIN, 1, 0, ROUND_HALF_AWAY, &got, &err), RC_OK);
    ck_assert(got == (__int128)1 << 126);
}
END_TEST

START_TEST(products_agree_with_one_division_where_that_fits)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        int64_t a = property_between(&chance, -1000000000, 1000000000);
        int64_t b = property_between(&chance, -1000000000, 1000000000);
        int64_t d = property_between(&chance, 1, 1000000);
        int exponent = (int)property_between(&chance, -18, 18);
        __int128 power = 1;
        for (int k = 0; k < (exponent < 0 ? -exponent : exponent); k++)
            power *= 10;
        __int128 n = (__int128)a * b;
        __int128 want = exponent < 0 ? round_div(n, d * power) : round_div(n * power, d);
        __int128 got;
        struct err err = {0};
        HOLDS(round_product(a, b, d, exponent, ROUND_HALF_AWAY, &got, &err) == RC_OK, SEED_FMT "%s",
              seed, err.text);
        HOLDS(got == want, SEED_FMT "%" PRId64 "*%" PRId64 "*10^%d/%" PRId64, seed, a, b, exponent,
              d);
    }
}
END_TEST

START_TEST(dividing_by_nothing_is_a_bug)
{
    (void)round_div(1, 0);
}
END_TEST

Suite *round_suite(void);
Suite *round_suite(void)
{
    Suite *s = suite_create("round");
    TCase *c = tcase_create("round");
    tcase_add_test(c, a_half_goes_away_from_zero);
    tcase_add_test(c, it_agrees_with_the_obvious_model);
    tcase_add_test(c, it_agrees_with_the_formula_and_mirrors);
    tcase_add_test(c, the_edges_of_128_bits_do_not_overflow);
    tcase_add_test(c, products_are_rounded_once_where_the_plain_product_would_overflow);
    tcase_add_test(c, products_agree_with_one_division_where_that_fits);
    tcase_add_test_raise_signal(c, dividing_by_nothing_is_a_bug, 6);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
