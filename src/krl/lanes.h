/*
 * lanes.h - sixteen bytes at a time, in the vectors that every processor of ours has. Used where a
 * whole text is passed over.
 */
#ifndef KRL_LANES_H
#define KRL_LANES_H

#include "base/base.h"

#include <stdint.h>
#include <string.h>

enum { LANES_BYTES = 16 };

typedef uint8_t lanes8 __attribute__((vector_size(LANES_BYTES)));
typedef uint16_t lanes16 __attribute__((vector_size(LANES_BYTES)));
typedef uint64_t lanes64 __attribute__((vector_size(LANES_BYTES)));

/* Sixteen bytes from anywhere. */
static inline lanes8 lanes_load(const void *p)
{
    lanes8 v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Some bit is set. */
static inline bool lanes_any(lanes8 v)
{
    lanes64 w = (lanes64)v;
    return (w[0] | w[1]) != 0;
}

#endif
