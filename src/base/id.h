/*
 * id.h - names for things: 128 bits, ordered by time, printed with a prefix that tells the kind.
 *
 *     pty_01jd8v3q7w4k2m9x6c5b1n0h8z
 *
 * 48 bits of milliseconds, then 80 bits of chance; a second id of the same millisecond (or of a
 * clock that stepped back) adds a little to the chance of the one before, so that the ids of one
 * source always ascend. Printed as 26 digits of Crockford's base 32 in lower case, the layout of
 * ULID. In the store an id is its text.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/arena.h"
#include "base/clock.h"

enum { ID_DIGITS = 26, ID_PREFIX_MAX = 4, ID_TEXT_MAX = ID_PREFIX_MAX + 1 + ID_DIGITS };

enum { ID_CHANCE_BYTES = 10, ID_CHANCE_AHEAD = 32 };

/* Makes ids. One thread at a time. */
struct id_source {
    struct clock *clock;
    unsigned __int128 last;
    /* Chance is fetched for many ids at once: each time is a system call. */
    unsigned char chance[ID_CHANCE_AHEAD][ID_CHANCE_BYTES];
    size_t chance_left;
};

void id_source_init(struct id_source *s, struct clock *clock);

/* A new id as text in the arena. prefix: 2 to 4 lower case letters, such as "pty". */
struct str id_new(struct id_source *s, struct arena *arena, const char *prefix);

/* Whether s is a well-formed id with this prefix: nothing is said about its existence. */
bool id_is(struct str s, const char *prefix);

/* The 128 bits of a well-formed id, for records of a fixed size, and the id again. */
unsigned __int128 id_number(struct str s);
struct str id_of_number(unsigned __int128 number, struct arena *arena, const char *prefix);

/* When a well-formed id was made, to the millisecond. */
time_us id_time(struct str s);

#endif
