/*
 * The steps of a move (move.h) over HTTP, for who runs both engines:
 *
 *     POST   /v1/picos/ID/moves               here: 201 {"move"}; it stands still
 *     GET    /v1/picos/ID/export              here
 *     POST   /v1/picos/PARENT/imports?move=M  there: 201 {"id","eci","picos","host"}
 *     POST   /v1/moves/M/arrival              here: {"host"}, that of the answer; 204
 *     GET    /v1/moves                        here: what is under way
 *     DELETE /v1/arrivals/M                   there: it may not arrive any more; 204
 *     DELETE /v1/moves/M                      here, after that: it stays; 204
 */
#include "pico/move.h"
#include "pico/web_inside.h"

static void work_begin(struct web_call *c)
{
    struct err *err = http_err(c->x);
    struct str move = STR("");
    enum rc rc = pico_move_begin(c->w->o.engine, c->part[0], web_arena(c), &move, err);
    if (rc == RC_OK)
        web_json(c, 201, arena_fmt(web_arena(c), "{\"move\":\"%.*s\"}", STRF(move)));
    else
        web_fail(c, rc, err);
}

static void reply_none(struct web_call *c, enum rc rc)
{
    if (rc == RC_OK)
        http_reply(c->x, 204, "", STR(""));
    else
        web_fail(c, rc, http_err(c->x));
}

/* "host" of the body; empty: there is none. */
static struct str host_of(struct web_call *c)
{
    struct err err = {0};
    const struct json *body = NULL;
    const struct json *host = NULL;
    if (json_parse(http_body(c->x), web_arena(c), &body, &err) == RC_OK &&
        json_type(body) == JSON_OBJECT)
        host = json_get(body, STR("host"));
    return host != NULL && json_type(host) == JSON_STRING ? json_text(host) : STR("");
}

static void work_done(struct web_call *c)
{
    reply_none(c, pico_move_done(c->w->o.engine, c->part[0], host_of(c), http_err(c->x)));
}

static void work_cancel(struct web_call *c)
{
    reply_none(c, pico_move_cancel(c->w->o.engine, c->part[0], http_err(c->x)));
}

static void work_refuse(struct web_call *c)
{
    reply_none(c, pico_arrival_refuse(c->w->o.engine, c->part[0], http_err(c->x)));
}

static enum rc tx_list(struct tx *tx, void *arg)
{
    struct buf *b = arg;
    struct json_writer w;
    buf_reset(b);
    json_writer_init(&w, b);
    return pico_move_list(tx, &w);
}

static void work_list(struct web_call *c)
{
    struct buf b;
    buf_init(&b, web_arena(c), WEB_REPLY_BYTES_MAX);
    enum rc rc = store_read(c->w->o.store, web_arena(c), http_err(c->x), tx_list, &b);
    if (rc == RC_OK)
        web_json(c, 200, buf_str(&b));
    else
        web_fail(c, rc, http_err(c->x));
}

void web_move_begin(struct web_call *c)
{
    web_work(c, work_begin);
}

void web_move_done(struct web_call *c)
{
    web_work(c, work_done);
}

void web_move_cancel(struct web_call *c)
{
    web_work(c, work_cancel);
}

void web_move_list(struct web_call *c)
{
    web_work(c, work_list);
}

void web_move_refuse(struct web_call *c)
{
    web_work(c, work_refuse);
}
