/*
 * What a channel lets through, as rulesets and the HTTP interface say it: JSON of a policy. Within
 * its bounds it is read, shown and read again as the same; else there is a sentence.
 */
#include "fuzz.h"

#include "krl/lib.h"
#include "pico/policy.h"

enum { MEMORY = 16 * 1024 * 1024, STEPS = 1000 * 1000 };

static const uint64_t seed[2] = {1, 2};

static void read_policy(struct krl_heap *h, enum pico_policy_kind kind, struct krl_value v)
{
    struct pico_policy policy;
    struct pico_policy again;
    struct err err;
    if (!pico_policy_read(h, kind, v, &policy)) {
        ASSERT(krl_failing(h) && h->err.text_n > 0);
        return;
    }
    ASSERT(policy.allow_n <= PICO_POLICY_RULES_MAX && policy.deny_n <= PICO_POLICY_RULES_MAX);
    struct krl_value shown = pico_policy_value(h, kind, &policy);
    if (krl_is_failed(shown) || !pico_policy_read(h, kind, shown, &again)) {
        ASSERT(krl_failing(h)); /* no room */
        return;
    }
    ASSERT(again.allow_n == policy.allow_n && again.deny_n == policy.deny_n);
    for (size_t i = 0; i < policy.allow_n; i++) {
        enum rc rc = pico_policy_check(&policy, policy.allow[i].first, policy.allow[i].name, &err);
        ASSERT(rc == RC_OK || (rc == RC_FORBIDDEN && policy.deny_n > 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum pico_policy_kind kinds[] = {PICO_POLICY_EVENT, PICO_POLICY_QUERY};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct arena arena;
        struct krl_heap h;
        arena_init(&arena, MEMORY);
        krl_heap_init(&h, &arena, STEPS, seed);
        const struct krl_text *text = krl_text(&h, str_n((const char *)data, size));
        struct krl_value v = text == NULL ? krl_failed() : krl_json_parse(&h, text);
        if (!krl_is_failed(v))
            read_policy(&h, kinds[i], v);
        if (!krl_failing(&h) && !krl_is_failed(v))
            ASSERT(!krl_is_failed(pico_tags_clean(&h, v)) || krl_failing(&h));
        arena_fini(&arena);
    }
    return 0;
}
