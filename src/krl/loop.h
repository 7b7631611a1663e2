/*
 * loop.h - library functions that call functions: state machines in frames of their own, so that
 * map in map in map needs no C stack.
 *
 * A function of the library with .loops makes a struct krl_loop with krl_loop_new. The machine then
 * asks step for the next call again and again, each time with the result of the one before.
 */
#ifndef KRL_LOOP_H
#define KRL_LOOP_H

#include "krl/machine.h"

enum krl_step {
    KRL_STEP_CALL, /* loop->callee with loop->args is to be called */
    KRL_STEP_DONE, /* loop->result is the value */
    KRL_STEP_FAIL, /* the heap has the error */
};

enum { KRL_LOOP_ARGS_MAX = 4 };

struct krl_loop {
    /* result: of the call before; undefined at the first step. */
    enum krl_step (*step)(struct krl_machine *m, struct krl_loop *loop, struct krl_value result);
    struct krl_value callee;
    const struct krl_value *args;
    uint32_t args_n;
    bool began;
    struct krl_value few[KRL_LOOP_ARGS_MAX]; /* for args */
    struct krl_value result;
    struct krl_value subject; /* what is walked */
    uint32_t at;
    struct krl_array *array; /* what is being made */
    struct krl_map *map;
    bool flag; /* of the function's choice */
    void *more;
};

/* Begin: the frame is pushed by the machine when the builtin returns. The returned value is what
 * the builtin returns. */
struct krl_loop *krl_loop_new(struct krl_machine *m,
                              enum krl_step (*step)(struct krl_machine *m, struct krl_loop *loop,
                                                    struct krl_value result));
/* The value by which a builtin hands its loop to the machine. NULL gives KRL_FAILED. */
struct krl_value krl_loop_value(struct krl_loop *loop);

#endif
