#include "base/schema_field.h"

enum { JSON_FIELD_DEPTH_MAX = 32 }; /* so that a kept value can be put into an answer and read */

struct decoder {
    struct arena *arena;
    struct err *err;
};

static enum rc decode_object(const struct decoder *d, const struct schema *s, enum schema_mode mode,
                             const struct json *json, void *value);

/* Put "/name" in front of the pointer, '~' and '/' written as RFC 6901 wants. */
static enum rc blame(struct err *err, struct str name)
{
    char step[ERR_POINTER_MAX];
    size_t n = 0;
    step[n++] = '/';
    for (size_t i = 0; i < name.n && n + 2 <= sizeof step; i++) {
        bool special = name.p[i] == '~' || name.p[i] == '/';
        step[n++] = special ? '~' : name.p[i];
        if (special)
            step[n++] = name.p[i] == '~' ? '0' : '1';
    }
    err_under(err, str_n(step, n));
    return rc_failed(err->rc);
}

static enum rc refuse_type(const struct decoder *d, const struct subject *at, const char *want,
                           const struct json *json)
{
    return field_refuse(at, d->err, "must be %s, this is %s", want,
                        json_type_name(json_type(json)));
}

/* Null clears a whole object: its members count as given and empty, as RFC 7396 says. */
static void clear_object(const struct schema *s, void *value)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if (!field_is_taken(f))
            continue;
        schema_set_bit(value, i);
        if (f->type == FIELD_OBJECT)
            clear_object(f->schema, field_of(f, value));
    }
}

static enum rc decode_int(const struct decoder *d, const struct field *f, const struct subject *at,
                          const struct json *json, int64_t *ret)
{
    if (json_type(json) != JSON_NUMBER)
        return refuse_type(d, at, "a whole number", json);
    int64_t value = 0;
    if (json_i64(json, &value))
        return field_take_int(f, at, value, ret, d->err);
    struct str text = json_text(json);
    bool whole = str_find(text, '.', 0) == text.n && str_find(text, 'e', 0) == text.n &&
                 str_find(text, 'E', 0) == text.n;
    if (whole)
        return field_refuse_int(f, at, text, d->err);
    return field_refuse(at, d->err, "must be a whole number, this is %s", field_show(text).text);
}

static enum rc decode_item(const struct decoder *d, const struct field *f, const struct subject *at,
                           const struct json *json, void *item)
{
    if (f->schema != NULL) {
        if (json_type(json) != JSON_OBJECT)
            return refuse_type(d, at, "an object", json);
        return decode_object(d, f->schema, SCHEMA_WHOLE, json, item);
    }
    if (json_type(json) != JSON_STRING)
        return refuse_type(d, at, "a string", json);
    return field_take_text(f, at, json_text(json), item, d->err);
}

static enum rc decode_list(const struct decoder *d, const struct field *f, const struct subject *at,
                           const struct json *json, struct list *ret)
{
    if (json_type(json) != JSON_ARRAY)
        return refuse_type(d, at, "an array", json);
    size_t count = json->n;
    TRY(field_take_count(f, at, count, d->err));
    size_t size = f->schema ? f->schema->size : sizeof(struct str);
    if (count * size > arena_room(d->arena))
        return err_set(d->err, RC_TOO_LARGE, "%s '%s' has more in it than there is room for",
                       at->noun, at->name);
    char *items = arena_alloc_n(d->arena, count, size);
    size_t i = 0;
    for (const struct json *c = json_first(json); c != NULL; c = json_next(json, c), i++) {
        struct subject entry = {at->noun, at->name, i + 1};
        if (decode_item(d, f, &entry, c, items + i * size) == RC_OK)
            continue;
        char step[24];
        int n = snprintf(step, sizeof step, "%zu", i);
        return blame(d->err, str_n(step, (size_t)n));
    }
    *ret = (struct list){items, count};
    return RC_OK;
}

/* Whether the value has at most max levels of arrays and objects. */
static bool is_shallow(const struct json *json, size_t max)
{
    const struct json *ends[JSON_FIELD_DEPTH_MAX];
    size_t depth = 0;
    for (const struct json *j = json; j < json + json->skip; j++) {
        while (depth > 0 && j == ends[depth - 1])
            depth--;
        if (json_type(j) != JSON_ARRAY && json_type(j) != JSON_OBJECT)
            continue;
        if (depth == max)
            return false;
        ends[depth++] = j + j->skip;
    }
    return true;
}

/* json is not null. */
static enum rc decode_value(const struct decoder *d, const struct field *f, enum schema_mode mode,
                            const struct json *json, void *ret)
{
    const struct subject at = {"field", f->name, 0};
    enum json_type type = json_type(json);
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_TIME:
    case FIELD_DATE:
    case FIELD_WORD:
    case FIELD_DECIMAL:
        if (type != JSON_STRING)
            return refuse_type(d, &at,
                               f->type == FIELD_DECIMAL ? "a decimal in quotes such as \"12.50\""
                                                        : "a string",
                               json);
        return field_take_text(f, &at, json_text(json), ret, d->err);
    case FIELD_INT:
        return decode_int(d, f, &at, json, ret);
    case FIELD_BOOL:
        if (type != JSON_TRUE && type != JSON_FALSE)
            return refuse_type(d, &at, "true or false", json);
        *(bool *)ret = type == JSON_TRUE;
        return RC_OK;
    case FIELD_OBJECT:
        if (type != JSON_OBJECT)
            return refuse_type(d, &at, "an object", json);
        return decode_object(d, f->schema, mode, json, ret);
    case FIELD_LIST:
        return decode_list(d, f, &at, json, ret);
    case FIELD_JSON:
        if (!is_shallow(json, JSON_FIELD_DEPTH_MAX))
            return field_refuse(&at, d->err, "must not be nested more than %d levels deep",
                                JSON_FIELD_DEPTH_MAX);
        *(const struct json **)ret = json;
        return RC_OK;
    case FIELD_RAW:
        break;
    }
    NEVER("a field that is written only");
}

static enum rc decode_member(const struct decoder *d, const struct field *f, enum schema_mode mode,
                             const struct json *json, void *ret)
{
    const struct subject at = {"field", f->name, 0};
    if (!field_is_taken(f))
        return field_refuse(&at, d->err, "is read-only: leave it out");
    if (json_type(json) != JSON_NULL)
        return decode_value(d, f, mode, json, ret);
    if ((f->flags & FIELD_REQUIRED) != 0)
        return field_refuse(&at, d->err, "is required, null does not do");
    if (f->type == FIELD_OBJECT)
        clear_object(f->schema, ret);
    return RC_OK;
}

/* The first field that has to be there and is not, or NULL. */
static const struct field *find_missing(const struct schema *s, const void *value)
{
    uint64_t bits = schema_bits(value);
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        if ((f->flags & FIELD_REQUIRED) != 0 && field_is_taken(f) && (bits >> i & 1) == 0)
            return f;
    }
    return NULL;
}

static enum rc refuse_missing(const struct field *f, const char *noun, struct err *err)
{
    const struct subject at = {noun, f->name, 0};
    return field_refuse(&at, err, "is required");
}

/* Index of the field, looked for from hint on: members mostly come in the order of the table. */
static size_t find_from(const struct schema *s, struct str name, size_t hint)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = hint + i < s->count ? hint + i : hint + i - s->count;
        if (str_eq(name, str_c(s->fields[at].name)))
            return at;
    }
    return s->count;
}

/* value is zeroed. Recursion follows the nesting of json, which is bounded. */
static enum rc decode_object(const struct decoder *d, const struct schema *s, enum schema_mode mode,
                             const struct json *json, void *value)
{
    ASSERT(s->count <= SCHEMA_FIELDS_MAX);
    size_t next = 0;
    for (const struct json *c = json_first(json); c != NULL; c = json_next(json, c)) {
        struct str name = json_key(c);
        size_t i = find_from(s, name, next);
        if (i == s->count) {
            (void)field_refuse_unknown(s, "field", name, d->err);
            return blame(d->err, name);
        }
        const struct field *f = &s->fields[i];
        if (decode_member(d, f, mode, c, field_of(f, value)) != RC_OK)
            return blame(d->err, name);
        schema_set_bit(value, i);
        next = i + 1 < s->count ? i + 1 : 0;
    }
    const struct field *missing = mode == SCHEMA_WHOLE ? find_missing(s, value) : NULL;
    if (missing == NULL)
        return RC_OK;
    (void)refuse_missing(missing, "field", d->err);
    return blame(d->err, str_c(missing->name));
}

static enum rc new_value(const struct schema *s, struct arena *arena, void **ret, struct err *err)
{
    if (s->size > arena_room(arena))
        return err_set(err, RC_TOO_LARGE, "there is more in it than there is room for");
    *ret = arena_alloc(arena, s->size);
    return RC_OK;
}

enum rc schema_decode(const struct schema *s, enum schema_mode mode, const struct json *json,
                      struct arena *arena, void *ret, struct err *err)
{
    if (json_type(json) != JSON_OBJECT)
        return err_set(err, RC_SYNTAX, "expected an object, this is %s",
                       json_type_name(json_type(json)));
    const struct decoder d = {arena, err};
    void *value = NULL;
    TRY(new_value(s, arena, &value, err));
    TRY(decode_object(&d, s, mode, json, value));
    memcpy(ret, value, s->size);
    return RC_OK;
}

static enum rc decode_pair(const struct schema *s, const struct pair *pair, struct arena *arena,
                           void *value, struct err *err)
{
    int i = schema_find(s, pair->name);
    if (i < 0)
        return field_refuse_unknown(s, "parameter", pair->name, err);
    const struct field *f = &s->fields[i];
    const struct subject at = {"parameter", f->name, 0};
    if (!field_is_taken(f))
        return field_refuse(&at, err, "is read-only: leave it out");
    if ((schema_bits(value) >> i & 1) != 0)
        return field_refuse(&at, err, "is given twice");
    TRY(field_take_typed(f, &at, pair->value, arena, field_of(f, value), err));
    schema_set_bit(value, (size_t)i);
    return RC_OK;
}

enum rc schema_decode_pairs(const struct schema *s, const struct pair *pairs, size_t count,
                            struct arena *arena, void *ret, struct err *err)
{
    void *value = NULL;
    TRY(new_value(s, arena, &value, err));
    for (size_t i = 0; i < count; i++) {
        enum rc rc = decode_pair(s, &pairs[i], arena, value, err);
        if (rc != RC_OK) {
            err_at(err, pairs[i].name);
            return rc;
        }
    }
    const struct field *missing = find_missing(s, value);
    if (missing != NULL) {
        (void)refuse_missing(missing, "parameter", err);
        err_at(err, str_c(missing->name));
        return rc_failed(err->rc);
    }
    memcpy(ret, value, s->size);
    return RC_OK;
}
