/*
 * events.c - follow what happens: one line an event, over as many connections as it takes.
 */
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/problem.h"
#include "cli/show.h"
#include "cli/stream.h"
#include "cli/text.h"

#define CONNECTION_US    (10 * US_PER_MINUTE) /* a dead peer is noticed after this at the latest */
#define PAUSE_FIRST_US   (1 * US_PER_SECOND)
#define PAUSE_LONGEST_US (30 * US_PER_SECOND)

enum {
    STREAM_ARENA_BYTES = 16 * 1024 * 1024,
    CALL_ARENA_BYTES = 8 * 1024 * 1024,
    EVENT_ARENA_BYTES = 128 * 1024 * 1024, /* a JSON event takes many times its text */
    EVENT_LINE_MAX = 4 * 1024 * 1024,
    HEAD_MAX = 16 * 1024, /* of an answer that turns out to be a problem */
    NAME_COLUMNS = 24,
};

struct follow {
    struct run *run;
    struct stream stream;
    struct arena call_arena;  /* of one connection */
    struct arena event_arena; /* of one event */
    struct buf head;
    int64_t left; /* events until the end; -1: no end */
    bool alive;   /* this connection has brought something */
};

/* --- one event --- */

static void add_members(struct arena *arena, struct buf *b, const struct json *data)
{
    for (const struct json *c = json_first(data); c != NULL; c = json_next(data, c)) {
        struct str key = text_plain(arena, json_key(c));
        struct str value = show_value(arena, NULL, c);
        if (value.n > 0)
            buf_fmt(b, "  %.*s=", STRF(key));
        buf_add(b, value);
    }
}

static void print_for_people(struct follow *f, const struct stream_event *event,
                             const struct json *data)
{
    struct arena *arena = &f->event_arena;
    struct buf b;
    buf_init(&b, arena, EVENT_LINE_MAX);
    text_pad(&b, text_plain(arena, event->event), NAME_COLUMNS, false);
    if (data != NULL && json_type(data) == JSON_OBJECT)
        add_members(arena, &b, data);
    else
        buf_add(&b, text_plain(arena, event->data));
    buf_add_char(&b, '\n');
    show_str(f->run->cli->out, buf_str(&b));
}

static void print_json(struct follow *f, const struct stream_event *event, const struct json *data)
{
    struct buf b;
    buf_init(&b, &f->event_arena, EVENT_LINE_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("id"));
    json_put_str(&w, event->id);
    json_put_key(&w, STR("event"));
    json_put_str(&w, event->event);
    json_put_key(&w, STR("data"));
    if (data != NULL)
        json_put_node(&w, data);
    else
        json_put_str(&w, event->data);
    json_end_object(&w);
    buf_add_char(&b, '\n');
    show_str(f->run->cli->out, buf_str(&b));
}

static enum rc take_event(void *arg, const struct stream_event *event, struct err *err)
{
    struct follow *f = arg;
    if (str_eq(event->event, STR("heartbeat")))
        return RC_OK;
    arena_reset(&f->event_arena);
    const struct json *data = NULL;
    struct err ignored = {0};
    if (json_parse(event->data, &f->event_arena, &data, &ignored) != RC_OK)
        data = NULL;
    if (args_has(&f->run->args, "json"))
        print_json(f, event, data);
    else if (str_eq(event->event, STR("resync")))
        fprintf(f->run->cli->err, "some events are no longer kept and were missed\n");
    else
        print_for_people(f, event, data);
    if (fflush(f->run->cli->out) != 0)
        return err_set(err, RC_INTERNAL, "the output could not be written");
    if (f->left > 0)
        f->left--;
    /* Any failure ends the connection; that there was none is seen from what is left. */
    return f->left == 0 ? rc_failed(RC_GONE) : RC_OK;
}

/* --- one connection --- */

static enum rc take_piece(void *arg, struct str piece, struct err *err)
{
    struct follow *f = arg;
    f->alive = true;
    if (f->head.n < HEAD_MAX)
        buf_add(&f->head, str_sub(piece, 0, HEAD_MAX - f->head.n));
    return stream_feed(&f->stream, piece, err);
}

/* What it takes is given back by the next connection: this may go on for months. */
static enum rc connect_once(struct follow *f, const struct server *s, struct str path)
{
    struct run run = *f->run;
    struct server there = *s;
    run.arena = &f->call_arena;
    there.run = &run;
    arena_reset(&f->call_arena);
    stream_restart(&f->stream);
    buf_reset(&f->head);
    f->alive = false;

    struct ask ask = {.method = HTTP_GET};
    struct pair headers[WIRE_HEADERS_MAX];
    size_t n = server_headers(&there, &ask, headers);
    headers[n++] = (struct pair){STR("Accept"), STR("text/event-stream")};
    if (stream_last_id(&f->stream).n > 0)
        headers[n++] = (struct pair){STR("Last-Event-ID"), stream_last_id(&f->stream)};
    struct wire_request request = {
        .method = STR("GET"),
        .url = arena_fmt(&f->call_arena, "%.*s%.*s", STRF(s->url), STRF(path)),
        .headers = headers,
        .header_count = n,
        .timeout_us = CONNECTION_US,
        .piece = take_piece,
        .arg = f,
    };
    struct wire_reply reply = {0};
    TRY(wire_call(run.cli->wire, &request, &f->call_arena, &reply, run.err));
    if (reply.status < 400)
        return RC_OK;
    if (f->head.n > 0)
        reply.body = buf_str(&f->head);
    enum rc rc = problem_take(&run, &reply, true);
    f->run->more = run.more;
    return rc;
}

/* Whether it makes sense to try again. */
static bool passes(enum rc rc)
{
    return rc == RC_OK || rc_http(rc) >= 500 || rc == RC_TIMEOUT || rc == RC_TOO_MANY;
}

static enum rc follow_all(struct follow *f, const struct server *s, struct str path)
{
    bool was_alive = false;
    int64_t pause_us = PAUSE_FIRST_US;
    for (int tries = 0;;) {
        enum rc rc = connect_once(f, s, path);
        if (f->left == 0) {
            err_clear(f->run->err);
            return RC_OK;
        }
        was_alive = was_alive || (f->alive && passes(rc));
        tries = f->alive ? 0 : tries + 1;
        if (!passes(rc))
            return rc;
        if (!was_alive && tries > SERVER_RETRIES_MAX) {
            if (rc == RC_OK)
                return err_set(f->run->err, RC_REMOTE, "%.*s sends no events", STRF(s->url));
            if (f->run->more.n == 0)
                server_explain(s, f->run->err);
            return rc;
        }
        if (tries == 0)
            pause_us = f->stream.retry_us >= 0 ? f->stream.retry_us : PAUSE_FIRST_US;
        if (rc != RC_OK && rc != RC_TIMEOUT && f->run->cli->err_terminal)
            fprintf(f->run->cli->err, "the connection was lost; trying again\n");
        err_clear(f->run->err);
        f->run->more = STR("");
        f->run->cli->pause(f->run->cli, min_i64(pause_us, PAUSE_LONGEST_US));
        pause_us = min_i64(2 * pause_us, PAUSE_LONGEST_US);
    }
}

/* --after is sent as Last-Event-ID, so that it does not come again with later connections. */
static enum rc take_after(struct follow *f, struct str *path)
{
    struct run *run = f->run;
    TRY(errand_path(run, run->command->route, path));
    const struct given *after = args_field(&run->args, FLAG_QUERY, STR("after"));
    if (after == NULL)
        return RC_OK;
    stream_set_last_id(&f->stream, after->value);
    size_t at = (size_t)(after - run->args.given);
    size_t behind = run->args.given_count - at - 1;
    memmove(&run->args.given[at], &run->args.given[at + 1], behind * sizeof(run->args.given[0]));
    run->args.given_count--;
    return errand_path(run, run->command->route, path);
}

static enum rc follow_events(struct follow *f)
{
    struct run *run = f->run;
    f->left = -1;
    if (args_has(&run->args, "count") &&
        !str_to_i64(args_get(&run->args, "count"), 1, INT64_MAX, &f->left))
        return err_set(run->err, RC_SYNTAX, "--count must be a whole number from 1 on");
    struct str path = STR("");
    TRY(take_after(f, &path));
    struct server s = {0};
    TRY(server_open(run, &s));
    if (s.token.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED,
                       "you are not logged in to %.*s: hanse login %.*s", STRF(s.url), STRF(s.url));
    return follow_all(f, &s, path);
}

enum rc builtin_events(struct run *run)
{
    struct follow f = {.run = run};
    struct arena stream_arena;
    arena_init(&stream_arena, STREAM_ARENA_BYTES);
    arena_init(&f.call_arena, CALL_ARENA_BYTES);
    arena_init(&f.event_arena, EVENT_ARENA_BYTES);
    buf_init(&f.head, &stream_arena, HEAD_MAX);
    stream_init(&f.stream, &stream_arena, take_event, &f);

    enum rc rc = follow_events(&f);
    /* What it says must outlive the arenas. */
    run->more = arena_str(run->arena, run->more);
    arena_fini(&f.event_arena);
    arena_fini(&f.call_arena);
    arena_fini(&stream_arena);
    return rc;
}
