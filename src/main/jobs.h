/*
 * jobs.h - what hansed does by itself: adds up usage, and closes months that somebody asked to close.
 *
 * One thread, piece by piece, each in its own unit of work; it looks for work after each commit, and
 * every JOBS_LOOK_US for what another process on the same store left. Killed anywhere, the next one
 * goes on.
 */
#ifndef MAIN_JOBS_H
#define MAIN_JOBS_H

#include "ledger/ledger.h"
#include "store/store.h"

#define JOBS_LOOK_US (5 * US_PER_SECOND)

enum { JOBS_ARENA_BYTES = 1024 * 1024 * 1024 }; /* the largest piece: a chunk of a close */

struct jobs;

/* RC_UNAVAILABLE: no thread can be started. */
MUST_CHECK enum rc jobs_open(struct jobs **ret, struct store *s, struct ledger *l,
                             const struct log *log, struct err *err);
/* Ends after the piece in hand; before store_close. NULL is fine. */
void jobs_close(struct jobs *j);
/* After store_close, whose last commits still call it. NULL is fine. */
void jobs_free(struct jobs *j);

#endif
