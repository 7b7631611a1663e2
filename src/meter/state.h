/*
 * state.h - what the kinds of meter that are no sum must remember, and the quantity that follows.
 * Pure.
 *
 * A state is a sorted set of entries of 16 bytes: (place, value). Merging sets is commutative and
 * repeats have no effect, so any order of arrival, and any number of repeats, ends at the same
 * bytes and the same quantity.
 *
 *   UNIQUE   place: the key's hash, value: 0
 *   P95      place: number of the 5-minute slot, value: the highest sample in it
 *   COUNTER  place: when it was read, value: the reading; of several with one time the highest
 */
#ifndef METER_STATE_H
#define METER_STATE_H

#include "catalog/item.h"

#define STATE_SLOT_US (5 * US_PER_MINUTE)

enum { STATE_ENTRY_BYTES = 16, STATE_ENTRIES_MAX = 250000, STATE_SLICE_BITS = 2 };

struct entry {
    int64_t place;
    int64_t value;
};
struct state {
    size_t count;
    struct entry *entries; /* ascending by place, one for each */
};

/* From the store's bytes. RC_INVALID: they are none. */
MUST_CHECK enum rc state_read(struct str bytes, struct arena *arena, struct state *ret,
                              struct err *err);
struct str state_write(const struct state *s, struct arena *arena);
/* Both together. fresh may be in any order and hold repeats. RC_TOO_LARGE. */
MUST_CHECK enum rc state_merge(const struct state *a, struct entry *fresh, size_t count,
                               struct arena *arena, struct state *ret, struct err *err);
/* Which part of a window's state a place is in: days for P95 and COUNTER; UNIQUE: the hash's first
 * STATE_SLICE_BITS. Places of one part are neighbours in the order of places. */
int64_t state_part(enum meter_kind kind, int64_t place);

/* P95: of n samples the n x 5 / 100 (rounded down) highest are dropped; the highest of the rest.
 * 0 of none. Sorts the values. */
int64_t state_p95(int64_t *values, size_t count);
/* COUNTER: what it grew by from one reading to the next; a lower one is a fresh start at 0. */
int64_t state_step(int64_t before, int64_t now);
/* The sum of the steps within the state. */
__int128 state_growth(const struct state *s);

#endif
