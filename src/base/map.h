/*
 * map.h - find a value by a text, in an arena.
 *
 * Open addressing, grows by doubling, never shrinks, nothing is removed one by one: maps live and
 * die with their arena. Keys are borrowed and must live as long as the map. The hash is keyed
 * (SipHash-1-3), so that strangers cannot choose keys that collide.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"

struct map_slot {
    struct str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct arena *arena;
    struct map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t seed[2];
};

/* seed: two words of chance; the same for tests that must repeat. */
void map_init(struct map *m, struct arena *arena, const uint64_t seed[2]);

/* The value, or NULL where the key is not there. */
void *map_get(const struct map *m, struct str key);
/* Put a value that is not NULL; returns what was there before, or NULL. */
void *map_put(struct map *m, struct str key, void *value);

/* Walk in no particular order: start with *at = 0; false when done. */
bool map_next(const struct map *m, size_t *at, struct str *ret_key, void **ret_value);

/* SipHash-1-3 of bytes under a key of 128 bits. */
uint64_t hash_str(struct str s, const uint64_t key[2]);

#endif
