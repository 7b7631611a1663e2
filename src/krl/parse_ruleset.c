/* Rulesets of KRL: meta, global, rules, action blocks, postludes. */
#include "krl/parser.h"

/* A ruleset id: symbols joined by '.' and '-' without spaces. */
static struct str parse_rid(struct parser *p)
{
    if (p->failed || parser_word(p)->kind != LEX_SYMBOL) {
        (void)parser_expected(p, "Expected RulesetID");
        return STR("");
    }
    uint32_t start = parser_word(p)->start;
    uint32_t end = parser_word(p)->end;
    for (;;) {
        const struct lex_word *join = parser_word(p) + 1;
        struct str text = str_sub(p->source, join->start, join->end);
        if (join->kind != LEX_RAW || join->start != end ||
            (!str_eq(text, STR(".")) && !str_eq(text, STR("-"))))
            break;
        if (join[1].kind != LEX_SYMBOL || join[1].start != join->end) {
            (void)parser_expected_at(p, join[1].start,
                                     "RulesetID cannot end with a `%.*s`\nValid ruleset IDs are "
                                     "reverse domain name. i.e. `io.picolabs.some.cool.name`",
                                     STRF(text));
            return STR("");
        }
        p->at += 2;
        end = parser_word(p)->end;
    }
    parser_advance(p);
    return str_sub(p->source, start, end);
}

/* --- meta --- */

static bool parse_with(struct parser *p, struct ast_list *ret)
{
    bool more = false;
    while (!p->failed && (more || (parser_is_name(p) && parser_next_is_raw(p, "=")))) {
        struct ast *node = parse_declaration(p);
        if (node == NULL)
            return false;
        ast_add(ret, node);
        more = parser_maybe_symbol(p, "and");
    }
    if (ret->first == NULL)
        (void)parser_expected(p, "Expected declarations after `with`");
    return !p->failed;
}

static bool parse_use(struct parser *p, struct ast *node)
{
    struct ast_list with = {0};
    node->op = AST_META_USE;
    if (!parser_want_symbol(p, "module"))
        return false;
    node->text2 = parse_rid(p);
    node->text = STR("");
    if (parser_maybe_symbol(p, "alias")) {
        struct ast *id = parse_identifier(p);
        if (id == NULL)
            return false;
        node->text = id->text;
    }
    if (parser_maybe_symbol(p, "with") && !parse_with(p, &with))
        return false;
    node->list = with.first;
    return !p->failed;
}

static bool parse_provides(struct parser *p, struct ast *node)
{
    struct ast_list ids = {0};
    bool keys = parser_maybe_symbol(p, "keys");
    node->op = keys ? AST_META_PROVIDES_KEYS : AST_META_PROVIDES;
    if (!parse_id_list(p, &ids))
        return false;
    node->list = ids.first;
    if (!keys)
        return true;
    if (!parser_want_symbol(p, "to"))
        return false;
    do
        (void)parse_rid(p);
    while (parser_maybe_raw(p, ","));
    return !p->failed;
}

static bool parse_logging(struct parser *p, struct ast *node)
{
    node->op = AST_META_LOGGING;
    if (!parser_maybe_symbol(p, "on") && !parser_maybe_symbol(p, "off"))
        (void)parser_expected(p, "Expected `on` or `off`");
    return !p->failed;
}

static bool parse_meta_value(struct parser *p, struct ast *node)
{
    static const struct {
        const char *word;
        uint8_t op;
    } plain[] = {{"name", AST_META_NAME},
                 {"version", AST_META_VERSION},
                 {"description", AST_META_DESCRIPTION},
                 {"author", AST_META_AUTHOR}};
    struct str key = node->text;
    struct ast_list list = {0};
    for (size_t i = 0; i < COUNT(plain); i++) {
        if (!str_eq(key, str_c(plain[i].word)))
            continue;
        node->op = plain[i].op;
        node->a = parse_expression(p, 0);
        return !p->failed;
    }
    if (str_eq(key, STR("logging")))
        return parse_logging(p, node);
    if (str_eq(key, STR("use")))
        return parse_use(p, node);
    if (str_eq(key, STR("provide")) || str_eq(key, STR("provides")))
        return parse_provides(p, node);
    if (str_eq(key, STR("share")) || str_eq(key, STR("shares"))) {
        node->op = AST_META_SHARES;
        bool ok = parse_id_list(p, &list);
        node->list = list.first;
        return ok;
    }
    if (str_eq(key, STR("configure"))) {
        node->op = AST_META_CONFIGURE;
        bool ok = parser_want_symbol(p, "using") && parse_declarations(p, &list);
        node->list = list.first;
        return ok;
    }
    if (str_eq(key, STR("errors"))) {
        node->op = AST_META_ERRORS;
        if (parser_want_symbol(p, "to"))
            (void)parse_rid(p);
        return !p->failed;
    }
    if (str_eq(key, STR("key")) || str_eq(key, STR("keys"))) {
        node->op = AST_META_KEYS;
        if (parser_word(p)->kind != LEX_SYMBOL)
            return parser_expected(p, "Expected key name") != NULL;
        parser_advance(p);
        node->a = parse_expression(p, 0);
        return !p->failed;
    }
    return parser_expected_at(p, node->start, "Unsupported meta key: %.*s", STRF(key)) != NULL;
}

static bool parse_meta(struct parser *p, struct ast_list *ret)
{
    if (!parser_want_raw(p, "{"))
        return false;
    while (!p->failed && parser_word(p)->kind == LEX_SYMBOL) {
        struct ast *node = ast_new(p, AST_META, parser_word(p)->start);
        if (node == NULL)
            return false;
        node->text = parser_text(p, 0);
        parser_advance(p);
        if (!parse_meta_value(p, node) || ast_done(p, node) == NULL)
            return false;
        ast_add(ret, node);
    }
    return parser_want_raw(p, "}");
}

/* --- actions --- */

static struct ast *parse_action(struct parser *p)
{
    struct ast *node = ast_new(p, AST_ACTION, parser_word(p)->start);
    struct ast_list args = {0};
    struct ast_list setting = {0};
    struct ast *name = parse_name_or_domain(p);
    if (node == NULL || name == NULL)
        return NULL;
    node->text = STR("");
    if (name->kind == AST_ID && parser_maybe_raw(p, "=>")) {
        node->text = name->text;
        name = parse_name_or_domain(p);
        if (name == NULL)
            return NULL;
    }
    node->a = name;
    if (!parse_arguments(p, &args))
        return NULL;
    node->list = args.first;
    if (parser_maybe_symbol(p, "setting")) {
        if (!parser_want_raw(p, "(") || !parse_id_list(p, &setting) || !parser_want_raw(p, ")"))
            return NULL;
        node->list2 = setting.first;
    }
    (void)parser_maybe_raw(p, ";");
    return ast_done(p, node);
}

static bool parse_actions(struct parser *p, struct ast_list *ret)
{
    if (!parser_want_raw(p, "{"))
        return false;
    while (!p->failed && !parser_is_raw(p, "}")) {
        struct ast *action = parse_action(p);
        if (action == NULL)
            return false;
        ast_add(ret, action);
    }
    return parser_want_raw(p, "}");
}

static bool begins_postlude(const struct parser *p)
{
    return parser_is_symbol(p, "always") || parser_is_symbol(p, "fired") ||
           parser_is_symbol(p, "notfired");
}

static bool parse_block_body(struct parser *p, struct ast *node, struct ast_list *actions)
{
    node->op = AST_EVERY;
    if (parser_maybe_symbol(p, "every"))
        return parse_actions(p, actions);
    if (parser_maybe_symbol(p, "sample")) {
        node->op = AST_SAMPLE;
        return parse_actions(p, actions);
    }
    if (parser_maybe_symbol(p, "choose")) {
        node->op = AST_CHOOSE;
        node->b = parse_expression(p, 80); /* so that the bracket of the block is not its path */
        return node->b != NULL && parse_actions(p, actions);
    }
    struct ast *action = parse_action(p);
    if (action == NULL)
        return false;
    ast_add(actions, action);
    return true;
}

struct ast *parse_block(struct parser *p)
{
    struct ast *node = ast_new(p, AST_BLOCK, parser_word(p)->start);
    struct ast_list actions = {0};
    if (node == NULL)
        return NULL;
    if (parser_maybe_symbol(p, "if")) {
        node->a = parse_expression(p, 0);
        if (node->a == NULL || !parser_want_symbol(p, "then"))
            return NULL;
    }
    bool body = !p->failed && parser_word(p)->kind == LEX_SYMBOL && !begins_postlude(p);
    if (body && !parse_block_body(p, node, &actions))
        return NULL;
    if (node->a != NULL && actions.first == NULL)
        return parser_expected(p, parser_is_raw(p, "{") ? "Expected `every`, `sample`, or `choose`"
                                                        : "Expected an action after `if ... then`");
    node->list = actions.first;
    return ast_done(p, node);
}

/* --- postludes --- */

static struct ast *parse_ent_variable(struct parser *p, enum ast_kind kind)
{
    struct ast *node = ast_new(p, kind, parser_word(p)->start);
    struct ast *domain = parse_identifier(p);
    if (node == NULL || domain == NULL || !parser_want_raw(p, ":"))
        return NULL;
    struct ast *name = parse_identifier(p);
    if (name == NULL)
        return NULL;
    node->text = name->text;
    node->text2 = domain->text;
    if (parser_maybe_raw(p, "{")) {
        node->a = parse_expression(p, 0);
        if (node->a == NULL || !parser_want_raw(p, "}"))
            return NULL;
    }
    return p->failed ? NULL : node;
}

/* "DOMAIN event TYPE" or "event DOMAIN-AND-TYPE". */
static bool parse_event_name(struct parser *p, struct ast *node)
{
    node->text = STR("");
    if (!parser_maybe_symbol(p, "event")) {
        if (!parser_is_name(p))
            return parser_expected(p, "Expected `event`") != NULL;
        struct ast *domain = parse_identifier(p);
        if (domain == NULL || !parser_want_symbol(p, "event"))
            return false;
        node->text = domain->text;
    }
    node->a = parse_expression(p, 0);
    return !p->failed;
}

static bool parse_attributes(struct parser *p, struct ast *node)
{
    if (parser_maybe_symbol(p, "attributes"))
        node->c = parse_expression(p, 0);
    return !p->failed;
}

static struct ast *parse_raise(struct parser *p, struct ast *node)
{
    if (!parse_event_name(p, node))
        return NULL;
    if (parser_maybe_symbol(p, "for"))
        node->b = parse_expression(p, 0);
    return parse_attributes(p, node) ? node : NULL;
}

static struct ast *parse_schedule(struct parser *p, struct ast *node)
{
    if (!parse_event_name(p, node))
        return NULL;
    node->number = parser_is_symbol(p, "repeat");
    if (!parser_maybe_symbol(p, "at") && !parser_maybe_symbol(p, "repeat"))
        return parser_expected(p, "Expected `at` or `repeat`");
    node->b = parse_expression(p, 0);
    if (!parse_attributes(p, node))
        return NULL;
    if (parser_maybe_symbol(p, "setting")) {
        if (!parser_want_raw(p, "("))
            return NULL;
        node->list = parse_identifier(p);
        if (node->list == NULL || !parser_want_raw(p, ")"))
            return NULL;
    }
    return node;
}

static struct ast *parse_level(struct parser *p, struct ast *node)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < COUNT(levels); i++) {
        if (!parser_maybe_symbol(p, levels[i]))
            continue;
        node->text = str_c(levels[i]);
        node->a = parse_expression(p, 0);
        return p->failed ? NULL : node;
    }
    return parser_expected(p, "Expected error or warn or info or debug");
}

/* A statement that begins with its own word; *ret_is tells whether this is one. */
static struct ast *parse_worded(struct parser *p, bool *ret_is)
{
    static const struct {
        const char *word;
        enum ast_kind kind;
    } words[] = {{"raise", AST_RAISE}, {"schedule", AST_SCHEDULE}, {"log", AST_LOG},
                 {"error", AST_ERROR}, {"last", AST_LAST},         {"clear", AST_ENT_CLEAR}};
    *ret_is = true;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!parser_is_symbol(p, words[i].word))
            continue;
        struct ast *node = ast_new(p, words[i].kind, parser_word(p)->start);
        parser_advance(p);
        if (node == NULL || p->failed)
            return NULL;
        if (node->kind == AST_ENT_CLEAR)
            return parse_ent_variable(p, AST_ENT_CLEAR);
        if (node->kind == AST_RAISE)
            return parse_raise(p, node);
        if (node->kind == AST_SCHEDULE)
            return parse_schedule(p, node);
        return node->kind == AST_LAST ? node : parse_level(p, node);
    }
    *ret_is = false;
    return NULL;
}

static struct ast *parse_core(struct parser *p)
{
    bool worded = false;
    struct ast *node = parse_worded(p, &worded);
    if (worded)
        return node;
    bool variable = parser_word(p)->kind == LEX_SYMBOL && parser_next_is_raw(p, ":") &&
                    parser_word(p)[2].kind == LEX_SYMBOL;
    if (!variable)
        return parse_declaration(p);
    node = parse_ent_variable(p, AST_ENT_SET);
    if (node == NULL)
        return NULL;
    node->start = parser_word(p)->start;
    if (!parser_want_raw(p, ":="))
        return NULL;
    node->b = parse_expression(p, 0);
    return p->failed ? NULL : node;
}

static struct ast *parse_statements(struct parser *p)
{
    struct ast *statements = ast_new(p, AST_STATEMENTS, parser_word(p)->start);
    struct ast_list list = {0};
    if (!parser_want_raw(p, "{"))
        return NULL;
    while (!p->failed && !parser_is_raw(p, "}")) {
        struct ast *node = parse_core(p);
        if (node == NULL)
            return NULL;
        bool on_final = parser_is_symbol(p, "on") && parser_word(p)[1].kind == LEX_SYMBOL &&
                        str_eq(parser_text(p, 1), STR("final"));
        if (on_final) {
            node->op |= 1;
            parser_advance(p);
            parser_advance(p);
        } else if (parser_maybe_symbol(p, "if")) {
            node->d = parse_expression(p, 0);
        }
        if (ast_done(p, node) == NULL)
            return NULL;
        ast_add(&list, node);
        (void)parser_maybe_raw(p, ";");
    }
    if (!parser_want_raw(p, "}") || statements == NULL)
        return NULL;
    statements->list = list.first;
    return ast_done(p, statements);
}

struct ast *parse_postlude(struct parser *p)
{
    struct ast *node = ast_new(p, AST_POSTLUDE, parser_word(p)->start);
    if (node == NULL)
        return NULL;
    if (parser_maybe_symbol(p, "always")) {
        node->c = parse_statements(p);
        return ast_done(p, node);
    }
    bool fired = parser_maybe_symbol(p, "fired");
    if (!fired && !parser_maybe_symbol(p, "notfired"))
        return NULL;
    struct ast **first = fired ? &node->a : &node->b;
    struct ast **other = fired ? &node->b : &node->a;
    *first = parse_statements(p);
    if (parser_maybe_symbol(p, "else"))
        *other = parse_statements(p);
    if (parser_maybe_symbol(p, "finally"))
        node->c = parse_statements(p);
    return ast_done(p, node);
}

/* --- rules --- */

static bool parse_within(struct parser *p, struct ast *node)
{
    static const struct {
        const char *word;
        double ms;
    } periods[] = {{"day", 86400e3},        {"hour", 3600e3},   {"minute", 60e3},
                   {"month", 30 * 86400e3}, {"second", 1000.0}, {"week", 7 * 86400e3},
                   {"year", 365 * 86400e3}};
    node->b = parse_expression(p, 0);
    if (p->failed)
        return false;
    struct str word = parser_text(p, 0);
    for (size_t i = 0; i < COUNT(periods); i++) {
        struct str one = str_c(periods[i].word);
        bool many = word.n == one.n + 1 && str_starts(word, one) && word.p[one.n] == 's';
        if (parser_word(p)->kind == LEX_SYMBOL && (many || str_eq(word, one))) {
            node->number = periods[i].ms;
            parser_advance(p);
            return !p->failed;
        }
    }
    return parser_expected(p, "Expected time period: [day,days,hour,hours,minute,minutes,month,"
                              "months,second,seconds,week,weeks,year,years]") != NULL;
}

static struct ast *parse_select(struct parser *p)
{
    struct ast *node = ast_new(p, AST_WHEN, parser_word(p)->start);
    parser_advance(p);
    if (node == NULL)
        return NULL;
    if (parser_maybe_symbol(p, "when")) {
        node->a = parse_event(p, 0);
        if (parser_maybe_symbol(p, "within") && !parse_within(p, node))
            return NULL;
        return ast_done(p, node);
    }
    if (!parser_maybe_symbol(p, "where"))
        return parser_expected(p, "Expected `when` or `where`");
    node->kind = AST_WHERE;
    node->a = parse_expression(p, 0);
    return ast_done(p, node);
}

static bool parse_foreach(struct parser *p, struct ast_list *ret)
{
    while (!p->failed && parser_is_symbol(p, "foreach")) {
        struct ast *node = ast_new(p, AST_FOREACH, parser_word(p)->start);
        struct ast_list ids = {0};
        parser_advance(p);
        if (node == NULL)
            return false;
        node->a = parse_expression(p, 0);
        if (!parser_want_symbol(p, "setting") || !parser_want_raw(p, "(") ||
            !parse_id_list(p, &ids) || !parser_want_raw(p, ")"))
            return false;
        node->list = ids.first;
        if (ast_done(p, node) == NULL)
            return false;
        ast_add(ret, node);
    }
    return !p->failed;
}

/* { declarations } with nothing else in it. */
static bool parse_declaration_block(struct parser *p, struct ast **ret)
{
    struct ast_list list = {0};
    if (!parser_want_raw(p, "{") || !parse_declarations(p, &list))
        return false;
    *ret = list.first;
    if (!parser_maybe_raw(p, "}"))
        (void)parser_expected(p, "Expected a declaration");
    return !p->failed;
}

static bool parse_rule_head(struct parser *p, struct ast *rule)
{
    parser_advance(p);
    struct ast *name = parse_identifier(p);
    if (name == NULL)
        return false;
    rule->text = name->text;
    rule->op = 1;
    if (parser_maybe_symbol(p, "is")) {
        rule->op = parser_is_symbol(p, "active");
        if (!parser_maybe_symbol(p, "active") && !parser_maybe_symbol(p, "inactive"))
            (void)parser_expected(p, "Expected active and inactive");
    }
    return parser_want_raw(p, "{");
}

struct ast *parse_rule(struct parser *p)
{
    struct ast *rule = ast_new(p, AST_RULE, parser_word(p)->start);
    struct ast_list foreach = {0};
    if (rule == NULL || !parse_rule_head(p, rule))
        return NULL;
    if (parser_is_symbol(p, "select")) {
        rule->a = parse_select(p);
        if (rule->a == NULL)
            return NULL;
    }
    if (!parse_foreach(p, &foreach))
        return NULL;
    rule->list = foreach.first;
    if (parser_maybe_symbol(p, "pre") && !parse_declaration_block(p, &rule->list2))
        return NULL;
    bool postlude =
        begins_postlude(p) || parser_is_symbol(p, "else") || parser_is_symbol(p, "finally");
    if (!p->failed && parser_word(p)->kind == LEX_SYMBOL && !postlude) {
        rule->b = parse_block(p);
        if (rule->b == NULL)
            return NULL;
    }
    if (begins_postlude(p))
        rule->c = parse_postlude(p);
    if (!parser_want_raw(p, "}"))
        return NULL;
    return ast_done(p, rule);
}

struct ast *parse_ruleset(struct parser *p)
{
    struct ast *ruleset = ast_new(p, AST_RULESET, parser_word(p)->start);
    struct ast_list meta = {0};
    struct ast_list rules = {0};
    parser_advance(p);
    if (ruleset == NULL)
        return NULL;
    ruleset->text = parse_rid(p);
    if (!parser_want_raw(p, "{"))
        return NULL;
    if (parser_maybe_symbol(p, "version")) {
        if (parser_word(p)->kind != LEX_STRING)
            return parser_expected(p, "Expected String");
        ruleset->a = parse_expression(p, 0);
    }
    ruleset->op = parser_maybe_symbol(p, "meta");
    if (ruleset->op && !parse_meta(p, &meta))
        return NULL;
    ruleset->list = meta.first;
    if (parser_maybe_symbol(p, "global") && !parse_declaration_block(p, &ruleset->list2))
        return NULL;
    while (!p->failed && parser_is_symbol(p, "rule")) {
        struct ast *rule = parse_rule(p);
        if (rule == NULL)
            return NULL;
        ast_add(&rules, rule);
    }
    ruleset->list3 = rules.first;
    if (!parser_want_raw(p, "}"))
        return NULL;
    return ast_done(p, ruleset);
}
