/*
 * buf.h - build text whose length is not known, up to a maximum given at birth.
 *
 * Append freely and test once at the end: the first append that would pass the maximum marks the
 * buffer as full, and it and all later ones append nothing. The bytes live in the arena.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

struct buf {
    char *p;
    size_t n;
    size_t capacity;
    size_t max;
    bool full; /* an append was dropped: the content is not whole */
    struct arena *arena;
};

/* max_bytes > 0, and no more than the arena has room for (about twice, as the buffer grows). */
void buf_init(struct buf *b, struct arena *arena, size_t max_bytes);
/* Empty again; the memory stays. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_add_i64(struct buf *b, int64_t value);
/* As a part of an address: letters, digits, "-._~" (RFC 3986, 2.3) and what is in `also` stay, any
 * other byte is %XX. */
void buf_add_escaped(struct buf *b, struct str s, const char *also);
void buf_fmt(struct buf *b, const char *format, ...) PRINTF(2, 3);

/* size bytes to write at once, counted as appended; NULL where the buffer is full. */
char *buf_reserve(struct buf *b, size_t size);

/* What was appended; valid until the next append. Never NUL-terminated by promise. */
struct str buf_str(const struct buf *b);

#endif
