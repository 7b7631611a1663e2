/* JSON as JavaScript reads and writes it: doubles, lone surrogates, the last of equal keys. */
#include "base/scan.h"
#include "krl/lib.h"
#include "krl/number.h"

enum { NUMERAL_MAX = 512, ASCII = 0x80 };

/* --- reading --- */

struct reader {
    struct krl_heap *h;
    const struct krl_text *t;
    size_t at;
    int depth;
};

static uint32_t peek(const struct reader *r)
{
    return r->at < r->t->n ? krl_unit(r->t, r->at) : UINT32_MAX;
}

static void skip_blanks(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r')
        r->at++;
}

static bool take(struct reader *r, char unit)
{
    bool here = peek(r) == (uint8_t)unit;
    r->at += here;
    return here;
}

static struct krl_value read_word(struct reader *r, const char *word, struct krl_value v)
{
    for (; *word != '\0'; word++)
        if (!take(r, *word))
            return krl_failed();
    return v;
}

static size_t take_digits(struct reader *r, char *text, size_t *n)
{
    size_t count = 0;
    for (; peek(r) >= '0' && peek(r) <= '9'; r->at++, count++)
        if (*n < NUMERAL_MAX)
            text[(*n)++] = (char)peek(r);
    return count;
}

static struct krl_value read_number(struct reader *r)
{
    char text[NUMERAL_MAX + 8];
    size_t n = 0;
    if (take(r, '-'))
        text[n++] = '-';
    bool zero = peek(r) == '0';
    size_t digits = take_digits(r, text, &n);
    if (digits == 0 || (zero && digits > 1))
        return krl_failed();
    if (take(r, '.')) {
        text[n++] = '.';
        if (take_digits(r, text, &n) == 0)
            return krl_failed();
    }
    if (take(r, 'e') || take(r, 'E')) {
        text[n++] = 'e';
        if (take(r, '-'))
            text[n++] = '-';
        else
            (void)take(r, '+');
        if (take_digits(r, text, &n) == 0)
            return krl_failed();
    }
    /* Longer ones would be read wrongly: they are refused, as no honest writer makes them. */
    return n >= NUMERAL_MAX ? krl_failed() : krl_number(krl_number_parse(str_n(text, n)));
}

static bool read_escape(struct reader *r, struct krl_builder *b)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint32_t unit = peek(r);
    r->at++;
    const char *known = unit > 0 && unit < 0x80 ? strchr(from, (int)unit) : NULL;
    if (known != NULL) {
        krl_add_unit(b, (uint8_t)to[known - from]);
        return true;
    }
    if (unit != 'u')
        return false;
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        uint32_t c = peek(r);
        uint32_t lower = c | 0x20;
        bool digit = c >= '0' && c <= '9';
        if (c == UINT32_MAX || (!digit && (lower < 'a' || lower > 'f')))
            return false;
        value = value << 4 | (digit ? c - '0' : lower - 'a' + 10);
    }
    krl_add_unit(b, (uint16_t)value);
    return true;
}

/* How far a string goes on, from at, as it stands within JSON. */
static size_t plain_end(const struct krl_text *t, size_t at)
{
    /* " and backslash, and what is below a blank: rows are the lower half of a unit. */
    static const struct scan_set marks = {
        .bits = {3, 3, 7, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 | 32, 3, 3, 3}};
    if (!t->wide)
        return at + scan_in(&marks, t->a + at, t->n - at);
    while (at < t->n && (t->u[at] >= ASCII || !scan_has(&marks, (char)t->u[at])))
        at++;
    return at;
}

static const struct krl_text *read_string(struct reader *r)
{
    struct krl_builder b;
    if (!take(r, '"'))
        return NULL;
    size_t end = plain_end(r->t, r->at);
    if (end < r->t->n && krl_unit(r->t, end) == '"') {
        size_t start = r->at;
        r->at = end + 1;
        return krl_text_part(r->h, r->t, start, end);
    }
    krl_builder_init(&b, r->h);
    while (peek(r) != '"') {
        uint32_t unit = peek(r);
        if (unit == UINT32_MAX || unit < ' ' || b.failed)
            return NULL;
        r->at++;
        if (unit != '\\')
            krl_add_unit(&b, (uint16_t)unit);
        else if (!read_escape(r, &b))
            return NULL;
    }
    r->at++;
    return krl_builder_text(&b);
}

static struct krl_value read_value(struct reader *r);

static struct krl_value read_array(struct reader *r)
{
    struct krl_array *a = krl_array_reserve(r->h, 4);
    r->at++;
    skip_blanks(r);
    if (a == NULL || take(r, ']'))
        return krl_of_array(a);
    do {
        struct krl_value v = read_value(r);
        if (krl_is_failed(v) || !krl_array_add(r->h, a, v))
            return krl_failed();
    } while (take(r, ','));
    return take(r, ']') ? krl_of_array(a) : krl_failed();
}

static struct krl_value read_map(struct reader *r)
{
    struct krl_map *map = krl_map_new(r->h, 4);
    r->at++;
    skip_blanks(r);
    if (map == NULL || take(r, '}'))
        return krl_of_map(map);
    do {
        skip_blanks(r);
        const struct krl_text *key = read_string(r);
        skip_blanks(r);
        if (key == NULL || !take(r, ':'))
            return krl_failed();
        struct krl_value v = read_value(r);
        if (krl_is_failed(v) || !krl_map_set(r->h, map, key, v))
            return krl_failed();
    } while (take(r, ','));
    return take(r, '}') ? krl_of_map(map) : krl_failed();
}

/* Recursion: KRL_VALUE_DEPTH_MAX levels. */
static struct krl_value read_value(struct reader *r)
{
    struct krl_value v = krl_failed();
    if (r->depth >= KRL_VALUE_DEPTH_MAX || !krl_pay(r->h, 1))
        return v;
    r->depth++;
    skip_blanks(r);
    if (peek(r) == '{')
        v = read_map(r);
    else if (peek(r) == '[')
        v = read_array(r);
    else if (peek(r) == '"')
        v = krl_of_text(read_string(r));
    else if (peek(r) == 't')
        v = read_word(r, "true", krl_bool(true));
    else if (peek(r) == 'f')
        v = read_word(r, "false", krl_bool(false));
    else if (peek(r) == 'n')
        v = read_word(r, "null", krl_null());
    else
        v = read_number(r);
    skip_blanks(r);
    r->depth--;
    return v;
}

struct krl_value krl_json_parse_at(struct krl_heap *h, const struct krl_text *text, size_t *ret_at)
{
    struct reader r = {.h = h, .t = text};
    struct krl_value v = read_value(&r);
    *ret_at = r.at;
    return r.at == text->n ? v : krl_failed();
}

struct krl_value krl_json_parse(struct krl_heap *h, const struct krl_text *text)
{
    size_t at = 0;
    return krl_json_parse_at(h, text, &at);
}

/* --- writing --- */

static void put_string(struct krl_builder *b, const struct krl_text *t)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    krl_add_unit(b, '"');
    for (size_t i = 0; i < t->n && !b->failed; i++) {
        size_t end = t->wide ? i : plain_end(t, i);
        krl_add_part(b, t, i, end);
        i = end;
        if (i == t->n)
            break;
        uint16_t u = krl_unit(t, i);
        const char *known = u > 0 && u < 0x80 ? strchr(from, u) : NULL;
        bool pair =
            (u & 0xFC00) == 0xD800 && i + 1 < t->n && (krl_unit(t, i + 1) & 0xFC00) == 0xDC00;
        if (known != NULL) {
            krl_add_unit(b, '\\');
            krl_add_unit(b, (uint8_t)to[known - from]);
        } else if (pair) {
            krl_add_unit(b, u);
            krl_add_unit(b, krl_unit(t, ++i));
        } else if (u < ' ' || (u & 0xF800) == 0xD800) {
            char hex[8];
            (void)snprintf(hex, sizeof hex, "\\u%04x", u);
            krl_add_ascii(b, str_c(hex));
        } else {
            krl_add_unit(b, u);
        }
    }
    krl_add_unit(b, '"');
}

struct out {
    struct krl_builder b;
    int indent;
    bool plain; /* as JSON.stringify; else as encode */
};

static void put_break(struct out *o, int depth)
{
    if (o->indent == 0)
        return;
    krl_add_unit(&o->b, '\n');
    for (int i = 0; i < o->indent * depth && !o->b.failed; i++)
        krl_add_unit(&o->b, ' ');
}

static void put_value(struct out *o, struct krl_value v, int depth);

static void put_array(struct out *o, const struct krl_array *a, int depth)
{
    krl_add_unit(&o->b, '[');
    for (size_t i = 0; i < a->n && !o->b.failed; i++) {
        if (i > 0)
            krl_add_unit(&o->b, ',');
        put_break(o, depth + 1);
        put_value(o, a->v[i], depth + 1);
    }
    if (a->n > 0)
        put_break(o, depth);
    krl_add_unit(&o->b, ']');
}

/* What is function and action at once is nothing to the official encode. To JSON.stringify all of
 * them are, and so is undefined. */
static bool is_hidden(const struct out *o, struct krl_value v)
{
    if (o->plain)
        return v.type == KRL_UNDEFINED || krl_is_function(v) || krl_is_action(v);
    return krl_is_function(v) && krl_is_action(v);
}

static void put_map(struct out *o, const struct krl_map *map, int depth)
{
    bool some = false;
    krl_add_unit(&o->b, '{');
    for (size_t i = 0; i < map->n && !o->b.failed; i++) {
        if (is_hidden(o, krl_map_at(map, i)->value))
            continue;
        if (some)
            krl_add_unit(&o->b, ',');
        some = true;
        put_break(o, depth + 1);
        put_string(&o->b, krl_map_at(map, i)->key);
        krl_add_ascii(&o->b, o->indent > 0 ? STR(": ") : STR(":"));
        put_value(o, krl_map_at(map, i)->value, depth + 1);
    }
    if (some)
        put_break(o, depth);
    krl_add_unit(&o->b, '}');
}

static void put_scalar(struct out *o, struct krl_value v)
{
    const struct krl_text *t = krl_to_text(o->b.heap, v);
    if (t == NULL)
        o->b.failed = true;
    else if (v.type == KRL_BOOL || krl_is_number(v))
        krl_add_text(&o->b, t);
    else
        put_string(&o->b, t);
}

/* Recursion: KRL_VALUE_DEPTH_MAX levels. */
static void put_value(struct out *o, struct krl_value v, int depth)
{
    if (depth > KRL_VALUE_DEPTH_MAX) {
        krl_fail(o->b.heap, RC_TOO_LARGE, "RangeError: values are nested too deep");
        o->b.failed = true;
    }
    if (o->b.failed || !krl_pay(o->b.heap, 1))
        o->b.failed = true;
    else if (krl_is_null(v) || is_hidden(o, v) ||
             (o->plain && v.type == KRL_NUMBER && !krl_is_number(v)))
        krl_add_ascii(&o->b, STR("null"));
    else if (v.type == KRL_ARRAY)
        put_array(o, v.array, depth);
    else if (v.type == KRL_MAP)
        put_map(o, v.map, depth);
    else if (o->plain && v.type == KRL_REGEX)
        krl_add_ascii(&o->b, STR("{}"));
    else
        put_scalar(o, v);
}

static struct krl_value write(struct krl_heap *h, struct krl_value v, int indent, bool plain)
{
    struct out o = {.indent = indent, .plain = plain};
    if (is_hidden(&o, v))
        return krl_undefined();
    krl_builder_init(&o.b, h);
    put_value(&o, v, 0);
    return krl_of_text(krl_builder_text(&o.b));
}

struct krl_value krl_json_encode(struct krl_heap *h, struct krl_value v, int indent)
{
    return write(h, v, indent, false);
}

struct krl_value krl_json_stringify(struct krl_heap *h, struct krl_value v)
{
    return write(h, v, 0, true);
}

/* Recursion: as above, and no deeper than what was written. */
static bool is_plain(struct krl_value v, int depth)
{
    if (depth > KRL_VALUE_DEPTH_MAX)
        return false;
    if (v.type == KRL_ARRAY) {
        for (size_t i = 0; i < v.array->n; i++)
            if (!is_plain(v.array->v[i], depth + 1))
                return false;
        return true;
    }
    if (v.type == KRL_MAP) {
        for (size_t i = 0; i < v.map->n; i++)
            if (!is_plain(krl_map_at(v.map, i)->value, depth + 1))
                return false;
        return true;
    }
    return v.type == KRL_NULL || v.type == KRL_BOOL || v.type == KRL_TEXT || krl_is_number(v);
}

struct krl_value krl_json_carry(struct krl_heap *h, struct krl_value v)
{
    if (is_plain(v, 0))
        return v;
    struct krl_value text = krl_json_stringify(h, v);
    return text.type == KRL_TEXT ? krl_json_parse(h, text.text) : text;
}
