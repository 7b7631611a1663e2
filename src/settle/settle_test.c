/*
 * settle_test.c - the worked cases of specs/billing.md 3.5 and 3.7, from the order to the payout.
 */
#include "settle/settle_fixture.h"

#include "billing/wallet.h"
#include "money/reference.h"

/* --- 3.5: a server-month of 195 --- */

struct rapid {
    struct close_world w;
    struct str op, pop, dc, si, transit, power, lender, investor, client;
};

static void add_cost(struct tx *tx, struct str from, struct str to, const struct rule *rules,
                     size_t count)
{
    struct agreement fresh = {
        .kind = AGREEMENT_COST,
        .from = from,
        .to = to,
        .terms = {.tax = TREATMENT_NONE, .rules = {(void *)(uintptr_t)rules, count}}};
    (void)make_agreement(tx, &fresh);
}

static void add_costs(struct tx *tx, struct rapid *r)
{
    const struct rule dc = {.kind = RULE_FIXED, .value = STR("13"), .label = STR("Hosting")};
    const struct rule si[] = {{.kind = RULE_FIXED, .value = STR("20"), .label = STR("HwMgmt")},
                              {.kind = RULE_FIXED, .value = STR("1"), .label = STR("Repair")}};
    const struct rule transit = {.kind = RULE_FIXED, .value = STR("8"), .label = STR("Network")};
    const struct rule power = {.kind = RULE_FIXED, .value = STR("26"), .label = STR("Electricity")};
    const struct rule lender = {.kind = RULE_FIXED, .value = STR("6"), .label = STR("Interest")};
    const struct rule investor[] = {
        {.kind = RULE_FIXED, .value = STR("4"), .label = STR("Reserve:Replacement")},
        {.kind = RULE_FIXED, .value = STR("69"), .label = STR("Depreciation")},
        {.kind = RULE_RESIDUAL, .label = STR("InvestorProfit")}};
    add_cost(tx, r->pop, r->dc, &dc, 1);
    add_cost(tx, r->pop, r->si, si, 2);
    add_cost(tx, r->pop, r->transit, &transit, 1);
    add_cost(tx, r->pop, r->power, &power, 1);
    add_cost(tx, r->pop, r->lender, &lender, 1);
    add_cost(tx, r->pop, r->investor, investor, 3);
}

static enum rc rapid_define(struct tx *tx, void *arg)
{
    struct rapid *r = arg;
    struct close_world *w = &r->w;
    struct rule fee = {.kind = RULE_FIXED, .value = STR("20"), .label = STR("Platform")};
    struct rule rest = {.kind = RULE_RESIDUAL, .label = STR("PopShare")};
    struct subscription s;
    struct str *parties[] = {&r->op,      &r->pop,   &r->dc,     &r->si,
                             &r->transit, &r->power, &r->lender, &r->investor};
    static const char *const names[] = {"Op",      "POP",   "DC",     "SI",
                                        "Transit", "Power", "Lender", "Investor"};
    for (size_t i = 0; i < COUNT(parties); i++)
        *parties[i] = keep(w, books_party(tx, names[i], "FR", true));
    r->client = keep(w, books_party(tx, "Client", "FR", true));
    OK(tx, permission_seed(tx));
    set_bank(tx, r->pop, "FR1420041010050500013M02606");
    struct str plan = make_flat(tx, r->op, "server-month", "VPS", "195.00", "EUR");
    struct str supply = make_supply(tx, r->op, r->client, STR(""), STR(""));
    struct agreement hosting = {
        .kind = AGREEMENT_COST,
        .from = r->op,
        .to = r->pop,
        .terms = {.self_billing = true, .rules = {&rest, 1}, .payment_days = 30}};
    struct agreement platform = {
        .kind = AGREEMENT_FEE, .from = r->pop, .to = r->op, .terms = {.rules = {&fee, 1}}};
    (void)make_agreement(tx, &hosting);
    (void)make_agreement(tx, &platform);
    add_costs(tx, r);
    struct subscription fresh = {
        .agreement = supply, .plan = plan, .producer = r->pop, .quantity = STR("1")};
    OK(tx, subscription_create(tx, &fresh, &s));
    return RC_OK;
}

static enum rc rapid_accrued(struct tx *tx, void *arg)
{
    struct rapid *r = arg;
    struct ledger *l = r->w.books.l;
    BALANCE(r->op, "EUR", account_of(tx, "AR", r->client), 23400);
    BALANCE(r->op, "EUR", STR("Income:VPS"), -19500);
    BALANCE(r->op, "EUR", STR("VAT-Out:FR:200000"), -3900);
    BALANCE(r->op, "EUR", STR("Expense:PopShare"), 17500);
    BALANCE(r->op, "EUR", account_of(tx, "Commission", r->pop), -17500);
    BALANCE(r->pop, "EUR", account_of(tx, "Commission", r->dc), -1300);
    BALANCE(r->pop, "EUR", account_of(tx, "Commission", r->si), -2100);
    BALANCE(r->pop, "EUR", account_of(tx, "Commission", r->investor), -9700);
    BALANCE(r->pop, "EUR", STR("Expense:Replacement"), 400);
    BALANCE(r->pop, "EUR", STR("Reserve:Replacement"), -400);
    return RC_OK;
}

/* Half of it comes in: 87.50 of the 175.00 is payable, and its tax (3.5). */
static enum rc rapid_half(struct tx *tx, void *arg)
{
    struct rapid *r = arg;
    struct ledger *l = r->w.books.l;
    struct settlement run;
    struct document_row d = document_between(tx, r->op, r->client, DOCUMENT_INVOICE);
    (void)book_payment(tx, l, r->op, d.id, "117.00", "EUR", "bank-1");
    OK(tx, settlement_run(tx, l, r->op, STR("half"), 0, &run));
    ck_assert_int_eq(run.payouts, 1);
    SAME(run.amount, STR("105.00 EUR"));
    BALANCE(r->op, "EUR", account_of(tx, "AP", r->pop), -10500);
    BALANCE(r->pop, "EUR", account_of(tx, "AR", r->op), 10500);
    BALANCE(r->op, "EUR", STR("VAT-In:FR:200000"), 1750);
    return RC_OK;
}

static enum rc rapid_whole(struct tx *tx, void *arg)
{
    struct rapid *r = arg;
    struct ledger *l = r->w.books.l;
    struct settlement run;
    struct settlement again;
    struct document_row d = document_between(tx, r->op, r->client, DOCUMENT_INVOICE);
    (void)book_payment(tx, l, r->op, d.id, "117.00", "EUR", "bank-2");
    OK(tx, settlement_run(tx, l, r->op, STR("whole"), 0, &run));
    OK(tx, settlement_run(tx, l, r->op, STR("whole"), 0, &again));
    ck_assert_int_eq(again.payouts, run.payouts);
    OK(tx, settlement_run(tx, l, r->pop, STR("inputs"), 0, &run));
    BALANCE(r->op, "EUR", account_of(tx, "AP", r->pop), -21000);
    BALANCE(r->op, "EUR", account_of(tx, "Commission", r->pop), 0);
    BALANCE(r->op, "EUR", STR("Expense:PopShare"), 17500);
    BALANCE(r->op, "EUR", STR("VAT-In:FR:200000"), 3500);
    BALANCE(r->op, "EUR", STR("Bank"), 23400);
    BALANCE(r->pop, "EUR", STR("Income:PopShare"), -17500);
    BALANCE(r->pop, "EUR", STR("VAT-Out:FR:200000"), -3500);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->dc), -1300);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->si), -2100);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->transit), -800);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->power), -2600);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->lender), -600);
    BALANCE(r->pop, "EUR", account_of(tx, "AP", r->investor), -9700);
    BALANCE(r->dc, "EUR", STR("Income:Hosting"), -1300);
    return RC_OK;
}

/* Both payouts, with four eyes. What is left to the operator: 20.00, and 4.00 of tax. */
static enum rc rapid_paid(struct tx *tx, void *arg)
{
    struct rapid *r = arg;
    struct ledger *l = r->w.books.l;
    struct page page;
    struct payout p;
    OK(tx, payout_list(tx, r->op, &(struct page_query){0}, &page));
    const struct payout *list = page.items.items;
    ck_assert_uint_eq(page.items.count, 2);
    for (size_t i = 0; i < page.items.count; i++) {
        FAILS(tx, RC_CONFLICT, NULL, payout_release(tx, l, list[i].id, STR("usr_a"), &p));
        OK(tx, payout_approve(tx, list[i].id, STR("usr_a"), &p));
        FAILS(tx, RC_FORBIDDEN, NULL, payout_release(tx, l, list[i].id, STR("usr_a"), &p));
        OK(tx, payout_release(tx, l, list[i].id, STR("usr_b"), &p));
        OK(tx, payout_confirm(tx, l, list[i].id, false, &p));
    }
    BALANCE(r->op, "EUR", STR("Bank"), 2400);
    BALANCE(r->op, "EUR", account_of(tx, "AP", r->pop), 0);
    BALANCE(r->pop, "EUR", STR("Bank"), 21000);
    return RC_OK;
}

START_TEST(a_server_month_is_collected_shared_and_paid_out)
{
    struct rapid *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    struct world *world = &r->w.books.world;
    settle_world_open(&r->w);
    world_write(world, rapid_define, r, RC_OK);
    (void)settle_close(&r->w, "2026-12", JANUARY);
    world_write(world, rapid_accrued, r, RC_OK);
    world->clock.at += US_PER_DAY;
    world_write(world, rapid_half, r, RC_OK);
    world->clock.at += US_PER_DAY;
    world_write(world, rapid_whole, r, RC_OK);
    world_write(world, rapid_paid, r, RC_OK);
    settle_world_close(&r->w);
    free(r);
}
END_TEST

/* --- 3.7: two tiers of resellers, a distributor, an agent; COLLECT --- */

struct xterity {
    struct close_world w;
    struct str op, d, a, r1, r2, c;
};

static struct str collect(struct tx *tx, struct str from, struct str to, struct str upstream,
                          struct str book)
{
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream,
                                        .book = book,
                                        .settle = SETTLE_COLLECT,
                                        .currency = STR("USD"),
                                        .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

static enum rc xterity_define(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct close_world *w = &x->w;
    struct subscription s;
    struct str *parties[] = {&x->op, &x->d, &x->a, &x->r1, &x->r2, &x->c};
    static const char *const names[] = {"Op", "D", "A", "R1", "R2", "C"};
    for (size_t i = 0; i < COUNT(parties); i++)
        *parties[i] = keep(w, books_party(tx, names[i], "US", true));
    OK(tx, permission_seed(tx));
    struct str vm = make_flat(tx, x->op, "vm", "Wholesale", "50.00", "USD");
    struct str storage = make_flat(tx, x->op, "storage", "Wholesale", "10.00", "USD");
    struct str book1 = make_book(tx, x->r1, "r1");
    struct str book2 = make_book(tx, x->r2, "r2");
    make_entry(tx, book1, "vm", ENTRY_MUL, "112");
    make_entry(tx, book2, "vm", ENTRY_MUL, "125");
    make_entry(tx, book2, "storage", ENTRY_MUL, "95");
    struct str s1 = collect(tx, x->op, x->r1, STR(""), STR(""));
    struct str s2 = collect(tx, x->r1, x->r2, s1, book1);
    struct str s3 = collect(tx, x->r2, x->c, s2, book2);
    (void)make_referral(tx, x->op, x->d, x->r1, true, "5");
    (void)make_referral(tx, x->op, x->a, x->c, false, "3");
    struct subscription first = {.agreement = s3, .plan = vm, .quantity = STR("10")};
    struct subscription second = {.agreement = s3, .plan = storage, .quantity = STR("20")};
    OK(tx, subscription_create(tx, &first, &s));
    OK(tx, subscription_create(tx, &second, &s));
    return RC_OK;
}

static enum rc xterity_closed(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct ledger *l = x->w.books.l;
    struct str clearing = POSTING_CLEARING;
    BALANCE(clearing, "USD", account_of(tx, "AR", x->c), 89000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x->op), -70000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x->r1), -6000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x->r2), -13000);
    BALANCE(x->op, "USD", STR("AR:Clearing"), 70000);
    BALANCE(x->op, "USD", STR("Income:Wholesale"), -70000);
    BALANCE(x->op, "USD", STR("Expense:Commission"), 5600);
    BALANCE(x->op, "USD", account_of(tx, "Commission", x->d), -3500);
    BALANCE(x->op, "USD", account_of(tx, "Commission", x->a), -2100);
    BALANCE(x->r1, "USD", STR("AR:Clearing"), 6000);
    BALANCE(x->r2, "USD", STR("AR:Clearing"), 13000);
    return RC_OK;
}

static enum rc xterity_paid(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct ledger *l = x->w.books.l;
    struct settlement run;
    struct document_row d = document_between(tx, x->r2, x->c, DOCUMENT_INVOICE);
    (void)book_payment(tx, l, x->op, d.id, "890.00", "USD", "wire-1");
    OK(tx, settlement_run(tx, l, x->op, STR("2026-12"), 0, &run));
    BALANCE(x->op, "USD", account_of(tx, "AP", x->d), -3500);
    BALANCE(x->op, "USD", account_of(tx, "AP", x->a), -2100);
    BALANCE(x->d, "USD", account_of(tx, "AR", x->op), 3500);
    BALANCE(x->op, "USD", STR("Expense:Commission"), 5600);
    ck_assert_int_eq(run.payouts, 5); /* D, A; the operator, R1 and R2 from the neutral book */
    return RC_OK;
}

/* One VM is credited: 70.00 at the client; 2.50 and 1.50 come back from D and A. */
static enum rc xterity_credited(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct ledger *l = x->w.books.l;
    struct settlement run;
    struct document note;
    struct page page;
    struct document_row d = document_between(tx, x->r2, x->c, DOCUMENT_INVOICE);
    OK(tx, document_lines(tx, d.id, &(struct page_query){0}, &page));
    const struct document_line *lines = page.items.items;
    int64_t vm = str_eq(lines[0].item, STR("vm")) ? lines[0].line : lines[1].line;
    struct credit_line credit = {.line = vm, .net = STR("70.00")};
    OK(tx, document_credit(tx, l, &settle_above,
                           &(struct credit_request){d.id, &credit, 1, STR("one VM")}, &note));
    OK(tx, settlement_run(tx, l, x->op, STR("2027-01"), 0, &run));
    BALANCE(x->op, "USD", account_of(tx, "AP", x->d), -3250);
    BALANCE(x->op, "USD", account_of(tx, "AP", x->a), -1950);
    BALANCE(x->op, "USD", STR("Expense:Commission"), 5200);
    return RC_OK;
}

START_TEST(a_channel_of_two_tiers_collects_and_each_gets_its_own)
{
    struct xterity *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    struct world *world = &x->w.books.world;
    settle_world_open(&x->w);
    world_write(world, xterity_define, x, RC_OK);
    (void)settle_close(&x->w, "2026-12", JANUARY);
    world_write(world, xterity_closed, x, RC_OK);
    world->clock.at += US_PER_DAY;
    world_write(world, xterity_paid, x, RC_OK);
    world->clock.at += US_PER_DAY;
    world_write(world, xterity_credited, x, RC_OK);
    settle_world_close(&x->w);
    free(x);
}
END_TEST

/* --- COLLECT, and the client has credit with its seller --- */

static enum rc prepay_in(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct wallet made;
    struct wallet paid = {.client = x->c, .currency = STR("USD"), .amount = STR("200.00")};
    struct wallet promo = {
        .client = x->c, .kind = WALLET_PROMO, .currency = STR("USD"), .amount = STR("25.00")};
    OK(tx, wallet_create(tx, x->w.books.l, x->r2, &paid, &made));
    OK(tx, wallet_create(tx, x->w.books.l, x->r2, &promo, &made));
    return RC_OK;
}

/* What the party's page says that waits for Clearing's cash; NULL: nothing. */
static void check_waits(struct tx *tx, struct str party, const char *amount)
{
    struct page page;
    size_t waits = 0;
    OK(tx, clearing_list(tx, party, &(struct page_query){0}, &page));
    const struct clearing_entry *e = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        if (str_eq(e[i].kind, STR("waits"))) {
            ck_assert(amount != NULL);
            SAME(e[i].amount, str_c(amount));
            waits++;
        }
    ck_assert_uint_eq(waits, amount != NULL ? 1 : 0);
}

/* 225.00 of the 890.00 are paid to R2 already: its 130.00 are in there, and it owes the rest. */
static enum rc prepaid_closed(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct ledger *l = x->w.books.l;
    struct str clearing = POSTING_CLEARING;
    struct settlement run;
    struct document_row d = document_between(tx, x->r2, x->c, DOCUMENT_INVOICE);
    ck_assert_int_eq(d.prepaid, 22500);
    ck_assert_int_eq(d.promo, 2500);
    BALANCE(clearing, "USD", account_of(tx, "AR", x->c), 66500);
    BALANCE(x->c, "USD", account_of(tx, "AP", clearing), -66500);
    BALANCE(x->c, "USD", account_of(tx, "Wallet", x->r2), 0);
    BALANCE(x->r2, "USD", account_of(tx, "Wallet", x->c), 0);
    BALANCE(x->r2, "USD", account_of(tx, "Promo", x->c), 0);
    BALANCE(x->r2, "USD", STR("AR:Clearing"), -9500);
    BALANCE(clearing, "USD", account_of(tx, "AP", x->r2), 9500);
    (void)book_payment(tx, l, x->op, d.id, "665.00", "USD", "wire-1");
    OK(tx, settlement_run(tx, l, x->op, STR("2026-12"), 0, &run));
    /* D, A; R1 from the neutral book, which has 665.00 and owes 760.00 until R2 has paid; and what
     * the operator has on the statement of the close. */
    ck_assert_int_eq(run.payouts, 4);
    BALANCE(clearing, "USD", STR("Bank"), 66500);
    check_waits(tx, x->op, "523.04");
    check_waits(tx, x->r1, NULL);
    return RC_OK;
}

START_TEST(credit_of_a_client_pays_where_the_platform_collects_too)
{
    struct xterity *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    struct world *world = &x->w.books.world;
    settle_world_open(&x->w);
    world_write(world, xterity_define, x, RC_OK);
    world_write(world, prepay_in, x, RC_OK);
    (void)settle_close(&x->w, "2026-12", JANUARY);
    world->clock.at += US_PER_DAY;
    world_write(world, prepaid_closed, x, RC_OK);
    settle_world_close(&x->w);
    free(x);
}
END_TEST

/* --- money that names what is not one's own --- */

/* R1 books money with the reference of an invoice that the platform collects: it waits. */
static enum rc stranger_pays(struct tx *tx, void *arg)
{
    struct xterity *x = arg;
    struct ledger *l = x->w.books.l;
    struct payment made;
    char rf[REFERENCE_MAX + 1];
    struct document_row d = document_between(tx, x->r2, x->c, DOCUMENT_INVOICE);
    struct str no = arena_fmt(tx->arena, "%lld", (long long)d.no);
    OK(tx, reference_make(no, rf, tx->err));
    struct payment fresh = {.amount = STR("890.00"),
                            .currency = STR("USD"),
                            .reference = STR("mine"),
                            .remittance = str_c(rf),
                            .value_date = STR("2027-01-15")};
    OK(tx, payment_book(tx, l, x->r1, &fresh, &made));
    SAME(made.state, STR("suspense"));
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AR", x->c), 89000);
    BALANCE(x->r1, "USD", STR("Suspense"), -89000);
    fresh.reference = STR("ours");
    OK(tx, payment_book(tx, l, x->op, &fresh, &made));
    SAME(made.state, STR("matched"));
    return RC_OK;
}

START_TEST(a_reference_pays_only_what_one_collects)
{
    struct xterity *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    struct world *world = &x->w.books.world;
    settle_world_open(&x->w);
    world_write(world, xterity_define, x, RC_OK);
    (void)settle_close(&x->w, "2026-12", JANUARY);
    world_write(world, stranger_pays, x, RC_OK);
    settle_world_close(&x->w);
    free(x);
}
END_TEST

Suite *settle_suite(void);
Suite *settle_suite(void)
{
    Suite *s = suite_create("settle");
    TCase *t = tcase_create("settle");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_server_month_is_collected_shared_and_paid_out);
    tcase_add_test(t, a_channel_of_two_tiers_collects_and_each_gets_its_own);
    tcase_add_test(t, credit_of_a_client_pays_where_the_platform_collects_too);
    tcase_add_test(t, a_reference_pays_only_what_one_collects);
    suite_add_tcase(s, t);
    return s;
}
