/*
 * promise_change.h - how the promises of services and nodes went: a row where one changed.
 *
 * A node says with each report which promises it and its services keep. What is as it was before
 * makes no row. A promise that is told of no more (its service is stopped, or has another spec)
 * makes one too: from then on nobody knows, and unknown time is neither good nor bad. So it is with
 * all promises of a node that is lost, and of its services, until it is heard again; that it is
 * heard is a promise of the node's as well, PROMISE_HEARD.
 *
 * What is older than PROMISE_KEEP_US goes, but for the last word on each promise.
 */
#ifndef FLEET_PROMISE_CHANGE_H
#define FLEET_PROMISE_CHANGE_H

#include "base/schema.h"
#include "profile/spec.h"
#include "store/page.h"

#define PROMISE_HEARD STR("heard")
/* Of a service: it is reached from other sites (vantage.h). */
#define PROMISE_OUTSIDE STR("outside")
/* Of a service: its last drill passed (drill.h). */
#define PROMISE_DRILL   STR("drill")
#define PROMISE_KEEP_US (400 * US_PER_DAY)

enum promise_state { PROMISE_FAILING, PROMISE_KEPT, PROMISE_UNKNOWN };
extern const char *const promise_states[];

struct promise_change {
    uint64_t set;
    struct str id;      /* "pmc_..." */
    struct str subject; /* "svc_..." or "nod_...": whose promise */
    struct str node;    /* that said so */
    struct str name;
    int64_t state;   /* enum promise_state: from now on */
    struct str text; /* why it is not kept */
    time_us since;   /* by the clock of the node; of PROMISE_UNKNOWN, as heard */
    time_us heard;   /* by ours */
};
extern const struct schema promise_change_schema;

/* Keep what differs between what was said before (JSON, a list of sighting_promise as the store has
 * it) and what is said now (struct sighting_promise). Of two with one name the first counts. */
MUST_CHECK enum rc promise_change_keep(struct tx *tx, struct str subject, struct str node,
                                       struct str before, const struct list *now);
/* One change, and what follows from it: whoever wants to know is told (alert.h), and a node's that
 * fails opens work (work_order.h). id and heard are filled in. */
MUST_CHECK enum rc promise_change_put(struct tx *tx, const struct promise_change *c);
/* A node is not heard any more, or is again: its own promises (JSON as above) and those of its
 * services are unknown from now on, or as they were said to be last. */
MUST_CHECK enum rc promise_change_lose(struct tx *tx, struct str node, struct str promises);
MUST_CHECK enum rc promise_change_find(struct tx *tx, struct str node, struct str promises);
/* Of one service or node, the newest first. */
MUST_CHECK enum rc promise_change_list(struct tx *tx, struct str subject,
                                       const struct page_query *q, struct page *ret);
/* Of all nodes of a site, the newest first; those of services are their clients' and sellers'. */
MUST_CHECK enum rc promise_change_list_site(struct tx *tx, struct str site,
                                            const struct page_query *q, struct page *ret);

/* Promises as rows of services and nodes have them: list of struct sighting_promise. */
MUST_CHECK enum rc promise_read(struct tx *tx, struct str text, struct list *ret);
/* How many are kept. *ret_broken: the first that is not, or NULL. */
int64_t promise_kept(const struct list *promises, const struct sighting_promise **ret_broken);

#endif
