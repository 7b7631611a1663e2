/*
 * parser.h - inside of the parser: its state, and the parts that call one another.
 *
 * A parsing function returns NULL after an error, which p->failed and p->err tell; all the others
 * pass it up. Lists are built with struct ast_list.
 */
#ifndef KRL_PARSER_H
#define KRL_PARSER_H

#include "krl/parse.h"

struct parser {
    struct str source;
    const struct lex_word *words;
    size_t at;
    struct arena *arena;
    struct err *err;
    int depth; /* of the recursion */
    bool failed;
};

struct ast_list {
    struct ast *first;
    struct ast *last;
    uint16_t depth;
};

/* --- words --- */

static inline const struct lex_word *parser_word(const struct parser *p)
{
    return &p->words[p->at];
}
struct str parser_text(const struct parser *p, size_t ahead);
bool parser_is_raw(const struct parser *p, const char *raw);
bool parser_is_symbol(const struct parser *p, const char *symbol);
bool parser_is_name(const struct parser *p); /* a symbol that is not reserved */
void parser_advance(struct parser *p);
bool parser_maybe_raw(struct parser *p, const char *raw);
bool parser_maybe_symbol(struct parser *p, const char *symbol);
bool parser_want_raw(struct parser *p, const char *raw);
bool parser_want_symbol(struct parser *p, const char *symbol);
/* The next word is the raw one. */
bool parser_next_is_raw(const struct parser *p, const char *raw);
/* Fail at the present word; always NULL. */
struct ast *parser_expected(struct parser *p, const char *format, ...) PRINTF(2, 3);
struct ast *parser_expected_at(struct parser *p, uint32_t at, const char *format, ...) PRINTF(3, 4);
/* Whether going a level deeper is allowed; every true is followed by parser_leave. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

/* --- nodes --- */

/* NULL where the arena ends. */
struct ast *ast_new(struct parser *p, enum ast_kind kind, uint32_t start);
void ast_add(struct ast_list *list, struct ast *node);
/* Compute the depth from the children; NULL, with an error, where it is too deep. */
struct ast *ast_done(struct parser *p, struct ast *node);

/* --- parts of the grammar --- */

struct ast *parse_expression(struct parser *p, int binding);
struct ast *parse_identifier(struct parser *p);
struct ast *parse_name_or_domain(struct parser *p);
bool parse_arguments(struct parser *p, struct ast_list *ret);
bool parse_id_list(struct parser *p, struct ast_list *ret);
bool parse_declarations(struct parser *p, struct ast_list *ret);
struct ast *parse_declaration(struct parser *p);
struct ast *parse_block(struct parser *p);
struct ast *parse_rule(struct parser *p);
struct ast *parse_event(struct parser *p, int binding);
struct ast *parse_postlude(struct parser *p);
struct ast *parse_ruleset(struct parser *p);

#endif
