/*
 * machine.h - what a node says of itself: what it has, what of it is in use, what it can run.
 */
#ifndef NODE_MACHINE_H
#define NODE_MACHINE_H

#include "profile/spec.h"

/* The node's own promises, and what it remembers of them from one report to the next. */
enum machine_promise { MACHINE_DISK, MACHINE_TEMPERATURE, MACHINE_PROMISES };
/* One that is broken is kept again only so far below its limit: it does not come and go. */
enum { MACHINE_BELOW = 5 };
struct machine_mind {
    struct {
        bool known;
        bool kept;
        time_us since;
    } of[MACHINE_PROMISES];
};

/* All but services, promises and revision. home: whose disk counts. features: struct str. */
void machine_report(const char *home, const struct list *features, struct str address,
                    struct arena *arena, struct node_report *ret);
/* Bytes of memory that are to be had; 0 where the machine does not tell. */
int64_t machine_memory(struct arena *arena);
/* "disk": at most PROMISE_PERCENT_MAX of the disk that the report tells of is taken; "temperature":
 * the hottest sensor has at most PROMISE_DEGREES_MAX (degrees below 0: there is none, and no such
 * promise). What cannot be measured is not told. struct sighting_promise. */
struct list machine_promises(struct machine_mind *mind, const struct node_report *report,
                             int64_t degrees, time_us now, struct arena *arena);
/* The first address of the machine that is not its loopback; "127.0.0.1" where there is none. */
struct str machine_address(struct arena *arena);

#endif
