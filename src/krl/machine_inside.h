/*
 * machine_inside.h - inside of the machine: frames, the stack, and calls.
 *
 * Functions return false after an error, which the heap has.
 */
#ifndef KRL_MACHINE_INSIDE_H
#define KRL_MACHINE_INSIDE_H

#include "krl/loop.h"

/* A function on its way: of KRL, or a loop of the library. */
struct krl_frame {
    const struct krl_proto *proto;
    const struct krl_function *function; /* for upvalues; NULL: none */
    struct krl_instance *instance;
    struct krl_loop *loop; /* NULL: of KRL */
    size_t base;           /* of the locals on the stack */
    uint32_t pc;
};

static inline struct krl_value *top(struct krl_machine *m, size_t below)
{
    return &m->stack[m->stack_n - 1 - below];
}

static inline void push(struct krl_machine *m, struct krl_value v)
{
    ASSERT(m->stack_n < m->stack_capacity);
    m->stack[m->stack_n++] = v;
}

static inline struct krl_value pop(struct krl_machine *m)
{
    return m->stack[--m->stack_n];
}

/* Room for n more values on the stack. */
bool machine_reserve(struct krl_machine *m, size_t n);
bool machine_push_frame(struct krl_machine *m, struct krl_frame frame);
/* A frame for code whose n arguments lie on top of the stack. */
bool machine_enter(struct krl_machine *m, const struct krl_proto *proto,
                   const struct krl_function *function, struct krl_instance *instance, size_t n);
/* The value of a call that is over goes on the stack, or the loop it began gets a frame. */
bool machine_take_value(struct krl_machine *m, struct krl_value v);
/* Call what lies below the n arguments on the stack. Afterwards either the result is there in its
 * place, or a frame that will leave it there. */
bool machine_call(struct krl_machine *m, size_t n, bool action);
/* The same where the last of the arguments have names. */
bool machine_call_named(struct krl_machine *m, size_t n, const struct krl_value *names,
                        size_t named, bool action);
/* The value of the function on top of the frames goes to the frame below. */
bool machine_return(struct krl_machine *m, struct krl_value v);
/* One step of the loop on top. */
bool machine_run_loop(struct krl_machine *m, struct krl_frame *f);

#endif
