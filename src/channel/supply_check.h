/*
 * supply_check.h - what keeps the supply paths a forest, asked before terms come into force. For
 * this folder alone.
 */
#ifndef CHANNEL_SUPPLY_CHECK_H
#define CHANNEL_SUPPLY_CHECK_H

#include "channel/supply.h"

/* Terms of a SUPPLY agreement (its id is empty while it is being made) as they would hold from an
 * instant on. RC_INVALID at /terms/upstream: no active SUPPLY agreement to the seller, one that
 * ends, none where the seller is not the operator, a cycle, a party twice on a path or a path
 * deeper than SUPPLY_DEPTH_MAX at any time from then on; at /terms/currency: another than
 * upstream's. Agreements below are counted as if all that is signed for later were there together:
 * rather refused than wrong. */
MUST_CHECK enum rc supply_check(struct tx *tx, const struct agreement *a, time_us from);
/* RC_CONFLICT: agreements below need this one at the instant or later. */
MUST_CHECK enum rc supply_check_end(struct tx *tx, const struct agreement *a, time_us at);

/* One step of a path, bottom up: the edge of an agreement as of an instant, and the next step's
 * agreement (empty: at the top). found false: it is not in force then. */
struct supply_step {
    struct supply_edge edge;
    struct str upstream;
    struct str currency;
    bool found;
};
MUST_CHECK enum rc supply_step_at(struct tx *tx, struct str agreement, time_us at,
                                  struct supply_step *ret);
/* The first instant after `after` at which terms of this agreement begin or it ends; INT64_MAX:
 * none is known. */
MUST_CHECK enum rc supply_next_change(struct tx *tx, struct str agreement, time_us after,
                                      time_us *ret);
/* *next becomes the first instant after `after` at which a price or guard of the book begins, where
 * that is earlier. */
MUST_CHECK enum rc supply_book_changes(struct tx *tx, struct str book, time_us after,
                                       time_us *next);

#endif
