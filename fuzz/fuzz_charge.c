/*
 * A charge is taken or refused with a sentence, whatever it is; what is taken prices anything
 * without overflow, and never below 0. The numbers of the use stand in front of the JSON.
 */
#include "fuzz.h"

#include "catalog/charge.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, TEXT_MAX = 64 * 1024, NUMBERS = 7 };

#define YEAR (366 * US_PER_DAY)

static bool take(struct str text, struct arena *arena, struct charge_rule *ret)
{
    struct err err;
    const struct json *json = NULL;
    struct charge charge;
    err_clear(&err);
    if (json_parse(text, arena, &json, &err) != RC_OK ||
        schema_decode(&charge_schema, SCHEMA_WHOLE, json, arena, &charge, &err) != RC_OK)
        return false;
    enum rc rc = charge_parse(&charge, ret, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0 && err.pointer_n > 0));
    return rc == RC_OK;
}

static struct charge_use use_of(const int64_t n[NUMBERS])
{
    struct charge_use u = {
        .quantity = {n[0], (int)((uint64_t)n[1] % (QUANTITY_SCALE_MAX + 1))},
        .end = 1 + (int64_t)((uint64_t)n[2] % YEAR),
        .level = (n[1] >> 32 & 1) != 0,
        .instalment = n[5],
        .metered = n[6],
    };
    u.from = (int64_t)((uint64_t)n[3] % (uint64_t)(u.end + 1));
    u.until = u.from + (int64_t)((uint64_t)n[4] % (uint64_t)(u.end - u.from + 1));
    return u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t numbers[NUMBERS];
    struct arena arena;
    struct charge_rule rule;
    struct charge_span span;
    struct err err;
    if (size < sizeof numbers || size > TEXT_MAX)
        return 0;
    memcpy(numbers, data, sizeof numbers);
    struct str text = str_n((const char *)data + sizeof numbers, size - sizeof numbers);
    arena_init(&arena, ARENA_BYTES);
    if (take(text, &arena, &rule)) {
        struct charge_use use = use_of(numbers);
        err_clear(&err);
        enum rc rc = charge_span(&rule, &use, &span, &err);
        ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0));
        bool quantity = rule.kind != CHARGE_INSTALMENT && rule.kind != CHARGE_MINIMUM;
        ASSERT(rc != RC_OK || !quantity || span.after >= span.before);
    }
    arena_fini(&arena);
    return 0;
}
