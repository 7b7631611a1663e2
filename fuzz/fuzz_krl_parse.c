/*
 * Any text is refused with a sentence, or compiles; the layout of what can be read is stable and
 * changes nothing of what it means.
 */
#include "fuzz.h"

#include "krl/compile.h"
#include "krl/format.h"

enum { MEMORY = 256 * 1024 * 1024 };

static enum rc compile(struct str source, struct arena *arena)
{
    struct err err;
    const struct krl_code *code = NULL;
    err_clear(&err);
    enum rc rc = krl_compile(source, arena, &code, &err);
    ASSERT(rc == err.rc);
    ASSERT((rc == RC_OK) == (code != NULL));
    ASSERT(rc == RC_OK || rc == RC_SYNTAX || rc == RC_TOO_LARGE);
    ASSERT(rc == RC_OK || err.text_n > 0);
    return rc;
}

static bool layout(struct str source, struct arena *arena, struct str *ret)
{
    struct err err;
    struct buf out;
    err_clear(&err);
    buf_init(&out, arena, MEMORY / 16);
    if (krl_format(source, arena, &out, &err) != RC_OK)
        return false;
    *ret = buf_str(&out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str source = str_n((const char *)data, size);
    struct str once = STR("");
    struct str twice = STR("");
    struct arena arena;
    arena_init(&arena, MEMORY);
    enum rc rc = compile(source, &arena);
    arena_reset(&arena);
    if (layout(source, &arena, &once)) {
        ASSERT(compile(once, &arena) == rc || rc == RC_TOO_LARGE);
        ASSERT(layout(once, &arena, &twice));
        ASSERT(str_eq(once, twice));
    }
    arena_fini(&arena);
    /* Little room: an error, not a crash. */
    struct arena small;
    arena_init(&small, (size_t)64 * 1024);
    (void)compile(source, &small);
    arena_fini(&small);
    return 0;
}
