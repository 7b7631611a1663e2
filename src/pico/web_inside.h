/*
 * web_inside.h - one request to the engine over HTTP, for the files web*.c only.
 */
#ifndef PICO_WEB_INSIDE_H
#define PICO_WEB_INSIDE_H

#include "base/json.h"
#include "base/work.h"
#include "pico/query.h"
#include "pico/web.h"
#include "pico/web_late.h"
#include "pico/web_rate.h"

enum {
    WEB_SEGMENTS_MAX = 8,
    WEB_READ_STEPS = 2 * 1000 * 1000,        /* to read what came with a request */
    WEB_REPLY_BYTES_MAX = 8 * 1024 * 1024,   /* of a list, of a log */
    WEB_EXPORT_BYTES_MAX = 16 * 1024 * 1024, /* of a file that goes or comes */
    WEB_SOURCE_BYTES_MAX = 2 * 1024 * 1024,  /* of a ruleset in JSON */
    WEB_THREADS = 2,                         /* for what waits: flush, export, import, lists */
    WEB_WAITING_MAX = 256,
};

struct pico_web {
    struct pico_web_options o;
    struct arena arena;
    struct web_rate *rate; /* NULL: no limit */
    struct work_pool *pool;
    struct work_pool *away; /* asks other engines: their silence holds nobody else up */
    struct web_late *late;
    uint64_t seed[2];
    atomic_uint_fast64_t limited;
};

struct web_route;

struct web_call {
    struct pico_web *w;
    struct http_exchange *x;
    const struct web_route *route;
    struct str part[WEB_SEGMENTS_MAX]; /* what stood for each ":" of the pattern */
    size_t part_n;
    struct pico_request r;
    bool held;        /* the exchange: another thread may have the request */
    bool own;         /* who asks a channel may develop here: it is a try of his own */
    int64_t retry_s;  /* of RC_TOO_MANY */
    const char *type; /* of the answer to a query: text/html, text/plain; NULL: JSON */
    struct web_late_answer late;
    struct work_item item;
    void (*work)(struct web_call *c); /* on a thread of the pool */
    void (*then)(struct web_call *c); /* what is done with the engine's answer */
    void *user;
};

enum {
    WEB_DEVELOPER = 1, /* only on their listener */
    WEB_OFFICIAL = 2,  /* errors are 200 */
    WEB_CHANNEL = 4,   /* the first ":" is an eci */
};

struct web_route {
    const char *pattern; /* "c/:/event/:/:" */
    const char *methods; /* "GET POST"; NULL: any */
    unsigned flags;
    void (*run)(struct web_call *c);
    size_t body_max; /* 0: HTTP_BODY_BYTES_MAX */
};

/* Ended by a pattern of NULL. */
extern const struct web_route web_official_routes[];
extern const struct web_route web_routes[];       /* /v1, for customers */
extern const struct web_route web_owner_routes[]; /* /v1, for developers */

/* --- web_reply.c --- */

struct arena *web_arena(struct web_call *c);
/* Reply; where the exchange is held follow it with http_send. */
void web_json(struct web_call *c, int status, struct str json);
/* {"error": "..."} with 200, or problem+json. */
void web_fail(struct web_call *c, enum rc rc, const struct err *err);
void web_refuse(struct web_call *c, enum rc rc, const char *format, ...) PRINTF(3, 4);

/* --- web_ask.c: what goes to the engine --- */

/* A parameter of the address; empty: it is not there. */
struct str web_parameter(struct web_call *c, struct str name);
/* Attributes or arguments from the request into c->r.attrs, with "_headers", and with eid, where it
 * is not empty, as "__eid". False: answered already. */
bool web_read_input(struct web_call *c, bool headers, struct str eid);
/* Hand c->r to the engine, and hold the exchange where its answer is not there at once; then runs
 * with the answer and replies, after which the held exchange is sent. */
void web_ask(struct web_call *c, void (*then)(struct web_call *c));
/* Refuse who asked a channel too much, within the handler or with the exchange held; it is sent
 * here, later. Who tries his own is not kept waiting. */
void web_refuse_much(struct web_call *c, const struct err *err);
/* Hold the exchange and run work on a thread that may wait; it replies, after which the exchange is
 * sent. */
void web_work(struct web_call *c, void (*work)(struct web_call *c));
/* The same for work that sends the exchange itself, or goes on with web_ask_held. */
void web_work_on(struct web_call *c, void (*work)(struct web_call *c));
void web_ask_held(struct web_call *c, void (*then)(struct web_call *c));

/* --- web_export.c --- */

void web_export(struct web_call *c);
void web_import(struct web_call *c);

/* --- web_move.c --- */

void web_move_begin(struct web_call *c);
void web_move_done(struct web_call *c);
void web_move_cancel(struct web_call *c);
void web_move_list(struct web_call *c);
void web_move_refuse(struct web_call *c);

/* --- web_account.c --- */

void web_account_show(struct web_call *c);
void web_account_set(struct web_call *c);
void web_account_drop(struct web_call *c);
void web_suspend(struct web_call *c);
void web_resume(struct web_call *c);

/* --- web_aside.c --- */

void web_aside_list(struct web_call *c);
void web_aside_again(struct web_call *c);
void web_aside_drop(struct web_call *c);

/* --- web_metrics.c --- */

void web_metrics(struct web_call *c);

#endif
