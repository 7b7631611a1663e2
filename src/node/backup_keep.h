/*
 * backup_keep.h - what a node does with backups beside its own services: makes them when it is
 * told, sends them, holds those of other sites, and forgets them.
 *
 *     home/backups/made/ID   of a service of this node, until it was sent
 *     home/backups/held/ID   of a service of another site
 *     home/backups/from/ID   what a service begins with, until it did
 *     .../ID.new             one that is being made or fetched; a fetch goes on where it was cut
 *                            off
 *
 * All of it follows from the control plane's list of tasks: what was told as done is not on it any
 * more, and a node that was killed begins again with what is on the disk.
 */
#ifndef NODE_BACKUP_KEEP_H
#define NODE_BACKUP_KEEP_H

#include "node/agent.h"
#include "node/link.h"

struct backup_keep {
    struct link *link;
    struct driver *driver;
    struct agent *agent;
    const char *home;
};

/* The folders are there. */
MUST_CHECK enum rc backup_keep_init(struct backup_keep *k, struct err *err);
/* Ask for the tasks and do them, one after the other; what fails is told, logged, and on the list
 * again. *ret: how many were done. */
MUST_CHECK enum rc backup_keep_turn(struct backup_keep *k, struct arena *arena, size_t *ret,
                                    struct err *err);
/* For agent_options.backups: arg is the keep. A backup that this node holds itself is not fetched.
 */
enum rc backup_keep_fetch(void *arg, const struct spec_restore *from, struct arena *arena,
                          const char **ret_path, struct err *err);

#endif
