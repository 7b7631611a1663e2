/*
 * wide_test.c - one invoice of 20,000 lines down 16 tiers, in which 2,500 producers have a share:
 * more than one chain of transfers has legs, and all of it or nothing.
 *
 *     operator 1.00 a line -> 15 resellers, 0.10 more each -> client 2.50
 */
#include "money/amount.h"
#include "settle/bad_debt.h"
#include "settle/settle_fixture.h"

enum {
    TIERS = SUPPLY_DEPTH_MAX,
    PRODUCERS = 2500,
    CHARGES = 8, /* of a subscription, each a line */
    LINES = PRODUCERS * CHARGES,
    SHARES_OF_ALL = PRODUCERS + 1, /* and the introducer's */
    AT_ONCE = 100,
    WHOLESALE = LINES * 100,
    PRODUCED = CHARGES * 100, /* of one producer */
    RETAIL = LINES * (100 + 10 * (TIERS - 1)),
    MARGIN = LINES * 10,
    COMMISSION = WHOLESALE / 20,
    PAID = RETAIL / 2,
    CREDITED = 200, /* lines: wholly, of 25 producers */
    EARNED = 404,   /* of one producer's 800: a half of 50,000.00 of which 500.00 was credited */
    LOST = RETAIL - PAID - CREDITED * (100 + 10 * (TIERS - 1)),
};

struct wide {
    struct close_world w;
    enum settle_mode settle;
    bool included; /* prices hold the tax */
    bool restarts; /* the process ends behind every unit of work */
    struct str party[TIERS];
    struct str client, agent, plan, supply;
    struct str producer[PRODUCERS];
    int64_t made;
};

static struct str wide_plan(struct tx *tx, struct wide *x)
{
    struct item item;
    struct plan p;
    struct charge charges[CHARGES];
    static const char *const labels[CHARGES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct item fresh = {.code = STR("vm"),
                         .name = STR("Machine"),
                         .category = STR("compute"),
                         .unit = STR("MON"),
                         .income = STR("VPS")};
    for (size_t i = 0; i < CHARGES; i++)
        charges[i] =
            (struct charge){.set = field_bit("label") | field_bit("kind") | field_bit("price"),
                            .label = str_c(labels[i]),
                            .kind = CHARGE_FLAT,
                            .price = STR("1.00")};
    struct plan plan = {.item = fresh.code,
                        .code = STR("vm"),
                        .name = STR("vm"),
                        .currency = STR("EUR"),
                        .tax_included = x->included,
                        .charges = {charges, CHARGES}};
    OK(tx, item_create(tx, x->party[0], &fresh, &item));
    OK(tx, plan_create(tx, &plan, &p));
    return p.id;
}

static struct str wide_supply(struct tx *tx, const struct wide *x, struct str from, struct str to,
                              struct str upstream)
{
    struct str book = STR("");
    if (upstream.n > 0) {
        book = make_book(tx, from, "retail");
        make_entry(tx, book, "vm", ENTRY_ADD, "0.10");
    }
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream,
                                        .book = book,
                                        .settle = x->settle,
                                        .bad_debt = BAD_DEBT_SHARED,
                                        .tax = TREATMENT_NONE,
                                        .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

static enum rc define(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct close_world *w = &x->w;
    struct str supply = STR("");
    for (size_t i = 0; i < TIERS; i++)
        x->party[i] = keep(w, books_party(tx, "Tier", "FR", true));
    OK(tx, permission_seed(tx));
    x->agent = keep(w, books_party(tx, "Agent", "FR", true));
    x->client = keep(w, books_party(tx, "Client", "FR", true));
    x->plan = keep(w, wide_plan(tx, x));
    for (size_t i = 0; i < TIERS; i++)
        supply =
            wide_supply(tx, x, x->party[i], i + 1 < TIERS ? x->party[i + 1] : x->client, supply);
    x->supply = keep(w, supply);
    (void)make_referral(tx, x->party[0], x->agent, x->client, false, "5");
    return RC_OK;
}

static enum rc fill(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    for (int i = 0; i < AT_ONCE && x->made < PRODUCERS; i++, x->made++) {
        struct subscription s;
        x->producer[x->made] = keep(&x->w, books_party(tx, "Producer", "FR", true));
        struct subscription fresh = {.agreement = x->supply,
                                     .plan = x->plan,
                                     .producer = x->producer[x->made],
                                     .quantity = STR("1")};
        OK(tx, subscription_create(tx, &fresh, &s));
    }
    return RC_OK;
}

static void do_it(struct wide *x, tx_fn fn)
{
    arena_reset(&x->w.books.world.fixture.arena);
    world_write(&x->w.books.world, fn, x, RC_OK);
}

static struct wide *wide_open(const struct wide *wanted)
{
    struct wide *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    *x = *wanted;
    settle_world_open(&x->w);
    world_write(&x->w.books.world, define, x, RC_OK);
    while (x->made < PRODUCERS)
        do_it(x, fill);
    return x;
}

static void wide_close(struct wide *x)
{
    settle_world_close(&x->w);
    free(x);
}

static struct document_row the_invoice(struct tx *tx, const struct wide *x)
{
    return document_between(tx, x->party[TIERS - 1], x->client, DOCUMENT_INVOICE);
}

/* --- posted --- */

static int64_t sum_of(struct tx *tx, const struct wide *x, enum share_origin origin)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT COALESCE(SUM(amount - voided), 0) FROM share WHERE document = $1 AND "
                    "kind = $2",
                    V(the_invoice(tx, x).no), V(share_origins[origin])));
    return row_int(&rows, 0, 0);
}

static int64_t shares_in(struct tx *tx)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM share"));
    return row_int(&rows, 0, 0);
}

static void producers_have(struct tx *tx, const struct wide *x, int64_t want)
{
    struct ledger *l = x->w.books.l;
    for (size_t i = 0; i < PRODUCERS; i++)
        BALANCE(x->party[0], "EUR", account_of(tx, "Commission", x->producer[i]), -want);
}

static enum rc shared_in(struct tx *tx, void *arg)
{
    const struct wide *x = arg;
    struct ledger *l = x->w.books.l;
    struct document_row d = the_invoice(tx, x);
    bool collect = x->settle == SETTLE_COLLECT;
    ck_assert_int_eq(d.line_count, LINES);
    ck_assert_int_eq(d.gross, RETAIL);
    ck_assert_int_eq(shares_in(tx), SHARES_OF_ALL + (collect ? TIERS : 0));
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_PRODUCTION), WHOLESALE);
    producers_have(tx, x, PRODUCED);
    BALANCE(x->party[0], "EUR", STR("Expense:Production"), WHOLESALE);
    BALANCE(x->party[0], "EUR", account_of(tx, "Commission", x->agent), -COMMISSION);
    for (int64_t k = 1; k < TIERS && !collect; k++) {
        BALANCE(x->party[k], "EUR", account_of(tx, "AP", x->party[k - 1]),
                -(WHOLESALE + (k - 1) * MARGIN));
        BALANCE(x->party[k], "EUR", STR("Income:VPS"), -(WHOLESALE + k * MARGIN));
    }
    for (int64_t k = 1; k < TIERS && collect; k++) {
        BALANCE(x->party[k], "EUR", STR("AR:Clearing"), MARGIN);
        BALANCE(POSTING_CLEARING, "EUR", account_of(tx, "AP", x->party[k]), -MARGIN);
    }
    return RC_OK;
}

/* --- all or nothing --- */

/* The last producer's account takes nothing: that is in a later chain than the first one's. */
static enum rc set_closed(struct tx *tx, const struct wide *x, bool closed)
{
    account_id account = 0;
    struct ledger *l = x->w.books.l;
    struct account wanted = {.party = x->party[0],
                             .currency = STR("EUR"),
                             .code = account_of(tx, "Commission", x->producer[PRODUCERS - 1])};
    OK(tx, ledger_account(tx, l, &wanted, &account));
    OK(tx, ledger_set_closed(tx, l, account, closed));
    return RC_OK;
}

static enum rc close_account_in(struct tx *tx, void *arg)
{
    return set_closed(tx, arg, true);
}

static enum rc open_account_in(struct tx *tx, void *arg)
{
    return set_closed(tx, arg, false);
}

static enum rc nothing_in(struct tx *tx, void *arg)
{
    const struct wide *x = arg;
    struct ledger *l = x->w.books.l;
    ck_assert_int_eq(shares_in(tx), 0);
    producers_have(tx, x, 0);
    BALANCE(x->party[0], "EUR", STR("Expense:Production"), 0);
    BALANCE(x->client, "EUR", account_of(tx, "AP", x->party[TIERS - 1]), 0);
    return RC_OK;
}

/* The invoice has its number, and waits for the books. */
static enum rc unposted_in(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct rows rows;
    struct document made;
    struct document_row d = the_invoice(tx, x);
    const struct credit_request request = {.id = d.id};
    ck_assert_int_gt(d.number, 0);
    FAILS(tx, RC_CONFLICT, NULL, document_credit(tx, x->w.books.l, &settle_above, &request, &made));
    OK(tx, sql_rows(tx, &rows, "SELECT step, text FROM close_exception ORDER BY id"));
    ck_assert_uint_eq(rows.count, 1);
    SAME(row_str(&rows, 0, 0), STR("post"));
    ck_assert(str_starts(row_str(&rows, 0, 1), arena_fmt(tx->arena, "document %.*s", STRF(d.id))));
    return RC_OK;
}

/* Until it is done, or fails. */
static enum rc go_on(struct wide *x)
{
    struct fixture *f = &x->w.books.world.fixture;
    bool worked = true;
    enum rc rc = RC_OK;
    for (int i = 0; worked && rc == RC_OK; i++) {
        ck_assert_int_lt(i, CLOSE_UNITS_MAX);
        arena_reset(&f->arena);
        err_clear(&f->err);
        rc = close_work(f->store, x->w.books.l, &settle_above, &f->arena, &worked, &f->err);
        if (x->restarts && worked)
            close_world_restart(&x->w);
    }
    return rc;
}

static void begin(struct wide *x)
{
    struct closing c = {.period = "2026-12", .keep = &x->w.kept};
    x->w.books.world.clock.at = JANUARY;
    world_write(&x->w.books.world, begin_close_in, &c, RC_OK);
}

/* --- and what follows --- */

static enum rc half_in(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct rows rows;
    (void)book_payment(tx, x->w.books.l, x->party[0], the_invoice(tx, x).id, "25000.00", "EUR",
                       "half");
    OK(tx, sql_rows(tx, &rows, "SELECT SUM(earned) FROM share WHERE kind = $1",
                    V(share_origins[SHARE_OF_PRODUCTION])));
    ck_assert_int_eq(row_int(&rows, 0, 0), WHOLESALE / 2);
    return RC_OK;
}

static enum rc credit_in(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct document made;
    struct document_row d = the_invoice(tx, x);
    struct credit_line lines[CREDITED];
    for (int64_t i = 0; i < CREDITED; i++)
        lines[i] = (struct credit_line){.line = i + 1};
    const struct credit_request request = {.id = d.id, .lines = lines, .count = CREDITED};
    OK(tx, document_credit(tx, x->w.books.l, &settle_above, &request, &made));
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_PRODUCTION), WHOLESALE - CREDITED * 100);
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_REFERRAL), COMMISSION - CREDITED * 5);
    return RC_OK;
}

static enum rc lost_in(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct ledger *l = x->w.books.l;
    struct document written;
    bool collect = x->settle == SETTLE_COLLECT;
    OK(tx, bad_debt_write_off(tx, l, the_invoice(tx, x).id, &written));
    SAME(written.written_off, amount_str(LOST, currency_find(STR("EUR")), tx->arena));
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_PRODUCTION), EARNED * (PRODUCERS - CREDITED / CHARGES));
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_REFERRAL), 50000);
    /* Each tier has lost what it sold it for, in proportion: 1.00 of 2.50, and 0.10 more. */
    for (int64_t k = 0; k < TIERS; k++)
        BALANCE(x->party[k], "EUR", STR("Expense:BadDebt"),
                LOST / 25 * (collect ? (k == 0 ? 10 : 1) : 10 + k));
    return RC_OK;
}

static void pay_credit_and_lose(struct wide *x)
{
    do_it(x, half_in);
    do_it(x, credit_in);
    x->w.books.world.clock.at += 90 * US_PER_DAY;
    do_it(x, lost_in);
}

START_TEST(an_invoice_of_20000_lines_down_16_tiers_is_posted_wholly_or_not_at_all)
{
    struct wide *x = wide_open(&(struct wide){.settle = SETTLE_CHAIN});
    do_it(x, close_account_in);
    begin(x);
    ck_assert_int_eq(go_on(x), RC_OK); /* the others are posted */
    do_it(x, nothing_in);
    do_it(x, unposted_in);
    do_it(x, open_account_in);
    begin(x); /* goes on with what it passed by */
    ck_assert_int_eq(go_on(x), RC_OK);
    do_it(x, shared_in);
    pay_credit_and_lose(x);
    wide_close(x);
}
END_TEST

START_TEST(so_it_is_where_the_platform_collects_and_the_process_ends_between_two_units_of_work)
{
    struct wide *x = wide_open(&(struct wide){.settle = SETTLE_COLLECT});
    x->restarts = true;
    begin(x);
    ck_assert_int_eq(go_on(x), RC_OK);
    do_it(x, shared_in);
    pay_credit_and_lose(x);
    wide_close(x);
}
END_TEST

/* --- all of it is taken back --- */

/* A line by its name first, far behind in so long an invoice; then the rest. */
static int64_t credit_named(struct tx *tx, struct wide *x, struct str invoice)
{
    struct document note;
    struct document_row made;
    struct credit_line named[] = {{.line = 3}, {.line = LINES - 5}};
    const struct credit_request request = {.id = invoice, .lines = named, .count = COUNT(named)};
    OK(tx, document_credit(tx, x->w.books.l, &settle_above, &request, &note));
    OK(tx, document_row_find(tx, note.id, &made));
    ck_assert_int_eq(made.line_count, COUNT(named));
    ck_assert_int_eq(made.gross, 2 * (RETAIL / LINES));
    named[0].line = LINES + 1;
    FAILS(tx, RC_NOT_FOUND, NULL,
          document_credit(tx, x->w.books.l, &settle_above, &request, &note));
    return made.gross;
}

/* The invoice between tier 1 and tier 2 is made of the same lines. */
static enum rc credit_all_in(struct tx *tx, void *arg)
{
    struct wide *x = arg;
    struct ledger *l = x->w.books.l;
    struct document note;
    struct document_row d = the_invoice(tx, x);
    struct document_row between = document_between(tx, x->party[0], x->party[1], DOCUMENT_INVOICE);
    const struct document_row *all[] = {&d, &between};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct document_row made;
        const struct credit_request request = {.id = all[i]->id};
        int64_t before = i == 0 ? credit_named(tx, x, d.id) : 0;
        OK(tx, document_credit(tx, l, &settle_above, &request, &note));
        OK(tx, document_row_find(tx, note.id, &made));
        ck_assert_int_eq(made.line_count, i == 0 ? LINES - 2 : LINES);
        ck_assert_int_eq(made.gross, all[i]->gross - before);
        FAILS(tx, RC_CONFLICT, NULL, document_credit(tx, l, &settle_above, &request, &note));
    }
    producers_have(tx, x, 0);
    ck_assert_int_eq(sum_of(tx, x, SHARE_OF_REFERRAL), 0);
    BALANCE(x->party[TIERS - 1], "EUR", account_of(tx, "AR", x->client), 0);
    BALANCE(x->party[0], "EUR", account_of(tx, "AR", x->party[1]), 0);
    BALANCE(x->party[0], "EUR", STR("Income:VPS"), 0);
    BALANCE(x->client, "EUR", STR("Expense:VPS"), 0);
    return RC_OK;
}

START_TEST(an_invoice_of_20000_lines_is_credited_wholly)
{
    struct wide *x = wide_open(&(struct wide){.settle = SETTLE_CHAIN, .included = _i == 1});
    begin(x);
    ck_assert_int_eq(go_on(x), RC_OK);
    do_it(x, credit_all_in);
    wide_close(x);
}
END_TEST

Suite *wide_suite(void);
Suite *wide_suite(void)
{
    Suite *s = suite_create("wide");
    TCase *t = tcase_create("wide");
    tcase_set_timeout(t, 180);
    tcase_add_test(t, an_invoice_of_20000_lines_down_16_tiers_is_posted_wholly_or_not_at_all);
    tcase_add_test(
        t, so_it_is_where_the_platform_collects_and_the_process_ends_between_two_units_of_work);
    tcase_add_loop_test(t, an_invoice_of_20000_lines_is_credited_wholly, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
