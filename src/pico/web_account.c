/*
 * Who pays for a pico (account.h), for who runs the engine:
 *
 *     GET    /v1/picos/ID/account        {"account","subscription","suspended",...}
 *     POST   /v1/picos/ID/account        {"subscription"}: it pays for the pico and all below it
 *     DELETE /v1/picos/ID/account        the account of its parent does
 *     POST   /v1/picos/ID/suspension     it refuses what comes, and its schedules wait; 204
 *     DELETE /v1/picos/ID/suspension     it goes on; 204
 */
#include "pico/account.h"
#include "pico/web_inside.h"

enum { ACCOUNT_BYTES_MAX = 2048 };

struct showing {
    struct str id;
    struct buf b;
};

static enum rc tx_show(struct tx *tx, void *arg)
{
    struct showing *s = arg;
    struct json_writer w;
    buf_reset(&s->b);
    json_writer_init(&w, &s->b);
    return pico_account_show(tx, s->id, &w);
}

static void work_show(struct web_call *c)
{
    struct showing s = {.id = c->part[0]};
    struct err *err = http_err(c->x);
    buf_init(&s.b, web_arena(c), ACCOUNT_BYTES_MAX);
    enum rc rc = store_read(c->w->o.store, web_arena(c), err, tx_show, &s);
    if (rc == RC_OK)
        web_json(c, 200, buf_str(&s.b));
    else
        web_fail(c, rc, err);
}

/* "subscription" of the body; empty: there is none. */
static struct str subscription_of(struct web_call *c)
{
    struct err err = {0};
    const struct json *body = NULL;
    const struct json *said = NULL;
    if (json_parse(http_body(c->x), web_arena(c), &body, &err) == RC_OK &&
        json_type(body) == JSON_OBJECT)
        said = json_get(body, STR("subscription"));
    return said != NULL && json_type(said) == JSON_STRING ? json_text(said) : STR("");
}

static void work_set(struct web_call *c)
{
    struct err *err = http_err(c->x);
    enum rc rc = pico_account_set(c->w->o.engine, c->part[0], subscription_of(c), err);
    if (rc == RC_OK)
        work_show(c);
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

static void work_drop(struct web_call *c)
{
    reply_none(c, pico_account_drop(c->w->o.engine, c->part[0], http_err(c->x)));
}

static void work_suspend(struct web_call *c)
{
    reply_none(c, pico_suspend(c->w->o.engine, c->part[0], true, http_err(c->x)));
}

static void work_resume(struct web_call *c)
{
    reply_none(c, pico_suspend(c->w->o.engine, c->part[0], false, http_err(c->x)));
}

void web_account_show(struct web_call *c)
{
    web_work(c, work_show);
}

void web_account_set(struct web_call *c)
{
    web_work(c, work_set);
}

void web_account_drop(struct web_call *c)
{
    web_work(c, work_drop);
}

void web_suspend(struct web_call *c)
{
    web_work(c, work_suspend);
}

void web_resume(struct web_call *c)
{
    web_work(c, work_resume);
}
