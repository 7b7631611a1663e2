/*
 * Memory of activations on the slow lane. One that fills its budget would take it from the system
 * piece by piece and give it back, hundreds of times a second: each time pages are made, zeroed and
 * torn down within the kernel, where neighbours wait for them. So a few whole budgets stay here.
 */
#include "pico/inside.h"

/* 64 MiB in all, whatever a budget is. */
static size_t most(const struct pico_engine *e)
{
    return min_size(SCRATCH_MAX, (size_t)SCRATCH_BYTES_MAX / e->o.memory_max);
}

struct arena_block *scratch_take(struct pico_engine *e)
{
    for (size_t i = 0; i < most(e); i++) {
        struct arena_block *b = atomic_exchange(&e->scratch[i], NULL);
        if (b != NULL)
            return b;
    }
    return most(e) == 0 ? NULL : arena_block_new(e->o.memory_max);
}

void scratch_give(struct pico_engine *e, struct arena_block *b)
{
    for (size_t i = 0; i < most(e) && b != NULL; i++) {
        struct arena_block *none = NULL;
        if (atomic_compare_exchange_strong(&e->scratch[i], &none, b))
            return;
    }
    arena_block_free(b);
}

void scratch_close(struct pico_engine *e)
{
    for (size_t i = 0; i < SCRATCH_MAX; i++)
        arena_block_free(atomic_exchange(&e->scratch[i], NULL));
}
