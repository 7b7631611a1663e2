/* Open addressing with linear steps; removal closes the gap, so that no tombstones gather. */
#include "ledger/index.h"

enum { FIRST_CAPACITY = 64 };

void index_init(struct index *x, struct arena *arena)
{
    *x = (struct index){.arena = arena};
}

static uint32_t fold(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

static size_t next(const struct index *x, size_t at)
{
    return (at + 1) & (x->capacity - 1);
}

static void place(struct index *x, struct index_slot slot)
{
    size_t at = slot.hash & (x->capacity - 1);
    while (x->slots[at].id != 0)
        at = next(x, at);
    x->slots[at] = slot;
}

static void grow(struct index *x)
{
    struct index old = *x;
    x->capacity = old.capacity ? old.capacity * 2 : FIRST_CAPACITY;
    x->slots = NEW_N(x->arena, struct index_slot, x->capacity);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].id != 0)
            place(x, old.slots[i]);
}

uint32_t index_find(const struct index *x, uint64_t hash, index_same same, const void *things,
                    const void *key)
{
    if (x->count == 0)
        return 0;
    uint32_t h = fold(hash);
    for (size_t at = h & (x->capacity - 1); x->slots[at].id != 0; at = next(x, at))
        if (x->slots[at].hash == h && same(things, x->slots[at].id, key))
            return x->slots[at].id;
    return 0;
}

void index_put(struct index *x, uint64_t hash, uint32_t id)
{
    ASSERT(id > 0);
    if (x->count * 2 >= x->capacity)
        grow(x);
    place(x, (struct index_slot){fold(hash), id});
    x->count++;
}

void index_remove(struct index *x, uint64_t hash, uint32_t id)
{
    ASSERT(x->count > 0);
    size_t gap = fold(hash) & (x->capacity - 1);
    for (; x->slots[gap].id != id; gap = next(x, gap))
        ASSERT(x->slots[gap].id != 0);
    /* Pull back what stands behind the gap, unless its own place lies behind it too. */
    for (size_t at = next(x, gap); x->slots[at].id != 0; at = next(x, at)) {
        size_t home = x->slots[at].hash & (x->capacity - 1);
        size_t from_home = (at - home) & (x->capacity - 1);
        size_t from_gap = (at - gap) & (x->capacity - 1);
        if (from_home < from_gap)
            continue;
        x->slots[gap] = x->slots[at];
        gap = at;
    }
    x->slots[gap] = (struct index_slot){0};
    x->count--;
}
