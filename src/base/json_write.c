#include "base/json.h"

/* What the level in hand waits for. */
enum { WANT_VALUE, WANT_FIRST_ITEM, WANT_ITEM, WANT_FIRST_NAME, WANT_NAME, WANT_MEMBER, WANT_END };

static const struct str replacement = STR_INIT("\xEF\xBF\xBD"); /* U+FFFD */

void json_writer_init(struct json_writer *w, struct buf *buf)
{
    *w = (struct json_writer){.buf = buf};
    w->state[0] = WANT_VALUE;
}

static void new_line(struct json_writer *w)
{
    if (!w->pretty)
        return;
    buf_add_char(w->buf, '\n');
    for (int i = 0; i < w->depth; i++)
        buf_add(w->buf, STR("  "));
}

/* A value comes next: put the comma before it where one is due. */
static void before_value(struct json_writer *w)
{
    uint8_t *state = &w->state[w->depth];
    switch (*state) {
    case WANT_VALUE:
        *state = WANT_END;
        return;
    case WANT_MEMBER:
        *state = WANT_NAME;
        return;
    case WANT_ITEM:
        buf_add_char(w->buf, ',');
        new_line(w);
        return;
    case WANT_FIRST_ITEM:
        *state = WANT_ITEM;
        new_line(w);
        return;
    default:
        NEVER("a JSON value where a name or the end has to come");
    }
}

static void begin(struct json_writer *w, char bracket, uint8_t state)
{
    before_value(w);
    ASSERT(w->depth < JSON_DEPTH_MAX);
    buf_add_char(w->buf, bracket);
    w->state[++w->depth] = state;
}

static void end(struct json_writer *w, char bracket, uint8_t empty, uint8_t some)
{
    ASSERT(w->depth > 0);
    uint8_t state = w->state[w->depth];
    ASSERT(state == empty || state == some);
    w->depth--;
    if (state == some)
        new_line(w);
    buf_add_char(w->buf, bracket);
}

void json_begin_object(struct json_writer *w)
{
    begin(w, '{', WANT_FIRST_NAME);
}

void json_end_object(struct json_writer *w)
{
    end(w, '}', WANT_FIRST_NAME, WANT_NAME);
}

void json_begin_array(struct json_writer *w)
{
    begin(w, '[', WANT_FIRST_ITEM);
}

void json_end_array(struct json_writer *w)
{
    end(w, ']', WANT_FIRST_ITEM, WANT_ITEM);
}

/* 0: the byte is written as it is; 'u': as \u00XX; else the letter behind the backslash. */
static const char escapes[256] = {
    ['\0'] = 'u', [1] = 'u',    [2] = 'u',    [3] = 'u',     [4] = 'u',    [5] = 'u',
    [6] = 'u',    [7] = 'u',    ['\b'] = 'b', ['\t'] = 't',  ['\n'] = 'n', [11] = 'u',
    ['\f'] = 'f', ['\r'] = 'r', [14] = 'u',   [15] = 'u',    [16] = 'u',   [17] = 'u',
    [18] = 'u',   [19] = 'u',   [20] = 'u',   [21] = 'u',    [22] = 'u',   [23] = 'u',
    [24] = 'u',   [25] = 'u',   [26] = 'u',   [27] = 'u',    [28] = 'u',   [29] = 'u',
    [30] = 'u',   [31] = 'u',   ['"'] = '"',  ['\\'] = '\\',
};

static void put_escape(struct buf *b, unsigned char c)
{
    if (c == '\0')
        buf_add(b, replacement); /* readers refuse NUL, this one too */
    else if (escapes[c] == 'u')
        buf_fmt(b, "\\u%04x", c);
    else
        buf_add(b, (struct str){(char[]){'\\', escapes[c]}, 2});
}

/* The quoted form of a text with something in it that cannot be copied as it is. */
static void put_mended(struct buf *b, struct str s)
{
    buf_add_char(b, '"');
    size_t done = 0;
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t step = c < 0x80 ? escapes[c] == 0 : str_utf8_step(s, i);
        if (step > 0) {
            i += step;
            continue;
        }
        buf_add(b, str_sub(s, done, i));
        if (c < 0x80)
            put_escape(b, c);
        else
            buf_add(b, replacement);
        done = ++i;
    }
    buf_add(b, str_sub(s, done, s.n));
    buf_add_char(b, '"');
}

/* Whether eight bytes are all ASCII, without controls, quotes and backslashes: none of them sets
 * its highest bit in any of the four tests. */
static bool is_plain_word(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t w = 0;
    memcpy(&w, p, sizeof w);
    uint64_t quote = w ^ ones * '"';
    uint64_t slash = w ^ ones * '\\';
    uint64_t marks = w | (w - ones * 0x20) | (quote - ones) | (slash - ones);
    return (marks & ones * 0x80) == 0;
}

static bool is_plain(struct str s)
{
    unsigned char high = 0;
    for (size_t i = 0; i < s.n;) {
        if (s.n - i >= 8 && is_plain_word(s.p + i)) {
            i += 8;
            /* What is left is looked at together with bytes that were seen before. */
            if (s.n - i < 8 && high == 0 && is_plain_word(s.p + s.n - 8))
                return true;
            continue;
        }
        unsigned char c = (unsigned char)s.p[i++];
        if (escapes[c] != 0)
            return false;
        high |= c;
    }
    return high < 0x80 || str_is_utf8(s);
}

static void put_str(struct buf *b, struct str s)
{
    if (!is_plain(s)) {
        put_mended(b, s);
        return;
    }
    char *p = buf_reserve(b, s.n + 2);
    if (p == NULL)
        return;
    p[0] = '"';
    if (s.n > 0)
        memcpy(p + 1, s.p, s.n);
    p[s.n + 1] = '"';
}

/* Names are mostly plain, and there are many: comma, quotes and colon in one piece. */
static bool put_plain_key(struct json_writer *w, struct str key, bool comma)
{
    if (w->pretty || !is_plain(key))
        return false;
    char *p = buf_reserve(w->buf, key.n + 3 + comma);
    if (p == NULL)
        return true; /* full: told at the end */
    if (comma)
        *p++ = ',';
    *p++ = '"';
    if (key.n > 0)
        memcpy(p, key.p, key.n);
    p[key.n] = '"';
    p[key.n + 1] = ':';
    return true;
}

void json_put_key(struct json_writer *w, struct str key)
{
    uint8_t *state = &w->state[w->depth];
    ASSERT(*state == WANT_FIRST_NAME || *state == WANT_NAME);
    bool comma = *state == WANT_NAME;
    *state = WANT_MEMBER;
    if (put_plain_key(w, key, comma))
        return;
    if (comma)
        buf_add_char(w->buf, ',');
    new_line(w);
    put_str(w->buf, key);
    buf_add(w->buf, w->pretty ? STR(": ") : STR(":"));
}

void json_put_str(struct json_writer *w, struct str s)
{
    before_value(w);
    put_str(w->buf, s);
}

void json_put_i64(struct json_writer *w, int64_t value)
{
    before_value(w);
    buf_add_i64(w->buf, value);
}

void json_put_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buf_add(w->buf, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *w)
{
    before_value(w);
    buf_add(w->buf, STR("null"));
}

void json_put_raw(struct json_writer *w, struct str text)
{
    ASSERT(text.n > 0);
    before_value(w);
    buf_add(w->buf, text);
}

/* One node without its children. True where it is a container that has some. */
static bool put_shallow(struct buf *b, const struct json *j)
{
    switch (json_type(j)) {
    case JSON_NULL:
        buf_add(b, STR("null"));
        return false;
    case JSON_FALSE:
        buf_add(b, STR("false"));
        return false;
    case JSON_TRUE:
        buf_add(b, STR("true"));
        return false;
    case JSON_NUMBER:
        buf_add(b, json_text(j));
        return false;
    case JSON_STRING:
        put_str(b, json_text(j));
        return false;
    case JSON_ARRAY:
        buf_add(b, j->n > 0 ? STR("[") : STR("[]"));
        return j->n > 0;
    case JSON_OBJECT:
        buf_add(b, j->n > 0 ? STR("{") : STR("{}"));
        return j->n > 0;
    }
    NEVER("a JSON type outside its enum");
}

/* The levels of the node are kept here and not in the writer: what was read may be JSON_DEPTH_MAX
 * deep and still be put into something else. */
void json_put_node(struct json_writer *w, const struct json *node)
{
    const struct json *open[JSON_DEPTH_MAX];
    size_t depth = 0;
    before_value(w);
    const struct json *stop = node + node->skip;
    for (const struct json *j = node; j < stop;) {
        bool in_object = depth > 0 && open[depth - 1]->type == JSON_OBJECT;
        if (in_object) {
            put_str(w->buf, json_text(j));
            buf_add_char(w->buf, ':');
            j++;
        }
        if (put_shallow(w->buf, j)) {
            ASSERT(depth < JSON_DEPTH_MAX);
            open[depth++] = j++;
            continue;
        }
        j += j->skip;
        while (depth > 0 && j == open[depth - 1] + open[depth - 1]->skip)
            buf_add_char(w->buf, open[--depth]->type == JSON_OBJECT ? '}' : ']');
        if (depth > 0)
            buf_add_char(w->buf, ',');
    }
    ASSERT(depth == 0);
}
