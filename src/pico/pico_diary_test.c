#include "pico/engine_fixture.h"

static const char talker[] =
    "ruleset talker { meta { shares logs } global { logs = function() { ctx:logs().map(\n"
    "    function(l) { l{\"val\"} }) } count = function() { ctx:logs().length() } }\n"
    "  rule say { select when t say always { log info event:attrs{\"x\"} } } }";

static void say(struct world *w, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct str attrs = arena_fmt(&w->arena, "{\"x\":%d}", i);
        (void)world_event(w, pico_root(w->e), "t", "say", arena_cstr(&w->arena, attrs));
    }
}

START_TEST(a_log_is_there_after_a_restart_and_has_a_bound)
{
    struct world w;
    world_start(&w);
    world_install(&w, pico_root(w.e), "talker", talker);
    say(&w, 0, 3);
    CHECK_TEXT(world_query(&w, pico_root(w.e), "talker", "logs", ""), "[0,1,2]");
    world_restart(&w);
    say(&w, 3, 4);
    CHECK_TEXT(world_query(&w, pico_root(w.e), "talker", "logs", ""), "[0,1,2,3]");
    say(&w, 4, 500);
    world_restart(&w);
    struct str said = world_query(&w, pico_root(w.e), "talker", "logs", "");
    ck_assert_msg(str_starts(said, STR("[300,301,")), "%.*s", STRF(said));
    ck_assert(str_ends(said, STR(",499]")));
    world_stop(&w);
}
END_TEST

START_TEST(a_log_goes_with_its_pico)
{
    struct world w;
    world_start(&w);
    world_flush(&w, "talker", talker);
    struct str child =
        world_child(&w, pico_root(w.e), "{\"rulesets\":[{\"url\":\"file:///talker.krl\"}]}");
    (void)world_event(&w, child, "t", "say", "{\"x\":1}");
    CHECK_TEXT(world_query(&w, child, "talker", "logs", ""), "[1]");
    (void)world_ask(&w, (struct pico_request){.ask = PICO_DELETE, .eci = child, .inside = true});
    ck_assert(
        str_starts(world_query(&w, child, "talker", "logs", ""), STR("Error: ECI not found")));
    world_stop(&w);
}
END_TEST

Suite *pico_diary_suite(void);
Suite *pico_diary_suite(void)
{
    Suite *s = suite_create("pico_diary");
    TCase *t = tcase_create("pico_diary");
    tcase_set_timeout(t, 60); /* 500 commits, one after the other, on a disk that others use */
    tcase_add_test(t, a_log_is_there_after_a_restart_and_has_a_bound);
    tcase_add_test(t, a_log_goes_with_its_pico);
    suite_add_tcase(s, t);
    return s;
}
