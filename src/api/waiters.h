/*
 * waiters.h - requests of nodes that wait for their desired state to change (long poll): held,
 * looked at soon after each commit, run again when there is something new, time is up or the server
 * closes.
 *
 * One thread. It asks the store which nodes changed lately, and wakes those alone; a change that
 * was committed between a request's snapshot and its coming here is within that time as well.
 */
#ifndef API_WAITERS_H
#define API_WAITERS_H

#include "store/store.h"

struct waiters;
struct request;

/* Lives in the arena. resume is called for each request that ends to wait. With a clock that does
 * not run there is no thread, and nobody waits. */
struct waiters *waiters_init(struct arena *arena, struct store *store, struct clock *clock,
                             void (*resume)(struct request *r));
/* After the server is closed: nobody waits any more. */
void waiters_fini(struct waiters *w);
/* From now on the request is the waiters' until resume. False: it does not wait. */
MUST_CHECK bool waiters_add(struct waiters *w, struct request *r);

#endif
