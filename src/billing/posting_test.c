/*
 * The worked cases of specs/billing.md 3.5 to 3.8, as far as they are documents: what each writes
 * into the books, line by line.
 */
#include "billing/books_fixture.h"
#include "channel/supply.h"

static struct document_row new_row(enum document_code code, struct str issuer, struct str recipient,
                                   const char *currency)
{
    return (struct document_row){.code = code,
                                 .issuer = issuer,
                                 .recipient = recipient,
                                 .currency = currency_find(str_c(currency)),
                                 .settle = SETTLE_CHAIN,
                                 .payment_days = 30};
}

static struct document_sum standard(const char *income, int64_t amount)
{
    return (struct document_sum){
        .tax_class = TAX_CLASS_STANDARD, .income = str_c(income), .amount = amount};
}

static void post(struct tx *tx, struct ledger *l, struct document_row *row,
                 const struct document_sum *sums, size_t count)
{
    books_finalise(tx, row, sums, count);
    OK(tx, document_row_post(tx, l, row, NULL));
}

static void post_one(struct tx *tx, struct ledger *l, struct document_row *row, const char *income,
                     int64_t amount)
{
    struct document_sum sum = standard(income, amount);
    post(tx, l, row, &sum, 1);
}

/* --- case (a): Rapid.Space, 195 EUR a server-month, VAT 20 % --- */

BOOKS_TEST(a1_and_a2_the_invoice_and_the_self_billed_one_with_their_mirrors)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str pop = books_party(tx, "POP", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, op, client, "EUR");
    struct document_row own = new_row(DOCUMENT_SELF_BILLED, pop, op, "EUR");

    post_one(tx, l, &invoice, "VPS", 19500);
    BALANCE(op, "EUR", account_of(tx, "AR", client), 23400);
    BALANCE(op, "EUR", STR("Income:VPS"), -19500);
    BALANCE(op, "EUR", STR("VAT-Out:FR:200000"), -3900);
    BALANCE(client, "EUR", STR("Expense:VPS"), 19500);
    BALANCE(client, "EUR", STR("VAT-In:FR:200000"), 3900);
    BALANCE(client, "EUR", account_of(tx, "AP", op), -23400);

    post_one(tx, l, &own, "Hosting", 17500);
    BALANCE(op, "EUR", STR("Expense:Hosting"), 17500);
    BALANCE(op, "EUR", STR("VAT-In:FR:200000"), 3500);
    BALANCE(op, "EUR", account_of(tx, "AP", pop), -21000);
    BALANCE(pop, "EUR", account_of(tx, "AR", op), 21000);
    BALANCE(pop, "EUR", STR("Income:Hosting"), -17500);
    BALANCE(pop, "EUR", STR("VAT-Out:FR:200000"), -3500);
    /* Operator: 20 of its own, 4 of tax due. */
    SAME(document_number_text(&invoice, tx->arena), STR("2026-000001"));
    SAME(document_number_text(&own, tx->arena), STR("S-2026-000001"));
}

BOOKS_TEST(a6_training_is_passed_on_whole)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str si = books_party(tx, "SI", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, op, client, "EUR");
    struct document_row own = new_row(DOCUMENT_SELF_BILLED, si, op, "EUR");
    post_one(tx, l, &invoice, "Services", 300000);
    post_one(tx, l, &own, "ServiceShare", 300000);
    BALANCE(op, "EUR", account_of(tx, "AR", client), 360000);
    BALANCE(op, "EUR", STR("Income:Services"), -300000);
    BALANCE(op, "EUR", STR("VAT-Out:FR:200000"), -60000);
    BALANCE(op, "EUR", STR("Expense:ServiceShare"), 300000);
    BALANCE(op, "EUR", STR("VAT-In:FR:200000"), 60000);
    BALANCE(op, "EUR", account_of(tx, "AP", si), -360000);
}

BOOKS_TEST(a_credit_note_mirrors_with_positive_amounts)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, op, client, "EUR");
    struct document_row credit = new_row(DOCUMENT_CREDIT_NOTE, op, client, "EUR");
    struct document_row own = new_row(DOCUMENT_SELF_BILLED, client, op, "EUR");
    struct document_row own_credit = new_row(DOCUMENT_SELF_BILLED_CREDIT, client, op, "EUR");
    post_one(tx, l, &invoice, "VPS", 19500);
    credit.refers_to = invoice.no;
    post_one(tx, l, &credit, "VPS", 19500);
    ck_assert_int_eq(credit.gross, 23400);
    ALL_ZERO();
    post_one(tx, l, &own, "Hosting", 333);
    own_credit.refers_to = own.no;
    post_one(tx, l, &own_credit, "Hosting", 333);
    ALL_ZERO();
    SAME(document_number_text(&credit, tx->arena), STR("C-2026-000001"));
    SAME(document_number_text(&own_credit, tx->arena), STR("SC-2026-000001"));
}

BOOKS_TEST(reverse_charge_is_accounted_for_by_the_buyer)
{
    struct str pop = books_party(tx, "POP", "DE", true);
    struct str op = books_party(tx, "Op", "FR", true);
    struct document_row own = new_row(DOCUMENT_SELF_BILLED, pop, op, "EUR");
    post_one(tx, l, &own, "Hosting", 17500);
    ck_assert_int_eq(own.tax, 0);
    ck_assert_str_eq(tax_category_code(own.groups[0].group.category), "AE");
    ck_assert_str_eq(own.groups[0].decision.reason, "VATEX-EU-AE");
    BALANCE(op, "EUR", STR("Expense:Hosting"), 17500);
    BALANCE(op, "EUR", STR("VAT-In:FR:200000"), 3500);
    BALANCE(op, "EUR", STR("VAT-Out:FR:200000"), -3500);
    BALANCE(op, "EUR", account_of(tx, "AP", pop), -17500);
    BALANCE(pop, "EUR", account_of(tx, "AR", op), 17500);
    BALANCE(pop, "EUR", STR("Income:Hosting"), -17500);
}

BOOKS_TEST(a_consumer_has_the_tax_within_the_expense)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str home = books_party(tx, "Home", "FR", false);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, op, home, "EUR");
    struct document_sum sums[] = {standard("VPS", 10001), standard("Storage", 5002)};
    post(tx, l, &invoice, sums, COUNT(sums));
    ck_assert_int_eq(invoice.tax, 3001); /* R(150.03 x 20 %) */
    BALANCE(home, "EUR", STR("Expense:VPS"), 10001 + 3001);
    BALANCE(home, "EUR", STR("Expense:Storage"), 5002);
    BALANCE(home, "EUR", account_of(tx, "AP", op), -18004);
    BALANCE(home, "EUR", STR("VAT-In:FR:200000"), 0);
}

/* --- case (b): the coworking cloud, CNY, tax 6 % within the price --- */

BOOKS_TEST(b_prices_with_their_tax_are_taken_apart_gross_less_net)
{
    static const struct {
        int64_t gross, net, tax;
    } cases[] = {{40000, 37736, 2264}, {80000, 75472, 4528}, {1250, 1179, 71}, {2500, 2358, 142}};
    struct str space = books_party(tx, "Space", "CN", true);
    struct str member = books_party(tx, "Member", "CN", false);
    int64_t net = 0;
    int64_t gross = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document_row invoice = new_row(DOCUMENT_INVOICE, space, member, "CNY");
        invoice.tax_included = true;
        post_one(tx, l, &invoice, "Cloud", cases[i].gross);
        ck_assert_int_eq(invoice.net, cases[i].net);
        ck_assert_int_eq(invoice.tax, cases[i].tax);
        net += cases[i].net;
        gross += cases[i].gross;
        BALANCE(space, "CNY", account_of(tx, "AR", member), gross);
        BALANCE(space, "CNY", STR("Income:Cloud"), -net);
        BALANCE(space, "CNY", STR("VAT-Out:CN:60000"), net - gross);
        BALANCE(member, "CNY", STR("Expense:Cloud"), gross);
    }
}

BOOKS_TEST(b_a_reward_is_used_on_an_invoice)
{
    struct str space = books_party(tx, "Space", "CN", true);
    struct str member = books_party(tx, "Member", "CN", false);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, space, member, "CNY");
    uint64_t number = 0;
    struct leg reward[] = {{.party = space,
                            .debit = STR("Marketing:Referral"),
                            .credit = account_of(tx, "Promo", member),
                            .amount = 2500,
                            .code = POSTING_REWARD},
                           {.party = member,
                            .debit = account_of(tx, "Promo", space),
                            .credit = STR("Income:Reward"),
                            .amount = 2500,
                            .code = POSTING_REWARD}};
    OK(tx, posting_number(tx, &number));
    OK(tx, posting_event(tx, l, STR("billing"), number, invoice.currency, reward, 2));
    BALANCE(space, "CNY", account_of(tx, "Promo", member), -2500);
    invoice.tax_included = true;
    invoice.prepaid = 2500;
    invoice.promo = 2500;
    post_one(tx, l, &invoice, "Cloud", 40000);
    ck_assert_int_eq(document_open(&invoice), 37500);
    BALANCE(space, "CNY", account_of(tx, "Promo", member), 0);
    BALANCE(member, "CNY", account_of(tx, "Promo", space), 0);
    BALANCE(space, "CNY", account_of(tx, "AR", member), 37500);
    BALANCE(member, "CNY", account_of(tx, "AP", space), -37500);
}

/* --- case (c): Xterity, USD, two tiers of resellers --- */

struct xterity {
    struct str op, r1, r2, client;
    struct supply_path path;
};

static struct xterity make_xterity(struct tx *tx)
{
    struct xterity x = {.op = books_party(tx, "Op", "US", true),
                        .r1 = books_party(tx, "R1", "US", true),
                        .r2 = books_party(tx, "R2", "US", true),
                        .client = books_party(tx, "C", "US", true)};
    x.path = (struct supply_path){.currency = STR("USD"),
                                  .count = 3,
                                  .edges = {{.seller = x.op, .buyer = x.r1},
                                            {.seller = x.r1, .buyer = x.r2},
                                            {.seller = x.r2, .buyer = x.client}}};
    return x;
}

static struct document_sum with_wholesale(const char *income, int64_t amount, int64_t wholesale)
{
    struct document_sum sum = standard(income, amount);
    sum.wholesale = wholesale;
    return sum;
}

BOOKS_TEST(c_collect_gives_each_tier_its_own_and_the_operator_700)
{
    struct xterity x = make_xterity(tx);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, x.r2, x.client, "USD");
    struct document_sum sums[] = {with_wholesale("VM", 70000, 50000),
                                  with_wholesale("Storage", 19000, 20000)};
    const struct document_parts tiers = {&x.path, {70000, 76000, 89000}, {0}};
    invoice.settle = SETTLE_COLLECT;
    books_finalise(tx, &invoice, sums, COUNT(sums));
    OK(tx, document_row_post(tx, l, &invoice, &tiers));
    struct str clearing = POSTING_CLEARING;
    BALANCE(clearing, "USD", account_of(tx, "AR", x.client), 89000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x.op), -70000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x.r1), -6000);
    BALANCE(clearing, "USD", account_of(tx, "AP", x.r2), -13000);
    BALANCE(x.op, "USD", STR("AR:Clearing"), 70000);
    BALANCE(x.op, "USD", STR("Income:VM"), -50000);
    BALANCE(x.op, "USD", STR("Income:Storage"), -20000);
    BALANCE(x.r1, "USD", STR("AR:Clearing"), 6000);
    BALANCE(x.r1, "USD", STR("Income:Margin"), -6000);
    BALANCE(x.r2, "USD", STR("AR:Clearing"), 13000);
    BALANCE(x.r2, "USD", STR("Income:Margin"), -13000);
    BALANCE(x.client, "USD", STR("AP:Clearing"), -89000);
    BALANCE(x.client, "USD", STR("Expense:VM"), 70000);
    BALANCE(x.client, "USD", STR("Expense:Storage"), 19000);

    /* The credit note of one VM: 50 + 6 + 14 = 70. */
    struct document_row credit = new_row(DOCUMENT_CREDIT_NOTE, x.r2, x.client, "USD");
    struct document_sum back = with_wholesale("VM", 7000, 5000);
    const struct document_parts tiers_back = {&x.path, {5000, 5600, 7000}, {0}};
    credit.settle = SETTLE_COLLECT;
    credit.refers_to = invoice.no;
    books_finalise(tx, &credit, &back, 1);
    OK(tx, document_row_post(tx, l, &credit, &tiers_back));
    BALANCE(clearing, "USD", account_of(tx, "AR", x.client), 82000);
    BALANCE(x.op, "USD", STR("Income:VM"), -45000);
    BALANCE(x.r1, "USD", STR("Income:Margin"), -5400);
    BALANCE(x.r2, "USD", STR("Income:Margin"), -11600);
}

static enum rc no_sign_of_retail(struct tx *tx, const struct account *a, void *arg)
{
    (void)tx;
    (void)arg;
    int64_t net = a->balance.debits - a->balance.credits;
    ck_assert_msg(net % 70000 == 0, "%.*s of the operator tells %lld", STRF(a->code),
                  (long long)net);
    return RC_OK;
}

BOOKS_TEST(c_the_operators_book_shows_700_alone)
{
    struct xterity x = make_xterity(tx);
    struct document_row invoice = new_row(DOCUMENT_INVOICE, x.r2, x.client, "USD");
    struct document_sum sum = standard("VM", 89000);
    const struct document_parts tiers = {&x.path, {70000, 76000, 89000}, {0}};
    invoice.settle = SETTLE_COLLECT;
    books_finalise(tx, &invoice, &sum, 1);
    OK(tx, document_row_post(tx, l, &invoice, &tiers));
    BALANCE(x.op, "USD", STR("Income:Wholesale"), -70000);
    OK(tx, ledger_accounts(tx, l, x.op, no_sign_of_retail, NULL));
}

BOOKS_TEST(c_in_a_chain_each_tier_has_an_invoice)
{
    struct xterity x = make_xterity(tx);
    static const int64_t amounts[] = {70000, 76000, 89000};
    for (size_t k = 0; k < x.path.count; k++) {
        struct document_row invoice =
            new_row(DOCUMENT_INVOICE, x.path.edges[k].seller, x.path.edges[k].buyer, "USD");
        post_one(tx, l, &invoice, "VM", amounts[k]);
    }
    BALANCE(x.op, "USD", account_of(tx, "AR", x.r1), 70000);
    BALANCE(x.op, "USD", STR("Income:VM"), -70000);
    BALANCE(x.r1, "USD", account_of(tx, "AP", x.op), -70000);
    BALANCE(x.r1, "USD", account_of(tx, "AR", x.r2), 76000);
    BALANCE(x.r2, "USD", account_of(tx, "AR", x.client), 89000);
    BALANCE(x.client, "USD", account_of(tx, "AP", x.r2), -89000);
}

BOOKS_TEST(collect_keeps_the_whole_tax_in_the_neutral_book)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str r = books_party(tx, "R", "FR", true);
    struct str client = books_party(tx, "C", "FR", true);
    struct supply_path path = {
        .count = 2, .edges = {{.seller = op, .buyer = r}, {.seller = r, .buyer = client}}};
    struct document_row invoice = new_row(DOCUMENT_INVOICE, r, client, "EUR");
    struct document_sum sum = with_wholesale("VM", 9000, 10000); /* sold at a loss */
    const struct document_parts tiers = {&path, {10000, 9000}, {0}};
    invoice.settle = SETTLE_COLLECT;
    books_finalise(tx, &invoice, &sum, 1);
    OK(tx, document_row_post(tx, l, &invoice, &tiers));
    BALANCE(POSTING_CLEARING, "EUR", account_of(tx, "AR", client), 10800);
    BALANCE(POSTING_CLEARING, "EUR", STR("VAT-Out:FR:200000"), -1800);
    BALANCE(POSTING_CLEARING, "EUR", account_of(tx, "AP", op), -10000);
    BALANCE(POSTING_CLEARING, "EUR", account_of(tx, "AP", r), 1000);
    BALANCE(r, "EUR", STR("Income:Margin"), 1000);
    BALANCE(op, "EUR", STR("VAT-Out:FR:200000"), 0);
    BALANCE(client, "EUR", STR("VAT-In:FR:200000"), 1800);
}

/* --- repeats and what is refused --- */

BOOKS_TEST(an_event_is_posted_once)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct leg leg = {.party = op,
                      .debit = STR("Bank"),
                      .credit = STR("Suspense"),
                      .amount = 5,
                      .code = POSTING_PAYMENT};
    const struct currency *eur = currency_find(STR("EUR"));
    uint64_t number = 0;
    OK(tx, posting_number(tx, &number));
    OK(tx, posting_event(tx, l, STR("billing"), number, eur, &leg, 1));
    OK(tx, posting_event(tx, l, STR("billing"), number, eur, &leg, 1));
    BALANCE(op, "EUR", STR("Bank"), 5);
    leg.amount = 6;
    FAILS(tx, RC_CONFLICT, NULL, posting_event(tx, l, STR("billing"), number, eur, &leg, 1));
    leg.amount = -2; /* the other way round */
    OK(tx, posting_number(tx, &number));
    OK(tx, posting_event(tx, l, STR("billing"), number, eur, &leg, 1));
    BALANCE(op, "EUR", STR("Bank"), 3);
    leg.amount = 0;
    OK(tx, posting_number(tx, &number));
    OK(tx, posting_event(tx, l, STR("billing"), number, eur, &leg, 1));
    BALANCE(op, "EUR", STR("Bank"), 3);
}

BOOKS_TEST(a_held_draft_is_posted_behind_younger_ones)
{
    struct str op = books_party(tx, "Op", "FR", true);
    struct str client = books_party(tx, "Client", "FR", true);
    struct document_row old = new_row(DOCUMENT_INVOICE, op, client, "EUR");
    struct document_row young = new_row(DOCUMENT_INVOICE, op, client, "EUR");
    OK(tx, document_nos(tx, 1, &old.no));
    post_one(tx, l, &young, "VPS", 100);
    post_one(tx, l, &old, "VPS", 1000);
    ck_assert_int_lt(old.no, young.no);
    BALANCE(op, "EUR", STR("Income:VPS"), -1100);
    old.posted = true;
    OK(tx, document_row_post(tx, l, &old, NULL));
    BALANCE(op, "EUR", STR("Income:VPS"), -1100);
}

Suite *posting_suite(void);
Suite *posting_suite(void)
{
    Suite *s = suite_create("posting");
    TCase *c = tcase_create("cases");
    tcase_add_test(c, a1_and_a2_the_invoice_and_the_self_billed_one_with_their_mirrors);
    tcase_add_test(c, a6_training_is_passed_on_whole);
    tcase_add_test(c, a_credit_note_mirrors_with_positive_amounts);
    tcase_add_test(c, reverse_charge_is_accounted_for_by_the_buyer);
    tcase_add_test(c, a_consumer_has_the_tax_within_the_expense);
    tcase_add_test(c, b_prices_with_their_tax_are_taken_apart_gross_less_net);
    tcase_add_test(c, b_a_reward_is_used_on_an_invoice);
    tcase_add_test(c, c_collect_gives_each_tier_its_own_and_the_operator_700);
    tcase_add_test(c, c_the_operators_book_shows_700_alone);
    tcase_add_test(c, c_in_a_chain_each_tier_has_an_invoice);
    tcase_add_test(c, collect_keeps_the_whole_tax_in_the_neutral_book);
    tcase_add_test(c, an_event_is_posted_once);
    tcase_add_test(c, a_held_draft_is_posted_behind_younger_ones);
    suite_add_tcase(s, c);
    return s;
}
