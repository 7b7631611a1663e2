/*
 * table.h - rows and columns for people: aligned by what a terminal shows, not by bytes.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/cli.h"

enum { TABLE_COLUMNS_MAX = 64, TABLE_CELL_MIN = 8 /* narrower cells tell nothing */ };

struct column {
    struct str head;
    bool right; /* numbers */
    bool whole; /* never cut: ids are there to be copied */
    size_t width;
};

/* Cells are safe to print already (text_plain), row by row. */
struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    struct str *cells;
    size_t row_count;
    size_t indent;
};

/* Choose the widths: natural ones, or, where that is wider than `columns` (0: no bound), cut in the
 * widest column first. False: it cannot be made to fit. */
bool table_fit(struct table *t, size_t columns);

/* Print with the chosen widths. bold: the heads, on terminals that can. */
void table_print(const struct table *t, struct arena *arena, FILE *out, bool bold);

#endif
