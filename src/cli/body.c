#include "cli/body.h"

#include "cli/prompt.h"

void body_add(struct assigns *a, const char *path, struct str value)
{
    ASSERT(a->count < a->capacity);
    a->items[a->count++] = (struct assign){.path = str_c(path), .value = value};
}

bool body_has(const struct assigns *a, const char *path)
{
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->items[i].path, str_c(path)))
            return true;
    return false;
}

/* "address.tax-ids" is the path "address.tax_ids". */
static struct str path_of(struct str typed, struct arena *arena)
{
    struct str path = arena_str(arena, typed);
    char *p = arena_bytes(arena, path.n + 1);
    for (size_t i = 0; i < path.n; i++)
        p[i] = path.p[i] == '-' ? '_' : path.p[i];
    return str_n(p, path.n);
}

/* Whether path leads to a field that requests may hold. */
static bool is_field(const struct schema *s, struct str path)
{
    while (path.n > 0) {
        int index = schema_find(s, str_cut(&path, '.'));
        if (index < 0 || (s->fields[index].flags & FIELD_READ_ONLY) != 0)
            return false;
        if (path.n == 0)
            return true;
        if (s->fields[index].type != FIELD_OBJECT)
            return false;
        s = s->fields[index].schema;
    }
    return false;
}

enum rc body_collect(struct run *run, size_t extra, struct assigns *ret)
{
    const struct args *args = &run->args;
    struct assigns a = {.capacity = args->given_count + extra};
    a.items = NEW_N(run->arena, struct assign, a.capacity + 1);
    for (size_t i = 0; i < args->given_count; i++) {
        const struct given *g = &args->given[i];
        struct assign item = {.path = g->flag->path, .value = g->value};
        if (g->flag->kind == FLAG_SECRET) {
            TRY(prompt_secret_file(run->cli, g->value, run->arena, &item.value, run->err));
        } else if (g->flag->kind == FLAG_OWN && str_eq(g->flag->name, STR("null"))) {
            item = (struct assign){.path = path_of(g->value, run->arena), .null = true};
            if (!is_field(run->command->route->body, item.path))
                return err_set(run->err, RC_SYNTAX, "--null names no field: '%.*s'",
                               STRF(g->value));
        } else if (g->flag->kind != FLAG_BODY) {
            continue;
        }
        a.items[a.count++] = item;
    }
    *ret = a;
    return RC_OK;
}

/* --- writing --- */

struct body_writer {
    struct json_writer json;
    struct arena *arena;
    struct err *err;
};

static enum rc write_object(struct body_writer *w, const struct schema *s, const struct assigns *a,
                            struct str under, int depth);

/* Quoted, but for what is a value of the field's type: the schema says what is wrong otherwise. */
static void write_value(struct body_writer *w, const struct field *f, struct str text)
{
    int64_t number = 0;
    if (f->type == FIELD_INT && str_to_i64(text, INT64_MIN, INT64_MAX, &number))
        json_put_i64(&w->json, number);
    else if (f->type == FIELD_BOOL && (str_eq(text, STR("true")) || str_eq(text, STR("yes"))))
        json_put_bool(&w->json, true);
    else if (f->type == FIELD_BOOL && (str_eq(text, STR("false")) || str_eq(text, STR("no"))))
        json_put_bool(&w->json, false);
    else
        json_put_str(&w->json, text);
}

static enum rc write_json(struct body_writer *w, struct str text, const char *what)
{
    const struct json *node = NULL;
    if (json_parse(text, w->arena, &node, w->err) != RC_OK) {
        err_add(w->err, "the value of --%s is not JSON", what);
        return rc_failed(w->err->rc);
    }
    json_put_node(&w->json, node);
    return RC_OK;
}

/* "scheme=vat,value=FR00", or a JSON object. A comma inside a value is written "\,". */
static enum rc write_entry(struct body_writer *w, const struct field *f, struct str text, int depth)
{
    if (str_starts(text, STR("{")))
        return write_json(w, text, f->name);

    struct assigns a = {.capacity = SCHEMA_FIELDS_MAX};
    a.items = NEW_N(w->arena, struct assign, a.capacity);
    for (size_t at = 0; at < text.n;) {
        struct buf part;
        buf_init(&part, w->arena, text.n);
        for (; at < text.n && text.p[at] != ','; at++) {
            if (text.p[at] == '\\' && at + 1 < text.n)
                at++;
            buf_add_char(&part, text.p[at]);
        }
        at++;
        struct str value = buf_str(&part);
        struct str all = value;
        struct str name = str_cut(&value, '=');
        if (name.n == all.n)
            return err_set(w->err, RC_SYNTAX, "'%.*s' of --%s must be NAME=VALUE", STRF(all),
                           f->name);
        if (schema_find(f->schema, name) < 0)
            return err_set(w->err, RC_SYNTAX, "an entry of --%s has no field '%.*s'", f->name,
                           STRF(name));
        if (a.count == a.capacity)
            return err_set(w->err, RC_SYNTAX, "an entry of --%s has too many values", f->name);
        a.items[a.count++] = (struct assign){.path = name, .value = value};
    }
    return write_object(w, f->schema, &a, STR(""), depth + 1);
}

/* All values for a list: texts are split at commas, each entry of objects came by itself. */
static enum rc write_list(struct body_writer *w, const struct field *f, const struct assigns *a,
                          struct str path, int depth)
{
    json_begin_array(&w->json);
    for (size_t i = 0; i < a->count; i++) {
        struct str rest = a->items[i].value;
        if (!str_eq(a->items[i].path, path))
            continue;
        if (f->schema != NULL && rest.n > 0)
            TRY(write_entry(w, f, rest, depth));
        while (f->schema == NULL && rest.n > 0)
            json_put_str(&w->json, str_cut(&rest, ','));
    }
    json_end_array(&w->json);
    return RC_OK;
}

static bool is_under(struct str path, struct str object)
{
    return str_starts(path, object) && path.n > object.n && path.p[object.n] == '.';
}

/* The first value for the path, or for something below it. */
static const struct assign *find_assign(const struct assigns *a, struct str path)
{
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->items[i].path, path) || is_under(a->items[i].path, path))
            return &a->items[i];
    return NULL;
}

static enum rc write_field(struct body_writer *w, const struct field *f, const struct assigns *a,
                           struct str path, int depth)
{
    const struct assign *first = find_assign(a, path);
    if (first == NULL)
        return RC_OK;
    json_put_key(&w->json, str_c(f->name));
    if (first->null && str_eq(first->path, path)) {
        json_put_null(&w->json);
        return RC_OK;
    }
    switch (f->type) {
    case FIELD_OBJECT:
        return write_object(w, f->schema, a, path, depth + 1);
    case FIELD_LIST:
        return write_list(w, f, a, path, depth);
    case FIELD_JSON:
        return write_json(w, first->value, f->name);
    case FIELD_TEXT:
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_TIME:
    case FIELD_DATE:
    case FIELD_DECIMAL:
    case FIELD_WORD:
        write_value(w, f, first->value);
        return RC_OK;
    case FIELD_RAW:
        break;
    }
    NEVER("fields that cannot be sent have no flag");
}

/* Recurses into objects, as deep as the schemas go. */
static enum rc write_object(struct body_writer *w, const struct schema *s, const struct assigns *a,
                            struct str under, int depth)
{
    ASSERT(depth < 2 * FLAG_DEPTH_MAX);
    json_begin_object(&w->json);
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        struct str path =
            under.n == 0 ? str_c(f->name) : arena_fmt(w->arena, "%.*s.%s", STRF(under), f->name);
        TRY(write_field(w, f, a, path, depth));
    }
    json_end_object(&w->json);
    return RC_OK;
}

enum rc body_write(const struct schema *s, const struct assigns *a, struct arena *arena,
                   struct str *ret, struct err *err)
{
    struct buf b;
    buf_init(&b, arena, BODY_MAX);
    struct body_writer w = {.arena = arena, .err = err};
    json_writer_init(&w.json, &b);
    TRY(write_object(&w, s, a, STR(""), 0));
    if (b.full)
        return err_set(err, RC_TOO_LARGE, "the request is larger than %d bytes", BODY_MAX);
    *ret = buf_str(&b);
    return RC_OK;
}

void body_put(struct json_writer *w, const char *key, struct str value)
{
    json_put_key(w, str_c(key));
    json_put_str(w, value);
}

enum rc body_check(const struct schema *s, bool patch, struct str text, struct arena *arena,
                   struct err *err)
{
    const struct json *node = NULL;
    TRY(json_parse(text, arena, &node, err));
    void *scratch = arena_alloc(arena, s->size);
    return schema_decode(s, patch ? SCHEMA_PATCH : SCHEMA_WHOLE, node, arena, scratch, err);
}
