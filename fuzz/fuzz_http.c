/* What strangers write into a request: its target, its headers, and the small languages in them. */
#include "fuzz.h"

#include "http/framing.h"
#include "http/gzip.h"
#include "http/range.h"
#include "http/target.h"

enum { QUERY_MAX = 8, HEADERS_MAX = 16 };

static void check_target(struct str text, struct arena *arena)
{
    struct pair query[QUERY_MAX];
    struct target t = {.path = STR_INIT("untouched")};
    struct err err = {0};
    enum rc rc = target_parse(text, QUERY_MAX, query, arena, &t, &err);
    if (rc != RC_OK) {
        ASSERT(rc == RC_SYNTAX && err.text_n > 0);
        ASSERT(str_eq(t.path, STR("untouched")));
        return;
    }
    ASSERT(str_is_utf8(t.path));
    ASSERT(t.query_count <= QUERY_MAX);
    if (str_eq(t.path, STR("*")))
        return;
    /* However it was written: no way up, no empty part, no byte that ends a C string. */
    ASSERT(t.path.p[0] == '/');
    ASSERT(!str_has(t.path, STR("//")) && !str_has(t.path, STR("/../")));
    ASSERT(!str_has(t.path, STR("/./")));
    ASSERT(!str_ends(t.path, STR("/..")) && !str_ends(t.path, STR("/.")));
    for (size_t i = 0; i < t.path.n; i++)
        ASSERT((unsigned char)t.path.p[i] >= 0x20 && t.path.p[i] != 0x7F);
}

/* Lines "name:value". */
static void check_framing(struct str text)
{
    struct pair headers[HEADERS_MAX] = {0};
    size_t count = 0;
    bool has_length = false;
    bool has_encoding = false;
    while (text.n > 0 && count < HEADERS_MAX) {
        struct str value = str_cut(&text, '\n');
        struct str name = str_cut(&value, ':');
        has_length = has_length || str_eq_nocase(name, STR("content-length"));
        has_encoding = has_encoding || str_eq_nocase(name, STR("transfer-encoding"));
        headers[count++] = (struct pair){name, value};
    }
    struct framing f = {0};
    struct err err = {0};
    if (framing_check(STR("HTTP/1.1"), headers, count, &f, &err) != RC_OK)
        return;
    ASSERT(!(has_length && has_encoding));
    ASSERT(f.chunked == has_encoding);
    ASSERT(has_length || f.length == 0);
    for (size_t i = 0; i < count; i++)
        ASSERT(framing_is_token(headers[i].name) && framing_is_value(headers[i].value));
}

static void check_range(struct str text)
{
    static const uint64_t sizes[] = {0, 1, 36, UINT64_C(1) << 40};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint64_t from = 0;
        uint64_t n = 0;
        if (range_parse(text, sizes[i], &from, &n) == RANGE_PART)
            ASSERT(n > 0 && from < sizes[i] && n <= sizes[i] - from);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str text = {(const char *)data, size};
    if (size > 4096)
        return 0;
    arena_init(&arena, (size_t)1024 * 1024);
    check_target(text, &arena);
    check_framing(text);
    check_range(text);
    (void)gzip_is_accepted(text);
    arena_fini(&arena);
    return 0;
}
