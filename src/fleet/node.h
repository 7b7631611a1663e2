/*
 * node.h - a server that runs an agent: who owns it, what it has, whether it takes services.
 *
 * A node is made by its owner and answered with a one-time token. Its agent makes a key pair,
 * hands the public key in with the token, and signs all that it says from then on
 * (profile/signature.h); the secret key never leaves the machine. Revoking forgets the key: what it
 * says is refused at once, until a new token is used.
 *
 *     enrolling > ready <> draining (keeps what it runs, or is evacuated; takes nothing)
 *                 ready  > disabled (stops what it runs) > ready
 *                 ready, draining > lost (not heard for NODE_LOST_US) > back when it reports
 *
 * What an evacuated node has goes elsewhere with its data, a few services at a time (move.h); what
 * finds no place stays, and is tried again.
 *
 * cpu is committed up to commitment_percent of the cores that there are; memory and disk never
 * beyond what there is.
 */
#ifndef FLEET_NODE_H
#define FLEET_NODE_H

#include "profile/spec.h"
#include "store/page.h"

#define NODE_TOKEN_US (7 * US_PER_DAY)
/* A lease: the agent counts it from when it sent the report that renewed it, so it ends there
 * before NODE_LEASE_END_US have passed here, however slow its clock (1 %) is. */
#define NODE_LEASE_S      90
#define NODE_LEASE_END_US ((NODE_LEASE_S + 5) * US_PER_SECOND)
/* Agents report at least once a minute; who was not heard for so long holds no lease any more. */
#define NODE_LOST_US (100 * US_PER_SECOND)

enum node_state { NODE_ENROLLING, NODE_READY, NODE_DRAINING, NODE_DISABLED, NODE_LOST };
extern const char *const node_states[];

struct node {
    uint64_t set;
    struct str id; /* "nod_..." */
    int64_t version;
    struct str owner;
    struct str site;
    struct str host; /* the site's owner */
    struct str name;
    struct str hardware;
    struct str serial;
    struct str asset; /* as COST agreements name it */
    struct list labels;
    int64_t price_class;
    int64_t commitment_percent; /* 0 in a request: 100 */
    int64_t state;
    struct str token; /* only in the answer that makes it */
    time_us token_ends;
    time_us seen;
    time_us booted;
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t disk_bytes;
    int64_t cpu_taken;
    int64_t memory_taken;
    int64_t disk_taken;
    struct list features;
    struct str agent;
    struct str hostname;
    struct str address;
    struct str promises; /* JSON list of sighting_promise */
    int64_t revision;
    int64_t left_revision;
    int64_t told;  /* order of the newest report; 0: none had one */
    int64_t drain; /* enum node_drain */
    time_us created;
    time_us changed;
};
extern const struct schema node_schema;

struct node_query {
    uint64_t set;
    struct page_query page;
    struct str site;
    int64_t state;
};
extern const struct schema node_query_schema;

/* At a site, by whoever owns it; the server is fresh->owner's, or the site's owner's where that is
 * empty. RC_INVALID: no such party. */
MUST_CHECK enum rc node_create(struct tx *tx, struct str site, const struct node *fresh,
                               struct node *ret);
MUST_CHECK enum rc node_get(struct tx *tx, struct str id, struct node *ret);
MUST_CHECK enum rc node_change(struct tx *tx, struct str id, int64_t version,
                               const struct node *patch, struct node *ret);
MUST_CHECK enum rc node_list(struct tx *tx, struct str owner, bool all, const struct node_query *q,
                             struct page *ret);

/* By hand; the table of changes that are allowed is in node.c. RC_CONFLICT. */
enum node_action { NODE_DRAIN, NODE_DISABLE, NODE_ENABLE, NODE_EVACUATE };
/* What a draining node does with what it has; kept while it is lost. */
enum node_drain { DRAIN_NOT, DRAIN_KEEPS, DRAIN_MOVES };
MUST_CHECK enum rc node_act(struct tx *tx, struct str id, enum node_action action,
                            struct node *ret);
/* Forget the key. */
MUST_CHECK enum rc node_revoke(struct tx *tx, struct str id, struct node *ret);
/* A new one-time token (node.token); one that is out there ends. */
MUST_CHECK enum rc node_token(struct tx *tx, struct str id, struct node *ret);

/* --- the agent's --- */

struct node_enrolment {
    uint64_t set;
    struct str token;
    struct str key; /* 64 hexadecimal digits */
};
extern const struct schema node_enrolment_schema;
struct node_enrolled {
    uint64_t set;
    struct str id;
    struct str name;
    struct str site;
};
extern const struct schema node_enrolled_schema;
/* RC_UNAUTHENTICATED: unknown, used or ended. */
MUST_CHECK enum rc node_enrol(struct tx *tx, const struct node_enrolment *e,
                              struct node_enrolled *ret);
/* The key it signs with, and its owner. RC_UNAUTHENTICATED: no such node, or it has no key. */
struct node_key {
    uint8_t bytes[32];
    struct str owner;
};
MUST_CHECK enum rc node_key(struct tx *tx, struct str id, struct node_key *ret);

/* What it said of itself; a node that was enrolling or lost is ready (or what it was) again. */
MUST_CHECK enum rc node_hear(struct tx *tx, const struct node *node, const struct node_report *r);
/* What it should run is another: its agent is woken. */
MUST_CHECK enum rc node_touch(struct tx *tx, struct str id);
/* And a service of it goes elsewhere: its leases are renewed no more before it has read that. */
MUST_CHECK enum rc node_leave(struct tx *tx, struct str id);
/* Count as taken, or (negative) give back. */
struct node_taken {
    int64_t cpu_milli, memory_bytes, disk_bytes;
};
MUST_CHECK enum rc node_take(struct tx *tx, struct str id, struct node_taken taken);
/* Whether there is room for so much more. RC_CONFLICT says of what there is too little. */
MUST_CHECK enum rc node_fits(struct tx *tx, const struct node *node, struct node_taken more);
/* Ready nodes that were not heard for too long become lost; at most `limit`. *ret: how many. */
MUST_CHECK enum rc node_lose(struct tx *tx, size_t limit, size_t *ret);
/* Whether every lease that it could still hold has surely ended. */
bool node_lease_ended(const struct node *node, time_us now);

/* Those whose desired state changed at or after `since`: id, revision; for who waits. */
struct node_change {
    struct str id;
    int64_t revision;
};
MUST_CHECK enum rc node_changes(struct tx *tx, time_us since, struct node_change **ret,
                                size_t *ret_count);

#endif
