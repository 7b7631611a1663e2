/*
 * image.h - root images on a node: files named by the SHA-256 of what is in them.
 *
 * home/images/SHA256 is a squashfs, whole and checked: it got that name when its hash was seen to
 * agree. home/images/names/NAME says which one a name means, for people and for `image build`.
 */
#ifndef NODE_IMAGE_H
#define NODE_IMAGE_H

#include "profile/spec.h"

enum { IMAGE_HASH_MAX = 64, IMAGE_NAME_MAX = 60, IMAGE_PACKAGES_MAX = 100 };

/* Small letters, digits, '-' and '.'; nothing that is a path. */
bool image_is_name(struct str name);
bool image_is_hash(struct str hash);
const char *image_path(const char *home, struct str sha256, struct arena *arena);

/* Hash of a file, hexadecimal. */
MUST_CHECK enum rc image_hash(const char *path, struct arena *arena, struct str *ret,
                              int64_t *ret_bytes, struct err *err);
/* Take a finished file: it moves to its name, if its hash is the wanted one (empty: any).
 * RC_INVALID: another hash; the file is removed. */
MUST_CHECK enum rc image_take(const char *home, const char *file, struct str wanted,
                              struct spec_image *ret, struct arena *arena, struct err *err);

struct image_order {
    struct str name;
    struct str suite;           /* "bookworm" */
    const char *mirror;         /* NULL: Debian's */
    const char *folder;         /* make it of what is in this folder, not of packages */
    const char *const *words;   /* packages, NULL at the end */
    const struct str *programs; /* files that are put into /usr/bin of it, with packages only */
    size_t program_count;
    bool fresh; /* build again though there is one */
    bool disk;  /* the disk of a machine, of packages (node/image_disk.h), and no root */
};
/* Debian packages (mmdebstrap) or a folder as a squashfs, packages as a disk (qcow2); one that was
 * built of the same before is found again, programs being the same where their bytes are.
 * RC_UNAVAILABLE: a program is missing or failed, with what it said. */
MUST_CHECK enum rc image_build(const char *home, const struct image_order *o, struct arena *arena,
                               struct spec_image *ret, struct err *err);
/* The image of a name. RC_NOT_FOUND. */
MUST_CHECK enum rc image_named(const char *home, struct str name, struct arena *arena,
                               struct spec_image *ret, struct err *err);

#endif
