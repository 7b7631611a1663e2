/*
 * lookout.h - a node as a vantage point: what it looks at for others, each in its time.
 *
 * What it shall look at it asks the control plane, as for backups; what it saw waits in the spool
 * until it was taken. While the control plane is away it goes on for LOOKOUT_ALONE_US: after that
 * an address may be somebody else's by now.
 */
#ifndef NODE_LOOKOUT_H
#define NODE_LOOKOUT_H

#include "base/log.h"
#include "node/link.h"
#include "node/probe.h"
#include "node/spool.h"

#define LOOKOUT_ALONE_US US_PER_HOUR

struct lookout;

struct lookout_options {
    struct prober prober;
    struct link *link;
    struct spool *spool;
    struct clock *clock;
    const struct log *log; /* NULL: silent */
    size_t threads;        /* for looks; 0: all in the caller's thread */
};
/* Never fails. */
struct lookout *lookout_open(const struct lookout_options *o);
/* Waits for looks in hand. NULL is fine. */
void lookout_close(struct lookout *l);

/* Ask what shall be looked at. What is said already keeps its time. RC of the call; RC_SYNTAX,
 * RC_INVALID: what was told before stays. */
MUST_CHECK enum rc lookout_ask(struct lookout *l, struct arena *arena, struct err *err);
/* Begin the looks that are due. Returns how many. */
size_t lookout_turn(struct lookout *l);
/* Send one load of what was seen, if there is any; *ret: whether there may be more. What the
 * control plane refuses for what it is, is dropped: the same would be refused for ever. */
MUST_CHECK enum rc lookout_tell(struct lookout *l, struct arena *arena, bool *ret, struct err *err);

#endif
