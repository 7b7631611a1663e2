/* Expressions of KRL: top-down operator precedence, as the official parser. */
#include "krl/number.h"
#include "krl/parser.h"

enum {
    BIND_CONDITIONAL = 10,
    BIND_OR = 20,
    BIND_AND = 30,
    BIND_COMPARE = 40,
    BIND_ADD = 50,
    BIND_MULTIPLY = 60,
    BIND_UNARY = 70,
    BIND_POSTFIX = 80,
    BIND_CALL = 90,
};

static const struct operator
{
    const char *text;
    uint8_t op;
    uint8_t binding;
    bool symbol;
}
operators[] = {
    {"||", AST_OP_OR, BIND_OR, false},          {"&&", AST_OP_AND, BIND_AND, false},
    {"==", AST_OP_EQ, BIND_COMPARE, false},     {"!=", AST_OP_NE, BIND_COMPARE, false},
    {"<", AST_OP_LT, BIND_COMPARE, false},      {"<=", AST_OP_LE, BIND_COMPARE, false},
    {">", AST_OP_GT, BIND_COMPARE, false},      {">=", AST_OP_GE, BIND_COMPARE, false},
    {"like", AST_OP_LIKE, BIND_COMPARE, true},  {"><", AST_OP_HAS, BIND_COMPARE, false},
    {"<=>", AST_OP_ORDER, BIND_COMPARE, false}, {"cmp", AST_OP_CMP, BIND_COMPARE, true},
    {"+", AST_OP_ADD, BIND_ADD, false},         {"-", AST_OP_SUB, BIND_ADD, false},
    {"*", AST_OP_MUL, BIND_MULTIPLY, false},    {"/", AST_OP_DIV, BIND_MULTIPLY, false},
    {"%", AST_OP_MOD, BIND_MULTIPLY, false},
};

static const struct operator* find_operator(const struct parser *p)
{
    for (size_t i = 0; i < COUNT(operators); i++) {
        const struct operator* o = & operators[i];
        if (o->symbol ? parser_is_symbol(p, o->text) : parser_is_raw(p, o->text))
            return o;
    }
    return NULL;
}

/* How strongly the present word binds to what stands before it. */
static int left_binding(const struct parser *p)
{
    const struct operator* o = find_operator(p);
    if (o != NULL)
        return o->binding;
    if (parser_word(p)->kind != LEX_RAW)
        return 0;
    if (parser_is_raw(p, "=>"))
        return BIND_CONDITIONAL;
    if (parser_is_raw(p, ".") || parser_is_raw(p, "{") || parser_is_raw(p, "["))
        return BIND_POSTFIX;
    return parser_is_raw(p, "(") ? BIND_CALL : 0;
}

struct ast *parse_identifier(struct parser *p)
{
    if (p->failed || !parser_is_name(p))
        return parser_expected(p, "Expected Identifier");
    struct ast *id = ast_new(p, AST_ID, parser_word(p)->start);
    if (id != NULL)
        id->text = parser_text(p, 0);
    parser_advance(p);
    return ast_done(p, id);
}

struct ast *parse_name_or_domain(struct parser *p)
{
    struct ast *id = parse_identifier(p);
    if (id == NULL || !parser_maybe_raw(p, ":"))
        return p->failed ? NULL : id;
    struct ast *name = parse_identifier(p);
    if (name == NULL)
        return NULL;
    id->kind = AST_DOMAIN_ID;
    id->text2 = name->text;
    id->end = name->end;
    return id;
}

bool parse_id_list(struct parser *p, struct ast_list *ret)
{
    do {
        struct ast *id = parse_identifier(p);
        if (id == NULL)
            return false;
        ast_add(ret, id);
    } while (parser_maybe_raw(p, ","));
    return !p->failed;
}

struct ast *parse_declaration(struct parser *p)
{
    uint32_t start = parser_word(p)->start;
    if (p->failed || !parser_is_name(p))
        return parser_expected(p, "Expected a declaration");
    struct ast *node = ast_new(p, AST_DECLARATION, start);
    if (node == NULL)
        return NULL;
    node->text = parser_text(p, 0);
    parser_advance(p);
    if (!parser_maybe_raw(p, "="))
        return parser_expected_at(p, start, "Expected a declaration");
    node->a = parse_expression(p, 0);
    return ast_done(p, node);
}

bool parse_declarations(struct parser *p, struct ast_list *ret)
{
    while (!p->failed && parser_is_name(p) && parser_next_is_raw(p, "=")) {
        struct ast *node = parse_declaration(p);
        if (node == NULL)
            return false;
        ast_add(ret, node);
        (void)parser_maybe_raw(p, ";");
    }
    return !p->failed;
}

static bool parse_parameters(struct parser *p, struct ast_list *ret)
{
    if (!parser_want_raw(p, "("))
        return false;
    while (!p->failed && !parser_is_raw(p, ")")) {
        struct ast *id = parse_identifier(p);
        if (id == NULL)
            return false;
        id->kind = AST_PARAMETER;
        if (parser_maybe_raw(p, "="))
            id->a = parse_expression(p, 0);
        if (ast_done(p, id) == NULL)
            return false;
        ast_add(ret, id);
        if (!parser_maybe_raw(p, ","))
            break;
    }
    return parser_want_raw(p, ")");
}

bool parse_arguments(struct parser *p, struct ast_list *ret)
{
    if (!parser_want_raw(p, "("))
        return false;
    while (!p->failed && !parser_is_raw(p, ")")) {
        struct ast *arg = parse_expression(p, 0);
        if (arg == NULL)
            return false;
        if (arg->kind == AST_ID && parser_maybe_raw(p, "=")) {
            struct ast *named = ast_new(p, AST_NAMED, arg->start);
            if (named == NULL)
                return false;
            named->text = arg->text;
            named->a = parse_expression(p, 0);
            arg = ast_done(p, named);
            if (arg == NULL)
                return false;
        }
        ast_add(ret, arg);
        if (!parser_maybe_raw(p, ","))
            break;
    }
    return parser_want_raw(p, ")");
}

/* s with every from, two bytes, as the one byte behind its backslash. */
static struct str unescape(struct parser *p, struct str s, struct str from)
{
    if (!str_has(s, from) || arena_room(p->arena) < s.n)
        return s;
    char *bytes = arena_bytes(p->arena, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        bool here = str_starts(str_sub(s, i, s.n), from);
        size_t skip = here ? 1 : 0;
        size_t length = here ? from.n - 1 : 1;
        memcpy(bytes + n, s.p + i + skip, length);
        n += length;
        i += skip + length;
    }
    return str_n(bytes, n);
}

static struct ast *literal(struct parser *p, enum ast_kind kind, struct str text)
{
    struct ast *node = ast_new(p, kind, parser_word(p)->start);
    if (node != NULL)
        node->text = text;
    parser_advance(p);
    return ast_done(p, node);
}

static struct ast *parse_string(struct parser *p)
{
    struct str s = parser_text(p, 0);
    s = unescape(p, str_sub(s, 1, s.n - 1), STR("\\\""));
    return literal(p, AST_STRING, unescape(p, s, STR("\\\\")));
}

static struct ast *parse_number(struct parser *p)
{
    double number = krl_number_parse(parser_text(p, 0));
    struct ast *node = literal(p, AST_NUMBER, STR(""));
    if (node != NULL)
        node->number = number;
    return node;
}

static struct ast *parse_regex(struct parser *p)
{
    struct str s = parser_text(p, 0);
    size_t end = s.n - 1;
    while (s.p[end] != '#')
        end--;
    struct ast *node = literal(p, AST_REGEX, unescape(p, str_sub(s, 3, end), STR("\\#")));
    if (node != NULL)
        node->text2 = str_sub(s, end + 1, s.n);
    return node;
}

static struct ast *parse_chevron(struct parser *p)
{
    struct ast *node = ast_new(p, AST_CHEVRON, parser_word(p)->start);
    struct ast_list list = {0};
    parser_advance(p);
    while (!p->failed) {
        struct ast *part = NULL;
        if (parser_word(p)->kind == LEX_CHEVRON_TEXT) {
            struct str s = unescape(p, parser_text(p, 0), STR("\\>"));
            s = unescape(p, unescape(p, s, STR("\\#{")), STR("\\\\"));
            part = literal(p, AST_STRING, s);
        } else if (parser_word(p)->kind == LEX_BEESTING_OPEN) {
            parser_advance(p);
            part = parse_expression(p, 0);
            if (!p->failed && parser_word(p)->kind != LEX_BEESTING_CLOSE)
                return parser_expected(p, "Expected `}`");
            parser_advance(p);
        } else {
            break;
        }
        if (part == NULL || p->failed)
            return NULL;
        ast_add(&list, part);
    }
    if (p->failed || parser_word(p)->kind != LEX_CHEVRON_CLOSE)
        return parser_expected(p, "Expected `>>`");
    parser_advance(p);
    if (node != NULL)
        node->list = list.first;
    return ast_done(p, node);
}

static struct ast *parse_pair(struct parser *p)
{
    struct ast *pair = ast_new(p, AST_PAIR, parser_word(p)->start);
    if (pair == NULL)
        return NULL;
    if (parser_word(p)->kind != LEX_STRING)
        return parser_expected(p, "Expected String");
    pair->a = parse_expression(p, 0);
    if (pair->a == NULL || !parser_want_raw(p, ":"))
        return NULL;
    if (pair->a->kind != AST_STRING)
        return parser_expected_at(p, pair->start, "Expected String");
    pair->b = parse_expression(p, 0);
    return ast_done(p, pair);
}

static struct ast *parse_list(struct parser *p, enum ast_kind kind, const char *close)
{
    struct ast *node = ast_new(p, kind, parser_word(p)->start);
    struct ast_list list = {0};
    parser_advance(p);
    while (!p->failed && !parser_is_raw(p, close)) {
        struct ast *item = kind == AST_MAP ? parse_pair(p) : parse_expression(p, 0);
        if (item == NULL)
            return NULL;
        ast_add(&list, item);
        if (!parser_maybe_raw(p, ","))
            break;
    }
    if (!parser_want_raw(p, close) || node == NULL)
        return NULL;
    node->list = list.first;
    return ast_done(p, node);
}

static struct ast *parse_function(struct parser *p)
{
    struct ast *node = ast_new(p, AST_FUNCTION, parser_word(p)->start);
    struct ast_list params = {0};
    struct ast_list body = {0};
    parser_advance(p);
    if (node == NULL || !parse_parameters(p, &params) || !parser_want_raw(p, "{") ||
        !parse_declarations(p, &body))
        return NULL;
    (void)parser_maybe_symbol(p, "return");
    if (!p->failed && parser_word(p)->kind == LEX_RAW && parser_is_raw(p, "}"))
        return parser_expected(p, "Expected the function return expression");
    node->list2 = params.first;
    node->list = body.first;
    node->a = parse_expression(p, 0);
    (void)parser_maybe_raw(p, ";");
    if (!parser_want_raw(p, "}"))
        return NULL;
    return ast_done(p, node);
}

static struct ast *parse_defaction(struct parser *p)
{
    static const char one[] = "defaction can only return one value";
    struct ast *node = ast_new(p, AST_DEFACTION, parser_word(p)->start);
    struct ast_list params = {0};
    struct ast_list body = {0};
    parser_advance(p);
    if (node == NULL || !parse_parameters(p, &params) || !parser_want_raw(p, "{") ||
        !parse_declarations(p, &body))
        return NULL;
    node->list2 = params.first;
    node->list = body.first;
    node->b = parse_block(p);
    if (node->b == NULL)
        return NULL;
    if (parser_maybe_raw(p, "}"))
        return ast_done(p, node);
    if (parser_maybe_symbol(p, "returns"))
        return parser_expected(p, one);
    if (!parser_want_symbol(p, "return"))
        return NULL;
    node->a = parse_expression(p, 0);
    if (!p->failed && parser_is_raw(p, ","))
        return parser_expected(p, one);
    (void)parser_maybe_raw(p, ";");
    if (!parser_want_raw(p, "}"))
        return NULL;
    return ast_done(p, node);
}

static struct ast *parse_unary(struct parser *p)
{
    struct ast *node = ast_new(p, AST_UNARY, parser_word(p)->start);
    if (node == NULL)
        return NULL;
    node->op = parser_is_raw(p, "+")   ? AST_OP_PLUS
               : parser_is_raw(p, "-") ? AST_OP_MINUS
                                       : AST_OP_NOT;
    parser_advance(p);
    node->a = parse_expression(p, BIND_UNARY);
    return ast_done(p, node);
}

static struct ast *parse_parenthesis(struct parser *p)
{
    parser_advance(p);
    struct ast *node = parse_expression(p, 0);
    return node != NULL && parser_want_raw(p, ")") ? node : NULL;
}

/* These words belong to other rules of the grammar: an expression cannot begin with them. */
static bool begins_nothing(const struct parser *p)
{
    static const char *const words[] = {"like",  "cmp", "or",    "and",     "before", "then",
                                        "after", "any", "count", "between", "repeat"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (parser_is_symbol(p, words[i]))
            return true;
    return false;
}

static struct ast *parse_symbol(struct parser *p)
{
    if (parser_is_symbol(p, "function"))
        return parse_function(p);
    if (parser_is_symbol(p, "defaction"))
        return parse_defaction(p);
    if (parser_is_symbol(p, "not"))
        return parse_unary(p);
    if (parser_is_symbol(p, "null"))
        return literal(p, AST_NULL, STR(""));
    bool truth = parser_is_symbol(p, "true");
    if (truth || parser_is_symbol(p, "false")) {
        struct ast *node = literal(p, AST_BOOL, STR(""));
        if (node != NULL)
            node->op = truth;
        return node;
    }
    if (begins_nothing(p))
        return parser_expected(p, "Expected an expression");
    if (!parser_is_name(p))
        return parser_expected(p, "Reserved word");
    return parse_name_or_domain(p);
}

/* What an expression begins with. */
static struct ast *parse_head(struct parser *p)
{
    switch ((enum lex_kind)parser_word(p)->kind) {
    case LEX_SYMBOL:
        return parse_symbol(p);
    case LEX_NUMBER:
        return parse_number(p);
    case LEX_STRING:
        return parse_string(p);
    case LEX_REGEX:
        return parse_regex(p);
    case LEX_CHEVRON_OPEN:
        return parse_chevron(p);
    case LEX_RAW:
        if (parser_is_raw(p, "("))
            return parse_parenthesis(p);
        if (parser_is_raw(p, "["))
            return parse_list(p, AST_ARRAY, "]");
        if (parser_is_raw(p, "{"))
            return parse_list(p, AST_MAP, "}");
        if (parser_is_raw(p, "+") || parser_is_raw(p, "-"))
            return parse_unary(p);
        break;
    case LEX_END:
    case LEX_CHEVRON_TEXT:
    case LEX_CHEVRON_CLOSE:
    case LEX_BEESTING_OPEN:
    case LEX_BEESTING_CLOSE:
    case LEX_COMMENT:
    case LEX_ILLEGAL:
    case LEX_UNCLOSED:
        break;
    }
    return parser_expected(p, "Expected an expression");
}

static struct ast *parse_conditional(struct parser *p, struct ast *left)
{
    struct ast *node = ast_new(p, AST_CONDITIONAL, left->start);
    parser_advance(p);
    if (node == NULL)
        return NULL;
    node->a = left;
    node->b = parse_expression(p, BIND_CONDITIONAL);
    if (!parser_want_raw(p, "|"))
        return NULL;
    node->c = parse_expression(p, 0);
    return ast_done(p, node);
}

static struct ast *parse_member(struct parser *p, struct ast *left)
{
    bool dot = parser_is_raw(p, ".");
    bool path = parser_is_raw(p, "{");
    struct ast *node = ast_new(p, dot ? AST_DOT : path ? AST_PATH : AST_INDEX, left->start);
    parser_advance(p);
    if (node == NULL)
        return NULL;
    node->a = left;
    node->b = dot ? parse_name_or_domain(p) : parse_expression(p, 0);
    if (node->b == NULL || (!dot && !parser_want_raw(p, path ? "}" : "]")))
        return NULL;
    return ast_done(p, node);
}

/* What goes on behind left. */
static struct ast *parse_tail(struct parser *p, struct ast *left)
{
    const struct operator* o = find_operator(p);
    if (o != NULL) {
        struct ast *node = ast_new(p, AST_INFIX, parser_word(p)->start);
        parser_advance(p);
        if (node == NULL)
            return NULL;
        node->op = o->op;
        node->a = left;
        node->b = parse_expression(p, o->binding);
        return ast_done(p, node);
    }
    if (parser_is_raw(p, "=>"))
        return parse_conditional(p, left);
    if (!parser_is_raw(p, "("))
        return parse_member(p, left);
    struct ast *call = ast_new(p, AST_CALL, left->start);
    struct ast_list args = {0};
    if (call == NULL || !parse_arguments(p, &args))
        return NULL;
    call->a = left;
    call->list = args.first;
    return ast_done(p, call);
}

struct ast *parse_expression(struct parser *p, int binding)
{
    if (p->failed || !parser_enter(p))
        return NULL;
    struct ast *left = parse_head(p);
    while (left != NULL && !p->failed && binding < left_binding(p))
        left = parse_tail(p, left);
    parser_leave(p);
    return p->failed ? NULL : left;
}
