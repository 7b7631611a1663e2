#include "money/telescope.h"

#include "money/amount.h"
#include "money/round.h"

int64_t telescope_step(int64_t amount, int64_t from, int64_t to, int64_t whole)
{
    ASSERT(whole > 0);
    ASSERT(from >= 0 && from <= to);
    ASSERT(to <= whole);
    /* Both are between 0 and amount and have its sign: the difference is too. */
    return (int64_t)(round_div((__int128)amount * to, whole) -
                     round_div((__int128)amount * from, whole));
}

int64_t telescope_time(int64_t amount, time_us begin, time_us end, time_us from, time_us to)
{
    ASSERT(begin <= from && from <= to);
    ASSERT(to <= end);
    int64_t length_us;
    bool overflow = __builtin_sub_overflow(end, begin, &length_us);
    ASSERT(!overflow);
    return telescope_step(amount, from - begin, to - begin, length_us);
}

int64_t telescope_instalment(int64_t amount, int64_t k, int64_t n)
{
    ASSERT(k >= 1);
    return telescope_step(amount, k - 1, k, n);
}

enum rc telescope_rated(rated before, rated after, const struct currency *c, int64_t *ret,
                        struct err *err)
{
    int64_t had;
    int64_t has;
    TRY(rated_round(before, c, &had, err));
    TRY(rated_round(after, c, &has, err));
    return amount_sub(has, had, ret, err);
}
