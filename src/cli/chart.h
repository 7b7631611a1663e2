/*
 * chart.h - pictures of numbers in block characters, an eighth of a cell fine.
 */
#ifndef CLI_CHART_H
#define CLI_CHART_H

#include "base/buf.h"

enum { CHART_POINTS_MAX = 1000, CHART_WIDTH_MAX = 400 };

/* Append a bar of value, where most takes width columns. 0 <= value <= most; anything above 0 is
 * seen. */
void chart_bar(struct buf *b, int64_t value, int64_t most, size_t width);

/* Values over time, with 0 as the base line; those below it hang down. */
struct chart {
    const int64_t *values;
    size_t count;      /* 1 .. CHART_POINTS_MAX */
    size_t height;     /* lines, about; >= 2 */
    size_t width;      /* columns for the values, at most; where there are more, each shows the last
                          of several */
    size_t tick;       /* every so many values have their number below */
    struct str top;    /* label of the largest value, if it is above 0 */
    struct str bottom; /* of the smallest, if it is below 0 */
};

/* Append it, as whole lines. */
void chart_curve(struct buf *b, const struct chart *c);

#endif
