/*
 * split.h - share one amount among many, losing nothing.
 *
 * The parts always add up to the total, and a refund mirrors its sale: split(-x) == -split(x).
 *
 * Two ways, specs/billing.md 3.9 (5). With a residual claimant (the default of a waterfall): each
 * other part is R(total * share), the claimant takes what is left. Without: largest remainder
 * (Hamilton), every part rounded down and the minor units that are left given to the largest
 * remainders, ties to the earlier part; the order is the caller's (agreement number, then party).
 * For amounts that grow use the first, on cumulative totals: the second is not monotone.
 */
#ifndef MONEY_SPLIT_H
#define MONEY_SPLIT_H

#include "base/arena.h"
#include "base/err.h"

#define SPLIT_WHOLE_PPM  INT64_C(1000000)
#define SPLIT_WEIGHT_MAX INT64_C(1000000000000)

enum { SPLIT_PARTS_MAX = 10000 };

struct split_part {
    int64_t weight; /* in: a share in ppm, or any weight 0 .. SPLIT_WEIGHT_MAX */
    int64_t amount; /* out: what the part gets, in the unit of the total */
};

/* By largest remainder on weights; they need not add up to anything. Each part is within one unit
 * of its exact share. RC_INVALID where a weight is negative or too large, where all are 0, or
 * where there are no parts or more than SPLIT_PARTS_MAX. Scratch memory is taken from the arena:
 * about 64 bytes a part. */
MUST_CHECK enum rc split_by_weight(int64_t total, struct split_part *parts, size_t count,
                                   struct arena *scratch, struct err *err);

/* parts[residual] takes what the others leave; its own weight is not read. The weights of the
 * others are shares of the total in ppm and add up to at most SPLIT_WHOLE_PPM; what they leave of
 * it is written to the claimant's weight. Where rounding on a
 * tiny total would leave the claimant less than nothing, the total is split by largest remainder
 * instead. RC_INVALID where a share is negative, the shares exceed the whole, or the count is not
 * 1 .. SPLIT_PARTS_MAX. */
MUST_CHECK enum rc split_with_residual(int64_t total, struct split_part *parts, size_t count,
                                       size_t residual, struct arena *scratch, struct err *err);

/* The engine of both, and of tax_inclusive: round exact fractions numerators[i] / denominator to
 * integers that add up to total, by largest remainder. total is the sum of the fractions rounded
 * in any way to one of its two neighbours; numerators may differ in sign. Mirrors: the result of
 * all signs changed is the result with its sign changed. denominator > 0, every result fits. */
void split_fractions(__int128 total, const __int128 *numerators, __int128 denominator, size_t count,
                     struct arena *scratch, int64_t *ret_parts);

#endif
