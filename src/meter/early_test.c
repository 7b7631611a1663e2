/* What a source whose clock is ahead reports before its time. */
#include "meter/meter_fixture.h"

enum { MINUTES = 60 };

static time_us minute(int64_t n)
{
    return WORLD_START + n * 60 * US_PER_SECOND;
}

/* A record of each kind, of one hour, comes ten minutes after it has begun. */
static void take_early(struct tx *tx, struct metered *m)
{
    metered_make(tx, 1, tx->arena, m);
    tx->now = minute(10);
    for (int64_t kind = 0; kind < METER_KINDS; kind++) {
        struct usage_report report;
        struct usage_record r = {.id = arena_fmt(tx->arena, "r%lld", (long long)kind),
                                 .subscription = m->subscriptions[0],
                                 .meter = m->meters[kind],
                                 .from = WORLD_START,
                                 .until = minute(MINUTES),
                                 .quantity = {600, 2}};
        if (kind == METER_UNIQUE)
            r.key = record_key(STR("somebody"));
        OK(tx, usage_take(tx, m->op, STR("urn:a"), &r, 1, &report));
        ck_assert_int_eq(report.accepted, 1);
    }
    metered_fold(tx);
}

static bool waits(struct tx *tx)
{
    bool waiting = false;
    OK(tx, total_waiting(tx, &waiting));
    return waiting;
}

static void proven(struct tx *tx, const struct metered *m)
{
    int64_t changed = 0;
    OK(tx, total_recount(tx, m->subscriptions[0], &changed));
    ck_assert_int_eq(changed, 0);
}

static int64_t early_rows(struct tx *tx)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM usage_early"));
    return row_int(&rows, 0, 0);
}

TX_TEST(of_what_ends_before_only_what_came_true_counts)
{
    struct metered m;
    struct subscription s;
    take_early(tx, &m);
    ck_assert(!waits(tx));
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 600);
    tx->now = minute(20);
    OK(tx, subscription_end(tx, m.subscriptions[0], 0, &s));
    ck_assert(waits(tx));
    metered_fold(tx);
    ck_assert(!waits(tx));
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 200);
    for (int64_t kind = 0; kind < METER_KINDS; kind++) {
        struct quantity q = metered_total(tx, m.subscriptions[0], m.meters[kind], WORLD_START);
        bool spread = kind == METER_SUM || kind == METER_TIME_WEIGHTED;
        ck_assert_msg(spread == (q.mantissa > 0), "%s: %lld", meter_kinds[kind],
                      (long long)q.mantissa);
    }
    proven(tx, &m);
    ck_assert_int_eq(early_rows(tx), 1); /* the hour is not over: other terms may still come */
    tx->now = minute(MINUTES);
    ck_assert(waits(tx));
    metered_fold(tx);
    ck_assert_int_eq(early_rows(tx), 0);
    proven(tx, &m);
}

TX_TEST(with_other_terms_it_goes_to_their_window)
{
    struct metered m;
    struct subscription s;
    struct subscription patch = {.quantity = STR("2")};
    patch.set = UINT64_C(1) << schema_find(&subscription_schema, STR("quantity"));
    take_early(tx, &m);
    for (int64_t i = 2; i <= 4; i += 2) { /* twice, the second time of what was counted anew */
        tx->now = minute(10 * i);
        OK(tx, subscription_change(tx, m.subscriptions[0], 0, 0, &patch, &s));
        metered_fold(tx);
        proven(tx, &m);
        ck_assert_int_eq(
            metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 200);
    }
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], minute(20)).mantissa, 200);
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], minute(40)).mantissa, 200);
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_MAX], minute(40)).mantissa, 600);
}

Suite *early_suite(void);
Suite *early_suite(void)
{
    Suite *s = suite_create("early");
    TCase *c = tcase_create("early");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, of_what_ends_before_only_what_came_true_counts);
    tcase_add_test(c, with_other_terms_it_goes_to_their_window);
    suite_add_tcase(s, c);
    return s;
}
