#include "http/range.h"

enum range range_parse(struct str text, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
    const int64_t max = INT64_MAX;
    if (!str_starts(text, STR("bytes=")) || str_has(text, STR(",")))
        return RANGE_NONE;
    struct str last_text = str_sub(text, 6, text.n);
    if (!str_has(last_text, STR("-")))
        return RANGE_NONE;
    struct str first_text = str_trim(str_cut(&last_text, '-'));
    last_text = str_trim(last_text);
    int64_t first = 0;
    int64_t last = max;
    if (last_text.n > 0 && !str_to_i64(last_text, 0, max, &last))
        return RANGE_NONE;
    if (first_text.n == 0) {
        if (last_text.n == 0)
            return RANGE_NONE;
        uint64_t n = (uint64_t)last < size ? (uint64_t)last : size;
        *ret_from = size - n;
        *ret_n = n;
        return n > 0 ? RANGE_PART : RANGE_WRONG;
    }
    if (!str_to_i64(first_text, 0, max, &first) || last < first)
        return RANGE_NONE;
    if ((uint64_t)first >= size)
        return RANGE_WRONG;
    *ret_from = (uint64_t)first;
    *ret_n = ((uint64_t)last < size ? (uint64_t)last + 1 : size) - (uint64_t)first;
    return RANGE_PART;
}
