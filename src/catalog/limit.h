/*
 * limit.h - whether the limits on a path have room; within this folder.
 */
#ifndef CATALOG_LIMIT_H
#define CATALOG_LIMIT_H

#include "base/map.h"
#include "catalog/subscription.h"

/* So many units of a version of a plan. */
struct limit_units {
    struct str plan;
    int64_t plan_number;
    struct str item;
    struct quantity units;
};
struct limit_ask {
    const struct supply_path *path;
    const struct limit_units *wanted;
    size_t count;
    const struct map *instead; /* by id: subscriptions that the wanted ones replace; NULL: none */
};
/* RC_CONFLICT at /quantity where a limit would be passed. What is less than it replaces always has
 * room, also where a limit was lowered since. */
MUST_CHECK enum rc limit_check(struct tx *tx, const struct limit_ask *ask);

#endif
