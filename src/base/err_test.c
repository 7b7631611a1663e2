#include "base/err.h"

#include <check.h>
#include <signal.h>

static struct err err;

static void setup(void)
{
    err_clear(&err);
}

static enum rc start_order(void)
{
    return err_set(&err, RC_CONFLICT, "order '%s' is already running", "ord_1");
}

static enum rc pass_on(void)
{
    TRY(start_order());
    NEVER("a failure that was passed on");
}

START_TEST(a_failure_has_a_code_and_a_sentence)
{
    ck_assert_int_eq(pass_on(), RC_CONFLICT);
    ck_assert_int_eq(err.rc, RC_CONFLICT);
    ck_assert(str_eq(err_text(&err), STR("order 'ord_1' is already running")));
    ck_assert_uint_eq(err_pointer(&err).n, 0);
    err_clear(&err);
    ck_assert_int_eq(err.rc, RC_OK);
    ck_assert_uint_eq(err_text(&err).n, 0);
}
END_TEST

START_TEST(pointers_grow_from_the_leaf_up)
{
    ck_assert_int_eq(err_set_at(&err, RC_INVALID, STR("/price"), "no"), RC_INVALID);
    err_under(&err, STR("/3"));
    err_under(&err, STR("/lines"));
    ck_assert(str_eq(err_pointer(&err), STR("/lines/3/price")));
    (void)err_set(&err, RC_INVALID, "another");
    ck_assert_uint_eq(err_pointer(&err).n, 0);
    err_at(&err, (struct str){NULL, 0});
    ck_assert_uint_eq(err_pointer(&err).n, 0);
}
END_TEST

START_TEST(context_goes_in_front_and_the_rest_stays)
{
    (void)err_set_at(&err, RC_FULL, STR("/x"), "the disk is full");
    err_add(&err, "while writing '%s'", "a");
    ck_assert_str_eq(err.text, "while writing 'a': the disk is full");
    ck_assert_int_eq(err.rc, RC_FULL);
    ck_assert(str_eq(err_pointer(&err), STR("/x")));
}
END_TEST

START_TEST(long_sentences_are_cut_between_characters)
{
    char text[ERR_TEXT_MAX * 3];
    /* Characters of three bytes, and one to four bytes before them: every way to be cut. */
    for (size_t before = 0; before < 4; before++) {
        size_t n = before;
        memset(text, 'x', before);
        while (n + 4 < sizeof text) {
            memcpy(text + n, "\xE4\xB8\xAD", 4);
            n += 3;
        }
        (void)err_set(&err, RC_INVALID, "%s", text);
        ck_assert_uint_lt(err.text_n, ERR_TEXT_MAX);
        ck_assert_uint_gt(err.text_n, ERR_TEXT_MAX - 5);
        ck_assert(str_is_utf8(err_text(&err)));
        ck_assert_int_eq(err.text[err.text_n], '\0');
        err_add(&err, "%s", text);
        ck_assert(str_is_utf8(err_text(&err)));
        err_at(&err, str_c(text));
        ck_assert_uint_lt(err.pointer_n, ERR_POINTER_MAX);
        ck_assert(str_is_utf8(err_pointer(&err)));
        err_under(&err, STR("/a"));
        ck_assert(str_is_utf8(err_pointer(&err)));
        ck_assert(str_starts(err_pointer(&err), STR("/a")));
    }
}
END_TEST

START_TEST(a_failure_that_is_ok_is_a_mistake)
{
    err_write(&err, RC_OK, "fine");
}
END_TEST

START_TEST(context_without_a_failure_is_a_mistake)
{
    err_add(&err, "while resting");
}
END_TEST

Suite *err_suite(void);
Suite *err_suite(void)
{
    Suite *s = suite_create("err");
    TCase *c = tcase_create("err");
    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, a_failure_has_a_code_and_a_sentence);
    tcase_add_test(c, pointers_grow_from_the_leaf_up);
    tcase_add_test(c, context_goes_in_front_and_the_rest_stays);
    tcase_add_test(c, long_sentences_are_cut_between_characters);
    tcase_add_test_raise_signal(c, a_failure_that_is_ok_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, context_without_a_failure_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
