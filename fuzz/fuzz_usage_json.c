/*
 * Any text as CloudEvents with usage: refused with a sentence and a place, or read into records
 * within their bounds.
 */
#include "fuzz.h"

#include "meter/record.h"

static void check(const struct usage_record *r)
{
    ASSERT(r->number == 0);
    ASSERT(r->id.n > 0 && r->id.n <= USAGE_ID_MAX);
    ASSERT(r->subscription.n > 0);
    ASSERT(r->meter == 1 || r->meter == 2);
    ASSERT(r->quantity.scale >= 0 && r->quantity.scale <= QUANTITY_SCALE_MAX);
    ASSERT(r->dims.n <= USAGE_DIMS_MAX);
    ASSERT(r->key == 0 || r->dims.n > 0);
    ASSERT(r->supersedes.n <= USAGE_ID_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meter meters[] = {
        {.number = 1, .code = STR_INIT("m"), .kind = METER_SUM, .unit = STR_INIT("C62")},
        {.number = 2, .code = STR_INIT("u"), .kind = METER_UNIQUE, .unit = STR_INIT("C62")},
    };
    struct list list = {meters, COUNT(meters)};
    struct arena arena;
    struct err err = {0};
    struct usage_record *records = NULL;
    struct str source = STR("");
    size_t count = 0;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct tx tx = {.arena = &arena, .err = &err};
    enum rc rc =
        usage_read_events(&tx, &list, str_n((const char *)data, size), &records, &count, &source);
    ASSERT(rc == err.rc);
    if (rc == RC_OK) {
        ASSERT(count > 0 && count <= USAGE_BATCH_MAX);
        ASSERT(source.n > 0);
        for (size_t i = 0; i < count; i++)
            check(&records[i]);
    } else {
        ASSERT(rc == RC_SYNTAX || rc == RC_TOO_LARGE || rc == RC_INVALID);
        ASSERT(err.text_n > 0);
    }
    arena_fini(&arena);
    return 0;
}
