/*
 * state.h - what the kinds of meter that are no sum must remember, and the quantity that follows.
 * Pure.
 *
 * A state is a sorted set of entries of 16 bytes: (place, value). Merging sets is commutative and
 * repeats have no effect, so any order of arrival, and any number of repeats, ends at the same
 * bytes and the same quantity.
 *
 *   LAST     place: until, value: the quantity; of several with one time the highest
 *   UNIQUE   place: the key's hash, value: 0
 *   P95      place: number of the 5-minute slot, value: the highest sample in it
 *   COUNTER  place: when it was read, value: the reading; of several with one time the highest
 */
#ifndef METER_STATE_H
#define METER_STATE_H

#include "catalog/item.h"

#define STATE_SLOT_US (5 * US_PER_MINUTE)

enum { STATE_ENTRY_BYTES = 16, STATE_ENTRIES_MAX = 1000000 };

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
/* Which part of a window's state a place is in: days for P95 and COUNTER, else 0. */
int64_t state_part(enum meter_kind kind, int64_t place);

/* P95: of n samples the n x 5 / 100 (rounded down) highest are dropped; the highest of the rest.
 * 0 of none. */
int64_t state_p95(const struct state *s, struct arena *scratch);
/* COUNTER: what it grew by from the entry before each one in (from, until] to it; a lower
 * reading is a fresh start at 0. Entries before `from` count as predecessors only. RC_INVALID:
 * the sum does not fit. */
MUST_CHECK enum rc state_growth(const struct state *s, time_us from, time_us until, int64_t *ret,
                                struct err *err);

#endif
