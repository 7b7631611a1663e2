/*
 * machine.h - what a node says of itself: what it has, what of it is in use, what it can run.
 */
#ifndef NODE_MACHINE_H
#define NODE_MACHINE_H

#include "profile/spec.h"

/* All but services, promises and revision. home: whose disk counts. features: struct str. */
void machine_report(const char *home, const struct list *features, struct str address,
                    struct arena *arena, struct node_report *ret);
/* The first address of the machine that is not its loopback; "127.0.0.1" where there is none. */
struct str machine_address(struct arena *arena);

#endif
