#include "pico/engine_fixture.h"

/* Picos that make, ask and tell one another. */
static const char folk[] =
    "ruleset folk { meta { shares told, kids, chans, ask, wait, up, rids, sched, logs }\n"
    "  global { told = function() { ent:told.defaultsTo([]) } kids = function() { ctx:children }\n"
    "    chans = function() { ctx:channels.map(function(c) { c{\"tags\"}.join(\" \") }) }\n"
    "    ask = function(eci, q) { ctx:query(eci, \"folk\", q) }\n"
    "    wait = function(eci, back) { ctx:query(eci, \"folk\", \"ask\", {\"eci\": back, \"q\": "
    "\"told\"}) }\n"
    "    up = function() { ctx:parent }\n"
    "    rids = function() { ctx:rulesets.map(function(r) { r{\"rid\"} }) }\n"
    "    sched = function() { schedule:list().map(function(s) { s{\"type\"} }) }\n"
    "    logs = function() { ctx:logs().map(function(l) { l{\"msg\"} }) } }\n"
    "  rule tell { select when folk tell\n"
    "    always { ent:told := ent:told.defaultsTo([]).append(event:attr(\"x\")) } }\n"
    "  rule pass { select when folk pass\n"
    "    foreach event:attr(\"to\") setting(eci)\n"
    "    event:send({\"eci\": eci, \"domain\": \"folk\", \"type\": \"tell\", \"attrs\": {\"x\": "
    "event:attr(\"x\")}}) }\n"
    "  rule pong { select when folk pong\n"
    "    event:send({\"eci\": event:attr(\"eci\"), \"domain\": \"folk\", \"name\": \"pong\", "
    "\"attrs\":\n"
    "      {\"eci\": event:attr(\"back\"), \"back\": event:attr(\"eci\")}})\n"
    "    always { ent:pongs := ent:pongs.defaultsTo(0) + 1 } }\n"
    "  rule bear { select when folk bear\n"
    "    every { ctx:newPico(rulesets=[{\"url\": \"file:///folk.krl\"}]) setting(eci)\n"
    "      ctx:eventQuery(eci, \"folk\", \"tell\", {\"x\": \"hello\"}, \"folk\", \"told\") "
    "setting(said)\n"
    "      event:send({\"eci\": eci, \"domain\": \"folk\", \"name\": \"tell\", \"attrs\": {\"x\": "
    "2}})\n"
    "      send_directive(\"born\", {\"eci\": eci, \"said\": said}) } }\n"
    "  rule bury { select when folk bury\n"
    "    ctx:delPico(event:attr(\"eci\")) }\n"
    "  rule chan { select when folk chan\n"
    "    ctx:newChannel([\"Some Tag\", \"b\"], {\"allow\": [{\"domain\": \"folk\", \"name\": "
    "\"tell\"}], \"deny\": []},\n"
    "      {\"allow\": [], \"deny\": []}) setting(c)\n"
    "    always { ent:told := [c{\"id\"}] } }\n"
    "  rule unchan { select when folk unchan\n"
    "    ctx:delChannel(event:attr(\"eci\")) }\n"
    "  rule later { select when folk later\n"
    "    always { schedule folk event \"tell\" at event:attr(\"at\") attributes {\"x\": \"late\"} "
    "} }\n"
    "  rule often { select when folk often\n"
    "    always { schedule folk event \"tell\" repeat \"*/10 * * * * *\" attributes {\"x\": "
    "\"tick\"} } }\n"
    "  rule never { select when folk never\n"
    "    schedule:clear() }\n"
    "}";

static const char helper[] =
    "ruleset helper { meta { provides twice, remember configure using by = 2 }\n"
    "  global { twice = function(x) { x * by } remember = function() { ent:mine } }\n"
    "  rule keep { select when helper keep always { ent:mine := event:attr(\"x\") } } }";
static const char user[] =
    "ruleset user { meta { use module helper use module helper alias h3 with by = 3\n"
    "    shares both }\n"
    "  global { both = function() { [helper:twice(5), h3:twice(5), helper:remember()] } } }";

static struct str member(struct str json, const char *key)
{
    char want[64];
    (void)snprintf(want, sizeof want, "\"%s\":\"", key);
    for (size_t i = 0; i + strlen(want) < json.n; i++)
        if (str_eq(str_n(json.p + i, strlen(want)), str_c(want))) {
            size_t from = i + strlen(want);
            return str_sub(json, from, str_find(json, '"', from));
        }
    ck_abort_msg("no %s in %.*s", key, STRF(json));
}

static struct world *start(struct world *w)
{
    world_start(w);
    world_install(w, pico_root(w->e), "folk", folk);
    return w;
}

START_TEST(a_child_is_born_and_answers_within_the_event)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str said = world_event(&w, root, "folk", "bear", "");
    ck_assert_msg(str_has(said, STR("\"said\":[\"hello\"]")), "%.*s", STRF(said));
    struct str eci = member(said, "eci");
    CHECK_TEXT(world_query(&w, eci, "folk", "told", ""), "[\"hello\",2]");
    ck_assert(str_has(world_query(&w, root, "folk", "kids", ""), eci));
    said = world_query(&w, root, "folk", "chans", "");
    CHECK_TEXT(said, "[\"system self\",\"system parent\"]");
    CHECK_TEXT(world_query(&w, eci, "folk", "chans", ""), "[\"system self\",\"system child\"]");
    CHECK_TEXT(world_query(&w, eci, "folk", "rids", ""), "[\"folk\"]");
    world_restart(&w);
    root = pico_root(w.e);
    CHECK_TEXT(world_query(&w, eci, "folk", "told", ""), "[\"hello\",2]");
    said = world_event(&w, root, "folk", "bury",
                       arena_cstr(&w.arena, arena_fmt(&w.arena, "{\"eci\":\"%.*s\"}", STRF(eci))));
    CHECK_TEXT(said, "{\"eid\":\"none\",\"directives\":[]}");
    ck_assert(str_starts(world_query(&w, eci, "folk", "told", ""), STR("Error: ECI not found")));
    CHECK_TEXT(world_query(&w, root, "folk", "kids", ""), "[]");
    world_stop(&w);
}
END_TEST

START_TEST(an_event_to_another_pico_comes_once_and_in_order)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str kids[3];
    struct buf to;
    buf_init(&to, &w.arena, 4096);
    for (size_t i = 0; i < COUNT(kids); i++) {
        struct str said = world_event(&w, root, "folk", "bear", "");
        kids[i] = member(said, "eci");
        buf_fmt(&to, "%s\"%.*s\"", i ? "," : "", STRF(kids[i]));
    }
    for (int i = 0; i < 5; i++) {
        struct str attrs =
            arena_fmt(&w.arena, "{\"to\":[%.*s,\"nobody\"],\"x\":%d}", STRF(buf_str(&to)), i);
        (void)world_event(&w, root, "folk", "pass", arena_cstr(&w.arena, attrs));
    }
    for (size_t i = 0; i < COUNT(kids); i++)
        CHECK_TEXT(world_query(&w, kids[i], "folk", "told", ""), "[\"hello\",2,0,1,2,3,4]");
    struct str logs = world_query(&w, root, "folk", "logs", "");
    ck_assert_msg(str_has(logs, STR("event:send: ECI not found nobody")), "%.*s", STRF(logs));
    world_stop(&w);
}
END_TEST

START_TEST(events_that_go_round_and_round_end)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str a = member(world_event(&w, root, "folk", "bear", ""), "eci");
    struct str b = member(world_event(&w, root, "folk", "bear", ""), "eci");
    struct str attrs =
        arena_fmt(&w.arena, "{\"eci\":\"%.*s\",\"back\":\"%.*s\"}", STRF(a), STRF(b));
    (void)world_event(&w, root, "folk", "pong", arena_cstr(&w.arena, attrs));
    /* The children may not use one another's family channels: it ends after one. */
    ck_assert_uint_lt(pico_counters(w.e).messages, 70);
    world_stop(&w);
}
END_TEST

START_TEST(picos_ask_one_another_and_never_wait_for_themselves)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str kid = member(world_event(&w, root, "folk", "bear", ""), "eci");
    struct str up = world_query(&w, kid, "folk", "up", "");
    struct str args = arena_fmt(&w.arena, "{\"eci\":\"%.*s\",\"q\":\"told\"}", STRF(kid));
    CHECK_TEXT(world_query(&w, root, "folk", "ask", arena_cstr(&w.arena, args)), "[\"hello\",2]");
    args = arena_fmt(&w.arena, "{\"eci\":\"%.*s\",\"q\":\"told\"}", STRF(root));
    CHECK_TEXT(world_query(&w, root, "folk", "ask", arena_cstr(&w.arena, args)),
               "Error: deadlock: pico is waiting for itself");
    args = arena_fmt(&w.arena, "{\"eci\":\"%.*s\",\"back\":%.*s}", STRF(kid), STRF(up));
    CHECK_TEXT(world_query(&w, root, "folk", "wait", arena_cstr(&w.arena, args)),
               "Error: deadlock: pico is waiting for itself");
    world_stop(&w);
}
END_TEST

START_TEST(a_channel_lets_through_what_its_policy_says)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    (void)world_event(&w, root, "folk", "chan", "");
    struct str told = world_query(&w, root, "folk", "told", "");
    struct str eci = str_sub(told, 2, told.n - 2);
    struct pico_request r = {.ask = PICO_EVENT_WAIT,
                             .eci = eci,
                             .domain = STR("folk"),
                             .name = STR("tell"),
                             .attrs = STR("{\"x\":1}")};
    struct pico_request done = world_ask(&w, r);
    ck_assert_int_eq(done.rc, RC_OK);
    r.name = STR("chan");
    done = world_ask(&w, r);
    CHECK_TEXT(world_text(&w, &done), "Error: Not allowed by channel policy");
    r = (struct pico_request){
        .ask = PICO_QUERY, .eci = eci, .rid = STR("folk"), .query = STR("told")};
    done = world_ask(&w, r);
    CHECK_TEXT(world_text(&w, &done), "Error: Not allowed by channel policy");
    CHECK_TEXT(world_query(&w, root, "folk", "chans", ""), "[\"system self\",\"some-tag b\"]");
    world_restart(&w);
    done = world_ask(&w, r);
    CHECK_TEXT(world_text(&w, &done), "Error: Not allowed by channel policy");
    struct str attrs = arena_fmt(&w.arena, "{\"eci\":\"%.*s\"}", STRF(eci));
    (void)world_event(&w, pico_root(w.e), "folk", "unchan", arena_cstr(&w.arena, attrs));
    done = world_ask(&w, r);
    ck_assert(str_starts(world_text(&w, &done), STR("Error: ECI not found ")));
    world_stop(&w);
}
END_TEST

START_TEST(schedules_come_when_they_are_due_and_over_restarts)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str attrs =
        arena_fmt(&w.arena, "{\"at\":%lld}", (long long)(WORLD_START / US_PER_MS + 5000));
    const char *at = arena_cstr(&w.arena, attrs);
    (void)world_event(&w, root, "folk", "later", at);
    (void)world_event(&w, root, "folk", "later", at);
    (void)world_event(&w, root, "folk", "often", "");
    CHECK_TEXT(world_query(&w, root, "folk", "sched", ""), "[\"at\",\"at\",\"repeat\"]");
    world_advance(&w, 4 * US_PER_SECOND);
    CHECK_TEXT(world_query(&w, root, "folk", "told", ""), "[]");
    world_advance(&w, US_PER_SECOND);
    CHECK_TEXT(world_query(&w, root, "folk", "told", ""), "[\"late\",\"late\"]");
    world_advance(&w, 15 * US_PER_SECOND);
    world_restart(&w);
    root = pico_root(w.e);
    clock_sim_advance(&w.sim, US_PER_HOUR); /* what is overdue comes once */
    world_run(&w);
    CHECK_TEXT(world_query(&w, root, "folk", "sched", ""), "[\"repeat\"]");
    CHECK_TEXT(world_query(&w, root, "folk", "told", ""), "[\"late\",\"late\",\"tick\",\"tick\"]");
    world_advance(&w, 10 * US_PER_SECOND);
    (void)world_event(&w, root, "folk", "never", "");
    world_advance(&w, US_PER_HOUR);
    CHECK_TEXT(world_query(&w, root, "folk", "told", ""),
               "[\"late\",\"late\",\"tick\",\"tick\",\"tick\"]");
    CHECK_TEXT(world_event(&w, root, "folk", "later", "{\"at\":\"soon\"}"),
               "TypeError: schedule .. at expected a timestamp but got soon");
    world_stop(&w);
}
END_TEST

START_TEST(modules_have_their_own_configuration_and_variables)
{
    struct world w = {0};
    struct str reply;
    struct str root = pico_root(start(&w)->e);
    ck_assert_int_eq(
        pico_flush(w.e, STR("file:///user.krl"), str_c(user), &w.arena, &reply, &w.f.err),
        RC_CONFLICT);
    ck_assert_str_eq(w.f.err.text, "Error: Dependant module not loaded: helper");
    world_flush(&w, "helper", helper);
    world_flush(&w, "user", user);
    CHECK_TEXT(world_install_at(&w, root, "user", ""), "Error: Module not found: helper");
    CHECK_TEXT(world_install_at(&w, root, "helper", ""), "{\"rid\":\"helper\"}");
    CHECK_TEXT(world_install_at(&w, root, "user", ""), "{\"rid\":\"user\"}");
    (void)world_event(&w, root, "helper", "keep", "{\"x\":\"mine\"}");
    CHECK_TEXT(world_query(&w, root, "user", "both", ""), "[10,15,\"mine\"]");
    struct pico_request r = {
        .ask = PICO_UNINSTALL, .eci = root, .rid = STR("helper"), .inside = true};
    struct pico_request done = world_ask(&w, r);
    CHECK_TEXT(world_text(&w, &done), "Error: Cannot uninstall helper because user depends on it");
    ck_assert_int_eq(pico_flush(w.e, STR("file:///helper.krl"),
                                STR("ruleset helper { meta { use module user } }"), &w.arena,
                                &reply, &w.f.err),
                     RC_CONFLICT);
    ck_assert_str_eq(w.f.err.text, "Error: Dependency Cycle Found: helper -> user -> helper");
    world_stop(&w);
}
END_TEST

START_TEST(a_deleted_pico_takes_all_below_it_along)
{
    struct world w = {0};
    struct str root = pico_root(start(&w)->e);
    struct str a = world_child(&w, root, "{\"rulesets\":[{\"url\":\"file:///folk.krl\"}]}");
    struct str b = world_child(&w, a, "{}");
    struct str c = world_child(&w, b, "{}");
    ck_assert_uint_eq(pico_counters(w.e).loaded, 4);
    struct pico_request r = {.ask = PICO_DELETE, .eci = a, .inside = true};
    ck_assert_int_eq(world_ask(&w, r).rc, RC_OK);
    ck_assert_uint_eq(pico_counters(w.e).loaded, 1);
    const struct str gone[] = {a, b, c};
    for (size_t i = 0; i < COUNT(gone); i++) {
        r = (struct pico_request){.ask = PICO_NEW, .eci = gone[i], .inside = true};
        ck_assert_int_eq(world_ask(&w, r).rc, RC_NOT_FOUND);
    }
    r = (struct pico_request){.ask = PICO_DELETE, .eci = root, .inside = true};
    ck_assert_int_eq(world_ask(&w, r).rc, RC_FORBIDDEN);
    world_stop(&w);
}
END_TEST

Suite *family_suite(void);
Suite *family_suite(void)
{
    Suite *s = suite_create("family");
    TCase *t = tcase_create("family");
    tcase_add_test(t, a_child_is_born_and_answers_within_the_event);
    tcase_add_test(t, an_event_to_another_pico_comes_once_and_in_order);
    tcase_add_test(t, events_that_go_round_and_round_end);
    tcase_add_test(t, picos_ask_one_another_and_never_wait_for_themselves);
    tcase_add_test(t, a_channel_lets_through_what_its_policy_says);
    tcase_add_test(t, schedules_come_when_they_are_due_and_over_restarts);
    tcase_add_test(t, modules_have_their_own_configuration_and_variables);
    tcase_add_test(t, a_deleted_pico_takes_all_below_it_along);
    suite_add_tcase(s, t);
    return s;
}
