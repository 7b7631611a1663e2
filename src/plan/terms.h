/*
 * terms.h - a plan that cannot be wrong: every figure parsed, bounded and completed.
 */
#ifndef PLAN_TERMS_H
#define PLAN_TERMS_H

#include "plan/fine.h"
#include "plan/forecast.h"

/* Servers that were bought in one month. */
struct cohort {
    int64_t month;
    int64_t servers;
};

struct term_service {
    struct str name;
    enum forecast_role role;
    int64_t count;
    int64_t month;
    int64_t instalments; /* 1: at once */
    int64_t share_ppm;
    rated once; /* of a piece */
    rated monthly;
    rated yearly;
};

struct term_setup {
    struct str name;
    rated amount;
    int64_t month;
    bool marketing;
};

/* The largest members first: an __int128 is aligned to 16 bytes. */
struct terms {
    rated price;
    rated member_price;
    rated server_price;
    rated software;
    rated marketing; /* of a month */
    fine lines[FORECAST_LINES];
    fine extra; /* what a what-if adds to the sheet: of nobody */
    fine own[FORECAST_ROLES];
    struct term_service services[FORECAST_SERVICES_MAX];
    struct term_setup setups[FORECAST_SETUPS_MAX];
    struct cohort cohorts[1 + FORECAST_GROWTH_MAX]; /* by month */
    const struct currency *currency;
    size_t service_count;
    size_t setup_count;
    size_t cohort_count;
    int64_t months;
    int64_t servers;       /* all cohorts */
    int64_t useful_months; /* 0: servers are not bought anew */
    int64_t software_ahead;
    int64_t member_share_ppm;
    int64_t occupancy_ppm;
    int64_t start_ppm;
    int64_t ramp_months;
    int64_t units; /* of a server */
    int64_t members;
    int64_t free_units;                           /* of all members */
    enum forecast_role receivers[FORECAST_LINES]; /* FORECAST_INVEST: nobody, it leaves the house */
    bool has_purchase;                            /* the price of a server is known */
    bool software_on_sales;
    bool played[FORECAST_ROLES];
};

/* The terms of a plan that forecast_schema decoded. RC_INVALID as forecast_compute. */
MUST_CHECK enum rc terms_take(const struct forecast *plan, struct arena *arena, struct terms *ret,
                              struct err *err);

/* A decimal from 0 to max of the major unit with at most 9 digits behind the point; empty is 0.
 * RC_INVALID names the field. */
MUST_CHECK enum rc terms_amount(struct str text, int64_t max, struct str pointer, rated *ret,
                                struct err *err);

/* The same with one change. cost of a what-if may be empty. RC_INVALID as terms_take. */
MUST_CHECK enum rc terms_change(const struct terms *terms, const struct forecast_what_if *change,
                                size_t index, struct arena *arena, struct terms *ret,
                                struct err *err);

/* The cost of a server-month: all lines. */
fine terms_cost(const struct terms *t);
/* Costs of a server-month that the roles which are played do not pay to themselves, own work
 * included. amortisation: with the line of that name. */
fine terms_outlay(const struct terms *t, bool amortisation);
/* Public and member price by the share of members. */
fine terms_mean_price(const struct terms *t);

#endif
