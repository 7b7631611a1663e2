/*
 * http: - a ruleset asks the outside. It waits on the slow lane, at most HTTP_WAIT_S seconds for at
 * most HTTP_REPLY_MAX bytes, through the wire door, which refuses private addresses unless the
 * engine was told otherwise, and follows at most five redirects.
 *
 * An activation that is begun anew does not ask again (outside.c); one that a crash cut short does:
 * whoever is asked by an action must bear a repeat.
 */
#include "krl/lib.h"
#include "pico/activation.h"
#include "pico/url.h"

enum {
    HTTP_WAIT_S = 10,
    HTTP_REPLY_MAX = 1024 * 1024,
    HTTP_SCRATCH = 16 * 1024 * 1024, /* to make the request */
    HTTP_SCRATCH_LEFT = 4 * 1024 * 1024,
    HTTP_REPLY_ARENA = 8 * 1024 * 1024,
    HTTP_URL_MAX = 16 * 1024,
    HTTP_KEY_MAX = 1024,
    HTTP_SECRET_MAX = 1024,
    HTTP_DEPTH_MAX = 16, /* of qs and form */
    ARGS_MAX = 11,
};

enum argument {
    ARG_URL,
    ARG_QS,
    ARG_HEADERS,
    ARG_BODY,
    ARG_AUTH,
    ARG_JSON,
    ARG_FORM,
    ARG_PARSE_JSON,
    ARG_AUTORAISE,
    ARG_AUTOSEND,
    ARG_DONT_FOLLOW,
};

struct asking {
    struct activation *a;
    const char *method; /* lower case */
    struct krl_value args[ARGS_MAX];
    struct arena *arena; /* for the request */
    struct pair headers[WIRE_HEADERS_MAX];
    size_t headers_n;
};

/* --- the request --- */

static struct str key_of(struct asking *q, const struct krl_text *key)
{
    return krl_text_utf8(&q->a->m.heap, key, false);
}

static struct krl_value too_much(struct asking *q)
{
    krl_fail(&q->a->m.heap, RC_TOO_LARGE, "Error: http:%s was given too much", q->method);
    return krl_failed();
}

/* "a[0][b]=1" as the npm package qs writes it. Recursion: HTTP_DEPTH_MAX levels. */
static void put_pairs(struct asking *q, struct buf *b, struct str key, struct krl_value v,
                      int depth)
{
    size_t n = v.type == KRL_MAP ? v.map->n : v.type == KRL_ARRAY ? v.array->n : 0;
    if (!krl_is_collection(v) && v.type != KRL_UNDEFINED && key.n > 0) {
        if (b->n > 0)
            buf_add_char(b, '&');
        pico_url_escape(b, key);
        buf_add_char(b, '=');
        pico_url_escape(b, v.type == KRL_NULL ? STR("") : text_of(q->a, v));
    }
    if (key.n > HTTP_KEY_MAX || arena_room(q->arena) < HTTP_SCRATCH_LEFT)
        b->full = true;
    for (size_t i = 0; i < n && depth < HTTP_DEPTH_MAX && !b->full; i++) {
        bool map = v.type == KRL_MAP;
        struct str name =
            map ? key_of(q, krl_map_at(v.map, i)->key) : arena_fmt(q->arena, "%zu", i);
        struct krl_value item = map ? krl_map_at(v.map, i)->value : v.array->v[i];
        struct str whole =
            key.n == 0 ? name : arena_fmt(q->arena, "%.*s[%.*s]", STRF(key), STRF(name));
        put_pairs(q, b, whole, item, depth + 1);
    }
}

static struct str pairs_of(struct asking *q, struct krl_value v)
{
    struct buf b;
    buf_init(&b, q->arena, HTTP_REPLY_MAX);
    put_pairs(q, &b, STR(""), v, 0);
    if (b.full)
        (void)too_much(q);
    return buf_str(&b);
}

static void add_header(struct asking *q, struct str name, struct str value)
{
    for (size_t i = 0; i < q->headers_n; i++)
        if (str_eq_nocase(q->headers[i].name, name)) {
            q->headers[i].value = value;
            return;
        }
    if (q->headers_n == WIRE_HEADERS_MAX)
        krl_fail(&q->a->m.heap, RC_TOO_LARGE, "Error: http:%s was given too many headers",
                 q->method);
    else
        q->headers[q->headers_n++] = (struct pair){name, value};
}

static bool has_header(const struct asking *q, struct str name)
{
    for (size_t i = 0; i < q->headers_n; i++)
        if (str_eq_nocase(q->headers[i].name, name))
            return true;
    return false;
}

static void add_headers(struct asking *q)
{
    struct krl_value given = q->args[ARG_HEADERS];
    struct krl_value auth = q->args[ARG_AUTH];
    const struct krl_value *user = auth.type == KRL_MAP ? krl_map_find(auth.map, "username") : NULL;
    const struct krl_value *password =
        auth.type == KRL_MAP ? krl_map_find(auth.map, "password") : NULL;
    add_header(q, STR("User-Agent"), STR("pico-engine-core-http"));
    for (size_t i = 0; given.type == KRL_MAP && i < given.map->n; i++)
        add_header(q, key_of(q, krl_map_at(given.map, i)->key),
                   text_of(q->a, krl_map_at(given.map, i)->value));
    if (user == NULL || user->type != KRL_TEXT)
        return;
    bool with = password != NULL && password->type == KRL_TEXT;
    struct str name = text_of(q->a, *user);
    struct str secret = with ? text_of(q->a, *password) : STR("");
    if (name.n > HTTP_SECRET_MAX || secret.n > HTTP_SECRET_MAX) {
        (void)too_much(q);
        return;
    }
    struct str both = arena_fmt(q->arena, "%.*s:%.*s", STRF(name), STRF(secret));
    struct krl_value coded = krl_base64(&q->a->m.heap, both);
    if (!krl_is_failed(coded))
        add_header(q, STR("Authorization"),
                   arena_fmt(q->arena, "Basic %.*s", STRF(text_of(q->a, coded))));
}

/* body before json before form. */
static struct str body_of(struct asking *q)
{
    const char *type = NULL;
    struct str body = STR("");
    if (krl_truthy(q->args[ARG_BODY])) {
        body = text_of(q->a, q->args[ARG_BODY]);
    } else if (krl_truthy(q->args[ARG_JSON])) {
        body = activation_encode(q->a, q->args[ARG_JSON]);
        type = "application/json";
    } else if (krl_truthy(q->args[ARG_FORM])) {
        body = pairs_of(q, q->args[ARG_FORM]);
        type = "application/x-www-form-urlencoded";
    }
    if (type != NULL && !has_header(q, STR("Content-Type")))
        add_header(q, STR("Content-Type"), str_c(type));
    return body;
}

static struct str url_of(struct asking *q)
{
    struct str url = text_of(q->a, q->args[ARG_URL]);
    struct str qs = krl_truthy(q->args[ARG_QS]) ? pairs_of(q, q->args[ARG_QS]) : STR("");
    if (url.n + qs.n > HTTP_URL_MAX)
        (void)too_much(q);
    if (krl_failing(&q->a->m.heap) || qs.n == 0)
        return url;
    return arena_fmt(q->arena, "%.*s%c%.*s", STRF(url), str_find(url, '?', 0) < url.n ? '&' : '?',
                     STRF(qs));
}

/* --- the answer --- */

static const char *status_line(int status)
{
    static const struct {
        int status;
        const char *line;
    } lines[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {301, "Moved Permanently"},
                 {302, "Found"},
                 {303, "See Other"},
                 {304, "Not Modified"},
                 {307, "Temporary Redirect"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {422, "Unprocessable Entity"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};
    for (size_t i = 0; i < COUNT(lines); i++)
        if (lines[i].status == status)
            return lines[i].line;
    return "";
}

static struct krl_value content_of(struct asking *q, const struct wire_reply *r)
{
    struct krl_value text = value_of(q->a, r->body);
    bool parse = q->args[ARG_PARSE_JSON].type == KRL_BOOL && q->args[ARG_PARSE_JSON].truth;
    if (!parse || krl_is_failed(text))
        return text;
    struct krl_value v = krl_json_parse(&q->a->m.heap, text.text);
    return krl_is_failed(v) && !krl_failing(&q->a->m.heap) ? text : v;
}

static struct krl_value header_map(struct asking *q, const struct wire_reply *r)
{
    struct krl_heap *h = &q->a->m.heap;
    struct krl_map *map = krl_map_new(h, r->header_count);
    for (size_t i = 0; i < r->header_count && map != NULL; i++) {
        const struct krl_text *key = krl_text(h, r->headers[i].name);
        if (key == NULL || !krl_map_set(h, map, key, value_of(q->a, r->headers[i].value)))
            return krl_failed();
    }
    return krl_of_map(map);
}

static struct krl_value answer_of(struct asking *q, const struct wire_reply *r)
{
    struct krl_heap *h = &q->a->m.heap;
    struct krl_map *map = krl_map_new(h, 8);
    struct str type = wire_header(r, "content-type");
    struct str length = wire_header(r, "content-length");
    int64_t bytes = 0;
    if (!str_to_i64(length, 0, INT32_MAX, &bytes))
        bytes = 0;
    bool good =
        map != NULL && krl_map_set_ascii(h, map, "content", content_of(q, r)) &&
        krl_map_set_ascii(h, map, "content_type", type.n > 0 ? value_of(q->a, type) : krl_null()) &&
        krl_map_set_ascii(h, map, "content_length", krl_number((double)bytes)) &&
        krl_map_set_ascii(h, map, "headers", header_map(q, r)) &&
        krl_map_set_ascii(h, map, "status_code", krl_number(r->status)) &&
        krl_map_set_ascii(h, map, "status_line", krl_ascii(h, status_line(r->status)));
    return good && !krl_failing(h) ? krl_of_map(map) : krl_failed();
}

/* "autoraise": http:METHOD with the answer and the label. */
static bool raise_answer(struct asking *q, struct krl_value answer)
{
    struct krl_heap *h = &q->a->m.heap;
    const struct krl_text *key = krl_text(h, STR("label"));
    const struct krl_text *label = krl_to_text(h, q->args[ARG_AUTORAISE]);
    if (key == NULL || label == NULL)
        return false;
    struct krl_value attrs = krl_of_map(krl_map_put(h, answer.map, key, krl_of_text(label)));
    return !krl_is_failed(attrs) &&
           activation_raise(q->a, krl_ascii(h, "http"), krl_ascii(h, q->method), attrs, 0);
}

static struct krl_value field(struct krl_value map, const char *key)
{
    const struct krl_value *v = map.type == KRL_MAP ? krl_map_find(map.map, key) : NULL;
    return v == NULL ? krl_undefined() : *v;
}

/* "autosend": the event that is named, with the answer among its attributes. */
static bool send_answer(struct asking *q, struct krl_value answer)
{
    struct krl_heap *h = &q->a->m.heap;
    struct krl_value event = q->args[ARG_AUTOSEND];
    struct krl_value attrs = field(field(event, "data"), "attrs");
    const struct krl_value names[2] = {field(event, "domain"), field(event, "name")};
    const struct krl_map *all = attrs.type == KRL_MAP ? attrs.map : krl_map_new(h, 8);
    for (size_t i = 0; i < answer.map->n && all != NULL; i++)
        all = krl_map_put(h, all, krl_map_at(answer.map, i)->key, krl_map_at(answer.map, i)->value);
    return all != NULL && !krl_is_failed(activation_send(q->a, field(event, "eci"), names,
                                                         krl_of_map(all), krl_undefined()));
}

/* --- the members --- */

static bool check(struct asking *q)
{
    struct krl_heap *h = &q->a->m.heap;
    struct krl_value url = q->args[ARG_URL];
    bool effects = krl_truthy(q->args[ARG_AUTORAISE]) || krl_truthy(q->args[ARG_AUTOSEND]);
    if (!krl_truthy(url))
        krl_fail(h, RC_INVALID, "Error: http:%s needs a url string", q->method);
    else if (url.type != KRL_TEXT)
        krl_fail(h, RC_INVALID, "TypeError: http:%s was given %.*s instead of a url string",
                 q->method, STRF(krl_to_message(h, url)));
    else if (q->a->e->o.wire == NULL)
        krl_fail(h, RC_UNSUPPORTED, "Error: this engine asks no other hosts");
    else if (effects && q->a->commit == NULL)
        krl_fail(h, RC_INVALID, "Error: a query neither raises nor sends events");
    return !krl_failing(h);
}

/* The wire, or what it said before this activation was begun anew. */
static enum rc ask_once(struct asking *q, const struct wire_request *request, struct arena *replies,
                        struct wire_reply *ret, struct err *err)
{
    uint8_t hash[OUTSIDE_HASH];
    size_t count = 0;
    struct str *parts = NEW_N(replies, struct str, 3 + 2 * request->header_count);
    parts[count++] = request->method;
    parts[count++] = request->url;
    parts[count++] = request->body;
    for (size_t i = 0; i < request->header_count; i++) {
        parts[count++] = request->headers[i].name;
        parts[count++] = request->headers[i].value;
    }
    outside_hash(parts, count, hash);
    if (outside_find(q->a->item, hash, replies, ret))
        return RC_OK;
    struct absence away;
    if (!away_begin(q->a->e, q->a->p, request->url, replies, &away)) {
        q->a->wants_rest = true;
        return err_set(err, RC_RETRY, "too many wait for this host");
    }
    enum rc rc = wire_call(q->a->e->o.wire, request, replies, ret, err);
    away_end(q->a->e, &away);
    TRY(rc);
    outside_keep(q->a->item, hash, ret);
    return RC_OK;
}

static struct krl_value call(struct asking *q, struct arena *replies)
{
    struct krl_heap *h = &q->a->m.heap;
    struct wire_reply reply = {.status = 0};
    struct err err = {0};
    char method[8] = {0};
    for (size_t i = 0; q->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)(q->method[i] - ('a' - 'A'));
    add_headers(q);
    struct wire_request request = {
        .method = str_c(method),
        .url = url_of(q),
        .body = body_of(q),
        .headers = q->headers,
        .timeout_us = HTTP_WAIT_S * US_PER_SECOND,
        .reply_bytes_max = HTTP_REPLY_MAX,
        .public_only = !q->a->e->o.private_hosts,
        .follow = !krl_truthy(q->args[ARG_DONT_FOLLOW]),
    };
    request.header_count = q->headers_n; /* after body_of, which may add one */
    if (krl_failing(h))
        return krl_failed();
    enum rc rc = ask_once(q, &request, replies, &reply, &err);
    if (rc != RC_OK) {
        krl_fail(h, q->a->wants_rest ? RC_RETRY : RC_INVALID, "Error: http:%s failed: %.*s",
                 q->method, STRF(err_text(&err)));
        return krl_failed();
    }
    struct krl_value answer = answer_of(q, &reply);
    if (krl_is_failed(answer))
        return answer;
    if (krl_truthy(q->args[ARG_AUTOSEND]))
        return send_answer(q, answer) ? krl_undefined() : krl_failed();
    if (krl_truthy(q->args[ARG_AUTORAISE]) && !raise_answer(q, answer))
        return krl_failed();
    return answer;
}

static struct krl_value ask(struct activation *a, const char *method, const struct krl_value *args,
                            size_t n)
{
    struct arena arena;
    struct arena replies;
    struct asking q = {.a = a, .method = method, .arena = &arena};
    for (size_t i = 0; i < ARGS_MAX; i++)
        q.args[i] = krl_arg(args, n, i);
    if (!check(&q) || !activation_slow(a))
        return krl_failed();
    arena_init(&arena, HTTP_SCRATCH);
    arena_init(&replies, HTTP_REPLY_ARENA);
    struct krl_value answer = call(&q, &replies);
    arena_fini(&replies);
    arena_fini(&arena);
    return answer;
}

#define METHOD(name)                                                                        \
    static struct krl_value http_##name(struct activation *a, const struct krl_value *args, \
                                        size_t n)                                           \
    {                                                                                       \
        return ask(a, #name, args, n);                                                      \
    }
METHOD(get)
METHOD(head)
METHOD(post)
METHOD(put)
METHOD(patch)
METHOD(delete)

struct krl_value http_post_json(struct activation *a, struct krl_value url, struct krl_value json)
{
    struct krl_value args[ARGS_MAX] = {[ARG_URL] = url, [ARG_JSON] = json};
    return ask(a, "post", args, COUNT(args));
}

#define PARAMS                                                                            \
    {                                                                                     \
        "url", "qs", "headers", "body", "auth", "json", "form", "parseJSON", "autoraise", \
            "autosend", "dontFollowRedirect", NULL                                        \
    }

static const struct member members[] = {
    {"get", KRL_DOOR_FUNCTION | KRL_DOOR_ACTION, http_get, PARAMS},
    {"head", KRL_DOOR_FUNCTION | KRL_DOOR_ACTION, http_head, PARAMS},
    {"post", KRL_DOOR_ACTION, http_post, PARAMS},
    {"put", KRL_DOOR_ACTION, http_put, PARAMS},
    {"patch", KRL_DOOR_ACTION, http_patch, PARAMS},
    {"delete", KRL_DOOR_ACTION, http_delete, PARAMS},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_http = {"http", members};
