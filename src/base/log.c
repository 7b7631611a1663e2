#include "base/log.h"

#include <unistd.h>

static const char *const level_names[LOG_LEVEL_COUNT] = {"debug", "info", "warn", "error"};

void log_init(struct log *log, struct clock *clock, int fd, enum log_level level, bool json)
{
    *log = (struct log){clock, fd, level, json};
}

bool log_level_parse(struct str s, enum log_level *ret)
{
    for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (str_eq(s, str_c(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* A line in the making. max leaves room for what has to close it. */
struct line {
    char p[LOG_LINE_MAX];
    size_t n;
    size_t max;
};

/* All of it, or nothing where it does not fit. */
static bool put(struct line *l, struct str s)
{
    if (s.n > l->max - l->n)
        return false;
    memcpy(l->p + l->n, s.p, s.n);
    l->n += s.n;
    return true;
}

static bool put_c(struct line *l, const char *text)
{
    return put(l, str_c(text));
}

/* The character at s.p[*at], escaped where it could end the value or the line. */
static bool put_character(struct line *l, struct str s, size_t *at)
{
    char escape[8];
    unsigned char c = (unsigned char)s.p[*at];
    size_t step = str_utf8_step(s, *at);
    struct str out = str_sub(s, *at, *at + step);
    if (c == '"' || c == '\\') {
        int n = snprintf(escape, sizeof escape, "\\%c", c);
        out = str_n(escape, (size_t)n);
    } else if (step == 0 || c < 0x20 || c == 0x7F) {
        /* A byte that is no text becomes the replacement character. */
        int n = snprintf(escape, sizeof escape, "\\u%04x", step == 0 ? 0xFFFDU : c);
        out = str_n(escape, (size_t)n);
    }
    *at += step ? step : 1;
    return put(l, out);
}

/* What does not fit of s is cut; the closing quote always fits behind the opening one. */
static bool put_quoted(struct line *l, struct str s)
{
    if (l->max - l->n < 2)
        return false;
    l->p[l->n++] = '"';
    l->max--;
    for (size_t at = 0; at < s.n;)
        if (!put_character(l, s, &at))
            break;
    l->max++;
    l->p[l->n++] = '"';
    return true;
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7F)
            return false;
    }
    return s.n > 0 && str_is_utf8(s);
}

static bool put_value(struct line *l, bool json, const struct log_field *f)
{
    char number[24];
    if (f->type == LOG_NUMBER) {
        int n = snprintf(number, sizeof number, "%lld", (long long)f->number);
        return put(l, str_n(number, (size_t)n));
    }
    if (!json && is_plain(f->text) && put(l, f->text))
        return true;
    return put_quoted(l, f->text);
}

/* A field whose name does not fit any more is left out. */
static void put_field(struct line *l, bool json, const struct log_field *f)
{
    size_t before = l->n;
    if (!put_c(l, json ? ",\"" : " ") || !put_c(l, f->key) || !put_c(l, json ? "\":" : "=") ||
        !put_value(l, json, f))
        l->n = before;
}

void log_write(const struct log *log, enum log_level level, const char *ev,
               const struct log_field *fields, size_t count)
{
    if (log == NULL || level < log->level)
        return;
    struct line l;
    l.n = 0;
    l.max = sizeof l.p - 2;
    char time[TIME_TEXT_MAX];
    time_format(clock_now(log->clock), time);
    bool fits = put_c(&l, log->json ? "{\"time\":\"" : "time=") && put_c(&l, time) &&
                put_c(&l, log->json ? "\",\"level\":\"" : " level=") &&
                put_c(&l, level_names[level]) && put_c(&l, log->json ? "\",\"ev\":\"" : " ev=") &&
                put_c(&l, ev) && (!log->json || put_c(&l, "\""));
    ASSERT(fits); /* names of events are short */
    for (size_t i = 0; i < count; i++)
        put_field(&l, log->json, &fields[i]);
    l.p[l.n++] = log->json ? '}' : '\n';
    if (log->json)
        l.p[l.n++] = '\n';
    /* A log that cannot be written has nobody to tell. */
    ssize_t written = write(log->fd, l.p, l.n);
    (void)written;
}
