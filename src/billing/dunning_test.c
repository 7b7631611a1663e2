/* What is not paid for is suspended, and goes on when it is. */
#include "billing/dunning.h"

#include "billing/books_fixture.h"
#include "billing/document_make.h"
#include "catalog/metered_fixture.h"
#include "catalog/suspension.h"

enum { PAYMENT_DAYS = 10, SUSPEND_DAYS = 14 };

static struct document invoice(struct tx *tx, struct ledger *l, const struct metered *m)
{
    struct document made;
    struct document final;
    struct draft_line line = {.text = STR("Something"),
                              .income = STR("Services"),
                              .quantity = {1, 0},
                              .unit = STR("C62"),
                              .price = {10000, 2},
                              .net = 10000};
    struct draft d = {.code = DOCUMENT_INVOICE,
                      .issuer = m->op,
                      .recipient = m->client,
                      .currency = currency_find(STR("EUR")),
                      .payment_days = PAYMENT_DAYS,
                      .lines = &line,
                      .count = 1};
    OK(tx, document_draft(tx, &d, &made));
    OK(tx, document_finalise(tx, l, made.id, &final));
    return final;
}

static void suspends_after(struct tx *tx, struct str party, int64_t days)
{
    struct party p;
    struct party patch = {.set = UINT64_C(1) << schema_find(&party_schema, STR("suspend_days")),
                          .suspend_days = days};
    OK(tx, party_change(tx, party, 0, &patch, &p));
    ck_assert_int_eq(p.suspend_days, days);
}

static void tick(struct tx *tx)
{
    bool more = true;
    while (more)
        OK(tx, dunning_tick(tx, &more));
    OK(tx, dunning_due(tx, &more));
    ck_assert(!more);
}

static size_t suspended(struct tx *tx, struct str party)
{
    struct page page;
    OK(tx, suspension_list(tx, party, &(struct page_query){.limit = 100}, &page));
    return page.items.count;
}

/* An invoice that was due in time, and the instant at which it is overdue everywhere. */
static time_us overdue(struct tx *tx, struct ledger *l, struct metered *m)
{
    metered_make(tx, 2, tx->arena, m);
    suspends_after(tx, m->op, SUSPEND_DAYS);
    (void)invoice(tx, l, m);
    time_us day = tx->now / US_PER_DAY * US_PER_DAY;
    return day + (PAYMENT_DAYS + SUSPEND_DAYS + 1) * US_PER_DAY + 36 * US_PER_HOUR;
}

BOOKS_TEST(it_is_suspended_when_the_days_are_over_everywhere)
{
    struct metered m;
    bool due = true;
    time_us at = overdue(tx, l, &m);
    tx->now = at - 36 * US_PER_HOUR - 2 * US_PER_DAY;
    OK(tx, dunning_due(tx, &due));
    ck_assert(!due);
    tx->now = at;
    OK(tx, dunning_due(tx, &due));
    ck_assert(due);
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 2);
    ck_assert_uint_eq(suspended(tx, m.op), 2);
    FAILS(tx, RC_CONFLICT, NULL, suspension_check(tx, m.client, m.op));
    OK(tx, suspension_check(tx, m.op, m.client));
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 2);
}

BOOKS_TEST(it_goes_on_when_nothing_is_overdue_any_more)
{
    struct metered m;
    tx->now = overdue(tx, l, &m);
    tick(tx);
    OK(tx, sql_run(tx, "UPDATE document SET paid = gross, state = 4 WHERE recipient = $1",
                   V(m.client)));
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 0);
    OK(tx, suspension_check(tx, m.client, m.op));
}

BOOKS_TEST(a_seller_that_waits_longer_or_for_ever_suspends_nothing)
{
    struct metered m;
    tx->now = overdue(tx, l, &m);
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 2);
    suspends_after(tx, m.op, SUSPEND_DAYS + 30);
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 0);
    suspends_after(tx, m.op, 0);
    tx->now += 400 * US_PER_DAY;
    tick(tx);
    ck_assert_uint_eq(suspended(tx, m.client), 0);
}

Suite *dunning_suite(void);
Suite *dunning_suite(void)
{
    Suite *s = suite_create("dunning");
    TCase *c = tcase_create("dunning");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, it_is_suspended_when_the_days_are_over_everywhere);
    tcase_add_test(c, it_goes_on_when_nothing_is_overdue_any_more);
    tcase_add_test(c, a_seller_that_waits_longer_or_for_ever_suspends_nothing);
    suite_add_tcase(s, c);
    return s;
}
