/*
 * The bytes of rated lines: anything is read or refused with a sentence, and what is read and
 * written again reads as the same.
 */
#include "fuzz.h"

#include "billing/rated_run.h"

enum { ARENA_BYTES = 32 * 1024 * 1024, INPUT_MAX = 16 * 1024 };

static struct str write_again(struct rated_run *run, struct arena *arena)
{
    struct supply_path path = {.count = run->tiers};
    for (size_t i = 0; i < run->count; i++)
        run->lines[i].path = &path;
    return rated_run_write(run->lines, run->count, arena);
}

static void fuzz_run(struct str bytes, struct arena *arena)
{
    struct err err = {0};
    struct rated_run run;
    struct rated_run again;
    enum rc rc = rated_run_read(bytes, arena, &run, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0));
    if (rc != RC_OK)
        return;
    struct str written = write_again(&run, arena);
    rc = rated_run_read(written, arena, &again, &err);
    ASSERT(rc == RC_OK);
    ASSERT(again.count == run.count && again.tiers == run.tiers);
    ASSERT(str_eq(write_again(&again, arena), written));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size > INPUT_MAX)
        return 0;
    arena_init(&arena, ARENA_BYTES);
    fuzz_run(str_n((const char *)data, size), &arena);
    arena_fini(&arena);
    return 0;
}
