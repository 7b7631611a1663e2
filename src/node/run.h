/*
 * run.h - run a program of the machine and wait for it: ip, nft, mke2fs, crun.
 *
 * The program gets no descriptor but its three, no signal mask, and dies with the thread that
 * started it, so that a killed agent leaves no step half done behind the back of its successor.
 */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

enum { RUN_OUTPUT_BYTES_MAX = 64 * 1024, RUN_ARGUMENTS_MAX = 200, RUN_TIMEOUT_MS = 120000 };

struct run {
    const char *const *argv; /* NULL at the end; looked for in PATH */
    struct str input;        /* what it reads; or */
    int input_fd;            /* a descriptor, where it is > 0 */
    int output_fd;           /* what it says goes there, where it is > 0; else it is kept */
    size_t output_max;       /* bytes kept, 0: RUN_OUTPUT_BYTES_MAX; the rest is read and dropped */
    int64_t timeout_ms;      /* 0: RUN_TIMEOUT_MS; then it is killed */
    bool own_mounts;         /* in a mount namespace: what it mounts ends with it */
    const char *directory;   /* where it works; NULL: where the agent does */
    int users_fd;            /* a namespace of users where it is root, where it is > 0 */
    bool keeps_errors; /* with output_fd: what it says of errors is kept, and goes not there */
    bool hide_unified; /* in a mount namespace without the second cgroup hierarchy: crun
                                refuses to work where both are mounted */
};

/* RC_OK: it ended; *ret_status is its exit status, or 128 + the signal; 127: there is none such.
 * RC_TIMEOUT. RC_UNAVAILABLE: no process could be made. */
MUST_CHECK enum rc run_program(const struct run *r, struct arena *arena, int *ret_status,
                               struct str *ret_output, struct err *err);

/* The same where anything but status 0 is a failure (RC_UNAVAILABLE with what it said). */
MUST_CHECK enum rc run_ok(const struct run *r, struct arena *arena, struct err *err);

/* run_tool(arena, err, "mke2fs", "-q", path) */
#define run_tool(arena, err, ...) \
    run_ok(&(struct run){.argv = (const char *const[]){__VA_ARGS__, NULL}}, (arena), (err))

/* Whether a program is in PATH. */
bool run_has(const char *program);

/* Arguments of a list of struct str as argv, NULL at the end. */
const char *const *run_argv(const struct list *words, struct arena *arena);

#endif
