/*
 * A pico with all below it as a file, and back: GET /v1/picos/ID/export gives it, POST
 * /v1/picos/ID/imports takes one and makes its picos below ID. Larger ones than
 * WEB_EXPORT_BYTES_MAX do not go over HTTP.
 */
#include "pico/export.h"
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
    enum rc rc =
        pico_import(c->w->o.engine, c->part[0], http_body(c->x), NULL, web_arena(c), &answer, err);
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
