/* The standard library on paths into maps and arrays: get, set, put, delete, keys, values. */
#include "krl/lib.h"

/* A path as texts. */
struct path {
    const struct krl_text **keys;
    size_t n;
};

static bool to_path(struct krl_machine *m, struct krl_value v, struct path *ret)
{
    size_t n = v.type == KRL_ARRAY ? v.array->n : 1;
    const struct krl_text **keys = krl_take_n(&m->heap, n + 1, sizeof(void *));
    if (keys == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        keys[i] = krl_to_text(&m->heap, v.type == KRL_ARRAY ? v.array->v[i] : v);
        if (keys[i] == NULL)
            return false;
    }
    *ret = (struct path){keys, n};
    return true;
}

/* v[key] of JavaScript, as far as values of KRL have members; undefined where there is none. */
static struct krl_value child(struct krl_machine *m, struct krl_value v, const struct krl_text *key)
{
    uint32_t i = 0;
    bool integer = krl_integer_key(key, &i);
    if (v.type == KRL_MAP) {
        const struct krl_value *found = krl_map_get(v.map, key);
        return found == NULL ? krl_undefined() : *found;
    }
    if (v.type == KRL_ARRAY && integer)
        return i < v.array->n ? v.array->v[i] : krl_undefined();
    if (v.type == KRL_TEXT && integer && i < v.text->n)
        return krl_of_text(krl_text_part(&m->heap, v.text, i, i + 1U));
    if ((v.type == KRL_ARRAY || v.type == KRL_TEXT) && krl_text_is(key, "length"))
        return krl_number(v.type == KRL_ARRAY ? v.array->n : v.text->n);
    return krl_undefined();
}

static struct krl_value walk(struct krl_machine *m, struct krl_value v, const struct path *path)
{
    for (size_t i = 0; i < path->n && !krl_is_null(v) && !krl_is_failed(v); i++)
        v = child(m, v, path->keys[i]);
    return v;
}

struct krl_value krl_get(struct krl_machine *m, struct krl_value v, struct krl_value path)
{
    if (!krl_is_collection(v))
        return krl_null();
    if (path.type != KRL_ARRAY) {
        const struct krl_text *key = krl_to_text(&m->heap, path);
        if (key == NULL || !krl_pay(&m->heap, key->n / KRL_STEP_BYTES))
            return krl_failed();
        v = child(m, v, key);
        return v.type == KRL_UNDEFINED ? krl_null() : v;
    }
    struct path p;
    if (!to_path(m, path, &p))
        return krl_failed();
    v = p.n == 0 ? krl_null() : walk(m, v, &p);
    return v.type == KRL_UNDEFINED ? krl_null() : v;
}

struct krl_value krl_property(struct krl_machine *m, struct krl_value v,
                              const struct krl_text *name)
{
    if (!krl_is_null(v))
        return child(m, v, name);
    krl_fail(&m->heap, RC_INVALID, "TypeError: Cannot read properties of %s (reading '%.*s')",
             v.type == KRL_NULL ? "null" : "undefined", STRF(krl_text_utf8(&m->heap, name, false)));
    return krl_failed();
}

/* The array with another value at i; holes are undefined. */
static struct krl_value array_with(struct krl_machine *m, const struct krl_array *a, uint32_t i,
                                   struct krl_value v)
{
    if (i == a->n)
        return krl_of_array(krl_array_push(&m->heap, a, v));
    size_t n = max_size(a->n, (size_t)i + 1);
    struct krl_array *copy = krl_array_new(&m->heap, n);
    if (copy == NULL)
        return krl_failed();
    if (a->n > 0)
        memcpy(copy->v, a->v, a->n * sizeof *a->v);
    copy->v[i] = v;
    return krl_of_array(copy);
}

static struct krl_value with_child(struct krl_machine *m, struct krl_value v,
                                   const struct krl_text *key, struct krl_value value)
{
    uint32_t i = 0;
    if (v.type == KRL_MAP)
        return krl_of_map(krl_map_put(&m->heap, v.map, key, value));
    ASSERT(v.type == KRL_ARRAY);
    if (krl_integer_key(key, &i))
        return array_with(m, v.array, i, value);
    return v; /* a member of the array that nothing shows */
}

static bool is_index(const struct krl_text *key)
{
    if (key->n == 0 || key->wide || (key->a[0] == '0' && key->n > 1))
        return false;
    for (size_t i = 0; i < key->n; i++)
        if (key->a[i] < '0' || key->a[i] > '9')
            return false;
    return key->n < 17;
}

static struct krl_value new_map(struct krl_machine *m)
{
    return krl_of_map(krl_map_new(&m->heap, 4));
}

static struct krl_value new_array(struct krl_machine *m)
{
    return krl_of_array(krl_array_reserve(&m->heap, 4));
}

/* isSafeArrayIndex of the official library: parseInt, and not behind the end. */
static bool is_safe_index(const struct krl_array *a, const struct krl_text *key)
{
    double number = 0;
    size_t at = 0;
    for (; at < key->n && krl_unit(key, at) >= '0' && krl_unit(key, at) <= '9'; at++)
        number = number * 10 + (krl_unit(key, at) - '0');
    return at > 0 && number <= a->n;
}

static struct krl_value array_to_map(struct krl_machine *m, const struct krl_array *a)
{
    struct krl_map *map = krl_map_new(&m->heap, a->n);
    for (size_t i = 0; map != NULL && i < a->n; i++) {
        const struct krl_text *key = krl_to_text(&m->heap, krl_number((double)i));
        if (!krl_map_set(&m->heap, map, key, a->v[i]))
            return krl_failed();
    }
    return krl_of_map(map);
}

/* What the next key goes into, at a place on the path that holds v. */
static struct krl_value container(struct krl_machine *m, struct krl_value v,
                                  const struct krl_text *next, bool put)
{
    if (v.type == KRL_MAP)
        return v;
    if (v.type == KRL_ARRAY && (!put || is_safe_index(v.array, next)))
        return v;
    if (v.type == KRL_ARRAY)
        return array_to_map(m, v.array);
    return !put && is_index(next) ? new_array(m) : new_map(m);
}

/* Down the path, then up again with new containers. */
static struct krl_value update(struct krl_machine *m, struct krl_value v, const struct path *p,
                               struct krl_value value, bool put)
{
    struct krl_value *levels = krl_take_n(&m->heap, p->n, sizeof *levels);
    if (levels == NULL || !krl_pay(&m->heap, (int64_t)p->n))
        return krl_failed();
    levels[0] = v;
    for (size_t i = 1; i < p->n; i++) {
        struct krl_value here = child(m, levels[i - 1], p->keys[i - 1]);
        levels[i] = container(m, here, p->keys[i], put);
        if (krl_is_failed(levels[i]))
            return krl_failed();
    }
    for (size_t i = p->n; i > 0; i--) {
        value = with_child(m, levels[i - 1], p->keys[i - 1], value);
        if (krl_is_failed(value))
            return value;
    }
    return value;
}

struct krl_value krl_set(struct krl_machine *m, struct krl_value v, struct krl_value path,
                         struct krl_value value)
{
    struct path p;
    if (!krl_is_collection(v))
        v = new_map(m);
    if (krl_is_failed(v) || !to_path(m, path, &p))
        return krl_failed();
    return p.n == 0 ? v : update(m, v, &p, value, false);
}

static struct krl_value merge(struct krl_machine *m, struct krl_value v, struct krl_value more)
{
    if (v.type == KRL_MAP && more.type == KRL_MAP) {
        struct krl_map *map = krl_map_new(&m->heap, (size_t)v.map->n + more.map->n);
        for (size_t i = 0; map != NULL && i < v.map->n; i++)
            if (!krl_map_set(&m->heap, map, krl_map_at(v.map, i)->key, krl_map_at(v.map, i)->value))
                return krl_failed();
        for (size_t i = 0; map != NULL && i < more.map->n; i++)
            if (!krl_map_set(&m->heap, map, krl_map_at(more.map, i)->key,
                             krl_map_at(more.map, i)->value))
                return krl_failed();
        return krl_of_map(map);
    }
    if (v.type == KRL_ARRAY && more.type == KRL_ARRAY && v.array->n > more.array->n) {
        struct krl_array *a = krl_array_new(&m->heap, v.array->n);
        for (size_t i = 0; a != NULL && i < a->n; i++)
            a->v[i] = i < more.array->n ? more.array->v[i] : v.array->v[i];
        return krl_of_array(a);
    }
    return more;
}

struct krl_value lib_put(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct path p;
    if (!krl_is_collection(v) || n < 2)
        return v;
    if (n < 3)
        return merge(m, v, args[1]);
    if (!to_path(m, args[1], &p))
        return krl_failed();
    return p.n == 0 ? merge(m, v, args[2]) : update(m, v, &p, args[2], true);
}

struct krl_value lib_set(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_set(m, krl_arg(args, n, 0), krl_arg(args, n, 1), krl_arg(args, n, 2));
}

struct krl_value lib_get(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_get(m, krl_arg(args, n, 0), krl_arg(args, n, 1));
}

static struct krl_value without_child(struct krl_machine *m, struct krl_value v,
                                      const struct krl_text *key)
{
    uint32_t i = 0;
    if (v.type == KRL_MAP)
        return krl_of_map(krl_map_without(&m->heap, v.map, key));
    if (v.type == KRL_ARRAY && krl_integer_key(key, &i) && i < v.array->n)
        return array_with(m, v.array, i, krl_undefined());
    return v;
}

struct krl_value krl_delete(struct krl_machine *m, struct krl_value v, struct krl_value path)
{
    struct path p;
    if (!to_path(m, path, &p))
        return krl_failed();
    if (!krl_is_collection(v) || p.n == 0)
        return v;
    struct path parents = {p.keys, p.n - 1};
    struct krl_value parent = walk(m, v, &parents);
    if (!krl_is_collection(parent))
        return v;
    struct krl_value changed = without_child(m, parent, p.keys[p.n - 1]);
    if (krl_is_failed(changed) || parents.n == 0)
        return changed;
    return update(m, v, &parents, changed, false);
}

struct krl_value lib_delete(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_delete(m, krl_arg(args, n, 0), krl_arg(args, n, 1));
}

/* --- keys and values --- */

static size_t members_of(struct krl_value v)
{
    return v.type == KRL_MAP     ? v.map->n
           : v.type == KRL_ARRAY ? v.array->n
           : v.type == KRL_TEXT  ? v.text->n
                                 : 0;
}

static struct krl_value members(struct krl_machine *m, const struct krl_value *args, size_t n,
                                bool keys)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (!krl_is_collection(v))
        return krl_of_array(krl_array_new(&m->heap, 0));
    if (krl_truthy(krl_arg(args, n, 1)))
        v = krl_get(m, v, args[1]);
    if (krl_is_failed(v))
        return v;
    struct krl_array *a = krl_array_new(&m->heap, members_of(v));
    for (size_t i = 0; a != NULL && i < a->n; i++) {
        if (v.type == KRL_MAP)
            a->v[i] = keys ? krl_of_text(krl_map_at(v.map, i)->key) : krl_map_at(v.map, i)->value;
        else if (keys)
            a->v[i] = krl_of_text(krl_to_text(&m->heap, krl_number((double)i)));
        else if (v.type == KRL_ARRAY)
            a->v[i] = v.array->v[i];
        else
            a->v[i] = krl_of_text(krl_text_part(&m->heap, v.text, i, i + 1));
        if (krl_is_failed(a->v[i]))
            return krl_failed();
    }
    return krl_of_array(a);
}

struct krl_value lib_keys(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return members(m, args, n, true);
}

struct krl_value lib_values(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return members(m, args, n, false);
}

/* --- >< --- */

/* Own members only; a text is a path with dots and brackets unless it is a key itself. */
static bool has_path(struct krl_machine *m, struct krl_value v, const struct path *p)
{
    for (size_t i = 0; i < p->n; i++) {
        uint32_t at = 0;
        bool integer = krl_integer_key(p->keys[i], &at);
        bool here = v.type == KRL_MAP ? krl_map_get(v.map, p->keys[i]) != NULL
                                      : v.type == KRL_ARRAY && integer && at < v.array->n;
        if (!here)
            return false;
        v = child(m, v, p->keys[i]);
    }
    return p->n > 0;
}

static bool split_path(struct krl_machine *m, const struct krl_text *text, struct path *ret)
{
    const struct krl_text **keys = krl_take_n(&m->heap, (size_t)text->n + 1, sizeof(void *));
    size_t n = 0;
    size_t start = 0;
    for (size_t i = 0; keys != NULL && i <= text->n; i++) {
        uint16_t unit = i < text->n ? krl_unit(text, i) : '.';
        if (unit != '.' && unit != '[' && unit != ']')
            continue;
        bool behind_bracket = i > 0 && i == start && krl_unit(text, i - 1) == ']';
        if (!behind_bracket)
            keys[n++] = krl_text_part(&m->heap, text, start, i);
        start = i + 1;
    }
    *ret = (struct path){keys, n};
    return keys != NULL && !krl_failing(&m->heap);
}

struct krl_value krl_contains(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    struct path p;
    if (a.type == KRL_ARRAY) {
        for (size_t i = 0; i < a.array->n; i++)
            if (krl_equal(&m->heap, b, a.array->v[i]))
                return krl_bool(true);
        return krl_failing(&m->heap) ? krl_failed() : krl_bool(false);
    }
    if (a.type != KRL_MAP)
        return krl_bool(false);
    if (!to_path(m, b, &p))
        return krl_failed();
    if (b.type != KRL_TEXT || krl_map_get(a.map, b.text) != NULL)
        return krl_bool(has_path(m, a, &p));
    return split_path(m, b.text, &p) ? krl_bool(has_path(m, a, &p)) : krl_failed();
}
