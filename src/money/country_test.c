#include "money/country.h"
#include "money/vat_id.h"

#include <check.h>

START_TEST(table_is_sorted_and_each_entry_finds_itself)
{
    ck_assert_uint_eq(country_count(), 249);
    int eu = 0;
    for (size_t i = 0; i < country_count(); i++) {
        const struct country *c = country_at(i);
        ck_assert_ptr_eq(country_find(str_c(c->code)), c);
        ck_assert(i == 0 || strcmp(country_at(i - 1)->code, c->code) < 0);
        ck_assert(str_is_utf8(str_c(c->name)) && c->name[0] != '\0');
        eu += c->eu;
    }
    ck_assert_int_eq(eu, 27);
    ck_assert(country_find(STR("FR"))->eu && country_find(STR("GR"))->eu);
    ck_assert(!country_find(STR("GB"))->eu && !country_find(STR("CH"))->eu);
}
END_TEST

START_TEST(what_is_no_country_is_refused)
{
    static const char *const cases[] = {"", "F", "fr", "FRA", "EL", "UK", "XX"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        const struct country *c = NULL;
        ck_assert_int_eq(country_parse(str_c(cases[i]), &c, &err), RC_INVALID);
        ck_assert_ptr_null(c);
    }
}
END_TEST

START_TEST(vat_ids_come_out_in_one_spelling)
{
    static const struct {
        const char *country, *text, *want;
    } cases[] = {
        {"FR", "fr 40 303 265 045", "FR40303265045"},
        {"FR", "40303265045", "FR40303265045"},
        {"FR", "FRK7399859412", "FRK7399859412"},
        {"DE", "DE136695976", "DE136695976"},
        {"GR", "EL094259216", "EL094259216"},
        {"AT", "ATU13585627", "ATU13585627"},
        {"BE", "BE 0428.759.497", "BE0428759497"},
        {"NL", "NL004495445B01", "NL004495445B01"},
        {"ES", "ESX1234567X", "ESX1234567X"},
        {"IE", "IE6433435OA", "IE6433435OA"},
        {"IE", "8Z49289F", "IE8Z49289F"},
        {"SE", "SE556188840401", "SE556188840401"},
        {"GB", "GB980780684", "GB980780684"},
        {"GB", "XI 980 780 684", "XI980780684"},
        {"CH", "CHE-123.456.788 TVA", "CHE123456788TVA"},
        {"NO", "995525828 MVA", "995525828MVA"},
        {"MC", "FR53000053444", "FR53000053444"},
        {"RO", "18547290", "RO18547290"},
        {"CN", "91350211M000100Y46", "91350211M000100Y46"},
        {"US", "12-3456789", "123456789"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        char got[VAT_ID_MAX + 1] = "untouched";
        enum rc rc =
            vat_id_parse(str_c(cases[i].text), country_find(str_c(cases[i].country)), got, &err);
        ck_assert_msg(rc == RC_OK, "%s: %s", cases[i].text, err.text);
        ck_assert_str_eq(got, cases[i].want);
    }
}
END_TEST

START_TEST(vat_ids_of_another_form_are_refused)
{
    static const struct {
        const char *country, *text;
    } cases[] = {
        {"FR", ""},
        {"FR", "FR"},
        {"FR", "FR123"},
        {"FR", "DE136695976"},
        {"FR", "FR4030326504A"},
        {"DE", "DE1366959760"},
        {"BE", "BE2428759497"},
        {"NL", "NL004495445C01"},
        {"GR", "EL09425921"},
        {"AT", "AT13585627X"},
        {"US", "abc"},
        {"US", "abcdef"},
        {"US", "123456789012345678901"},
        {"US", "12345\xC3\xA9"},
        {"CN", "12 ab+34"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        char got[VAT_ID_MAX + 1] = "untouched";
        enum rc rc =
            vat_id_parse(str_c(cases[i].text), country_find(str_c(cases[i].country)), got, &err);
        ck_assert_msg(rc == RC_INVALID, "%s was taken", cases[i].text);
        ck_assert_str_eq(got, "untouched");
    }
}
END_TEST

Suite *country_suite(void);
Suite *country_suite(void)
{
    Suite *s = suite_create("country");
    TCase *c = tcase_create("country");
    tcase_add_test(c, table_is_sorted_and_each_entry_finds_itself);
    tcase_add_test(c, what_is_no_country_is_refused);
    tcase_add_test(c, vat_ids_come_out_in_one_spelling);
    tcase_add_test(c, vat_ids_of_another_form_are_refused);
    suite_add_tcase(s, c);
    return s;
}
