/*
 * bundle.h - config.json of an OCI bundle (runtime-spec 1.0): how crun is to confine a container.
 *
 * What a tenant gets: its own users (0 is nobody on the node), processes, mounts, host name,
 * message queues and network; no privilege over any of them; no system call that a server program
 * does not need; no /sys; of /proc what concerns its own processes.
 */
#ifndef NODE_BUNDLE_H
#define NODE_BUNDLE_H

#include "profile/spec.h"

#include <sys/types.h>

struct bundle {
    const struct service_spec *spec;
    const char *root;    /* the mounted overlay */
    const char *volumes; /* the folder of its volumes, by name */
    const char *init;    /* hanse-init on the node */
    const char *lease;   /* the folder of its lease on the node */
    const char *cgroup;  /* "/hanse/svc_..." */
    const char *network; /* path of the namespace */
    uid_t first_user;
    int64_t files_max; /* open files of a process */
};

/* Where the plan and hanse-init are inside. */
extern const char bundle_plan[];
extern const char bundle_init[];
/* The folder of the lease, which nobody inside can write. In it, where a lease is needed, stands
 * the steady time at which hanse-init ends all: one number, in a file of this name. */
extern const char bundle_lease[];
extern const char bundle_lease_file[];

struct str bundle_config(const struct bundle *b, struct arena *arena);

/* The names of system calls that are allowed, NULL at the end (bundle_calls.c). */
extern const char *const bundle_calls[];

#endif
