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
 * By plan: a profile says drill_every_days, or its client or seller does; then one begins by itself
 * each time, at most DRILL_AT_ONCE at a time in the whole house. How the last drill of a service
 * went is its promise PROMISE_DRILL, so that alerts tell of it; one that cannot begin breaks it and
 * is tried again a day later.
 *
 * All of it is rows: who is killed goes on where it was.
 */
#ifndef FLEET_DRILL_H
#define FLEET_DRILL_H

#include "fleet/service.h"

#define DRILL_MAX_US (30 * 60 * US_PER_SECOND)
enum { DRILL_TICK_MAX = 20, DRILL_AT_ONCE = 20, DRILL_DAYS_MAX = 366 };

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

struct drill_plan {
    uint64_t set;
    struct str service;
    int64_t every_days; /* 0: none by plan */
    time_us next;       /* 0: none */
};
extern const struct schema drill_plan_schema;
/* RC_NOT_FOUND. */
MUST_CHECK enum rc drill_plan_get(struct tx *tx, struct str service, struct drill_plan *ret);
/* every_days 0 ends it. RC_CONFLICT: it is never backed up, uses others, has ended, is a copy. */
MUST_CHECK enum rc drill_plan_set(struct tx *tx, struct str service, const struct drill_plan *plan,
                                  struct drill_plan *ret);

/* --- for service.h --- */

/* Its profile says so; what was planned stays. */
MUST_CHECK enum rc drill_plan_begin(struct tx *tx, struct str service, int64_t every_days);

/* A node said how the copy is; its row is as that says already. */
MUST_CHECK enum rc drill_seen(struct tx *tx, const struct seal *seal, struct service *copy,
                              const struct sighting *s);
/* The service is no more: what is tried of it fails. */
MUST_CHECK enum rc drill_stop(struct tx *tx, const struct seal *seal, struct str service);
/* What is tried of it now fails, and why; what is planned stays. */
MUST_CHECK enum rc drill_halt(struct tx *tx, const struct seal *seal, struct str service,
                              const char *why);
/* RC_CONFLICT where it is a copy: it ends by itself. */
MUST_CHECK enum rc drill_refuse(struct tx *tx, const struct service *v);

/* --- the clock's --- */

/* Whether the time of one is over, or one is due. */
MUST_CHECK enum rc drill_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc drill_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
