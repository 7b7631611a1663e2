/*
 * upgrade.h - a service goes to another version of its profile, with its data, and back where that
 * was a mistake.
 *
 *     saving > trying > done        trying > back        saving > failed
 *
 * What runs is backed up first, where its kind can be (saving). Then it is made of the new version:
 * its volumes, its secrets by their names, its needs and its place stay. Once it runs and has kept
 * every promise until UPGRADE_LOOK_US have passed, it is done. Where it does not within
 * UPGRADE_MAX_US, it is made of the old version again (back): parameters and secrets as they were;
 * what it wrote meanwhile stays, and who wants the data of before restores the backup. What does
 * not run is not tried: it is done at once.
 *
 * All of it is rows: who is killed goes on where it was.
 */
#ifndef FLEET_UPGRADE_H
#define FLEET_UPGRADE_H

#include "fleet/service.h"

#define UPGRADE_LOOK_US (60 * US_PER_SECOND)
#define UPGRADE_MAX_US  (10 * 60 * US_PER_SECOND)
enum { UPGRADE_TICK_MAX = 20 };

enum upgrade_state {
    UPGRADE_SAVING,
    UPGRADE_TRYING,
    UPGRADE_DONE,
    UPGRADE_BACK,
    UPGRADE_FAILED,
};
extern const char *const upgrade_states[];

struct upgrade {
    uint64_t set;
    struct str id; /* "upg_..." */
    struct str service;
    struct str client;
    struct str from; /* versions of the profile */
    struct str to;
    struct str backup; /* of before; empty: none was made */
    int64_t state;
    struct str reason;
    time_us began;
    time_us ended; /* 0: not yet */
};
extern const struct schema upgrade_schema;

struct upgrade_order {
    uint64_t set;
    struct str version;            /* empty: the newest */
    const struct json *parameters; /* laid over what holds */
};
extern const struct schema upgrade_order_schema;

/* RC_INVALID: no such version, a parameter that the new version does not take. RC_CONFLICT: it is
 * that version; its state; a machine (what is in it is upgraded within it); a volume or a need that
 * the new version has not, or has more; no room on its node; another upgrade, or a backup, is in
 * hand; its image is not there. */
MUST_CHECK enum rc upgrade_begin(struct tx *tx, const struct seal *seal, struct str service,
                                 const struct upgrade_order *order, struct upgrade *ret);
/* Newest first. */
MUST_CHECK enum rc upgrade_list(struct tx *tx, struct str service, const struct page_query *q,
                                struct page *ret);

/* The service is no more, or is given another form by hand: what is in hand ends as it is. */
MUST_CHECK enum rc upgrade_stop(struct tx *tx, struct str service, struct str reason);

/* --- the clock's --- */

/* Whether one waits for nothing but the clock. */
MUST_CHECK enum rc upgrade_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc upgrade_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
