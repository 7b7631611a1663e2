/*
 * The sums of a document as short texts: anything is taken or refused with a sentence, and what is
 * taken reads back as the same when it is written again. The first byte says which of the two.
 */
#include "fuzz.h"

#include "billing/document_text.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, TEXT_MAX = 16 * 1024 };

static void fuzz_incomes(struct str text, struct arena *arena)
{
    struct err err = {0};
    struct document_row row = {0};
    struct document_row again = {0};
    enum rc rc = document_incomes_read(text, arena, &row, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0));
    if (rc != RC_OK)
        return;
    struct str written = document_incomes_write(&row, arena);
    rc = document_incomes_read(written, arena, &again, &err);
    ASSERT(rc == RC_OK);
    ASSERT(again.income_count == row.income_count);
    ASSERT(str_eq(document_incomes_write(&again, arena), written));
}

static void fuzz_taxes(struct str text, struct arena *arena)
{
    struct err err = {0};
    struct document_row row = {0};
    struct document_row again = {0};
    enum rc rc = document_taxes_read(text, arena, &row, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0));
    if (rc != RC_OK)
        return;
    struct str written = document_taxes_write(&row, arena);
    rc = document_taxes_read(written, arena, &again, &err);
    ASSERT(rc == RC_OK);
    ASSERT(again.group_count == row.group_count);
    ASSERT(str_eq(document_taxes_write(&again, arena), written));
    rc = document_check(&row, &err);
    ASSERT(rc == RC_OK || err.text_n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size < 1 || size > TEXT_MAX)
        return 0;
    arena_init(&arena, ARENA_BYTES);
    struct str text = str_n((const char *)data + 1, size - 1);
    if (data[0] % 2 == 0)
        fuzz_incomes(text, &arena);
    else
        fuzz_taxes(text, &arena);
    arena_fini(&arena);
    return 0;
}
