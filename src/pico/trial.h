/*
 * trial.h - events at which the engine died: counted, and after PICO_TRIES_MAX set aside.
 */
#ifndef PICO_TRIAL_H
#define PICO_TRIAL_H

#include "base/json.h"
#include "pico/inside.h"
#include "pico/move.h"

enum { PICO_TRIES_MAX = 3, PICO_ASIDE_LIST_MAX = 1000 };

/* So long an engine has lived when it begins what was begun once before, and more often. */
#define PICO_CALM_US     US_PER_SECOND
#define PICO_CALM_MAX_US (10 * US_PER_SECOND)

/* Before an item runs, on the pico's thread. False: not now, and *ret says when to begin anew. Sets
 * i->condemned where it is to be set aside instead. */
bool trial_pass(struct pico_engine *e, struct pico *p, struct item *i, enum outcome *ret);
/* With the lock, of one that was not now (OUT_REST): whether it may be begun. */
bool trial_may_begin(const struct pico_engine *e, const struct item *i);
/* With the lock: the item is through, or goes. */
void trial_over(struct pico_engine *e, struct item *i);

/* OP_TRY and OP_ASIDE. */
MUST_CHECK enum rc trial_count(struct tx *tx, const struct op *op);
MUST_CHECK enum rc trial_put_aside(struct tx *tx, int64_t pico, const struct item *i);

/* {"items": [{"no","eid","domain","name","attrs","since"}]}, the oldest first, at most
 * PICO_ASIDE_LIST_MAX; attrs is a text of JSON. RC_NOT_FOUND: no such pico. */
MUST_CHECK enum rc pico_aside_list(struct tx *tx, struct str id, struct json_writer *w);
/* The event waits at its pico again, behind the others, as if it had just come. RC_NOT_FOUND: no
 * such event is set aside there; RC_CONFLICT: the pico moves. */
MUST_CHECK enum rc pico_aside_again(struct pico_engine *e, struct str id, int64_t no,
                                    struct err *err);
/* It is forgotten. The same errors. */
MUST_CHECK enum rc pico_aside_drop(struct pico_engine *e, struct str id, int64_t no,
                                   struct err *err);

#endif
