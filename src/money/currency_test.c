#include "money/currency.h"

#include <check.h>

START_TEST(table_is_sorted_and_each_entry_finds_itself)
{
    ck_assert_uint_eq(currency_count(), 155);
    for (size_t i = 0; i < currency_count(); i++) {
        const struct currency *c = currency_at(i);
        ck_assert_ptr_eq(currency_find(str_c(c->code)), c);
        ck_assert(i == 0 || strcmp(currency_at(i - 1)->code, c->code) < 0);
        ck_assert(c->exponent == 0 || c->exponent == 2 || c->exponent == 3);
        ck_assert(c->number > 0 && c->number < 1000);
        ck_assert(c->name[0] != '\0');
        for (size_t k = 0; k < i; k++)
            ck_assert_int_ne(currency_at(k)->number, c->number);
    }
}
END_TEST

START_TEST(the_well_known_have_their_numbers_and_exponents)
{
    static const struct {
        const char *code;
        int number, exponent;
    } cases[] = {
        {"EUR", 978, 2}, {"USD", 840, 2}, {"CNY", 156, 2}, {"JPY", 392, 0}, {"KWD", 414, 3},
        {"CHF", 756, 2}, {"GBP", 826, 2}, {"KRW", 410, 0}, {"TND", 788, 3}, {"XOF", 952, 0},
        {"BHD", 48, 3},  {"CLP", 152, 0}, {"HUF", 348, 2}, {"ZWG", 924, 2}, {"XCG", 532, 2},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct currency *c = currency_find(str_c(cases[i].code));
        ck_assert_ptr_nonnull(c);
        ck_assert_int_eq(c->number, cases[i].number);
        ck_assert_int_eq(c->exponent, cases[i].exponent);
    }
}
END_TEST

START_TEST(what_is_no_active_currency_is_refused)
{
    static const char *const cases[] = {"", "E", "EU", "EURO", "eur", "XAU", "DEM", "BGN", "ZZZ"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        const struct currency *c = NULL;
        ck_assert_ptr_null(currency_find(str_c(cases[i])));
        ck_assert_int_eq(currency_parse(str_c(cases[i]), &c, &err), RC_INVALID);
        ck_assert_ptr_null(c);
        ck_assert(str_has(err_text(&err), STR("ISO 4217")));
    }
}
END_TEST

Suite *currency_suite(void);
Suite *currency_suite(void)
{
    Suite *s = suite_create("currency");
    TCase *c = tcase_create("currency");
    tcase_add_test(c, table_is_sorted_and_each_entry_finds_itself);
    tcase_add_test(c, the_well_known_have_their_numbers_and_exponents);
    tcase_add_test(c, what_is_no_active_currency_is_refused);
    suite_add_tcase(s, c);
    return s;
}
