/*
 * container.h - the driver of containers: crun over images, overlay, control groups and network.
 *
 *     home/images/SHA256              root images (image.h)
 *     home/services/ID/state          what is known of it (left.h)
 *     home/services/ID/disk.img       its disk: an ext4 of disk_bytes with the changes to its root,
 *                                     its volumes, and what its processes say (disk/log)
 *     home/services/ID/{disk,lower,root}  mounts: the disk, the image with its users shifted, and
 *                                     both together
 *     run/{crun,pids,images}          crun's own state, first processes, mounted images; forgotten
 *                                     when the machine starts anew
 */
#ifndef NODE_CONTAINER_H
#define NODE_CONTAINER_H

#include "node/cgroup.h"
#include "node/driver.h"
#include "node/network.h"

#include <pthread.h>

struct container_options {
    const char *home;   /* "/var/lib/hanse-node" */
    const char *run;    /* "/run/hanse-node" */
    const char *init;   /* hanse-init */
    struct str bridge;  /* also the name of the control group and the rules */
    struct str network; /* "10.88.0.0" */
    struct list open;   /* struct str: private networks that services may reach */
    struct str address; /* where published ports are reached */
    bool unpack;        /* as where the kernel shifts no users of a squashfs */
    bool looks;         /* beside an agent: nothing is made or forgotten */
    struct clock *clock;
    /* Bring an image that is not here to the given path (image_take moves it on). */
    enum rc (*fetch)(void *arg, const struct spec_image *image, const char *path,
                     struct arena *arena, struct err *err);
    void *fetch_arg;
};

struct container {
    struct driver driver;
    struct container_options o;
    struct cgroup cgroup;
    struct network network;
    pthread_mutex_t slots;  /* who has which, and the rules that follow */
    pthread_mutex_t images; /* one brings, unpacks and mounts */
};

/* RC_UNSUPPORTED says in words what the machine lacks: root, a program, a file system. Texts of the
 * options live as long as c, and so does the arena. */
MUST_CHECK enum rc container_init(struct container *c, const struct container_options *o,
                                  struct arena *arena, struct err *err);
void container_fini(struct container *c);

/* Where the processes of a service say what they say. */
const char *container_log(const struct container *c, struct str id, struct arena *arena);
/* The folder of a volume on the node; NULL where it has no such volume. */
const char *container_volume(const struct container *c, struct str id, struct str volume,
                             struct arena *arena);
/* Its first process; 0 where it does not run. */
int64_t container_process(const struct container *c, struct str id, struct arena *arena);
/* The address of a service inside the node. RC_NOT_FOUND. */
MUST_CHECK enum rc container_address(const struct container *c, struct str id, struct arena *arena,
                                     struct str *ret, struct err *err);

#endif
