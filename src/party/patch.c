#include "party/patch.h"

enum { NAMES_MAX = 4096 };

static size_t size_of(const struct field *f)
{
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_DECIMAL:
    case FIELD_RAW:
        return sizeof(struct str);
    case FIELD_INT:
    case FIELD_WORD:
        return sizeof(int64_t);
    case FIELD_TIME:
        return sizeof(time_us);
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_LIST:
        return sizeof(struct list);
    case FIELD_JSON:
        return sizeof(const struct json *);
    case FIELD_OBJECT:
        return f->schema->size;
    }
    NEVER("a field type outside its enum");
}

/* Recursion follows the nesting of schemas, which are constants. */
void patch_lay(const struct schema *s, void *value, const void *patch)
{
    uint64_t bits = *(const uint64_t *)patch;
    for (size_t i = 0; i < s->count; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        const struct field *f = &s->fields[i];
        char *to = (char *)value + f->offset;
        const char *from = (const char *)patch + f->offset;
        if (f->type == FIELD_OBJECT)
            patch_lay(f->schema, to, from);
        else
            memcpy(to, from, size_of(f));
    }
    *(uint64_t *)value |= bits;
}

struct str patch_names(const struct schema *s, const void *patch, struct arena *arena)
{
    uint64_t bits = *(const uint64_t *)patch;
    struct buf b;
    struct json_writer w;
    buf_init(&b, arena, NAMES_MAX);
    json_writer_init(&w, &b);
    json_begin_array(&w);
    for (size_t i = 0; i < s->count; i++)
        if ((bits >> i & 1) != 0)
            json_put_str(&w, str_c(s->fields[i].name));
    json_end_array(&w);
    ASSERT(!b.full);
    return buf_str(&b);
}
