/*
 * hold.h - what is suspended (catalog/suspension.h) does not run: services that are to run are
 * stopped, and go on when their subscription is not suspended any more.
 *
 * A held service is one that is wanted stopped: whatever starts what is to run (a failover, the end
 * of a move, an upgrade, a restore) leaves it at rest. What it keeps, its place and its backups
 * stay. Who holds it is no state: the same follows from the suspensions at any time, however often
 * the clock looks, and whoever is killed in between.
 *
 * What its client stopped himself is not held, and stays stopped; one that is held and that he
 * stops is his to start, too.
 */
#ifndef FLEET_HOLD_H
#define FLEET_HOLD_H

#include "fleet/service.h"

enum { HOLD_TICK_MAX = 50 };

/* Nobody starts it again but its client. */
MUST_CHECK enum rc hold_drop(struct tx *tx, struct str service);

/* --- the clock's --- */

/* Whether there is something to hold or to let go. Writes nothing. */
MUST_CHECK enum rc hold_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc hold_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
