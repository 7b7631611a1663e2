/*
 * import.h - a disk of another house becomes an image of this one: qcow2, raw, vmdk, vdi, vhdx, or
 * an OVA with some of them in it.
 *
 * Whoever made the file is a stranger: its disk is read by qemu-img in a sandbox, which sees that
 * one file and no network, so that no header leads it to another. What comes out is a qcow2 that
 * stands alone, for each disk, named by its hash as all images are.
 */
#ifndef NODE_IMPORT_H
#define NODE_IMPORT_H

#include "node/image.h"
#include "node/ova.h"

/* "qcow2", "vmdk", "vdi", "vhdx", "ova" or "raw", by its first bytes. */
enum { IMPORT_HEAD_BYTES = 4096 };
struct str import_format(struct str head);

#define IMPORT_BYTES_MAX (INT64_C(4) << 40)

/* One disk. */
struct imported_disk {
    struct spec_image image;
    int64_t bytes; /* as the guest sees it */
};
struct imported {
    struct imported_disk disks[OVA_DISKS_MAX]; /* the machine starts from the first */
    size_t count;
    struct ova machine; /* of an OVA: what it wants; else zero */
};

/* name: how the first image is called here; those of further disks "NAME-2", "NAME-3".
 * RC_INVALID: the file is broken, leans on others, or is not what its manifest says. RC_TOO_LARGE:
 * the disks have more than max_bytes together. */
MUST_CHECK enum rc import_file(const char *home, struct str name, const char *file,
                               int64_t max_bytes, struct arena *arena, struct imported *ret,
                               struct err *err);

#endif
