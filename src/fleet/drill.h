/*
 * drill.h - whether a service would come back from its backup: tried, not believed.
 *
 *     running > passed        running > failed
 *
 * A drill restores a backup into a copy of the service: same kind, parameters and secrets, on
 * another node where there is one with room. Nobody reaches the copy and it reaches nobody (so it
 * sends no mail twice), nobody pays for it (it has no subscription: its use is not counted), no
 * list of services shows it, nothing else is done with it. It has passed when the copy runs,
 * restored, and keeps every promise of its kind; after DRILL_MAX_US it has failed. Either way the
 * copy is removed. The service itself is never touched.
 *
 * All of it is rows: who is killed goes on where it was.
 */
#ifndef FLEET_DRILL_H
#define FLEET_DRILL_H

#include "fleet/service.h"

#define DRILL_MAX_US (30 * 60 * US_PER_SECOND)
enum { DRILL_TICK_MAX = 20 };

enum drill_state { DRILL_RUNNING, DRILL_PASSED, DRILL_FAILED };
extern const char *const drill_states[];

struct drill {
    uint64_t set;
    struct str id; /* "drl_..." */
    struct str service;
    struct str client;
    struct str backup;
    time_us backed_up; /* when the backup was asked for */
    int64_t bytes;
    struct str node; /* where the copy was */
    int64_t state;
    int64_t promises; /* kept at the end */
    int64_t seconds;  /* from the beginning to the end, or to now */
    struct str reason;
    time_us began;
    time_us ended; /* 0: not yet */
};
extern const struct schema drill_schema;

struct drill_order {
    uint64_t set;
    struct str backup; /* empty: the newest */
};
extern const struct schema drill_order_schema;

/* Begin one. RC_INVALID at "/backup": none of this service, or not kept. RC_CONFLICT: the service
 * has ended, is a copy itself, uses others (its copy would write to them), has no backup or a drill
 * already; no node has room, in words. */
MUST_CHECK enum rc drill_begin(struct tx *tx, const struct seal *seal, struct str service,
                               const struct drill_order *order, struct drill *ret);
/* Newest first. */
MUST_CHECK enum rc drill_list(struct tx *tx, struct str service, const struct page_query *q,
                              struct page *ret);

/* --- for service.h --- */

/* A node said how the copy is; its row is as that says already. */
MUST_CHECK enum rc drill_seen(struct tx *tx, const struct seal *seal, struct service *copy,
                              const struct sighting *s);
/* The service is no more: what is tried of it fails. */
MUST_CHECK enum rc drill_stop(struct tx *tx, const struct seal *seal, struct str service);
/* RC_CONFLICT where it is a copy: it ends by itself. */
MUST_CHECK enum rc drill_refuse(struct tx *tx, const struct service *v);

/* --- the clock's --- */

/* Whether the time of one is over. */
MUST_CHECK enum rc drill_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc drill_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
