/*
 * move.h - a service goes to another node with all that it keeps.
 *
 *     stopping > saving > loading > at its new place
 *     stopping, saving > it stays, and goes on
 *     loading > returning > it goes on where it came from
 *
 * Its node stops it, saves its disk or volumes, and keeps them. They travel as backups do
 * (backup.h). From then on the other node has it, lays them in place and starts it; when it runs
 * there and keeps as many promises as before (a stopped one: when its data lies there), the old
 * copy is removed, and not before. What cannot be saved goes on where it is; what does not come to
 * run elsewhere for MOVE_LOAD_US is stopped there and goes on where it came from, with the data
 * that it left with.
 *
 * Never two at once: the old node has said that it stopped, for a generation that it does not
 * forget, before the new one is told of it; on the way back it is the other way round, or
 * (failover) the lease there has surely ended. All of it is rows and what nodes say: whoever is
 * killed, it goes on. What keeps nothing on its node moves without the saving.
 */
#ifndef FLEET_MOVE_H
#define FLEET_MOVE_H

#include "fleet/service.h"

enum { MOVE_TICK_MAX = 50, MOVE_EVACUATE_MAX = 2 /* services of a node at once */ };
#define MOVE_LOAD_US (30 * US_PER_MINUTE)

/* By hand, or as its node is evacuated. It is running, failed or stopped, and not being moved.
 * RC_CONFLICT in words, nothing written: no other node has room. */
MUST_CHECK enum rc move_begin(struct tx *tx, const struct seal *seal, struct service *v);
/* RC_CONFLICT while it is being moved: nothing else is done with it, but a cancel. */
MUST_CHECK enum rc move_refuse(struct tx *tx, const struct service *v);
/* Its node has said so, and *v is as that makes it. *ret: it is (or was until now) being moved, and
 * its operation was looked after. */
MUST_CHECK enum rc move_seen(struct tx *tx, const struct seal *seal, struct service *v,
                             const struct sighting *s, bool *ret);
/* What is moved is to be so from now on (enum spec_state). *ret: it is being moved; *ret_rests: it
 * is at rest on the way, and its row stays as it is until it has another place. */
MUST_CHECK enum rc move_want(struct tx *tx, struct str service, int64_t wanted, bool *ret,
                             bool *ret_rests);
/* A backup was made, or could not be: if it is a move's, that goes on. */
MUST_CHECK enum rc move_saved(struct tx *tx, const struct seal *seal, struct str backup);
/* The service ends: nothing of it is kept anywhere. */
MUST_CHECK enum rc move_end(struct tx *tx, struct str service);

/* --- the clock's --- */

/* Whether a move does not get on by what nodes say, or a node is to be emptied. Writes nothing. */
MUST_CHECK enum rc move_tick_due(struct tx *tx, bool *ret);
/* *ret: whether there may be more. */
MUST_CHECK enum rc move_tick(struct tx *tx, const struct seal *seal, bool *ret);

#endif
