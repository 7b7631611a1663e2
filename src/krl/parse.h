/*
 * parse.h - a KRL source as a tree: the whole grammar, with the official messages.
 *
 * The grammar is that of krl-parser 1.x. A source that begins with "ruleset" is one; any other is a
 * list of declarations and expressions, as a REPL takes. Errors read
 * "ParseError: Expected `}` [at line 3 col 7]".
 */
#ifndef KRL_PARSE_H
#define KRL_PARSE_H

#include "krl/ast.h"

/* *ret lives in the arena and points into source. RC_SYNTAX: the sentence says what was expected
 * where. RC_TOO_LARGE: the source is too large or nested too deep, or the arena has no room (it
 * needs about 300 bytes for each byte of the source). */
MUST_CHECK enum rc krl_parse(struct str source, struct arena *arena, struct ast **ret,
                             struct err *err);

/* Record an error of any stage: "KIND: text [at line L col C]". Never RC_OK. */
enum rc krl_refuse(struct err *err, struct str source, uint32_t at, const char *format, ...)
    PRINTF(4, 5);

#endif
