/*
 * vantage.h - how services are seen from other sites, by city and day (RS6).
 *
 * The agent beside a service says how it is from inside; a site that is cut off from the world says
 * that all is well. So nodes of other sites look at its published port (profile/probe.h): chosen
 * here, `places` of them, never its own node or site, of different cities and owners first. Looked
 * at are services whose profile says so of a promise (`outside: true`), and those of which client
 * or seller say so. What is probed follows from the spec and from what the node published, within
 * the ports that agents publish: nobody names an address.
 *
 * From looks to a promise: a place holds the service to be down after VANTAGE_STREAK bad looks in a
 * row, and up after as many good ones; the service's promise PROMISE_OUTSIDE fails where more than
 * half of the places heard lately hold it to be down, and is kept where more than half hold it up.
 * In between it stays as it was, so that nothing flaps; fewer than VANTAGE_VOICES places are too
 * few to say anything: one node that lies takes nothing down. Alerts follow as from any promise.
 *
 * A result counts once, and only as often as it was asked for: each must be younger than the one
 * before of its place by half the pause between two looks. Looks are kept for VANTAGE_LOOK_DAYS, by
 * day and city for VANTAGE_KEEP_DAYS.
 */
#ifndef FLEET_VANTAGE_H
#define FLEET_VANTAGE_H

#include "fleet/promise_change.h"
#include "fleet/service.h"
#include "profile/probe.h"

enum {
    VANTAGE_PLACES = 3,
    VANTAGE_PLACES_MAX = 7,
    VANTAGE_STREAK = 2,
    VANTAGE_VOICES = 2,
    VANTAGE_LATE_DAYS = 3, /* a result that is older counts no more */
    VANTAGE_LOOK_DAYS = 5,
    VANTAGE_KEEP_DAYS = 400,
    VANTAGE_DAYS = 7, /* shown, unless said otherwise */
    VANTAGE_DAYS_MAX = 90,
    VANTAGE_ROWS_MAX = 1000, /* of days and cities in one answer */
    VANTAGE_TICK_MAX = 50,
};
#define VANTAGE_AHEAD_US US_PER_MINUTE       /* so far the clock of a node may go ahead */
#define VANTAGE_AGAIN_US (5 * US_PER_MINUTE) /* each service is looked after so often */

/* A node that looks at a service. */
enum vantage_seen { VANTAGE_UNKNOWN, VANTAGE_UP, VANTAGE_DOWN, VANTAGE_REFUSED };
extern const char *const vantage_seen_words[];
struct vantage_place {
    uint64_t set;
    struct str country;
    struct str city;
    int64_t seen;
    bool late;      /* nothing was heard of it for too long: it has no voice */
    time_us looked; /* 0: not yet */
    int64_t connect_us;
    int64_t total_us;
    int64_t days;
    struct str text;
};
extern const struct schema vantage_place_schema;

/* A day as seen from a city. Of a site: of all services that ran there. */
struct vantage_day {
    uint64_t set;
    struct str day; /* "2026-11-26", UTC */
    struct str country;
    struct str city;
    int64_t services; /* of a site: how many were looked at */
    int64_t probes;
    int64_t failures;
    struct str percent; /* of good ones, rounded down: "99.930" */
    int64_t p50_us;     /* of a site: not given */
    int64_t p95_us;     /* of a site: of its slowest service */
};
extern const struct schema vantage_day_schema;

/* A service as seen from outside, and how it is looked at. */
struct vantage {
    uint64_t set;
    struct str service;
    bool watched;
    int64_t places; /* wanted */
    int64_t every_s;
    struct str port; /* its name in the profile */
    int64_t kind;
    struct str path;
    int64_t status;
    struct str contains;
    int64_t days;  /* certificate */
    int64_t state; /* enum promise_state */
    time_us since;
    struct str text;        /* why, in words */
    struct list seen_from;  /* struct vantage_place */
    struct list seen_daily; /* struct vantage_day, the newest day first */
};
extern const struct schema vantage_schema;
struct vantage_query {
    uint64_t set;
    int64_t days;
};
extern const struct schema vantage_query_schema;

/* How it shall be looked at; what is not said stays, or is as its profile's promises say. */
struct vantage_order {
    uint64_t set;
    bool watched;
    int64_t places;
    int64_t every_s;
    struct str port;
    int64_t kind;
    struct str path;
    int64_t status;
    struct str contains;
    int64_t days;
};
extern const struct schema vantage_order_schema;

/* RC_NOT_FOUND: no such service. One that was never looked at is shown as not watched. */
MUST_CHECK enum rc vantage_get(struct tx *tx, struct str service, const struct vantage_query *q,
                               struct vantage *ret);
/* RC_INVALID names the field: a port that is not published, or not by TCP; a path or text that only
 * HTTP has. RC_CONFLICT: nothing of it is published, it has ended, it is the copy of a drill. */
MUST_CHECK enum rc vantage_set(struct tx *tx, struct str service, const struct vantage_order *order,
                               struct vantage *ret);

struct site_vantage {
    uint64_t set;
    struct str site;
    struct list seen_daily; /* struct vantage_day */
};
extern const struct schema site_vantage_schema;
/* RC_NOT_FOUND. Of whose services they are it says nothing. */
MUST_CHECK enum rc vantage_site(struct tx *tx, struct str site, const struct vantage_query *q,
                                struct site_vantage *ret);

/* What a node looks at for others: addresses, and nothing of what stands behind them. */
struct node_probe {
    uint64_t set;
    struct str id;
    int64_t kind;
    struct str address;
    int64_t port;
    int64_t every_s;
    int64_t seen;
    time_us looked;
    int64_t total_us;
    struct str text;
};
extern const struct schema node_probe_schema;
MUST_CHECK enum rc vantage_node(struct tx *tx, struct str node, const struct page_query *q,
                                struct page *ret);

/* --- the agent's --- */

/* All that this node looks at. A node that takes no services any more looks at nothing. */
MUST_CHECK enum rc vantage_tasks(struct tx *tx, struct str node, struct probe_tasks *ret);
/* What it saw. *ret_count: how many count. */
MUST_CHECK enum rc vantage_take(struct tx *tx, struct str node, const struct probe_results *r,
                                int64_t *ret_count);

/* --- for service.h --- */

/* A service begins: looked at where its profile says so. */
MUST_CHECK enum rc vantage_begin(struct tx *tx, const struct service *v, const struct profile *p);
/* Where it is or how it is changed: it is looked after soon. */
MUST_CHECK enum rc vantage_touch(struct tx *tx, struct str service);

/* --- the clock's --- */

MUST_CHECK enum rc vantage_tick_due(struct tx *tx, bool *ret);
/* Look after services (where are they, who looks at them), make out days, forget. At most a few;
 * *ret: whether there may be more. */
MUST_CHECK enum rc vantage_tick(struct tx *tx, bool *ret);

/* --- the choice and the verdict: pure --- */

struct vantage_candidate {
    struct str node;
    struct str site;
    struct str country;
    struct str city;
    struct str owner;
    int64_t tasks; /* that it has already */
};
/* Of count candidates up to `wanted` more beside those that were chosen before: their indexes,
 * in the order of the choice. home: where the service is. Never of a site that is chosen or home's;
 * other cities first, then other owners, then who has the least to do; what is left is decided by
 * the service's id, so that services spread. *ret: room for VANTAGE_PLACES_MAX. */
struct vantage_choice {
    struct str service;
    const struct vantage_candidate *home;
    const struct vantage_candidate *candidates;
    size_t count;
    const struct vantage_candidate *chosen;
    size_t chosen_count;
    size_t wanted;
};
size_t vantage_choose(const struct vantage_choice *c, size_t ret[VANTAGE_PLACES_MAX]);

/* By what places that are not late hold. */
enum promise_state vantage_verdict(const enum vantage_seen *seen, size_t count,
                                   enum promise_state was);
/* What a place holds after one look more. *streak goes on. */
enum vantage_seen vantage_look(enum vantage_seen was, bool good, int64_t *streak);

#endif
