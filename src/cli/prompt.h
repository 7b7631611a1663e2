/*
 * prompt.h - ask people: a line, or a secret that is not shown while it is typed.
 *
 * Where input is no terminal nothing is asked; the next line is taken, so that answers can be
 * piped in. Questions go to err, never to out.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include "cli/cli.h"

enum { PROMPT_LINE_MAX = 4096 };

/* One line without its end. question: "E-mail". fallback is taken for an empty line, and shown;
 * empty: an empty line is taken as it is. RC_SYNTAX: input has ended; RC_TOO_LARGE. */
MUST_CHECK enum rc prompt_line(struct cli *cli, const char *question, struct str fallback,
                               struct arena *arena, struct str *ret, struct err *err);
/* The same without showing what is typed. Ctrl-C and Ctrl-D give up: RC_SYNTAX. */
MUST_CHECK enum rc prompt_secret(struct cli *cli, const char *question, struct arena *arena,
                                 struct str *ret, struct err *err);
/* A secret that is chosen: asked for twice on a terminal, where a slip would not be seen.
 * RC_INVALID: the two differ. */
MUST_CHECK enum rc prompt_new_secret(struct cli *cli, const char *question, struct arena *arena,
                                     struct str *ret, struct err *err);
/* The first line of a file, or of standard input for "-". The file must be readable by its owner
 * alone (conf_secret): RC_INVALID. */
MUST_CHECK enum rc prompt_secret_file(struct cli *cli, struct str path, struct arena *arena,
                                      struct str *ret, struct err *err);
/* All of a file, or of standard input for "-", at most max bytes. RC_NOT_FOUND, RC_TOO_LARGE,
 * RC_INVALID where it cannot be read. */
MUST_CHECK enum rc prompt_file(struct cli *cli, struct str path, size_t max, struct arena *arena,
                               struct str *ret, struct err *err);

#endif
