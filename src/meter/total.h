/*
 * total.h - usage added up while the month runs, so that a close never reads raw records.
 *
 * One total for each (subscription, meter, window), by the meter's kind. Totals follow the records:
 * a fold takes the rows of records behind a cursor and adds them, in one commit with the cursor, so
 * that each record counts once whatever is killed when. Any order of arrival gives the same totals.
 * Late records (of a window that a close has billed) are marked: the next close bills the
 * difference.
 */
#ifndef METER_TOTAL_H
#define METER_TOTAL_H

#include "meter/usage.h"

/* Add what came since the last fold, at most `records` of them. *ret_done: nothing is left. */
MUST_CHECK enum rc total_fold(struct tx *tx, size_t records, bool *ret_done);
/* One fold in a unit of work of its own; *ret_worked false: there was nothing. What a thread in the
 * background calls again and again. */
MUST_CHECK enum rc total_work(struct store *s, struct arena *arena, bool *ret_worked,
                              struct err *err);

/* Whether there is something to fold. */
MUST_CHECK enum rc total_waiting(struct tx *tx, bool *ret);

struct total {
    struct str subscription;
    int64_t meter;
    time_us from; /* of the window */
    struct quantity quantity;
};
/* The totals of a subscription's windows that begin within [since, before): what rating reads;
 * in the order of (meter, from). RC_INVALID: a sum that fits no quantity. */
MUST_CHECK enum rc total_of(struct tx *tx, struct str subscription, time_us since, time_us before,
                            struct total **ret, size_t *ret_count);

/* The same for many subscriptions, a handful in one statement: ret[i] is of queries[i]; each names
 * another one. One of them that fails is marked, and total_of says why. */
struct total_query {
    struct str subscription;
    time_us since;
    time_us before;
};
struct total_list {
    const struct total *items;
    size_t count;
    bool failed; /* items are not to be used */
};
MUST_CHECK enum rc total_of_many(struct tx *tx, const struct total_query *queries, size_t count,
                                 struct total_list *ret);

/* Windows billed before that have grown or shrunk since: quantity then and now. */
struct late {
    struct str subscription;
    int64_t meter;
    time_us from;
    struct quantity billed;
    struct quantity now;
};
struct late_list {
    const struct late *items; /* in the order of (from, meter) */
    size_t count;
    bool failed; /* items are not to be used */
};
/* ret[i]: what is late of subscriptions[i], each another one. One of many that fails is marked; one
 * alone says why. */
MUST_CHECK enum rc total_late_of(struct tx *tx, const struct str *subscriptions, size_t count,
                                 struct late_list *ret);
/* Subscriptions that may have something late, by id behind `after`, at most limit. */
MUST_CHECK enum rc total_late_subscriptions(struct tx *tx, struct str after, size_t limit,
                                            struct str **ret, size_t *ret_count);
/* A close has billed all windows that end before the instant as they are now; and these late
 * ones. */
MUST_CHECK enum rc total_billed(struct tx *tx, time_us before);
MUST_CHECK enum rc total_late_billed(struct tx *tx, const struct late *late, size_t count);

/* Count anew what was counted before its time, of subscriptions that ended or got other terms
 * since: each fold begins with it (early.c). */
MUST_CHECK enum rc total_settle(struct tx *tx);

/* Make the totals of a subscription anew from the records: after its terms were changed for a time
 * that has usage, and to prove them. *ret_changed: how many differed. */
MUST_CHECK enum rc total_recount(struct tx *tx, struct str subscription, int64_t *ret_changed);

/* Part of `hansed ledger verify`: the totals of every subscription are those that its records give
 * when they are counted once more, each record once, in whatever order they came. Counts in units
 * of work that are undone. The arena is reset between them. RC_INVALID names the subscription. */
MUST_CHECK enum rc total_verify(struct store *s, struct arena *arena, int64_t *ret_checked,
                                struct err *err);

/* For people: GET /v1/subscriptions/{id}/usage. */
struct usage_row {
    uint64_t set;
    struct str meter;
    time_us from;
    time_us until;
    struct str quantity;
    struct str unit;
    int64_t records;
};
extern const struct schema usage_row_schema;
MUST_CHECK enum rc total_rows(struct tx *tx, struct str subscription, struct list *ret);

#endif
