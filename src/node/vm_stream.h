/*
 * vm_stream.h - the disks of a machine in one stream: what a backup of one is made of.
 *
 * They come one after the other, the one that it starts from first: its length in eight bytes, the
 * highest first, and its bytes. Nothing at all: it keeps nothing yet. Who reads one believes
 * nothing of it.
 */
#ifndef NODE_VM_STREAM_H
#define NODE_VM_STREAM_H

#include "base/arena.h"
#include "base/err.h"

#define VM_STREAM_DISK_MAX (INT64_C(8) << 40)

/* A disk of so many bytes, which file is at the beginning of. RC_INVALID: it is shorter. */
MUST_CHECK enum rc vm_stream_put(int output, int file, int64_t bytes, struct arena *arena,
                                 struct err *err);

/* Where disks go. */
struct vm_stream_door {
    /* Of a new and empty file for the disk with this number, from 0, which is closed afterwards;
     * bytes: how long it will be. Any failure ends the reading. */
    enum rc (*open)(void *arg, size_t number, int64_t bytes, int *ret, struct err *err);
    void *arg;
    size_t disks_max;
};
/* To the end of the input; each disk is on the disk (fsync) when the next is opened. RC_INVALID: it
 * is no such stream, or has more disks. RC_FULL, RC_UNAVAILABLE. What was read before stays. */
MUST_CHECK enum rc vm_stream_take(int input, const struct vm_stream_door *door, struct arena *arena,
                                  struct err *err);

#endif
