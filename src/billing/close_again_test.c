/* What a close leaves to later ones: invoices that could not be made, income that waits, sellers
 * whose month ends later. */
#include "billing/close_fixture.h"
#include "billing/exchange_rate.h"
#include "billing/wallet.h"

#define AGAIN_TEST(name)                                      \
    static void name##_in(struct close_world *w);             \
    START_TEST(name)                                          \
    {                                                         \
        struct close_world *world = calloc(1, sizeof *world); \
        ASSERT(world != NULL);                                \
        close_world_open(world);                              \
        name##_in(world);                                     \
        close_world_close(world);                             \
        free(world);                                          \
    }                                                         \
    END_TEST                                                  \
    static void name##_in(struct close_world *w)

/* --- invoices that could not be made --- */

/* A buyer elsewhere in the Union that is taxable and has no number: its tax is not known. */
static enum rc break_client_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE party SET country = 'DE', taxable = 1 WHERE id = $1",
                   V(w->client[1]));
}
static enum rc mend_client_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE party SET country = 'FR', taxable = 0 WHERE id = $1",
                   V(w->client[1]));
}

/* How many exceptions of a close have this in their text. */
struct told {
    struct str close;
    const char *text;
    int64_t count;
};
static enum rc told_in(struct tx *tx, void *arg)
{
    struct told *t = arg;
    struct page page;
    struct page_query q = {0};
    TRY(close_exceptions(tx, t->close, &q, &page));
    const struct close_exception *list = page.items.items;
    t->count = 0;
    for (size_t i = 0; i < page.items.count; i++)
        t->count += strstr(arena_cstr(tx->arena, list[i].text), t->text) != NULL;
    return RC_OK;
}
static int64_t told(struct close_world *w, const struct close *c, const char *text)
{
    struct told t = {.close = c->id, .text = text};
    world_write(&w->books.world, told_in, &t, RC_OK);
    return t.count;
}

/* Numbers of an issuer without a gap, whatever became final when. */
static enum rc numbers_in(struct tx *tx, void *arg UNUSED)
{
    return document_verify_numbers(tx);
}

AGAIN_TEST(an_invoice_that_could_not_be_made_is_made_by_the_next_close)
{
    world_write(&w->books.world, break_client_in, w, RC_OK);
    struct close december = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(december.exceptions, 1);
    ck_assert_int_eq(told(w, &december, "no invoice under agr_"), 1);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 0), 0);
    struct close january = run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(january.exceptions, 2); /* its own, and December's again */
    ck_assert_int_eq(told(w, &january, "for 2026-12"), 1);
    world_write(&w->books.world, mend_client_in, w, RC_OK);
    struct close february = run_close(w, "2027-02", MARCH, false, false);
    ck_assert_int_eq(february.exceptions, 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 3), 3 * 14000);
    ck_assert_int_eq(told(w, &january, "billed by the close of 2027-02"), 2);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 3), 9 * 11200);
    world_write(&w->books.world, numbers_in, NULL, RC_OK);
}

AGAIN_TEST(or_by_the_same_close_when_it_is_begun_again)
{
    world_write(&w->books.world, break_client_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    struct close still = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(still.step, CLOSE_DONE);
    ck_assert_int_eq(still.exceptions, 2);
    world_write(&w->books.world, mend_client_in, w, RC_OK);
    struct close done = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(done.step, CLOSE_DONE);
    ck_assert_int_eq(done.exceptions, 2);
    ck_assert_int_eq(told(w, &done, "billed by the close of 2026-12"), 1);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 14000);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 14000);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 3 * 11200);
    struct close again = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(again.documents, done.documents);
    world_write(&w->books.world, numbers_in, NULL, RC_OK);
}

static enum rc break_tier_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE party SET country = 'BR' WHERE id = $1", V(w->r1));
}
static enum rc mend_tier_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE party SET country = 'FR' WHERE id = $1", V(w->r1));
}

AGAIN_TEST(an_invoice_between_tiers_too)
{
    world_write(&w->books.world, break_tier_in, w, RC_OK);
    struct close december = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(december.exceptions, 1);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 0), 0);
    ck_assert_int_eq(invoiced_net(w, w->op, w->r1, 1), 3 * 10000);
    world_write(&w->books.world, mend_tier_in, w, RC_OK);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 2), 6 * 11200);
    ck_assert_int_eq(invoiced_net(w, w->op, w->r1, 2), 6 * 10000);
    world_write(&w->books.world, numbers_in, NULL, RC_OK);
}

/* R2 accounts for its tax in Swiss francs, and nobody said what a euro is in them. */
static enum rc account_in_francs_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    return sql_run(tx, "UPDATE party SET tax_currency = 'CHF' WHERE id = $1", V(w->r2));
}
static enum rc enter_rate_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct exchange_rate made;
    struct exchange_rate fresh = {.from = STR("EUR"),
                                  .to = STR("CHF"),
                                  .rate = STR("0.93"),
                                  .date = STR("2026-12-31"),
                                  .source = STR("SNB")};
    return exchange_rate_create(tx, w->op, &fresh, &made);
}
static enum rc in_francs_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    /* 140.00 with 20 %: 28.00 of tax, 26.04 francs; three of them. */
    BALANCE(w->r2, "EUR", STR("VAT-Out:FR:200000"), 0);
    BALANCE(w->r2, "CHF", STR("VAT-Out:FR:200000"), -3 * 2604);
    BALANCE(w->r2, "CHF", STR("FX:EUR-CHF"), 3 * 2604);
    BALANCE(w->r2, "EUR", STR("FX:EUR-CHF"), -3 * 2800);
    return RC_OK;
}

AGAIN_TEST(without_an_exchange_rate_the_invoice_waits_and_nothing_is_half_done)
{
    world_write(&w->books.world, account_in_francs_in, w, RC_OK);
    struct close december = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(december.exceptions, 3);
    ck_assert_int_eq(told(w, &december, "what EUR is in CHF, in which the seller accounts for"), 3);
    ck_assert_int_eq(told(w, &december, "an exchange rate is missing"), 3);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 0), 0);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->r2, 1), 3 * 11200); /* another seller's */
    world_write(&w->books.world, enter_rate_in, w, RC_OK);
    struct close again = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(told(w, &again, "billed by the close of 2026-12"), 3);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 1), 14000);
    world_write(&w->books.world, in_francs_in, w, RC_OK);
    world_write(&w->books.world, numbers_in, NULL, RC_OK);
}

/* What a coupon took of lines that were not billed, it takes when they are, and once. */
static enum rc give_coupon_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct coupon coupon;
    struct coupon half = {
        .code = STR("HALF"), .client = w->client[1], .percent = STR("50"), .times = 1};
    return coupon_create(tx, w->r2, &half, &coupon);
}

AGAIN_TEST(a_coupon_is_taken_once_when_the_invoice_is_made_at_last)
{
    world_write(&w->books.world, give_coupon_in, w, RC_OK);
    world_write(&w->books.world, break_client_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    world_write(&w->books.world, mend_client_in, w, RC_OK);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[1], 2), 7000 + 14000);
}

/* --- invoices of nothing --- */

static enum rc add_unused_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct plan p;
    struct charge charge = {.label = STR("Traffic"),
                            .kind = CHARGE_PER_UNIT,
                            .meter = STR("traffic"),
                            .price = STR("0.01"),
                            .set = field_bit("label") | field_bit("kind") | field_bit("meter") |
                                   field_bit("price")};
    struct plan fresh = {.item = STR("vm"),
                         .code = STR("pay-as-you-go"),
                         .name = STR("Pay as you go"),
                         .currency = STR("EUR"),
                         .charges = {&charge, 1}};
    OK(tx, plan_create(tx, &fresh, &p));
    w->client[0] = keep(w, books_party(tx, "Sparing", "FR", false));
    struct str supply = make_supply(tx, w->r2, w->client[0], w->supply_r2, w->book2);
    w->subscription[0] = keep(w, make_subscription(tx, supply, p.id, "1", 0));
    return RC_OK;
}

/* 0.010 units at 0.01 round to 0.00 for everybody: a line, and no invoice. */
AGAIN_TEST(what_is_nothing_to_anybody_takes_no_number)
{
    world_write(&w->books.world, add_unused_in, w, RC_OK);
    use_traffic(w, 0, DECEMBER, 10);
    struct close c = run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(c.lines, CLOSE_CLIENTS + 1);
    ck_assert_int_eq(c.documents, CLOSE_CLIENTS + 2);
    ck_assert_int_eq(c.exceptions, 0);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 0), 0);
    use_traffic(w, 0, JANUARY, 100000);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 140);
    world_write(&w->books.world, numbers_in, NULL, RC_OK);
}

static enum rc make_free_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct str plan = make_vm_plan(tx, "vm-free", false, true);
    w->client[0] = keep(w, books_party(tx, "Member", "FR", false));
    struct str supply = make_supply(tx, w->r2, w->client[0], w->supply_r2, w->book2);
    (void)make_subscription(tx, supply, plan, "1", 0);
    return RC_OK;
}

AGAIN_TEST(lines_that_add_up_to_nothing_are_an_invoice)
{
    world_write(&w->books.world, make_free_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r2, w->client[0], 1), 0);
}

/* --- paid in advance --- */

static enum rc add_ahead_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct str plan = make_vm_plan(tx, "vm-ahead", true, false);
    w->client[0] = keep(w, books_party(tx, "Ahead", "FR", false));
    struct str supply = make_supply(tx, w->r2, w->client[0], w->supply_r2, w->book2);
    w->subscription[0] = keep(w, make_subscription(tx, supply, plan, "1", 0));
    return RC_OK;
}
/* 50.00, 56.00 and 70.00 of January wait at each tier; those of December are earned, beside the
 * 300.00, 336.00, 420.00 of the others. */
static enum rc ahead_waits_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    BALANCE(w->op, "EUR", STR("Deferred"), -5000);
    BALANCE(w->r1, "EUR", STR("Deferred"), -5600);
    BALANCE(w->r2, "EUR", STR("Deferred"), -7000);
    BALANCE(w->op, "EUR", STR("Income:VPS"), -3 * 10000 - 5000);
    return RC_OK;
}
static enum rc ahead_earned_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    BALANCE(w->op, "EUR", STR("Deferred"), -5000); /* February's */
    BALANCE(w->r1, "EUR", STR("Deferred"), -5600);
    BALANCE(w->r2, "EUR", STR("Deferred"), -7000);
    BALANCE(w->op, "EUR", STR("Income:VPS"), -6 * 10000 - 2 * 5000);
    BALANCE(w->r1, "EUR", STR("Income:VPS"), -6 * 11200 - 2 * 5600);
    BALANCE(w->r2, "EUR", STR("Income:VPS"), -6 * 14000 - 2 * 7000);
    return RC_OK;
}
static enum rc ahead_credited_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct ledger *l = w->books.l;
    struct rows rows;
    struct document credit;
    TRY(sql_rows(tx, &rows,
                 "SELECT id FROM document WHERE issuer = $1 AND recipient = $2 ORDER BY no LIMIT 1",
                 V(w->op), V(w->r1)));
    struct credit_request all = {.id = row_str(&rows, 0, 0)};
    OK(tx, document_credit(tx, l, NULL, &all, &credit));
    BALANCE(w->op, "EUR", STR("Deferred"), 0);
    BALANCE(w->op, "EUR", STR("Income:VPS"), 0);
    return RC_OK;
}

AGAIN_TEST(income_paid_in_advance_waits_at_every_tier_and_is_earned_with_time)
{
    world_write(&w->books.world, add_ahead_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    world_write(&w->books.world, ahead_waits_in, w, RC_OK);
    (void)run_close(w, "2027-01", FEBRUARY, false, false);
    world_write(&w->books.world, ahead_earned_in, w, RC_OK);
}

AGAIN_TEST(an_invoice_between_tiers_with_an_advance_charge_can_be_credited)
{
    world_write(&w->books.world, add_ahead_in, w, RC_OK);
    (void)run_close(w, "2026-12", JANUARY, false, false);
    world_write(&w->books.world, ahead_credited_in, w, RC_OK);
}

/* --- months that end elsewhere later --- */

/* A seller in New York: its December ends six hours after that of Paris. */
static enum rc add_west_in(struct tx *tx, void *arg)
{
    struct close_world *w = arg;
    struct rows rows;
    struct str west = books_party(tx, "West", "FR", true);
    OK(tx, sql_run(tx, "UPDATE party SET time_zone = 'America/New_York' WHERE id = $1", V(west)));
    struct str up = make_supply(tx, w->op, west, STR(""), STR(""));
    w->client[0] = keep(w, books_party(tx, "New Yorker", "FR", false));
    struct str supply = make_supply(tx, west, w->client[0], up, STR(""));
    OK(tx, sql_rows(tx, &rows, "SELECT id FROM plan ORDER BY id LIMIT 1"));
    w->subscription[0] = keep(
        w, make_subscription(tx, supply, row_str(&rows, 0, 0), "1", DECEMBER + US_PER_DAY / 4));
    w->r1 = keep(w, west);
    return RC_OK;
}

AGAIN_TEST(a_seller_whose_month_ends_later_is_billed_in_the_close_of_that_month)
{
    struct closing c = {.period = "2026-12", .keep = &w->kept};
    time_us hours = 6 * US_PER_HOUR;
    world_write(&w->books.world, add_west_in, w, RC_OK);
    /* Used in the last hour of December there, January in Paris. */
    use_traffic(w, 0, JANUARY + hours - US_PER_HOUR, 100000);
    use_traffic(w, 0, JANUARY + hours, 700000);
    w->books.world.clock.at = JANUARY + hours - 1;
    world_write(&w->books.world, begin_close_in, &c, RC_CONFLICT);
    struct close december = run_close(w, "2026-12", JANUARY + hours, false, false);
    ck_assert_int_eq(december.exceptions, 0);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->client[0], 1), 5000 + 100);
    /* Late, of December there. */
    use_traffic(w, 0, JANUARY + hours - US_PER_MINUTE, 200000);
    (void)run_close(w, "2027-01", FEBRUARY + hours, false, false);
    ck_assert_int_eq(invoiced_net(w, w->r1, w->client[0], 2), 10000 + 100 + 700 + 200);
}

Suite *close_again_suite(void);
Suite *close_again_suite(void)
{
    Suite *s = suite_create("close_again");
    TCase *t = tcase_create("close_again");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, an_invoice_that_could_not_be_made_is_made_by_the_next_close);
    tcase_add_test(t, or_by_the_same_close_when_it_is_begun_again);
    tcase_add_test(t, an_invoice_between_tiers_too);
    tcase_add_test(t, without_an_exchange_rate_the_invoice_waits_and_nothing_is_half_done);
    tcase_add_test(t, a_coupon_is_taken_once_when_the_invoice_is_made_at_last);
    tcase_add_test(t, what_is_nothing_to_anybody_takes_no_number);
    tcase_add_test(t, lines_that_add_up_to_nothing_are_an_invoice);
    tcase_add_test(t, income_paid_in_advance_waits_at_every_tier_and_is_earned_with_time);
    tcase_add_test(t, an_invoice_between_tiers_with_an_advance_charge_can_be_credited);
    tcase_add_test(t, a_seller_whose_month_ends_later_is_billed_in_the_close_of_that_month);
    suite_add_tcase(s, t);
    return s;
}
