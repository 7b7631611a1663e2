/*
 * cases_test.c - the four cases of the mission documents, computed (specs/billing.md 3.5 to 3.8):
 * the part of each that is arithmetic.
 */
#include "money/exchange.h"
#include "money/price.h"
#include "money/split.h"
#include "money/tax.h"
#include "money/telescope.h"

#include <check.h>

static struct arena arena;

static void arena_up(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
}

static void arena_down(void)
{
    arena_fini(&arena);
}

static const struct currency *cur(const char *code)
{
    return currency_find(str_c(code));
}

static struct price priced(const char *text)
{
    struct price p = {0};
    struct err err = {0};
    ck_assert_msg(price_parse(str_c(text), &p, &err) == RC_OK, "%s", err.text);
    return p;
}

/* R(price x units) in minor units. */
static int64_t cost(struct price price, int64_t units, const char *currency)
{
    rated r = 0;
    int64_t amount = 0;
    struct err err = {0};
    ck_assert_int_eq(price_rate(price, (struct quantity){units, 0}, &r, &err), RC_OK);
    ck_assert_int_eq(rated_round(r, cur(currency), &amount, &err), RC_OK);
    return amount;
}

static struct tax_document taxed(int64_t net, enum tax_category category, int64_t rate_ppm)
{
    struct tax_line line = {.category = category, .rate_ppm = rate_ppm, .amount = net};
    struct tax_document doc = {0};
    struct err err = {0};
    ck_assert_int_eq(tax_exclusive(&line, 1, 0, 0, &arena, &doc, &err), RC_OK);
    return doc;
}

START_TEST(rapid_space_server_month)
{
    /* Cost rows of the document: 167, printed as 168; so the profit is 28, not the 30 printed. */
    static const int64_t rows[] = {69, 6, 8, 26, 13, 20, 20, 4, 1};
    int64_t sum = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        sum += rows[i];
    ck_assert_int_eq(sum, 167);
    ck_assert_int_eq(195 - sum, 28);

    /* a1 and a2: sale 195 + 39, purchase 175 + 35: VAT due 4, cash 24, of it 20 the operator's. */
    struct tax_document sale = taxed(19500, TAX_STANDARD, 200000);
    struct tax_document purchase = taxed(17500, TAX_STANDARD, 200000);
    ck_assert_int_eq(sale.totals.gross, 23400);
    ck_assert_int_eq(purchase.totals.gross, 21000);
    ck_assert_int_eq(sale.totals.tax - purchase.totals.tax, 400);
    ck_assert_int_eq(sale.totals.gross - purchase.totals.gross, 2400);

    /* Half paid, half payable: pro rata of cash. */
    ck_assert_int_eq(telescope_step(17500, 0, 11700, 23400), 8750);
    ck_assert_int_eq(telescope_step(3500, 0, 11700, 23400), 1750);

    /* A POP in another country of the Union: reverse charge. */
    ck_assert_int_eq(taxed(17500, TAX_REVERSE_CHARGE, 0).totals.gross, 17500);
}
END_TEST

START_TEST(coworking_cloud_in_yuan)
{
    /* 250 + 150 a month, member 400, public 800; a gigabyte is 1/32. */
    ck_assert_int_eq(40000 / 32, 1250);
    ck_assert_int_eq(80000 / 32, 2500);
    /* Unit fee 100/32 = 3.125: a hundred members cost 312.50, rounded once on the total. */
    ck_assert_int_eq(cost(priced("3.125"), 100, "CNY"), 31250);
    /* Per server-month public: 800.00 - VAT 45.28 - 100 - 250 = 404.72. */
    struct tax_line line = {.category = TAX_STANDARD, .rate_ppm = 60000, .amount = 80000};
    struct tax_document doc;
    struct err err = {0};
    ck_assert_int_eq(tax_inclusive(&line, 1, 0, 0, &arena, &doc, &err), RC_OK);
    ck_assert_int_eq(doc.totals.net - 10000 - 25000, 40472);
    /* 100 servers, public price: 960,000 a year. */
    ck_assert_int_eq(cost(priced("800.00"), 1200, "CNY"), 96000000);
    /* 250 RMB = 35 EUR. */
    struct exchange x;
    int64_t euros = 0;
    ck_assert_int_eq(exchange_make(cur("CNY"), cur("EUR"), 250, 35, &x, &err), RC_OK);
    ck_assert_int_eq(exchange_convert(&x, 25000, EXCHANGE_NEUTRAL, &euros, &err), RC_OK);
    ck_assert_int_eq(euros, 3500);
}
END_TEST

START_TEST(xterity_through_two_resellers)
{
    struct err err = {0};
    struct price vm[3] = {priced("50.00")};
    struct price storage[3] = {priced("10.00")};
    ck_assert_int_eq(price_scale_ppm(vm[0], 1120000, &vm[1], &err), RC_OK);
    ck_assert_int_eq(price_scale_ppm(vm[1], 1250000, &vm[2], &err), RC_OK);
    ck_assert_int_eq(price_scale_ppm(storage[0], 1000000, &storage[1], &err), RC_OK);
    ck_assert_int_eq(price_scale_ppm(storage[1], 950000, &storage[2], &err), RC_OK);
    static const int64_t sells[] = {70000, 76000, 89000};
    for (int tier = 0; tier < 3; tier++)
        ck_assert_int_eq(cost(vm[tier], 10, "USD") + cost(storage[tier], 20, "USD"), sells[tier]);

    /* The operator's 700 pay the distributor 5 % and the agent 3 %. */
    struct split_part parts[] = {{50000, 0}, {30000, 0}, {0, 0}};
    ck_assert_int_eq(split_with_residual(70000, parts, 3, 2, &arena, &err), RC_OK);
    ck_assert_int_eq(parts[0].amount, 3500);
    ck_assert_int_eq(parts[1].amount, 2100);
    ck_assert_int_eq(parts[2].amount, 64400);
    ck_assert_int_eq(64400 + 6000 + 13000 + 3500 + 2100, 89000);

    /* One VM is credited: 70 = 50 + 6 + 14, and 8 % of the 50 come back. */
    ck_assert_int_eq(cost(vm[2], 1, "USD"), 7000);
    ck_assert_int_eq(cost(vm[1], 1, "USD") - cost(vm[0], 1, "USD"), 600);
    ck_assert_int_eq(cost(vm[2], 1, "USD") - cost(vm[1], 1, "USD"), 1400);
    ck_assert_int_eq(split_with_residual(-5000, parts, 3, 2, &arena, &err), RC_OK);
    ck_assert_int_eq(parts[0].amount, -250);
    ck_assert_int_eq(parts[1].amount, -150);
}
END_TEST

START_TEST(picos_with_children)
{
    /* A family of 1 + 25: the first ten at 5.00, the rest at 2.00. */
    ck_assert_int_eq(cost(priced("10.00"), 1, "USD") + cost(priced("5.00"), 10, "USD") +
                         cost(priced("2.00"), 15, "USD"),
                     9000);
    /* A child with half the year left pays half of 5.00. */
    ck_assert_int_eq(telescope_step(500, 15768000, 31536000, 31536000), 250);
    /* Recognised to the second of the move, in the middle of the year: 45.00 and 45.00. */
    ck_assert_int_eq(telescope_step(9000, 0, 15768000, 31536000), 4500);
    ck_assert_int_eq(telescope_step(9000, 15768000, 31536000, 31536000), 4500);
}
END_TEST

Suite *cases_suite(void);
Suite *cases_suite(void)
{
    Suite *s = suite_create("cases");
    TCase *c = tcase_create("cases");
    tcase_add_checked_fixture(c, arena_up, arena_down);
    tcase_add_test(c, rapid_space_server_month);
    tcase_add_test(c, coworking_cloud_in_yuan);
    tcase_add_test(c, xterity_through_two_resellers);
    tcase_add_test(c, picos_with_children);
    suite_add_tcase(s, c);
    return s;
}
