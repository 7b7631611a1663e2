/*
 * A pico with all below it as a file, and back: GET /v1/picos/ID/export gives it, POST
 * /v1/picos/ID/imports takes one and makes its picos below ID, which may be "root". Larger ones
 * than WEB_EXPORT_BYTES_MAX do not go over HTTP.
 */
#include "pico/move.h"
#include "pico/web_inside.h"

static enum rc keep_piece(void *arg, struct str piece, struct err *err)
{
    struct buf *b = arg;
    buf_add(b, piece);
    return b->full ? err_set(err, RC_TOO_LARGE, "the file is larger than %d bytes",
                             WEB_EXPORT_BYTES_MAX)
                   : RC_OK;
}

static void work_export(struct web_call *c)
{
    struct err *err = http_err(c->x);
    struct buf b;
    buf_init(&b, web_arena(c), WEB_EXPORT_BYTES_MAX);
    enum rc rc = pico_export(c->w->o.engine, c->part[0], keep_piece, &b, err);
    if (rc == RC_OK)
        http_reply(c->x, 200, "application/gzip", buf_str(&b));
    else
        web_fail(c, rc, err);
}

static void work_import(struct web_call *c)
{
    struct err *err = http_err(c->x);
    struct str answer = STR("");
    const struct pico_arrival a = {
        .parent = str_eq(c->part[0], STR("root")) ? pico_root(c->w->o.engine) : c->part[0],
        .file = http_body(c->x),
        .move = web_parameter(c, STR("move"))};
    enum rc rc = a.move.n > MOVE_NAME_MAX
                     ? err_set(err, RC_INVALID, "that is no name of a move")
                     : pico_arrive(c->w->o.engine, &a, web_arena(c), &answer, err);
    struct str host = pico_base_url(c->w->o.engine);
    if (rc == RC_OK && a.move.n > 0) /* where the others find it from now on */
        answer = arena_fmt(web_arena(c), "%.*s,\"host\":\"%.*s\"}",
                           STRF(str_sub(answer, 0, answer.n - 1)), STRF(host));
    if (rc == RC_OK)
        web_json(c, 201, answer);
    else
        web_fail(c, rc, err);
}

void web_export(struct web_call *c)
{
    web_work(c, work_export);
}

void web_import(struct web_call *c)
{
    web_work(c, work_import);
}
