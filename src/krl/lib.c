/* The table of the standard library, the operators, and what belongs to no type. */
#include "krl/lib.h"

#include "krl/number.h"
#include "krl/regex.h"

#include <math.h>

enum { RANGE_MAX = 100 * 1000 * 1000, INDENT_MAX = 10 };

#define PARAMS(...) (sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
#define F(name, fn, ...)                                                       \
    {                                                                          \
        name, {__VA_ARGS__}, fn, KRL_KIND_FUNCTION, PARAMS(__VA_ARGS__), false \
    }
#define L(name, fn, ...)                                                      \
    {                                                                         \
        name, {__VA_ARGS__}, fn, KRL_KIND_FUNCTION, PARAMS(__VA_ARGS__), true \
    }

/* In the order of bytes. */
const struct krl_builtin krl_builtins[] = {
    L("all", lib_all, "val", "iter"),
    L("any", lib_any, "val", "iter"),
    F("append", lib_append, "val", "a", "b", "c", "d", "e"),
    F("as", lib_as, "val", "type"),
    F("band", lib_band, "left", "right"),
    F("bnot", lib_bnot, "left"),
    F("bor", lib_bor, "left", "right"),
    F("bxor", lib_bxor, "left", "right"),
    F("capitalize", lib_capitalize, "val"),
    F("chr", lib_chr, "val"),
    F("cmp", lib_cmp, "left", "right"),
    L("collect", lib_collect, "val", "iter"),
    F("contains", lib_contains, "val", "target"),
    F("decode", lib_decode, "val"),
    F("defaultsTo", lib_defaults_to, "val", "defaultVal", "message"),
    F("delete", lib_delete, "val", "path"),
    F("difference", lib_difference, "a", "b"),
    F("duplicates", lib_duplicates, "val"),
    F("encode", lib_encode, "val", "indent"),
    F("endsWith", lib_ends_with, "val", "target"),
    F("extract", lib_extract, "val", "regex"),
    L("filter", lib_filter, "val", "iter"),
    F("get", lib_get, "obj", "path"),
    F("has", lib_has, "val", "other"),
    F("head", lib_head, "val"),
    F("index", lib_index, "val", "elm"),
    F("intersection", lib_intersection, "a", "b"),
    F("isEmpty", lib_is_empty, "val"),
    F("isnull", lib_isnull, "val"),
    F("join", lib_join, "val", "str"),
    F("keys", lib_keys, "val", "path"),
    F("klog", lib_klog, "val", "message"),
    F("lc", lib_lc, "val"),
    F("length", lib_length, "val"),
    F("like", lib_like, "val", "regex"),
    L("map", lib_map, "val", "iter"),
    F("match", lib_match, "val", "regex"),
    L("none", lib_none, "val", "iter"),
    {"noop", {NULL}, lib_noop, KRL_KIND_BOTH, 0, false},
    L("notall", lib_notall, "val", "iter"),
    F("once", lib_once, "val"),
    F("ord", lib_ord, "val"),
    L("pairwise", lib_pairwise, "val", "iter"),
    F("put", lib_put, "val", "path", "toSet"),
    F("range", lib_range, "val", "end"),
    L("reduce", lib_reduce, "val", "iter", "dflt"),
    L("replace", lib_replace, "val", "regex", "replacement"),
    F("reverse", lib_reverse, "val"),
    {"send_directive", {"name", "options"}, lib_send_directive, KRL_KIND_ACTION, 2, false},
    F("set", lib_set, "obj", "path", "val"),
    F("shiftLeft", lib_shift_left, "left", "right"),
    F("shiftRight", lib_shift_right, "left", "right"),
    F("slice", lib_slice, "val", "start", "end"),
    L("sort", lib_sort, "val", "sortBy"),
    F("splice", lib_splice, "val", "start", "nElements", "value"),
    F("split", lib_split, "val", "splitOn"),
    F("sprintf", lib_sprintf, "val", "template"),
    F("startsWith", lib_starts_with, "val", "target"),
    F("substr", lib_substr, "val", "start", "len"),
    F("tail", lib_tail, "val"),
    F("trim", lib_trim, "val"),
    F("trimLeading", lib_trim_leading, "val"),
    F("trimTrailing", lib_trim_trailing, "val"),
    F("typeof", lib_typeof, "val"),
    F("uc", lib_uc, "val"),
    F("union", lib_union, "a", "b"),
    F("unique", lib_unique, "val"),
    F("values", lib_values, "val", "path"),
};
const size_t krl_builtins_n = COUNT(krl_builtins);

size_t krl_builtin_find(struct str name)
{
    size_t low = 0;
    size_t high = COUNT(krl_builtins);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(str_c(krl_builtins[middle].name), name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

struct krl_value krl_type_error(struct krl_machine *m, const char *format, struct krl_value a,
                                struct krl_value b)
{
    struct str texts[] = {krl_to_message(&m->heap, a), krl_to_message(&m->heap, b)};
    char text[ERR_TEXT_MAX];
    size_t n = 0;
    size_t which = 0;
    for (const char *p = format; *p != '\0' && n + 1 < sizeof text; p++) {
        if (*p != '@') {
            text[n++] = *p;
            continue;
        }
        struct str s = texts[which++ & 1];
        size_t part = min_size(s.n, sizeof text - 1 - n);
        memcpy(text + n, s.p, part);
        n += part;
    }
    krl_fail(&m->heap, RC_INVALID, "TypeError: %.*s", (int)n, text);
    return krl_failed();
}

/* --- operators --- */

struct krl_value krl_add(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    if (krl_is_number(a) && krl_is_number(b))
        return krl_number(a.number + b.number);
    const struct krl_text *left = krl_to_text(&m->heap, a);
    const struct krl_text *right = krl_to_text(&m->heap, b);
    if (left == NULL || right == NULL)
        return krl_failed();
    return krl_of_text(krl_text_join(&m->heap, left, right));
}

struct krl_value krl_subtract(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    double left = 0;
    double right = 0;
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return krl_type_error(m, "@ cannot be subtracted from @", b, a);
    return krl_number(left - right);
}

struct krl_value krl_multiply(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    double left = 0;
    double right = 0;
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return krl_type_error(m, "@ cannot be multiplied by @", a, b);
    return krl_number(left * right);
}

struct krl_value krl_divide(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    double left = 0;
    double right = 0;
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return krl_type_error(m, "@ cannot be divided by @", a, b);
    if (right != 0)
        return krl_number(left / right);
    m->host->log(m->host, m, "debug", STR("[DIVISION BY ZERO]"), krl_number(left));
    return krl_number(0);
}

/* fmod, which takes its time for whole numbers, too. -5 % 5 is -0. */
static double remainder_of(double left, double right)
{
    const double most = 2147483647;
    bool small = left >= 0 && left <= most && right >= 1 && right <= most;
    if (small && left == (double)(int32_t)left && right == (double)(int32_t)right)
        return (int32_t)left % (int32_t)right;
    return fmod(left, right);
}

struct krl_value krl_modulo(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    double left = 0;
    double right = 0;
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return krl_type_error(m, "Cannot calculate @ modulo @", a, b);
    return krl_number(right == 0 ? 0 : remainder_of(left, right));
}

struct krl_value krl_negate(struct krl_machine *m, struct krl_value a)
{
    double number = 0;
    if (!krl_to_number(a, &number))
        return krl_type_error(m, "Cannot negate @", a, a);
    return krl_number(-number);
}

const struct krl_regex *krl_to_regex(struct krl_machine *m, struct krl_value v)
{
    if (v.type == KRL_REGEX)
        return v.regex;
    const struct krl_text *source = krl_to_text(&m->heap, v);
    return source == NULL ? NULL : krl_regex(&m->heap, source, &krl_empty);
}

struct krl_value krl_like(struct krl_machine *m, struct krl_value a, struct krl_value b)
{
    struct krl_match match;
    const struct krl_regex *re = krl_to_regex(m, b);
    const struct krl_text *text = krl_to_text(&m->heap, a);
    if (re == NULL || text == NULL)
        return krl_failed();
    bool found = krl_regex_match(&m->heap, re, text, 0, &match);
    return krl_failing(&m->heap) ? krl_failed() : krl_bool(found);
}

/* --- types --- */

struct krl_value lib_isnull(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    (void)m;
    return krl_bool(krl_is_null(krl_arg(args, n, 0)));
}

struct krl_value lib_typeof(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_ascii(&m->heap, krl_typeof(krl_arg(args, n, 0)));
}

static struct krl_value as_hex(struct krl_machine *m, struct krl_value v)
{
    if (v.type == KRL_UNDEFINED || v.type == KRL_NULL) {
        krl_fail(&m->heap, RC_INVALID,
                 "TypeError: Cannot read properties of %s (reading 'toString')",
                 v.type == KRL_NULL ? "null" : "undefined");
        return krl_failed();
    }
    if (v.type == KRL_TEXT || v.type == KRL_BOOL)
        return krl_of_text(krl_to_text(&m->heap, v));
    if (v.type != KRL_NUMBER)
        return krl_null();
    double whole = trunc(fabs(v.number));
    char digits[512];
    size_t at = sizeof digits;
    if (!isfinite(v.number))
        return krl_of_text(krl_to_js_text(&m->heap, v));
    do {
        digits[--at] = "0123456789abcdef"[(int)fmod(whole, 16)];
        whole = floor(whole / 16);
    } while (whole > 0);
    if (v.number < 0)
        digits[--at] = '-';
    struct krl_builder b;
    krl_builder_init(&b, &m->heap);
    krl_add_ascii(&b, str_n(digits + at, sizeof digits - at));
    double part = fabs(v.number) - trunc(fabs(v.number));
    if (part > 0)
        krl_add_unit(&b, '.');
    while (part > 0) {
        part *= 16;
        krl_add_unit(&b, (uint16_t)("0123456789abcdef"[(int)part]));
        part -= trunc(part);
    }
    return krl_of_text(krl_builder_text(&b));
}

/* "[Function]" and its like are no sets of characters. */
static struct krl_value as_regex(struct krl_machine *m, struct krl_value v)
{
    const struct krl_text *s = krl_to_text(&m->heap, v);
    if (s == NULL)
        return krl_failed();
    bool brackets = v.type != KRL_TEXT && s->n > 2 && krl_unit(s, 0) == '[';
    if (brackets) {
        struct krl_builder b;
        krl_builder_init(&b, &m->heap);
        krl_add_ascii(&b, STR("\\"));
        krl_add_part(&b, s, 0, s->n - 1);
        krl_add_ascii(&b, STR("\\]"));
        s = krl_builder_text(&b);
    }
    const struct krl_regex *re = s == NULL ? NULL : krl_regex(&m->heap, s, &krl_empty);
    return re == NULL ? krl_failed() : (struct krl_value){.type = KRL_REGEX, .regex = re};
}

struct krl_value lib_as(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (n < 2)
        return v;
    const struct krl_text *type = args[1].type == KRL_TEXT ? args[1].text : &krl_empty;
    if (krl_text_is(type, krl_typeof(v)))
        return v;
    if (krl_text_is(type, "Boolean")) {
        if (v.type == KRL_TEXT && krl_text_is(v.text, "false"))
            return krl_bool(false);
        return krl_bool(krl_truthy(v));
    }
    if (krl_text_is(type, "Hex"))
        return as_hex(m, v);
    if (krl_text_is(type, "String"))
        return krl_of_text(krl_to_text(&m->heap, v));
    if (krl_text_is(type, "Number")) {
        double number = 0;
        return krl_to_number(v, &number) ? krl_number(number) : krl_null();
    }
    if (krl_text_is(type, "RegExp"))
        return as_regex(m, v);
    struct krl_value shown = args[1]; /* as JavaScript shows it */
    if (krl_is_collection(shown) || krl_is_null(shown))
        shown = krl_of_text(krl_to_js_text(&m->heap, shown));
    if (krl_is_failed(shown))
        return shown;
    struct str name = krl_to_message(&m->heap, shown);
    struct str text = krl_to_message(&m->heap, v);
    krl_fail(&m->heap, RC_INVALID,
             "TypeError: Cannot use the .as(\"%.*s\") operator with %.*s (type %s)", STRF(name),
             STRF(text), krl_typeof(v));
    return krl_failed();
}

struct krl_value lib_klog(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value message = krl_arg(args, n, 1);
    const struct krl_text *label = krl_to_text(&m->heap, message);
    if (label == NULL)
        return krl_failed();
    m->host->log(m->host, m, "klog",
                 krl_is_null(message) ? STR("klog") : krl_text_utf8(&m->heap, label, false),
                 krl_arg(args, n, 0));
    return krl_arg(args, n, 0);
}

struct krl_value lib_defaults_to(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    if (!krl_is_null(krl_arg(args, n, 0)))
        return args[0];
    if (!krl_is_null(krl_arg(args, n, 2)))
        m->host->log(m->host, m, "debug", STR("[DEFAULTSTO]"), args[2]);
    return krl_arg(args, n, 1);
}

struct krl_value lib_noop(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    (void)m;
    (void)args;
    (void)n;
    return krl_null();
}

struct krl_value lib_send_directive(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value options = krl_arg(args, n, 1);
    if (options.type == KRL_UNDEFINED)
        options = krl_of_map(krl_map_new(&m->heap, 0));
    return krl_is_failed(options) ? options
                                  : m->host->directive(m->host, m, krl_arg(args, n, 0), options);
}

struct krl_value lib_cmp(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_number(krl_compare_text(&m->heap, krl_arg(args, n, 0), krl_arg(args, n, 1)));
}

struct krl_value lib_like(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    return krl_like(m, krl_arg(args, n, 0), krl_arg(args, n, 1));
}

struct krl_value lib_decode(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    if (v.type != KRL_TEXT)
        return v;
    struct krl_value decoded = krl_json_parse(&m->heap, v.text);
    return krl_is_failed(decoded) && !krl_failing(&m->heap) ? v : decoded;
}

struct krl_value lib_encode(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value indent = krl_arg(args, n, 1);
    double number = 0;
    if (indent.type == KRL_ARRAY && indent.array->n > 0) /* as text it begins with its first */
        indent = indent.array->v[0];
    bool counts = krl_is_number(indent) || indent.type == KRL_TEXT; /* no map by its size */
    if (!counts || !krl_to_number(indent, &number))
        number = 0;
    number = number < 0 ? 0 : number > INDENT_MAX ? INDENT_MAX : number;
    return krl_json_encode(&m->heap, krl_arg(args, n, 0), (int)number);
}

/* --- sprintf --- */

/* One escape of JavaScript's replacement texts at i: its end, or i where it is none. What it stands
 * for is appended. The pattern is (^|[^\\])%X, so $1 is the unit before. */
static size_t add_dollar(struct krl_builder *b, const struct krl_text *v, size_t i,
                         const struct krl_text *t, const size_t at[2])
{
    uint16_t next = i + 1 < v->n ? krl_unit(v, i + 1) : 0;
    if (next == '$') {
        krl_add_unit(b, '$');
        return i + 2;
    }
    if (next == '&') {
        krl_add_part(b, t, at[0], at[1]);
        return i + 2;
    }
    if (next == '1') {
        krl_add_part(b, t, at[0], at[1] - 2);
        return i + 2;
    }
    return i;
}

static void add_replacement(struct krl_builder *b, const struct krl_text *v,
                            const struct krl_text *t, const size_t at[2])
{
    for (size_t i = 0; i < v->n;) {
        size_t end = krl_unit(v, i) == '$' ? add_dollar(b, v, i, t, at) : i;
        if (end == i)
            krl_add_unit(b, krl_unit(v, i++));
        else
            i = end;
    }
}

static bool is_at(const struct krl_text *t, size_t i, const char *ascii, size_t n)
{
    bool is = i + n <= t->n;
    for (size_t k = 0; is && k < n; k++)
        is = krl_unit(t, i + k) == (uint8_t)ascii[k];
    return is;
}

/* Of the whole, \%X becomes %X, also where it is of the value. */
static const struct krl_text *unescaped(struct krl_machine *m, const struct krl_text *t,
                                        const char mark[2])
{
    const char escaped[3] = {'\\', mark[0], mark[1]};
    struct krl_builder b;
    krl_builder_init(&b, &m->heap);
    for (size_t i = 0; i < t->n && !b.failed; i++)
        if (!is_at(t, i, escaped, sizeof escaped))
            krl_add_unit(&b, krl_unit(t, i));
    return krl_builder_text(&b);
}

/* Between double backslashes, which become one, %X that no backslash stands before becomes the
 * value. The pattern takes the unit before along, so of two right behind one another only the first
 * is replaced. */
static struct krl_value format(struct krl_machine *m, const struct krl_text *v,
                               const struct krl_text *t, const char mark[2])
{
    struct krl_builder b;
    size_t from = 0; /* where the pattern may begin */
    size_t piece = 0;
    krl_builder_init(&b, &m->heap);
    for (size_t i = 0; i < t->n && !b.failed;) {
        bool first = i == piece;
        if (is_at(t, i, "\\\\", 2)) {
            krl_add_unit(&b, '\\');
            i += 2;
            from = piece = i;
        } else if (is_at(t, i, mark, 2) && (first || (i > from && krl_unit(t, i - 1) != '\\'))) {
            size_t at[2] = {first ? i : i - 1, i + 2};
            add_replacement(&b, v, t, at);
            i += 2;
            from = i;
        } else {
            krl_add_unit(&b, krl_unit(t, i++));
        }
    }
    const struct krl_text *whole = krl_builder_text(&b);
    return krl_of_text(whole == NULL ? NULL : unescaped(m, whole, mark));
}

struct krl_value lib_sprintf(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    struct krl_value v = krl_arg(args, n, 0);
    struct krl_value template = krl_arg(args, n, 1);
    if (krl_is_null(template))
        return krl_of_text(&krl_empty);
    const struct krl_text *t = krl_to_text(&m->heap, template);
    bool number = krl_is_number(v);
    if (t == NULL || (!number && v.type != KRL_TEXT))
        return krl_of_text(t);
    const struct krl_text *text = krl_to_text(&m->heap, v);
    return text == NULL ? krl_failed() : format(m, text, t, number ? "%d" : "%s");
}

/* --- numbers --- */

static bool two_ints(struct krl_machine *m, const struct krl_value *args, size_t n,
                     const char *message, int32_t ret[2])
{
    double left = 0;
    double right = 0;
    struct krl_value a = krl_arg(args, n, 0);
    struct krl_value b = krl_arg(args, n, 1);
    if (!krl_to_number(a, &left) || !krl_to_number(b, &right))
        return !krl_is_failed(krl_type_error(m, message, a, b));
    ret[0] = krl_number_int32(left);
    ret[1] = krl_number_int32(right);
    return true;
}

#define BITS(fn, message, expression)                                                  \
    struct krl_value fn(struct krl_machine *m, const struct krl_value *args, size_t n) \
    {                                                                                  \
        int32_t v[2] = {0, 0};                                                         \
        if (!two_ints(m, args, n, message, v))                                         \
            return krl_failed();                                                       \
        return krl_number(expression);                                                 \
    }
BITS(lib_shift_right, "@ cannot be shifted by @", v[0] >> (v[1] & 31))
BITS(lib_shift_left, "@ cannot be shifted by @", (int32_t)((uint32_t)v[0] << (v[1] & 31)))
BITS(lib_band, "@ cannot be bitwise anded @", v[0] & v[1])
BITS(lib_bor, "@ cannot be bitwise anded @", v[0] | v[1])
BITS(lib_bxor, "@ cannot be bitwise anded @", v[0] ^ v[1])

struct krl_value lib_bnot(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double number = 0;
    struct krl_value v = krl_arg(args, n, 0);
    if (!krl_to_number(v, &number))
        return krl_type_error(m, "@ cannot be inverted ", v, v);
    return krl_number(~krl_number_int32(number));
}

struct krl_value lib_chr(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double number = 0;
    if (!krl_to_number(krl_arg(args, n, 0), &number))
        return krl_null();
    uint16_t unit = (uint16_t)krl_number_int32(number);
    return krl_of_text(krl_text_units(&m->heap, &unit, 1));
}

struct krl_value lib_range(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    double start = 0;
    double end = 0;
    if (n < 2 || !krl_to_number(args[0], &start) || !krl_to_number(args[1], &end))
        return krl_of_array(krl_array_new(&m->heap, 0));
    bool up = start < end;
    double count = ceil(up ? end + 1 - start : start - (end - 1));
    if (!(count <= RANGE_MAX)) {
        krl_fail(&m->heap, RC_TOO_LARGE, "RangeError: Invalid array length");
        return krl_failed();
    }
    struct krl_array *a = krl_array_new(&m->heap, (size_t)count);
    for (size_t i = 0; a != NULL && i < a->n; i++)
        a->v[i] = krl_number(up ? start + (double)i : start - (double)i);
    return krl_of_array(a);
}
