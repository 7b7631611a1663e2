#include "pico/cron.h"

#include <check.h>

enum { ROUNDS = 200, STEPS = 2000 };

static struct err err;

static time_us at(const char *text)
{
    time_us t = 0;
    ck_assert_msg(time_parse(str_c(text), &t), "%s", text);
    return t;
}

START_TEST(the_next_time_is_the_first_later_one)
{
    static const struct {
        const char *cron;
        const char *after;
        const char *next;
    } rows[] = {
        {"* * * * *", "2026-11-25T19:20:00Z", "2026-11-25T19:21:00Z"},
        {"* * * * * *", "2026-11-25T19:20:00.5Z", "2026-11-25T19:20:01Z"},
        {"*/15 * * * * *", "2026-11-25T19:20:46Z", "2026-11-25T19:21:00Z"},
        {"5 0 * * *", "2026-11-25T00:05:00Z", "2026-11-26T00:05:00Z"},
        {"0 9-17/4 * * mon-fri", "2026-11-27T17:00:00Z", "2026-11-30T09:00:00Z"},
        {"30 8 1 jan,JUL *", "2026-11-25T00:00:00Z", "2027-01-01T08:30:00Z"},
        {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
        {"0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"},
        {"0 0 L 2 ?", "2028-02-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 13 * 5", "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"}, /* either is enough */
        {"0 0 1-31 * 5", "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"},
        {"0 0 * * 7", "2026-11-25T00:00:00Z", "2026-11-29T00:00:00Z"},
        {"0 0 * * 5-7", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
        {"10/20 * * * *", "2026-11-25T19:20:00Z", "2026-11-25T19:30:00Z"},
        {"59 59 23 31 12 *", "2026-12-31T23:59:59Z", "2027-12-31T23:59:59Z"},
        {" @Daily ", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"},
        {"@hourly", "1969-12-31T23:30:00.25Z", "1970-01-01T00:00:00Z"},
        {"0 0 31 2 1", "2026-11-25T00:00:00Z", "2027-02-01T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pico_cron c;
        char text[TIME_TEXT_MAX];
        ck_assert_msg(pico_cron_read(str_c(rows[i].cron), &c, &err) == RC_OK, "%s", rows[i].cron);
        time_format(pico_cron_next(&c, at(rows[i].after)), text);
        ck_assert_msg(strcmp(text, rows[i].next) == 0, "%s: %s", rows[i].cron, text);
    }
}
END_TEST

START_TEST(what_cannot_be_read_is_refused_with_the_field_in_a_sentence)
{
    static const struct {
        const char *cron;
        const char *word;
    } rows[] = {
        {"", "five fields"},
        {"* * * *", "five fields"},
        {"* * * * * * *", "five fields"},
        {"60 * * * *", "minute"},
        {"* 24 * * *", "hour"},
        {"* * 0 * *", "day of the month"},
        {"* * 32 * *", "day of"},
        {"* * * 13 *", "month"},
        {"* * * * 8", "day of the week"},
        {"* * * * mo", "week"},
        {"*/0 * * * *", "minute"},
        {"5-1 * * * *", "minute"},
        {"1,,2 * * * *", "minute"},
        {"1, * * * *", "minute"},
        {"a * * * *", "minute"},
        {"-1 * * * *", "minute"},
        {"1/ * * * *", "minute"},
        {"1-2-3 * * * *", "minute"},
        {"* * * foo *", "month"},
        {"61 * * * * *", "second"},
        {"0 0 31 2 *", "no month"},
        {"0 0 30,31 feb *", "no month"},
        {"-0 * * * *", "minute"},
        {"* * * * fri-mon", "week"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pico_cron c;
        err_clear(&err);
        ck_assert_msg(pico_cron_read(str_c(rows[i].cron), &c, &err) == RC_INVALID, "%s",
                      rows[i].cron);
        ck_assert_msg(str_has(err_text(&err), str_c(rows[i].word)), "%s: %.*s", rows[i].cron,
                      STRF(err_text(&err)));
    }
}
END_TEST

static uint64_t any_bits(struct clock_sim *s, int min, int max)
{
    uint64_t bits = 0;
    uint64_t width = (uint64_t)max - (uint64_t)min + 1;
    for (int i = 0; i < 3; i++)
        bits |= UINT64_C(1) << (min + (int)clock_sim_below(s, width));
    return bits;
}

static bool matches(const struct pico_cron *c, time_us t)
{
    int64_t seconds = t / US_PER_SECOND;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    civil_from_days(seconds / 86400, &year, &month, &day);
    return (c->seconds >> seconds % 60 & 1) != 0 && (c->minutes >> seconds / 60 % 60 & 1) != 0 &&
           (c->hours >> seconds / 3600 % 24 & 1) != 0 && (c->months >> month & 1) != 0;
}

START_TEST(no_time_that_matches_is_passed_over)
{
    struct clock_sim s;
    const uint64_t seed = 20261125;
    clock_sim_init(&s, 0, seed);
    for (int round = 0; round < ROUNDS; round++) {
        struct pico_cron c = {.seconds = any_bits(&s, 0, 59),
                              .minutes = any_bits(&s, 0, 59),
                              .hours = any_bits(&s, 0, 23),
                              .days = UINT64_C(0xFFFFFFFE),
                              .months = 0x1FFE,
                              .weekdays = 0x7F,
                              .any_day = true,
                              .any_weekday = true};
        time_us t = (time_us)clock_sim_below(&s, UINT64_C(4000000000)) * US_PER_SECOND;
        time_us next = pico_cron_next(&c, t);
        ck_assert_msg(next > t && matches(&c, next), "seed %lu, round %d", (unsigned long)seed,
                      round);
        for (time_us u = max_i64(t + US_PER_SECOND, next - STEPS * US_PER_SECOND); u < next;
             u += US_PER_SECOND)
            ck_assert_msg(!matches(&c, u), "seed %lu, round %d", (unsigned long)seed, round);
    }
}
END_TEST

Suite *cron_suite(void);
Suite *cron_suite(void)
{
    Suite *s = suite_create("cron");
    TCase *c = tcase_create("cron");
    tcase_add_test(c, the_next_time_is_the_first_later_one);
    tcase_add_test(c, what_cannot_be_read_is_refused_with_the_field_in_a_sentence);
    tcase_add_test(c, no_time_that_matches_is_passed_over);
    suite_add_tcase(s, c);
    return s;
}
