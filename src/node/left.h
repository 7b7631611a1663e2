/*
 * left.h - what the drivers leave on the disk about a service: one small file, so that an
 * agent that was killed, or a machine that was started anew, knows all that the one before knew.
 */
#ifndef NODE_LEFT_H
#define NODE_LEFT_H

#include "profile/spec.h"

enum { LEFT_DISKS_MAX = 7 };

/* A further disk of a machine. */
struct left_disk {
    uint64_t set;
    struct str image; /* hash of what it lies over */
    struct str format;
};

struct left {
    uint64_t set;
    struct str id;
    int64_t slot;       /* its number on this node: address, ports, users follow from it */
    int64_t generation; /* prepared for it; 0: not wholly */
    struct str form;
    int64_t restart;
    int64_t starts;
    time_us started;
    int64_t stop_ms;   /* from SIGTERM until it is over */
    struct str image;  /* hash of its root */
    struct list ports; /* struct spec_port */
    bool alone;
    int64_t runtime;         /* enum spec_runtime */
    struct str image_format; /* of a machine */
    struct list disks;       /* struct left_disk: behind the one that it starts from */
    int64_t restored;        /* number of the restore that its volumes are of */
    struct list snapshots;   /* struct sighting_snapshot: what came of those that were wanted */
    int64_t reverted;        /* number of the last that it went back to */
};

/* In the folder of the service. RC_NOT_FOUND: nothing was left, or a step was cut short before it
 * could be. RC_INVALID: the file is broken. */
MUST_CHECK enum rc left_read(const char *folder, struct arena *arena, struct left *ret,
                             struct err *err);
MUST_CHECK enum rc left_write(const char *folder, const struct left *l, struct arena *arena,
                              struct err *err);

/* Their ids, each with a blank behind it. */
struct str left_snapshot_ids(const struct left *l, struct arena *arena);

#endif
