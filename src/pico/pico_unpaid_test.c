/* A control plane that says which subscriptions are suspended, and an engine that does so. */
#include "pico/account.h"
#include "pico/engine_fixture.h"

#include "base/json.h"

enum { PAGES_MAX = 4, PICOS = 250 };

struct cloud {
    struct world w;
    struct wire_sim wire;
    const char *pages[PAGES_MAX]; /* the cursors are "p 1", "p 2", ... */
    int status;
    int calls;
};

static enum rc answer(void *arg, const struct wire_request *q, struct arena *arena,
                      struct wire_reply *ret, struct err *err)
{
    struct cloud *c = arg;
    size_t at = 0;
    (void)err;
    c->calls++;
    ck_assert(str_eq(q->method, STR("GET")));
    ck_assert(str_eq(q->headers[1].value, STR("Bearer secret")));
    ck_assert(str_starts(q->url, STR("https://cloud.test/v1/suspended?limit=200")));
    if (str_has(q->url, STR("&after=p%20")))
        at = (size_t)(q->url.p[q->url.n - 1] - '0');
    ck_assert_uint_lt(at, PAGES_MAX);
    *ret = (struct wire_reply){.status = c->status, .body = str_c(c->pages[at])};
    ret->body = arena_str(arena, ret->body);
    return RC_OK;
}

static const char counter[] =
    "ruleset counter { meta { shares n }"
    "  global { n = function() { ent:n.defaultsTo(0) } }"
    "  rule add { select when counter add always { ent:n := n() + 1 } }"
    "  rule later { select when counter later always {"
    "    schedule counter event \"add\" at time:add(time:now(), {\"minutes\": 3}) } } }";

#define NOBODY "{\"items\":[],\"next\":null}"
#define ONE    "{\"items\":[{\"subscription\":\"sub_a\",\"why\":\"inv_7 is not paid\"}]}"

static void cloud_open(struct cloud *c)
{
    *c = (struct cloud){.status = 200, .pages = {NOBODY, NOBODY, NOBODY, NOBODY}};
    world_start(&c->w);
    wire_sim_init(&c->wire, &c->w.sim);
    c->wire.fn = answer;
    c->wire.arg = c;
    c->w.o.wire = &c->wire.wire;
    c->w.o.usage =
        (struct pico_usage_options){.token = STR("secret"),
                                    .suspended_url = STR("https://cloud.test/v1/suspended"),
                                    .suspended_us = 60 * US_PER_SECOND};
    world_restart(&c->w);
    world_flush(&c->w, "counter", counter);
}

static struct str sold(struct cloud *c, struct str parent, const char *subscription)
{
    struct str id =
        world_child(&c->w, parent, "{\"rulesets\":[{\"url\":\"file:///counter.krl\"}]}");
    ck_assert(pico_account_set(c->w.e, id, str_c(subscription), &c->w.f.err) == RC_OK);
    return id;
}

/* As a customer hears it. */
static bool stands(struct cloud *c, struct str id)
{
    struct pico_request r = world_ask(
        &c->w, (struct pico_request){
                   .ask = PICO_QUERY, .eci = id, .rid = STR("counter"), .query = STR("n")});
    return r.rc == RC_FORBIDDEN && str_has(world_text(&c->w, &r), STR("is suspended"));
}

static void next_look(struct cloud *c)
{
    world_advance(&c->w, 61 * US_PER_SECOND);
}

struct showing {
    struct str id;
    struct buf b;
};

static enum rc tx_show(struct tx *tx, void *arg)
{
    struct showing *s = arg;
    struct json_writer w;
    buf_reset(&s->b);
    json_writer_init(&w, &s->b);
    return pico_account_show(tx, s->id, &w);
}

static bool shows(struct cloud *c, struct str id, const char *wanted)
{
    struct showing s = {.id = id};
    buf_init(&s.b, &c->w.arena, 4096);
    ck_assert_int_eq(store_read(c->w.f.store, &c->w.arena, &c->w.f.err, tx_show, &s), RC_OK);
    return str_has(buf_str(&s.b), str_c(wanted));
}

START_TEST(who_does_not_pay_is_suspended_and_goes_on_when_he_has_paid)
{
    struct cloud c;
    cloud_open(&c);
    struct str a = sold(&c, pico_root(c.w.e), "sub_a");
    struct str below = world_child(&c.w, a, "{\"rulesets\":[{\"url\":\"file:///counter.krl\"}]}");
    struct str b = sold(&c, a, "sub_b");
    (void)world_event(&c.w, a, "counter", "add", "");
    (void)world_event(&c.w, a, "counter", "later", "");
    ck_assert(!stands(&c, a));
    c.pages[0] = ONE;
    next_look(&c);
    ck_assert(stands(&c, a));
    ck_assert(stands(&c, below));
    ck_assert(!stands(&c, b));
    ck_assert(shows(&c, a, "\"suspended\":true,\"unpaid\":true,\"why\":\"inv_7 is not paid\""));
    world_restart(&c.w);
    ck_assert(stands(&c, a));
    for (int i = 0; i < 5; i++)
        next_look(&c); /* a schedule is due meanwhile */
    CHECK_TEXT(world_query(&c.w, a, "counter", "n", ""), "1");
    c.pages[0] = NOBODY;
    next_look(&c);
    ck_assert(!stands(&c, a));
    ck_assert(!stands(&c, below));
    CHECK_TEXT(world_query(&c.w, a, "counter", "n", ""), "2");
    ck_assert(shows(&c, a, "\"suspended\":false,\"unpaid\":false,\"why\":null"));
    world_stop(&c.w);
}
END_TEST

START_TEST(what_is_no_whole_list_changes_nothing)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"items\":{}}",
        "{\"items\":[1]}",
        "{\"items\":[{}]}",
        "{\"items\":[{\"subscription\":1}]}",
        "{\"items\":[{\"subscription\":\"\"}]}",
        "{\"items\":[],\"next\":1}",
        "{\"items\":[]",
        "{\"items\":[],\"next\":\"p 1\"}", /* whose next page is none */
    };
    struct cloud c;
    cloud_open(&c);
    struct str a = sold(&c, pico_root(c.w.e), "sub_a");
    struct str b = sold(&c, pico_root(c.w.e), "sub_b");
    c.pages[0] = ONE;
    next_look(&c);
    c.pages[1] = "no list";
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int before = c.calls;
        c.pages[0] = wrong[i];
        next_look(&c);
        ck_assert_int_gt(c.calls, before);
        ck_assert_msg(stands(&c, a), "%s", wrong[i]);
    }
    c.pages[0] = "{\"items\":[{\"subscription\":\"sub_b\"}]}";
    for (c.status = 199; c.status < 600; c.status += c.status == 199 ? 2 : 101) {
        next_look(&c);
        ck_assert(stands(&c, a));
        ck_assert(!stands(&c, b));
    }
    c.status = 200;
    c.wire.lose_ppm = 1000000;
    next_look(&c);
    ck_assert(stands(&c, a));
    c.wire.lose_ppm = 0;
    next_look(&c);
    ck_assert(!stands(&c, a));
    ck_assert(stands(&c, b));
    world_stop(&c.w);
}
END_TEST

START_TEST(what_was_done_by_hand_stays_so)
{
    struct cloud c;
    cloud_open(&c);
    struct str a = sold(&c, pico_root(c.w.e), "sub_a");
    ck_assert(pico_suspend(c.w.e, a, true, &c.w.f.err) == RC_OK);
    next_look(&c);
    ck_assert(stands(&c, a)); /* the list does not have it */
    c.pages[0] = ONE;
    next_look(&c);
    c.pages[0] = NOBODY;
    next_look(&c);
    ck_assert(stands(&c, a));
    ck_assert(shows(&c, a, "\"suspended\":true,\"unpaid\":false"));
    ck_assert(pico_suspend(c.w.e, a, false, &c.w.f.err) == RC_OK);
    ck_assert(!stands(&c, a));
    c.pages[0] = ONE;
    next_look(&c);
    ck_assert(pico_suspend(c.w.e, a, false, &c.w.f.err) == RC_OK);
    ck_assert(!stands(&c, a)); /* until the next list */
    next_look(&c);
    ck_assert(stands(&c, a));
    world_stop(&c.w);
}
END_TEST

/* One account more than a look takes at once, one subscription for all, and over pages. */
START_TEST(a_list_of_many_pages_is_done_whole)
{
    struct cloud c;
    struct str ids[PICOS];
    cloud_open(&c);
    for (size_t i = 0; i < PICOS; i++)
        ids[i] = sold(&c, pico_root(c.w.e), "sub_many");
    struct str a = sold(&c, pico_root(c.w.e), "sub_a");
    c.pages[0] = "{\"items\":[{\"subscription\":\"sub_unknown\",\"why\":null}],\"next\":\"p 1\"}";
    c.pages[1] = "{\"items\":[{\"subscription\":\"sub_many\"},{\"subscription\":\"sub_many\"}],"
                 "\"next\":\"p 2\"}";
    c.pages[2] = ONE;
    next_look(&c);
    for (size_t i = 0; i < PICOS; i++)
        ck_assert(stands(&c, ids[i]));
    ck_assert(stands(&c, a));
    c.pages[1] = "{\"items\":[],\"next\":\"p 2\"}";
    next_look(&c);
    for (size_t i = 0; i < PICOS; i++)
        ck_assert(!stands(&c, ids[i]));
    ck_assert(stands(&c, a));
    world_stop(&c.w);
}
END_TEST

Suite *pico_unpaid_suite(void);
Suite *pico_unpaid_suite(void)
{
    Suite *s = suite_create("pico_unpaid");
    TCase *t = tcase_create("pico_unpaid");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, who_does_not_pay_is_suspended_and_goes_on_when_he_has_paid);
    tcase_add_test(t, what_is_no_whole_list_changes_nothing);
    tcase_add_test(t, what_was_done_by_hand_stays_so);
    tcase_add_test(t, a_list_of_many_pages_is_done_whole);
    suite_add_tcase(s, t);
    return s;
}
