/*
 * What comes with HTTP: up to the first NUL the query string, behind it the body, as JSON and as a
 * form. A map within its bounds, or a sentence.
 */
#include "fuzz.h"

#include "krl/lib.h"
#include "pico/query.h"

enum { MEMORY = 16 * 1024 * 1024, STEPS = 1000 * 1000 };

static const uint64_t seed[2] = {1, 2};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
                                        "text/plain"};
    struct str rest = str_n((const char *)data, size);
    const struct pair host = {STR("host"), STR("h")};
    struct pico_input in = {.query = str_cut(&rest, '\0'), .headers = &host, .headers_n = 1};
    in.body = rest;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct arena arena;
        struct krl_heap h;
        arena_init(&arena, MEMORY);
        krl_heap_init(&h, &arena, STEPS, seed);
        in.type = str_c(types[i]);
        struct krl_value v = pico_input_read(&h, &in);
        if (krl_is_failed(v)) {
            ASSERT(krl_failing(&h) && h.err.text_n > 0);
        } else {
            ASSERT(v.type == KRL_MAP && krl_map_find(v.map, "_headers") != NULL);
            ASSERT(krl_json_encode(&h, v, 0).type == KRL_TEXT || krl_failing(&h));
        }
        arena_fini(&arena);
    }
    return 0;
}
