/*
 * cgroup.h - counters and limits of a group of processes, on both kinds of control groups.
 *
 * Version 2 is one tree; version 1 one tree a controller, and "hybrid" a version 2 beside it that
 * has none of the controllers that matter. root is /sys/fs/cgroup, or a folder of a test.
 */
#ifndef NODE_CGROUP_H
#define NODE_CGROUP_H

#include "node/driver.h"

struct cgroup {
    const char *root;
    int version; /* 1 or 2 */
    bool hybrid;
};

/* RC_UNSUPPORTED: neither is mounted there, or one that is needed is missing (named). */
MUST_CHECK enum rc cgroup_detect(const char *root, struct cgroup *ret, struct err *err);

struct cgroup_limits {
    int64_t cpu_milli; /* of each: 0: none */
    int64_t memory_bytes;
    int64_t processes_max;
};
/* name: "hanse/svc_..."; the group is there. */
MUST_CHECK enum rc cgroup_limit(const struct cgroup *c, const char *name,
                                const struct cgroup_limits *limits, struct err *err);

/* Counters of processor, memory and disk. Memory is what processes and shared memory hold: what the
 * kernel caches of files is not theirs. RC_NOT_FOUND: no such group. */
MUST_CHECK enum rc cgroup_stats(const struct cgroup *c, const char *name, struct arena *arena,
                                struct driver_stats *ret, struct err *err);

/* Processes in it; 0 where there is no such group. */
size_t cgroup_count(const struct cgroup *c, const char *name, struct arena *arena);
/* Kill all of them and see them gone; the counters stay. RC_UNAVAILABLE: the kernel keeps one
 * alive. */
MUST_CHECK enum rc cgroup_kill(const struct cgroup *c, const char *name, struct arena *arena,
                               struct err *err);
/* The same, and remove the group. Nothing where it is not there.
 * RC_UNAVAILABLE: the kernel keeps one alive. */
MUST_CHECK enum rc cgroup_end(const struct cgroup *c, const char *name, struct arena *arena,
                              struct err *err);
/* The same with the groups in it, whoever made them. */
MUST_CHECK enum rc cgroup_end_all(const struct cgroup *c, const char *name, struct arena *arena,
                                  struct err *err);

#endif
