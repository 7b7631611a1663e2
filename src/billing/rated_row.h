/*
 * rated_row.h - rated lines as the store keeps them: many in a row (rated_run.h).
 *
 * What a line says of its plan, item and path is looked up again by rate_recall (rate.h). Closes
 * before migration 10 kept each line in a row of its own: they are read from there, and a close
 * that began before it may have both, the older lines first.
 */
#ifndef BILLING_RATED_ROW_H
#define BILLING_RATED_ROW_H

#include "billing/rate.h"
#include "store/store.h"

/* Lines first .. last of a close, all on one path. */
struct rated_row {
    int64_t first;
    int64_t last;
    int64_t path;
    struct str body; /* rated_run_write */
};
MUST_CHECK enum rc rated_row_insert(struct tx *tx, int64_t close_no, const struct rated_row *rows,
                                    size_t count);
/* What a coupon took as well: of lines in ascending order. */
struct rated_discount {
    int64_t line;
    int64_t discount;
};
MUST_CHECK enum rc rated_row_discount(struct tx *tx, int64_t close_no,
                                      const struct rated_discount *list, size_t count);
/* Lines of a close behind `after`, in order, at most limit. Without what rate_recall fills in;
 * *ret_tiers is how many edges the path has. The line is valid during the call; its texts too. */
typedef enum rc (*rated_row_fn)(struct tx *tx, int64_t number, const struct rated_line *line,
                                size_t tiers, void *arg);
MUST_CHECK enum rc rated_row_each(struct tx *tx, int64_t close_no, int64_t after, int64_t limit,
                                  rated_row_fn fn, void *arg);
/* The same for the lines of one path: at least `limit` where there are so many, a few more at
 * most. */
MUST_CHECK enum rc rated_row_each_on(struct tx *tx, int64_t close_no, int64_t path, int64_t after,
                                     int64_t limit, rated_row_fn fn, void *arg);
/* Lines first .. first + count - 1, whole, in the tx's arena. */
MUST_CHECK enum rc rated_row_lines(struct rater *r, struct tx *tx, int64_t close_no, int64_t first,
                                   int64_t count, struct rated_line **ret, size_t *ret_count);

#endif
