/*
 * call.h - one request on its way through the dispatcher to a handler and back.
 *
 * The dispatcher owns everything that all routes share: framing of the answer, authentication,
 * authorisation (party/permission.h), rate limits, decoding by table, If-Match, Idempotency-Key,
 * the tx and its repetition, the audit entry, the log. A handler decodes nothing and decides
 * nothing of this: it calls the domain and names the answer.
 *
 *     enum rc party_get_handler(struct call *c)
 *     {
 *         struct party p;
 *         TRY(party_get(c->tx, c->params[0], &p));
 *         return call_reply(c, &p);
 *     }
 *
 * A handler may run more than once (the store repeats a tx), so it keeps nothing between runs.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/resources.h"
#include "api/route.h"
#include "http/http.h"
#include "store/page.h"
#include "store/store.h"

struct api;
struct etags;

struct call {
    struct api *api;
    const struct route *route;
    struct http_exchange *x;
    struct arena *arena;
    struct err *err;
    struct tx *tx; /* NULL in ROUTE_WORK and ROUTE_PLAIN, but within call_read and its like */
    struct caller caller;
    struct str params[ROUTE_PARAMS_MAX]; /* of the path, in order */
    const void *query;                   /* struct that route->query describes, or NULL */
    const void *body;                    /* struct that route->body describes, or NULL */
    const struct etags *match;           /* If-Match, or NULL: use call_match */
    struct str owner;                    /* the party that the access rule found */
    void *steps; /* ROUTE_WORK: what the handler's steps hand on to one another */
    struct audit_note {
        struct str party; /* whose log; empty: the owner the access rule found */
        struct str user;  /* who, where the caller was nobody before */
        struct str subject;
        struct str before; /* JSON */
        struct str after;
        const void *whole; /* the value that after shows with nothing left out, or NULL */
        const struct schema *schema;
    } note; /* what the audit entry says; handlers fill it in with call_note */
    /* --- the answer, set by call_reply and its like --- */
    int status;
    const char *type;
    struct str reply_body;
    struct str location;
    struct str etag;
    struct str next; /* the Link to the next page */
    struct pair headers[4];
    size_t header_count;
    struct stream *stream; /* ROUTE_STREAM: what goes on after the answer has begun */
};

typedef enum rc (*handler_fn)(struct call *c);

/* Answer with one resource by route->reply; a field "version" becomes the ETag, and with
 * ROUTE_CREATED the field "id" completes the Location, unless call_location was called before.
 * A value that call_note has written out already is not written out again: leave it as it is in
 * between. RC_OK, or RC_TOO_LARGE. */
MUST_CHECK enum rc call_reply(struct call *c, const void *value);
/* Answer with a page of resources: JSON, or CSV where the client prefers it. */
MUST_CHECK enum rc call_reply_page(struct call *c, const struct page *page);
/* Answer with a list that is always whole. */
MUST_CHECK enum rc call_reply_list(struct call *c, struct list list);
/* Answer 204. */
MUST_CHECK enum rc call_reply_nothing(struct call *c);
/* Answer with bytes of another media type. */
MUST_CHECK enum rc call_reply_bytes(struct call *c, int status, const char *type, struct str body);
/* One more header; name is a constant. */
void call_header(struct call *c, const char *name, struct str value);
/* Where the new thing is, when it is not below the path of the request. */
void call_location(struct call *c, struct str location);

/* "https://cloud.example.net": what links begin with. */
struct str call_base_url(const struct call *c);
/* The host name that was asked, without port. */
struct str call_host(const struct call *c);

/* Whether If-Match allows to change what is at this version now: RC_CHANGED where it names others.
 * *ret is the version to hand to the domain. */
MUST_CHECK enum rc call_match(struct call *c, int64_t version, int64_t *ret);

/* What the audit entry shows: the resource before (NULL: there was none) and after (NULL: gone).
 * Fields that hold secrets are left out. */
void call_note(struct call *c, struct str subject, const struct schema *schema, const void *before,
               const void *after);

/* For ROUTE_WORK: run fn(c) in a unit of work and wait; c->tx is set while fn runs. call_read: in
 * a snapshot. call_write: the effect of the request, at most one, which makes the answer too: with
 * its audit entry, and kept under the Idempotency-Key. call_book: what must be written down even
 * if the request fails, such as a failed login; no audit entry. */
MUST_CHECK enum rc call_read(struct call *c, handler_fn fn);
MUST_CHECK enum rc call_write(struct call *c, handler_fn fn);
MUST_CHECK enum rc call_book(struct call *c, handler_fn fn);

#endif
