/*
 * index.h - find the number of a thing by its key: a hash table of 32-bit numbers.
 *
 * The keys live with the things: whoever asks brings the hash of the key, and a function that tells
 * whether a thing has it. Unlike base/map.h things can be taken out again. Number 0 is none.
 */
#ifndef LEDGER_INDEX_H
#define LEDGER_INDEX_H

#include "base/arena.h"

struct index_slot {
    uint32_t hash;
    uint32_t id; /* 0: free */
};

struct index {
    struct arena *arena;
    struct index_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

typedef bool (*index_same)(const void *things, uint32_t id, const void *key);

void index_init(struct index *x, struct arena *arena);
/* The number of the thing with this key, or 0. */
uint32_t index_find(const struct index *x, uint64_t hash, index_same same, const void *things,
                    const void *key);
/* id > 0, and not there yet. */
void index_put(struct index *x, uint64_t hash, uint32_t id);
/* It is there. */
void index_remove(struct index *x, uint64_t hash, uint32_t id);

#endif
