#include "krl/parser.h"

#include <stdarg.h>

enum rc krl_refuse(struct err *err, struct str source, uint32_t at, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct krl_place place = krl_place(source, at);
    return err_set(err, RC_SYNTAX, "%s [at line %u col %u]", text, place.line, place.column);
}

/* --- words --- */

struct str parser_text(const struct parser *p, size_t ahead)
{
    const struct lex_word *w = parser_word(p);
    for (; ahead > 0 && w->kind != LEX_END; ahead--)
        w++;
    return str_sub(p->source, w->start, w->end);
}

static bool word_is(const struct parser *p, const struct lex_word *w, enum lex_kind kind,
                    const char *text)
{
    return w->kind == kind && str_eq(str_sub(p->source, w->start, w->end), str_c(text));
}

bool parser_is_raw(const struct parser *p, const char *raw)
{
    return word_is(p, parser_word(p), LEX_RAW, raw);
}

bool parser_next_is_raw(const struct parser *p, const char *raw)
{
    return parser_word(p)->kind != LEX_END && word_is(p, parser_word(p) + 1, LEX_RAW, raw);
}

bool parser_is_symbol(const struct parser *p, const char *symbol)
{
    return word_is(p, parser_word(p), LEX_SYMBOL, symbol);
}

bool parser_is_name(const struct parser *p)
{
    static const char *const reserved[] = {"defaction", "function", "return", "not",
                                           "setting",   "null",     "true",   "false"};
    if (parser_word(p)->kind != LEX_SYMBOL)
        return false;
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (parser_is_symbol(p, reserved[i]))
            return false;
    return true;
}

/* What cannot be a word is refused as soon as the parser comes to it. */
static void check_word(struct parser *p)
{
    const struct lex_word *w = parser_word(p);
    if (w->kind == LEX_ILLEGAL)
        (void)parser_expected(p, "Unsupported characters");
    else if (w->kind == LEX_UNCLOSED && w->close == 0)
        (void)parser_expected(p, "Missing close */");
    else if (w->kind == LEX_UNCLOSED)
        (void)parser_expected(p, "Missing close %c", w->close);
}

void parser_advance(struct parser *p)
{
    if (p->failed || parser_word(p)->kind == LEX_END)
        return;
    p->at++;
    check_word(p);
}

bool parser_maybe_raw(struct parser *p, const char *raw)
{
    if (p->failed || !parser_is_raw(p, raw))
        return false;
    parser_advance(p);
    return true;
}

bool parser_maybe_symbol(struct parser *p, const char *symbol)
{
    if (p->failed || !parser_is_symbol(p, symbol))
        return false;
    parser_advance(p);
    return true;
}

bool parser_want_raw(struct parser *p, const char *raw)
{
    if (!parser_maybe_raw(p, raw))
        (void)parser_expected(p, "Expected `%s`", raw);
    return !p->failed;
}

bool parser_want_symbol(struct parser *p, const char *symbol)
{
    if (!parser_maybe_symbol(p, symbol))
        (void)parser_expected(p, "Expected `%s`", symbol);
    return !p->failed;
}

static void record(struct parser *p, uint32_t at, const char *format, va_list args) PRINTF(3, 0);
static void record(struct parser *p, uint32_t at, const char *format, va_list args)
{
    if (p->failed)
        return;
    char text[ERR_TEXT_MAX];
    (void)vsnprintf(text, sizeof text, format, args);
    (void)krl_refuse(p->err, p->source, at, "ParseError: %s", text);
    p->failed = true;
}

struct ast *parser_expected_at(struct parser *p, uint32_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(p, at, format, args);
    va_end(args);
    return NULL;
}

struct ast *parser_expected(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(p, parser_word(p)->start, format, args);
    va_end(args);
    return NULL;
}

static struct ast *too_large(struct parser *p, const char *text)
{
    if (!p->failed)
        err_write(p->err, RC_TOO_LARGE, "%s", text);
    p->failed = true;
    return NULL;
}

bool parser_enter(struct parser *p)
{
    if (p->depth >= KRL_NESTING_MAX)
        (void)too_large(p, "the source is nested too deep");
    p->depth++;
    return !p->failed;
}

void parser_leave(struct parser *p)
{
    p->depth--;
}

/* --- nodes --- */

struct ast *ast_new(struct parser *p, enum ast_kind kind, uint32_t start)
{
    if (arena_room(p->arena) < 2 * sizeof(struct ast))
        return too_large(p, "the source is too large");
    struct ast *node = NEW(p->arena, struct ast);
    *node = (struct ast){.kind = (uint8_t)kind, .start = start, .end = start};
    return node;
}

void ast_add(struct ast_list *list, struct ast *node)
{
    if (list->last == NULL)
        list->first = node;
    else
        list->last->next = node;
    list->last = node;
}

static uint16_t deeper(uint16_t depth, const struct ast *list)
{
    for (; list != NULL; list = list->next)
        depth = list->depth > depth ? list->depth : depth;
    return depth;
}

struct ast *ast_done(struct parser *p, struct ast *node)
{
    if (p->failed || node == NULL)
        return NULL;
    const struct ast *kids[] = {node->a, node->b, node->c, node->d};
    uint16_t depth = deeper(deeper(deeper(0, node->list), node->list2), node->list3);
    for (size_t i = 0; i < COUNT(kids); i++)
        depth = kids[i] != NULL && kids[i]->depth > depth ? kids[i]->depth : depth;
    node->depth = (uint16_t)(depth + 1);
    node->end = p->at > 0 ? p->words[p->at - 1].end : 0;
    if (node->depth > KRL_TREE_DEPTH_MAX)
        return too_large(p, "the source is nested too deep");
    return node;
}

/* --- the whole --- */

static struct ast *parse_program(struct parser *p)
{
    struct ast *program = ast_new(p, AST_PROGRAM, 0);
    struct ast_list list = {0};
    while (!p->failed && parser_word(p)->kind != LEX_END) {
        bool declares = parser_word(p)->kind == LEX_SYMBOL && parser_next_is_raw(p, "=");
        struct ast *node = declares ? parse_declaration(p) : parse_expression(p, 0);
        if (node == NULL)
            return NULL;
        ast_add(&list, node);
        (void)parser_maybe_raw(p, ";");
    }
    if (program != NULL)
        program->list = list.first;
    return ast_done(p, program);
}

enum rc krl_parse(struct str source, struct arena *arena, struct ast **ret, struct err *err)
{
    struct lex lex;
    TRY(krl_lex(source, false, arena, &lex, err));
    struct parser p = {.source = source, .words = lex.words, .arena = arena, .err = err};
    check_word(&p);
    struct ast *tree = NULL;
    if (!p.failed)
        tree = parser_is_symbol(&p, "ruleset") ? parse_ruleset(&p) : parse_program(&p);
    if (!p.failed && parser_word(&p)->kind != LEX_END) {
        struct str was = parser_text(&p, 0);
        (void)parser_expected(&p, "Expected `(end)` but was %.*s",
                              STRF(parser_word(&p)->kind == LEX_RAW ? was : STR("SYMBOL")));
    }
    if (p.failed)
        return rc_failed(err->rc);
    *ret = tree;
    return RC_OK;
}
