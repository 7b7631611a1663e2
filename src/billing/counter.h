/*
 * counter.h - numbers that this room gives in order, dense, for ever: of documents, of events.
 */
#ifndef BILLING_COUNTER_H
#define BILLING_COUNTER_H

#include "store/store.h"

/* The next `count` numbers of the counter with this name: the first of them. count > 0. */
MUST_CHECK enum rc counter_raise(struct tx *tx, struct str name, int64_t count, int64_t *ret_first);

#endif
