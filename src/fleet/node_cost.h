/*
 * node_cost.h - the cost sheet of one server: what its owner pays for it, and what a vCPU and a GiB
 * of it cost by that. Its lines are those of the planner (plan/forecast.h): the answer has the
 * server in its words, too, and who adds a price has a plan.
 *
 *     amortisation = server_price / useful_months
 *     electricity  = power_watts x 730 h / 1000 x kwh_price
 *     month        = all lines; hour = month / 730
 *     a vCPU       = month x cpu_percent / 100 / vCPUs that are promised (cores x commitment)
 *     a GiB        = month x (100 - cpu_percent) / 100 / GiB of memory
 *
 * Money is rated (money/rated.h): nine digits behind the point, each division rounded half away
 * from zero there, and texts without the zeros at their end.
 */
#ifndef FLEET_NODE_COST_H
#define FLEET_NODE_COST_H

#include "fleet/node.h"

enum {
    NODE_HOURS = 730,      /* of a month: 8,760 / 12 */
    NODE_CPU_PERCENT = 50, /* of the cost, where nothing else is said */
    NODE_COST_MONTHS_MAX = 600,
    NODE_WATTS_MAX = 1000000,
    NODE_COST_STEPS = 6,
};

struct node_cost {
    uint64_t set;
    struct str currency; /* ISO 4217 */
    struct str server_price;
    int64_t useful_months;
    int64_t power_watts;
    struct str kwh_price;
    struct str interest; /* of a month, as all that follow */
    struct str network;
    struct str hosting;
    struct str software;
    struct str management;
    struct str replacement;
    struct str repair;
    int64_t cpu_percent; /* of the cost that is its processors'; the rest is its memory's */
    /* Computed: */
    struct str amortisation;
    struct str electricity;
    struct str month;
    struct str hour;
    struct str vcpu_month; /* empty: its agent has not told yet what it has */
    struct str vcpu_hour;
    struct str gib_month;
    struct str gib_hour;
    struct list formula; /* struct str: how each came about */
    struct str plan;     /* JSON: the fields of forecast_schema that are known by it */
};
extern const struct schema node_cost_schema;

/* The whole sheet anew. RC_INVALID names the field: no currency, a price without months, watts
 * without a price, an amount below 0 or too large. */
MUST_CHECK enum rc node_cost_set(struct tx *tx, struct str node, const struct node_cost *sheet,
                                 struct node_cost *ret);
/* RC_NOT_FOUND: it has none. */
MUST_CHECK enum rc node_cost_get(struct tx *tx, struct str node, struct node_cost *ret);

/* What follows from the sheet for a server of so many promised thousandths of a vCPU and bytes of
 * memory (0: not known), written into it. RC_INVALID as node_cost_set. Pure. */
MUST_CHECK enum rc node_cost_compute(struct node_cost *sheet, int64_t cpu_milli,
                                     int64_t memory_bytes, struct arena *arena, struct err *err);

#endif
