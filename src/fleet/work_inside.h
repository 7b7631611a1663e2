/*
 * work_inside.h - what the files of work orders share.
 */
#ifndef FLEET_WORK_INSIDE_H
#define FLEET_WORK_INSIDE_H

#include "fleet/work_order.h"

/* Write what can change, as the next version, and tell both sides of it. changed: JSON. */
MUST_CHECK enum rc work_order_keep(struct tx *tx, struct work_order *w, int64_t terms,
                                   struct str changed);
/* A step of text alone; by empty: the installation. None where there are WORK_STEPS_MAX. */
MUST_CHECK enum rc work_note(struct tx *tx, struct str by, struct str id, struct str text);
/* The number of the terms that its fee was accepted under; 0: none. */
MUST_CHECK enum rc work_order_terms(struct tx *tx, struct str id, int64_t *ret);
/* "nod_.../temperature" */
struct str work_order_cause(struct tx *tx, struct str node, struct str promise);
/* What that opened and is not ended; *ret empty where nothing is. */
MUST_CHECK enum rc work_order_opened_for(struct tx *tx, struct str cause, struct str *ret);
/* Write a new order and tell of it. */
MUST_CHECK enum rc work_order_insert(struct tx *tx, struct work_order *w);
/* Who manages the node by its owner's agreements, and by which; both empty where that is nobody, or
 * not one alone. */
MUST_CHECK enum rc work_order_manager(struct tx *tx, const struct node *node,
                                      struct str *ret_manager, struct str *ret_agreement);

#endif
