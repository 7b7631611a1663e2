/*
 * rate.h - a window of a subscription becomes rated lines: one a charge, with the amount of every
 * tier.
 *
 * For each charge of the plan the amount is computed at each edge of the supply path, in the path's
 * currency, exact to 10^-9, and rounded once: amounts[k] is what the buyer of edge k owes its
 * seller for this line. So margins telescope: the sum of all margins and the wholesale amount is
 * the retail amount, whatever the rounding. What was billed before for the same window (an earlier
 * cut, usage that came late) is taken off after rounding: R(f(now)) - R(f(before)).
 *
 * Prices are those down the path as of an instant. A metered charge takes those at the beginning of
 * its window: nobody can say which part of a maximum or of a tier was used before a change of
 * prices. FLAT is cut where the path or a price on it changes, and prorated to the second on both
 * sides. docs/decisions/0010-prices-inside-a-window.md.
 *
 * Discounts (free tier, coupon) touch the last edge alone.
 */
#ifndef BILLING_RATE_H
#define BILLING_RATE_H

#include "catalog/subscription.h"
#include "meter/total.h"

struct rated_line {
    struct str subscription;
    struct str client;
    struct str producer;
    struct str asset;
    struct str item;
    struct str label;
    struct str income;
    struct str unit;
    enum tax_class tax_class;
    int64_t charge; /* index in the plan's charges */
    struct str plan;
    int64_t plan_number;
    struct window window;
    struct quantity quantity; /* what was priced */
    struct quantity units;    /* of the subscription: what FIXED rules count */
    const struct supply_path *path;
    int64_t path_number;
    /* Of a unit, for people: the operator's, and that of each edge. Where several prices made the
     * amount (tiers, stairs, a minimum) the mantissa is 0. */
    struct price list;
    struct price prices[SUPPLY_DEPTH_MAX];
    int64_t amounts[SUPPLY_DEPTH_MAX]; /* minor units, before discounts */
    int64_t list_amount;               /* at list price */
    int64_t discount;                  /* >= 0; of the last edge */
    /* Of all lines of a window the one that tells its time: FIXED rules count it alone. Of the
     * plan's first flat charge, or without any of its first one. */
    bool timed;
    bool free_tier;    /* the discount is the host's marketing */
    bool late;         /* a correction of a window that was billed */
    bool advance;      /* billed before its time: deferred income */
    bool tax_included; /* amounts hold the tax */
};

struct rate_request {
    const struct subscription_facts *facts;
    struct window window;
    bool advance;               /* charges billed in advance (true) or in arrears (false) */
    const struct total *totals; /* of this window */
    size_t total_count;
    const struct late *late; /* NULL: the first time. Else all that is late of this window: the
                                difference alone, and totals are those of now */
    size_t late_count;
    /* advance: how far the window was billed before it was cut (a change of terms, an end): what
     * lies behind is given back. 0: the first time. */
    time_us billed_until;
    struct quantity descendants; /* DESCENDANTS: how many there were, times seconds */
};
/* What is the same for many windows is kept between calls: paths, plans, price steps. One
 * thread, one tx, whose arena it lives in. A reading tx gives paths the number 0. */
struct rater;
struct rater *rater_new(struct tx *tx);
/* Lines are in the tx's arena. RC_INVALID: cannot be rated, or a line is above AMOUNT_ONE_MAX at
 * some edge; the text is for the close's exceptions. */
MUST_CHECK enum rc rate_window(struct rater *r, const struct rate_request *request,
                               struct rated_line **ret, size_t *ret_count);
/* What a plan asks for, so that nobody reads what no charge needs. */
struct plan_needs {
    bool usage;
    bool descendants;
    bool advance; /* has charges that are billed in advance */
};
MUST_CHECK enum rc rate_needs(struct rater *r, struct str plan, int64_t number,
                              struct plan_needs *ret);
/* Fill in what a line says of its plan, charge, item and path, given charge, plan, plan_number and
 * path_number: for lines that were read from the store. */
MUST_CHECK enum rc rate_recall(struct rater *r, struct rated_line *line);

#endif
