/*
 * rated_run.h - rated lines that follow one another on the same path, as bytes of one row.
 *
 * Numbers have seven bits a byte, the lowest first, the eighth set where more follow; signed ones
 * alternate: 0, -1, 1, -2, ... What a line has in common with the one before it is left out. The
 * first byte is the form's number: another form gets another one, and the old ones stay readable.
 */
#ifndef BILLING_RATED_RUN_H
#define BILLING_RATED_RUN_H

#include "billing/rate.h"

enum { RATED_RUN_LINES_MAX = 256, RATED_RUN_BYTES_MAX = 1024 * 1024 };

/* All lines have as many edges as the first one's path. The bytes are in the arena. */
struct str rated_run_write(const struct rated_line *lines, size_t count, struct arena *arena);
/* The lines again, without what rate_recall fills in; path is NULL. Their texts point into the
 * bytes; the lines are in the arena. RC_INVALID: these are not the bytes of a run. */
struct rated_run {
    size_t tiers;
    size_t count;
    struct rated_line *lines;
};
MUST_CHECK enum rc rated_run_read(struct str bytes, struct arena *arena, struct rated_run *ret,
                                  struct err *err);

#endif
