/* The standard library on arrays, without calls of functions. */
#include "krl/lib.h"

static struct krl_value only_arrays(struct krl_machine *m)
{
    krl_fail(&m->heap, RC_INVALID, "TypeError: only works on Arrays");
    return krl_failed();
}

static struct krl_value empty(struct krl_machine *m)
{
    return krl_of_array(krl_array_new(&m->heap, 0));
}

struct krl_value lib_length(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    (void)m;
    return krl_number(v.type == KRL_ARRAY  ? v.array->n
                      : v.type == KRL_MAP  ? v.map->n
                      : v.type == KRL_TEXT ? v.text->n
                                           : 0);
}

struct krl_value lib_is_empty(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    (void)m;
    if (krl_is_function(v) || krl_is_action(v))
        return krl_bool(false); /* the official engine's functions have members */
    return krl_bool(v.type == KRL_ARRAY  ? v.array->n == 0
                    : v.type == KRL_MAP  ? v.map->n == 0
                    : v.type == KRL_TEXT ? v.text->n == 0
                                         : true);
}

static bool append_flat(struct krl_machine *m, const struct krl_array **a, struct krl_value v)
{
    if (v.type != KRL_ARRAY) {
        *a = krl_array_push(&m->heap, *a, v);
        return *a != NULL;
    }
    for (size_t i = 0; i < v.array->n && *a != NULL; i++)
        *a = krl_array_push(&m->heap, *a, v.array->v[i]);
    return *a != NULL;
}

/* One array with room for all: the headers of pushing one by one would cost as much again. */
static struct krl_value append_all(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += args[i].type == KRL_ARRAY ? args[i].array->n : 1;
    struct krl_array *a = krl_array_reserve(&m->heap, count + count / 2 + 4);
    for (size_t i = 0; a != NULL && i < n; i++) {
        bool flat = args[i].type == KRL_ARRAY;
        size_t many = flat ? args[i].array->n : 1;
        for (size_t k = 0; k < many; k++)
            if (!krl_array_add(&m->heap, a, flat ? args[i].array->v[k] : args[i]))
                return krl_failed();
    }
    return krl_of_array(a);
}

struct krl_value lib_append(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    bool one =
        n == 2 && args[0].type == KRL_ARRAY && (args[1].type != KRL_ARRAY || args[1].array->n == 1);
    if (!one)
        return append_all(m, args, n);
    const struct krl_array *a = args[0].array;
    return append_flat(m, &a, args[1]) ? krl_of_array(a) : krl_failed();
}

struct krl_value lib_head(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    (void)m;
    if (v.type != KRL_ARRAY)
        return v;
    return v.array->n > 0 ? v.array->v[0] : krl_undefined();
}

struct krl_value lib_tail(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (v.type != KRL_ARRAY || v.array->n == 0)
        return empty(m);
    return krl_of_array(krl_array_part(&m->heap, v.array, 1, v.array->n));
}

/* The first element equal to v among the first n; n where there is none. */
static size_t find(struct krl_machine *m, const struct krl_array *a, size_t n, struct krl_value v)
{
    size_t i = 0;
    while (i < n && !krl_equal(&m->heap, v, a->v[i]) && !krl_failing(&m->heap))
        i++;
    return i;
}

struct krl_value lib_index(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (v.type != KRL_ARRAY)
        return only_arrays(m);
    size_t at = find(m, v.array, v.array->n, krl_arg(args, n, 1));
    return krl_number(at < v.array->n ? (double)at : -1);
}

enum { JOINED_UNITS = 4 }; /* of an element, or more: a short number */

struct krl_value lib_join(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct krl_value by = krl_arg(args, n, 1);
    if (v.type != KRL_ARRAY)
        return krl_of_text(krl_to_text(&m->heap, v));
    const struct krl_text *separator =
        krl_is_null(by) ? krl_text(&m->heap, STR(",")) : krl_to_text(&m->heap, by);
    struct krl_builder b;
    krl_builder_init(&b, &m->heap);
    if (separator != NULL)
        krl_builder_reserve(&b, (size_t)v.array->n * (JOINED_UNITS + separator->n));
    for (size_t i = 0; separator != NULL && i < v.array->n && !b.failed; i++) {
        if (i > 0)
            krl_add_text(&b, separator);
        if (!krl_add_value(&b, v.array->v[i]))
            return krl_failed();
    }
    return separator == NULL ? krl_failed() : krl_of_text(krl_builder_text(&b));
}

struct krl_value lib_reverse(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (v.type != KRL_ARRAY)
        return only_arrays(m);
    struct krl_array *a = krl_array_new(&m->heap, v.array->n);
    for (size_t i = 0; a != NULL && i < a->n; i++)
        a->v[i] = v.array->v[a->n - 1 - i];
    return krl_of_array(a);
}

/* _.slice: whole numbers, negative ones from the end, clamped. */
static size_t slice_index(double at, size_t n)
{
    double whole = (double)(int64_t)(at > 4e9 ? 4e9 : at < -4e9 ? -4e9 : at);
    if (whole < 0)
        whole = -whole > (double)n ? 0 : (double)n + whole;
    return whole > (double)n ? n : (size_t)whole;
}

static struct krl_value slice(struct krl_machine *m, const struct krl_array *a, double from,
                              double to)
{
    size_t first = slice_index(from, a->n);
    size_t last = slice_index(to, a->n);
    return krl_of_array(krl_array_part(&m->heap, a, first, max_size(first, last)));
}

struct krl_value lib_slice(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    double first = 0;
    double second = 0;
    if (v.type != KRL_ARRAY)
        return only_arrays(m);
    if (v.array->n == 0 || n == 1)
        return v.array->n == 0 ? empty(m) : v;
    if (!krl_to_number(args[1], &first))
        return krl_type_error(m, "The .slice() operator cannot use @ as an index", args[1], v);
    if (n == 2)
        return first > v.array->n ? empty(m) : slice(m, v.array, 0, first + 1);
    if (!krl_to_number(args[2], &second))
        return krl_type_error(m, "The .slice() operator cannot use @ as the other index", args[2],
                              v);
    double low = first > second ? second : first;
    double high = first > second ? first : second;
    return low >= 0 && high < v.array->n ? slice(m, v.array, low, high + 1) : empty(m);
}

struct krl_value lib_splice(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    double start = 0;
    double count = 0;
    if (v.type != KRL_ARRAY)
        return only_arrays(m);
    if (v.array->n == 0)
        return empty(m);
    double length = v.array->n;
    if (!krl_to_number(krl_arg(args, n, 1), &start))
        return krl_type_error(m, "The .splice() operator cannot use @as an index",
                              krl_arg(args, n, 1), v);
    start = start < 0 ? 0 : start > length - 1 ? length - 1 : start;
    if (!krl_to_number(krl_arg(args, n, 2), &count))
        return krl_type_error(m, "The .splice() operator cannot use @as a number of elements",
                              krl_arg(args, n, 2), v);
    if (count < 0 || start + count > length)
        count = length - start;
    struct krl_value parts[3] = {slice(m, v.array, 0, start), krl_arg(args, n, 3),
                                 slice(m, v.array, start + count, length)};
    if (krl_is_failed(parts[0]) || krl_is_failed(parts[2]))
        return krl_failed();
    if (n < 4)
        parts[1] = empty(m);
    return krl_is_failed(parts[1]) ? krl_failed() : append_all(m, parts, 3);
}

/* --- as sets --- */

static const struct krl_array *as_array(struct krl_machine *m, struct krl_value v)
{
    if (v.type == KRL_ARRAY)
        return v.array;
    struct krl_array *a = krl_array_new(&m->heap, 1);
    if (a != NULL)
        a->v[0] = v;
    return a;
}

/* Add v unless the array has it. */
static bool add_once(struct krl_machine *m, struct krl_array *a, struct krl_value v)
{
    if (find(m, a, a->n, v) < a->n)
        return !krl_failing(&m->heap);
    return !krl_failing(&m->heap) && krl_array_add(&m->heap, a, v);
}

struct krl_value lib_unique(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (v.type != KRL_ARRAY)
        return v;
    struct krl_array *a = krl_array_reserve(&m->heap, v.array->n);
    for (size_t i = 0; a != NULL && i < v.array->n; i++)
        if (!add_once(m, a, v.array->v[i]))
            return krl_failed();
    return krl_of_array(a);
}

/* Elements grouped by their text; those groups that are wanted, each by its first. */
static struct krl_value grouped(struct krl_machine *m, const struct krl_array *a, bool single)
{
    struct krl_map *counts = krl_map_new(&m->heap, a->n);
    struct krl_map *firsts = krl_map_new(&m->heap, a->n);
    struct krl_array *found = krl_array_reserve(&m->heap, 4);
    for (size_t i = 0; i < a->n; i++) {
        struct krl_value v = krl_is_null(a->v[i]) ? krl_null() : a->v[i];
        const struct krl_text *key = krl_to_js_text(&m->heap, v);
        if (key == NULL || counts == NULL || firsts == NULL)
            return krl_failed();
        const struct krl_value *count = krl_map_get(counts, key);
        if (count == NULL && !krl_map_set(&m->heap, firsts, key, v))
            return krl_failed();
        if (!krl_map_set(&m->heap, counts, key, krl_number(count == NULL ? 1 : count->number + 1)))
            return krl_failed();
    }
    for (size_t i = 0; found != NULL && counts != NULL && firsts != NULL && i < counts->n; i++) {
        bool alone = krl_map_at(counts, i)->value.number == 1;
        if (alone == single && !krl_array_add(&m->heap, found, krl_map_at(firsts, i)->value))
            return krl_failed();
    }
    return krl_of_array(found);
}

struct krl_value lib_once(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    return v.type == KRL_ARRAY ? grouped(m, v.array, true) : v;
}

struct krl_value lib_duplicates(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    return v.type == KRL_ARRAY ? grouped(m, v.array, false) : empty(m);
}

struct krl_value lib_union(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    if (n < 2)
        return krl_arg(args, n, 0);
    struct krl_array *a = krl_array_reserve(&m->heap, 8);
    for (size_t k = 0; k < 2 && a != NULL; k++) {
        const struct krl_array *part = as_array(m, args[k]);
        for (size_t i = 0; part != NULL && i < part->n; i++)
            if (!add_once(m, a, part->v[i]))
                return krl_failed();
    }
    return krl_failing(&m->heap) ? krl_failed() : krl_of_array(a);
}

/* Elements of a that b has (or has not). */
static struct krl_value sift(struct krl_machine *m, struct krl_value left, struct krl_value right,
                             bool keep)
{
    const struct krl_array *a = as_array(m, left);
    const struct krl_array *b = as_array(m, right);
    struct krl_array *found = krl_array_reserve(&m->heap, 8);
    if (a == NULL || b == NULL || found == NULL)
        return krl_failed();
    for (size_t i = 0; i < a->n; i++) {
        bool there = find(m, b, b->n, a->v[i]) < b->n;
        if (krl_failing(&m->heap))
            return krl_failed();
        if (there != keep)
            continue;
        /* An intersection has each once, a difference keeps them all. */
        if (keep ? !add_once(m, found, a->v[i]) : !krl_array_add(&m->heap, found, a->v[i]))
            return krl_failed();
    }
    return krl_of_array(found);
}

struct krl_value lib_intersection(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return n < 2 ? empty(m) : sift(m, args[0], args[1], true);
}

struct krl_value lib_difference(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return n < 2 ? krl_arg(args, n, 0) : sift(m, args[0], args[1], false);
}

struct krl_value lib_has(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value rest = sift(m, krl_arg(args, n, 1), krl_arg(args, n, 0), false);
    return krl_is_failed(rest) ? rest : krl_bool(rest.array->n == 0);
}
