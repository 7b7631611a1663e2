/*
 * usage.c - report a file of usage in calls of a bounded size, and say how far it is.
 *
 * A call that was lost is repeated and counts once; so does the whole file, should it be sent
 * again after a failure.
 */
#include "api/resources.h"
#include "cli/builtin.h"
#include "cli/errand.h"
#include "cli/peek.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/text.h"

enum {
    USAGE_FILE_BYTES_MAX = 256 * 1024 * 1024,
    USAGE_JSON_BYTES_MAX = 48 * 1024 * 1024, /* of an array, which is read as a whole */
    EVENTS_AT_ONCE = 5000,
    EVENTS_BYTES = 4 * 1024 * 1024,
    RECORDS_AT_ONCE = 50000,
    HEADER_BYTES = 64,
    CALL_ARENA_BYTES = 64 * 1024 * 1024,
    TOLD_MAX = 10, /* conflicts that are named */
};

struct sending {
    struct server server;
    struct ask ask;
    struct arena call; /* emptied after each call */
    struct buf batch;
    size_t events; /* in the batch */
    size_t sent_bytes;
    size_t all_bytes;
    int64_t accepted;
    int64_t repeated;
    int64_t refused;
    size_t told;
    bool live;
};

/* --- one call --- */

static void tell_conflicts(struct sending *s, const struct json *report)
{
    FILE *to = s->server.run->cli->err;
    const struct json *list = peek_array(report, "conflicts");
    for (const struct json *c = list ? json_first(list) : NULL; c != NULL && s->told < TOLD_MAX;
         c = json_next(list, c), s->told++)
        fprintf(to, "%srefused: %.*s\n", s->live ? "\r\033[K" : "",
                STRF(text_plain(&s->call, json_text(c))));
}

static void tell_progress(const struct sending *s)
{
    FILE *to = s->server.run->cli->err;
    if (!s->live)
        return;
    fprintf(to, "\r\033[K%3zu %%: %lld taken, %lld known, %lld refused",
            s->all_bytes > 0 ? s->sent_bytes * 100 / s->all_bytes : 100, (long long)s->accepted,
            (long long)s->repeated, (long long)s->refused);
    (void)fflush(to); /* looked at again at the end */
}

static enum rc send_call(struct sending *s, struct str body)
{
    struct run *run = s->server.run;
    struct arena *kept = run->arena;
    const struct json *report = NULL;
    s->ask.body = body;
    run->arena = &s->call;
    enum rc rc = server_json(&s->server, &s->ask, &report);
    run->arena = kept;
    if (rc == RC_OK) {
        s->accepted += peek_number(report, "accepted");
        s->repeated += peek_number(report, "repeated");
        s->refused += peek_number(report, "refused");
        tell_conflicts(s, report);
        tell_progress(s);
    }
    arena_reset(&s->call);
    return rc;
}

/* --- events --- */

static enum rc flush(struct sending *s)
{
    if (s->events == 0)
        return RC_OK;
    buf_add_char(&s->batch, ']');
    TRY(send_call(s, buf_str(&s->batch)));
    buf_reset(&s->batch);
    s->events = 0;
    return RC_OK;
}

static enum rc add_event(struct sending *s, struct str text)
{
    if (text.n > EVENTS_BYTES / 2)
        return err_set(s->server.run->err, RC_TOO_LARGE, "an event is longer than %d bytes",
                       EVENTS_BYTES / 2);
    if (s->events == EVENTS_AT_ONCE || s->batch.n + text.n + 2 > EVENTS_BYTES)
        TRY(flush(s));
    buf_add_char(&s->batch, s->events == 0 ? '[' : ',');
    buf_add(&s->batch, text);
    s->events++;
    return RC_OK;
}

static enum rc send_lines(struct sending *s, struct str text)
{
    while (text.n > 0) {
        size_t left = text.n;
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.n > 0)
            TRY(add_event(s, line));
        s->sent_bytes += left - text.n;
    }
    return flush(s);
}

static enum rc send_array(struct sending *s, const struct json *array)
{
    struct arena *arena = s->server.run->arena;
    struct buf event;
    struct json_writer w;
    size_t done = 0;
    buf_init(&event, arena, EVENTS_BYTES);
    for (const struct json *c = json_first(array); c != NULL; c = json_next(array, c)) {
        buf_reset(&event);
        json_writer_init(&w, &event);
        json_put_node(&w, c);
        if (event.full)
            return err_set(s->server.run->err, RC_TOO_LARGE, "an event is longer than %d bytes",
                           EVENTS_BYTES);
        TRY(add_event(s, buf_str(&event)));
        s->sent_bytes = s->all_bytes / array->n * ++done;
    }
    return flush(s);
}

/* One event may stand on many lines; many stand on one line each. */
static enum rc send_json(struct sending *s, struct str text)
{
    struct run *run = s->server.run;
    const struct json *json = NULL;
    buf_init(&s->batch, run->arena, EVENTS_BYTES + 2);
    if (text.p[0] == '[' && text.n > USAGE_JSON_BYTES_MAX)
        return err_set(run->err, RC_TOO_LARGE,
                       "an array of more than %d bytes: write one event a line instead",
                       USAGE_JSON_BYTES_MAX);
    bool whole =
        text.n <= USAGE_JSON_BYTES_MAX && json_parse(text, run->arena, &json, run->err) == RC_OK;
    if (!whole && text.p[0] == '[')
        return run->err->rc;
    err_clear(run->err);
    if (whole && json_type(json) == JSON_ARRAY)
        return send_array(s, json);
    if (whole) {
        TRY(add_event(s, text));
        return flush(s);
    }
    return send_lines(s, text);
}

/* --- binary --- */

static enum rc send_binary(struct sending *s, struct str text)
{
    struct run *run = s->server.run;
    if (text.n < HEADER_BYTES || (text.n - HEADER_BYTES) % USAGE_RECORD_BYTES != 0)
        return err_set(run->err, RC_SYNTAX, "the binary batch is cut off");
    struct str header = str_sub(text, 0, HEADER_BYTES);
    struct str rest = str_sub(text, HEADER_BYTES, text.n);
    size_t step = (size_t)RECORDS_AT_ONCE * USAGE_RECORD_BYTES;
    s->ask.type = usage_media_binary;
    buf_init(&s->batch, run->arena, HEADER_BYTES + step);
    for (size_t at = 0; at < rest.n; at += step) {
        buf_reset(&s->batch);
        buf_add(&s->batch, header);
        buf_add(&s->batch, str_sub(rest, at, at + step));
        s->sent_bytes = min_size(at + step, rest.n);
        TRY(send_call(s, buf_str(&s->batch)));
    }
    return RC_OK;
}

/* --- the command --- */

static enum rc show_result(struct sending *s)
{
    struct run *run = s->server.run;
    struct buf b;
    struct json_writer w;
    struct usage_report report = {.set = schema_all(&usage_report_schema),
                                  .accepted = s->accepted,
                                  .repeated = s->repeated,
                                  .refused = s->refused};
    buf_init(&b, run->arena, EVENTS_BYTES);
    json_writer_init(&w, &b);
    report.set &= ~(UINT64_C(1) << schema_find(&usage_report_schema, STR("conflicts")));
    schema_encode(&usage_report_schema, &report, &w);
    TRY(errand_show(run, run->command->route, buf_str(&b)));
    if (s->refused == 0)
        return RC_OK;
    run->more = STR("  see: hanse usage conflicts PARTY\n");
    return err_set(run->err, RC_CONFLICT,
                   "%lld records were refused: their ids were taken by others",
                   (long long)s->refused);
}

static enum rc send_file(struct sending *s)
{
    struct run *run = s->server.run;
    struct str text;
    TRY(prompt_file(run->cli, run->args.words[0], USAGE_FILE_BYTES_MAX, run->arena, &text,
                    run->err));
    bool binary = str_starts(text, STR("HNSUSG"));
    text = binary ? text : str_trim(text);
    s->all_bytes = text.n;
    if (text.n == 0)
        return err_set(run->err, RC_SYNTAX, "there is no event in '%.*s'",
                       STRF(text_plain(run->arena, run->args.words[0])));
    enum rc rc = binary ? send_binary(s, text) : send_json(s, text);
    if (s->live)
        fprintf(run->cli->err, "\n");
    if (rc != RC_OK && s->accepted + s->repeated > 0)
        run->more = STR("  what was sent before stays; send the whole file again once it is right: "
                        "it counts once\n");
    TRY(rc);
    return show_result(s);
}

enum rc builtin_usage_send(struct run *run)
{
    struct sending s = {.ask = {.method = HTTP_POST}, .live = run->cli->err_terminal};
    if (run->args.word_count == 0)
        return err_set(run->err, RC_SYNTAX, "name the file: hanse usage send FILE");
    TRY(server_open(run, &s.server));
    if (s.server.token.n == 0)
        return err_set(run->err, RC_UNAUTHENTICATED,
                       "you are not logged in to %.*s: hanse login %.*s", STRF(s.server.url),
                       STRF(s.server.url));
    TRY(errand_path(run, run->command->route, &s.ask.path));
    arena_init(&s.call, CALL_ARENA_BYTES);
    enum rc rc = send_file(&s);
    arena_fini(&s.call);
    return rc;
}
