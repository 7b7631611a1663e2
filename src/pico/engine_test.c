#include "pico/engine_fixture.h"

static const char counter[] =
    "ruleset counter { meta { shares count, seen }\n"
    "  global { count = function() { ent:n.defaultsTo(0) } seen = function() { ent:seen } }\n"
    "  rule add { select when counter add\n"
    "    pre { by = event:attr(\"by\").defaultsTo(1) }\n"
    "    send_directive(\"added\", {\"by\": by})\n"
    "    always { ent:n := ent:n.defaultsTo(0) + by } }\n"
    "  rule twice { select when counter twice\n"
    "    always { raise counter event \"add\" attributes {\"by\": 2}\n"
    "             raise counter event \"add\" attributes {\"by\": 3} } }\n"
    "  rule pair { select when counter a before counter b\n"
    "    send_directive(\"pair\") }\n"
    "  rule bad { select when counter bad\n"
    "    send_directive(\"never\", {})\n"
    "    always { ent:n := 1000  ent:x := 5.map(function(x) { x }) } }\n"
    "  rule stop { select when counter stop\n"
    "    always { raise counter event \"add\"  error error \"enough\" } }\n"
    "  rule stopped { select when system error\n"
    "    always { ent:seen := event:attrs.put(\"time\", 0) } }\n"
    "  rule slow { select when counter slow\n"
    "    pre { x = 0.range(300000).map(function(i) { i * 2 }) }\n"
    "    always { ent:n := x.length() } }\n"
    "  rule ever { select when counter ever\n"
    "    pre { f = function(n) { n > 0 => f(n - 1) + f(n - 2) | 1 } x = f(60) }\n"
    "    noop() }\n"
    "}";

START_TEST(an_event_changes_its_pico_and_answers)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "0");
    struct str said = world_event(&w, root, "counter", "add", "{\"by\":4}");
    ck_assert_msg(str_starts(said, STR("{\"eid\":\"none\",\"directives\":[{\"type\":\"directive\","
                                       "\"name\":\"added\",\"options\":{\"by\":4},\"meta\":{"
                                       "\"rid\":\"counter\",\"rule_name\":\"add\",\"txnId\":\"c")),
                  "%.*s", STRF(said));
    (void)world_event(&w, root, "counter", "twice", "");
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "9");
    world_restart(&w);
    CHECK_TEXT(world_query(&w, pico_root(w.e), "counter", "count", ""), "9");
    world_stop(&w);
}
END_TEST

START_TEST(an_error_keeps_nothing_and_leaks_nothing)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    (void)world_event(&w, root, "counter", "add", "");
    CHECK_TEXT(world_event(&w, root, "counter", "bad", ""), "TypeError: only works on collections");
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "1");
    struct str said = world_event(&w, root, "counter", "nothing", "");
    CHECK_TEXT(said, "{\"eid\":\"none\",\"directives\":[]}");
    world_stop(&w);
}
END_TEST

START_TEST(an_error_statement_drops_the_rest_and_tells_the_ruleset)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    (void)world_event(&w, root, "counter", "stop", "");
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "0");
    CHECK_TEXT(
        world_query(&w, root, "counter", "seen", ""),
        "{\"level\":\"error\",\"data\":\"enough\",\"rid\":\"counter\",\"rule_name\":\"stop\","
        "\"genus\":\"user\",\"time\":0}");
    world_stop(&w);
}
END_TEST

START_TEST(a_rule_that_waits_does_so_over_a_restart)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    (void)world_event(&w, root, "counter", "a", "");
    world_restart(&w);
    struct str said = world_event(&w, pico_root(w.e), "counter", "b", "");
    ck_assert(str_has(said, STR("\"name\":\"pair\"")));
    said = world_event(&w, pico_root(w.e), "counter", "b", "");
    ck_assert(!str_has(said, STR("\"name\":\"pair\"")));
    world_stop(&w);
}
END_TEST

START_TEST(what_takes_long_runs_on_the_slow_lane_and_what_never_ends_ends)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    struct str said = world_event(&w, root, "counter", "slow", "");
    ck_assert_msg(str_starts(said, STR("{\"eid\"")), "%.*s", STRF(said));
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "300001");
    ck_assert_uint_eq(pico_counters(w.e).slow, 1);
    CHECK_TEXT(world_event(&w, root, "counter", "ever", ""),
               "Error: out of steps: this takes too long");
    struct pico_request r = world_ask(&w, (struct pico_request){.ask = PICO_EVENT,
                                                                .eci = root,
                                                                .domain = STR("counter"),
                                                                .name = STR("slow"),
                                                                .inside = true});
    ck_assert_int_eq(r.rc, RC_OK);
    world_stop(&w);
}
END_TEST

START_TEST(who_asks_for_what_is_not_there_hears_it)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    CHECK_TEXT(world_query(&w, STR("nope"), "counter", "count", ""), "Error: ECI not found nope");
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""),
               "Error: Pico doesn't have counter installed.");
    world_install(&w, root, "counter", counter);
    CHECK_TEXT(world_query(&w, root, "counter", "nope", ""),
               "Error: Ruleset counter does not have query function \"nope\"");
    CHECK_TEXT(world_event(&w, root, " ", "add", ""), "Error: missing event.domain");
    struct pico_request r = world_ask(
        &w, (struct pico_request){
                .ask = PICO_QUERY, .eci = root, .rid = STR("counter"), .query = STR("count")});
    CHECK_TEXT(world_text(&w, &r),
               "Error: This is a family channel and only the owner can use it.");
    world_stop(&w);
}
END_TEST

START_TEST(a_flushed_ruleset_is_used_at_once_and_a_bad_one_changes_nothing)
{
    struct world w;
    struct str reply;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(&w, root, "v", "ruleset v { meta { shares v } global { v = 1 } }");
    CHECK_TEXT(world_query(&w, root, "v", "v", ""), "1");
    world_flush(&w, "v", "ruleset v { meta { shares v } global { v = 2 } }");
    CHECK_TEXT(world_query(&w, root, "v", "v", ""), "2");
    enum rc rc = pico_flush(w.e, STR("file:///v.krl"), STR("ruleset v { global { v = w } }"),
                            &w.arena, &reply, &w.f.err);
    ck_assert_int_eq(rc, RC_SYNTAX);
    ck_assert_str_eq(w.f.err.text, "Error: Undefined id: w [at line 1 col 26]");
    CHECK_TEXT(world_query(&w, root, "v", "v", ""), "2");
    CHECK_TEXT(world_query(&w, root, "v", "__testing", ""),
               "{\"queries\":[{\"name\":\"v\",\"args\":[]}],\"events\":[]}");
    world_stop(&w);
}
END_TEST

START_TEST(what_can_be_asked_and_told_is_listed)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(
        &w, root, "t",
        "ruleset t { meta { shares q, v } global { v = event:attr(\"outside\") q = function(a, b) "
        "{ a } "
        "}\n"
        "  rule one { select when x a k re#.# setting(s) before y b or x c l re#.#\n"
        "    pre { m = event:attrs{\"m\"} k = event:attr(\"k\") n = event:attrs{[\"not\"]} }\n"
        "    send_directive(\"d\", {\"o\": event:attrs.get(\"o\")}) }\n"
        "  rule two { select when x a or x a noop() } }");
    CHECK_TEXT(
        world_query(&w, root, "t", "__testing", ""),
        "{\"queries\":[{\"name\":\"q\",\"args\":[\"a\",\"b\"]},{\"name\":\"v\",\"args\":[]}],"
        "\"events\":[{\"domain\":\"x\",\"name\":\"a\",\"attrs\":[\"k\",\"l\",\"m\",\"o\"]},"
        "{\"domain\":\"x\",\"name\":\"c\",\"attrs\":[\"l\",\"m\",\"k\",\"o\"]},"
        "{\"domain\":\"y\",\"name\":\"b\",\"attrs\":[\"l\",\"m\",\"k\",\"o\"]},"
        "{\"domain\":\"x\",\"name\":\"a\",\"attrs\":[]}]}");
    world_stop(&w);
}
END_TEST

START_TEST(what_is_undefined_leaves_in_no_answer_and_no_event)
{
    struct world w;
    world_start(&w);
    struct str root = pico_root(w.e);
    world_install(
        &w, root, "u",
        "ruleset u { meta { shares q }\n"
        "  global { q = function() { {\"a\": null, \"b\": [null], \"c\": ent:no, \"d\": "
        "re#x#, \"e\": q, \"f\": {\"g\": [].head()}} } }\n"
        "  rule a { select when u a always { raise u event \"b\" attributes q() } }\n"
        "  rule b { select when u b send_directive(\"b\", {\"keys\": event:attrs.keys()}) } "
        "}");
    CHECK_TEXT(world_query(&w, root, "u", "q", ""), "{\"b\":[null],\"c\":null,\"d\":{},\"f\":{}}");
    struct str said = world_event(&w, root, "u", "a", "");
    ck_assert_msg(str_has(said, STR("{\"keys\":[\"b\",\"c\",\"d\",\"f\"]}")), "%.*s", STRF(said));
    world_stop(&w);
}
END_TEST

static enum rc refuse_entities(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "CREATE TRIGGER refuse BEFORE INSERT ON pico_entity BEGIN SELECT "
                       "RAISE(ABORT, 'no'); END");
}

static enum rc take_entities(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "DROP TRIGGER refuse");
}

START_TEST(what_could_not_be_stored_was_never_there)
{
    struct world w;
    bool done[3] = {false, false, false};
    struct pico_request r[3];
    world_start(&w);
    if (store_engine(w.f.store) == STORE_POSTGRES) { /* its triggers are written otherwise */
        world_stop(&w);
        return;
    }
    struct str root = pico_root(w.e);
    world_install(&w, root, "counter", counter);
    ck_assert_int_eq(fixture_write(&w.f, refuse_entities, NULL), RC_OK);
    for (size_t i = 0; i < COUNT(r); i++) {
        r[i] = (struct pico_request){.ask = i < 2 ? PICO_EVENT_WAIT : PICO_QUERY,
                                     .eci = root,
                                     .domain = STR("counter"),
                                     .name = STR("add"),
                                     .rid = STR("counter"),
                                     .query = STR("count"),
                                     .inside = true,
                                     .arena = &w.arena,
                                     .done = world_done,
                                     .inner = &done[i]};
        pico_submit(w.e, &r[i]);
    }
    for (int i = 0; i < 5; i++) /* each failure rests the pico; each look wakes it */
        world_run(&w);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(done[i]);
        ck_assert_int_eq(r[i].rc, RC_UNAVAILABLE);
    }
    ck_assert(done[2]); /* it hung on a commit that failed, or was asked anew */
    ck_assert(r[2].rc == RC_UNAVAILABLE || str_eq(r[2].reply, STR("0")));
    ck_assert_int_eq(fixture_write(&w.f, take_entities, NULL), RC_OK);
    world_run(&w);
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "0");
    (void)world_event(&w, root, "counter", "add", "");
    CHECK_TEXT(world_query(&w, root, "counter", "count", ""), "1");
    world_stop(&w);
}
END_TEST

START_TEST(an_event_that_does_not_match_is_ignored_or_resets_as_it_is_set)
{
    static const char twice[] = "ruleset twice { meta { shares n } global { n = function() {\n"
                                "    ent:n.defaultsTo(0) } }\n"
                                "  rule two { select when count 2 (c hit x re#^1#)\n"
                                "    always { ent:n := ent:n.defaultsTo(0) + 1 } } }";
    static const char *const wanted[] = {"1", "0"};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct world w;
        world_start(&w);
        w.o.official_reset = i == 1;
        world_restart(&w);
        world_install(&w, pico_root(w.e), "twice", twice);
        (void)world_event(&w, pico_root(w.e), "c", "hit", "{\"x\":1}");
        (void)world_event(&w, pico_root(w.e), "c", "hit", "{\"x\":2}");
        (void)world_event(&w, pico_root(w.e), "d", "hit", "{\"x\":2}");
        (void)world_event(&w, pico_root(w.e), "c", "hit", "{\"x\":1}");
        struct str said = world_query(&w, pico_root(w.e), "twice", "n", "");
        ck_assert_msg(str_eq(said, str_c(wanted[i])), "is %.*s", STRF(said));
        world_stop(&w);
    }
}
END_TEST

START_TEST(a_window_begins_anew_or_goes_on_as_it_is_set)
{
    static const char pairs[] = "ruleset pairs { meta { shares n } global { n = function() {\n"
                                "    ent:n.defaultsTo(0) } }\n"
                                "  rule pair { select when c a before c b within 10 seconds\n"
                                "    always { ent:n := ent:n.defaultsTo(0) + 1 } } }";
    static const char *const wanted[] = {"2", "1"};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct world w;
        world_start(&w);
        w.o.official_window = i == 1;
        world_restart(&w);
        world_install(&w, pico_root(w.e), "pairs", pairs);
        (void)world_event(&w, pico_root(w.e), "c", "a", "");
        (void)world_event(&w, pico_root(w.e), "c", "b", "");
        world_advance(&w, 8 * US_PER_SECOND);
        (void)world_event(&w, pico_root(w.e), "c", "a", "");
        world_advance(&w, 4 * US_PER_SECOND);
        (void)world_event(&w, pico_root(w.e), "c", "b", "");
        struct str said = world_query(&w, pico_root(w.e), "pairs", "n", "");
        ck_assert_msg(str_eq(said, str_c(wanted[i])), "is %.*s", STRF(said));
        world_stop(&w);
    }
}
END_TEST

Suite *engine_suite(void);
Suite *engine_suite(void)
{
    Suite *s = suite_create("engine");
    TCase *t = tcase_create("engine");
    tcase_add_test(t, an_event_changes_its_pico_and_answers);
    tcase_add_test(t, an_error_keeps_nothing_and_leaks_nothing);
    tcase_add_test(t, an_error_statement_drops_the_rest_and_tells_the_ruleset);
    tcase_add_test(t, a_rule_that_waits_does_so_over_a_restart);
    tcase_add_test(t, what_takes_long_runs_on_the_slow_lane_and_what_never_ends_ends);
    tcase_add_test(t, who_asks_for_what_is_not_there_hears_it);
    tcase_add_test(t, a_flushed_ruleset_is_used_at_once_and_a_bad_one_changes_nothing);
    tcase_add_test(t, what_can_be_asked_and_told_is_listed);
    tcase_add_test(t, what_is_undefined_leaves_in_no_answer_and_no_event);
    tcase_add_test(t, what_could_not_be_stored_was_never_there);
    tcase_add_test(t, an_event_that_does_not_match_is_ignored_or_resets_as_it_is_set);
    tcase_add_test(t, a_window_begins_anew_or_goes_on_as_it_is_set);
    suite_add_tcase(s, t);
    return s;
}
