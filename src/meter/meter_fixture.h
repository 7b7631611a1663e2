/*
 * meter_fixture.h - folding and totals in a line each. Only for tests: everything here asserts.
 */
#ifndef METER_METER_FIXTURE_H
#define METER_METER_FIXTURE_H

#include "catalog/metered_fixture.h"
#include "meter/record.h"
#include "meter/total.h"

static inline void metered_fold(struct tx *tx)
{
    bool done = false;
    while (!done)
        OK(tx, total_fold(tx, 1000, &done));
}

/* The quantity of the window that begins at an instant; -1 where there is no total. */
static inline struct quantity metered_total(struct tx *tx, struct str subscription, int64_t meter,
                                            time_us from)
{
    size_t count = 0;
    struct total *totals = NULL;
    OK(tx, total_of(tx, subscription, INT64_MIN, INT64_MAX, &totals, &count));
    for (size_t i = 0; i < count; i++)
        if (totals[i].meter == meter && totals[i].from == from)
            return totals[i].quantity;
    return (struct quantity){-1, 0};
}

#endif
