/* The standard library on texts. */
#include "krl/case.h"
#include "krl/lib.h"
#include "krl/regex.h"

#include <math.h>

/* The first argument as a text; NULL after an error. */
static const struct krl_text *subject(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_to_text(&m->heap, krl_arg(args, n, 0));
}

struct krl_value lib_capitalize(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = subject(m, args, n);
    if (t == NULL || t->n == 0)
        return krl_of_text(t);
    const struct krl_text *first = krl_text_part(&m->heap, t, 0, 1);
    const struct krl_text *rest = krl_text_part(&m->heap, t, 1, t->n);
    first = first == NULL ? NULL : krl_text_upper(&m->heap, first);
    return first == NULL || rest == NULL ? krl_failed()
                                         : krl_of_text(krl_text_join(&m->heap, first, rest));
}

struct krl_value lib_lc(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = subject(m, args, n);
    return t == NULL ? krl_failed() : krl_of_text(krl_text_lower(&m->heap, t));
}

struct krl_value lib_uc(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = subject(m, args, n);
    return t == NULL ? krl_failed() : krl_of_text(krl_text_upper(&m->heap, t));
}

struct krl_value lib_ord(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = subject(m, args, n);
    if (t == NULL)
        return krl_failed();
    return t->n == 0 ? krl_null() : krl_number(krl_unit(t, 0));
}

static struct krl_value trim(struct krl_machine *m, const struct krl_value *args, size_t n,
                             bool leading, bool trailing)
{
    const struct krl_text *t = subject(m, args, n);
    if (t == NULL || !krl_pay(&m->heap, t->n / KRL_STEP_BYTES))
        return krl_failed();
    size_t from = 0;
    size_t to = t->n;
    while (leading && from < to && krl_is_space(krl_unit(t, from)))
        from++;
    while (trailing && to > from && krl_is_space(krl_unit(t, to - 1)))
        to--;
    return krl_of_text(krl_text_part(&m->heap, t, from, to));
}

struct krl_value lib_trim(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return trim(m, args, n, true, true);
}

struct krl_value lib_trim_leading(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return trim(m, args, n, true, false);
}

struct krl_value lib_trim_trailing(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return trim(m, args, n, false, true);
}

static size_t clamp(double at, size_t n)
{
    return !(at > 0) ? 0 : at > (double)n ? n : (size_t)at;
}

struct krl_value lib_substr(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = subject(m, args, n);
    double start = 0;
    double length = 0;
    if (t == NULL || !krl_to_number(krl_arg(args, n, 1), &start))
        return krl_of_text(t);
    if (start > t->n)
        return krl_of_text(&krl_empty);
    /* A length that is not given counts as 0: to the end. */
    double end = t->n;
    if (krl_to_number(krl_arg(args, n, 2), &length))
        end = length > 0 ? start + length : t->n + length;
    size_t from = clamp(start, t->n);
    size_t to = clamp(end, t->n);
    return krl_of_text(krl_text_part(&m->heap, t, min_size(from, to), max_size(from, to)));
}

static bool two_texts(struct krl_machine *m, const struct krl_value *args, size_t n,
                      const struct krl_text *ret[2])
{
    ret[0] = krl_to_text(&m->heap, krl_arg(args, n, 0));
    ret[1] = krl_to_text(&m->heap, krl_arg(args, n, 1));
    return ret[0] != NULL && ret[1] != NULL && krl_pay(&m->heap, ret[0]->n / KRL_STEP_BYTES);
}

struct krl_value lib_starts_with(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t[2];
    if (!two_texts(m, args, n, t))
        return krl_failed();
    bool fits = t[1]->n <= t[0]->n;
    for (size_t i = 0; fits && i < t[1]->n; i++)
        fits = krl_unit(t[0], i) == krl_unit(t[1], i);
    return krl_bool(fits);
}

struct krl_value lib_ends_with(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t[2];
    if (!two_texts(m, args, n, t))
        return krl_failed();
    bool fits = t[1]->n <= t[0]->n;
    for (size_t i = 0; fits && i < t[1]->n; i++)
        fits = krl_unit(t[0], t[0]->n - t[1]->n + i) == krl_unit(t[1], i);
    return krl_bool(fits);
}

struct krl_value lib_contains(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t[2];
    if (!two_texts(m, args, n, t))
        return krl_failed();
    return krl_bool(krl_text_find(&m->heap, t[0], t[1], 0) != SIZE_MAX);
}

/* --- regular expressions --- */

struct krl_value lib_match(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value pattern = krl_arg(args, n, 1);
    if (pattern.type != KRL_TEXT && pattern.type != KRL_REGEX)
        return krl_bool(false);
    return krl_like(m, krl_arg(args, n, 0), pattern);
}

static inline struct krl_value group(struct krl_machine *m, const struct krl_text *t,
                                     const struct krl_match *match, size_t i)
{
    int32_t from = match->at[2 * i];
    int32_t to = match->at[2 * i + 1];
    if (from < 0 || to < 0)
        return krl_undefined();
    return krl_of_text(krl_text_part(&m->heap, t, (size_t)from, (size_t)to));
}

/* Where a global search goes on: behind the match, and one more where it was empty. */
static size_t behind(const struct krl_match *match)
{
    return (size_t)match->at[1] + (match->at[0] == match->at[1]);
}

struct krl_value lib_extract(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_match match;
    struct krl_search search;
    struct krl_array *a = krl_array_reserve(&m->heap, 4);
    if (n < 2)
        return krl_of_array(a);
    const struct krl_text *t = subject(m, args, n);
    const struct krl_regex *re = krl_to_regex(m, args[1]);
    if (t == NULL || re == NULL || a == NULL)
        return krl_failed();
    krl_search_init(&search, &m->heap, re, t);
    for (size_t at = 0; at <= t->n && krl_search_next(&search, at, &match); at = behind(&match)) {
        size_t first = re->global ? 0 : 1;
        size_t last = re->global ? 1 : re->groups;
        for (size_t i = first; i < last; i++) {
            struct krl_value v = group(m, t, &match, i);
            if (krl_is_failed(v) || !krl_array_add(&m->heap, a, v))
                return krl_failed();
        }
        if (!re->global)
            break;
    }
    return krl_failing(&m->heap) ? krl_failed() : krl_of_array(a);
}

static inline bool add_part(struct krl_machine *m, struct krl_array *a, const struct krl_text *t,
                            size_t from, size_t to)
{
    struct krl_value part = krl_of_text(krl_text_part(&m->heap, t, from, to));
    return !krl_is_failed(part) && krl_array_add(&m->heap, a, part);
}

static struct krl_value split_units(struct krl_machine *m, const struct krl_text *t,
                                    struct krl_array *a)
{
    for (size_t i = 0; i < t->n; i++)
        if (!add_part(m, a, t, i, i + 1))
            return krl_failed();
    return krl_of_array(a);
}

/* RegExp.prototype[@@split] of ECMAScript: no match at the very end, no empty one at the start of a
 * part. */
static struct krl_value split_by_regex(struct krl_machine *m, const struct krl_text *t,
                                       const struct krl_regex *re, struct krl_array *a)
{
    struct krl_match match;
    struct krl_search search;
    size_t start = 0;
    krl_search_init(&search, &m->heap, re, t);
    if (t->n == 0) {
        bool found = krl_search_next(&search, 0, &match);
        if (!found && !add_part(m, a, t, 0, 0))
            return krl_failed();
        return krl_failing(&m->heap) ? krl_failed() : krl_of_array(a);
    }
    for (size_t at = 0; at < t->n && krl_search_next(&search, at, &match);) {
        size_t from = (size_t)match.at[0];
        size_t to = (size_t)match.at[1];
        if (from >= t->n)
            break;
        if (to == start || (from == to && from == start)) {
            at = from + 1;
            continue;
        }
        if (!add_part(m, a, t, start, from))
            return krl_failed();
        for (size_t i = 1; i < re->groups; i++) {
            struct krl_value v = group(m, t, &match, i);
            if (krl_is_failed(v) || !krl_array_add(&m->heap, a, v))
                return krl_failed();
        }
        start = to;
        at = from == to ? to + 1 : to;
    }
    if (krl_failing(&m->heap) || !add_part(m, a, t, start, t->n))
        return krl_failed();
    return krl_of_array(a);
}

struct krl_value lib_split(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value on = krl_arg(args, n, 1);
    const struct krl_text *t = subject(m, args, n);
    struct krl_array *a = krl_array_reserve(&m->heap, 8);
    if (t == NULL || a == NULL)
        return krl_failed();
    if (on.type == KRL_REGEX)
        return split_by_regex(m, t, on.regex, a);
    const struct krl_text *needle = krl_to_text(&m->heap, on);
    if (needle == NULL)
        return krl_failed();
    if (needle->n == 0)
        return split_units(m, t, a);
    size_t start = 0;
    for (size_t at = krl_text_find(&m->heap, t, needle, 0); at != SIZE_MAX;
         at = krl_text_find(&m->heap, t, needle, start)) {
        if (!add_part(m, a, t, start, at))
            return krl_failed();
        start = at + needle->n;
    }
    return add_part(m, a, t, start, t->n) ? krl_of_array(a) : krl_failed();
}

/* --- replace --- */

struct replacing {
    const struct krl_text *subject;
    const struct krl_text *with;
    const struct krl_regex *re; /* NULL: a text was searched for */
    bool plain;                 /* with has no $ */
    const struct krl_match *match;
};

static void add_group(struct krl_builder *b, const struct replacing *r, size_t i)
{
    if (r->match->at[2 * i] >= 0 && r->match->at[2 * i + 1] >= 0)
        krl_add_part(b, r->subject, (size_t)r->match->at[2 * i], (size_t)r->match->at[2 * i + 1]);
}

/* $<name> at i; the end of it, or i where it is none. */
static size_t add_named(struct krl_builder *b, const struct replacing *r, size_t i)
{
    bool named = false;
    for (size_t k = 0; r->re != NULL && k < r->re->groups; k++)
        named = named || r->re->names[k] != NULL;
    size_t end = i + 2;
    while (end < r->with->n && krl_unit(r->with, end) != '>')
        end++;
    if (!named || end == r->with->n)
        return i;
    for (size_t k = 0; k < r->re->groups; k++) {
        const struct krl_text *name = r->re->names[k];
        if (name == NULL || name->n != end - i - 2)
            continue;
        bool same = true;
        for (size_t u = 0; u < name->n; u++)
            same = same && krl_unit(name, u) == krl_unit(r->with, i + 2 + u);
        if (same)
            add_group(b, r, k);
    }
    return end + 1;
}

/* $1, $12; the end of it, or i. */
static size_t add_numbered(struct krl_builder *b, const struct replacing *r, size_t i)
{
    size_t groups = r->re == NULL ? 1 : r->re->groups;
    size_t one = krl_unit(r->with, i + 1) - '0';
    uint16_t next = i + 2 < r->with->n ? krl_unit(r->with, i + 2) : 0;
    size_t two = next >= '0' && next <= '9' ? one * 10 + (next - '0') : 0;
    if (two > 0 && two < groups) {
        add_group(b, r, two);
        return i + 3;
    }
    if (one == 0 || one >= groups)
        return i;
    add_group(b, r, one);
    return i + 2;
}

/* GetSubstitution of ECMAScript, for the $ at i; the end of it, or i. */
static size_t add_dollar(struct krl_builder *b, const struct replacing *r, size_t i)
{
    uint16_t next = i + 1 < r->with->n ? krl_unit(r->with, i + 1) : 0;
    size_t from = (size_t)r->match->at[0];
    size_t to = (size_t)r->match->at[1];
    if (next == '$')
        krl_add_unit(b, '$');
    else if (next == '&')
        krl_add_part(b, r->subject, from, to);
    else if (next == '`')
        krl_add_part(b, r->subject, 0, from);
    else if (next == '\'')
        krl_add_part(b, r->subject, to, r->subject->n);
    else if (next >= '0' && next <= '9')
        return add_numbered(b, r, i);
    else
        return next == '<' ? add_named(b, r, i) : i;
    return i + 2;
}

static bool has_dollar(const struct krl_text *t)
{
    static const uint16_t wide[] = {'$'};
    return krl_text_seek(t, t->wide ? (const void *)wide : "$", 1, 0) != SIZE_MAX;
}

static void add_substitution(struct krl_builder *b, const struct replacing *r)
{
    if (r->plain) {
        krl_add_text(b, r->with);
        return;
    }
    for (size_t i = 0; i < r->with->n && !b->failed;) {
        size_t end = krl_unit(r->with, i) == '$' ? add_dollar(b, r, i) : i;
        if (end == i)
            krl_add_unit(b, krl_unit(r->with, i++));
        else
            i = end;
    }
}

static struct krl_value replace_text(struct krl_machine *m, const struct krl_text *t,
                                     const struct krl_text *needle, const struct krl_text *with)
{
    struct krl_match match;
    struct krl_builder b;
    size_t at = krl_text_find(&m->heap, t, needle, 0);
    if (at == SIZE_MAX)
        return krl_of_text(t);
    match.at[0] = (int32_t)at;
    match.at[1] = (int32_t)(at + needle->n);
    struct replacing r = {.subject = t, .with = with, .match = &match, .plain = !has_dollar(with)};
    krl_builder_init(&b, &m->heap);
    krl_builder_reserve(&b, (size_t)t->n + with->n);
    krl_add_part(&b, t, 0, at);
    add_substitution(&b, &r);
    krl_add_part(&b, t, at + needle->n, t->n);
    return krl_of_text(krl_builder_text(&b));
}

static struct krl_value replace_regex(struct krl_machine *m, const struct krl_text *t,
                                      const struct krl_regex *re, const struct krl_text *with)
{
    struct krl_match match;
    struct krl_search search;
    struct krl_builder b;
    struct replacing r = {
        .subject = t, .with = with, .re = re, .match = &match, .plain = !has_dollar(with)};
    size_t done = 0;
    krl_search_init(&search, &m->heap, re, t);
    krl_builder_init(&b, &m->heap);
    krl_builder_reserve(&b, t->n);
    for (size_t at = 0; at <= t->n && krl_search_next(&search, at, &match); at = behind(&match)) {
        krl_add_part(&b, t, done, (size_t)match.at[0]);
        add_substitution(&b, &r);
        done = (size_t)match.at[1];
        if (!re->global || b.failed)
            break;
    }
    if (krl_failing(&m->heap))
        return krl_failed();
    krl_add_part(&b, t, done, t->n);
    return krl_of_text(krl_builder_text(&b));
}

struct krl_value lib_replace(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    if (n < 2)
        return krl_arg(args, n, 0);
    const struct krl_text *t = subject(m, args, n);
    struct krl_value with = krl_arg(args, n, 2);
    if (t == NULL)
        return krl_failed();
    if (krl_is_function(with)) {
        const struct krl_regex *re = krl_to_regex(m, args[1]);
        return re == NULL ? krl_failed() : lib_replace_by(m, t, re, with);
    }
    const struct krl_text *by = krl_is_null(with) ? &krl_empty : krl_to_text(&m->heap, with);
    if (by == NULL)
        return krl_failed();
    if (args[1].type == KRL_REGEX)
        return replace_regex(m, t, args[1].regex, by);
    const struct krl_text *needle = krl_to_text(&m->heap, args[1]);
    return needle == NULL ? krl_failed() : replace_text(m, t, needle, by);
}
