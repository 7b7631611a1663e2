/*
 * fund_test.c - a debtor of Clearing does not pay: the operator lends it the money, others are
 * paid, and what the debtor pays later comes back to the operator first.
 */
#include "settle/fund.h"

#include "billing/wallet.h"
#include "settle/path_fixture.h"

#define ASKS     STR("usr_a")
#define RELEASES STR("usr_b")

/* R2's client pays its January with credit that R2 had sold it: R2 has the money, and owes it. */
static enum rc give_credit_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct wallet made;
    const struct wallet credit = {
        .client = p->client[0], .currency = STR("USD"), .amount = STR("890.00")};
    OK(tx, wallet_create(tx, p->w.books.l, p->party[2], &credit, &made));
    return RC_OK;
}

static struct path_world *with_a_debt(void)
{
    const struct path_world wanted = {.tiers = 3, .clients = 1, .settle = SETTLE_COLLECT};
    struct path_world *p = path_open_as(&wanted);
    path_do(p, give_credit_in);
    (void)settle_close(&p->w, "2027-01", FEBRUARY);
    return p;
}

static struct fund ask(struct tx *tx, struct path_world *p, const char *amount)
{
    struct fund made;
    const struct fund fresh = {
        .debtor = p->party[2], .currency = STR("USD"), .amount = str_c(amount)};
    OK(tx, fund_create(tx, p->w.books.l, p->party[0], ASKS, &fresh, &made));
    return made;
}

/* --- out, and back --- */

static enum rc others_wait_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    int64_t waiting = 0;
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    OK(tx, clearing_waiting(tx, &waiting));
    ck_assert_int_eq(waiting, 2); /* the operator for its 700.00, R1 for its 60.00 */
    return RC_OK;
}

static enum rc lend_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct fund f = ask(tx, p, "");
    SAME(f.amount, STR("760.00")); /* 890.00 less its 130.00 of January; December waits for cash */
    ck_assert_int_eq(f.state, FUND_PENDING);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    OK(tx, fund_release(tx, l, f.id, RELEASES, &f));
    ck_assert_int_eq(f.state, FUND_OUT);
    SAME(f.released_by, RELEASES);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 76000);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "Loan", p->party[0]), -76000);
    BALANCE(p->party[0], "USD", STR("Financing:Clearing"), 76000);
    BALANCE(p->party[0], "USD", STR("Bank"), -76000);
    return RC_OK;
}

static enum rc others_are_paid_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    BALANCE(p->party[1], "USD", STR("Bank"), 6000);
    BALANCE(p->party[0], "USD", STR("Bank"), 70000 - 76000);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    BALANCE(p->party[0], "USD", STR("Financing:Clearing"), 76000);
    return RC_OK;
}

/* December's 890.00 come in: R2's 130.00 of it are the operator's, before anybody is paid. */
static enum rc debtor_pays_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct rows rows;
    struct page page;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM document WHERE recipient = $1 ORDER BY no LIMIT 1",
                    V(p->client[0])));
    (void)book_payment(tx, l, p->party[0], row_str(&rows, 0, 0), "890.00", "USD", "december");
    struct settlement run = run_of(tx, p);
    ck_assert_int_eq(run.payouts, 3);
    SAME(run.amount, STR("130.00 USD, 60.00 USD, 700.00 USD"));
    BALANCE(p->party[0], "USD", STR("Financing:Clearing"), 63000);
    OK(tx, fund_list(tx, p->party[0], &(struct page_query){0}, &page));
    const struct fund *f = page.items.items;
    ck_assert_uint_eq(page.items.count, 1);
    SAME(f[0].recovered, STR("130.00"));
    ck_assert_int_eq(f[0].state, FUND_OUT);
    OK(tx, clearing_list(tx, p->party[0], &(struct page_query){0}, &page));
    const struct clearing_entry *e = page.items.items;
    SAME(e[0].kind, STR("recovered"));
    SAME(e[0].amount, STR("130.00"));
    SAME(e[0].other, p->party[2]);
    ck_assert_int_eq(run_of(tx, p).payouts, 0); /* again: nothing */
    return RC_OK;
}

/* Four more months of 890.00 that come in, and the last of 110.00 of R2's 130.00. */
static enum rc pay_month_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    (void)pay_client(tx, p, 0, "890.00");
    (void)run_of(tx, p);
    return RC_OK;
}

static enum rc all_back_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct page page;
    BALANCE(p->party[0], "USD", STR("Financing:Clearing"), 0);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "Loan", p->party[0]), 0);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[2]), 0);
    BALANCE(p->party[0], "USD", STR("Bank"), 7 * 70000);
    BALANCE(p->party[1], "USD", STR("Bank"), 7 * 6000);
    BALANCE(p->party[2], "USD", STR("Bank"), 7 * 13000);
    OK(tx, fund_list(tx, p->party[0], &(struct page_query){0}, &page));
    const struct fund *f = page.items.items;
    ck_assert_int_eq(f[0].state, FUND_BACK);
    SAME(f[0].recovered, STR("760.00"));
    return RC_OK;
}

START_TEST(the_operator_lends_what_a_debtor_owes_and_has_it_back_first)
{
    static const struct {
        const char *period;
        time_us end;
    } months[] = {{"2027-02", MARCH},
                  {"2027-03", MARCH + 31 * US_PER_DAY},
                  {"2027-04", MARCH + 61 * US_PER_DAY},
                  {"2027-05", MARCH + 92 * US_PER_DAY},
                  {"2027-06", MARCH + 122 * US_PER_DAY}};
    struct path_world *p = with_a_debt();
    path_do(p, others_wait_in);
    path_do(p, lend_in);
    path_do(p, run_in);
    path_do(p, send_in);
    path_do(p, others_are_paid_in);
    path_do(p, debtor_pays_in);
    path_do(p, send_in);
    for (size_t i = 0; i < COUNT(months); i++) {
        (void)settle_close(&p->w, months[i].period, months[i].end);
        path_do(p, pay_month_in);
        path_do(p, send_in);
    }
    path_do(p, all_back_in);
    path_close(p);
}
END_TEST

/* --- what is refused --- */

static enum rc refused_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct fund f;
    struct fund fresh = {.debtor = p->party[2], .currency = STR("USD"), .amount = STR("760.01")};
    FAILS(tx, RC_CONFLICT, NULL, fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    FAILS(tx, RC_FORBIDDEN, NULL, fund_create(tx, l, p->party[1], ASKS, &fresh, &f));
    fresh.amount = STR("0.00");
    FAILS(tx, RC_INVALID, "/amount", fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.amount = STR("-1.00");
    FAILS(tx, RC_INVALID, "/amount", fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.amount = STR("1.001");
    FAILS(tx, RC_INVALID, "/amount", fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.amount = STR("");
    fresh.currency = STR("EUR"); /* nobody owes any */
    FAILS(tx, RC_CONFLICT, NULL, fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.currency = STR("XYZ");
    FAILS(tx, RC_INVALID, "/currency", fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.currency = STR("USD");
    fresh.debtor = p->party[1]; /* is owed, and owes nothing */
    FAILS(tx, RC_CONFLICT, NULL, fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    fresh.debtor = STR("pty_none");
    FAILS(tx, RC_NOT_FOUND, "/debtor", fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    FAILS(tx, RC_NOT_FOUND, NULL, fund_get(tx, STR("cfd_none"), &f));
    f = ask(tx, p, "760.00");
    FAILS(tx, RC_FORBIDDEN, NULL, fund_release(tx, l, f.id, ASKS, &f)); /* four eyes */
    fresh.debtor = p->party[2];
    fresh.amount = STR("0.01"); /* all of it is asked for */
    FAILS(tx, RC_CONFLICT, NULL, fund_create(tx, l, p->party[0], ASKS, &fresh, &f));
    struct fund half = f;
    OK(tx, fund_withdraw(tx, half.id, &half));
    FAILS(tx, RC_CONFLICT, NULL, fund_release(tx, l, half.id, RELEASES, &f));
    FAILS(tx, RC_CONFLICT, NULL, fund_withdraw(tx, half.id, &f));
    return RC_OK;
}

/* Asked for, and before it is released the debtor pays a part. */
static enum rc too_late_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct rows rows;
    struct fund f = ask(tx, p, "");
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM document WHERE recipient = $1 ORDER BY no LIMIT 1",
                    V(p->client[0])));
    (void)book_payment(tx, l, p->party[0], row_str(&rows, 0, 0), "890.00", "USD", "december");
    FAILS(tx, RC_CONFLICT, NULL, fund_release(tx, l, f.id, RELEASES, &f));
    return RC_OK;
}

static enum rc too_late_again_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page;
    struct fund made;
    OK(tx, fund_list(tx, p->party[0], &(struct page_query){0}, &page));
    const struct fund *f = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        if (f[i].state == FUND_PENDING)
            OK(tx, fund_withdraw(tx, f[i].id, &made));
    SAME(ask(tx, p, "").amount, STR("630.00"));
    return RC_OK;
}

START_TEST(no_more_is_lent_than_is_owed_and_by_two_people)
{
    struct path_world *p = with_a_debt();
    path_do(p, refused_in);
    path_do(p, too_late_in);
    path_do(p, too_late_again_in);
    path_close(p);
}
END_TEST

/* --- rows that are broken --- */

static enum rc broken_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    OK(tx, sql_run(tx, "UPDATE clearing_fund SET amount = amount - 1"));
    ck_assert_int_eq(fund_verify(tx, p->w.books.l), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(tx->err->text, "of what was lent to Clearing are out"));
    OK(tx, sql_run(tx, "UPDATE clearing_fund SET amount = amount + 1, recovered = 1"));
    err_clear(tx->err);
    ck_assert_int_eq(fund_verify(tx, p->w.books.l), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(tx->err->text, "something else came back"));
    return err_set(tx->err, RC_GONE, "undone");
}

START_TEST(a_fund_that_is_not_what_the_books_say_is_found)
{
    struct path_world *p = with_a_debt();
    path_do(p, lend_in);
    world_write(&p->w.books.world, broken_in, p, RC_GONE);
    path_close(p);
}
END_TEST

Suite *fund_suite(void);
Suite *fund_suite(void)
{
    Suite *s = suite_create("fund");
    TCase *c = tcase_create("fund");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, the_operator_lends_what_a_debtor_owes_and_has_it_back_first);
    tcase_add_test(c, no_more_is_lent_than_is_owed_and_by_two_people);
    tcase_add_test(c, a_fund_that_is_not_what_the_books_say_is_found);
    suite_add_tcase(s, c);
    return s;
}
