/*
 * inside.h - write below a root that belongs to a stranger: no link of theirs leads out of it.
 *
 * Every path is resolved by the kernel with the root as "/" (openat2, RESOLVE_IN_ROOT).
 */
#ifndef NODE_INSIDE_H
#define NODE_INSIDE_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

struct inside_owner {
    uid_t user;
    gid_t group;
    mode_t mode;
};

/* A folder with those above it; owner is for those that are made (folders above get mode 0755). The
 * path is absolute. */
MUST_CHECK enum rc inside_folder(int root, struct str path, const struct inside_owner *owner,
                                 struct arena *arena, struct err *err);
/* A file, replaced whole; folders above it belong to the root's own user. */
MUST_CHECK enum rc inside_file(int root, struct str path, struct str content,
                               const struct inside_owner *owner, struct arena *arena,
                               struct err *err);
/* Owner and mode of what is there; false where nothing is. */
bool inside_owner(int root, struct str path, struct inside_owner *ret, struct arena *arena);

#endif
