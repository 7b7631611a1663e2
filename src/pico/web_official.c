/*
 * The routes of the official engine 1.x (pico-engine, its server): any method, 200 also for errors.
 */
#include "pico/web_inside.h"

enum { HEADER_VALUE_MAX = 4096, UI_CONTEXT_BYTES_MAX = 1024 };

/* --- answers --- */

static void reply_as_is(struct web_call *c)
{
    web_json(c, 200, c->r.reply);
}

/* The text that a JSON string stands for; other values as their JSON. */
static struct str plain(struct web_call *c, struct str json)
{
    struct err err = {0};
    const struct json *value = NULL;
    if (json.n == 0 || json.p[0] != '"' || json_parse(json, web_arena(c), &value, &err) != RC_OK)
        return json;
    return json_text(value);
}

static void reply_query(struct web_call *c)
{
    struct str value = c->r.undefined ? STR("") : c->r.reply;
    if (c->type == NULL)
        web_json(c, 200, value);
    else
        http_reply(c->x, 200, c->type, plain(c, value));
}

static bool is_header_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return s.n > 0 && s.n <= HEADER_VALUE_MAX;
}

static struct str option(const struct json *directive, struct str name)
{
    const struct json *options = json_get(directive, STR("options"));
    const struct json *value =
        options != NULL && json_type(options) == JSON_OBJECT ? json_get(options, name) : NULL;
    struct str text = STR("");
    if (value != NULL && json_type(value) == JSON_STRING)
        text = json_text(value);
    return is_header_value(text) ? text : STR("");
}

/* Directives _cookie and _redirect speak to the browser. Returns the status. */
static int obey(struct web_call *c, const struct json *directives)
{
    int status = 200;
    for (const struct json *d = json_first(directives); d != NULL; d = json_next(directives, d)) {
        const struct json *name = json_get(d, STR("name"));
        struct str word = name == NULL ? STR("") : json_text(name);
        struct str cookie = option(d, STR("cookie"));
        struct str url = option(d, STR("url"));
        if (str_eq(word, STR("_cookie")) && cookie.n > 0) {
            http_reply_header(c->x, "Set-Cookie", cookie);
        } else if (str_eq(word, STR("_redirect")) && url.n > 0 && status == 200) {
            http_reply_header(c->x, "Location", url);
            status = 302;
        }
    }
    return status;
}

static void reply_sky(struct web_call *c)
{
    struct err err = {0};
    const struct json *answer = NULL;
    int status = 200;
    bool speaks =
        str_has(c->r.reply, STR("\"_cookie\"")) || str_has(c->r.reply, STR("\"_redirect\""));
    if (speaks && json_parse(c->r.reply, web_arena(c), &answer, &err) == RC_OK) {
        const struct json *directives = json_get(answer, STR("directives"));
        if (directives != NULL && json_type(directives) == JSON_ARRAY)
            status = obey(c, directives);
    }
    web_json(c, status, c->r.reply);
}

/* --- channels --- */

static void event(struct web_call *c)
{
    c->r.ask = PICO_EVENT;
    c->r.eci = c->part[0];
    c->r.domain = c->part[1];
    c->r.name = c->part[2];
    if (web_read_input(c, true, STR("")))
        web_ask(c, reply_as_is);
}

static void event_wait(struct web_call *c)
{
    c->r.ask = PICO_EVENT_WAIT;
    c->r.eci = c->part[0];
    c->r.domain = c->part[1];
    c->r.name = c->part[2];
    if (web_read_input(c, true, STR("")))
        web_ask(c, reply_as_is);
}

static void sky_event(struct web_call *c)
{
    bool none = str_eq(c->part[1], STR("none"));
    c->r.ask = PICO_EVENT_WAIT;
    c->r.eci = c->part[0];
    c->r.domain = c->part[2];
    c->r.name = c->part[3];
    if (web_read_input(c, true, none ? STR("") : c->part[1]))
        web_ask(c, reply_sky);
}

/* "name.html", "name.txt": how the value is shown; any other suffix says nothing. */
static void take_name(struct web_call *c, struct str name)
{
    struct str suffix = name;
    c->r.query = str_cut(&suffix, '.');
    if (str_eq(suffix, STR("html")))
        c->type = "text/html; charset=utf-8";
    else if (str_eq(suffix, STR("txt")))
        c->type = "text/plain; charset=utf-8";
}

static void event_query(struct web_call *c)
{
    c->r.ask = PICO_EVENT_QUERY;
    c->r.eci = c->part[0];
    c->r.domain = c->part[1];
    c->r.name = c->part[2];
    c->r.rid = c->part[3];
    take_name(c, c->part[4]);
    if (web_read_input(c, true, STR("")))
        web_ask(c, reply_query);
}

static void query(struct web_call *c)
{
    c->r.ask = PICO_QUERY;
    c->r.eci = c->part[0];
    c->r.rid = c->part[1];
    take_name(c, c->part[2]);
    if (web_read_input(c, true, STR("")))
        web_ask(c, reply_query);
}

/* --- the developers' --- */

static void reply_ui_context(struct web_call *c)
{
    struct buf b;
    buf_init(&b, web_arena(c), UI_CONTEXT_BYTES_MAX);
    buf_fmt(&b, "{\"version\":\"%s\",\"eci\":%.*s}", HANSE_VERSION,
            STRF(c->r.undefined ? STR("null") : c->r.reply));
    web_json(c, 200, buf_str(&b));
}

/* The channel of the root that is for interfaces. */
static void ui_context(struct web_call *c)
{
    c->r.ask = PICO_QUERY;
    c->r.eci = pico_root(c->w->o.engine);
    c->r.rid = STR("io.picolabs.pico-engine-ui");
    c->r.query = STR("uiECI");
    c->r.inside = true;
    web_ask(c, reply_ui_context);
}

static void run_flush(struct web_call *c)
{
    struct str ret = STR("");
    struct err *err = http_err(c->x);
    enum rc rc =
        pico_flush(c->w->o.engine, c->r.query, (struct str){NULL, 0}, web_arena(c), &ret, err);
    if (rc == RC_OK)
        web_json(c, 200, ret);
    else
        web_fail(c, rc, err);
}

static void flush(struct web_call *c)
{
    struct err err = {0};
    const struct json *attrs = NULL;
    if (!web_read_input(c, false, STR("")))
        return;
    enum rc rc = json_parse(c->r.attrs, web_arena(c), &attrs, &err);
    const struct json *url = rc == RC_OK ? json_get(attrs, STR("url")) : NULL;
    if (url == NULL || json_type(url) != JSON_STRING || json_text(url).n == 0) {
        web_refuse(c, RC_INVALID, "TypeError: Expected `url`");
        return;
    }
    c->r.query = json_text(url);
    web_work(c, run_flush);
}

const struct web_route web_official_routes[] = {
    {"c/:/event/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, event, 0},
    {"c/:/event-wait/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, event_wait, 0},
    {"c/:/event/:/:/query/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, event_query, 0},
    {"c/:/query/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, query, 0},
    {"sky/event/:/:/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, sky_event, 0},
    {"sky/cloud/:/:/:", NULL, WEB_OFFICIAL | WEB_CHANNEL, query, 0},
    {"api/ui-context", NULL, WEB_OFFICIAL | WEB_DEVELOPER, ui_context, 0},
    {"api/flush", NULL, WEB_OFFICIAL | WEB_DEVELOPER, flush, 0},
    {NULL, NULL, 0, NULL, 0},
};
