/*
 * period.h - calendar periods of a time zone: days, months, quarters and years, as instants.
 *
 * A period is half-open, [begin, end), in UTC; the end of one is the begin of the next, so periods
 * tile time without gap or overlap. Boundaries are local midnights: a month with a change of
 * the clocks is an hour shorter or longer, and its real seconds count. Where midnight does not
 * exist a period begins at the first instant of the new date; where it comes twice, the first time.
 * A date that a zone skipped altogether (30 December 2011 in Apia) has no day.
 *
 * A calendar may be anchored to another day than the first: anchored to the 31st, months begin on
 * 31 January, 28 February, 31 March, 30 April, ... specs/billing.md 3.9 (9).
 */
#ifndef MONEY_PERIOD_H
#define MONEY_PERIOD_H

#include "money/zone.h"

enum { PERIOD_LABEL_MAX = 16, PERIOD_YEAR_MIN = 2, PERIOD_YEAR_MAX = 9998 };

/* 0002-01-02 and 9998-12-30: between them, in any zone, begin and end are instants that time_format
 * can write. What comes from outside is kept within these at the door. */
#define PERIOD_AT_MIN (INT64_C(-62103974400) * US_PER_SECOND)
#define PERIOD_AT_MAX (INT64_C(253370592000) * US_PER_SECOND)

enum period_unit { PERIOD_DAY, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };

struct calendar {
    const struct zone *zone; /* outlives the calendar */
    enum period_unit unit;
    int anchor_month; /* 1..12: a month in which quarters and years begin; else not used */
    int anchor_day;   /* 1..31, brought down to the length of the month; days: not used */
};

struct period {
    time_us begin;
    time_us end;
    int year; /* the local date on which it begins */
    int month;
    int day;
};

/* Natural days, months, quarters or years of a zone. */
struct calendar calendar_natural(const struct zone *zone, enum period_unit unit);
/* Periods that begin like the one that begins on the local date of an instant: the billing anchor
 * of a subscription. */
struct calendar calendar_anchored(const struct zone *zone, enum period_unit unit, time_us start);

/* The period that holds an instant. PERIOD_AT_MIN <= at <= PERIOD_AT_MAX. */
struct period period_of(const struct calendar *c, time_us at);
/* The one after, the one before; p->end and p->begin are within the same bounds. */
struct period period_next(const struct calendar *c, const struct period *p);
struct period period_previous(const struct calendar *c, const struct period *p);

/* Real seconds from begin to end. */
int64_t period_seconds(const struct period *p);

/* "2026-01-31" of a day or of a period that begins on another day than the natural one, "2026-01",
 * "2026-Q1", "2026". Returns the length without the NUL. */
size_t period_label(const struct calendar *c, const struct period *p, char text[PERIOD_LABEL_MAX]);
/* The period with this label; it has a next and a previous one. RC_INVALID where it is written
 * otherwise, or where no period of this calendar within PERIOD_AT_MIN..PERIOD_AT_MAX has it. */
MUST_CHECK enum rc period_parse(const struct calendar *c, struct str label, struct period *ret,
                                struct err *err);

#endif
