#include "http/target.h"

/* The byte that "%41" at s[at] stands for, or -1. */
static int escape_value(struct str s, size_t at)
{
    if (s.n - at < 3)
        return -1;
    int high = hex_value(s.p[at + 1]);
    int low = hex_value(s.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
            return true;
    return false;
}

/* Undo the percent escapes of s; what names the part in messages. */
static enum rc decode(struct str s, bool is_query, const char *what, struct arena *arena,
                      struct str *ret, struct err *err)
{
    char *p = arena_bytes(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int value = escape_value(s, i);
            if (value < 0)
                return err_set(err, RC_SYNTAX, "the %s has a '%%' without two digits behind", what);
            if (value == '/' && !is_query)
                return err_set(err, RC_SYNTAX, "the path has an escaped slash");
            c = (char)value;
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        p[n++] = c;
    }
    p[n] = '\0';
    struct str text = {p, n};
    if (!str_is_utf8(text))
        return err_set(err, RC_SYNTAX, "the %s is not UTF-8", what);
    /* Line ends in a query value are text like any other; in a path they only deceive logs. */
    if (is_query ? str_find(text, '\0', 0) < n : has_control(text))
        return err_set(err, RC_SYNTAX, "the %s has a control character", what);
    *ret = text;
    return RC_OK;
}

static enum rc check_segments(struct str path, struct err *err)
{
    ASSERT(path.n > 0 && path.p[0] == '/');
    struct str rest = str_sub(path, 1, path.n);
    while (rest.n > 0) {
        struct str segment = str_cut(&rest, '/');
        if (segment.n == 0)
            return err_set(err, RC_SYNTAX, "the path has an empty segment");
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return err_set(err, RC_SYNTAX, "the path has a segment of dots");
    }
    return RC_OK;
}

static enum rc parse_query(struct str text, size_t query_max, struct arena *arena,
                           struct target *ret, struct err *err)
{
    while (text.n > 0) {
        struct str value = str_cut(&text, '&');
        if (value.n == 0)
            continue;
        if (ret->query_count == query_max)
            return err_set(err, RC_SYNTAX, "more than %zu query parameters", query_max);
        struct str name = str_cut(&value, '=');
        struct pair *pair = &ret->query[ret->query_count];
        TRY(decode(name, true, "query", arena, &pair->name, err));
        TRY(decode(value, true, "query", arena, &pair->value, err));
        ret->query_count++;
    }
    return RC_OK;
}

/* "http://HOST/path" (RFC 9112, 3.2.2): cut the front off, so that the path is left. */
static struct str cut_authority(struct str *text)
{
    size_t scheme_n = str_eq_nocase(str_sub(*text, 0, 7), STR("http://"))    ? 7
                      : str_eq_nocase(str_sub(*text, 0, 8), STR("https://")) ? 8
                                                                             : 0;
    if (scheme_n == 0)
        return (struct str){NULL, 0};
    size_t end = min_size(str_find(*text, '/', scheme_n), str_find(*text, '?', scheme_n));
    struct str authority = str_sub(*text, scheme_n, end);
    *text = end < text->n ? str_sub(*text, end, text->n) : STR("/");
    return authority;
}

enum rc target_parse(struct str text, size_t query_max, struct pair *query, struct arena *arena,
                     struct target *ret, struct err *err)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] >= 0x7F || text.p[i] == '#')
            return err_set(err, RC_SYNTAX, "the address has a byte that must be percent-escaped");
    struct target target = {.query = query};
    if (str_eq(text, STR("*"))) {
        target.path = text;
        *ret = target;
        return RC_OK;
    }
    target.authority = cut_authority(&text);
    struct str path = str_cut(&text, '?');
    if (path.n == 0 || path.p[0] != '/')
        return err_set(err, RC_SYNTAX, "the address has no path that begins with '/'");
    TRY(decode(path, false, "path", arena, &target.path, err));
    TRY(check_segments(target.path, err));
    TRY(parse_query(text, query_max, arena, &target, err));
    *ret = target;
    return RC_OK;
}
