#include "base/arena.h"

#include <stdarg.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_FENCED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_FENCED 1
#endif
#endif

#ifdef ARENA_FENCED
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
enum { FENCE_BYTES = 16 };
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { FENCE_BYTES = 0 };
#endif

enum {
    ALIGN = 16,
    FIRST_BLOCK_BYTES = 8 * 1024,
    LARGEST_STEP_BYTES = 1024 * 1024, /* blocks double up to this size */
    KEEP_BYTES = 32 * 1024,           /* at most, of an arena that was reset */
    KEEP_PART = 8,                    /* and no more than one in so many of its limit */
    FMT_MAX_BYTES = 64 * 1024,
};

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes[] */
    _Alignas(ALIGN) char bytes[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
    ASSERT(limit_bytes > 0);
    *a = (struct arena){.limit_bytes = limit_bytes};
}

static void use_block(struct arena *a, struct arena_block *b)
{
    a->block = b;
    a->at = b->bytes;
    a->end = b->bytes + b->size;
    POISON(b->bytes, b->size);
}

static void free_block(struct arena_block *b)
{
    UNPOISON(b->bytes, b->size);
    free(b);
}

static void grow(struct arena *a, size_t need)
{
    size_t size = a->block ? min_size(a->block->size * 2, LARGEST_STEP_BYTES) : FIRST_BLOCK_BYTES;
    size = max_size(size, need);
    if (a->used_bytes + size > a->limit_bytes)
        size = max_size(need, a->limit_bytes - min_size(a->limit_bytes, a->used_bytes));
    /* Whoever sized this allocation did not bound it by the arena's limit. */
    ASSERT(size <= a->limit_bytes - a->used_bytes);
    struct arena_block *b = malloc(sizeof *b + size);
    ASSERT(b != NULL); /* out of memory stops the process, CONVENTIONS "Memory" */
    b->older = a->block;
    b->size = size;
    a->used_bytes += size;
    use_block(a, b);
}

static char *take(struct arena *a, size_t size, size_t align)
{
    static const _Alignas(ALIGN) char nothing[1];
    ASSERT(a->limit_bytes > 0);
    ASSERT(size <= a->limit_bytes);
    if (size == 0) /* fits a full arena too, fence or not */
        return (char *)(uintptr_t)nothing;
    size_t pad = a->at ? -(uintptr_t)a->at & (align - 1) : 0;
    if (a->at == NULL || size + pad + FENCE_BYTES > (size_t)(a->end - a->at)) {
        grow(a, size + FENCE_BYTES);
        pad = 0;
    }
    char *p = a->at + pad;
    a->at = p + size + FENCE_BYTES;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    char *p = take(a, size, ALIGN);
    memset(p, 0, size);
    return p;
}

void *arena_alloc_n(struct arena *a, size_t count, size_t size)
{
    size_t total = 0;
    ASSERT(!__builtin_mul_overflow(count, size, &total));
    return arena_alloc(a, total);
}

char *arena_bytes(struct arena *a, size_t size)
{
    return take(a, size, 1);
}

size_t arena_room(const struct arena *a)
{
    /* What take() may need beside the size is kept back, so that "size <= arena_room" always fits:
     * in the block in hand, or in a new one. */
    size_t extra = FENCE_BYTES + ALIGN;
    size_t here = a->at ? (size_t)(a->end - a->at) : 0;
    size_t fresh = a->limit_bytes - min_size(a->limit_bytes, a->used_bytes);
    size_t room = max_size(here, fresh);
    return room > extra ? room - extra : 0;
}

void arena_reset(struct arena *a)
{
    if (a->block == NULL)
        return;
    /* The newest block is the largest. Where it is kept, the next unit of work that needs as much
     * takes nothing from the system: for a server's threads that is a call of it for each unit.
     * What is kept is a small part of the limit: one large piece still fits beside it. */
    size_t most = min_size(KEEP_BYTES, a->limit_bytes / KEEP_PART);
    struct arena_block *keep = a->block;
    while (keep->size > most && keep->older != NULL)
        keep = keep->older;
    while (a->block != NULL) {
        struct arena_block *older = a->block->older;
        if (a->block != keep)
            free_block(a->block);
        a->block = older;
    }
    a->block = keep;
    a->block->older = NULL;
    a->used_bytes = a->block->size;
    use_block(a, a->block);
}

void arena_fini(struct arena *a)
{
    while (a->block != NULL) {
        struct arena_block *older = a->block->older;
        free_block(a->block);
        a->block = older;
    }
    *a = (struct arena){.limit_bytes = a->limit_bytes};
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

const char *arena_cstr(struct arena *a, struct str s)
{
    ASSERT(str_find(s, '\0', 0) == s.n);
    return arena_str(a, s).p;
}

struct str arena_fmt(struct arena *a, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    ASSERT(n >= 0 && n < FMT_MAX_BYTES);
    if ((size_t)n < sizeof small)
        return arena_str(a, str_n(small, (size_t)n));
    char *p = arena_bytes(a, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return (struct str){p, (size_t)n};
}
