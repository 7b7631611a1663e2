/*
 * plan_show.h - a computed plan for people: tables, bars, the cash curve, and plain words.
 */
#ifndef CLI_PLAN_SHOW_H
#define CLI_PLAN_SHOW_H

#include "cli/command.h"
#include "plan/forecast.h"

/* --wide shows every month, and columns that are 0 throughout. */
void plan_show(struct run *run, const struct forecast_answer *answer);

#endif
