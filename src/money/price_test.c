#include "money/price.h"
#include "money/property.h"

#include <check.h>

static struct price P(const char *text) {
    struct price p = {0};
    struct err err = {0};
    ck_assert_msg(price_parse(str_c(text), &p, &err) == RC_OK, "%s", err.text);
    return p;
}

static struct quantity
Q(const char *text) {
    struct quantity q = {0};
    struct err err = {0};
    ck_assert_msg(quantity_parse(str_c(text), &q, &err) == RC_OK, "%s", err.text);
    return q;
}

START_TEST(text_keeps_its_digits)
{
    static const char *const prices[] = {"0",
                                         "3.125",
                                         "-3.1250",
                                         "0.000000000001",
                                         "195.00",
                                         "9223372036854775807",
                                         "-9223372.036854775808"};
    for (size_t i = 0; i < COUNT(prices); i++) {
        char text[PRICE_TEXT_MAX];
        (void)price_format(P(prices[i]), text);
        ck_assert_str_eq(text, prices[i]);
    }
    char text[QUANTITY_TEXT_MAX];
    (void)quantity_format(Q("1.50"), text);
    ck_assert_str_eq(text, "1.50");
    ck_assert_int_eq(price_compare(P("1.5"), P("1.50")), 0);
    ck_assert_int_eq(price_compare(P("-1.5"), P("1.50")), -1);
    ck_assert_int_eq(quantity_compare(Q("2"), Q("1.999999999")), 1);
}
END_TEST

START_TEST(text_beyond_the_scale_or_the_range_is_refused)
{
    static const char *const prices[] = {
        "0.0000000000001", "9223372036854775808", "1e3", "", "+1", "92233720368.547758080"};
    for (size_t i = 0; i < COUNT(prices); i++) {
        struct price p = {77, 7};
        struct err err = {0};
        ck_assert_msg(price_parse(str_c(prices[i]), &p, &err) == RC_INVALID, "%s", prices[i]);
        ck_assert_int_eq(p.mantissa, 77);
    }
    struct quantity q = {77, 7};
    struct err err = {0};
    ck_assert_int_eq(quantity_parse(STR("0.0000000001"), &q, &err), RC_INVALID);
    ck_assert_int_eq(quantity_parse(STR("92233720368.547758080"), &q, &err), RC_INVALID);
    ck_assert_int_eq(q.mantissa, 77);
}
END_TEST

START_TEST(what_is_agreed_for_a_unit_is_at_most_a_trillion)
{
    static const struct {
        const char *text;
        enum rc rc;
    } cases[] = {{"1000000000000", RC_OK},         {"1000000000000.00", RC_OK},
                 {"1000000000000.01", RC_INVALID}, {"-1000000000000", RC_OK},
                 {"-1000000000001", RC_INVALID},   {"9223372036854775807", RC_INVALID}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct price p = {0};
        enum rc rc = price_parse_one(str_c(cases[i].text), &p, &err);
        ck_assert_msg(rc == cases[i].rc, "%s: %s", cases[i].text, err.text);
    }
}
END_TEST

START_TEST(rating_is_exact_to_nine_digits_and_rounded_there_once)
{
    static const struct {
        const char *price, *quantity, *base, *want;
    } cases[] = {
        {"3.125", "100", "1", "312.500000000"},
        {"0.000000000001", "1", "1", "0.000000000"},
        {"0.000000000001", "499", "1", "0.000000000"},
        {"0.000000000001", "500", "1", "0.000000001"},
        {"-0.000000000001", "500", "1", "-0.000000001"},
        {"0.000000000001", "0.000000001", "1", "0.000000000"},
        {"5.00", "1500", "1000", "7.500000000"},
        {"1", "1", "3", "0.333333333"},
        {"2", "1", "3", "0.666666667"},
        {"1", "1", "0.000000001", "1000000000.000000000"},
        {"9223372036854775807", "9223372036.854775807", "9223372036.854775807",
         "9223372036854775807.000000000"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rated got = 0;
        struct err err = {0};
        ck_assert_int_eq(
            price_rate_per(P(cases[i].price), Q(cases[i].quantity), Q(cases[i].base), &got, &err),
            RC_OK);
        char text[RATED_TEXT_MAX];
        (void)rated_format(got, text);
        ck_assert_str_eq(text, cases[i].want);
    }
}
END_TEST

START_TEST(rating_beyond_128_bits_is_refused)
{
    rated got = 77;
    struct err err = {0};
    ck_assert_int_eq(
        price_rate((struct price){INT64_MAX, 0}, (struct quantity){INT64_MAX, 0}, &got, &err),
        RC_INVALID);
    ck_assert(got == 77);
    ck_assert_int_eq(
        price_rate((struct price){INT64_MIN, 12}, (struct quantity){INT64_MIN, 9}, &got, &err),
        RC_OK);
    ck_assert(got == ((__int128)1 << 126) / 1000000000000 + 1);
}
END_TEST

START_TEST(overlays_multiply_and_add_exactly)
{
    static const struct {
        const char *price;
        int64_t ppm;
        const char *want;
    } cases[] = {
        {"50.00", 1120000, "56.00"},
        {"56.00", 1250000, "70.00"},
        {"10.00", 950000, "9.50"},
        {"0.01", 333333, "0.00333333"},
        {"1", 1, "0.000001"},
        {"5", 0, "0"},
        {"0.000000000003", 500000, "0.000000000002"},
        {"-0.000000000003", 500000, "-0.000000000002"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct price got;
        struct err err = {0};
        char text[PRICE_TEXT_MAX];
        ck_assert_int_eq(price_scale_ppm(P(cases[i].price), cases[i].ppm, &got, &err), RC_OK);
        (void)price_format(got, text);
        ck_assert_str_eq(text, cases[i].want);
    }
    struct price got = {77, 7};
    struct err err = {0};
    ck_assert_int_eq(price_scale_ppm((struct price){INT64_MAX, 0}, 2000000, &got, &err),
                     RC_INVALID);
    ck_assert_int_eq(price_add((struct price){INT64_MAX, 0}, (struct price){1, 0}, &got, &err),
                     RC_INVALID);
    ck_assert_int_eq(price_add((struct price){INT64_MAX, 0}, (struct price){1, 1}, &got, &err),
                     RC_INVALID);
    ck_assert_int_eq(got.mantissa, 77);
    ck_assert_int_eq(price_add(P("50.00"), P("-0.125"), &got, &err), RC_OK);
    ck_assert_int_eq(price_compare(got, P("49.875")), 0);
}
END_TEST

START_TEST(quantities_add_at_the_finer_scale)
{
    struct quantity got;
    struct err err = {0};
    ck_assert_int_eq(quantity_add(Q("1.5"), Q("0.25"), &got, &err), RC_OK);
    ck_assert_int_eq(got.mantissa, 175);
    ck_assert_int_eq(got.scale, 2);
    ck_assert_int_eq(quantity_sub(Q("1.5"), Q("2"), &got, &err), RC_OK);
    ck_assert_int_eq(got.mantissa, -5);
    ck_assert_int_eq(got.scale, 1);
    got.mantissa = 77;
    ck_assert_int_eq(quantity_add(Q("9223372036854775807"), Q("1"), &got, &err), RC_INVALID);
    ck_assert_int_eq(quantity_sub((struct quantity){INT64_MIN, 0}, Q("0.1"), &got, &err),
                     RC_INVALID);
    ck_assert_int_eq(got.mantissa, 77);
}
END_TEST

START_TEST(rated_amounts_round_to_the_currency_and_come_from_it)
{
    static const struct {
        const char *rated, *currency;
        int64_t want;
    } cases[] = {
        {"1.005", "EUR", 101},
        {"-1.005", "EUR", -101},
        {"1.004999999", "EUR", 100},
        {"1249.5", "JPY", 1250},
        {"1.2345", "KWD", 1235},
        {"0.000000001", "EUR", 0},
        {"92233720368547758.07", "EUR", INT64_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rated r = 0;
        int64_t got = 0;
        struct err err = {0};
        const struct currency *c = currency_find(str_c(cases[i].currency));
        ck_assert_int_eq(rated_parse(str_c(cases[i].rated), &r, &err), RC_OK);
        ck_assert_int_eq(rated_round(r, c, &got, &err), RC_OK);
        ck_assert_int_eq(got, cases[i].want);
        int64_t back = 0;
        ck_assert_int_eq(rated_round(rated_from_amount(got, c), c, &back, &err), RC_OK);
        ck_assert_int_eq(back, got);
    }
    rated r = 77;
    int64_t got = 77;
    struct err err = {0};
    const struct currency *eur = currency_find(STR("EUR"));
    ck_assert_int_eq(rated_parse(STR("1.0000000001"), &r, &err), RC_INVALID);
    ck_assert_int_eq(rated_parse(STR("99999999999999999999999999999999999999"), &r, &err),
                     RC_INVALID);
    ck_assert(r == 77);
    ck_assert_int_eq(rated_parse(STR("92233720368547758.075"), &r, &err), RC_OK);
    ck_assert_int_eq(rated_round(r, eur, &got, &err), RC_INVALID);
    ck_assert_int_eq(got, 77);
    const rated most = (((__int128)1 << 126) - 1) * 2 + 1;
    ck_assert_int_eq(rated_add(most, 1, &r, &err), RC_INVALID);
    ck_assert_int_eq(rated_sub(-most, 2, &r, &err), RC_INVALID);
    ck_assert_int_eq(rated_add(most, -1, &r, &err), RC_OK);
    ck_assert(r == most - 1);
}
END_TEST

START_TEST(text_round_trips)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct err err = {0};
        struct price p = {property_i64(&chance), (int)clock_sim_below(&chance, 13)};
        struct quantity q = {property_i64(&chance), (int)clock_sim_below(&chance, 10)};
        struct price p2;
        struct quantity q2;
        char text[PRICE_TEXT_MAX];
        size_t n = price_format(p, text);
        HOLDS(price_parse(str_n(text, n), &p2, &err) == RC_OK, SEED_FMT "%s", seed, text);
        HOLDS(p2.mantissa == p.mantissa && p2.scale == p.scale, SEED_FMT "%s", seed, text);
        n = quantity_format(q, text);
        HOLDS(quantity_parse(str_n(text, n), &q2, &err) == RC_OK, SEED_FMT "%s", seed, text);
        HOLDS(q2.mantissa == q.mantissa && q2.scale == q.scale, SEED_FMT "%s", seed, text);
        rated r = (rated)property_i64(&chance) * property_between(&chance, 1, 1000000000);
        rated r2 = 0;
        char long_text[RATED_TEXT_MAX];
        n = rated_format(r, long_text);
        HOLDS(rated_parse(str_n(long_text, n), &r2, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
        HOLDS(r == r2, SEED_FMT "%s", seed, long_text);
    }
}
END_TEST

START_TEST(margins_telescope_to_retail)
{
    /* specs 3.2: whatever the prices, the sum of R(q p[k]) - R(q p[k-1]) is R(q p[n]). */
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    const struct currency *eur = currency_find(STR("EUR"));
    for (int i = 0; i < PROPERTY_RUNS / 4; i++) {
        struct err err = {0};
        struct quantity q = {property_between(&chance, 1, 1000000000), 3};
        struct price p = {property_between(&chance, 0, 1000000000), 6};
        int64_t before = 0;
        int64_t sum = 0;
        for (int tier = 0; tier < 5; tier++) {
            rated r;
            int64_t amount;
            HOLDS(price_rate(p, q, &r, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
            HOLDS(rated_round(r, eur, &amount, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
            sum += amount - before;
            before = amount;
            HOLDS(price_scale_ppm(p, property_between(&chance, 800000, 1500000), &p, &err) == RC_OK,
                  SEED_FMT "%s", seed, err.text);
        }
        HOLDS(sum == before, SEED_FMT, seed);
    }
}
END_TEST

Suite *price_suite(void);
Suite *price_suite(void)
{
    Suite *s = suite_create("price");
    TCase *c = tcase_create("price");
    tcase_add_test(c, text_keeps_its_digits);
    tcase_add_test(c, text_beyond_the_scale_or_the_range_is_refused);
    tcase_add_test(c, what_is_agreed_for_a_unit_is_at_most_a_trillion);
    tcase_add_test(c, rating_is_exact_to_nine_digits_and_rounded_there_once);
    tcase_add_test(c, rating_beyond_128_bits_is_refused);
    tcase_add_test(c, overlays_multiply_and_add_exactly);
    tcase_add_test(c, quantities_add_at_the_finer_scale);
    tcase_add_test(c, rated_amounts_round_to_the_currency_and_come_from_it);
    tcase_add_test(c, text_round_trips);
    tcase_add_test(c, margins_telescope_to_retail);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
