/*
 * callers.h - who held a credential a moment ago, in this very state of the store.
 *
 * Finding the caller costs as much as many an answer. What was found is kept for as long as nothing
 * was committed since (store_commits), and for CALLERS_KEEP_US at most, since a token may end by
 * time alone. There is nothing to invalidate: another state of the store is another question. Only
 * for a store that this process alone writes to, so not on PostgreSQL.
 *
 * The table is bounded and holds no secrets: they are found by two keyed hashes of 64 bits.
 */
#ifndef API_CALLERS_H
#define API_CALLERS_H

#include "base/arena.h"
#include "base/clock.h"
#include "party/permission.h"

#define CALLERS_KEEP_US US_PER_SECOND

struct callers;

/* Lives in the arena. */
struct callers *callers_init(struct arena *arena, struct clock *clock);
void callers_fini(struct callers *c);

/* commits: of the store, from before the snapshot was taken. The texts of *ret are copied into the
 * arena. */
MUST_CHECK bool callers_find(struct callers *c, struct str secret, uint64_t commits,
                             struct arena *arena, struct caller *ret);
/* Keep what a snapshot said, if the count of commits was the same before and after. */
void callers_keep(struct callers *c, struct str secret, uint64_t commits, const struct caller *who);

#endif
