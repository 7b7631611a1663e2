/*
 * availability.h - how much of a month a service kept its promises, from the history of those.
 *
 * At an instant a service is failing where one of its promises is, else kept where one is, else
 * unknown: nobody looked (it was stopped, it went to another node, its node was not heard), and
 * that is neither good nor bad. A change counts from when the node saw it, but not from before the
 * change that was heard before it; unknown counts from when it was noticed here.
 *
 * Apart from that: how it was seen from other sites (vantage.h), from their promise alone.
 *
 * Months are those of UTC. Of a month in hand, what has passed of it; of a service that was ordered
 * within it, what comes after that. Seconds are whole: each state's time is cut.
 */
#ifndef FLEET_AVAILABILITY_H
#define FLEET_AVAILABILITY_H

#include "fleet/promise_change.h"

/* Promises of one service whose state is not unknown at one time: specs have at most 32. */
enum { AVAILABILITY_NAMES_MAX = 256 };

struct availability_query {
    uint64_t set;
    struct str month;
};
extern const struct schema availability_query_schema;

struct availability {
    uint64_t set;
    struct str service;
    struct str month; /* "2026-11" */
    time_us from;
    time_us until;
    int64_t kept_s;
    int64_t failing_s;
    int64_t observed_s;
    int64_t unknown_s;
    struct str percent; /* "99.953"; empty: nothing was observed */
    int64_t outside_kept_s;
    int64_t outside_failing_s;
    struct str outside_percent;
};
extern const struct schema availability_schema;

/* A line of time, followed change by change: pure. */
struct availability_line {
    time_us at; /* counted so far */
    time_us until;
    struct str names[AVAILABILITY_NAMES_MAX]; /* of what is known */
    bool kept[AVAILABILITY_NAMES_MAX];
    size_t count;
    size_t failing;
    time_us sums[3]; /* by enum promise_state */
};
void availability_begin(struct availability_line *l, time_us from, time_us until);
/* In the order in which they were heard. RC_TOO_LARGE: AVAILABILITY_NAMES_MAX. The name must stay
 * where it is. */
MUST_CHECK enum rc availability_change(struct availability_line *l, const struct promise_change *c,
                                       struct err *err);
/* To its end. */
void availability_end(struct availability_line *l);

/* month empty: the one in hand. RC_INVALID at "month": it is none, or has not begun. RC_NOT_FOUND:
 * no such service. */
MUST_CHECK enum rc availability_of(struct tx *tx, struct str service, struct str month,
                                   struct availability *ret);

#endif
