#include "krl/heap.h"

#include <stdarg.h>

void krl_heap_init(struct krl_heap *h, struct arena *arena, int64_t steps, const uint64_t seed[2])
{
    ASSERT(steps > 0);
    *h = (struct krl_heap){.arena = arena, .steps = steps, .seed = {seed[0], seed[1]}};
}

static bool afford(struct krl_heap *h, size_t size)
{
    /* Mostly it fits the block in hand. */
    size_t left = (size_t)(h->arena->end - h->arena->at);
    bool here = left > KRL_ARENA_EXTRA_BYTES && size <= left - KRL_ARENA_EXTRA_BYTES;
    if (UNLIKELY(!here && size > arena_room(h->arena))) {
        krl_fail(h, RC_TOO_LARGE, "Error: out of memory: the limit is %zu bytes",
                 h->arena->limit_bytes);
        return false;
    }
    h->steps -= (int64_t)(size / KRL_STEP_BYTES);
    return true;
}

void *krl_take(struct krl_heap *h, size_t size)
{
    return afford(h, size) ? arena_alloc(h->arena, size) : NULL;
}

void *krl_take_n(struct krl_heap *h, size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX;
    return krl_take(h, total);
}

void *krl_take_raw(struct krl_heap *h, size_t size)
{
    if (!afford(h, size + 16))
        return NULL;
    /* Aligned by hand: arena_bytes does not. */
    char *p = arena_bytes(h->arena, size + 15);
    return (void *)(((uintptr_t)p + 15) & ~(uintptr_t)15);
}

bool krl_pay_fails(struct krl_heap *h)
{
    krl_fail(h, RC_TIMEOUT, "Error: out of steps: this takes too long");
    return false;
}

void krl_fail(struct krl_heap *h, enum rc rc, const char *format, ...)
{
    if (h->err.rc != RC_OK)
        return;
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_write(&h->err, rc, "%s", text);
}
