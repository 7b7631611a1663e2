/*
 * detail.h - channels in the store: what is said of one (tags and policies, packed) is mostly said
 * of many, and kept once where it is not short. Who reads channels joins pico_detail.
 */
#ifndef PICO_DETAIL_H
#define PICO_DETAIL_H

#include "store/store.h"

/* A channel is new, or has another detail. */
MUST_CHECK enum rc detail_put_channel(struct tx *tx, int64_t pico, struct str eci, int64_t place,
                                      struct str detail);
MUST_CHECK enum rc detail_drop_channel(struct tx *tx, struct str eci);
/* All channels of a pico go. */
MUST_CHECK enum rc detail_drop_pico(struct tx *tx, int64_t pico);

#endif
