/*
 * family.h - a subscription with all that is below it, moved and ended as one; within this folder.
 */
#ifndef CATALOG_FAMILY_H
#define CATALOG_FAMILY_H

#include "base/map.h"
#include "catalog/limit.h"

/* The members that have not ended, the first included, and what they come to: ids are keys of
 * *ret_ids, units are summed by version of plan as of now. RC_TOO_LARGE: more than
 * SUBSCRIPTION_FAMILY_MAX members, or plans. */
MUST_CHECK enum rc family_units(struct tx *tx, struct str id, struct map *ret_ids,
                                struct limit_units **ret_units, size_t *ret_count);
/* Ids (struct str) of those of them that have this plan now, or at their beginning; ret->items has
 * room for all of the family. */
MUST_CHECK enum rc family_with_plan(struct tx *tx, struct str id, const struct limit_units *plan,
                                    size_t room, struct list *ret);
/* All below (not the first) go to another agreement from now on; their other terms stay. */
MUST_CHECK enum rc family_move(struct tx *tx, struct str id, struct str agreement,
                               struct str seller);
/* All below (not the first) end at the instant, if they do not end before. */
MUST_CHECK enum rc family_end(struct tx *tx, struct str id, time_us at);

#endif
