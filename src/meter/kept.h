/*
 * kept.h - looking into the batches that were taken: for repeats, for what a correction corrects,
 * for counting anew.
 *
 * Bodies are handed to a function one after the other and never gathered, so that however many
 * there are, one is in memory.
 */
#ifndef METER_KEPT_H
#define METER_KEPT_H

#include "meter/packing.h"

struct kept_place {
    uint64_t number;
    size_t index; /* the caller's own */
};
/* By number, then by index: for qsort. */
int kept_place_order(const void *a, const void *b);

/* Hands over each record of the source that has one of these numbers (ascending; a number may
 * stand there more than once); those that are not there are passed over. What fn returns other
 * than RC_OK ends it. RC_INVALID: a batch is damaged. */
typedef enum rc (*kept_fn)(void *arg, const struct packed *p, size_t index);
MUST_CHECK enum rc kept_find(struct tx *tx, int64_t source, const struct kept_place *places,
                             size_t count, kept_fn fn, void *arg);

/* The number of the event with this id; 0: the source has none. */
MUST_CHECK enum rc kept_number(struct tx *tx, int64_t source, struct str id, uint64_t *ret);
/* Its key in the store. */
enum { KEPT_KEY_START = 16, KEPT_KEY_HASH = 16, KEPT_KEY_BYTES = KEPT_KEY_START + KEPT_KEY_HASH };
struct value kept_key(struct str id, unsigned char key[KEPT_KEY_BYTES]);

/* The records of a batch, handed to fn, which reads as many as it wants. RC_INVALID: they are
 * damaged ("batch 12 of usage is damaged"), and fn has seen those before, at most. */
typedef enum rc (*kept_body_fn)(void *arg, struct packing_reader *records);
MUST_CHECK enum rc kept_body(struct tx *tx, int64_t no, kept_body_fn fn, void *arg);

#endif
