/*
 * Ours, for those who have a channel: the same as the official routes, with statuses.
 *
 *     POST /v1/channels/ECI/events/DOMAIN/NAME      200 {"eid","directives"}
 *          with "Prefer: respond-async" (RFC 7240)  202 {"eid"}, once it is durable
 *     GET, POST /v1/channels/ECI/queries/RID/NAME   200 the value; null where it is undefined
 *     GET /v1/health                                200
 */
#include "pico/web_inside.h"

static void reply_value(struct web_call *c)
{
    web_json(c, 200, c->r.undefined ? STR("null") : c->r.reply);
}

static void reply_eid(struct web_call *c)
{
    web_json(c, 202, arena_fmt(web_arena(c), "{\"eid\":%.*s}", STRF(c->r.reply)));
}

static void event(struct web_call *c)
{
    bool async = str_eq_nocase(str_trim(http_header(c->x, "Prefer")), STR("respond-async"));
    c->r.ask = async ? PICO_EVENT : PICO_EVENT_WAIT;
    c->r.eci = c->part[0];
    c->r.domain = c->part[1];
    c->r.name = c->part[2];
    if (web_read_input(c, false, STR("")))
        web_ask(c, async ? reply_eid : reply_value);
}

static void query(struct web_call *c)
{
    c->r.ask = PICO_QUERY;
    c->r.eci = c->part[0];
    c->r.rid = c->part[1];
    c->r.query = c->part[2];
    if (web_read_input(c, false, STR("")))
        web_ask(c, reply_value);
}

static void health(struct web_call *c)
{
    web_json(c, 200, STR("{\"status\":\"ok\"}"));
}

const struct web_route web_routes[] = {
    {"v1/channels/:/events/:/:", "POST", WEB_CHANNEL, event, 0},
    {"v1/channels/:/queries/:/:", "GET HEAD POST", WEB_CHANNEL, query, 0},
    {"v1/health", "GET HEAD", 0, health, 0},
    {NULL, NULL, 0, NULL, 0},
};
