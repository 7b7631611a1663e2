#include "http/target.h"

#include <check.h>

static struct arena arena;
static struct err err;
static struct pair query[4];

static void setup(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static enum rc parse(const char *text, struct target *ret)
{
    return target_parse(str_c(text), COUNT(query), query, &arena, ret, &err);
}

START_TEST(path_and_query_are_decoded_once)
{
    struct target t;
    ck_assert_int_eq(parse("/a%20b/%E2%82%AC/%2525?x=%26+1&y&=z&&q=a=b", &t), RC_OK);
    ck_assert(str_eq(t.path, STR("/a b/\xE2\x82\xAC/%25")));
    ck_assert_uint_eq(t.query_count, 4);
    ck_assert(str_eq(t.query[0].name, STR("x")) && str_eq(t.query[0].value, STR("& 1")));
    ck_assert(str_eq(t.query[1].name, STR("y")) && t.query[1].value.n == 0);
    ck_assert(t.query[2].name.n == 0 && str_eq(t.query[2].value, STR("z")));
    ck_assert(str_eq(t.query[3].value, STR("a=b")));
    ck_assert_int_eq(parse("/a+b/", &t), RC_OK);
    ck_assert(str_eq(t.path, STR("/a+b/")));
    ck_assert_int_eq(parse("/", &t), RC_OK);
    ck_assert_int_eq(parse("*", &t), RC_OK);
}
END_TEST

START_TEST(absolute_form_gives_its_host_apart)
{
    struct target t;
    ck_assert_int_eq(parse("http://a.example:80/p?x=1", &t), RC_OK);
    ck_assert(str_eq(t.authority, STR("a.example:80")));
    ck_assert(str_eq(t.path, STR("/p")));
    ck_assert_uint_eq(t.query_count, 1);
    ck_assert_int_eq(parse("https://a.example", &t), RC_OK);
    ck_assert(str_eq(t.path, STR("/")));
}
END_TEST

START_TEST(what_leads_elsewhere_is_refused)
{
    static const char *const bad[] = {
        "",           "a",        "//a",          "/a//b",     "/a/../b",     "/..",
        "/a/.",       "/%2e%2e/", "/%2E/a",       "/a%2fb",    "/a%2Fb",      "/%",
        "/%1",        "/%zz",     "/%00",         "/a%0ab",    "/%7f",        "/%ff",
        "/%c0%80",    "/a#b",     "/a b",         "/a\tb",     "/\xC3\xA9",   "/?%",
        "/?a=%f",     "/?a=%ff",  "/?a=%00",      "?x=1",      "/?1&2&3&4&5", "ftp://a",
        "http://a//", "/a/%2e",   "http://a?x=1", "/%ed%a0%80"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct target t = {.path = STR_INIT("untouched")};
        ck_assert_msg(parse(bad[i], &t) == RC_SYNTAX, "%s", bad[i]);
        ck_assert(str_eq(t.path, STR("untouched")));
        ck_assert_uint_gt(err.text_n, 0);
    }
}
END_TEST

Suite *target_suite(void);
Suite *target_suite(void)
{
    Suite *s = suite_create("target");
    TCase *c = tcase_create("target");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, path_and_query_are_decoded_once);
    tcase_add_test(c, absolute_form_gives_its_host_apart);
    tcase_add_test(c, what_leads_elsewhere_is_refused);
    suite_add_tcase(s, c);
    return s;
}
