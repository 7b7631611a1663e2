#include "base/id.h"

#include <check.h>
#include <signal.h>

static struct arena arena;
static struct clock_sim clock_sim;
static struct id_source ids;

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    clock_sim_init(&clock_sim, INT64_C(1795312648123456), 7);
    id_source_init(&ids, &clock_sim.clock);
}

static void teardown(void)
{
    arena_fini(&arena);
}

START_TEST(ids_ascend_whatever_the_clock_does)
{
    struct str last = id_new(&ids, &arena, "pty");
    for (int i = 0; i < 20000; i++) {
        if (i % 100 == 0)
            clock_sim_advance(&clock_sim, US_PER_MS);
        if (i == 10000)
            clock_sim.at -= 10 * US_PER_SECOND; /* the machine's clock was set back */
        struct str id = id_new(&ids, &arena, "pty");
        ck_assert_msg(str_cmp(last, id) < 0, "%.*s is not behind %.*s", STRF(id), STRF(last));
        ck_assert(id_is(id, "pty"));
        last = id;
    }
}
END_TEST

START_TEST(an_id_tells_its_kind_and_its_time)
{
    struct str id = id_new(&ids, &arena, "svc");
    ck_assert_uint_eq(id.n, 4 + ID_DIGITS);
    ck_assert(str_starts(id, STR("svc_")));
    ck_assert_int_eq(id_time(id), INT64_C(1795312648123000));
    ck_assert(id_is(id, "svc") && !id_is(id, "sv") && !id_is(id, "pty"));
    ck_assert_uint_eq(id_new(&ids, &arena, "ab").n, 3 + ID_DIGITS);
    ck_assert_uint_eq(id_new(&ids, &arena, "abcd").n, ID_TEXT_MAX);
}
END_TEST

START_TEST(two_sources_do_not_meet)
{
    struct clock_sim other_clock;
    struct id_source other;
    clock_sim_init(&other_clock, clock_sim.at, 8);
    id_source_init(&other, &other_clock.clock);
    for (int i = 0; i < 1000; i++)
        ck_assert(!str_eq(id_new(&ids, &arena, "pty"), id_new(&other, &arena, "pty")));
}
END_TEST

START_TEST(what_is_no_id_is_refused)
{
    static const char *const cases[] = {
        "",
        "pty",
        "pty_",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8zz",
        "pty-01jd8v3q7w4k2m9x6c5b1n0h8z",
        "PTY_01jd8v3q7w4k2m9x6c5b1n0h8z",
        "pty_01JD8V3Q7W4K2M9X6C5B1N0H8Z",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8i",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8l",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8o",
        "pty_01jd8v3q7w4k2m9x6c5b1n0h8u",
        "pty_81jd8v3q7w4k2m9x6c5b1n0h8z",
        "svc_01jd8v3q7w4k2m9x6c5b1n0h8z",
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(!id_is(str_c(cases[i]), "pty"), "%s", cases[i]);
    ck_assert(!id_is(STR("pty_01jd8v3q7w4k2m9x6c5b1n0h8\0"), "pty"));
    ck_assert(id_is(STR("pty_01jd8v3q7w4k2m9x6c5b1n0h8z"), "pty"));
    ck_assert(id_is(STR("pty_7zzzzzzzzzzzzzzzzzzzzzzzzz"), "pty"));
}
END_TEST

START_TEST(a_prefix_of_one_letter_is_a_mistake)
{
    (void)id_new(&ids, &arena, "p");
}
END_TEST

START_TEST(the_time_of_what_is_no_id_is_a_mistake)
{
    (void)id_time(STR("pty_"));
}
END_TEST

Suite *id_suite(void);
Suite *id_suite(void)
{
    Suite *s = suite_create("id");
    TCase *c = tcase_create("id");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, ids_ascend_whatever_the_clock_does);
    tcase_add_test(c, an_id_tells_its_kind_and_its_time);
    tcase_add_test(c, two_sources_do_not_meet);
    tcase_add_test(c, what_is_no_id_is_refused);
    tcase_add_test_raise_signal(c, a_prefix_of_one_letter_is_a_mistake, SIGABRT);
    tcase_add_test_raise_signal(c, the_time_of_what_is_no_id_is_a_mistake, SIGABRT);
    suite_add_tcase(s, c);
    return s;
}
