#include "base/schema_field.h"

#include "base/clock.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 }; /* of one object as text, for people */

uint64_t schema_all(const struct schema *s)
{
    ASSERT(s->count > 0 && s->count <= SCHEMA_FIELDS_MAX);
    return UINT64_MAX >> (SCHEMA_FIELDS_MAX - s->count);
}

int schema_find(const struct schema *s, struct str name)
{
    if (name.n == 0)
        return -1;
    for (size_t i = 0; i < s->count; i++) {
        const char *field = s->fields[i].name;
        /* Every request asks, and most fields differ in their first letter. */
        if (field[0] == name.p[0] && strlen(field) == name.n && memcmp(field, name.p, name.n) == 0)
            return (int)i;
    }
    return -1;
}

uint64_t schema_bit(const struct schema *s, const char *name)
{
    int i = schema_find(s, str_c(name));
    ASSERT(i >= 0);
    return UINT64_C(1) << i;
}

bool schema_has(const struct schema *s, const void *value, const char *name)
{
    return (schema_bits(value) & schema_bit(s, name)) != 0;
}

static struct str join(const struct list *list, struct arena *arena)
{
    const struct str *items = list->items;
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        n += items[i].n + (i > 0);
    char *out = arena_bytes(arena, n);
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            out[at++] = ',';
        if (items[i].n > 0)
            memcpy(out + at, items[i].p, items[i].n);
        at += items[i].n;
    }
    ASSERT(at == n);
    return str_n(out, n);
}

/* The field alone as JSON, by encoding an object that has only its bit set. */
static struct str as_json(const struct field *f, const void *value, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, TEXT_MAX_BYTES);
    struct json_writer w;
    json_writer_init(&w, &b);
    field_encode(f, value, &w);
    return b.full ? STR("(too long to show)") : buf_str(&b);
}

struct str schema_text(const struct schema *s, size_t index, const void *value, struct arena *arena)
{
    ASSERT(index < s->count);
    const struct field *f = &s->fields[index];
    const void *at = field_of_const(f, value);
    bool shown = (schema_bits(value) >> index & 1) != 0 && (f->flags & FIELD_WRITE_ONLY) == 0;
    if (!shown || field_is_nothing(f, value))
        return STR("");
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_DECIMAL:
    case FIELD_RAW:
        return *(const struct str *)at;
    case FIELD_INT:
        return arena_fmt(arena, "%lld", (long long)*(const int64_t *)at);
    case FIELD_BOOL:
        return *(const bool *)at ? STR("true") : STR("false");
    case FIELD_TIME: {
        char text[TIME_TEXT_MAX];
        return arena_str(arena, str_n(text, time_format(*(const time_us *)at, text)));
    }
    case FIELD_WORD:
        return field_word(f, *(const int64_t *)at);
    case FIELD_LIST:
        if (f->schema == NULL)
            return join(at, arena);
        return as_json(f, value, arena);
    case FIELD_OBJECT:
    case FIELD_JSON:
        return as_json(f, value, arena);
    }
    NEVER("a field type outside its enum");
}
