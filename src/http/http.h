/*
 * http.h - the HTTP server behind our own request and reply, on libmicrohttpd.
 *
 * A few threads read sockets (epoll) and run the handler. A handler must not wait: it replies at
 * once, or holds the exchange and sends the reply later from any thread. What a stranger sends is
 * bounded in every direction; what breaks the framing rules of RFC 9112 in a way that two servers
 * could read differently (two lengths, length and chunked together, space before a colon) is
 * answered 400 and the connection is closed.
 *
 * An exchange is one request and its reply. It has an arena; everything hung on it lives there
 * and ends when the reply has left. After http_hold, exactly one thread uses it at a time.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/schema.h"

enum {
    HTTP_HEADER_BYTES_MAX = 16 * 1024, /* request line and headers; more: 431 */
    HTTP_BODY_BYTES_MAX = 1024 * 1024, /* unless the handler takes more; more: 413 */
    HTTP_TARGET_MAX = 4096,            /* path and query; more: 414 */
    HTTP_QUERY_MAX = 64,               /* parameters; more: 400 */
    HTTP_HEADERS_MAX = 64,             /* more: 431 */
    HTTP_ARENA_BYTES = 64 * 1024 * 1024,
    HTTP_REPLY_HEADERS_MAX = 24,
    HTTP_GZIP_FROM_BYTES = 1024, /* smaller replies are sent as they are */
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

struct http_exchange;
struct http_server;

struct http_handler {
    /* Headers are there, the body is not. Optional. Reply here to refuse before the body is read,
     * or choose http_body_limit or http_body_to. */
    void (*head)(void *arg, struct http_exchange *x);
    /* All of the request is there. Reply, or hold. */
    void (*request)(void *arg, struct http_exchange *x);
    void *arg;
};

struct http_options {
    struct str listen; /* "127.0.0.1:8420", "[::1]:0" (0: any free port), "unix:/path" */
    struct http_handler handler;
    struct clock *clock; /* asked from many threads at once */
    const struct log *log;
    size_t threads;         /* 0: as many as processors, at most 8 */
    size_t connections_max; /* 0: 4096; more are closed at once */
    size_t per_address_max; /* 0: 512; loopback counts too; unix sockets do not */
    int64_t idle_us;        /* an open connection without request; 0: 60 s */
    int64_t request_us;     /* from the first wait to the whole request; 0: 30 s; streamed
                                   bodies: between two pieces */
    bool trust_forwarded;   /* behind our proxy: the peer is the last X-Forwarded-For */
};

/* RC_INVALID: the address cannot be understood. RC_CONFLICT: it is in use. RC_UNAVAILABLE. */
MUST_CHECK enum rc http_open(struct http_server **ret, const struct http_options *o,
                             struct err *err);
/* Stop taking connections, let requests in flight finish (at most wait_us), end streams. NULL is
 * fine. Held exchanges must be sent by then: their owners stop first or are waited for here. */
void http_close(struct http_server *s, int64_t wait_us);
/* "127.0.0.1:43211": with the port that was really taken. */
struct str http_address(const struct http_server *s);

struct http_counters {
    uint64_t requests, refused, connections, timeouts; /* connections: open now */
    uint64_t by_class[6];                              /* [2]: 2xx sent, ... */
};
struct http_counters http_counters(const struct http_server *s);

/* --- the request --- */

struct arena *http_arena(struct http_exchange *x);
struct err *http_err(struct http_exchange *x);
enum http_method http_method(const struct http_exchange *x);
struct str http_method_name(const struct http_exchange *x);
/* The path, percent-decoded once, well-formed UTF-8, without control characters, escaped slashes,
 * "." and ".." and empty segments (such requests were refused with 400); it may end in a slash. */
struct str http_path(const struct http_exchange *x);
/* What our log says in place of the path, where a secret is in it. Lives as long as x. */
void http_log_path(struct http_exchange *x, struct str shown);
/* Path and query as they were sent. */
struct str http_target(const struct http_exchange *x);
/* Query parameters in order, decoded. */
const struct pair *http_query(const struct http_exchange *x, size_t *ret_count);
/* A header, empty where missing. name in any case. A header that came twice is joined by ", ". */
struct str http_header(const struct http_exchange *x, const char *name);
/* The names of all headers, in lower case, each once. */
const struct str *http_header_names(struct http_exchange *x, size_t *ret_count);
bool http_has_header(const struct http_exchange *x, const char *name);
struct str http_body(const struct http_exchange *x);
/* The other side's address without port: "192.0.2.7", "unix". */
struct str http_peer(const struct http_exchange *x);
/* Set by the server at the beginning: 16 hexadecimal digits of chance, in log and replies. */
struct str http_request_id(const struct http_exchange *x);
/* A slot for whoever handles the exchange. */
void http_set_user(struct http_exchange *x, void *user);
void *http_user(const struct http_exchange *x);

/* In head only: take a buffered body of up to max bytes (<= 32 MiB). */
void http_body_limit(struct http_exchange *x, size_t max);
/* In head only: hand the body over piece by piece, at most max bytes in all (413 beyond). fn runs
 * on the socket's thread: keep it short. A code other than RC_OK refuses the rest with that
 * status. */
typedef enum rc (*http_body_fn)(void *arg, struct str piece, struct err *err);
void http_body_to(struct http_exchange *x, uint64_t max, http_body_fn fn, void *arg);
/* Called once when the exchange ends for whatever reason, also when the client went away: to give
 * back what head or request took. At most four; the last one asked for is called first. */
void http_at_end(struct http_exchange *x, void (*fn)(void *arg), void *arg);

/* --- the reply --- */

/* name is a constant, value lives in the arena or longer and has no control characters. */
void http_reply_header(struct http_exchange *x, const char *name, struct str value);
/* The reply: body lives in the arena or longer. Inside the handler this is all; after http_hold
 * follow it with http_send. type "" : no body. HEAD is answered without the body. */
void http_reply(struct http_exchange *x, int status, const char *type, struct str body);
/* Whether http_reply was called. */
bool http_replied(const struct http_exchange *x);
/* The reply comes later. Inside the handler's request only, and before another thread can know
 * of x. */
void http_hold(struct http_exchange *x);
/* Send the held reply; any thread; the exchange is gone afterwards. */
void http_send(struct http_exchange *x);

/* A reply of unknown length. pull runs on the socket's thread: fill up to room bytes and return how
 * many; HTTP_PULL_WAIT: nothing now (http_wake will come); HTTP_PULL_END: done. */
enum { HTTP_PULL_WAIT = 0, HTTP_PULL_END = -1 };
typedef int64_t (*http_pull_fn)(void *arg, char *room_bytes, size_t room);
void http_reply_stream(struct http_exchange *x, int status, const char *type, http_pull_fn pull,
                       void *arg);
/* Make a waiting stream pull again. Any thread, until http_at_end was called. */
void http_wake(struct http_exchange *x);
/* The server is closing: streams end now. */
bool http_closing(const struct http_exchange *x);

/* --- files --- */

/* Answer path below folder: GET and HEAD, ETag and 304, ranges, type by suffix; names with a
 * content hash ("app-3f9a0c1d.js") are immutable for a year, all others are revalidated. Symbolic
 * links and dot files are not followed. NAME.gz beside NAME is sent to those who take gzip. False,
 * and no reply, where there is no such file. */
bool http_reply_file(struct http_exchange *x, const char *folder, struct str path);

#endif
