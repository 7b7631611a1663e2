/*
 * Percentages, the terms of agreements and price books take or refuse anything with a sentence.
 * What is taken is taken again as it is answered. The first byte says which.
 */
#include "fuzz.h"

#include "channel/agreement_check.h"
#include "channel/percent.h"
#include "channel/price_book.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 };

#define MAKER STR("pty_01jd8v3q7w4k2m9x6c5b1n0h8z")

static void check_failure(enum rc rc, const struct err *err)
{
    ASSERT(rc == RC_OK || (rc == err->rc && err->text_n > 0));
}

static void fuzz_percent(struct str text)
{
    struct err err;
    int64_t ppm = -1;
    int64_t all = -1;
    err_clear(&err);
    enum rc rc = percent_parse(text, PERCENT_HUNDRED_PPM, &ppm, &err);
    check_failure(rc, &err);
    ASSERT(rc == RC_OK ? ppm >= 0 && ppm <= PERCENT_HUNDRED_PPM : ppm == -1);
    if (percent_parse(text, INT64_MAX, &all, &err) == RC_OK)
        ASSERT((rc == RC_OK) == (all <= PERCENT_HUNDRED_PPM));
}

/* --- agreements --- */

static bool take(struct str text, struct arena *arena, struct agreement *ret, struct err *err)
{
    const struct json *json = NULL;
    err_clear(err);
    if (json_parse(text, arena, &json, err) != RC_OK ||
        schema_decode(&agreement_schema, SCHEMA_WHOLE, json, arena, ret, err) != RC_OK)
        return false;
    ret->from = MAKER;
    if (ret->terms.currency.n == 0)
        ret->terms.currency = STR("EUR");
    enum rc rc = agreement_check(ret, arena, err);
    check_failure(rc, err);
    return rc == RC_OK;
}

/* The fields that requests may hold. */
static struct str answer(struct agreement *a, struct arena *arena)
{
    static const char *const taken[] = {"kind", "to", "terms"};
    struct buf b;
    struct json_writer w;
    a->set = 0;
    for (size_t i = 0; i < COUNT(taken); i++)
        a->set |= UINT64_C(1) << schema_find(&agreement_schema, str_c(taken[i]));
    buf_init(&b, arena, 8 * TEXT_MAX);
    json_writer_init(&w, &b);
    schema_encode(&agreement_schema, a, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}

static void fuzz_agreement(struct str text)
{
    struct arena arena;
    struct err err;
    struct agreement a, again;
    arena_init(&arena, ARENA_BYTES);
    if (take(text, &arena, &a, &err)) {
        const struct rule *rules = a.terms.rules.items;
        size_t residuals = 0;
        for (size_t i = 0; i < a.terms.rules.count; i++)
            residuals += rules[i].kind == RULE_RESIDUAL ? 1 : 0;
        ASSERT(residuals == (terms_residual(&a.terms) < a.terms.rules.count ? 1 : 0));
        ASSERT(a.kind == AGREEMENT_SUPPLY ? a.terms.rules.count == 0 : a.terms.rules.count > 0);
        struct str first = answer(&a, &arena);
        ASSERT(take(first, &arena, &again, &err));
        again.terms.set = a.terms.set;
        ASSERT(str_eq(first, answer(&again, &arena)));
    }
    arena_fini(&arena);
}

/* --- prices --- */

/* A number of these bytes, 0 where there are no more. */
static int64_t take_number(struct str *rest)
{
    int64_t number = 0;
    size_t n = min_size(sizeof number, rest->n);
    if (n > 0)
        memcpy(&number, rest->p, n);
    *rest = str_sub(*rest, n, rest->n);
    return number;
}

static void fuzz_steps(struct str rest)
{
    struct err err;
    struct price_steps steps = {.visible = true};
    struct price prices[SUPPLY_DEPTH_MAX];
    struct price list = {take_number(&rest), 2};
    while (rest.n > 0 && steps.count < SUPPLY_DEPTH_MAX) {
        struct price_step *s = &steps.steps[steps.count++];
        uint64_t word = (uint64_t)take_number(&rest);
        s->op = (enum entry_op)(word % ENTRY_HIDE); /* one that hides is no step */
        s->value = (struct price){take_number(&rest), (int)(word >> 8 & 0xff) % 13};
        s->ppm = (int64_t)(word >> 16 & 0xffffff);
        s->floor_ppm = (int64_t)(word >> 40 & 0xfffff);
        s->max_discount_ppm = (int64_t)(word >> 60) - 1;
    }
    err_clear(&err);
    enum rc rc = price_steps_apply(&steps, list, prices, &err);
    check_failure(rc, &err);
    for (size_t i = 0; rc == RC_OK && i < steps.count; i++)
        ASSERT(prices[i].mantissa >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TEXT_MAX)
        return 0;
    struct str input = str_n((const char *)data + 1, size - 1);
    switch (data[0]) {
    case 'p':
        fuzz_percent(input);
        break;
    case 'a':
        fuzz_agreement(input);
        break;
    case 's':
        fuzz_steps(input);
        break;
    default:
        break;
    }
    return 0;
}
