#include "pico/url.h"

#include "base/buf.h"

enum { ESCAPED = 3 /* bytes of "%20" */, LABEL_MAX = 63 };

struct parts {
    struct str scheme;
    struct str host; /* as it came, without user */
    struct str port;
    struct str path;
    struct str query;
    struct str fragment;
    bool has_fragment;
};

struct parameter {
    struct str name; /* decoded */
    struct str value;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static bool is_word(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

/* The byte that "%xx" at i stands for; -1: no escape. */
static int escaped_byte(struct str s, size_t i)
{
    if (s.p[i] != '%' || i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
        return -1;
    return hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]);
}

/* --- parts --- */

static void cut_tail(struct str *s, char c, struct str *ret)
{
    size_t at = str_find(*s, c, 0);
    *ret = str_sub(*s, at + 1, s->n);
    *s = str_sub(*s, 0, at);
}

static void split(struct str url, struct parts *ret)
{
    struct parts p = {.scheme = STR("http")};
    size_t colon = str_find(url, ':', 0);
    struct str rest = url;
    bool schemed = colon > 0 && str_starts(str_sub(url, colon, url.n), STR("://"));
    for (size_t i = 0; schemed && i < colon; i++)
        schemed = is_word(url.p[i]);
    if (schemed) {
        p.scheme = str_sub(url, 0, colon);
        rest = str_sub(url, colon + 3, url.n);
    } else if (str_starts(url, STR("//"))) {
        rest = str_sub(url, 2, url.n);
    }
    p.has_fragment = str_find(rest, '#', 0) < rest.n;
    cut_tail(&rest, '#', &p.fragment);
    cut_tail(&rest, '?', &p.query);
    size_t slash = str_find(rest, '/', 0);
    p.path = str_sub(rest, slash, rest.n);
    p.host = str_sub(rest, 0, slash);
    for (size_t at; (at = str_find(p.host, '@', 0)) < p.host.n;)
        p.host = str_sub(p.host, at + 1, p.host.n);
    size_t bracket = p.host.n > 0 && p.host.p[0] == '[' ? str_find(p.host, ']', 0) : 0;
    size_t port = str_find(p.host, ':', bracket);
    p.port = str_sub(p.host, port + 1, p.host.n);
    p.host = str_sub(p.host, 0, port);
    *ret = p;
}

/* --- scheme and host --- */

/* "www.example.com", but not "www.com" and not "www.www.com". */
static bool has_www(struct str host)
{
    struct str rest = host;
    if (!str_eq_nocase(str_sub(host, 0, 4), STR("www.")))
        return false;
    rest = str_sub(host, 4, host.n);
    struct str label = str_cut(&rest, '.');
    return label.n > 0 && label.n <= LABEL_MAX && !str_eq_nocase(label, STR("www")) && rest.n >= 2;
}

static bool put_host(struct buf *b, struct str host)
{
    bool address = host.n > 0 && host.p[0] == '[';
    if (str_ends(host, STR(".")))
        host.n--;
    if (has_www(host))
        host = str_sub(host, 4, host.n);
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool dot = c == '.' && i > 0 && host.p[i - 1] != '.';
        bool plain = is_word(c) || c == '-' || dot || c == '_';
        if (!plain && !(address && (c == '[' || c == ']' || c == ':')))
            return false;
        buf_add_char(b, lower(c));
    }
    return host.n > 0 && host.p[host.n - 1] != '.';
}

static bool put_port(struct buf *b, struct str scheme, struct str port)
{
    int64_t number = 0;
    if (port.n == 0)
        return true;
    if (!str_to_i64(port, 0, UINT16_MAX, &number))
        return false;
    if (number != (str_eq_nocase(scheme, STR("http")) ? 80 : 443))
        buf_fmt(b, ":%lld", (long long)number);
    return true;
}

/* --- path --- */

/* decodeURI leaves these escaped; the path needs the escape of the others. */
static bool stays_escaped(int byte)
{
    static const char keep[] = ";/?:@&=+$,#\"<>`{}%";
    return byte <= ' ' || byte >= 0x7F || strchr(keep, byte) != NULL;
}

static void put_path_byte(struct buf *b, unsigned char c)
{
    static const char escape[] = "\"<>`{}";
    if (c <= ' ' || c >= 0x7F || strchr(escape, c) != NULL)
        buf_fmt(b, "%%%02X", c);
    else
        buf_add_char(b, (char)c);
}

/* Where one "%" is no escape, decodeURI gives up and all stay as they are: else what is decoded
 * could make an escape of what stands before it. */
static bool has_wrong_escape(struct str path)
{
    for (size_t at = 0; (at = str_find(path, '%', at)) < path.n; at++)
        if (escaped_byte(path, at) < 0)
            return true;
    return false;
}

static void put_segment(struct buf *b, struct str segment)
{
    for (size_t i = 0; i < segment.n; i++)
        put_path_byte(b, (unsigned char)segment.p[i]);
}

/* Decode what stands in b from begin on, in place: it never grows. */
static void decode_path(struct buf *b, size_t begin)
{
    const struct str path = str_n(b->p + begin, b->n - begin);
    size_t n = 0;
    if (has_wrong_escape(path))
        return;
    for (size_t i = 0; i < path.n; i++) {
        int byte = escaped_byte(path, i);
        if (byte < 0) {
            b->p[begin + n++] = path.p[i];
            continue;
        }
        if (!stays_escaped(byte)) {
            b->p[begin + n++] = (char)byte;
        } else { /* bytes above ASCII as they are where they came bare: in upper case */
            for (size_t k = 0; k < ESCAPED; k++)
                b->p[begin + n++] = byte >= 0x80 ? upper(path.p[i + k]) : path.p[i + k];
        }
        i += ESCAPED - 1;
    }
    b->n = begin + n;
}

static bool is_dot(struct str segment)
{
    return str_eq(segment, STR(".")) || str_eq_nocase(segment, STR("%2e"));
}

static bool is_dots(struct str segment)
{
    return str_eq(segment, STR("..")) || str_eq_nocase(segment, STR(".%2e")) ||
           str_eq_nocase(segment, STR("%2e.")) || str_eq_nocase(segment, STR("%2e%2e"));
}

static void put_path(struct buf *b, struct str path)
{
    const size_t begin = b->n;
    for (struct str rest = path; rest.n > 0;) {
        struct str segment = str_cut(&rest, '/');
        if (segment.n == 0 || is_dot(segment))
            continue;
        if (!is_dots(segment)) {
            buf_add_char(b, '/');
            put_segment(b, segment);
            continue;
        }
        while (b->n > begin && b->p[b->n - 1] != '/')
            b->n--;
        if (b->n > begin)
            b->n--;
    }
    if (!b->full)
        decode_path(b, begin);
}

/* --- query --- */

/* As application/x-www-form-urlencoded is read; a wrong escape stands for itself. */
static struct str decode(struct arena *arena, struct str s)
{
    char *to = arena_bytes(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int byte = escaped_byte(s, i);
        to[n++] = byte >= 0 ? (char)byte : s.p[i] == '+' ? ' ' : s.p[i];
        i += byte >= 0 ? ESCAPED - 1 : 0;
    }
    return str_n(to, n);
}

static void encode(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_word(s.p[i]) || (c != '\0' && strchr("*-._", c) != NULL))
            buf_add_char(b, (char)c);
        else if (c == ' ')
            buf_add_char(b, '+');
        else
            buf_fmt(b, "%%%02X", c);
    }
}

static bool is_tracking(struct str name)
{
    return name.n > 4 && str_eq_nocase(str_sub(name, 0, 4), STR("utm_")) &&
           (is_word(name.p[4]) || name.p[4] == '_');
}

/* Sorted by name, stable: the lists are short. */
static size_t insert(struct parameter *list, size_t n, struct parameter p)
{
    size_t at = n;
    for (; at > 0 && str_cmp(list[at - 1].name, p.name) > 0; at--)
        list[at] = list[at - 1];
    list[at] = p;
    return n + 1;
}

static bool put_query(struct buf *b, struct str query)
{
    struct parameter list[PICO_URL_PARAMETERS_MAX];
    size_t n = 0;
    for (struct str rest = query; rest.n > 0;) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct parameter p = {.name = decode(b->arena, str_cut(&value, '='))};
        p.value = decode(b->arena, value);
        if (n == COUNT(list))
            return false;
        if (!is_tracking(p.name))
            n = insert(list, n, p);
    }
    for (size_t i = 0; i < n; i++) {
        buf_add_char(b, i == 0 ? '?' : '&');
        encode(b, list[i].name);
        buf_add_char(b, '=');
        encode(b, list[i].value);
    }
    return true;
}

enum rc pico_url_normalise(struct str url, struct arena *arena, struct str *ret, struct err *err)
{
    struct parts p;
    struct buf b;
    url = str_trim(url);
    if (url.n > PICO_URL_MAX)
        return err_set(err, RC_INVALID, "TypeError: the URL has more than %d bytes", PICO_URL_MAX);
    bool relative = str_starts(url, STR("/")) && !str_starts(url, STR("//"));
    if (url.n == 0 || relative || !str_is_utf8(url))
        return err_set(err, RC_INVALID, "TypeError: Invalid URL: %.*s", STRF(url));
    split(url, &p);
    bool good = false;
    bool file = str_eq_nocase(p.scheme, STR("file")) || str_eq_nocase(p.scheme, STR("hanse"));
    if (!file && !str_eq_nocase(p.scheme, STR("http")) && !str_eq_nocase(p.scheme, STR("https")))
        return err_set(err, RC_INVALID, "TypeError: the URL is not of file:, http: or https:");
    buf_init(&b, arena, (size_t)PICO_URL_MAX * ESCAPED * 2);
    for (size_t i = 0; i < p.scheme.n; i++)
        buf_add_char(&b, lower(p.scheme.p[i]));
    buf_add(&b, STR("://"));
    if (file)
        good = p.host.n == 0 && p.port.n == 0 && p.path.n > 1;
    else
        good = put_host(&b, p.host) && put_port(&b, p.scheme, p.port);
    put_path(&b, p.path);
    good = good && put_query(&b, p.query);
    if (p.has_fragment && p.fragment.n > 0) {
        buf_add_char(&b, '#');
        for (size_t i = 0; i < p.fragment.n; i++)
            put_path_byte(&b, (unsigned char)p.fragment.p[i]);
    }
    if (!good || b.full)
        return err_set(err, RC_INVALID, "TypeError: Invalid URL: %.*s", STRF(url));
    *ret = buf_str(&b);
    return RC_OK;
}

void pico_url_escape(struct buf *b, struct str s)
{
    static const char keep[] = "-._~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr(keep, c) != NULL);
        if (plain)
            buf_add_char(b, c);
        else
            buf_fmt(b, "%%%02X", (unsigned char)c);
    }
}
