/*
 * backup.h - between a service and a file: what its own backup command says, or all that it keeps.
 *
 * A backup is what the command inside writes to its output, or what the driver saves of its disk,
 * encrypted on its way to the file (backup_file.h). A restore is the other way; that it was done is
 * kept beside the volumes, so that an agent that was killed in the middle feeds the whole backup
 * again, and one that was killed afterwards does nothing. A restore command replaces what is there:
 * it may be run twice. A disk is laid beside the one that is there, and takes its place when all of
 * it has come and is what was written.
 */
#ifndef NODE_BACKUP_H
#define NODE_BACKUP_H

#include "node/backup_file.h"
#include "node/driver.h"

/* Where the file of a backup comes from. Twin in the tests. */
struct backup_door {
    /* The path of the whole file, whose hash was seen to agree. RC_RETRY: it is on its way. */
    enum rc (*fetch)(void *arg, const struct spec_restore *from, struct arena *arena,
                     const char **ret_path, struct err *err);
    void *arg;
};

struct backup_make {
    struct driver *driver;
    struct str service;
    const struct list *command; /* NULL: all that it keeps, by the driver's save */
    struct str key;             /* hexadecimal */
    int64_t bytes_max;
    const char *path; /* all of it is there under this name, or nothing is */
};
/* A command wants the service to run. RC_REMOTE: its command failed, with its status;
 * RC_TOO_LARGE, RC_FULL, RC_TIMEOUT, RC_UNAVAILABLE; and what save of the driver says. */
MUST_CHECK enum rc backup_make(const struct backup_make *m, struct arena *arena, struct err *err);

struct backup_restore {
    struct driver *driver;
    const struct backup_door *door;  /* NULL: RC_UNSUPPORTED */
    const struct service_spec *spec; /* its .from is restored: it runs, or (from.disk) rests */
};
MUST_CHECK enum rc backup_restore(const struct backup_restore *r, struct arena *arena,
                                  struct err *err);

#endif
