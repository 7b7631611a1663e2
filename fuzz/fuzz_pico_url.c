/*
 * Any text as the URL of a ruleset: refused with a sentence, or normal; and what is normal stays
 * as it is.
 */
#include "fuzz.h"

#include "pico/url.h"

enum { MEMORY = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};
    struct str once = STR("");
    struct str twice = STR("");
    arena_init(&arena, MEMORY);
    if (pico_url_normalise(str_n((const char *)data, size), &arena, &once, &err) != RC_OK) {
        ASSERT(err.rc == RC_INVALID && err.text_n > 0);
    } else if (once.n <= PICO_URL_MAX) { /* escapes may have made it too long for a second time */
        ASSERT(pico_url_normalise(once, &arena, &twice, &err) == RC_OK);
        ASSERT(str_eq(once, twice));
    }
    arena_fini(&arena);
    return 0;
}
