#include "billing/rate.h"

#include "billing/books_fixture.h"
#include "catalog/catalog_fixture.h"

enum { TIERS = 2, CHILDREN = 12, INSTALMENTS = 3 };

/* Op sells to R (at list price), R to the client (+12 %). */
struct shop {
    struct str op;
    struct str supply;
};

static struct shop open_shop(struct tx *tx)
{
    struct shop s = {.op = books_party(tx, "Op", "FR", true)};
    struct str r = books_party(tx, "R", "FR", true);
    struct str client = books_party(tx, "C", "FR", false);
    struct str book = make_book(tx, r, "public");
    make_entry(tx, book, "", ENTRY_MUL, "112");
    struct str up = make_supply(tx, s.op, r, STR(""), STR(""));
    s.supply = make_supply(tx, r, client, up, book);
    return s;
}

static struct str subscribe(struct tx *tx, const struct shop *s, const char *item,
                            struct charge *charges, size_t count)
{
    struct plan p = make_plan(tx, s->op, item, PLAN_MONTH, charges, count);
    return make_subscription(tx, s->supply, p.id, "1").id;
}

/* The month so many after the one it begins in, whole from the first on. */
static struct window month_of(struct tx *tx, const struct subscription_facts *f, int months)
{
    struct window w = {0};
    time_us at = f->start;
    for (int i = 0; i <= months; i++) {
        OK(tx, subscription_window(f, at, &w, tx->err));
        at = w.until;
    }
    return w;
}

static struct rated_line *rate(struct tx *tx, const struct rate_request *q, size_t *ret_count)
{
    struct rated_line *lines = NULL;
    OK(tx, rate_window(rater_new(tx), q, &lines, ret_count));
    return lines;
}

static void check_line(const struct rated_line *l, const char *label, int64_t at_op, int64_t at_r)
{
    SAME(l->label, str_c(label));
    ck_assert_uint_eq(l->path->count, TIERS);
    ck_assert_int_eq(l->amounts[0], at_op);
    ck_assert_int_eq(l->amounts[1], at_r);
    ck_assert_int_eq(l->list_amount, at_op);
}

/* --- minimum --- */

static struct str subscribe_minimum(struct tx *tx, const struct shop *s)
{
    struct charge charges[] = {
        {.label = STR("Traffic"),
         .kind = CHARGE_PER_UNIT,
         .meter = STR("traffic"),
         .price = STR("0.01")},
        {.label = STR("Minimum"), .kind = CHARGE_MINIMUM, .minimum = STR("31")}};
    (void)make_meter(tx, s->op, "traffic", METER_SUM);
    return subscribe(tx, s, "vm", charges, COUNT(charges));
}

/* 1,000 units are 10.00, and 21.00 are missing; down the path usage and minimum grow alike. */
BOOKS_TEST(a_minimum_bills_what_usage_falls_short_at_every_tier)
{
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    size_t count = 0;
    OK(tx, subscription_facts(tx, subscribe_minimum(tx, &s), &f));
    struct rate_request q = {.facts = &f, .window = month_of(tx, &f, 1), .total_count = 1};
    struct total used = {.meter = 1, .from = q.window.from, .quantity = {1000000, 3}};
    q.totals = &used;
    struct rated_line *lines = rate(tx, &q, &count);
    ck_assert_uint_eq(count, 2);
    check_line(&lines[0], "Traffic", 1000, 1120);
    check_line(&lines[1], "Minimum", 2100, 2352);
    used.quantity.mantissa = 3100000; /* just reached */
    lines = rate(tx, &q, &count);
    ck_assert_uint_eq(count, 1);
    check_line(&lines[0], "Traffic", 3100, 3472);
    q.total_count = 0; /* nothing used */
    lines = rate(tx, &q, &count);
    check_line(&lines[count - 1], "Minimum", 3100, 3472);
}

/* 40.00 at last instead of 10.00: 30.00 more of traffic, and the 21.00 are given back. */
BOOKS_TEST(late_usage_takes_back_what_the_minimum_had_filled_up)
{
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    size_t count = 0;
    OK(tx, subscription_facts(tx, subscribe_minimum(tx, &s), &f));
    struct rate_request q = {
        .facts = &f, .window = month_of(tx, &f, 1), .total_count = 1, .late_count = 1};
    struct total used = {.meter = 1, .from = q.window.from, .quantity = {4000000, 3}};
    struct late late = {
        .meter = 1, .from = q.window.from, .billed = {1000000, 3}, .now = {4000000, 3}};
    q.totals = &used;
    q.late = &late;
    struct rated_line *lines = rate(tx, &q, &count);
    ck_assert_uint_eq(count, 2);
    check_line(&lines[0], "Traffic", 3000, 3360);
    check_line(&lines[1], "Minimum", -2100, -2352);
    ck_assert(lines[1].late);
}

/* --- instalments --- */

/* 100.00 in three: 33.33, 33.34, 33.33; 112.00: 37.33, 37.34, 37.33. Then nothing any more. */
BOOKS_TEST(instalments_add_up_to_the_price_and_end)
{
    static const int64_t want[INSTALMENTS][TIERS] = {{3333, 3733}, {3334, 3734}, {3333, 3733}};
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    struct charge charge = {.label = STR("Device"),
                            .kind = CHARGE_INSTALMENT,
                            .price = STR("100"),
                            .instalments = INSTALMENTS};
    OK(tx, subscription_facts(tx, subscribe(tx, &s, "device", &charge, 1), &f));
    for (int i = 0; i <= INSTALMENTS; i++) {
        struct rate_request q = {.facts = &f, .window = month_of(tx, &f, i)};
        size_t count = 0;
        struct rated_line *lines = rate(tx, &q, &count);
        ck_assert_uint_eq(count, i < INSTALMENTS);
        if (i < INSTALMENTS)
            check_line(&lines[0], "Device", want[i][0], want[i][1]);
    }
}

/* 100.00 with the first month; the months after it say nothing of it. */
BOOKS_TEST(what_is_paid_once_has_one_line)
{
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    struct charge charge = {.label = STR("Setup"), .kind = CHARGE_ONE_TIME, .price = STR("100.00")};
    OK(tx, subscription_facts(tx, subscribe(tx, &s, "setup", &charge, 1), &f));
    for (int i = 0; i < INSTALMENTS; i++) {
        struct rate_request q = {.facts = &f, .window = month_of(tx, &f, i)};
        size_t count = 0;
        struct rated_line *lines = rate(tx, &q, &count);
        ck_assert_uint_eq(count, i == 0);
        if (i == 0)
            check_line(&lines[0], "Setup", 10000, 11200);
    }
}

/* --- percentages --- */

/* 3 % of 1,000.00, and 112 % of that. */
BOOKS_TEST(a_percentage_is_sold_on_as_a_price_is)
{
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    struct charge charge = {
        .label = STR("Fee"), .kind = CHARGE_PERCENT, .meter = STR("traffic"), .percent = STR("3")};
    size_t count = 0;
    (void)make_meter(tx, s.op, "traffic", METER_SUM);
    OK(tx, subscription_facts(tx, subscribe(tx, &s, "shop", &charge, 1), &f));
    struct rate_request q = {.facts = &f, .window = month_of(tx, &f, 1), .total_count = 1};
    struct total used = {.meter = 1, .from = q.window.from, .quantity = {1000000, 3}};
    q.totals = &used;
    struct rated_line *lines = rate(tx, &q, &count);
    ck_assert_uint_eq(count, 1);
    check_line(&lines[0], "Fee", 3000, 3360);
}

/* --- descendants --- */

/* The first ten at 5.00, further ones at 2.00: 10 x 5.00 + 2 x 2.00 a month; and half a month of
 * one child more is 1.00. */
BOOKS_TEST(descendants_slide_and_count_for_as_long_as_they_are_there)
{
    struct charge_tier tiers[] = {{.up_to = STR("10"), .price = STR("5.00")},
                                  {.price = STR("2.00")}};
    struct charge charge = {
        .label = STR("Picos"), .kind = CHARGE_DESCENDANTS, .tiers = {tiers, COUNT(tiers)}};
    struct subscription_facts f;
    struct shop s = open_shop(tx);
    size_t count = 0;
    struct subscription root;
    OK(tx, subscription_get(tx, subscribe(tx, &s, "root", &charge, 1), &root));
    struct plan leaf = make_flat(tx, s.op, "leaf", PLAN_MONTH, "1");
    for (int i = 0; i < CHILDREN; i++)
        (void)make_child(tx, &root, leaf.id);
    OK(tx, subscription_facts(tx, root.id, &f));
    struct rate_request q = {.facts = &f, .window = month_of(tx, &f, 1)};
    OK(tx, subscription_descendants(tx, root.id, q.window.from, q.window.until, &q.descendants));
    struct rated_line *lines = rate(tx, &q, &count);
    ck_assert_uint_eq(count, 1);
    check_line(&lines[0], "Picos", 5400, 6048);
    int64_t half = (q.window.until - q.window.from) / US_PER_SECOND / 2;
    for (int i = 0; i < q.descendants.scale; i++)
        half *= 10;
    q.descendants.mantissa += half;
    lines = rate(tx, &q, &count);
    check_line(&lines[0], "Picos", 5500, 6160);
}

Suite *rate_suite(void);
Suite *rate_suite(void)
{
    Suite *s = suite_create("rate");
    TCase *t = tcase_create("rate");
    tcase_add_test(t, a_minimum_bills_what_usage_falls_short_at_every_tier);
    tcase_add_test(t, late_usage_takes_back_what_the_minimum_had_filled_up);
    tcase_add_test(t, instalments_add_up_to_the_price_and_end);
    tcase_add_test(t, what_is_paid_once_has_one_line);
    tcase_add_test(t, a_percentage_is_sold_on_as_a_price_is);
    tcase_add_test(t, descendants_slide_and_count_for_as_long_as_they_are_there);
    suite_add_tcase(s, t);
    return s;
}
