/*
 * help.h - what can be typed, told in three ways: on the terminal, as a manual page, and to bash.
 * All three are made from the commands, so that a new route is explained everywhere at once.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/* All commands, one a line, grouped by noun. */
void help_overview(struct run *run, FILE *to);
/* The commands of one noun. False, and nothing printed, where it has none. */
bool help_noun(struct run *run, struct str noun, FILE *to);
/* One command: arguments, fields, flags, an example. */
void help_command(struct run *run, const struct command *c, FILE *to);

/* "company or person", "1 to 80 characters": what the field takes, empty where anything. */
struct str help_bounds(struct arena *arena, const struct command *c, const struct flag *flag);
/* A line that could be typed. */
struct str help_example(struct arena *arena, const struct command *c);
/* The heading of a noun: what its resource is. */
const char *help_heading(const struct command *list, size_t count, struct str noun);

#endif
