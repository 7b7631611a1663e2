/*
 * scratch.h - a folder in memory, for what is thrown away again: the tree of an image while it is
 * built. Packages are installed in it without a disk that is waited for, and its thousands of files
 * are gone at once, also when the process is killed.
 */
#ifndef NODE_SCRATCH_H
#define NODE_SCRATCH_H

#include "base/base.h"

/* Of the memory that is available, half may be filled; below so many bytes nothing is. */
enum { SCRATCH_SHARE = 2 };
#define SCRATCH_AVAILABLE_MIN ((int64_t)4 * 1024 * 1024 * 1024)

struct scratch {
    int space;  /* the mount namespace that the process was in; -1: it has not left it */
    int folder; /* where it worked */
};

/* The empty folder is memory from now on, for this process and those that it starts. The process
 * has one thread. False: it stays as it is, on the disk; memory is short, or mounting is not
 * allowed. available: bytes of memory that are to be had. */
bool scratch_enter(struct scratch *s, const char *folder, int64_t available);
/* No more fits in. */
bool scratch_is_full(const struct scratch *s, const char *folder);
/* What is in the folder is gone. Again, or without having entered: nothing. */
void scratch_leave(struct scratch *s);

#endif
