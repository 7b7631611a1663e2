/*
 * The figures of the mission documents, computed (specs/billing.md 3.5 and 3.6), and what is
 * refused.
 */
#include "plan/example.h"
#include "plan/inside.h"

#include <check.h>

static struct arena arena;
static struct forecast_answer answer;

static void setup(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static void compute(const char *json)
{
    struct err err = {0};
    struct forecast plan;
    ck_assert_msg(forecast_parse(str_c(json), &arena, &plan, &err) == RC_OK, "%s", err.text);
    ck_assert_msg(forecast_compute(&plan, &arena, &answer, &err) == RC_OK, "%s", err.text);
}

static void compute_example(const char *name)
{
    const struct forecast_example *e = forecast_example_find(str_c(name));
    ck_assert_ptr_nonnull(e);
    compute(e->json);
}

#define SAME(got, want) ck_assert_msg(str_eq((got), STR(want)), "%.*s, want %s", STRF(got), (want))

static const struct forecast_role_profit *role(enum forecast_role r)
{
    return &((const struct forecast_role_profit *)answer.roles.items)[r];
}

static const struct forecast_payback *payback(size_t i)
{
    ck_assert_uint_lt(i, answer.paybacks.count);
    return &((const struct forecast_payback *)answer.paybacks.items)[i];
}

static const struct forecast_period *month(size_t number)
{
    ck_assert_uint_le(number, answer.months.count);
    return &((const struct forecast_period *)answer.months.items)[number - 1];
}

static const struct forecast_period *year(size_t number)
{
    ck_assert_uint_le(number, answer.years.count);
    return &((const struct forecast_period *)answer.years.items)[number - 1];
}

static const struct forecast_variance *variance(const char *what)
{
    const struct forecast_variance *v = answer.variances.items;
    for (size_t i = 0; i < answer.variances.count; i++)
        if (str_eq(v[i].what, str_c(what)))
            return &v[i];
    ck_abort_msg("no variance '%s'", what);
}

static void check_variance(const char *what, const char *declared, const char *computed,
                           const char *difference)
{
    const struct forecast_variance *v = variance(what);
    ck_assert_msg(str_eq(v->declared, str_c(declared)), "%s: %.*s", what, STRF(v->declared));
    ck_assert_msg(str_eq(v->computed, str_c(computed)), "%s: %.*s", what, STRF(v->computed));
    ck_assert_msg(str_eq(v->difference, str_c(difference)), "%s: %.*s", what, STRF(v->difference));
    ck_assert_int_eq(v->agrees, strcmp(difference, "0") == 0);
    ck_assert_msg(v->agrees || v->why.n > 0, "%s: nobody says why", what);
}

/* --- the documents --- */

START_TEST(rapid_space_costs_167_and_leaves_28)
{
    compute_example("rapid-space");
    SAME(answer.price, "195.00");
    SAME(answer.cost, "167.00");
    SAME(answer.margin, "28.00");
    SAME(role(FORECAST_INVEST)->profit, "28.00");
    SAME(role(FORECAST_HOST)->profit, "13.00");
    SAME(role(FORECAST_MANAGE)->profit, "21.00");
    SAME(role(FORECAST_OPERATE)->profit, "20.00");
    check_variance("total expenses", "168", "167.00", "-1");
    check_variance("profit of who invests", "30", "28.00", "-2");
    check_variance("hardware management, its row", "20", "21.00", "1");
    check_variance("hardware management, its total", "21", "21.00", "0");
    check_variance("hosting", "13", "13.00", "0");
    check_variance("manage, host and invest, its total", "63", "62.00", "-1");
    check_variance("the three totals of that table, added up", "63", "64.00", "1");
    check_variance("P2V of one VM, in the table", "1000", "100.00", "-900");
    check_variance("P2V of 100 VMs, in the text", "10000", "10000.00", "0");
}
END_TEST

START_TEST(rapid_space_regions_leave_40_5_and_a_loss_of_60)
{
    compute_example("rapid-space");
    const struct forecast_outcome *o = answer.what_ifs.items;
    SAME(o[0].margin, "40.00");
    SAME(o[1].margin, "5.00");
    SAME(o[2].margin, "-60.00");
    /* Without a price of a server nothing has to be paid back. */
    ck_assert_uint_eq(answer.paybacks.count, 0);
}
END_TEST

START_TEST(services_in_instalments_are_paid_as_specified)
{
    /* specs/billing.md 3.5, a8: 15 x 285.72 + 20 x 285.71 = 10,000.00. */
    compute("{\"currency\":\"EUR\",\"price\":\"0\",\"months\":36,\"roles\":[\"manage\"],"
            "\"services\":[{\"name\":\"P2V\",\"role\":\"manage\",\"count\":100,\"once\":\"100\","
            "\"instalments\":35}]}");
    size_t more = 0;
    size_t less = 0;
    for (size_t i = 1; i <= 35; i++) {
        more += str_eq(month(i)->cash, STR("285.72"));
        less += str_eq(month(i)->cash, STR("285.71"));
    }
    ck_assert_uint_eq(more, 15);
    ck_assert_uint_eq(less, 20);
    SAME(month(36)->cash, "0.00");
    SAME(month(35)->balance, "10000.00");
    SAME(month(1)->services, "10000.00");
}
END_TEST

START_TEST(the_operator_takes_its_share_of_services_or_none)
{
    compute("{\"currency\":\"EUR\",\"price\":\"0\",\"months\":12,\"roles\":[\"manage\"],"
            "\"services\":[{\"name\":\"training\",\"role\":\"manage\",\"once\":\"3000\"},"
            "{\"name\":\"SaaS\",\"role\":\"manage\",\"count\":10,\"yearly\":\"100\","
            "\"operator_share_ppm\":150000}]}");
    SAME(answer.total.services, "3850.00");
    SAME(role(FORECAST_MANAGE)->total, "3850.00");
    SAME(role(FORECAST_OPERATE)->total, "150.00");
    SAME(answer.whole, "4000.00");
}
END_TEST

START_TEST(a_coworking_server_costs_400_and_is_back_after_24_or_9_2_months)
{
    compute_example("coworking-100");
    SAME(((const struct forecast_cost_line *)answer.lines.items)[0].amount, "250.00");
    SAME(answer.cost, "400.00");
    SAME(answer.margin, "400.00");
    SAME(answer.member_margin, "0.00");
    SAME(payback(0)->months, "9.2");
    ck_assert_int_eq(payback(0)->month, 10);
    SAME(payback(1)->months, "24.0");
    ck_assert_int_eq(payback(1)->month, 24);
    SAME(answer.unit.price, "25.00");
    SAME(answer.unit.member_price, "12.50");
    SAME(answer.unit.cost, "12.50");
}
END_TEST

START_TEST(a_hundred_public_servers_sell_for_960000_and_earn_480000)
{
    compute_example("coworking-100");
    SAME(year(1)->sales, "960000.00");
    SAME(year(1)->profit, "480000.00");
    SAME(answer.deepest, "-535000.00"); /* 600,000 less 65,000 of the first month */
    SAME(payback(2)->months, "9.2");
    ck_assert_int_eq(payback(2)->month, 10);
    SAME(answer.total.balance, "960000.00"); /* two years of profit: the servers are paid */
    ck_assert_int_eq(answer.break_even_ppm, 500000);
}
END_TEST

START_TEST(ten_servers_are_bought_for_60000_and_24000)
{
    compute_example("coworking-10");
    check_variance("10 NUC", "60000", "60000.00", "0");
    check_variance("24 months of SlapOS", "24000", "24000.00", "0");
    check_variance("server, a month", "250", "250.00", "0");
    check_variance("total monthly cost", "400", "400.00", "0");
    check_variance("public price, VM of 1 GB", "25", "25.00", "0");
    check_variance("member price, VM of 1 GB", "12.5", "12.50", "0");
    check_variance("computer, China to Europe", "10", "12", "2");
    check_variance("with network, China to Europe", "100", "80", "-20");
    check_variance("network's share of the price in China", "0.9", "0.85", "-0.05");
    /* 100 members with 1 GB of 32: 3.125 servers; their fee is 3.125 each, rounded once. */
    SAME(answer.free_tier.servers, "3.125");
    SAME(answer.free_tier.software_month, "312.50");
    SAME(answer.free_tier.cost_month, "1250.00");
    SAME(month(1)->sold, "6.875");
    SAME(month(1)->sales, "5500.00");
    SAME(month(1)->purchases, "60000.00");
    SAME(month(1)->cash, "-79000.00"); /* 5,500 - 500 of work - 60,000 - 24,000 */
    SAME(month(2)->cash, "5000.00");
}
END_TEST

START_TEST(a_thousand_servers_with_their_campaign)
{
    compute_example("coworking-1000");
    check_variance("1,000 NUC", "6000000", "6000000.00", "0");
    check_variance("24 months of SlapOS", "2400000", "2400000.00", "0");
    check_variance("marketing campaign", "1000000", "1000000.00", "0");
    SAME(answer.free_tier.servers, "312.500");
    SAME(year(1)->marketing, "1000000.00");
    SAME(year(1)->setups, "800000.00");
    SAME(year(2)->marketing, "0.00");
    /* 687.5 servers at 800 for 12 months less 1,000 at 400 and 1,800,000. */
    SAME(year(1)->profit, "0.00");
    SAME(year(2)->profit, "1800000.00");
}
END_TEST

START_TEST(every_ready_plan_explains_each_difference)
{
    for (size_t i = 0; i < forecast_example_count; i++) {
        compute(forecast_examples[i].json);
        ck_assert_uint_gt(answer.variances.count, 3);
        const struct forecast_variance *v = answer.variances.items;
        for (size_t k = 0; k < answer.variances.count; k++) {
            ck_assert_uint_gt(v[k].computed.n, 0);
            ck_assert_msg(v[k].agrees == (v[k].why.n == 0), "%s: %.*s", forecast_examples[i].name,
                          STRF(v[k].what));
        }
    }
}
END_TEST

/* --- formulas --- */

START_TEST(tiers_telescope_to_the_price_of_the_client)
{
    /* specs/billing.md 3.7: 50 -> 56 (+12 %) -> 70 (+25 %). */
    compute("{\"currency\":\"USD\",\"price\":\"50\",\"tiers\":["
            "{\"name\":\"R1\",\"change_ppm\":120000},"
            "{\"name\":\"R2\",\"change_ppm\":250000,\"try_ppm\":-50000}]}");
    const struct forecast_tier_margin *t = answer.tiers.items;
    SAME(t[0].buy, "50.00");
    SAME(t[0].sell, "56.00");
    SAME(t[0].margin, "6.00");
    SAME(t[1].buy, "56.00");
    SAME(t[1].sell, "70.00");
    SAME(t[1].margin, "14.00");
    SAME(t[1].try_sell, "53.20");
    SAME(t[1].try_margin, "-2.80");
    SAME(t[1].try_end, "53.20");
}
END_TEST

START_TEST(occupancy_grows_in_even_steps)
{
    compute("{\"currency\":\"EUR\",\"price\":\"100\",\"servers\":10,\"months\":6,"
            "\"occupancy_ppm\":800000,\"ramp_months\":4}");
    static const int64_t want[] = {0, 200000, 400000, 600000, 800000, 800000};
    for (size_t i = 0; i < COUNT(want); i++)
        ck_assert_int_eq(month(i + 1)->occupancy_ppm, want[i]);
    SAME(month(2)->sales, "200.00");
    SAME(answer.total.sold, "28.000");
}
END_TEST

START_TEST(growth_buys_servers_and_their_end_of_life_buys_them_anew)
{
    compute("{\"currency\":\"EUR\",\"price\":\"100\",\"servers\":2,\"months\":12,"
            "\"server_price\":\"600\",\"useful_months\":6,"
            "\"growth\":[{\"month\":4,\"servers\":3}]}");
    SAME(month(1)->purchases, "1200.00");
    SAME(month(4)->purchases, "1800.00");
    SAME(month(7)->purchases, "1200.00");
    SAME(month(10)->purchases, "1800.00");
    SAME(answer.total.purchases, "6000.00");
    ck_assert_int_eq(month(3)->servers, 2);
    ck_assert_int_eq(month(4)->servers, 5);
}
END_TEST

START_TEST(a_fee_on_sales_is_due_for_what_is_used)
{
    compute("{\"currency\":\"EUR\",\"price\":\"195\",\"months\":1,\"occupancy_ppm\":500000,"
            "\"software_on_sales\":true,\"costs\":{\"software\":\"20\",\"hosting\":\"147\"}}");
    SAME(month(1)->sales, "97.50");
    SAME(month(1)->costs, "157.00");
    ck_assert_int_eq(answer.break_even_ppm, 840000); /* 147 / (195 - 20) */
}
END_TEST

START_TEST(what_no_occupancy_can_pay_has_no_break_even)
{
    compute("{\"currency\":\"EUR\",\"price\":\"195\",\"costs\":{\"hosting\":\"255\"}}");
    ck_assert(!schema_has(&forecast_answer_schema, &answer, "break_even_ppm"));
    compute("{\"currency\":\"EUR\",\"price\":\"195\",\"costs\":{\"hosting\":\"195\"}}");
    ck_assert_int_eq(answer.break_even_ppm, 1000000);
    compute("{\"currency\":\"EUR\",\"price\":\"195\"}");
    ck_assert_int_eq(answer.break_even_ppm, 0);
}
END_TEST

START_TEST(prices_may_be_finer_than_the_currency)
{
    compute("{\"currency\":\"CNY\",\"price\":\"0.0031\",\"servers\":1000,\"months\":1,"
            "\"costs\":{\"network\":\"0.000000001\"}}");
    SAME(answer.cost, "0.000000001");
    SAME(month(1)->sales, "3.10");
    compute("{\"currency\":\"JPY\",\"price\":\"1000\",\"months\":3,\"server_price\":\"1000\","
            "\"useful_months\":3}");
    SAME(((const struct forecast_cost_line *)answer.lines.items)[0].amount, "333.333333333");
    SAME(month(1)->costs, "333");
    SAME(month(2)->costs, "334"); /* 667 - 333: the months add up */
    SAME(month(3)->costs, "333");
    SAME(answer.total.costs, "1000");
}
END_TEST

START_TEST(largest_figures_are_counted_or_refused)
{
    struct err err = {0};
    struct forecast plan;
    static const char json[] =
        "{\"currency\":\"KWD\",\"price\":\"100000000\",\"servers\":100000,\"months\":120,"
        "\"units\":1000,\"server_price\":\"1000000000\",\"useful_months\":1,"
        "\"costs\":{\"network\":\"100000000\",\"software\":\"100000000\"},"
        "\"services\":[{\"name\":\"x\",\"count\":100000,\"once\":\"100000000\",\"monthly\":"
        "\"100000000\",\"yearly\":\"100000000\",\"operator_share_ppm\":999999,"
        "\"instalments\":120}]}";
    ck_assert_int_eq(forecast_parse(str_c(json), &arena, &plan, &err), RC_OK);
    ck_assert_int_eq(forecast_compute(&plan, &arena, &answer, &err), RC_INVALID);
    ck_assert_msg(str_has(err_text(&err), STR("too large")), "%s", err.text);
}
END_TEST

/* Every bound at once, in a currency that has room for it: nothing passes 127 bits. */
START_TEST(all_bounds_together_are_counted)
{
    struct buf b;
    buf_init(&b, &arena, 65536);
    buf_add(&b, STR("{\"currency\":\"JPY\",\"price\":\"100000000\",\"servers\":100000,"
                    "\"months\":120,\"units\":1000,\"server_price\":\"1000000000\","
                    "\"useful_months\":1,\"marketing\":\"1000000000000\",\"costs\":{"));
    for (size_t i = FORECAST_INTEREST; i < FORECAST_LINES; i++)
        buf_fmt(&b, "%s\"%s\":\"100000000\"", i == FORECAST_INTEREST ? "" : ",",
                forecast_line_words[i]);
    buf_add(&b, STR("},\"roles\":[\"invest\",\"operate\"],\"software_ahead\":120,"
                    "\"services\":["));
    for (size_t i = 0; i < FORECAST_SERVICES_MAX; i++)
        buf_fmt(&b,
                "%s{\"name\":\"%zu\",\"count\":100000,\"once\":\"100000000\","
                "\"monthly\":\"100000000\",\"yearly\":\"100000000\","
                "\"operator_share_ppm\":999999,\"instalments\":120}",
                i == 0 ? "" : ",", i);
    buf_add(&b, STR("]}"));
    ck_assert(!b.full);
    compute(arena_cstr(&arena, buf_str(&b)));
    SAME(answer.total.sales, "1200000000000000");      /* 10^8 x 10^5 x 120 */
    SAME(answer.total.purchases, "12000000000000000"); /* 10^9 x 10^5 x 120 */
    /* 16 x 10^13 x (1 + 120 + 10): the share and what it leaves are both ours. */
    SAME(answer.total.services, "20960000000000000");
}
END_TEST

/* --- what is refused --- */

START_TEST(wrong_input_names_the_field)
{
    static const struct {
        const char *json;
        const char *pointer;
    } cases[] = {
        {"{\"currency\":\"EUR\"}", "/price"},
        {"{\"currency\":\"ZZZ\",\"price\":\"1\"}", "/currency"},
        {"{\"currency\":\"EUR\",\"price\":\"-1\"}", "/price"},
        {"{\"currency\":\"EUR\",\"price\":\"0.0000000001\"}", "/price"},
        {"{\"currency\":\"EUR\",\"price\":\"100000001\"}", "/price"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"months\":121}", "/months"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"costs\":{\"network\":\"-1\"}}", "/costs/network"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"costs\":{\"nework\":\"1\"}}", "/costs/nework"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"server_price\":\"9\"}", "/useful_months"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"useful_months\":9}", "/server_price"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"server_price\":\"9\",\"useful_months\":9,"
         "\"costs\":{\"amortisation\":\"1\"}}",
         "/costs/amortisation"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"occupancy_start_ppm\":5}", "/ramp_months"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"occupancy_ppm\":1000001}", "/occupancy_ppm"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"growth\":[{\"month\":3,\"servers\":1},"
         "{\"month\":3,\"servers\":1}]}",
         "/growth/1/month"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"growth\":[{\"month\":25,\"servers\":1}]}",
         "/growth/0/month"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"growth\":[{\"month\":3,\"servers\":100000}]}",
         "/growth/0/servers"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"free_units\":2,\"members\":1}", "/free_units"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"software_ahead\":2,\"software_on_sales\":true}",
         "/software_ahead"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"roles\":[\"own\"]}", "/roles/0"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"receivers\":[{\"line\":\"repair\","
         "\"role\":\"host\"},{\"line\":\"repair\",\"role\":\"manage\"}]}",
         "/receivers/1/line"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"services\":[{\"name\":\"a\",\"once\":\"-1\"}]}",
         "/services/0/once"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"services\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
         "/services/1/name"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"setups\":[{\"name\":\"a\",\"amount\":\"1\","
         "\"month\":30}]}",
         "/setups/0/month"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"declared\":[{\"figure\":\"line\","
         "\"of\":\"x\",\"amount\":\"1\"}]}",
         "/declared/0/of"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"declared\":[{\"figure\":\"year_sales\","
         "\"of\":\"3\",\"amount\":\"1\"}]}",
         "/declared/0/of"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"declared\":[{\"figure\":\"ratio\","
         "\"over\":\"1\",\"amount\":\"1\"}]}",
         "/declared/0/under"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"declared\":[{\"figure\":\"sum\","
         "\"parts\":[\"1\",\"x\"],\"amount\":\"1\"}]}",
         "/declared/0/parts/1"},
        {"{\"currency\":\"EUR\",\"price\":\"100000000\",\"tiers\":[{\"name\":\"a\","
         "\"change_ppm\":10000000},{\"name\":\"b\",\"change_ppm\":10000000},{\"name\":\"c\","
         "\"change_ppm\":10000000},{\"name\":\"d\",\"change_ppm\":10000000}]}",
         "/tiers/3/change_ppm"},
        {"{\"currency\":\"EUR\",\"price\":\"1\",\"what_ifs\":[{\"name\":\"a\",\"cost\":\"-1\"}]}",
         "/what_ifs/0/cost"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        struct forecast plan;
        enum rc rc = forecast_parse(str_c(cases[i].json), &arena, &plan, &err);
        if (rc == RC_OK)
            rc = forecast_compute(&plan, &arena, &answer, &err);
        ck_assert_msg(rc == RC_INVALID, "%s: %s", cases[i].json, rc_slug(rc));
        ck_assert_msg(str_eq(err_pointer(&err), str_c(cases[i].pointer)), "%s: at %.*s",
                      cases[i].json, STRF(err_pointer(&err)));
    }
}
END_TEST

Suite *forecast_suite(void);
Suite *forecast_suite(void)
{
    TCase *t = tcase_create("plan");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, rapid_space_costs_167_and_leaves_28);
    tcase_add_test(t, rapid_space_regions_leave_40_5_and_a_loss_of_60);
    tcase_add_test(t, services_in_instalments_are_paid_as_specified);
    tcase_add_test(t, the_operator_takes_its_share_of_services_or_none);
    tcase_add_test(t, a_coworking_server_costs_400_and_is_back_after_24_or_9_2_months);
    tcase_add_test(t, a_hundred_public_servers_sell_for_960000_and_earn_480000);
    tcase_add_test(t, ten_servers_are_bought_for_60000_and_24000);
    tcase_add_test(t, a_thousand_servers_with_their_campaign);
    tcase_add_test(t, every_ready_plan_explains_each_difference);
    tcase_add_test(t, tiers_telescope_to_the_price_of_the_client);
    tcase_add_test(t, occupancy_grows_in_even_steps);
    tcase_add_test(t, growth_buys_servers_and_their_end_of_life_buys_them_anew);
    tcase_add_test(t, a_fee_on_sales_is_due_for_what_is_used);
    tcase_add_test(t, what_no_occupancy_can_pay_has_no_break_even);
    tcase_add_test(t, prices_may_be_finer_than_the_currency);
    tcase_add_test(t, largest_figures_are_counted_or_refused);
    tcase_add_test(t, all_bounds_together_are_counted);
    tcase_add_test(t, wrong_input_names_the_field);
    Suite *s = suite_create("forecast");
    suite_add_tcase(s, t);
    return s;
}
