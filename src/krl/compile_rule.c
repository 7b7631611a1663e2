/* Rules and action blocks to code. */
#include "krl/compiler.h"

enum { WARNED_NAME_MAX = 1000 };

/* --- action blocks --- */

static void compile_action(struct compiler *c, const struct ast *action)
{
    enum known known = KNOWN_NOTHING;
    c->at = action->start;
    if (action->a->kind == AST_ID)
        emit_id(c, action->a->text, action->a->start, &known);
    else
        compile_domain(c, action->a, true);
    if (known == KNOWN_FUNCTION)
        compiler_refuse(c, action->a->start, "Not an action: Function");
    compile_arguments(c, NULL, action->list, true);
    if (action->list2 == NULL) {
        (void)emit(c, KRL_OP_POP, 0);
        return;
    }
    if (action->list2->next != NULL)
        compiler_refuse(c, action->list2->next->start, "Actions only return on value");
    emit_set(c, declare(c, action->list2->text, KNOWN_NOTHING));
}

/* The actions of choose and sample: the one whose label or number lies on the stack. */
static void compile_cases(struct compiler *c, const struct ast *block)
{
    uint32_t number = 0;
    uint32_t ends = UINT32_MAX; /* jumps to the end, chained by their operands */
    for (const struct ast *a = block->list; a != NULL && !c->failed; a = a->next, number++) {
        if (block->op == AST_CHOOSE && a->text.n == 0)
            compiler_refuse(c, a->start, "all actions inside a `choose` block need a label");
        uint32_t constant = block->op == AST_CHOOSE ? constant_text(c, a->text)
                                                    : constant_value(c, krl_number(number));
        (void)emit(c, KRL_OP_CASE, constant);
        uint32_t other = emit(c, KRL_OP_JUMP_FALSE, 0);
        compile_action(c, a);
        uint32_t jump = emit(c, KRL_OP_JUMP, 0);
        if (c->failed)
            return;
        c->function->words.p[jump] = ends;
        ends = jump;
        emit_land(c, other);
    }
    while (!c->failed && ends != UINT32_MAX) {
        uint32_t next = c->function->words.p[ends];
        c->function->words.p[ends] = krl_word(KRL_OP_JUMP, 0);
        emit_land(c, ends);
        ends = next;
    }
    (void)emit(c, KRL_OP_POP, 0);
}

static int64_t count(const struct ast *list)
{
    int64_t n = 0;
    for (; list != NULL; list = list->next)
        n++;
    return n;
}

void compile_block(struct compiler *c, const struct ast *block, const struct variable *fired)
{
    if (c->failed || fired == NULL)
        return;
    c->at = block->start;
    if (block->a != NULL)
        compile_expression(c, block->a);
    else
        (void)emit(c, KRL_OP_TRUE, 0);
    emit_set(c, fired);
    (void)emit(c, KRL_OP_LOCAL, fired->slot);
    uint32_t end = emit(c, KRL_OP_JUMP_FALSE, 0);
    if (block->op == AST_EVERY) {
        for (const struct ast *a = block->list; a != NULL && !c->failed; a = a->next)
            compile_action(c, a);
    } else {
        if (block->op == AST_CHOOSE)
            compile_expression(c, block->b);
        else
            (void)emit(c, KRL_OP_SAMPLE, count(block->list));
        compile_cases(c, block);
    }
    emit_land(c, end);
}

/* --- statements --- */

/* The loops around a statement, for "on final". */
struct loops {
    uint32_t slots[KRL_NESTING_MAX];
    uint32_t n;
};

static void compile_or_undefined(struct compiler *c, const struct ast *e)
{
    if (e != NULL)
        compile_expression(c, e);
    else
        (void)emit(c, KRL_OP_UNDEFINED, 0);
}

static void compile_raise(struct compiler *c, const struct ast *s)
{
    compile_expression(c, s->a);
    compile_or_undefined(c, s->b);
    compile_or_undefined(c, s->c);
    c->at = s->start;
    if (s->text.n == 0)
        (void)emit(c, KRL_OP_RAISE_WHOLE, 0);
    else
        (void)emit(c, KRL_OP_RAISE, constant_text(c, s->text));
}

static void compile_schedule(struct compiler *c, const struct ast *s)
{
    if (s->text.n > 0)
        (void)emit(c, KRL_OP_CONSTANT, constant_text(c, s->text));
    else
        (void)emit(c, KRL_OP_UNDEFINED, 0);
    compile_expression(c, s->a);
    compile_expression(c, s->b);
    compile_or_undefined(c, s->c);
    c->at = s->start;
    (void)emit(c, KRL_OP_SCHEDULE, s->number != 0);
    if (s->list != NULL)
        emit_set(c, declare(c, s->list->text, KNOWN_NOTHING));
    else
        (void)emit(c, KRL_OP_POP, 0);
}

/* ent:x := ent:x.put(...) */
static bool puts_itself(const struct ast *s)
{
    const struct ast *call = s->b;
    return s->a == NULL && call->kind == AST_CALL && call->a->kind == AST_DOT &&
           call->a->a->kind == AST_DOMAIN_ID && str_eq(call->a->a->text, s->text2) &&
           str_eq(call->a->a->text2, s->text) && call->a->b->kind == AST_ID &&
           str_eq(call->a->b->text, STR("put"));
}

static void warn_of_put(struct compiler *c, uint32_t at, struct str name)
{
    static const char hint[] = "Performance Hint: to leverage indexes use `ent:%.*s{key} := value` "
                               "instead of .put(key, value)";
    bool room = arena_room(c->arena) > sizeof hint + WARNED_NAME_MAX;
    struct str shown = str_sub(name, 0, WARNED_NAME_MAX);
    compiler_warn(c, at, room ? arena_fmt(c->arena, hint, STRF(shown)) : STR("Performance Hint"));
}

static void compile_ent_set(struct compiler *c, const struct ast *s)
{
    if (!str_eq(s->text2, STR("ent"))) {
        compiler_refuse(c, compiler_place(c, s->text2),
                        "PersistentVariableAssignment - only works on ent:* variables");
        return;
    }
    if (puts_itself(s))
        warn_of_put(c, s->b->a->a->start, s->text);
    if (s->a != NULL)
        compile_expression(c, s->a);
    compile_expression(c, s->b);
    c->at = s->start;
    (void)emit(c, s->a != NULL ? KRL_OP_ENT_SET_PATH : KRL_OP_ENT_SET, constant_text(c, s->text));
}

static void compile_ent_clear(struct compiler *c, const struct ast *s)
{
    if (!str_eq(s->text2, STR("ent"))) {
        compiler_refuse(c, s->start, "ClearPersistentVariable only works for `ent:`, not `%.*s:`",
                        STRF(s->text2));
        return;
    }
    if (s->a != NULL)
        compile_expression(c, s->a);
    (void)emit(c, s->a != NULL ? KRL_OP_ENT_CLEAR_PATH : KRL_OP_ENT_CLEAR,
               constant_text(c, s->text));
}

static void compile_core(struct compiler *c, const struct ast *s)
{
    c->at = s->start;
    switch ((int)s->kind) {
    case AST_ENT_SET:
        compile_ent_set(c, s);
        return;
    case AST_ENT_CLEAR:
        compile_ent_clear(c, s);
        return;
    case AST_RAISE:
        compile_raise(c, s);
        return;
    case AST_SCHEDULE:
        compile_schedule(c, s);
        return;
    case AST_LOG:
    case AST_ERROR:
        compile_expression(c, s->a);
        c->at = s->start;
        (void)emit(c, s->kind == AST_LOG ? KRL_OP_LOG : KRL_OP_ERROR, constant_text(c, s->text));
        return;
    case AST_LAST:
        (void)emit(c, KRL_OP_LAST, 0);
        return;
    case AST_DECLARATION:
        compile_expression(c, s->a);
        emit_set(c, declare(c, s->text,
                            s->a->kind == AST_FUNCTION    ? KNOWN_FUNCTION
                            : s->a->kind == AST_DEFACTION ? KNOWN_ACTION
                                                          : KNOWN_NOTHING));
        return;
    default:
        NEVER("not a statement");
    }
}

/* All loops are at their last round. */
static void compile_is_final(struct compiler *c, const struct loops *loops)
{
    uint32_t jumps[KRL_NESTING_MAX];
    for (uint32_t i = 0; i < loops->n && !c->failed; i++) {
        (void)emit(c, KRL_OP_IS_LAST, loops->slots[i]);
        jumps[i] = i + 1 < loops->n ? emit(c, KRL_OP_AND, 0) : 0;
    }
    for (uint32_t i = 0; i + 1 < loops->n && !c->failed; i++)
        emit_land(c, jumps[i]);
}

static void compile_statements(struct compiler *c, const struct ast *statements,
                               const struct loops *loops)
{
    for (const struct ast *s = statements->list; s != NULL && !c->failed; s = s->next) {
        bool guarded = s->d != NULL || ((s->op & 1) != 0 && loops->n > 0);
        c->at = s->start;
        if (s->d != NULL)
            compile_expression(c, s->d);
        else if (guarded)
            compile_is_final(c, loops);
        uint32_t skip = guarded ? emit(c, KRL_OP_JUMP_FALSE, 0) : 0;
        compile_core(c, s);
        if (guarded)
            emit_land(c, skip);
    }
}

static void compile_postlude(struct compiler *c, const struct ast *p, const struct variable *fired,
                             const struct loops *loops)
{
    if (p->a != NULL) {
        (void)emit(c, KRL_OP_LOCAL, fired->slot);
        uint32_t skip = emit(c, KRL_OP_JUMP_FALSE, 0);
        compile_statements(c, p->a, loops);
        emit_land(c, skip);
    }
    if (p->b != NULL) {
        (void)emit(c, KRL_OP_LOCAL, fired->slot);
        (void)emit(c, KRL_OP_NOT, 0);
        uint32_t skip = emit(c, KRL_OP_JUMP_FALSE, 0);
        compile_statements(c, p->b, loops);
        emit_land(c, skip);
    }
    if (p->c != NULL)
        compile_statements(c, p->c, loops);
}

/* --- bodies --- */

static void compile_body(struct compiler *c, const struct ast *rule, const struct loops *loops)
{
    uint32_t first = c->function->locals;
    uint32_t clear = loops->n > 0 ? emit(c, KRL_OP_CLEAR, 0) : 0;
    compile_declarations(c, rule->list2);
    if (loops->n > 0 && !c->failed)
        c->function->words.p[clear] =
            (uint32_t)KRL_OP_CLEAR | first << 8 | (c->function->locals - first) << 20;
    struct variable *fired = declare(c, STR(""), KNOWN_NOTHING);
    if (fired == NULL)
        return;
    if (rule->b != NULL) {
        compile_block(c, rule->b, fired);
    } else {
        (void)emit(c, KRL_OP_TRUE, 0);
        emit_set(c, fired);
    }
    if (rule->c != NULL)
        compile_postlude(c, rule->c, fired, loops);
}

/* Recursion: one loop in another, bounded by KRL_NESTING_MAX. */
static void compile_foreach(struct compiler *c, const struct ast *rule, const struct ast *foreach,
                            struct loops *loops)
{
    if (foreach == NULL || c->failed) {
        compile_body(c, rule, loops);
        return;
    }
    if (loops->n == KRL_NESTING_MAX) {
        compiler_too_large(c, "loops in one another");
        return;
    }
    compile_expression(c, foreach->a);
    uint32_t slot = declare_hidden(c);
    (void)declare_hidden(c); /* the index */
    (void)emit(c, KRL_OP_PAIRS, slot);
    uint32_t start = c->function->words.n;
    (void)emit(c, KRL_OP_NEXT, slot);
    uint32_t exit = emit(c, KRL_OP_JUMP, 0);
    emit_set(c, declare(c, foreach->list->text, KNOWN_NOTHING));
    const struct ast *key = foreach->list->next;
    if (key == NULL)
        (void)emit(c, KRL_OP_POP, 0);
    else
        emit_set(c, declare(c, key->text, KNOWN_NOTHING));
    for (key = key == NULL ? NULL : key->next; key != NULL; key = key->next) {
        (void)emit(c, KRL_OP_UNDEFINED, 0);
        emit_set(c, declare(c, key->text, KNOWN_NOTHING));
    }
    loops->slots[loops->n++] = slot;
    compile_foreach(c, rule, foreach->next, loops);
    emit_back_to(c, start);
    emit_land(c, exit);
}

static const struct krl_proto *compile_rule_body(struct compiler *c, const struct ast *rule,
                                                 const struct krl_select *select)
{
    struct function f;
    struct scope scope;
    struct loops loops = {.n = 0};
    function_begin(c, &f);
    scope_push(c, &scope);
    for (uint32_t i = 0; i < select->setting_n && !c->failed; i++) {
        struct str name = krl_text_utf8(&c->heap, select->setting[i], false);
        (void)emit(c, KRL_OP_SETTING, constant_text(c, name));
        emit_set(c, declare(c, name, KNOWN_NOTHING));
    }
    compile_foreach(c, rule, rule->list, &loops);
    (void)emit(c, KRL_OP_UNDEFINED, 0);
    (void)emit(c, KRL_OP_RETURN, 0);
    return function_end(c, rule->text);
}

void compiler_note_asked(struct compiler *c, struct str name)
{
    if (c->asked_events == 0)
        return;
    struct krl_asked *a = list_more(c, &c->asked, sizeof *a);
    if (a != NULL)
        *a = (struct krl_asked){compiler_text(c, name), c->asked_events};
}

void compile_rule(struct compiler *c, const struct ast *rule)
{
    if (c->failed)
        return;
    if (rule->op == 0) {
        struct str text = STR("a rule is inactive, i.e. commented out");
        if (arena_room(c->arena) > WARNED_NAME_MAX + 128)
            text = arena_fmt(c->arena, "rule %.*s is inactive, i.e. commented out",
                             STRF(str_sub(rule->text, 0, WARNED_NAME_MAX)));
        compiler_warn(c, rule->start, text);
        return;
    }
    if (rule->a == NULL) {
        compiler_refuse(c, rule->start, "rule %.*s is missing a `select`", STRF(rule->text));
        return;
    }
    c->asked = (struct list_of){.items = NULL};
    struct krl_select *select = compile_when(c, rule->a);
    if (select == NULL)
        return;
    const struct krl_proto *body = compile_rule_body(c, rule, select);
    struct krl_rule *r = list_more(c, &c->rules, sizeof *r);
    if (r != NULL)
        *r = (struct krl_rule){.name = rule->text,
                               .select = *select,
                               .body = body,
                               .asked = c->asked.items,
                               .asked_n = (uint32_t)c->asked.n};
    c->asked_events = 0;
}
