/*
 * rated_row.h - rated lines as the store keeps them.
 *
 * What a line says of its plan, item and path is looked up again by rate_recall (rate.h).
 */
#ifndef BILLING_RATED_ROW_H
#define BILLING_RATED_ROW_H

#include "billing/rate.h"
#include "store/store.h"

enum rated_flag {
    RATED_FREE_TIER = 1,
    RATED_LATE = 2,
    RATED_ADVANCE = 4,
    RATED_TAX_INCLUDED = 8,
};
enum { RATED_PRICE_BYTES = 9, RATED_AMOUNT_BYTES = 8 };

MUST_CHECK enum rc rated_row_insert(struct tx *tx, int64_t close_no, int64_t number,
                                    const struct rated_line *line);
/* What a coupon took as well. */
MUST_CHECK enum rc rated_row_discount(struct tx *tx, int64_t close_no, int64_t number,
                                      int64_t discount);
/* Lines of a close behind `after`, in order, at most limit. Without what rate_recall fills in;
 * *ret_tiers is how many edges the path has. The line is valid during the call; its texts too. */
typedef enum rc (*rated_row_fn)(struct tx *tx, int64_t number, const struct rated_line *line,
                                size_t tiers, void *arg);
MUST_CHECK enum rc rated_row_each(struct tx *tx, int64_t close_no, int64_t after, int64_t limit,
                                  rated_row_fn fn, void *arg);
/* Lines first .. first + count - 1, whole, in the tx's arena. */
MUST_CHECK enum rc rated_row_lines(struct rater *r, struct tx *tx, int64_t close_no, int64_t first,
                                   int64_t count, struct rated_line **ret, size_t *ret_count);

#endif
