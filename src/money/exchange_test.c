#include "money/exchange.h"
#include "money/property.h"

#include <check.h>

static const struct currency *cur(const char *code)
{
    const struct currency *c = currency_find(str_c(code));
    ck_assert_ptr_nonnull(c);
    return c;
}

static struct exchange rate(const char *text, const char *from, const char *to)
{
    struct exchange x = {0};
    struct err err = {0};
    ck_assert_msg(exchange_parse(str_c(text), cur(from), cur(to), &x, &err) == RC_OK, "%s",
                  err.text);
    return x;
}

static int64_t convert(const struct exchange *x, int64_t amount, enum exchange_side side)
{
    struct err err = {0};
    int64_t got = 0;
    ck_assert_msg(exchange_convert(x, amount, side, &got, &err) == RC_OK, "%s", err.text);
    return got;
}

START_TEST(what_was_agreed_as_a_fraction_is_kept)
{
    /* specs 3.6: "250 RMB = 35 EUR". */
    struct exchange x;
    struct err err = {0};
    ck_assert_int_eq(exchange_make(cur("CNY"), cur("EUR"), 250, 35, &x, &err), RC_OK);
    ck_assert_int_eq(convert(&x, 25000, EXCHANGE_NEUTRAL), 3500);
    struct exchange back = exchange_turn(&x);
    ck_assert_int_eq(convert(&back, 3500, EXCHANGE_NEUTRAL), 25000);
    ck_assert_ptr_eq(back.from, cur("EUR"));
    ck_assert_int_eq(convert(&back, 100, EXCHANGE_PAYS), 714);
    ck_assert_int_eq(convert(&back, 100, EXCHANGE_TAKES), 715);
    ck_assert_int_eq(convert(&back, -100, EXCHANGE_PAYS), -714);
    ck_assert_int_eq(convert(&back, -100, EXCHANGE_TAKES), -715);
    ck_assert_int_eq(convert(&back, 100, EXCHANGE_NEUTRAL), 714);
}
END_TEST

START_TEST(minor_units_of_both_currencies_count)
{
    struct exchange x = rate("162.5", "EUR", "JPY");
    ck_assert_int_eq(convert(&x, 100, EXCHANGE_PAYS), 162);
    ck_assert_int_eq(convert(&x, 100, EXCHANGE_TAKES), 163);
    ck_assert_int_eq(convert(&x, 100, EXCHANGE_NEUTRAL), 163);
    x = rate("0.3333333333", "EUR", "KWD");
    ck_assert_int_eq(convert(&x, 100, EXCHANGE_NEUTRAL), 333);
    x = rate("3", "KWD", "JPY");
    ck_assert_int_eq(convert(&x, 1500, EXCHANGE_NEUTRAL), 5);
    x = rate("1", "JPY", "KWD");
    ck_assert_int_eq(convert(&x, 5, EXCHANGE_PAYS), 5000);
}
END_TEST

START_TEST(rates_are_read_and_written)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"1.0837", "1.0837"},
        {"1.50", "1.5"},
        {"35/250", "0.14"},
        {"35/249", "35/249"},
        {"0.0000000001", "0.0000000001"},
        {"7", "7"},
        {"100", "100"},
        {"10/4", "2.5"},
        {"9223372036854775807", "9223372036854775807"},
        {"1/9223372036854775807", "1/9223372036854775807"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct exchange x = rate(cases[i].text, "EUR", "USD");
        char text[EXCHANGE_RATE_TEXT_MAX];
        size_t n = exchange_format(&x, text);
        ck_assert_str_eq(text, cases[i].want);
        ck_assert_uint_eq(n, strlen(text));
        struct exchange again = rate(text, "EUR", "USD");
        ck_assert_int_eq(again.numerator, x.numerator);
        ck_assert_int_eq(again.denominator, x.denominator);
    }
}
END_TEST

START_TEST(what_is_no_rate_is_refused)
{
    static const char *const cases[] = {
        "",
        "0",
        "-1",
        "0.00",
        "1.00000000001",
        "1/0",
        "/5",
        "5/",
        "1/2/3",
        "1.5/2",
        "1/-2",
        "x",
        "9223372036854775808",
        "0/5",
        "99999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct exchange x = {.numerator = 77};
        struct err err = {0};
        ck_assert_msg(exchange_parse(str_c(cases[i]), cur("EUR"), cur("USD"), &x, &err) ==
                          RC_INVALID,
                      "%s", cases[i]);
        ck_assert_int_eq(x.numerator, 77);
    }
    struct exchange x = {.numerator = 77};
    struct err err = {0};
    ck_assert_int_eq(exchange_make(cur("EUR"), cur("USD"), 0, 1, &x, &err), RC_INVALID);
    ck_assert_int_eq(exchange_make(cur("EUR"), cur("USD"), 1, -1, &x, &err), RC_INVALID);
    ck_assert_int_eq(x.numerator, 77);
}
END_TEST

START_TEST(rates_chain_exactly)
{
    struct exchange a = rate("35/250", "CNY", "EUR");
    struct exchange b = rate("1.0837", "EUR", "USD");
    a.day = 20000;
    b.day = 19000;
    struct exchange x = {.numerator = 77};
    struct err err = {0};
    ck_assert_int_eq(exchange_chain(&a, &b, &x, &err), RC_OK);
    char text[EXCHANGE_RATE_TEXT_MAX];
    (void)exchange_format(&x, text);
    ck_assert_str_eq(text, "0.151718");
    ck_assert_int_eq(x.day, 19000);
    ck_assert_ptr_eq(x.from, cur("CNY"));
    ck_assert_ptr_eq(x.to, cur("USD"));
    a.numerator = INT64_MAX;
    b.numerator = INT64_MAX;
    x.numerator = 77;
    ck_assert_int_eq(exchange_chain(&a, &b, &x, &err), RC_INVALID);
    ck_assert_int_eq(x.numerator, 77);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    struct exchange x = rate("9223372036854775807", "JPY", "KWD");
    struct err err = {0};
    int64_t got = 77;
    ck_assert_int_eq(exchange_convert(&x, INT64_MAX, EXCHANGE_NEUTRAL, &got, &err), RC_INVALID);
    ck_assert_int_eq(exchange_convert(&x, INT64_MIN, EXCHANGE_TAKES, &got, &err), RC_INVALID);
    ck_assert_int_eq(got, 77);
    x = rate("9223372036854775807/9223372036854775806", "EUR", "USD");
    ck_assert_int_eq(exchange_convert(&x, INT64_MAX - 1, EXCHANGE_PAYS, &got, &err), RC_OK);
    ck_assert_int_eq(got, INT64_MAX);
}
END_TEST

START_TEST(the_liquidity_account_never_loses_on_a_round_trip)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct exchange x;
        struct err err = {0};
        HOLDS(exchange_make(cur("EUR"), cur(i % 2 ? "JPY" : "KWD"),
                            property_between(&chance, 1, 1000000),
                            property_between(&chance, 1, 1000000), &x, &err) == RC_OK,
              SEED_FMT, seed);
        struct exchange back = exchange_turn(&x);
        int64_t amount = property_between(&chance, 0, 1000000000);
        int64_t paid = 0;
        int64_t returned = 0;
        int64_t taken = 0;
        int64_t near = 0;
        HOLDS(exchange_convert(&x, amount, EXCHANGE_PAYS, &paid, &err) == RC_OK &&
                  exchange_convert(&back, paid, EXCHANGE_PAYS, &returned, &err) == RC_OK &&
                  exchange_convert(&x, amount, EXCHANGE_TAKES, &taken, &err) == RC_OK &&
                  exchange_convert(&x, amount, EXCHANGE_NEUTRAL, &near, &err) == RC_OK,
              SEED_FMT "%s", seed, err.text);
        HOLDS(returned <= amount, SEED_FMT "%" PRId64 " came back as %" PRId64, seed, amount,
              returned);
        HOLDS(paid <= near && near <= taken && taken - paid <= 1, SEED_FMT, seed);
    }
}
END_TEST

Suite *exchange_suite(void);
Suite *exchange_suite(void)
{
    Suite *s = suite_create("exchange");
    TCase *c = tcase_create("exchange");
    tcase_add_test(c, what_was_agreed_as_a_fraction_is_kept);
    tcase_add_test(c, minor_units_of_both_currencies_count);
    tcase_add_test(c, rates_are_read_and_written);
    tcase_add_test(c, what_is_no_rate_is_refused);
    tcase_add_test(c, rates_chain_exactly);
    tcase_add_test(c, what_does_not_fit_is_refused);
    tcase_add_test(c, the_liquidity_account_never_loses_on_a_round_trip);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
