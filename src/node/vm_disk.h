/*
 * vm_disk.h - a look at an image of a disk, whoever made it.
 */
#ifndef NODE_VM_DISK_H
#define NODE_VM_DISK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

/* Its size as the guest sees it, by qemu-img in a sandbox. RC_INVALID: it is not of that format, or
 * it leans on another file. */
MUST_CHECK enum rc vm_look_at(const char *path, struct str format, struct arena *arena,
                              int64_t *ret_bytes, struct err *err);

#endif
