#include "krl/time.h"

#include "krl/lib.h"

#include <math.h>

enum { ISO_BYTES_MAX = 64, YEAR_MAX = 9999, DAY_MS = 86400000 };

/* --- the calendar --- */

struct date {
    int64_t year;
    int month; /* 1..12 */
    int day;
};

/* Howard Hinnant, "chrono-compatible low-level date algorithms": days since 1970-01-01. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    int day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    return (struct date){year + era * 400 + (month <= 2), month, day};
}

static int days_in(int64_t year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Monday is 1, Sunday 7. */
static int weekday(int64_t days)
{
    return (int)(((days + 3) % 7 + 7) % 7) + 1;
}

static int64_t floor_div(double a, double b)
{
    return (int64_t)floor(a / b);
}

/* --- reading --- */

struct reader {
    char text[ISO_BYTES_MAX];
    size_t n;
    size_t at;
};

static char peek(const struct reader *r)
{
    return r->at < r->n ? r->text[r->at] : '\0';
}

static bool take(struct reader *r, char c)
{
    bool here = peek(r) == c;
    r->at += here;
    return here;
}

static size_t digits_ahead(const struct reader *r)
{
    size_t i = r->at;
    while (i < r->n && r->text[i] >= '0' && r->text[i] <= '9')
        i++;
    return i - r->at;
}

static bool number(struct reader *r, size_t digits, int *ret)
{
    int value = 0;
    if (digits_ahead(r) < digits)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (r->text[r->at++] - '0');
    *ret = value;
    return true;
}

/* "W05", "W05-2", "W052" behind the year. */
static bool week_date(struct reader *r, int year, int64_t *ret)
{
    int week = 0;
    int day = 1;
    if (!number(r, 2, &week) || week < 1 || week > 53)
        return false;
    if (take(r, '-') || digits_ahead(r) == 1) {
        if (!number(r, 1, &day) || day < 1 || day > 7)
            return false;
    }
    int64_t fourth = days_of(year, 1, 4); /* always in week 1 */
    *ret = fourth - (weekday(fourth) - 1) + (int64_t)(week - 1) * 7 + day - 1;
    return true;
}

static bool ordinal_date(struct reader *r, int year, int64_t *ret)
{
    int day = 0;
    if (!number(r, 3, &day) || day < 1 || day > 365 + (days_in(year, 2) == 29))
        return false;
    *ret = days_of(year, 1, 1) + day - 1;
    return true;
}

static bool read_date(struct reader *r, int64_t *ret)
{
    int year = 0;
    int month = 1;
    int day = 1;
    size_t digits = digits_ahead(r);
    if (digits < 4 || !number(r, 4, &year))
        return false;
    bool dash = take(r, '-');
    if (take(r, 'W'))
        return week_date(r, year, ret);
    if (digits_ahead(r) == 3)
        return ordinal_date(r, year, ret);
    if (dash || digits_ahead(r) >= 4) {
        if (!number(r, 2, &month))
            return false;
        if (dash ? take(r, '-') : digits_ahead(r) > 0) {
            if (!number(r, 2, &day))
                return false;
        }
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *ret = days_of(year, month, day);
    return true;
}

/* "15", "15:04", "1504", "15:04:05.123": milliseconds of the day. */
static bool read_clock(struct reader *r, double *ret)
{
    int parts[3] = {0, 0, 0};
    if (!number(r, 2, &parts[0]))
        return false;
    for (int i = 1; i < 3 && (peek(r) == ':' || digits_ahead(r) >= 2); i++) {
        (void)take(r, ':');
        if (!number(r, 2, &parts[i]))
            return false;
    }
    double ms = 0;
    double scale = 100;
    if (take(r, '.') || take(r, ',')) {
        if (digits_ahead(r) == 0)
            return false;
        while (digits_ahead(r) > 0) {
            ms += floor((r->text[r->at++] - '0') * scale);
            scale /= 10;
        }
    }
    bool midnight = parts[0] == 24 && parts[1] == 0 && parts[2] == 0 && ms == 0;
    if ((parts[0] > 23 && !midnight) || parts[1] > 59 || parts[2] > 59)
        return false;
    *ret = ((parts[0] * 60.0 + parts[1]) * 60 + parts[2]) * 1000 + ms;
    return true;
}

/* "Z", "+01", "+01:00", "-0130": minutes east; none is UTC. */
static bool read_zone(struct reader *r, double *ret)
{
    int hours = 0;
    int minutes = 0;
    *ret = 0;
    if (r->at == r->n || take(r, 'Z'))
        return true;
    bool minus = take(r, '-');
    if (!minus && !take(r, '+'))
        return false;
    if (!number(r, 2, &hours))
        return false;
    if ((take(r, ':') || digits_ahead(r) > 0) && !number(r, 2, &minutes))
        return false;
    *ret = (minus ? -1 : 1) * (hours * 60.0 + minutes);
    return true;
}

bool krl_time_read(const struct krl_text *text, double now_ms, double *ret_ms)
{
    struct reader r = {.n = 0};
    int64_t days = floor_div(now_ms, DAY_MS);
    double clock = 0;
    double zone = 0;
    if (text->n == 0 || text->n > ISO_BYTES_MAX || text->wide)
        return false;
    memcpy(r.text, text->a, text->n);
    r.n = text->n;
    bool clock_only = r.n == 2 || (r.n > 2 && (r.text[2] == ':' || r.text[0] == 'T'));
    if (!clock_only && !read_date(&r, &days))
        return false;
    bool timed = take(&r, 'T') || clock_only || take(&r, ' ');
    if (timed && (!read_clock(&r, &clock) || !read_zone(&r, &zone)))
        return false;
    if (r.at != r.n)
        return false;
    *ret_ms = (double)days * DAY_MS + clock - zone * 60000;
    return true;
}

/* --- writing --- */

size_t krl_time_print(double ms, char text[KRL_TIME_TEXT_MAX])
{
    int64_t days = floor_div(ms, DAY_MS);
    int64_t rest = (int64_t)(ms - (double)days * DAY_MS);
    struct date d = date_of(days);
    return (size_t)snprintf(text, KRL_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                            (int)d.year, d.month, d.day, (int)(rest / 3600000),
                            (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}

static bool in_calendar(double ms)
{
    return ms >= (double)days_of(0, 1, 1) * DAY_MS &&
           ms < (double)days_of(YEAR_MAX + 1, 1, 1) * DAY_MS;
}

static struct krl_value time_value(struct krl_machine *m, double ms)
{
    char text[KRL_TIME_TEXT_MAX];
    ms = trunc(ms);
    if (!in_calendar(ms)) {
        krl_fail(&m->heap, RC_INVALID, "RangeError: Invalid time value");
        return krl_failed();
    }
    return krl_of_text(krl_text(&m->heap, str_n(text, krl_time_print(ms, text))));
}

/* --- the functions --- */

/* TypeError: time:NAME was given VALUE instead of what. */
static bool not_given(struct krl_machine *m, const char *name, struct krl_value v, const char *what)
{
    krl_fail(&m->heap, RC_INVALID, "TypeError: time:%s was given %.*s instead of %s", name,
             STRF(krl_to_message(&m->heap, v)), what);
    return false;
}

static bool is_given(struct krl_machine *m, const char *name, struct krl_value v, const char *what)
{
    if (!krl_truthy(v))
        krl_fail(&m->heap, RC_INVALID, "Error: time:%s needs a %s", name, what);
    return krl_truthy(v);
}

/* Anything is read as its text; only time:new takes numbers as milliseconds. */
static bool need_date(struct krl_machine *m, const char *name, struct krl_value v, double *ret)
{
    const struct krl_text *text = krl_to_text(&m->heap, v);
    if (text == NULL)
        return false;
    if (krl_time_read(text, m->host->now_ms(m->host), ret))
        return true;
    if (v.type != KRL_TEXT)
        return not_given(m, name, v, "a date string");
    krl_fail(&m->heap, RC_INVALID, "Error: time:%s was given an invalid date string (%.*s)", name,
             STRF(krl_to_message(&m->heap, v)));
    return false;
}

/* opts may name a time zone, but what is returned is UTC. */
static struct krl_value time_now(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value opts = krl_arg(args, n, 0);
    if (krl_truthy(opts) && opts.type != KRL_MAP && !not_given(m, "now", opts, "an opts map"))
        return krl_failed();
    return time_value(m, m->host->now_ms(m->host));
}

static struct krl_value time_new(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double ms = 0;
    struct krl_value v = krl_arg(args, n, 0);
    if (krl_is_number(v)) /* also 0, which the official engine takes for none */
        return time_value(m, v.number);
    if (!is_given(m, "new", v, "date string"))
        return krl_failed();
    return need_date(m, "new", v, &ms) ? time_value(m, ms) : krl_failed();
}

/* Months are counted in the calendar; a day that the month has not becomes its last. */
static double add_months(double ms, double months)
{
    int64_t days = floor_div(ms, DAY_MS);
    double clock = ms - (double)days * DAY_MS;
    struct date d = date_of(days);
    int64_t month = d.year * 12 + d.month - 1 + (int64_t)months;
    int64_t year = (month >= 0 ? month : month - 11) / 12;
    int of_year = (int)(month - year * 12) + 1;
    int last = days_in(year, of_year);
    return (double)days_of(year, of_year, d.day < last ? d.day : last) * DAY_MS + clock;
}

/* What a spec map may name, in three ways each; of two names of one unit the last counts. */
enum { YEARS, QUARTERS, MONTHS, WEEKS, DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, UNITS };

static size_t unit_of(const struct krl_text *name)
{
    static const char *const names[UNITS][3] = {
        [YEARS] = {"years", "year", "y"},
        [QUARTERS] = {"quarters", "quarter", "Q"},
        [MONTHS] = {"months", "month", "M"},
        [WEEKS] = {"weeks", "week", "w"},
        [DAYS] = {"days", "day", "d"},
        [HOURS] = {"hours", "hour", "h"},
        [MINUTES] = {"minutes", "minute", "m"},
        [SECONDS] = {"seconds", "second", "s"},
        [MILLISECONDS] = {"milliseconds", "millisecond", "ms"}};
    for (size_t i = 0; i < UNITS; i++)
        for (size_t k = 0; k < COUNT(names[i]); k++)
            if (krl_text_is(name, names[i][k]))
                return i;
    return UNITS; /* is passed over */
}

static void read_spec(const struct krl_map *spec, double amounts[UNITS])
{
    for (size_t i = 0; i < spec->n; i++) {
        const struct krl_entry *e = krl_map_at(spec, i);
        size_t unit = unit_of(e->key);
        double amount = 0;
        if (!krl_to_number(e->value, &amount) || fabs(amount) > 1e12)
            amount = 0;
        if (unit < UNITS)
            amounts[unit] = amount;
    }
}

/* As moment adds: months first, then days, then what a clock shows. */
static struct krl_value time_add(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double ms = 0;
    double v[UNITS] = {0};
    struct krl_value date = krl_arg(args, n, 0);
    struct krl_value spec = krl_arg(args, n, 1);
    if (!is_given(m, "add", date, "date string") || !is_given(m, "add", spec, "spec map") ||
        !need_date(m, "add", date, &ms) ||
        (spec.type != KRL_MAP && !not_given(m, "add", spec, "a spec map")))
        return krl_failed();
    read_spec(spec.map, v);
    double months = round(v[YEARS] * 12 + v[QUARTERS] * 3 + v[MONTHS]);
    double days = round(v[WEEKS] * 7 + v[DAYS]);
    if (fabs(months) >= 12.0 * 2 * YEAR_MAX)
        return time_value(m, INFINITY);
    ms = add_months(ms, months) + days * DAY_MS;
    ms += v[HOURS] * 3600000 + v[MINUTES] * 60000 + v[SECONDS] * 1000 + v[MILLISECONDS];
    return time_value(m, ms);
}

/* --- strftime, as npm's package of the name has it in en_US --- */

struct moment {
    struct date date;
    int64_t days;
    int64_t ms; /* of the day */
};

static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};

/* One number: its least width and what it is filled with ('\0': nothing). */
static void put_number(struct krl_builder *b, int64_t value, int width, char fill)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%lld", (long long)value);
    for (int i = n; fill != '\0' && i < width; i++)
        krl_add_unit(b, (uint8_t)fill);
    krl_add_ascii(b, str_n(text, (size_t)n));
}

/* Weeks of the year, the first beginning with the first such weekday (1 is Monday). */
static int64_t week_of(const struct moment *t, int first)
{
    int64_t of_year = t->days - days_of(t->date.year, 1, 1);
    int since = (weekday(t->days) - first + 7) % 7;
    return (of_year + 7 - since) / 7;
}

/* The number of a directive; false where it is none. */
static bool number_of(const struct moment *t, char letter, int64_t *ret, int *width, char *fill)
{
    int64_t hour = t->ms / 3600000;
    int64_t twelve = hour % 12 == 0 ? 12 : hour % 12;
    const struct {
        int64_t value;
        int width;
        char letter;
        char fill;
    } numbers[] = {{t->date.year / 100, 2, 'C', '0'},
                   {t->date.day, 2, 'd', '0'},
                   {t->date.day, 2, 'e', ' '},
                   {hour, 2, 'H', '0'},
                   {twelve, 2, 'I', '0'},
                   {t->days - days_of(t->date.year, 1, 1) + 1, 3, 'j', '0'},
                   {hour, 2, 'k', ' '},
                   {twelve, 2, 'l', ' '},
                   {t->ms % 1000, 3, 'L', '0'},
                   {t->ms / 60000 % 60, 2, 'M', '0'},
                   {t->date.month, 2, 'm', '0'},
                   {t->ms / 1000 % 60, 2, 'S', '0'},
                   {(t->days * DAY_MS + t->ms) / 1000, 1, 's', '\0'},
                   {week_of(t, 7), 2, 'U', '0'},
                   {weekday(t->days), 1, 'u', '\0'},
                   {week_of(t, 1), 2, 'W', '0'},
                   {weekday(t->days) % 7, 1, 'w', '\0'},
                   {t->date.year, 1, 'Y', '\0'},
                   {t->date.year % 100, 2, 'y', '0'}};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (numbers[i].letter != letter)
            continue;
        *ret = numbers[i].value;
        *width = numbers[i].width;
        *fill = numbers[i].fill;
        return true;
    }
    return false;
}

static struct str word_of(const struct moment *t, char letter)
{
    struct str day = str_c(day_names[weekday(t->days) - 1]);
    struct str month = str_c(month_names[t->date.month - 1]);
    bool morning = t->ms < DAY_MS / 2;
    switch (letter) {
    case 'A':
        return day;
    case 'a':
        return str_sub(day, 0, 3);
    case 'B':
        return month;
    case 'b':
    case 'h':
        return str_sub(month, 0, 3);
    case 'P':
        return morning ? STR("am") : STR("pm");
    case 'p':
        return morning ? STR("AM") : STR("PM");
    case 'n':
        return STR("\n");
    case 't':
        return STR("\t");
    case 'Z':
        return STR("Coordinated Universal Time");
    case 'z':
        return STR("+0000");
    case '%':
        return STR("%");
    default:
        return STR("");
    }
}

/* What a directive is short for; empty where it is not. */
static struct str expansion(char letter)
{
    static const struct {
        char letter;
        const char *format;
    } all[] = {{'c', "%a %d %b %Y %I:%M:%S %p %Z"},
               {'D', "%m/%d/%y"},
               {'F', "%Y-%m-%d"},
               {'R', "%H:%M"},
               {'r', "%I:%M:%S %p"},
               {'T', "%H:%M:%S"},
               {'v', "%e-%b-%Y"},
               {'X', "%I:%M:%S %p"},
               {'x', "%m/%d/%y"}};
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].letter == letter)
            return str_c(all[i].format);
    return STR("");
}

struct flags {
    char fill;  /* '-', '_', '0'; '\0': none */
    bool colon; /* of the zone */
};

/* False where it is no directive. */
static bool put_simple(struct krl_builder *b, const struct moment *t, struct flags flags,
                       char letter)
{
    int64_t value = 0;
    int width = 0;
    char fill = '\0';
    if (number_of(t, letter, &value, &width, &fill)) {
        char flag = letter == 'L' ? '\0' : flags.fill; /* milliseconds are always three digits */
        char chosen = flag == '-' ? '\0' : flag == '_' ? ' ' : flag == '0' ? '0' : fill;
        put_number(b, value, width, chosen);
        return true;
    }
    struct str word = flags.colon && letter == 'z' ? STR("+00:00") : word_of(t, letter);
    krl_add_ascii(b, word);
    return word.n > 0;
}

static bool put_directive(struct krl_builder *b, const struct moment *t, struct flags flags,
                          char letter)
{
    struct str format = expansion(letter);
    if (format.n == 0)
        return put_simple(b, t, flags, letter);
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] == '%')
            (void)put_simple(b, t, (struct flags){.colon = false},
                             format.p[++i]); /* ours are all known */
        else
            krl_add_unit(b, (uint8_t)format.p[i]);
    }
    return true;
}

static char ascii_at(const struct krl_text *t, size_t i)
{
    return i < t->n && krl_unit(t, i) < 0x80 ? (char)krl_unit(t, i) : '\0';
}

/* The flags at *at, which moves behind them; of several that fill the last counts. */
static struct flags take_flags(const struct krl_text *t, size_t *at)
{
    struct flags flags = {.fill = '\0'};
    for (;; ++*at) {
        char c = ascii_at(t, *at);
        if (c == ':')
            flags.colon = true;
        else if (c == '-' || c == '_' || c == '0')
            flags.fill = c;
        else
            return flags;
    }
}

/* What is no directive stands as it is, without its flags; a % at the end is none. */
static void put_format(struct krl_builder *b, const struct moment *t, const struct krl_text *format)
{
    for (size_t i = 0; i < format->n && !b->failed; i++) {
        if (krl_unit(format, i) != '%') {
            krl_add_unit(b, krl_unit(format, i));
            continue;
        }
        i++;
        struct flags flags = take_flags(format, &i);
        if (i >= format->n || put_directive(b, t, flags, ascii_at(format, i)))
            continue;
        krl_add_unit(b, '%');
        krl_add_unit(b, krl_unit(format, i));
    }
}

static struct krl_value time_strftime(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double ms = 0;
    struct krl_value date = krl_arg(args, n, 0);
    struct krl_value fmt = krl_arg(args, n, 1);
    if (!is_given(m, "strftime", date, "date string") ||
        !is_given(m, "strftime", fmt, "fmt string") || !need_date(m, "strftime", date, &ms) ||
        (fmt.type != KRL_TEXT && !not_given(m, "strftime", fmt, "a fmt string")))
        return krl_failed();
    const struct krl_text *format = fmt.text;
    struct moment t = {.days = floor_div(ms, DAY_MS)};
    t.ms = (int64_t)(ms - (double)t.days * DAY_MS);
    t.date = date_of(t.days);
    struct krl_builder b;
    krl_builder_init(&b, &m->heap);
    put_format(&b, &t, format);
    return krl_of_text(krl_builder_text(&b));
}

const struct krl_builtin krl_time_members[] = {
    {"add", {"date", "spec"}, time_add, KRL_KIND_FUNCTION, 2, false},
    {"new", {"date"}, time_new, KRL_KIND_FUNCTION, 1, false},
    {"now", {"opts"}, time_now, KRL_KIND_FUNCTION, 1, false},
    {"strftime", {"date", "fmt"}, time_strftime, KRL_KIND_FUNCTION, 2, false},
    {.name = NULL},
};
