/*
 * inside.h - what the files of this folder share: the open API and the request in its hands.
 */
#ifndef API_INSIDE_H
#define API_INSIDE_H

#include "api/api.h"
#include "api/call.h"
#include "api/callers.h"
#include "api/etag.h"
#include "api/events.h"
#include "api/idempotency.h"
#include "api/limit.h"
#include "api/router.h"
#include "api/touch.h"
#include "api/waiters.h"

#include <stdatomic.h>

/* What can be known of a route before the first request. */
struct route_facts {
    const char *event; /* in the log: "party.change" */
    int party;         /* index of the path's {party}, or -1 */
    int id;            /* field of the reply that is its id, or -1 */
    int version;       /* field of the reply that is its version, or -1 */
    uint64_t secrets;  /* fields of the reply that the audit log must not show */
    bool secret_path;  /* holds an invitation's token: not for the log */
};

struct api {
    struct arena arena; /* this struct, too, lives in it */
    struct api_options options;
    struct store *store;
    struct ledger *ledger;
    struct router *router;
    struct limits *limits;
    struct work_pool *work;
    struct event_hub *events;
    struct touches *touches;
    struct callers *callers;
    struct waiters *waiters;
    struct route_facts facts[ROUTE_COUNT];
    bool read_inline; /* a read never waits: run it on the socket's thread */
    bool https;
    struct str openapi;
    struct str openapi_etag;
    const char *web_root; /* NULL: none */
    const char *images;   /* folder; NULL: none */
    const char *backups;  /* likewise */
    struct seal seal;
    bool sealed;        /* there is a key */
    time_us started;    /* steady */
    time_us started_at; /* wall */
    _Atomic(struct http_server *) server;
    atomic_uint_fast64_t replayed; /* answers from the idempotency table */
};
/* NULL where the installation has no key. */
static inline const struct seal *api_seal(const struct api *a)
{
    return a->sealed ? &a->seal : NULL;
}

/* What the client says who it is. */
struct credential {
    enum { CREDENTIAL_NONE, CREDENTIAL_TOKEN, CREDENTIAL_COOKIE, CREDENTIAL_NODE } kind;
    struct str secret;
};

struct request {
    struct call call;
    struct work_item item;
    struct store_job job;
    struct credential credential;
    struct str peer;  /* as the limits know it */
    uint64_t commits; /* of the store, before the snapshot was taken */
    struct limit_state limit;
    struct request *next_waiter;
    int64_t wait_after; /* revision that the node has */
    time_us wait_until; /* steady; 0: it did not ask to wait */
    bool waits;         /* the handler found nothing new */
    bool limited;       /* limit holds something to tell */
    bool unsafe;        /* may change something: neither GET nor HEAD */
    bool csv;
    bool stale;    /* the credential's last use wants to be written down */
    bool replayed; /* the answer comes from the idempotency table */
    bool held;     /* the answer leaves by http_send */
    bool allowed;  /* the access rule said yes: nothing runs without */
    bool written;  /* an effect is durable */
    enum rc bad;   /* the input cannot be used; told only to who may call */
    struct err *bad_err;
    struct str allow;        /* 405: the methods there are */
    enum permission missing; /* 403: PERM_NONE, or which */
    bool prove;              /* 403: the password is wanted again */
    struct idempotency idempotency;
    struct etags match;
    time_us began;      /* steady */
    handler_fn work_fn; /* of call_read, call_write, call_book */
};

static inline struct request *request_of(struct call *c)
{
    return CONTAINER_OF(c, struct request, call);
}

/* The fields of s whose names are those of secrets, a bit each. */
uint64_t call_secrets(const struct schema *s);

/* Forget what an earlier run of the same request answered and noted. */
void call_reset(struct call *c);

#endif
