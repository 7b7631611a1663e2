/* Expressions, functions and blocks of declarations to code. */
#include "krl/compiler.h"

#include "krl/regex.h"

static void compile_call(struct compiler *c, const struct ast *e);

static void compile_infix(struct compiler *c, const struct ast *e)
{
    static const uint8_t ops[] = {
        [AST_OP_OR] = KRL_OP_OR,   [AST_OP_AND] = KRL_OP_AND,     [AST_OP_EQ] = KRL_OP_EQ,
        [AST_OP_NE] = KRL_OP_NE,   [AST_OP_LT] = KRL_OP_LT,       [AST_OP_LE] = KRL_OP_LE,
        [AST_OP_GT] = KRL_OP_GT,   [AST_OP_GE] = KRL_OP_GE,       [AST_OP_LIKE] = KRL_OP_LIKE,
        [AST_OP_HAS] = KRL_OP_HAS, [AST_OP_ORDER] = KRL_OP_ORDER, [AST_OP_CMP] = KRL_OP_CMP,
        [AST_OP_ADD] = KRL_OP_ADD, [AST_OP_SUB] = KRL_OP_SUB,     [AST_OP_MUL] = KRL_OP_MUL,
        [AST_OP_DIV] = KRL_OP_DIV, [AST_OP_MOD] = KRL_OP_MOD};
    compile_expression(c, e->a);
    c->at = e->start;
    if (e->op == AST_OP_OR || e->op == AST_OP_AND) {
        uint32_t jump = emit(c, (enum krl_op)ops[e->op], 0);
        compile_expression(c, e->b);
        emit_land(c, jump);
        return;
    }
    compile_expression(c, e->b);
    c->at = e->start;
    (void)emit(c, (enum krl_op)ops[e->op], 0);
}

static void compile_conditional(struct compiler *c, const struct ast *e)
{
    compile_expression(c, e->a);
    uint32_t other = emit(c, KRL_OP_JUMP_FALSE, 0);
    compile_expression(c, e->b);
    uint32_t end = emit(c, KRL_OP_JUMP, 0);
    emit_land(c, other);
    if (!c->failed)
        c->function->height--; /* one of the two values is there */
    compile_expression(c, e->c);
    emit_land(c, end);
}

static void compile_list(struct compiler *c, const struct ast *e)
{
    int32_t n = 0;
    for (const struct ast *item = e->list; item != NULL && !c->failed; item = item->next, n++) {
        if (e->kind == AST_MAP) {
            (void)emit(c, KRL_OP_CONSTANT, constant_text(c, item->a->text));
            compile_expression(c, item->b);
        } else {
            compile_expression(c, item);
        }
    }
    c->at = e->start;
    if (e->kind == AST_MAP)
        (void)emit_effect(c, KRL_OP_MAP, n, 1 - 2 * n);
    else
        (void)emit_effect(c, e->kind == AST_ARRAY ? KRL_OP_ARRAY : KRL_OP_JOIN, n, 1 - n);
}

static void compile_regex(struct compiler *c, const struct ast *e)
{
    const struct krl_text *source = compiler_text(c, e->text);
    const struct krl_text *flags = compiler_text(c, e->text2);
    const struct krl_regex *re = c->failed ? NULL : krl_regex(&c->heap, source, flags);
    uint32_t i = constant_value(c, (struct krl_value){.type = KRL_REGEX, .regex = re});
    (void)emit(c, KRL_OP_CONSTANT, i);
}

void compile_domain(struct compiler *c, const struct ast *e, bool called)
{
    if (str_eq(e->text, STR("ent"))) {
        (void)emit(c, KRL_OP_ENT, constant_text(c, e->text2));
        return;
    }
    if (str_eq(e->text, STR("event")) && str_eq(e->text2, STR("attr")))
        compiler_warn(c, e->start,
                      STR("event:attr(key) is deprecated. Use event:attrs{key} instead"));
    /* Two constants side by side. */
    uint32_t domain = constant_value(c, krl_of_text(compiler_text(c, e->text)));
    (void)constant_value(c, krl_of_text(compiler_text(c, e->text2)));
    (void)emit(c, called ? KRL_OP_MODULE : KRL_OP_MODULE_MEMBER, domain);
}

static bool is_of_event(const struct ast *e, struct str name)
{
    return e->kind == AST_DOMAIN_ID && str_eq(e->text, STR("event")) && str_eq(e->text2, name);
}

static void compile_member(struct compiler *c, const struct ast *e)
{
    if (e->kind == AST_PATH && is_of_event(e->a, STR("attrs")) && e->b->kind == AST_STRING)
        compiler_note_asked(c, e->b->text);
    compile_expression(c, e->a);
    if (e->kind == AST_DOT) {
        compiler_warn(c, e->start, STR("DEPRECATED use `{}` or `[]` instead of `.`"));
        if (e->b->kind == AST_ID) {
            (void)emit(c, KRL_OP_PROPERTY, constant_text(c, e->b->text));
            return;
        }
        compile_domain(c, e->b, false);
        (void)emit(c, KRL_OP_INDEX, 0);
        return;
    }
    compile_expression(c, e->b);
    c->at = e->start;
    (void)emit(c, e->kind == AST_PATH ? KRL_OP_GET : KRL_OP_INDEX, 0);
}

/* --- calls --- */

static uint32_t push_arguments(struct compiler *c, const struct ast *first, const struct ast *rest,
                               uint32_t *ret_named)
{
    uint32_t n = 0;
    *ret_named = 0;
    if (first != NULL) {
        compile_expression(c, first);
        n++;
    }
    for (; rest != NULL && !c->failed; rest = rest->next, n++) {
        if (rest->kind != AST_NAMED && *ret_named > 0)
            compiler_refuse(c, rest->start,
                            "Once you used a named arg, all following must be named.");
        compile_expression(c, rest->kind == AST_NAMED ? rest->a : rest);
        *ret_named += rest->kind == AST_NAMED;
    }
    if (n > KRL_ARGS_MAX)
        compiler_too_large(c, "arguments of a call");
    return n;
}

void compile_arguments(struct compiler *c, const struct ast *first, const struct ast *rest,
                       bool action)
{
    uint32_t named = 0;
    uint32_t at = c->at;
    uint32_t n = push_arguments(c, first, rest, &named);
    c->at = at;
    if (named == 0) {
        (void)emit_effect(c, action ? KRL_OP_ACT : KRL_OP_CALL, n, -(int32_t)n);
        return;
    }
    (void)emit_effect(c, action ? KRL_OP_ACT_NAMED : KRL_OP_CALL_NAMED, n, -(int32_t)n);
    uint32_t names = (uint32_t)c->constants.n;
    for (; rest != NULL; rest = rest->next)
        if (rest->kind == AST_NAMED)
            (void)constant_value(c, krl_of_text(compiler_text(c, rest->text)));
    /* The word behind says where the names are, and how many. */
    (void)emit_effect(c, (enum krl_op)(named & 0xFF), names, 0);
}

/* Calls of the standard library that are known here need no test at run time. */
static bool compile_builtin_call(struct compiler *c, struct str name, uint32_t at,
                                 const struct ast *first, const struct ast *rest)
{
    struct function *owner = NULL;
    if (find_variable(c, name, &owner) != NULL)
        return false;
    size_t builtin = krl_builtin_find(name);
    if (builtin == SIZE_MAX || krl_builtins[builtin].kind != KRL_KIND_FUNCTION)
        return false;
    for (const struct ast *arg = rest; arg != NULL; arg = arg->next)
        if (arg->kind == AST_NAMED)
            return false;
    uint32_t named = 0;
    uint32_t n = push_arguments(c, first, rest, &named);
    c->at = at;
    (void)emit_effect(c, KRL_OP_CALL_BUILTIN, (int64_t)(builtin | n << 10), 1 - (int32_t)n);
    return true;
}

static void check_function(struct compiler *c, uint32_t at, enum known known)
{
    if (known == KNOWN_ACTION)
        compiler_refuse(c, at, "Not a function: Action");
    else if (known == KNOWN_ACTION_FUNCTION)
        compiler_refuse(c, at, "Not a function: ActionFunction");
}

static void compile_callee(struct compiler *c, const struct ast *callee)
{
    enum known known = KNOWN_NOTHING;
    if (callee->kind == AST_ID)
        emit_id(c, callee->text, callee->start, &known);
    else if (callee->kind == AST_DOMAIN_ID)
        compile_domain(c, callee, true);
    else
        compile_expression(c, callee);
    check_function(c, callee->start, callee->kind == AST_DEFACTION ? KNOWN_ACTION : known);
}

static void compile_call(struct compiler *c, const struct ast *e)
{
    const struct ast *callee = e->a;
    const struct ast *first = NULL;
    bool gets = callee->kind == AST_DOT && is_of_event(callee->a, STR("attrs")) &&
                callee->b->kind == AST_ID && str_eq(callee->b->text, STR("get"));
    if ((gets || is_of_event(callee, STR("attr"))) && e->list != NULL &&
        e->list->kind == AST_STRING)
        compiler_note_asked(c, e->list->text);
    if (is_of_event(callee, STR("attrs")))
        compiler_refuse(c, callee->start,
                        "`event:attrs` is a Map, not a Function. Use `event:attrs{key}` instead");
    if (callee->kind == AST_DOT) {
        first = callee->a;
        callee = callee->b;
    }
    if (callee->kind == AST_ID &&
        compile_builtin_call(c, callee->text, callee->start, first, e->list))
        return;
    c->at = callee->start;
    compile_callee(c, callee);
    c->at = callee->start;
    compile_arguments(c, first, e->list, false);
}

/* --- functions --- */

static void compile_parameters(struct compiler *c, const struct ast *params)
{
    bool defaults = false;
    uint32_t n = 0;
    for (const struct ast *p = params; p != NULL && !c->failed; p = p->next, n++) {
        for (const struct ast *q = params; q != p; q = q->next)
            if (str_eq(q->text, p->text))
                compiler_refuse(c, p->start, "Duplicate parameter: %.*s", STRF(p->text));
        if (p->a == NULL && defaults)
            compiler_refuse(c, p->start,
                            "Cannot have a non-default parameter after a defaulted one");
        defaults = defaults || p->a != NULL;
        if (n == KRL_PARAMS_MAX)
            compiler_too_large(c, "parameters");
        (void)declare(c, p->text, KNOWN_NOTHING);
    }
}

/* Defaults see the parameters before them; all are declared, so hide the later ones. */
static void compile_defaults(struct compiler *c, const struct ast *params)
{
    uint32_t slot = 0;
    for (const struct ast *p = params; p != NULL && !c->failed; p = p->next, slot++) {
        if (p->a == NULL)
            continue;
        (void)emit(c, KRL_OP_JUMP_GIVEN, slot);
        uint32_t given = emit(c, KRL_OP_JUMP, 0);
        compile_expression(c, p->a);
        struct function *owner = NULL;
        emit_set(c, find_variable(c, p->text, &owner));
        emit_land(c, given);
    }
}

static struct krl_proto *compile_function(struct compiler *c, const struct ast *e, struct str name)
{
    struct function f;
    struct scope scope;
    function_begin(c, &f);
    scope_push(c, &scope);
    compile_parameters(c, e->list2);
    uint16_t params = (uint16_t)f.locals;
    compile_defaults(c, e->list2);
    compile_declarations(c, e->list);
    if (e->kind == AST_DEFACTION) {
        struct variable *fired = declare(c, STR(""), KNOWN_NOTHING);
        compile_block(c, e->b, fired);
    }
    if (e->a != NULL)
        compile_expression(c, e->a);
    else
        (void)emit(c, KRL_OP_UNDEFINED, 0);
    (void)emit(c, KRL_OP_RETURN, 0);
    struct krl_proto *proto = function_end(c, name);
    if (proto == NULL)
        return NULL;
    const struct krl_text **names =
        krl_take_n(&c->heap, max_size(params, 1), sizeof(struct krl_text *));
    if (names == NULL) {
        compiler_too_large(c, "parameters");
        return NULL;
    }
    size_t i = 0;
    for (const struct ast *p = e->list2; p != NULL; p = p->next)
        names[i++] = compiler_text(c, p->text);
    proto->params = params;
    proto->param_names = names;
    proto->is_action = e->kind == AST_DEFACTION;
    return proto;
}

/* A function whose body waits until all names of its block are known. */
struct pending {
    const struct ast *declaration;
    struct variable *variable;
    uint32_t proto;
};

static void compile_declaration(struct compiler *c, const struct ast *d, uint32_t order,
                                struct list_of *pending)
{
    bool function = d->a->kind == AST_FUNCTION || d->a->kind == AST_DEFACTION;
    uint32_t proto = function ? proto_reserve(c) : 0;
    c->at = d->start;
    if (function)
        (void)emit(c, KRL_OP_CLOSURE, proto);
    else
        compile_expression(c, d->a);
    struct variable *v = declare(c, d->text,
                                 !function                    ? KNOWN_NOTHING
                                 : d->a->kind == AST_FUNCTION ? KNOWN_FUNCTION
                                                              : KNOWN_ACTION);
    emit_set(c, v);
    if (v == NULL)
        return;
    v->order = order;
    struct pending *p = function ? list_more(c, pending, sizeof *p) : NULL;
    if (p != NULL)
        *p = (struct pending){.declaration = d, .variable = v, .proto = proto};
}

/* Which variables of the block get their values after the function of this order is made. */
static void mark_late(struct compiler *c, uint32_t order)
{
    if (c->function->scope == NULL)
        return; /* globals are never captured */
    for (struct variable *v = c->function->scope->variables; v != NULL; v = v->next)
        v->late = v->order != 0 && v->order >= order;
}

void compile_declarations(struct compiler *c, const struct ast *list)
{
    /* Expressions first, as they may not see what comes later; functions may. Orders begin at 1:
     * what a scope had before the block has 0. */
    struct list_of pending = {0};
    uint32_t order = 1;
    for (const struct ast *d = list; d != NULL && d->kind == AST_DECLARATION && !c->failed;
         d = d->next, order++) {
        for (const struct ast *q = list; q != d && !c->failed; q = q->next)
            if (str_eq(q->text, d->text))
                compiler_refuse(c, d->start, "Duplicate declaration: %.*s", STRF(d->text));
        if (order > KRL_LOCALS_MAX)
            compiler_too_large(c, "declarations");
        compile_declaration(c, d, order, &pending);
    }
    for (size_t i = 0; i < pending.n && !c->failed; i++) {
        const struct pending *p = (const struct pending *)pending.items + i;
        mark_late(c, p->variable->order);
        proto_put(c, p->proto, compile_function(c, p->declaration->a, p->declaration->text));
    }
    mark_late(c, UINT32_MAX);
}

/* --- all --- */

static void compile_number(struct compiler *c, const struct ast *e)
{
    (void)emit(c, KRL_OP_CONSTANT, constant_value(c, krl_number(e->number)));
}

static void compile_unary(struct compiler *c, const struct ast *e)
{
    compile_expression(c, e->a);
    c->at = e->start;
    if (e->op != AST_OP_PLUS) /* which leaves its operand as it is */
        (void)emit(c, e->op == AST_OP_NOT ? KRL_OP_NOT : KRL_OP_NEGATE, 0);
}

static void compile_closure(struct compiler *c, const struct ast *e)
{
    uint32_t proto = proto_reserve(c);
    proto_put(c, proto, compile_function(c, e, STR("")));
    (void)emit(c, KRL_OP_CLOSURE, proto);
}

/* Recursion: bounded by the depth of the tree. */
void compile_expression(struct compiler *c, const struct ast *e)
{
    if (c->failed)
        return;
    c->at = e->start;
    switch ((int)e->kind) {
    case AST_NULL:
        (void)emit(c, KRL_OP_UNDEFINED, 0);
        return;
    case AST_BOOL:
        (void)emit(c, e->op ? KRL_OP_TRUE : KRL_OP_FALSE, 0);
        return;
    case AST_NUMBER:
        compile_number(c, e);
        return;
    case AST_STRING:
        (void)emit(c, KRL_OP_CONSTANT, constant_text(c, e->text));
        return;
    case AST_REGEX:
        compile_regex(c, e);
        return;
    case AST_ID:
        emit_id(c, e->text, e->start, NULL);
        return;
    case AST_DOMAIN_ID:
        compile_domain(c, e, false);
        return;
    case AST_CHEVRON:
    case AST_ARRAY:
    case AST_MAP:
        compile_list(c, e);
        return;
    case AST_INFIX:
        compile_infix(c, e);
        return;
    case AST_UNARY:
        compile_unary(c, e);
        return;
    case AST_CONDITIONAL:
        compile_conditional(c, e);
        return;
    case AST_DOT:
    case AST_PATH:
    case AST_INDEX:
        compile_member(c, e);
        return;
    case AST_CALL:
        compile_call(c, e);
        return;
    case AST_FUNCTION:
    case AST_DEFACTION:
        compile_closure(c, e);
        return;
    default:
        NEVER("not an expression");
    }
}
