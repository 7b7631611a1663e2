#include "cli/demo.h"

#include "cli/peek.h"

enum { LIST_PAGES_MAX = 100 };

struct demo_name *demo_find(struct demo *d, struct str name)
{
    for (size_t i = 0; i < d->name_count; i++)
        if (str_eq(d->names[i].name, name))
            return &d->names[i];
    return NULL;
}

struct demo_name *demo_keep(struct demo *d, struct str name, struct str id)
{
    struct demo_name *known = demo_find(d, name);
    if (known != NULL) {
        known->id = arena_str(d->run->arena, id);
        return known;
    }
    ASSERT(d->name_count < DEMO_NAMES_MAX);
    struct demo_name *fresh = &d->names[d->name_count++];
    *fresh = (struct demo_name){.name = arena_str(d->run->arena, name),
                                .id = arena_str(d->run->arena, id)};
    return fresh;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
            return false;
    return s.n > 0;
}

/* {n} first, so that it can stand within a name: {guest-{n}}. */
static struct str with_count(struct demo *d, struct str s, int64_t n)
{
    struct str mark = STR("{n}");
    struct buf b;
    buf_init(&b, d->run->arena, DEMO_TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        if (!str_eq(str_sub(s, i, i + mark.n), mark)) {
            buf_add_char(&b, s.p[i]);
            continue;
        }
        buf_add_i64(&b, n);
        i += mark.n - 1;
    }
    ASSERT(!b.full);
    return buf_str(&b);
}

enum rc demo_text(struct demo *d, const char *text, int64_t n, struct str *ret)
{
    struct str s = with_count(d, str_c(text), n);
    struct buf b;
    buf_init(&b, d->run->arena, DEMO_TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        struct str name = str_sub(s, i + 1, str_find(s, '}', i));
        if (s.p[i] == '{' && is_name(name)) {
            const struct demo_name *known = demo_find(d, name);
            if (known == NULL)
                return err_set(d->run->err, RC_INTERNAL,
                               "the story speaks of '%.*s' before it is there", STRF(name));
            buf_add(&b, known->id);
            i += name.n + 1;
        } else {
            buf_add_char(&b, s.p[i] == '\'' ? '"' : s.p[i]);
        }
    }
    ASSERT(!b.full);
    *ret = buf_str(&b);
    return RC_OK;
}

enum rc demo_call(struct demo *d, struct str token, enum http_method method, struct str path,
                  struct str body, const struct json **ret)
{
    struct run *run = d->run;
    struct arena *kept = run->arena;
    struct ask ask = {.method = method, .path = path, .body = body, .anonymous = token.n == 0};
    if (!d->ending && run->cli->host->stopped(run->cli->host))
        return err_set(run->err, RC_GONE, "stopped by the user");
    arena_reset(&d->one);
    run->arena = &d->one;
    d->server.token = token;
    enum rc rc = server_json(&d->server, &ask, ret);
    run->more = arena_str(kept, run->more);
    run->arena = kept;
    if (rc != RC_OK)
        err_add(run->err, "%s %.*s", method_name(method), STRF(path));
    return rc;
}

enum rc demo_ask(struct demo *d, const char *who, enum http_method method, struct str path,
                 struct str body, const struct json **ret)
{
    const struct demo_name *party = demo_find(d, str_c(who));
    ASSERT(party != NULL);
    return demo_call(d, party->token, method, path, body, ret);
}

enum rc demo_change(struct demo *d, const char *who, struct str path, struct str body)
{
    const struct json *answer = NULL;
    int64_t version = 0;
    TRY(demo_ask(d, who, HTTP_GET, path, STR(""), &answer));
    const struct json *at = peek(answer, "version");
    if (at == NULL || !json_i64(at, &version))
        return err_set(d->run->err, RC_REMOTE, "'%.*s' has no version", STRF(path));
    struct ask change = {.method = HTTP_PATCH,
                         .path = path,
                         .body = body,
                         .match = arena_fmt(d->run->arena, "\"%lld\"", (long long)version)};
    d->server.token = demo_find(d, str_c(who))->token;
    return server_json(&d->server, &change, &answer);
}

enum rc demo_each(struct demo *d, struct str token, struct str path,
                  enum rc (*fn)(struct demo *d, const struct json *item, void *arg), void *arg)
{
    struct str next = STR("");
    const char *mark = str_has(path, STR("?")) ? "&" : "?";
    for (int page = 0; page < LIST_PAGES_MAX; page++) {
        const struct json *answer = NULL;
        struct buf b;
        buf_init(&b, d->run->arena, DEMO_TEXT_MAX);
        buf_fmt(&b, "%.*s%slimit=200", STRF(path), mark);
        if (next.n > 0) {
            buf_add(&b, STR("&after="));
            server_encode(&b, next);
        }
        TRY(demo_call(d, token, HTTP_GET, buf_str(&b), STR(""), &answer));
        next = arena_str(d->run->arena, peek_text(answer, "next"));
        const struct json *items = peek_array(answer, "items");
        if (items == NULL)
            return err_set(d->run->err, RC_REMOTE, "'%.*s' is no list", STRF(path));
        for (const struct json *c = json_first(items); c != NULL; c = json_next(items, c))
            TRY(fn(d, c, arg));
        if (next.n == 0)
            return RC_OK;
    }
    return err_set(d->run->err, RC_TOO_LARGE, "the list '%.*s' does not end", STRF(path));
}
