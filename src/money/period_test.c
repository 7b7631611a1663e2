#include "money/period.h"
#include "money/property.h"
#include "money/telescope.h"

#include <check.h>

static struct arena arena;

static void arena_up(void)
{
    arena_init(&arena, (size_t)64 * 1024 * 1024);
}

static void arena_down(void)
{
    arena_fini(&arena);
}

static const char *const nasty[] = {
    "Europe/Paris",        "America/New_York",
    "Asia/Kolkata",        "Pacific/Apia",
    "Australia/Lord_Howe", "America/Sao_Paulo",
    "Africa/Casablanca",   "Asia/Tehran",
    "Pacific/Kiritimati",  "UTC",
};

static const struct zone *load(const char *name)
{
    const struct zone *z = NULL;
    struct err err = {0};
    ck_assert_msg(zone_load(str_c(name), &arena, &z, &err) == RC_OK, "%s", err.text);
    return z;
}

static time_us at(const char *text)
{
    time_us t = 0;
    ck_assert_msg(time_parse(str_c(text), &t), "%s", text);
    return t;
}

static void check_period(const struct calendar *c, const char *instant, const char *label,
                         const char *begin, const char *end)
{
    struct period p = period_of(c, at(instant));
    char text[PERIOD_LABEL_MAX];
    ck_assert_uint_eq(period_label(c, &p, text), strlen(label));
    ck_assert_str_eq(text, label);
    char got[TIME_TEXT_MAX];
    (void)time_format(p.begin, got);
    ck_assert_str_eq(got, begin);
    (void)time_format(p.end, got);
    ck_assert_str_eq(got, end);
}

START_TEST(natural_periods_of_paris)
{
    const struct zone *paris = load("Europe/Paris");
    struct calendar c = calendar_natural(paris, PERIOD_MONTH);
    check_period(&c, "2026-01-15T00:00:00Z", "2026-01", "2025-12-31T23:00:00Z",
                 "2026-01-31T23:00:00Z");
    check_period(&c, "2026-01-31T23:00:00Z", "2026-02", "2026-01-31T23:00:00Z",
                 "2026-02-28T23:00:00Z");
    check_period(&c, "2026-01-31T22:59:59.999999Z", "2026-01", "2025-12-31T23:00:00Z",
                 "2026-01-31T23:00:00Z");
    check_period(&c, "2026-03-15T00:00:00Z", "2026-03", "2026-02-28T23:00:00Z",
                 "2026-03-31T22:00:00Z");
    c = calendar_natural(paris, PERIOD_DAY);
    check_period(&c, "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z",
                 "2026-03-29T22:00:00Z");
    c = calendar_natural(paris, PERIOD_QUARTER);
    check_period(&c, "2026-05-01T00:00:00Z", "2026-Q2", "2026-03-31T22:00:00Z",
                 "2026-06-30T22:00:00Z");
    c = calendar_natural(paris, PERIOD_YEAR);
    check_period(&c, "2026-05-01T00:00:00Z", "2026", "2025-12-31T23:00:00Z",
                 "2026-12-31T23:00:00Z");
    check_period(&c, "1969-12-31T22:59:59.5Z", "1969", "1968-12-31T23:00:00Z",
                 "1969-12-31T23:00:00Z");
}
END_TEST

START_TEST(months_have_their_real_seconds)
{
    struct calendar c = calendar_natural(load("Europe/Paris"), PERIOD_MONTH);
    struct period p = period_of(&c, at("2026-01-15T00:00:00Z"));
    ck_assert_int_eq(period_seconds(&p), 2678400);
    p = period_of(&c, at("2026-03-15T00:00:00Z"));
    ck_assert_int_eq(period_seconds(&p), 2678400 - 3600);
    p = period_of(&c, at("2026-10-15T00:00:00Z"));
    ck_assert_int_eq(period_seconds(&p), 2678400 + 3600);
    p = period_of(&c, at("2024-02-15T00:00:00Z"));
    ck_assert_int_eq(period_seconds(&p), 2505600);
    /* specs 3.9 (4): 195.00 for 1,234,567 s of a month of 2,678,400 s. */
    p = period_of(&c, at("2026-01-15T00:00:00Z"));
    ck_assert_int_eq(
        telescope_time(19500, p.begin, p.end, p.begin, p.begin + 1234567 * US_PER_SECOND), 8988);
}
END_TEST

START_TEST(an_anchor_on_the_31st_is_brought_down)
{
    struct calendar c = calendar_anchored(load("UTC"), PERIOD_MONTH, at("2026-01-31T15:00:00Z"));
    static const char *const begins[] = {"2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30",
                                         "2026-05-31", "2026-06-30", "2026-07-31"};
    struct period p = period_of(&c, at("2026-01-31T15:00:00Z"));
    for (size_t i = 0; i < COUNT(begins); i++) {
        char text[PERIOD_LABEL_MAX];
        (void)period_label(&c, &p, text);
        ck_assert_str_eq(text, begins[i]);
        struct period next = period_next(&c, &p);
        struct period back = period_previous(&c, &next);
        ck_assert_int_eq(next.begin, p.end);
        ck_assert_int_eq(back.begin, p.begin);
        p = next;
    }
    check_period(&c, "2026-03-30T23:59:59Z", "2026-02-28", "2026-02-28T00:00:00Z",
                 "2026-03-31T00:00:00Z");
    check_period(&c, "2024-02-29T00:00:00Z", "2024-02-29", "2024-02-29T00:00:00Z",
                 "2024-03-31T00:00:00Z");
}
END_TEST

START_TEST(anchored_quarters_and_years)
{
    const struct zone *utc = load("UTC");
    struct calendar c = calendar_anchored(utc, PERIOD_QUARTER, at("2026-11-30T00:00:00Z"));
    check_period(&c, "2026-12-01T00:00:00Z", "2026-11-30", "2026-11-30T00:00:00Z",
                 "2027-02-28T00:00:00Z");
    check_period(&c, "2026-11-29T00:00:00Z", "2026-08-30", "2026-08-30T00:00:00Z",
                 "2026-11-30T00:00:00Z");
    c = calendar_anchored(utc, PERIOD_YEAR, at("2024-02-29T00:00:00Z"));
    check_period(&c, "2025-12-01T00:00:00Z", "2025-02-28", "2025-02-28T00:00:00Z",
                 "2026-02-28T00:00:00Z");
    check_period(&c, "2028-02-28T23:00:00Z", "2027-02-28", "2027-02-28T00:00:00Z",
                 "2028-02-29T00:00:00Z");
    c = calendar_anchored(utc, PERIOD_QUARTER, at("2026-07-01T00:00:00Z"));
    check_period(&c, "2026-07-01T00:00:00Z", "2026-Q3", "2026-07-01T00:00:00Z",
                 "2026-10-01T00:00:00Z");
}
END_TEST

START_TEST(a_skipped_date_has_no_day_and_a_skipped_midnight_begins_late)
{
    struct calendar apia = calendar_natural(load("Pacific/Apia"), PERIOD_DAY);
    struct period p = period_of(&apia, at("2011-12-30T09:00:00Z"));
    ck_assert_int_eq(p.day, 29);
    p = period_next(&apia, &p);
    ck_assert_int_eq(p.day, 31);
    struct err err = {0};
    struct period none = {.day = 77};
    ck_assert_int_eq(period_parse(&apia, STR("2011-12-30"), &none, &err), RC_INVALID);
    ck_assert_int_eq(none.day, 77);
    ck_assert(str_has(err_text(&err), STR("no period begins on '2011-12-30'")));
    struct calendar c = calendar_natural(load("America/Sao_Paulo"), PERIOD_DAY);
    check_period(&c, "2017-10-15T12:00:00Z", "2017-10-15", "2017-10-15T03:00:00Z",
                 "2017-10-16T02:00:00Z");
}
END_TEST

START_TEST(labels_are_read_back)
{
    static const struct {
        const char *label;
        enum period_unit unit;
        bool ok;
    } cases[] = {
        {"2026-01-31", PERIOD_DAY, true},   {"2026-02-29", PERIOD_DAY, false},
        {"2026-01", PERIOD_DAY, false},     {"2026-1-31", PERIOD_DAY, false},
        {"2026-01", PERIOD_MONTH, true},    {"2026-13", PERIOD_MONTH, false},
        {"2026-00", PERIOD_MONTH, false},   {"2026-01-01", PERIOD_MONTH, false},
        {"2026-1", PERIOD_MONTH, false},    {"2026-Q1", PERIOD_MONTH, false},
        {"2026-Q1", PERIOD_QUARTER, true},  {"2026-Q5", PERIOD_QUARTER, false},
        {"2026-Q0", PERIOD_QUARTER, false}, {"2026-q1", PERIOD_QUARTER, false},
        {"2026-01", PERIOD_QUARTER, false}, {"2026", PERIOD_YEAR, true},
        {"2026-", PERIOD_YEAR, false},      {"026", PERIOD_YEAR, false},
        {"", PERIOD_YEAR, false},           {"-026", PERIOD_YEAR, false},
        {"0000", PERIOD_YEAR, false},       {"9999", PERIOD_YEAR, false},
        {"2026-01-01", PERIOD_YEAR, false}, {"2026-+1", PERIOD_MONTH, false},
        {"2026-01x", PERIOD_MONTH, false},  {"2026-01-31T", PERIOD_DAY, false},
    };
    const struct zone *zone = load("Asia/Tehran");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct calendar c = calendar_natural(zone, cases[i].unit);
        struct period p = {.day = 77};
        struct err err = {0};
        bool ok = period_parse(&c, str_c(cases[i].label), &p, &err) == RC_OK;
        ck_assert_msg(ok == cases[i].ok, "%s: %s", cases[i].label, err.text);
        ck_assert(ok || p.day == 77);
        if (!ok)
            continue;
        char text[PERIOD_LABEL_MAX];
        (void)period_label(&c, &p, text);
        ck_assert_str_eq(text, cases[i].label);
    }
    struct calendar c = calendar_anchored(zone, PERIOD_MONTH, at("2026-01-30T12:00:00Z"));
    struct period p;
    struct err err = {0};
    ck_assert_int_eq(period_parse(&c, STR("2026-02-28"), &p, &err), RC_OK);
    ck_assert_int_eq(period_parse(&c, STR("2026-03-28"), &p, &err), RC_INVALID);
    ck_assert_int_eq(period_parse(&c, STR("2026-02"), &p, &err), RC_INVALID);
}
END_TEST

START_TEST(a_label_at_the_edge_of_time_is_refused_or_has_neighbours)
{
    static const char *const labels[] = {"0002", "0003", "9997", "9998"};
    struct calendar c = calendar_natural(load("UTC"), PERIOD_YEAR);
    int taken = 0;
    for (size_t i = 0; i < COUNT(labels); i++) {
        struct period p;
        struct err err = {0};
        if (period_parse(&c, str_c(labels[i]), &p, &err) != RC_OK)
            continue;
        struct period next = period_next(&c, &p);
        struct period previous = period_previous(&c, &p);
        ck_assert_int_eq(next.begin, p.end);
        ck_assert_int_eq(previous.end, p.begin);
        taken++;
    }
    ck_assert_int_eq(taken, 2);
}
END_TEST

/* The wall clock by libc, as one number that sorts. */
static int64_t libc_local(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (localtime_r(&t, &tm) == NULL)
        ck_abort_msg("localtime_r");
    return days_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
           INT64_C(3600) * tm.tm_hour + INT64_C(60) * tm.tm_min + tm.tm_sec;
}

/* Whether libc agrees that p begins when its date does: the wall clock shows the date or later at
 * the begin, and not in the six hours before it; no clock was ever set back further. */
static bool libc_agrees(const struct period *p)
{
    int64_t midnight = days_from_civil(p->year, p->month, p->day) * 86400;
    int64_t begin = p->begin / US_PER_SECOND;
    if (libc_local(begin) < midnight || libc_local(begin - 1) >= midnight)
        return false;
    for (int64_t before = begin - 21600; before < begin; before += 900)
        if (libc_local(before) >= midnight)
            return false;
    return true;
}

/* Whether libc finds the same begin where midnight exists and comes once. */
static bool mktime_agrees(const struct period *p)
{
    struct tm tm = {
        .tm_year = p->year - 1900, .tm_mon = p->month - 1, .tm_mday = p->day, .tm_isdst = -1};
    int64_t found = mktime(&tm);
    bool exists = tm.tm_hour == 0 && tm.tm_mday == p->day;
    return !exists || found * US_PER_SECOND == p->begin ||
           (found * US_PER_SECOND > p->begin && libc_agrees(p));
}

static void check_tiles(const struct calendar *c, const char *zone)
{
    time_us end = days_from_civil(2100, 1, 1) * US_PER_DAY;
    struct period p = period_of(c, 0);
    int64_t count = 0;
    while (p.begin < end) {
        struct period next = period_next(c, &p);
        struct period back = period_previous(c, &next);
        struct period last = period_of(c, p.end - 1);
        bool tiles = p.begin < p.end && next.begin == p.end && back.begin == p.begin &&
                     back.end == p.end && last.begin == p.begin;
        if (!tiles || !libc_agrees(&p) || !mktime_agrees(&p))
            ck_abort_msg("%s: %d-%02d-%02d", zone, p.year, p.month, p.day);
        p = next;
        count++;
    }
    ck_assert_int_ge(count, 130);
}

START_TEST(periods_tile_time_and_libc_agrees)
{
    const char *name = nasty[_i];
    const struct zone *zone = load(name);
    ck_assert_int_eq(setenv("TZ", name, 1), 0);
    tzset();
    static const enum period_unit units[] = {PERIOD_DAY, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR};
    for (size_t u = 0; u < COUNT(units); u++) {
        struct calendar c = calendar_natural(zone, units[u]);
        check_tiles(&c, name);
    }
    for (int day = 28; day <= 31; day++) {
        struct calendar c = {zone, PERIOD_MONTH, 1, day};
        check_tiles(&c, name);
    }
}
END_TEST

START_TEST(the_period_of_an_instant_holds_it)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (size_t z = 0; z < COUNT(nasty); z++) {
        const struct zone *zone = load(nasty[z]);
        for (int i = 0; i < PROPERTY_RUNS / 10; i++) {
            struct calendar c = {zone, (enum period_unit)clock_sim_below(&chance, 4),
                                 (int)property_between(&chance, 1, 12),
                                 (int)property_between(&chance, 1, 31)};
            time_us t = property_between(&chance, PERIOD_AT_MIN, PERIOD_AT_MAX);
            struct period p = period_of(&c, t);
            HOLDS(p.begin <= t && t < p.end, SEED_FMT "%s %" PRId64, seed, nasty[z], t);
            char label[PERIOD_LABEL_MAX];
            size_t n = period_label(&c, &p, label);
            char text[TIME_TEXT_MAX];
            (void)time_format(p.begin, text);
            (void)time_format(p.end, text);
            struct period again = {0};
            struct err err = {0};
            bool inside = p.begin > PERIOD_AT_MIN && p.end <= PERIOD_AT_MAX;
            HOLDS((period_parse(&c, str_n(label, n), &again, &err) == RC_OK) == inside,
                  SEED_FMT "%s: %s", seed, nasty[z], err.text);
            HOLDS(!inside || again.begin == p.begin, SEED_FMT "%s %s", seed, nasty[z], label);
        }
    }
}
END_TEST

Suite *period_suite(void);
Suite *period_suite(void)
{
    Suite *s = suite_create("period");
    TCase *c = tcase_create("period");
    tcase_add_checked_fixture(c, arena_up, arena_down);
    tcase_add_test(c, natural_periods_of_paris);
    tcase_add_test(c, months_have_their_real_seconds);
    tcase_add_test(c, an_anchor_on_the_31st_is_brought_down);
    tcase_add_test(c, anchored_quarters_and_years);
    tcase_add_test(c, a_skipped_date_has_no_day_and_a_skipped_midnight_begins_late);
    tcase_add_test(c, labels_are_read_back);
    tcase_add_test(c, a_label_at_the_edge_of_time_is_refused_or_has_neighbours);
    tcase_add_loop_test(c, periods_tile_time_and_libc_agrees, 0, COUNT(nasty));
    tcase_add_test(c, the_period_of_an_instant_holds_it);
    tcase_set_timeout(c, 120);
    suite_add_tcase(s, c);
    return s;
}
