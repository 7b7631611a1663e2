/*
 * backup.h - a service's own backup and restore commands, between the service and a file.
 *
 * A backup is what the command inside writes to its output, encrypted on its way to the disk
 * (backup_file.h). A restore is the other way; that it was done is kept beside the volumes, so that
 * an agent that was killed in the middle feeds the whole backup again, and one that was killed
 * afterwards does nothing. A restore command replaces what is there: it may be run twice.
 */
#ifndef NODE_BACKUP_H
#define NODE_BACKUP_H

#include "node/backup_file.h"
#include "node/driver.h"

/* Where the file of a backup comes from. Twin in the tests. */
struct backup_door {
    /* The path of the whole file, whose hash was seen to agree. RC_CONFLICT: it is on its way. */
    enum rc (*fetch)(void *arg, const struct spec_restore *from, struct arena *arena,
                     const char **ret_path, struct err *err);
    void *arg;
};

struct backup_make {
    struct driver *driver;
    struct str service;
    const struct list *command;
    struct str key; /* hexadecimal */
    int64_t bytes_max;
    const char *path; /* all of it is there under this name, or nothing is */
};
/* The service runs. RC_REMOTE: its command failed, with its status; RC_TOO_LARGE, RC_FULL,
 * RC_TIMEOUT, RC_UNAVAILABLE. */
MUST_CHECK enum rc backup_make(const struct backup_make *m, struct arena *arena, struct err *err);

struct backup_restore {
    struct driver *driver;
    const struct backup_door *door;  /* NULL: RC_UNSUPPORTED */
    const struct service_spec *spec; /* its .from is restored */
};
MUST_CHECK enum rc backup_restore(const struct backup_restore *r, struct arena *arena,
                                  struct err *err);

#endif
