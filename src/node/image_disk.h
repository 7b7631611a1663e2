/*
 * image_disk.h - the disk of a machine that is made here, of Debian's packages: what Debian's own
 * cloud image has, for nodes that cannot fetch one.
 *
 * It starts by BIOS (GRUB), its console is the first serial line, and its root is the partition
 * that grows with the disk. cloud-init takes its name, users and network from a NoCloud seed. It
 * has no keys, no machine-id and no users of its own: each machine makes them when it first starts.
 */
#ifndef NODE_IMAGE_DISK_H
#define NODE_IMAGE_DISK_H

#include "base/arena.h"
#include "base/err.h"

/* Packages that a disk is made of beside those that are asked for, with commas between. */
extern const char image_disk_packages[];

/* A qcow2 of the tree, into which they are installed, and which is changed by it. work: an empty
 * folder. seed: by which its ids are made, the same for the same seed.
 * RC_UNAVAILABLE: a program is missing or failed, with what it said. */
MUST_CHECK enum rc image_disk(const char *tree, const char *work, struct str seed, const char *file,
                              struct arena *arena, struct err *err);

#endif
