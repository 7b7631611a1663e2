#include "money/zone_rule.h"

#include "base/clock.h"
#include "money/ascii.h"

enum { DAY_S = 86400, NAME_MIN = 3 };

/* What is left of the text. Each take_ moves it on, or answers false. */
static bool take_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_sub(*rest, 1, rest->n);
    return true;
}

/* A whole number of at most three digits, within 0..max. */
static bool take_number(struct str *rest, int max, int *ret)
{
    int value = 0;
    size_t n = 0;
    while (n < rest->n && n < 3 && ascii_digit(rest->p[n]))
        value = value * 10 + (rest->p[n++] - '0');
    if (n == 0 || value > max)
        return false;
    *rest = str_sub(*rest, n, rest->n);
    *ret = value;
    return true;
}

/* "CET" or "<+0330>": names are not kept, as the house writes offsets. */
static bool take_name(struct str *rest)
{
    bool quoted = take_char(rest, '<');
    size_t n = 0;
    while (n < rest->n &&
           (ascii_letter(rest->p[n]) ||
            (quoted && (ascii_digit(rest->p[n]) || rest->p[n] == '+' || rest->p[n] == '-'))))
        n++;
    *rest = str_sub(*rest, n, rest->n);
    return n >= NAME_MIN && (!quoted || take_char(rest, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct str *rest, int hours_max, int32_t *ret_s)
{
    bool negative = take_char(rest, '-');
    if (!negative)
        (void)take_char(rest, '+'); /* the sign may be missing */
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    if (!take_number(rest, hours_max, &hours))
        return false;
    if (take_char(rest, ':')) {
        if (!take_number(rest, 59, &minutes))
            return false;
        if (take_char(rest, ':') && !take_number(rest, 59, &seconds))
            return false;
    }
    int32_t total = hours * 3600 + minutes * 60 + seconds;
    *ret_s = negative ? -total : total;
    return true;
}

/* POSIX counts west of Greenwich; we count east. */
static bool take_offset(struct str *rest, int32_t *ret_s)
{
    int32_t west;
    if (!take_time(rest, 24, &west))
        return false;
    *ret_s = -west;
    return true;
}

static bool take_month_day(struct str *rest, struct zone_day *day)
{
    day->form = ZONE_DAY_MONTH;
    return take_number(rest, 12, &day->month) && day->month >= 1 && take_char(rest, '.') &&
           take_number(rest, 5, &day->week) && day->week >= 1 && take_char(rest, '.') &&
           take_number(rest, 6, &day->day);
}

/* ",M3.5.0/2", ",J60" or ",59/-1:30". */
static bool take_day(struct str *rest, struct zone_day *ret)
{
    struct zone_day day = {.form = ZONE_DAY_ZERO_BASED, .time_s = 2 * 3600};
    if (!take_char(rest, ','))
        return false;
    if (take_char(rest, 'M')) {
        if (!take_month_day(rest, &day))
            return false;
    } else if (take_char(rest, 'J')) {
        day.form = ZONE_DAY_JULIAN;
        if (!take_number(rest, 365, &day.day) || day.day < 1)
            return false;
    } else if (!take_number(rest, 365, &day.day)) {
        return false;
    }
    if (take_char(rest, '/') && !take_time(rest, 167, &day.time_s))
        return false;
    *ret = day;
    return true;
}

bool zone_rule_parse(struct str text, struct zone_rule *ret)
{
    struct zone_rule rule = {0};
    if (!take_name(&text) || !take_offset(&text, &rule.standard_s))
        return false;
    rule.daylight_s = rule.standard_s + 3600;
    rule.has_daylight = text.n > 0;
    if (rule.has_daylight) {
        if (!take_name(&text))
            return false;
        if (text.n > 0 && text.p[0] != ',' && !take_offset(&text, &rule.daylight_s))
            return false;
        if (!take_day(&text, &rule.start) || !take_day(&text, &rule.end) || text.n > 0)
            return false;
    }
    *ret = rule;
    return true;
}

/* Days since 1970-01-01 of the rule's day in a year. */
static int64_t day_in_year(const struct zone_day *d, int64_t year)
{
    int64_t first = days_from_civil(year, 1, 1);
    switch (d->form) {
    case ZONE_DAY_ZERO_BASED:
        return first + d->day;
    case ZONE_DAY_JULIAN:
        /* Day 60 is 1 March in every year. */
        return first + d->day - 1 + (d->day >= 60 && days_in_month(year, 2) == 29);
    case ZONE_DAY_MONTH:
        break;
    }
    int64_t month = days_from_civil(year, d->month, 1);
    int64_t weekday = ((month + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday, 4 */
    int64_t day = (d->day - weekday + 7) % 7 + (int64_t)(d->week - 1) * 7;
    if (day >= days_in_month(year, d->month))
        day -= 7; /* week 5 is the last, and some months have four */
    return month + day;
}

static int64_t start_of(const struct zone_rule *rule, int64_t year)
{
    return day_in_year(&rule->start, year) * DAY_S + rule->start.time_s - rule->standard_s;
}

static int64_t end_of(const struct zone_rule *rule, int64_t year)
{
    return day_in_year(&rule->end, year) * DAY_S + rule->end.time_s - rule->daylight_s;
}

static int64_t year_of(int64_t at)
{
    int64_t days = at / DAY_S - (at % DAY_S < 0);
    int64_t year;
    int month;
    int day;
    civil_from_days(days, &year, &month, &day);
    return year;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t at)
{
    if (!rule->has_daylight)
        return rule->standard_s;
    /* The latest start or end decides. A time of day may lie a week beyond its day, so those of
     * two years ago to next year are looked at. Where an end and a start fall together, daylight
     * time goes on: that is how a rule says "all year" (RFC 8536 3.3.1). */
    int64_t year = year_of(at);
    int64_t latest_start = INT64_MIN;
    int64_t latest_end = INT64_MIN;
    for (int64_t y = year - 2; y <= year + 1; y++) {
        int64_t start = start_of(rule, y);
        int64_t end = end_of(rule, y);
        if (start <= at)
            latest_start = max_i64(latest_start, start);
        if (end <= at)
            latest_end = max_i64(latest_end, end);
    }
    return latest_start >= latest_end ? rule->daylight_s : rule->standard_s;
}

bool zone_rule_next(const struct zone_rule *rule, int64_t after, int64_t *ret_at)
{
    if (!rule->has_daylight)
        return false;
    int64_t year = year_of(after);
    int64_t next = INT64_MAX;
    for (int64_t y = year - 1; y <= year + 2; y++) {
        int64_t start = start_of(rule, y);
        int64_t end = end_of(rule, y);
        if (start > after)
            next = min_i64(next, start);
        if (end > after)
            next = min_i64(next, end);
    }
    ASSERT(next != INT64_MAX);
    *ret_at = next;
    return true;
}
