#include "base/str.h"

#include <check.h>

START_TEST(cut_walks_every_part)
{
    struct str rest = STR("a,b,,c");
    ck_assert(str_eq(str_cut(&rest, ','), STR("a")));
    ck_assert(str_eq(str_cut(&rest, ','), STR("b")));
    ck_assert(str_eq(str_cut(&rest, ','), STR("")));
    ck_assert(str_eq(str_cut(&rest, ','), STR("c")));
    ck_assert_uint_eq(rest.n, 0);
}
END_TEST

START_TEST(to_i64_takes_whole_numbers_within_bounds_only)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t got = 77;
        bool ok = str_to_i64(str_c(cases[i].text), INT64_MIN, INT64_MAX, &got);
        ck_assert_msg(ok == cases[i].ok, "%s", cases[i].text);
        ck_assert_int_eq(got, ok ? cases[i].value : 77);
    }
    int64_t got = 77;
    ck_assert(!str_to_i64(STR("11"), 0, 10, &got));
    ck_assert_int_eq(got, 77);
}
END_TEST

START_TEST(a_hash_is_so_many_small_digits)
{
    ck_assert(str_is_hex(STR("09af"), 4));
    ck_assert(str_is_hex(STR(""), 0));
    ck_assert(!str_is_hex(STR("09af"), 3));
    ck_assert(!str_is_hex(STR("09af"), 5));
    ck_assert(!str_is_hex(STR("09AF"), 4));
    ck_assert(!str_is_hex(STR("09ag"), 4));
    ck_assert(!str_is_hex(STR("0/9a"), 4));
    ck_assert(!str_is_hex(STR("0:9a"), 4));
}
END_TEST

START_TEST(utf8_refuses_what_rfc_3629_refuses)
{
    ck_assert(str_is_utf8(STR("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80")));
    ck_assert(!str_is_utf8(STR("\xC0\x80")));         /* overlong NUL */
    ck_assert(!str_is_utf8(STR("\xE0\x9F\xBF")));     /* overlong */
    ck_assert(!str_is_utf8(STR("\xED\xA0\x80")));     /* surrogate */
    ck_assert(!str_is_utf8(STR("\xF4\x90\x80\x80"))); /* above U+10FFFF */
    ck_assert(!str_is_utf8(STR("\xC3")));             /* cut short */
    ck_assert_uint_eq(str_count_utf8(STR("\xE2\x82\xAC"
                                         "5")),
                      2);
}
END_TEST

START_TEST(utf8_is_walked_step_by_step)
{
    struct str s = STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xFFz\xE2\x82");
    static const size_t steps[] = {1, 2, 0, 3, 0, 0, 4, 0, 0, 0, 0, 1, 0, 0};
    ck_assert_uint_eq(s.n, COUNT(steps));
    for (size_t at = 0; at < s.n; at++)
        ck_assert_uint_eq(str_utf8_step(s, at), steps[at]);
    /* Every place of a bad byte among good ones: eight are looked at together. */
    for (size_t at = 0; at < 30; at++) {
        char text[30];
        memset(text, 'x', sizeof text);
        ck_assert(str_is_utf8(str_n(text, sizeof text)));
        text[at] = '\xFF';
        ck_assert(!str_is_utf8(str_n(text, sizeof text)));
    }
}
END_TEST

START_TEST(empty_texts_are_equal_wherever_they_point)
{
    ck_assert(str_eq((struct str){NULL, 0}, STR("")));
    ck_assert_int_eq(str_cmp((struct str){NULL, 0}, STR("a")) < 0, 1);
    ck_assert(str_has(STR("abc"), STR("")));
    ck_assert(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    ck_assert(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
}
END_TEST

START_TEST(secrets_compare_by_content)
{
    ck_assert(str_eq_secret(STR("abc"), STR("abc")));
    ck_assert(!str_eq_secret(STR("abc"), STR("abd")));
    ck_assert(!str_eq_secret(STR("abc"), STR("ab")));
}
END_TEST

Suite *str_suite(void);
Suite *str_suite(void)
{
    Suite *s = suite_create("str");
    TCase *c = tcase_create("str");
    tcase_add_test(c, cut_walks_every_part);
    tcase_add_test(c, to_i64_takes_whole_numbers_within_bounds_only);
    tcase_add_test(c, utf8_refuses_what_rfc_3629_refuses);
    tcase_add_test(c, utf8_is_walked_step_by_step);
    tcase_add_test(c, empty_texts_are_equal_wherever_they_point);
    tcase_add_test(c, secrets_compare_by_content);
    tcase_add_test(c, a_hash_is_so_many_small_digits);
    suite_add_tcase(s, c);
    return s;
}
