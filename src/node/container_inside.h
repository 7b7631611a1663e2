/*
 * container_inside.h - what the files of the container driver share.
 */
#ifndef NODE_CONTAINER_INSIDE_H
#define NODE_CONTAINER_INSIDE_H

#include "node/container.h"
#include "node/left.h"

#include <sys/types.h>

/* Users of a slot begin here, 65,536 for each: above all that the machine's own tools give out. */
#define CONTAINER_USER_FIRST (1 << 24)

static inline struct container *container_of_driver(struct driver *d)
{
    return CONTAINER_OF(d, struct container, driver);
}

/* home/services/ID, and a path in it. */
const char *container_folder(const struct container *c, struct str id, struct arena *arena);
const char *container_in(const struct container *c, struct str id, const char *part,
                         struct arena *arena);
uid_t container_user(int64_t slot);
/* "hanse0/ID" */
const char *container_group(const struct container *c, struct str id, struct arena *arena);

/* What was left of it; made with a free slot where there is nothing. RC_FULL: no slot is free. */
MUST_CHECK enum rc container_take_slot(struct container *c, struct str id, struct arena *arena,
                                       struct left *ret, struct err *err);
/* All that has a state on this node: struct left. */
MUST_CHECK enum rc container_lefts(const struct container *c, struct arena *arena, struct list *ret,
                                   struct err *err);
/* Names of the folders of services: struct str. */
MUST_CHECK enum rc container_ids(const struct container *c, struct arena *arena, struct list *ret,
                                 struct err *err);

/* Its disk is there, has its size, and is mounted. It does not run. */
/* Whether its disk takes no more writes, and would after a new mount. mounts: disk_mounts. */
bool container_stuck(const struct container *c, struct str id, struct str mounts,
                     struct arena *arena);
MUST_CHECK enum rc container_disk(struct container *c, const struct service_spec *spec,
                                  struct arena *arena, struct err *err);
/* The root of a service is there: disk, image, overlay. */
MUST_CHECK enum rc container_mount(struct container *c, const struct service_spec *spec,
                                   int64_t slot, struct arena *arena, struct err *err);
/* It is unmounted; with the disk, or only the root. RC_CONFLICT: in use. */
MUST_CHECK enum rc container_unmount(struct container *c, struct str id, bool disk,
                                     struct arena *arena, struct err *err);
/* Forget images that no service has. */
MUST_CHECK enum rc container_drop_images(struct container *c, struct arena *arena, struct err *err);
/* Files, volumes and the plan, into the mounted root. */
MUST_CHECK enum rc container_fill(struct container *c, const struct service_spec *spec,
                                  int64_t slot, struct arena *arena, struct err *err);

/* The image is on this node, whole and checked. */
MUST_CHECK enum rc container_bring(struct container *c, const struct spec_image *image,
                                   struct arena *arena, struct err *err);
/* Bridge and rules as the services that are left want them. */
MUST_CHECK enum rc container_rules(struct container *c, struct arena *arena, struct err *err);
/* Its folder goes, and what it alone had; with the last one bridge, rules and group. */
MUST_CHECK enum rc container_forget(struct container *c, struct str id, struct arena *arena,
                                    struct err *err);

/* --- container_keep.c: driver.h's of the same names --- */

enum rc container_save(struct driver *d, struct str id, int output, struct arena *arena,
                       struct err *err);
enum rc container_load(struct driver *d, const struct service_spec *spec, int input,
                       struct arena *arena, struct err *err);
enum rc container_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                        struct arena *arena, struct err *err);

/* The steady time until which it may run, of this boot. It stands on the node's side, where
 * hanse-init reads it through a mount that nobody inside can write, and not on the disk of the
 * services: a full one ends nobody's lease. It goes when the service is stopped. */
MUST_CHECK enum rc container_put_lease(const struct container *c, struct str id, time_us until,
                                       struct arena *arena, struct err *err);
const char *container_lease_folder(const struct container *c, struct str id, struct arena *arena);
const char *container_lease_file(const struct container *c, struct str id, struct arena *arena);
/* When the lease ended of what does not run any more, in time of the wall: hanse-init ended it
 * then, though no agent saw it. 0: it runs, has no lease, or one that is good. */
time_us container_lease_end(const struct container *c, struct str id, time_us started,
                            struct arena *arena);

#endif
