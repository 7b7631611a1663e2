/*
 * pending.h - the reservations that are open: found by reference, and in the order of their
 * timeouts. Private to ledger/.
 */
#ifndef LEDGER_PENDING_H
#define LEDGER_PENDING_H

#include "ledger/index.h"
#include "ledger/series.h"

struct pending {
    uint32_t source;
    uint32_t debit;
    uint32_t credit;
    uint16_t code;
    uint64_t number;
    int64_t amount;
    uint64_t event;
    time_us ends; /* 0: never */
};

struct pendings {
    struct series items; /* struct item: numbers from 1 */
    struct index index;
    uint32_t *heap; /* numbers of items, the next to end first */
    size_t heap_count;
    size_t heap_room;
    uint32_t free; /* first of the chain of items given back, 0: none */
    uint64_t seed;
    struct arena *arena;
};

void pendings_init(struct pendings *p, struct arena *arena, uint64_t seed);
/* NULL where there is none. Valid until the next change. */
const struct pending *pendings_find(const struct pendings *p, uint32_t source, uint64_t number);
/* It is not there yet. */
void pendings_add(struct pendings *p, const struct pending *pending);
/* It is there. */
void pendings_remove(struct pendings *p, uint32_t source, uint64_t number);
/* The one that ends first (ties: by source, then number), or NULL where none ends. */
const struct pending *pendings_next(const struct pendings *p);
/* Walk in no particular order: start with *at = 0; NULL when done. */
const struct pending *pendings_walk(const struct pendings *p, uint32_t *at);
size_t pendings_count(const struct pendings *p);

#endif
