#include "pico/web_inside.h"

enum {
    ARENA_BYTES = 4 * 1024 * 1024,
    NOT_THERE_BYTES_MAX = 8 * 1024 + 8 * HTTP_TARGET_MAX,
};

static const struct web_route *const tables[] = {web_official_routes, web_routes, web_owner_routes};

/* --- which route --- */

/* The parts of the path that stand for ":", in order; false: another path. */
static bool match(const char *pattern, struct str path, struct web_call *c)
{
    struct str left = str_c(pattern);
    c->part_n = 0;
    while (left.n > 0 && path.n > 0) {
        struct str wanted = str_cut(&left, '/');
        struct str part = str_cut(&path, '/');
        if (str_eq(wanted, STR(":"))) {
            ASSERT(c->part_n < WEB_SEGMENTS_MAX);
            c->part[c->part_n++] = part;
        } else if (!str_eq(wanted, part)) {
            return false;
        }
    }
    return left.n == 0 && path.n == 0;
}

static const struct web_route *find(struct web_call *c, bool developer)
{
    struct str path = http_path(c->x);
    path = str_sub(path, 1, path.n);
    if (str_ends(path, STR("/")))
        path.n--;
    for (size_t t = 0; t < COUNT(tables); t++)
        for (const struct web_route *r = tables[t]; r->pattern != NULL; r++)
            if ((developer || (r->flags & WEB_DEVELOPER) == 0) && match(r->pattern, path, c))
                return r;
    return NULL;
}

static bool takes(const char *methods, struct str method)
{
    if (methods == NULL)
        return true;
    for (struct str rest = str_c(methods); rest.n > 0;)
        if (str_eq(str_cut(&rest, ' '), method))
            return true;
    return false;
}

/* Another route with the same path may take the method. */
static const struct web_route *find_method(struct web_call *c, const struct web_route *first)
{
    struct str method = http_method_name(c->x);
    for (const struct web_route *r = first; r->pattern != NULL; r++)
        if (strcmp(r->pattern, first->pattern) == 0 && takes(r->methods, method))
            return r;
    return NULL;
}

/* --- refusing --- */

static void put_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '&' || s.p[i] == '"')
            buf_fmt(b, "&#%d;", s.p[i]);
        else
            buf_add_char(b, s.p[i]);
    }
}

/* As express says it. */
static void reply_not_there(struct web_call *c)
{
    struct buf b;
    buf_init(&b, web_arena(c), NOT_THERE_BYTES_MAX);
    buf_add(&b, STR("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<title>Error</title>\n</head>\n<body>\n<pre>Cannot "));
    put_escaped(&b, http_method_name(c->x));
    buf_add_char(&b, ' ');
    put_escaped(&b, http_path(c->x));
    buf_add(&b, STR("</pre>\n</body>\n</html>\n"));
    http_reply(c->x, 404, "text/html; charset=utf-8", buf_str(&b));
}

static struct str without_port(struct str host)
{
    size_t bracket = str_starts(host, STR("[")) ? str_find(host, ']', 0) : 0;
    return str_sub(host, 0, str_find(host, ':', bracket));
}

static bool is_this_machine(struct str host)
{
    struct str name = without_port(host);
    return str_eq_nocase(name, STR("localhost")) || str_eq(name, STR("127.0.0.1")) ||
           str_eq(name, STR("[::1]"));
}

/* A page from elsewhere, open in a browser on this machine, sends an Origin that is not ours, or a
 * Host that is not this machine (DNS rebinding). */
static bool may_develop(struct web_call *c)
{
    struct str token = c->w->o.token;
    struct str given = http_header(c->x, "Authorization");
    if (token.n > 0)
        return str_starts(given, STR("Bearer ")) &&
               str_eq_secret(str_sub(given, 7, given.n), token);
    struct str host = http_header(c->x, "Host");
    struct str origin = http_header(c->x, "Origin");
    struct str site = http_header(c->x, "Sec-Fetch-Site");
    bool foreign =
        origin.n > 0 && !str_eq(origin, arena_fmt(web_arena(c), "http://%.*s", STRF(host)));
    return is_this_machine(host) && !foreign && !str_eq(site, STR("cross-site"));
}

/* A file of the interface for browsers, for who may develop. False: there is none. */
static bool show_file(struct web_call *c)
{
    struct str path = http_path(c->x);
    enum http_method method = http_method(c->x);
    if (c->w->o.interface == NULL || (method != HTTP_GET && method != HTTP_HEAD) || !may_develop(c))
        return false;
    path = str_sub(path, 1, path.n);
    if (path.n == 0 || str_ends(path, STR("/")))
        path = arena_fmt(web_arena(c), "%.*sindex.html", STRF(path));
    return http_reply_file(c->x, c->w->o.interface, path);
}

/* --- one request --- */

static void put_cors(struct web_call *c)
{
    http_reply_header(c->x, "Access-Control-Allow-Origin", STR("*"));
    http_reply_header(c->x, "Access-Control-Allow-Headers",
                      STR("Origin, X-Requested-With, Content-Type, Accept"));
}

/* In the log a channel is not named: who has it may use it. */
static void hide_channel(struct web_call *c)
{
    struct buf b;
    buf_init(&b, web_arena(c), (size_t)2 * HTTP_TARGET_MAX);
    size_t n = 0;
    for (struct str rest = str_c(c->route->pattern); rest.n > 0;) {
        struct str part = str_cut(&rest, '/');
        bool filled = str_eq(part, STR(":"));
        buf_add_char(&b, '/');
        buf_add(&b, !filled ? part : n == 0 ? STR("-") : c->part[n]);
        n += filled;
    }
    http_log_path(c->x, buf_str(&b));
}

/* False: answered. */
static bool within_rate(struct web_call *c)
{
    if (c->w->rate == NULL || (c->route->flags & WEB_CHANNEL) == 0 ||
        web_rate_take(c->w->rate, c->part[0], &c->retry_s))
        return true;
    atomic_fetch_add(&c->w->limited, 1);
    struct err err = {0};
    err_write(&err, RC_TOO_MANY, "Error: this channel is asked too often");
    web_refuse_much(c, &err);
    return false;
}

static struct web_call *call_new(struct pico_web *w, struct http_exchange *x)
{
    struct web_call *c = NEW(http_arena(x), struct web_call);
    c->w = w;
    c->x = x;
    return c;
}

static void refuse_method(struct web_call *c)
{
    struct buf b;
    buf_init(&b, web_arena(c), 256);
    for (const struct web_route *r = c->route; r->pattern != NULL; r++) {
        if (strcmp(r->pattern, c->route->pattern) != 0)
            continue;
        for (struct str rest = str_c(r->methods); rest.n > 0;) {
            buf_add(&b, b.n > 0 ? STR(", ") : STR(""));
            buf_add(&b, str_cut(&rest, ' '));
        }
    }
    http_reply_header(c->x, "Allow", buf_str(&b));
    web_refuse(c, RC_METHOD, "this address does not answer %.*s", STRF(http_method_name(c->x)));
}

static void serve(struct pico_web *w, struct http_exchange *x, bool developer)
{
    static const struct web_route nothing = {"", NULL, 0, NULL, 0};
    struct web_call *c = call_new(w, x);
    const struct web_route *r = find(c, developer);
    c->route = r == NULL ? &nothing : r;
    bool ours = str_starts(http_path(x), STR("/v1/"));
    if (r != NULL && (r->flags & WEB_CHANNEL) != 0) {
        hide_channel(c);
        put_cors(c);
        c->own = developer && may_develop(c);
    }
    /* As the official engine: for any address, so that it does not tell what is there. */
    if (http_method(x) == HTTP_OPTIONS && (r != NULL || !ours)) {
        if (r == NULL)
            put_cors(c);
        http_reply_header(x, "Allow", STR("POST, GET, OPTIONS"));
        http_reply(x, 200, "", STR(""));
    } else if (r == NULL && ours) {
        web_refuse(c, RC_NOT_FOUND, "there is nothing at this address");
    } else if (r == NULL) {
        if (!developer || !show_file(c))
            reply_not_there(c);
    } else if ((r->flags & WEB_DEVELOPER) != 0 && !may_develop(c)) {
        c->route = &nothing;
        web_refuse(c, w->o.token.n > 0 ? RC_UNAUTHENTICATED : RC_FORBIDDEN,
                   w->o.token.n > 0 ? "say the token: Authorization: Bearer ..."
                                    : "only from this machine, or with a token");
    } else if ((c->route = find_method(c, r)) == NULL) {
        c->route = r;
        refuse_method(c);
    } else if (within_rate(c)) {
        c->route->run(c);
    }
}

static void serve_customer(void *arg, struct http_exchange *x)
{
    serve(arg, x, false);
}

static void serve_developer(void *arg, struct http_exchange *x)
{
    serve(arg, x, true);
}

/* Only who may develop can make us keep a large body. */
static void head_developer(void *arg, struct http_exchange *x)
{
    struct web_call *c = call_new(arg, x);
    const struct web_route *r = find(c, true);
    r = r == NULL ? NULL : find_method(c, r);
    if (r != NULL && r->body_max > 0 && may_develop(c))
        http_body_limit(x, r->body_max);
}

struct http_handler pico_web_customers(struct pico_web *w)
{
    return (struct http_handler){.request = serve_customer, .arg = w};
}

struct http_handler pico_web_developers(struct pico_web *w)
{
    return (struct http_handler){.head = head_developer, .request = serve_developer, .arg = w};
}

/* --- the whole --- */

struct pico_web *pico_web_open(const struct pico_web_options *o)
{
    struct pico_web *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    w->o = *o;
    arena_init(&w->arena, ARENA_BYTES);
    w->o.token = arena_str(&w->arena, o->token);
    clock_chance(o->clock, w->seed, sizeof w->seed);
    if (o->per_minute > 0)
        w->rate = web_rate_init(&w->arena, o->clock, o->per_minute);
    w->pool = work_open(WEB_THREADS, WEB_WAITING_MAX);
    w->away = work_open(WEB_THREADS, WEB_WAITING_MAX);
    w->late = web_late_open(o->clock);
    return w;
}

void pico_web_close(struct pico_web *w)
{
    if (w == NULL)
        return;
    work_close(w->pool);
    work_close(w->away);
    web_late_close(w->late);
    web_rate_fini(w->rate);
    arena_fini(&w->arena);
    free(w);
}
