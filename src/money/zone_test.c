#include "money/zone.h"

#include <check.h>

START_TEST(names_stay_inside_the_folder)
{
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {
        {"UTC", true},
        {"Europe/Paris", true},
        {"America/Argentina/Buenos_Aires", true},
        {"Etc/GMT+5", true},
        {"America/Port-au-Prince", true},
        {"", false},
        {"/etc/passwd", false},
        {"../etc/passwd", false},
        {"Europe/../../etc/passwd", false},
        {"Europe//Paris", false},
        {"Europe/", false},
        {"Europe/Paris.", false},
        {"Europe/Pa ris", false},
        {"Europe/Par\xC3\xADs", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        bool ok = zone_name_check(str_c(cases[i].name), &err) == RC_OK;
        ck_assert_msg(ok == cases[i].ok, "%s", cases[i].name);
    }
    struct err err = {0};
    ck_assert_int_eq(zone_name_check((struct str){"UTC\0x", 5}, &err), RC_INVALID);
}
END_TEST

Suite *zone_suite(void);
Suite *zone_suite(void)
{
    Suite *s = suite_create("zone");
    TCase *c = tcase_create("zone");
    tcase_add_test(c, names_stay_inside_the_folder);
    suite_add_tcase(s, c);
    return s;
}
