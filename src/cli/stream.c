#include "cli/stream.h"

enum { EVENT_NAME_MAX = 256, RETRY_MS_MAX = 24 * 60 * 60 * 1000 };

void stream_init(struct stream *s, struct arena *arena,
                 enum rc (*fn)(void *arg, const struct stream_event *event, struct err *err),
                 void *arg)
{
    *s = (struct stream){.fn = fn, .arg = arg, .retry_us = -1};
    buf_init(&s->line, arena, STREAM_BYTES_MAX);
    buf_init(&s->data, arena, STREAM_BYTES_MAX);
    buf_init(&s->event, arena, EVENT_NAME_MAX);
    buf_init(&s->id, arena, STREAM_ID_MAX);
}

void stream_restart(struct stream *s)
{
    buf_reset(&s->line);
    buf_reset(&s->data);
    buf_reset(&s->event);
    s->began = s->after_cr = s->has_data = false;
}

struct str stream_last_id(const struct stream *s)
{
    return buf_str(&s->id);
}

void stream_set_last_id(struct stream *s, struct str id)
{
    ASSERT(id.n <= STREAM_ID_MAX);
    buf_reset(&s->id);
    buf_add(&s->id, id);
}

/* An empty line: the event is whole. */
static enum rc dispatch(struct stream *s, struct err *err)
{
    enum rc rc = RC_OK;
    if (s->has_data) {
        struct stream_event event = {.event = s->event.n > 0 ? buf_str(&s->event) : STR("message"),
                                     .data = buf_str(&s->data),
                                     .id = buf_str(&s->id)};
        rc = s->fn(s->arg, &event, err);
    }
    buf_reset(&s->data);
    buf_reset(&s->event);
    s->has_data = false;
    return rc;
}

static void take_field(struct stream *s, struct str name, struct str value)
{
    int64_t ms = 0;
    if (str_eq(name, STR("data"))) {
        if (s->has_data)
            buf_add_char(&s->data, '\n');
        buf_add(&s->data, value);
        s->has_data = true;
    } else if (str_eq(name, STR("event"))) {
        buf_reset(&s->event);
        buf_add(&s->event, str_sub(value, 0, EVENT_NAME_MAX));
    } else if (str_eq(name, STR("id"))) {
        /* The standard drops ids with NUL; one that could not be a header is dropped likewise. */
        bool fits = value.n <= STREAM_ID_MAX;
        for (size_t i = 0; i < value.n; i++)
            if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7F)
                fits = false;
        if (fits)
            stream_set_last_id(s, value);
    } else if (str_eq(name, STR("retry")) && str_to_i64(value, 0, RETRY_MS_MAX, &ms)) {
        s->retry_us = ms * US_PER_MS;
    }
}

static enum rc take_line(struct stream *s, struct err *err)
{
    struct str line = buf_str(&s->line);
    if (!s->began && str_starts(line, STR("\xEF\xBB\xBF")))
        line = str_sub(line, 3, line.n);
    s->began = true;
    if (line.n == 0)
        return dispatch(s, err);
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (str_starts(value, STR(" ")))
        value = str_sub(value, 1, value.n);
    take_field(s, name, value); /* a comment has the empty name */
    if (s->data.full)
        return err_set(err, RC_TOO_LARGE, "the server sent an event larger than %d bytes",
                       STREAM_BYTES_MAX);
    return RC_OK;
}

enum rc stream_feed(struct stream *s, struct str piece, struct err *err)
{
    for (size_t i = 0; i < piece.n; i++) {
        char c = piece.p[i];
        bool rest_of_crlf = c == '\n' && s->after_cr;
        s->after_cr = c == '\r';
        if (rest_of_crlf)
            continue;
        if (c != '\n' && c != '\r') {
            buf_add_char(&s->line, c);
            if (s->line.full)
                return err_set(err, RC_TOO_LARGE, "the server sent a line longer than %d bytes",
                               STREAM_BYTES_MAX);
            continue;
        }
        enum rc rc = take_line(s, err);
        buf_reset(&s->line);
        TRY(rc);
    }
    return RC_OK;
}
