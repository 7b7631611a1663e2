/*
 * Events that were set aside because the engine died of them (trial.h), for who runs the engine:
 *
 *     GET    /v1/picos/ID/asides        {"items": [{"no","eid","domain","name","attrs","since"}]}
 *     POST   /v1/picos/ID/asides/NO     it waits at its pico again; 204
 *     DELETE /v1/picos/ID/asides/NO     it is forgotten; 204
 */
#include "pico/trial.h"
#include "pico/web_inside.h"

struct listing {
    struct str id;
    struct buf b;
};

static enum rc tx_list(struct tx *tx, void *arg)
{
    struct listing *l = arg;
    struct json_writer w;
    buf_reset(&l->b);
    json_writer_init(&w, &l->b);
    return pico_aside_list(tx, l->id, &w);
}

static void work_list(struct web_call *c)
{
    struct listing l = {.id = c->part[0]};
    struct err *err = http_err(c->x);
    buf_init(&l.b, web_arena(c), WEB_REPLY_BYTES_MAX);
    enum rc rc = store_read(c->w->o.store, web_arena(c), err, tx_list, &l);
    if (rc == RC_OK && l.b.full)
        rc = err_set(err, RC_TOO_LARGE, "the list is too long: try or forget some");
    if (rc == RC_OK)
        web_json(c, 200, buf_str(&l.b));
    else
        web_fail(c, rc, err);
}

static void end_one(struct web_call *c, enum rc (*end)(struct pico_engine *e, struct str id,
                                                       int64_t no, struct err *err))
{
    int64_t no = 0;
    struct err *err = http_err(c->x);
    enum rc rc = RC_OK;
    if (!str_to_i64(c->part[1], 1, INT64_MAX, &no))
        rc = err_set(err, RC_INVALID, "the event is named by its number");
    if (rc == RC_OK)
        rc = end(c->w->o.engine, c->part[0], no, err);
    if (rc == RC_OK)
        http_reply(c->x, 204, "", STR(""));
    else
        web_fail(c, rc, err);
}

static void work_again(struct web_call *c)
{
    end_one(c, pico_aside_again);
}

static void work_drop(struct web_call *c)
{
    end_one(c, pico_aside_drop);
}

void web_aside_list(struct web_call *c)
{
    web_work(c, work_list);
}

void web_aside_again(struct web_call *c)
{
    web_work(c, work_again);
}

void web_aside_drop(struct web_call *c)
{
    web_work(c, work_drop);
}
