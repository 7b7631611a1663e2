/*
 * fit.h - whether the shares of a rated line can be carried, before it is invoiced.
 *
 * What is agreed for each unit (FIXED, PER_UNIT) grows with quantities that nobody bounds. A line
 * of which one share would be above AMOUNT_ONE_MAX is an exception of its subscription; once its
 * invoice had a number it would be too late. Percentages are of prices, which are bounded.
 */
#ifndef SETTLE_FIT_H
#define SETTLE_FIT_H

#include "settle/division.h"

/* By what was agreed at an instant, as division_at said. RC_INVALID names the agreement. In a
 * reading tx, too. */
MUST_CHECK enum rc fit_line(struct division *d, const struct rated_line *line, time_us at);

#endif
