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
 * Discounts (free tier, coupon, minimum) touch the last edge alone.
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
    int64_t charge; /* seq in the plan */
    struct str plan;
    int64_t plan_number;
    struct window window;
    struct quantity quantity; /* what was priced */
    struct quantity units;    /* of the subscription: what FIXED rules count */
    const struct supply_path *path;
    int64_t path_number;
    struct price list;                     /* the operator's list price of a unit, for people */
    struct price prices[SUPPLY_DEPTH_MAX]; /* of a unit at each edge, for people */
    int64_t amounts[SUPPLY_DEPTH_MAX];     /* minor units, before discounts */
    int64_t list_amount;                   /* at list price */
    int64_t discount;                      /* >= 0; of the last edge */
    bool free_tier;                        /* the discount is the host's marketing */
    bool late;                             /* a correction of a window that was billed */
};

struct rate_request {
    const struct subscription_facts *facts;
    struct window window;
    bool advance;               /* charges billed in advance (true) or in arrears (false) */
    const struct total *totals; /* of this window */
    size_t total_count;
    const struct late *late; /* NULL: the first time. Else the difference alone */
};
/* What is the same for many windows is kept between calls: paths, plans, price steps. One
 * thread, one tx. */
struct rater;
struct rater *rater_new(struct tx *tx);
/* Lines are in the tx's arena. RC_INVALID: cannot be rated; the text is for the close's
 * exceptions. */
MUST_CHECK enum rc rate_window(struct rater *r, const struct rate_request *request,
                               struct rated_line **ret, size_t *ret_count);

#endif
