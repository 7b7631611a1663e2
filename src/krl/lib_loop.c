/* The standard library that calls functions: each is a machine of small steps (loop.h). */
#include "krl/lib.h"
#include "krl/loop.h"
#include "krl/number.h"
#include "krl/regex.h"

/* --- walking a collection: all any none notall filter map collect --- */

enum walk { WALK_ALL, WALK_ANY, WALK_FILTER, WALK_MAP, WALK_COLLECT };

static size_t count_of(struct krl_value v)
{
    return v.type == KRL_ARRAY ? v.array->n : v.map->n;
}

static struct krl_value value_at(struct krl_value v, size_t i)
{
    return v.type == KRL_ARRAY ? v.array->v[i] : krl_map_at(v.map, i)->value;
}

static bool add_to_group(struct krl_machine *m, struct krl_loop *l, struct krl_value result,
                         struct krl_value v)
{
    const struct krl_text *key = krl_to_js_text(&m->heap, result);
    if (key == NULL)
        return false;
    /* Nobody else has seen the map and its arrays: they are filled in place. */
    const struct krl_value *group = krl_map_get(l->map, key);
    struct krl_array *a = group != NULL ? (struct krl_array *)(uintptr_t)group->array
                                        : krl_array_reserve(&m->heap, 4);
    return a != NULL && krl_array_add(&m->heap, a, v) &&
           (group != NULL || krl_map_set(&m->heap, l->map, key, krl_of_array(a)));
}

/* Take the result for the element before; *ret_end: it decides the whole. */
static bool take_result(struct krl_machine *m, struct krl_loop *l, struct krl_value result,
                        bool *ret_end)
{
    size_t i = l->at - 1;
    struct krl_value v = value_at(l->subject, i);
    enum walk kind = *(const enum walk *)l->more;
    bool array = l->subject.type == KRL_ARRAY;
    bool truthy = krl_truthy(result);
    switch (kind) {
    case WALK_ALL:
    case WALK_ANY:
        *ret_end = truthy == (kind == WALK_ANY);
        return true;
    case WALK_FILTER:
        if (!truthy)
            return true;
        return array ? krl_array_add(&m->heap, l->array, v)
                     : krl_map_set(&m->heap, l->map, krl_map_at(l->subject.map, i)->key, v);
    case WALK_MAP:
        return array ? krl_array_add(&m->heap, l->array, result)
                     : krl_map_set(&m->heap, l->map, krl_map_at(l->subject.map, i)->key, result);
    case WALK_COLLECT:
        return add_to_group(m, l, result, v);
    }
    NEVER("not a walk");
}

static enum krl_step end_walk(struct krl_loop *l, bool decided)
{
    enum walk kind = *(const enum walk *)l->more;
    if (kind == WALK_ALL || kind == WALK_ANY)
        l->result = krl_bool((decided == (kind == WALK_ANY)) != l->flag);
    else if (l->subject.type == KRL_ARRAY && kind != WALK_COLLECT)
        l->result = krl_of_array(l->array);
    else
        l->result = krl_of_map(l->map);
    return KRL_STEP_DONE;
}

static enum krl_step step_walk(struct krl_machine *m, struct krl_loop *l, struct krl_value result)
{
    bool end = false;
    for (;;) {
        if (l->at > 0 && !take_result(m, l, result, &end))
            return KRL_STEP_FAIL;
        if (end || l->at == count_of(l->subject))
            return end_walk(l, end);
        size_t i = l->at++;
        result = value_at(l->subject, i);
        if (l->callee.type != KRL_UNDEFINED)
            break;
        /* No function: each element stands for itself. */
        if (!krl_pay(&m->heap, 1))
            return KRL_STEP_FAIL;
    }
    size_t i = l->at - 1;
    l->few[0] = result;
    l->few[1] = l->subject.type == KRL_ARRAY ? krl_number((double)i)
                                             : krl_of_text(krl_map_at(l->subject.map, i)->key);
    l->few[2] = l->subject;
    l->args = l->few;
    l->args_n = 3;
    return KRL_STEP_CALL;
}

static struct krl_value walk(struct krl_machine *m, const struct krl_value *args, size_t n,
                             enum walk kind, bool negate)
{
    static const enum walk kinds[] = {WALK_ALL, WALK_ANY, WALK_FILTER, WALK_MAP, WALK_COLLECT};
    struct krl_value fn = krl_arg(args, n, 1);
    struct krl_loop *l = krl_loop_new(m, step_walk);
    if (!krl_is_collection(krl_arg(args, n, 0))) {
        krl_fail(&m->heap, RC_INVALID, "TypeError: only works on collections");
        return krl_failed();
    }
    bool identity = krl_is_null(fn) && kind >= WALK_FILTER;
    if (!identity && !krl_is_function(fn) && count_of(args[0]) > 0) {
        krl_fail(&m->heap, RC_INVALID, "TypeError: iter is not a function");
        return krl_failed();
    }
    if (l == NULL)
        return krl_failed();
    l->subject = args[0];
    l->callee = identity ? krl_undefined() : fn;
    l->more = (void *)(uintptr_t)&kinds[kind];
    l->flag = negate;
    if (kind >= WALK_FILTER && args[0].type == KRL_ARRAY && kind != WALK_COLLECT) {
        l->array = krl_array_reserve(&m->heap, kind == WALK_MAP ? args[0].array->n : 4);
        return l->array == NULL ? krl_failed() : krl_loop_value(l);
    }
    l->map = krl_map_new(&m->heap, kind == WALK_MAP ? args[0].map->n : 4);
    return l->map == NULL ? krl_failed() : krl_loop_value(l);
}

#define WALK(fn, kind, negate)                                                         \
    struct krl_value fn(struct krl_machine *m, const struct krl_value *args, size_t n) \
    {                                                                                  \
        return walk(m, args, n, kind, negate);                                         \
    }
WALK(lib_all, WALK_ALL, false)
WALK(lib_notall, WALK_ALL, true)
WALK(lib_any, WALK_ANY, false)
WALK(lib_none, WALK_ANY, true)
WALK(lib_filter, WALK_FILTER, false)
WALK(lib_map, WALK_MAP, false)
WALK(lib_collect, WALK_COLLECT, false)

/* --- reduce --- */

static enum krl_step step_reduce(struct krl_machine *m, struct krl_loop *l, struct krl_value result)
{
    (void)m;
    if (l->flag) /* a result is there */
        l->result = result;
    if (l->at == l->subject.array->n)
        return KRL_STEP_DONE;
    l->few[0] = l->result;
    l->few[1] = l->subject.array->v[l->at];
    l->few[2] = krl_number(l->at++);
    l->few[3] = l->subject;
    l->args = l->few;
    l->args_n = 4;
    l->flag = true;
    return KRL_STEP_CALL;
}

struct krl_value lib_reduce(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct krl_value fn = krl_arg(args, n, 1);
    bool no_default = n < 3;
    if (v.type != KRL_ARRAY) {
        krl_fail(&m->heap, RC_INVALID, "TypeError: only works on Arrays");
        return krl_failed();
    }
    if (v.array->n == 0)
        return no_default ? krl_number(0) : args[2];
    if (!krl_is_function(fn) && (no_default || v.array->n > 1)) {
        krl_fail(&m->heap, RC_INVALID,
                 "Error: The .reduce() operator cannot use %.*s as a function",
                 STRF(krl_to_message(&m->heap, fn)));
        return krl_failed();
    }
    if (!krl_is_function(fn)) {
        krl_fail(&m->heap, RC_INVALID, "TypeError: iter is not a function");
        return krl_failed();
    }
    if (v.array->n == 1 && no_default)
        return v.array->v[0];
    struct krl_loop *l = krl_loop_new(m, step_reduce);
    if (l == NULL)
        return krl_failed();
    l->subject = v;
    l->callee = fn;
    l->result = no_default ? v.array->v[0] : args[2];
    l->at = no_default;
    return krl_loop_value(l);
}

/* --- pairwise --- */

static enum krl_step step_pairwise(struct krl_machine *m, struct krl_loop *l,
                                   struct krl_value result)
{
    const struct krl_array *rows = l->subject.array;
    if (l->at > 0 && !krl_array_add(&m->heap, l->array, result))
        return KRL_STEP_FAIL;
    size_t longest = 0;
    for (size_t i = 0; i < rows->n; i++)
        longest = max_size(longest, rows->v[i].type == KRL_ARRAY ? rows->v[i].array->n : 1);
    if (l->at == longest) {
        l->result = krl_of_array(l->array);
        return KRL_STEP_DONE;
    }
    struct krl_value *column = krl_take_n(&m->heap, rows->n, sizeof *column);
    if (column == NULL || !krl_pay(&m->heap, rows->n))
        return KRL_STEP_FAIL;
    for (size_t i = 0; i < rows->n; i++) {
        struct krl_value row = rows->v[i];
        if (row.type == KRL_ARRAY)
            column[i] = l->at < row.array->n ? row.array->v[l->at] : krl_undefined();
        else
            column[i] = l->at == 0 ? row : krl_undefined();
    }
    l->at++;
    l->args = column;
    l->args_n = rows->n;
    return KRL_STEP_CALL;
}

struct krl_value lib_pairwise(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct krl_value fn = krl_arg(args, n, 1);
    if (v.type != KRL_ARRAY)
        return krl_type_error(m, "The .pairwise() operator cannot be called on @", v, v);
    if (v.array->n < 2)
        return krl_type_error(m, "The .pairwise() operator needs a longer array", v, v);
    if (!krl_is_function(fn))
        return krl_type_error(m, "The .pairwise() operator cannot use @ as a function", fn, v);
    struct krl_loop *l = krl_loop_new(m, step_pairwise);
    struct krl_array *a = krl_array_reserve(&m->heap, 4);
    if (l == NULL || a == NULL)
        return krl_failed();
    l->subject = v;
    l->callee = fn;
    l->array = a;
    return krl_loop_value(l);
}

/* --- sort: merging runs of doubling length, stable --- */

struct sorting {
    struct krl_value *from;
    struct krl_value *to;
    size_t n;
    size_t run;   /* length of the runs that are in order */
    size_t start; /* of the pair of runs that is being merged */
    size_t left;
    size_t right;
    size_t out;
    int (*order)(struct krl_heap *h, struct krl_value a, struct krl_value b); /* NULL: a function */
    bool down;
};

static void begin_pair(struct sorting *s, size_t start)
{
    s->start = s->out = s->left = start;
    s->right = min_size(start + s->run, s->n);
}

/* The next two to compare; false: all is in order. */
static bool next_pair(struct sorting *s)
{
    while (s->run < s->n) {
        size_t middle = min_size(s->start + s->run, s->n);
        size_t end = min_size(s->start + 2 * s->run, s->n);
        if (s->left < middle && s->right < end)
            return true;
        while (s->left < middle)
            s->to[s->out++] = s->from[s->left++];
        while (s->right < end)
            s->to[s->out++] = s->from[s->right++];
        if (end < s->n) {
            begin_pair(s, end);
            continue;
        }
        struct krl_value *was = s->from;
        s->from = s->to;
        s->to = was;
        s->run *= 2;
        begin_pair(s, 0);
    }
    return false;
}

static void take_order(struct sorting *s, bool left_first)
{
    s->to[s->out++] = s->from[left_first ? s->left++ : s->right++];
}

static enum krl_step step_sort(struct krl_machine *m, struct krl_loop *l, struct krl_value result)
{
    struct sorting *s = l->more;
    if (l->flag) {
        double number = 0;
        /* An order that is no number counts as "not at or before", as in JavaScript. */
        bool known = krl_to_number(result, &number) && result.type != KRL_UNDEFINED;
        take_order(s, known && number <= 0);
    }
    while (next_pair(s)) {
        struct krl_value a = s->from[s->left];
        struct krl_value b = s->from[s->right];
        if (!krl_pay(&m->heap, 1))
            return KRL_STEP_FAIL;
        if (s->order == NULL) {
            l->few[0] = a;
            l->few[1] = b;
            l->args = l->few;
            l->args_n = 2;
            l->flag = true;
            return KRL_STEP_CALL;
        }
        int order = s->order(&m->heap, a, b);
        if (krl_failing(&m->heap))
            return KRL_STEP_FAIL;
        take_order(s, s->down ? order >= 0 : order <= 0);
    }
    struct krl_array *a = l->array;
    if (a->n > 0)
        memmove(a->v, s->from, a->n * sizeof *a->v);
    l->result = krl_of_array(a);
    return KRL_STEP_DONE;
}

/* The values to be sorted; undefined ones go behind, as Array.prototype.sort has it. */
static struct sorting *sorting_new(struct krl_machine *m, const struct krl_array *a, bool by_name,
                                   struct krl_array *whole)
{
    struct sorting *s = krl_take(&m->heap, sizeof *s);
    struct krl_value *from = krl_take_n(&m->heap, (size_t)a->n + 1, sizeof *from);
    struct krl_value *to = krl_take_n(&m->heap, (size_t)a->n + 1, sizeof *to);
    if (s == NULL || from == NULL || to == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (!by_name || a->v[i].type != KRL_UNDEFINED)
            from[n++] = a->v[i];
    whole->n = (uint32_t)n; /* put back below */
    *s = (struct sorting){.from = from, .to = to, .n = n, .run = 1};
    begin_pair(s, 0);
    return s;
}

static enum krl_step step_sort_by_name(struct krl_machine *m, struct krl_loop *l,
                                       struct krl_value result)
{
    enum krl_step step = step_sort(m, l, result);
    /* What was undefined lies zeroed behind the others. */
    if (step == KRL_STEP_DONE)
        l->array->n = (uint32_t)l->array->room->used;
    return step;
}

struct krl_value lib_sort(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct krl_value by = krl_arg(args, n, 1);
    if (v.type != KRL_ARRAY)
        return v;
    bool function = krl_is_function(by);
    const struct krl_text *name = by.type == KRL_TEXT ? by.text : &krl_empty;
    bool numeric = krl_text_is(name, "numeric") || krl_text_is(name, "ciremun");
    struct krl_loop *l = krl_loop_new(m, function ? step_sort : step_sort_by_name);
    struct krl_array *a = krl_array_new(&m->heap, v.array->n);
    struct sorting *s = a == NULL ? NULL : sorting_new(m, v.array, !function, a);
    if (l == NULL || s == NULL)
        return krl_failed();
    s->down = krl_text_is(name, "reverse") || krl_text_is(name, "ciremun");
    s->order = function ? NULL : numeric ? krl_compare : krl_compare_text;
    l->callee = by;
    l->array = a;
    l->more = s;
    return krl_loop_value(l);
}

/* --- replace by a function --- */

struct replacing {
    const struct krl_text *text;
    const struct krl_regex *re;
    struct krl_search search;
    struct krl_match match;
    struct krl_builder out;
    size_t done;
    size_t next;
};

static enum krl_step end_replace(struct krl_loop *l, struct replacing *r)
{
    krl_add_part(&r->out, r->text, r->done, r->text->n);
    l->result = krl_of_text(krl_builder_text(&r->out));
    return KRL_STEP_DONE;
}

static enum krl_step step_replace(struct krl_machine *m, struct krl_loop *l,
                                  struct krl_value result)
{
    struct replacing *r = l->more;
    if (l->flag) {
        const struct krl_text *t = krl_to_js_text(&m->heap, result);
        if (t == NULL)
            return KRL_STEP_FAIL;
        krl_add_text(&r->out, t);
        if (!r->re->global)
            return end_replace(l, r);
    }
    if (r->next > r->text->n || !krl_search_next(&r->search, r->next, &r->match))
        return krl_failing(&m->heap) ? KRL_STEP_FAIL : end_replace(l, r);
    krl_add_part(&r->out, r->text, r->done, (size_t)r->match.at[0]);
    r->done = (size_t)r->match.at[1];
    r->next = r->done + (r->match.at[0] == r->match.at[1]);
    size_t groups = r->re->groups;
    struct krl_value *args = krl_take_n(&m->heap, groups + 2, sizeof *args);
    if (args == NULL)
        return KRL_STEP_FAIL;
    for (size_t i = 0; i < groups; i++) {
        int32_t from = r->match.at[2 * i];
        int32_t to = r->match.at[2 * i + 1];
        if (from >= 0 && to >= 0)
            args[i] = krl_of_text(krl_text_part(&m->heap, r->text, (size_t)from, (size_t)to));
    }
    args[groups] = krl_number(r->match.at[0]);
    args[groups + 1] = krl_of_text(r->text);
    l->args = args;
    l->args_n = (uint32_t)groups + 2;
    l->flag = true;
    return krl_failing(&m->heap) ? KRL_STEP_FAIL : KRL_STEP_CALL;
}

struct krl_value lib_replace_by(struct krl_machine *m, const struct krl_text *text,
                                const struct krl_regex *re, struct krl_value fn)
{
    struct krl_loop *l = krl_loop_new(m, step_replace);
    struct replacing *r = krl_take(&m->heap, sizeof *r);
    if (l == NULL || r == NULL)
        return krl_failed();
    r->text = text;
    r->re = re;
    krl_search_init(&r->search, &m->heap, re, text);
    krl_builder_init(&r->out, &m->heap);
    l->callee = fn;
    l->more = r;
    return krl_loop_value(l);
}
