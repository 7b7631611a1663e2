/*
 * bounds_test.c - amounts at the end of what is carried: refused where they come in, else an
 * exception of what they belong to, and never of the others.
 */
#include "billing/wallet.h"
#include "money/amount.h"
#include "settle/settle_fixture.h"

#define BEYOND  "1000000000000.01" /* a cent more than AMOUNT_ONE_MAX, PRICE_ONE_MAX */
#define HIGHEST "1000000000000"

enum { CLIENTS = 3, EXCEPTIONS_MAX = 10 };

struct bounds {
    struct close_world w;
    struct str op, partner, other;
    struct str client[CLIENTS];
    struct str subscription[CLIENTS];
    struct agreement fresh; /* from the operator to the partner, and to the other one */
    struct rule rule;
    const char *price[CLIENTS];
    const char *quantity[CLIENTS];
    int64_t exceptions; /* of the latest close */
    struct str step[EXCEPTIONS_MAX];
    struct str text[EXCEPTIONS_MAX];
    struct str about[EXCEPTIONS_MAX];
};

static struct str price_plan(struct tx *tx, struct str op, const char *code, const char *price)
{
    return make_flat(tx, op, code, "VPS", price, "EUR");
}

static enum rc define(struct tx *tx, void *arg)
{
    static const char *const codes[CLIENTS] = {"one", "two", "three"};
    struct bounds *b = arg;
    struct close_world *w = &b->w;
    b->op = w->op = keep(w, books_party(tx, "Op", "FR", true));
    b->partner = keep(w, books_party(tx, "Partner", "FR", true));
    b->other = keep(w, books_party(tx, "Other", "BE", true)); /* without a VAT id */
    OK(tx, permission_seed(tx));
    for (int i = 0; i < CLIENTS; i++) {
        struct str plan = price_plan(tx, b->op, codes[i], b->price[i]);
        b->client[i] = keep(w, books_party(tx, codes[i], "FR", false));
        struct str supply = make_supply(tx, b->op, b->client[i], STR(""), STR(""));
        b->subscription[i] = keep(w, make_subscription(tx, supply, plan, b->quantity[i], 0));
    }
    if (b->rule.label.n == 0)
        return RC_OK;
    b->fresh.from = b->op;
    b->fresh.terms.rules = (struct list){&b->rule, 1};
    b->fresh.to = b->partner;
    (void)make_agreement(tx, &b->fresh);
    if (b->fresh.terms.self_billing) {
        b->fresh.to = b->other;
        (void)make_agreement(tx, &b->fresh);
    }
    return RC_OK;
}

static struct bounds *bounds_open(const struct bounds *wanted)
{
    struct bounds *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    *b = *wanted;
    for (int i = 0; i < CLIENTS; i++) {
        b->price[i] = b->price[i] != NULL ? b->price[i] : "50.00";
        b->quantity[i] = b->quantity[i] != NULL ? b->quantity[i] : "1";
    }
    settle_world_open(&b->w);
    world_write(&b->w.books.world, define, b, RC_OK);
    return b;
}

static void bounds_close(struct bounds *b)
{
    settle_world_close(&b->w);
    free(b);
}

static enum rc read_exceptions(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct rows rows;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT step, text, subscription FROM close_exception ORDER BY id LIMIT 10"));
    b->exceptions = (int64_t)rows.count;
    for (size_t i = 0; i < rows.count; i++) {
        b->step[i] = keep(&b->w, row_str(&rows, i, 0));
        b->text[i] = keep(&b->w, row_str(&rows, i, 1));
        b->about[i] = keep(&b->w, row_str(&rows, i, 2));
    }
    return RC_OK;
}

/* To its end, whatever its exceptions. */
static void close_month(struct bounds *b, const char *period, time_us at)
{
    struct close close = settle_close_any(&b->w, period, at);
    world_write(&b->w.books.world, read_exceptions, b, RC_OK);
    ck_assert_int_eq(close.exceptions, b->exceptions);
}

static bool says(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* --- where it comes in --- */

static enum rc doors_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct ledger *l = b->w.books.l;
    struct agreement a;
    struct wallet wallet;
    struct coupon coupon;
    struct payment payment;
    struct price_entry entry;
    struct rule rule = {.kind = RULE_FIXED, .value = STR(BEYOND), .label = STR("Energy")};
    struct agreement cost = {
        .kind = AGREEMENT_COST, .from = b->op, .to = b->partner, .terms = {.rules = {&rule, 1}}};
    FAILS(tx, RC_INVALID, "/terms/rules/0/value", agreement_create(tx, &cost, &a));
    rule = (struct rule){.kind = RULE_PER_UNIT, .value = STR(BEYOND), .label = STR("Energy")};
    FAILS(tx, RC_INVALID, "/terms/rules/0/value", agreement_create(tx, &cost, &a));
    rule.value = STR(HIGHEST);
    OK(tx, agreement_create(tx, &cost, &a));
    cost.terms.min_payout = STR(BEYOND);
    FAILS(tx, RC_INVALID, "/terms/min_payout", agreement_create(tx, &cost, &a));
    FAILS(tx, RC_INVALID, "/amount",
          wallet_create(tx, l, b->op,
                        &(struct wallet){
                            .client = b->client[0], .currency = STR("EUR"), .amount = STR(BEYOND)},
                        &wallet));
    FAILS(tx, RC_INVALID, "/amount",
          coupon_create(
              tx, b->op,
              &(struct coupon){.code = STR("A"), .currency = STR("EUR"), .amount = STR(BEYOND)},
              &coupon));
    FAILS(tx, RC_INVALID, "/amount",
          payment_book(tx, l, b->op,
                       &(struct payment){.amount = STR(BEYOND),
                                         .currency = STR("EUR"),
                                         .reference = STR("r"),
                                         .value_date = STR("2026-12-01")},
                       &payment));
    FAILS(tx, RC_INVALID, "/value",
          price_entry_add(tx, make_book(tx, b->op, "own"),
                          &(struct price_entry){.op = ENTRY_ABS, .value = STR(BEYOND)}, &entry));
    return RC_OK;
}

START_TEST(more_than_is_carried_is_refused_where_it_comes_in)
{
    struct bounds *b = bounds_open(&(struct bounds){0});
    world_write(&b->w.books.world, doors_in, b, RC_OK);
    bounds_close(b);
}
END_TEST

/* --- what a close meets --- */

static enum rc only_first_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT recipient, net FROM document WHERE code = $1 ORDER BY no",
                    V((int64_t)DOCUMENT_INVOICE)));
    ck_assert_uint_eq(rows.count, 1);
    SAME(row_str(&rows, 0, 0), b->client[0]);
    ck_assert_int_eq(row_int(&rows, 0, 1), 5000);
    return RC_OK;
}

/* 2 x the highest price is above a line, once is a line, and with its tax above a document. */
START_TEST(a_price_times_a_quantity_beyond_the_bound_is_an_exception_of_that_subscription)
{
    struct bounds *b = bounds_open(
        &(struct bounds){.price = {NULL, HIGHEST, HIGHEST}, .quantity = {NULL, "2", "1"}});
    close_month(b, "2026-12", JANUARY);
    ck_assert_int_eq(b->exceptions, 2);
    SAME(b->step[0], STR("rate"));
    SAME(b->about[0], b->subscription[1]);
    ck_assert(says(b->text[0], "the line 'two' comes to more than 1000000000000.00 EUR"));
    SAME(b->step[1], STR("draft"));
    ck_assert(says(b->text[1], "the document comes to more than 1000000000000.00 EUR"));
    world_write(&b->w.books.world, only_first_in, b, RC_OK);
    bounds_close(b);
}
END_TEST

static enum rc shares_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct rows rows;
    OK(tx,
       sql_rows(tx, &rows, "SELECT amount FROM share WHERE payee = $1 ORDER BY no", V(b->partner)));
    ck_assert_uint_eq(rows.count, 2);
    for (size_t i = 0; i < rows.count; i++)
        ck_assert_int_eq(row_int(&rows, i, 0), AMOUNT_ONE_MAX);
    return RC_OK;
}

/* The highest value for one unit is a share; for two it is none. */
static void check_units(enum agreement_kind kind)
{
    struct bounds *b = bounds_open(&(struct bounds){
        .fresh = {.kind = kind},
        .rule = {.kind = RULE_FIXED, .value = STR(HIGHEST), .label = STR("Energy")},
        .quantity = {NULL, "2", NULL}});
    close_month(b, "2026-12", JANUARY);
    ck_assert_int_eq(b->exceptions, 1);
    SAME(b->step[0], STR("rate"));
    SAME(b->about[0], b->subscription[1]);
    ck_assert(says(b->text[0], "rule 1: a share comes to more than"));
    world_write(&b->w.books.world, shares_in, b, RC_OK);
    bounds_close(b);
}

START_TEST(so_is_a_cost_for_each_unit)
{
    check_units(AGREEMENT_COST);
}
END_TEST

START_TEST(so_is_a_bonus_of_an_introducer_for_each_unit)
{
    check_units(AGREEMENT_REFERRAL);
}
END_TEST

/* --- statements --- */

static int64_t statements_for(struct tx *tx, struct str payee)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM statement WHERE payee = $1", V(payee)));
    return row_int(&rows, 0, 0);
}

static enum rc one_stated_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    ck_assert_int_eq(statements_for(tx, b->partner), 1);
    ck_assert_int_eq(statements_for(tx, b->other), 0);
    return RC_OK;
}

static enum rc mend_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct party p;
    struct party patch = {.set = UINT64_C(1) << schema_find(&party_schema, STR("taxable"))};
    OK(tx, party_change(tx, b->other, 0, &patch, &p)); /* it is not registered, after all */
    return RC_OK;
}

static enum rc both_stated_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct rows rows;
    ck_assert_int_eq(statements_for(tx, b->partner), 1);
    ck_assert_int_eq(statements_for(tx, b->other), 1);
    OK(tx, sql_rows(tx, &rows, "SELECT what FROM close_stuck ORDER BY what"));
    ck_assert_uint_eq(rows.count, 0);
    return RC_OK;
}

START_TEST(a_payee_whose_tax_nobody_knows_keeps_nobody_else_from_a_statement)
{
    struct bounds *b = bounds_open(
        &(struct bounds){.fresh = {.kind = AGREEMENT_REFERRAL,
                                   .terms = {.earn = EARN_ON_INVOICE, .self_billing = true}},
                         .rule = {.kind = RULE_PERCENT, .value = STR("5"), .label = STR("Cut")}});
    close_month(b, "2026-12", JANUARY);
    ck_assert_int_eq(b->exceptions, 1);
    SAME(b->step[0], STR("statements"));
    ck_assert(says(b->text[0], "no tax is known for a supply from Other (BE) to Op (FR)"));
    world_write(&b->w.books.world, one_stated_in, b, RC_OK);
    world_write(&b->w.books.world, mend_in, b, RC_OK);
    close_month(b, "2026-12", JANUARY + US_PER_DAY); /* goes on with what it passed by */
    ck_assert_int_eq(b->exceptions, 1);
    world_write(&b->w.books.world, both_stated_in, b, RC_OK);
    bounds_close(b);
}
END_TEST

struct running {
    struct bounds *b;
    struct settlement_progress at;
    struct settlement_progress next;
    struct settlement made;
};

static enum rc run_some_in(struct tx *tx, void *arg)
{
    struct running *r = arg;
    const struct settlement order = {.party = r->b->op, .id = STR("run")};
    r->next = r->at;
    return settlement_some(tx, r->b->w.books.l, &order, &r->next);
}

static enum rc run_end_in(struct tx *tx, void *arg)
{
    struct running *r = arg;
    const struct settlement order = {.party = r->b->op, .id = STR("run")};
    OK(tx, settlement_end(tx, &order, &r->at, &r->made));
    ck_assert_int_eq(r->made.payouts, 1);
    SAME(r->made.amount, STR("9.00 EUR")); /* 5 % of 150.00, and 20 % of tax */
    ck_assert(says(r->made.passed, "no statement of"));
    ck_assert(says(r->made.passed, "no tax is known"));
    return RC_OK;
}

START_TEST(nor_does_it_keep_a_run_from_paying_the_others)
{
    struct running *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    struct bounds *b = r->b = bounds_open(
        &(struct bounds){.fresh = {.kind = AGREEMENT_REFERRAL,
                                   .terms = {.earn = EARN_ON_INVOICE, .self_billing = true}},
                         .rule = {.kind = RULE_PERCENT, .value = STR("5"), .label = STR("Cut")}});
    struct fixture *f = &b->w.books.world.fixture;
    close_month(b, "2026-12", JANUARY);
    for (int i = 0; r->at.step != SETTLEMENT_END; i++) {
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
        enum rc rc = store_write(f->store, &f->arena, &f->err, run_some_in, r);
        if (rc == RC_OK)
            r->at = r->next;
        else
            ck_assert(settlement_pass(&r->at, &r->next, &f->err));
    }
    world_write(&b->w.books.world, run_end_in, r, RC_OK);
    bounds_close(b);
    free(r);
}
END_TEST

/* --- what is nothing counts --- */

static enum rc tiered_in(struct tx *tx, void *arg)
{
    struct bounds *b = arg;
    struct ledger *l = b->w.books.l;
    BALANCE(b->op, "EUR", STR("Expense:Cut"), 700);
    return RC_OK;
}

/* Three invoices of 50.00: nothing of the first 80.00, 10 % of the other 70.00. */
START_TEST(the_base_of_a_tier_of_nothing_counts_for_the_next_invoice)
{
    struct rule_tier tiers[] = {{.up_to = STR("80.00"), .percent = STR("0")},
                                {.percent = STR("10")}};
    struct bounds *b = bounds_open(&(struct bounds){
        .fresh = {.kind = AGREEMENT_REFERRAL, .terms = {.earn = EARN_ON_CASH}},
        .rule = {.kind = RULE_TIERED, .tiers = {tiers, COUNT(tiers)}, .label = STR("Cut")}});
    close_month(b, "2026-12", JANUARY);
    ck_assert_int_eq(b->exceptions, 0);
    world_write(&b->w.books.world, tiered_in, b, RC_OK);
    bounds_close(b);
}
END_TEST

Suite *bounds_suite(void);
Suite *bounds_suite(void)
{
    Suite *s = suite_create("bounds");
    TCase *t = tcase_create("bounds");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, more_than_is_carried_is_refused_where_it_comes_in);
    tcase_add_test(t,
                   a_price_times_a_quantity_beyond_the_bound_is_an_exception_of_that_subscription);
    tcase_add_test(t, so_is_a_cost_for_each_unit);
    tcase_add_test(t, so_is_a_bonus_of_an_introducer_for_each_unit);
    tcase_add_test(t, a_payee_whose_tax_nobody_knows_keeps_nobody_else_from_a_statement);
    tcase_add_test(t, nor_does_it_keep_a_run_from_paying_the_others);
    tcase_add_test(t, the_base_of_a_tier_of_nothing_counts_for_the_next_invoice);
    suite_add_tcase(s, t);
    return s;
}
