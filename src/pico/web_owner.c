/*
 * Ours, for who runs the engine; a pico is named by its id.
 *
 *     GET    /v1/picos?parent=&after=&limit=        who is there, a page at a time
 *     GET    /v1/picos/ID                           one of them
 *     POST   /v1/picos/ID/children                  {"name", ...}: a new child, 201
 *     DELETE /v1/picos/ID                           with all below it, at once
 *     GET    /v1/picos/ID/channels  POST            its channels; a new one
 *     DELETE /v1/picos/ID/channels/ECI
 *     GET    /v1/picos/ID/rulesets  POST            its rulesets; {"url", "config", "source"}
 *     DELETE /v1/picos/ID/rulesets/RID
 *     GET    /v1/picos/ID/logs
 *     POST   /v1/picos/ID/events/DOMAIN/NAME        policies are not asked
 *     GET, POST /v1/picos/ID/queries/RID/NAME
 *     GET    /v1/picos/ID/export                    web_export.c
 *     POST   /v1/picos/ID/imports
 *     POST   /v1/picos/ID/moves                     web_move.c
 *     GET, POST, DELETE /v1/picos/ID/account        web_account.c
 *     POST, DELETE /v1/picos/ID/suspension
 *     GET    /v1/picos/ID/asides                    web_aside.c
 *     POST, DELETE /v1/picos/ID/asides/NO
 *     GET    /v1/rulesets  POST                     the registry; {"url", "source"} registers
 *
 * Children and channels are made by the wrangler of the pico, so that it knows of them.
 */
#include "pico/owner.h"
#include "pico/url.h"
#include "pico/web_inside.h"

#define WRANGLER "io.picolabs.wrangler"
#define UI       "io.picolabs.pico-engine-ui"

/* --- lists --- */

struct reading {
    struct web_call *c;
    struct owner_list list;
    struct json_writer w;
    struct buf b;
};

static void read_store(struct web_call *c, tx_fn fn, struct reading *r)
{
    struct err *err = http_err(c->x);
    r->c = c;
    buf_init(&r->b, web_arena(c), WEB_REPLY_BYTES_MAX);
    json_writer_init(&r->w, &r->b);
    enum rc rc = store_read(c->w->o.store, web_arena(c), err, fn, r);
    if (rc == RC_OK && r->b.full)
        rc = err_set(err, RC_TOO_LARGE, "the answer is too long: ask for fewer");
    if (rc == RC_OK)
        web_json(c, 200, buf_str(&r->b));
    else
        web_fail(c, rc, err);
}

static enum rc tx_list(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    buf_reset(&r->b);
    json_writer_init(&r->w, &r->b);
    return owner_list(tx, &r->list, &r->w);
}

static void work_list(struct web_call *c)
{
    struct reading r = {.list = {.parent = web_parameter(c, STR("parent")),
                                 .after = web_parameter(c, STR("after")),
                                 .limit = OWNER_LIMIT_DEFAULT}};
    struct str limit = web_parameter(c, STR("limit"));
    if (limit.n > 0 && !str_to_i64(limit, 1, OWNER_LIMIT_MAX, &r.list.limit))
        web_refuse(c, RC_INVALID, "limit is a number from 1 to %d", OWNER_LIMIT_MAX);
    else
        read_store(c, tx_list, &r);
}

static enum rc tx_show(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    buf_reset(&r->b);
    json_writer_init(&r->w, &r->b);
    return owner_show(tx, r->c->part[0], &r->w);
}

static void work_show(struct web_call *c)
{
    struct reading r = {.c = c};
    read_store(c, tx_show, &r);
}

static enum rc tx_rulesets(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    buf_reset(&r->b);
    json_writer_init(&r->w, &r->b);
    return owner_rulesets(tx, r->c->part_n > 0 ? r->c->part[0] : STR(""), &r->w);
}

static void work_rulesets(struct web_call *c)
{
    struct reading r = {.c = c};
    read_store(c, tx_rulesets, &r);
}

static void list(struct web_call *c)
{
    web_work(c, work_list);
}

static void show(struct web_call *c)
{
    web_work(c, work_show);
}

static void rulesets(struct web_call *c)
{
    web_work(c, work_rulesets);
}

/* --- asking a pico by its id --- */

static void reply_value(struct web_call *c)
{
    web_json(c, 200, c->r.undefined ? STR("null") : c->r.reply);
}

static void event(struct web_call *c)
{
    c->r.ask = PICO_EVENT_WAIT;
    c->r.inside = true;
    c->r.eci = c->part[0];
    c->r.domain = c->part[1];
    c->r.name = c->part[2];
    if (web_read_input(c, false, STR("")))
        web_ask(c, reply_value);
}

static void ask_query(struct web_call *c, struct str rid, struct str name)
{
    c->r.ask = PICO_QUERY;
    c->r.inside = true;
    c->r.eci = c->part[0];
    c->r.rid = rid;
    c->r.query = name;
    web_ask(c, reply_value);
}

static void query(struct web_call *c)
{
    if (web_read_input(c, false, STR("")))
        ask_query(c, c->part[1], c->part[2]);
}

static void channels(struct web_call *c)
{
    ask_query(c, STR(WRANGLER), STR("channels"));
}

static void logs(struct web_call *c)
{
    ask_query(c, STR(UI), STR("logs"));
}

/* An event to the wrangler and, with nothing between them, a query. */
static void ask_wrangler(struct web_call *c, struct str name, struct str query,
                         void (*then)(struct web_call *c))
{
    c->r.ask = query.n > 0 ? PICO_EVENT_QUERY : PICO_EVENT_WAIT;
    c->r.inside = true;
    c->r.domain = STR("wrangler");
    c->r.name = name;
    c->r.rid = STR(WRANGLER);
    c->r.query = query;
    c->r.args = STR("{}");
    web_ask(c, then);
}

/* The last of a list, in JSON; NULL: there is none. */
static const struct json *last_of(struct web_call *c)
{
    struct err err = {0};
    const struct json *all = NULL;
    const struct json *last = NULL;
    if (c->r.undefined || json_parse(c->r.reply, web_arena(c), &all, &err) != RC_OK ||
        json_type(all) != JSON_ARRAY)
        return NULL;
    for (const struct json *i = json_first(all); i != NULL; i = json_next(all, i))
        last = i;
    return last;
}

static void reply_no_wrangler(struct web_call *c)
{
    web_refuse(c, RC_CONFLICT, "the pico has no " WRANGLER " that does it");
}

/* --- children --- */

static enum rc tx_child(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    struct str id = STR("");
    TRY(owner_child(tx, r->list.after, &id));
    buf_reset(&r->b);
    json_writer_init(&r->w, &r->b);
    return owner_show(tx, id, &r->w);
}

/* The wrangler lists children in the order in which they came: the last one is the new one. */
static void reply_child(struct web_call *c)
{
    struct reading r = {.c = c};
    struct err *err = http_err(c->x);
    const struct json *child = last_of(c);
    const struct json *eci =
        child != NULL && json_type(child) == JSON_OBJECT ? json_get(child, STR("eci")) : NULL;
    if (eci == NULL) {
        reply_no_wrangler(c);
        return;
    }
    r.list.after = json_text(eci);
    buf_init(&r.b, web_arena(c), WEB_REPLY_BYTES_MAX);
    enum rc rc = store_read(c->w->o.store, web_arena(c), err, tx_child, &r);
    if (rc == RC_OK)
        web_json(c, 201, buf_str(&r.b));
    else
        web_fail(c, rc, err);
}

static void make_child(struct web_call *c)
{
    c->r.eci = c->part[0];
    if (web_read_input(c, false, STR("")))
        ask_wrangler(c, STR("new_child_request"), STR("children"), reply_child);
}

static void reply_empty(struct web_call *c)
{
    http_reply(c->x, 204, "", STR(""));
}

static void ask_order(struct web_call *c, enum pico_ask ask, void (*then)(struct web_call *c))
{
    c->r.ask = ask;
    c->r.inside = true;
    c->r.eci = c->part[0];
    web_ask(c, then);
}

static void delete_pico(struct web_call *c)
{
    ask_order(c, PICO_DELETE, reply_empty);
}

/* --- channels --- */

static void reply_last(struct web_call *c)
{
    const struct json *last = last_of(c);
    struct json_writer w;
    struct buf b;
    if (last == NULL) {
        reply_no_wrangler(c);
        return;
    }
    buf_init(&b, web_arena(c), WEB_REPLY_BYTES_MAX);
    json_writer_init(&w, &b);
    json_put_node(&w, last);
    web_json(c, 201, buf_str(&b));
}

static void make_channel(struct web_call *c)
{
    c->r.eci = c->part[0];
    if (web_read_input(c, false, STR("")))
        ask_wrangler(c, STR("new_channel_request"), STR("channels"), reply_last);
}

/* {"name": value}, where the value is from the address. */
static struct str one_attr(struct web_call *c, struct str name, struct str value)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, web_arena(c), (size_t)8 * HTTP_TARGET_MAX);
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, name);
    json_put_str(&w, value);
    json_end_object(&w);
    return buf_str(&b);
}

static void delete_channel(struct web_call *c)
{
    c->r.eci = c->part[0];
    c->r.attrs = one_attr(c, STR("eci"), c->part[1]);
    ask_wrangler(c, STR("channel_deletion_request"), STR(""), reply_empty);
}

/* --- rulesets --- */

struct ruleset_order {
    struct str url;
    struct str source; /* p is NULL: it is fetched */
    struct str answer;
};

/* {"url", "source"} of the body; false: answered. */
static bool read_order(struct web_call *c, struct ruleset_order *ret)
{
    struct err *err = http_err(c->x);
    const struct json *body = NULL;
    struct ruleset_order o = {.source = {NULL, 0}};
    enum rc rc = json_parse(http_body(c->x), web_arena(c), &body, err);
    const struct json *url = NULL;
    if (rc == RC_OK && json_type(body) == JSON_OBJECT)
        url = json_get(body, STR("url"));
    if (rc == RC_OK && (url == NULL || json_type(url) != JSON_STRING))
        rc = err_set(err, RC_INVALID, "say the url of the ruleset: {\"url\": \"https://...\"}");
    if (rc == RC_OK)
        rc = pico_url_normalise(json_text(url), web_arena(c), &o.url, err);
    const struct json *source = rc == RC_OK ? json_get(body, STR("source")) : NULL;
    if (source != NULL && json_type(source) != JSON_STRING)
        rc = err_set(err, RC_INVALID, "source is the text of the ruleset");
    else if (source != NULL)
        o.source = json_text(source);
    *ret = o;
    if (rc != RC_OK)
        web_fail(c, rc, err);
    return rc == RC_OK;
}

static enum rc register_ruleset(struct web_call *c, struct ruleset_order *o)
{
    return pico_flush(c->w->o.engine, o->url, o->source, web_arena(c), &o->answer, http_err(c->x));
}

static void work_register(struct web_call *c)
{
    struct ruleset_order o;
    if (!read_order(c, &o))
        return;
    enum rc rc = register_ruleset(c, &o);
    if (rc == RC_OK)
        web_json(c, 200, o.answer);
    else
        web_fail(c, rc, http_err(c->x));
}

static void register_only(struct web_call *c)
{
    web_work(c, work_register);
}

/* "config" of the body, or nothing. */
static struct str config_of(struct web_call *c)
{
    struct err err = {0};
    struct buf b;
    struct json_writer w;
    const struct json *body = NULL;
    const struct json *config = NULL;
    if (json_parse(http_body(c->x), web_arena(c), &body, &err) == RC_OK)
        config = json_get(body, STR("config"));
    if (config == NULL || json_type(config) != JSON_OBJECT)
        return STR("");
    buf_init(&b, web_arena(c), WEB_SOURCE_BYTES_MAX);
    json_writer_init(&w, &b);
    json_put_node(&w, config);
    return buf_str(&b);
}

/* A source that came with the order is registered first. */
static void work_install(struct web_call *c)
{
    struct ruleset_order o;
    bool answered = !read_order(c, &o);
    enum rc rc = answered || o.source.p == NULL ? RC_OK : register_ruleset(c, &o);
    if (rc != RC_OK)
        web_fail(c, rc, http_err(c->x));
    if (answered || rc != RC_OK) {
        http_send(c->x);
        return;
    }
    c->r.ask = PICO_INSTALL;
    c->r.inside = true;
    c->r.eci = c->part[0];
    c->r.name = o.url;
    c->r.attrs = config_of(c);
    web_ask_held(c, reply_value);
}

static void install(struct web_call *c)
{
    web_work_on(c, work_install);
}

static void uninstall(struct web_call *c)
{
    c->r.rid = c->part[1];
    ask_order(c, PICO_UNINSTALL, reply_empty);
}

const struct web_route web_owner_routes[] = {
    {"v1/picos", "GET HEAD", WEB_DEVELOPER, list, 0},
    {"v1/picos/:", "GET HEAD", WEB_DEVELOPER, show, 0},
    {"v1/picos/:", "DELETE", WEB_DEVELOPER, delete_pico, 0},
    {"v1/picos/:/children", "POST", WEB_DEVELOPER, make_child, 0},
    {"v1/picos/:/channels", "GET HEAD", WEB_DEVELOPER, channels, 0},
    {"v1/picos/:/channels", "POST", WEB_DEVELOPER, make_channel, 0},
    {"v1/picos/:/channels/:", "DELETE", WEB_DEVELOPER, delete_channel, 0},
    {"v1/picos/:/rulesets", "GET HEAD", WEB_DEVELOPER, rulesets, 0},
    {"v1/picos/:/rulesets", "POST", WEB_DEVELOPER, install, WEB_SOURCE_BYTES_MAX},
    {"v1/picos/:/rulesets/:", "DELETE", WEB_DEVELOPER, uninstall, 0},
    {"v1/picos/:/logs", "GET HEAD", WEB_DEVELOPER, logs, 0},
    {"v1/picos/:/events/:/:", "POST", WEB_DEVELOPER, event, 0},
    {"v1/picos/:/queries/:/:", "GET HEAD POST", WEB_DEVELOPER, query, 0},
    {"v1/picos/:/export", "GET", WEB_DEVELOPER, web_export, 0},
    {"v1/picos/:/imports", "POST", WEB_DEVELOPER, web_import, WEB_EXPORT_BYTES_MAX},
    {"v1/picos/:/moves", "POST", WEB_DEVELOPER, web_move_begin, 0},
    {"v1/picos/:/account", "GET HEAD", WEB_DEVELOPER, web_account_show, 0},
    {"v1/picos/:/account", "POST", WEB_DEVELOPER, web_account_set, 0},
    {"v1/picos/:/account", "DELETE", WEB_DEVELOPER, web_account_drop, 0},
    {"v1/picos/:/suspension", "POST", WEB_DEVELOPER, web_suspend, 0},
    {"v1/picos/:/suspension", "DELETE", WEB_DEVELOPER, web_resume, 0},
    {"v1/picos/:/asides", "GET HEAD", WEB_DEVELOPER, web_aside_list, 0},
    {"v1/picos/:/asides/:", "POST", WEB_DEVELOPER, web_aside_again, 0},
    {"v1/picos/:/asides/:", "DELETE", WEB_DEVELOPER, web_aside_drop, 0},
    {"v1/moves", "GET HEAD", WEB_DEVELOPER, web_move_list, 0},
    {"v1/moves/:", "DELETE", WEB_DEVELOPER, web_move_cancel, 0},
    {"v1/moves/:/arrival", "POST", WEB_DEVELOPER, web_move_done, 0},
    {"v1/arrivals/:", "DELETE", WEB_DEVELOPER, web_move_refuse, 0},
    {"v1/rulesets", "GET HEAD", WEB_DEVELOPER, rulesets, 0},
    {"v1/rulesets", "POST", WEB_DEVELOPER, register_only, WEB_SOURCE_BYTES_MAX},
    {"metrics", "GET HEAD", WEB_DEVELOPER, web_metrics, 0},
    {NULL, NULL, 0, NULL, 0},
};
