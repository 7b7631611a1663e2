/*
 * property.h - what the property tests of this folder share: a seed, and numbers that hurt.
 *
 * For tests only. The seed comes from TEST_SEED or is fixed; every failure prints it:
 *
 *     uint64_t seed = property_begin(&chance);
 *     HOLDS(fact, SEED_FMT "more", seed, ...);
 */
#ifndef MONEY_PROPERTY_H
#define MONEY_PROPERTY_H

#include "base/clock.h"

#include <check.h>
#include <inttypes.h>

#define SEED_FMT "TEST_SEED=%" PRIu64 " "

/* As ck_assert_msg, which writes to a pipe even where all is well: too slow for these loops. */
#define HOLDS(fact, ...)               \
    do {                               \
        if (UNLIKELY(!(fact)))         \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

enum { PROPERTY_RUNS = 200000 };

static inline uint64_t property_begin(struct clock_sim *chance)
{
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20261122;
    clock_sim_init(chance, 0, seed);
    return seed;
}

/* low..high, evenly. */
static inline int64_t property_between(struct clock_sim *chance, int64_t low, int64_t high)
{
    ASSERT(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t step = span == UINT64_MAX ? 0 : clock_sim_below(chance, span + 1);
    if (span == UINT64_MAX)
        clock_chance(&chance->clock, &step, sizeof step);
    return (int64_t)((uint64_t)low + step);
}

/* Any int64_t: all sizes equally often, and the edges now and then. */
static inline int64_t property_i64(struct clock_sim *chance)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
    if (clock_sim_below(chance, 16) == 0)
        return edges[clock_sim_below(chance, COUNT(edges))];
    uint64_t word;
    clock_chance(&chance->clock, &word, sizeof word);
    return (int64_t)word >> clock_sim_below(chance, 64);
}

#endif
