#include "base/buf.h"

#include <check.h>
#include <signal.h>

static struct arena arena;
static struct buf b;

static void setup(void)
{
    arena_init(&arena, (size_t)4 * 1024 * 1024);
    buf_init(&b, &arena, 1000);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(appends_follow_each_other)
{
    buf_add(&b, STR("a"));
    buf_add_char(&b, 'b');
    buf_add_i64(&b, -12);
    buf_fmt(&b, "%s-%03d", "c", 7);
    buf_add(&b, (struct str){NULL, 0});
    ck_assert(str_eq(buf_str(&b), STR("ab-12c-007")));
    buf_reset(&b);
    ck_assert_uint_eq(buf_str(&b).n, 0);
}
END_TEST

START_TEST(every_integer_is_written_exactly)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {-1, "-1"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_reset(&b);
        buf_add_i64(&b, cases[i].value);
        ck_assert(str_eq(buf_str(&b), str_c(cases[i].text)));
    }
}
END_TEST

START_TEST(the_maximum_fits_and_one_more_marks_it_full)
{
    for (int i = 0; i < 1000; i++)
        buf_add_char(&b, 'x');
    ck_assert(!b.full);
    ck_assert_uint_eq(buf_str(&b).n, 1000);
    buf_add_char(&b, 'y');
    ck_assert(b.full);
    ck_assert_uint_eq(buf_str(&b).n, 1000);
}
END_TEST

START_TEST(once_full_nothing_more_is_appended)
{
    char *large = arena_bytes(&arena, 2000);
    memset(large, 'x', 2000);
    buf_add(&b, STR("begin"));
    buf_add(&b, str_n(large, 2000));
    ck_assert(b.full);
    buf_add_char(&b, 'y'); /* would fit, and would hide the hole */
    buf_fmt(&b, "z");
    ck_assert_ptr_null(buf_reserve(&b, 1));
    ck_assert(str_eq(buf_str(&b), STR("begin")));
    buf_reset(&b);
    ck_assert(!b.full);
}
END_TEST

START_TEST(sizes_near_the_end_of_size_t_do_not_wrap)
{
    buf_add_char(&b, 'a');
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
    ck_assert(b.full);
    ck_assert_uint_eq(buf_str(&b).n, 1);
}
END_TEST

START_TEST(long_formats_leave_no_trace_of_their_nul)
{
    buf_fmt(&b, "%600d", 5);
    buf_add_char(&b, 'x');
    ck_assert_uint_eq(buf_str(&b).n, 601);
    ck_assert_int_eq(buf_str(&b).p[599], '5');
    ck_assert_int_eq(buf_str(&b).p[600], 'x');
    buf_fmt(&b, "%600d", 5);
    ck_assert(b.full);
    ck_assert_uint_eq(buf_str(&b).n, 601);
}
END_TEST

START_TEST(content_survives_growing)
{
    struct buf large;
    buf_init(&large, &arena, (size_t)1024 * 1024);
    for (int i = 0; i < 20000; i++)
        buf_add_char(&large, (char)('a' + i % 26));
    for (int i = 0; i < 20000; i++)
        ck_assert_int_eq(buf_str(&large).p[i], 'a' + i % 26);
}
END_TEST

START_TEST(what_an_address_may_not_have_is_escaped)
{
    buf_init(&b, &arena, 100);
    buf_add_escaped(&b, str_n("aZ09-._~ ,/%&\0\xC3\xBC", 16), ",");
    ck_assert(str_eq(buf_str(&b), STR("aZ09-._~%20,%2F%25%26%00%C3%BC")));
    buf_reset(&b);
    buf_add_escaped(&b, STR(","), "");
    ck_assert(str_eq(buf_str(&b), STR("%2C")));
}
END_TEST

START_TEST(a_buffer_without_a_maximum_is_a_mistake)
{
    buf_init(&b, &arena, 0);
}
END_TEST

Suite *buf_suite(void);
Suite *buf_suite(void)
{
    Suite *s = suite_create("buf");
    TCase *c = tcase_create("buf");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, appends_follow_each_other);
    tcase_add_test(c, every_integer_is_written_exactly);
    tcase_add_test(c, the_maximum_fits_and_one_more_marks_it_full);
    tcase_add_test(c, once_full_nothing_more_is_appended);
    tcase_add_test(c, sizes_near_the_end_of_size_t_do_not_wrap);
    tcase_add_test(c, long_formats_leave_no_trace_of_their_nul);
    tcase_add_test(c, content_survives_growing);
    tcase_add_test(c, what_an_address_may_not_have_is_escaped);
    tcase_add_test_raise_signal(c, a_buffer_without_a_maximum_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
