#include "billing/tax_rule.h"

#include "base/clock.h"
#include "money/country.h"

#include <check.h>

static const struct tax_id vat = {.scheme = STR_INIT("vat"), .value = STR_INIT("X1")};

static struct party party(const char *country, bool taxable, bool with_id)
{
    struct party p = {.name = STR("P"), .address = {.country = str_c(country)}, .taxable = taxable};
    static struct tax_id ids[1];
    ids[0] = vat;
    if (with_id)
        p.tax_ids = (struct list){ids, 1};
    return p;
}

static struct tax_decision decide(const char *from, const char *to, bool taxable, int year,
                                  int month, int day)
{
    struct party seller = party(from, true, true);
    struct party buyer = party(to, taxable, taxable);
    return tax_decide(&seller, &buyer, TAX_CLASS_STANDARD, days_from_civil(year, month, day));
}

START_TEST(a_domestic_supply_bears_the_rate_of_the_day)
{
    static const struct {
        const char *country;
        int year, month, day;
        int64_t ppm;
    } cases[] = {
        {"FR", 2026, 1, 31, 200000},  {"DE", 2020, 6, 30, 190000},  {"DE", 2020, 7, 1, 160000},
        {"DE", 2020, 12, 31, 160000}, {"DE", 2021, 1, 1, 190000},   {"EE", 2025, 6, 30, 220000},
        {"EE", 2025, 7, 1, 240000},   {"FI", 2024, 8, 31, 240000},  {"FI", 2024, 9, 1, 255000},
        {"RO", 2025, 8, 1, 210000},   {"SK", 2024, 12, 31, 200000}, {"SK", 2025, 1, 1, 230000},
        {"CH", 2023, 12, 31, 77000},  {"CH", 2024, 1, 1, 81000},    {"GB", 2026, 1, 1, 200000},
        {"NO", 2026, 1, 1, 250000},   {"CN", 2026, 1, 1, 60000},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int taxable = 0; taxable < 2; taxable++) {
            struct tax_decision d = decide(cases[i].country, cases[i].country, taxable,
                                           cases[i].year, cases[i].month, cases[i].day);
            ck_assert_msg(d.known && d.rate_ppm == cases[i].ppm, "%s: %lld", cases[i].country,
                          (long long)d.rate_ppm);
            ck_assert_int_eq(d.category, TAX_STANDARD);
            ck_assert(str_eq(d.country, str_c(cases[i].country)));
        }
}
END_TEST

START_TEST(every_member_state_has_a_rate_today)
{
    int members = 0;
    for (size_t i = 0; i < country_count(); i++) {
        const struct country *c = country_at(i);
        if (!c->eu)
            continue;
        struct tax_decision d = decide(c->code, c->code, false, 2026, 1, 1);
        ck_assert_msg(d.known && d.rate_ppm >= 150000 && d.rate_ppm <= 270000, "%s", c->code);
        members++;
    }
    ck_assert_int_eq(members, 27);
}
END_TEST

START_TEST(across_the_union_a_business_accounts_itself_and_a_consumer_pays_its_own_rate)
{
    struct tax_decision d = decide("DE", "FR", true, 2026, 1, 31);
    ck_assert(d.known);
    ck_assert_int_eq(d.category, TAX_REVERSE_CHARGE);
    ck_assert_int_eq(d.rate_ppm, 0);
    ck_assert_int_eq(d.buyer_rate_ppm, 200000);
    ck_assert_str_eq(d.reason, "VATEX-EU-AE");
    d = decide("DE", "FR", false, 2026, 1, 31);
    ck_assert_int_eq(d.category, TAX_STANDARD);
    ck_assert_int_eq(d.rate_ppm, 200000);
    ck_assert(str_eq(d.country, STR("FR")));
}
END_TEST

START_TEST(reverse_charge_needs_both_numbers)
{
    for (int which = 0; which < 2; which++) {
        struct party seller = party("DE", true, which != 0);
        struct party buyer = party("FR", true, which != 1);
        struct tax_decision d =
            tax_decide(&seller, &buyer, TAX_CLASS_STANDARD, days_from_civil(2026, 1, 1));
        ck_assert(!d.known);
    }
}
END_TEST

START_TEST(outside_the_union_there_is_no_tax)
{
    static const char *const pairs[][2] = {{"FR", "US"}, {"FR", "CN"}, {"US", "US"},
                                           {"US", "CN"}, {"CN", "US"}, {"GB", "CH"}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct tax_decision d = decide(pairs[i][0], pairs[i][1], true, 2026, 1, 1);
        ck_assert_msg(d.known && d.category == TAX_OUTSIDE && d.rate_ppm == 0, "%s to %s",
                      pairs[i][0], pairs[i][1]);
    }
    struct tax_decision in = decide("US", "FR", true, 2026, 1, 1);
    ck_assert_int_eq(in.category, TAX_OUTSIDE);
    ck_assert_int_eq(in.buyer_rate_ppm, 200000);
}
END_TEST

START_TEST(what_the_table_does_not_know_is_said)
{
    ck_assert(!decide("BR", "BR", true, 2026, 1, 1).known);
    ck_assert(!decide("BR", "FR", true, 2026, 1, 1).known);
    ck_assert(!decide("FR", "FR", true, 2013, 12, 31).known); /* before the first row */
    ck_assert(!decide("GB", "FR", false, 2026, 1, 1).known);  /* non-Union one-stop shop */
    struct party seller = party("FR", true, true);
    struct tax_decision d =
        tax_decide(&seller, &seller, TAX_CLASS_REDUCED, days_from_civil(2026, 1, 1));
    ck_assert(!d.known); /* several reduced rates */
}
END_TEST

START_TEST(classes_and_who_is_not_registered)
{
    struct party seller = party("DE", true, true);
    struct party small = party("DE", false, false);
    int64_t day = days_from_civil(2026, 1, 1);
    struct tax_decision d = tax_decide(&seller, &small, TAX_CLASS_REDUCED, day);
    ck_assert_int_eq(d.rate_ppm, 70000);
    d = tax_decide(&seller, &small, TAX_CLASS_EXEMPT, day);
    ck_assert_int_eq(d.category, TAX_EXEMPT);
    d = tax_decide(&seller, &small, TAX_CLASS_OUTSIDE, day);
    ck_assert_int_eq(d.category, TAX_OUTSIDE);
    d = tax_decide(&small, &seller, TAX_CLASS_STANDARD, day);
    ck_assert(d.known && d.category == TAX_OUTSIDE && d.rate_ppm == 0);
}
END_TEST

START_TEST(the_table_is_told_whole)
{
    struct arena arena;
    struct list list;
    arena_init(&arena, (size_t)1024 * 1024);
    ck_assert_int_eq(tax_rates(&arena, &list), RC_OK);
    const struct tax_rate_row *rows = list.items;
    bool swiss = false;
    for (size_t i = 0; i < list.count; i++) {
        swiss = swiss || (str_eq(rows[i].country, STR("CH")) && str_eq(rows[i].rate, STR("8.1")) &&
                          str_eq(rows[i].valid_from, STR("2024-01-01")));
        ck_assert(rows[i].source.n > 0);
        /* newest first within a country and class: what find_rate relies on */
        if (i > 0 && str_eq(rows[i].country, rows[i - 1].country) &&
            str_eq(rows[i].tax_class, rows[i - 1].tax_class))
            ck_assert_int_lt(str_cmp(rows[i].valid_from, rows[i - 1].valid_from), 0);
    }
    ck_assert(swiss);
    arena_fini(&arena);
}
END_TEST

Suite *tax_rule_suite(void);
Suite *tax_rule_suite(void)
{
    Suite *s = suite_create("tax_rule");
    TCase *c = tcase_create("tax_rule");
    tcase_add_test(c, a_domestic_supply_bears_the_rate_of_the_day);
    tcase_add_test(c, every_member_state_has_a_rate_today);
    tcase_add_test(c, across_the_union_a_business_accounts_itself_and_a_consumer_pays_its_own_rate);
    tcase_add_test(c, reverse_charge_needs_both_numbers);
    tcase_add_test(c, outside_the_union_there_is_no_tax);
    tcase_add_test(c, what_the_table_does_not_know_is_said);
    tcase_add_test(c, classes_and_who_is_not_registered);
    tcase_add_test(c, the_table_is_told_whole);
    suite_add_tcase(s, c);
    return s;
}
