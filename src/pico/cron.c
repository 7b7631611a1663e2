#include "pico/cron.h"

enum {
    FIELDS = 6,
    WORD_MAX = 3,          /* of "jan", "sun" */
    SEARCH_DAYS = 366 * 9, /* from 29 February to the next one: eight years over 2100 */
    SECONDS_OF_DAY = 86400,
};

struct field {
    const char *name;
    int min;
    int max;
    const char *words; /* three letters each; the first means min */
};

static const struct field fields[FIELDS] = {
    {"second", 0, 59, ""},
    {"minute", 0, 59, ""},
    {"hour", 0, 23, ""},
    {"day of the month", 1, 31, ""},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of the week", 0, 7, "sunmontuewedthufrisat"},
};

static const struct {
    struct str name;
    struct str means;
} nicknames[] = {
    {STR_INIT("@hourly"), STR_INIT("0 * * * *")}, {STR_INIT("@daily"), STR_INIT("0 0 * * *")},
    {STR_INIT("@weekly"), STR_INIT("0 0 * * 0")}, {STR_INIT("@monthly"), STR_INIT("0 0 1 * *")},
    {STR_INIT("@yearly"), STR_INIT("0 0 1 1 *")},
};

/* --- reading --- */

static uint64_t bits_between(int from, int to)
{
    return (UINT64_MAX >> (63 - to)) & (UINT64_MAX << from);
}

static bool read_value(const struct field *f, struct str s, int *ret)
{
    int64_t number = 0;
    if (str_to_i64(s, f->min, f->max, &number)) {
        *ret = (int)number;
        return s.p[0] != '-';
    }
    struct str words = str_c(f->words);
    for (size_t i = 0; s.n == WORD_MAX && i < words.n; i += WORD_MAX) {
        if (!str_eq_nocase(s, str_sub(words, i, i + WORD_MAX)))
            continue;
        *ret = f->min + (int)(i / WORD_MAX);
        return true;
    }
    return false;
}

/* "*", "5", "5-10", each with "/step". */
static bool read_part(const struct field *f, struct str part, uint64_t *ret)
{
    struct str steps = part;
    struct str range = str_cut(&steps, '/');
    bool stepped = range.n < part.n;
    int64_t step = 1;
    int from = f->min;
    int to = f->max;
    if (stepped && !str_to_i64(steps, 1, f->max, &step))
        return false;
    if (!str_eq(range, STR("*")) && !str_eq(range, STR("?"))) {
        struct str last = range;
        struct str first = str_cut(&last, '-');
        bool single = first.n == range.n;
        if (!read_value(f, first, &from) || (!single && !read_value(f, last, &to)) || from > to)
            return false;
        if (single && !stepped)
            to = from;
    }
    for (int v = from; v <= to; v += (int)step)
        *ret |= UINT64_C(1) << v;
    return true;
}

static enum rc read_field(const struct field *f, struct str text, uint64_t *ret, bool *ret_last,
                          struct err *err)
{
    uint64_t bits = 0;
    bool more = true;
    for (struct str rest = text; more;) {
        more = str_find(rest, ',', 0) < rest.n;
        struct str part = str_cut(&rest, ',');
        if (f == &fields[3] && str_eq(part, STR("L")))
            *ret_last = true;
        else if (!read_part(f, part, &bits))
            return err_set(err, RC_INVALID,
                           "the %s is %d to %d, a range, a step or a list of them, not '%.*s'",
                           f->name, f->min, f->max, STRF(text));
    }
    *ret = bits;
    return RC_OK;
}

static size_t split(struct str text, struct str words[FIELDS + 1])
{
    size_t n = 0;
    for (struct str rest = str_trim(text); rest.n > 0 && n <= FIELDS;) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != ' ' && rest.p[end] != '\t' && rest.p[end] != '\n')
            end++;
        words[n++] = str_sub(rest, 0, end);
        rest = str_trim(str_sub(rest, end, rest.n));
    }
    return n;
}

/* Whether one of the months has one of the days. */
static bool can_come(const struct pico_cron *c)
{
    const int leap_year = 2000;
    for (int month = 1; month <= 12; month++)
        if ((c->months >> month & 1) != 0 &&
            (c->last_day || (c->days & bits_between(1, days_in_month(leap_year, month))) != 0))
            return true;
    return !c->any_weekday;
}

enum rc pico_cron_read(struct str text, struct pico_cron *ret, struct err *err)
{
    struct str words[FIELDS + 1] = {{NULL, 0}};
    struct pico_cron c = {.seconds = 1};
    uint64_t *const bits[FIELDS] = {&c.seconds, &c.minutes, &c.hours,
                                    &c.days,    &c.months,  &c.weekdays};
    if (text.n > PICO_CRON_TEXT_MAX)
        return err_set(err, RC_INVALID, "a schedule has at most %d bytes", PICO_CRON_TEXT_MAX);
    for (size_t i = 0; i < COUNT(nicknames); i++)
        if (str_eq_nocase(str_trim(text), nicknames[i].name))
            text = nicknames[i].means;
    size_t n = split(text, words);
    if (n != FIELDS - 1 && n != FIELDS)
        return err_set(err, RC_INVALID,
                       "a schedule has five fields, or six with the seconds in front");
    for (size_t i = 0; i < n; i++) {
        size_t field = i + FIELDS - n;
        TRY(read_field(&fields[field], words[i], bits[field], &c.last_day, err));
    }
    c.weekdays = (c.weekdays | c.weekdays >> 7) & bits_between(0, 6);
    c.any_day = c.days == bits_between(1, 31);
    c.any_weekday = c.weekdays == bits_between(0, 6);
    if (!can_come(&c))
        return err_set(err, RC_INVALID, "no month of '%.*s' has such a day", STRF(text));
    *ret = c;
    return RC_OK;
}

/* --- the next time --- */

static bool day_matches(const struct pico_cron *c, int64_t day)
{
    const int weekday_of_1970 = 4; /* a Thursday */
    int64_t year = 0;
    int month = 0;
    int of_month = 0;
    civil_from_days(day, &year, &month, &of_month);
    if ((c->months >> month & 1) == 0)
        return false;
    int weekday = (int)(((day + weekday_of_1970) % 7 + 7) % 7);
    bool by_day =
        (c->days >> of_month & 1) != 0 || (c->last_day && of_month == days_in_month(year, month));
    bool by_weekday = (c->weekdays >> weekday & 1) != 0;
    if (c->any_day || c->any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

/* The lowest bit at or above from; -1 where there is none. */
static int next_bit(uint64_t bits, int from)
{
    uint64_t above = from > 63 ? 0 : bits & UINT64_MAX << from;
    return above == 0 ? -1 : __builtin_ctzll(above);
}

/* The first second of a day that matches, at or after from; -1: none. */
static int64_t second_of_day(const struct pico_cron *c, int64_t from)
{
    int hour = (int)(from / 3600);
    int minute = (int)(from / 60 % 60);
    int second = next_bit(c->seconds, (int)(from % 60));
    if ((c->hours >> hour & 1) != 0) {
        if ((c->minutes >> minute & 1) != 0 && second >= 0)
            return (int64_t)hour * 3600 + minute * 60 + second;
        minute = next_bit(c->minutes, minute + 1);
        if (minute >= 0)
            return (int64_t)hour * 3600 + minute * 60 + next_bit(c->seconds, 0);
    }
    hour = next_bit(c->hours, hour + 1);
    return hour < 0 ? -1
                    : (int64_t)hour * 3600 + next_bit(c->minutes, 0) * 60 + next_bit(c->seconds, 0);
}

time_us pico_cron_next(const struct pico_cron *c, time_us after)
{
    int64_t seconds = after / US_PER_SECOND - (after % US_PER_SECOND < 0) + 1;
    int64_t day = seconds / SECONDS_OF_DAY - (seconds % SECONDS_OF_DAY < 0);
    int64_t from = seconds - day * SECONDS_OF_DAY;
    for (int i = 0; i < SEARCH_DAYS; i++, day++, from = 0) {
        int64_t second = day_matches(c, day) ? second_of_day(c, from) : -1;
        if (second >= 0)
            return (day * SECONDS_OF_DAY + second) * US_PER_SECOND;
    }
    NEVER("pico_cron_read has seen that some day matches");
}
