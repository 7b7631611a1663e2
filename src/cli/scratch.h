/*
 * scratch.h - a folder of this run alone, and its end.
 */
#ifndef CLI_SCRATCH_H
#define CLI_SCRATCH_H

#include "cli/command.h"

/* "TMPDIR/hanse-PURPOSE-..." (or /tmp), for this user alone. RC_UNAVAILABLE. */
MUST_CHECK enum rc scratch_make(struct run *run, const char *purpose, struct str *ret);
/* With all that is in it. What cannot be removed stays. */
void scratch_remove(struct run *run, struct str folder);

#endif
