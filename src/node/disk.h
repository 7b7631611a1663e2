/*
 * disk.h - disks in files, and what is mounted from them: loop devices, ext4, squashfs, overlay.
 *
 * Each call looks whether it is done already. Mounts are made in the machine's own namespace, so
 * that they outlive the agent.
 */
#ifndef NODE_DISK_H
#define NODE_DISK_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

enum { DISK_USERS = 65536 }; /* in a service's range of users */
#define DISK_BYTES_MIN (INT64_C(32) * 1024 * 1024)

bool disk_is_mounted(const char *path);
/* What is mounted, as proc(5)'s mountinfo tells it: for disk_is_stuck. */
struct str disk_mounts(struct arena *arena);
/* Whether the file system that is mounted there takes no more writes, as one of them failed: a
 * service's own does so when the node's disk has not a single byte. Only a new mount helps. */
bool disk_is_stuck(struct str mounts, struct str at);
/* Mend a file system in a file that is not mounted, where it says that there were errors.
 * RC_INVALID: it cannot be mended by itself. */
MUST_CHECK enum rc disk_mend(const char *file, struct arena *arena, struct err *err);
/* Nothing is mounted there afterwards. RC_CONFLICT: it is in use. */
MUST_CHECK enum rc disk_unmount(const char *path, struct err *err);

/* A file of so many bytes with an ext4 in it, sparse. One that is there grows (mounted: it grows
 * while it is in use); it never shrinks. RC_FULL. RC_UNSUPPORTED: not while it is mounted, as the
 * kernel wants a privilege for it that this machine does not give (CAP_SYS_RESOURCE). */
MUST_CHECK enum rc disk_make(const char *file, const char *mounted_at, int64_t bytes,
                             struct arena *arena, struct err *err);
/* Mount the file system in a file. */
MUST_CHECK enum rc disk_mount(const char *file, const char *at, const char *type, bool read_only,
                              struct err *err);
/* A namespace of users where 0 is first_user: it lives as long as a process in it, or this
 * descriptor; -1 where there is none. */
int disk_users(uid_t first_user);
/* The tree at `from` again at `at`, read-only, its users shifted: 0 is seen as first_user.
 * RC_UNSUPPORTED: the kernel cannot for that file system (squashfs before Linux 6.2). */
MUST_CHECK enum rc disk_shift(const char *from, const char *at, uid_t first_user, struct err *err);
/* An overlay of upper (writable) over lower; upper and work belong to first_user. */
MUST_CHECK enum rc disk_overlay(const char *lower, const char *upper, const char *work,
                                const char *at, uid_t first_user, struct arena *arena,
                                struct err *err);

/* Bytes that a file takes on its disk; 0 where it is not there. */
int64_t disk_taken(const char *file);
/* Of the file system that path lies in. */
MUST_CHECK enum rc disk_space(const char *path, int64_t *ret_bytes, int64_t *ret_used,
                              struct err *err);
/* What may be written there beside the services, which write on it, too: a twentieth of the disk is
 * left to them. Not below 0. */
MUST_CHECK enum rc disk_room(const char *path, int64_t *ret_bytes, struct err *err);
/* RC_FULL: there is no room for so many bytes, in words. */
MUST_CHECK enum rc disk_want_room(const char *path, int64_t bytes, struct err *err);

#endif
