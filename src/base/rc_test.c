#include "base/rc.h"

#include <check.h>
#include <signal.h>

START_TEST(every_code_has_a_status_an_exit_code_and_words)
{
    for (enum rc rc = RC_OK; rc < RC_COUNT; rc++) {
        ck_assert(rc_http(rc) >= 200 && rc_http(rc) <= 599);
        ck_assert(rc_exit(rc) >= 0 && rc_exit(rc) <= 127);
        ck_assert((rc == RC_OK) == (rc_exit(rc) == 0));
        ck_assert((rc == RC_OK) == (rc_http(rc) < 400));
        const char *title = rc_title(rc);
        ck_assert(title[0] >= 'A' && title[0] <= 'Z' && title[strlen(title) - 1] != '.');
        ck_assert_uint_eq(strspn(rc_slug(rc), "abcdefghijklmnopqrstuvwxyz-"), strlen(rc_slug(rc)));
        for (enum rc other = RC_OK; other < rc; other++)
            ck_assert_str_ne(rc_slug(rc), rc_slug(other));
    }
}
END_TEST

START_TEST(a_status_leads_back_to_a_code_with_that_status)
{
    for (enum rc rc = RC_OK; rc < RC_COUNT; rc++)
        ck_assert_int_eq(rc_http(rc_from_http(rc_http(rc))), rc_http(rc));
    ck_assert_int_eq(rc_from_http(204), RC_OK);
    ck_assert_int_eq(rc_from_http(304), RC_OK);
    ck_assert_int_eq(rc_from_http(418), RC_SYNTAX);
    ck_assert_int_eq(rc_from_http(599), RC_REMOTE);
    ck_assert_int_eq(rc_from_http(0), RC_REMOTE);
    ck_assert_int_eq(rc_from_http(503), RC_UNAVAILABLE);
}
END_TEST

START_TEST(a_code_outside_the_table_is_a_mistake)
{
    (void)rc_http(RC_COUNT);
}
END_TEST

Suite *rc_suite(void);
Suite *rc_suite(void)
{
    Suite *s = suite_create("rc");
    TCase *c = tcase_create("rc");
    tcase_add_test(c, every_code_has_a_status_an_exit_code_and_words);
    tcase_add_test(c, a_status_leads_back_to_a_code_with_that_status);
    tcase_add_test_raise_signal(c, a_code_outside_the_table_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
