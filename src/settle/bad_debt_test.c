/*
 * bad_debt_test.c - an invoice that nobody pays: who bears it, in each mode and by each rule.
 */
#include "settle/bad_debt.h"
#include "settle/path_fixture.h"

static struct document_row the_invoice(struct tx *tx, struct path_world *p)
{
    return document_between(tx, p->party[p->tiers - 1], p->client[0], DOCUMENT_INVOICE);
}

static enum rc write_off_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct document written;
    struct document_row d = the_invoice(tx, p);
    OK(tx, bad_debt_write_off(tx, p->w.books.l, d.id, &written));
    ck_assert_int_eq(written.state, DOCUMENT_WRITTEN_OFF);
    FAILS(tx, RC_CONFLICT, NULL, bad_debt_write_off(tx, p->w.books.l, d.id, &written));
    return RC_OK;
}

/* A quarter of the invoice comes in before. */
static enum rc part_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    (void)pay_client(tx, p, 0, "222.50");
    return RC_OK;
}

static enum rc verify_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct settle_report report;
    OK(tx, settle_verify(tx, p->w.books.l, &report));
    return RC_OK;
}

static struct path_world *path_with(enum settle_mode settle, enum bad_debt rule)
{
    const struct path_world wanted = {.tiers = 3,
                                      .clients = 1,
                                      .settle = settle,
                                      .bad_debt = rule,
                                      .introduced = settle == SETTLE_CHAIN};
    struct path_world *p = path_open_as(&wanted);
    path_do(p, part_in);
    p->w.books.world.clock.at += 60 * US_PER_DAY;
    return p;
}

/* --- CHAIN --- */

static enum rc borne_alone(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    BALANCE(p->party[2], "USD", account_of(tx, "AR", p->client[0]), 0);
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 66750);
    BALANCE(p->client[0], "USD", account_of(tx, "AP", p->party[2]), 0);
    BALANCE(p->client[0], "USD", STR("Income:BadDebt"), -66750);
    BALANCE(p->party[1], "USD", STR("Expense:BadDebt"), 0);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 76000);
    /* The agent's 3 % of 700.00 was to be earned with the client's cash: a quarter is. */
    BALANCE(p->party[0], "USD", account_of(tx, "Commission", p->agent), -525);
    BALANCE(p->party[0], "USD", STR("Expense:Commission"), 525);
    return verify_in(tx, arg);
}

START_TEST(a_reseller_bears_its_bad_debt_and_the_agent_has_its_part_of_what_came)
{
    struct path_world *p = path_with(SETTLE_CHAIN, BAD_DEBT_BUYER);
    path_do(p, write_off_in);
    path_do(p, borne_alone);
    path_do(p, run_in);
    path_do(p, verify_in);
    path_close(p);
}
END_TEST

/* Of 667.50: R1 takes over what it sold for 760 of 890, the operator 700 of 760 of that. */
static enum rc shared(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 66750);
    BALANCE(p->party[1], "USD", STR("Expense:BadDebt"), 57000);
    BALANCE(p->party[0], "USD", STR("Expense:BadDebt"), 52500);
    BALANCE(p->party[1], "USD", account_of(tx, "Commission", p->party[2]), -57000);
    BALANCE(p->party[0], "USD", account_of(tx, "Commission", p->party[1]), -52500);
    return verify_in(tx, arg);
}

/* What R1 owes R2 for it goes the way of all shares: a statement, and a payout. */
static enum rc compensated(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct settlement run;
    struct page page;
    OK(tx, settlement_run(tx, l, p->party[1], STR("r1"), 0, &run));
    ck_assert_int_eq(run.payouts, 1);
    SAME(run.amount, STR("570.00 USD"));
    BALANCE(p->party[1], "USD", account_of(tx, "AP", p->party[2]), -57000);
    BALANCE(p->party[2], "USD", STR("Income:BadDebt"), -57000);
    OK(tx, statement_list(tx, p->party[2], &(struct page_query){0}, &page));
    const struct statement *s = page.items.items;
    ck_assert_uint_ge(page.items.count, 1);
    OK(tx, statement_lines(tx, s[0].id, &(struct page_query){0}, &page));
    const struct statement_line *line = page.items.items;
    SAME(line->text, STR("bad debt"));
    SAME(line->amount, STR("570.00"));
    SAME(line->base, STR("570.00"));
    return verify_in(tx, arg);
}

START_TEST(a_shared_loss_goes_up_the_path_edge_by_edge)
{
    struct path_world *p = path_with(SETTLE_CHAIN, BAD_DEBT_SHARED);
    path_do(p, write_off_in);
    path_do(p, shared);
    path_do(p, compensated);
    path_close(p);
}
END_TEST

static enum rc too_early(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct document written;
    struct document_row d = the_invoice(tx, p);
    FAILS(tx, RC_CONFLICT, NULL, bad_debt_write_off(tx, p->w.books.l, d.id, &written));
    d = the_invoice(tx, p);
    ck_assert_int_eq(d.written_off, 0);
    return RC_OK;
}

START_TEST(a_loss_that_others_share_is_written_off_only_when_overdue)
{
    const struct path_world wanted = {.tiers = 3, .clients = 1, .bad_debt = BAD_DEBT_SELLER};
    struct path_world *p = path_open_as(&wanted);
    path_do(p, too_early);
    path_close(p);
}
END_TEST

/* --- COLLECT --- */

static enum rc collected(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AR", p->client[0]), 0);
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 9750); /* 130 of 890 */
    BALANCE(p->party[1], "USD", STR("Expense:BadDebt"), 4500);
    BALANCE(p->party[0], "USD", STR("Expense:BadDebt"), 52500);
    (void)run_of(tx, p);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 22250);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[0]), -17500);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[1]), -1500);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[2]), -3250);
    return verify_in(tx, arg);
}

static enum rc emptied(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct books_zero zero = {0};
    OK(tx, ledger_accounts(tx, l, POSTING_CLEARING, books_count_open, &zero));
    ck_assert_msg(zero.open == 0, "%.*s", STRF(zero.code));
    BALANCE(p->party[2], "USD", STR("Bank"), 3250);
    return verify_in(tx, arg);
}

START_TEST(tiers_that_collect_together_lose_together)
{
    struct path_world *p = path_with(SETTLE_COLLECT, BAD_DEBT_SHARED);
    path_do(p, write_off_in);
    path_do(p, collected);
    path_do(p, send_in);
    path_do(p, emptied);
    path_close(p);
}
END_TEST

/* The last seller bears all of it: it owes Clearing, which pays the tiers above of what has come
 * in, the operator last. */
static enum rc owes(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    ck_assert_int_eq(run_of(tx, p).payouts, 1); /* 60.00 of the 222.50 that are there */
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 22250);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[0]), -70000);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[1]), -6000);
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[2]), 53750);
    return verify_in(tx, arg);
}

START_TEST(a_reseller_that_collects_bears_the_wholesale_price_too)
{
    struct path_world *p = path_with(SETTLE_COLLECT, BAD_DEBT_BUYER);
    path_do(p, write_off_in);
    path_do(p, owes);
    path_close(p);
}
END_TEST

/* --- what comes after --- */

/* 100.00 of the 667.50 come: the agent has 3 % of 700.00 for 322.50 of 890.00. */
static enum rc late(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct document credit;
    struct payment paid = pay_client(tx, p, 0, "100.00");
    SAME(paid.state, STR("matched"));
    BALANCE(p->party[2], "USD", account_of(tx, "AR", p->client[0]), 0);
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 56750);
    BALANCE(p->client[0], "USD", STR("Income:BadDebt"), -56750);
    BALANCE(p->party[0], "USD", account_of(tx, "Commission", p->agent), -761);
    struct document_row d = the_invoice(tx, p);
    ck_assert_int_eq(d.state, DOCUMENT_WRITTEN_OFF);
    ck_assert_int_eq(d.written_off, 56750);
    FAILS(tx, RC_CONFLICT, NULL,
          document_credit(tx, l, &settle_above,
                          &(struct credit_request){d.id, NULL, 0, STR("late")}, &credit));
    return verify_in(tx, arg);
}

/* More than the rest: nobody has lost anything, and what is too much waits for a person. */
static enum rc later(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct payment paid = pay_client(tx, p, 0, "577.50");
    SAME(paid.state, STR("part"));
    SAME(paid.matched, STR("567.50"));
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 0);
    BALANCE(p->client[0], "USD", STR("Income:BadDebt"), 0);
    BALANCE(p->party[0], "USD", account_of(tx, "Commission", p->agent), -2100);
    struct document_row d = the_invoice(tx, p);
    ck_assert_int_eq(d.state, DOCUMENT_PAID);
    ck_assert_int_eq(d.written_off, 0);
    TRY(verify_in(tx, arg));
    /* The bank takes it back: it is owed, and lost again. */
    OK(tx, payment_return(tx, l, paid.id, &paid));
    BALANCE(p->party[2], "USD", account_of(tx, "AR", p->client[0]), 56750);
    TRY(verify_in(tx, arg));
    TRY(write_off_in(tx, arg));
    BALANCE(p->party[2], "USD", STR("Expense:BadDebt"), 56750);
    BALANCE(p->party[0], "USD", account_of(tx, "Commission", p->agent), -761);
    return verify_in(tx, arg);
}

START_TEST(what_comes_after_a_write_off_is_had_by_those_who_bore_it)
{
    struct path_world *p = path_with(SETTLE_CHAIN, BAD_DEBT_BUYER);
    path_do(p, write_off_in);
    path_do(p, late);
    path_do(p, later);
    path_close(p);
}
END_TEST

/* In parts that do not divide evenly: what each bears is R of all that is lost, each time. */
static enum rc recover_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    bool collect = p->settle == SETTLE_COLLECT;
    static const char *const parts[] = {"33.31", "0.01", "100.01", "534.17"};
    const int64_t sold[] = {70000, 76000, 89000};
    int64_t left = 66750;
    for (size_t i = 0; i < COUNT(parts); i++) {
        int64_t bears[] = {0, 0, 0};
        struct payment paid = pay_client(tx, p, 0, parts[i]);
        int64_t part = 0;
        OK(tx, amount_parse(str_c(parts[i]), currency_find(STR("USD")), &part, tx->err));
        SAME(paid.state, STR("matched"));
        left -= part;
        bears[2] = left;
        bears[1] = (bears[2] * sold[1] * 2 + sold[2]) / (sold[2] * 2);
        bears[0] = (bears[1] * sold[0] * 2 + sold[1]) / (sold[1] * 2);
        for (size_t k = 0; k < COUNT(sold); k++)
            BALANCE(p->party[k], "USD", STR("Expense:BadDebt"),
                    bears[k] - (collect && k > 0 ? bears[k - 1] : 0));
        TRY(verify_in(tx, arg));
    }
    ck_assert_int_eq(left, 0);
    ck_assert_int_eq(the_invoice(tx, p).state, DOCUMENT_PAID);
    return RC_OK;
}

START_TEST(a_shared_loss_is_recovered_by_the_rule_that_shared_it)
{
    struct path_world *p = path_with(_i == 0 ? SETTLE_CHAIN : SETTLE_COLLECT, BAD_DEBT_SHARED);
    path_do(p, write_off_in);
    path_do(p, run_in);
    path_do(p, recover_in);
    path_do(p, run_in);
    if (p->settle == SETTLE_COLLECT) /* the agent has no account at a bank */
        path_do(p, send_in);
    path_do(p, verify_in);
    path_close(p);
}
END_TEST

Suite *bad_debt_suite(void);
Suite *bad_debt_suite(void)
{
    Suite *s = suite_create("bad_debt");
    TCase *t = tcase_create("bad_debt");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_reseller_bears_its_bad_debt_and_the_agent_has_its_part_of_what_came);
    tcase_add_test(t, a_shared_loss_goes_up_the_path_edge_by_edge);
    tcase_add_test(t, a_loss_that_others_share_is_written_off_only_when_overdue);
    tcase_add_test(t, tiers_that_collect_together_lose_together);
    tcase_add_test(t, a_reseller_that_collects_bears_the_wholesale_price_too);
    tcase_add_test(t, what_comes_after_a_write_off_is_had_by_those_who_bore_it);
    tcase_add_loop_test(t, a_shared_loss_is_recovered_by_the_rule_that_shared_it, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
