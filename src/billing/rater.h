/*
 * rater.h - what is the same for many windows: plans as rules, paths, prices down a chain of books.
 * For rate.c and rater.c alone.
 *
 * A million clients of a few hundred resellers have a million paths, but only a few hundred chains
 * of price books, and those decide the prices. So prices are kept by chain, and of the paths only
 * the latest one: whoever walks in the order of agreements asks for each once.
 */
#ifndef BILLING_RATER_H
#define BILLING_RATER_H

#include "billing/rate.h"

enum { RATER_CHANGES_MAX = 1000 }; /* of a path within one window */

struct rated_charge {
    struct str label;
    enum tax_class tax_class;
    bool advance;
    int64_t meter; /* number; 0: not metered */
    bool level;    /* of the meter: meter_is_level */
    struct str unit;
    struct charge_rule rule; /* at list price */
};

struct rated_plan {
    struct str id;
    int64_t number;
    const struct currency *currency;
    struct str item;
    struct str category;
    struct str income;
    bool tax_included;
    bool member_free;
    bool minimum; /* one of the charges is MINIMUM: metered ones are added up first */
    struct plan_needs needs;
    size_t timed; /* the charge whose lines tell the time: rated_line.timed */
    size_t count;
    const struct rated_charge *charges;
};

/* A plan's charges at each edge of a chain of books: rules[charge * tiers + edge]. */
struct priced_plan {
    size_t tiers;
    const struct charge_rule *rules;
};

/* The path of an agreement from an instant on, as of which its prices hold too. */
struct rated_path {
    const struct supply_path *path;
    int64_t number;
    time_us since;
};

MUST_CHECK enum rc rater_plan(struct rater *r, struct str id, int64_t number,
                              const struct rated_plan **ret);
/* since: the beginning of the calendar period; at: within it. */
MUST_CHECK enum rc rater_path(struct rater *r, struct str agreement, time_us begin, time_us end,
                              time_us at, const struct rated_path **ret);
/* The first instant after `after` at which the path or its prices change, or until. */
MUST_CHECK enum rc rater_next_change(struct rater *r, struct str agreement, time_us begin,
                                     time_us end, time_us after, time_us until, time_us *ret);
MUST_CHECK enum rc rater_prices(struct rater *r, const struct rated_plan *plan,
                                const struct rated_path *path, const struct priced_plan **ret);
/* Of a line with its charge and whether it is late: rated_line.timed. */
bool rater_timed(const struct rated_plan *plan, int64_t charge, bool late);
struct tx *rater_tx(struct rater *r);

#endif
