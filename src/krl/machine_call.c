/* Calls: frames, arguments, and loops of the library. */
#include "krl/machine_inside.h"

enum { FRAMES_FIRST = 32, STACK_FIRST = 256 };

/* --- frames --- */

bool machine_push_frame(struct krl_machine *m, struct krl_frame frame)
{
    if (m->frames_n >= m->depth_max) {
        krl_fail(&m->heap, RC_TOO_LARGE, "RangeError: Maximum call stack size exceeded");
        return false;
    }
    if (m->frames_n == m->frames_capacity) {
        uint32_t capacity = m->frames_capacity * 2 + FRAMES_FIRST;
        struct krl_frame *frames = krl_take_raw(&m->heap, capacity * sizeof *frames);
        if (frames == NULL)
            return false;
        if (m->frames_n > 0)
            memcpy(frames, m->frames, m->frames_n * sizeof *frames);
        m->frames = frames;
        m->frames_capacity = capacity;
    }
    m->frames[m->frames_n++] = frame;
    return true;
}

/* Room for n more values. */
bool machine_reserve(struct krl_machine *m, size_t n)
{
    if (m->stack_n + n <= m->stack_capacity)
        return true;
    size_t capacity = max_size(m->stack_capacity * 2, m->stack_n + n + STACK_FIRST);
    struct krl_value *stack = krl_take_raw(&m->heap, capacity * sizeof *stack);
    if (stack == NULL)
        return false;
    if (m->stack_n > 0)
        memcpy(stack, m->stack, m->stack_n * sizeof *stack);
    m->stack = stack;
    m->stack_capacity = capacity;
    return true;
}

/* A frame for code whose n arguments lie on top of the stack. */
bool machine_enter(struct krl_machine *m, const struct krl_proto *proto,
                   const struct krl_function *function, struct krl_instance *instance, size_t n)
{
    size_t keep = min_size(n, proto->params);
    size_t base = m->stack_n - n;
    m->stack_n = base + keep;
    if (!machine_reserve(m, (size_t)proto->locals + proto->stack + 4))
        return false;
    for (size_t i = keep; i < proto->locals; i++)
        m->stack[m->stack_n++] = krl_undefined();
    return machine_push_frame(
        m, (struct krl_frame){
               .proto = proto, .function = function, .instance = instance, .base = base});
}

/* --- calls --- */

static bool not_callable(struct krl_machine *m, struct krl_value callee, bool action)
{
    struct str text = krl_to_message(&m->heap, callee);
    krl_fail(&m->heap, RC_INVALID,
             action ? "TypeError: %.*s is not an action" : "TypeError: %.*s is not a function",
             STRF(text));
    return false;
}

/* The value of a call that is over goes on the stack, or the loop it began gets a frame. */
bool machine_take_value(struct krl_machine *m, struct krl_value v)
{
    if (krl_is_failed(v) || krl_failing(&m->heap))
        return false;
    if (v.type == KRL_CELL) { /* a loop: krl_loop_value */
        struct krl_loop *loop = (struct krl_loop *)(void *)v.cell;
        return machine_reserve(m, 4) &&
               machine_push_frame(m, (struct krl_frame){.loop = loop, .base = m->stack_n});
    }
    if (!machine_reserve(m, 1))
        return false;
    push(m, v);
    return true;
}

/* Call what lies below the n arguments on the stack. Afterwards either the result is there in its
 * place, or a frame that will leave it there. */
bool machine_call(struct krl_machine *m, size_t n, bool action)
{
    struct krl_value callee = *top(m, n);
    if (action ? !krl_is_action(callee) : !krl_is_function(callee))
        return not_callable(m, callee, action);
    if (callee.type == KRL_FUNCTION) {
        /* The arguments move over the callee. */
        struct krl_value *slot = top(m, n);
        memmove(slot, slot + 1, n * sizeof *slot);
        m->stack_n--;
        return machine_enter(m, callee.function->proto, callee.function, callee.function->instance,
                             n);
    }
    const struct krl_value *args = m->stack + m->stack_n - n;
    struct krl_value v;
    if (callee.type == KRL_BUILTIN)
        v = callee.builtin->run(m, args, min_size(n, callee.builtin->params_n));
    else
        v = m->host->call(m->host, m, callee.door, args, n);
    m->stack_n -= n + 1;
    return machine_take_value(m, v);
}

static size_t params_of(struct krl_value callee)
{
    if (callee.type == KRL_FUNCTION)
        return callee.function->proto->params;
    if (callee.type == KRL_BUILTIN)
        return callee.builtin->params_n;
    size_t n = 0;
    while (callee.type == KRL_DOOR && callee.door->params[n] != NULL)
        n++;
    return n;
}

static bool param_is(struct krl_value callee, size_t i, const struct krl_text *name)
{
    if (callee.type == KRL_FUNCTION)
        return krl_text_eq(callee.function->proto->param_names[i], name);
    return krl_text_is(name, callee.type == KRL_BUILTIN ? callee.builtin->params[i]
                                                        : callee.door->params[i]);
}

/* Bring arguments of which the last are named into the order of the parameters. */
bool machine_call_named(struct krl_machine *m, size_t n, const struct krl_value *names,
                        size_t named, bool action)
{
    struct krl_value callee = *top(m, n);
    if (action ? !krl_is_action(callee) : !krl_is_function(callee))
        return not_callable(m, callee, action);
    size_t params = params_of(callee);
    size_t plain = n - named;
    struct krl_value *ordered = krl_take_n(&m->heap, params + 1, sizeof *ordered);
    if (ordered == NULL)
        return false;
    const struct krl_value *args = m->stack + m->stack_n - n;
    size_t used = min_size(plain, params);
    memcpy(ordered, args, used * sizeof *ordered);
    for (size_t i = 0; i < params; i++)
        for (size_t k = 0; k < named; k++)
            if (param_is(callee, i, names[k].text)) {
                ordered[i] = args[plain + k];
                used = max_size(used, i + 1);
            }
    m->stack_n -= n;
    if (!machine_reserve(m, used + 1))
        return false;
    for (size_t i = 0; i < used; i++)
        push(m, ordered[i]);
    return machine_call(m, used, action);
}

/* The value of the function on top of the frames goes to the frame below. */
bool machine_return(struct krl_machine *m, struct krl_value v)
{
    m->frames_n--;
    m->stack_n = m->frames[m->frames_n].base;
    push(m, v);
    return true;
}

bool machine_run_loop(struct krl_machine *m, struct krl_frame *f)
{
    struct krl_loop *loop = f->loop;
    struct krl_value before = loop->began ? pop(m) : krl_undefined();
    loop->began = true;
    if (!krl_pay(&m->heap, 1))
        return false;
    switch (loop->step(m, loop, before)) {
    case KRL_STEP_DONE:
        if (krl_failing(&m->heap) || krl_is_failed(loop->result))
            return false;
        return machine_reserve(m, 1) && machine_return(m, loop->result);
    case KRL_STEP_CALL:
        if (!machine_reserve(m, (size_t)loop->args_n + 2))
            return false;
        push(m, loop->callee);
        for (uint32_t i = 0; i < loop->args_n; i++)
            push(m, loop->args[i]);
        return !krl_failing(&m->heap) && machine_call(m, loop->args_n, false);
    case KRL_STEP_FAIL:
        break;
    }
    return false;
}

struct krl_loop *krl_loop_new(struct krl_machine *m,
                              enum krl_step (*step)(struct krl_machine *m, struct krl_loop *loop,
                                                    struct krl_value result))
{
    struct krl_loop *loop = krl_take(&m->heap, sizeof *loop);
    if (loop != NULL)
        loop->step = step;
    return loop;
}

struct krl_value krl_loop_value(struct krl_loop *loop)
{
    return loop == NULL ? krl_failed() : (struct krl_value){.type = KRL_CELL, .cell = (void *)loop};
}
