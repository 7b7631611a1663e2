/*
 * inside.h - how an answer is made, part by part. Used by the files of this folder only.
 */
#ifndef PLAN_INSIDE_H
#define PLAN_INSIDE_H

#include "plan/month.h"

struct maker {
    const struct forecast *plan;
    const struct terms *terms;
    struct arena *arena;
    struct err *err;
    struct forecast_answer *answer;
    fine software; /* fee of all months: of answer_periods */
};

/* Of one server: lines, prices, unit, roles, paybacks at a price. */
MUST_CHECK enum rc answer_unit(struct maker *m);
/* Months, years, total; totals of the roles; the payback of the whole plan. After answer_unit. */
MUST_CHECK enum rc answer_periods(struct maker *m);
/* Tiers, what-ifs, break-even, marketing, free tier. */
MUST_CHECK enum rc answer_margins(struct maker *m);
/* Declared figures beside those of the answer. Last. */
MUST_CHECK enum rc answer_compare(struct maker *m);
/* What was taken for granted. */
void answer_notes(struct maker *m);

/* Months until price is back at so much a month, one digit behind the point, and the month at whose
 * end it is; empty and 0 where that is never. */
struct str answer_months(fine price, fine monthly, int64_t *ret_month, struct arena *arena);
/* Which fields are written: all but what does not apply. */
void answer_set(struct forecast_answer *a);
/* Append to a list that has room. */
void answer_payback(struct forecast_answer *a, const struct forecast_payback *p);

enum { ANSWER_PAYBACKS_MAX = 3 };

#endif
