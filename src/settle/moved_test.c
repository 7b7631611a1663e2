/*
 * moved_test.c - specs/billing.md 3.8: a family of picos, paid for a year, goes to another host in
 * the middle of it, and the hosts settle between themselves what the owner has paid.
 */
#include "billing/deferral.h"
#include "money/amount.h"
#include "settle/settle_fixture.h"

enum { MONTHS_BEFORE = 6 };
/* 2027-07-02 12:00: half of 31,536,000 seconds are over. */
#define HALF_A_YEAR (JANUARY + INT64_C(15768000) * US_PER_SECOND)
#define YEAR_END    (JANUARY + INT64_C(31536000) * US_PER_SECOND)

struct moved_world {
    struct close_world w;
    const char *currency;
    const char *country;
    enum settle_mode settle;
    bool other_lines; /* the old host bills more than it gives back */
    struct str op, host_a, host_b, owner;
    struct str by_a, by_b;
    struct str family;
};

static struct str sells(struct tx *tx, const struct moved_world *m, struct str from, struct str to,
                        struct str upstream)
{
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY,
                              .from = from,
                              .to = to,
                              .terms = {.upstream = upstream,
                                        .settle = upstream.n > 0 ? m->settle : SETTLE_CHAIN,
                                        .currency = str_c(m->currency),
                                        .payment_days = 30}};
    return make_agreement(tx, &fresh);
}

static struct str family_plan(struct tx *tx, const struct moved_world *m)
{
    struct item i;
    struct plan p;
    struct item item = {.code = STR("family"),
                        .name = STR("Family"),
                        .category = STR("pico"),
                        .unit = STR("ANN"),
                        .income = STR("Picos")};
    struct charge charge = {
        .label = STR("Family"), .kind = CHARGE_FLAT, .price = STR("90.00"), .advance = 1};
    charge.set = field_bit("label") | field_bit("kind") | field_bit("price") | field_bit("advance");
    struct plan plan = {.set = UINT64_C(1) << schema_find(&plan_schema, STR("period")),
                        .item = item.code,
                        .code = STR("family"),
                        .name = STR("Family"),
                        .currency = str_c(m->currency),
                        .period = PLAN_YEAR,
                        .charges = {&charge, 1}};
    OK(tx, item_create(tx, m->op, &item, &i));
    OK(tx, plan_create(tx, &plan, &p));
    return p.id;
}

static enum rc define(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct close_world *w = &m->w;
    m->op = w->op = keep(w, books_party(tx, "Op", m->country, true));
    OK(tx, permission_seed(tx));
    m->host_a = keep(w, books_party(tx, "HostA", m->country, true));
    m->host_b = keep(w, books_party(tx, "HostB", m->country, true));
    m->owner = keep(w, books_party(tx, "Owner", m->country, false));
    set_bank(tx, m->host_b, "FR1420041010050500013M02606");
    m->by_a = keep(w, sells(tx, m, m->host_a, m->owner, sells(tx, m, m->op, m->host_a, STR(""))));
    m->by_b = keep(w, sells(tx, m, m->host_b, m->owner, sells(tx, m, m->op, m->host_b, STR(""))));
    m->family = keep(w, make_subscription(tx, m->by_a, family_plan(tx, m), "1", 0));
    if (m->other_lines) {
        struct str plan = make_flat(tx, m->op, "vm", "VPS", "50.00", m->currency);
        (void)make_subscription(tx, m->by_a, plan, "1", 0);
    }
    return RC_OK;
}

static enum rc pays_the_year(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct document_row d = document_between(tx, m->host_a, m->owner, DOCUMENT_INVOICE);
    struct str gross = amount_str(d.gross, d.currency, tx->arena);
    (void)book_payment(tx, m->w.books.l,
                       m->settle == SETTLE_COLLECT || m->settle == SETTLE_CHAIN ? m->op : m->host_a,
                       d.id, arena_cstr(tx->arena, gross), m->currency, "year");
    return RC_OK;
}

static enum rc moves(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct subscription s;
    struct subscription patch = {.set = UINT64_C(1)
                                        << schema_find(&subscription_schema, STR("agreement")),
                                 .agreement = m->by_b};
    return subscription_change(tx, m->family, 0, 0, &patch, &s);
}

static time_us month_after(int months)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    time_us at = JANUARY;
    for (int i = 0; i < months; i++)
        at += days[i] * US_PER_DAY;
    return at;
}

static void close_month(struct moved_world *m, int month)
{
    char period[16];
    (void)snprintf(period, sizeof period, "2027-%02d", month);
    arena_reset(&m->w.books.world.fixture.arena);
    (void)settle_close(&m->w, period, month_after(month));
}

/* To the end of the month of the move. */
static struct moved_world *open_moved(const struct moved_world *wanted)
{
    struct moved_world *m = calloc(1, sizeof *m);
    ASSERT(m != NULL);
    *m = *wanted;
    struct close_world kept = {0};
    m->w = kept;
    settle_world_open(&m->w);
    struct world *world = &m->w.books.world;
    world->clock.at = JANUARY;
    world_write(world, define, m, RC_OK);
    for (int month = 1; month <= MONTHS_BEFORE; month++) {
        close_month(m, month);
        if (month == 1)
            world_write(world, pays_the_year, m, RC_OK);
    }
    world->clock.at = HALF_A_YEAR;
    world_write(world, moves, m, RC_OK);
    close_month(m, MONTHS_BEFORE + 1);
    return m;
}

static void close_moved(struct moved_world *m)
{
    settle_world_close(&m->w);
    free(m);
}

/* --- the specification's case --- */

/* Host A: Deferred 45.00 / AP:HostB 45.00; host B: AR:HostA 45.00 / Deferred 45.00; and July's 29.5
 * of 182.5 days, in Paris an hour less, are earned by B. */
static enum rc as_specified(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    struct document_row d = document_between(tx, m->host_a, m->owner, DOCUMENT_CREDIT_NOTE);
    ck_assert_int_eq(d.gross, 4500);
    ck_assert_int_eq(document_open(&d), 0);
    d = document_between(tx, m->host_b, m->owner, DOCUMENT_INVOICE);
    ck_assert_int_eq(d.gross, 4500);
    ck_assert_int_eq(d.state, DOCUMENT_PAID);
    BALANCE(m->host_a, "USD", STR("Income:Picos"), -4500);
    BALANCE(m->host_a, "USD", STR("Deferred"), 0);
    BALANCE(m->host_a, "USD", account_of(tx, "AP", m->host_b), -4500);
    BALANCE(m->host_a, "USD", account_of(tx, "AR", m->owner), 0);
    BALANCE(m->host_b, "USD", account_of(tx, "AR", m->host_a), 4500);
    BALANCE(m->host_b, "USD", account_of(tx, "AR", m->owner), 0);
    BALANCE(m->host_b, "USD", STR("Deferred"), -4500 + 726);
    BALANCE(m->host_b, "USD", STR("Income:Picos"), -726);
    BALANCE(m->owner, "USD", account_of(tx, "AP", m->host_a), 0);
    BALANCE(m->owner, "USD", account_of(tx, "AP", m->host_b), 0);
    BALANCE(m->owner, "USD", STR("Bank"), -9000);
    return settle_verify_in(tx, &m->w);
}

/* Host A's run pays host B. */
static enum rc hosts_settle(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    struct settlement run;
    struct page page;
    struct payout out;
    OK(tx, settlement_run(tx, l, m->host_a, STR("2027-07"), 0, &run));
    ck_assert_int_eq(run.payouts, 1);
    SAME(run.amount, STR("45.00 USD"));
    OK(tx, payout_list(tx, m->host_a, &(struct page_query){0}, &page));
    struct str id = ((const struct payout *)page.items.items)->id;
    OK(tx, payout_approve(tx, id, STR("usr_a"), &out));
    OK(tx, payout_release(tx, l, id, STR("usr_b"), &out));
    BALANCE(m->host_a, "USD", account_of(tx, "AP", m->host_b), 0);
    BALANCE(m->host_b, "USD", STR("Bank"), 4500);
    OK(tx, settlement_run(tx, l, m->host_a, STR("again"), 0, &run));
    ck_assert_int_eq(run.payouts, 0);
    return settle_verify_in(tx, &m->w);
}

/* At the end of the year each has earned its half. */
static enum rc year_over(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    bool done = false;
    OK(tx, deferral_recognise(tx, l, &(struct deferral_span){YEAR_END, 1000, NULL}, &done));
    BALANCE(m->host_a, "USD", STR("Income:Picos"), -4500);
    BALANCE(m->host_b, "USD", STR("Income:Picos"), -4500);
    BALANCE(m->host_b, "USD", STR("Deferred"), 0);
    return RC_OK;
}

START_TEST(hosts_settle_a_family_that_moves_and_its_owner_pays_nothing_twice)
{
    const struct moved_world wanted = {.currency = "USD", .country = "US", .settle = SETTLE_DIRECT};
    struct moved_world *m = open_moved(&wanted);
    struct world *world = &m->w.books.world;
    world_write(world, as_specified, m, RC_OK);
    world_write(world, hosts_settle, m, RC_OK);
    world_write(world, year_over, m, RC_OK);
    close_moved(m);
}
END_TEST

/* --- with tax --- */

/* 20 % on both sides: 54.00 go over. */
static enum rc taxed(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    BALANCE(m->host_a, "EUR", account_of(tx, "AP", m->host_b), -5400);
    BALANCE(m->host_b, "EUR", account_of(tx, "AR", m->host_a), 5400);
    BALANCE(m->owner, "EUR", account_of(tx, "AP", m->host_a), 0);
    BALANCE(m->owner, "EUR", account_of(tx, "AP", m->host_b), 0);
    return settle_verify_in(tx, &m->w);
}

START_TEST(what_is_handed_over_has_its_tax)
{
    const struct moved_world wanted = {.currency = "EUR", .country = "FR", .settle = SETTLE_DIRECT};
    struct moved_world *m = open_moved(&wanted);
    world_write(&m->w.books.world, taxed, m, RC_OK);
    close_moved(m);
}
END_TEST

/* --- what is not handed over --- */

/* July's 50.00 are more than the 45.00 that came back: they were paid with it. */
static enum rc set_off(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    struct document_row d = document_between(tx, m->host_a, m->owner, DOCUMENT_INVOICE);
    ck_assert_int_eq(d.gross, 500);
    d = document_between(tx, m->host_b, m->owner, DOCUMENT_INVOICE);
    ck_assert_int_eq(document_open(&d), 4500);
    BALANCE(m->host_a, "USD", account_of(tx, "AP", m->host_b), 0);
    BALANCE(m->host_b, "USD", account_of(tx, "AR", m->owner), 4500);
    return settle_verify_in(tx, &m->w);
}

START_TEST(what_paid_other_lines_of_the_old_host_is_not_handed_over)
{
    const struct moved_world wanted = {
        .currency = "USD", .country = "US", .settle = SETTLE_DIRECT, .other_lines = true};
    struct moved_world *m = open_moved(&wanted);
    world_write(&m->w.books.world, set_off, m, RC_OK);
    close_moved(m);
}
END_TEST

/* The neutral book has the owner's 90.00, owes each host its own, and the owner nothing. */
static enum rc collected(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    BALANCE(POSTING_CLEARING, "USD", account_of(tx, "AR", m->owner), 0);
    BALANCE(m->host_a, "USD", account_of(tx, "AP", m->host_b), 0);
    return settle_verify_in(tx, &m->w);
}

START_TEST(where_the_platform_collects_its_book_has_settled_it)
{
    const struct moved_world wanted = {
        .currency = "USD", .country = "US", .settle = SETTLE_COLLECT};
    struct moved_world *m = open_moved(&wanted);
    world_write(&m->w.books.world, collected, m, RC_OK);
    close_moved(m);
}
END_TEST

/* --- a book that cannot take it --- */

static void set_closed(struct tx *tx, struct moved_world *m, bool closed)
{
    account_id account = 0;
    OK(tx, ledger_find(tx, m->w.books.l, m->host_a, STR("USD"), STR("Income:Picos"), &account));
    OK(tx, ledger_set_closed(tx, m->w.books.l, account, closed));
}

static enum rc shuts_in(struct tx *tx, void *arg)
{
    set_closed(tx, arg, true);
    return RC_OK;
}

static enum rc opens_in(struct tx *tx, void *arg)
{
    set_closed(tx, arg, false);
    return RC_OK;
}

static enum rc also_at_b(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM plan WHERE code = 'family'"));
    (void)make_subscription(tx, m->by_b, row_str(&rows, 0, 0), "1", 0);
    return RC_OK;
}

/* R(90.00 x 59 / 365) less January's R(90.00 x 31 / 365) waits at A. */
static enum rc b_goes_on(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct ledger *l = m->w.books.l;
    BALANCE(m->host_a, "USD", STR("Income:Picos"), -764);
    BALANCE(m->host_b, "USD", STR("Income:Picos"), -1455);
    return RC_OK;
}

static enum rc both_caught_up(struct tx *tx, void *arg)
{
    struct moved_world *m = arg;
    struct rows rows;
    struct ledger *l = m->w.books.l;
    int64_t earned = books_balance_of(tx, l, m->host_b, "USD", STR("Income:Picos"));
    BALANCE(m->host_a, "USD", STR("Income:Picos"), earned);
    OK(tx, sql_rows(tx, &rows, "SELECT what FROM close_stuck ORDER BY what"));
    ck_assert_uint_eq(rows.count, 0);
    return RC_OK;
}

static int64_t close_whatever(struct moved_world *m, const char *period, time_us at)
{
    return settle_close_any(&m->w, period, at).exceptions;
}

START_TEST(income_that_one_book_cannot_take_keeps_no_other_waiting)
{
    struct moved_world *m = calloc(1, sizeof *m);
    ASSERT(m != NULL);
    *m = (struct moved_world){.currency = "USD", .country = "US", .settle = SETTLE_DIRECT};
    settle_world_open(&m->w);
    struct world *world = &m->w.books.world;
    world->clock.at = JANUARY;
    world_write(world, define, m, RC_OK);
    world_write(world, also_at_b, m, RC_OK);
    close_month(m, 1);
    world_write(world, shuts_in, m, RC_OK);
    ck_assert_int_eq(close_whatever(m, "2027-02", month_after(2)), 1);
    world_write(world, b_goes_on, m, RC_OK);
    world_write(world, opens_in, m, RC_OK);
    close_month(m, 3);
    world_write(world, both_caught_up, m, RC_OK);
    close_moved(m);
}
END_TEST

Suite *moved_suite(void);
Suite *moved_suite(void)
{
    Suite *s = suite_create("moved");
    TCase *t = tcase_create("moved");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, hosts_settle_a_family_that_moves_and_its_owner_pays_nothing_twice);
    tcase_add_test(t, what_is_handed_over_has_its_tax);
    tcase_add_test(t, what_paid_other_lines_of_the_old_host_is_not_handed_over);
    tcase_add_test(t, where_the_platform_collects_its_book_has_settled_it);
    tcase_add_test(t, income_that_one_book_cannot_take_keeps_no_other_waiting);
    suite_add_tcase(s, t);
    return s;
}
