/*
 * No hole in the programs of tests/krl: each operator, each function of the library and of the
 * modules, each form of the grammar and each operation of the machine is in one of them. The tables
 * are those that the parser, the compiler and the machine themselves go by.
 */
#include "krl/compile.h"
#include "krl/lib.h"
#include "krl/parse.h"
#include "krl/programs_fixture.h"

enum { MEMBERS_MAX = 128, OPS_MAX = 32 };

static const char *const op_names[] = {
#define X(name, effect) [KRL_OP_##name] = #name,
#include "krl/ops.def"
#undef X
};

/* What the programs have, by the numbers of the tables. */
struct cover {
    bool builtins[MEMBERS_MAX];
    bool members[MEMBERS_MAX]; /* of the modules, in the order of the tables */
    bool ops[KRL_OP_COUNT];
    bool kinds[AST_EVENT_GROUP + 1];
    bool infix[OPS_MAX]; /* and unary: enum ast_op */
    bool metas[OPS_MAX];
    bool blocks[OPS_MAX];
    bool events[OPS_MAX];
};

/* --- names --- */

static bool word_is(const struct lex *lex, size_t i, enum lex_kind kind, const char *text)
{
    const struct lex_word *w = &lex->words[i];
    return i < lex->count && w->kind == kind &&
           str_eq(str_sub(lex->source, w->start, w->end), str_c(text));
}

/* "name" where it is no member of a module, no variable that is declared and no named argument. */
static void see_builtin(struct cover *c, const struct lex *lex, size_t i)
{
    const struct lex_word *w = &lex->words[i];
    size_t builtin = krl_builtin_find(str_sub(lex->source, w->start, w->end));
    bool own = word_is(lex, i + 1, LEX_RAW, "=") || word_is(lex, i + 1, LEX_RAW, ":") ||
               (i > 0 && word_is(lex, i - 1, LEX_RAW, ":"));
    if (builtin != SIZE_MAX && !own)
        c->builtins[builtin] = true;
}

/* Number of the member "domain:name" that begins at the word; MEMBERS_MAX: none does. */
static size_t member_at(const struct lex *lex, size_t i)
{
    size_t number = 0;
    for (size_t k = 0; k < krl_modules_n; k++) {
        const struct krl_module *module = &krl_modules[k];
        bool domain =
            word_is(lex, i, LEX_SYMBOL, module->domain) && word_is(lex, i + 1, LEX_RAW, ":");
        for (const struct krl_builtin *b = module->members; b->name != NULL; b++, number++)
            if (domain && word_is(lex, i + 2, LEX_SYMBOL, b->name))
                return number;
        for (size_t p = 0; module->properties != NULL && module->properties[p] != NULL;
             p++, number++)
            if (domain && word_is(lex, i + 2, LEX_SYMBOL, module->properties[p]))
                return number;
    }
    return MEMBERS_MAX;
}

static void see_words(struct cover *c, struct arena *arena, struct str program)
{
    struct lex lex;
    struct err err = {0};
    ck_assert_int_eq(krl_lex(program, false, arena, &lex, &err), RC_OK);
    for (size_t i = 0; i < lex.count; i++) {
        if (lex.words[i].kind != LEX_SYMBOL)
            continue;
        size_t member = member_at(&lex, i);
        if (member < MEMBERS_MAX)
            c->members[member] = true;
        else
            see_builtin(c, &lex, i);
    }
}

/* --- the tree --- */

static void see_node(struct cover *c, const struct ast *node)
{
    ck_assert_uint_lt(node->kind, COUNT(c->kinds));
    ck_assert_uint_lt(node->op, OPS_MAX);
    c->kinds[node->kind] = true;
    switch ((int)node->kind) {
    case AST_INFIX:
    case AST_UNARY:
        c->infix[node->op] = true;
        return;
    case AST_META:
        c->metas[node->op] = true;
        return;
    case AST_BLOCK:
        c->blocks[node->op] = true;
        return;
    case AST_EVENT_OP:
    case AST_EVENT_GROUP:
        c->events[node->op] = true;
        return;
    default:
        return;
    }
}

/* Recursion: bounded by the depth of the tree. */
static void see_tree(struct cover *c, const struct ast *node)
{
    for (; node != NULL; node = node->next) {
        const struct ast *const kids[] = {node->a,    node->b,     node->c,    node->d,
                                          node->list, node->list2, node->list3};
        see_node(c, node);
        for (size_t i = 0; i < COUNT(kids); i++)
            see_tree(c, kids[i]);
    }
}

/* --- the code --- */

static void see_code(struct cover *c, const struct krl_proto *proto)
{
    for (uint32_t i = 0; proto != NULL && i < proto->code_n; i++) {
        enum krl_op op = krl_word_op(proto->code[i]);
        c->ops[op] = true;
        i += op == KRL_OP_CALL_NAMED || op == KRL_OP_ACT_NAMED; /* a word of names is behind it */
    }
}

static void see_program(struct arena *arena, struct str program, void *user)
{
    struct cover *c = user;
    struct ast *tree = NULL;
    const struct krl_code *code = NULL;
    struct err err = {0};
    if (krl_parse(program, arena, &tree, &err) != RC_OK)
        return; /* it is there to be refused */
    see_tree(c, tree);
    if (krl_compile(program, arena, &code, &err) != RC_OK)
        return;
    see_words(c, arena, program);
    see_code(c, code->init);
    for (uint32_t i = 0; i < code->protos_n; i++)
        see_code(c, code->protos[i]);
    for (uint32_t i = 0; i < code->rules_n; i++)
        see_code(c, code->rules[i].body);
}

static void see_file(const char *path, struct arena *arena, struct str text, void *user)
{
    (void)path;
    programs_in(arena, text, see_program, user);
}

static void see_all(struct cover *c)
{
    *c = (struct cover){.builtins = {false}};
    (void)programs_each("/tests/krl", see_file, c);
}

/* --- what is missing --- */

static int missing(bool seen, const char *what, const char *name)
{
    if (!seen)
        (void)fprintf(stderr, "no program of tests/krl has the %s %s\n", what, name);
    return !seen;
}

static int missing_of(const bool *seen, size_t n, const char *table)
{
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", i);
        count += missing(seen[i], table, number);
    }
    return count;
}

START_TEST(every_function_of_the_library_is_in_a_program)
{
    struct cover c;
    int count = 0;
    size_t number = 0;
    see_all(&c);
    ck_assert_uint_le(krl_builtins_n, MEMBERS_MAX);
    for (size_t i = 0; i < krl_builtins_n; i++)
        count += missing(c.builtins[i], "function", krl_builtins[i].name);
    for (size_t k = 0; k < krl_modules_n; k++) {
        const struct krl_module *module = &krl_modules[k];
        for (const struct krl_builtin *b = module->members; b->name != NULL; b++)
            count += missing(c.members[number++], module->domain, b->name);
        for (size_t p = 0; module->properties != NULL && module->properties[p] != NULL; p++)
            count += missing(c.members[number++], module->domain, module->properties[p]);
    }
    ck_assert_uint_lt(number, MEMBERS_MAX);
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(every_form_of_the_grammar_is_in_a_program)
{
    struct cover c;
    int count = 0;
    see_all(&c);
    count += missing_of(c.kinds, COUNT(c.kinds), "enum ast_kind");
    count += missing_of(c.infix, AST_OP_NOT + 1, "enum ast_op");
    count += missing_of(c.metas, AST_META_PROVIDES_KEYS + 1, "enum ast_meta");
    count += missing_of(c.blocks, AST_CHOOSE + 1, "enum ast_block");
    count += missing_of(c.events, AST_EVENT_REPEAT + 1, "enum ast_event");
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(every_operation_of_the_machine_is_in_a_program)
{
    struct cover c;
    int count = 0;
    see_all(&c);
    for (size_t i = 0; i < KRL_OP_COUNT; i++)
        count += missing(c.ops[i], "operation", op_names[i]);
    ck_assert_int_eq(count, 0);
}
END_TEST

Suite *language_cover_suite(void);
Suite *language_cover_suite(void)
{
    Suite *s = suite_create("language_cover");
    TCase *t = tcase_create("cover");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_function_of_the_library_is_in_a_program);
    tcase_add_test(t, every_form_of_the_grammar_is_in_a_program);
    tcase_add_test(t, every_operation_of_the_machine_is_in_a_program);
    suite_add_tcase(s, t);
    return s;
}
