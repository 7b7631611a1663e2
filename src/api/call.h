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

#include "api/route.h"
#include "http/http.h"
#include "store/page.h"
#include "store/store.h"

struct api;

struct call {
    struct api *api;
    const struct route *route;
    struct http_exchange *x;
    struct arena *arena;
    struct err *err;
    struct tx *tx; /* NULL in ROUTE_WORK and ROUTE_PLAIN */
    struct caller caller;
    struct str params[ROUTE_PARAMS_MAX]; /* of the path, in order */
    const void *query;                   /* struct that route->query describes, or NULL */
    const void *body;                    /* struct that route->body describes, or NULL */
    int64_t match;                       /* version from If-Match; 0: none */
    struct str base_url;                 /* "https://cloud.example.net": for links */
    struct audit_note {
        struct str party; /* whose log; empty: the owner the access rule found */
        struct str subject;
        struct str before; /* JSON */
        struct str after;
    } note;           /* what the audit entry says; handlers fill in with call_note_* */
    struct str owner; /* the party that the access rule found */
    /* --- the answer, set by call_reply* --- */
    int status;
    const char *type;
    struct str reply_body;
    struct str location;
    struct str etag;
    struct pair headers[4];
    size_t header_count;
};

typedef enum rc (*handler_fn)(struct call *c);

/* Answer with one resource by route->reply; a field "version" becomes the ETag, and with
 * ROUTE_CREATED the field "id" completes the Location. RC_OK, or RC_TOO_LARGE. */
MUST_CHECK enum rc call_reply(struct call *c, const void *value);
/* Answer with a page of resources. */
MUST_CHECK enum rc call_reply_page(struct call *c, const struct page *page);
/* Answer 204. */
MUST_CHECK enum rc call_reply_nothing(struct call *c);
/* Answer with bytes of another media type. */
MUST_CHECK enum rc call_reply_bytes(struct call *c, int status, const char *type, struct str body);
/* One more header; name is a constant. */
void call_header(struct call *c, const char *name, struct str value);

/* What the audit entry shows: the resource before (NULL: there was none) and after (NULL: gone),
 * encoded by the route's reply schema unless schema is given. */
void call_note(struct call *c, struct str subject, const struct schema *schema, const void *before,
               const void *after);

/* For ROUTE_WORK: run fn(c) in a tx and wait. c->tx is set while fn runs. */
MUST_CHECK enum rc call_read(struct call *c, handler_fn fn);
MUST_CHECK enum rc call_write(struct call *c, handler_fn fn);

#endif
