#include "pico/web_inside.h"

#include <stdarg.h>

struct arena *web_arena(struct web_call *c)
{
    return http_arena(c->x);
}

void web_json(struct web_call *c, int status, struct str json)
{
    http_reply(c->x, status, "application/json; charset=utf-8", json);
}

static struct str official_json(struct web_call *c, struct str text)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, web_arena(c), (size_t)16 * ERR_TEXT_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("error"));
    json_put_str(&w, text);
    json_end_object(&w);
    return buf_str(&b);
}

static struct str problem_json(struct web_call *c, enum rc rc, struct str text)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, web_arena(c), (size_t)16 * ERR_TEXT_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, arena_fmt(web_arena(c), "/problems/%s", rc_slug(rc)));
    json_put_key(&w, STR("title"));
    json_put_str(&w, str_c(rc_title(rc)));
    json_put_key(&w, STR("status"));
    json_put_i64(&w, rc_http(rc));
    json_put_key(&w, STR("detail"));
    json_put_str(&w, text);
    json_put_key(&w, STR("request_id"));
    json_put_str(&w, http_request_id(c->x));
    json_end_object(&w);
    return buf_str(&b);
}

/* What the official engine does not know has a status there, too. */
static bool has_status(enum rc rc)
{
    return rc == RC_TOO_MANY || rc == RC_UNAVAILABLE || rc == RC_FULL;
}

void web_fail(struct web_call *c, enum rc rc, const struct err *err)
{
    if (rc == RC_TOO_MANY && c->retry_s > 0)
        http_reply_header(c->x, "Retry-After",
                          arena_fmt(web_arena(c), "%lld", (long long)c->retry_s));
    if ((c->route->flags & WEB_OFFICIAL) != 0)
        web_json(c, has_status(rc) ? rc_http(rc) : 200, official_json(c, err_text(err)));
    else
        http_reply(c->x, rc_http(rc), "application/problem+json",
                   problem_json(c, rc, err_text(err)));
}

void web_refuse(struct web_call *c, enum rc rc, const char *format, ...)
{
    struct err err = {0};
    va_list args;
    va_start(args, format);
    char text[ERR_TEXT_MAX];
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_write(&err, rc, "%s", text);
    web_fail(c, rc, &err);
}
