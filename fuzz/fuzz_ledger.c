/*
 * The journal from a stranger. The input is rows: one byte, by how many hours time went on; two
 * bytes, how many records of 64 bytes follow. Any bytes are refused with a sentence or are records
 * in their one form; the machine refuses them or its books balance; a state that is saved and
 * loaded is the same.
 */
#include "fuzz.h"

#include "ledger/journal.h"

static void check_form(struct str body)
{
    struct err err = {0};
    struct record r;
    while (record_decode(body, &r, &err) == RC_OK) {
        char again[RECORD_BYTES * 3];
        bool linked = false;
        ASSERT(record_size(&r) <= sizeof again && record_size(&r) <= body.n);
        ASSERT(record_span(body.p, &linked) == record_size(&r));
        record_encode(&r, again);
        ASSERT(memcmp(again, body.p, record_size(&r)) == 0);
        body = str_sub(body, record_size(&r), body.n);
    }
    ASSERT(err.rc == RC_INVALID && err.text_n > 0);
}

static int64_t count_records(struct str body)
{
    struct err err = {0};
    struct record r;
    int64_t count = 0;
    for (; record_decode(body, &r, &err) == RC_OK; count++)
        body = str_sub(body, record_size(&r), body.n);
    return count;
}

/* Whole or not at all: what is refused leaves the state as it was. */
static void apply(struct machine *m, const struct journal_row *row, struct arena *arena)
{
    struct err err = {0};
    size_t count = 0;
    struct str before = machine_save(m, arena);
    if (journal_apply(m, row, &err) == RC_OK) {
        (void)machine_seal(m, &count);
        machine_end(m);
        ASSERT(machine_prove(m, &err) == RC_OK);
        return;
    }
    ASSERT(err.rc == RC_INVALID && err.text_n > 0);
    if (row->at >= machine_time(m))
        machine_cancel(m);
    ASSERT(str_eq(machine_save(m, arena), before));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t seed[2] = {1, 2};
    struct arena arena;
    struct err err = {0};
    struct str rest = str_n((const char *)data, size);
    struct machine *m = machine_open(seed);
    struct journal_row row = {.at = 1000 * US_PER_DAY};
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    check_form(rest);
    while (rest.n > 3 && arena_room(&arena) > (size_t)16 * 1024 * 1024) {
        size_t n = ((size_t)(uint8_t)rest.p[1] << 8 | (uint8_t)rest.p[2]) * RECORD_BYTES;
        row.seq++;
        row.at += (uint8_t)rest.p[0] * US_PER_HOUR;
        row.body = str_sub(rest, 3, 3 + n);
        row.records = count_records(row.body);
        apply(m, &row, &arena);
        rest = str_sub(rest, 3 + n, rest.n);
    }
    struct machine *other = machine_open(seed);
    (void)!machine_load(other, str_n((const char *)data, size), &err);
    machine_close(other);
    machine_close(m);
    arena_fini(&arena);
    return 0;
}
