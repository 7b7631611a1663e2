/*
 * api.h - the public face of hansed: opens the routes over a store and answers exchanges.
 */
#ifndef API_API_H
#define API_API_H

#include "base/log.h"
#include "base/work.h"
#include "http/http.h"
#include "ledger/ledger.h"
#include "store/outbox.h"
#include "store/seal.h"
#include "store/store.h"

struct api;

struct api_options {
    struct store *store;
    struct ledger *ledger; /* of this store */
    struct outbox *outbox; /* may be NULL: no events */
    struct clock *clock;
    const struct log *log;
    struct str public_url; /* "https://cloud.example.net"; empty: from the Host header */
    struct str web_root;   /* folder of the portal's files; empty: the built-in pages */
    size_t work_threads;   /* 0: 4 */
    bool plain_cookie;     /* no __Host- and no Secure: for plain HTTP clients that insist. Browsers
                              take secure cookies on http://localhost */
    struct clock_test *test_clock; /* clock is this one; NULL: time is real */
    const struct seal *seal;       /* closes services' secrets; NULL: no services here */
    struct str images;             /* folder of images that nodes fetch; empty: none */
    struct str backups;            /* folder of backups that nodes send and fetch; empty: none */
    bool metrics_public;
    int64_t read_per_minute;  /* 0: 6000; per token, session or address */
    int64_t write_per_minute; /* 0: 1200 */
    int64_t login_per_minute; /* 0: 10, per address */
};

/* Texts of the options are copied. RC_UNAVAILABLE: the machine's cryptography cannot start. */
MUST_CHECK enum rc api_open(struct api **ret, const struct api_options *o, struct err *err);
/* For http_options.handler. */
struct http_handler api_handler(struct api *a);
/* From now on it is ready (/readyz), and the server's counters are shown in /metrics and
 * /v1/status. */
void api_serve(struct api *a, struct http_server *server);
/* After http_close and outbox_close, before store_close. NULL is fine. */
void api_close(struct api *a);

/* The OpenAPI 3.1 document, made from the table: for GET /v1/openapi.json and docs/. */
void openapi_write(struct json_writer *w, struct str server_url);

#endif
