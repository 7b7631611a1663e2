/*
 * financing_test.c - specs/billing.md 3.5, a7 and a8: a migration is paid at once and comes back in
 * 35 instalments; and a loan on a server, with its interest.
 */
#include "settle/financing.h"

#include "money/amount.h"
#include "settle/bad_debt.h"
#include "settle/settle_fixture.h"

#include <stdio.h>

enum { INSTALMENTS = 35, CAPITAL = 1000000, PERIOD_BYTES = 8 };

struct financed {
    struct close_world w;
    struct str op, pop, si, client, lender, moving, loan, invoice;
    int month;         /* closed so far */
    enum earn_on earn; /* of the instalments */
};

static struct str give_agreement(struct tx *tx, struct financed *f, struct str to,
                                 bool self_billing, struct rule rule, const char *item)
{
    struct agreement fresh = {.kind = AGREEMENT_COST,
                              .from = f->op,
                              .to = to,
                              .terms = {.self_billing = self_billing,
                                        .earn = f->earn,
                                        .scope = {.item = str_c(item)},
                                        .rules = {&rule, 1}}};
    return keep(&f->w, make_agreement(tx, &fresh));
}

static void define_parties(struct tx *tx, struct financed *f)
{
    struct close_world *w = &f->w;
    f->op = keep(w, books_party(tx, "Op", "FR", true));
    f->pop = keep(w, books_party(tx, "POP", "FR", true));
    f->si = keep(w, books_party(tx, "SI", "FR", true));
    f->client = keep(w, books_party(tx, "Client", "FR", true));
    f->lender = keep(w, books_party(tx, "Lender", "FR", true));
    OK(tx, permission_seed(tx));
}

static struct str make_instalments(struct tx *tx, struct financed *f)
{
    struct item i;
    struct plan p;
    struct item item = {.code = STR("p2v"),
                        .name = STR("p2v"),
                        .category = STR("service"),
                        .unit = STR("C62"),
                        .income = STR("P2V")};
    struct charge charge = {.label = STR("Migration"),
                            .kind = CHARGE_INSTALMENT,
                            .price = STR("100.00"),
                            .instalments = INSTALMENTS};
    charge.set =
        field_bit("label") | field_bit("kind") | field_bit("price") | field_bit("instalments");
    struct plan plan = {.item = item.code,
                        .code = STR("p2v-35"),
                        .name = STR("p2v-35"),
                        .currency = STR("EUR"),
                        .charges = {&charge, 1}};
    OK(tx, item_create(tx, f->op, &item, &i));
    OK(tx, plan_create(tx, &plan, &p));
    return p.id;
}

/* The integrator's invoice for a hundred machines. */
static struct str bill_work(struct tx *tx, struct financed *f)
{
    struct document made;
    struct draft_line line = {.text = STR("Migration"),
                              .income = STR("P2V"),
                              .quantity = {100, 0},
                              .unit = STR("C62"),
                              .price = {100, 0},
                              .net = CAPITAL,
                              .tax_class = TAX_CLASS_STANDARD};
    struct draft draft = {.code = DOCUMENT_INVOICE,
                          .issuer = f->si,
                          .recipient = f->pop,
                          .currency = currency_find(STR("EUR")),
                          .lines = &line,
                          .count = 1};
    OK(tx, document_draft(tx, &draft, &made));
    return keep(&f->w, made.id);
}

static struct financing p2v_financing(const struct financed *f)
{
    return (struct financing){.agreement = f->moving,
                              .label = STR("P2vShare"),
                              .client = f->client,
                              .document = f->invoice,
                              .reference = STR("p2v-1"),
                              .amount = STR("10000.00")};
}

/* a7: what the integrator was paid is no expense, it is out with the client. */
static enum rc define_p2v(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    struct subscription s;
    struct document final;
    struct financing made;
    struct financing again;
    define_parties(tx, f);
    struct str plan = make_instalments(tx, f);
    struct str supply = make_supply(tx, f->op, f->client, STR(""), STR(""));
    const struct rule rest = {.kind = RULE_RESIDUAL, .label = STR("P2vShare")};
    f->moving = give_agreement(tx, f, f->pop, true, rest, "p2v");
    struct subscription fresh = {
        .agreement = supply, .plan = plan, .producer = f->pop, .quantity = STR("100")};
    OK(tx, subscription_create(tx, &fresh, &s));
    f->invoice = bill_work(tx, f);
    struct financing wanted = p2v_financing(f);
    FAILS(tx, RC_CONFLICT, "/document", financing_create(tx, l, f->pop, &wanted, &made));
    OK(tx, document_finalise(tx, l, f->invoice, &final));
    BALANCE(f->pop, "EUR", STR("Expense:P2V"), CAPITAL);
    (void)book_payment(tx, l, f->si, f->invoice, "12000.00", "EUR", "transfer-1");
    OK(tx, financing_create(tx, l, f->pop, &wanted, &made));
    OK(tx, financing_create(tx, l, f->pop, &wanted, &again));
    SAME(made.id, again.id);
    SAME(made.returns, STR("10000.00"));
    wanted.reference = STR("p2v-2");
    FAILS(tx, RC_CONFLICT, "/document", financing_create(tx, l, f->pop, &wanted, &made));
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), CAPITAL);
    BALANCE(f->pop, "EUR", STR("Expense:P2V"), 0);
    BALANCE(f->pop, "EUR", STR("Bank"), -1200000); /* the tax of it is in VAT-In */
    BALANCE(f->si, "EUR", STR("Income:P2V"), -CAPITAL);
    return RC_OK;
}

/* Close the next month, December 2026 being the first. */
static void close_next(struct financed *f)
{
    char period[PERIOD_BYTES];
    struct calendar months = {.unit = PERIOD_MONTH, .anchor_month = 1, .anchor_day = 1};
    struct err err = {0};
    ck_assert_int_eq(zone_load(STR("Europe/Paris"), &f->w.kept, &months.zone, &err), RC_OK);
    struct period p = period_of(&months, DECEMBER);
    for (int i = 0; i < f->month; i++)
        p = period_next(&months, &p);
    (void)snprintf(period, sizeof period, "%04d-%02d", p.year % 10000, p.month % 100);
    (void)settle_close(&f->w, period, p.end);
    f->month++;
}

/* a8: R(1,000,000 k / 35) cents are back after k months. */
static enum rc p2v_so_far(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    int64_t back = min_i64(CAPITAL, (2 * (int64_t)CAPITAL * f->month + INSTALMENTS) /
                                        (2 * (int64_t)INSTALMENTS));
    struct page page;
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), CAPITAL - back);
    BALANCE(f->pop, "EUR", STR("Income:P2vShare"), 0);
    BALANCE(f->op, "EUR", STR("Expense:P2vShare"), back);
    OK(tx, financing_list(tx, f->pop, &(struct page_query){0}, &page));
    const struct financing *list = page.items.items;
    ck_assert_uint_eq(page.items.count, 1);
    SAME(list->repaid, amount_str(back, currency_find(STR("EUR")), tx->arena));
    OK(tx, financing_list(tx, f->op, &(struct page_query){0}, &page));
    ck_assert_uint_eq(page.items.count, 0); /* what the work cost is not the operator's matter */
    return RC_OK;
}

START_TEST(a_migration_paid_at_once_comes_back_in_35_instalments)
{
    struct financed *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->earn = EARN_ON_INVOICE;
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define_p2v, f, RC_OK);
    for (int k = 0; k <= INSTALMENTS; k++) {
        close_next(f);
        world_write(&f->w.books.world, p2v_so_far, f, RC_OK);
    }
    settle_world_close(&f->w);
    free(f);
}
END_TEST

/* Half a year in, the integrator gives 2,500.00 back: 7,500.00 were put in, and 6/35 are back. */
static enum rc credit_work_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    struct document note;
    struct credit_line part = {.line = 1, .net = STR("2500.00")};
    const int64_t back = 171429;    /* R(1,000,000 x 6 / 35) */
    const int64_t capital = 128572; /* R(750,000 x 171,429 / 1,000,000) */
    OK(tx, document_credit(tx, l, &settle_above,
                           &(struct credit_request){f->invoice, &part, 1, STR("")}, &note));
    BALANCE(f->pop, "EUR", STR("Expense:P2V"), 0);
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), 750000 - capital);
    BALANCE(f->pop, "EUR", STR("Income:P2vShare"), capital - back);
    return RC_OK;
}

static enum rc less_is_back_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    struct document note;
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), 0);
    BALANCE(f->pop, "EUR", STR("Income:P2vShare"), 750000 - CAPITAL);
    /* And all that is left: everything that came back was income. */
    OK(tx, document_credit(tx, l, &settle_above,
                           &(struct credit_request){f->invoice, NULL, 0, STR("")}, &note));
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), 0);
    BALANCE(f->pop, "EUR", STR("Income:P2vShare"), -CAPITAL);
    BALANCE(f->pop, "EUR", STR("Expense:P2V"), 0);
    return RC_OK;
}

START_TEST(a_credit_note_on_a_financed_invoice_makes_the_capital_less)
{
    enum { CREDITED_AFTER = 6 };
    struct financed *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->earn = EARN_ON_INVOICE;
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define_p2v, f, RC_OK);
    for (int k = 0; k < INSTALMENTS; k++) {
        close_next(f);
        if (k + 1 == CREDITED_AFTER)
            world_write(&f->w.books.world, credit_work_in, f, RC_OK);
    }
    world_write(&f->w.books.world, less_is_back_in, f, RC_OK);
    settle_world_close(&f->w);
    free(f);
}
END_TEST

/* --- an instalment that the client does not pay --- */

enum {
    MONTH_OF_A_MACHINE = 28571, /* R(1,000,000 / 35), the first month */
    INSTALMENT_GROSS = 34285,   /* with 20 % */
    FIRST_PAID = 10000,
};

static struct str first_instalment(struct tx *tx, const struct financed *f)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT id FROM document WHERE issuer = $1 AND recipient = $2 ORDER BY no "
                    "LIMIT 1",
                    V(f->op), V(f->client)));
    return row_str(&rows, 0, 0);
}

static void verify_financed(struct tx *tx, const struct financed *f)
{
    struct settle_report report;
    OK(tx, settle_verify(tx, f->w.books.l, &report));
}

/* 100.00 of the first 342.85 come, and the rest never. */
static enum rc lose_instalment_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct document lost;
    struct str id = first_instalment(tx, f);
    (void)book_payment(tx, f->w.books.l, f->op, id, "100.00", "EUR", "part");
    OK(tx, bad_debt_write_off(tx, f->w.books.l, id, &lost));
    SAME(lost.written_off, STR("242.85"));
    verify_financed(tx, f);
    return RC_OK;
}

static int64_t without_recourse(int64_t paid)
{
    return (2 * (int64_t)MONTH_OF_A_MACHINE * paid + INSTALMENT_GROSS) / (2 * INSTALMENT_GROSS);
}

/* Of the first instalment so much of the capital is back, so much lost. */
static void capital_is(struct tx *tx, const struct financed *f, int64_t accrued, int64_t lost)
{
    struct page page;
    struct ledger *l = f->w.books.l;
    BALANCE(f->pop, "EUR", account_of(tx, "Financing", f->client), CAPITAL - accrued - lost);
    BALANCE(f->pop, "EUR", STR("Expense:BadDebt"), lost);
    OK(tx, financing_list(tx, f->pop, &(struct page_query){0}, &page));
    const struct financing *list = page.items.items;
    SAME(list->lost, amount_str(lost, currency_find(STR("EUR")), tx->arena));
    SAME(list->repaid, amount_str(accrued, currency_find(STR("EUR")), tx->arena));
    verify_financed(tx, f);
}

/* On the invoice: what was invoiced is owed to the financier, and the operator has lost it all. */
static enum rc with_recourse_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    BALANCE(f->op, "EUR", STR("Expense:BadDebt"), INSTALMENT_GROSS - FIRST_PAID);
    BALANCE(f->op, "EUR", STR("Expense:P2vShare"), MONTH_OF_A_MACHINE);
    capital_is(tx, f, MONTH_OF_A_MACHINE, 0);
    return RC_OK;
}

/* On cash: a statement owes the financier its part of the 100.00, and the rest is its bad debt. */
static enum rc without_recourse_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct settlement run;
    struct ledger *l = f->w.books.l;
    int64_t back = without_recourse(FIRST_PAID);
    BALANCE(f->op, "EUR", STR("Expense:P2vShare"), back);
    capital_is(tx, f, 0, MONTH_OF_A_MACHINE - back);
    OK(tx, settlement_run(tx, l, f->op, STR("first"), 0, &run));
    capital_is(tx, f, back, MONTH_OF_A_MACHINE - back);
    return RC_OK;
}

/* 50.00 come after all, and then the rest: so much less was lost, and comes by a statement. */
static enum rc recovered_in(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct settlement run;
    struct ledger *l = f->w.books.l;
    struct str id = first_instalment(tx, f);
    bool cash = f->earn == EARN_ON_CASH;
    int64_t first = cash ? without_recourse(FIRST_PAID) : MONTH_OF_A_MACHINE;
    int64_t then = cash ? without_recourse(FIRST_PAID + 5000) : MONTH_OF_A_MACHINE;
    struct payment paid = book_payment(tx, l, f->op, id, "50.00", "EUR", "late");
    SAME(paid.state, STR("matched"));
    BALANCE(f->op, "EUR", STR("Expense:BadDebt"), INSTALMENT_GROSS - FIRST_PAID - 5000);
    capital_is(tx, f, first, MONTH_OF_A_MACHINE - then);
    OK(tx, settlement_run(tx, l, f->op, STR("second"), 0, &run));
    capital_is(tx, f, then, MONTH_OF_A_MACHINE - then);
    paid = book_payment(tx, l, f->op, id, "192.85", "EUR", "all");
    SAME(paid.state, STR("matched"));
    OK(tx, settlement_run(tx, l, f->op, STR("third"), 0, &run));
    BALANCE(f->op, "EUR", STR("Expense:BadDebt"), 0);
    BALANCE(f->op, "EUR", STR("Expense:P2vShare"), MONTH_OF_A_MACHINE);
    BALANCE(f->pop, "EUR", STR("Income:P2vShare"), 0);
    capital_is(tx, f, MONTH_OF_A_MACHINE, 0);
    return RC_OK;
}

START_TEST(what_a_client_does_not_pay_is_borne_with_recourse_or_without)
{
    struct financed *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->earn = _i == 0 ? EARN_ON_INVOICE : EARN_ON_CASH;
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define_p2v, f, RC_OK);
    close_next(f);
    f->w.books.world.clock.at += US_PER_DAY;
    world_write(&f->w.books.world, lose_instalment_in, f, RC_OK);
    world_write(&f->w.books.world, _i == 0 ? with_recourse_in : without_recourse_in, f, RC_OK);
    world_write(&f->w.books.world, recovered_in, f, RC_OK);
    settle_world_close(&f->w);
    free(f);
}
END_TEST

/* --- a loan on a server: 2,300.00, given back with 2,400.00 --- */

enum { LENT = 230000, OWED = 240000, MONTHLY = 10000, LOAN_MONTHS = 24 };

static enum rc define_loan(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    struct subscription s;
    struct financing made;
    define_parties(tx, f);
    struct str plan = make_flat(tx, f->op, "server", "VPS", "195.00", "EUR");
    struct str supply = make_supply(tx, f->op, f->client, STR(""), STR(""));
    const struct rule rule = {.kind = RULE_FIXED, .value = STR("100"), .label = STR("Repayment")};
    f->loan = give_agreement(tx, f, f->lender, false, rule, "server");
    struct subscription fresh = {.agreement = supply, .plan = plan, .quantity = STR("1")};
    OK(tx, subscription_create(tx, &fresh, &s));
    const struct financing wanted = {.agreement = f->loan,
                                     .label = STR("Repayment"),
                                     .reference = STR("loan-1"),
                                     .amount = STR("2300.00"),
                                     .returns = STR("2400.00")};
    FAILS(tx, RC_INVALID, "/document", financing_create(tx, l, f->lender, &wanted, &made));
    OK(tx, financing_create(tx, l, f->op, &wanted, &made));
    SAME(made.client, f->op);
    BALANCE(f->lender, "EUR", STR("Bank"), -LENT);
    BALANCE(f->op, "EUR", STR("Bank"), LENT);
    return RC_OK;
}

static enum rc loan_so_far(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct ledger *l = f->w.books.l;
    int64_t came = (int64_t)MONTHLY * f->month;
    int64_t of_loan = min_i64(came, OWED);
    int64_t back = (2 * LENT * of_loan + OWED) / (2 * (int64_t)OWED);
    BALANCE(f->lender, "EUR", account_of(tx, "Financing", f->op), LENT - back);
    BALANCE(f->op, "EUR", account_of(tx, "Loan", f->lender), back - LENT);
    BALANCE(f->lender, "EUR", STR("Income:Repayment"), back - came);
    BALANCE(f->op, "EUR", STR("Expense:Repayment"), came - back);
    return RC_OK;
}

/* The last month's invoice is taken back, and its part of the loan is out again. */
static enum rc take_back(struct tx *tx, void *arg)
{
    struct financed *f = arg;
    struct document credit;
    struct settlement run;
    struct document_row d = document_between(tx, f->op, f->client, DOCUMENT_INVOICE);
    struct ledger *l = f->w.books.l;
    OK(tx, document_credit(tx, l, &settle_above, &(struct credit_request){.id = d.id}, &credit));
    OK(tx, settlement_run(tx, l, f->op, STR("back"), 0, &run));
    f->month--;
    return loan_so_far(tx, arg);
}

static struct financed *lend(void)
{
    struct financed *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->earn = EARN_ON_INVOICE;
    settle_world_open(&f->w);
    world_write(&f->w.books.world, define_loan, f, RC_OK);
    return f;
}

static void month_of_loan(struct financed *f)
{
    close_next(f);
    world_write(&f->w.books.world, loan_so_far, f, RC_OK);
}

START_TEST(a_loan_comes_back_and_what_is_more_is_interest)
{
    struct financed *f = lend();
    for (int k = 0; k <= LOAN_MONTHS; k++)
        month_of_loan(f);
    settle_world_close(&f->w);
    free(f);
}
END_TEST

START_TEST(a_credit_note_puts_its_part_of_a_loan_out_again)
{
    struct financed *f = lend();
    month_of_loan(f);
    month_of_loan(f);
    f->w.books.world.clock.at += US_PER_DAY;
    world_write(&f->w.books.world, take_back, f, RC_OK);
    settle_world_close(&f->w);
    free(f);
}
END_TEST

Suite *financing_suite(void);
Suite *financing_suite(void)
{
    Suite *s = suite_create("financing");
    TCase *t = tcase_create("financing");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_migration_paid_at_once_comes_back_in_35_instalments);
    tcase_add_test(t, a_credit_note_on_a_financed_invoice_makes_the_capital_less);
    tcase_add_loop_test(t, what_a_client_does_not_pay_is_borne_with_recourse_or_without, 0, 2);
    tcase_add_test(t, a_loan_comes_back_and_what_is_more_is_interest);
    tcase_add_test(t, a_credit_note_puts_its_part_of_a_loan_out_again);
    suite_add_tcase(s, t);
    return s;
}
