#include "settle/division.h"

#include "settle/settle_fixture.h"

/* A machine at 50.00 with traffic at 0.01, sold by the operator to one client. */
struct shared {
    struct close_world w;
    struct str op, client, partner, plan, supply, subscription;
    struct agreement fresh; /* from the operator to the partner */
    struct rule rules[2];
    bool free;
    bool advance;
};

static enum rc define(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct close_world *w = &s->w;
    s->op = w->op = keep(w, books_party(tx, "Op", "FR", true));
    s->client = keep(w, books_party(tx, "Client", "FR", false));
    s->partner = keep(w, books_party(tx, "Partner", "FR", true));
    OK(tx, permission_seed(tx));
    (void)make_vm_item(tx, s->op);
    s->plan = keep(w, make_vm_plan(tx, "vm-monthly", s->advance, s->free));
    s->supply = keep(w, make_supply(tx, s->op, s->client, STR(""), STR("")));
    s->subscription = keep(w, make_subscription(tx, s->supply, s->plan, "2", 0));
    w->subscription[0] = s->subscription;
    s->fresh.from = s->op;
    s->fresh.to = s->partner;
    s->fresh.terms.rules.items = s->rules;
    (void)make_agreement(tx, &s->fresh);
    return RC_OK;
}

static void open_shared(struct shared *s)
{
    settle_world_open(&s->w);
    world_write(&s->w.books.world, define, s, RC_OK);
    use_traffic(&s->w, 0, DECEMBER + US_PER_DAY, 700000); /* 700 units */
}

#define SHARED_TEST(name)                        \
    static void name##_body(struct shared *s);   \
    START_TEST(name)                             \
    {                                            \
        struct shared *s = calloc(1, sizeof *s); \
        ASSERT(s != NULL);                       \
        name##_body(s);                          \
        settle_world_close(&s->w);               \
        free(s);                                 \
    }                                            \
    END_TEST                                     \
    static void name##_body(struct shared *s)

static enum rc accrued_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Expense:Energy"), 2600); /* two machines at 13.00, once */
    return RC_OK;
}

static enum rc twice_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Expense:Energy"), 2 * 2600);
    return RC_OK;
}

/* The machine and its traffic are two lines, and one server-month. */
SHARED_TEST(what_is_fixed_counts_once_however_many_lines_a_month_has)
{
    s->rules[0] = (struct rule){.kind = RULE_FIXED, .value = STR("13.00"), .label = STR("Energy")};
    s->fresh = (struct agreement){.kind = AGREEMENT_COST, .terms = {.rules = {NULL, 1}}};
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, accrued_in, s, RC_OK);
    use_traffic(&s->w, 0, DECEMBER + 2 * US_PER_DAY, 100000); /* late: no month more */
    (void)settle_close(&s->w, "2027-01", FEBRUARY);
    world_write(&s->w.books.world, twice_in, s, RC_OK);
}

static enum rc end_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct subscription ended;
    return subscription_end(tx, s->subscription, JANUARY + 15 * US_PER_DAY + 12 * US_PER_HOUR,
                            &ended);
}
static enum rc given_back_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Expense:Energy"), 2600 + 1300); /* December, half of January */
    return RC_OK;
}

SHARED_TEST(what_is_fixed_is_given_back_for_time_that_is)
{
    s->rules[0] = (struct rule){.kind = RULE_FIXED, .value = STR("13.00"), .label = STR("Energy")};
    s->fresh = (struct agreement){.kind = AGREEMENT_COST, .terms = {.rules = {NULL, 1}}};
    s->advance = true;
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, end_in, s, RC_OK);
    (void)settle_close(&s->w, "2027-01", FEBRUARY);
    world_write(&s->w.books.world, given_back_in, s, RC_OK);
}

static enum rc introduced_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Expense:Bonus"), 1000);   /* two machines at 5.00 */
    BALANCE(s->op, "EUR", STR("Expense:Traffic"), 1404); /* (2 + 700) x 0.02 */
    return RC_OK;
}

SHARED_TEST(an_introducer_is_paid_for_each_unit_as_well)
{
    s->rules[0] = (struct rule){.kind = RULE_FIXED, .value = STR("5.00"), .label = STR("Bonus")};
    s->rules[1] =
        (struct rule){.kind = RULE_PER_UNIT, .value = STR("0.02"), .label = STR("Traffic")};
    s->fresh = (struct agreement){.kind = AGREEMENT_REFERRAL, .terms = {.rules = {NULL, 2}}};
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, introduced_in, s, RC_OK);
}

static enum rc marketed_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Marketing:FreeTier"), 2600);
    BALANCE(s->op, "EUR", STR("Expense:Services"), 0);
    BALANCE(s->op, "EUR", account_of(tx, "AP", s->partner), -3120); /* with 20 % tax */
    BALANCE(s->partner, "EUR", STR("Income:Services"), -2600);
    return RC_OK;
}

/* specs/billing.md 3.6, by a payee whose invoices are written for it. */
SHARED_TEST(what_the_free_tier_costs_is_marketing_in_a_self_billed_invoice_too)
{
    s->rules[0] = (struct rule){.kind = RULE_FIXED, .value = STR("13.00"), .label = STR("Energy")};
    s->fresh = (struct agreement){
        .kind = AGREEMENT_COST,
        .terms = {.rules = {NULL, 1}, .earn = EARN_ON_INVOICE, .self_billing = true}};
    s->free = true;
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, marketed_in, s, RC_OK);
}

/* --- maturity --- */

/* Half of it, twice; the second half goes back. */
static enum rc pay_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct document_row invoice = document_between(tx, s->op, s->client, DOCUMENT_INVOICE);
    (void)book_payment(tx, s->w.books.l, s->op, invoice.id, "64.20", "EUR", "bank-1");
    struct payment second =
        book_payment(tx, s->w.books.l, s->op, invoice.id, "64.20", "EUR", "bank-2");
    s->subscription = keep(&s->w, second.id);
    return RC_OK;
}
static enum rc return_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct payment made;
    return payment_return(tx, s->w.books.l, s->subscription, &made);
}
static enum rc run_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct settlement made;
    struct rows rows;
    OK(tx, settlement_run(tx, s->w.books.l, s->op, STR("early"), 0, &made));
    OK(tx, sql_rows(tx, &rows, "SELECT payable FROM statement ORDER BY no"));
    ck_assert_uint_eq(rows.count, 0);
    return RC_OK;
}

SHARED_TEST(what_was_taken_back_before_it_was_payable_is_not_asked_back)
{
    s->rules[0] = (struct rule){.kind = RULE_PERCENT, .value = STR("5"), .label = STR("Bonus")};
    s->fresh = (struct agreement){.kind = AGREEMENT_REFERRAL,
                                  .terms = {.rules = {NULL, 1}, .maturity_days = 30}};
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    s->w.books.world.clock.at = JANUARY + US_PER_DAY;
    world_write(&s->w.books.world, pay_in, s, RC_OK);
    s->w.books.world.clock.at = JANUARY + 2 * US_PER_DAY;
    world_write(&s->w.books.world, return_in, s, RC_OK);
    s->w.books.world.clock.at = JANUARY + 3 * US_PER_DAY;
    world_write(&s->w.books.world, run_in, s, RC_OK);
}

/* --- COLLECT --- */

static enum rc define_collected(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct close_world *w = &s->w;
    s->op = keep(w, books_party(tx, "Op", "FR", true));
    s->partner = keep(w, books_party(tx, "R1", "FR", true));
    s->client = keep(w, books_party(tx, "Client", "FR", false));
    OK(tx, permission_seed(tx));
    struct str dear = make_flat(tx, s->op, "dear", "VPS", "50.00", "EUR");
    struct str cheap = make_flat(tx, s->op, "cheap", "VPS", "50.00", "EUR");
    struct str book = make_book(tx, s->partner, "public");
    make_entry(tx, book, "dear", ENTRY_ABS, "51.00");
    make_entry(tx, book, "cheap", ENTRY_ABS, "49.00");
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = s->op,
                              .to = s->partner,
                              .terms = {.settle = SETTLE_COLLECT}};
    struct str above = make_agreement(tx, &fresh);
    fresh.from = s->partner;
    fresh.to = s->client;
    fresh.terms.upstream = above;
    fresh.terms.book = book;
    s->supply = keep(w, make_agreement(tx, &fresh));
    (void)make_subscription(tx, s->supply, dear, "1", 0);
    (void)make_subscription(tx, s->supply, cheap, "1", 0);
    return RC_OK;
}

/* Of two lines that earned the reseller 1.00 and lost it 1.00 the first goes back: it owes 1.00. */
static enum rc credit_dear_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    struct document credit;
    struct page page;
    struct document_row invoice = document_between(tx, s->partner, s->client, DOCUMENT_INVOICE);
    OK(tx, document_lines(tx, invoice.id, &(struct page_query){0}, &page));
    const struct document_line *lines = page.items.items;
    ck_assert_uint_eq(page.items.count, 2);
    struct credit_line dear = {.line = str_eq(lines[0].item, STR("dear")) ? 1 : 2};
    BALANCE(s->partner, "EUR", STR("AR:Clearing"), 0);
    const struct credit_request request = {.id = invoice.id, .lines = &dear, .count = 1};
    OK(tx, document_credit(tx, l, &settle_above, &request, &credit));
    BALANCE(s->partner, "EUR", STR("AR:Clearing"), -100);
    return RC_OK;
}

SHARED_TEST(a_tier_that_earned_nothing_in_sum_gives_back_what_a_line_earned_it)
{
    settle_world_open(&s->w);
    world_write(&s->w.books.world, define_collected, s, RC_OK);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, credit_dear_in, s, RC_OK); /* the end verifies the shares */
}

/* --- what a percentage is of --- */

/* Operator, two tiers and a client: each payer's bases are its own prices, and no other tier's. */
START_TEST(a_percentage_is_of_what_its_payer_sees)
{
    enum { OP, R1, R2, MAKER, WHO };
    static const char *const who[WHO] = {"op", "r1", "r2", "maker"};
    struct supply_path path = {.count = 3};
    struct rated_line line = {.path = &path, .list_amount = 71000, .discount = 1000};
    static const int64_t amounts[] = {70000, 76000, 90000};
    static const struct {
        enum rule_base base;
        int64_t want[WHO];
    } rows[] = {
        {BASE_WHOLESALE, {70000, 76000, 89000, 70000}}, {BASE_RETAIL, {0, 0, 89000, 0}},
        {BASE_LIST, {71000, 76000, 89000, 71000}},      {BASE_MARGIN, {70000, 6000, 13000, 70000}},
        {BASE_CASH, {70000, 76000, 89000, 70000}},
    };
    for (size_t k = 0; k < path.count; k++) {
        path.edges[k].seller = str_c(who[k]);
        line.amounts[k] = amounts[k];
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t p = 0; p < WHO; p++) {
            /* A tier of the first version's rules, counted from the operator, tells nothing. */
            struct rule rule = {.kind = RULE_PERCENT, .base = rows[i].base, .tier = 3};
            ck_assert_int_eq(division_base(&rule, str_c(who[p]), &line), rows[i].want[p]);
        }
}
END_TEST

/* --- fees --- */

static enum rc fee_in(struct tx *tx, void *arg)
{
    struct shared *s = arg;
    struct ledger *l = s->w.books.l;
    BALANCE(s->op, "EUR", STR("Expense:Platform"), 200 + 100); /* two for a month, then a half */
    return RC_OK;
}

SHARED_TEST(a_fee_by_the_month_counts_each_month_once_and_is_given_back)
{
    s->rules[0] = (struct rule){.kind = RULE_FIXED, .value = STR("1.00"), .label = STR("Platform")};
    s->fresh = (struct agreement){.kind = AGREEMENT_FEE,
                                  .terms = {.tax = TREATMENT_NONE, .rules = {NULL, 1}}};
    s->advance = true;
    open_shared(s);
    (void)settle_close(&s->w, "2026-12", JANUARY);
    world_write(&s->w.books.world, end_in, s, RC_OK);
    (void)settle_close(&s->w, "2027-01", FEBRUARY);
    world_write(&s->w.books.world, fee_in, s, RC_OK);
}

Suite *division_suite(void);
Suite *division_suite(void)
{
    Suite *s = suite_create("division");
    TCase *t = tcase_create("division");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_fixed_counts_once_however_many_lines_a_month_has);
    tcase_add_test(t, a_percentage_is_of_what_its_payer_sees);
    tcase_add_test(t, what_is_fixed_is_given_back_for_time_that_is);
    tcase_add_test(t, an_introducer_is_paid_for_each_unit_as_well);
    tcase_add_test(t, what_the_free_tier_costs_is_marketing_in_a_self_billed_invoice_too);
    tcase_add_test(t, what_was_taken_back_before_it_was_payable_is_not_asked_back);
    tcase_add_test(t, a_fee_by_the_month_counts_each_month_once_and_is_given_back);
    tcase_add_test(t, a_tier_that_earned_nothing_in_sum_gives_back_what_a_line_earned_it);
    suite_add_tcase(s, t);
    return s;
}
