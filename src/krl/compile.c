#include "krl/compiler.h"

#include <stdarg.h>

enum { COMPILE_STEPS = INT32_MAX, LIST_FIRST = 8, MAP_SLOTS_FIRST = 64, SYMBOLS_MAX = 100000 };

static const int8_t effects[] = {
#define X(name, effect) [KRL_OP_##name] = (effect),
#include "krl/ops.def"
#undef X
};

/* --- errors --- */

void compiler_refuse(struct compiler *c, uint32_t at, const char *format, ...)
{
    if (c->failed)
        return;
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)krl_refuse(c->err, c->source, at, "Error: %s", text);
    c->failed = true;
}

uint32_t compiler_place(const struct compiler *c, struct str word)
{
    return (uint32_t)(word.p - c->source.p);
}

void compiler_too_large(struct compiler *c, const char *what)
{
    if (!c->failed)
        err_write(c->err, RC_TOO_LARGE, "the source has too many %s", what);
    c->failed = true;
}

/* An error of the heap, from making a constant. */
static void take_error(struct compiler *c)
{
    if (c->failed || !krl_failing(&c->heap))
        return;
    if (c->heap.err.rc == RC_INVALID)
        (void)krl_refuse(c->err, c->source, c->at, "%.*s", STRF(err_text(&c->heap.err)));
    else
        *c->err = c->heap.err;
    c->failed = true;
}

static void *take(struct compiler *c, size_t count, size_t size)
{
    void *p = c->failed ? NULL : krl_take_n(&c->heap, count, size);
    take_error(c);
    return p;
}

void *list_more(struct compiler *c, struct list_of *list, size_t size)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity * 2 + LIST_FIRST;
        void *items = take(c, capacity, size);
        if (items == NULL)
            return NULL;
        if (list->n > 0)
            memcpy(items, list->items, list->n * size);
        list->items = items;
        list->capacity = capacity;
    }
    return c->failed ? NULL : (char *)list->items + size * list->n++;
}

void compiler_warn(struct compiler *c, uint32_t at, struct str text)
{
    struct krl_warning *w = list_more(c, &c->warnings, sizeof *w);
    if (w != NULL)
        *w = (struct krl_warning){.place = krl_place(c->source, at), .text = text};
}

/* --- emitting --- */

static bool grow_words(struct compiler *c, struct words *w)
{
    uint32_t capacity = w->capacity * 2 + 32;
    uint32_t *p = take(c, capacity, sizeof *p);
    uint32_t *places = take(c, capacity, sizeof *places);
    if (p == NULL || places == NULL)
        return false;
    if (w->n > 0) {
        memcpy(p, w->p, w->n * sizeof *p);
        memcpy(places, w->places, w->n * sizeof *places);
    }
    w->p = p;
    w->places = places;
    w->capacity = capacity;
    return true;
}

uint32_t emit_effect(struct compiler *c, enum krl_op op, int64_t operand, int32_t effect)
{
    struct function *f = c->function;
    struct words *w = &f->words;
    if (operand > KRL_OPERAND_MAX || operand < -KRL_OPERAND_MAX)
        compiler_too_large(c, "parts");
    if (c->failed || (w->n == w->capacity && !grow_words(c, w)))
        return 0;
    w->p[w->n] = krl_word(op, (int32_t)operand);
    w->places[w->n] = c->at;
    f->height += effect;
    ASSERT(f->height >= 0);
    f->height_max = f->height > f->height_max ? f->height : f->height_max;
    if (f->height_max > UINT16_MAX)
        compiler_too_large(c, "values in one expression");
    return w->n++;
}

uint32_t emit(struct compiler *c, enum krl_op op, int64_t operand)
{
    ASSERT(effects[op] != 99);
    return emit_effect(c, op, operand, effects[op]);
}

void emit_land(struct compiler *c, uint32_t jump)
{
    struct words *w = &c->function->words;
    if (!c->failed)
        w->p[jump] = krl_word(krl_word_op(w->p[jump]), (int32_t)(w->n - jump - 1));
}

void emit_back_to(struct compiler *c, uint32_t word)
{
    (void)emit(c, KRL_OP_JUMP, (int64_t)word - c->function->words.n - 1);
}

uint32_t constant_value(struct compiler *c, struct krl_value v)
{
    take_error(c);
    struct krl_value *p = list_more(c, &c->constants, sizeof *p);
    if (p == NULL)
        return 0;
    *p = v;
    return (uint32_t)c->constants.n - 1;
}

const struct krl_text *compiler_text(struct compiler *c, struct str text)
{
    const struct krl_text *t = c->failed ? NULL : krl_text(&c->heap, text);
    take_error(c);
    return t;
}

/* A map grows to twice its slots; the first time to a few. */
static bool can_put(const struct compiler *c, const struct map *map)
{
    return arena_room(c->arena) > (map->capacity * 2 + MAP_SLOTS_FIRST) * sizeof(struct map_slot);
}

uint32_t constant_text(struct compiler *c, struct str text)
{
    if (c->failed)
        return 0;
    uintptr_t found = (uintptr_t)map_get(&c->texts, text);
    if (found != 0)
        return (uint32_t)found - 1;
    uint32_t i = constant_value(c, krl_of_text(compiler_text(c, text)));
    if (!c->failed && can_put(c, &c->texts))
        (void)map_put(&c->texts, text, (void *)((uintptr_t)i + 1));
    return i;
}

/* --- scopes --- */

void scope_push(struct compiler *c, struct scope *scope)
{
    *scope = (struct scope){.outer = c->function->scope};
    c->function->scope = scope;
}

void scope_pop(struct compiler *c)
{
    c->function->scope = c->function->scope->outer;
}

uint32_t declare_hidden(struct compiler *c)
{
    if (c->function->locals == KRL_LOCALS_MAX) {
        compiler_too_large(c, "variables");
        return 0;
    }
    return c->function->locals++;
}

struct variable *declare(struct compiler *c, struct str name, enum known known)
{
    struct variable *v = take(c, 1, sizeof *v);
    if (v == NULL)
        return NULL;
    struct scope *scope = c->function->scope != NULL ? c->function->scope : c->globals;
    *v = (struct variable){.name = name, .known = known, .next = scope->variables};
    scope->variables = v;
    if (scope != c->globals) {
        v->slot = declare_hidden(c);
        return v;
    }
    v->global = true;
    v->slot = c->globals_n++;
    struct str *global = list_more(c, &c->global_names, sizeof *global);
    if (global != NULL)
        *global = name;
    return v;
}

void emit_set(struct compiler *c, const struct variable *v)
{
    if (v != NULL)
        (void)emit(c,
                   v->global   ? KRL_OP_SET_GLOBAL
                   : v->celled ? KRL_OP_SET_LOCAL_ANY
                               : KRL_OP_SET_LOCAL,
                   v->slot);
}

static struct variable *find_in(struct scope *scope, struct str name)
{
    for (; scope != NULL; scope = scope->outer)
        for (struct variable *v = scope->variables; v != NULL; v = v->next)
            if (str_eq(v->name, name))
                return v;
    return NULL;
}

struct variable *find_variable(struct compiler *c, struct str name, struct function **ret_owner)
{
    for (struct function *f = c->function; f != NULL; f = f->outer) {
        struct variable *v = find_in(f->scope, name);
        *ret_owner = f;
        if (v != NULL)
            return v;
    }
    *ret_owner = NULL;
    return find_in(c->globals, name);
}

/* A variable turns out to need a cell: what was emitted for it so far looks for one. */
static void make_celled(struct function *owner, struct variable *v)
{
    ASSERT(owner != NULL);
    v->celled = true;
    uint32_t *words = owner->words.p;
    for (uint32_t i = 0; words != NULL && i < owner->words.n; i++) {
        uint32_t *word = &words[i];
        bool named =
            krl_word_op(*word) == KRL_OP_CALL_NAMED || krl_word_op(*word) == KRL_OP_ACT_NAMED;
        i += named; /* the word behind is no operation */
        if (krl_word_operand(*word) != (int32_t)v->slot)
            continue;
        if (krl_word_op(*word) == KRL_OP_LOCAL)
            *word = krl_word(KRL_OP_LOCAL_ANY, (int32_t)v->slot);
        else if (krl_word_op(*word) == KRL_OP_SET_LOCAL)
            *word = krl_word(KRL_OP_SET_LOCAL_ANY, (int32_t)v->slot);
    }
}

/* The index of the upvalue of f that holds v, a local of owner around it. Recursion: the depth of
 * functions in functions, bounded by that of the tree. */
static uint32_t capture(struct compiler *c, struct function *f, struct function *owner,
                        struct variable *v)
{
    for (uint32_t i = 0; i < f->captures_n; i++)
        if (f->captured[i] == v) {
            f->captures[i].make_cell |= v->late && f->outer == owner;
            return i;
        }
    bool direct = f->outer == owner;
    uint32_t index = direct ? v->slot : capture(c, f->outer, owner, v);
    if (c->failed || f->captures_n == KRL_LOCALS_MAX)
        return 0;
    if (f->captures == NULL) {
        f->captures = take(c, KRL_LOCALS_MAX, sizeof *f->captures);
        f->captured = take(c, KRL_LOCALS_MAX, sizeof(struct variable *));
        if (f->captures == NULL || f->captured == NULL)
            return 0;
    }
    f->captures[f->captures_n] = (struct krl_capture){
        .index = (uint16_t)index, .from_upvalue = !direct, .make_cell = direct && v->late};
    f->captured[f->captures_n] = v;
    return f->captures_n++;
}

void emit_id(struct compiler *c, struct str name, uint32_t at, enum known *ret_known)
{
    struct function *owner = NULL;
    struct variable *v = find_variable(c, name, &owner);
    if (v == NULL) {
        size_t builtin = krl_builtin_find(name);
        if (builtin == SIZE_MAX) {
            compiler_refuse(c, at, "Undefined id: %.*s", STRF(name));
            return;
        }
        enum krl_kind kind = krl_builtins[builtin].kind;
        if (ret_known != NULL)
            *ret_known = kind == KRL_KIND_FUNCTION ? KNOWN_FUNCTION
                         : kind == KRL_KIND_ACTION ? KNOWN_ACTION
                                                   : KNOWN_ACTION_FUNCTION;
        (void)emit(c, KRL_OP_BUILTIN, (int64_t)builtin);
        return;
    }
    if (ret_known != NULL)
        *ret_known = v->known;
    if (v->global) {
        (void)emit(c, KRL_OP_GLOBAL, v->slot);
    } else if (owner == c->function) {
        (void)emit(c, v->celled ? KRL_OP_LOCAL_ANY : KRL_OP_LOCAL, v->slot);
    } else {
        if (v->late && !v->celled)
            make_celled(owner, v);
        (void)emit(c, KRL_OP_UPVALUE, capture(c, c->function, owner, v));
    }
}

/* --- functions --- */

void function_begin(struct compiler *c, struct function *f)
{
    *f = (struct function){.outer = c->function};
    c->function = f;
}

struct krl_proto *function_end(struct compiler *c, struct str name)
{
    struct function *f = c->function;
    struct krl_proto *proto = take(c, 1, sizeof *proto);
    c->function = f->outer;
    if (proto == NULL)
        return NULL;
    *proto = (struct krl_proto){.name = name,
                                .code = f->words.p,
                                .places = f->words.places,
                                .code_n = f->words.n,
                                .locals = (uint16_t)f->locals,
                                .stack = (uint16_t)f->height_max,
                                .captures_n = (uint16_t)f->captures_n,
                                .captures = f->captures};
    return proto;
}

uint32_t proto_reserve(struct compiler *c)
{
    struct krl_proto **p = list_more(c, &c->protos, sizeof(struct krl_proto *));
    return p == NULL ? 0 : (uint32_t)c->protos.n - 1;
}

void proto_put(struct compiler *c, uint32_t index, struct krl_proto *proto)
{
    if (!c->failed)
        ((struct krl_proto **)c->protos.items)[index] = proto;
}

/* --- the ruleset --- */

static struct str literal_text(const struct ast *e)
{
    if (e->kind == AST_STRING)
        return e->text;
    if (e->kind == AST_CHEVRON && e->list != NULL && e->list->next == NULL &&
        e->list->kind == AST_STRING)
        return e->list->text;
    return STR("");
}

static void compile_use(struct compiler *c, const struct ast *meta)
{
    struct krl_meta_use *use = list_more(c, &c->uses, sizeof *use);
    if (use == NULL)
        return;
    *use = (struct krl_meta_use){.rid = meta->text2,
                                 .alias = meta->text.n > 0 ? meta->text : meta->text2};
    int32_t n = 0;
    for (const struct ast *d = meta->list; d != NULL; d = d->next, n++) {
        (void)emit(c, KRL_OP_CONSTANT, constant_text(c, d->text));
        compile_expression(c, d->a);
    }
    (void)emit_effect(c, KRL_OP_MAP, n, 1 - 2 * n);
    (void)emit(c, KRL_OP_USE, (int64_t)c->uses.n - 1);
}

static void compile_configure(struct compiler *c, const struct ast *meta)
{
    for (const struct ast *d = meta->list; d != NULL && !c->failed; d = d->next) {
        compile_expression(c, d->a);
        (void)emit(c, KRL_OP_CONFIGURE, constant_text(c, d->text));
        emit_set(c, declare(c, d->text, KNOWN_NOTHING));
    }
}

static void compile_once(struct compiler *c, const struct ast *meta, struct str *field)
{
    if (field->p != NULL) {
        compiler_refuse(c, meta->start, "only 1 meta.%.*s allowed", STRF(meta->text));
        return;
    }
    *field = STR("");
    if (meta->a == NULL)
        return;
    /* Checked, and left to whoever wants it: only literals are kept. */
    compile_expression(c, meta->a);
    (void)emit(c, KRL_OP_POP, 0);
    *field = literal_text(meta->a);
}

static void compile_meta(struct compiler *c, const struct ast *meta, struct str *logging)
{
    struct krl_code *code = c->code;
    switch ((enum ast_meta)meta->op) {
    case AST_META_NAME:
        compile_once(c, meta, &code->meta_name);
        return;
    case AST_META_VERSION:
        compile_once(c, meta, &code->meta_version);
        return;
    case AST_META_DESCRIPTION:
        compile_once(c, meta, &code->meta_description);
        return;
    case AST_META_AUTHOR:
        compile_once(c, meta, &code->meta_author);
        return;
    case AST_META_LOGGING:
        compile_once(c, meta, logging);
        compiler_warn(c, meta->start,
                      STR("DEPRECATED meta.logging is no longer needed, logging is always on"));
        return;
    case AST_META_USE:
        compile_use(c, meta);
        return;
    case AST_META_CONFIGURE:
        compile_configure(c, meta);
        return;
    case AST_META_SHARES:
    case AST_META_PROVIDES:
        return; /* when the globals are known */
    case AST_META_KEYS:
        compiler_refuse(c, meta->start, "RulesetMetaProperty not supported: keys");
        return;
    case AST_META_ERRORS:
        compiler_refuse(c, meta->start, "RulesetMetaProperty not supported: errors");
        return;
    case AST_META_PROVIDES_KEYS:
        compiler_refuse(c, meta->start, "RulesetMetaProperty not supported: provides_keys");
        return;
    }
    NEVER("not a meta property");
}

static void compile_exports(struct compiler *c, const struct ast *meta)
{
    bool shares = meta->op == AST_META_SHARES;
    struct list_of *list = shares ? &c->shares : &c->provides;
    for (const struct ast *id = meta->list; id != NULL && !c->failed; id = id->next) {
        struct variable *v = find_in(c->globals, id->text);
        if (v == NULL) {
            compiler_refuse(c, id->start, "Trying to %s: %.*s but it's not defined in global",
                            shares ? "share" : "provide", STRF(id->text));
        } else if (shares && v->known == KNOWN_ACTION) {
            compiler_refuse(c, id->start, "Actions must not be shared: %.*s", STRF(id->text));
        } else {
            struct krl_export *e = list_more(c, list, sizeof *e);
            if (e != NULL)
                *e = (struct krl_export){.name = id->text, .global = v->slot};
        }
    }
}

static void compile_rules(struct compiler *c, const struct ast *ruleset)
{
    struct map names;
    map_init(&names, c->arena, c->heap.seed);
    uint32_t n = 0;
    for (const struct ast *rule = ruleset->list3; rule != NULL && !c->failed; rule = rule->next) {
        if (!can_put(c, &names))
            compiler_too_large(c, "rules");
        else if (n++ > SYMBOLS_MAX || map_put(&names, rule->text, &names) != NULL)
            compiler_refuse(c, compiler_place(c, rule->text), "Duplicate rule name: %.*s",
                            STRF(rule->text));
        compile_rule(c, rule);
    }
}

static void compile_ruleset(struct compiler *c, const struct ast *ruleset)
{
    struct str logging = {NULL, 0};
    c->code->rid = ruleset->text;
    if (ruleset->a != NULL) {
        compiler_warn(c, ruleset->start,
                      STR("ruleset{version ...} is deprecated. Use ruleset{meta{version ...}} "
                          "instead"));
        c->code->meta_version = literal_text(ruleset->a);
    }
    for (const struct ast *m = ruleset->list; m != NULL && !c->failed; m = m->next)
        compile_meta(c, m, &logging);
    compile_declarations(c, ruleset->list2);
    (void)emit(c, KRL_OP_UNDEFINED, 0);
    for (const struct ast *m = ruleset->list; m != NULL && !c->failed; m = m->next)
        if (m->op == AST_META_SHARES || m->op == AST_META_PROVIDES)
            compile_exports(c, m);
}

/* The value of a program is that of its last expression. */
static void compile_program(struct compiler *c, const struct ast *program)
{
    bool value = false;
    for (const struct ast *s = program->list; s != NULL && !c->failed; s = s->next) {
        if (value)
            (void)emit(c, KRL_OP_POP, 0);
        value = s->kind != AST_DECLARATION;
        if (value) {
            compile_expression(c, s);
            continue;
        }
        /* A run of declarations is a block. */
        compile_declarations(c, s);
        while (s->next != NULL && s->next->kind == AST_DECLARATION)
            s = s->next;
    }
    if (!value)
        (void)emit(c, KRL_OP_UNDEFINED, 0);
}

static void finish(struct compiler *c)
{
    struct krl_code *code = c->code;
    code->constants = c->constants.items;
    code->constants_n = (uint32_t)c->constants.n;
    code->protos = c->protos.items;
    code->protos_n = (uint32_t)c->protos.n;
    code->globals_n = c->globals_n;
    code->global_names = c->global_names.items;
    code->rules = c->rules.items;
    code->rules_n = (uint32_t)c->rules.n;
    code->shares = c->shares.items;
    code->shares_n = (uint32_t)c->shares.n;
    code->provides = c->provides.items;
    code->provides_n = (uint32_t)c->provides.n;
    code->uses = c->uses.items;
    code->uses_n = (uint32_t)c->uses.n;
    code->warnings = c->warnings.items;
    code->warnings_n = (uint32_t)c->warnings.n;
}

enum rc krl_compile(struct str source, struct arena *arena, const struct krl_code **ret,
                    struct err *err)
{
    static const uint64_t seed[2] = {0}; /* constants are no maps; names come from one source */
    struct compiler c = {.arena = arena, .err = err};
    struct ast *tree = NULL;
    struct scope globals = {0};
    struct function init;
    if (source.n > KRL_SOURCE_MAX || arena_room(arena) < source.n * 2 + 4096)
        return err_set(err, RC_TOO_LARGE, "the source is too large");
    c.source = arena_str(arena, source);
    TRY(krl_parse(c.source, arena, &tree, err));
    krl_heap_init(&c.heap, arena, COMPILE_STEPS, seed);
    map_init(&c.texts, arena, seed);
    c.globals = &globals;
    c.code = krl_take(&c.heap, sizeof *c.code);
    if (c.code == NULL)
        return err_set(err, RC_TOO_LARGE, "the source is too large");
    c.code->source = c.source;
    function_begin(&c, &init);
    if (tree->kind == AST_RULESET)
        compile_ruleset(&c, tree);
    else
        compile_program(&c, tree);
    (void)emit(&c, KRL_OP_RETURN, 0);
    c.code->init = function_end(&c, STR(""));
    if (tree->kind == AST_RULESET)
        compile_rules(&c, tree);
    if (c.failed)
        return rc_failed(err->rc);
    finish(&c);
    *ret = c.code;
    return RC_OK;
}
