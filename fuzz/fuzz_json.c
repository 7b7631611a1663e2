/* Any text is refused with a sentence, or read, written and read back as the same. */
#include "fuzz.h"

#include "base/json.h"

static bool same(const struct json *a, const struct json *b)
{
    if (a->skip != b->skip)
        return false;
    for (uint32_t i = 0; i < a->skip; i++) {
        if (a[i].type != b[i].type || a[i].n != b[i].n || a[i].skip != b[i].skip)
            return false;
        if ((a[i].type == JSON_STRING || a[i].type == JSON_NUMBER) &&
            !str_eq(json_text(&a[i]), json_text(&b[i])))
            return false;
    }
    return true;
}

static struct str write_node(struct arena *arena, const struct json *node, size_t max)
{
    struct buf b;
    buf_init(&b, arena, max);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_put_node(&w, node);
    ASSERT(!b.full);
    return buf_str(&b);
}

/* Walk all values as the rest of the house does. */
static size_t count_values(const struct json *json)
{
    if (json_type(json) != JSON_ARRAY && json_type(json) != JSON_OBJECT)
        return 1;
    size_t count = 1;
    uint32_t children = 0;
    for (const struct json *c = json_first(json); c != NULL; c = json_next(json, c), children++) {
        if (json_type(json) == JSON_OBJECT && json->n < 100)
            ASSERT(json_get(json, json_key(c)) == c);
        count += count_values(c) + (json_type(json) == JSON_OBJECT);
    }
    ASSERT(children == json->n);
    return count;
}

static const struct json *parse(struct str text, struct arena *arena)
{
    struct err err;
    err_clear(&err);
    const struct json *json = NULL;
    enum rc rc = json_parse(text, arena, &json, &err);
    ASSERT(rc == err.rc);
    if (rc != RC_OK) {
        ASSERT(json == NULL);
        ASSERT(rc == RC_SYNTAX || rc == RC_TOO_LARGE);
        ASSERT(err.text_n > 0);
        return NULL;
    }
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct arena arena;
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    const struct json *json = parse(text, &arena);
    if (json != NULL) {
        ASSERT(str_is_utf8(text));
        ASSERT(count_values(json) == json->skip);
        struct str once = write_node(&arena, json, size * 6 + 1);
        const struct json *again = parse(once, &arena);
        ASSERT(again != NULL);
        ASSERT(same(json, again));
        ASSERT(str_eq(once, write_node(&arena, again, size * 6 + 1)));
    }
    /* Where there is little room the answer is the same, or that there is too little. */
    struct arena small;
    arena_init(&small, (size_t)16 * 1024);
    const struct json *other = parse(text, &small);
    if (other != NULL)
        ASSERT(json != NULL && same(json, other));
    arena_fini(&small);
    arena_fini(&arena);
    return 0;
}
