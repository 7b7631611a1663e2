/*
 * waterfall.h - the ordered rules that share an amount: pure arithmetic.
 *
 * Rules take in their order; exactly one takes the residual, so the shares sum up to the amount by
 * construction. Where the fixed shares exceed the amount, the residual is below zero: the claimant
 * bears the loss (an investor whose server stands empty), and it shows.
 */
#ifndef SETTLE_WATERFALL_H
#define SETTLE_WATERFALL_H

#include "base/arena.h"
#include "money/price.h"
#include "money/rated.h"

enum { WATERFALL_STEPS_MAX = 64, WATERFALL_TIERS_MAX = 16 };

enum share_kind {
    SHARE_FIXED,
    SHARE_PER_UNIT,
    SHARE_PERCENT,
    SHARE_TIERED,
    SHARE_BOUNTY,
    SHARE_RESIDUAL
};

struct waterfall_tier {
    int64_t up_to; /* minor units; not read on the last */
    int64_t ppm;
};
struct waterfall_step {
    enum share_kind kind;
    struct price value;  /* FIXED, PER_UNIT, BOUNTY */
    int64_t ppm;         /* PERCENT */
    int64_t base;        /* PERCENT, TIERED: minor units of the base chosen by the caller */
    int64_t base_before; /* TIERED: the base's total in the period so far */
    size_t tier_count;
    struct waterfall_tier tiers[WATERFALL_TIERS_MAX];
    int64_t cap;   /* minor units; -1: none */
    int64_t floor; /* minor units */
};
struct waterfall_use {
    int64_t amount;           /* minor units, to be shared */
    struct quantity units;    /* FIXED counts these, for the part of the period below */
    struct quantity quantity; /* PER_UNIT counts these */
    time_us begin; /* FIXED is prorated to [from, until) of [begin, end), by telescoping */
    time_us end;
    time_us from;
    time_us until;
    const struct currency *currency;
};
/* ret_shares: one a step, minor units, summing up to amount where a step is RESIDUAL.
 * RC_INVALID: two residuals, or a share above AMOUNT_ONE_MAX (what is left by those that are not
 * always fits). */
MUST_CHECK enum rc waterfall_run(const struct waterfall_step *steps, size_t count,
                                 const struct waterfall_use *use, int64_t *ret_shares,
                                 struct err *err);

#endif
