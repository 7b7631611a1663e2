/*
 * wire.h - the door for HTTP and mail going out.
 *
 * wire_curl() is the real one (libcurl); struct wire_sim its twin: requests go to functions of the
 * test, may be lost, delayed or answered twice by a seed. Nothing else in the house opens an
 * outgoing connection.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/schema.h"

#include <stdatomic.h>

enum { WIRE_HEADERS_MAX = 32, WIRE_REPLY_BYTES_MAX = 64 * 1024 * 1024 };

struct wire_request {
    struct str method; /* "GET" */
    struct str url;    /* http, https, or http+unix:/path/to/socket:/v1/... */
    const struct pair *headers;
    size_t header_count; /* at most WIRE_HEADERS_MAX */
    struct str body;
    int64_t timeout_us;     /* the whole call; 0: 30 s */
    int64_t silence_us;     /* given up when nothing came for so long; 0: only timeout_us counts */
    size_t reply_bytes_max; /* 0: 1 MiB; with piece: no bound but what piece says */
    bool public_only;       /* refuse private, loopback and link-local addresses, after DNS */
    /* At most 5 redirects, never from https to http, without Authorization and Cookie to another
     * origin, not for sockets; else none. */
    bool follow;
    /* Instead of keeping the body: each piece as it comes. */
    enum rc (*piece)(void *arg, struct str piece, struct err *err);
    void *arg;
    /* The call is given up within a second of its being true: RC_UNAVAILABLE. May be NULL. */
    const atomic_bool *given_up;
};

struct wire_reply {
    int status;
    struct pair *headers; /* names in lower case */
    size_t header_count;
    struct str body;
};

struct wire_mail {
    struct str url;  /* smtp://host:25, smtps://host:465; STARTTLS is used where offered */
    struct str user; /* empty: no login */
    struct str password;
    struct str from; /* "Hanse <no-reply@example.net>" */
    struct str to;
    struct str subject;
    struct str text;       /* plain text, UTF-8 */
    struct str message_id; /* the outbox row: the same mail sent twice has the same id */
};

struct wire {
    /* RC_OK whenever a status came back, also 500. RC_UNAVAILABLE: no connection; RC_TIMEOUT;
     * RC_TOO_LARGE; RC_FORBIDDEN: public_only, or a redirect to http; RC_INVALID: the url, a
     * header. What piece returns. */
    enum rc (*call)(struct wire *w, const struct wire_request *request, struct arena *arena,
                    struct wire_reply *ret, struct err *err);
    enum rc (*mail)(struct wire *w, const struct wire_mail *mail, struct arena *arena,
                    struct err *err);
};

static inline MUST_CHECK enum rc wire_call(struct wire *w, const struct wire_request *request,
                                           struct arena *arena, struct wire_reply *ret,
                                           struct err *err)
{
    return w->call(w, request, arena, ret, err);
}

/* The value of a header of the reply, empty where missing. name in lower case. */
struct str wire_header(const struct wire_reply *r, const char *name);

/* libcurl. Safe from many threads; connections are kept per thread that calls. */
struct wire *wire_curl_open(void);
void wire_curl_close(struct wire *w);

/* The twin: call and mail end in fn, arg. */
struct wire_sim {
    struct wire wire;
    struct clock_sim *clock;
    int64_t lose_ppm; /* this many calls in a million fail with RC_UNAVAILABLE before fn */
    int64_t echo_ppm; /* ... fail after fn has run: the reply is lost */
    enum rc (*fn)(void *arg, const struct wire_request *request, struct arena *arena,
                  struct wire_reply *ret, struct err *err);
    enum rc (*mail_fn)(void *arg, const struct wire_mail *mail, struct err *err);
    void *arg;
};
void wire_sim_init(struct wire_sim *s, struct clock_sim *clock);

#endif
