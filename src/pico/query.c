#include "pico/query.h"

#include "krl/lib.h"

enum { LEVELS_MAX = PICO_QUERY_DEPTH_MAX + 2 /* the name before, the literal rest behind */ };

/* --- decoding --- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* decodeURIComponent with "+" for a blank; where an escape is wrong, the text as it is but for the
 * "+". p is NULL: no room. */
static struct str decode(struct krl_heap *h, struct str s)
{
    char *to = krl_take_raw(h, s.n + 1);
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < s.n && to != NULL && good; i++) {
        to[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        if (s.p[i] != '%')
            continue;
        good = i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
        if (good)
            to[n - 1] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
        i += 2;
    }
    if (to == NULL || (good && str_is_utf8(str_n(to, n))))
        return str_n(to, n);
    for (size_t i = 0; i < s.n; i++)
        to[i] = s.p[i] == '+' ? ' ' : s.p[i];
    return str_n(to, s.n);
}

static const struct krl_text *decoded(struct krl_heap *h, struct str s)
{
    struct str plain = decode(h, s);
    return plain.p == NULL ? NULL : krl_text(h, plain);
}

/* One more value under a key of a flat map: the second makes an array. */
static const struct krl_map *put_again(struct krl_heap *h, const struct krl_map *map,
                                       const struct krl_text *key, struct krl_value v)
{
    const struct krl_value *before = krl_map_get(map, key);
    if (before == NULL)
        return krl_map_put(h, map, key, v);
    const struct krl_array *a = before->type == KRL_ARRAY ? before->array : NULL;
    if (a == NULL) {
        struct krl_array *both = krl_array_reserve(h, 2);
        if (both == NULL || !krl_array_add(h, both, *before))
            return NULL;
        a = both;
    }
    return krl_map_put(h, map, key, krl_of_array(krl_array_push(h, a, v)));
}

/* "a=1&b=2" with keys as they are. nested: a "=" behind a "]" ends the key. */
static struct krl_value read_flat(struct krl_heap *h, struct str s, bool nested)
{
    const struct krl_map *map = krl_map_new(h, 4);
    size_t n = 0;
    for (struct str rest = s; rest.n > 0 && map != NULL && n < PICO_QUERY_PARAMETERS_MAX; n++) {
        struct str part = str_cut(&rest, '&');
        size_t equals = str_find(part, '=', 0);
        for (size_t i = 0; nested && i + 1 < part.n; i++) {
            if (part.p[i] != ']' || part.p[i + 1] != '=')
                continue;
            equals = i + 1;
            break;
        }
        if (part.n == 0)
            continue;
        const struct krl_text *key = decoded(h, str_sub(part, 0, equals));
        const struct krl_text *value = decoded(h, str_sub(part, equals + 1, part.n));
        if (key == NULL || value == NULL)
            return krl_failed();
        if (key->n > 0 || !nested)
            map = put_again(h, map, key, krl_of_text(value));
    }
    return krl_of_map(map);
}

/* --- nesting --- */

/* "a[b][]" as a, b and "" (an array's next place). bracketed tells "[0]" from "0". */
struct level {
    const struct krl_text *name;
    bool bracketed;
};

static size_t find_unit(const struct krl_text *t, char c, size_t from)
{
    while (from < t->n && krl_unit(t, from) != (uint8_t)c)
        from++;
    return from;
}

static size_t split_key(struct krl_heap *h, const struct krl_text *key,
                        struct level levels[LEVELS_MAX])
{
    size_t n = 0;
    size_t at = find_unit(key, '[', 0);
    if (find_unit(key, ']', at) >= key->n)
        at = key->n;
    if (at > 0)
        levels[n++] = (struct level){krl_text_part(h, key, 0, at), false};
    for (int depth = 0; at < key->n && depth < PICO_QUERY_DEPTH_MAX; depth++) {
        size_t open = find_unit(key, '[', at);
        size_t end = find_unit(key, ']', open);
        if (end >= key->n)
            return n;
        levels[n++] = (struct level){krl_text_part(h, key, open + 1, end), true};
        at = end + 1;
    }
    size_t open = find_unit(key, '[', at);
    if (open < key->n && find_unit(key, ']', open) < key->n)
        levels[n++] = (struct level){krl_text_part(h, key, open, key->n), false};
    return n;
}

/* The value under its levels: {"a": {"b": v}}. */
static struct krl_value nest(struct krl_heap *h, const struct level *levels, size_t n,
                             struct krl_value v)
{
    for (size_t i = n; i-- > 0;) {
        uint32_t index = 0;
        const struct level *l = &levels[i];
        if (l->name == NULL || krl_is_failed(v))
            return krl_failed();
        bool next = l->bracketed && l->name->n == 0;
        if (next && v.type == KRL_ARRAY)
            continue;
        bool placed = next || (l->bracketed && krl_integer_key(l->name, &index) &&
                               index <= PICO_QUERY_INDEX_MAX);
        if (placed) {
            struct krl_array *a = krl_array_new(h, index + 1);
            if (a == NULL)
                return krl_failed();
            a->v[index] = v;
            v = krl_of_array(a);
        } else {
            struct krl_map *map = krl_map_new(h, 1);
            if (map == NULL || !krl_map_set(h, map, l->name, v))
                return krl_failed();
            v = krl_of_map(map);
        }
    }
    return v;
}

static const struct krl_text *index_text(struct krl_heap *h, size_t i)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%zu", i);
    return krl_text(h, str_n(digits, (size_t)n));
}

/* An array as a map by index, without its holes. */
static struct krl_value as_map(struct krl_heap *h, struct krl_value v)
{
    if (v.type != KRL_ARRAY)
        return v;
    struct krl_map *map = krl_map_new(h, v.array->n);
    for (size_t i = 0; i < v.array->n && map != NULL; i++)
        if (v.array->v[i].type != KRL_UNDEFINED &&
            !krl_map_set(h, map, index_text(h, i), v.array->v[i]))
            return krl_failed();
    return krl_of_map(map);
}

static struct krl_value merge(struct krl_heap *h, struct krl_value to, struct krl_value from);

static struct krl_value merge_arrays(struct krl_heap *h, const struct krl_array *to,
                                     const struct krl_array *from)
{
    size_t room = max_size(to->n, from->n);
    struct krl_array *all = krl_array_new(h, room);
    for (size_t i = 0; i < room && all != NULL; i++)
        all->v[i] = i < to->n ? to->v[i] : krl_undefined();
    for (size_t i = 0; i < from->n && all != NULL; i++) {
        struct krl_value item = from->v[i];
        if (item.type == KRL_UNDEFINED)
            continue;
        if (all->v[i].type == KRL_UNDEFINED)
            all->v[i] = item;
        else if (krl_is_collection(all->v[i]) && krl_is_collection(item))
            all->v[i] = merge(h, all->v[i], item);
        else if (!krl_array_add(h, all, item))
            return krl_failed();
    }
    return krl_of_array(all);
}

static struct krl_value merge_maps(struct krl_heap *h, const struct krl_map *to,
                                   const struct krl_map *from)
{
    for (size_t i = 0; i < from->n && to != NULL; i++) {
        const struct krl_entry *e = krl_map_at(from, i);
        const struct krl_value *before = krl_map_get(to, e->key);
        struct krl_value v = before == NULL ? e->value : merge(h, *before, e->value);
        if (krl_is_failed(v))
            return v;
        to = krl_map_put(h, to, e->key, v);
    }
    return krl_of_map(to);
}

/* Two values under the same key, as qs puts them together. to may be the true that a text became in
 * a map, from is as nest made it. Recursion: as deep as levels are. */
static struct krl_value merge(struct krl_heap *h, struct krl_value to, struct krl_value from)
{
    if (krl_is_failed(to) || krl_is_failed(from))
        return krl_failed();
    if (from.type == KRL_TEXT && from.text->n == 0)
        return to;
    if (from.type == KRL_TEXT && to.type == KRL_MAP)
        return krl_of_map(krl_map_put(h, to.map, from.text, krl_bool(true)));
    if (from.type == KRL_TEXT && to.type == KRL_ARRAY)
        return krl_of_array(krl_array_push(h, to.array, from));
    if (!krl_is_collection(to)) {
        struct krl_array *one = krl_array_reserve(h, 2);
        if (one == NULL || !krl_array_add(h, one, to))
            return krl_failed();
        const struct krl_array *more = from.type == KRL_ARRAY ? from.array : NULL;
        if (more == NULL && !krl_array_add(h, one, from))
            return krl_failed();
        for (size_t i = 0; more != NULL && i < more->n; i++)
            if (!krl_array_add(h, one, more->v[i]))
                return krl_failed();
        return krl_of_array(one);
    }
    if (to.type == KRL_ARRAY && from.type == KRL_ARRAY)
        return merge_arrays(h, to.array, from.array);
    to = as_map(h, to);
    from = as_map(h, from);
    if (krl_is_failed(to) || krl_is_failed(from))
        return krl_failed();
    ASSERT(to.type == KRL_MAP);
    ASSERT(from.type == KRL_MAP);
    return merge_maps(h, to.map, from.map);
}

/* Arrays without their holes. Recursion: as deep as levels are. */
static struct krl_value compact(struct krl_heap *h, struct krl_value v)
{
    if (v.type == KRL_ARRAY) {
        struct krl_array *a = krl_array_reserve(h, v.array->n);
        for (size_t i = 0; i < v.array->n && a != NULL; i++)
            if (v.array->v[i].type != KRL_UNDEFINED &&
                !krl_array_add(h, a, compact(h, v.array->v[i])))
                return krl_failed();
        return krl_of_array(a);
    }
    if (v.type != KRL_MAP)
        return v;
    struct krl_map *map = krl_map_new(h, v.map->n);
    for (size_t i = 0; i < v.map->n && map != NULL; i++)
        if (!krl_map_set(h, map, krl_map_at(v.map, i)->key,
                         compact(h, krl_map_at(v.map, i)->value)))
            return krl_failed();
    return krl_of_map(map);
}

struct krl_value pico_query_read(struct krl_heap *h, struct str query)
{
    struct krl_value flat = read_flat(h, query, true);
    struct krl_value all = krl_of_map(krl_map_new(h, 4));
    if (krl_is_failed(flat))
        return flat;
    for (size_t i = 0; i < flat.map->n && !krl_is_failed(all); i++) {
        struct level levels[LEVELS_MAX];
        const struct krl_entry *e = krl_map_at(flat.map, i);
        size_t n = split_key(h, e->key, levels);
        if (n > 0 && levels[0].bracketed)
            levels[0].bracketed = false; /* the whole is a map, whatever it begins with */
        if (n > 0)
            all = merge(h, all, nest(h, levels, n, e->value));
    }
    return krl_is_failed(all) ? all : compact(h, all);
}

struct krl_value pico_form_read(struct krl_heap *h, struct str form)
{
    return read_flat(h, form, false);
}

/* --- bodies --- */

/* Right behind the bracket of an object. */
static bool wants_name(const struct krl_text *text, size_t at)
{
    while (at > 0 && krl_is_space(krl_unit(text, at - 1)))
        at--;
    return at > 0 && krl_unit(text, at - 1) == '{';
}

struct krl_value pico_json_read(struct krl_heap *h, struct str body)
{
    size_t at = 0;
    body = str_trim(body);
    if (body.n == 0)
        return krl_of_map(krl_map_new(h, 0));
    const struct krl_text *text = krl_text(h, body);
    if (text == NULL)
        return krl_failed();
    struct krl_value v = krl_unit(text, 0) == '{' || krl_unit(text, 0) == '['
                             ? krl_json_parse_at(h, text, &at)
                             : krl_failed();
    if (!krl_is_failed(v))
        return v;
    if (at >= text->n)
        krl_fail(h, RC_SYNTAX, "SyntaxError: Unexpected end of JSON input");
    else
        krl_fail(h, RC_SYNTAX, "SyntaxError: %s in JSON at position %zu",
                 wants_name(text, at) ? "Expected property name or '}'" : "Unexpected token", at);
    return krl_failed();
}

static bool is_type(struct str type, struct str wanted)
{
    return str_eq_nocase(str_trim(str_cut(&type, ';')), wanted);
}

static struct krl_value read_body(struct krl_heap *h, const struct pico_input *in)
{
    if (is_type(in->type, STR("application/json")) ||
        is_type(in->type, STR("application/octet-stream")) ||
        is_type(in->type, STR("application/ssi-agent-wire")))
        return pico_json_read(h, in->body);
    if (is_type(in->type, STR("application/x-www-form-urlencoded")))
        return pico_form_read(h, in->body);
    return krl_of_map(krl_map_new(h, 0));
}

static struct krl_value header_map(struct krl_heap *h, const struct pico_input *in)
{
    struct krl_map *map = krl_map_new(h, in->headers_n);
    for (size_t i = 0; i < in->headers_n && map != NULL; i++) {
        const struct krl_text *key = krl_text(h, in->headers[i].name);
        if (key == NULL ||
            !krl_map_set(h, map, key, krl_of_text(krl_text(h, in->headers[i].value))))
            return krl_failed();
    }
    return krl_of_map(map);
}

struct krl_value pico_input_read(struct krl_heap *h, const struct pico_input *in)
{
    struct krl_value query = pico_query_read(h, in->query);
    struct krl_value body = as_map(h, read_body(h, in));
    struct krl_value headers = header_map(h, in);
    if (krl_is_failed(query) || krl_is_failed(body) || krl_is_failed(headers))
        return krl_failed();
    const struct krl_map *all = query.map;
    for (size_t i = 0; i < body.map->n && all != NULL; i++)
        all = krl_map_put(h, all, krl_map_at(body.map, i)->key, krl_map_at(body.map, i)->value);
    if (in->headers == NULL)
        return krl_of_map(all);
    const struct krl_text *key = krl_text(h, STR("_headers"));
    return all == NULL || key == NULL ? krl_failed()
                                      : krl_of_map(krl_map_put(h, all, key, headers));
}
