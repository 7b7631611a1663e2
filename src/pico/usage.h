/*
 * usage.h - what accounts use, counted, and told to the meter of the control plane; for this room.
 *
 * An event is counted in the commit that has its effects: it counts exactly when it happened.
 * Events without effects, queries and steps are gathered in memory and written once a second: a
 * kill loses those of its last second, and nobody pays for them. At the end of each period what an
 * account has counted becomes records among what leaves (outgoing.h), in the same transaction that
 * sets it to zero; a record has an id that says which period of which pico it is, so that the meter
 * takes it once, however often it is sent. At the end of each day (UTC) follow how many picos there
 * are below it, and the bytes that they keep.
 */
#ifndef PICO_USAGE_H
#define PICO_USAGE_H

#include "pico/inside.h"

/* With the lock. */
void usage_count(struct pico_engine *e, int64_t account, const struct usage *more);
/* In the commit of events. */
MUST_CHECK enum rc usage_events(struct tx *tx, int64_t account, int64_t events);
/* With the lock, which is given up meanwhile: what was gathered is written. */
void usage_write(struct pico_engine *e);
/* Records for all whose period is over, a few at a time; *ret_more: not all are done. */
MUST_CHECK enum rc usage_turn(struct pico_engine *e, bool *ret_more, struct err *err);
/* Records of an account up to this moment: it ends, or is another's. Where there is none nothing
 * happens. */
MUST_CHECK enum rc usage_end(struct tx *tx, struct pico_engine *e, int64_t account);
void usage_close(struct pico_engine *e);

#endif
