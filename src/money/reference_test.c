#include "money/property.h"
#include "money/reference.h"

#include <check.h>

START_TEST(worked_references)
{
    static const struct {
        const char *body, *want, *paper;
    } cases[] = {
        {"539007547034", "RF18539007547034", "RF18 5390 0754 7034"},
        {"INV2025000001", "RF47INV2025000001", "RF47 INV2 0250 0000 1"},
        {"inv-2025-000001", "RF47INV2025000001", "RF47 INV2 0250 0000 1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char made[REFERENCE_MAX + 1];
        char read[REFERENCE_MAX + 1];
        char paper[REFERENCE_TEXT_MAX];
        struct err err = {0};
        ck_assert_int_eq(reference_make(str_c(cases[i].body), made, &err), RC_OK);
        ck_assert_str_eq(made, cases[i].want);
        ck_assert_uint_eq(reference_format(str_c(made), paper), strlen(cases[i].paper));
        ck_assert_str_eq(paper, cases[i].paper);
        ck_assert_int_eq(reference_parse(str_c(paper), read, &err), RC_OK);
        ck_assert_str_eq(read, made);
    }
}
END_TEST

START_TEST(what_is_no_reference_is_refused)
{
    static const char *const cases[] = {
        "",
        "RF",
        "RF18",
        "RF19539007547034",
        "XX18539007547034",
        "RF1X539007547034",
        "RF18539007547035",
        "RF18-539007547034",
        "RF185390075470345390075470345",
        "RF18\xC3\xA9",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[REFERENCE_MAX + 1] = "untouched";
        struct err err = {0};
        ck_assert_msg(reference_parse(str_c(cases[i]), got, &err) == RC_INVALID, "%s", cases[i]);
        ck_assert_str_eq(got, "untouched");
    }
    static const char *const bodies[] = {"", " ", "1234567890123456789012", "a/b", "\xC3\xA9"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char got[REFERENCE_MAX + 1] = "untouched";
        struct err err = {0};
        ck_assert_msg(reference_make(str_c(bodies[i]), got, &err) == RC_INVALID, "%s", bodies[i]);
        ck_assert_str_eq(got, "untouched");
    }
}
END_TEST

START_TEST(a_made_reference_verifies_and_has_one_spelling_of_its_check_digits)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS / 10; i++) {
        char body[REFERENCE_BODY_MAX + 1] = "";
        size_t n = 1 + clock_sim_below(&chance, REFERENCE_BODY_MAX);
        for (size_t k = 0; k < n; k++)
            body[k] = letters[clock_sim_below(&chance, 36)];
        char made[REFERENCE_MAX + 1];
        struct err err = {0};
        HOLDS(reference_make(str_n(body, n), made, &err) == RC_OK, SEED_FMT "%s", seed, body);
        int good = 0;
        for (int digits = 0; digits < 100; digits++) {
            char other[REFERENCE_MAX + 8];
            char got[REFERENCE_MAX + 1];
            (void)snprintf(other, sizeof other, "RF%02d%s", digits, body);
            good += reference_parse(str_c(other), got, &err) == RC_OK;
        }
        HOLDS(good == 1 && reference_parse(str_c(made), made, &err) == RC_OK, SEED_FMT "%s", seed,
              made);
    }
}
END_TEST

START_TEST(creditor_identifiers)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"DE98ZZZ09999999999", true},
        {"de98 zzz0 9999 9999 99", true},
        {"DE98ABC09999999999", true},
        {"AT61ZZZ01234567890", true},
        {"FR72ZZZ123456", true},
        {"DE97ZZZ09999999999", false},
        {"DE98ZZZ", false},
        {"ZZ98ZZZ09999999999", false},
        {"DE98ZZZ0999999999-", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[CREDITOR_ID_MAX + 1] = "untouched";
        struct err err = {0};
        bool ok = creditor_id_parse(str_c(cases[i].text), got, &err) == RC_OK;
        ck_assert_msg(ok == cases[i].ok, "%s: %s", cases[i].text, err.text);
        ck_assert(ok || strcmp(got, "untouched") == 0);
    }
}
END_TEST

Suite *reference_suite(void);
Suite *reference_suite(void)
{
    Suite *s = suite_create("reference");
    TCase *c = tcase_create("reference");
    tcase_add_test(c, worked_references);
    tcase_add_test(c, what_is_no_reference_is_refused);
    tcase_add_test(c, a_made_reference_verifies_and_has_one_spelling_of_its_check_digits);
    tcase_add_test(c, creditor_identifiers);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
