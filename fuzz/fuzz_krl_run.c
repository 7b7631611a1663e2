/*
 * Whatever compiles runs within its budget: it ends with a value or a sentence. A ruleset gets
 * events and a query, and its state is packed and read again in between.
 */
#include "fuzz.h"

#include "krl/compile.h"
#include "krl/pack.h"
#include "krl/sim.h"

enum { CODE_BYTES = 64 * 1024 * 1024, KEPT_BYTES = 32 * 1024 * 1024, STEPS = 100 * 1000 };

static const uint64_t seed[2] = {1, 2};

static void run_ruleset(struct krl_sim *sim, const struct krl_code *code)
{
    struct err err;
    err_clear(&err);
    ASSERT(krl_sim_add(sim, code, &err) == RC_OK);
    for (uint32_t i = 0; i < code->rules_n && i < 8; i++) {
        const struct krl_select *s = &code->rules[i].select;
        for (uint32_t k = 0; k < s->wanted_n && k < 4; k++) {
            enum rc rc = krl_sim_event(sim, s->wanted[k].domain, s->wanted[k].type,
                                       STR("{\"a\":\"12\",\"b\":[1,{\"c\":null}]}"), &err);
            ASSERT(rc == RC_OK || err.text_n > 0);
        }
    }
    for (uint32_t i = 0; i < code->shares_n && i < 4; i++) {
        enum rc rc = krl_sim_query(sim, code->rid, code->shares[i].name, STR("{\"a\":1}"), &err);
        ASSERT(rc == RC_OK || err.text_n > 0);
    }
}

/* Any bytes are no packed value, or one that packs to itself. */
static void unpack(struct str bytes)
{
    struct arena arena;
    struct krl_heap h;
    arena_init(&arena, KEPT_BYTES);
    krl_heap_init(&h, &arena, STEPS, seed);
    struct krl_value v = krl_unpack(&h, bytes);
    if (!krl_is_failed(v)) {
        struct str once = krl_pack(&h, v);
        struct krl_value again = once.p == NULL ? krl_failed() : krl_unpack(&h, once);
        if (!krl_is_failed(again)) {
            struct str twice = krl_pack(&h, again);
            ASSERT(twice.p == NULL || str_eq(once, twice));
        }
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str source = str_n((const char *)data, size);
    struct err err;
    struct arena arena;
    struct arena kept;
    struct buf out;
    const struct krl_code *code = NULL;
    struct krl_place where;
    err_clear(&err);
    unpack(source);
    arena_init(&arena, CODE_BYTES);
    if (krl_compile(source, &arena, &code, &err) == RC_OK) {
        struct krl_sim *sim = NEW(&arena, struct krl_sim);
        arena_init(&kept, KEPT_BYTES);
        buf_init(&out, &kept, KRL_SIM_OUT_MAX);
        krl_sim_init(sim, &kept, &out);
        sim->steps = STEPS;
        sim->memory_bytes = (size_t)4 * 1024 * 1024;
        if (code->rid.n > 0)
            run_ruleset(sim, code);
        else if (krl_sim_evaluate(sim, code, &where, &err) != RC_OK)
            ASSERT(err.text_n > 0 && where.line >= 1);
        arena_fini(&kept);
    }
    arena_fini(&arena);
    return 0;
}
