#include "api/input.h"

#include "api/accept.h"

static enum rc read_query(struct request *r)
{
    struct call *c = &r->call;
    size_t count = 0;
    const struct pair *pairs = http_query(c->x, &count);
    const struct schema *s = c->route->query;
    if (s == NULL && count > 0 && !(c->route->flags & ROUTE_HIDDEN))
        return err_set_at(c->err, RC_INVALID, pairs[0].name, "there is no parameter '%.*s' here",
                          STRF(pairs[0].name));
    if (s == NULL)
        return RC_OK;
    void *query = arena_alloc(c->arena, s->size);
    TRY(schema_decode_pairs(s, pairs, count, c->arena, query, c->err));
    c->query = query;
    return RC_OK;
}

static bool is_json_type(struct str type, bool patch)
{
    type = str_trim(str_cut(&type, ';'));
    return str_eq_nocase(type, STR("application/json")) ||
           (patch && str_eq_nocase(type, STR("application/merge-patch+json")));
}

/* Bytes that the handler reads: in one of the forms that it knows. */
static enum rc check_raw(struct request *r)
{
    struct call *c = &r->call;
    struct buf names;
    struct str type = http_header(c->x, "Content-Type");
    type = str_trim(str_cut(&type, ';'));
    buf_init(&names, c->arena, ERR_TEXT_MAX);
    for (const char *const *takes = c->route->takes; *takes != NULL; takes++) {
        if (str_eq_nocase(type, str_c(*takes)))
            return RC_OK;
        buf_fmt(&names, "%s%s", names.n > 0 ? ", " : "", *takes);
    }
    return err_set(c->err, RC_MEDIA_TYPE, "the body wants a Content-Type of %.*s",
                   STRF(buf_str(&names)));
}

static enum rc read_body(struct request *r)
{
    struct call *c = &r->call;
    const struct schema *s = c->route->body;
    struct str text = http_body(c->x);
    bool patch = (c->route->flags & ROUTE_PATCH) != 0;
    if (c->route->flags & ROUTE_HIDDEN)
        return RC_OK; /* pages read their forms themselves */
    if (c->route->flags & ROUTE_RAW)
        return check_raw(r);
    if (s == NULL) {
        struct str rest = str_trim(text);
        if (rest.n == 0 || str_eq(rest, STR("{}")))
            return RC_OK;
        return err_set(c->err, RC_SYNTAX, "this request takes no body");
    }
    if (!is_json_type(http_header(c->x, "Content-Type"), patch))
        return err_set(c->err, RC_MEDIA_TYPE, "the body wants Content-Type: application/json%s",
                       patch ? " or application/merge-patch+json" : "");
    const struct json *json = NULL;
    TRY(json_parse(text, c->arena, &json, c->err));
    void *body = arena_alloc(c->arena, s->size);
    TRY(schema_decode(s, patch ? SCHEMA_PATCH : SCHEMA_WHOLE, json, c->arena, body, c->err));
    c->body = body;
    return RC_OK;
}

static enum rc read_match(struct request *r)
{
    struct call *c = &r->call;
    if (!r->unsafe)
        return RC_OK;
    struct str header = http_header(c->x, "If-Match");
    if (header.n == 0 && (c->route->flags & ROUTE_NEEDS_MATCH))
        return err_set(
            c->err, RC_NEED_MATCH,
            "send the ETag of what you read as If-Match: or \"*\" to change it as it is");
    TRY(etags_parse(header, "If-Match", &r->match, c->err));
    c->match = r->match.given ? &r->match : NULL;
    return RC_OK;
}

static enum rc read_accept(struct request *r)
{
    struct call *c = &r->call;
    if (c->route->media != NULL)
        return RC_OK; /* there is one form only, and no browser is turned away */
    bool list = (c->route->flags & ROUTE_LIST) != 0;
    enum accept_form form = accept_choose(http_header(c->x, "Accept"), list);
    r->csv = form == ACCEPT_CSV;
    if (form == ACCEPT_NOTHING)
        return err_set(c->err, RC_NOT_ACCEPTABLE, "there is application/json%s",
                       list ? " and text/csv" : " only");
    return RC_OK;
}

enum rc input_read(struct request *r)
{
    TRY(read_accept(r));
    TRY(read_query(r));
    if (r->unsafe)
        TRY(read_body(r));
    return read_match(r);
}
