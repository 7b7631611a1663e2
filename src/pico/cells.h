/*
 * cells.h - what a pico keeps, in memory: small facts of a few kinds, each with a name and bytes.
 *
 * The same struct holds what is committed (of a loaded pico) and what an activation has changed and
 * not handed in yet. Facts are sorted by ruleset and name; those of a kind lie together. A fact
 * belongs to its struct cells until it is taken out or the whole is emptied; facts never change,
 * they are replaced.
 */
#ifndef PICO_CELLS_H
#define PICO_CELLS_H

#include "base/str.h"

enum cell_kind {
    CELL_ENTITY,    /* rid, name: a packed value */
    CELL_WAITING,   /* rid: the states of its rules */
    CELL_INSTALLED, /* rid; number: the ruleset; place: the order; bytes: config */
    CELL_CHANNEL,   /* name: eci; place: the order; bytes: what channel.c packs */
    CELL_SCHEDULE,  /* name: id; number: when it is due; place: whose rid; bytes: the entry */
    CELL_KINDS,
};

struct cell {
    enum cell_kind kind;
    bool gone; /* in the changes of an activation: it is deleted */
    int64_t rid;
    int64_t number;
    int64_t place;
    struct str name;
    struct str bytes;
};

struct cell_list {
    struct cell **at;
    size_t n;
    size_t capacity;
};

struct cells {
    struct cell_list of[CELL_KINDS];
    size_t bytes; /* of all names and values */
};

/* NULL: there is none. */
const struct cell *cells_get(const struct cells *c, enum cell_kind kind, int64_t rid,
                             struct str name);
/* A copy of cell goes in, in the place of the one with the same key. */
void cells_put(struct cells *c, const struct cell *cell);
void cells_drop(struct cells *c, enum cell_kind kind, int64_t rid, struct str name);
/* Free all. A zeroed struct is fine. */
void cells_fini(struct cells *c);

#endif
