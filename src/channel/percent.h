/*
 * percent.h - percentages as people write them, as parts per million.
 */
#ifndef CHANNEL_PERCENT_H
#define CHANNEL_PERCENT_H

#include "base/err.h"

#define PERCENT_HUNDRED_PPM INT64_C(1000000)

/* "112" is 1,120,000; "2.5" is 25,000. At most 4 digits behind the point, so that it is exact.
 * RC_INVALID: no number, below 0, or above max_ppm. */
MUST_CHECK enum rc percent_parse(struct str text, int64_t max_ppm, int64_t *ret_ppm,
                                 struct err *err);

#endif
