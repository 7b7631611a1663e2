/*
 * drivers.h - one driver over several: each service goes to the one that its spec names, or, where
 * there is no spec, to the one whose folder it has.
 */
#ifndef NODE_DRIVERS_H
#define NODE_DRIVERS_H

#include "node/vm.h"

struct drivers {
    struct driver driver;
    struct container container;
    struct vm vm;
    bool machines;     /* vm works here */
    struct err why_no; /* why it does not */
};

/* RC_UNSUPPORTED: not even containers work here. Texts of the options live as long as d. */
MUST_CHECK enum rc drivers_init(struct drivers *d, const struct container_options *o,
                                struct arena *arena, struct err *err);
void drivers_fini(struct drivers *d);

#endif
