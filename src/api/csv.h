/*
 * csv.h - a list as a table for spreadsheets (RFC 4180).
 */
#ifndef API_CSV_H
#define API_CSV_H

#include "base/schema.h"

/* A header row with the names of the schema's fields, then a row for each item. A text that a
 * spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage return) gets an
 * apostrophe in front: what one customer typed must not run on another's machine. Objects and
 * lists are one cell. Write-only fields have no column. */
void csv_write(const struct schema *s, struct list items, struct arena *arena, struct buf *out);

#endif
