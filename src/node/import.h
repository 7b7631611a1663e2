/*
 * import.h - a disk of another house becomes an image of this one: qcow2, raw, vmdk, vdi, vhdx, or
 * an OVA with one of them in it.
 *
 * Whoever made the file is a stranger: its disk is read by qemu-img in a sandbox, which sees that
 * one file and no network, so that no header leads it to another. What comes out is a qcow2 that
 * stands alone, named by its hash as all images are.
 */
#ifndef NODE_IMPORT_H
#define NODE_IMPORT_H

#include "node/image.h"
#include "node/ova.h"

/* "qcow2", "vmdk", "vdi", "vhdx", "ova" or "raw", by its first bytes. */
enum { IMPORT_HEAD_BYTES = 4096 };
struct str import_format(struct str head);

#define IMPORT_BYTES_MAX (INT64_C(4) << 40)

struct imported {
    struct spec_image image;
    struct ova machine; /* of an OVA: what it wants; else zero */
    int64_t disk_bytes; /* as the guest sees it */
};

/* name: how the image is called here. RC_INVALID: the file is broken, leans on others, or is not
 * what its manifest says. RC_TOO_LARGE: the disk has more than max_bytes. */
MUST_CHECK enum rc import_file(const char *home, struct str name, const char *file,
                               int64_t max_bytes, struct arena *arena, struct imported *ret,
                               struct err *err);

#endif
