/*
 * Properties of plans with chance figures: what holds for all of them.
 */
#include "plan/example.h"
#include "plan/inside.h"

#include "money/property.h"

enum { RUNS = 2000 };

static struct arena arena;
static struct clock_sim chance;
static uint64_t seed;

static void setup(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    seed = property_begin(&chance);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static int64_t below(int64_t n)
{
    return property_between(&chance, 0, n - 1);
}

/* A price with up to four digits behind the point. */
static struct str price(int64_t most)
{
    return arena_fmt(&arena, "%lld.%04lld", (long long)below(most), (long long)below(10000));
}

static struct list make_roles(void)
{
    struct str *words = NEW_N(&arena, struct str, FORECAST_ROLES);
    size_t count = 0;
    for (size_t i = 0; i < FORECAST_ROLES; i++)
        if (below(2) == 0)
            words[count++] = str_c(forecast_role_words[i]);
    return (struct list){words, count};
}

static struct list make_services(int64_t months)
{
    size_t count = (size_t)below(3);
    struct forecast_service *s = NEW_N(&arena, struct forecast_service, count);
    for (size_t i = 0; i < count; i++)
        s[i] = (struct forecast_service){.name = arena_fmt(&arena, "service %zu", i),
                                         .role = below(FORECAST_ROLES),
                                         .count = 1 + below(50),
                                         .month = 1 + below(months),
                                         .once = price(1000),
                                         .monthly = price(50),
                                         .yearly = price(50),
                                         .operator_share_ppm = below(FORECAST_WHOLE_PPM + 1),
                                         .instalments = 1 + below(40)};
    return (struct list){s, count};
}

static struct list make_growth(int64_t months)
{
    struct forecast_growth *g = NEW_N(&arena, struct forecast_growth, (size_t)months);
    size_t count = 0;
    for (int64_t month = 2; month <= months; month++)
        if (below(6) == 0)
            g[count++] = (struct forecast_growth){.month = month, .servers = 1 + below(20)};
    return (struct list){g, count};
}

static struct forecast make_plan(void)
{
    static const char *const currencies[] = {"EUR", "JPY", "KWD", "CNY"};
    struct forecast p = {.currency = str_c(currencies[below(COUNT(currencies))]),
                         .months = 1 + below(60),
                         .servers = 1 + below(200),
                         .price = price(500),
                         .member_price = price(300),
                         .member_share_ppm = below(FORECAST_WHOLE_PPM + 1),
                         .occupancy_ppm = 1 + below(FORECAST_WHOLE_PPM),
                         .ramp_months = below(20),
                         .units = 1 + below(64),
                         .members = below(500),
                         .marketing = price(2000),
                         .software_on_sales = below(2) == 0};
    for (size_t i = 0; i < FORECAST_LINES; i++)
        p.costs.lines[i] = price(60);
    p.free_units = below(2);
    p.own_costs.host = price(10);
    p.own_costs.manage = price(10);
    p.own_costs.operate = price(10);
    if (below(2) == 0) {
        p.costs.lines[FORECAST_AMORTISATION] = STR("");
        p.server_price = price(6000);
        p.useful_months = 1 + below(40);
    }
    if (!p.software_on_sales)
        p.software_ahead = 1 + below(24);
    p.growth = make_growth(p.months);
    p.services = make_services(p.months);
    p.roles = make_roles();
    return p;
}

static rated amount_of(struct str text)
{
    struct err err = {0};
    rated r = 0;
    ck_assert_msg(rated_parse(text, &r, &err) == RC_OK, "%s", err.text);
    return r;
}

static struct forecast_answer answer_of(const struct forecast *p)
{
    struct err err = {0};
    struct forecast_answer a;
    HOLDS(forecast_compute(p, &arena, &a, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
    return a;
}

static struct terms terms_of(const struct forecast *p)
{
    struct err err = {0};
    struct terms t;
    HOLDS(terms_take(p, &arena, &t, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
    return t;
}

static rated row_profit(const struct forecast_period *p)
{
    return amount_of(p->sales) + amount_of(p->services) - amount_of(p->costs) -
           amount_of(p->setups) - amount_of(p->marketing);
}

START_TEST(months_add_up_to_years_and_the_curve_ends_at_their_sum)
{
    for (int run = 0; run < RUNS; run++) {
        struct forecast p = make_plan();
        struct forecast_answer a = answer_of(&p);
        const struct forecast_period *months = a.months.items;
        const struct forecast_period *years = a.years.items;
        rated cash = 0;
        rated profit = 0;
        rated deepest = 0;
        for (size_t i = 0; i < a.months.count; i++) {
            cash += amount_of(months[i].cash);
            profit += amount_of(months[i].profit);
            deepest = cash < deepest ? cash : deepest;
            HOLDS(cash == amount_of(months[i].balance), SEED_FMT "run %d: balance", seed, run);
            HOLDS(amount_of(months[i].profit) == row_profit(&months[i]), SEED_FMT "run %d: row",
                  seed, run);
        }
        rated yearly = 0;
        for (size_t i = 0; i < a.years.count; i++)
            yearly += amount_of(years[i].profit);
        HOLDS(cash == amount_of(a.total.balance), SEED_FMT "run %d: the end", seed, run);
        HOLDS(cash == amount_of(a.total.cash), SEED_FMT "run %d: the cash", seed, run);
        HOLDS(profit == amount_of(a.total.profit), SEED_FMT "run %d: the profit", seed, run);
        HOLDS(yearly == profit, SEED_FMT "run %d: the years", seed, run);
        HOLDS(deepest == amount_of(a.deepest), SEED_FMT "run %d: the capital", seed, run);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(the_profits_of_the_roles_add_up_to_the_whole)
{
    for (int run = 0; run < RUNS; run++) {
        struct forecast p = make_plan();
        struct forecast_answer a = answer_of(&p);
        const struct forecast_role_profit *roles = a.roles.items;
        rated sum = 0;
        for (size_t i = 0; i < FORECAST_ROLES; i++)
            sum += amount_of(roles[i].total);
        HOLDS(sum == amount_of(a.whole), SEED_FMT "run %d: printed", seed, run);

        /* Exactly, month by month: whoever plays them, together they earn the same. */
        struct terms t = terms_of(&p);
        for (size_t i = 0; i < FORECAST_ROLES; i++)
            t.played[i] = true;
        for (int64_t number = 1; number <= t.months; number++) {
            struct month m;
            month_run(&t, number, &m);
            fine parts = 0;
            fine cash = 0;
            for (size_t i = 0; i < FORECAST_ROLES; i++) {
                parts += month_profit(&t, &m, (enum forecast_role)i);
                cash += month_cash(&t, &m, (enum forecast_role)i);
            }
            struct month_result whole = month_result(&t, &m);
            HOLDS(parts == month_result_profit(&whole), SEED_FMT "run %d: month %lld", seed, run,
                  (long long)number);
            HOLDS(cash == whole.cash, SEED_FMT "run %d: cash of %lld", seed, run,
                  (long long)number);
        }
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(one_ppm_below_break_even_loses)
{
    size_t found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct forecast p = make_plan();
        struct terms t = terms_of(&p);
        int64_t at = month_break_even(&t);
        for (int64_t step = 0; step <= 1 && at >= 0; step++) {
            if (at - step < 0)
                continue;
            struct month m;
            month_steady(&t, at - step, &m);
            struct month_result r = month_result(&t, &m);
            HOLDS((month_result_profit(&r) < 0) == (step == 1),
                  SEED_FMT "run %d: %lld ppm less %lld", seed, run, (long long)at, (long long)step);
            found += at > 0 && step == 1;
        }
        arena_reset(&arena);
    }
    ck_assert_uint_gt(found, RUNS / 20); /* that it was tried at all */
}
END_TEST

START_TEST(what_is_answered_is_json_by_the_table)
{
    for (int run = 0; run < RUNS / 10; run++) {
        struct forecast p = make_plan();
        struct forecast_answer a = answer_of(&p);
        struct buf b;
        buf_init(&b, &arena, (size_t)1024 * 1024);
        struct json_writer w;
        json_writer_init(&w, &b);
        schema_encode(&forecast_answer_schema, &a, &w);
        ck_assert(!b.full);
        const struct json *json = NULL;
        struct err err = {0};
        HOLDS(json_parse(buf_str(&b), &arena, &json, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
        HOLDS(json_get(json, STR("months"))->n == a.months.count, SEED_FMT "months", seed);
        arena_reset(&arena);
    }
}
END_TEST

Suite *forecast_property_suite(void);
Suite *forecast_property_suite(void)
{
    TCase *t = tcase_create("forecast_property");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, months_add_up_to_years_and_the_curve_ends_at_their_sum);
    tcase_add_test(t, the_profits_of_the_roles_add_up_to_the_whole);
    tcase_add_test(t, one_ppm_below_break_even_loses);
    tcase_add_test(t, what_is_answered_is_json_by_the_table);
    Suite *s = suite_create("forecast_property");
    suite_add_tcase(s, t);
    return s;
}
