/*
 * cron.h - when a repeated event is due: "schedule ... repeat".
 *
 * As node-schedule reads it: five fields (minute, hour, day of the month, month, day of the week),
 * or six with the seconds in front; each a list of numbers, ranges and steps ("*", "5", "1-10/3",
 * "5/15"), months and days by their English names, "?" as "*", "L" for the last day of the month;
 * "@hourly", "@daily", "@weekly", "@monthly" and "@yearly". Where the days of the month and of the
 * week are both restricted, either is enough. All of it in UTC.
 */
#ifndef PICO_CRON_H
#define PICO_CRON_H

#include "base/clock.h"
#include "base/err.h"

enum { PICO_CRON_TEXT_MAX = 256 };

/* A bit for each value that matches. */
struct pico_cron {
    uint64_t seconds;
    uint64_t minutes;
    uint64_t hours;
    uint64_t days; /* 1..31 */
    uint64_t months;
    uint64_t weekdays; /* 0 is Sunday */
    bool last_day;     /* of the month */
    bool any_day;
    bool any_weekday;
};

/* RC_INVALID with a sentence that names the field: what cannot be read, and what never comes. */
MUST_CHECK enum rc pico_cron_read(struct str text, struct pico_cron *ret, struct err *err);

/* The first time that is later than after. */
time_us pico_cron_next(const struct pico_cron *c, time_us after);

#endif
