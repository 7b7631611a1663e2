#include "ledger/series.h"

enum { FIRST_BLOCKS = 16 };

void series_init(struct series *s, struct arena *arena, size_t item_bytes)
{
    ASSERT(item_bytes > 0 && item_bytes <= UINT16_MAX);
    *s = (struct series){.arena = arena, .item_bytes = (uint32_t)item_bytes};
}

static void add_block(struct series *s)
{
    if (s->blocks_count == s->blocks_room) {
        uint32_t room = s->blocks_room ? s->blocks_room * 2 : FIRST_BLOCKS;
        char **blocks = NEW_N(s->arena, char *, room);
        if (s->blocks_count > 0)
            memcpy(blocks, s->blocks, s->blocks_count * sizeof *blocks);
        s->blocks = blocks;
        s->blocks_room = room;
    }
    s->blocks[s->blocks_count++] = arena_alloc_n(s->arena, SERIES_BLOCK, s->item_bytes);
}

void *series_add(struct series *s)
{
    ASSERT(s->count < UINT32_MAX);
    if (s->count == s->blocks_count * SERIES_BLOCK)
        add_block(s);
    s->count++;
    void *item = series_at(s, s->count - 1);
    memset(item, 0, s->item_bytes);
    return item;
}

void series_drop(struct series *s)
{
    ASSERT(s->count > 0);
    s->count--;
}
