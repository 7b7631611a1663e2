/*
 * month.h - one month of a plan, before any rounding.
 */
#ifndef PLAN_MONTH_H
#define PLAN_MONTH_H

#include "plan/terms.h"

struct month {
    int64_t servers;
    int64_t occupancy_ppm;
    int64_t unit_ppm; /* units sold, in millionths */
    int64_t free_units;
    fine sales; /* of server-months */
    fine lines[FORECAST_LINES];
    fine extra;
    fine own[FORECAST_ROLES];
    fine kept[FORECAST_ROLES]; /* of services, by who does them */
    fine shares;               /* of services, the operator's */
    fine setups;               /* one-time, but for those of marketing */
    fine marketing;
    /* Cash where it moves at another time. */
    fine kept_cash[FORECAST_ROLES];
    fine shares_cash;
    fine software_cash;
    fine purchases;
};

/* Month 1 .. t->months. */
void month_run(const struct terms *t, int64_t month, struct month *ret);
/* A month when all servers are there, at this occupancy: no purchases, no one-time amounts. */
void month_steady(const struct terms *t, int64_t occupancy_ppm, struct month *ret);

/* What a role earns, and what it has more in its purse afterwards. */
fine month_profit(const struct terms *t, const struct month *m, enum forecast_role role);
fine month_cash(const struct terms *t, const struct month *m, enum forecast_role role);

/* The roles that are played, as one: income less costs is the sum of their profits. */
struct month_result {
    fine sales; /* of server-months, or the lines that are received */
    fine services;
    fine costs;
    fine setups;
    fine marketing;
    fine purchases;
    fine cash;
};
struct month_result month_result(const struct terms *t, const struct month *m);
fine month_result_profit(const struct month_result *r);

/* The smallest occupancy in ppm at which the played roles lose nothing in a steady month; -1 where
 * not even full servers do. */
int64_t month_break_even(const struct terms *t);

#endif
