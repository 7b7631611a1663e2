/*
 * scan.h - passing over bytes, many at a time: for sets of ASCII and for two bytes at a distance.
 *
 * Where the processor has AVX2 it is 32 bytes at a time, else what all of them have. The answers
 * are the same. Nothing is read but the bytes that are named.
 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/base.h"

#include <stdint.h>

/* A set of ASCII: bit c / 16 of bits[c % 16]. No other byte is in one. Zeroed it is empty. */
struct scan_set {
    uint8_t bits[16];
};

/* c < 128. */
static inline void scan_add(struct scan_set *s, unsigned c)
{
    s->bits[c & 15] |= (uint8_t)(1U << (c >> 4));
}

static inline bool scan_has(const struct scan_set *s, char c)
{
    unsigned byte = (unsigned char)c;
    return (s->bits[byte & 15] >> (byte >> 4) & 1) != 0;
}

/* The index of the first of n bytes that is in the set; n where none is. */
size_t scan_in(const struct scan_set *s, const char *p, size_t n);
/* The first that is not. */
size_t scan_out(const struct scan_set *s, const char *p, size_t n);
enum { SCAN_BITS = 64 };
/* A bit for each of SCAN_BITS bytes: those in the set; the first is the lowest. */
uint64_t scan_bits(const struct scan_set *s, const char *p);
/* The first i < n with p[i] in a and p[i + apart] in b; n where there is none. p has n + apart
 * bytes. */
size_t scan_in_both(const struct scan_set *a, const struct scan_set *b, const char *p, size_t n,
                    size_t apart);
/* The first i < n with p[i] == a and p[i + apart] == b. */
size_t scan_both(char a, char b, const char *p, size_t n, size_t apart);

#endif
