/*
 * host.h - the door to other programs of this machine, for commands that start some.
 *
 * host_system() is the real one; tests play it. What a program prints goes to files, so that
 * nothing blocks and everything can be read afterwards. A program that was started ends with this
 * one, however this one ends.
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include "base/arena.h"
#include "base/err.h"

struct program {
    const char *const
        *argv;          /* ends with NULL; argv[0] is looked for in PATH, unless it has a '/' */
    const char *output; /* file that is written anew: what it prints */
    const char *errors; /* what it says besides; NULL: to the same file */
};

struct host {
    /* Start it. RC_UNAVAILABLE. */
    enum rc (*start)(const struct host *h, const struct program *p, int64_t *ret_pid,
                     struct err *err);
    bool (*runs)(const struct host *h, int64_t pid);
    /* Ask it to end, and wait until it has. RC_INTERNAL: it ended badly. */
    enum rc (*stop)(const struct host *h, int64_t pid, struct err *err);
    /* Run it to its end. RC_NOT_FOUND: there is no such program. */
    enum rc (*run)(const struct host *h, const struct program *p, int *ret_code, struct err *err);
    /* The path of a program that stands beside this one; its bare name where none does. */
    struct str (*beside)(const struct host *h, const char *name, struct arena *arena);
    /* Whether the user wants us to stop: SIGINT or SIGTERM waits, since hold was called. */
    bool (*stopped)(const struct host *h);
    /* From now on such a signal waits to be asked for, or (false) acts again as it did. */
    void (*hold)(const struct host *h, bool yes);
};

const struct host *host_system(void);

#endif
