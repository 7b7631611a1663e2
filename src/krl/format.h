/*
 * format.h - a KRL source in the house's layout.
 *
 * Lines stay lines: what changes is the indentation (two spaces for each line whose bracket is
 * still open), runs of blanks within a line (one), blank lines (at most one), and the blanks at
 * commas and semicolons. Strings, chevrons and comments stay as they are. Formatting twice gives
 * the same text.
 */
#ifndef KRL_FORMAT_H
#define KRL_FORMAT_H

#include "base/buf.h"
#include "krl/lex.h"

/* RC_SYNTAX: it has what cannot be a word. RC_TOO_LARGE: the source, or the result in out. */
MUST_CHECK enum rc krl_format(struct str source, struct arena *arena, struct buf *out,
                              struct err *err);

#endif
