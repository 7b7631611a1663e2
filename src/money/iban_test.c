#include "money/iban.h"
#include "money/property.h"

#include <check.h>

/* Examples of the SWIFT registry. */
static const char *const good[] = {
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "BE68539007547034",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "LC55HEMM000100010012001200023015",
    "SA0380000000608010167519",
    "CH9300762011623852957",
    "UA213223130000026007233566001",
    "EG380019000500000000263180002",
    "IT60X0542811101000000123456",
    "ES9121000418450200051332",
    "PL61109010140000071219812874",
    "XK051212012345678906",
    "BR1800360305000010009795493C1",
    "MU17BOMM0101101030300200000MUR",
    "RU0304452522540817810538091310419",
    "SC18SSCB11010000000000001497USD",
    "BY13NBRB3600900000002Z00AB00",
    "VA59001123000012345678",
    "IQ98NBIQ850123456789012",
    "LY83002048000020100120361",
    "AT611904300234573201",
};

START_TEST(examples_of_the_registry_are_taken)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct err err = {0};
        char got[IBAN_MAX + 1];
        enum rc rc = iban_parse(str_c(good[i]), got, &err);
        ck_assert_msg(rc == RC_OK, "%s", err.text);
        ck_assert_str_eq(got, good[i]);
    }
}
END_TEST

START_TEST(paper_form_and_electronic_form_round_trip)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        char text[IBAN_TEXT_MAX];
        size_t n = iban_format(str_c(good[i]), text);
        ck_assert_uint_eq(n, strlen(text));
        struct err err = {0};
        char got[IBAN_MAX + 1];
        ck_assert_int_eq(iban_parse(str_n(text, n), got, &err), RC_OK);
        ck_assert_str_eq(got, good[i]);
    }
    char text[IBAN_TEXT_MAX];
    (void)iban_format(STR("DE89370400440532013000"), text);
    ck_assert_str_eq(text, "DE89 3704 0044 0532 0130 00");
    struct err err = {0};
    char got[IBAN_MAX + 1];
    ck_assert_int_eq(iban_parse(STR("de89 3704 0044 0532 0130 00"), got, &err), RC_OK);
}
END_TEST

START_TEST(each_test_says_what_failed)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "15 to 34"},
        {"DE8", "15 to 34"},
        {"DE893704004405320130001234567890123456", "15 to 34"},
        {"US89370400440532013000", "no country with IBANs"},
        {"DE8937040044053201300", "have 22 characters, not 21"},
        {"DE8937040044053201300X", "where DE has them"},
        {"DEX9370400440532013000", "where DE has them"},
        {"DE89370400440532013001", "check digits"},
        {"DE89-3704-0044-0532-0130-00", "have 22 characters"},
        {"DE\xC3\xA9"
         "370400440532013000",
         "where DE has them"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        char got[IBAN_MAX + 1] = "untouched";
        ck_assert_int_eq(iban_parse(str_c(cases[i].text), got, &err), RC_INVALID);
        ck_assert_msg(str_has(err_text(&err), str_c(cases[i].says)), "%s: %s", cases[i].text,
                      err.text);
        ck_assert_str_eq(got, "untouched");
    }
}
END_TEST

START_TEST(one_wrong_digit_or_two_swapped_are_found)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        char text[IBAN_MAX + 1];
        const char *from = good[clock_sim_below(&chance, COUNT(good))];
        size_t n = strlen(from);
        memcpy(text, from, n + 1);
        size_t at = 2 + clock_sim_below(&chance, n - 3);
        if (clock_sim_below(&chance, 2) == 0) {
            text[at] = from[at + 1];
            text[at + 1] = from[at];
        } else {
            text[at] = (char)('0' + clock_sim_below(&chance, 10));
        }
        struct err err = {0};
        char got[IBAN_MAX + 1];
        bool same = strcmp(text, from) == 0;
        HOLDS((iban_parse(str_n(text, n), got, &err) == RC_OK) == same, SEED_FMT "%s", seed, text);
    }
}
END_TEST

START_TEST(bics_are_checked_by_form)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"DEUTDEFF", true},      {"deutdeff500", true}, {"BNPAFRPPXXX", true}, {"NCBVXKPR", true},
        {"DEUTDEF", false},      {"DEUTDEFF50", false}, {"DEUTZZFF", false},   {"D3UTDEFF", false},
        {"DEUTDEFF5000", false}, {"", false},           {"DEUT DEFF", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        char got[BIC_MAX + 1] = "untouched";
        bool ok = bic_parse(str_c(cases[i].text), got, &err) == RC_OK;
        ck_assert_msg(ok == cases[i].ok, "%s", cases[i].text);
        ck_assert(ok || strcmp(got, "untouched") == 0);
    }
}
END_TEST

Suite *iban_suite(void);
Suite *iban_suite(void)
{
    Suite *s = suite_create("iban");
    TCase *c = tcase_create("iban");
    tcase_add_test(c, examples_of_the_registry_are_taken);
    tcase_add_test(c, paper_form_and_electronic_form_round_trip);
    tcase_add_test(c, each_test_says_what_failed);
    tcase_add_test(c, one_wrong_digit_or_two_swapped_are_found);
    tcase_add_test(c, bics_are_checked_by_form);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
