/*
 * work_kind.h - kinds of hardware work: data, so that an operator adds what it needs.
 *
 * A kind may name a promise of nodes: where that fails, such an order is opened (work_order.h).
 */
#ifndef FLEET_WORK_KIND_H
#define FLEET_WORK_KIND_H

#include "store/page.h"

enum { WORK_KINDS_MAX = 200, WORK_KIND_CODE_MAX = 40 };
#define WORK_KIND_ANY STR("remote-hands") /* for promises that no kind names */

struct work_kind {
    uint64_t set;
    struct str code;    /* "replace-ram" */
    struct str title;   /* "Replace RAM" */
    struct str promise; /* "temperature"; empty: opened by hand alone */
    time_us created;
};
extern const struct schema work_kind_schema;

/* Those that ship with Hanse: setup, fan noise, replace RAM, RMA, remote hands. What an operator
 * added or changed stays. */
MUST_CHECK enum rc work_kind_seed(struct tx *tx);
/* Add one, or change title and promise of one. RC_INVALID names the field: the code is none,
 * another kind has the promise. RC_CONFLICT: there are WORK_KINDS_MAX. */
MUST_CHECK enum rc work_kind_put(struct tx *tx, const struct work_kind *fresh,
                                 struct work_kind *ret);
/* All of them by code: struct work_kind. */
MUST_CHECK enum rc work_kind_list(struct tx *tx, struct list *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc work_kind_get(struct tx *tx, struct str code, struct work_kind *ret);
/* Which kind a failing promise asks for: *ret without title where no kind names it. */
MUST_CHECK enum rc work_kind_for(struct tx *tx, struct str promise, struct work_kind *ret);

#endif
