#include "money/split.h"

#include "money/round.h"

struct remainder {
    unsigned __int128 rest; /* of the division, in units of the denominator */
    size_t index;
};

/* Largest rest first; the earlier part wins a tie. No two are equal, so the order is one. */
static int remainder_order(const void *left, const void *right)
{
    const struct remainder *a = left;
    const struct remainder *b = right;
    if (a->rest != b->rest)
        return a->rest > b->rest ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* The direction in which "rounded down" and "largest" are meant: that of the total, or of the first
 * fraction that is not 0, so that changing all signs changes it too. */
static int direction(__int128 total, const __int128 *numerators, size_t count)
{
    if (total != 0)
        return total > 0 ? 1 : -1;
    for (size_t i = 0; i < count; i++)
        if (numerators[i] != 0)
            return numerators[i] > 0 ? 1 : -1;
    return 1;
}

void split_fractions(__int128 total, const __int128 *numerators, __int128 denominator, size_t count,
                     struct arena *scratch, int64_t *ret_parts)
{
    ASSERT(denominator > 0);
    int sign = direction(total, numerators, count);
    struct remainder *rests = NEW_N(scratch, struct remainder, count);
    __int128 left = sign * total;
    for (size_t i = 0; i < count; i++) {
        __int128 n = sign * numerators[i];
        __int128 down = n / denominator - (n % denominator < 0);
        rests[i] = (struct remainder){(unsigned __int128)(n - down * denominator), i};
        ret_parts[i] = (int64_t)(sign * down);
        ASSERT(ret_parts[i] == sign * down);
        left -= down;
    }
    ASSERT(left >= 0);
    ASSERT(left <= (__int128)count);
    qsort(rests, count, sizeof *rests, remainder_order);
    for (size_t i = 0; i < (size_t)left; i++) {
        ASSERT(rests[i].rest > 0); /* a part that is exact already never gets one more */
        ret_parts[rests[i].index] += sign;
    }
}

static enum rc check_count(size_t count, struct err *err)
{
    if (count < 1 || count > SPLIT_PARTS_MAX)
        return err_set(err, RC_INVALID, "a split has 1 to %d parts, not %zu", SPLIT_PARTS_MAX,
                       count);
    return RC_OK;
}

enum rc split_by_weight(int64_t total, struct split_part *parts, size_t count,
                        struct arena *scratch, struct err *err)
{
    TRY(check_count(count, err));
    __int128 whole = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].weight < 0 || parts[i].weight > SPLIT_WEIGHT_MAX)
            return err_set(err, RC_INVALID, "weight %lld of part %zu is not between 0 and %lld",
                           (long long)parts[i].weight, i + 1, (long long)SPLIT_WEIGHT_MAX);
        whole += parts[i].weight;
    }
    if (whole == 0)
        return err_set(err, RC_INVALID, "a split needs a part with a weight above 0");

    __int128 *numerators = NEW_N(scratch, __int128, count);
    int64_t *amounts = NEW_N(scratch, int64_t, count);
    for (size_t i = 0; i < count; i++)
        numerators[i] = (__int128)total * parts[i].weight;
    split_fractions(total, numerators, whole, count, scratch, amounts);
    __int128 sum = 0;
    for (size_t i = 0; i < count; i++) {
        parts[i].amount = amounts[i];
        sum += amounts[i];
    }
    ASSERT(sum == total);
    return RC_OK;
}

/* The share of the claimant: what the others leave of the whole. */
static enum rc residual_share(const struct split_part *parts, size_t count, size_t residual,
                              int64_t *ret_ppm, struct err *err)
{
    int64_t left = SPLIT_WHOLE_PPM;
    for (size_t i = 0; i < count; i++) {
        if (i == residual)
            continue;
        if (parts[i].weight < 0)
            return err_set(err, RC_INVALID, "share %lld of part %zu is below 0",
                           (long long)parts[i].weight, i + 1);
        if (parts[i].weight > left)
            return err_set(err, RC_INVALID, "the shares add up to more than the whole at part %zu",
                           i + 1);
        left -= parts[i].weight;
    }
    *ret_ppm = left;
    return RC_OK;
}

enum rc split_with_residual(int64_t total, struct split_part *parts, size_t count, size_t residual,
                            struct arena *scratch, struct err *err)
{
    TRY(check_count(count, err));
    ASSERT(residual < count);
    int64_t residual_ppm;
    TRY(residual_share(parts, count, residual, &residual_ppm, err));

    __int128 left = total;
    for (size_t i = 0; i < count; i++)
        if (i != residual)
            left -= round_div((__int128)total * parts[i].weight, SPLIT_WHOLE_PPM);
    parts[residual].weight = residual_ppm;
    if ((total >= 0 && left < 0) || (total <= 0 && left > 0))
        return split_by_weight(total, parts, count, scratch, err);
    for (size_t i = 0; i < count; i++)
        parts[i].amount =
            i == residual ? (int64_t)left
                          : (int64_t)round_div((__int128)total * parts[i].weight, SPLIT_WHOLE_PPM);
    return RC_OK;
}
