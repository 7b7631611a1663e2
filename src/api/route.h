/*
 * route.h - the table of routes: the one truth that the server, the OpenAPI document, the command
 * line, the manual page and the tests of authorisation come from.
 *
 * The facts (this file, routes.def, route.c) need neither server nor store, so that the command
 * line links them alone. The handlers are bound to the same names in api/handlers.c.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "base/schema.h"
#include "http/http.h"
#include "party/permission.h"

enum {
    ROUTE_PARAMS_MAX = 4,
    ROUTE_SEGMENTS_MAX = 12,
    ROUTE_RAW_BYTES_MAX = 16 * 1024 * 1024, /* of a body that the handler reads itself */
};

/* How the dispatcher runs the handler. */
enum route_kind {
    ROUTE_READ,   /* in a snapshot of the store */
    ROUTE_WRITE,  /* in a tx that is durable before the answer leaves; audited; Idempotency-Key */
    ROUTE_WORK,   /* on the work pool, without a tx: may hash and wait, and calls store_* itself */
    ROUTE_STREAM, /* authorised in a snapshot, then answers piece by piece */
    ROUTE_PLAIN,  /* on the socket's thread, no store, no caller: /healthz, /v1/openapi.json */
};

/* Who may call, decided before the handler runs. */
enum route_access {
    ACCESS_PUBLIC,  /* everyone; the handler is given the caller where there is one */
    ACCESS_SELF,    /* a user, for the own things: permission_allow_self */
    ACCESS_SOME,    /* whoever holds the permission for some party; the handler filters by caller */
    ACCESS_PARTY,   /* permission_allow for the owner: the party that {party} names */
    ACCESS_SPONSOR, /* permission_allow_sponsor for the party that {party} names */
    ACCESS_OWNER,   /* permission_allow for the party that owns what {id} names (api/owner.h) */
    ACCESS_OTHER,   /* for the other side of what {id} names: who signs what was offered */
    ACCESS_NODE,    /* the node that signed the request, for itself: permission_allow_node */
    ACCESS_EITHER,  /* for the owner, or else for the other side: both read an agreement */
};

enum route_flag {
    ROUTE_NEEDS_KEY = 1,   /* Idempotency-Key is required */
    ROUTE_NEEDS_MATCH = 2, /* If-Match is required: 428 without */
    ROUTE_LIST = 4,        /* answers {items, next}; CSV by Accept */
    ROUTE_CREATED = 8,     /* answers 201 */
    ROUTE_NO_CONTENT = 16, /* answers 204 */
    ROUTE_PROVED = 32,     /* sessions: the password within SESSION_PROVED_US, else 403 */
    ROUTE_PATCH = 64,      /* the body is a merge patch */
    ROUTE_HIDDEN = 128,    /* not in OpenAPI, not in the command line: pages for browsers */
    ROUTE_LOGIN = 256,     /* counts against the login rate limit */
    ROUTE_NO_REPLAY = 512, /* an Idempotency-Key is ignored: see api/idempotency.h */
    ROUTE_QUIET = 2048,    /* no audit entry: what programs say of themselves every minute */
    ROUTE_RAW = 1024,      /* the handler reads the body itself: .takes says in which forms */
};

struct route {
    const char *operation; /* "party_get": operationId; names the handler */
    enum http_method method;
    const char *path; /* "/v1/parties/{party}" */
    enum route_kind kind;
    enum route_access access;
    enum permission permission;
    unsigned flags;
    const char *cli;            /* "party show": words of the command; NULL: none */
    const struct schema *query; /* parameters of the address */
    const struct schema *body;  /* of the request */
    const char *const *takes;   /* ROUTE_RAW: media types of the request, NULL at the end */
    const struct schema *reply; /* of the answer, or of one item of the list */
    const char *media;          /* of the answer where it is not JSON */
    const char *doc;            /* one sentence */
};

extern const struct route routes[];
extern const size_t route_count;

/* Index of each route, ROUTE_party_get. */
enum route_index {
#define ROUTE(operation, ...) ROUTE_##operation,
#include "api/routes.def"
#undef ROUTE
    ROUTE_COUNT
};

/* Names of the parameters of a path in order: "party", "id". */
size_t route_params(const struct route *r, struct str names[ROUTE_PARAMS_MAX]);
/* Index of the parameter with this name, or -1. */
int route_param(const struct route *r, struct str name);

const char *method_name(enum http_method method);

#endif
