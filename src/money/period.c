#include "money/period.h"

#include "base/clock.h"
#include "money/ascii.h"

enum { DAY_S = 86400 };

static int64_t floor_div(int64_t n, int64_t d)
{
    return n / d - (n % d < 0);
}

static int64_t seconds_of(time_us at)
{
    return floor_div(at, US_PER_SECOND);
}

/* A calendar numbers its periods; number k begins on this local date. */
struct date {
    int64_t year;
    int month;
    int day;
};

static struct date date_of_day(int64_t days)
{
    struct date d;
    civil_from_days(days, &d.year, &d.month, &d.day);
    return d;
}

static struct date local_date(const struct zone *zone, time_us at)
{
    int64_t seconds = seconds_of(at);
    return date_of_day(floor_div(seconds + zone_offset(zone, seconds), DAY_S));
}

static int64_t months_per_period(enum period_unit unit)
{
    switch (unit) {
    case PERIOD_DAY:
        NEVER("a day is no number of months");
    case PERIOD_MONTH:
        return 1;
    case PERIOD_QUARTER:
        return 3;
    case PERIOD_YEAR:
        return 12;
    }
    NEVER("a unit that is not in the enum");
}

/* The period whose first month is that of the date or the last before it. */
static int64_t number_of(const struct calendar *c, struct date d)
{
    if (c->unit == PERIOD_DAY)
        return days_from_civil(d.year, d.month, d.day);
    int64_t months = months_per_period(c->unit);
    return floor_div(d.year * 12 + (d.month - 1) - (c->anchor_month - 1) % months, months);
}

static struct date date_of_number(const struct calendar *c, int64_t number)
{
    if (c->unit == PERIOD_DAY)
        return date_of_day(number);
    int64_t months = months_per_period(c->unit);
    int64_t month = number * months + (c->anchor_month - 1) % months;
    struct date d = {.year = floor_div(month, 12)};
    d.month = (int)(month - d.year * 12) + 1;
    int last = days_in_month(d.year, d.month);
    d.day = c->anchor_day < last ? c->anchor_day : last;
    return d;
}

static time_us begin_of(const struct calendar *c, int64_t number)
{
    struct date d = date_of_number(c, number);
    int64_t midnight = days_from_civil(d.year, d.month, d.day) * DAY_S;
    return zone_first(c->zone, midnight) * US_PER_SECOND;
}

static struct period period_numbered(const struct calendar *c, int64_t number)
{
    struct date d = date_of_number(c, number);
    return (struct period){begin_of(c, number), begin_of(c, number + 1), (int)d.year, d.month,
                           d.day};
}

static void check_calendar(const struct calendar *c)
{
    ASSERT(c->zone != NULL);
    ASSERT(c->anchor_month >= 1 && c->anchor_month <= 12);
    ASSERT(c->anchor_day >= 1 && c->anchor_day <= 31);
}

struct calendar calendar_natural(const struct zone *zone, enum period_unit unit)
{
    return (struct calendar){zone, unit, 1, 1};
}

struct calendar calendar_anchored(const struct zone *zone, enum period_unit unit, time_us start)
{
    struct date d = local_date(zone, start);
    return (struct calendar){zone, unit, d.month, d.day};
}

struct period period_of(const struct calendar *c, time_us at)
{
    check_calendar(c);
    ASSERT(at >= PERIOD_AT_MIN && at <= PERIOD_AT_MAX);
    struct date d = local_date(c->zone, at);
    /* The local date gives the number to within a period or two: the anchor day may be yet to come
     * in its month, and around a change of the clocks a date can come back for an hour. The
     * boundaries decide. */
    int64_t number = number_of(c, d);
    while (at < begin_of(c, number))
        number--;
    while (at >= begin_of(c, number + 1))
        number++;
    return period_numbered(c, number);
}

struct period period_next(const struct calendar *c, const struct period *p)
{
    return period_of(c, p->end);
}

struct period period_previous(const struct calendar *c, const struct period *p)
{
    return period_of(c, p->begin - 1);
}

int64_t period_seconds(const struct period *p)
{
    ASSERT(p->begin < p->end);
    return (p->end - p->begin) / US_PER_SECOND;
}

/* Whether the periods are those that people name without their day. */
static bool is_natural(const struct calendar *c)
{
    return c->anchor_day == 1 &&
           (c->unit == PERIOD_MONTH || (c->unit == PERIOD_QUARTER && c->anchor_month % 3 == 1) ||
            (c->unit == PERIOD_YEAR && c->anchor_month == 1));
}

static size_t label_of(const struct calendar *c, int year, int month, int day,
                       char text[PERIOD_LABEL_MAX])
{
    int n = 0;
    if (c->unit == PERIOD_DAY || !is_natural(c))
        n = snprintf(text, PERIOD_LABEL_MAX, "%04d-%02d-%02d", year, month, day);
    else if (c->unit == PERIOD_MONTH)
        n = snprintf(text, PERIOD_LABEL_MAX, "%04d-%02d", year, month);
    else if (c->unit == PERIOD_QUARTER)
        n = snprintf(text, PERIOD_LABEL_MAX, "%04d-Q%d", year, (month - 1) / 3 + 1);
    else
        n = snprintf(text, PERIOD_LABEL_MAX, "%04d", year);
    ASSERT(n > 0 && n < PERIOD_LABEL_MAX);
    return (size_t)n;
}

size_t period_label(const struct calendar *c, const struct period *p, char text[PERIOD_LABEL_MAX])
{
    check_calendar(c);
    return label_of(c, p->year, p->month, p->day, text);
}

/* The number at s[from .. to), or -1. */
static int part(struct str s, size_t from, size_t to)
{
    int64_t value;
    bool good = to <= s.n && s.p[from] != '-' && str_to_i64(str_sub(s, from, to), 0, 9999, &value);
    return good ? (int)value : -1;
}

/* The date that a label names: what is not in it is the first. Whether it is the whole label, the
 * caller sees by writing it again. */
static bool read_label(const struct calendar *c, struct str label, struct date *ret)
{
    bool quarter = label.n == 7 && label.p[5] == 'Q';
    int year = part(label, 0, 4);
    int month = label.n < 7 ? 1 : quarter ? part(label, 6, 7) * 3 - 2 : part(label, 5, 7);
    int day = label.n < 10 ? 1 : part(label, 8, 10);
    if (year < PERIOD_YEAR_MIN || year > PERIOD_YEAR_MAX || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    char again[PERIOD_LABEL_MAX];
    *ret = (struct date){year, month, day};
    return str_eq(label, str_n(again, label_of(c, year, month, day, again)));
}

static const char *form_of(const struct calendar *c)
{
    if (c->unit == PERIOD_DAY || !is_natural(c))
        return "its first day, such as 2026-01-31,";
    return c->unit == PERIOD_MONTH     ? "a month such as 2026-01"
           : c->unit == PERIOD_QUARTER ? "a quarter such as 2026-Q1"
                                       : "a year such as 2026";
}

enum rc period_parse(const struct calendar *c, struct str label, struct period *ret,
                     struct err *err)
{
    check_calendar(c);
    struct date d;
    if (!read_label(c, label, &d))
        return err_set(err, RC_INVALID, "'%.*s' is not a period: %s was wanted",
                       STRF(ascii_shown(label)), form_of(c));
    struct period p = period_numbered(c, number_of(c, d));
    bool is_it = p.year == d.year && p.month == d.month && p.day == d.day && p.begin < p.end;
    /* The label is a stranger's: the period and its neighbours must be such as period_of takes. */
    if (!is_it || p.begin <= PERIOD_AT_MIN || p.end > PERIOD_AT_MAX)
        return err_set(err, RC_INVALID, "no period begins on '%.*s'", STRF(label));
    *ret = p;
    return RC_OK;
}
