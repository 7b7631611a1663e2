/*
 * backup.h - backups of services: when they are made, which are kept, where they lie, and which one
 * a service begins with when it comes back elsewhere.
 *
 *     wanted > kept > gone        wanted > failed
 *
 * The service's node makes it and sends it here; a node of another site fetches it and holds it;
 * then the copy that is here goes. Where there is no other site it stays here, and `holder` is
 * empty. All of it follows from rows: nodes ask for their tasks (profile/spec.h), the files that
 * are here and not needed any more are a list (backup_sweep). A file is removed before its row says
 * so: a crash in between removes it twice.
 *
 * The key of a service's backups follows from the installation's key and the service's id, so that
 * who has the store alone, or a file alone, reads nothing.
 *
 * A backup is what the service's own command says, or its disk: of machines, whose profile says so
 * (backup_disk), and of all that move (move.h). A disk is laid in place before the service starts.
 *
 * Kept are the newest BACKUP_NEWEST, and the newest of each day (UTC) for BACKUP_DAYS days.
 */
#ifndef FLEET_BACKUP_H
#define FLEET_BACKUP_H

#include "profile/spec.h"
#include "store/page.h"
#include "store/seal.h"

enum {
    BACKUP_NEWEST = 7,
    BACKUP_DAYS = 30,
    BACKUP_EVERY_S = 86400, /* where the profile does not say */
    BACKUP_THIN_MAX = 1000, /* kept ones of a service that are looked at */
    BACKUP_SWEEP_MAX = 100, /* files at once */
    BACKUP_TICK_MAX = 100,  /* services at once */
};
/* A backup may be twice the disk of its service, and a little. */
#define BACKUP_BYTES_MORE INT64_C(1048576)

enum backup_state { BACKUP_WANTED, BACKUP_KEPT, BACKUP_FAILED, BACKUP_GONE };
extern const char *const backup_states[];

struct backup {
    uint64_t set;
    struct str id; /* "bak_..." */
    struct str service;
    struct str client;
    struct str node; /* that made it */
    int64_t state;
    struct str sha256; /* of the encrypted file */
    int64_t bytes;
    bool here;         /* the control plane has it */
    struct str holder; /* node that has it, or shall */
    bool held;
    struct str reason; /* why it failed */
    time_us asked;
    time_us kept;
    bool disk;  /* all that it keeps, as it lay on the disk */
    bool moves; /* made for a move (move.h), and gone with its end */
};
extern const struct schema backup_schema;

/* Now. RC_CONFLICT: it does not run, keeps nothing to back up, or is being backed up already. */
MUST_CHECK enum rc backup_ask(struct tx *tx, struct str service, struct backup *ret);
MUST_CHECK enum rc backup_get(struct tx *tx, struct str id, struct backup *ret);
MUST_CHECK enum rc backup_list(struct tx *tx, struct str service, const struct page_query *q,
                               struct page *ret);

/* --- for services --- */

/* It is backed up every so often from now on, by its command or (disk) as its disk; when the next
 * one is due stays. */
MUST_CHECK enum rc backup_plan(struct tx *tx, struct str service, int64_t every_s, bool disk);
/* It has another node: the newest backup that can be had is what it begins with, if there is one;
 * what was being made is lost. */
MUST_CHECK enum rc backup_follow(struct tx *tx, struct str service);
/* It goes back to this one. RC_INVALID at "/backup". */
MUST_CHECK enum rc backup_choose(struct tx *tx, struct str service, struct str backup);
/* What its spec says of it; number 0 where it begins anew. */
MUST_CHECK enum rc backup_from(struct tx *tx, const struct seal *seal, struct str service,
                               struct spec_restore *ret);
/* The service has ended, and its backups with it. */
MUST_CHECK enum rc backup_end(struct tx *tx, struct str service);

/* --- for nodes --- */

MUST_CHECK enum rc backup_tasks(struct tx *tx, const struct seal *seal, struct str node,
                                struct backup_tasks *ret);
/* Whether the node may send it, and how long it may get. RC_NOT_FOUND. */
MUST_CHECK enum rc backup_sends(struct tx *tx, struct str node, struct str id, int64_t *ret_max);
/* Whether the node may fetch it: it shall hold it, or begins a service with it. RC_NOT_FOUND;
 * RC_CONFLICT: it is not here now. */
MUST_CHECK enum rc backup_fetches(struct tx *tx, struct str node, struct str id);
/* What became of a task. What was made is here, and its hash was seen to be word->sha256; a word
 * on what is no task any more changes nothing. */
MUST_CHECK enum rc backup_told(struct tx *tx, struct str node, struct str id,
                               const struct backup_word *word);

/* --- the clock's --- */

/* Whether a service is due, a backup has no holder or a file is to be removed. Writes nothing. */
MUST_CHECK enum rc backup_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc backup_tick(struct tx *tx, bool *ret);
/* Files that are here and shall not be: struct str, ids. Remove them, then say so. */
MUST_CHECK enum rc backup_sweep(struct tx *tx, struct list *ret);
MUST_CHECK enum rc backup_swept(struct tx *tx, const struct list *ids);

/* Which of the backups that were asked for then, newest first, are kept. */
void backup_thin(const time_us *asked, size_t count, time_us now, bool *ret_keep);

#endif
