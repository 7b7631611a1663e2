/* What comes for a window that a close has billed. */
#include "meter/meter_fixture.h"

enum { END_DAY = 5, BILLED_DAY = 8 };

static struct usage_record record_of(const struct metered *m, enum meter_kind kind, const char *id,
                                     int64_t hour, int64_t quantity)
{
    time_us from = WORLD_START + hour * US_PER_HOUR;
    return (struct usage_record){.id = str_c(id),
                                 .subscription = m->subscriptions[0],
                                 .meter = m->meters[kind],
                                 .from = from,
                                 .until = from + US_PER_HOUR,
                                 .quantity = {quantity, 2}};
}

static void take_one(struct tx *tx, const struct metered *m, const struct usage_record *r)
{
    struct usage_report report;
    OK(tx, usage_take(tx, m->op, STR("urn:a"), r, 1, &report));
    ck_assert_int_eq(report.accepted, 1);
    metered_fold(tx);
}

/* Its window was open when the first usage came; then it was cut, and billed. */
static void end_and_bill(struct tx *tx, const struct metered *m)
{
    struct subscription s;
    OK(tx, subscription_end(tx, m->subscriptions[0], WORLD_START + END_DAY * US_PER_DAY, &s));
    OK(tx, total_billed(tx, WORLD_START + BILLED_DAY * US_PER_DAY));
}

static struct late late_one(struct tx *tx, const struct metered *m, int64_t meter, time_us from)
{
    struct late_list list;
    OK(tx, total_late_of(tx, &m->subscriptions[0], 1, &list));
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].meter == meter && list.items[i].from == from)
            return list.items[i];
    ck_abort_msg("nothing is late of meter %lld", (long long)meter);
}

static void check_late(struct tx *tx, const struct metered *m, enum meter_kind kind, time_us from,
                       const int64_t billed_and_now[2])
{
    struct late l = late_one(tx, m, m->meters[kind], from);
    ck_assert_msg(l.billed.mantissa == billed_and_now[0] && l.now.mantissa == billed_and_now[1],
                  "%s: %lld was billed, %lld is now", meter_kinds[kind],
                  (long long)l.billed.mantissa, (long long)l.now.mantissa);
}

TX_TEST(a_window_that_was_cut_is_late_from_its_new_end_on)
{
    static const enum meter_kind kinds[] = {METER_COUNT, METER_SUM, METER_MAX, METER_LAST,
                                            METER_P95};
    static const int64_t want[][2] = {{1, 2}, {500, 1200}, {500, 700}, {500, 700}, {500, 700}};
    struct metered m;
    metered_make(tx, 1, tx->arena, &m);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct usage_record r = record_of(&m, kinds[i], arena_fmt(tx->arena, "a%zu", i).p, 1, 500);
        take_one(tx, &m, &r);
    }
    end_and_bill(tx, &m);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct usage_record r = record_of(&m, kinds[i], arena_fmt(tx->arena, "b%zu", i).p, 7, 700);
        take_one(tx, &m, &r);
        check_late(tx, &m, kinds[i], WORLD_START, want[i]);
    }
}

/* A late reading takes from the window of the next one, too. */
TX_TEST(the_window_behind_a_late_reading_is_late_from_its_new_end_on)
{
    struct metered m;
    struct subscription s;
    time_us second = WORLD_START + 2 * US_PER_DAY;
    struct subscription patch = {.quantity = STR("2")};
    patch.set = UINT64_C(1) << schema_find(&subscription_schema, STR("quantity"));
    metered_make(tx, 1, tx->arena, &m);
    OK(tx, subscription_change(tx, m.subscriptions[0], 0, second, &patch, &s));
    struct usage_record first = record_of(&m, METER_COUNTER, "a", 1, 1000);
    struct usage_record behind = record_of(&m, METER_COUNTER, "b", 60, 10000);
    struct usage_record late = record_of(&m, METER_COUNTER, "c", 7, 4000);
    take_one(tx, &m, &first);
    take_one(tx, &m, &behind);
    end_and_bill(tx, &m);
    take_one(tx, &m, &late);
    check_late(tx, &m, METER_COUNTER, WORLD_START, (int64_t[]){0, 3000});
    check_late(tx, &m, METER_COUNTER, second, (int64_t[]){9000, 6000});
}

TX_TEST(a_window_that_a_correction_empties_is_late_from_its_new_end_on)
{
    struct metered m;
    metered_make(tx, 1, tx->arena, &m);
    struct usage_record wrong = record_of(&m, METER_MAX, "a", 1, 500);
    struct usage_record right = record_of(&m, METER_LAST, "b", 1, 300);
    right.supersedes = wrong.id;
    take_one(tx, &m, &wrong);
    end_and_bill(tx, &m);
    take_one(tx, &m, &right);
    check_late(tx, &m, METER_MAX, WORLD_START, (int64_t[]){500, 0});
    check_late(tx, &m, METER_LAST, WORLD_START, (int64_t[]){0, 300});
}

Suite *late_suite(void);
Suite *late_suite(void)
{
    Suite *s = suite_create("late");
    TCase *c = tcase_create("late");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_window_that_was_cut_is_late_from_its_new_end_on);
    tcase_add_test(c, the_window_behind_a_late_reading_is_late_from_its_new_end_on);
    tcase_add_test(c, a_window_that_a_correction_empties_is_late_from_its_new_end_on);
    suite_add_tcase(s, c);
    return s;
}
