/*
 * clearing_test.c - CHAIN with resellers: what a client pays goes up the path, each tier is paid
 * its own, and all of it comes back when the bank takes it back.
 */
#include "settle/fund.h"
#include "settle/path_fixture.h"

enum {
    STEPS = 60,
    WORLDS = 4,
    COLLECT_WORLDS = 2,
    OTHER_DEBTS = 201, /* more than a run looks at at once */
    CIRCLE = 800,      /* whole units: so many rounds */
};

static int64_t states_of(struct tx *tx, struct path_world *p, enum payout_state state)
{
    int64_t count = 0;
    struct page page = payouts_of(tx, p);
    const struct payout *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        count += list[i].state == (int64_t)state;
    return count;
}

/* The account of a tier in Clearing: what it is owed. */
#define CLEARING(tier, want) \
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AP", p->party[tier]), -(int64_t)(want))

/* --- 3.7, the CHAIN variant --- */

static enum rc invoiced(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    BALANCE(p->party[0], "USD", account_of(tx, "AR", p->party[1]), 70000);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 76000);
    BALANCE(p->party[2], "USD", account_of(tx, "AR", p->client[0]), 89000);
    (void)pay_client(tx, p, 0, "890.00");
    CLEARING(2, 89000);
    BALANCE(p->party[2], "USD", STR("AR:Clearing"), 89000);
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 89000);
    return RC_OK;
}

/* "R2 is credited 890, debited 760, and so on, which yields the same net 130/60/700." */
static enum rc netted(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct settlement run = run_of(tx, p);
    ck_assert_int_eq(run.payouts, 3);
    CLEARING(2, 13000);
    CLEARING(1, 6000);
    CLEARING(0, 70000);
    BALANCE(p->party[0], "USD", account_of(tx, "AR", p->party[1]), 0);
    BALANCE(p->party[1], "USD", account_of(tx, "AP", p->party[0]), 0);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 0);
    BALANCE(p->party[2], "USD", STR("AR:Clearing"), 13000);
    BALANCE(p->party[1], "USD", STR("AR:Clearing"), 6000);
    BALANCE(p->party[0], "USD", STR("AR:Clearing"), 70000);
    struct document_row d = document_between(tx, p->party[0], p->party[1], DOCUMENT_INVOICE);
    ck_assert_int_eq(d.state, DOCUMENT_PAID);
    return RC_OK;
}

/* R2's own page says why it has 130.00. */
static enum rc told(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page;
    OK(tx, clearing_list(tx, p->party[2], &(struct page_query){0}, &page));
    const struct clearing_entry *e = page.items.items;
    ck_assert_uint_eq(page.items.count, 2);
    SAME(e[0].kind, STR("paid"));
    SAME(e[0].amount, STR("-760.00"));
    SAME(e[0].other, p->party[1]);
    SAME(e[1].kind, STR("collected"));
    SAME(e[1].amount, STR("890.00"));
    SAME(e[1].other, p->client[0]);
    return RC_OK;
}

static enum rc paid_out(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    static const int64_t parts[] = {70000, 6000, 13000};
    ck_assert_uint_eq((size_t)p->tiers, COUNT(parts));
    for (size_t i = 0; i < COUNT(parts); i++) {
        CLEARING(i, 0);
        BALANCE(p->party[i], "USD", STR("AR:Clearing"), 0);
        BALANCE(p->party[i], "USD", STR("Bank"), parts[i]);
    }
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    ck_assert_int_eq(run_of(tx, p).payouts, 0); /* again: nothing is left to do */
    return RC_OK;
}

START_TEST(money_of_a_chain_goes_up_the_path_and_out_to_each_tier)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, told);
    path_do(p, send_in);
    path_do(p, paid_out);
    path_close(p);
}
END_TEST

/* --- parts --- */

/* 760.00 pays all that is owed above: R2 itself has nothing yet. */
static enum rc pay_part_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    (void)pay_client(tx, p, 0, "750.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 2); /* the operator has its 700, R1 its first 50 */
    CLEARING(2, 0);
    CLEARING(1, 5000);
    CLEARING(0, 70000);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 1000);
    return RC_OK;
}

static enum rc pay_rest_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    (void)pay_client(tx, p, 0, "140.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 2); /* R1 its last 10, R2 its 130 */
    CLEARING(2, 13000);
    CLEARING(1, 1000);
    return RC_OK;
}

START_TEST(a_part_pays_what_is_owed_above_before_anything_is_kept)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, pay_part_in);
    path_do(p, send_in);
    path_do(p, pay_rest_in);
    path_do(p, send_in);
    path_do(p, paid_out);
    path_close(p);
}
END_TEST

static enum rc set_minimum_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct agreement a;
    struct agreement patch = {.set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms")),
                              .terms = {.min_payout = STR("100.00")}};
    patch.terms.set = UINT64_C(1) << schema_find(&terms_schema, STR("min_payout"));
    OK(tx, agreement_change(tx, p->first_supply, 0, &patch, &a));
    OK(tx, agreement_sign(tx, p->first_supply, &a));
    return RC_OK;
}

static enum rc too_small(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    (void)pay_client(tx, p, 0, "890.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 2);
    CLEARING(1, 6000); /* R1's 60.00 waits: its minimum is 100.00 */
    struct settlement again;
    struct settlement run;
    OK(tx, settlement_run(tx, l, p->party[0], STR("named"), 0, &run));
    OK(tx, settlement_run(tx, l, p->party[0], STR("named"), 0, &again));
    ck_assert_int_eq(run.payouts, again.payouts);
    ck_assert_int_eq(run.payouts, 0);
    return RC_OK;
}

START_TEST(a_rest_below_the_minimum_waits)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, set_minimum_in);
    path_do(p, too_small);
    path_close(p);
}
END_TEST

/* --- debts of other kinds --- */

/* What R2 owes the agent by hand, due before what it owes R1. */
static enum rc owe_others_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    const struct draft_line line = {.text = STR("Advice"),
                                    .income = STR("Services"),
                                    .quantity = {1, 0},
                                    .unit = STR("C62"),
                                    .price = {1, 0},
                                    .net = 100,
                                    .tax_class = TAX_CLASS_STANDARD};
    const struct draft draft = {
        .code = DOCUMENT_INVOICE,
        .issuer = p->agent,
        .recipient = p->party[2],
        .agreement = make_referral(tx, p->party[2], p->agent, p->client[0], false, "1"),
        .currency = currency_find(STR("USD")),
        .lines = &line,
        .count = 1};
    for (int i = 0; i < OTHER_DEBTS; i++) {
        struct document made;
        OK(tx, document_draft(tx, &draft, &made));
        OK(tx, document_finalise(tx, p->w.books.l, made.id, &made));
    }
    return RC_OK;
}

START_TEST(older_debts_of_another_kind_do_not_hide_what_is_owed_above)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, owe_others_in);
    path_do(p, invoiced);
    path_do(p, netted);
    path_close(p);
}
END_TEST

/* --- more than one unit of work has room for --- */

static enum rc owe_in_a_circle(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    const struct draft_line line = {.text = STR("Machines"),
                                    .income = STR("Wholesale"),
                                    .quantity = {1, 0},
                                    .unit = STR("C62"),
                                    .price = {CIRCLE, 0},
                                    .net = CIRCLE * 100,
                                    .tax_class = TAX_CLASS_STANDARD};
    for (int i = 1; i <= 2; i++) {
        struct document made;
        const struct draft draft = {.code = DOCUMENT_INVOICE,
                                    .issuer = p->party[i],
                                    .recipient = p->party[3 - i],
                                    .agreement = p->first_supply,
                                    .currency = currency_find(STR("USD")),
                                    .lines = &line,
                                    .count = 1};
        OK(tx, document_draft(tx, &draft, &made));
        OK(tx, document_finalise(tx, p->w.books.l, made.id, &made));
    }
    (void)pay_client(tx, p, 0, "1.00");
    return RC_OK;
}

/* 1.00 pays both of them, round by round, and then goes up. */
static enum rc circle_paid(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    ck_assert_int_eq(run_of(tx, p).payouts, 1);
    CLEARING(2, 0);
    CLEARING(1, 0);
    CLEARING(0, 100);
    return RC_OK;
}

static enum rc begin_run(struct tx *tx, void *arg)
{
    struct rows rows;
    struct path_world *p = arg;
    struct settlement_progress at = {0};
    const struct settlement order = {.party = p->party[0], .id = STR("killed")};
    while (!at.walk.moved)
        OK(tx, settlement_some(tx, p->w.books.l, &order, &at));
    ck_assert_int_eq(at.step, SETTLEMENT_NET);
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM settlement"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0);
    return RC_OK;
}

/* How far it was is forgotten; the same id goes on, and then has no effect. */
static enum rc end_run(struct tx *tx, void *arg)
{
    struct settlement run;
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    for (int i = 0; i < 2; i++) {
        OK(tx, settlement_run(tx, l, p->party[0], STR("killed"), 0, &run));
        ck_assert_int_eq(run.payouts, 1);
        SAME(run.amount, STR("1.00 USD"));
    }
    CLEARING(0, 100);
    return RC_OK;
}

START_TEST(a_run_that_was_killed_goes_on_under_its_id)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, owe_in_a_circle);
    path_do(p, begin_run);
    path_do(p, end_run);
    path_close(p);
}
END_TEST

START_TEST(one_run_goes_round_until_nothing_moves)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, owe_in_a_circle);
    path_do(p, circle_paid);
    path_close(p);
}
END_TEST

/* --- money that goes back --- */

static struct str last_payment(struct tx *tx)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT id FROM payment WHERE state <> 'returned' ORDER BY no DESC LIMIT 1"));
    ck_assert_uint_eq(rows.count, 1);
    return row_str(&rows, 0, 0);
}

static enum rc return_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct payment back;
    OK(tx, payment_return(tx, p->w.books.l, last_payment(tx), &back));
    return RC_OK;
}

/* As if it had never come: invoices are open, payouts that were not sent are void. */
static enum rc undone(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    for (int i = 0; i < p->tiers; i++) {
        CLEARING(i, 0);
        BALANCE(p->party[i], "USD", STR("AR:Clearing"), 0);
    }
    BALANCE(POSTING_CLEARING, "USD", STR("Bank"), 0);
    BALANCE(p->party[0], "USD", account_of(tx, "AR", p->party[1]), 70000);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 76000);
    BALANCE(p->party[2], "USD", account_of(tx, "AR", p->client[0]), 89000);
    struct document_row d = document_between(tx, p->party[1], p->party[2], DOCUMENT_INVOICE);
    ck_assert_int_eq(d.state, DOCUMENT_FINAL);
    ck_assert_int_eq(d.paid, 0);
    ck_assert_int_eq(states_of(tx, p, PAYOUT_VOID), 3);
    struct payout out;
    struct page page = payouts_of(tx, p);
    FAILS(tx, RC_CONFLICT, NULL,
          payout_approve(tx, ((const struct payout *)page.items.items)[0].id, STR("usr_a"), &out));
    return RC_OK;
}

START_TEST(a_payment_that_goes_back_before_the_payouts_undoes_all)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, return_in);
    path_do(p, undone);
    path_close(p);
}
END_TEST

/* What was sent is owed to Clearing; the invoices are open again. */
static enum rc owed_back(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    CLEARING(2, -13000);
    CLEARING(1, -6000);
    CLEARING(0, -70000);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 76000);
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    return RC_OK;
}

/* The client pays after all: what each has already is not paid a second time. */
static enum rc paid_again(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    (void)pay_client(tx, p, 0, "890.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    return paid_out(tx, p);
}

START_TEST(a_payment_that_goes_back_after_the_payouts_is_held_back_from_the_next)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, send_in);
    path_do(p, return_in);
    path_do(p, owed_back);
    path_do(p, paid_again);
    path_close(p);
}
END_TEST

static enum rc bounce_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page = payouts_of(tx, p);
    const struct payout *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        struct payout out;
        if (list[i].state == PAYOUT_SENT)
            OK(tx, payout_confirm(tx, p->w.books.l, list[i].id, true, &out));
    }
    return RC_OK;
}

static enum rc owed_again(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    CLEARING(2, 13000);
    CLEARING(1, 6000);
    CLEARING(0, 70000);
    ck_assert_int_eq(run_of(tx, p).payouts, 3);
    return RC_OK;
}

START_TEST(a_payout_that_bounces_is_paid_by_the_next_run)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, send_in);
    path_do(p, bounce_in);
    path_do(p, owed_again);
    path_do(p, send_in);
    path_do(p, paid_out);
    path_close(p);
}
END_TEST

/* --- credit notes --- */

static enum rc credit_reseller_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct document credit;
    struct document_row d = document_between(tx, p->party[1], p->party[2], DOCUMENT_INVOICE);
    OK(tx, document_credit(tx, p->w.books.l, &settle_above, &(struct credit_request){.id = d.id},
                           &credit));
    d = document_between(tx, p->party[1], p->party[2], DOCUMENT_INVOICE);
    ck_assert_int_eq(document_open(&d), 0);
    ck_assert_int_eq(d.paid, 0);
    return RC_OK;
}

/* R2's 760.00 are its own again. R1 had paid 700.00 of them to the operator. */
static enum rc given_back(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    CLEARING(2, 89000);
    CLEARING(1, 0);
    CLEARING(0, 0);
    BALANCE(p->party[1], "USD", account_of(tx, "AR", p->party[2]), 0);
    BALANCE(p->party[0], "USD", account_of(tx, "AR", p->party[1]), 70000);
    ck_assert_int_eq(states_of(tx, p, PAYOUT_VOID), 2);
    struct settlement run = run_of(tx, p);
    ck_assert_int_eq(run.payouts, 1);
    SAME(run.amount, STR("760.00 USD"));
    return RC_OK;
}

/* R1's 60.00 and the operator's 700.00 are in their banks: they owe them to Clearing. */
static enum rc given_back_late(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    CLEARING(2, 76000);
    CLEARING(1, -6000);
    CLEARING(0, -70000);
    BALANCE(p->party[0], "USD", account_of(tx, "AR", p->party[1]), 70000);
    return RC_OK;
}

START_TEST(a_credit_note_gives_back_what_clearing_paid)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, credit_reseller_in);
    path_do(p, given_back);
    path_do(p, send_in);
    path_close(p);
    p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, send_in);
    path_do(p, credit_reseller_in);
    path_do(p, given_back_late);
    path_close(p);
}
END_TEST

/* --- whatever happens, in whatever order --- */

static int64_t any(struct path_world *p, int64_t below)
{
    return property_between(&p->chance, 0, below - 1);
}

static enum rc pay_some_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    int client = (int)any(p, p->clients);
    struct document_row d =
        document_between(tx, p->party[p->tiers - 1], p->client[client], DOCUMENT_INVOICE);
    int64_t open = document_open(&d);
    if (open == 0)
        return RC_OK;
    int64_t amount = any(p, 4) == 0 ? open : property_between(&p->chance, 1, open);
    struct str text = amount_str(amount, d.currency, tx->arena);
    (void)pay_client(tx, p, client, arena_cstr(tx->arena, text));
    return RC_OK;
}

static enum rc return_some_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct rows rows;
    struct payment back;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT id FROM payment WHERE state <> 'returned' ORDER BY no LIMIT 1000"));
    if (rows.count == 0)
        return RC_OK;
    struct str id = row_str(&rows, (size_t)any(p, (int64_t)rows.count), 0);
    OK(tx, payment_return(tx, p->w.books.l, id, &back));
    return RC_OK;
}

/* Nobody is paid out what it owes above, and AP is AR in every two books. */
static enum rc holds_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct settle_report report;
    enum rc rc = settle_verify(tx, l, &report);
    ck_assert_msg(rc == RC_OK, SEED_FMT "%s", p->seed, tx->err->text);
    for (int i = 0; i < p->tiers; i++) {
        struct str code = account_of(tx, "AP", p->party[i]);
        int64_t owed = -books_balance_of(tx, l, POSTING_CLEARING, "USD", code);
        int64_t due = books_balance_of(tx, l, p->party[i], "USD", STR("AR:Clearing"));
        HOLDS(owed == due, SEED_FMT "tier %d: %lld and %lld", p->seed, i, (long long)owed,
              (long long)due);
        if (i == 0)
            continue;
        struct str above = account_of(tx, "AR", p->party[i]);
        struct str below = account_of(tx, "AP", p->party[i - 1]);
        HOLDS(books_balance_of(tx, l, p->party[i - 1], "USD", above) ==
                  -books_balance_of(tx, l, p->party[i], "USD", below),
              SEED_FMT "tier %d owes something else than it is owed", p->seed, i);
    }
    return RC_OK;
}

static enum rc pay_all_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    for (int i = 0; i < p->clients; i++) {
        struct document_row d =
            document_between(tx, p->party[p->tiers - 1], p->client[i], DOCUMENT_INVOICE);
        struct str text = amount_str(document_open(&d), d.currency, tx->arena);
        if (document_open(&d) > 0)
            (void)pay_client(tx, p, i, arena_cstr(tx->arena, text));
    }
    return RC_OK;
}

static enum rc emptied_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct books_zero zero = {0};
    OK(tx, ledger_accounts(tx, p->w.books.l, POSTING_CLEARING, books_count_open, &zero));
    HOLDS(zero.open == 0, SEED_FMT "%.*s is open in Clearing", p->seed, STRF(zero.code));
    return RC_OK;
}

/* Everything is paid: Clearing is empty, nobody owes anybody, each has its margin in the bank. */
static enum rc all_paid_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    TRY(emptied_in(tx, p));
    for (int i = 0; i < p->tiers; i++) {
        struct str below = i + 1 < p->tiers ? p->party[i + 1] : p->client[0];
        int64_t income = -books_balance_of(tx, l, p->party[i], "USD", STR("Income:Wholesale"));
        int64_t cost = books_balance_of(tx, l, p->party[i], "USD", STR("Expense:Wholesale"));
        BALANCE(p->party[i], "USD", account_of(tx, "AR", below), 0);
        BALANCE(p->party[i], "USD", STR("Bank"), income - cost);
    }
    return RC_OK;
}

/* The operator lends what somebody owes Clearing, or a part. */
static enum rc lend_some_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct fund made;
    int64_t debt = 0;
    struct fund fresh = {.debtor = p->party[any(p, p->tiers)], .currency = STR("USD")};
    OK(tx, clearing_debt(tx, p->w.books.l, fresh.debtor, currency_find(STR("USD")), &debt));
    if (debt > 0 && any(p, 2) == 0)
        fresh.amount =
            amount_str(property_between(&p->chance, 1, debt), currency_find(STR("USD")), tx->arena);
    enum rc rc = fund_create(tx, p->w.books.l, p->party[0], STR("usr_a"), &fresh, &made);
    HOLDS(rc == RC_OK || rc == RC_CONFLICT, SEED_FMT "%s", p->seed, tx->err->text);
    if (rc == RC_OK)
        OK(tx, fund_release(tx, p->w.books.l, made.id, STR("usr_b"), &made));
    err_clear(tx->err);
    return RC_OK;
}

static void step(struct path_world *p)
{
    static const tx_fn fns[] = {pay_some_in, pay_some_in,    run_in,    run_in,
                                send_in,     return_some_in, bounce_in, lend_some_in};
    path_do(p, fns[any(p, (int64_t)COUNT(fns))]);
    path_do(p, holds_in);
}

/* Many steps by chance, and then everything is paid. */
static void live_through(struct path_world *p)
{
    for (int i = 0; i < STEPS; i++)
        step(p);
    path_do(p, pay_all_in);
    path_do(p, run_in);
    path_do(p, send_in);
}

START_TEST(any_order_of_payments_returns_runs_and_payouts_ends_at_zero)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int world = 0; world < WORLDS; world++) {
        int tiers = world == 0 ? TIERS_MAX : (int)property_between(&chance, 2, TIERS_MAX);
        struct path_world *p = path_open(tiers, (int)property_between(&chance, 1, CLIENTS_MAX));
        p->chance = chance;
        p->seed = seed;
        live_through(p);
        path_do(p, holds_in);
        path_do(p, all_paid_in);
        chance = p->chance;
        path_close(p);
    }
}
END_TEST

/* --- no more than there is --- */

static enum rc goes_back_in(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page;
    struct payment back;
    OK(tx, payment_list(tx, p->party[0], &(struct page_query){0}, &page));
    const struct payment *list = page.items.items;
    ck_assert_uint_gt(page.items.count, 0);
    OK(tx, payment_return(tx, p->w.books.l, list[0].id, &back));
    return RC_OK;
}

static enum rc three_wait(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    ck_assert_int_eq(states_of(tx, p, PAYOUT_APPROVED), 3);
    ck_assert_int_eq(clearing_bank(tx, p), 0);
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    return RC_OK;
}

static enum rc pays_again(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    (void)pay_client(tx, p, 0, "890.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    return RC_OK;
}

static enum rc three_sent(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    ck_assert_int_eq(states_of(tx, p, PAYOUT_SENT), 3);
    ck_assert_int_eq(clearing_bank(tx, p), 0);
    return RC_OK;
}

static enum rc pays(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    (void)pay_client(tx, p, 0, "890.00");
    ck_assert_int_eq(run_of(tx, p).payouts, 3);
    return RC_OK;
}

START_TEST(a_payout_of_money_that_went_back_waits_until_it_comes_again)
{
    const struct path_world wanted = {.tiers = 3, .clients = 1, .settle = SETTLE_COLLECT};
    struct path_world *p = path_open_as(&wanted);
    path_do(p, pays);
    path_do(p, goes_back_in);
    path_do(p, send_in);
    path_do(p, three_wait);
    path_do(p, pays_again);
    path_do(p, send_in);
    path_do(p, three_sent);
    path_close(p);
}
END_TEST

/* R1 and the operator have in their banks what R2 is owed: it waits, and its page says so. */
static enum rc waits_for_others(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct page page;
    struct settle_report report;
    ck_assert_int_eq(clearing_bank(tx, p), 0);
    ck_assert_int_eq(run_of(tx, p).payouts, 0);
    OK(tx, clearing_list(tx, p->party[2], &(struct page_query){0}, &page));
    const struct clearing_entry *e = page.items.items;
    SAME(e[0].kind, STR("waits"));
    SAME(e[0].amount, STR("760.00"));
    OK(tx, settle_verify(tx, p->w.books.l, &report));
    ck_assert_int_eq(report.waiting, 1);
    return RC_OK;
}

/* The operator's 700.00 come back from its bank: as much as is there is paid. */
static enum rc some_comes_back(struct tx *tx, void *arg)
{
    struct path_world *p = arg;
    struct ledger *l = p->w.books.l;
    struct page page = payouts_of(tx, p);
    const struct payout *list = page.items.items;
    for (size_t i = 0; i < page.items.count; i++) {
        struct payout out;
        if (str_eq(list[i].payee, p->party[0]))
            OK(tx, payout_confirm(tx, l, list[i].id, true, &out));
    }
    CLEARING(0, 0);
    struct settlement run = run_of(tx, p);
    ck_assert_int_eq(run.payouts, 1);
    SAME(run.amount, STR("700.00 USD"));
    CLEARING(2, 76000);
    return RC_OK;
}

START_TEST(who_waits_for_what_others_owe_clearing_is_told_and_gets_what_is_there)
{
    struct path_world *p = path_open(3, 1);
    path_do(p, invoiced);
    path_do(p, netted);
    path_do(p, send_in);
    path_do(p, credit_reseller_in);
    path_do(p, given_back_late);
    path_do(p, waits_for_others);
    path_do(p, some_comes_back);
    path_do(p, send_in);
    path_close(p);
}
END_TEST

/* COLLECT: money comes and goes back, payouts are sent and bounce. */
START_TEST(what_is_collected_is_never_paid_out_before_it_is_there)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int world = 0; world < COLLECT_WORLDS; world++) {
        const struct path_world wanted = {.tiers = (int)property_between(&chance, 2, 4),
                                          .clients = 2,
                                          .settle = SETTLE_COLLECT,
                                          .chance = chance,
                                          .seed = seed};
        struct path_world *p = path_open_as(&wanted);
        live_through(p);
        path_do(p, run_in);
        path_do(p, send_in);
        path_do(p, holds_in);
        path_do(p, emptied_in);
        chance = p->chance;
        path_close(p);
    }
}
END_TEST

Suite *clearing_suite(void);
Suite *clearing_suite(void)
{
    Suite *s = suite_create("clearing");
    TCase *t = tcase_create("clearing");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, money_of_a_chain_goes_up_the_path_and_out_to_each_tier);
    tcase_add_test(t, a_part_pays_what_is_owed_above_before_anything_is_kept);
    tcase_add_test(t, a_rest_below_the_minimum_waits);
    tcase_add_test(t, older_debts_of_another_kind_do_not_hide_what_is_owed_above);
    tcase_add_test(t, a_payment_that_goes_back_before_the_payouts_undoes_all);
    tcase_add_test(t, a_payment_that_goes_back_after_the_payouts_is_held_back_from_the_next);
    tcase_add_test(t, a_payout_that_bounces_is_paid_by_the_next_run);
    tcase_add_test(t, one_run_goes_round_until_nothing_moves);
    tcase_add_test(t, a_run_that_was_killed_goes_on_under_its_id);
    tcase_add_test(t, a_credit_note_gives_back_what_clearing_paid);
    tcase_add_test(t, any_order_of_payments_returns_runs_and_payouts_ends_at_zero);
    tcase_add_test(t, a_payout_of_money_that_went_back_waits_until_it_comes_again);
    tcase_add_test(t, who_waits_for_what_others_owe_clearing_is_told_and_gets_what_is_there);
    tcase_add_test(t, what_is_collected_is_never_paid_out_before_it_is_there);
    suite_add_tcase(s, t);
    return s;
}
