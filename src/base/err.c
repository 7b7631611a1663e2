#include "base/err.h"

#include <stdarg.h>

void err_clear(struct err *err)
{
    err->rc = RC_OK;
    err->text_n = 0;
    err->pointer_n = 0;
    err->text[0] = '\0';
    err->pointer[0] = '\0';
}

/* Cut to size, and not in the middle of a UTF-8 sequence. */
static uint16_t fit(const char *text, size_t n, size_t max)
{
    if (n < max)
        return (uint16_t)n;
    n = max - 1;
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return (uint16_t)n;
}

static void put_text(struct err *err, const char *text, size_t n)
{
    err->text_n = fit(text, n, sizeof err->text);
    memcpy(err->text, text, err->text_n);
    err->text[err->text_n] = '\0';
}

void err_write(struct err *err, enum rc rc, const char *format, ...)
{
    ASSERT(rc != RC_OK && rc < RC_COUNT);
    char text[ERR_TEXT_MAX * 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ASSERT(n >= 0);
    err_clear(err);
    err->rc = rc;
    put_text(err, text, min_size((size_t)n, sizeof text - 1));
}

void err_at(struct err *err, struct str pointer)
{
    err->pointer_n = fit(pointer.p, pointer.n, sizeof err->pointer);
    if (err->pointer_n > 0)
        memcpy(err->pointer, pointer.p, err->pointer_n);
    err->pointer[err->pointer_n] = '\0';
}

enum rc err_blame(enum rc rc, const char *pointer, struct err *err)
{
    if (rc != RC_OK)
        err_at(err, str_c(pointer));
    return rc;
}

void err_under(struct err *err, struct str step)
{
    char pointer[ERR_POINTER_MAX * 2];
    int n = snprintf(pointer, sizeof pointer, "%.*s%.*s", STRF(step), (int)err->pointer_n,
                     err->pointer);
    ASSERT(n >= 0);
    err_at(err, str_n(pointer, min_size((size_t)n, sizeof pointer - 1)));
}

void err_add(struct err *err, const char *format, ...)
{
    ASSERT(err->rc != RC_OK);
    char text[ERR_TEXT_MAX * 2];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ASSERT(n >= 0);
    size_t used = fit(text, (size_t)n, ERR_TEXT_MAX);
    int more = snprintf(text + used, sizeof text - used, ": %s", err->text);
    ASSERT(more >= 0);
    put_text(err, text, min_size(used + (size_t)more, sizeof text - 1));
}

struct str err_text(const struct err *err)
{
    return (struct str){err->text, err->text_n};
}

struct str err_pointer(const struct err *err)
{
    return (struct str){err->pointer, err->pointer_n};
}
