/*
 * arena.h - memory that lives as long as one unit of work.
 *
 * Allocate freely, free nothing: arena_reset or arena_fini gives everything back at once. Every
 * arena has a limit in bytes, given at birth. Going past it is a mistake of ours and stops the
 * process, so sizes that a stranger chooses are bounded before allocating (arena_room tells what
 * is left). Running out of the machine's memory stops the process too; the store undoes the work.
 *
 * Memory is zeroed. Pointers do not outlive the arena. One thread at a time.
 * Under AddressSanitizer, allocations are fenced and poisoned on reset.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_FENCED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_FENCED 1
#endif
#endif
#ifndef ARENA_FENCED
#define ARENA_FENCED 0
#endif

struct arena_block;

struct arena {
    struct arena_block *block; /* newest first */
    char *at;                  /* next free byte of the newest block */
    char *end;
    size_t used_bytes;         /* taken from the system, all blocks */
    size_t limit_bytes;        /* never more than this */
    struct arena_block *spare; /* kept by a reset beside the one in hand */
    size_t keep_bytes;         /* of spare blocks, at most */
};

/* Nothing is allocated until the first use. limit_bytes > 0. */
void arena_init(struct arena *a, size_t limit_bytes);
/* Give back all memory but one block, the largest of at most 32 KiB (or the first, where that is
 * larger): ready for the next unit of work. */
void arena_reset(struct arena *a);
/* From now on a reset keeps up to so many bytes more, until arena_fini: for units of work that come
 * one after the other and need as much each. Memory that is new to the process costs more than to
 * zero it. */
void arena_keep(struct arena *a, size_t bytes);
/* Give back everything. A zeroed struct is fine. */
void arena_fini(struct arena *a);

/* Memory for arenas that come one after the other, each of which would take as much from the system
 * and give it back. size > 0; what is not touched costs nothing. Never NULL. */
struct arena_block *arena_block_new(size_t size);
/* NULL is fine. */
void arena_block_free(struct arena_block *b);
/* An arena that was just made, with a limit of at least that size, allocates from the block before
 * it takes anything from the system. The block stays its owner's, and lives as long; one arena at a
 * time has it. */
void arena_lend(struct arena *a, struct arena_block *b);

/* size bytes, zeroed, aligned for any type. Never NULL. size 0 is fine. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size bytes; the product may not overflow. */
void *arena_alloc_n(struct arena *a, size_t count, size_t size);
/* As arena_alloc, not zeroed, not aligned: for bytes that are written at once. */
char *arena_bytes(struct arena *a, size_t size);
/* As arena_alloc, not zeroed, where the block in hand has the bytes and spare_bytes more; NULL
 * where it has not, and always under AddressSanitizer. */
static inline void *arena_alloc_here(struct arena *a, size_t size, size_t spare_bytes)
{
    if (ARENA_FENCED)
        return NULL;
    size_t pad = -(uintptr_t)a->at & 15;
    if (size + pad + spare_bytes > (size_t)(a->end - a->at))
        return NULL;
    char *p = a->at + pad;
    a->at = p + size;
    return p;
}
/* Bytes that can still be allocated before the limit (a lower bound). */
size_t arena_room(const struct arena *a);

#define NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_N(arena, type, count) ((type *)arena_alloc_n((arena), (count), sizeof(type)))

/* A copy of s in the arena, followed by a NUL that is not counted. */
struct str arena_str(struct arena *a, struct str s);
/* The same in one line: each byte of a control character (C0, DEL, C1) is a space. For what others
 * say, where a field takes a line (schema.h). */
struct str arena_line(struct arena *a, struct str s);
/* s as a C string in the arena. s has no NUL byte inside. */
const char *arena_cstr(struct arena *a, struct str s);
/* printf into the arena, at most 64 KiB. */
struct str arena_fmt(struct arena *a, const char *format, ...) PRINTF(2, 3);

#endif
