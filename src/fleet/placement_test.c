#include "fleet/placement.h"

#include "base/clock.h"
#include "fleet/words.h"

#include <check.h>

#define GIB (INT64_C(1) << 30)

static struct arena arena;
static struct err err;

static void up(void)
{
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    err = (struct err){0};
}

static void down(void)
{
    arena_fini(&arena);
}

static struct placement_node node(const char *id, const char *site, const char *country,
                                  const char *city, int64_t gib)
{
    return (struct placement_node){.id = str_c(id),
                                   .site = str_c(site),
                                   .country = str_c(country),
                                   .city = str_c(city),
                                   .features = STR("container vm"),
                                   .cpu_free = 8000,
                                   .memory_free = gib * GIB,
                                   .disk_free = 100 * GIB};
}

static struct placement_wish wish(int64_t gib)
{
    return (struct placement_wish){.cpu_milli = 1000,
                                   .memory_bytes = gib * GIB,
                                   .disk_bytes = 10 * GIB,
                                   .feature = STR("container"),
                                   .price_class_max = -1};
}

START_TEST(pack_fills_up_and_spread_evens_out)
{
    struct placement_node nodes[] = {node("a", "s1", "FR", "Paris", 8),
                                     node("b", "s1", "FR", "Paris", 4),
                                     node("c", "s2", "CN", "Shanghai", 16)};
    struct placement *p = placement_new(nodes, COUNT(nodes), &arena);
    struct placement_wish w = wish(2);
    size_t at = 0;
    ck_assert_int_eq(placement_choose(p, &w, &arena, &at, &err), RC_OK);
    ck_assert_uint_eq(at, 1);
    w.spread = true;
    ck_assert_int_eq(placement_choose(p, &w, &arena, &at, &err), RC_OK);
    ck_assert_uint_eq(at, 2);
    w.country = STR("FR");
    ck_assert_int_eq(placement_choose(p, &w, &arena, &at, &err), RC_OK);
    ck_assert_uint_eq(at, 0);
    struct str beside = STR("a");
    w.not_beside = &beside;
    w.not_beside_count = 1;
    ck_assert_int_eq(placement_choose(p, &w, &arena, &at, &err), RC_OK);
    ck_assert_uint_eq(at, 1);
}
END_TEST

static void refused(const struct placement *p, struct placement_wish w, const char *text)
{
    size_t at = 7;
    err = (struct err){0};
    ck_assert_int_eq(placement_choose(p, &w, &arena, &at, &err), RC_CONFLICT);
    ck_assert_msg(str_eq(err_text(&err), str_c(text)), "%s", err.text);
    ck_assert_uint_eq(at, 7);
}

START_TEST(refusals_say_how_far_the_wishes_could_be_followed)
{
    struct placement_node nodes[] = {
        node("a", "s1", "FR", "Paris", 8), node("b", "s2", "CN", "Shanghai", 8),
        node("c", "s2", "CN", "Shanghai", 8), node("d", "s2", "CN", "Shanghai", 1)};
    nodes[0].labels = STR("ssd gpu");
    struct placement *p = placement_new(nodes, COUNT(nodes), &arena);
    struct placement_wish w = wish(4);
    w.public = true;
    w.country = STR("CN");
    refused(p, w, "2 nodes are in that country, none in CN has the ICP licence");
    w.city = STR("Shanghai");
    refused(p, w, "2 nodes are in that city, none in Shanghai has the ICP licence");
    w = wish(16);
    refused(p, w, "4 nodes can run it, none has 16 GiB of memory free");
    w = wish(4);
    w.city = STR("Lima");
    refused(p, w, "3 nodes have the room, none is in Lima");
    w = wish(4);
    w.labels = STR("ssd arm");
    refused(p, w, "3 nodes have the room, none has the labels ssd arm");
    w = wish(4);
    w.feature = STR("wasm");
    refused(p, w, "4 nodes take services, none can run a wasm");
    w = wish(4);
    w.country = STR("FR");
    struct str beside = STR("a");
    w.not_beside = &beside;
    w.not_beside_count = 1;
    refused(p, w, "1 node is in that country, none is away from what it must not stand beside");
    struct placement *none = placement_new(nodes, 0, &arena);
    refused(none, wish(1), "there is no node that takes services");
}
END_TEST

START_TEST(the_legal_gate_opens_with_the_licence)
{
    struct placement_node nodes[] = {node("a", "s1", "CN", "Shanghai", 8)};
    struct placement_wish w = wish(1);
    size_t at = 0;
    w.public = true;
    ck_assert_int_eq(placement_choose(placement_new(nodes, 1, &arena), &w, &arena, &at, &err),
                     RC_CONFLICT);
    nodes[0].legal = STR("x icp");
    ck_assert_int_eq(placement_choose(placement_new(nodes, 1, &arena), &w, &arena, &at, &err),
                     RC_OK);
    nodes[0].legal = STR("");
    w.public = false;
    ck_assert_int_eq(placement_choose(placement_new(nodes, 1, &arena), &w, &arena, &at, &err),
                     RC_OK);
}
END_TEST

/* The same question, asked of each node by itself. */
static bool fits(const struct placement_node *n, const struct placement_wish *w)
{
    return n->memory_free >= w->memory_bytes && n->cpu_free >= w->cpu_milli &&
           n->disk_free >= w->disk_bytes && words_have(n->features, w->feature) &&
           (w->country.n == 0 || str_eq(w->country, n->country)) &&
           (w->labels.n == 0 || words_have(n->labels, w->labels)) &&
           (!w->public || placement_licence(n->country).n == 0 || words_have(n->legal, STR("icp")));
}

START_TEST(a_choice_fits_and_a_refusal_is_true)
{
    enum { NODES = 40, ROUNDS = 3000 };
    static const char *const countries[] = {"FR", "CN", "DE"};
    static const char *const labels[] = {"", "ssd", "ssd gpu"};
    const uint64_t seed = 4711;
    struct clock_sim sim;
    clock_sim_init(&sim, 0, seed);
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(&arena);
        struct placement_node nodes[NODES];
        size_t count = clock_sim_below(&sim, NODES), at = 0;
        for (size_t i = 0; i < count; i++) {
            const char *country = countries[clock_sim_below(&sim, 3)];
            nodes[i] = node(arena_fmt(&arena, "n%zu", i).p, country, country, "",
                            (int64_t)clock_sim_below(&sim, 16));
            nodes[i].labels = str_c(labels[clock_sim_below(&sim, 3)]);
            nodes[i].legal =
                str_eq(nodes[i].country, STR("CN")) && round % 2 ? STR("icp") : STR("");
            nodes[i].features = clock_sim_below(&sim, 4) ? STR("container vm:qemu") : STR("vm");
        }
        struct placement *p = placement_new(nodes, count, &arena);
        struct placement_wish w = wish((int64_t)clock_sim_below(&sim, 8));
        w.public = clock_sim_below(&sim, 2) > 0;
        w.spread = clock_sim_below(&sim, 2) > 0;
        if (clock_sim_below(&sim, 2) > 0)
            w.country = str_c(countries[clock_sim_below(&sim, 3)]);
        if (clock_sim_below(&sim, 3) == 0)
            w.labels = STR("gpu");
        size_t possible = 0;
        for (size_t i = 0; i < count; i++)
            possible += fits(&nodes[i], &w);
        err = (struct err){0};
        enum rc rc = placement_choose(p, &w, &arena, &at, &err);
        ck_assert_msg(rc == (possible > 0 ? RC_OK : RC_CONFLICT), "seed %llu round %d: %s",
                      (unsigned long long)seed, round, err.text);
        if (rc != RC_OK)
            continue;
        ck_assert(fits(&nodes[at], &w));
        for (size_t i = 0; i < count; i++)
            if (fits(&nodes[i], &w))
                ck_assert(w.spread ? nodes[i].memory_free <= nodes[at].memory_free
                                   : nodes[i].memory_free >= nodes[at].memory_free);
        placement_take(p, at, &w);
        ck_assert(placement_has_room(p, at, &w) == (nodes[at].memory_free >= 2 * w.memory_bytes));
    }
}
END_TEST

Suite *placement_suite(void);
Suite *placement_suite(void)
{
    Suite *s = suite_create("placement");
    TCase *t = tcase_create("choice");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, pack_fills_up_and_spread_evens_out);
    tcase_add_test(t, refusals_say_how_far_the_wishes_could_be_followed);
    tcase_add_test(t, the_legal_gate_opens_with_the_licence);
    tcase_add_test(t, a_choice_fits_and_a_refusal_is_true);
    suite_add_tcase(s, t);
    return s;
}
