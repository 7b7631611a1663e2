/*
 * ova.h - what an OVA says of itself: its descriptor (OVF, DMTF DSP0243) and its manifest. Pure.
 */
#ifndef NODE_OVA_H
#define NODE_OVA_H

#include "base/arena.h"
#include "base/err.h"
#include "base/schema.h"

enum {
    OVA_MEMBERS_MAX = 64,
    OVA_NAME_MAX = 100, /* of a member, as ustar has it */
    OVA_TEXT_BYTES_MAX = 4 * 1024 * 1024,
    OVA_BLOCK = 512,
    OVA_DISKS_MAX = 8, /* a spec has as many images */
};

/* One member of the archive, by its header. */
struct ova_member {
    struct str name; /* in the header's bytes: valid as long as they are */
    int64_t bytes;
    bool plain; /* a file: its bytes follow, filled up to whole blocks */
    bool last;  /* no member: the end */
};

/* A ustar header of OVA_BLOCK bytes. RC_INVALID: its sum is wrong, its name is a path, or it is of
 * a kind that an OVA has no use for. */
MUST_CHECK enum rc ova_header(const char *block, struct ova_member *ret, struct err *err);

struct ova_disk {
    struct str file;
    int64_t bytes; /* its capacity; 0: not said */
};
struct ova {
    struct ova_disk disks[OVA_DISKS_MAX]; /* the machine starts from the first */
    size_t count;
    int64_t cpus;         /* 0: not said */
    int64_t memory_bytes; /* 0: not said */
};
/* Disks in the order in which the machine has them (its items of kind 17); those that no item
 * names follow, in the order of the disk section. RC_INVALID: no XML, no disk, one without a file
 * of its own that is a plain name, or too many. RC_UNSUPPORTED: libxml2 is not here. */
MUST_CHECK enum rc ova_describe(struct str ovf, struct arena *arena, struct ova *ret,
                                struct err *err);

/* The hash that the manifest has of a file: "SHA256(name)= ..." RC_NOT_FOUND: none.
 * *ret_kind: "SHA1" or "SHA256". */
MUST_CHECK enum rc ova_manifest(struct str text, struct str name, struct str *ret_kind,
                                struct str *ret_hash, struct err *err);

#endif
