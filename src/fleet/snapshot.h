/*
 * snapshot.h - snapshots of a machine: its disks as they were at one instant, and its memory where
 * it runs, kept inside the disks on its node, and gone with them.
 *
 *     wanted > kept > removing > gone        wanted > failed
 *
 * They are no backups: what loses the disk loses them. A service has SPEC_SNAPSHOTS_MAX at
 * most, and for each the node's disk is counted as taken by as much as it can ever need:
 * the size of its disk, and its memory where it runs. What they really take is metered with
 * the disk.
 *
 * A move by hand and a restore are refused while there are any. What happens by itself (a node that
 * is emptied, a failover) drops them, and their reason says so. Going back starts the machine from
 * the disk as it was; its snapshots stay.
 */
#ifndef FLEET_SNAPSHOT_H
#define FLEET_SNAPSHOT_H

#include "fleet/service.h"

enum { SNAPSHOT_NAME_MAX = 100 };

enum snapshot_state {
    SNAPSHOT_WANTED,
    SNAPSHOT_KEPT,
    SNAPSHOT_FAILED,
    SNAPSHOT_REMOVING,
    SNAPSHOT_GONE,
};
extern const char *const snapshot_states[];

struct snapshot {
    uint64_t set;
    struct str id; /* "snp_..." */
    struct str service;
    struct str client;
    struct str name;
    int64_t state;
    int64_t memory_bytes; /* of the machine's memory in it; 0: it rested */
    int64_t room_bytes;   /* of the node's disk that is counted as taken for it */
    struct str reason;    /* why it failed, or went by itself */
    time_us asked;
    time_us taken; /* when the node had it; 0: not yet */
};
extern const struct schema snapshot_schema;

/* RC_CONFLICT: it is no machine, its state, one is in hand, there are as many as may be, its node
 * has no room for another. */
MUST_CHECK enum rc snapshot_take(struct tx *tx, const struct seal *seal, struct str service,
                                 const struct snapshot *fresh, struct snapshot *ret);
MUST_CHECK enum rc snapshot_get(struct tx *tx, struct str id, struct snapshot *ret);
/* Those that are not gone. */
MUST_CHECK enum rc snapshot_list(struct tx *tx, struct str service, const struct page_query *q,
                                 struct page *ret);
/* What its disk took since then is replaced. RC_CONFLICT: it is not kept; the service's state. */
MUST_CHECK enum rc snapshot_revert(struct tx *tx, const struct seal *seal, struct str id,
                                   struct service *ret);
MUST_CHECK enum rc snapshot_delete(struct tx *tx, const struct seal *seal, struct str id,
                                   struct snapshot *ret);

/* --- for services --- */

/* Those that its node is to have. */
MUST_CHECK enum rc snapshot_describe(struct tx *tx, const struct service *v,
                                     struct service_spec *ret);
/* What its node says of them. *ret: one is in hand, and the service's operation is not over. */
MUST_CHECK enum rc snapshot_seen(struct tx *tx, const struct service *v, const struct sighting *s,
                                 bool *ret);
/* RC_CONFLICT where there are any: what is to be done ("moved") would drop them. */
MUST_CHECK enum rc snapshot_refuse(struct tx *tx, const struct service *v, const char *done);
/* It leaves its node, or ends: they are gone. */
MUST_CHECK enum rc snapshot_drop(struct tx *tx, const struct service *v, struct str reason);

#endif
