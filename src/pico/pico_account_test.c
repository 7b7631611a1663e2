#include "pico/account.h"
#include "pico/engine_fixture.h"

#include "base/json.h"

/* A control plane that takes usage: what it got, once by id, as meter/usage.h promises. */
enum { RECORDS_MAX = 200 };

struct plane {
    struct world w;
    struct wire_sim wire;
    struct str ids[RECORDS_MAX];
    struct str bodies[RECORDS_MAX];
    size_t n;
    size_t calls;
    size_t repeats;
    int status;
    struct str refused; /* a call with this id in it is refused */
    struct arena arena;
};

static void keep(struct plane *p, const struct json *event)
{
    struct buf b;
    struct json_writer w;
    struct str id = json_text(json_get(event, STR("id")));
    buf_init(&b, &p->arena, 4096);
    json_writer_init(&w, &b);
    json_put_node(&w, event);
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->ids[i], id)) {
            ck_assert_msg(str_eq(p->bodies[i], buf_str(&b)), "another body under one id");
            p->repeats++;
            return;
        }
    ck_assert_uint_lt(p->n, RECORDS_MAX);
    p->ids[p->n] = arena_str(&p->arena, id);
    p->bodies[p->n++] = buf_str(&b);
}

static enum rc take(void *arg, const struct wire_request *q, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct plane *p = arg;
    const struct json *all = NULL;
    (void)arena;
    p->calls++;
    ck_assert(str_eq(q->url, STR("https://cloud.test/v1/usage")));
    ck_assert(str_eq(q->headers[2].value, STR("Bearer secret")));
    bool refused = p->refused.n > 0 && str_has(q->body, p->refused);
    *ret = (struct wire_reply){.status = refused ? 400 : p->status};
    if (ret->status != 200)
        return RC_OK;
    ck_assert(json_parse(q->body, &p->arena, &all, err) == RC_OK);
    for (const struct json *i = json_first(all); i != NULL; i = json_next(all, i))
        keep(p, i);
    return RC_OK;
}

static const char counter[] =
    "ruleset counter {"
    "  meta { shares n, door }"
    "  global { n = function() { ent:n.defaultsTo(0) } door = function() { ent:door } }"
    "  rule open { select when counter open"
    "    ctx:newChannel([\"door\"], {\"allow\": [{\"domain\": \"*\", \"name\": \"*\"}], \"deny\": "
    "[]},"
    "      {\"allow\": [{\"rid\": \"*\", \"name\": \"*\"}], \"deny\": []}) setting(c)"
    "    always { ent:door := c{\"id\"} } }"
    "  rule add { select when counter add always { ent:n := n() + 1 } }"
    "  rule later { select when counter later always {"
    "    schedule counter event \"add\" at time:add(time:now(), {\"minutes\": 10}) } }"
    "  rule tell { select when counter tell event:send({\"eci\": event:attrs{\"eci\"}, \"domain\":"
    "    \"counter\", \"type\": \"add\"}) }"
    "  rule ask { select when counter ask pre { v = ctx:query(event:attrs{\"eci\"}, \"counter\", "
    "\"n\") }"
    "    send_directive(\"n\", {\"n\": v}) }"
    "}";

static void plane_open(struct plane *p)
{
    *p = (struct plane){.status = 200};
    arena_init(&p->arena, 64 * 1024 * 1024);
    world_start(&p->w);
    wire_sim_init(&p->wire, &p->w.sim);
    p->wire.fn = take;
    p->wire.arg = p;
    p->w.o.wire = &p->wire.wire;
    p->w.o.usage = (struct pico_usage_options){.url = STR("https://cloud.test/v1/usage"),
                                               .token = STR("secret"),
                                               .source = STR("urn:hanse:pty_x:picos"),
                                               .period_us = US_PER_HOUR};
    world_restart(&p->w);
}

static void plane_close(struct plane *p)
{
    world_stop(&p->w);
    arena_fini(&p->arena);
}

static struct str sold(struct plane *p, const char *subscription)
{
    struct str id = world_child(&p->w, pico_root(p->w.e), "");
    world_install(&p->w, id, "counter", counter);
    ck_assert(pico_account_set(p->w.e, id, str_c(subscription), &p->w.f.err) == RC_OK);
    return id;
}

static void add(struct plane *p, struct str id, int times)
{
    for (int i = 0; i < times; i++)
        (void)world_event(&p->w, id, "counter", "add", "");
}

/* The sum of a meter over all records of a subscription. */
static int64_t told(struct plane *p, const char *meter, const char *subscription)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct json *j = NULL;
        int64_t n = 0;
        ck_assert(json_parse(p->bodies[i], &p->arena, &j, &p->w.f.err) == RC_OK);
        if (!str_eq(json_text(json_get(j, STR("type"))), str_c(meter)) ||
            !str_eq(json_text(json_get(j, STR("subject"))), str_c(subscription)))
            continue;
        struct str q = json_text(json_get(json_get(j, STR("data")), STR("qty")));
        ck_assert(str_to_i64(q, 0, INT64_MAX, &n));
        sum += n;
    }
    return sum;
}

START_TEST(usage_is_told_once_an_hour_and_levels_once_a_day)
{
    struct plane p;
    plane_open(&p);
    struct str a = sold(&p, "sub_a");
    struct str below = world_child(&p.w, a, "");
    world_install(&p.w, below, "counter", counter);
    struct str b = sold(&p, "sub_b");
    struct str free_one = world_child(&p.w, pico_root(p.w.e), "");
    world_install(&p.w, free_one, "counter", counter);
    add(&p, a, 3);
    add(&p, below, 4);
    add(&p, b, 5);
    add(&p, free_one, 6);
    for (int i = 0; i < 2; i++)
        (void)world_query(&p.w, below, "counter", "n", "");
    ck_assert_uint_eq(p.n, 0);
    world_advance(&p.w, US_PER_HOUR);
    ck_assert_int_eq(told(&p, "pico.events", "sub_a"), 7);
    ck_assert_int_eq(told(&p, "pico.events", "sub_b"), 5);
    ck_assert_int_eq(told(&p, "pico.queries", "sub_a"), 2);
    ck_assert_int_gt(told(&p, "pico.steps", "sub_a"), 20);
    ck_assert_int_eq(told(&p, "pico.descendants", "sub_a"), 0);
    add(&p, a, 1);
    world_advance(&p.w, US_PER_DAY);
    ck_assert_int_eq(told(&p, "pico.events", "sub_a"), 8);
    ck_assert_int_eq(told(&p, "pico.descendants", "sub_a"), 1);
    ck_assert_int_eq(told(&p, "pico.descendants", "sub_b"), 0);
    ck_assert_int_gt(told(&p, "pico.bytes", "sub_a"), 0);
    ck_assert_int_eq(told(&p, "pico.events", ""), 0);
    ck_assert_uint_eq(p.repeats, 0);
    plane_close(&p);
}
END_TEST

/* Whatever is lost, and whenever the engine ends: each event is told once. */
START_TEST(each_event_is_told_once_over_failures_and_restarts)
{
    struct plane p;
    uint64_t seed = 20261126;
    plane_open(&p);
    struct str a = arena_str(&p.arena, sold(&p, "sub_a"));
    p.wire.lose_ppm = 200000;
    p.wire.echo_ppm = 300000;
    int made = 0;
    for (int i = 0; i < 60; i++) {
        int some = (int)clock_sim_below(&p.w.sim, 5);
        add(&p, a, some);
        made += some;
        if (clock_sim_below(&p.w.sim, 4) == 0)
            world_restart(&p.w);
        world_advance(&p.w, (int64_t)clock_sim_below(&p.w.sim, 50) * 60 * US_PER_SECOND);
    }
    p.wire.lose_ppm = 0;
    p.wire.echo_ppm = 0;
    for (int i = 0; i < 4; i++)
        world_advance(&p.w, 2 * US_PER_HOUR);
    ck_assert_msg(told(&p, "pico.events", "sub_a") == made, "seed %llu", (unsigned long long)seed);
    ck_assert_uint_gt(p.repeats, 0);
    plane_close(&p);
}
END_TEST

START_TEST(one_record_that_is_refused_holds_up_no_other)
{
    struct plane p;
    plane_open(&p);
    struct str a = sold(&p, "sub_a");
    struct str b = sold(&p, "sub_b");
    p.refused = STR("sub_b");
    add(&p, a, 3);
    add(&p, b, 2);
    for (int i = 0; i < 40; i++)
        world_advance(&p.w, 3 * 60 * US_PER_SECOND);
    ck_assert_int_eq(told(&p, "pico.events", "sub_a"), 3);
    ck_assert_int_eq(told(&p, "pico.events", "sub_b"), 0);
    p.refused = STR("");
    world_advance(&p.w, 2 * US_PER_HOUR);
    ck_assert_int_eq(told(&p, "pico.events", "sub_b"), 2);
    plane_close(&p);
}
END_TEST

START_TEST(what_was_used_is_told_under_who_paid_then)
{
    struct plane p;
    plane_open(&p);
    struct str a = sold(&p, "sub_a");
    struct str below = world_child(&p.w, a, "");
    world_install(&p.w, below, "counter", counter);
    add(&p, below, 2);
    ck_assert(pico_account_set(p.w.e, below, STR("sub_b"), &p.w.f.err) == RC_OK);
    add(&p, below, 3);
    world_advance(&p.w, 90 * 60 * US_PER_SECOND);
    ck_assert(pico_account_set(p.w.e, below, STR("sub_c"), &p.w.f.err) == RC_OK);
    add(&p, below, 4);
    ck_assert(pico_account_drop(p.w.e, below, &p.w.f.err) == RC_OK);
    add(&p, below, 5);
    ck_assert_int_eq(pico_account_drop(p.w.e, below, &p.w.f.err), RC_NOT_FOUND);
    world_advance(&p.w, US_PER_HOUR);
    ck_assert_int_eq(told(&p, "pico.events", "sub_a"), 7);
    ck_assert_int_eq(told(&p, "pico.events", "sub_b"), 3);
    ck_assert_int_eq(told(&p, "pico.events", "sub_c"), 4);
    add(&p, below, 1);
    struct pico_request r =
        world_ask(&p.w, (struct pico_request){.ask = PICO_DELETE, .eci = a, .inside = true});
    ck_assert_int_eq(r.rc, RC_OK);
    world_advance(&p.w, US_PER_HOUR);
    ck_assert_int_eq(told(&p, "pico.events", "sub_a"), 8);
    ck_assert_int_eq(pico_account_set(p.w.e, a, STR("sub_d"), &p.w.f.err), RC_NOT_FOUND);
    ck_assert_int_eq(pico_account_set(p.w.e, pico_root(p.w.e), STR("SUB x"), &p.w.f.err),
                     RC_INVALID);
    plane_close(&p);
}
END_TEST

/* A channel that everybody may use. */
static struct str door(struct plane *p, struct str id)
{
    (void)world_event(&p->w, id, "counter", "open", "");
    struct str said = world_query(&p->w, id, "counter", "door", "");
    ck_assert_uint_eq(said.n, 27);
    return arena_str(&p->arena, str_sub(said, 1, 26));
}

/* A request as a customer makes it. */
static struct str customers(struct world *w, enum pico_ask ask, struct str eci)
{
    struct pico_request r = world_ask(w, (struct pico_request){.ask = ask,
                                                               .eci = eci,
                                                               .domain = STR("counter"),
                                                               .name = STR("add"),
                                                               .rid = STR("counter"),
                                                               .query = STR("n"),
                                                               .eid = STR("none")});
    return world_text(w, &r);
}

START_TEST(a_suspended_pico_refuses_and_loses_nothing)
{
    struct plane p;
    plane_open(&p);
    struct world *w = &p.w;
    struct str a = arena_str(&p.arena, sold(&p, "sub_a"));
    struct str below = arena_str(&p.arena, world_child(w, a, ""));
    struct str other = arena_str(&p.arena, sold(&p, "sub_b"));
    struct str attrs;
    world_install(w, below, "counter", counter);
    (void)world_event(w, below, "counter", "later", "");
    struct str to_a = door(&p, a);
    struct str to_below = door(&p, below);
    struct str to_other = door(&p, other);
    attrs = arena_fmt(&p.arena, "{\"eci\":\"%.*s\"}", STRF(to_below));
    CHECK_TEXT(customers(w, PICO_QUERY, to_below), "0");
    for (int round = 0; round < 2; round++) {
        ck_assert(pico_suspend(w->e, a, true, &w->f.err) == RC_OK);
        if (round == 1)
            world_restart(w);
        CHECK_TEXT(customers(w, PICO_QUERY, to_below), "Error: this pico is suspended");
        CHECK_TEXT(customers(w, PICO_EVENT, to_below), "Error: this pico is suspended");
        CHECK_TEXT(customers(w, PICO_EVENT_WAIT, to_a), "Error: this pico is suspended");
    }
    /* Its owner sees it; a neighbour's question is refused, its event waits, and so does what is
     * due. */
    CHECK_TEXT(world_query(w, below, "counter", "n", ""), "0");
    ck_assert(str_has(world_event(w, other, "counter", "ask", attrs.p), STR("suspended")));
    (void)world_event(w, other, "counter", "tell", attrs.p);
    world_advance(w, 20 * 60 * US_PER_SECOND);
    CHECK_TEXT(world_query(w, below, "counter", "n", ""), "0");
    CHECK_TEXT(customers(w, PICO_EVENT_WAIT, to_other), "{\"eid\":\"none\",\"directives\":[]}");
    ck_assert(pico_suspend(w->e, a, false, &w->f.err) == RC_OK);
    world_run(w);
    CHECK_TEXT(customers(w, PICO_QUERY, to_below), "2");
    /* Only the one that is paid for can be suspended. */
    ck_assert_int_eq(pico_suspend(w->e, below, true, &w->f.err), RC_CONFLICT);
    ck_assert_int_eq(pico_suspend(w->e, STR("nobody"), true, &w->f.err), RC_NOT_FOUND);
    plane_close(&p);
}
END_TEST

START_TEST(one_without_an_account_is_suspended_and_told_to_nobody)
{
    struct plane p;
    plane_open(&p);
    struct world *w = &p.w;
    struct str id = world_child(w, pico_root(w->e), "");
    world_install(w, id, "counter", counter);
    struct str to = door(&p, id);
    ck_assert(pico_suspend(w->e, id, true, &w->f.err) == RC_OK);
    CHECK_TEXT(customers(w, PICO_QUERY, to), "Error: this pico is suspended");
    ck_assert(pico_suspend(w->e, id, false, &w->f.err) == RC_OK);
    add(&p, id, 2);
    world_advance(w, 2 * US_PER_DAY);
    ck_assert_uint_eq(p.n, 0);
    CHECK_TEXT(customers(w, PICO_QUERY, to), "2");
    plane_close(&p);
}
END_TEST

Suite *pico_account_suite(void);
Suite *pico_account_suite(void)
{
    Suite *s = suite_create("pico_account");
    TCase *c = tcase_create("account");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, usage_is_told_once_an_hour_and_levels_once_a_day);
    tcase_add_test(c, each_event_is_told_once_over_failures_and_restarts);
    tcase_add_test(c, one_record_that_is_refused_holds_up_no_other);
    tcase_add_test(c, what_was_used_is_told_under_who_paid_then);
    tcase_add_test(c, a_suspended_pico_refuses_and_loses_nothing);
    tcase_add_test(c, one_without_an_account_is_suspended_and_told_to_nobody);
    suite_add_tcase(s, c);
    return s;
}
