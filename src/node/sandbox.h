/*
 * sandbox.h - a program that reads what strangers made, such as an image of a disk: it sees its own
 * libraries, one file to read and one folder to write, no network and no other process.
 */
#ifndef NODE_SANDBOX_H
#define NODE_SANDBOX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

struct sandbox {
    const char *read;   /* a file or folder, seen at its own path */
    const char *write;  /* a folder, at its own path; NULL: nothing is written */
    int64_t file_bytes; /* the longest file that it may write; 0: nothing is written */
    int64_t timeout_ms; /* 0: SANDBOX_TIMEOUT_MS */
};

enum { SANDBOX_TIMEOUT_MS = 30000, SANDBOX_CPU_S = 3600 };

/* As run_program (run.h), without any privilege, with bounds on memory, processor and time.
 * RC_UNSUPPORTED: bwrap or prlimit is missing. */
MUST_CHECK enum rc sandbox_run(const struct sandbox *s, const char *const *argv,
                               struct arena *arena, int *ret_status, struct str *ret_output,
                               struct err *err);

#endif
