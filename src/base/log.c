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

/* A line in the making; what does not fit is cut, the line end always fits. */
struct line {
    char p[LOG_LINE_MAX];
    size_t n;
};

static void put(struct line *l, const char *p, size_t n)
{
    n = min_size(n, sizeof l->p - 2 - l->n);
    memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void put_c(struct line *l, const char *text)
{
    put(l, text, strlen(text));
}

static void put_quoted(struct line *l, struct str s)
{
    put_c(l, "\"");
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            put(l, escape, 2);
        } else if (c < 0x20 || c == 0x7F) {
            int n = snprintf(escape, sizeof escape, "\\u%04x", c);
            put(l, escape, (size_t)n);
        } else {
            put(l, s.p + i, 1);
        }
    }
    put_c(l, "\"");
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7F)
            return false;
    }
    return s.n > 0;
}

static void put_field(struct line *l, bool json, const struct log_field *f)
{
    char number[24];
    put_c(l, json ? ",\"" : " ");
    put_c(l, f->key);
    put_c(l, json ? "\":" : "=");
    if (f->type == LOG_NUMBER) {
        int n = snprintf(number, sizeof number, "%lld", (long long)f->number);
        put(l, number, (size_t)n);
    } else if (!json && is_plain(f->text)) {
        put(l, f->text.p, f->text.n);
    } else {
        put_quoted(l, f->text);
    }
}

void log_write(const struct log *log, enum log_level level, const char *ev,
               const struct log_field *fields, size_t count)
{
    if (log == NULL || level < log->level)
        return;
    struct line l;
    l.n = 0;
    char time[TIME_TEXT_MAX];
    time_format(clock_now(log->clock), time);
    put_c(&l, log->json ? "{\"time\":\"" : "time=");
    put_c(&l, time);
    put_c(&l, log->json ? "\",\"level\":\"" : " level=");
    put_c(&l, level_names[level]);
    put_c(&l, log->json ? "\",\"ev\":\"" : " ev=");
    put_c(&l, ev);
    if (log->json)
        put_c(&l, "\"");
    for (size_t i = 0; i < count; i++)
        put_field(&l, log->json, &fields[i]);
    l.p[l.n++] = log->json ? '}' : '\n';
    if (log->json)
        l.p[l.n++] = '\n';
    /* A log that cannot be written has nobody to tell. */
    ssize_t written = write(log->fd, l.p, l.n);
    (void)written;
}
