/* Bytes as texts and back, as Buffer of Node.js has it: math:base64encode and math:base64decode. */
#include "krl/lib.h"

#include "krl/case.h"

enum coding {
    CODING_UTF8,
    CODING_HEX,
    CODING_BASE64,
    CODING_BASE64URL,
    CODING_LATIN1,
    CODING_ASCII,
    CODING_UTF16
};

enum { CODING_NAME_MAX = 16 };

static const char plain_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* --- base64 --- */

static struct krl_value put_base64(struct krl_heap *h, struct str s, const char *digits,
                                   bool padded)
{
    struct krl_builder b;
    krl_builder_init(&b, h);
    for (size_t i = 0; i < s.n && !b.failed; i += 3) {
        uint32_t three = 0;
        size_t have = min_size(3, s.n - i);
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (k < have ? (uint8_t)s.p[i + k] : 0U);
        for (size_t k = 0; k < 4; k++)
            if (k <= have)
                krl_add_unit(&b, (uint8_t)digits[three >> (18 - 6 * k) & 63]);
            else if (padded)
                krl_add_unit(&b, '=');
    }
    return krl_failing(h) ? krl_failed() : krl_of_text(krl_builder_text(&b));
}

struct krl_value krl_base64(struct krl_heap *h, struct str s)
{
    return put_base64(h, s, plain_digits, true);
}

static size_t take_base64(const struct krl_text *t, char *bytes)
{
    size_t count = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint16_t unit = krl_unit(t, i);
        char c = unit == '-' ? '+' : unit == '_' ? '/' : unit < 0x80 ? (char)unit : '\0';
        const char *found = c == '\0' ? NULL : strchr(plain_digits, c);
        if (c == '=')
            break;
        if (found == NULL)
            continue; /* what is no base64 is passed over */
        bits = bits << 6 | (uint32_t)(found - plain_digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes[count++] = (char)(bits >> have & 0xFF);
        }
    }
    return count;
}

/* --- the others --- */

/* As far as there are pairs of digits. */
static size_t take_hex(const struct krl_text *t, char *bytes)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < t->n; i += 2) {
        int high = hex_value(krl_unit(t, i));
        int low = hex_value(krl_unit(t, i + 1));
        if (high < 0 || low < 0)
            break;
        bytes[count++] = (char)(high << 4 | low);
    }
    return count;
}

/* The bytes that a text stands for. p is NULL: no room. */
static struct str bytes_of(struct krl_heap *h, const struct krl_text *t, enum coding coding)
{
    if (coding == CODING_UTF8)
        return krl_text_utf8(h, t, false);
    char *bytes = krl_take_raw(h, (size_t)t->n * 2 + 1);
    size_t n = 0;
    if (bytes == NULL)
        return (struct str){NULL, 0};
    if (coding == CODING_HEX)
        return str_n(bytes, take_hex(t, bytes));
    if (coding == CODING_BASE64 || coding == CODING_BASE64URL)
        return str_n(bytes, take_base64(t, bytes));
    for (size_t i = 0; i < t->n; i++) {
        bytes[n++] = (char)(krl_unit(t, i) & 0xFF);
        if (coding == CODING_UTF16)
            bytes[n++] = (char)(krl_unit(t, i) >> 8);
    }
    return str_n(bytes, n);
}

static struct krl_value text_of(struct krl_heap *h, struct str s, enum coding coding)
{
    struct krl_builder b;
    if (coding == CODING_UTF8)
        return krl_of_text(krl_text(h, s));
    if (coding == CODING_BASE64 || coding == CODING_BASE64URL)
        return put_base64(h, s, coding == CODING_BASE64 ? plain_digits : url_digits,
                          coding == CODING_BASE64);
    krl_builder_init(&b, h);
    for (size_t i = 0; i < s.n && !b.failed; i++) {
        uint8_t byte = (uint8_t)s.p[i];
        if (coding == CODING_HEX) {
            krl_add_unit(&b, (uint8_t) "0123456789abcdef"[byte >> 4]);
            krl_add_unit(&b, (uint8_t) "0123456789abcdef"[byte & 15]);
        } else if (coding != CODING_UTF16) {
            krl_add_unit(&b, coding == CODING_ASCII ? byte & 0x7F : byte);
        } else if (i + 1 < s.n) {
            krl_add_unit(&b, (uint16_t)(byte | (uint8_t)s.p[++i] << 8));
        }
    }
    return krl_of_text(krl_builder_text(&b));
}

/* --- the functions --- */

/* False: there is none of that name. */
static bool find_coding(const struct krl_text *name, enum coding *ret)
{
    static const struct {
        const char *name;
        enum coding coding;
    } all[] = {
        {"utf8", CODING_UTF8},     {"utf-8", CODING_UTF8},          {"hex", CODING_HEX},
        {"base64", CODING_BASE64}, {"base64url", CODING_BASE64URL}, {"latin1", CODING_LATIN1},
        {"binary", CODING_LATIN1}, {"ascii", CODING_ASCII},         {"ucs2", CODING_UTF16},
        {"ucs-2", CODING_UTF16},   {"utf16le", CODING_UTF16},       {"utf-16le", CODING_UTF16}};
    char lower[CODING_NAME_MAX];
    if (name->wide || name->n > sizeof lower)
        return false;
    for (size_t i = 0; i < name->n; i++)
        lower[i] = (char)krl_unit_lower((uint8_t)name->a[i]);
    for (size_t i = 0; i < COUNT(all); i++)
        if (str_eq(str_n(lower, name->n), str_c(all[i].name))) {
            *ret = all[i].coding;
            return true;
        }
    return false;
}

static struct krl_value unknown(struct krl_machine *m, struct krl_value coding)
{
    krl_fail(&m->heap, RC_INVALID, "TypeError: Unknown encoding: %.*s",
             STRF(krl_to_message(&m->heap, coding)));
    return krl_failed();
}

/* Buffer.from(text, coding): what is no text names no coding, and is UTF-8. */
struct krl_value lib_base64encode(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = krl_to_text(&m->heap, krl_arg(args, n, 0));
    struct krl_value name = krl_arg(args, n, 1);
    enum coding coding = CODING_UTF8;
    if (t == NULL)
        return krl_failed();
    if (name.type == KRL_TEXT && name.text->n > 0 && !find_coding(name.text, &coding))
        return unknown(m, name);
    struct str bytes = bytes_of(&m->heap, t, coding);
    return bytes.p == NULL ? krl_failed() : krl_base64(&m->heap, bytes);
}

/* Buffer.toString(coding): of no bytes it does not ask for the coding; else whatever is given is
 * taken for its name. */
struct krl_value lib_base64decode(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct krl_text *t = krl_to_text(&m->heap, krl_arg(args, n, 0));
    struct krl_value coding = krl_arg(args, n, 1);
    enum coding found = CODING_UTF8;
    if (t == NULL)
        return krl_failed();
    struct str bytes = bytes_of(&m->heap, t, CODING_BASE64);
    if (bytes.p == NULL)
        return krl_failed();
    if (bytes.n > 0 && coding.type != KRL_UNDEFINED) {
        const struct krl_text *name = krl_to_js_text(&m->heap, coding);
        if (name == NULL)
            return krl_failed();
        if (!find_coding(name, &found))
            return unknown(m, coding);
    }
    return text_of(&m->heap, bytes, found);
}
