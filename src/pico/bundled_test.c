#include "pico/bundled.h"

#include "krl/compile.h"
#include "pico/url.h"

#include <check.h>

static struct arena arena;
static struct err err;

static void up(void)
{
    arena_init(&arena, KRL_COMPILE_BYTES);
}

static void down(void)
{
    arena_fini(&arena);
}

START_TEST(every_bundled_ruleset_compiles_without_a_warning)
{
    const struct pico_bundled *b = &pico_bundled[_i];
    const struct krl_code *code = NULL;
    enum rc rc = krl_compile(b->source, &arena, &code, &err);
    ck_assert_msg(rc == RC_OK, "%.*s: %.*s", STRF(b->rid), STRF(err_text(&err)));
    ck_assert(str_eq(code->rid, b->rid));
    ck_assert_msg(code->warnings_n == 0, "%.*s: %.*s", STRF(b->rid), STRF(code->warnings[0].text));
}
END_TEST

START_TEST(their_urls_are_normal_already)
{
    struct str s = STR("");
    ck_assert_int_eq(pico_url_normalise(pico_bundled[_i].url, &arena, &s, &err), RC_OK);
    ck_assert(str_eq(s, pico_bundled[_i].url));
}
END_TEST

Suite *bundled_suite(void);
Suite *bundled_suite(void)
{
    Suite *s = suite_create("bundled");
    TCase *c = tcase_create("bundled");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_loop_test(c, every_bundled_ruleset_compiles_without_a_warning, 0,
                        (int)pico_bundled_n);
    tcase_add_loop_test(c, their_urls_are_normal_already, 0, (int)pico_bundled_n);
    suite_add_tcase(s, c);
    return s;
}
