#include "krl/value.h"

#include "krl/code.h"
#include "krl/number.h"
#include "krl/regex.h"

#include <math.h>

enum {
    MESSAGE_BYTES_MAX = 160,
    JS_TEXT_DEPTH_MAX = 64,
    HEX_UNITS_MAX = 4096, /* so that asking for a type costs no more */
    RAW_FROM = 16,        /* room for so many values is not zeroed before they come */
};

struct krl_value krl_ascii(struct krl_heap *h, const char *text)
{
    return krl_of_text(krl_text(h, str_c(text)));
}

/* --- what a value is --- */

static bool is_hex(const struct krl_text *t)
{
    if (t->wide || t->n < 3 || t->n > HEX_UNITS_MAX || t->a[0] != '0' || (t->a[1] | 0x20) != 'x')
        return false;
    for (size_t i = 2; i < t->n; i++) {
        char lower = (char)(t->a[i] | 0x20);
        if (!(t->a[i] >= '0' && t->a[i] <= '9') && !(lower >= 'a' && lower <= 'f'))
            return false;
    }
    return true;
}

static const char *type_of_callable(struct krl_value v)
{
    bool function = krl_is_function(v);
    if (krl_is_action(v))
        return function ? "ActionFunction" : "Action";
    return function ? "Function" : "JSObject";
}

const char *krl_typeof(struct krl_value v)
{
    switch (v.type) {
    case KRL_UNDEFINED:
    case KRL_NULL:
        return "Null";
    case KRL_BOOL:
        return "Boolean";
    case KRL_NUMBER:
        return isnan(v.number) ? "Null" : isinf(v.number) ? "JSObject" : "Number";
    case KRL_TEXT:
        return is_hex(v.text) ? "Hex" : "String";
    case KRL_REGEX:
        return "RegExp";
    case KRL_ARRAY:
        return "Array";
    case KRL_MAP:
        return "Map";
    case KRL_FUNCTION:
    case KRL_BUILTIN:
    case KRL_DOOR:
        return type_of_callable(v);
    case KRL_CELL:
    case KRL_FAILED:
        break;
    }
    NEVER("not a value");
}

bool krl_is_null(struct krl_value v)
{
    return v.type == KRL_UNDEFINED || v.type == KRL_NULL ||
           (v.type == KRL_NUMBER && isnan(v.number));
}

bool krl_is_collection(struct krl_value v)
{
    return v.type == KRL_ARRAY || v.type == KRL_MAP;
}

bool krl_is_function(struct krl_value v)
{
    if (v.type == KRL_FUNCTION)
        return !v.function->proto->is_action;
    if (v.type == KRL_BUILTIN)
        return v.builtin->kind != KRL_KIND_ACTION;
    return v.type == KRL_DOOR && (v.door->kinds & KRL_DOOR_FUNCTION) != 0;
}

bool krl_is_action(struct krl_value v)
{
    if (v.type == KRL_FUNCTION)
        return v.function->proto->is_action;
    if (v.type == KRL_BUILTIN)
        return v.builtin->kind != KRL_KIND_FUNCTION;
    return v.type == KRL_DOOR && (v.door->kinds & KRL_DOOR_ACTION) != 0;
}

bool krl_truthy(struct krl_value v)
{
    switch (v.type) {
    case KRL_BOOL:
        return v.truth;
    case KRL_NUMBER:
        return v.number != 0 && !isnan(v.number);
    case KRL_TEXT:
        return v.text->n > 0;
    case KRL_UNDEFINED:
    case KRL_NULL:
        return false;
    case KRL_REGEX:
    case KRL_ARRAY:
    case KRL_MAP:
    case KRL_FUNCTION:
    case KRL_BUILTIN:
    case KRL_DOOR:
        return true;
    case KRL_CELL:
    case KRL_FAILED:
        break;
    }
    NEVER("not a value");
}

/* --- coercions --- */

static const struct krl_text *ascii_text(struct krl_heap *h, const char *s)
{
    return krl_text(h, str_c(s));
}

static const struct krl_text *number_text(struct krl_heap *h, double number)
{
    char text[KRL_NUMBER_TEXT_MAX];
    return krl_text(h, str_n(text, krl_number_print(number, text)));
}

const struct krl_text *krl_to_text(struct krl_heap *h, struct krl_value v)
{
    if (v.type == KRL_TEXT)
        return v.text;
    if (krl_is_null(v))
        return ascii_text(h, "null");
    if (v.type == KRL_BOOL)
        return ascii_text(h, v.truth ? "true" : "false");
    if (krl_is_number(v))
        return number_text(h, v.number);
    if (v.type == KRL_REGEX)
        return krl_regex_text(h, v.regex);
    struct krl_builder b;
    krl_builder_init(&b, h);
    krl_add_unit(&b, '[');
    krl_add_ascii(&b, str_c(krl_typeof(v)));
    krl_add_unit(&b, ']');
    return krl_builder_text(&b);
}

static bool add_other(struct krl_builder *b, struct krl_value v)
{
    char digits[KRL_NUMBER_TEXT_MAX];
    if (krl_is_number(v)) {
        krl_add_ascii(b, str_n(digits, krl_number_print(v.number, digits)));
        return !b->failed;
    }
    const struct krl_text *t = krl_to_text(b->heap, v);
    if (t == NULL)
        return false;
    krl_add_text(b, t);
    return !b->failed;
}

bool krl_add_value(struct krl_builder *b, struct krl_value v)
{
    char *room = krl_is_number(v) ? krl_builder_room(b, KRL_NUMBER_TEXT_MAX) : NULL;
    if (room == NULL)
        return add_other(b, v);
    b->n += krl_number_print(v.number, room);
    return true;
}

struct str krl_to_message(struct krl_heap *h, struct krl_value v)
{
    const struct krl_text *t = krl_to_text(h, v);
    if (t != NULL && t->n > MESSAGE_BYTES_MAX)
        t = krl_text_part(h, t, 0, MESSAGE_BYTES_MAX);
    return t == NULL ? STR("?") : krl_text_utf8(h, t, false);
}

bool krl_to_number(struct krl_value v, double *ret)
{
    if (v.type == KRL_NUMBER && isfinite(v.number))
        *ret = v.number;
    else if (krl_is_null(v))
        *ret = 0;
    else if (v.type == KRL_BOOL)
        *ret = v.truth;
    else if (v.type == KRL_TEXT)
        *ret = krl_number_read(v.text);
    else if (v.type == KRL_ARRAY)
        *ret = v.array->n;
    else if (v.type == KRL_MAP)
        *ret = v.map->n;
    else
        return false;
    /* A long Hex is the one that is kept where it is infinite: parseInt has no such test. */
    return isfinite(*ret) || (v.type == KRL_TEXT && isinf(*ret) && is_hex(v.text));
}

static void add_js_text(struct krl_builder *b, struct krl_value v, int depth)
{
    struct krl_heap *h = b->heap;
    if (v.type == KRL_ARRAY && depth < JS_TEXT_DEPTH_MAX) {
        for (size_t i = 0; i < v.array->n && !b->failed; i++) {
            if (i > 0)
                krl_add_unit(b, ',');
            if (!krl_is_null(v.array->v[i]) || v.array->v[i].type == KRL_NUMBER)
                add_js_text(b, v.array->v[i], depth + 1);
        }
        return;
    }
    if (v.type == KRL_MAP) {
        krl_add_ascii(b, STR("[object Object]"));
        return;
    }
    if (v.type == KRL_UNDEFINED || v.type == KRL_NUMBER) {
        char text[KRL_NUMBER_TEXT_MAX];
        krl_add_ascii(b, v.type == KRL_NUMBER ? str_n(text, krl_number_print(v.number, text))
                                              : STR("undefined"));
        return;
    }
    const struct krl_text *t = krl_to_text(h, v);
    if (t == NULL)
        b->failed = true;
    else
        krl_add_text(b, t);
}

const struct krl_text *krl_to_js_text(struct krl_heap *h, struct krl_value v)
{
    if (v.type == KRL_TEXT)
        return v.text;
    struct krl_builder b;
    krl_builder_init(&b, h);
    add_js_text(&b, v, 0);
    return krl_builder_text(&b);
}

/* --- equality and order --- */

static bool equal_at(struct krl_heap *h, struct krl_value a, struct krl_value b, int depth);

static bool equal_maps(struct krl_heap *h, const struct krl_map *a, const struct krl_map *b,
                       int depth)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct krl_entry *e = krl_map_at(a, i);
        const struct krl_value *other = krl_map_get(b, e->key);
        if (other == NULL || !equal_at(h, e->value, *other, depth))
            return false;
    }
    return true;
}

static bool equal_at(struct krl_heap *h, struct krl_value a, struct krl_value b, int depth)
{
    if (krl_is_null(a) || krl_is_null(b))
        return krl_is_null(a) && krl_is_null(b);
    if (a.type != b.type || !krl_pay(h, 1))
        return false;
    if (depth > KRL_VALUE_DEPTH_MAX) {
        krl_fail(h, RC_TOO_LARGE, "RangeError: values are nested too deep");
        return false;
    }
    switch (a.type) {
    case KRL_BOOL:
        return a.truth == b.truth;
    case KRL_NUMBER:
        return a.number == b.number;
    case KRL_TEXT:
        return krl_pay(h, a.text->n / KRL_STEP_BYTES) && krl_text_eq(a.text, b.text);
    case KRL_REGEX:
        return krl_regex_eq(a.regex, b.regex);
    case KRL_ARRAY:
        if (a.array->n != b.array->n)
            return false;
        for (size_t i = 0; i < a.array->n; i++)
            if (!equal_at(h, a.array->v[i], b.array->v[i], depth + 1))
                return false;
        return true;
    case KRL_MAP:
        return equal_maps(h, a.map, b.map, depth + 1);
    case KRL_FUNCTION:
        return a.function == b.function;
    case KRL_BUILTIN:
        return a.builtin == b.builtin;
    case KRL_DOOR:
        return a.door == b.door;
    case KRL_UNDEFINED:
    case KRL_NULL:
    case KRL_CELL:
    case KRL_FAILED:
        break;
    }
    NEVER("not a value");
}

bool krl_equal(struct krl_heap *h, struct krl_value a, struct krl_value b)
{
    return equal_at(h, a, b, 0);
}

int krl_compare_text(struct krl_heap *h, struct krl_value a, struct krl_value b)
{
    const struct krl_text *left = krl_to_text(h, a);
    const struct krl_text *right = krl_to_text(h, b);
    if (left == NULL || right == NULL || !krl_pay(h, left->n / KRL_STEP_BYTES))
        return 0; /* the error in the heap ends it */
    int order = krl_text_cmp(left, right);
    return order < 0 ? -1 : order > 0;
}

int krl_compare(struct krl_heap *h, struct krl_value a, struct krl_value b)
{
    double left = 0;
    double right = 0;
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return krl_compare_text(h, a, b);
    return left == right ? 0 : left > right ? 1 : -1;
}

/* --- arrays --- */

struct krl_array *krl_array_reserve(struct krl_heap *h, size_t capacity)
{
    struct krl_array *a = krl_take(h, sizeof *a);
    size_t bytes = 0;
    if (a == NULL)
        return NULL;
    if (__builtin_mul_overflow(capacity, sizeof(struct krl_value), &bytes) ||
        capacity >= UINT32_MAX)
        bytes = SIZE_MAX / 2;
    struct krl_items *room = capacity < RAW_FROM ? krl_take(h, sizeof *room + bytes)
                                                 : krl_take_raw(h, sizeof *room + bytes);
    if (room == NULL)
        return NULL;
    *room = (struct krl_items){.capacity = capacity};
    a->room = room;
    a->v = room->values;
    return a;
}

struct krl_array *krl_array_new(struct krl_heap *h, size_t n)
{
    struct krl_array *a = krl_array_reserve(h, n);
    if (a == NULL)
        return NULL;
    a->n = (uint32_t)n;
    a->room->used = n;
    if (n >= RAW_FROM)
        memset(a->v, 0, n * sizeof *a->v);
    return a;
}

bool krl_array_grow(struct krl_heap *h, struct krl_array *a)
{
    struct krl_array *more = krl_array_reserve(h, (size_t)a->n * 2 + 4);
    if (more == NULL)
        return false;
    if (a->n > 0)
        memcpy(more->v, a->v, a->n * sizeof *a->v);
    more->room->used = a->n;
    a->room = more->room;
    a->v = more->v;
    return true;
}

const struct krl_array *krl_array_push(struct krl_heap *h, const struct krl_array *a,
                                       struct krl_value v)
{
    struct krl_array *more = NULL;
    if (a->room != NULL && a->v + a->n == a->room->values + a->room->used &&
        a->room->used < a->room->capacity) {
        more = krl_take(h, sizeof *more);
        if (more != NULL)
            *more = *a;
    } else {
        more = krl_array_reserve(h, (size_t)a->n + a->n / 2 + 4);
        if (more != NULL) {
            if (a->n > 0)
                memcpy(more->v, a->v, a->n * sizeof *a->v);
            more->n = a->n;
            more->room->used = a->n;
        }
    }
    return more != NULL && krl_array_add(h, more, v) ? more : NULL;
}

const struct krl_array *krl_array_part(struct krl_heap *h, const struct krl_array *a, size_t from,
                                       size_t to)
{
    ASSERT(from <= to && to <= a->n);
    struct krl_array *part = krl_take(h, sizeof *part);
    if (part != NULL)
        *part = (struct krl_array){.n = (uint32_t)(to - from), .v = a->v + from, .room = a->room};
    return part;
}
