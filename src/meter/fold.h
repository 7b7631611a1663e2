/*
 * fold.h - records added up in memory, then written to the totals: what a fold and counting anew
 * have in common. Private to meter/.
 *
 * Many records of one (subscription, meter, window) become one struct sum, and so one row that is
 * read and written. Every sum is exact and none depends on the order of its records.
 */
#ifndef METER_FOLD_H
#define METER_FOLD_H

#include "meter/kept.h"
#include "meter/state.h"
#include "meter/total.h"

enum {
    FOLD_ARENA_BYTES = 1024 * 1024 * 1024, /* a limit; what is not needed is not taken */
    FOLD_ROOM_BYTES = 512 * 1024 * 1024,   /* one batch of the worst shape fits in */
    FOLD_SCRATCH_BYTES = 64 * 1024 * 1024,
};
/* 10^18: usage_total has high x FOLD_UNIT + quantity. */
#define FOLD_UNIT INT64_C(1000000000000000000)

/* A window of a subscription that was asked for. */
struct span {
    time_us from;
    time_us until;
    struct span *next;
};

/* A subscription in the hands of a fold. recent: of each of a few meters the sum of last time, for
 * records of one meter go into one sum many times before they go into another. */
enum { FOLD_RECENT = 8 };
struct folded {
    unsigned __int128 id;
    struct str text;
    time_us start;
    bool missing;
    time_us early; /* the end of its latest record, where that is still to come; else 0 */
    struct span *spans;
    struct sum *recent[FOLD_RECENT];
};

struct sum {
    struct folded *of;
    const struct meter *meter;
    int64_t series; /* COUNTER: hash of the source and the dims; else 0 */
    time_us from;   /* of the window */
    time_us until;
    __int128 quantity; /* sums: to be added; MAX, LAST: what it is */
    time_us latest;    /* LAST: whose quantity it is */
    int64_t records;
    size_t entry_count;
    size_t entry_room;
    struct entry *entries; /* kinds with a state */
};

struct fold {
    struct tx *tx;
    struct tx side;       /* the same unit of work with the scratch arena */
    struct arena arena;   /* everything of this struct */
    struct arena scratch; /* emptied after each question */
    size_t meter_count;
    const struct meter *meters;
    time_us billed;
    bool marking; /* changes of billed windows are noted */
    int64_t source;
    size_t folded_count;
    size_t folded_room; /* a power of two */
    struct folded **folded;
    struct folded *last; /* the one of the record before */
    size_t sum_count;
    size_t sum_room;
    struct sum **sums;
};

MUST_CHECK enum rc fold_init(struct fold *f, struct tx *tx);
void fold_fini(struct fold *f);
/* Add a record (sign 1) of f->source, or take it out again (-1; sums alone). What no window
 * holds becomes a usage_conflict. */
MUST_CHECK enum rc fold_add(struct fold *f, const struct packed *p, int sign);
/* The window that an instant of the subscription is in. *ret NULL: it does not run then. */
MUST_CHECK enum rc fold_window(struct fold *f, struct folded *s, time_us at, struct span **ret);
MUST_CHECK enum rc fold_subscription(struct fold *f, unsigned __int128 id, struct folded **ret);
/* The instant that decides where a record of a kind that is not spread belongs. */
time_us fold_instant(const struct folded *s, const struct packed *p);
/* Write all sums. */
MUST_CHECK enum rc fold_write(struct fold *f);

/* Whether a record can be taken out again by adding its opposite. */
bool fold_is_sum(enum meter_kind kind);
/* "no window holds it", kept. */
MUST_CHECK enum rc fold_raise(struct fold *f, const struct packed *p, const char *text);

/* A total as it stands; P95 from its samples. */
struct standing {
    bool there;
    int64_t meter;
    time_us from;
    time_us until;
    int64_t kind;
    int64_t scale;
    __int128 quantity;
    time_us latest;
    int64_t records;
};
/* Those of a subscription whose window begins within [since, before), meter 0: of all, in the
 * order of (meter, from); in the arena. */
enum { STANDING_MAX = STORE_ROWS_MAX };
struct standing_query {
    struct str subscription;
    int64_t meter;
    time_us since;
    time_us before;
};
MUST_CHECK enum rc standing_read(struct tx *tx, const struct standing_query *q, struct arena *arena,
                                 struct standing **ret, size_t *ret_count);
/* P95 of a window. */
MUST_CHECK enum rc standing_p95(struct tx *tx, struct str subscription, int64_t meter, time_us from,
                                __int128 *ret);
/* t->until as the window ends now: it may have been cut, by an end or by other terms, since its
 * total was written. What the scratch arena holds stays. */
MUST_CHECK enum rc fold_window_end(struct fold *f, struct folded *s, struct standing *t);
/* Note what was billed for a window, where that is not noted yet. */
MUST_CHECK enum rc standing_late(struct fold *f, struct str subscription, int64_t meter,
                                 time_us from, time_us until, __int128 billed);
__int128 standing_join(int64_t high, int64_t quantity);

/* Count anew what is named, from the batches up to `folded`. */
struct recount {
    unsigned __int128 subscription;
    int64_t meter; /* 0: all */
    time_us from;  /* windows that begin within [from, until) */
    time_us until;
};
MUST_CHECK enum rc fold_recount(struct tx *tx, int64_t folded, struct recount *list, size_t count,
                                int64_t *ret_changed);

/* Remember of which subscriptions records were added whose time has not come. */
MUST_CHECK enum rc early_note(struct fold *f);
/* Whether there is something to settle. */
MUST_CHECK enum rc early_waiting(struct tx *tx, bool *ret);
/* Count anew, from the batches up to `folded`, what was added early to windows that have changed
 * since; forget what is not early any more. */
MUST_CHECK enum rc early_settle(struct tx *tx, int64_t folded);

#endif
