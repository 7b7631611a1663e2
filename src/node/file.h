/*
 * file.h - the few things that the agent does with files and folders.
 */
#ifndef NODE_FILE_H
#define NODE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, FILE_DEPTH_MAX = 128, FILE_PATH_MAX = 4096 };

/* What errno says, as a code: RC_NOT_FOUND, RC_FULL, RC_FORBIDDEN, else RC_UNAVAILABLE. */
MUST_CHECK enum rc file_failed(struct err *err, const char *what, const char *path);

bool file_exists(const char *path);
/* All of it, at most max bytes (RC_TOO_LARGE). Files of /proc and /sys too. */
MUST_CHECK enum rc file_read(const char *path, size_t max, struct arena *arena, struct str *ret,
                             struct err *err);
/* The number that stands in a file; otherwise where there is none. */
int64_t file_number(const char *path, int64_t otherwise);
/* All or nothing: beside it, synced, renamed; mode 0600. */
MUST_CHECK enum rc file_write(const char *path, struct str content, struct err *err);
/* The same, mode 0644: users of services read it. */
MUST_CHECK enum rc file_show(const char *path, struct str content, struct err *err);
/* A finished file gets its name, and the name is on the disk: after a crash it is there too. */
MUST_CHECK enum rc file_rename(const char *from, const char *to, struct err *err);
/* Into a file that is there: /sys and /proc. */
MUST_CHECK enum rc file_put(const char *path, struct str content, struct err *err);

/* All of it into what is open, in as many pieces as it takes. False: errno. */
MUST_CHECK bool file_put_fd(int fd, struct str content);
/* As much as n bytes, less at the end alone: how many. -1: errno. */
MUST_CHECK ssize_t file_read_fd(int fd, void *p, size_t n);

/* A folder and those above it, mode 0711 where they are made: users of services pass through to
 * what is theirs, and list nothing. */
MUST_CHECK enum rc file_make_folder(const char *path, struct err *err);
/* A folder with all that is in it; nothing where it is not there. Follows no link and leaves mounts
 * alone (RC_CONFLICT). */
MUST_CHECK enum rc file_remove(const char *path, struct err *err);

#endif
