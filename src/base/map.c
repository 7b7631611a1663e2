#include "base/map.h"

enum { FIRST_CAPACITY = 16 };

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; one round a word and three at
 * the end, which is enough for tables. */
uint64_t hash_str(struct str s, const uint64_t key[2])
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t word = 0;
        memcpy(&word, s.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)s.n << 56;
    if (i < s.n)
        memcpy(&last, s.p + i, s.n - i);
    last = (last & UINT64_C(0x00FFFFFFFFFFFFFF)) | (uint64_t)s.n << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, struct arena *arena, const uint64_t seed[2])
{
    *m = (struct map){.arena = arena, .seed = {seed[0], seed[1]}};
}

/* The slot that holds key, or the free one where it belongs. capacity > count. */
static struct map_slot *find(struct map_slot *slots, size_t capacity, struct str key, uint64_t hash)
{
    for (size_t i = hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        struct map_slot *slot = &slots[i];
        if (slot->value == NULL || (slot->hash == hash && str_eq(slot->key, key)))
            return slot;
    }
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    return find(m->slots, m->capacity, key, hash_str(key, m->seed))->value;
}

static void grow(struct map *m)
{
    size_t capacity = m->capacity ? m->capacity * 2 : FIRST_CAPACITY;
    struct map_slot *slots = NEW_N(m->arena, struct map_slot, capacity);
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[i].value != NULL)
            *find(slots, capacity, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    m->slots = slots;
    m->capacity = capacity;
}

void *map_put(struct map *m, struct str key, void *value)
{
    ASSERT(value != NULL);
    if (m->count * 4 >= m->capacity * 3)
        grow(m);
    uint64_t hash = hash_str(key, m->seed);
    struct map_slot *slot = find(m->slots, m->capacity, key, hash);
    void *before = slot->value;
    m->count += before == NULL;
    *slot = (struct map_slot){before ? slot->key : key, value, hash};
    return before;
}

bool map_next(const struct map *m, size_t *at, struct str *ret_key, void **ret_value)
{
    for (; *at < m->capacity; (*at)++) {
        const struct map_slot *slot = &m->slots[*at];
        if (slot->value == NULL)
            continue;
        *ret_key = slot->key;
        *ret_value = slot->value;
        (*at)++;
        return true;
    }
    return false;
}
