/*
 * text.h - strings of KRL: sequences of UTF-16 units, as in JavaScript.
 *
 * A text whose units are all ASCII is kept as bytes (narrow), any other as units (wide). The form
 * follows from the content alone, so equal texts have equal forms. Lone surrogates are units like
 * any other. A text never changes; appending to the text that was built last extends its bytes in
 * place, and a part shares the bytes of the whole, so building text piece by piece costs what it
 * adds.
 *
 * Outside, texts are UTF-8. A lone surrogate becomes three bytes (WTF-8) where the text must come
 * back the same, and U+FFFD where others read it.
 */
#ifndef KRL_TEXT_H
#define KRL_TEXT_H

#include "krl/heap.h"

enum {
    KRL_TEXT_MAX = 256 * 1024 * 1024, /* units; the budget ends before */
    KRL_SHORT_UNITS = 16,
};

/* Bytes that texts share; the last may grow. */
struct krl_room {
    size_t used;
    size_t capacity;
    _Alignas(16) char bytes[];
};

struct krl_text {
    uint32_t n; /* units */
    bool wide;
    union {
        const char *a;     /* narrow */
        const uint16_t *u; /* wide */
    };
    struct krl_room *room; /* NULL: the bytes are somebody else's */
};

/* The empty text. */
extern const struct krl_text krl_empty;

static inline uint16_t krl_unit(const struct krl_text *t, size_t i)
{
    return t->wide ? t->u[i] : (uint8_t)t->a[i];
}

/* From UTF-8 (three-byte surrogates are taken as they are; what cannot be read becomes U+FFFD). */
const struct krl_text *krl_text(struct krl_heap *h, struct str utf8);
/* Over ASCII bytes that lie in the heap already and change no more; n > 0. */
const struct krl_text *krl_text_over(struct krl_heap *h, const char *ascii, size_t n);
/* From units; narrow where they are all ASCII. */
const struct krl_text *krl_text_units(struct krl_heap *h, const uint16_t *units, size_t n);
/* Units from..to, from <= to <= n. */
const struct krl_text *krl_text_part(struct krl_heap *h, const struct krl_text *t, size_t from,
                                     size_t to);
const struct krl_text *krl_text_join(struct krl_heap *h, const struct krl_text *a,
                                     const struct krl_text *b);
bool krl_text_eq(const struct krl_text *a, const struct krl_text *b);
/* By units, as JavaScript orders. */
int krl_text_cmp(const struct krl_text *a, const struct krl_text *b);
/* Equal to an ASCII literal. */
bool krl_text_is(const struct krl_text *t, const char *ascii);
/* Index of the first needle at or after from; SIZE_MAX where there is none, or where the steps
 * ended. Pays for the units it passes. */
size_t krl_text_find(struct krl_heap *h, const struct krl_text *t, const struct krl_text *needle,
                     size_t from);
/* The same for n units as the text has them: bytes where it is narrow, uint16_t where it is wide.
 * Pays nothing. */
size_t krl_text_seek(const struct krl_text *t, const void *needle, size_t n, size_t from);
uint64_t krl_text_hash(const struct krl_text *t, const uint64_t seed[2]);
/* All units as an array of uint16_t (the text's own where it is wide). NULL: no room. */
const uint16_t *krl_text_wide(struct krl_heap *h, const struct krl_text *t);

/* UTF-8 in the arena. exact: lone surrogates as three bytes; else as U+FFFD. p is NULL: no room. */
struct str krl_text_utf8(struct krl_heap *h, const struct krl_text *t, bool exact);

/* Build a text of unknown length. Starts narrow and widens on the first unit that is not ASCII. */
struct krl_builder {
    struct krl_heap *heap;
    char *bytes; /* or units */
    size_t n;    /* units */
    size_t capacity;
    size_t least; /* units to make room for, once there is a first */
    bool wide;
    bool failed; /* no room; the heap has the error */
};
void krl_builder_init(struct krl_builder *b, struct krl_heap *h);
/* So many units are expected, at least: they will cost one allocation. */
void krl_builder_reserve(struct krl_builder *b, size_t units);
/* Where n more ASCII units can be written; the caller adds to b->n. NULL: not without making room,
 * or it is wide. */
static inline char *krl_builder_room(struct krl_builder *b, size_t n)
{
    return b->wide || b->failed || n > b->capacity - b->n ? NULL : b->bytes + b->n;
}
void krl_add_unit(struct krl_builder *b, uint16_t unit);
/* A code point, as one unit or two. */
void krl_add_code(struct krl_builder *b, uint32_t code);
void krl_add_long_part(struct krl_builder *b, const struct krl_text *t, size_t from, size_t to);
/* Units from..to. */
static inline void krl_add_part(struct krl_builder *b, const struct krl_text *t, size_t from,
                                size_t to)
{
    ASSERT(from <= to && to <= t->n);
    if (from == to)
        return;
    char *room = t->wide ? NULL : krl_builder_room(b, to - from);
    if (UNLIKELY(room == NULL)) {
        krl_add_long_part(b, t, from, to);
        return;
    }
    /* Most are short: a fixed number of bytes is one instruction, and what is too much of it is
     * written over. */
    if (to - from <= KRL_SHORT_UNITS && t->n - from >= KRL_SHORT_UNITS &&
        b->capacity - b->n >= KRL_SHORT_UNITS)
        memcpy(room, t->a + from, KRL_SHORT_UNITS);
    else
        memcpy(room, t->a + from, to - from);
    b->n += to - from;
}
static inline void krl_add_text(struct krl_builder *b, const struct krl_text *t)
{
    char *room = t->wide || t->n != 1 ? NULL : krl_builder_room(b, 1);
    if (room == NULL) {
        krl_add_part(b, t, 0, t->n);
        return;
    }
    *room = t->a[0];
    b->n++;
}
void krl_add_ascii(struct krl_builder *b, struct str ascii);
/* NULL: no room. */
const struct krl_text *krl_builder_text(struct krl_builder *b);

/* White space of JavaScript (ECMAScript 12.2 and 12.3). */
bool krl_is_space(uint16_t unit);

#endif
