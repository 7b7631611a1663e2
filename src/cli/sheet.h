/*
 * sheet.h - a table that is filled row by row, for commands that show more than one resource.
 */
#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include "cli/command.h"
#include "cli/table.h"

struct sheet {
    struct run *run;
    struct table table;
    size_t rows_max;
};

/* heads: ends with NULL; one that begins with '>' is a column of numbers. */
void sheet_begin(struct sheet *s, struct run *run, const char *const *heads, size_t rows_max);
/* cells: one for each head; made safe to print. There must be room. */
void sheet_row(struct sheet *s, const struct str *cells);
/* Nothing where there are no rows; one block of lines a row where the terminal is too narrow. */
void sheet_print(struct sheet *s);

/* A paragraph of words, safe to print, indented by 2, its further lines by 4; broken where a
 * terminal ends. */
void sheet_text(struct run *run, struct str text);

/* "960000.00" as "960,000.00". */
struct str sheet_amount(struct arena *arena, struct str decimal);
/* 413,174 as "41.3 %"; with exact, all its digits: "41.3174 %". */
struct str sheet_percent(struct arena *arena, int64_t ppm, bool exact);

#endif
