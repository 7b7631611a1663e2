#include "base/clock.h"
#include "base/schema_field.h"

struct str field_word(const struct field *f, int64_t index)
{
    ASSERT(index >= 0);
    for (int64_t i = 0; i <= index; i++)
        ASSERT(f->words[i] != NULL);
    return str_c(f->words[index]);
}

/* An object that lacks what it cannot be without is no object: an address without a city. */
static bool object_is_nothing(const struct schema *s, const void *value)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        bool needed = (f->flags & FIELD_REQUIRED) != 0 && (schema_bits(value) >> i & 1) != 0;
        if (needed && field_is_nothing(f, value))
            return true;
    }
    return false;
}

bool field_is_nothing(const struct field *f, const void *value)
{
    const void *at = field_of_const(f, value);
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_DECIMAL:
        return ((const struct str *)at)->n == 0 && !field_takes_empty(f);
    case FIELD_RAW:
        return ((const struct str *)at)->n == 0;
    case FIELD_TIME:
        return *(const time_us *)at == 0;
    case FIELD_INT:
        return *(const int64_t *)at == 0 && (f->min > 0 || f->max < 0);
    case FIELD_JSON:
        return *(const struct json *const *)at == NULL;
    case FIELD_OBJECT:
        return object_is_nothing(f->schema, at);
    case FIELD_BOOL:
    case FIELD_WORD:
    case FIELD_LIST:
        return false;
    }
    NEVER("a field type outside its enum");
}

static void encode_time(time_us time, struct json_writer *w)
{
    char text[TIME_TEXT_MAX];
    json_put_str(w, str_n(text, time_format(time, text)));
}

static void encode_list(const struct field *f, const struct list *list, struct json_writer *w)
{
    json_begin_array(w);
    for (size_t i = 0; i < list->count; i++) {
        if (f->schema != NULL)
            schema_encode(f->schema, (const char *)list->items + i * f->schema->size, w);
        else
            json_put_str(w, ((const struct str *)list->items)[i]);
    }
    json_end_array(w);
}

void field_encode(const struct field *f, const void *value, struct json_writer *w)
{
    const void *at = field_of_const(f, value);
    /* Null, and not what breaks the field's own rule: what was answered can be sent back. */
    if (field_is_nothing(f, value)) {
        json_put_null(w);
        return;
    }
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_DECIMAL:
        json_put_str(w, *(const struct str *)at);
        return;
    case FIELD_INT:
        json_put_i64(w, *(const int64_t *)at);
        return;
    case FIELD_BOOL:
        json_put_bool(w, *(const bool *)at);
        return;
    case FIELD_TIME:
        encode_time(*(const time_us *)at, w);
        return;
    case FIELD_WORD:
        json_put_str(w, field_word(f, *(const int64_t *)at));
        return;
    case FIELD_OBJECT:
        schema_encode(f->schema, at, w);
        return;
    case FIELD_LIST:
        encode_list(f, at, w);
        return;
    case FIELD_JSON:
        json_put_node(w, *(const struct json *const *)at);
        return;
    case FIELD_RAW:
        json_put_raw(w, *(const struct str *)at);
        return;
    }
    NEVER("a field type outside its enum");
}

void schema_encode(const struct schema *s, const void *value, struct json_writer *w)
{
    uint64_t bits = schema_bits(value);
    ASSERT((bits & ~schema_all(s)) == 0);
    json_begin_object(w);
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if ((bits >> i & 1) == 0 || (f->flags & FIELD_WRITE_ONLY) != 0)
            continue;
        json_put_key(w, str_c(f->name));
        field_encode(f, value, w);
    }
    json_end_object(w);
}

struct str schema_str(const struct schema *s, const void *value, size_t max_bytes,
                      struct arena *arena)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, arena, max_bytes);
    json_writer_init(&w, &b);
    schema_encode(s, value, &w);
    ASSERT(!b.full);
    return buf_str(&b);
}
