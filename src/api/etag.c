#include "api/etag.h"

#include "base/buf.h"

static bool is_etag_char(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c <= 0x7E) || c >= 0x80;
}

/* One entity tag at the head of *rest: its text without quotes. */
static bool cut_tag(struct str *rest, struct str *ret)
{
    if (str_starts(*rest, STR("W/")))
        *rest = str_sub(*rest, 2, rest->n);
    if (rest->n < 2 || rest->p[0] != '"')
        return false;
    size_t end = str_find(*rest, '"', 1);
    if (end == rest->n)
        return false;
    *ret = str_sub(*rest, 1, end);
    for (size_t i = 0; i < ret->n; i++)
        if (!is_etag_char((unsigned char)ret->p[i]))
            return false;
    *rest = str_sub(*rest, end + 1, rest->n);
    return true;
}

enum rc etags_parse(struct str header, const char *name, struct etags *ret, struct err *err)
{
    struct etags e = {.given = header.n > 0};
    struct str rest = str_trim(header);
    if (str_eq(rest, STR("*"))) {
        e.any = true;
        rest = STR("");
    }
    size_t seen = 0;
    while (rest.n > 0) {
        struct str tag;
        if (++seen > ETAGS_MAX || !cut_tag(&rest, &tag))
            return err_set(err, RC_SYNTAX,
                           "%s wants \"*\" or a list of at most %d tags, such as \"12\"", name,
                           ETAGS_MAX);
        rest = str_trim(rest);
        if (rest.n > 0 && rest.p[0] != ',')
            return err_set(err, RC_SYNTAX, "%s wants commas between its tags", name);
        rest = str_trim(str_sub(rest, 1, rest.n));
        if (str_to_i64(tag, 1, INT64_MAX, &e.versions[e.count]))
            e.count++;
    }
    *ret = e;
    return RC_OK;
}

bool etags_match(const struct etags *e, int64_t version)
{
    if (e->any)
        return true;
    for (size_t i = 0; i < e->count; i++)
        if (e->versions[i] == version)
            return true;
    return false;
}

struct str etag_text(int64_t version, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, 32);
    buf_add_char(&b, '"');
    buf_add_i64(&b, version);
    buf_add_char(&b, '"');
    return buf_str(&b);
}
