/*
 * show.h - answers for people.
 *
 * What is shown follows the answer's JSON, in the order of the schema; a field that this program
 * does not know yet (a newer server) is shown with --wide, and never an error.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/command.h"

enum {
    SHOW_LINES_MAX = 1000,
    SHOW_DEPTH_MAX = 8,
    SHOW_VALUE_MAX = 400, /* columns of one value, unless --wide: a logo is 64 KiB of text */
};

/* One resource as lines "label  value", nested ones below their own label. */
void show_object(struct run *run, const struct schema *s, const struct json *object);
/* Rows as a table; as one block of lines each where the terminal is too narrow. */
void show_items(struct run *run, const struct schema *s, const struct json *const *items,
                size_t count);
/* The text of a value for people: "yes", "2026-11-22 01:57:28", safe to print. f may be NULL. */
struct str show_value(struct arena *arena, const struct field *f, const struct json *value);

/* "2026-11-22T01:57:28.5Z" as "2026-11-22 01:57:28"; what is no time stays as it is, made safe. */
struct str show_time(struct arena *arena, struct str text);

/* Print s to out. */
void show_str(FILE *out, struct str s);
/* Whether to use colours: a terminal, and the user did not say no (https://no-color.org). */
bool show_colours(const struct cli *cli);

#endif
