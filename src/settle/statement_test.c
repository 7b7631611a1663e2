/*
 * statement_test.c - a payee with thousands of shares and of clients: several statements, more
 * lines than a chain of transfers has legs, and every cent once.
 */
#include "settle/statement.h"

#include "money/amount.h"
#include "settle/make.h"
#include "settle/settle_fixture.h"

enum { SHARES = SHARES_DUE_MAX + 2, CLIENTS = POSTING_LEGS_MAX, WORTH = 10, AT_ONCE = 500 };

struct crowd {
    struct close_world w;
    struct str op, partner, agreement;
    int64_t accrued;
};

static enum rc define(struct tx *tx, void *arg)
{
    struct crowd *c = arg;
    struct rule cut = {.kind = RULE_PERCENT, .value = STR("10"), .label = STR("Cut")};
    c->op = keep(&c->w, books_party(tx, "Op", "FR", true));
    c->partner = keep(&c->w, books_party(tx, "Partner", "FR", true));
    OK(tx, permission_seed(tx));
    struct agreement fresh = {
        .kind = AGREEMENT_REFERRAL, .from = c->op, .to = c->partner, .terms = {.rules = {&cut, 1}}};
    c->agreement = keep(&c->w, make_agreement(tx, &fresh));
    return RC_OK;
}

static enum rc accrue_in(struct tx *tx, void *arg)
{
    struct crowd *c = arg;
    size_t count = (size_t)min_i64(AT_ONCE, SHARES - c->accrued);
    struct share *shares = NEW_N(tx->arena, struct share, count);
    for (size_t i = 0; i < count; i++, c->accrued++)
        shares[i] =
            (struct share){.agreement = c->agreement,
                           .terms = 1,
                           .origin = SHARE_OF_REFERRAL,
                           .payer = c->op,
                           .payee = c->partner,
                           .document = c->accrued + 1,
                           .close_no = 1,
                           .client = arena_fmt(tx->arena, "pty_%026d", (int)(c->accrued % CLIENTS)),
                           .label = STR("Cut"),
                           .note = STR("10 %"),
                           .currency = currency_find(STR("EUR")),
                           .base = WORTH * 10,
                           .amount = WORTH,
                           .earn = EARN_ON_INVOICE};
    return share_accrue(tx, c->w.books.l, shares, count, 0, 0);
}

static enum rc settle_in(struct tx *tx, void *arg)
{
    struct crowd *c = arg;
    struct ledger *l = c->w.books.l;
    struct settlement run;
    struct page page;
    OK(tx, settlement_run(tx, l, c->op, STR("all"), 0, &run));
    OK(tx, statement_list(tx, c->partner, &(struct page_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 2);
    ck_assert_int_eq(run.payouts, 1);
    BALANCE(c->op, "EUR", account_of(tx, "Commission", c->partner), 0);
    BALANCE(c->op, "EUR", account_of(tx, "AP", c->partner), -(int64_t)SHARES * WORTH);
    BALANCE(c->partner, "EUR", STR("Income:Cut"), -(int64_t)SHARES * WORTH);
    OK(tx, settlement_run(tx, l, c->op, STR("again"), 0, &run));
    ck_assert_int_eq(run.payouts, 0);
    return RC_OK;
}

START_TEST(thousands_of_shares_are_owed_in_several_statements_and_once)
{
    struct crowd *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    settle_world_open(&c->w);
    world_write(&c->w.books.world, define, c, RC_OK);
    while (c->accrued < SHARES)
        world_write(&c->w.books.world, accrue_in, c, RC_OK);
    world_write(&c->w.books.world, settle_in, c, RC_OK);
    close_world_close(&c->w); /* the invoices that the shares are of are not there */
    free(c);
}
END_TEST

/* --- of which period --- */

static enum rc accrue_some_in(struct tx *tx, void *arg)
{
    struct crowd *c = arg;
    for (int64_t until = c->accrued + 3; c->accrued < until; c->accrued++) {
        struct share s = {.agreement = c->agreement,
                          .terms = 1,
                          .origin = SHARE_OF_REFERRAL,
                          .payer = c->op,
                          .payee = c->partner,
                          .document = c->accrued + 1,
                          .close_no = 1,
                          .label = STR("Cut"),
                          .note = STR("10 %"),
                          .currency = currency_find(STR("EUR")),
                          .amount = WORTH,
                          .earn = c->accrued % 3 == 0 ? EARN_ON_CASH : EARN_ON_INVOICE};
        TRY(share_accrue(tx, c->w.books.l, &s, 1, 100, 0));
    }
    return RC_OK;
}

static enum rc of_period_in(struct tx *tx, void *arg)
{
    struct crowd *c = arg;
    struct settlement run;
    struct page page;
    int64_t months = c->accrued / 3;
    struct str name = arena_fmt(tx->arena, "run-%lld", (long long)months);
    OK(tx, settlement_run(tx, c->w.books.l, c->op, name, 0, &run));
    OK(tx, statement_list(tx, c->partner, &(struct page_query){0}, &page));
    const struct statement *s = page.items.items;
    ck_assert_int_eq((int64_t)page.items.count, months);
    SAME(s[0].accrued, STR("0.30")); /* three of 0.10, not those of the months before */
    SAME(s[0].earned, STR("0.20"));
    SAME(s[0].waiting, amount_str(months * WORTH, currency_find(STR("EUR")), tx->arena));
    return RC_OK;
}

START_TEST(a_statement_tells_what_accrued_since_the_one_before)
{
    struct crowd *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    settle_world_open(&c->w);
    world_write(&c->w.books.world, define, c, RC_OK);
    for (int month = 0; month < 3; month++) {
        c->w.books.world.clock.at += 30 * US_PER_DAY;
        world_write(&c->w.books.world, accrue_some_in, c, RC_OK);
        world_write(&c->w.books.world, of_period_in, c, RC_OK);
    }
    close_world_close(&c->w);
    free(c);
}
END_TEST

Suite *statement_suite(void);
Suite *statement_suite(void)
{
    Suite *s = suite_create("statement");
    TCase *t = tcase_create("statement");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_statement_tells_what_accrued_since_the_one_before);
    tcase_add_test(t, thousands_of_shares_are_owed_in_several_statements_and_once);
    suite_add_tcase(s, t);
    return s;
}
