#include "money/amount.h"
#include "money/decimal.h"
#include "money/property.h"

#include <check.h>

static const struct currency *cur(const char *code)
{
    const struct currency *c = currency_find(str_c(code));
    ck_assert_ptr_nonnull(c);
    return c;
}

START_TEST(parse_takes_the_currencys_digits_or_fewer)
{
    static const struct {
        const char *currency, *text;
        int64_t amount;
    } cases[] = {
        {"EUR", "12.34", 1234},
        {"EUR", "12.3", 1230},
        {"EUR", "12", 1200},
        {"EUR", "-0.05", -5},
        {"EUR", "-0", 0},
        {"EUR", "0.00", 0},
        {"JPY", "1250", 1250},
        {"KWD", "1.234", 1234},
        {"EUR", "92233720368547758.07", INT64_MAX},
        {"EUR", "-92233720368547758.08", INT64_MIN},
        {"JPY", "-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        int64_t got = 77;
        enum rc rc = amount_parse(str_c(cases[i].text), cur(cases[i].currency), &got, &err);
        ck_assert_msg(rc == RC_OK, "%s: %s", cases[i].text, err.text);
        ck_assert_int_eq(got, cases[i].amount);
    }
}
END_TEST

START_TEST(parse_refuses_what_it_would_have_to_guess_or_round)
{
    static const struct {
        const char *currency, *text, *says;
    } cases[] = {
        {"EUR", "12.345", "at most 2 digits behind the point"},
        {"JPY", "1.0", "at most 0 digits behind the point"},
        {"KWD", "1.2345", "at most 3 digits behind the point"},
        {"EUR", "", "an amount in EUR"},
        {"EUR", "-", "an amount in EUR"},
        {"EUR", "+1", "an amount in EUR"},
        {"EUR", ".5", "an amount in EUR"},
        {"EUR", "5.", "an amount in EUR"},
        {"EUR", "1,5", "an amount in EUR"},
        {"EUR", "1e2", "an amount in EUR"},
        {"EUR", " 1", "an amount in EUR"},
        {"EUR", "1 ", "an amount in EUR"},
        {"EUR", "--1", "an amount in EUR"},
        {"EUR", "1.2.3", "an amount in EUR"},
        {"EUR", "007", "a needless 0"},
        {"EUR", "00", "a needless 0"},
        {"EUR", "92233720368547758.08", "too large"},
        {"EUR", "-92233720368547758.09", "too large"},
        {"EUR", "99999999999999999999999999999999999999", "too large"},
        /* A hundred times this is 44 more than 2^128. */
        {"EUR", "3402823669209384634633746074317682115", "too large"},
        {"EUR", "170141183460469231731687303715884105729", "at most 38 digits"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        int64_t got = 77;
        enum rc rc = amount_parse(str_c(cases[i].text), cur(cases[i].currency), &got, &err);
        ck_assert_msg(rc == RC_INVALID, "%s was taken", cases[i].text);
        ck_assert_msg(str_has(err_text(&err), str_c(cases[i].says)), "%s: %s", cases[i].text,
                      err.text);
        ck_assert_int_eq(got, 77);
    }
}
END_TEST

START_TEST(an_error_repeats_printable_ascii_only)
{
    struct err err = {0};
    int64_t got;
    ck_assert_int_eq(amount_parse(STR("1\xC3\xA9\x01"), cur("EUR"), &got, &err), RC_INVALID);
    ck_assert_msg(str_starts(err_text(&err), STR("'1' is not")), "%s", err.text);
}
END_TEST

START_TEST(format_shows_every_digit_of_the_currency)
{
    static const struct {
        const char *currency, *text;
        int64_t amount;
    } cases[] = {
        {"EUR", "12.34", 1234},
        {"EUR", "-0.05", -5},
        {"EUR", "0.00", 0},
        {"EUR", "12.30", 1230},
        {"JPY", "1250", 1250},
        {"JPY", "0", 0},
        {"KWD", "1.234", 1234},
        {"KWD", "-0.001", -1},
        {"EUR", "92233720368547758.07", INT64_MAX},
        {"EUR", "-92233720368547758.08", INT64_MIN},
    };
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[AMOUNT_TEXT_MAX];
        size_t n = amount_format(cases[i].amount, cur(cases[i].currency), text);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_uint_eq(n, strlen(text));
        ck_assert(str_eq(amount_str(cases[i].amount, cur(cases[i].currency), &arena),
                         str_c(cases[i].text)));
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(text_and_amount_round_trip)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        const struct currency *c = currency_at(clock_sim_below(&chance, currency_count()));
        int64_t amount = property_i64(&chance);
        char text[AMOUNT_TEXT_MAX];
        size_t n = amount_format(amount, c, text);
        struct err err = {0};
        int64_t back = 0;
        HOLDS(amount_parse(str_n(text, n), c, &back, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
        HOLDS(back == amount, SEED_FMT "%s %s", seed, text, c->code);
    }
}
END_TEST

START_TEST(one_thing_is_at_most_a_trillion)
{
    static const struct {
        const char *text;
        enum rc rc;
    } cases[] = {{"1000000000000.00", RC_OK},
                 {"1000000000000.01", RC_INVALID},
                 {"-1000000000000.00", RC_OK},
                 {"-1000000000000.01", RC_INVALID},
                 {"92233720368547758.07", RC_INVALID},
                 {"-92233720368547758.08", RC_INVALID},
                 {"1.005", RC_INVALID}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        int64_t got = 77;
        enum rc rc = amount_parse_one(str_c(cases[i].text), cur("EUR"), &got, &err);
        ck_assert_msg(rc == cases[i].rc, "%s: %s", cases[i].text, err.text);
        ck_assert(rc != RC_OK || got == AMOUNT_ONE_MAX || got == -AMOUNT_ONE_MAX);
        ck_assert(rc == RC_OK || got == 77);
    }
    struct err err = {0};
    ck_assert_int_eq(amount_check_one(INT64_MIN, cur("KWD"), "the line", &err), RC_INVALID);
    ck_assert_str_eq(err.text,
                     "the line comes to more than 100000000000.000 KWD, the most that is carried");
}
END_TEST

START_TEST(sums_do_not_wrap_around)
{
    struct err err = {0};
    int64_t got = 77;
    ck_assert_int_eq(amount_add(INT64_MAX, 1, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_add(INT64_MIN, -1, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_sub(INT64_MIN, 1, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_sub(0, INT64_MIN, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_neg(INT64_MIN, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_narrow((__int128)INT64_MAX + 1, &got, &err), RC_INVALID);
    ck_assert_int_eq(amount_narrow((__int128)INT64_MIN - 1, &got, &err), RC_INVALID);
    ck_assert_int_eq(got, 77);
    ck_assert_int_eq(amount_add(INT64_MAX, INT64_MIN, &got, &err), RC_OK);
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(amount_sub(-1, INT64_MIN, &got, &err), RC_OK);
    ck_assert_int_eq(got, INT64_MAX);
    ck_assert_int_eq(amount_neg(INT64_MAX, &got, &err), RC_OK);
    ck_assert_int_eq(got, -INT64_MAX);
}
END_TEST

START_TEST(totals_pass_the_range_of_an_amount_and_come_back)
{
    const int64_t amounts[] = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN, 5};
    ck_assert(amount_total(amounts, 2) == (__int128)INT64_MAX * 2);
    ck_assert(amount_total(amounts, 0) == 0);
    struct err err = {0};
    int64_t got = 0;
    ck_assert_int_eq(amount_narrow(amount_total(amounts, 5), &got, &err), RC_OK);
    ck_assert_int_eq(got, 3);
    ck_assert_int_eq(amount_compare(1, 2), -1);
    ck_assert_int_eq(amount_compare(2, 2), 0);
    ck_assert_int_eq(amount_compare(INT64_MAX, INT64_MIN), 1);
}
END_TEST

START_TEST(decimals_compare_across_scales_without_overflow)
{
    ck_assert_int_eq(decimal_compare(125, 2, 1250, 3), 0);
    ck_assert_int_eq(decimal_compare(-125, 2, 1250, 3), -1);
    ck_assert_int_eq(decimal_compare(1, 18, 0, 0), 1);
    ck_assert_int_eq(decimal_compare(-1, 18, 0, 0), -1);
    const __int128 most = (((__int128)1 << 126) - 1) * 2 + 1;
    ck_assert_int_eq(decimal_compare(most, 0, most, 18), 1);
    ck_assert_int_eq(decimal_compare(-most - 1, 0, most, 18), -1);
    ck_assert_int_eq(decimal_compare(-most - 1, 18, -most, 18), -1);
    char text[DECIMAL_TEXT_MAX];
    (void)decimal_format(-most - 1, 18, text);
    ck_assert_str_eq(text, "-170141183460469231731.687303715884105728");
    (void)decimal_format(-most - 1, 0, text);
    ck_assert_str_eq(text, "-170141183460469231731687303715884105728");
}
END_TEST

Suite *amount_suite(void);
Suite *amount_suite(void)
{
    Suite *s = suite_create("amount");
    TCase *c = tcase_create("amount");
    tcase_add_test(c, parse_takes_the_currencys_digits_or_fewer);
    tcase_add_test(c, parse_refuses_what_it_would_have_to_guess_or_round);
    tcase_add_test(c, an_error_repeats_printable_ascii_only);
    tcase_add_test(c, format_shows_every_digit_of_the_currency);
    tcase_add_test(c, text_and_amount_round_trip);
    tcase_add_test(c, one_thing_is_at_most_a_trillion);
    tcase_add_test(c, sums_do_not_wrap_around);
    tcase_add_test(c, totals_pass_the_range_of_an_amount_and_come_back);
    tcase_add_test(c, decimals_compare_across_scales_without_overflow);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
