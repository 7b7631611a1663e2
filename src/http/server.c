/*
 * The glue to libmicrohttpd. Its calls for one request come in this order, all on one thread:
 *
 *     on_line        the request line was read: an exchange is taken
 *     on_call        once with the headers; once for each piece of the body; once at the end; and
 *                    once more after a held exchange was resumed. exchange->phase says which
 *     on_completed   the reply has left, or the connection broke: the exchange ends
 */
#include "http/exchange.h"
#include "http/gzip.h"
#include "http/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    THREADS_MAX = 8,
    CONNECTIONS_DEFAULT = 4096,
    PER_ADDRESS_DEFAULT = 512,
    /* Request line and headers, libmicrohttpd's list of them, and the head of the reply. */
    CONNECTION_MEMORY_BYTES = 32 * 1024,
    DRAIN_BYTES_MAX =
        64 * 1024, /* a body of an answered request up to here is read and forgotten */
    CLOSE_STEP_MS = 5,
    LINGER_SECONDS = 5,
};

#define IDLE_US_DEFAULT    (60 * US_PER_SECOND)
#define REQUEST_US_DEFAULT (30 * US_PER_SECOND)
#define SWEEP_US_MAX       (1 * US_PER_SECOND)
#define SWEEP_US_MIN       (10 * US_PER_MS)

/* --- the request line --- */

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ASSERT(info != NULL && info->socket_context != NULL);
    return info->socket_context;
}

static time_us steady(const struct http_server *s)
{
    return clock_steady(s->options.clock);
}

static void *on_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *s = cls;
    struct http_exchange *x = exchange_take(s);
    x->connection = connection;
    x->peer = peer_of(connection);
    x->peer_address = x->peer->address;
    x->start = steady(s);
    /* A deadline that is past already ends the request at the next step. */
    (void)!peer_set_deadline(x->peer, x->start + s->options.request_us, PEER_READING);
    size_t n = strnlen(uri, HTTP_TARGET_MAX + 1);
    x->target_too_long = n > HTTP_TARGET_MAX;
    x->raw_target = uri;
    /* A copy, as libmicrohttpd cuts and decodes its own in place. */
    x->target = arena_str(x->arena, str_n(uri, min_size(n, HTTP_TARGET_MAX)));
    atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
    return x;
}

/* Targets are decoded by target_parse, on our copy. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

/* --- the headers --- */

static enum http_method parse_method(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {STR_INIT("GET"), HTTP_GET},         {STR_INIT("HEAD"), HTTP_HEAD},
        {STR_INIT("POST"), HTTP_POST},       {STR_INIT("PUT"), HTTP_PUT},
        {STR_INIT("PATCH"), HTTP_PATCH},     {STR_INIT("DELETE"), HTTP_DELETE},
        {STR_INIT("OPTIONS"), HTTP_OPTIONS},
    };
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(name, methods[i].name))
            return methods[i].method;
    return HTTP_OTHER;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                 const char *value, size_t value_n)
{
    (void)kind;
    struct http_exchange *x = cls;
    if (value == NULL) {
        value = "";
        value_n = 0;
    }
    if (x->header_count == HTTP_HEADERS_MAX) {
        x->too_many_headers = true;
        return MHD_NO;
    }
    x->headers[x->header_count++] = (struct pair){str_n(key, key_n), str_n(value, value_n)};
    x->header_bytes += key_n + value_n + sizeof ": \r\n" - 1;
    return MHD_YES;
}

/* Behind our own proxy the client is who the proxy says: the last word of X-Forwarded-For, which
 * the proxy wrote; what stands before it came from the client and can be anything. */
static void read_forwarded(struct http_exchange *x)
{
    struct str list = http_header(x, "x-forwarded-for");
    struct str last = {NULL, 0};
    while (list.n > 0)
        last = str_trim(str_cut(&list, ','));
    char text[PEER_ADDRESS_MAX] = "";
    unsigned char address[sizeof(struct in6_addr)];
    if (last.n == 0 || last.n >= sizeof text)
        return;
    memcpy(text, last.p, last.n);
    if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
        x->peer_address = last;
}

/* Everything about the request but its body. On failure the reply is there. */
static bool read_head(struct http_exchange *x, const char *method, const char *version)
{
    x->method_name = str_c(method);
    x->method = parse_method(x->method_name);
    (void)MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, on_header, x);
    if (x->target_too_long) {
        exchange_reply_status(x, 414, "The address is longer than 4096 bytes");
        return false;
    }
    if (x->too_many_headers || x->header_bytes + x->target.n > HTTP_HEADER_BYTES_MAX) {
        exchange_reply_status(x, 431, "More than 64 headers, or than 16 KiB of them");
        return false;
    }
    struct target target;
    enum rc rc = framing_check(str_c(version), x->headers, x->header_count, &x->framing, &x->err);
    if (rc == RC_OK && x->server->checks_layout)
        rc = framing_check_layout(x->raw_target, x->target.n, version, x->headers, x->header_count,
                                  &x->err);
    if (rc == RC_OK && !framing_is_token(x->method_name))
        rc = err_set(&x->err, RC_SYNTAX, "the method is no word");
    if (rc == RC_OK)
        rc = target_parse(x->target, HTTP_QUERY_MAX, x->query, x->arena, &target, &x->err);
    if (rc == RC_OK && target.authority.n > 0 && !str_eq_nocase(target.authority, x->framing.host))
        rc = err_set(&x->err, RC_SYNTAX, "the address names another host than Host");
    if (rc == RC_UNSUPPORTED) {
        exchange_reply_status(x, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
        return false;
    }
    if (rc != RC_OK) {
        exchange_reply_problem(x, rc);
        return false;
    }
    for (size_t i = 0; i < x->header_count; i++)
        x->headers[i].value = str_trim(x->headers[i].value);
    x->path = target.path;
    x->query_count = target.query_count;
    if (x->server->options.trust_forwarded)
        read_forwarded(x);
    return true;
}

static bool has_body(const struct http_exchange *x)
{
    return x->framing.chunked || x->framing.length > 0;
}

/* The reply leaves at once and nothing more is taken from this connection; what the client still
 * sends is read and forgotten for a few seconds, so that it can read the reply in peace. */
static enum MHD_Result refuse(struct http_exchange *x)
{
    time_us until = steady(x->server) + LINGER_SECONDS * US_PER_SECOND;
    if (!peer_set_deadline(x->peer, until, PEER_SILENT))
        return MHD_NO;
    exchange_reply_raw(x);
    return MHD_YES;
}

static enum MHD_Result refuse_with(struct http_exchange *x, enum rc rc)
{
    exchange_reply_problem(x, rc);
    return refuse(x);
}

/* The handler answered before the body was read. */
static enum MHD_Result answer_early(struct http_exchange *x)
{
    bool is_short = !x->framing.chunked && x->framing.length <= DRAIN_BYTES_MAX &&
                    !(x->framing.expects_continue && has_body(x));
    if (is_short) {
        x->phase = PHASE_DRAIN;
        return MHD_YES;
    }
    if (x->reply.kind == REPLY_BYTES)
        return refuse(x);
    err_write(&x->err, RC_TOO_LARGE, "this address takes no body");
    return refuse_with(x, RC_TOO_LARGE);
}

static enum MHD_Result take_head(struct http_exchange *x, const char *method, const char *version)
{
    if (!read_head(x, method, version))
        return refuse(x);
    const struct http_handler *handler = &x->server->options.handler;
    if (handler->head != NULL)
        handler->head(handler->arg, x);
    if (http_replied(x))
        return answer_early(x);
    if (x->framing.length > x->body_limit) {
        err_write(&x->err, RC_TOO_LARGE, "the body is larger than %zu bytes", x->body_limit);
        return refuse_with(x, RC_TOO_LARGE);
    }
    x->phase = PHASE_BODY;
    return MHD_YES;
}

/* --- the body and the end --- */

static enum MHD_Result take_piece(struct http_exchange *x, struct str piece)
{
    enum rc rc = RC_OK;
    if (x->body_fn == NULL) {
        rc = exchange_take_body(x, piece);
    } else if (piece.n > x->body_limit - x->body_seen) {
        rc = err_set(&x->err, RC_TOO_LARGE, "the body is larger than %zu bytes", x->body_limit);
    } else {
        x->body_seen += piece.n;
        rc = x->body_fn(x->body_arg, piece, &x->err);
        time_us until = steady(x->server) + x->server->options.request_us;
        if (!peer_set_deadline(x->peer, until, PEER_READING))
            return MHD_NO;
    }
    return rc == RC_OK ? MHD_YES : refuse_with(x, rc);
}

static enum MHD_Result take_end(struct http_exchange *x)
{
    /* From here on the client waits for us, not we for it. */
    if (!peer_clear_deadline(x->peer))
        return MHD_NO;
    const struct http_handler *handler = &x->server->options.handler;
    x->phase = PHASE_HANDLER;
    handler->request(handler->arg, x);
    if (x->phase == PHASE_HELD)
        return MHD_YES; /* from http_hold on, x may be anybody's */
    ASSERT(http_replied(x));
    return exchange_queue_reply(x);
}

/* The library chose the eight parameters. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_call(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_n, void **con_cls)
{
    (void)cls;
    (void)connection;
    (void)url;
    struct http_exchange *x = *con_cls;
    struct str piece = {upload, *upload_n};
    *upload_n = 0;
    switch (x->phase) {
    case PHASE_LINE:
        return take_head(x, method, version);
    case PHASE_BODY:
        return piece.n > 0 ? take_piece(x, piece) : take_end(x);
    case PHASE_DRAIN:
        return piece.n > 0 ? MHD_YES : exchange_queue_reply(x);
    case PHASE_HELD:
        return exchange_queue_reply(x);
    case PHASE_LINGER:
        return piece.n > 0 ? MHD_YES : MHD_NO;
    case PHASE_HANDLER:
    case PHASE_SENT:
        break;
    }
    NEVER("a call while the handler runs or after the reply");
}

static struct str logged_path(const struct http_exchange *x)
{
    return x->shown_path.n > 0 ? x->shown_path : x->path.n > 0 ? x->path : x->target;
}

static void log_request(struct http_exchange *x)
{
    const struct http_options *o = &x->server->options;
    if (o->log == NULL || o->log->level > LOG_DEBUG)
        return;
    log_event(o->log, LOG_DEBUG, "http.request", LOG_S("method", x->method_name),
              LOG_S("path", logged_path(x)), LOG_I("status", x->reply.status),
              LOG_I("us", steady(x->server) - x->start), LOG_I("bytes", (int64_t)x->sent_bytes),
              LOG_S("peer", x->peer_address), LOG_S("request", http_request_id(x)));
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)connection;
    struct http_server *s = cls;
    struct http_exchange *x = *con_cls;
    if (x == NULL)
        return;
    *con_cls = NULL;
    if (x->reply.kind == REPLY_STREAM && x->phase == PHASE_SENT)
        exchange_remove_stream(x);
    if (x->reply.fd >= 0)
        (void)close(x->reply.fd); /* a file that was never handed over */
    if (why == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
        atomic_fetch_add(&s->timeouts, 1);
    if (x->reply.kind == REPLY_NONE)
        atomic_fetch_add(&s->refused, 1); /* by libmicrohttpd, or the client went away */
    log_request(x);
    /* False: the sweeper is closing the connection, which then is what we wait for. */
    (void)!peer_set_deadline(x->peer, steady(s) + s->options.idle_us, PEER_SILENT);
    exchange_end(x);
}

/* --- connections --- */

static struct str format_address(const struct sockaddr *address, char text[PEER_ADDRESS_MAX])
{
    const void *bytes = NULL;
    int family = address != NULL ? address->sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(v6);
        family = mapped ? AF_INET : AF_INET6;
        bytes = mapped ? (const void *)&v6->s6_addr[12] : (const void *)v6;
    }
    if (bytes == NULL || inet_ntop(family, bytes, text, PEER_ADDRESS_MAX) == NULL)
        return STR("unix");
    return str_c(text);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = cls;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        /* The descriptor is still open here; when this returns it may be closed and reused. */
        peers_remove(&s->peers, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    ASSERT(fd != NULL);
    char text[PEER_ADDRESS_MAX];
    struct peer *peer =
        peers_add(&s->peers, fd->connect_fd,
                  format_address(address != NULL ? address->client_addr : NULL, text));
    (void)!peer_set_deadline(peer, steady(s) + s->options.idle_us, PEER_SILENT);
    *socket_context = peer;
}

/* libmicrohttpd's own limit leaves the excess waiting in the backlog; a clear end is kinder. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t address_n)
{
    (void)address;
    (void)address_n;
    struct http_server *s = cls;
    return atomic_load(&s->peers.count) < s->options.connections_max ? MHD_YES : MHD_NO;
}

/* --- holding --- */

void http_hold(struct http_exchange *x)
{
    ASSERT(x->phase == PHASE_HANDLER);
    x->phase = PHASE_HELD;
    /* libmicrohttpd resumes on the thread that runs this handler, after it has returned: however
     * early http_send comes, the reply is queued later. */
    MHD_suspend_connection(x->connection);
}

void http_send(struct http_exchange *x)
{
    ASSERT(x->phase == PHASE_HELD);
    ASSERT(http_replied(x));
    exchange_finish_reply(x);
    MHD_resume_connection(x->connection);
}

/* --- life --- */

static void fill_defaults(struct http_options *o)
{
    if (o->threads == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        o->threads = processors < 1 ? 1 : min_size((size_t)processors, THREADS_MAX);
    }
    if (o->connections_max == 0)
        o->connections_max = CONNECTIONS_DEFAULT;
    if (o->per_address_max == 0)
        o->per_address_max = PER_ADDRESS_DEFAULT;
    if (o->idle_us == 0)
        o->idle_us = IDLE_US_DEFAULT;
    if (o->request_us == 0)
        o->request_us = REQUEST_US_DEFAULT;
}

static enum rc start_daemon(struct http_server *s, struct err *err)
{
    const struct http_options *o = &s->options;
    /* Our deadlines are the exact ones; this one ends clients that stopped reading a stream. */
    unsigned silent_s = (unsigned)(max_i64(o->idle_us, o->request_us) / US_PER_SECOND + 1);
    /* on_accept keeps connections_max; each thread gets an equal part of this one, and the parts
     * fill unevenly. */
    unsigned limit = (unsigned)((o->connections_max + 1) * o->threads);
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    /* STRICT_FOR_CLIENT stays off: all it does is a part of what read_head does, but it answers by
     * itself, with the head of the reply sent twice (0.9.75), or only closes. */
    /* Signals are for the main thread: the new threads inherit this mask. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    peers_init(
        &s->peers, o->clock,
        max_i64(SWEEP_US_MIN, min_i64(SWEEP_US_MAX, min_i64(o->idle_us, o->request_us) / 4)));
    s->daemon = MHD_start_daemon(
        flags, 0, on_accept, s, on_call, s, MHD_OPTION_LISTEN_SOCKET, s->listen.fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)(o->threads > 1 ? o->threads : 0),
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, silent_s, MHD_OPTION_URI_LOG_CALLBACK, on_line, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (s->daemon != NULL)
        return RC_OK;
    peers_fini(&s->peers);
    return err_set(err, RC_UNAVAILABLE, "cannot start the HTTP server's threads");
}

enum rc http_open(struct http_server **ret, const struct http_options *o, struct err *err)
{
    ASSERT(o->handler.request != NULL);
    ASSERT(o->clock != NULL);
    ASSERT(o->connections_max <= UINT16_MAX && o->threads <= UINT8_MAX);
    ASSERT(o->idle_us >= 0 && o->request_us >= 0);
    struct listen_socket listen;
    TRY(listen_open(o->listen, &listen, err));
    struct http_server *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    s->options = *o;
    s->options.listen = (struct str){NULL, 0};
    s->listen = listen;
    /* Later versions lay their buffers out in another way, and refuse these things themselves. */
    s->checks_layout = strcmp(MHD_get_version(), "0.9.75") == 0;
    fill_defaults(&s->options);
    pthread_mutex_init(&s->mutex, NULL);
    enum rc rc = start_daemon(s, err);
    if (rc != RC_OK) {
        listen_close(&s->listen);
        pthread_mutex_destroy(&s->mutex);
        free(s);
        return rc;
    }
    *ret = s;
    return RC_OK;
}

/* Wait until no exchange is left, at most so long; 0: without end. */
static void wait_for_exchanges(struct http_server *s, int64_t wait_us)
{
    for (int64_t waited = 0; atomic_load(&s->in_flight) > 0; waited += CLOSE_STEP_MS * US_PER_MS) {
        if (wait_us > 0 && waited >= wait_us)
            return;
        (void)poll(NULL, 0, CLOSE_STEP_MS);
    }
}

static void wake_streams(struct http_server *s)
{
    pthread_mutex_lock(&s->mutex);
    for (struct http_exchange *x = s->streams; x != NULL; x = x->next)
        http_wake(x);
    pthread_mutex_unlock(&s->mutex);
}

void http_close(struct http_server *s, int64_t wait_us)
{
    if (s == NULL)
        return;
    ASSERT(wait_us >= 0);
    (void)MHD_quiesce_daemon(s->daemon);
    /* The descriptor stays open until the threads are gone: one of them may be about to accept on
     * it, and must not find somebody else's file there. */
    (void)shutdown(s->listen.fd, SHUT_RD);
    atomic_store(&s->closing, true);
    wake_streams(s);
    if (wait_us > 0)
        wait_for_exchanges(s, wait_us);
    peers_shutdown(&s->peers);
    /* What is held is somebody's: their reply must find it alive. */
    wait_for_exchanges(s, 0);
    MHD_stop_daemon(s->daemon);
    peers_fini(&s->peers);
    listen_close(&s->listen);
    exchange_free_all(s);
    gzip_free_all(s);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

struct str http_address(const struct http_server *s)
{
    return str_n(s->listen.text, s->listen.text_n);
}

struct http_counters http_counters(const struct http_server *s)
{
    struct http_counters c = {
        .requests = atomic_load(&s->requests),
        .refused = atomic_load(&s->refused),
        .connections = atomic_load(&s->peers.count),
        .timeouts = atomic_load(&s->timeouts) + atomic_load(&s->peers.timeouts),
    };
    for (size_t i = 0; i < COUNT(c.by_class); i++)
        c.by_class[i] = atomic_load(&s->by_class[i]);
    return c;
}
