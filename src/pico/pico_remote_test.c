/* Two engines, and a wire between them that loses requests and answers. */
#include "pico/engine_fixture.h"

static const char counter[] =
    "ruleset counter { meta { shares state }\n"
    "  global { state = function() { [ent:n.defaultsTo(0), ent:last, ent:order.defaultsTo([])] } "
    "}\n"
    "  rule hit { select when c hit always { ent:n := ent:n.defaultsTo(0) + 1\n"
    "    ent:last := event:attrs{\"x\"}\n"
    "    ent:order := ent:order.defaultsTo([]).append(event:attrs{\"x\"}) } }\n"
    "  rule send { select when c send\n"
    "    event:send({\"eci\": event:attrs{\"to\"}, \"domain\": \"c\", \"name\": \"hit\",\n"
    "      \"attrs\": {\"x\": event:attrs{\"x\"}}}, event:attrs{\"host\"}) }\n"
    "  rule pong { select when c ping\n"
    "    event:send({\"eci\": event:attrs{\"to\"}, \"domain\": \"c\", \"name\": \"ping\",\n"
    "      \"attrs\": {\"to\": meta:eci, \"host\": meta:host}}, event:attrs{\"host\"})\n"
    "    always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "}";

#define THERE "http://there.example"

struct pair_of {
    struct world here;
    struct world there;
    struct wire_sim wire;
    struct str eci;
    size_t calls;
    int status; /* instead of asking; 0: ask */
};

static struct str header(const struct wire_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq(r->headers[i].name, str_c(name)))
            return r->headers[i].value;
    return STR("");
}

/* What the other engine's listener would do. */
static enum rc serve(void *arg, const struct wire_request *r, struct arena *arena,
                     struct wire_reply *ret, struct err *err)
{
    struct pair_of *two = arg;
    struct str rest = r->url;
    int64_t hops = 0;
    (void)err;
    two->calls++;
    ret->status = two->status;
    if (two->status != 0)
        return RC_OK;
    ck_assert(str_starts(rest, STR(THERE "/c/")));
    rest = str_sub(rest, strlen(THERE "/c/"), rest.n);
    struct str eci = str_cut(&rest, '/');
    ck_assert(str_eq(str_cut(&rest, '/'), STR("event")));
    struct str domain = str_cut(&rest, '/');
    ck_assert(str_to_i64(header(r, PICO_HOPS_HEADER), 1, PICO_HOPS_MAX, &hops));
    struct pico_request asked = world_ask(&two->there, (struct pico_request){
                                                           .ask = PICO_EVENT,
                                                           .eci = eci,
                                                           .domain = domain,
                                                           .name = rest,
                                                           .attrs = r->body,
                                                           .hops = hops,
                                                           .key = header(r, PICO_KEY_HEADER),
                                                       });
    ret->status = 200;
    ret->body =
        asked.rc == RC_OK ? arena_str(arena, asked.reply) : arena_fmt(arena, "{\"error\":\"no\"}");
    return RC_OK;
}

static struct str channel_of(struct world *w)
{
    static const char opener[] = "ruleset opener { rule open { select when o open\n"
                                 "  ctx:newChannel([\"o\"]) setting(c)\n"
                                 "  always { raise o event \"said\" attributes c } }\n"
                                 "  rule said { select when o said\n"
                                 "    send_directive(\"c\", {\"eci\": event:attrs{\"id\"}}) } }";
    world_install(w, pico_root(w->e), "opener", opener);
    struct str said = world_event(w, pico_root(w->e), "o", "open", "");
    size_t at = 0;
    while (!str_starts(str_sub(said, at, said.n), STR("\"eci\":\"")))
        ck_assert_uint_lt(at++, said.n);
    return str_sub(said, at + 7, at + 7 + 25);
}

static void two_start(struct pair_of *two)
{
    *two = (struct pair_of){.calls = 0};
    world_start(&two->here);
    world_start(&two->there);
    wire_sim_init(&two->wire, &two->here.sim);
    two->wire.fn = serve;
    two->wire.arg = two;
    two->here.o.wire = &two->wire.wire;
    world_restart(&two->here);
    world_install(&two->here, pico_root(two->here.e), "counter", counter);
    world_install(&two->there, pico_root(two->there.e), "counter", counter);
    two->eci = channel_of(&two->there);
}

static void two_stop(struct pair_of *two)
{
    world_stop(&two->there);
    world_stop(&two->here);
}

static void send_hit(struct pair_of *two, int x)
{
    struct world *w = &two->here;
    struct str attrs = arena_fmt(&w->arena, "{\"to\":\"%.*s\",\"host\":\"" THERE "/\",\"x\":%d}",
                                 STRF(two->eci), x);
    (void)world_event(w, pico_root(w->e), "c", "send", arena_cstr(&w->arena, attrs));
}

START_TEST(an_event_reaches_another_engine_once_however_bad_the_wire_is)
{
    struct pair_of two;
    two_start(&two);
    two.wire.lose_ppm = 300000;
    two.wire.echo_ppm = 300000;
    for (int i = 0; i < 50; i++) {
        send_hit(&two, i);
        if (i % 10 == 5)
            world_restart(&two.here);
    }
    for (int i = 0; i < 200; i++)
        world_advance(&two.here, 60 * US_PER_SECOND);
    struct str said = world_query(&two.there, pico_root(two.there.e), "counter", "state", "");
    ck_assert_msg(str_starts(said, STR("[50,49,[0,1,2,3,4,")), "%.*s, seed 20261125", STRF(said));
    ck_assert_uint_gt(two.calls, 50);
    size_t before = two.calls;
    world_advance(&two.here, US_PER_HOUR);
    ck_assert_uint_eq(two.calls, before);
    ck_assert_uint_ge(pico_counters(two.here.e).sent_away, 1);
    two_stop(&two);
}
END_TEST

START_TEST(an_engine_that_is_away_gets_the_event_later_and_a_refusal_ends_it)
{
    struct pair_of two;
    two_start(&two);
    two.status = 503;
    send_hit(&two, 1);
    for (int i = 0; i < 5; i++)
        world_advance(&two.here, 60 * US_PER_SECOND);
    ck_assert_uint_ge(two.calls, 5);
    two.status = 0;
    world_advance(&two.here, 60 * US_PER_SECOND);
    CHECK_TEXT(world_query(&two.there, pico_root(two.there.e), "counter", "state", ""),
               "[1,1,[1]]");
    two.status = 400;
    size_t before = two.calls;
    send_hit(&two, 2);
    world_advance(&two.here, US_PER_HOUR);
    ck_assert_uint_eq(two.calls, before + 1);
    two_stop(&two);
}
END_TEST

START_TEST(what_is_no_address_of_an_engine_is_refused)
{
    struct pair_of two;
    two_start(&two);
    struct world *w = &two.here;
    CHECK_TEXT(world_event(w, pico_root(w->e), "c", "send",
                           "{\"to\":\"x\",\"host\":\"file:///etc/passwd\",\"x\":1}"),
               "TypeError: Invalid URL: file:///etc/passwd");
    ck_assert_uint_eq(two.calls, 0);
    w->o.wire = NULL;
    world_restart(w);
    CHECK_TEXT(world_event(w, pico_root(w->e), "c", "send",
                           "{\"to\":\"x\",\"host\":\"" THERE "\",\"x\":1}"),
               "Error: this engine asks no other hosts");
    two_stop(&two);
}
END_TEST

START_TEST(an_event_with_the_key_of_an_earlier_one_is_answered_and_not_handled)
{
    struct world w;
    world_start(&w);
    world_install(&w, pico_root(w.e), "counter", counter);
    struct pico_request r = {.ask = PICO_EVENT_WAIT,
                             .eci = pico_root(w.e),
                             .domain = STR("c"),
                             .name = STR("hit"),
                             .attrs = STR("{\"x\":7}"),
                             .key = STR("k1"),
                             .inside = true};
    for (int i = 0; i < 3; i++) {
        struct pico_request asked = world_ask(&w, r);
        ck_assert_int_eq(asked.rc, RC_OK);
        if (i == 1)
            world_restart(&w);
        r.eci = pico_root(w.e);
    }
    r.key = STR("k2");
    ck_assert_int_eq(world_ask(&w, r).rc, RC_OK);
    CHECK_TEXT(world_query(&w, pico_root(w.e), "counter", "state", ""), "[2,7,[7,7]]");
    world_stop(&w);
}
END_TEST

START_TEST(two_engines_that_answer_one_another_come_to_an_end)
{
    struct pair_of two;
    two_start(&two);
    struct pico_request r = {.ask = PICO_EVENT_WAIT,
                             .eci = pico_root(two.here.e),
                             .domain = STR("c"),
                             .name = STR("ping"),
                             .hops = PICO_HOPS_MAX,
                             .attrs = STR("{\"to\":\"x\",\"host\":\"" THERE "\"}"),
                             .inside = true};
    struct pico_request asked = world_ask(&two.here, r);
    CHECK_TEXT(world_text(&two.here, &asked), "Error: events make events more than 64 levels deep");
    two_stop(&two);
}
END_TEST

Suite *pico_remote_suite(void);
Suite *pico_remote_suite(void)
{
    Suite *s = suite_create("pico_remote");
    TCase *t = tcase_create("pico_remote");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, an_event_reaches_another_engine_once_however_bad_the_wire_is);
    tcase_add_test(t, an_engine_that_is_away_gets_the_event_later_and_a_refusal_ends_it);
    tcase_add_test(t, what_is_no_address_of_an_engine_is_refused);
    tcase_add_test(t, an_event_with_the_key_of_an_earlier_one_is_answered_and_not_handled);
    tcase_add_test(t, two_engines_that_answer_one_another_come_to_an_end);
    suite_add_tcase(s, t);
    return s;
}
