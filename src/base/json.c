#include "base/json.h"

#include "base/map.h"

enum {
    FIRST_NODES_MAX = 512,  /* the first guess; the text itself tells the second */
    SMALL_OBJECT = 24,      /* members up to which all pairs of names are compared */
    BYTES_PER_NODE_MIN = 2, /* "[0,0,0": no value takes less text, brackets of depth aside */
};

/* Names that one large object has had so far; node 0 is the root and no name, so 0 is free. */
struct name_slot {
    uint32_t hash;
    uint32_t node;
};

struct frame {
    uint32_t node;     /* of the container */
    uint32_t children; /* so far, the one in hand included */
    char closer;
};

struct reader {
    const char *start;
    const char *end;
    struct json *nodes;
    uint32_t count;
    uint32_t capacity;
    uint32_t depth;
    struct frame open[JSON_DEPTH_MAX];
    struct name_slot *names; /* scratch of check_many_names */
    size_t names_capacity;
    size_t names_mask; /* of the part that the object in hand uses */
    bool seeded;
    uint64_t seed[2];
    struct arena *arena;
    struct err *err;
};

/* --- complaints: every reading function answers NULL after one of them --- */

/* "line 3, column 14", both from 1; columns count code points. */
static struct str place(struct reader *r, const char *at, char *text, size_t size)
{
    size_t line = 1;
    const char *line_start = r->start;
    for (const char *p = r->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    }
    size_t column = str_count_utf8(str_n(line_start, (size_t)(at - line_start))) + 1;
    int n = snprintf(text, size, "line %zu, column %zu", line, column);
    ASSERT(n > 0 && (size_t)n < size);
    return str_n(text, (size_t)n);
}

static const char *refuse(struct reader *r, const char *at, enum rc rc, const char *what)
{
    char where[64];
    struct str w = place(r, at, where, sizeof where);
    err_write(r->err, rc, "%.*s: %s", STRF(w), what);
    return NULL;
}

static const char *expected(struct reader *r, const char *at, const char *what)
{
    char text[128];
    if (at == r->end)
        (void)snprintf(text, sizeof text, "expected %s, but the text ends here", what);
    else if (*at > ' ' && *at < 0x7F)
        (void)snprintf(text, sizeof text, "expected %s, found '%c'", what, *at);
    else
        (void)snprintf(text, sizeof text, "expected %s, found byte 0x%02x", what,
                       (unsigned)(unsigned char)*at);
    return refuse(r, at, RC_SYNTAX, text);
}

static const char *no_room(struct reader *r, const char *at)
{
    return refuse(r, at, RC_TOO_LARGE, "the JSON text has more in it than there is room for");
}

/* --- nodes --- */

/* Make room for at least one more node. The share of the text that was read tells how many there
 * will be: documents of many values are long lists of the same thing. */
static bool grow(struct reader *r, const char *at)
{
    uint64_t text_n = (uint64_t)(r->end - r->start);
    uint64_t want = min_size(text_n / 8 + 8, FIRST_NODES_MAX);
    if (r->count > 0) {
        uint64_t read_n = (uint64_t)(at - r->start) + 1;
        want = r->count * (text_n + text_n / 16) / read_n + 64;
        want = max_size(want, r->count + r->count / 2);
    }
    want = min_size(want, text_n / BYTES_PER_NODE_MIN + JSON_DEPTH_MAX + 1);
    /* The arena's bytes are not aligned, which costs up to one node. */
    uint64_t room = arena_room(r->arena) / sizeof *r->nodes;
    want = min_size(want, room > 0 ? room - 1 : 0);
    if (want <= r->count)
        return false;
    char *bytes = arena_bytes(r->arena, (want + 1) * sizeof *r->nodes);
    size_t pad = -(uintptr_t)bytes & (_Alignof(struct json) - 1);
    struct json *nodes = (struct json *)(void *)(bytes + pad);
    if (r->count > 0)
        memcpy(nodes, r->nodes, r->count * sizeof *nodes);
    r->nodes = nodes;
    r->capacity = (uint32_t)want;
    return true;
}

static inline struct json *add_node(struct reader *r, const char *at)
{
    if (UNLIKELY(r->count == r->capacity) && !grow(r, at))
        return NULL;
    return &r->nodes[r->count++];
}

static inline void set_node(struct json *node, enum json_type type, const char *p, size_t n)
{
    *node = (struct json){.p = p, .n = (uint32_t)n, .skip = 1, .type = (uint8_t)type};
}

/* --- scalars --- */

static inline const char *skip_space(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ' &&
           (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t load_8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The first byte at or after p that is a quote, a backslash or a control character, or end. Says
 * in *ret_high whether bytes above 0x7F were passed.
 *
 * Eight bytes at a time: x - 0x01.. borrows from the top bit of the bytes of x that are zero ("Bit
 * Twiddling Hacks", S. E. Anderson). A borrow can only spoil bytes behind a true hit, and the
 * first hit is what is asked for. */
static inline const char *scan_string(const char *p, const char *end, bool *ret_high)
{
    uint64_t high = 0;
    while (end - p >= 8) {
        uint64_t word = load_8(p);
        uint64_t quote = word ^ EACH('"');
        uint64_t slash = word ^ EACH('\\');
        uint64_t hit = ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) |
                       ((word - EACH(0x20)) & ~word);
        hit &= EACH(0x80);
        if (hit != 0) {
            int bit = __builtin_ctzll(hit); /* the top bit of the byte that was hit */
            high |= word & ((UINT64_C(1) << bit) - 1);
            *ret_high = (high & EACH(0x80)) != 0;
            return p + bit / 8;
        }
        high |= word;
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
        high |= (unsigned char)*p;
        p++;
    }
    *ret_high = (high & EACH(0x80)) != 0;
    return p;
}

/* Four hexadecimal digits at p, or -1. */
static int32_t hex_4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Write the UTF-8 of a code point; returns how many bytes. */
static size_t put_code_point(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* p is at the 'u' of "\uXXXX"; a pair of surrogates is two of them (RFC 8259 section 7). */
static const char *read_code_point(struct reader *r, const char *p, char *out, size_t *ret_n)
{
    int32_t c = hex_4(p + 1, r->end);
    if (c < 0)
        return refuse(r, p, RC_SYNTAX, "'\\u' wants four hexadecimal digits");
    if (c == 0)
        return refuse(r, p, RC_SYNTAX, "the character NUL is not taken in strings");
    if (c >= 0xDC00 && c <= 0xDFFF)
        return refuse(r, p, RC_SYNTAX, "the second half of a surrogate pair without the first");
    const char *next = p + 5;
    if (c >= 0xD800 && c <= 0xDBFF) {
        int32_t low =
            r->end - next >= 2 && next[0] == '\\' && next[1] == 'u' ? hex_4(next + 2, r->end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return refuse(r, p, RC_SYNTAX, "the first half of a surrogate pair without the second");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        next += 6;
    }
    *ret_n = put_code_point(out, (uint32_t)c);
    return next;
}

/* p is behind a backslash. Writes at most as many bytes as the escape takes. */
static const char *read_escape(struct reader *r, const char *p, char *out, size_t *ret_n)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (p == r->end)
        return expected(r, p, "a character behind the backslash");
    if (*p == 'u')
        return read_code_point(r, p, out, ret_n);
    const char *at = *p != '\0' ? strchr(from, *p) : NULL;
    if (at == NULL)
        return refuse(r, p, RC_SYNTAX, "there is no such escape in JSON strings");
    *out = to[at - from];
    *ret_n = 1;
    return p + 1;
}

/* The closing quote of the string whose text begins at p, or end. */
static const char *find_close(const char *p, const char *end)
{
    bool high = false;
    for (p = scan_string(p, end, &high); p < end && *p != '"'; p = scan_string(p, end, &high))
        p += *p == '\\' && end - p >= 2 ? 2 : 1;
    return p;
}

/* What keeps the scan from going on at p: not a quote and not a backslash. */
static const char *refuse_in_string(struct reader *r, const char *p)
{
    if (p == r->end)
        return refuse(r, p, RC_SYNTAX, "the text ends inside a string");
    return refuse(r, p, RC_SYNTAX, "a control character in a string must be written as an escape");
}

/* The string from start on has a backslash at p: its bytes are made anew in the arena. */
static const char *read_escaped(struct reader *r, const char *start, const char *p,
                                struct json *node)
{
    size_t raw_n = (size_t)(find_close(p, r->end) - start);
    if (arena_room(r->arena) < raw_n)
        return no_room(r, start);
    char *out = arena_bytes(r->arena, raw_n);
    size_t n = 0;
    const char *run = start;
    bool high = false;
    for (;;) {
        ASSERT(n + (size_t)(p - run) <= raw_n);
        memcpy(out + n, run, (size_t)(p - run));
        n += (size_t)(p - run);
        if (p == r->end || *p != '\\')
            break;
        size_t step = 0;
        run = read_escape(r, p + 1, out + n, &step);
        if (run == NULL)
            return NULL;
        n += step;
        p = scan_string(run, r->end, &high);
    }
    if (p == r->end || *p != '"')
        return refuse_in_string(r, p);
    if (!str_is_utf8(str_n(out, n)))
        return refuse(r, start, RC_SYNTAX, "the string that begins here is not UTF-8");
    set_node(node, JSON_STRING, out, n);
    return p + 1;
}

/* p is at the opening quote. */
static inline const char *read_string(struct reader *r, const char *p, struct json *node)
{
    const char *start = p + 1;
    bool high = false;
    p = scan_string(start, r->end, &high);
    if (UNLIKELY(p == r->end || *p != '"')) {
        if (p < r->end && *p == '\\')
            return read_escaped(r, start, p, node);
        return refuse_in_string(r, p);
    }
    size_t n = (size_t)(p - start);
    if (high && !str_is_utf8(str_n(start, n)))
        return refuse(r, start, RC_SYNTAX, "the string that begins here is not UTF-8");
    set_node(node, JSON_STRING, start, n);
    return p + 1;
}

static inline const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *read_number(struct reader *r, const char *start, struct json *node)
{
    const char *end = r->end;
    const char *p = *start == '-' ? start + 1 : start;
    const char *digits = p;
    p = skip_digits(p, end);
    if (p == digits)
        return expected(r, p, "a digit");
    if (*digits == '0' && p > digits + 1)
        return refuse(r, start, RC_SYNTAX, "a number must not begin with 0 and more digits");
    if (p < end && *p == '.') {
        const char *fraction = p + 1;
        p = skip_digits(fraction, end);
        if (p == fraction)
            return expected(r, p, "a digit behind the point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        const char *exponent = p;
        p = skip_digits(exponent, end);
        if (p == exponent)
            return expected(r, p, "a digit in the exponent");
    }
    set_node(node, JSON_NUMBER, start, (size_t)(p - start));
    return p;
}

static const char *read_word(struct reader *r, const char *p, struct json *node, struct str word,
                             enum json_type type)
{
    if ((size_t)(r->end - p) < word.n || memcmp(p, word.p, word.n) != 0)
        return expected(r, p, "a value (words are true, false and null)");
    set_node(node, type, p, word.n);
    return p + word.n;
}

static inline const char *read_scalar(struct reader *r, const char *p)
{
    if (p == r->end)
        return expected(r, p, "a value");
    struct json *node = add_node(r, p);
    if (node == NULL)
        return no_room(r, p);
    switch (*p) {
    case '"':
        return read_string(r, p, node);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(r, p, node);
    case 't':
        return read_word(r, p, node, STR("true"), JSON_TRUE);
    case 'f':
        return read_word(r, p, node, STR("false"), JSON_FALSE);
    case 'n':
        return read_word(r, p, node, STR("null"), JSON_NULL);
    default:
        return expected(r, p, "a value");
    }
}

/* --- names: each once in an object --- */

static inline bool same_name(const struct json *a, const struct json *b)
{
    /* Names in one object often begin alike, so the last byte is looked at first. */
    return a->n == b->n &&
           (a->n == 0 || (a->p[a->n - 1] == b->p[b->n - 1] && memcmp(a->p, b->p, a->n) == 0));
}

/* The second of two equal names, or NULL. All pairs: few members. */
static const struct json *repeated_of_few(const struct json *object)
{
    const struct json *names[SMALL_OBJECT];
    const struct json *name = object + 1;
    for (uint32_t i = 0; i < object->n; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (same_name(names[k], name))
                return name;
        names[i] = name;
        name += 1 + name[1].skip;
    }
    return NULL;
}

/* The table's hash is keyed by the document itself: whoever wants names that collide would have to
 * find them without changing the key that they are part of. So no chance is needed here. */
static void seed_names(struct reader *r)
{
    static const uint64_t first[2] = {UINT64_C(0x48616e7365206973), UINT64_C(0x6120636c6f756421)};
    if (r->seeded)
        return;
    r->seed[0] = hash_str(str_n(r->start, (size_t)(r->end - r->start)), first);
    r->seed[1] = r->seed[0] ^ first[1];
    r->seeded = true;
}

static void clear_names(struct reader *r, size_t members)
{
    size_t capacity = 64;
    while (capacity < members * 2)
        capacity *= 2;
    if (capacity > r->names_capacity) {
        free(r->names);
        r->names = malloc(capacity * sizeof *r->names);
        ASSERT(r->names != NULL);
        r->names_capacity = capacity;
    }
    memset(r->names, 0, capacity * sizeof *r->names);
    r->names_mask = capacity - 1;
}

static const struct json *repeated_of_many(struct reader *r, const struct json *object)
{
    seed_names(r);
    clear_names(r, object->n);
    size_t mask = r->names_mask;
    const struct json *name = object + 1;
    for (uint32_t i = 0; i < object->n; i++) {
        uint64_t hash = hash_str(json_text(name), r->seed);
        size_t at = hash & mask;
        for (; r->names[at].node != 0; at = (at + 1) & mask)
            if (r->names[at].hash == (uint32_t)(hash >> 32) &&
                same_name(&r->nodes[r->names[at].node], name))
                return name;
        r->names[at] = (struct name_slot){(uint32_t)(hash >> 32), (uint32_t)(name - r->nodes)};
        name += 1 + name[1].skip;
    }
    return NULL;
}

static const char *refuse_repeated(struct reader *r, const char *at, const struct json *name)
{
    /* A name with escapes lies in the arena: then the object's end has to do as the place. */
    bool in_text = name->p >= r->start && name->p <= r->end;
    char text[128];
    (void)snprintf(text, sizeof text, "the name '%.*s' is there twice", (int)min_size(name->n, 64),
                   name->p);
    return refuse(r, in_text ? name->p - 1 : at, RC_SYNTAX, text);
}

/* --- containers --- */

/* p is at '[' or '{'; answers where its first child or its closing bracket begins. */
static const char *open_container(struct reader *r, const char *p)
{
    if (r->depth == JSON_DEPTH_MAX)
        return refuse(r, p, RC_TOO_LARGE, "arrays and objects are nested more than 64 levels deep");
    struct json *node = add_node(r, p);
    if (node == NULL)
        return no_room(r, p);
    bool object = *p == '{';
    set_node(node, object ? JSON_OBJECT : JSON_ARRAY, p, 0);
    r->open[r->depth++] = (struct frame){r->count - 1, 1, object ? '}' : ']'};
    return skip_space(p + 1, r->end);
}

/* p is at the closing bracket. */
static const char *close_container(struct reader *r, const char *p)
{
    struct frame *top = &r->open[--r->depth];
    struct json *node = &r->nodes[top->node];
    node->skip = r->count - top->node;
    node->n = node->skip > 1 ? top->children : 0;
    node->p = NULL;
    if (node->type == JSON_OBJECT && node->n > 1) {
        const struct json *repeated =
            node->n <= SMALL_OBJECT ? repeated_of_few(node) : repeated_of_many(r, node);
        if (UNLIKELY(repeated != NULL))
            return refuse_repeated(r, p, repeated);
    }
    return p + 1;
}

/* A member's name and the colon; answers where its value begins. */
static inline const char *read_name(struct reader *r, const char *p)
{
    if (p == r->end || *p != '"')
        return expected(r, p, "a name in double quotes");
    struct json *node = add_node(r, p);
    if (node == NULL)
        return no_room(r, p);
    p = read_string(r, p, node);
    if (p == NULL)
        return NULL;
    p = skip_space(p, r->end);
    if (p == r->end || *p != ':')
        return expected(r, p, "':'");
    return skip_space(p + 1, r->end);
}

/* p is behind a value: pass the brackets that close here, and a comma. Answers where the next
 * value begins, or, at depth 0, what is behind the document. */
static inline const char *read_behind(struct reader *r, const char *p)
{
    while (r->depth > 0) {
        struct frame *top = &r->open[r->depth - 1];
        p = skip_space(p, r->end);
        if (p < r->end && *p == ',') {
            top->children++;
            p = skip_space(p + 1, r->end);
            return top->closer == '}' ? read_name(r, p) : p;
        }
        if (p == r->end || *p != top->closer)
            return expected(r, p, top->closer == '}' ? "',' or '}'" : "',' or ']'");
        p = close_container(r, p);
        if (p == NULL)
            return NULL;
    }
    return p;
}

/* All nodes of the text. No recursion: the open containers are in r->open. */
static const char *read_document(struct reader *r)
{
    const char *p = skip_space(r->start, r->end);
    do {
        if (p < r->end && (*p == '{' || *p == '[')) {
            p = open_container(r, p);
            if (p == NULL)
                return NULL;
            const struct frame *top = &r->open[r->depth - 1];
            if (p == r->end || *p != top->closer) {
                if (top->closer == '}')
                    p = read_name(r, p);
                continue;
            }
        } else {
            p = read_scalar(r, p);
        }
        if (p != NULL)
            p = read_behind(r, p);
    } while (p != NULL && r->depth > 0);
    if (p == NULL)
        return NULL;
    p = skip_space(p, r->end);
    return p == r->end ? p : expected(r, p, "the end of the text");
}

enum rc json_parse(struct str text, struct arena *arena, const struct json **ret, struct err *err)
{
    if (text.n > JSON_TEXT_MAX)
        return err_set(err, RC_TOO_LARGE, "the JSON text has %zu bytes, at most %d are taken",
                       text.n, JSON_TEXT_MAX);
    struct reader r = {.arena = arena, .err = err};
    r.start = text.n ? text.p : "";
    r.end = r.start + text.n;
    const char *p = read_document(&r);
    free(r.names);
    if (p == NULL)
        return rc_failed(err->rc);
    ASSERT(r.count == r.nodes[0].skip);
    *ret = r.nodes;
    return RC_OK;
}

/* --- looking at nodes --- */

const char *json_type_name(enum json_type type)
{
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_FALSE:
        return "false";
    case JSON_TRUE:
        return "true";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    NEVER("a JSON type outside its enum");
}

struct str json_text(const struct json *j)
{
    ASSERT(j->type == JSON_STRING || j->type == JSON_NUMBER);
    return (struct str){j->p, j->n};
}

bool json_i64(const struct json *j, int64_t *ret)
{
    return j->type == JSON_NUMBER && str_to_i64(json_text(j), INT64_MIN, INT64_MAX, ret);
}

const struct json *json_first(const struct json *container)
{
    ASSERT(container->type == JSON_ARRAY || container->type == JSON_OBJECT);
    if (container->n == 0)
        return NULL;
    return container + (container->type == JSON_OBJECT ? 2 : 1);
}

const struct json *json_next(const struct json *container, const struct json *child)
{
    const struct json *next = child + child->skip;
    ASSERT(child > container && next <= container + container->skip);
    if (next == container + container->skip)
        return NULL;
    return next + (container->type == JSON_OBJECT);
}

struct str json_key(const struct json *member_value)
{
    return json_text(member_value - 1);
}

const struct json *json_get(const struct json *object, struct str key)
{
    ASSERT(object->type == JSON_OBJECT);
    for (const struct json *c = json_first(object); c != NULL; c = json_next(object, c))
        if (str_eq(json_key(c), key))
            return c;
    return NULL;
}
