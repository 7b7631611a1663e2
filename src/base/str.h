/*
 * str.h - text as pointer and length, passed by value.
 *
 * A struct str borrows its bytes: it owns nothing, is never NUL-terminated by promise, and may be
 * a slice of something longer. {NULL, 0} is the empty text and differs from no other empty text.
 * Bytes are UTF-8 where they come from outside (checked at the door with str_is_utf8).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

struct str {
    const char *p;
    size_t n;
};

/* A literal as struct str; STR_INIT for initialisers of static tables. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
#define STR_INIT(lit)           \
    {                           \
        "" lit, sizeof(lit) - 1 \
    }
/* For printf: "%.*s", STRF(s). */
#define STRF(s) (int)(s).n, (s).p ? (s).p : ""

/* The text of a C string; NULL gives the empty text. */
struct str str_c(const char *c);
struct str str_n(const char *p, size_t n);

bool str_eq(struct str a, struct str b);
/* Byte order, as memcmp; a prefix comes before what it begins. */
int str_cmp(struct str a, struct str b);
/* ASCII letters compare without case, all other bytes as they are. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Index of the first c at or after from; s.n where there is none. */
size_t str_find(struct str s, char c, size_t from);
/* Whether needle occurs in s. */
bool str_has(struct str s, struct str needle);
/* From byte a up to, not including, byte b; both are clamped to the length. */
struct str str_sub(struct str s, size_t a, size_t b);
/* Without the spaces, tabs and line ends at both sides. */
struct str str_trim(struct str s);
/* Cut at the first c: returns what is before it and moves *rest behind it. Without a c, all of
 * *rest is returned and *rest becomes empty. Loop while (rest.n > 0). */
struct str str_cut(struct str *rest, char c);

/* A whole decimal number with optional '-', nothing before or behind it, within min..max.
 * False, and *ret untouched, on anything else. */
MUST_CHECK bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret);

/* Well-formed UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool str_is_utf8(struct str s);
/* So many hexadecimal digits, small ones: a hash as it is written. */
bool str_is_hex(struct str s, size_t digits);
/* The value of a hexadecimal digit, of either case; -1: it is none. */
static inline int hex_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
/* Bytes of the well-formed sequence at byte at, 1..4; 0 where there is none. at < s.n. */
size_t str_utf8_step(struct str s, size_t at);
/* Number of code points of well-formed UTF-8. */
size_t str_count_utf8(struct str s);

/* Equal, in time that depends on the lengths only: for secrets. */
bool str_eq_secret(struct str a, struct str b);

#endif
