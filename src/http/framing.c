#include "http/framing.h"

/* A name of the DNS in text, a colon and a port: what is longer is no host, and links of its
 * size need not be expected anywhere. */
enum { LENGTH_DIGITS_MAX = 15, HOST_BYTES_MAX = 253 + 6 };

bool framing_is_token(struct str s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  (c != '\0' && strchr(marks, c) != NULL);
        if (!ok)
            return false;
    }
    return s.n > 0;
}

/* Whether eight bytes are all ASCII without controls: none of them sets its highest bit in any of
 * the three tests. */
static bool is_printable_word(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t w = 0;
    memcpy(&w, p, sizeof w);
    uint64_t marks = w | (w - ones * 0x20) | ((w ^ ones * 0x7F) - ones);
    return (marks & ones * 0x80) == 0;
}

bool framing_is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.n - i >= 8 && is_printable_word(s.p + i)) {
            i += 7;
            continue;
        }
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

/* What was seen of the headers that decide. */
struct seen {
    unsigned lengths, encodings, hosts, expects;
    struct str length, encoding, host, expect;
};

static void see(struct str name, struct str value, struct seen *s)
{
    /* The length of the name rules out nearly every header without comparing. */
    switch (name.n) {
    case 4:
        if (str_eq_nocase(name, STR("host"))) {
            s->hosts++;
            s->host = str_trim(value);
        }
        break;
    case 6:
        if (str_eq_nocase(name, STR("expect"))) {
            s->expects++;
            s->expect = str_trim(value);
        }
        break;
    case 14:
        if (str_eq_nocase(name, STR("content-length"))) {
            s->lengths++;
            s->length = value;
        }
        break;
    case 17:
        if (str_eq_nocase(name, STR("transfer-encoding"))) {
            s->encodings++;
            s->encoding = value;
        }
        break;
    default:
        break;
    }
}

static enum rc read_length(struct str text, uint64_t *ret, struct err *err)
{
    uint64_t length = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i == LENGTH_DIGITS_MAX)
            return err_set(err, RC_SYNTAX, "Content-Length is not a number of bytes");
        length = length * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (text.n == 0)
        return err_set(err, RC_SYNTAX, "Content-Length is empty");
    *ret = length;
    return RC_OK;
}

static enum rc check_host(const struct seen *s, bool is_11, struct err *err)
{
    if (s->hosts > 1)
        return err_set(err, RC_SYNTAX, "Host came twice");
    if (s->hosts == 0 && is_11)
        return err_set(err, RC_SYNTAX, "Host is missing");
    if (s->host.n > HOST_BYTES_MAX)
        return err_set(err, RC_SYNTAX, "Host is longer than the name of a host can be");
    for (size_t i = 0; i < s->host.n; i++) {
        char c = s->host.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
        if (!ok)
            return err_set(err, RC_SYNTAX, "Host is not the name of a host");
    }
    return RC_OK;
}

enum rc framing_check(struct str version, const struct pair *headers, size_t count,
                      struct framing *ret, struct err *err)
{
    bool is_11 = str_eq(version, STR("HTTP/1.1"));
    if (!is_11 && !str_eq(version, STR("HTTP/1.0")))
        return err_set(err, RC_UNSUPPORTED, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    struct seen s = {0};
    for (size_t i = 0; i < count; i++) {
        if (!framing_is_token(headers[i].name))
            return err_set(err, RC_SYNTAX, "a header's name has a character that none may have");
        if (!framing_is_value(headers[i].value))
            return err_set(err, RC_SYNTAX, "header '%.*s' has a control character",
                           STRF(headers[i].name));
        see(headers[i].name, headers[i].value, &s);
    }
    if (s.lengths > 1)
        return err_set(err, RC_SYNTAX, "Content-Length came twice");
    if (s.encodings > 1)
        return err_set(err, RC_SYNTAX, "Transfer-Encoding came twice");
    if (s.lengths > 0 && s.encodings > 0)
        return err_set(err, RC_SYNTAX, "Content-Length and Transfer-Encoding came together");
    if (s.encodings > 0 && (!is_11 || !str_eq_nocase(s.encoding, STR("chunked"))))
        return err_set(err, RC_SYNTAX, "Transfer-Encoding is not 'chunked'");
    if (s.expects > 1 || (s.expects == 1 && !str_eq_nocase(s.expect, STR("100-continue"))))
        return err_set(err, RC_SYNTAX, "Expect is not '100-continue'");
    struct framing framing = {
        .chunked = s.encodings > 0, .expects_continue = s.expects > 0 && is_11, .host = s.host};
    if (s.lengths > 0)
        TRY(read_length(s.length, &framing.length, err));
    TRY(check_host(&s, is_11, err));
    *ret = framing;
    return RC_OK;
}

enum rc framing_check_layout(const char *target, size_t target_n, const char *version,
                             const struct pair *headers, size_t count, struct err *err)
{
    static const char crlf[2] = {'\0', '\0'}; /* what is left of it */
    bool ok = version == target + target_n + 1;
    const char *end = version + strlen(version);
    for (size_t i = 0; ok && i < count; i++) {
        ok = headers[i].name.p == end + sizeof crlf && memcmp(end, crlf, sizeof crlf) == 0 &&
             headers[i].value.p >= headers[i].name.p + headers[i].name.n;
        end = headers[i].value.p + headers[i].value.n;
    }
    /* Behind the last line stands the empty one, so these bytes are inside the buffer. */
    if (!ok || memcmp(end, crlf, sizeof crlf) != 0)
        return err_set(err, RC_SYNTAX,
                       "a line of the head does not end in CR LF, is folded, or has a NUL");
    return RC_OK;
}
