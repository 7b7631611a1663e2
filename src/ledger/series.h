/*
 * series.h - a growing array whose items never move: blocks in an arena.
 *
 * Items are given in order and taken back from the end only. Room that was taken back is used
 * again.
 */
#ifndef LEDGER_SERIES_H
#define LEDGER_SERIES_H

#include "base/arena.h"

enum { SERIES_BLOCK = 1024 }; /* items in a block */

struct series {
    struct arena *arena;
    char **blocks;
    uint32_t blocks_room; /* of the list */
    uint32_t blocks_count;
    uint32_t count;
    uint32_t item_bytes;
};

void series_init(struct series *s, struct arena *arena, size_t item_bytes);
/* A new item at the end, zeroed. Its number is count - 1 afterwards. */
void *series_add(struct series *s);
/* Take the last one back. */
void series_drop(struct series *s);

/* i < count */
static inline void *series_at(const struct series *s, uint32_t i)
{
    ASSERT(i < s->count);
    return s->blocks[i / SERIES_BLOCK] + (size_t)(i % SERIES_BLOCK) * s->item_bytes;
}

#endif
