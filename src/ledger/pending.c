#include "ledger/pending.h"

enum { FIRST_HEAP = 64 };
#define IN_NO_HEAP UINT32_MAX

struct item {
    struct pending pending; /* source 0: given back */
    uint32_t heap_at;       /* or IN_NO_HEAP */
    uint32_t next_free;
};

struct key {
    uint32_t source;
    uint64_t number;
};

void pendings_init(struct pendings *p, struct arena *arena, uint64_t seed)
{
    *p = (struct pendings){.arena = arena, .seed = seed};
    series_init(&p->items, arena, sizeof(struct item));
    index_init(&p->index, arena);
    (void)series_add(&p->items); /* number 0 is none */
}

static struct item *item_at(const struct pendings *p, uint32_t id)
{
    return series_at(&p->items, id);
}

/* Numbers come one after the other: mixed well, that they spread (the finaliser of MurmurHash3). */
static uint64_t hash_of(const struct pendings *p, uint32_t source, uint64_t number)
{
    uint64_t h = number ^ p->seed ^ (uint64_t)source << 40;
    h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}

static bool same(const void *things, uint32_t id, const void *key)
{
    const struct pending *x = &item_at(things, id)->pending;
    const struct key *k = key;
    return x->source == k->source && x->number == k->number;
}

static uint32_t find(const struct pendings *p, uint32_t source, uint64_t number)
{
    struct key key = {source, number};
    return index_find(&p->index, hash_of(p, source, number), same, p, &key);
}

/* --- the heap --- */

static bool before(const struct pendings *p, uint32_t a, uint32_t b)
{
    const struct pending *x = &item_at(p, a)->pending;
    const struct pending *y = &item_at(p, b)->pending;
    if (x->ends != y->ends)
        return x->ends < y->ends;
    if (x->source != y->source)
        return x->source < y->source;
    return x->number < y->number;
}

static void heap_set(struct pendings *p, size_t at, uint32_t id)
{
    p->heap[at] = id;
    item_at(p, id)->heap_at = (uint32_t)at;
}

static void heap_up(struct pendings *p, size_t at, uint32_t id)
{
    for (; at > 0 && before(p, id, p->heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap_set(p, at, p->heap[(at - 1) / 2]);
    heap_set(p, at, id);
}

static void heap_down(struct pendings *p, size_t at, uint32_t id)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= p->heap_count)
            break;
        if (child + 1 < p->heap_count && before(p, p->heap[child + 1], p->heap[child]))
            child++;
        if (!before(p, p->heap[child], id))
            break;
        heap_set(p, at, p->heap[child]);
        at = child;
    }
    heap_set(p, at, id);
}

static void heap_add(struct pendings *p, uint32_t id)
{
    if (p->heap_count == p->heap_room) {
        size_t room = p->heap_room ? p->heap_room * 2 : FIRST_HEAP;
        uint32_t *heap = NEW_N(p->arena, uint32_t, room);
        if (p->heap_count > 0)
            memcpy(heap, p->heap, p->heap_count * sizeof *heap);
        p->heap = heap;
        p->heap_room = room;
    }
    p->heap_count++;
    heap_up(p, p->heap_count - 1, id);
}

static void heap_remove(struct pendings *p, size_t at)
{
    ASSERT(at < p->heap_count);
    uint32_t last = p->heap[--p->heap_count];
    if (at == p->heap_count)
        return;
    if (at > 0 && before(p, last, p->heap[(at - 1) / 2]))
        heap_up(p, at, last);
    else
        heap_down(p, at, last);
}

/* --- the set --- */

const struct pending *pendings_find(const struct pendings *p, uint32_t source, uint64_t number)
{
    uint32_t id = find(p, source, number);
    return id != 0 ? &item_at(p, id)->pending : NULL;
}

void pendings_add(struct pendings *p, const struct pending *pending)
{
    ASSERT(pending->source > 0 && pending->amount > 0);
    ASSERT(find(p, pending->source, pending->number) == 0);
    uint32_t id = p->free;
    if (id != 0) {
        p->free = item_at(p, id)->next_free;
    } else {
        id = p->items.count;
        (void)series_add(&p->items);
    }
    *item_at(p, id) = (struct item){.pending = *pending, .heap_at = IN_NO_HEAP};
    index_put(&p->index, hash_of(p, pending->source, pending->number), id);
    if (pending->ends != 0)
        heap_add(p, id);
}

void pendings_remove(struct pendings *p, uint32_t source, uint64_t number)
{
    uint32_t id = find(p, source, number);
    ASSERT(id != 0);
    struct item *item = item_at(p, id);
    if (item->heap_at != IN_NO_HEAP)
        heap_remove(p, item->heap_at);
    index_remove(&p->index, hash_of(p, source, number), id);
    *item = (struct item){.next_free = p->free};
    p->free = id;
}

const struct pending *pendings_next(const struct pendings *p)
{
    return p->heap_count > 0 ? &item_at(p, p->heap[0])->pending : NULL;
}

const struct pending *pendings_walk(const struct pendings *p, uint32_t *at)
{
    while (++*at < p->items.count) {
        const struct pending *x = &item_at(p, *at)->pending;
        if (x->source != 0)
            return x;
    }
    return NULL;
}

size_t pendings_count(const struct pendings *p)
{
    return p->index.count;
}
