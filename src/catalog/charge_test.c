#include "catalog/charge.h"

#include "money/amount.h"
#include "money/property.h"
#include "money/telescope.h"

#define DAY   US_PER_DAY
#define MONTH (31 * DAY)
#define YEAR  (365 * DAY)

enum { RUNS = 50000 };

/* --- in a line each --- */

static const struct currency *eur(void)
{
    return currency_find(STR("EUR"));
}

static struct price price_of(const char *text)
{
    struct err err = {0};
    struct price p = {0};
    enum rc rc = price_parse(str_c(text), &p, &err);
    ck_assert_msg(rc == RC_OK, "%s: %s", text, err.text);
    return p;
}

static struct quantity quantity_of(const char *text)
{
    struct err err = {0};
    struct quantity q = {0};
    enum rc rc = quantity_parse(str_c(text), &q, &err);
    ck_assert_msg(rc == RC_OK, "%s: %s", text, err.text);
    return q;
}

static struct charge_rule rule_of(const struct charge *c)
{
    struct err err = {0};
    struct charge_rule r = {0};
    enum rc rc = charge_parse(c, &r, &err);
    ck_assert_msg(rc == RC_OK, "%s: %s", err.pointer, err.text);
    return r;
}

static struct charge_use whole_month(const char *quantity)
{
    return (struct charge_use){.quantity = quantity_of(quantity),
                               .end = MONTH,
                               .until = MONTH,
                               .instalment = 1,
                               .currency = eur()};
}

static rated rate(const struct charge_rule *c, const struct charge_use *u)
{
    struct err err = {0};
    rated r = 0;
    enum rc rc = charge_rate(c, u, &r, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return r;
}

/* What is billed: R(after) - R(before). */
static int64_t billed(const struct charge_rule *c, const struct charge_use *u)
{
    struct err err = {0};
    struct charge_span s;
    int64_t amount = 0;
    enum rc rc = charge_span(c, u, &s, &err);
    if (rc == RC_OK)
        rc = telescope_rated(s.before, s.after, eur(), &amount, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return amount;
}

static void check_whole(const struct charge *c, const char *quantity, const char *want)
{
    struct charge_rule rule = rule_of(c);
    struct charge_use u = whole_month(quantity);
    char text[AMOUNT_TEXT_MAX];
    (void)amount_format(billed(&rule, &u), eur(), text);
    ck_assert_msg(strcmp(text, want) == 0, "%s of '%s': %s, wanted was %s", quantity,
                  charge_kinds[c->kind], text, want);
}

/* --- each kind --- */

static struct charge_tier sliding[] = {{.up_to = STR_INIT("10"), .price = STR_INIT("5.00")},
                                       {.up_to = STR_INIT("100"), .price = STR_INIT("2.00")},
                                       {.price = STR_INIT("0.50")}};
static struct charge_tier stairs[] = {{.up_to = STR_INIT("10"), .flat = STR_INIT("7")},
                                      {.up_to = STR_INIT("20"), .flat = STR_INIT("12")},
                                      {.flat = STR_INIT("15")}};
static struct charge_tier both[] = {
    {.up_to = STR_INIT("10"), .price = STR_INIT("1"), .flat = STR_INIT("100")},
    {.price = STR_INIT("0.5"), .flat = STR_INIT("50")}};

START_TEST(each_kind_at_the_edges_of_its_tiers)
{
    static const struct {
        struct charge charge;
        const char *quantity;
        const char *want;
    } all[] = {
        {{.kind = CHARGE_FLAT, .price = STR_INIT("195.00")}, "1", "195.00"},
        {{.kind = CHARGE_FLAT, .price = STR_INIT("50")}, "10", "500.00"},
        {{.kind = CHARGE_FLAT, .price = STR_INIT("3.125")}, "0.5", "1.56"},
        {{.kind = CHARGE_FLAT, .price = STR_INIT("2"), .included = STR_INIT("3")}, "5", "4.00"},
        {{.kind = CHARGE_PER_UNIT, .meter = STR_INIT("m"), .price = STR_INIT("0.10")}, "0", "0.00"},
        {{.kind = CHARGE_PER_UNIT, .meter = STR_INIT("m"), .price = STR_INIT("0.10")},
         "123.45",
         "12.35"},
        {{.kind = CHARGE_PER_UNIT,
          .meter = STR_INIT("m"),
          .price = STR_INIT("0.10"),
          .included = STR_INIT("100")},
         "100",
         "0.00"},
        {{.kind = CHARGE_PER_UNIT,
          .meter = STR_INIT("m"),
          .price = STR_INIT("0.10"),
          .included = STR_INIT("100")},
         "101",
         "0.10"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "0", "0.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "10", "50.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "11", "52.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}},
         "100",
         "230.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}},
         "102",
         "231.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {both, 2}}, "10", "110.00"},
        {{.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {both, 2}}, "12", "161.00"},
        {{.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "0", "0.00"},
        {{.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "10", "50.00"},
        {{.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "11", "22.00"},
        {{.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {sliding, 3}}, "101", "50.50"},
        {{.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {both, 2}}, "12", "56.00"},
        {{.kind = CHARGE_PACKAGE,
          .meter = STR_INIT("m"),
          .price = STR_INIT("5"),
          .package = STR_INIT("100")},
         "0",
         "0.00"},
        {{.kind = CHARGE_PACKAGE,
          .meter = STR_INIT("m"),
          .price = STR_INIT("5"),
          .package = STR_INIT("100")},
         "0.001",
         "5.00"},
        {{.kind = CHARGE_PACKAGE,
          .meter = STR_INIT("m"),
          .price = STR_INIT("5"),
          .package = STR_INIT("100")},
         "100",
         "5.00"},
        {{.kind = CHARGE_PACKAGE,
          .meter = STR_INIT("m"),
          .price = STR_INIT("5"),
          .package = STR_INIT("100"),
          .included = STR_INIT("50")},
         "150.5",
         "10.00"},
        {{.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}}, "0", "0.00"},
        {{.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}}, "1", "7.00"},
        {{.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}}, "10", "7.00"},
        {{.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}}, "10.1", "12.00"},
        {{.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}}, "1000", "15.00"},
        {{.kind = CHARGE_PERCENT, .meter = STR_INIT("m"), .percent = STR_INIT("2.5")},
         "1234.56",
         "30.86"},
        {{.kind = CHARGE_ONE_TIME, .price = STR_INIT("3000")}, "1", "3000.00"},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        check_whole(&all[i].charge, all[i].quantity, all[i].want);
}
END_TEST

START_TEST(one_time_is_the_first_period_alone)
{
    struct charge_rule rule =
        rule_of(&(struct charge){.kind = CHARGE_ONE_TIME, .price = STR("3000")});
    struct charge_use u = whole_month("1");
    for (int64_t k = 0; k < 4; k++) {
        u.instalment = k;
        ck_assert_int_eq(billed(&rule, &u), k == 1 ? 300000 : 0);
    }
}
END_TEST

START_TEST(a_minimum_is_trued_up_for_its_part_of_the_period)
{
    struct charge_rule rule =
        rule_of(&(struct charge){.kind = CHARGE_MINIMUM, .minimum = STR("31")});
    struct charge_use u = whole_month("0");
    static const struct {
        int64_t from;
        int64_t until;
        int64_t metered;
        int64_t want;
    } all[] = {
        {0, 31, 0, 3100},  {0, 31, 2000, 1100}, {0, 31, 3100, 0}, {0, 31, 9900, 0},
        {0, 10, 400, 600}, {10, 31, 0, 2100},   {5, 5, 0, 0},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        u.from = all[i].from * DAY;
        u.until = all[i].until * DAY;
        u.metered = rated_from_amount(all[i].metered, eur());
        ck_assert_int_eq(billed(&rule, &u), all[i].want);
    }
}
END_TEST

START_TEST(instalments_differ_by_a_cent_and_add_up)
{
    /* specs 3.5, a8: 10,000.00 in 35 months is 15 x 285.72 and 20 x 285.71. */
    struct charge_rule rule = rule_of(
        &(struct charge){.kind = CHARGE_INSTALMENT, .price = STR("100"), .instalments = 35});
    struct charge_use u = whole_month("100");
    int high = 0;
    int low = 0;
    int64_t sum = 0;
    for (int64_t k = 0; k <= 40; k++) {
        u.instalment = k;
        int64_t amount = billed(&rule, &u);
        high += amount == 28572;
        low += amount == 28571;
        sum += amount;
        ck_assert(amount != 0 || k == 0 || k > 35);
    }
    ck_assert_int_eq(high, 15);
    ck_assert_int_eq(low, 20);
    ck_assert_int_eq(sum, 1000000);
}
END_TEST

/* --- families: specs 3.8 --- */

static struct charge_use year_of(int64_t unit_seconds, time_us from, time_us until)
{
    return (struct charge_use){.quantity = {unit_seconds, 0},
                               .end = YEAR,
                               .from = from,
                               .until = until,
                               .currency = eur()};
}

START_TEST(children_slide_by_their_number_and_their_time)
{
    struct charge_rule root = rule_of(&(struct charge){.kind = CHARGE_FLAT, .price = STR("10.00")});
    struct charge_rule below =
        rule_of(&(struct charge){.kind = CHARGE_DESCENDANTS, .tiers = {sliding, 3}});
    const int64_t seconds = YEAR / US_PER_SECOND;
    struct charge_use one = year_of(1, 0, YEAR);
    struct charge_use u = year_of(25 * seconds, 0, YEAR);
    ck_assert_int_eq(billed(&root, &one) + billed(&below, &u), 9000);
    /* A child that came with 15,768,000 of 31,536,000 seconds left. */
    u = year_of(15768000, 0, YEAR);
    ck_assert_int_eq(billed(&below, &u), 250);
    /* A family that was there for half a year, first or last, is half of it. */
    u = year_of(25 * (seconds / 2), 0, YEAR / 2);
    ck_assert_int_eq(billed(&below, &u), 4000);
    u = year_of(25 * (seconds / 2), YEAR / 2, YEAR);
    ck_assert_int_eq(billed(&below, &u), 4000);
    u = year_of(0, 0, YEAR);
    ck_assert_int_eq(billed(&below, &u), 0);
}
END_TEST

/* --- parts of a period --- */

START_TEST(part_of_a_month_by_the_second)
{
    /* specs 3.9 (4): 195.00 for 1,234,567 s of a month of 2,678,400 s. */
    struct charge_rule rule =
        rule_of(&(struct charge){.kind = CHARGE_FLAT, .price = STR("195.00")});
    struct charge_use u = whole_month("1");
    u.until = 1234567 * US_PER_SECOND;
    ck_assert_int_eq(billed(&rule, &u), 8988);
    u.from = u.until;
    u.until = MONTH;
    ck_assert_int_eq(billed(&rule, &u), 19500 - 8988);
}
END_TEST

/* A month's use in equal parts of its time costs what it costs in one piece: cutting gives nobody
 * the included quantity, or the dear tier, twice. */
START_TEST(what_is_counted_is_the_same_in_equal_parts)
{
    static const struct charge all[] = {
        {.kind = CHARGE_PER_UNIT,
         .meter = STR_INIT("m"),
         .price = STR_INIT("0.10"),
         .included = STR_INIT("310")},
        {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {sliding, 3}},
        {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {both, 2}},
        {.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {sliding, 3}},
        {.kind = CHARGE_VOLUME, .meter = STR_INIT("m"), .tiers = {both, 2}},
        {.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {stairs, 3}},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct charge_rule rule = rule_of(&all[i]);
        struct charge_use u = whole_month("620");
        rated whole = rate(&rule, &u);
        rated sum = 0;
        for (int day = 0; day < 31; day++) {
            u.quantity = (struct quantity){20, 0};
            u.from = day * DAY;
            u.until = u.from + DAY;
            sum += rate(&rule, &u);
        }
        ck_assert_msg(whole > 0, "nothing is proved of %zu", i);
        rated apart = sum > whole ? sum - whole : whole - sum;
        ck_assert_msg(apart <= 31 * 3, "%s: apart by %lld", charge_kinds[all[i].kind],
                      (long long)apart); /* each of three roundings at 10^-9 */
    }
}
END_TEST

START_TEST(a_level_costs_its_time)
{
    struct charge_rule rule = rule_of(&(struct charge){
        .kind = CHARGE_PER_UNIT, .meter = STR("p95"), .price = STR("3.10"), .included = STR("50")});
    struct charge_use u = whole_month("60");
    u.level = true;
    ck_assert_int_eq(billed(&rule, &u), 3100);
    u.until = 10 * DAY;
    ck_assert_int_eq(billed(&rule, &u), 1000);
    u.from = u.until;
    u.until = MONTH;
    ck_assert_int_eq(billed(&rule, &u), 2100);
}
END_TEST

START_TEST(any_cutting_of_a_period_ends_at_the_same_total)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RUNS; i++) {
        struct charge_rule rule = {
            .kind = CHARGE_FLAT,
            .price = {property_between(&chance, 0, INT64_C(1) << clock_sim_below(&chance, 36)),
                      (int)clock_sim_below(&chance, PRICE_SCALE_MAX + 1)}};
        struct charge_use u = {
            .quantity = {property_between(&chance, 0, 1000000),
                         (int)clock_sim_below(&chance, QUANTITY_SCALE_MAX + 1)},
            .end = property_between(&chance, 1, 366 * DAY),
        };
        u.until = u.end;
        int64_t whole = billed(&rule, &u);
        rated exact = rate(&rule, &u);
        int64_t sum = 0;
        rated exact_sum = 0;
        while (u.from < u.end) {
            u.until =
                clock_sim_below(&chance, 4) == 0 ? u.end : property_between(&chance, u.from, u.end);
            sum += billed(&rule, &u);
            exact_sum += rate(&rule, &u);
            u.from = u.until;
        }
        HOLDS(sum == whole, SEED_FMT "run %d: %" PRId64 ", whole %" PRId64, seed, i, sum, whole);
        HOLDS(exact_sum == exact, SEED_FMT "run %d", seed, i);
    }
}
END_TEST

/* --- against slow and obvious models --- */

/* Unit by unit. Prices are whole cents, quantities whole. */
static int64_t count_graduated(const int64_t *ends, const int64_t *prices, size_t count, int64_t n)
{
    int64_t sum = 0;
    for (int64_t unit = 1; unit <= n; unit++) {
        size_t tier = 0;
        while (tier + 1 < count && unit > ends[tier])
            tier++;
        sum += prices[tier];
    }
    return sum;
}

static int64_t count_volume(const int64_t *ends, const int64_t *prices, size_t count, int64_t n)
{
    size_t tier = 0;
    while (tier + 1 < count && n > ends[tier])
        tier++;
    return n * prices[tier];
}

START_TEST(tiers_agree_with_counting_unit_by_unit)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RUNS; i++) {
        int64_t ends[CHARGE_TIERS_MAX] = {0};
        int64_t prices[CHARGE_TIERS_MAX] = {0};
        struct charge_rule rule = {.step_count = 1 + clock_sim_below(&chance, CHARGE_TIERS_MAX)};
        int64_t end = 0;
        for (size_t t = 0; t < rule.step_count; t++) {
            end += property_between(&chance, 1, 20);
            ends[t] = end;
            prices[t] = property_between(&chance, 0, 1000);
            rule.steps[t] = (struct charge_step){.up_to = {end, 0}, .price = {prices[t], 2}};
        }
        int64_t n = property_between(&chance, 0, end + 50);
        struct charge_use u = {.quantity = {n * 10, 1}, .end = MONTH, .until = MONTH};
        rule.kind = CHARGE_GRADUATED;
        HOLDS(billed(&rule, &u) == count_graduated(ends, prices, rule.step_count, n),
              SEED_FMT "run %d, graduated", seed, i);
        rule.kind = CHARGE_VOLUME;
        HOLDS(billed(&rule, &u) == count_volume(ends, prices, rule.step_count, n),
              SEED_FMT "run %d, volume", seed, i);
    }
}
END_TEST

/* More use in the same window never costs less, whatever part of the period it is. */
START_TEST(more_never_costs_less_where_tiers_do_not_fall)
{
    static const enum charge_kind kinds[] = {CHARGE_PER_UNIT, CHARGE_GRADUATED, CHARGE_PACKAGE,
                                             CHARGE_PERCENT, CHARGE_DESCENDANTS};
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RUNS; i++) {
        struct charge_rule rule = {.kind = kinds[clock_sim_below(&chance, COUNT(kinds))],
                                   .price = {property_between(&chance, 0, 100000), 3},
                                   .package = {property_between(&chance, 1, 1000), 1},
                                   .step_count = 3};
        for (size_t t = 0; t < 3; t++)
            rule.steps[t] = (struct charge_step){
                .up_to = {(int64_t)(t + 1) * property_between(&chance, 50, 60), 0},
                .price = {property_between(&chance, 0, 100000), 3}};
        if (rule.kind == CHARGE_PER_UNIT || rule.kind == CHARGE_PACKAGE)
            rule.included = (struct quantity){property_between(&chance, 0, 100), 1};
        struct charge_use u = {.end = property_between(&chance, 1, YEAR)};
        u.from = property_between(&chance, 0, u.end);
        u.until = property_between(&chance, u.from, u.end);
        u.quantity = (struct quantity){property_between(&chance, 0, 100000), 2};
        rated less = rate(&rule, &u);
        u.quantity.mantissa += property_between(&chance, 0, 100000);
        HOLDS(rate(&rule, &u) >= less && less >= 0, SEED_FMT "run %d, %s", seed, i,
              charge_kinds[rule.kind]);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_nothing_overflows)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    int refused = 0;
    for (int i = 0; i < RUNS; i++) {
        struct err err = {0};
        struct charge_span s = {-1, -1};
        struct charge_rule rule = {
            .kind = (enum charge_kind)clock_sim_below(&chance, CHARGE_DESCENDANTS + 1),
            .price = {property_i64(&chance) & INT64_MAX,
                      (int)clock_sim_below(&chance, PRICE_SCALE_MAX + 1)},
            .package = {property_between(&chance, 1, INT64_MAX), 0},
            .minimum = {property_i64(&chance) & INT64_MAX, 0},
            .instalments = property_between(&chance, 1, 1200),
            .step_count = 2};
        rule.steps[0] =
            (struct charge_step){.up_to = {property_i64(&chance) & INT64_MAX,
                                           (int)clock_sim_below(&chance, QUANTITY_SCALE_MAX + 1)},
                                 .price = rule.price,
                                 .flat = rule.minimum};
        rule.steps[1] = (struct charge_step){.price = rule.minimum, .flat = rule.price};
        struct charge_use u = {.quantity = {property_i64(&chance),
                                            (int)clock_sim_below(&chance, QUANTITY_SCALE_MAX + 1)},
                               .level = clock_sim_below(&chance, 2) == 0,
                               .instalment = property_i64(&chance),
                               .end = property_between(&chance, 1, YEAR)};
        u.from = property_between(&chance, 0, u.end);
        u.until = property_between(&chance, u.from, u.end);
        enum rc rc = charge_span(&rule, &u, &s, &err);
        HOLDS(rc == RC_OK || rc == RC_INVALID, SEED_FMT "run %d", seed, i);
        HOLDS(rc == RC_OK || (s.before == -1 && s.after == -1), SEED_FMT "run %d", seed, i);
        refused += rc != RC_OK;
    }
    ck_assert_int_lt(refused, RUNS);
}
END_TEST

/* --- at other edges --- */

static enum rc twice(void *arg, struct price list, struct price *ret, struct err *err)
{
    ++*(int *)arg;
    return price_scale_ppm(list, 2 * PRICE_WHOLE_PPM, ret, err);
}

static enum rc refuse(void *arg UNUSED, struct price list UNUSED, struct price *ret UNUSED,
                      struct err *err)
{
    return err_set(err, RC_INVALID, "no");
}

START_TEST(all_prices_of_a_charge_go_down_the_path)
{
    struct err err = {0};
    struct charge_rule out = {.kind = CHARGE_MINIMUM};
    int calls = 0;
    struct charge_rule rule =
        rule_of(&(struct charge){.kind = CHARGE_GRADUATED, .meter = STR("m"), .tiers = {both, 2}});
    ck_assert_int_eq(charge_reprice(&rule, refuse, NULL, &out, &err), RC_INVALID);
    ck_assert_int_eq(out.kind, CHARGE_MINIMUM);
    ck_assert_int_eq(charge_reprice(&rule, twice, &calls, &out, &err), RC_OK);
    ck_assert_int_eq(calls, 4); /* what costs nothing is not asked for */
    struct charge_use u = whole_month("12");
    ck_assert_int_eq(billed(&out, &u), 2 * billed(&rule, &u));
    struct charge_rule least =
        rule_of(&(struct charge){.kind = CHARGE_MINIMUM, .minimum = STR("31")});
    ck_assert_int_eq(charge_reprice(&least, twice, &calls, &out, &err), RC_OK);
    ck_assert_int_eq(price_compare(out.minimum, price_of("62")), 0);
}
END_TEST

/* --- what is refused --- */

START_TEST(each_wrong_field_is_blamed)
{
    static struct charge_tier falling[] = {{.up_to = STR_INIT("10"), .price = STR_INIT("1")},
                                           {.up_to = STR_INIT("10.0"), .price = STR_INIT("1")},
                                           {.price = STR_INIT("1")}};
    static struct charge_tier ended[] = {{.up_to = STR_INIT("10"), .price = STR_INIT("1")}};
    static struct charge_tier open[] = {{.price = STR_INIT("1")}, {.price = STR_INIT("2")}};
    static struct charge_tier nothing[] = {{.up_to = STR_INIT("0"), .price = STR_INIT("1")},
                                           {.price = STR_INIT("1")}};
    static struct charge_tier empty[] = {{.set = 0}};
    static const struct {
        const char *pointer;
        struct charge charge;
    } all[] = {
        {"/price", {.kind = CHARGE_FLAT}},
        {"/price", {.kind = CHARGE_FLAT, .price = STR_INIT("-1")}},
        {"/price", {.kind = CHARGE_FLAT, .price = STR_INIT("1.0000000000001")}},
        {"/price", {.kind = CHARGE_PERCENT, .meter = STR_INIT("m"), .price = STR_INIT("1")}},
        {"/meter", {.kind = CHARGE_FLAT, .price = STR_INIT("1"), .meter = STR_INIT("m")}},
        {"/meter", {.kind = CHARGE_PER_UNIT, .price = STR_INIT("1")}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m")}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {falling, 3}}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {ended, 1}}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {open, 2}}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {nothing, 2}}},
        {"/tiers", {.kind = CHARGE_GRADUATED, .meter = STR_INIT("m"), .tiers = {empty, 1}}},
        {"/tiers", {.kind = CHARGE_STAIR, .meter = STR_INIT("m"), .tiers = {sliding, 3}}},
        {"/tiers", {.kind = CHARGE_FLAT, .price = STR_INIT("1"), .tiers = {sliding, 3}}},
        {"/included",
         {.kind = CHARGE_DESCENDANTS, .tiers = {sliding, 3}, .included = STR_INIT("1")}},
        {"/included", {.kind = CHARGE_FLAT, .price = STR_INIT("1"), .included = STR_INIT("-1")}},
        {"/package", {.kind = CHARGE_PACKAGE, .meter = STR_INIT("m"), .price = STR_INIT("1")}},
        {"/package",
         {.kind = CHARGE_PACKAGE,
          .meter = STR_INIT("m"),
          .price = STR_INIT("1"),
          .package = STR_INIT("0")}},
        {"/percent", {.kind = CHARGE_PERCENT, .meter = STR_INIT("m")}},
        {"/percent",
         {.kind = CHARGE_PERCENT, .meter = STR_INIT("m"), .percent = STR_INIT("1.00001")}},
        {"/minimum", {.kind = CHARGE_MINIMUM}},
        {"/instalments", {.kind = CHARGE_INSTALMENT, .price = STR_INIT("1")}},
        {"/instalments", {.kind = CHARGE_FLAT, .price = STR_INIT("1"), .instalments = 3}},
        {"/advance",
         {.kind = CHARGE_PER_UNIT, .meter = STR_INIT("m"), .price = STR_INIT("1"), .advance = 1}},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct err err = {0};
        struct charge_rule rule = {.instalments = -7};
        enum rc rc = charge_parse(&all[i].charge, &rule, &err);
        ck_assert_msg(rc == RC_INVALID, "%zu: %s", i, rc_slug(rc));
        ck_assert_msg(strcmp(err.pointer, all[i].pointer) == 0, "%zu: '%s', wanted was '%s'", i,
                      err.pointer, all[i].pointer);
        ck_assert_int_eq(rule.instalments, -7);
    }
}
END_TEST

Suite *charge_suite(void);
Suite *charge_suite(void)
{
    Suite *s = suite_create("charge");
    TCase *c = tcase_create("charge");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, each_kind_at_the_edges_of_its_tiers);
    tcase_add_test(c, one_time_is_the_first_period_alone);
    tcase_add_test(c, a_minimum_is_trued_up_for_its_part_of_the_period);
    tcase_add_test(c, instalments_differ_by_a_cent_and_add_up);
    tcase_add_test(c, children_slide_by_their_number_and_their_time);
    tcase_add_test(c, part_of_a_month_by_the_second);
    tcase_add_test(c, what_is_counted_is_the_same_in_equal_parts);
    tcase_add_test(c, a_level_costs_its_time);
    tcase_add_test(c, any_cutting_of_a_period_ends_at_the_same_total);
    tcase_add_test(c, tiers_agree_with_counting_unit_by_unit);
    tcase_add_test(c, more_never_costs_less_where_tiers_do_not_fall);
    tcase_add_test(c, what_does_not_fit_is_refused_and_nothing_overflows);
    tcase_add_test(c, all_prices_of_a_charge_go_down_the_path);
    tcase_add_test(c, each_wrong_field_is_blamed);
    suite_add_tcase(s, c);
    return s;
}
