/* Windows: pure, and against a slow and obvious model. */
#include "catalog/window.h"

#include "money/property.h"

enum { RUNS = 2000, TERMS = 6, PIECES_MAX = 2000 };

struct life {
    struct arena arena;
    struct subscription_facts facts;
    struct subscription_term terms[TERMS];
};

static time_us at(const char *text)
{
    time_us t = 0;
    ck_assert_msg(time_parse(str_c(text), &t), "%s", text);
    return t;
}

static const struct zone *zone_of(struct arena *arena, const char *name)
{
    struct err err = {0};
    const struct zone *z = NULL;
    enum rc rc = zone_load(str_c(name), arena, &z, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return z;
}

/* Ends of the terms from their beginnings. */
static void set_terms(struct life *l, size_t count)
{
    for (size_t i = 0; i < count; i++)
        l->terms[i].until = i + 1 < count ? l->terms[i + 1].from : INT64_MAX;
    l->facts.terms = l->terms;
    l->facts.term_count = count;
}

static void begin(struct life *l, const char *zone, enum period_unit unit, const char *start,
                  const char *ends)
{
    *l = (struct life){0};
    arena_init(&l->arena, 1 << 24);
    l->facts = (struct subscription_facts){
        .id = STR("sub_1"),
        .start = at(start),
        .ends = ends != NULL ? at(ends) : INT64_MAX,
        .calendar = calendar_natural(zone_of(&l->arena, zone), unit),
    };
    l->terms[0].from = l->facts.start;
    set_terms(l, 1);
}

static size_t windows_of(struct life *l, time_us since, time_us before, bool advance,
                         struct window **ret)
{
    struct err err = {0};
    size_t count = 0;
    enum rc rc = subscription_windows(&l->facts, &(struct window_span){since, before, advance},
                                      &l->arena, ret, &count, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return count;
}

static void check_window(const struct window *w, const char *begins, const char *from,
                         const char *until, const char *end, int64_t number)
{
    ck_assert_int_eq(w->begin, at(begins));
    ck_assert_int_eq(w->from, at(from));
    ck_assert_int_eq(w->until, at(until));
    ck_assert_int_eq(w->end, at(end));
    ck_assert_int_eq(w->period_number, number);
}

START_TEST(months_of_the_seller_cut_where_terms_change)
{
    struct life l;
    struct window *w = NULL;
    begin(&l, "Europe/Paris", PERIOD_MONTH, "2026-02-10T12:00:00Z", "2026-04-15T00:00:00Z");
    l.terms[1].from = at("2026-03-20T00:00:00Z");
    set_terms(&l, 2);
    ck_assert_uint_eq(
        windows_of(&l, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), false, &w), 4);
    check_window(&w[0], "2026-01-31T23:00:00Z", "2026-02-10T12:00:00Z", "2026-02-28T23:00:00Z",
                 "2026-02-28T23:00:00Z", 1);
    /* March has an hour less: the clocks go forward. */
    check_window(&w[1], "2026-02-28T23:00:00Z", "2026-02-28T23:00:00Z", "2026-03-20T00:00:00Z",
                 "2026-03-31T22:00:00Z", 2);
    ck_assert_int_eq(w[1].end - w[1].begin, 31 * US_PER_DAY - US_PER_HOUR);
    check_window(&w[2], "2026-02-28T23:00:00Z", "2026-03-20T00:00:00Z", "2026-03-31T22:00:00Z",
                 "2026-03-31T22:00:00Z", 2);
    check_window(&w[3], "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-15T00:00:00Z",
                 "2026-04-30T22:00:00Z", 3);
    ck_assert_uint_eq(w[1].term, 0);
    ck_assert_uint_eq(w[2].term, 1);
    arena_fini(&l.arena);
}
END_TEST

START_TEST(a_close_bills_what_ended_in_it_or_begins_in_it)
{
    struct life l;
    struct window *w = NULL;
    time_us march = at("2026-03-01T00:00:00Z");
    time_us april = at("2026-04-01T00:00:00Z");
    begin(&l, "UTC", PERIOD_MONTH, "2026-01-15T00:00:00Z", NULL);
    ck_assert_uint_eq(windows_of(&l, march, april, false, &w), 1);
    check_window(&w[0], "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z",
                 "2026-04-01T00:00:00Z", 3);
    ck_assert_uint_eq(windows_of(&l, march, april, true, &w), 1);
    ck_assert_int_eq(w[0].from, march);
    ck_assert_uint_eq(windows_of(&l, at("2025-01-01T00:00:00Z"), l.facts.start, false, &w), 0);
    l.facts.ends = l.facts.start; /* ended before it began */
    ck_assert_uint_eq(windows_of(&l, 0, april, false, &w), 0);
    ck_assert_uint_eq(windows_of(&l, 0, april, true, &w), 0);
    arena_fini(&l.arena);
}
END_TEST

START_TEST(anchored_periods_begin_like_the_first)
{
    struct life l;
    struct window *w = NULL;
    begin(&l, "UTC", PERIOD_MONTH, "2026-01-31T08:00:00Z", NULL);
    l.facts.calendar = calendar_anchored(l.facts.calendar.zone, PERIOD_MONTH, l.facts.start);
    ck_assert_uint_eq(windows_of(&l, l.facts.start, at("2026-05-01T00:00:00Z"), false, &w), 3);
    check_window(&w[0], "2026-01-31T00:00:00Z", "2026-01-31T08:00:00Z", "2026-02-28T00:00:00Z",
                 "2026-02-28T00:00:00Z", 1);
    check_window(&w[2], "2026-03-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-04-30T00:00:00Z",
                 "2026-04-30T00:00:00Z", 3);
    arena_fini(&l.arena);
}
END_TEST

START_TEST(years_and_quarters_are_counted_from_the_first)
{
    struct life l;
    begin(&l, "Asia/Shanghai", PERIOD_YEAR, "2024-06-01T00:00:00Z", NULL);
    ck_assert_int_eq(window_number(&l.facts, at("2024-06-01T00:00:00Z")), 1);
    ck_assert_int_eq(window_number(&l.facts, at("2024-12-31T15:59:59Z")), 1);
    ck_assert_int_eq(window_number(&l.facts, at("2024-12-31T16:00:00Z")), 2);
    arena_fini(&l.arena);
    begin(&l, "UTC", PERIOD_QUARTER, "2024-06-01T00:00:00Z", NULL);
    ck_assert_int_eq(window_number(&l.facts, at("2024-06-30T00:00:00Z")), 1);
    ck_assert_int_eq(window_number(&l.facts, at("2025-07-01T00:00:00Z")), 6);
    arena_fini(&l.arena);
}
END_TEST

START_TEST(what_is_sold_once_has_one_window)
{
    struct life l;
    struct window *w = NULL;
    begin(&l, "UTC", PERIOD_MONTH, "2026-01-15T00:00:00Z", NULL);
    l.facts.once = true;
    time_us january = at("2026-01-01T00:00:00Z");
    ck_assert_uint_eq(windows_of(&l, january, at("2026-02-01T00:00:00Z"), true, &w), 1);
    ck_assert_int_eq(w[0].period_number, 1);
    ck_assert_uint_eq(
        windows_of(&l, at("2026-02-01T00:00:00Z"), at("2029-02-01T00:00:00Z"), true, &w), 0);
    l.terms[1].from = at("2026-01-20T00:00:00Z");
    set_terms(&l, 2);
    ck_assert_uint_eq(windows_of(&l, january, at("2026-02-01T00:00:00Z"), true, &w), 2);
    ck_assert_int_eq(w[0].end, l.terms[1].from); /* all of it */
    ck_assert_int_eq(w[0].until, l.terms[1].from);
    ck_assert_int_lt(w[1].begin, w[1].from);
    arena_fini(&l.arena);
}
END_TEST

START_TEST(outside_of_its_life_there_is_no_window)
{
    struct life l;
    struct err err = {0};
    struct window w;
    begin(&l, "UTC", PERIOD_MONTH, "2026-01-15T00:00:00Z", "2026-02-01T00:00:00Z");
    ck_assert_int_eq(subscription_window(&l.facts, l.facts.start - 1, &w, &err), RC_NOT_FOUND);
    ck_assert_int_eq(subscription_window(&l.facts, l.facts.ends, &w, &err), RC_NOT_FOUND);
    ck_assert_int_eq(subscription_window(&l.facts, l.facts.ends - 1, &w, &err), RC_OK);
    ck_assert_int_eq(w.until, l.facts.ends);
    arena_fini(&l.arena);
}
END_TEST

/* --- any life --- */

static void begin_any(struct life *l, struct clock_sim *chance)
{
    static const char *const zones[] = {"UTC", "Europe/Paris", "Asia/Shanghai", "America/New_York",
                                        "Australia/Lord_Howe"};
    static const enum period_unit units[] = {PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR};
    begin(l, zones[clock_sim_below(chance, COUNT(zones))], units[clock_sim_below(chance, 3)],
          "2024-01-01T00:00:00Z", NULL);
    struct subscription_facts *f = &l->facts;
    f->start += property_between(chance, 0, 800 * US_PER_DAY);
    if (clock_sim_below(chance, 2) == 0)
        f->ends = f->start + property_between(chance, 1, 900 * US_PER_DAY);
    if (clock_sim_below(chance, 2) == 0)
        f->calendar = calendar_anchored(f->calendar.zone, f->calendar.unit, f->start);
    size_t count = 1 + clock_sim_below(chance, TERMS);
    l->terms[0].from = f->start;
    for (size_t i = 1; i < count; i++)
        l->terms[i].from = l->terms[i - 1].from + property_between(chance, 1, 100 * US_PER_DAY);
    set_terms(l, count);
}

/* The windows of a life tile it: each begins where the one before ended, within one period and one
 * row of terms; periods are counted. */
static void check_tiles(const struct life *l, const struct window *w, size_t count, time_us until,
                        uint64_t seed, int run)
{
    time_us here = l->facts.start;
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        const struct subscription_term *t = &l->facts.terms[w[i].term];
        HOLDS(w[i].from == here && w[i].until > here, SEED_FMT "run %d, window %zu", seed, run, i);
        HOLDS(w[i].begin <= w[i].from && w[i].until <= w[i].end, SEED_FMT "run %d", seed, run);
        HOLDS(t->from <= w[i].from && w[i].until <= t->until, SEED_FMT "run %d", seed, run);
        bool opens = i == 0 || w[i].begin != w[i - 1].begin;
        last += opens;
        HOLDS(w[i].period_number == last, SEED_FMT "run %d, window %zu: %" PRId64, seed, run, i,
              w[i].period_number);
        here = w[i].until;
    }
    HOLDS(count > 0 ? here <= min_i64(until, l->facts.ends) : true, SEED_FMT "run %d", seed, run);
}

/* The same windows, whichever closes bill them. */
static void check_cuts(struct life *l, struct clock_sim *chance, time_us from, time_us until,
                       bool advance, const struct window *all, size_t count)
{
    size_t got = 0;
    for (time_us at = from; at < until;) {
        struct window *some = NULL;
        time_us next = min_i64(until, at + property_between(chance, 1, 90 * US_PER_DAY));
        size_t n = windows_of(l, at, next, advance, &some);
        ck_assert_uint_le(got + n, count);
        ck_assert(n == 0 || memcmp(some, all + got, n * sizeof *some) == 0);
        got += n;
        at = next;
    }
    ck_assert_uint_eq(got, count);
}

START_TEST(windows_tile_a_life_however_the_closes_cut_it)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RUNS; i++) {
        struct life l;
        begin_any(&l, &chance);
        time_us from = at("2023-06-01T00:00:00Z");
        time_us until = from + property_between(&chance, 0, 1500 * US_PER_DAY);
        for (int advance = 0; advance < 2; advance++) {
            struct window *all = NULL;
            size_t count = windows_of(&l, from, until, advance, &all);
            check_tiles(&l, all, count, advance ? INT64_MAX : until, seed, i);
            check_cuts(&l, &chance, from, until, advance, all, count);
        }
        arena_fini(&l.arena);
    }
}
END_TEST

START_TEST(the_window_of_an_instant_is_the_one_that_holds_it)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < RUNS; i++) {
        struct life l;
        struct err err = {0};
        struct window w;
        begin_any(&l, &chance);
        time_us end = min_i64(l.facts.ends, l.facts.start + 2000 * US_PER_DAY);
        time_us here = property_between(&chance, l.facts.start, end - 1);
        enum rc rc = subscription_window(&l.facts, here, &w, &err);
        HOLDS(rc == RC_OK, SEED_FMT "run %d: %s", seed, i, err.text);
        HOLDS(w.from <= here && here < w.until, SEED_FMT "run %d", seed, i);
        HOLDS(window_number(&l.facts, here) >= 1, SEED_FMT "run %d", seed, i);
        arena_fini(&l.arena);
    }
}
END_TEST

Suite *window_suite(void);
Suite *window_suite(void)
{
    Suite *s = suite_create("window");
    TCase *c = tcase_create("window");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, months_of_the_seller_cut_where_terms_change);
    tcase_add_test(c, a_close_bills_what_ended_in_it_or_begins_in_it);
    tcase_add_test(c, anchored_periods_begin_like_the_first);
    tcase_add_test(c, years_and_quarters_are_counted_from_the_first);
    tcase_add_test(c, what_is_sold_once_has_one_window);
    tcase_add_test(c, outside_of_its_life_there_is_no_window);
    tcase_add_test(c, windows_tile_a_life_however_the_closes_cut_it);
    tcase_add_test(c, the_window_of_an_instant_is_the_one_that_holds_it);
    suite_add_tcase(s, c);
    return s;
}
