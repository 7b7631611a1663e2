#include "profile/template.h"

#include "base/json.h"
#include "profile/pattern.h"

const char *const template_kinds[] = {"raw", "shell", "json", "yaml", "ini",
                                      "sql", "url",   "html", NULL};

enum { TAG_BYTES_MAX = 200 };

/* --- the escapes --- */

static enum rc put_ini(struct buf *b, struct str s, struct err *err)
{
    bool bad = s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
    for (size_t i = 0; i < s.n && !bad; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bad = c < ' ' || c == 127 || strchr("\"'\\;#`$%", c) != NULL;
    }
    if (bad)
        return err_set(err, RC_INVALID,
                       "this must have no quotes, line ends, spaces at its ends, nor any of "
                       "\\ ; # ` $ %%");
    buf_add(b, s);
    return RC_OK;
}

/* A backslash is an escape in some dialects and none in others: neither reading is safe. */
static enum rc put_sql(struct buf *b, struct str s, struct err *err)
{
    if (str_find(s, '\\', 0) < s.n)
        return err_set(err, RC_INVALID, "this must have no backslash");
    buf_add_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_char(b, '\'');
        buf_add_char(b, s.p[i]);
    }
    buf_add_char(b, '\'');
    return RC_OK;
}

static void put_shell(struct buf *b, struct str s)
{
    buf_add_char(b, '\'');
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\'')
            buf_add(b, STR("'\\''"));
        else
            buf_add_char(b, s.p[i]);
    buf_add_char(b, '\'');
}

static void put_json(struct buf *b, struct str s)
{
    struct json_writer w;
    json_writer_init(&w, b);
    json_put_str(&w, s);
}

/* JSON's string, but for what only YAML takes as the end of a line: U+0085, U+2028, U+2029; and for
 * what only YAML does not print: U+007F to U+009F, U+FEFF. */
static void put_yaml(struct buf *b, struct str s)
{
    size_t from = 0;
    buf_add_char(b, '"');
    while (from < s.n) {
        size_t step = str_utf8_step(s, from);
        ASSERT(step > 0);
        unsigned char c = (unsigned char)s.p[from];
        struct str one = str_sub(s, from, from + step);
        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c < ' ' || c == 127)
            buf_fmt(b, "\\x%02x", c);
        else if (step == 2 && c == 0xc2 && (unsigned char)s.p[from + 1] < 0xa0)
            buf_fmt(b, "\\x%02x", (unsigned char)s.p[from + 1]);
        else if (str_eq(one, STR("\u2028")))
            buf_add(b, STR("\\u2028"));
        else if (str_eq(one, STR("\u2029")))
            buf_add(b, STR("\\u2029"));
        else if (str_eq(one, STR("\ufeff")))
            buf_add(b, STR("\\ufeff"));
        else
            buf_add(b, one);
        from += step;
    }
    buf_add_char(b, '"');
}

static void put_url(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != 0 && strchr("-._~", c) != NULL);
        if (kept)
            buf_add_char(b, (char)c);
        else
            buf_fmt(b, "%%%02X", c);
    }
}

static void put_html(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '&':
            buf_add(b, STR("&amp;"));
            break;
        case '<':
            buf_add(b, STR("&lt;"));
            break;
        case '>':
            buf_add(b, STR("&gt;"));
            break;
        case '"':
            buf_add(b, STR("&quot;"));
            break;
        case '\'':
            buf_add(b, STR("&#39;"));
            break;
        default:
            buf_add_char(b, s.p[i]);
        }
}

static enum rc put_value(struct buf *b, enum template_kind kind, const struct template_value *v,
                         struct err *err)
{
    struct str s = v->text;
    switch (kind) {
    case TEMPLATE_RAW:
        ASSERT(v->plain);
        buf_add(b, s);
        return RC_OK;
    case TEMPLATE_SHELL:
        put_shell(b, s);
        return RC_OK;
    case TEMPLATE_JSON:
    case TEMPLATE_YAML:
        if (v->number)
            buf_add(b, s);
        else if (kind == TEMPLATE_JSON)
            put_json(b, s);
        else
            put_yaml(b, s);
        return RC_OK;
    case TEMPLATE_INI:
        return put_ini(b, s, err);
    case TEMPLATE_SQL:
        return put_sql(b, s, err);
    case TEMPLATE_URL:
        put_url(b, s);
        return RC_OK;
    case TEMPLATE_HTML:
        put_html(b, s);
        return RC_OK;
    }
    NEVER("every kind was written");
}

/* --- the tags --- */

struct tag {
    struct str name;
    enum template_kind kind;
};

static enum rc read_tag(struct str inside, enum template_kind kind, struct tag *ret,
                        struct err *err)
{
    size_t bar = str_find(inside, '|', 0);
    struct str name = str_trim(str_sub(inside, 0, bar));
    *ret = (struct tag){.name = name, .kind = kind};
    if (name.n == 0 || !text_is_plain(name))
        return err_set(err, RC_INVALID, "{{ }} wants the name of a value");
    if (bar == inside.n)
        return RC_OK;
    struct str filter = str_trim(str_sub(inside, bar + 1, inside.n));
    for (size_t i = 0; template_kinds[i] != NULL; i++)
        if (str_eq(filter, str_c(template_kinds[i]))) {
            ret->kind = (enum template_kind)i;
            return RC_OK;
        }
    return err_set(err, RC_INVALID, "there is no filter '%.*s'", STRF(filter));
}

/* One tag whose "{{" lies at *at; *at moves behind it. out NULL: only look. */
static enum rc take_tag(struct str text, size_t *at, enum template_kind kind,
                        const struct template_scope *scope, struct buf *out, struct err *err)
{
    size_t from = *at + 2;
    size_t end = from;
    while (end + 1 < text.n && end - from < TAG_BYTES_MAX &&
           !(text.p[end] == '}' && text.p[end + 1] == '}'))
        end++;
    if (end + 1 >= text.n || text.p[end] != '}')
        return err_set(err, RC_INVALID, "'{{' has no '}}'");
    struct tag tag;
    struct template_value value = {.plain = false};
    TRY(read_tag(str_sub(text, from, end), kind, &tag, err));
    *at = end + 2;
    if (!scope->find(scope->arg, tag.name, &value))
        return err_set(err, RC_INVALID, "there is no value '%.*s'", STRF(tag.name));
    if (tag.kind == TEMPLATE_RAW && !value.plain)
        return err_set(err, RC_INVALID,
                       "'%.*s' may hold anything: say a filter, or bound it by a pattern",
                       STRF(tag.name));
    if (out == NULL)
        return RC_OK;
    enum rc rc = put_value(out, tag.kind, &value, err);
    if (rc != RC_OK)
        err_add(err, "'%.*s'", STRF(tag.name));
    return rc;
}

static bool is_at(struct str text, size_t at, const char *what)
{
    size_t n = strlen(what);
    return at + n <= text.n && memcmp(text.p + at, what, n) == 0;
}

static enum rc walk(struct str text, enum template_kind kind, const struct template_scope *scope,
                    struct buf *out, struct err *err)
{
    size_t at = 0;
    while (at < text.n) {
        if (is_at(text, at, "{{{{")) {
            if (out != NULL)
                buf_add(out, STR("{{"));
            at += 4;
        } else if (is_at(text, at, "{{")) {
            TRY(take_tag(text, &at, kind, scope, out, err));
        } else {
            if (out != NULL)
                buf_add_char(out, text.p[at]);
            at++;
        }
    }
    return RC_OK;
}

enum rc template_check(struct str text, enum template_kind kind, const struct template_scope *scope,
                       struct err *err)
{
    return walk(text, kind, scope, NULL, err);
}

enum rc template_render(struct str text, enum template_kind kind,
                        const struct template_scope *scope, size_t max, struct arena *arena,
                        struct str *ret, struct err *err)
{
    struct buf out;
    buf_init(&out, arena, max);
    TRY(walk(text, kind, scope, &out, err));
    if (out.full)
        return err_set(err, RC_TOO_LARGE, "it is longer than %zu bytes", max);
    *ret = buf_str(&out);
    return RC_OK;
}
