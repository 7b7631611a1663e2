#include "money/property.h"
#include "money/tax.h"

#include <check.h>

static struct arena arena;

static void arena_up(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
}

static void arena_down(void)
{
    arena_fini(&arena);
}

static struct tax_line line(enum tax_kind kind, enum tax_category category, int64_t rate_ppm,
                            int64_t amount)
{
    return (struct tax_line){kind, category, rate_ppm, amount, 77, 77};
}

static struct tax_line standard(int64_t rate_ppm, int64_t amount)
{
    return line(TAX_LINE, TAX_STANDARD, rate_ppm, amount);
}

START_TEST(three_lines_of_12_50_inside_20_percent)
{
    /* specs 3.9 (7): line by line it would be 37.51. */
    struct tax_line lines[] = {standard(200000, 1250), standard(200000, 1250),
                               standard(200000, 1250)};
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_inclusive(lines, 3, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(lines[0].net, 1042);
    ck_assert_int_eq(lines[1].net, 1042);
    ck_assert_int_eq(lines[2].net, 1041);
    ck_assert_int_eq(lines[2].tax, 209);
    ck_assert_int_eq(doc.totals.net, 3125);
    ck_assert_int_eq(doc.totals.tax, 625);
    ck_assert_int_eq(doc.totals.gross, 3750);
}
END_TEST

START_TEST(chinese_prices_hold_6_percent)
{
    /* specs 3.6; 25.00 is the case where net x rate would give 1.41. */
    static const struct {
        int64_t gross, net, tax;
    } cases[] = {{40000, 37736, 2264}, {80000, 75472, 4528}, {1250, 1179, 71}, {2500, 2358, 142}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tax_line lines[] = {standard(60000, cases[i].gross)};
        struct tax_document doc;
        struct err err = {0};
        ck_assert_int_eq(tax_inclusive(lines, 1, 0, 0, &arena, &doc, &err), RC_OK);
        ck_assert_int_eq(doc.totals.net, cases[i].net);
        ck_assert_int_eq(doc.totals.tax, cases[i].tax);
        ck_assert_int_eq(lines[0].net, cases[i].net);
        ck_assert_int_eq(lines[0].tax, cases[i].tax);
    }
}
END_TEST

START_TEST(a_document_of_net_prices_has_the_totals_of_the_norm)
{
    struct tax_line lines[] = {
        standard(200000, 19500),
        standard(55000, 1001),
        standard(200000, 333),
        line(TAX_ALLOWANCE, TAX_STANDARD, 200000, 500),
        line(TAX_CHARGE, TAX_STANDARD, 200000, 250),
        line(TAX_LINE, TAX_REVERSE_CHARGE, 0, 10000),
    };
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_exclusive(lines, COUNT(lines), 5000, 1, &arena, &doc, &err), RC_OK);
    ck_assert_uint_eq(doc.group_count, 3);
    ck_assert_int_eq(doc.groups[0].rate_ppm, 55000); /* by category, then rate */
    ck_assert_int_eq(doc.groups[0].net, 1001);
    ck_assert_int_eq(doc.groups[0].tax, 55); /* 55.055 */
    ck_assert_int_eq(doc.groups[1].net, 19500 + 333 - 500 + 250);
    ck_assert_int_eq(doc.groups[1].tax, 3917); /* 3916.6 */
    ck_assert_int_eq(doc.groups[2].category, TAX_REVERSE_CHARGE);
    ck_assert_int_eq(doc.groups[2].tax, 0);
    ck_assert_int_eq(doc.totals.lines, 30834);
    ck_assert_int_eq(doc.totals.allowances, 500);
    ck_assert_int_eq(doc.totals.charges, 250);
    ck_assert_int_eq(doc.totals.net, 30584);
    ck_assert_int_eq(doc.totals.tax, 3972);
    ck_assert_int_eq(doc.totals.gross, 34556);
    ck_assert_int_eq(doc.totals.payable, 34556 - 5000 + 1);
    ck_assert_int_eq(lines[0].net, 19500);
    ck_assert_int_eq(lines[0].tax, 0);
}
END_TEST

START_TEST(tax_is_of_the_sum_not_the_sum_of_taxes)
{
    /* Ten lines of 0.02 at 20 %: 0.004 each would be nothing, together 0.04. */
    struct tax_line lines[10];
    for (size_t i = 0; i < COUNT(lines); i++)
        lines[i] = standard(200000, 2);
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_exclusive(lines, COUNT(lines), 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(doc.totals.tax, 4);
}
END_TEST

START_TEST(an_empty_document_is_all_zero)
{
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_exclusive(NULL, 0, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_uint_eq(doc.group_count, 0);
    ck_assert_int_eq(doc.totals.payable, 0);
    ck_assert_int_eq(tax_inclusive(NULL, 0, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(doc.totals.payable, 0);
}
END_TEST

START_TEST(what_breaks_a_rule_is_refused_and_nothing_is_written)
{
    static const struct {
        struct tax_line line;
        const char *says;
    } cases[] = {
        {{TAX_LINE, TAX_STANDARD, 0, 100, 77, 77}, "wants a rate above 0"},
        {{TAX_LINE, TAX_EXEMPT, 1, 100, 77, 77}, "wants a rate of 0"},
        {{TAX_LINE, TAX_REVERSE_CHARGE, 200000, 100, 77, 77}, "category AE"},
        {{TAX_LINE, TAX_STANDARD, -1, 100, 77, 77}, "between 0 and 1000 %"},
        {{TAX_LINE, TAX_STANDARD, TAX_RATE_MAX_PPM + 1, 100, 77, 77}, "between 0 and 1000 %"},
        {{TAX_ALLOWANCE, TAX_STANDARD, 200000, -1, 77, 77}, "positive"},
        {{TAX_LINE, TAX_STANDARD, 200000, INT64_MAX, 77, 77}, "too large"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tax_line lines[] = {standard(200000, 1), cases[i].line};
        struct tax_document doc = {.group_count = 77};
        struct err err = {0};
        ck_assert_int_eq(tax_exclusive(lines, 2, 0, 0, &arena, &doc, &err), RC_INVALID);
        ck_assert_msg(str_has(err_text(&err), str_c(cases[i].says)), "%s", err.text);
        ck_assert_uint_eq(doc.group_count, 77);
        ck_assert_int_eq(lines[0].net, 77);
        if (cases[i].line.amount == INT64_MAX)
            lines[0].amount = 100; /* inclusive: the gross total is what must not fit */
        ck_assert_int_eq(tax_inclusive(lines, 2, 0, 0, &arena, &doc, &err), RC_INVALID);
        ck_assert_uint_eq(doc.group_count, 77);
        ck_assert_int_eq(lines[0].net, 77);
    }
}
END_TEST

START_TEST(lines_and_rates_are_bounded)
{
    struct tax_document doc;
    struct err err = {0};
    struct tax_line lines[TAX_GROUPS_MAX + 1];
    for (size_t i = 0; i < COUNT(lines); i++)
        lines[i] = standard((int64_t)i + 1, 100);
    ck_assert_int_eq(tax_exclusive(lines, TAX_GROUPS_MAX, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(tax_exclusive(lines, COUNT(lines), 0, 0, &arena, &doc, &err), RC_INVALID);
    ck_assert_int_eq(tax_exclusive(lines, TAX_LINES_MAX + 1, 0, 0, &arena, &doc, &err), RC_INVALID);
}
END_TEST

START_TEST(a_line_net_is_rounded_once_then_charged_and_allowed)
{
    static const struct {
        const char *price, *quantity, *base;
        int64_t charges, allowances, want;
    } cases[] = {
        {"3.125", "100", "1", 0, 0, 31250}, {"0.005", "1", "1", 0, 0, 1},
        {"-0.005", "1", "1", 0, 0, -1},     {"195.00", "1234567", "2678400", 0, 0, 8988},
        {"10.00", "3", "7", 100, 50, 479},
    };
    const struct currency *eur = currency_find(STR("EUR"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tax_item item = {.charges = cases[i].charges, .allowances = cases[i].allowances};
        struct err err = {0};
        int64_t got = 0;
        ck_assert_int_eq(price_parse(str_c(cases[i].price), &item.price, &err), RC_OK);
        ck_assert_int_eq(quantity_parse(str_c(cases[i].quantity), &item.quantity, &err), RC_OK);
        ck_assert_int_eq(quantity_parse(str_c(cases[i].base), &item.base, &err), RC_OK);
        ck_assert_int_eq(tax_line_net(&item, eur, &got, &err), RC_OK);
        ck_assert_int_eq(got, cases[i].want);
    }
}
END_TEST

START_TEST(categories_have_their_codes)
{
    for (int i = 0; i < TAX_CATEGORY_COUNT; i++) {
        enum tax_category got = TAX_CATEGORY_COUNT;
        struct err err = {0};
        const char *code = tax_category_code((enum tax_category)i);
        ck_assert_int_eq(tax_category_parse(str_c(code), &got, &err), RC_OK);
        ck_assert_int_eq((int)got, i);
        ck_assert_int_eq(tax_category_parse(STR("X"), &got, &err), RC_INVALID);
        ck_assert_int_eq((int)got, i);
    }
}
END_TEST

/* Up to 12 lines of any kind at four rates. */
static size_t any_lines(struct clock_sim *chance, struct tax_line *lines, bool negative)
{
    static const int64_t rates[] = {0, 55000, 60000, 200000};
    size_t n = 1 + clock_sim_below(chance, 12);
    int64_t top = (int64_t)1 << clock_sim_below(chance, 50);
    for (size_t i = 0; i < n; i++) {
        int64_t rate = rates[clock_sim_below(chance, COUNT(rates))];
        enum tax_kind kind = (enum tax_kind)clock_sim_below(chance, 3);
        int64_t low = negative && kind == TAX_LINE ? -top : 0;
        lines[i] =
            line(kind, rate ? TAX_STANDARD : TAX_ZERO, rate, property_between(chance, low, top));
    }
    return n;
}

START_TEST(inclusive_nets_and_taxes_add_up_and_stay_within_one_unit)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct tax_line lines[12];
        size_t n = any_lines(&chance, lines, true);
        struct tax_document doc;
        struct err err = {0};
        arena_reset(&arena);
        HOLDS(tax_inclusive(lines, n, 0, 0, &arena, &doc, &err) == RC_OK, SEED_FMT "%s", seed,
              err.text);
        int64_t net = 0;
        int64_t tax = 0;
        int64_t gross = 0;
        for (size_t k = 0; k < n; k++) {
            int64_t sign = lines[k].kind == TAX_ALLOWANCE ? -1 : 1;
            net += sign * lines[k].net;
            tax += sign * lines[k].tax;
            gross += sign * lines[k].amount;
            HOLDS(lines[k].net + lines[k].tax == lines[k].amount, SEED_FMT, seed);
            __int128 d = TAX_WHOLE_PPM + lines[k].rate_ppm;
            __int128 off = (__int128)lines[k].amount * TAX_WHOLE_PPM - lines[k].net * d;
            HOLDS(off > -d && off < d, SEED_FMT "line %zu", seed, k);
        }
        HOLDS(net == doc.totals.net, SEED_FMT, seed);
        HOLDS(tax == doc.totals.tax, SEED_FMT, seed);
        HOLDS(gross == doc.totals.gross, SEED_FMT, seed);
    }
}
END_TEST

START_TEST(inclusive_mirrors)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct tax_line lines[12];
        struct tax_line mirror[12];
        size_t n = any_lines(&chance, lines, true);
        for (size_t k = 0; k < n; k++) {
            lines[k].kind = TAX_LINE; /* the others may not be negative */
            mirror[k] = lines[k];
            mirror[k].amount = -lines[k].amount;
        }
        struct tax_document doc;
        struct tax_document back;
        struct err err = {0};
        arena_reset(&arena);
        HOLDS(tax_inclusive(lines, n, 0, 0, &arena, &doc, &err) == RC_OK, SEED_FMT, seed);
        HOLDS(tax_inclusive(mirror, n, 0, 0, &arena, &back, &err) == RC_OK, SEED_FMT, seed);
        HOLDS(doc.totals.tax == -back.totals.tax, SEED_FMT, seed);
        for (size_t k = 0; k < n; k++)
            HOLDS(lines[k].net == -mirror[k].net, SEED_FMT "line %zu", seed, k);
    }
}
END_TEST

START_TEST(exclusive_totals_hold_the_rules_of_the_norm)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct tax_line lines[12];
        size_t n = any_lines(&chance, lines, true);
        int64_t paid = property_between(&chance, 0, 1000000);
        struct tax_document doc;
        struct err err = {0};
        arena_reset(&arena);
        HOLDS(tax_exclusive(lines, n, paid, 0, &arena, &doc, &err) == RC_OK, SEED_FMT "%s", seed,
              err.text);
        const struct tax_totals *t = &doc.totals;
        int64_t tax = 0;
        int64_t net = 0;
        for (size_t g = 0; g < doc.group_count; g++) {
            const struct tax_group *group = &doc.groups[g];
            net += group->net;
            tax += group->tax;
            /* BR-CO-17 exactly: twice the difference is at most the divisor. */
            __int128 off =
                (__int128)group->net * group->rate_ppm - (__int128)group->tax * TAX_WHOLE_PPM;
            HOLDS(2 * off <= TAX_WHOLE_PPM && -2 * off <= TAX_WHOLE_PPM, SEED_FMT, seed);
            HOLDS(g == 0 || group[-1].category < group->category ||
                      group[-1].rate_ppm < group->rate_ppm,
                  SEED_FMT, seed);
        }
        HOLDS(t->net == net && t->tax == tax, SEED_FMT, seed);
        HOLDS(t->net == t->lines - t->allowances + t->charges, SEED_FMT, seed); /* BR-CO-13 */
        HOLDS(t->gross == t->net + t->tax, SEED_FMT, seed);                     /* BR-CO-15 */
        HOLDS(t->payable == t->gross - paid, SEED_FMT, seed);                   /* BR-CO-16 */
    }
}
END_TEST

START_TEST(a_hundred_thousand_lines_in_one_document)
{
    struct tax_line *lines = NEW_N(&arena, struct tax_line, TAX_LINES_MAX);
    for (size_t i = 0; i < TAX_LINES_MAX; i++)
        lines[i] = standard(60000 + (int64_t)(i % TAX_GROUPS_MAX), 1250);
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_inclusive(lines, TAX_LINES_MAX, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(doc.totals.gross, INT64_C(1250) * TAX_LINES_MAX);
}
END_TEST

Suite *tax_suite(void);
Suite *tax_suite(void)
{
    Suite *s = suite_create("tax");
    TCase *c = tcase_create("tax");
    tcase_add_checked_fixture(c, arena_up, arena_down);
    tcase_add_test(c, three_lines_of_12_50_inside_20_percent);
    tcase_add_test(c, chinese_prices_hold_6_percent);
    tcase_add_test(c, a_document_of_net_prices_has_the_totals_of_the_norm);
    tcase_add_test(c, tax_is_of_the_sum_not_the_sum_of_taxes);
    tcase_add_test(c, an_empty_document_is_all_zero);
    tcase_add_test(c, what_breaks_a_rule_is_refused_and_nothing_is_written);
    tcase_add_test(c, lines_and_rates_are_bounded);
    tcase_add_test(c, a_line_net_is_rounded_once_then_charged_and_allowed);
    tcase_add_test(c, categories_have_their_codes);
    tcase_add_test(c, inclusive_nets_and_taxes_add_up_and_stay_within_one_unit);
    tcase_add_test(c, inclusive_mirrors);
    tcase_add_test(c, exclusive_totals_hold_the_rules_of_the_norm);
    tcase_add_test(c, a_hundred_thousand_lines_in_one_document);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
