/*
 * exchange.h - the inside of one request and its reply: for the files of this folder only.
 *
 * An exchange is born when the request line has been read and ends when libmicrohttpd reports the
 * request complete. Exchanges are reused from a list in the server, with the first block of their
 * arenas and a small body buffer, so that a request costs no malloc of ours.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/framing.h"
#include "http/server.h"

enum {
    EXCHANGE_ID_DIGITS = 16,
    EXCHANGE_ENDS_MAX = 4,
    EXCHANGE_BODY_KEEP_BYTES = 16 * 1024, /* a body buffer up to this size is reused */
    EXCHANGE_BODY_LIMIT_MAX = 32 * 1024 * 1024,
    EXCHANGE_IDS_AHEAD = 32,
};

enum exchange_phase {
    PHASE_LINE,    /* the request line is known */
    PHASE_BODY,    /* the body is being read */
    PHASE_DRAIN,   /* answered by head; the short body is read and forgotten */
    PHASE_HANDLER, /* inside the handler's request */
    PHASE_HELD,    /* suspended until http_send */
    PHASE_SENT,    /* the reply is libmicrohttpd's */
    PHASE_LINGER,  /* refused and answered past libmicrohttpd; what still comes is forgotten */
};

enum reply_kind { REPLY_NONE, REPLY_BYTES, REPLY_STREAM, REPLY_FILE };

struct reply {
    enum reply_kind kind;
    int status;
    const char *type;
    struct str body;   /* BYTES */
    http_pull_fn pull; /* STREAM */
    void *pull_arg;
    int fd; /* FILE: owned until handed to libmicrohttpd */
    uint64_t offset, size;
    size_t header_count;
};

struct at_end {
    void (*fn)(void *arg);
    void *arg;
};

struct http_exchange {
    struct http_exchange *next; /* free list; streams list */
    struct http_exchange *previous;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum exchange_phase phase;
    bool too_many_headers;
    bool target_too_long;
    bool reply_is_final; /* what depends on the whole reply (compression) was done */
    time_us start;       /* steady */
    enum http_method method;
    struct str method_name;
    struct str target;
    const char *raw_target; /* in libmicrohttpd's buffer */
    struct str path;
    struct str shown_path; /* in the log, where the path is not for it */
    struct str peer_address;
    struct framing framing;
    size_t header_bytes;
    size_t header_count;
    size_t query_count;
    void *user;
    size_t end_count;
    uint64_t sent_bytes;

    size_t body_limit;
    http_body_fn body_fn;
    void *body_arg;
    uint64_t body_seen; /* bytes handed to body_fn, or kept */

    struct reply reply;
    bool woken; /* with suspended: under wake_mutex */
    bool suspended;

    /* From here on nothing is cleared for reuse: the counts above say what is valid. */
    pthread_mutex_t wake_mutex;
    char *body; /* malloc: grows with what really comes */
    size_t body_capacity;
    struct arena *arena;
    struct arena arena_memory;
    struct err err;
    char id[EXCHANGE_ID_DIGITS];
    uint64_t ids[EXCHANGE_IDS_AHEAD]; /* chance is fetched in blocks, one system call for many */
    size_t ids_left;
    struct at_end ends[EXCHANGE_ENDS_MAX];
    struct pair headers[HTTP_HEADERS_MAX];
    struct pair query[HTTP_QUERY_MAX];
    struct pair reply_headers[HTTP_REPLY_HEADERS_MAX];
};

/* A fresh exchange for a request whose line has just been read. */
struct http_exchange *exchange_take(struct http_server *s);
/* Run what http_at_end asked for, then put the exchange back. */
void exchange_end(struct http_exchange *x);
/* Free those on the server's list. */
void exchange_free_all(struct http_server *s);

/* Keep a piece of the body; RC_TOO_LARGE beyond the limit. */
MUST_CHECK enum rc exchange_take_body(struct http_exchange *x, struct str piece);

/* A reply in the form of problem+json, status and title from rc, detail from x's error. */
void exchange_reply_problem(struct http_exchange *x, enum rc rc);
/* The same with a status that has no rc of its own: 414, 431, 505. */
void exchange_reply_status(struct http_exchange *x, int status, const char *title);
/* Last touch before the reply leaves: compression. By whoever owns the exchange then. */
void exchange_finish_reply(struct http_exchange *x);
/* Write the whole reply to the socket at once and forbid more: for requests whose end is not known,
 * or not worth waiting for. */
void exchange_reply_raw(struct http_exchange *x);
/* A stream is over. */
void exchange_remove_stream(struct http_exchange *x);
/* Hand the reply to libmicrohttpd. MHD_NO: close the connection. */
enum MHD_Result exchange_queue_reply(struct http_exchange *x);

#endif
