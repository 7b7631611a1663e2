#include "http/date.h"
#include "http/exchange.h"
#include "http/gzip.h"

#include <sys/socket.h>
#include <unistd.h>

enum {
    RAW_HEAD_BYTES_MAX = 64 * 1024,
    STREAM_BLOCK_BYTES = 16 * 1024,
    REPLY_BYTES_PER_SECOND_MIN = 16 * 1024, /* a client that reads slower is let go */
    PROBLEM_BYTES_MAX = 8 * ERR_TEXT_MAX,
};

/* --- what the handler says --- */

void http_reply_header(struct http_exchange *x, const char *name, struct str value)
{
    ASSERT(x->reply.header_count < HTTP_REPLY_HEADERS_MAX);
    ASSERT(framing_is_value(value));
    x->reply_headers[x->reply.header_count++] = (struct pair){str_c(name), value};
}

static void start_reply(struct http_exchange *x, enum reply_kind kind, int status, const char *type)
{
    ASSERT(x->reply.kind == REPLY_NONE);
    ASSERT(status >= 200 && status <= 599);
    x->reply.kind = kind;
    x->reply.status = status;
    x->reply.type = type;
}

void http_reply(struct http_exchange *x, int status, const char *type, struct str body)
{
    start_reply(x, REPLY_BYTES, status, type);
    x->reply.body = body;
}

bool http_replied(const struct http_exchange *x)
{
    return x->reply.kind != REPLY_NONE;
}

void http_reply_stream(struct http_exchange *x, int status, const char *type, http_pull_fn pull,
                       void *arg)
{
    ASSERT(pull != NULL);
    start_reply(x, REPLY_STREAM, status, type);
    x->reply.pull = pull;
    x->reply.pull_arg = arg;
}

/* --- problems --- */

static void reply_problem(struct http_exchange *x, int status, const char *title, struct str detail)
{
    struct buf b;
    buf_init(&b, x->arena, PROBLEM_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &b);
    json_begin_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("about:blank"));
    json_put_key(&w, STR("title"));
    json_put_str(&w, str_c(title));
    json_put_key(&w, STR("status"));
    json_put_i64(&w, status);
    json_put_key(&w, STR("detail"));
    json_put_str(&w, detail);
    json_put_key(&w, STR("request_id"));
    json_put_str(&w, http_request_id(x));
    json_end_object(&w);
    ASSERT(!b.full);
    x->reply.header_count = 0; /* those of a reply that was begun do not belong to this one */
    x->reply.kind = REPLY_NONE;
    http_reply(x, status, "application/problem+json", buf_str(&b));
}

void exchange_reply_problem(struct http_exchange *x, enum rc rc)
{
    reply_problem(x, rc_http(rc), rc_title(rc), err_text(&x->err));
}

void exchange_reply_status(struct http_exchange *x, int status, const char *title)
{
    reply_problem(x, status, title, str_c(title));
}

/* --- past libmicrohttpd --- */

static void count_status(struct http_exchange *x)
{
    atomic_fetch_add(&x->server->by_class[x->reply.status / 100], 1);
}

void exchange_reply_raw(struct http_exchange *x)
{
    const struct reply *r = &x->reply;
    ASSERT(r->kind == REPLY_BYTES);
    struct buf b;
    buf_init(&b, x->arena, RAW_HEAD_BYTES_MAX);
    char date[DATE_TEXT_MAX];
    date_format_http(clock_now(x->server->options.clock), date);
    buf_fmt(&b, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nX-Request-Id: %.*s\r\n",
            r->status, MHD_get_reason_phrase_for((unsigned)r->status), date, EXCHANGE_ID_DIGITS,
            x->id);
    if (r->type[0] != '\0')
        buf_fmt(&b, "Content-Type: %s\r\n", r->type);
    for (size_t i = 0; i < r->header_count; i++) {
        buf_add(&b, x->reply_headers[i].name);
        buf_add(&b, STR(": "));
        buf_add(&b, x->reply_headers[i].value);
        buf_add(&b, STR("\r\n"));
    }
    buf_fmt(&b, "Content-Length: %zu\r\n\r\n", r->body.n);
    ASSERT(!b.full);
    struct iovec parts[2] = {
        {b.p, b.n},
        {(void *)(uintptr_t)r->body.p, x->method != HTTP_HEAD ? r->body.n : 0},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = COUNT(parts)};
    int fd = x->peer->fd;
    /* Nothing was sent on this connection since the last whole reply, so the socket's buffer is
     * empty and takes it; a client whose buffer is full gets a cut reply and a closed
     * connection. */
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    x->sent_bytes = sent > 0 ? (uint64_t)sent : 0;
    /* Not closed yet: closing with unread bytes makes the system send a reset, which can overtake
     * the reply. The client sees the end, and what it still sends is read and forgotten. */
    (void)shutdown(fd, SHUT_WR);
    count_status(x);
    atomic_fetch_add(&x->server->refused, 1);
    x->phase = PHASE_LINGER;
}

/* --- streams --- */

static void add_stream(struct http_exchange *x)
{
    struct http_server *s = x->server;
    pthread_mutex_lock(&s->mutex);
    x->next = s->streams;
    if (x->next != NULL)
        x->next->previous = x;
    s->streams = x;
    pthread_mutex_unlock(&s->mutex);
}

void exchange_remove_stream(struct http_exchange *x)
{
    struct http_server *s = x->server;
    pthread_mutex_lock(&s->mutex);
    if (x->previous != NULL)
        x->previous->next = x->next;
    else
        s->streams = x->next;
    if (x->next != NULL)
        x->next->previous = x->previous;
    pthread_mutex_unlock(&s->mutex);
}

/* Sleep unless somebody woke us since we asked pull: the flag is set under the mutex before the
 * connection is resumed, so a wake that comes between pull's "nothing now" and our suspend is seen
 * here, and one that comes later finds suspended set and resumes. None is lost. */
static bool suspend_unless_woken(struct http_exchange *x)
{
    pthread_mutex_lock(&x->wake_mutex);
    bool sleep = !x->woken;
    x->woken = false;
    if (sleep) {
        x->suspended = true;
        MHD_suspend_connection(x->connection);
    }
    pthread_mutex_unlock(&x->wake_mutex);
    return sleep;
}

void http_wake(struct http_exchange *x)
{
    pthread_mutex_lock(&x->wake_mutex);
    x->woken = true;
    if (x->suspended) {
        x->suspended = false;
        MHD_resume_connection(x->connection);
    }
    pthread_mutex_unlock(&x->wake_mutex);
}

static ssize_t read_stream(void *cls, uint64_t position, char *room_bytes, size_t room)
{
    (void)position;
    struct http_exchange *x = cls;
    for (;;) {
        bool closing = http_closing(x);
        int64_t n = x->reply.pull(x->reply.pull_arg, room_bytes, room);
        ASSERT(n <= (int64_t)room);
        if (n > 0) {
            x->sent_bytes += (uint64_t)n;
            return (ssize_t)n;
        }
        if (n == HTTP_PULL_END || closing)
            return MHD_CONTENT_READER_END_OF_STREAM;
        ASSERT(n == HTTP_PULL_WAIT);
        if (suspend_unless_woken(x))
            return 0;
    }
}

/* --- through libmicrohttpd --- */

static void add_header(struct http_exchange *x, struct MHD_Response *response, const char *name,
                       struct str value)
{
    enum MHD_Result ok = MHD_add_response_header(response, name, arena_cstr(x->arena, value));
    ASSERT(ok == MHD_YES);
}

static struct MHD_Response *make_response(struct http_exchange *x)
{
    struct reply *r = &x->reply;
    struct MHD_Response *response = NULL;
    switch (r->kind) {
    case REPLY_BYTES:
        /* The body lives in the arena, which lives until the request is reported complete;
         * libmicrohttpd never writes to it. */
        response = MHD_create_response_from_buffer(r->body.n, (void *)(uintptr_t)r->body.p,
                                                   MHD_RESPMEM_PERSISTENT);
        break;
    case REPLY_STREAM:
        add_stream(x);
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
                                                     read_stream, x, NULL);
        break;
    case REPLY_FILE:
        response = MHD_create_response_from_fd_at_offset64(r->size, r->fd, r->offset);
        r->fd = -1; /* closed with the response */
        break;
    case REPLY_NONE:
        NEVER("a handler replies");
    }
    ASSERT(response != NULL); /* out of memory stops the process */
    return response;
}

void exchange_finish_reply(struct http_exchange *x)
{
    if (x->reply_is_final)
        return;
    x->reply_is_final = true;
    gzip_reply(x);
}

/* How long the client may take to read the reply. */
static bool set_reply_deadline(struct http_exchange *x)
{
    const struct reply *r = &x->reply;
    if (r->kind == REPLY_STREAM)
        return peer_clear_deadline(x->peer);
    uint64_t bytes = r->kind == REPLY_BYTES ? r->body.n : r->size;
    int64_t seconds = (int64_t)(bytes / REPLY_BYTES_PER_SECOND_MIN);
    return peer_set_deadline(x->peer,
                             clock_steady(x->server->options.clock) +
                                 x->server->options.request_us + seconds * US_PER_SECOND,
                             PEER_SILENT);
}

enum MHD_Result exchange_queue_reply(struct http_exchange *x)
{
    if (!set_reply_deadline(x))
        return MHD_NO;
    exchange_finish_reply(x);
    struct reply *r = &x->reply;
    struct MHD_Response *response = make_response(x);
    if (r->type[0] != '\0')
        add_header(x, response, "Content-Type", str_c(r->type));
    add_header(x, response, "X-Request-Id", http_request_id(x));
    for (size_t i = 0; i < r->header_count; i++)
        add_header(x, response, x->reply_headers[i].name.p, x->reply_headers[i].value);
    if (http_closing(x))
        add_header(x, response, "Connection", STR("close"));
    if (r->kind != REPLY_STREAM)
        x->sent_bytes = r->kind == REPLY_BYTES ? r->body.n : r->size;
    count_status(x);
    x->phase = PHASE_SENT;
    enum MHD_Result ok = MHD_queue_response(x->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return ok;
}
