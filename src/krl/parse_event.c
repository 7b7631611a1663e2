/* Event expressions of KRL: what a rule waits for. */
#include "krl/parser.h"

#include "krl/number.h"

enum { BIND_BETWEEN = 50 };

static const struct {
    const char *word;
    uint8_t op;
    uint8_t binding; /* between two operands; 0: only before a list */
    bool counts;     /* a number stands in front of the list */
} words[] = {
    {"or", AST_EVENT_OR, 20, false},         {"and", AST_EVENT_AND, 30, false},
    {"before", AST_EVENT_BEFORE, 40, false}, {"then", AST_EVENT_THEN, 40, false},
    {"after", AST_EVENT_AFTER, 40, false},   {"any", AST_EVENT_ANY, 0, true},
    {"count", AST_EVENT_COUNT, 0, true},     {"repeat", AST_EVENT_REPEAT, 0, true},
};

static size_t find_word(const struct parser *p)
{
    size_t i = 0;
    while (i < COUNT(words) && !parser_is_symbol(p, words[i].word))
        i++;
    return i;
}

static bool parse_count(struct parser *p, double *ret)
{
    struct str s = parser_text(p, 0);
    if (p->failed || parser_word(p)->kind != LEX_NUMBER || str_find(s, '.', 0) < s.n)
        return parser_expected(p, "Expected a positive integer") != NULL;
    *ret = krl_number_parse(s);
    parser_advance(p);
    return !p->failed;
}

/* Any symbol will do, also a reserved one. */
static bool parse_word(struct parser *p, const char *what, struct str *ret)
{
    if (p->failed || parser_word(p)->kind != LEX_SYMBOL)
        return parser_expected(p, "Expected %s", what) != NULL;
    *ret = parser_text(p, 0);
    parser_advance(p);
    return !p->failed;
}

static bool parse_matches(struct parser *p, struct ast *event)
{
    struct ast_list list = {0};
    while (!p->failed && parser_word(p)->kind == LEX_SYMBOL &&
           parser_word(p)[1].kind == LEX_REGEX) {
        struct ast *match = ast_new(p, AST_MATCH, parser_word(p)->start);
        if (match == NULL || !parse_word(p, "Attribute", &match->text))
            return false;
        match->a = parse_expression(p, 0);
        if (ast_done(p, match) == NULL)
            return false;
        ast_add(&list, match);
    }
    event->list = list.first;
    return !p->failed;
}

static struct ast *parse_basic(struct parser *p)
{
    struct ast *event = ast_new(p, AST_EVENT, parser_word(p)->start);
    struct ast_list setting = {0};
    if (event == NULL || !parse_word(p, "a bare word for the event domain", &event->text))
        return NULL;
    bool colon = parser_maybe_raw(p, ":");
    if (!parse_word(p, colon ? "a bare word for the event type" : "`:`", &event->text2) ||
        !parse_matches(p, event))
        return NULL;
    if (parser_maybe_symbol(p, "where"))
        event->a = parse_expression(p, 0);
    if (parser_maybe_symbol(p, "setting")) {
        event->op |= event->list == NULL ? 1 : 0;
        event->op |= event->a != NULL ? 2 : 0;
        if (!parser_want_raw(p, "(") || !parse_id_list(p, &setting) || !parser_want_raw(p, ")"))
            return NULL;
        event->list2 = setting.first;
    }
    if (event->a == NULL && parser_maybe_symbol(p, "where"))
        event->a = parse_expression(p, 0);
    return ast_done(p, event);
}

static struct ast *parse_aggregate(struct parser *p)
{
    struct ast *node = ast_new(p, AST_AGGREGATE, parser_word(p)->start);
    struct ast_list ids = {0};
    if (node == NULL)
        return NULL;
    node->text = parser_text(p, 0);
    parser_advance(p);
    if (!parser_want_raw(p, "(") || !parse_id_list(p, &ids) || !parser_want_raw(p, ")"))
        return NULL;
    node->list = ids.first;
    return ast_done(p, node);
}

static struct ast *parse_group(struct parser *p, struct ast *node)
{
    static const char *const aggregators[] = {"max", "min", "sum", "avg", "push"};
    if (!parse_count(p, &node->number) || !parser_want_raw(p, "("))
        return NULL;
    node->kind = AST_EVENT_GROUP;
    node->a = parse_basic(p);
    if (node->a == NULL || !parser_want_raw(p, ")"))
        return NULL;
    for (size_t i = 0; i < COUNT(aggregators); i++) {
        if (!parser_is_symbol(p, aggregators[i]))
            continue;
        node->a->b = parse_aggregate(p);
        if (node->a->b == NULL)
            return NULL;
        break;
    }
    return ast_done(p, node);
}

/* "before(a, b)", "any 2 (a, b, c)", "count 3 (a)". */
static struct ast *parse_listed(struct parser *p, size_t word)
{
    struct ast *node = ast_new(p, AST_EVENT_OP, parser_word(p)->start);
    struct ast_list args = {0};
    parser_advance(p);
    if (node == NULL)
        return NULL;
    node->op = words[word].op;
    if (node->op == AST_EVENT_COUNT || node->op == AST_EVENT_REPEAT)
        return parse_group(p, node);
    if ((words[word].counts && !parse_count(p, &node->number)) || !parser_want_raw(p, "("))
        return NULL;
    do {
        struct ast *arg = parse_event(p, 0);
        if (arg == NULL)
            return NULL;
        ast_add(&args, arg);
    } while (parser_maybe_raw(p, ","));
    if (!parser_want_raw(p, ")"))
        return NULL;
    node->list = args.first;
    return ast_done(p, node);
}

static struct ast *parse_event_head(struct parser *p)
{
    static const char *const others[] = {"between",   "not",  "like",  "cmp", "function",
                                         "defaction", "true", "false", "null"};
    if (parser_maybe_raw(p, "(")) {
        struct ast *node = parse_event(p, 0);
        return node != NULL && parser_want_raw(p, ")") ? node : NULL;
    }
    size_t word = find_word(p);
    if (word < COUNT(words))
        return parse_listed(p, word);
    bool other = parser_word(p)->kind != LEX_SYMBOL;
    for (size_t i = 0; i < COUNT(others); i++)
        other = other || parser_is_symbol(p, others[i]);
    return other ? parser_expected(p, "Expected an event expression") : parse_basic(p);
}

static struct ast *parse_between(struct parser *p, struct ast *left)
{
    struct ast *node = ast_new(p, AST_EVENT_OP, parser_word(p)->start);
    if (node == NULL)
        return NULL;
    node->op = parser_maybe_symbol(p, "not") ? AST_EVENT_NOT_BETWEEN : AST_EVENT_BETWEEN;
    if (!parser_want_symbol(p, "between") || !parser_want_raw(p, "("))
        return NULL;
    struct ast *one = parse_event(p, 0);
    if (one == NULL || !parser_want_raw(p, ","))
        return NULL;
    struct ast *two = parse_event(p, 0);
    if (two == NULL || !parser_want_raw(p, ")"))
        return NULL;
    node->list = left;
    left->next = one;
    one->next = two;
    return ast_done(p, node);
}

static struct ast *parse_event_tail(struct parser *p, struct ast *left, size_t word)
{
    struct ast *node = ast_new(p, AST_EVENT_OP, parser_word(p)->start);
    parser_advance(p);
    if (node == NULL)
        return NULL;
    node->op = words[word].op;
    struct ast *right = parse_event(p, words[word].binding);
    if (right == NULL)
        return NULL;
    node->list = left;
    left->next = right;
    return ast_done(p, node);
}

struct ast *parse_event(struct parser *p, int binding)
{
    if (p->failed || !parser_enter(p))
        return NULL;
    struct ast *left = parse_event_head(p);
    while (left != NULL && !p->failed) {
        size_t word = find_word(p);
        if (word < COUNT(words) && binding < words[word].binding)
            left = parse_event_tail(p, left, word);
        else if (binding < BIND_BETWEEN &&
                 (parser_is_symbol(p, "between") || parser_is_symbol(p, "not")))
            left = parse_between(p, left);
        else
            break;
    }
    parser_leave(p);
    return p->failed ? NULL : left;
}
