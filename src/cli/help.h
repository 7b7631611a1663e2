/*
 * help.h - what can be typed, told in three ways: on the terminal, as a manual page, and to bash.
 * All three are made from the commands, so that a new route is explained everywhere at once.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

enum { HELP_WIDTH = 34 }; /* columns of what is typed */

/* What there is, by topic: a line a noun, with its verbs. */
void help_overview(struct run *run, FILE *to);
/* All commands, one a line, grouped by noun, in the order of the topics. */
void help_all(struct run *run, FILE *to);
/* Whether the noun stands in a topic: each must. */
bool help_has_topic(struct str noun);
/* What is called so elsewhere: our noun, or NULL. */
const char *help_synonym(struct str noun);
/* RC_SYNTAX: there is no such command; and what it is called here, where another word is usual. */
enum rc help_unknown(struct run *run, struct str words);
/* The commands of one noun. False, and nothing printed, where it has none. */
bool help_noun(struct run *run, struct str noun, FILE *to);
/* One command: arguments, fields, flags, an example. */
void help_command(struct run *run, const struct command *c, FILE *to);

/* "party list [PARTY]" */
struct str help_usage(struct arena *arena, const struct command *c);
/* A line of two columns, the left one `width` wide. */
void help_entry(const struct run *run, FILE *to, struct str left, size_t width, struct str right);
/* "company or person", "1 to 80 characters": what the field takes, empty where anything. */
struct str help_bounds(struct arena *arena, const struct command *c, const struct flag *flag);
/* A line that could be typed. */
struct str help_example(struct arena *arena, const struct command *c);
/* The heading of a noun: what its resource is. */
const char *help_heading(const struct command *list, size_t count, struct str noun);

#endif
