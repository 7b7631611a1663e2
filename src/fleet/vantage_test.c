/* Who looks at a service from other sites, what counts of what they say, and what follows. */
#include "fleet/vantage.h"

#include "fleet/alert.h"
#include "fleet/availability.h"
#include "fleet/fleet_fixture.h"
#include "money/property.h"

/* --- the choice --- */

enum { FLEET_NODES = 40, FLEET_RUNS = 2000 };

static struct str word(char *text, const char *kind, int64_t n)
{
    (void)snprintf(text, 16, "%s%lld", kind, (long long)n);
    return str_c(text);
}

struct fleet {
    struct vantage_candidate nodes[FLEET_NODES];
    char texts[FLEET_NODES][5][16];
    size_t count;
};

static void by_chance(struct fleet *f, struct clock_sim *chance)
{
    f->count = (size_t)property_between(chance, 1, FLEET_NODES);
    for (size_t i = 0; i < f->count; i++) {
        int64_t site = property_between(chance, 0, 12); /* a site is in one city */
        f->nodes[i] = (struct vantage_candidate){
            .node = word(f->texts[i][0], "n", (int64_t)i),
            .site = word(f->texts[i][1], "s", site),
            .country = word(f->texts[i][2], "c", site % 3),
            .city = word(f->texts[i][3], "t", site % 6),
            .owner = word(f->texts[i][4], "o", property_between(chance, 0, 4)),
            .tasks = property_between(chance, 0, PROBE_TASKS_MAX + 20)};
    }
}

START_TEST(places_are_of_other_sites_and_never_of_one_twice)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    static struct fleet f;
    for (int run = 0; run < FLEET_RUNS; run++) {
        size_t at[VANTAGE_PLACES_MAX], again[VANTAGE_PLACES_MAX];
        by_chance(&f, &chance);
        struct vantage_choice c = {.service = STR("svc"),
                                   .home = &f.nodes[0],
                                   .candidates = f.nodes,
                                   .count = f.count,
                                   .wanted =
                                       (size_t)property_between(&chance, 1, VANTAGE_PLACES_MAX)};
        size_t found = vantage_choose(&c, at);
        HOLDS(found <= c.wanted, SEED_FMT "run %d", seed, run);
        for (size_t i = 0; i < found; i++) {
            const struct vantage_candidate *one = &f.nodes[at[i]];
            HOLDS(!str_eq(one->site, f.nodes[0].site), SEED_FMT "run %d: home", seed, run);
            HOLDS(one->tasks < PROBE_TASKS_MAX, SEED_FMT "run %d: busy", seed, run);
            for (size_t k = 0; k < i; k++)
                HOLDS(!str_eq(one->site, f.nodes[at[k]].site), SEED_FMT "run %d: site", seed, run);
        }
        /* Fewer than wanted: then every site that is left is chosen. */
        for (size_t i = 0; found < c.wanted && i < f.count; i++) {
            bool taken =
                str_eq(f.nodes[i].site, f.nodes[0].site) || f.nodes[i].tasks >= PROBE_TASKS_MAX;
            for (size_t k = 0; k < found; k++)
                taken = taken || str_eq(f.nodes[i].site, f.nodes[at[k]].site);
            HOLDS(taken, SEED_FMT "run %d: a site was passed over", seed, run);
        }
        HOLDS(vantage_choose(&c, again) == found && memcmp(at, again, found * sizeof at[0]) == 0,
              SEED_FMT "run %d: not repeated", seed, run);
    }
}
END_TEST

START_TEST(other_cities_come_first_then_other_owners_then_who_has_least_to_do)
{
    const struct vantage_candidate nodes[] = {
        {STR("home"), STR("s0"), STR("FR"), STR("Paris"), STR("a"), 0},
        {STR("near"), STR("s1"), STR("FR"), STR("Paris"), STR("b"), 0},
        {STR("same-owner"), STR("s2"), STR("DE"), STR("Berlin"), STR("a"), 0},
        {STR("busy"), STR("s3"), STR("DE"), STR("Berlin"), STR("b"), 9},
        {STR("free"), STR("s4"), STR("DE"), STR("Bonn"), STR("b"), 1},
    };
    size_t at[VANTAGE_PLACES_MAX];
    struct vantage_choice c = {.service = STR("svc"),
                               .home = &nodes[0],
                               .candidates = nodes,
                               .count = COUNT(nodes),
                               .wanted = 4};
    ck_assert_uint_eq(vantage_choose(&c, at), 4);
    ck_assert_uint_eq(at[0], 4); /* another city and owner, and less to do */
    ck_assert_uint_eq(at[1], 2); /* a city that is new; owners are all known: the less busy one */
    ck_assert_uint_eq(at[2] + at[3], 1 + 3);
    /* What is chosen already is not chosen again, and counts as a city. */
    c.chosen = &nodes[4];
    c.chosen_count = 1;
    c.wanted = 1;
    ck_assert_uint_eq(vantage_choose(&c, at), 1);
    ck_assert_uint_eq(at[0], 2);
}
END_TEST

/* --- the verdict --- */

START_TEST(one_place_alone_says_nothing_and_a_half_changes_nothing)
{
    const enum vantage_seen U = VANTAGE_UP, D = VANTAGE_DOWN, N = VANTAGE_UNKNOWN;
    const struct {
        enum vantage_seen seen[4];
        enum promise_state was, is;
    } cases[] = {
        {{D, N, N, N}, PROMISE_UNKNOWN, PROMISE_UNKNOWN},
        {{U, N, N, N}, PROMISE_KEPT, PROMISE_UNKNOWN},
        {{D, U, N, N}, PROMISE_KEPT, PROMISE_KEPT},
        {{D, U, N, N}, PROMISE_FAILING, PROMISE_FAILING},
        {{D, U, U, N}, PROMISE_KEPT, PROMISE_KEPT},
        {{D, D, U, N}, PROMISE_KEPT, PROMISE_FAILING},
        {{D, D, U, U}, PROMISE_FAILING, PROMISE_FAILING},
        {{D, U, U, U}, PROMISE_FAILING, PROMISE_KEPT},
        {{D, D, VANTAGE_REFUSED, N}, PROMISE_KEPT, PROMISE_FAILING},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(vantage_verdict(cases[i].seen, 4, cases[i].was) == cases[i].is, "case %zu",
                      i);
}
END_TEST

START_TEST(a_place_changes_its_mind_after_two_looks_alike)
{
    static const char looks[] = "-+-++--+-+++"; /* good and bad */
    static const char holds[] = "?UUUUUDDDDUU";
    int64_t streak = 0;
    enum vantage_seen seen = VANTAGE_UNKNOWN;
    for (size_t i = 0; looks[i] != '\0'; i++) {
        seen = vantage_look(seen, looks[i] == '+', &streak);
        ck_assert_msg("?UD"[seen] == holds[i], "look %zu: %s", i, vantage_seen_words[seen]);
    }
    /* What starts down: twice. */
    streak = 0;
    seen = vantage_look(VANTAGE_UNKNOWN, false, &streak);
    ck_assert_int_eq(seen, VANTAGE_UNKNOWN);
    ck_assert_int_eq(vantage_look(seen, false, &streak), VANTAGE_DOWN);
}
END_TEST

/* --- in the store --- */

#define DECEMBER INT64_C(1796083200000000) /* 2026-12-01 UTC */

#define OUTSIDE_PROFILE                                                                        \
    "name: site\nversion: \"1\"\ntitle: Site\nauthor: me\nruntime: container\n"                \
    "image: {name: web}\nresources: {cpu: 500m, memory: 64 MiB, disk: 1 GiB}\n"                \
    "ports: [{name: web, port: 80, published: true}, {name: dns, port: 53, published: true, "  \
    "protocol: udp}, {name: admin, port: 81}]\n"                                               \
    "promises: [{name: answers, kind: http, target: web/health, limit: 204, outside: true}]\n" \
    "processes: [{name: s, command: [/bin/x]}]\n"

enum { SCENE_PLACES = 4 };
struct scene {
    struct shop shop;
    struct service service;
    struct str home;
    struct str nodes[SCENE_PLACES]; /* each at a site of its own */
};

/* Reports as an agent that can look for others. */
static void can_look(struct tx *tx, const struct shop *s, struct str node)
{
    struct report_answer answer;
    struct node n;
    struct str features[] = {STR("container"), PROBE_FEATURE};
    OK(tx, node_get(tx, node, &n));
    struct node_report r = {.cpu_milli = 4000,
                            .memory_bytes = 8 * FLEET_GIB,
                            .disk_bytes = 100 * FLEET_GIB,
                            .revision = n.revision,
                            .features = {features, COUNT(features)}};
    OK(tx, service_report(tx, &s->seal, node, &r, &answer));
}

static void tick(struct tx *tx)
{
    bool more = true;
    OK(tx, vantage_tick(tx, &more));
    ck_assert(!more);
}

static struct vantage seen(struct tx *tx, struct str service)
{
    struct vantage v;
    const struct vantage_query q = {.set = 0};
    OK(tx, vantage_get(tx, service, &q, &v));
    return v;
}

static struct scene make_scene(struct tx *tx)
{
    static const char *const countries[SCENE_PLACES] = {"DE", "ES", "IT", "PT"};
    struct scene c = {.shop = make_shop(tx)};
    tx->now = DECEMBER;
    c.home = make_node(tx, &c.shop, "home", 8);
    make_kind(tx, c.shop.op, OUTSIDE_PROFILE);
    struct plan plan = make_flat(tx, c.shop.op, "site", PLAN_MONTH, "5.00");
    make_sale(tx, c.shop.op, plan.id, "site", NULL, false);
    c.service = order_one(tx, &c.shop, "site-month", false);
    struct str site = c.shop.site;
    for (size_t i = 0; i < SCENE_PLACES; i++) {
        c.shop.site = make_site(tx, c.shop.other, countries[i]);
        c.nodes[i] = make_node(tx, &c.shop, countries[i], 8);
        can_look(tx, &c.shop, c.nodes[i]);
    }
    c.shop.site = site;
    return c;
}

/* The node says where it runs. */
static void runs(struct tx *tx, struct scene *c, const char *port)
{
    struct sighting_fact facts[] = {
        {.set = 3, .name = STR("web.address"), .value = STR("192.0.2.1")},
        {.set = 3, .name = STR("web.port"), .value = str_c(port)}};
    OK(tx, service_get(tx, c->service.id, &c->service));
    struct sighting s = {.id = c->service.id,
                         .generation = c->service.generation,
                         .state = SIGHTING_RUNNING,
                         .facts = {facts, COUNT(facts)}};
    (void)node_says(tx, &c->shop.seal, c->home, 8, &s, 1);
    tick(tx);
}

static struct list tasks_of(struct tx *tx, struct str node)
{
    struct probe_tasks t;
    OK(tx, vantage_tasks(tx, node, &t));
    return t.tasks;
}

/* One look of a node at what it was told, if it was; how many count. */
static int64_t looks(struct tx *tx, struct str node, enum probe_outcome outcome, time_us at)
{
    struct list tasks = tasks_of(tx, node);
    const struct probe_task *task = tasks.items;
    int64_t count = 0;
    if (tasks.count == 0)
        return -1;
    struct probe_result r = {.set = schema_all(&probe_result_schema),
                             .id = task->id,
                             .at = at,
                             .outcome = outcome,
                             .connect_us = 1000,
                             .total_us = 5000,
                             .text = outcome == PROBE_GOOD ? STR("") : STR("nobody answers")};
    const struct probe_results all = {.results = {&r, 1}};
    OK(tx, vantage_take(tx, node, &all, &count));
    return count;
}

/* A minute passes, and all that look see the same. */
static void all_look(struct tx *tx, const struct scene *c, enum probe_outcome outcome)
{
    tx->now += US_PER_MINUTE;
    for (size_t i = 0; i < SCENE_PLACES; i++)
        (void)looks(tx, c->nodes[i], outcome, tx->now);
}

static size_t lookers(struct tx *tx, const struct scene *c)
{
    size_t count = 0;
    for (size_t i = 0; i < SCENE_PLACES; i++)
        count += tasks_of(tx, c->nodes[i]).count;
    return count;
}

TX_TEST(a_profile_has_its_port_looked_at_from_three_other_sites_once_it_runs)
{
    struct scene c = make_scene(tx);
    tick(tx);
    ck_assert_uint_eq(lookers(tx, &c), 0); /* it does not run yet */
    runs(tx, &c, "16500");
    ck_assert_uint_eq(lookers(tx, &c), VANTAGE_PLACES);
    ck_assert_uint_eq(tasks_of(tx, c.home).count, 0);
    struct vantage v = seen(tx, c.service.id);
    ck_assert(v.watched);
    ck_assert_int_eq(v.kind, PROBE_HTTP);
    ck_assert_int_eq(v.status, 204);
    SAME(v.path, STR("/health"));
    ck_assert_int_eq(v.state, PROMISE_UNKNOWN);
    for (size_t i = 0; i < SCENE_PLACES; i++) {
        struct list tasks = tasks_of(tx, c.nodes[i]);
        const struct probe_task *t = tasks.items;
        if (tasks.count == 0)
            continue;
        SAME(t->address, STR("192.0.2.1"));
        ck_assert_int_eq(t->port, 16500);
        ck_assert_int_eq(t->every_s, PROBE_EVERY_S);
        ck_assert(!str_has(t->id, c.service.id));
    }
}

TX_TEST(more_than_half_of_the_places_take_it_down_and_up_again)
{
    struct scene c = make_scene(tx);
    struct promise_change *changes;
    struct page page;
    const struct page_query q = {0};
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT);
    all_look(tx, &c, PROBE_BAD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT); /* once is not enough */
    all_look(tx, &c, PROBE_BAD);
    struct vantage v = seen(tx, c.service.id);
    ck_assert_int_eq(v.state, PROMISE_FAILING);
    ck_assert(str_starts(v.text, STR("2 of 3 places hold it to be down: ")));
    ck_assert(str_has(v.text, STR("City (nobody answers)")));
    ck_assert_int_eq(v.since, tx->now);
    all_look(tx, &c, PROBE_GOOD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_FAILING);
    all_look(tx, &c, PROBE_GOOD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT);
    OK(tx, promise_change_list(tx, c.service.id, &q, &page));
    changes = page.items.items;
    ck_assert_uint_eq(page.items.count, 3);
    SAME(changes[0].name, PROMISE_OUTSIDE);
    ck_assert_int_eq(changes[0].state, PROMISE_KEPT);
    ck_assert_int_eq(changes[1].state, PROMISE_FAILING);
    ck_assert_int_eq(changes[2].state, PROMISE_KEPT);
}

TX_TEST(a_node_that_lies_takes_nothing_down_however_often_it_says_so)
{
    struct scene c = make_scene(tx);
    runs(tx, &c, "16500");
    struct str liar = STR("");
    for (int k = 0; k < 5; k++) {
        tx->now += US_PER_MINUTE;
        for (size_t i = 0; i < SCENE_PLACES; i++) {
            bool asked = tasks_of(tx, c.nodes[i]).count > 0;
            liar = asked && liar.n == 0 ? c.nodes[i] : liar;
            bool lies = str_eq(liar, c.nodes[i]);
            if (asked)
                ck_assert_int_eq(looks(tx, c.nodes[i], lies ? PROBE_BAD : PROBE_GOOD, tx->now), 1);
        }
        ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT);
    }
    /* Nor faster than it is asked, nor from the future, nor twice, nor for others. */
    ck_assert_int_eq(looks(tx, liar, PROBE_BAD, tx->now), 0);
    ck_assert_int_eq(looks(tx, liar, PROBE_BAD, tx->now + 10 * US_PER_SECOND), 0);
    ck_assert_int_eq(looks(tx, liar, PROBE_BAD, tx->now + 2 * US_PER_MINUTE), 0);
    ck_assert_int_eq(looks(tx, liar, PROBE_BAD, tx->now - 10 * US_PER_SECOND), 0);
    struct list tasks = tasks_of(tx, liar);
    struct probe_result r = {.id = ((const struct probe_task *)tasks.items)->id,
                             .at = tx->now + US_PER_MINUTE,
                             .outcome = PROBE_BAD,
                             .text = STR("")};
    const struct probe_results all = {.results = {&r, 1}};
    int64_t count = 9;
    tx->now += US_PER_MINUTE;
    OK(tx, vantage_take(tx, c.home, &all, &count));
    ck_assert_int_eq(count, 0);
}

TX_TEST(an_alert_of_the_client_tells_it_once_and_that_it_is_over)
{
    struct scene c = make_scene(tx);
    struct alert a;
    struct alert fresh = {.name = STR("outside"), .mail = STR("night@example.net")};
    struct page page;
    const struct page_query q = {0};
    OK(tx, alert_create(tx, &c.shop.seal, c.shop.client, &fresh, &a));
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    for (int i = 0; i < 6; i++) {
        all_look(tx, &c, PROBE_BAD);
        OK(tx, alert_tick(tx));
    }
    OK(tx, alert_delivery_list(tx, a.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    struct alert_delivery *told = page.items.items;
    ck_assert_int_eq(told[0].kind, ALERT_FAILING);
    SAME(told[0].promise, PROMISE_OUTSIDE);
    all_look(tx, &c, PROBE_GOOD);
    all_look(tx, &c, PROBE_GOOD);
    OK(tx, alert_delivery_list(tx, a.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    told = page.items.items;
    ck_assert_int_eq(told[0].kind, ALERT_RECOVERED);
}

TX_TEST(places_that_fall_silent_have_no_voice)
{
    struct scene c = make_scene(tx);
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    tx->now += VANTAGE_AGAIN_US + US_PER_MINUTE;
    for (size_t i = 0; i < SCENE_PLACES; i++)
        can_look(tx, &c.shop, c.nodes[i]); /* they live, and say nothing of it */
    tick(tx);
    struct vantage v = seen(tx, c.service.id);
    ck_assert_int_eq(v.state, PROMISE_UNKNOWN);
    ck_assert_uint_eq(v.seen_from.count, VANTAGE_PLACES);
    ck_assert(((const struct vantage_place *)v.seen_from.items)->late);
}

TX_TEST(a_node_that_refuses_leaves_its_place_to_another)
{
    struct scene c = make_scene(tx);
    runs(tx, &c, "16500");
    size_t first = 0;
    while (tasks_of(tx, c.nodes[first]).count == 0)
        first++;
    tx->now += US_PER_MINUTE;
    ck_assert_int_eq(looks(tx, c.nodes[first], PROBE_REFUSED, tx->now), 1);
    ck_assert_uint_eq(tasks_of(tx, c.nodes[first]).count, 0);
    ck_assert_uint_eq(seen(tx, c.service.id).seen_daily.count, 0); /* that was no look */
    tick(tx);
    ck_assert_uint_eq(lookers(tx, &c), VANTAGE_PLACES);
    ck_assert_uint_eq(tasks_of(tx, c.nodes[first]).count, 0);
}

TX_TEST(what_moves_or_stops_is_judged_anew)
{
    struct scene c = make_scene(tx);
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    all_look(tx, &c, PROBE_BAD);
    time_us before = tx->now;
    tx->now += US_PER_MINUTE;
    runs(tx, &c, "16516"); /* published elsewhere */
    struct vantage v = seen(tx, c.service.id);
    ck_assert_int_eq(v.state, PROMISE_UNKNOWN);
    size_t first = 0;
    while (tasks_of(tx, c.nodes[first]).count == 0)
        first++;
    struct list tasks = tasks_of(tx, c.nodes[first]);
    ck_assert_int_eq(((const struct probe_task *)tasks.items)->port, 16516);
    ck_assert_int_eq(looks(tx, c.nodes[first], PROBE_BAD, before + 50 * US_PER_SECOND), 0);
    all_look(tx, &c, PROBE_GOOD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT);
    OK(tx, service_act(tx, &c.shop.seal, c.service.id, SERVICE_STOP, &c.service));
    tick(tx);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_UNKNOWN);
    ck_assert_uint_eq(lookers(tx, &c), 0);
    OK(tx, service_act(tx, &c.shop.seal, c.service.id, SERVICE_CANCEL, &c.service));
    tick(tx);
    ck_assert(!seen(tx, c.service.id).watched);
}

TX_TEST(ports_that_agents_do_not_publish_are_never_looked_at)
{
    static const char *const ports[] = {"22", "443", "16499", "32500", "65535", "x"};
    for (size_t i = 0; i < COUNT(ports); i++) {
        static struct scene c;
        if (i == 0)
            c = make_scene(tx);
        runs(tx, &c, ports[i]);
        ck_assert_msg(lookers(tx, &c) == 0, "port %s", ports[i]);
    }
}

TX_TEST(clients_say_what_is_looked_at_and_wrong_ones_are_named)
{
    struct scene c = make_scene(tx);
    struct vantage v;
    struct service quiet = order_one(tx, &c.shop, "small-month", false);
    ck_assert(!seen(tx, quiet.id).watched); /* its profile says nothing of it */
    struct vantage_order o = {.set = 0};
    OK(tx, vantage_set(tx, quiet.id, &o, &v));
    ck_assert(v.watched);
    SAME(v.port, STR("web"));
    ck_assert_int_eq(v.kind, PROBE_TCP);
    ck_assert_int_eq(v.places, VANTAGE_PLACES);
    o = (struct vantage_order){.kind = PROBE_HTTP, .path = STR("/up"), .contains = STR("fine")};
    o.set = schema_bit(&vantage_order_schema, "kind") | schema_bit(&vantage_order_schema, "path") |
            schema_bit(&vantage_order_schema, "contains");
    OK(tx, vantage_set(tx, quiet.id, &o, &v));
    SAME(v.path, STR("/up"));
    SAME(v.contains, STR("fine"));
    o = (struct vantage_order){.places = 5, .every_s = 30};
    o.set =
        schema_bit(&vantage_order_schema, "places") | schema_bit(&vantage_order_schema, "every_s");
    OK(tx, vantage_set(tx, quiet.id, &o, &v));
    ck_assert_int_eq(v.places, 5);
    ck_assert_int_eq(v.every_s, 30);
    SAME(v.path, STR("/up")); /* what is not said stays */
    o = (struct vantage_order){.set = schema_bit(&vantage_order_schema, "port"),
                               .port = STR("admin")};
    FAILS(tx, RC_INVALID, "/port", vantage_set(tx, c.service.id, &o, &v));
    o.port = STR("dns");
    FAILS(tx, RC_INVALID, "/port", vantage_set(tx, c.service.id, &o, &v));
    o = (struct vantage_order){.set = schema_bit(&vantage_order_schema, "path"),
                               .path = STR("no/slash")};
    FAILS(tx, RC_INVALID, "/path", vantage_set(tx, c.service.id, &o, &v));
    o.path = STR("/a b");
    FAILS(tx, RC_INVALID, "/path", vantage_set(tx, c.service.id, &o, &v));
    o = (struct vantage_order){.set = schema_bit(&vantage_order_schema, "days"), .days = 3};
    FAILS(tx, RC_INVALID, "/days", vantage_set(tx, c.service.id, &o, &v));
    o = (struct vantage_order){.set = schema_bit(&vantage_order_schema, "watched")};
    OK(tx, vantage_set(tx, c.service.id, &o, &v));
    ck_assert(!v.watched);
    FAILS(tx, RC_NOT_FOUND, NULL, vantage_set(tx, STR("svc_none"), &o, &v));
    OK(tx, service_act(tx, &c.shop.seal, c.service.id, SERVICE_CANCEL, &c.service));
    FAILS(tx, RC_CONFLICT, NULL, vantage_set(tx, c.service.id, &o, &v));
}

/* A node that was told of the old place, or of the old way, and has not asked since. */
static int64_t goes_on_looking(struct tx *tx, struct str node, struct str id)
{
    int64_t count = -1;
    tx->now += US_PER_MINUTE;
    struct probe_result r = {.set = schema_all(&probe_result_schema),
                             .id = id,
                             .at = tx->now,
                             .outcome = PROBE_BAD,
                             .text = STR("nobody answers")};
    const struct probe_results all = {.results = {&r, 1}};
    OK(tx, vantage_take(tx, node, &all, &count));
    return count;
}

TX_TEST(who_still_looks_where_it_was_or_as_was_wished_before_is_not_heard)
{
    struct scene c = make_scene(tx);
    struct vantage v;
    const struct vantage_order o = {.set = schema_bit(&vantage_order_schema, "path"),
                                    .path = STR("/other")};
    const struct vantage_order slower = {.set = schema_bit(&vantage_order_schema, "every_s"),
                                         .every_s = 61};
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    size_t first = 0;
    while (tasks_of(tx, c.nodes[first]).count == 0)
        first++;
    struct list tasks = tasks_of(tx, c.nodes[first]);
    struct str old = ((const struct probe_task *)tasks.items)->id;
    runs(tx, &c, "16516"); /* published elsewhere */
    ck_assert_int_eq(goes_on_looking(tx, c.nodes[first], old), 0);
    ck_assert_uint_eq(lookers(tx, &c), VANTAGE_PLACES);
    all_look(tx, &c, PROBE_GOOD);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_KEPT);
    tasks = tasks_of(tx, c.nodes[first]);
    old = ((const struct probe_task *)tasks.items)->id;
    OK(tx, vantage_set(tx, c.service.id, &slower, &v)); /* it is the same look */
    ck_assert_int_eq(goes_on_looking(tx, c.nodes[first], old), 1);
    OK(tx, vantage_set(tx, c.service.id, &o, &v));
    ck_assert_int_eq(goes_on_looking(tx, c.nodes[first], old), 0);
    ck_assert_uint_eq(lookers(tx, &c), VANTAGE_PLACES);
}

TX_TEST(switched_off_nobody_looks_and_on_again_they_do)
{
    struct scene c = make_scene(tx);
    struct vantage v;
    struct vantage_order o = {.set = schema_bit(&vantage_order_schema, "watched")};
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    OK(tx, vantage_set(tx, c.service.id, &o, &v));
    tick(tx);
    ck_assert_uint_eq(lookers(tx, &c), 0);
    ck_assert_int_eq(seen(tx, c.service.id).state, PROMISE_UNKNOWN);
    o.watched = true;
    OK(tx, vantage_set(tx, c.service.id, &o, &v));
    tick(tx);
    ck_assert_uint_eq(lookers(tx, &c), VANTAGE_PLACES);
}

/* --- days --- */

/* 20 looks of a day from one place, of 1 to 20 ms, the third bad. */
static struct str fill_a_day(struct tx *tx, struct scene *c)
{
    size_t first = 0;
    while (tasks_of(tx, c->nodes[first]).count == 0)
        first++;
    struct list tasks = tasks_of(tx, c->nodes[first]);
    struct probe_result r[20];
    int64_t count = 0;
    for (size_t i = 0; i < COUNT(r); i++) {
        tx->now += US_PER_MINUTE;
        r[i] = (struct probe_result){.id = ((const struct probe_task *)tasks.items)->id,
                                     .at = tx->now,
                                     .outcome = i == 2 ? PROBE_BAD : PROBE_GOOD,
                                     /* not in their order */
                                     .total_us = (int64_t)((i * 7) % COUNT(r) + 1) * 1000,
                                     .text = STR("")};
    }
    const struct probe_results all = {.results = {r, COUNT(r)}};
    OK(tx, vantage_take(tx, c->nodes[first], &all, &count));
    ck_assert_int_eq(count, COUNT(r));
    return c->nodes[first];
}

TX_TEST(days_are_shown_by_city_and_stay_when_their_looks_are_forgotten)
{
    struct scene c = make_scene(tx);
    struct site_vantage site;
    struct vantage_query q = {.set = schema_bit(&vantage_query_schema, "days"), .days = 60};
    runs(tx, &c, "16500");
    (void)fill_a_day(tx, &c);
    /* Good ones: 1 to 20 ms without the third's 15. Of 19, the 10th and the 19th. */
    for (int pass = 0; pass < 2; pass++) {
        struct vantage v;
        OK(tx, vantage_get(tx, c.service.id, &q, &v));
        ck_assert_uint_eq(v.seen_daily.count, 1);
        const struct vantage_day *d = v.seen_daily.items;
        SAME(d->day, STR("2026-12-01"));
        SAME(d->city, STR("City"));
        ck_assert_int_eq(d->probes, 20);
        ck_assert_int_eq(d->failures, 1);
        SAME(d->percent, STR("95.000"));
        ck_assert_int_eq(d->p50_us, 10000);
        ck_assert_int_eq(d->p95_us, 20000);
        tx->now = DECEMBER + 20 * US_PER_DAY;
        tick(tx); /* makes the day out */
        tick(tx); /* forgets its looks */
    }
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM vantage_probe"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0);
    OK(tx, vantage_site(tx, c.shop.site, &q, &site));
    ck_assert_uint_eq(site.seen_daily.count, 1);
    const struct vantage_day *d = site.seen_daily.items;
    ck_assert_int_eq(d->services, 1);
    ck_assert_int_eq(d->probes, 20);
    ck_assert_int_eq(d->p95_us, 20000);
    tx->now = DECEMBER + 500 * US_PER_DAY;
    tick(tx);
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM vantage_day"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0);
}

TX_TEST(what_comes_late_counts_for_its_day_and_what_comes_too_late_does_not)
{
    struct scene c = make_scene(tx);
    runs(tx, &c, "16500");
    size_t first = 0;
    while (tasks_of(tx, c.nodes[first]).count == 0)
        first++;
    tx->now += 2 * US_PER_DAY;
    ck_assert_int_eq(looks(tx, c.nodes[first], PROBE_BAD, DECEMBER + US_PER_HOUR), 1);
    ck_assert_int_eq(looks(tx, c.nodes[first], PROBE_BAD, DECEMBER + 2 * US_PER_HOUR), 1);
    struct vantage v = seen(tx, c.service.id);
    ck_assert_int_eq(v.state, PROMISE_UNKNOWN); /* that was then */
    SAME(((const struct vantage_day *)v.seen_daily.items)->day, STR("2026-12-01"));
    tx->now += 2 * US_PER_DAY;
    ck_assert_int_eq(looks(tx, c.nodes[first], PROBE_BAD, DECEMBER + 3 * US_PER_HOUR), 0);
}

TX_TEST(the_node_s_owner_sees_an_address_and_nothing_else)
{
    struct scene c = make_scene(tx);
    struct page page;
    const struct page_query q = {0};
    runs(tx, &c, "16500");
    struct str node = fill_a_day(tx, &c);
    OK(tx, vantage_node(tx, node, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    struct node_probe *p = page.items.items;
    SAME(p->address, STR("192.0.2.1"));
    ck_assert_int_eq(p->seen, VANTAGE_UP);
    struct buf b;
    struct json_writer w;
    buf_init(&b, tx->arena, 10000);
    json_writer_init(&w, &b);
    schema_encode(&node_probe_schema, p, &w);
    ck_assert(!str_has(buf_str(&b), c.service.id));
    ck_assert(!str_has(buf_str(&b), c.shop.client));
}

TX_TEST(availability_counts_what_others_see_apart)
{
    struct scene c = make_scene(tx);
    struct availability a;
    runs(tx, &c, "16500");
    all_look(tx, &c, PROBE_GOOD);
    tx->now += 599 * US_PER_SECOND;
    all_look(tx, &c, PROBE_BAD);
    tx->now += US_PER_SECOND;
    all_look(tx, &c, PROBE_BAD);
    time_us down = tx->now;
    tx->now += 100 * US_PER_SECOND;
    OK(tx, availability_of(tx, c.service.id, STR(""), &a));
    ck_assert_int_eq(a.observed_s, 0); /* its agent said nothing of promises */
    ck_assert((a.set & schema_bit(&availability_schema, "percent")) == 0);
    ck_assert_int_eq(a.outside_failing_s, 100);
    ck_assert_int_eq(a.outside_kept_s, (down - DECEMBER) / US_PER_SECOND - 60);
    ck_assert(a.outside_percent.n > 0);
}

Suite *vantage_suite(void);
Suite *vantage_suite(void)
{
    Suite *s = suite_create("vantage");
    TCase *t = tcase_create("vantage");
    tcase_add_test(t, places_are_of_other_sites_and_never_of_one_twice);
    tcase_add_test(t, other_cities_come_first_then_other_owners_then_who_has_least_to_do);
    tcase_add_test(t, one_place_alone_says_nothing_and_a_half_changes_nothing);
    tcase_add_test(t, a_place_changes_its_mind_after_two_looks_alike);
    tcase_add_test(t, a_profile_has_its_port_looked_at_from_three_other_sites_once_it_runs);
    tcase_add_test(t, more_than_half_of_the_places_take_it_down_and_up_again);
    tcase_add_test(t, a_node_that_lies_takes_nothing_down_however_often_it_says_so);
    tcase_add_test(t, an_alert_of_the_client_tells_it_once_and_that_it_is_over);
    tcase_add_test(t, places_that_fall_silent_have_no_voice);
    tcase_add_test(t, a_node_that_refuses_leaves_its_place_to_another);
    tcase_add_test(t, what_moves_or_stops_is_judged_anew);
    tcase_add_test(t, ports_that_agents_do_not_publish_are_never_looked_at);
    tcase_add_test(t, clients_say_what_is_looked_at_and_wrong_ones_are_named);
    tcase_add_test(t, who_still_looks_where_it_was_or_as_was_wished_before_is_not_heard);
    tcase_add_test(t, switched_off_nobody_looks_and_on_again_they_do);
    tcase_add_test(t, days_are_shown_by_city_and_stay_when_their_looks_are_forgotten);
    tcase_add_test(t, what_comes_late_counts_for_its_day_and_what_comes_too_late_does_not);
    tcase_add_test(t, the_node_s_owner_sees_an_address_and_nothing_else);
    tcase_add_test(t, availability_counts_what_others_see_apart);
    suite_add_tcase(s, t);
    return s;
}
