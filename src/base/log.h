/*
 * log.h - one line an event, key=value, to standard error.
 *
 *     time=2026-11-22T01:57:28.120000Z level=info ev=store.opened path=/var/lib/hanse us=1204
 *
 * Functions that return enum rc do not log; dispatchers and workers log each outcome once.
 * Values with spaces, quotes or control characters are quoted and escaped, so that one event is
 * always one line. With JSON on, each line is one JSON object. Never hand a secret to the log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

enum { LOG_LINE_MAX = 4096 };

struct log {
    struct clock *clock;
    int fd;
    enum log_level level; /* events below this level are dropped */
    bool json;
};

/* fd stays the caller's. Lines up to LOG_LINE_MAX bytes are written with one write each, so many
 * threads and processes may share fd. */
void log_init(struct log *log, struct clock *clock, int fd, enum log_level level, bool json);

/* "debug", "info", "warn", "error". */
MUST_CHECK bool log_level_parse(struct str s, enum log_level *ret);

struct log_field {
    const char *key;
    enum { LOG_TEXT, LOG_NUMBER } type;
    struct str text;
    int64_t number;
};

#define LOG_S(k, s) ((struct log_field){.key = (k), .type = LOG_TEXT, .text = (s)})
#define LOG_I(k, i) ((struct log_field){.key = (k), .type = LOG_NUMBER, .number = (i)})

/* log_event(log, LOG_INFO, "store.opened", LOG_S("path", path), LOG_I("us", us)); at least one
 * field. log may be NULL: nothing is written. */
#define log_event(log, level, ev, ...)                                       \
    log_write((log), (level), (ev), (const struct log_field[]){__VA_ARGS__}, \
              COUNT(((const struct log_field[]){__VA_ARGS__})))

void log_write(const struct log *log, enum log_level level, const char *ev,
               const struct log_field *fields, size_t count);

#endif
