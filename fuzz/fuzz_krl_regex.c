/*
 * Any pattern is refused with a sentence or matches within its budget, and what it matches lies in
 * the text; and the shorter ways to find it find the same. Up to the first NUL is the pattern,
 * behind it the text; both are UTF-8 or nearly so.
 */
#include "fuzz.h"

#include "krl/regex.h"

enum { MEMORY = 16 * 1024 * 1024, STEPS = 200 * 1000, TRIES = 8 };

static const uint64_t seed[2] = {1, 2};

/* Without what is known of the pattern, and going back wherever it can, it finds the same. */
static void match_again(struct krl_heap *h, const struct krl_regex *re, const struct krl_text *t,
                        size_t from, bool found, const struct krl_match *first)
{
    struct krl_regex back = *re;
    struct krl_match second;
    back.straight = false;
    back.first = (struct krl_regex_first){.units_n = 0};
    if (krl_failing(h))
        return;
    bool again = krl_regex_match(h, &back, t, from, &second);
    ASSERT(krl_failing(h) || again == found);
    for (size_t i = 0; !krl_failing(h) && found && i < 2U * re->groups; i++)
        ASSERT(first->at[i] == second.at[i]);
}

/* From the first places, then from match to match. */
static void match(struct krl_heap *h, const struct krl_regex *re, const struct krl_text *t)
{
    struct krl_match found;
    struct krl_search search;
    krl_search_init(&search, h, re, t);
    for (size_t tries = 0, next = 0; tries < TRIES && next <= t->n; tries++) {
        size_t from = next;
        bool some = krl_search_next(&search, from, &found);
        match_again(h, re, t, from, some, &found);
        next = some && tries >= TRIES / 2 ? max_size(from + 1, (size_t)found.at[1]) : from + 1;
        if (!some)
            continue;
        ASSERT(found.at[0] >= (int32_t)from && found.at[1] >= found.at[0]);
        ASSERT(found.at[1] <= (int32_t)t->n);
        for (size_t g = 1; g < re->groups; g++) {
            int32_t a = found.at[2 * g];
            int32_t b = found.at[2 * g + 1];
            ASSERT(a == KRL_REGEX_NONE || b == KRL_REGEX_NONE ||
                   (a >= 0 && a <= b && b <= (int32_t)t->n));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size);
    struct str pattern = str_cut(&rest, '\0');
    static const char *const flags[] = {"", "g", "i", "gi"};
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct arena arena;
        struct krl_heap h;
        arena_init(&arena, MEMORY);
        krl_heap_init(&h, &arena, STEPS, seed);
        const struct krl_text *source = krl_text(&h, pattern);
        const struct krl_text *text = krl_text(&h, rest);
        const struct krl_text *f = krl_text(&h, str_c(flags[i]));
        const struct krl_regex *re = NULL;
        if (source != NULL && text != NULL && f != NULL)
            re = krl_regex(&h, source, f);
        ASSERT(re != NULL || (krl_failing(&h) && h.err.text_n > 0));
        if (re != NULL)
            match(&h, re, text);
        arena_fini(&arena);
    }
    return 0;
}
