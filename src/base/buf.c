#include "base/buf.h"

#include <stdarg.h>

enum { FIRST_BYTES = 256 };

void buf_init(struct buf *b, struct arena *arena, size_t max_bytes)
{
    ASSERT(max_bytes > 0);
    *b = (struct buf){.arena = arena, .max = max_bytes};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

static void grow(struct buf *b, size_t need)
{
    size_t capacity = max_size(max_size(b->capacity * 2, FIRST_BYTES), need);
    capacity = min_size(capacity, b->max);
    ASSERT(capacity >= need);
    char *p = arena_bytes(b->arena, capacity);
    if (b->n > 0)
        memcpy(p, b->p, b->n);
    b->p = p;
    b->capacity = capacity;
}

char *buf_reserve(struct buf *b, size_t size)
{
    if (b->full || size > b->max - b->n) {
        b->full = true;
        return NULL;
    }
    if (size > b->capacity - b->n)
        grow(b, b->n + size);
    char *p = b->p + b->n;
    b->n += size;
    return p;
}

void buf_add(struct buf *b, struct str s)
{
    if (s.n == 0)
        return;
    char *p = buf_reserve(b, s.n);
    if (p != NULL)
        memcpy(p, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
    char *p = buf_reserve(b, 1);
    if (p != NULL)
        *p = c;
}

void buf_add_i64(struct buf *b, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    /* Work on the negative side: INT64_MIN has no positive twin. */
    int64_t rest = value < 0 ? value : -value;
    do {
        digits[--at] = (char)('0' - rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(b, str_n(digits + at, sizeof digits - at));
}

void buf_add_escaped(struct buf *b, struct str s, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            (c != '\0' && (strchr("-._~", c) != NULL || strchr(also, c) != NULL))) {
            buf_add_char(b, (char)c);
        } else {
            buf_add_char(b, '%');
            buf_add_char(b, hex[c >> 4]);
            buf_add_char(b, hex[c & 15]);
        }
    }
}

void buf_fmt(struct buf *b, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    ASSERT(n >= 0);
    if ((size_t)n < sizeof small) {
        buf_add(b, str_n(small, (size_t)n));
        return;
    }
    /* The NUL that vsnprintf writes needs a byte of its own, which is then given back. */
    char *p = buf_reserve(b, (size_t)n + 1);
    if (p == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    b->n--;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
