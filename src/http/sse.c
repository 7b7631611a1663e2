#include "http/sse.h"

#include <pthread.h>

enum { QUEUE_FIRST_BYTES = 1024, FIELD_OVERHEAD_BYTES = 64 };

/* The queue is one buffer: bytes from first up to last wait; it is moved down when it runs out of
 * room at the end, and grows up to its bound. */
struct sse {
    struct http_exchange *exchange;
    void (*ended)(void *arg);
    void *arg;
    pthread_mutex_t mutex; /* what follows */
    char *queue;
    size_t first, last, capacity, max;
    bool finishing;
};

static bool has_line_end(struct str s)
{
    return str_find(s, '\n', 0) < s.n || str_find(s, '\r', 0) < s.n;
}

void sse_format(struct buf *b, struct str id, struct str event, struct str data)
{
    ASSERT(!has_line_end(id));
    ASSERT(!has_line_end(event));
    if (id.n > 0) {
        buf_add(b, STR("id: "));
        buf_add(b, id);
        buf_add_char(b, '\n');
    }
    if (event.n > 0) {
        buf_add(b, STR("event: "));
        buf_add(b, event);
        buf_add_char(b, '\n');
    }
    do {
        /* A lone CR ends a line for the client as well. */
        size_t n = min_size(str_find(data, '\n', 0), str_find(data, '\r', 0));
        buf_add(b, STR("data: "));
        buf_add(b, str_sub(data, 0, n));
        buf_add_char(b, '\n');
        bool is_crlf = n + 1 < data.n && data.p[n] == '\r' && data.p[n + 1] == '\n';
        data = str_sub(data, n + (is_crlf ? 2 : 1), data.n);
    } while (data.n > 0);
    buf_add_char(b, '\n');
}

/* Bytes that an event can need at most: each line end of data becomes "\ndata: ". */
static size_t size_at_most(struct str id, struct str event, struct str data)
{
    size_t lines = 1;
    for (size_t i = 0; i < data.n; i++)
        lines += data.p[i] == '\n' || data.p[i] == '\r';
    return id.n + event.n + data.n + lines * sizeof "data: \n" + FIELD_OVERHEAD_BYTES;
}

static int64_t pull(void *arg, char *room_bytes, size_t room)
{
    struct sse *s = arg;
    pthread_mutex_lock(&s->mutex);
    size_t n = min_size(room, s->last - s->first);
    memcpy(room_bytes, s->queue + s->first, n);
    s->first += n;
    bool is_over = n == 0 && s->finishing;
    pthread_mutex_unlock(&s->mutex);
    return n > 0 ? (int64_t)n : is_over ? HTTP_PULL_END : HTTP_PULL_WAIT;
}

static void end(void *arg)
{
    struct sse *s = arg;
    s->ended(s->arg);
    pthread_mutex_destroy(&s->mutex);
    free(s->queue);
    free(s);
}

struct sse *sse_open(struct http_exchange *x, size_t queue_bytes_max, void (*ended)(void *arg),
                     void *arg)
{
    ASSERT(queue_bytes_max >= QUEUE_FIRST_BYTES);
    struct sse *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    *s = (struct sse){.exchange = x,
                      .ended = ended,
                      .arg = arg,
                      .capacity = QUEUE_FIRST_BYTES,
                      .max = queue_bytes_max};
    s->queue = malloc(s->capacity);
    ASSERT(s->queue != NULL);
    pthread_mutex_init(&s->mutex, NULL);
    http_at_end(x, end, s);
    http_reply_header(x, "Cache-Control", STR("no-store"));
    http_reply_header(x, "X-Accel-Buffering", STR("no")); /* proxies pass it on at once */
    http_reply_stream(x, 200, "text/event-stream", pull, s);
    return s;
}

/* Room for n bytes behind last; false beyond the bound. Under the mutex. */
static bool make_room(struct sse *s, size_t n)
{
    size_t waiting = s->last - s->first;
    if (n > s->max || waiting > s->max - n)
        return false;
    memmove(s->queue, s->queue + s->first, waiting);
    s->first = 0;
    s->last = waiting;
    if (waiting + n > s->capacity) {
        s->capacity = min_size(max_size(s->capacity * 2, waiting + n), s->max);
        s->queue = realloc(s->queue, s->capacity);
        ASSERT(s->queue != NULL);
    }
    return true;
}

bool sse_send(struct sse *s, struct str id, struct str event, struct str data)
{
    struct arena arena;
    size_t room = size_at_most(id, event, data);
    arena_init(&arena, 4 * room + QUEUE_FIRST_BYTES);
    struct buf b;
    buf_init(&b, &arena, room);
    sse_format(&b, id, event, data);
    ASSERT(!b.full);
    pthread_mutex_lock(&s->mutex);
    bool ok = !s->finishing && make_room(s, b.n);
    if (ok) {
        memcpy(s->queue + s->last, b.p, b.n);
        s->last += b.n;
    } else {
        s->finishing = true;
    }
    pthread_mutex_unlock(&s->mutex);
    arena_fini(&arena);
    http_wake(s->exchange);
    return ok;
}

void sse_finish(struct sse *s)
{
    pthread_mutex_lock(&s->mutex);
    s->finishing = true;
    pthread_mutex_unlock(&s->mutex);
    http_wake(s->exchange);
}

struct str sse_last_id(const struct http_exchange *x)
{
    struct str id = http_header(x, "last-event-id");
    size_t count = 0;
    const struct pair *query = http_query(x, &count);
    for (size_t i = 0; i < count && id.n == 0; i++)
        if (str_eq(query[i].name, STR("last_event_id")))
            id = query[i].value;
    return id;
}
