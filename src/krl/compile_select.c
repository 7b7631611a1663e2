/*
 * Event expressions to machines of states, as the library select-when builds them: each operator
 * joins the starts and ends of its operands' machines. Operands that stand at several places of the
 * machine (the orders of "and", the rounds of "count") are built as often.
 */
#include "krl/compiler.h"

#include "krl/number.h"
#include "krl/regex.h"

struct builder {
    struct compiler *c;
    struct list_of wanted;
    const struct ast *origins[KRL_EVENTS_MAX]; /* where each of them stands in the tree */
    struct list_of transitions;
    struct list_of setting; /* texts */
    uint32_t states;
    struct scope *scope; /* the settings, for where */
};

/* --- basic expressions --- */

static void add_setting(struct builder *b, struct str name)
{
    struct compiler *c = b->c;
    for (const struct variable *v = b->scope->variables; v != NULL; v = v->next)
        if (str_eq(v->name, name))
            return;
    const struct krl_text **p = list_more(c, &b->setting, sizeof(struct krl_text *));
    const struct krl_text *text = compiler_text(c, name);
    if (p == NULL || text == NULL)
        return;
    *p = text;
    (void)declare(c, name, KNOWN_NOTHING);
}

/* All names first, so that the locals of every where are the same. Recursion: as the tree. */
static void collect_settings(struct builder *b, const struct ast *e)
{
    if (b->c->failed || e == NULL)
        return;
    if (e->kind == AST_EVENT) {
        for (const struct ast *id = e->list2; id != NULL; id = id->next)
            add_setting(b, id->text);
        for (const struct ast *id = e->b != NULL ? e->b->list : NULL; id != NULL; id = id->next)
            add_setting(b, id->text);
        return;
    }
    collect_settings(b, e->a);
    for (const struct ast *item = e->list; item != NULL; item = item->next)
        collect_settings(b, item);
}

static const struct krl_text **name_list(struct compiler *c, const struct ast *ids, uint32_t *ret_n)
{
    struct list_of list = {0};
    for (; ids != NULL && !c->failed; ids = ids->next) {
        const struct krl_text **p = list_more(c, &list, sizeof(struct krl_text *));
        const struct krl_text *text = compiler_text(c, ids->text);
        if (p != NULL)
            *p = text;
    }
    *ret_n = (uint32_t)list.n;
    return list.items;
}

/* An expression on its own: its locals are the settings. */
static const struct krl_proto *compile_test(struct builder *b, const struct ast *e)
{
    struct compiler *c = b->c;
    struct function f;
    struct scope scope;
    function_begin(c, &f);
    scope_push(c, &scope);
    for (size_t i = 0; i < b->setting.n && !c->failed; i++) {
        const struct krl_text *t = ((const struct krl_text **)b->setting.items)[i];
        (void)declare(c, krl_text_utf8(&c->heap, t, false), KNOWN_NOTHING);
    }
    compile_expression(c, e);
    (void)emit(c, KRL_OP_RETURN, 0);
    return function_end(c, STR("where"));
}

static enum krl_aggregate aggregate_of(struct str name)
{
    static const char *const names[] = {"", "max", "min", "sum", "avg", "push"};
    size_t i = COUNT(names) - 1;
    while (i > 0 && !str_eq(name, str_c(names[i])))
        i--;
    return (enum krl_aggregate)i;
}

static void compile_patterns(struct builder *b, const struct ast *e, struct krl_wanted *w)
{
    struct compiler *c = b->c;
    struct list_of patterns = {0};
    for (const struct ast *m = e->list; m != NULL && !c->failed; m = m->next) {
        const struct krl_regex **p = list_more(c, &patterns, sizeof(struct krl_regex *));
        const struct krl_text *source = compiler_text(c, m->a->text);
        const struct krl_text *flags = compiler_text(c, m->a->text2);
        c->at = m->a->start;
        const struct krl_regex *re = c->failed ? NULL : krl_regex(&c->heap, source, flags);
        (void)constant_value(c, (struct krl_value){.type = KRL_REGEX, .regex = re});
        if (p != NULL)
            *p = re;
    }
    w->patterns = patterns.items;
    w->attributes = name_list(c, e->list, &w->matches_n);
}

/* The index of the expression, made once however often it is built. */
static uint16_t compile_wanted(struct builder *b, const struct ast *e)
{
    struct compiler *c = b->c;
    for (size_t i = 0; i < b->wanted.n; i++)
        if (b->origins[i] == e)
            return (uint16_t)i;
    if (b->wanted.n == KRL_EVENTS_MAX) {
        compiler_too_large(c, "events in one rule");
        return 0;
    }
    struct krl_wanted w = {.domain = e->text, .type = e->text2};
    if ((e->op & 2) != 0)
        compiler_warn(c, e->start,
                      STR("DEPRECATED SYNTAX - Move the `where` clause to be after "
                          "the `setting`"));
    else if ((e->op & 1) != 0)
        compiler_warn(c, e->start,
                      STR("DEPRECATED SYNTAX - What are you `setting`? There are no "
                          "attribute matches"));
    c->asked_events = (uint32_t)b->wanted.n + 1;
    for (const struct ast *m = e->kind == AST_EVENT ? e->list : NULL; m != NULL; m = m->next)
        compiler_note_asked(c, m->text);
    if (e->kind == AST_EVENT) {
        compile_patterns(b, e, &w);
        w.setting = name_list(c, e->list2, &w.setting_n);
    } else {
        w.domain = w.type = STR("*");
    }
    if (e->a != NULL)
        w.where = compile_test(b, e->a);
    if (e->b != NULL && e->kind == AST_EVENT) {
        w.aggregate = aggregate_of(e->b->text);
        w.aggregate_names = name_list(c, e->b->list, &w.aggregate_names_n);
    }
    struct krl_wanted *p = list_more(c, &b->wanted, sizeof *p);
    if (p == NULL)
        return 0;
    *p = w;
    b->origins[b->wanted.n - 1] = e;
    return (uint16_t)(b->wanted.n - 1);
}

/* --- states --- */

static uint16_t new_state(struct builder *b)
{
    if (b->states == KRL_STATES_MAX) {
        compiler_too_large(b->c, "events to wait for in one rule");
        return 0;
    }
    return (uint16_t)b->states++;
}

static void add_transition(struct builder *b, struct krl_transition t)
{
    const struct krl_transition *all = b->transitions.items;
    for (size_t i = 0; i < b->transitions.n; i++)
        if (all[i].from == t.from && all[i].to == t.to && all[i].wanted == t.wanted &&
            all[i].other == t.other)
            return;
    if (b->transitions.n == KRL_TRANSITIONS_MAX)
        compiler_too_large(b->c, "events to wait for in one rule");
    struct krl_transition *p = list_more(b->c, &b->transitions, sizeof *p);
    if (p != NULL)
        *p = t;
}

static void build(struct builder *b, const struct ast *e, uint16_t from, uint16_t to);

/* Operands in this order, one after the other. */
static void build_chain(struct builder *b, const struct ast *const *operands, size_t n,
                        uint16_t from, uint16_t to)
{
    for (size_t i = 0; i < n && !b->c->failed; i++) {
        uint16_t next = i + 1 == n ? to : new_state(b);
        build(b, operands[i], from, next);
        from = next;
    }
}

/* All orders of pick out of the n operands. Recursion: at most KRL_ALL_OF_MAX deep. */
static void build_orders(struct builder *b, const struct ast **operands, size_t n, size_t pick,
                         size_t chosen, const uint16_t ends[2])
{
    if (chosen == pick) {
        build_chain(b, operands, pick, ends[0], ends[1]);
        return;
    }
    for (size_t i = chosen; i < n && !b->c->failed; i++) {
        const struct ast *was = operands[chosen];
        operands[chosen] = operands[i];
        operands[i] = was;
        build_orders(b, operands, n, pick, chosen + 1, ends);
        operands[i] = operands[chosen];
        operands[chosen] = was;
    }
}

static void build_any(struct builder *b, const struct ast *e, const struct ast **operands, size_t n,
                      const uint16_t ends[2])
{
    size_t pick = n;
    if (n > KRL_ALL_OF_MAX) {
        compiler_too_large(b->c, "events in `and` or `any`");
        return;
    }
    if (e->op == AST_EVENT_ANY) {
        if (e->number < 1 || e->number >= (double)n) {
            compiler_refuse(b->c, e->start,
                            "`any(num, ...eventexs)` expects num to be greater than 0 and less "
                            "than the number of eventexs");
            return;
        }
        pick = (size_t)e->number;
    }
    build_orders(b, operands, n, pick, 0, ends);
}

/* As a chain; but between two, any other event that the rule names leads back to the start. */
static void build_then(struct builder *b, const struct ast *const *operands, size_t n,
                       uint16_t from, uint16_t to)
{
    uint16_t start = from;
    for (size_t i = 0; i < n && !b->c->failed; i++) {
        uint16_t next = i + 1 == n ? to : new_state(b);
        build(b, operands[i], from, next);
        if (i > 0)
            add_transition(b, (struct krl_transition){.from = from, .to = start, .other = true});
        from = next;
    }
}

static void build_not_between(struct builder *b, const struct ast *const *operands, uint16_t from,
                              uint16_t to)
{
    uint16_t middle = new_state(b);
    build(b, operands[1], from, middle);
    build(b, operands[2], middle, to);
    build(b, operands[0], middle, from);
}

static void build_operator(struct builder *b, const struct ast *e, uint16_t from, uint16_t to)
{
    const struct ast *operands[KRL_EVENTS_MAX] = {NULL};
    const uint16_t ends[2] = {from, to};
    size_t n = 0;
    for (const struct ast *item = e->list; item != NULL; item = item->next) {
        if (n == KRL_EVENTS_MAX) {
            compiler_too_large(b->c, "events in one rule");
            return;
        }
        operands[n++] = item;
    }
    switch ((enum ast_event)e->op) {
    case AST_EVENT_OR:
        for (size_t i = 0; i < n; i++)
            build(b, operands[i], from, to);
        return;
    case AST_EVENT_AND:
    case AST_EVENT_ANY:
        build_any(b, e, operands, n, ends);
        return;
    case AST_EVENT_AFTER:
        for (size_t i = 0; i < n / 2; i++) {
            const struct ast *was = operands[i];
            operands[i] = operands[n - 1 - i];
            operands[n - 1 - i] = was;
        }
        build_chain(b, operands, n, from, to);
        return;
    case AST_EVENT_BEFORE:
        build_chain(b, operands, n, from, to);
        return;
    case AST_EVENT_THEN:
        build_then(b, operands, n, from, to);
        return;
    case AST_EVENT_BETWEEN: {
        const struct ast *order[] = {operands[1], operands[0], operands[2]};
        build_chain(b, order, 3, from, to);
        return;
    }
    case AST_EVENT_NOT_BETWEEN:
        build_not_between(b, operands, from, to);
        return;
    case AST_EVENT_COUNT:
    case AST_EVENT_REPEAT:
        break;
    }
    NEVER("a group is no operator");
}

static void build_group(struct builder *b, const struct ast *e, uint16_t from, uint16_t to)
{
    if (e->number < 1 || e->number > KRL_STATES_MAX) {
        compiler_refuse(b->c, e->start, "Expected a positive integer");
        return;
    }
    uint16_t wanted = compile_wanted(b, e->a);
    for (uint32_t i = (uint32_t)e->number; i >= 1 && !b->c->failed; i--) {
        uint16_t next = i == 1 ? to : new_state(b);
        add_transition(b, (struct krl_transition){.from = from, .to = next, .wanted = wanted});
        from = next;
    }
    if (e->op == AST_EVENT_REPEAT)
        add_transition(b, (struct krl_transition){.from = to, .to = to, .wanted = wanted});
}

/* Recursion: as deep as the tree, and every operand again for each of its places; the bound on
 * transitions ends what would grow without measure. */
static void build(struct builder *b, const struct ast *e, uint16_t from, uint16_t to)
{
    ASSERT(e != NULL);
    if (b->c->failed)
        return;
    b->c->at = e->start;
    if (e->kind == AST_EVENT_OP) {
        build_operator(b, e, from, to);
        return;
    }
    if (e->kind == AST_EVENT_GROUP) {
        build_group(b, e, from, to);
        return;
    }
    uint16_t wanted = compile_wanted(b, e);
    add_transition(b, (struct krl_transition){.from = from, .to = to, .wanted = wanted});
}

struct krl_select *compile_when(struct compiler *c, const struct ast *when)
{
    struct function f;
    struct scope scope;
    struct builder b = {.c = c, .states = 2, .scope = &scope};
    function_begin(c, &f); /* holds the names of the settings; no code of its own */
    scope_push(c, &scope);
    if (when->kind == AST_WHEN)
        collect_settings(&b, when->a);
    c->function = f.outer;
    build(&b, when->kind == AST_WHEN ? when->a : when, KRL_STATE_START, KRL_STATE_END);
    const struct krl_proto *within = NULL;
    if (when->kind == AST_WHEN && when->b != NULL && !c->failed) {
        struct ast factor = {.kind = AST_NUMBER, .start = when->b->start, .number = when->number};
        struct ast product = {.kind = AST_INFIX,
                              .op = AST_OP_MUL,
                              .start = when->b->start,
                              .a = when->b,
                              .b = &factor};
        within = compile_test(&b, &product);
    }
    struct krl_select *s = c->failed ? NULL : krl_take(&c->heap, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (struct krl_select){.wanted = b.wanted.items,
                             .wanted_n = (uint32_t)b.wanted.n,
                             .transitions = b.transitions.items,
                             .transitions_n = (uint32_t)b.transitions.n,
                             .states_n = b.states,
                             .within = within,
                             .setting = b.setting.items,
                             .setting_n = (uint32_t)b.setting.n};
    return s;
}
