/*
 * heap.h - what one activation of KRL may use: memory, steps, and the error that ended it.
 *
 * All values of an activation live in one arena and die with it; nothing is freed one by one. Every
 * allocation is bounded by the arena's limit before it is made, so that a ruleset that asks for too
 * much ends with a sentence and never with a crash. Steps pay for instructions, for work inside of
 * library functions, for regular expressions and for bytes allocated.
 *
 * The room krl computes with floating point: numbers of KRL are the doubles of JavaScript. No money
 * is counted here.
 *
 * How calls of this room fail: krl_fail notes the first error in heap->err, and what should have
 * given a pointer gives NULL, what should have given a value gives KRL_FAILED (value.h). That is
 * one test a call where an enum rc and an output would be three lines; the error's code and
 * sentence are in heap->err.
 */
#ifndef KRL_HEAP_H
#define KRL_HEAP_H

#include "base/arena.h"
#include "base/err.h"

enum {
    KRL_STEP_BYTES = 64,        /* so many allocated bytes cost one step */
    KRL_ARENA_EXTRA_BYTES = 32, /* at most what an arena takes beside a piece */
};

struct krl_heap {
    struct arena *arena;
    int64_t steps;    /* left; below zero the activation ends */
    uint64_t seed[2]; /* of the hashes in maps */
    struct err err;   /* the first error; RC_OK: none */
};

/* The arena's limit is the memory budget. steps > 0. */
void krl_heap_init(struct krl_heap *h, struct arena *arena, int64_t steps, const uint64_t seed[2]);

/* size bytes, zeroed, aligned; NULL with RC_TOO_LARGE where the budget ends. */
void *krl_take(struct krl_heap *h, size_t size);
/* count * size bytes of the same. */
void *krl_take_n(struct krl_heap *h, size_t count, size_t size);
/* The same without zeroes. */
void *krl_take_raw(struct krl_heap *h, size_t size);
/* For a struct so small that it costs no step, and is filled at once: not zeroed. */
static inline void *krl_take_small(struct krl_heap *h, size_t size)
{
    ASSERT(size < KRL_STEP_BYTES);
    void *p = arena_alloc_here(h->arena, size, KRL_ARENA_EXTRA_BYTES);
    return LIKELY(p != NULL) ? p : krl_take(h, size);
}

/* False, with RC_TIMEOUT and its sentence in the heap. */
bool krl_pay_fails(struct krl_heap *h);
/* Pay for work. False with RC_TIMEOUT when the budget ends. */
static inline bool krl_pay(struct krl_heap *h, int64_t steps)
{
    h->steps -= steps;
    return LIKELY(h->steps >= 0) || krl_pay_fails(h);
}

/* Note an error, in the official engine's words ("TypeError: ..."); the first one stays. */
void krl_fail(struct krl_heap *h, enum rc rc, const char *format, ...) PRINTF(3, 4);
/* There is an error. */
static inline bool krl_failing(const struct krl_heap *h)
{
    return h->err.rc != RC_OK;
}

#endif
