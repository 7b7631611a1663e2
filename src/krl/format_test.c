#include "krl/format.h"

#include <check.h>

static struct arena arena;

static void up(void)
{
    arena_init(&arena, (size_t)8 * 1024 * 1024);
}

static void down(void)
{
    arena_fini(&arena);
}

static void check(const char *source, const char *want)
{
    struct buf out;
    struct err err = {0};
    buf_init(&out, &arena, (size_t)64 * 1024);
    ck_assert_int_eq(krl_format(str_c(source), &arena, &out, &err), RC_OK);
    ck_assert_msg(str_eq(buf_str(&out), str_c(want)), "want\n%s\ngot\n%.*s", want,
                  STRF(buf_str(&out)));
}

START_TEST(lines_are_indented_by_their_open_brackets)
{
    check("a = f({\n\"b\":1 ,\n      \"c\":[1,\n2]\n})\n",
          "a = f({\n  \"b\":1,\n  \"c\":[1,\n    2]\n})\n");
    check("rule r {\n   select when a b\n\n\n\n  pre {\n x = 1\n}\n}",
          "rule r {\n  select when a b\n\n  pre {\n    x = 1\n  }\n}\n");
}
END_TEST

START_TEST(texts_and_comments_stay)
{
    check("x = \"a  b\"   // and  so on  \ny = <<c  #{ 1  +  2 }\n  d>>",
          "x = \"a  b\" // and  so on\ny = <<c  #{ 1  +  2 }\n  d>>\n");
}
END_TEST

START_TEST(a_comment_ends_at_any_line_end)
{
    check("x = 1 // a\ry = 2\r\n", "x = 1 // a\ny = 2\n");
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
    struct buf out;
    struct err err = {0};
    buf_init(&out, &arena, (size_t)64 * 1024);
    ck_assert_int_eq(krl_format(STR("a = \"b"), &arena, &out, &err), RC_SYNTAX);
    ck_assert_int_eq(krl_format(STR("a ~ b"), &arena, &out, &err), RC_SYNTAX);
}
END_TEST

Suite *format_suite(void);
Suite *format_suite(void)
{
    Suite *s = suite_create("format");
    TCase *t = tcase_create("layout");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, lines_are_indented_by_their_open_brackets);
    tcase_add_test(t, texts_and_comments_stay);
    tcase_add_test(t, a_comment_ends_at_any_line_end);
    tcase_add_test(t, what_cannot_be_read_is_refused);
    suite_add_tcase(s, t);
    return s;
}
