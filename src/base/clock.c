#include "base/clock.h"

#include <sys/random.h>

static time_us read_clock(clockid_t which)
{
    struct timespec ts;
    int failed = clock_gettime(which, &ts);
    ASSERT(failed == 0);
    return (time_us)ts.tv_sec * US_PER_SECOND + ts.tv_nsec / 1000;
}

static time_us system_now(struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_REALTIME);
}

static time_us system_steady(struct clock *c)
{
    (void)c;
    return read_clock(CLOCK_MONOTONIC);
}

static void system_chance(struct clock *c, void *bytes, size_t n)
{
    (void)c;
    char *p = bytes;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0)
            continue; /* EINTR: the only error that getrandom has for valid arguments */
        p += got;
        n -= (size_t)got;
    }
}

struct clock *clock_system(void)
{
    static const struct clock c = {system_now, system_steady, system_chance};
    return (struct clock *)(uintptr_t)&c;
}

bool clock_runs(const struct clock *c)
{
    return c->steady == system_steady;
}

static time_us test_now(struct clock *c)
{
    return atomic_load(&CONTAINER_OF(c, struct clock_test, clock)->at);
}

void clock_test_init(struct clock_test *t, time_us start)
{
    t->clock = (struct clock){test_now, system_steady, system_chance};
    atomic_init(&t->at, start);
}

time_us clock_test_move(struct clock_test *t, time_us to)
{
    int_fast64_t at = atomic_load(&t->at);
    while (at < to && !atomic_compare_exchange_weak(&t->at, &at, to))
        ;
    return max_i64(at, to);
}

static time_us sim_now(struct clock *c)
{
    return CONTAINER_OF(c, struct clock_sim, clock)->at;
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): one 64-bit state, every seed is good. */
static uint64_t sim_next(struct clock_sim *s)
{
    uint64_t z = (s->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void sim_chance(struct clock *c, void *bytes, size_t n)
{
    struct clock_sim *s = CONTAINER_OF(c, struct clock_sim, clock);
    char *p = bytes;
    while (n > 0) {
        uint64_t word = sim_next(s);
        size_t step = min_size(n, sizeof word);
        memcpy(p, &word, step);
        p += step;
        n -= step;
    }
}

void clock_sim_init(struct clock_sim *s, time_us start, uint64_t seed)
{
    *s = (struct clock_sim){{sim_now, sim_now, sim_chance}, start, seed};
}

void clock_sim_advance(struct clock_sim *s, int64_t by_us)
{
    ASSERT(by_us >= 0);
    s->at += by_us;
}

uint64_t clock_sim_below(struct clock_sim *s, uint64_t bound)
{
    ASSERT(bound > 0);
    /* Refuse the tail that would favour small numbers. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t word = sim_next(s);
    while (word >= limit)
        word = sim_next(s);
    return word % bound;
}

/* Both conversions count from 0000-03-01, so that the leap day is the last day of a year; the
 * arithmetic is the Gregorian calendar's 400-year cycle of 146,097 days. */
int64_t days_from_civil(int64_t year, int month, int day)
{
    ASSERT(month >= 1 && month <= 12);
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

int days_in_month(int64_t year, int month)
{
    ASSERT(month >= 1 && month <= 12);
    if (month == 2)
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* value with leading zeros, then what follows it. By hand: every answer has a few times in it. */
static char *put_digits(char *at, int value, int width, char behind)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[width] = behind;
    return at + width + 1;
}

size_t time_format(time_us t, char text[TIME_TEXT_MAX])
{
    int64_t days = t / US_PER_DAY;
    int64_t rest = t % US_PER_DAY;
    if (rest < 0) {
        days--;
        rest += US_PER_DAY;
    }
    int64_t year = 0;
    int month = 0;
    int day = 0;
    civil_from_days(days, &year, &month, &day);
    ASSERT(year >= 1 && year <= 9999);
    int seconds = (int)(rest / US_PER_SECOND);
    int fraction = (int)(rest % US_PER_SECOND);
    char *at = put_digits(text, (int)year, 4, '-');
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, seconds / 3600, 2, ':');
    at = put_digits(at, seconds / 60 % 60, 2, ':');
    at = put_digits(at, seconds % 60, 2, fraction != 0 ? '.' : 'Z');
    if (fraction != 0)
        at = put_digits(at, fraction, 6, 'Z');
    *at = '\0';
    ASSERT(at - text < TIME_TEXT_MAX);
    return (size_t)(at - text);
}

/* Digits at s[at .. at+width), or -1. */
static int digits(struct str s, size_t at, size_t width)
{
    if (at + width > s.n)
        return -1;
    int value = 0;
    for (size_t i = at; i < at + width; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        value = value * 10 + (s.p[i] - '0');
    }
    return value;
}

static bool parse_fraction(struct str s, size_t *at, int64_t *ret_us)
{
    *ret_us = 0;
    if (*at >= s.n || s.p[*at] != '.')
        return true;
    int64_t unit = US_PER_SECOND / 10;
    size_t i = *at + 1;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        if (unit == 0)
            return false; /* finer than a microsecond */
        *ret_us += (s.p[i] - '0') * unit;
        unit /= 10;
    }
    bool some = i > *at + 1;
    *at = i;
    return some;
}

static bool parse_offset(struct str s, size_t at, int64_t *ret_us)
{
    *ret_us = 0;
    if (at + 1 == s.n && (s.p[at] == 'Z' || s.p[at] == 'z'))
        return true;
    if (at + 6 != s.n || (s.p[at] != '+' && s.p[at] != '-') || s.p[at + 3] != ':')
        return false;
    int hours = digits(s, at + 1, 2);
    int minutes = digits(s, at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_us = (hours * 60 + minutes) * US_PER_MINUTE * (s.p[at] == '-' ? -1 : 1);
    return true;
}

bool day_parse(struct str s, int64_t *ret)
{
    int year = digits(s, 0, 4);
    int month = digits(s, 5, 2);
    int day = digits(s, 8, 2);
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret = days_from_civil(year, month, day);
    return true;
}

bool time_parse(struct str s, time_us *ret)
{
    int64_t day = 0;
    int hour = digits(s, 11, 2);
    int minute = digits(s, 14, 2);
    int second = digits(s, 17, 2);
    if (!day_parse(str_sub(s, 0, sizeof "2026-11-22" - 1), &day))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if ((s.p[10] != 'T' && s.p[10] != 't') || s.p[13] != ':' || s.p[16] != ':')
        return false;
    size_t at = 19;
    int64_t fraction = 0;
    int64_t offset = 0;
    if (!parse_fraction(s, &at, &fraction) || !parse_offset(s, at, &offset))
        return false;
    int64_t seconds = day * 86400;
    seconds += INT64_C(3600) * hour + INT64_C(60) * minute + second;
    time_us t = seconds * US_PER_SECOND + fraction - offset;
    /* An offset can lead out of the years that time_format writes. */
    if (t < days_from_civil(1, 1, 1) * US_PER_DAY || t >= days_from_civil(10000, 1, 1) * US_PER_DAY)
        return false;
    *ret = t;
    return true;
}

size_t day_format(int64_t day, char text[DAY_TEXT_MAX])
{
    int64_t year = 0;
    int month = 0;
    int dom = 0;
    civil_from_days(day, &year, &month, &dom);
    ASSERT(year >= 1 && year <= 9999);
    int n = snprintf(text, DAY_TEXT_MAX, "%04d-%02d-%02d", (int)year, month, dom);
    ASSERT(n > 0 && n < DAY_TEXT_MAX);
    return (size_t)n;
}
