#include "store/page_cursor.h"

#include <sodium.h>

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

struct str page_cursor_write(struct str order, const struct value *keys, size_t count,
                             struct arena *arena)
{
    struct buf json;
    struct json_writer w;
    buf_init(&json, arena, PAGE_CURSOR_MAX);
    json_writer_init(&w, &json);
    json_begin_array(&w);
    json_put_str(&w, order);
    for (size_t i = 0; i < count; i++) {
        ASSERT(keys[i].type == VALUE_INT || keys[i].type == VALUE_TEXT);
        if (keys[i].type == VALUE_INT)
            json_put_i64(&w, keys[i].number);
        else
            json_put_str(&w, keys[i].text);
    }
    json_end_array(&w);
    ASSERT(!json.full);
    size_t size = sodium_base64_encoded_len(json.n, VARIANT);
    ASSERT(size - 1 <= PAGE_CURSOR_MAX);
    char *text = arena_bytes(arena, size);
    (void)sodium_bin2base64(text, size, (const unsigned char *)json.p, json.n, VARIANT);
    return str_n(text, size - 1);
}

static bool decode(struct str text, struct arena *arena, struct str *ret)
{
    if (text.n == 0 || text.n > PAGE_CURSOR_MAX)
        return false;
    unsigned char *bytes = (unsigned char *)arena_bytes(arena, text.n);
    size_t n = 0;
    const char *end = NULL;
    if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &n, &end, VARIANT) != 0)
        return false;
    if (end != text.p + text.n)
        return false;
    *ret = str_n((const char *)bytes, n);
    return true;
}

static bool read_key(const struct json *json, enum page_kind kind, struct value *ret)
{
    int64_t number = 0;
    switch (kind) {
    case PAGE_NUMBER:
        if (!json_i64(json, &number))
            return false;
        *ret = value_int(number);
        return true;
    case PAGE_TEXT:
        if (json_type(json) != JSON_STRING)
            return false;
        *ret = value_str(json_text(json));
        return true;
    }
    NEVER("a kind of column outside its enum");
}

bool page_cursor_read(struct str cursor, struct str order, const enum page_kind *kinds,
                      size_t count, struct arena *arena, struct value *ret)
{
    ASSERT(count <= PAGE_KEYS_MAX);
    struct value keys[PAGE_KEYS_MAX];
    struct str text;
    struct err ignored; /* what is wrong inside means nothing to who sent it */
    const struct json *json = NULL;
    if (!decode(cursor, arena, &text) || json_parse(text, arena, &json, &ignored) != RC_OK)
        return false;
    if (json_type(json) != JSON_ARRAY || json->n != count + 1)
        return false;
    const struct json *c = json_first(json);
    if (json_type(c) != JSON_STRING || !str_eq(json_text(c), order))
        return false;
    for (size_t i = 0; i < count; i++) {
        c = json_next(json, c);
        if (!read_key(c, kinds[i], &keys[i]))
            return false;
    }
    memcpy(ret, keys, count * sizeof *keys);
    return true;
}
