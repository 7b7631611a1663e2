/*
 * A cursor is refused, or gives values of the right kinds, and those make the same values again.
 * The first byte chooses how many keys and their kinds; the rest is the cursor, or the JSON
 * inside one.
 */
#include "fuzz.h"

#include "store/page_cursor.h"

#include <sodium.h>

#define ORDER STR("-a,b")

static void check(struct str cursor, const enum page_kind *kinds, size_t count, struct arena *arena)
{
    struct value keys[PAGE_KEYS_MAX], again[PAGE_KEYS_MAX];
    if (!page_cursor_read(cursor, ORDER, kinds, count, arena, keys))
        return;
    for (size_t i = 0; i < count; i++) {
        ASSERT(keys[i].type == (kinds[i] == PAGE_NUMBER ? VALUE_INT : VALUE_TEXT));
        if (kinds[i] == PAGE_TEXT)
            ASSERT(str_is_utf8(keys[i].text) && str_find(keys[i].text, '\0', 0) == keys[i].text.n);
    }
    if (cursor.n > PAGE_CURSOR_MAX / 8)
        return; /* written anew, escapes could make it longer than a cursor may be */
    struct str written = page_cursor_write(ORDER, keys, count, arena);
    bool same = page_cursor_read(written, ORDER, kinds, count, arena, again);
    ASSERT(same);
    for (size_t i = 0; i < count; i++)
        ASSERT(keys[i].number == again[i].number && str_eq(keys[i].text, again[i].text));
    ASSERT(!page_cursor_read(written, STR("-a"), kinds, count, arena, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum page_kind kinds[PAGE_KEYS_MAX];
    struct arena arena;
    if (size < 1 || size > 8192)
        return 0;
    size_t count = data[0] % (PAGE_KEYS_MAX + 1);
    for (size_t i = 0; i < PAGE_KEYS_MAX; i++)
        kinds[i] = (data[0] >> 3 >> i & 1) != 0 ? PAGE_NUMBER : PAGE_TEXT;
    arena_init(&arena, (size_t)4 * 1024 * 1024);
    struct str rest = str_n((const char *)data + 1, size - 1);
    check(rest, kinds, count, &arena);
    size_t n = sodium_base64_encoded_len(rest.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_bytes(&arena, n);
    (void)sodium_bin2base64(text, n, (const unsigned char *)rest.p, rest.n,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    check(str_n(text, n - 1), kinds, count, &arena);
    arena_fini(&arena);
    return 0;
}
