/* The cost sheet of a server: the mission's example, its pieces, and what is refused. */
#include "fleet/node_cost.h"

#include "fleet/fleet_fixture.h"

/* RS1's sheet: 1,380 over 20 months, 26 of electricity; in all 167. */
static struct node_cost example(void)
{
    struct node_cost s = {.currency = STR("EUR"),
                          .server_price = STR("1380"),
                          .useful_months = 20,
                          .power_watts = 200,
                          .kwh_price = STR("0.178082192"),
                          .interest = STR("6"),
                          .network = STR("8"),
                          .hosting = STR("13"),
                          .software = STR("20"),
                          .management = STR("20"),
                          .replacement = STR("4"),
                          .repair = STR("1")};
    static const char *const given[] = {"currency",  "server_price", "useful_months", "power_watts",
                                        "kwh_price", "interest",     "network",       "hosting",
                                        "software",  "management",   "replacement",   "repair"};
    for (size_t i = 0; i < COUNT(given); i++)
        s.set |= schema_bit(&node_cost_schema, given[i]);
    return s;
}

static struct node_cost computed(struct tx *tx, struct node_cost s, int64_t cpu, int64_t memory)
{
    OK(tx, node_cost_compute(&s, cpu, memory, tx->arena, tx->err));
    return s;
}

TX_TEST(the_sheet_of_the_mission_adds_up)
{
    struct node_cost s = computed(tx, example(), 8000, 32 * FLEET_GIB);
    SAME(s.amortisation, STR("69.00"));
    SAME(s.electricity, STR("26.000000032"));
    SAME(s.month, STR("167.000000032"));
    SAME(s.hour, STR("0.228767123"));
    SAME(s.vcpu_month, STR("10.437500002"));
    SAME(s.vcpu_hour, STR("0.014297945"));
    SAME(s.gib_month, STR("2.609375001"));
    SAME(s.gib_hour, STR("0.003574486"));
    const struct str *steps = s.formula.items;
    ck_assert_uint_eq(s.formula.count, NODE_COST_STEPS);
    SAME(steps[0], STR("amortisation = 1380 / 20 months = 69.00"));
    SAME(steps[1], STR("electricity = 200 W x 730 h / 1000 x 0.178082192 = 26.000000032"));
    SAME(steps[4], STR("vCPU = month x 50 % / 8.00 = 10.437500002; an hour / 730 = 0.014297945"));
}

TX_TEST(pieces_are_parted_as_is_said_and_add_up_to_the_whole)
{
    struct node_cost s = {.currency = STR("EUR"), .hosting = STR("100"), .cpu_percent = 80};
    s.set = schema_bit(&node_cost_schema, "currency") | schema_bit(&node_cost_schema, "hosting") |
            schema_bit(&node_cost_schema, "cpu_percent");
    struct node_cost all = computed(tx, s, 4000, 10 * FLEET_GIB);
    SAME(all.vcpu_month, STR("20.00")); /* 4 of them are 80 */
    SAME(all.gib_month, STR("2.00"));   /* 10 of them are 20 */
    all = computed(tx, s, 0, 0);
    SAME(all.month, STR("100.00"));
    ck_assert_uint_eq(all.vcpu_month.n, 0);
    ck_assert_uint_eq(all.gib_month.n, 0);
}

TX_TEST(the_planner_takes_its_own_words)
{
    struct node_cost s = computed(tx, example(), 8000, 32 * FLEET_GIB);
    SAME(s.plan, STR("{\"currency\":\"EUR\",\"servers\":1,\"server_price\":\"1380\","
                     "\"useful_months\":20,\"costs\":{\"electricity\":\"26.000000032\","
                     "\"interest\":\"6\",\"network\":\"8\",\"hosting\":\"13\",\"software\":\"20\","
                     "\"management\":\"20\",\"replacement\":\"4\",\"repair\":\"1\"}}"));
}

TX_TEST(the_largest_sheet_overflows_nothing)
{
    struct node_cost s = example();
    struct str most = STR("1000000000000");
    s.server_price = s.kwh_price = s.interest = s.network = s.hosting = s.software = most;
    s.management = s.replacement = s.repair = most;
    s.useful_months = 1;
    s.power_watts = NODE_WATTS_MAX;
    s = computed(tx, s, 1, 1);
    ck_assert_uint_gt(s.gib_month.n, 0);
    ck_assert(s.gib_month.p[0] != '-' && s.vcpu_month.p[0] != '-');
}

TX_TEST(what_says_no_cost_is_refused_by_name)
{
    struct node_cost s = example();
    s.currency = STR("XXY");
    FAILS(tx, RC_INVALID, "/currency", node_cost_compute(&s, 1, 1, tx->arena, tx->err));
    s = example();
    s.useful_months = 0;
    FAILS(tx, RC_INVALID, "/useful_months", node_cost_compute(&s, 1, 1, tx->arena, tx->err));
    s = example();
    s.kwh_price = STR("");
    FAILS(tx, RC_INVALID, "/kwh_price", node_cost_compute(&s, 1, 1, tx->arena, tx->err));
    s = example();
    s.repair = STR("-1");
    FAILS(tx, RC_INVALID, "/repair", node_cost_compute(&s, 1, 1, tx->arena, tx->err));
    s = example();
    s.hosting = STR("1000000000000.1");
    FAILS(tx, RC_INVALID, "/hosting", node_cost_compute(&s, 1, 1, tx->arena, tx->err));
}

TX_TEST(a_sheet_is_kept_and_follows_what_the_server_has)
{
    struct shop shop = make_shop(tx);
    struct str node = make_node(tx, &shop, "a", 8);
    struct node_cost s = example(), kept, read;
    FAILS(tx, RC_NOT_FOUND, NULL, node_cost_get(tx, node, &read));
    OK(tx, node_cost_set(tx, node, &s, &kept));
    OK(tx, node_cost_get(tx, node, &read));
    SAME(read.gib_month, kept.gib_month);
    SAME(read.gib_month, STR("10.437500002")); /* half of 167, by 8 GiB */
    (void)node_says(tx, &shop.seal, node, 16, NULL, 0);
    OK(tx, node_cost_get(tx, node, &read));
    SAME(read.gib_month, STR("5.218750001"));
    OK(tx, sql_run(tx, "UPDATE node SET commitment_percent = 200 WHERE id = $1", V(node)));
    OK(tx, node_cost_get(tx, node, &read));
    SAME(read.vcpu_month, STR("10.437500002")); /* 4 cores are 8 promised ones */
    s.repair = STR("");
    OK(tx, node_cost_set(tx, node, &s, &kept));
    OK(tx, node_cost_get(tx, node, &read));
    SAME(read.month, STR("166.000000032"));
}

Suite *node_cost_suite(void);
Suite *node_cost_suite(void)
{
    Suite *s = suite_create("node_cost");
    TCase *c = tcase_create("node_cost");
    tcase_add_test(c, the_sheet_of_the_mission_adds_up);
    tcase_add_test(c, pieces_are_parted_as_is_said_and_add_up_to_the_whole);
    tcase_add_test(c, the_planner_takes_its_own_words);
    tcase_add_test(c, the_largest_sheet_overflows_nothing);
    tcase_add_test(c, what_says_no_cost_is_refused_by_name);
    tcase_add_test(c, a_sheet_is_kept_and_follows_what_the_server_has);
    suite_add_tcase(s, c);
    return s;
}
