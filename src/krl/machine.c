#include "krl/machine_inside.h"

#include "krl/lib.h"
#include "krl/regex.h"

#include <math.h>

void krl_machine_init(struct krl_machine *m, struct arena *arena, struct krl_host *host,
                      int64_t steps, const uint64_t seed[2])
{
    *m = (struct krl_machine){.host = host, .depth_max = KRL_DEPTH_DEFAULT};
    krl_heap_init(&m->heap, arena, steps, seed);
}

/* --- operations: each gets its operand and returns false after an error --- */

#define OP(name) static inline bool op_##name(struct krl_machine *m, struct krl_frame *f, int32_t k)
#define UNUSED_OPERAND \
    do {               \
        (void)f;       \
        (void)k;       \
    } while (0)

static inline struct krl_value constant(const struct krl_frame *f, int32_t k)
{
    return f->instance->code->constants[k];
}

static inline struct krl_value *local(struct krl_machine *m, const struct krl_frame *f, int32_t k)
{
    return &m->stack[f->base + (size_t)k];
}

OP(CONSTANT)
{
    push(m, constant(f, k));
    return true;
}

OP(UNDEFINED)
{
    UNUSED_OPERAND;
    push(m, krl_undefined());
    return true;
}

OP(TRUE)
{
    UNUSED_OPERAND;
    push(m, krl_bool(true));
    return true;
}

OP(FALSE)
{
    UNUSED_OPERAND;
    push(m, krl_bool(false));
    return true;
}

OP(LOCAL)
{
    push(m, *local(m, f, k));
    return true;
}

OP(LOCAL_ANY)
{
    struct krl_value v = *local(m, f, k);
    push(m, v.type == KRL_CELL ? *v.cell : v);
    return true;
}

OP(SET_LOCAL)
{
    *local(m, f, k) = pop(m);
    return true;
}

OP(SET_LOCAL_ANY)
{
    struct krl_value *v = local(m, f, k);
    *(v->type == KRL_CELL ? v->cell : v) = pop(m);
    return true;
}

OP(UPVALUE)
{
    struct krl_value v = f->function->upvalues[k];
    push(m, v.type == KRL_CELL ? *v.cell : v);
    return true;
}

OP(GLOBAL)
{
    push(m, f->instance->globals[k]);
    return true;
}

OP(SET_GLOBAL)
{
    f->instance->globals[k] = pop(m);
    return true;
}

OP(CLEAR)
{
    uint32_t operand = (uint32_t)k & 0xFFFFFF;
    for (uint32_t i = 0; i < operand >> 12; i++)
        *local(m, f, (int32_t)((operand & 0xFFF) + i)) = krl_undefined();
    return true;
}

OP(CLOSURE)
{
    const struct krl_proto *proto = f->instance->code->protos[k];
    struct krl_function *function =
        krl_take(&m->heap, sizeof *function + proto->captures_n * sizeof(struct krl_value));
    if (function == NULL)
        return false;
    function->proto = proto;
    function->instance = f->instance;
    for (size_t i = 0; i < proto->captures_n; i++) {
        const struct krl_capture *c = &proto->captures[i];
        if (c->from_upvalue) {
            function->upvalues[i] = f->function->upvalues[c->index];
            continue;
        }
        struct krl_value *v = local(m, f, c->index);
        if (c->make_cell && v->type != KRL_CELL) {
            struct krl_value *cell = krl_take(&m->heap, sizeof *cell);
            if (cell == NULL)
                return false;
            *cell = *v;
            *v = (struct krl_value){.type = KRL_CELL, .cell = cell};
        }
        function->upvalues[i] = *v;
    }
    push(m, (struct krl_value){.type = KRL_FUNCTION, .function = function});
    return true;
}

OP(POP)
{
    UNUSED_OPERAND;
    m->stack_n--;
    return true;
}

OP(JUMP)
{
    (void)m;
    f->pc += (uint32_t)k;
    return true;
}

OP(JUMP_FALSE)
{
    if (!krl_truthy(pop(m)))
        f->pc += (uint32_t)k;
    return true;
}

OP(AND)
{
    if (krl_truthy(*top(m, 0)))
        m->stack_n--;
    else
        f->pc += (uint32_t)k;
    return true;
}

OP(OR)
{
    if (krl_truthy(*top(m, 0)))
        f->pc += (uint32_t)k;
    else
        m->stack_n--;
    return true;
}

OP(JUMP_GIVEN)
{
    f->pc += local(m, f, k)->type == KRL_UNDEFINED;
    return true;
}

/* The two operands become one value. */
static inline bool put_2(struct krl_machine *m, struct krl_value v)
{
    m->stack_n--;
    *top(m, 0) = v;
    return !krl_is_failed(v);
}

static inline bool both_numbers(struct krl_machine *m)
{
    return top(m, 0)->type == KRL_NUMBER && top(m, 1)->type == KRL_NUMBER &&
           isfinite(top(m, 0)->number) && isfinite(top(m, 1)->number);
}

OP(EQ)
{
    UNUSED_OPERAND;
    bool equal = krl_equal(&m->heap, *top(m, 1), *top(m, 0));
    return put_2(m, krl_bool(equal)) && !krl_failing(&m->heap);
}

OP(NE)
{
    UNUSED_OPERAND;
    bool equal = krl_equal(&m->heap, *top(m, 1), *top(m, 0));
    return put_2(m, krl_bool(!equal)) && !krl_failing(&m->heap);
}

static inline int order(struct krl_machine *m)
{
    if (both_numbers(m)) {
        double a = top(m, 1)->number;
        double b = top(m, 0)->number;
        return a < b ? -1 : a > b;
    }
    return krl_compare(&m->heap, *top(m, 1), *top(m, 0));
}

#define COMPARE(name, test)                                            \
    OP(name)                                                           \
    {                                                                  \
        UNUSED_OPERAND;                                                \
        int o = order(m);                                              \
        return put_2(m, krl_bool(o test 0)) && !krl_failing(&m->heap); \
    }
COMPARE(LT, <)
COMPARE(LE, <=)
COMPARE(GT, >)
COMPARE(GE, >=)

OP(ORDER)
{
    UNUSED_OPERAND;
    int o = order(m);
    return put_2(m, krl_number(o)) && !krl_failing(&m->heap);
}

OP(CMP)
{
    UNUSED_OPERAND;
    int o = krl_compare_text(&m->heap, *top(m, 1), *top(m, 0));
    return put_2(m, krl_number(o)) && !krl_failing(&m->heap);
}

#define BINARY(name, fast, slow)                                                   \
    OP(name)                                                                       \
    {                                                                              \
        UNUSED_OPERAND;                                                            \
        if (LIKELY(both_numbers(m)))                                               \
            return put_2(m, krl_number(top(m, 1)->number fast top(m, 0)->number)); \
        return put_2(m, slow(m, *top(m, 1), *top(m, 0)));                          \
    }
BINARY(ADD, +, krl_add)
BINARY(SUB, -, krl_subtract)
BINARY(MUL, *, krl_multiply)

OP(DIV)
{
    UNUSED_OPERAND;
    return put_2(m, krl_divide(m, *top(m, 1), *top(m, 0)));
}

OP(MOD)
{
    UNUSED_OPERAND;
    return put_2(m, krl_modulo(m, *top(m, 1), *top(m, 0)));
}

OP(LIKE)
{
    UNUSED_OPERAND;
    return put_2(m, krl_like(m, *top(m, 1), *top(m, 0)));
}

OP(HAS)
{
    UNUSED_OPERAND;
    return put_2(m, krl_contains(m, *top(m, 1), *top(m, 0)));
}

OP(NEGATE)
{
    UNUSED_OPERAND;
    *top(m, 0) = krl_negate(m, *top(m, 0));
    return !krl_is_failed(*top(m, 0));
}

OP(NOT)
{
    UNUSED_OPERAND;
    *top(m, 0) = krl_bool(!krl_truthy(*top(m, 0)));
    return true;
}

OP(GET)
{
    UNUSED_OPERAND;
    return put_2(m, krl_get(m, *top(m, 1), *top(m, 0)));
}

OP(INDEX)
{
    UNUSED_OPERAND;
    const struct krl_text *key = krl_to_text(&m->heap, *top(m, 0));
    return key != NULL && put_2(m, krl_get(m, *top(m, 1), krl_of_text(key)));
}

OP(ARRAY)
{
    (void)f;
    struct krl_array *a = krl_array_new(&m->heap, (size_t)k);
    if (a == NULL)
        return false;
    m->stack_n -= (size_t)k;
    if (k > 0)
        memcpy(a->v, m->stack + m->stack_n, (size_t)k * sizeof *a->v);
    push(m, krl_of_array(a));
    return true;
}

OP(MAP)
{
    (void)f;
    struct krl_map *map = krl_map_new(&m->heap, (size_t)k);
    if (map == NULL)
        return false;
    m->stack_n -= 2 * (size_t)k;
    const struct krl_value *pair = m->stack + m->stack_n;
    for (int32_t i = 0; i < k; i++, pair += 2)
        if (!krl_map_set(&m->heap, map, pair[0].text, pair[1]))
            return false;
    push(m, krl_of_map(map));
    return true;
}

OP(JOIN)
{
    (void)f;
    const struct krl_text *text = &krl_empty;
    m->stack_n -= (size_t)k;
    for (int32_t i = 0; i < k && text != NULL; i++) {
        const struct krl_text *part = krl_to_text(&m->heap, m->stack[m->stack_n + (size_t)i]);
        text = part == NULL ? NULL : krl_text_join(&m->heap, text, part);
    }
    push(m, krl_of_text(text));
    return text != NULL;
}

OP(PROPERTY)
{
    *top(m, 0) = krl_property(m, *top(m, 0), constant(f, k).text);
    return !krl_is_failed(*top(m, 0));
}

OP(BUILTIN)
{
    (void)f;
    push(m, (struct krl_value){.type = KRL_BUILTIN, .builtin = &krl_builtins[k]});
    return true;
}

OP(CALL_BUILTIN)
{
    (void)f;
    const struct krl_builtin *b = &krl_builtins[(uint32_t)k & 0x3FF];
    size_t n = (uint32_t)k >> 10;
    struct krl_value v = b->run(m, m->stack + m->stack_n - n, min_size(n, b->params_n));
    m->stack_n -= n;
    if (LIKELY(v.type != KRL_CELL && v.type != KRL_FAILED)) {
        push(m, v);
        return !krl_failing(&m->heap);
    }
    return machine_take_value(m, v);
}

OP(CALL)
{
    (void)f;
    return machine_call(m, (size_t)k, false);
}

OP(ACT)
{
    (void)f;
    return machine_call(m, (size_t)k, true);
}

static bool call_by_names(struct krl_machine *m, struct krl_frame *f, size_t n, bool action)
{
    uint32_t word = f->proto->code[f->pc++];
    size_t named = word & 0xFF;
    const struct krl_value *names = f->instance->code->constants + krl_word_operand(word);
    return machine_call_named(m, n, names, named, action);
}

OP(CALL_NAMED)
{
    return call_by_names(m, f, (size_t)k, false);
}

OP(ACT_NAMED)
{
    return call_by_names(m, f, (size_t)k, true);
}

OP(MODULE)
{
    struct krl_value v =
        krl_module_member(m, f->instance, constant(f, k).text, constant(f, k + 1).text, true);
    push(m, v);
    return !krl_is_failed(v);
}

OP(MODULE_MEMBER)
{
    struct krl_value v =
        krl_module_member(m, f->instance, constant(f, k).text, constant(f, k + 1).text, false);
    push(m, v);
    return !krl_is_failed(v);
}

OP(RETURN)
{
    UNUSED_OPERAND;
    return machine_return(m, pop(m));
}

/* --- operations of rules --- */

OP(ENT)
{
    struct krl_value v = m->host->ent_get(m->host, m, f->instance->code->rid, constant(f, k).text);
    push(m, v);
    return !krl_is_failed(v);
}

static bool ent_put(struct krl_machine *m, const struct krl_frame *f, int32_t k, struct krl_value v)
{
    return !krl_is_failed(v) &&
           m->host->ent_put(m->host, m, f->instance->code->rid, constant(f, k).text, v);
}

OP(ENT_SET)
{
    return ent_put(m, f, k, pop(m));
}

OP(ENT_SET_PATH)
{
    struct krl_value v = pop(m);
    struct krl_value path = pop(m);
    struct krl_value old =
        m->host->ent_get(m->host, m, f->instance->code->rid, constant(f, k).text);
    return !krl_is_failed(old) && ent_put(m, f, k, krl_set(m, old, path, v));
}

OP(ENT_CLEAR)
{
    return ent_put(m, f, k, krl_undefined());
}

OP(ENT_CLEAR_PATH)
{
    struct krl_value path = pop(m);
    struct krl_value old =
        m->host->ent_get(m->host, m, f->instance->code->rid, constant(f, k).text);
    return !krl_is_failed(old) && ent_put(m, f, k, krl_delete(m, old, path));
}

OP(PAIRS)
{
    struct krl_value v = pop(m);
    struct krl_value *list = local(m, f, k);
    list[0] = v;
    list[1] = krl_number(-1);
    return true;
}

static size_t pairs_of(struct krl_value v)
{
    return v.type == KRL_ARRAY  ? v.array->n
           : v.type == KRL_MAP  ? v.map->n
           : v.type == KRL_TEXT ? v.text->n
                                : 0;
}

OP(NEXT)
{
    struct krl_value *list = local(m, f, k);
    size_t at = (size_t)(list[1].number + 1);
    if (at >= pairs_of(list[0]))
        return true; /* the jump behind leads out */
    f->pc++;
    list[1].number++;
    struct krl_value key = krl_number((double)at);
    struct krl_value v;
    if (list[0].type == KRL_ARRAY) {
        v = list[0].array->v[at];
    } else if (list[0].type == KRL_MAP) {
        key = krl_of_text(krl_map_at(list[0].map, at)->key);
        v = krl_map_at(list[0].map, at)->value;
    } else {
        char text[24];
        (void)snprintf(text, sizeof text, "%zu", at);
        key = krl_ascii(&m->heap, text);
        v = krl_of_text(krl_text_part(&m->heap, list[0].text, at, at + 1));
    }
    push(m, key);
    push(m, v);
    return !krl_is_failed(v) && !krl_is_failed(key);
}

OP(IS_LAST)
{
    const struct krl_value *list = local(m, f, k);
    push(m, krl_bool((size_t)list[1].number + 1 == pairs_of(list[0])));
    return true;
}

OP(SAMPLE)
{
    (void)f;
    push(m, krl_number(k > 0 ? floor(krl_chance(m) * k) : 0));
    return true;
}

OP(CASE)
{
    struct krl_value want = constant(f, k);
    struct krl_value v = *top(m, 0);
    bool same = v.type == want.type &&
                (v.type == KRL_TEXT ? krl_text_eq(v.text, want.text) : v.number == want.number);
    push(m, krl_bool(same));
    return true;
}

OP(SETTING)
{
    const struct krl_value *v =
        m->setting.type == KRL_MAP ? krl_map_get(m->setting.map, constant(f, k).text) : NULL;
    push(m, v == NULL ? krl_undefined() : *v);
    return true;
}

static bool raise(struct krl_machine *m, struct krl_value domain)
{
    struct krl_raised e = {
        .domain = domain, .name = *top(m, 2), .attributes = *top(m, 0), .for_rid = *top(m, 1)};
    m->stack_n -= 3;
    return m->host->raise(m->host, m, &e) && !krl_failing(&m->heap);
}

OP(RAISE)
{
    return raise(m, constant(f, k));
}

OP(RAISE_WHOLE)
{
    UNUSED_OPERAND;
    return raise(m, krl_undefined());
}

OP(SCHEDULE)
{
    (void)f;
    struct krl_scheduled s = {.domain = *top(m, 3),
                              .name = *top(m, 2),
                              .when = *top(m, 1),
                              .attributes = *top(m, 0),
                              .repeat = k != 0};
    m->stack_n -= 4;
    struct krl_value v = m->host->schedule(m->host, m, &s);
    push(m, v);
    return !krl_is_failed(v);
}

/* The rule is over: whatever is above its frame is left too. */
static bool op_end_rule(struct krl_machine *m)
{
    m->last = true;
    return machine_return(m, krl_undefined());
}

OP(ERROR)
{
    struct krl_value data = pop(m);
    const struct krl_text *level = constant(f, k).text;
    if (!m->host->error(m->host, m, level, data))
        return false;
    return krl_text_is(level, "error") ? op_end_rule(m) : true;
}

OP(LOG)
{
    struct krl_value v = pop(m);
    struct str level = krl_text_utf8(&m->heap, constant(f, k).text, false);
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < COUNT(levels); i++)
        if (str_eq(level, str_c(levels[i])))
            m->host->log(m->host, m, levels[i], STR(""), v);
    return !krl_failing(&m->heap);
}

OP(LAST)
{
    UNUSED_OPERAND;
    return op_end_rule(m);
}

OP(CONFIGURE)
{
    const struct krl_value *v = f->instance->config.type == KRL_MAP
                                    ? krl_map_get(f->instance->config.map, constant(f, k).text)
                                    : NULL;
    if (v != NULL)
        *top(m, 0) = *v;
    return true;
}

OP(USE)
{
    struct krl_value with = pop(m);
    struct krl_instance *i = f->instance;
    const struct krl_meta_use *use = &i->code->uses[k];
    struct krl_instance *used = m->host->use(m->host, m, use, with);
    if (used == NULL)
        return false;
    i->used[i->used_n++] = (struct krl_used){.alias = use->alias, .instance = used};
    return true;
}

/* --- running --- */

/* One operation of the frame on top. The switch has a line an operation; the table makes it. */
static inline bool run_op(struct krl_machine *m, struct krl_frame *f)
{
    uint32_t word = f->proto->code[f->pc++];
    switch (krl_word_op(word)) {
#define X(name, effect) \
    case KRL_OP_##name: \
        return op_##name(m, f, krl_word_operand(word));
#include "krl/ops.def"
#undef X
    case KRL_OP_COUNT:
        break;
    }
    NEVER("not an operation");
}

/* Until no more frames than bottom are left. */
static bool run(struct krl_machine *m, uint32_t bottom)
{
    while (m->frames_n > bottom) {
        struct krl_frame *f = &m->frames[m->frames_n - 1];
        if (UNLIKELY(f->loop != NULL)) {
            if (!machine_run_loop(m, f))
                return false;
            continue;
        }
        if (UNLIKELY(--m->heap.steps < 0) && !krl_pay(&m->heap, 0))
            return false;
        if (UNLIKELY(!run_op(m, f)))
            return false;
    }
    return true;
}

static enum rc finish(struct krl_machine *m, bool ok, struct krl_value *ret)
{
    if (!ok || krl_failing(&m->heap)) {
        ASSERT(krl_failing(&m->heap));
        return rc_failed(m->heap.err.rc);
    }
    struct krl_value v = pop(m);
    if (ret != NULL)
        *ret = v;
    return RC_OK;
}

enum rc krl_machine_run(struct krl_machine *m, struct krl_instance *instance,
                        const struct krl_proto *proto, const struct krl_value *locals, size_t n,
                        struct krl_value *ret)
{
    ASSERT(n <= proto->locals || n == 0);
    if (krl_failing(&m->heap))
        return rc_failed(m->heap.err.rc);
    if (m->nested == KRL_NESTED_MAX)
        krl_fail(&m->heap, RC_TOO_LARGE, "Error: modules use one another without end");
    uint32_t bottom = m->frames_n;
    bool ok = !krl_failing(&m->heap) && machine_enter(m, proto, NULL, instance, 0);
    m->nested++;
    for (size_t i = 0; ok && i < n; i++)
        m->stack[m->frames[bottom].base + i] = locals[i];
    ok = ok && run(m, bottom);
    m->nested--;
    return finish(m, ok, ret);
}

enum rc krl_machine_call(struct krl_machine *m, struct krl_instance *root, struct krl_value callee,
                         struct krl_value args, struct krl_value *ret)
{
    if (krl_failing(&m->heap))
        return rc_failed(m->heap.err.rc);
    m->root = root;
    uint32_t bottom = m->frames_n;
    size_t n = args.type == KRL_MAP ? args.map->n : 0;
    struct krl_value *names = krl_take_n(&m->heap, n + 1, sizeof *names);
    if (names == NULL || !machine_reserve(m, n + 1))
        return finish(m, false, ret);
    push(m, callee);
    for (size_t i = 0; i < n; i++) {
        names[i] = krl_of_text(krl_map_at(args.map, i)->key);
        push(m, krl_map_at(args.map, i)->value);
    }
    return finish(m, machine_call_named(m, n, names, n, false) && run(m, bottom), ret);
}

enum rc krl_instance_init(struct krl_machine *m, const struct krl_code *code,
                          struct krl_value config, struct krl_instance **ret,
                          struct krl_value *ret_value)
{
    struct krl_instance *i = krl_take(&m->heap, sizeof *i);
    if (i == NULL)
        return finish(m, false, NULL);
    i->code = code;
    i->config = config;
    i->globals = krl_take_n(&m->heap, (size_t)code->globals_n + 1, sizeof *i->globals);
    i->used = krl_take_n(&m->heap, (size_t)code->uses_n + 1, sizeof *i->used);
    if (i->globals == NULL || i->used == NULL)
        return finish(m, false, NULL);
    if (m->root == NULL)
        m->root = i;
    TRY(krl_machine_run(m, i, code->init, NULL, 0, ret_value));
    *ret = i;
    return RC_OK;
}

const struct krl_value *krl_instance_global(const struct krl_instance *i, struct str name)
{
    for (uint32_t k = i->code->globals_n; k > 0; k--)
        if (str_eq(i->code->global_names[k - 1], name))
            return &i->globals[k - 1];
    return NULL;
}

const struct krl_value *krl_instance_shared(const struct krl_instance *i, struct str name)
{
    for (uint32_t k = 0; k < i->code->shares_n; k++)
        if (str_eq(i->code->shares[k].name, name))
            return &i->globals[i->code->shares[k].global];
    return NULL;
}

struct krl_instance *krl_machine_running(const struct krl_machine *m)
{
    for (uint32_t i = m->frames_n; i > 0; i--)
        if (m->frames[i - 1].instance != NULL)
            return m->frames[i - 1].instance;
    return NULL;
}

bool krl_machine_where(const struct krl_machine *m, struct krl_place *ret)
{
    for (uint32_t i = m->frames_n; i > 0; i--) {
        const struct krl_frame *f = &m->frames[i - 1];
        if (f->loop != NULL || f->pc == 0)
            continue;
        *ret = krl_place(f->instance->code->source, f->proto->places[f->pc - 1]);
        return true;
    }
    return false;
}
