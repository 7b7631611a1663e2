#include "pico/url.h"

#include <check.h>

enum { MEMORY = 1024 * 1024 };

static struct arena arena;
static struct err err;

static void up(void)
{
    arena_init(&arena, MEMORY);
}

static void down(void)
{
    arena_fini(&arena);
}

START_TEST(one_ruleset_has_one_url)
{
    static const struct {
        const char *url;
        const char *normal;
    } rows[] = {
        {"https://example.com/a.krl", "https://example.com/a.krl"},
        {"  HTTP://WWW.Example.COM:80/a.krl/ ", "http://example.com/a.krl"},
        {"example.com/a.krl", "http://example.com/a.krl"},
        {"//example.com/a.krl", "http://example.com/a.krl"},
        {"https://example.com:443", "https://example.com"},
        {"https://example.com./", "https://example.com"},
        {"https://example.com:8443/x", "https://example.com:8443/x"},
        {"http://www.com/", "http://www.com"},
        {"http://www.www.example.com/", "http://www.www.example.com"},
        {"http://user:pass@example.com/x", "http://example.com/x"},
        {"http://example.com/a/./b/../c//d", "http://example.com/a/c/d"},
        {"http://example.com/../../x", "http://example.com/x"},
        {"http://example.com/%41%20b%2Fc%c3%a9", "http://example.com/A%20b%2Fc%C3%A9"},
        {"http://example.com/x?b=2&a=1&utm_source=z&a=0", "http://example.com/x?a=1&a=0&b=2"},
        {"http://example.com/x?", "http://example.com/x"},
        {"http://example.com/?a", "http://example.com?a="},
        {"http://example.com/x?q=a+b%20c&utm_=1", "http://example.com/x?q=a+b+c&utm_=1"},
        {"http://example.com/x#part", "http://example.com/x#part"},
        {"http://[::1]:3000/x", "http://[::1]:3000/x"},
        {"file:///srv/rulesets/a.krl", "file:///srv/rulesets/a.krl"},
        {"hanse:///io.picolabs.wrangler.krl", "hanse:///io.picolabs.wrangler.krl"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str s = STR("");
        ck_assert_msg(pico_url_normalise(str_c(rows[i].url), &arena, &s, &err) == RC_OK, "%s: %.*s",
                      rows[i].url, STRF(err_text(&err)));
        ck_assert_msg(str_eq(s, str_c(rows[i].normal)), "%s: %.*s", rows[i].url, STRF(s));
        struct str again = STR("");
        ck_assert_int_eq(pico_url_normalise(s, &arena, &again, &err), RC_OK);
        ck_assert_msg(str_eq(again, s), "%.*s: %.*s", STRF(s), STRF(again));
    }
}
END_TEST

START_TEST(what_is_no_place_of_a_ruleset_is_refused)
{
    static const char *const urls[] = {
        "",
        "  ",
        "/etc/passwd",
        "ftp://example.com/a",
        "http://",
        "http:///",
        "file:///",
        "file://host/a.krl",
        "http://exa mple.com/",
        "http://a:99999/",
        "http://\xFF/",
        "data://text/x",
        "http://a:b/",
        "javascript://x",
        "http://a_\"b/",
        "http://a../",
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct str s = STR("kept");
        err_clear(&err);
        ck_assert_msg(pico_url_normalise(str_c(urls[i]), &arena, &s, &err) == RC_INVALID, "%s",
                      urls[i]);
        ck_assert(str_starts(err_text(&err), STR("TypeError: ")));
        ck_assert(str_eq(s, STR("kept")));
    }
}
END_TEST

Suite *url_suite(void);
Suite *url_suite(void)
{
    Suite *s = suite_create("url");
    TCase *c = tcase_create("url");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_test(c, one_ruleset_has_one_url);
    tcase_add_test(c, what_is_no_place_of_a_ruleset_is_refused);
    suite_add_tcase(s, c);
    return s;
}
