/*
 * lex.h - the words of a KRL source.
 *
 * A source is UTF-8, at most KRL_SOURCE_MAX bytes. Reading words never fails: what cannot be a
 * word becomes LEX_ILLEGAL or LEX_UNCLOSED, which the parser refuses when it comes to it, as the
 * official one does. Positions are bytes of the source; krl_place turns one into the line and
 * column that people are told (columns count UTF-16 units, from 1).
 */
#ifndef KRL_LEX_H
#define KRL_LEX_H

#include "base/arena.h"
#include "base/err.h"

enum { KRL_SOURCE_MAX = 1024 * 1024, KRL_NESTING_MAX = 256 };

enum lex_kind {
    LEX_END,
    LEX_SYMBOL,
    LEX_NUMBER,
    LEX_STRING,
    LEX_REGEX,
    LEX_RAW,          /* an operator or a bracket */
    LEX_CHEVRON_OPEN, /* << */
    LEX_CHEVRON_TEXT,
    LEX_CHEVRON_CLOSE,  /* >> */
    LEX_BEESTING_OPEN,  /* #{ */
    LEX_BEESTING_CLOSE, /* } */
    LEX_COMMENT,        /* only where they were asked for */
    LEX_ILLEGAL,
    LEX_UNCLOSED,
};

struct lex_word {
    uint8_t kind;  /* enum lex_kind */
    uint8_t close; /* LEX_UNCLOSED: 0 for a comment, else the character that is missing */
    uint32_t start;
    uint32_t end;
};

struct lex {
    struct str source;
    struct lex_word *words; /* ended by one of LEX_END */
    size_t count;           /* without that */
};

/* Read all words, comments too where they are wanted. RC_TOO_LARGE: the source is, or the arena has
 * no room (it needs about 24 bytes for each byte of the source). RC_SYNTAX: not UTF-8. */
MUST_CHECK enum rc krl_lex(struct str source, bool comments, struct arena *arena, struct lex *ret,
                           struct err *err);

struct krl_place {
    uint32_t line;
    uint32_t column;
};
struct krl_place krl_place(struct str source, size_t at);

#endif
