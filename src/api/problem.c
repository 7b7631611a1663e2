#include "api/problem.h"

enum { PROBLEM_BYTES_MAX = 16 * 1024, UNAVAILABLE_RETRY_S = 2 };

static void put(struct json_writer *w, const char *key, struct str value)
{
    json_put_key(w, str_c(key));
    json_put_str(w, value);
}

/* A JSON pointer as the fragment of an address (RFC 6901, 6). */
static struct str fragment_of(struct str pointer, struct arena *arena)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_bytes(arena, 3 * pointer.n + 1);
    size_t n = 0;
    out[n++] = '#';
    for (size_t i = 0; i < pointer.n; i++) {
        unsigned char ch = (unsigned char)pointer.p[i];
        if (ch > 0x20 && ch < 0x7F && strchr("\"#%<>[\\]^`{|}", ch) == NULL) {
            out[n++] = (char)ch;
        } else {
            out[n++] = '%';
            out[n++] = hex[ch >> 4];
            out[n++] = hex[ch & 15];
        }
    }
    return str_n(out, n);
}

static void put_errors(struct request *r, struct json_writer *w, enum rc rc)
{
    struct call *c = &r->call;
    struct str pointer = err_pointer(c->err);
    if (pointer.n == 0)
        return;
    bool query = !r->unsafe || pointer.p[0] != '/';
    json_put_key(w, STR("errors"));
    json_begin_array(w);
    json_begin_object(w);
    if (query)
        put(w, "parameter", pointer.p[0] == '/' ? str_sub(pointer, 1, pointer.n) : pointer);
    else
        put(w, "pointer", fragment_of(pointer, c->arena));
    put(w, "code", str_c(rc_slug(rc)));
    put(w, "detail", err_text(c->err));
    json_end_object(w);
    json_end_array(w);
}

struct str problem_json(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    struct buf b;
    buf_init(&b, c->arena, PROBLEM_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    put(&w, "type", arena_fmt(c->arena, "/problems/%s", rc_slug(rc)));
    put(&w, "title", str_c(rc_title(rc)));
    json_put_key(&w, STR("status"));
    json_put_i64(&w, rc_http(rc));
    /* What is wrong inside is for our log, not for strangers. */
    put(&w, "detail",
        rc == RC_INTERNAL ? STR("our log has it under this request_id: tell us")
                          : err_text(c->err));
    if (c->route == NULL || !(c->route->flags & ROUTE_HIDDEN))
        put(&w, "instance", http_path(c->x));
    put(&w, "request_id", http_request_id(c->x));
    if (r->missing != PERM_NONE)
        put(&w, "missing_permission", str_c(permission_text(r->missing)));
    if (r->prove)
        put(&w, "prove", str_c(routes[ROUTE_session_prove].path));
    if (rc != RC_INTERNAL)
        put_errors(r, &w, rc);
    json_end_object(&w);
    ASSERT(!b.full);
    return buf_str(&b);
}

void problem_headers(struct request *r, enum rc rc)
{
    struct call *c = &r->call;
    int status = rc_http(rc);
    if (status == 401)
        http_reply_header(c->x, "WWW-Authenticate",
                          r->credential.kind == CREDENTIAL_TOKEN
                              ? STR("Bearer realm=\"hanse\", error=\"invalid_token\"")
                              : STR("Bearer realm=\"hanse\""));
    if (status == 405)
        http_reply_header(c->x, "Allow", r->allow);
    if (status == 429 || status == 503) {
        int64_t seconds = r->limit.retry_s > 0 ? r->limit.retry_s : UNAVAILABLE_RETRY_S;
        http_reply_header(c->x, "Retry-After", arena_fmt(c->arena, "%lld", (long long)seconds));
    }
}
