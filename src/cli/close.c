/*
 * close.c - close a month and watch it: one call that begins it, then how far it is until it is
 * done or waits for a person.
 */
#include "cli/body.h"
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/show.h"

#define WATCH_PAUSE_US (1 * US_PER_SECOND)

enum { WATCH_MAX = 100000, CALL_ARENA_BYTES = 8 * 1024 * 1024 };

/* One line: on a terminal over the one before, else one for each step. */
static void print_progress(struct run *run, const struct json *close, struct str *step)
{
    FILE *out = run->cli->err;
    struct str now = peek_text(close, "step");
    bool live = run->cli->err_terminal;
    if (!live && str_eq(now, *step))
        return;
    fprintf(out,
            "%s%.*s: %lld of %lld subscriptions, %lld/s, %lld s left, %lld documents, %lld "
            "exceptions%s",
            live ? "\r\033[K" : "", STRF(now), (long long)peek_number(close, "done"),
            (long long)peek_number(close, "total"), (long long)peek_number(close, "per_second"),
            (long long)peek_number(close, "seconds_left"),
            (long long)peek_number(close, "documents"), (long long)peek_number(close, "exceptions"),
            live ? "" : "\n");
    (void)fflush(out); /* looked at again at the end */
    *step = arena_str(run->arena, now);
}

static bool waits(const struct json *close)
{
    struct str step = peek_text(close, "step");
    bool reviewed = peek_true(close, "review");
    return str_eq(step, STR("done")) || (reviewed && str_eq(step, STR("review")));
}

/* Ask again and again; the last answer is in the run's arena. */
static enum rc watch(struct server *s, struct str id, struct str *ret_body)
{
    struct run *run = s->run;
    struct arena *kept = run->arena;
    struct arena one;
    struct str step = STR("");
    struct ask ask = {.method = HTTP_GET,
                      .path =
                          arena_fmt(kept, "%s/%.*s", routes[ROUTE_close_create].path, STRF(id))};
    bool done = false;
    enum rc rc = RC_OK;
    arena_init(&one, CALL_ARENA_BYTES);
    for (int i = 0; i < WATCH_MAX && rc == RC_OK && !done; i++) {
        struct wire_reply reply = {0};
        const struct json *close = NULL;
        if (i > 0)
            run->cli->pause(run->cli, WATCH_PAUSE_US);
        arena_reset(&one);
        run->arena = &one;
        rc = server_call(s, &ask, &reply);
        run->arena = kept;
        if (rc == RC_OK)
            rc = json_parse(reply.body, &one, &close, run->err);
        if (rc == RC_OK) {
            print_progress(run, close, &step);
            done = waits(close);
            *ret_body = done ? arena_str(kept, reply.body) : *ret_body;
        }
    }
    if (run->cli->err_terminal)
        fprintf(run->cli->err, "\n");
    arena_fini(&one);
    return rc;
}

enum rc builtin_close(struct run *run)
{
    struct server s = {0};
    struct assigns a = {0};
    struct wire_reply reply = {0};
    const struct json *close = NULL;
    const struct route *r = run->command->route;
    TRY(server_open(run, &s));
    TRY(body_collect(run, 1, &a));
    if (run->args.word_count > 0 && !body_has(&a, "period"))
        body_add(&a, "period", run->args.words[0]);
    if (!body_has(&a, "period"))
        return err_set(run->err, RC_SYNTAX, "say which month: hanse close 2026-01");
    struct ask ask = {.method = HTTP_POST, .path = str_c(r->path)};
    TRY(body_write(r->body, &a, run->arena, &ask.body, run->err));
    TRY(body_check(r->body, false, ask.body, run->arena, run->err));
    TRY(server_call(&s, &ask, &reply));
    struct str body = reply.body;
    if (args_has(&run->args, "wait")) {
        TRY(json_parse(body, run->arena, &close, run->err));
        TRY(watch(&s, arena_str(run->arena, peek_text(close, "id")), &body));
    }
    return errand_show(run, r, body);
}
