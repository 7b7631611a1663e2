/*
 * border_test.c - the instants between two months, in the zones of who sells, and those in which
 * things begin and end.
 */
#include "settle/settle_fixture.h"

/* 2025-07-01 and 2025-08-01 00:00 in Paris; Romania's rate rose from 19 % to 21 % on 2025-08-01. */
#define JULY   INT64_C(1751320800000000)
#define AUGUST INT64_C(1753999200000000)
#define HOUR   US_PER_HOUR

struct border {
    struct close_world w;
    struct str op, seller, client;
    struct str supply, other_supply, plan;
    struct str subscription;
    bool advance;
    time_us starts;
    int64_t exceptions;
};

static void border_open(struct border *b, tx_fn define, time_us at)
{
    *b = (struct border){.advance = b->advance, .starts = b->starts};
    settle_world_open(&b->w);
    b->w.books.world.clock.at = at;
    world_write(&b->w.books.world, define, b, RC_OK);
}

static struct border *border_new(void)
{
    struct border *b = calloc(1, sizeof *b);
    ASSERT(b != NULL);
    return b;
}

static void border_close(struct border *b)
{
    settle_world_close(&b->w);
    free(b);
}

/* To its end; how many exceptions there were. */
static int64_t close_month(struct border *b, const char *period, time_us at)
{
    return settle_close_any(&b->w, period, at).exceptions;
}

static struct str party_in(struct tx *tx, struct border *b, const char *name, const char *country,
                           const char *zone)
{
    struct party made;
    struct party operator;
    struct tax_id id = {.scheme = STR("vat"), .value = STR("RO18547290")};
    OK(tx, party_operator(tx, &operator));
    struct party fresh = {.name = str_c(name),
                          .address = {.country = str_c(country)},
                          .currency = STR("EUR"),
                          .time_zone = str_c(zone),
                          .language = STR("en"),
                          .tax_ids = {&id, 1},
                          .taxable = true};
    OK(tx, party_create(tx, &fresh, operator.id, &made));
    return keep(&b->w, made.id);
}

/* --- where the seller is --- */

static enum rc romania_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct close_world *w = &b->w;
    b->op = w->op = keep(w, books_party(tx, "Op", "FR", true));
    OK(tx, permission_seed(tx));
    b->seller = party_in(tx, b, "Seller", "RO", "Europe/Bucharest");
    b->client = party_in(tx, b, "Client", "RO", "Europe/Bucharest");
    struct str plan = make_flat(tx, b->op, "vm", "VPS", "50.00", "EUR");
    struct str up = make_supply(tx, b->op, b->seller, STR(""), STR(""));
    b->supply = make_supply(tx, b->seller, b->client, up, STR(""));
    (void)make_subscription(tx, b->supply, plan, "1", 0);
    return RC_OK;
}

static enum rc july_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct document_row d = document_between(tx, b->seller, b->client, DOCUMENT_INVOICE);
    ck_assert_int_eq(d.period_begin, JULY - HOUR); /* an hour before Paris */
    ck_assert_int_eq(d.period_end, AUGUST - HOUR);
    ck_assert_uint_eq(d.group_count, 1);
    ck_assert_int_eq(d.groups[0].group.rate_ppm, 190000); /* of July, though it is August there */
    ck_assert_int_eq(d.net, 5000);
    d = document_between(tx, b->op, b->seller, DOCUMENT_INVOICE);
    ck_assert_int_eq(d.period_begin, JULY);
    ck_assert_int_eq(d.period_end, AUGUST);
    return RC_OK;
}

START_TEST(a_month_and_its_tax_are_those_of_where_the_seller_is)
{
    struct border *b = border_new();
    border_open(b, romania_in, JULY - HOUR);
    ck_assert_int_eq(close_month(b, "2025-07", AUGUST), 0);
    world_write(&b->w.books.world, july_in, b, RC_OK);
    border_close(b);
}
END_TEST

/* --- begin and end --- */

static enum rc one_client_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct close_world *w = &b->w;
    b->op = w->op = keep(w, books_party(tx, "Op", "FR", true));
    b->client = keep(w, books_party(tx, "Client", "FR", false));
    OK(tx, permission_seed(tx));
    (void)make_vm_item(tx, b->op);
    b->plan = keep(w, make_vm_plan(tx, "vm-monthly", b->advance, false));
    b->supply = keep(w, make_supply(tx, b->op, b->client, STR(""), STR("")));
    b->other_supply = keep(w, make_supply(tx, b->op, b->client, STR(""), STR("")));
    b->subscription = keep(w, make_subscription(tx, b->supply, b->plan, "1", b->starts));
    return RC_OK;
}

static enum rc end_now_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct subscription ended;
    return subscription_end(tx, b->subscription, 0, &ended);
}

static void check_net(struct border *b, int64_t count, int64_t net)
{
    ck_assert_int_eq(invoiced_net(&b->w, b->op, b->client, count), net);
}

START_TEST(what_ends_in_the_instant_from_which_it_was_billed_ahead_is_given_back_whole)
{
    struct border *b = border_new();
    b->advance = true;
    border_open(b, one_client_in, DECEMBER);
    ck_assert_int_eq(close_month(b, "2026-12", JANUARY), 0);
    check_net(b, 1, 10000); /* December, and January ahead */
    world_write(&b->w.books.world, end_now_in, b, RC_OK);
    ck_assert_int_eq(close_month(b, "2027-01", FEBRUARY), 0);
    check_net(b, 2, 5000);
    ck_assert_int_eq(close_month(b, "2027-02", MARCH), 0); /* and once */
    check_net(b, 2, 5000);
    border_close(b);
}
END_TEST

START_TEST(what_ends_in_the_instant_in_which_it_began_costs_nothing)
{
    struct border *b = border_new();
    b->starts = DECEMBER + US_PER_DAY;
    border_open(b, one_client_in, DECEMBER);
    world_write(&b->w.books.world, end_now_in, b, RC_OK); /* before it began */
    ck_assert_int_eq(close_month(b, "2026-12", JANUARY), 0);
    check_net(b, 0, 0);
    border_close(b);
}
END_TEST

START_TEST(what_ends_on_the_day_on_which_it_began_costs_its_hours)
{
    struct border *b = border_new();
    border_open(b, one_client_in, DECEMBER);
    b->w.books.world.clock.at += 12 * HOUR;
    world_write(&b->w.books.world, end_now_in, b, RC_OK);
    ck_assert_int_eq(close_month(b, "2026-12", JANUARY), 0);
    check_net(b, 1, 81); /* R(50.00 x 12 / 744) */
    border_close(b);
}
END_TEST

static enum rc move_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct subscription s;
    struct subscription patch = {.set = UINT64_C(1)
                                        << schema_find(&subscription_schema, STR("agreement")),
                                 .agreement = b->other_supply};
    return subscription_change(tx, b->subscription, 0, 0, &patch, &s);
}

/* By one agreement in the morning, by the other one from noon on: two invoices, one month. */
START_TEST(two_agreements_on_one_day_are_two_invoices_of_one_price)
{
    struct border *b = border_new();
    border_open(b, one_client_in, DECEMBER);
    b->w.books.world.clock.at += 12 * HOUR;
    world_write(&b->w.books.world, move_in, b, RC_OK);
    ck_assert_int_eq(close_month(b, "2026-12", JANUARY), 0);
    check_net(b, 2, 5000);
    border_close(b);
}
END_TEST

/* --- a credit note of a credit note --- */

static enum rc credit_twice_in(struct tx *tx, void *arg)
{
    struct border *b = arg;
    struct document made;
    struct ledger *l = b->w.books.l;
    struct document_row d = document_between(tx, b->op, b->client, DOCUMENT_INVOICE);
    struct credit_request request = {.id = d.id};
    OK(tx, document_credit(tx, l, &settle_above, &request, &made));
    FAILS(tx, RC_CONFLICT, NULL, document_credit(tx, l, &settle_above, &request, &made));
    d = document_between(tx, b->op, b->client, DOCUMENT_CREDIT_NOTE);
    request.id = d.id;
    FAILS(tx, RC_CONFLICT, NULL, document_credit(tx, l, &settle_above, &request, &made));
    ALL_ZERO();
    return RC_OK;
}

START_TEST(what_was_credited_is_not_credited_again_nor_is_the_credit_note)
{
    struct border *b = border_new();
    border_open(b, one_client_in, DECEMBER);
    ck_assert_int_eq(close_month(b, "2026-12", JANUARY), 0);
    world_write(&b->w.books.world, credit_twice_in, b, RC_OK);
    border_close(b);
}
END_TEST

Suite *border_suite(void);
Suite *border_suite(void)
{
    Suite *s = suite_create("border");
    TCase *t = tcase_create("border");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_month_and_its_tax_are_those_of_where_the_seller_is);
    tcase_add_test(t, what_ends_in_the_instant_from_which_it_was_billed_ahead_is_given_back_whole);
    tcase_add_test(t, what_ends_in_the_instant_in_which_it_began_costs_nothing);
    tcase_add_test(t, what_ends_on_the_day_on_which_it_began_costs_its_hours);
    tcase_add_test(t, two_agreements_on_one_day_are_two_invoices_of_one_price);
    tcase_add_test(t, what_was_credited_is_not_credited_again_nor_is_the_credit_note);
    suite_add_tcase(s, t);
    return s;
}
