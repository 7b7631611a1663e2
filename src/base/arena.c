#include "base/arena.h"

#include <stdarg.h>

#if ARENA_FENCED
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
    SMALL_BYTES = 64,
};

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes[] */
    bool lent;   /* not this arena's to give back */
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
    if (!b->lent)
        free(b);
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *b = malloc(sizeof *b + size);
    ASSERT(b != NULL); /* out of memory stops the process, CONVENTIONS "Memory" */
    b->older = NULL;
    b->size = size;
    b->lent = false;
    return b;
}

/* All spare blocks are of one size, the one that long work comes to. */
static struct arena_block *take_spare(struct arena *a, size_t size)
{
    struct arena_block *b = a->spare;
    if (b != NULL && size == LARGEST_STEP_BYTES)
        a->spare = b->older;
    return size == LARGEST_STEP_BYTES ? b : NULL;
}

static void grow(struct arena *a, size_t need)
{
    size_t size = a->block ? min_size(a->block->size * 2, LARGEST_STEP_BYTES) : FIRST_BLOCK_BYTES;
    size = max_size(size, need);
    if (a->used_bytes + size > a->limit_bytes)
        size = max_size(need, a->limit_bytes - min_size(a->limit_bytes, a->used_bytes));
    /* Whoever sized this allocation did not bound it by the arena's limit. */
    ASSERT(size <= a->limit_bytes - a->used_bytes);
    struct arena_block *b = take_spare(a, size);
    if (b == NULL)
        b = new_block(size);
    b->older = a->block;
    a->used_bytes += size;
    use_block(a, b);
}

static char *take_new(struct arena *a, size_t size)
{
    static const _Alignas(ALIGN) char nothing[1];
    ASSERT(a->limit_bytes > 0);
    if (size == 0) /* fits a full arena too, fence or not */
        return (char *)(uintptr_t)nothing;
    grow(a, size + FENCE_BYTES);
    char *p = a->at;
    a->at = p + size + FENCE_BYTES;
    UNPOISON(p, size);
    return p;
}

/* Mostly it fits the block in hand. */
static inline char *take(struct arena *a, size_t size, size_t align)
{
    ASSERT(size <= a->limit_bytes);
    size_t pad = -(uintptr_t)a->at & (align - 1);
    if (UNLIKELY(size == 0 || size + pad + FENCE_BYTES > (size_t)(a->end - a->at)))
        return take_new(a, size);
    char *p = a->at + pad;
    a->at = p + size + FENCE_BYTES;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    char *p = take(a, size, ALIGN);
    if (size < ALIGN || size > SMALL_BYTES)
        return memset(p, 0, size);
    for (size_t i = 0; i < size - ALIGN; i += ALIGN) /* a call costs more than that */
        memset(p + i, 0, ALIGN);
    memset(p + size - ALIGN, 0, ALIGN);
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

static size_t count_spare(const struct arena *a)
{
    size_t n = 0;
    for (const struct arena_block *b = a->spare; b != NULL; b = b->older)
        n++;
    return n;
}

void arena_keep(struct arena *a, size_t bytes)
{
    a->keep_bytes = bytes;
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
    size_t spare = count_spare(a) * LARGEST_STEP_BYTES;
    while (a->block != NULL) {
        struct arena_block *b = a->block;
        a->block = b->older;
        if (b == keep)
            continue;
        if (b->size != LARGEST_STEP_BYTES || spare + b->size > a->keep_bytes) {
            free_block(b);
            continue;
        }
        spare += b->size;
        b->older = a->spare;
        a->spare = b;
        POISON(b->bytes, b->size);
    }
    a->block = keep;
    a->block->older = NULL;
    a->used_bytes = a->block->size;
    use_block(a, a->block);
}

static void free_blocks(struct arena_block *b)
{
    while (b != NULL) {
        struct arena_block *older = b->older;
        free_block(b);
        b = older;
    }
}

void arena_fini(struct arena *a)
{
    free_blocks(a->block);
    free_blocks(a->spare);
    *a = (struct arena){.limit_bytes = a->limit_bytes};
}

struct arena_block *arena_block_new(size_t size)
{
    ASSERT(size > 0);
    return new_block(size);
}

void arena_block_free(struct arena_block *b)
{
    free(b);
}

void arena_lend(struct arena *a, struct arena_block *b)
{
    ASSERT(a->block == NULL && a->spare == NULL);
    ASSERT(b->size <= a->limit_bytes);
    b->older = NULL;
    b->lent = true;
    a->used_bytes = b->size;
    use_block(a, b);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.n + 1);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

struct str arena_line(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned char next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        p[i] = c < 0x20 || c == 0x7F ? ' ' : s.p[i];
        if (c == 0xC2 && next >= 0x80 && next <= 0x9F) {
            p[i] = ' ';
            p[++i] = ' ';
        }
    }
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
