/*
 * Any bytes as a batch of usage, and as the body of a kept batch: refused, or read into records
 * that are written and read again as the same.
 */
#include "fuzz.h"

#include "meter/packing.h"

/* Of any bytes: what the reader makes of them, however they were made. */
static void read_body(struct str bytes)
{
    struct packing_reader r;
    struct packed p;
    packing_open(&r, bytes);
    r.damaged = r.damaged && bytes.n < PACKING_HEAD_BYTES; /* as if the seal were right */
    while (packing_next(&r, &p))
        ASSERT(r.at <= bytes.n);
    ASSERT(r.damaged || r.at == bytes.n);
}

/* The plain form has one spelling. */
static void read_kept(struct str body, struct arena *arena)
{
    size_t at = 0;
    struct packed p;
    struct packed again;
    for (size_t began = 0; record_read(body, &at, &p); began = at) {
        struct buf b;
        size_t end = 0;
        ASSERT(at > began && at <= body.n);
        buf_init(&b, arena, USAGE_RECORD_BYTES + UINT16_MAX + 1);
        record_write(&b, &p);
        ASSERT(!b.full);
        ASSERT(record_read(buf_str(&b), &end, &again));
        ASSERT(end == b.n);
        ASSERT(record_same(&p, &again));
        ASSERT(str_eq(p.id, again.id));
        arena_reset(arena);
    }
    ASSERT(at <= body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = str_n((const char *)data, size);
    struct arena arena;
    struct err err = {0};
    struct usage_record *records = NULL;
    struct str source = STR("");
    size_t count = 0;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct tx tx = {.arena = &arena, .err = &err};
    enum rc rc = usage_read_binary(&tx, body, &records, &count, &source);
    ASSERT(rc == err.rc);
    if (rc == RC_OK) {
        ASSERT(RECORD_HEADER_BYTES + count * USAGE_RECORD_BYTES == size);
        ASSERT(source.n > 0 && source.n <= RECORD_SOURCE_MAX);
        for (size_t i = 0; i < count; i++) {
            ASSERT(records[i].number > 0);
            ASSERT(id_is(records[i].subscription, "sub"));
            ASSERT(records[i].quantity.scale <= QUANTITY_SCALE_MAX);
        }
    } else {
        ASSERT(rc == RC_SYNTAX || rc == RC_TOO_LARGE);
    }
    arena_reset(&arena);
    read_kept(body, &arena);
    read_body(body);
    arena_fini(&arena);
    return 0;
}
