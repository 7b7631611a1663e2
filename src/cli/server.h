/*
 * server.h - the server that a command talks to, and one call to it.
 *
 * Which server: --server, else HANSE_URL, else that of the profile (--profile, HANSE_PROFILE, or
 * the current one), else CLI_URL_DEFAULT. Which token: HANSE_TOKEN_FILE, else that of the profile.
 * The token of a profile goes to that profile's server and to no other, whatever else was said.
 *
 * Everything that changes something carries an Idempotency-Key that is kept over the repetitions
 * of the call, so that a lost answer never does a thing twice.
 */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "cli/command.h"
#include "cli/profile.h"

enum { SERVER_URL_MAX = 1000, SERVER_RETRIES_MAX = 3 };

struct server {
    struct run *run;
    struct str url;         /* without '/' at the end */
    struct profile profile; /* name empty: none is in use */
    struct str token;       /* empty: not logged in */
};

struct ask {
    enum http_method method;
    struct str path;   /* "/v1/parties?limit=10", encoded */
    struct str body;   /* JSON, unless type says otherwise; empty: none */
    const char *type;  /* Content-Type; NULL: JSON */
    struct str match;  /* If-Match; empty: none */
    struct str cookie; /* instead of the token: during login */
    struct str csrf;   /* with the cookie */
    bool csv;          /* ask for CSV instead of JSON */
    bool anonymous;    /* send no token, even where there is one */
    bool once;         /* never repeat: the server could not tell a repetition */
};

/* RC_INVALID, RC_NOT_FOUND: the profile, the address or the token file is wrong. */
MUST_CHECK enum rc server_open(struct run *run, struct server *ret);

/* RC_OK: the status is below 300. Redirections are not followed, as the token must not go where the
 * user did not say: RC_REMOTE. Else the server's problem is in run->err and run->more.
 * RC_UNAVAILABLE, RC_TIMEOUT: no answer after SERVER_RETRIES_MAX repetitions. */
MUST_CHECK enum rc server_call(const struct server *s, const struct ask *ask,
                               struct wire_reply *ret);
/* The same where the answer must be JSON: RC_REMOTE otherwise. *ret is NULL for 204. */
MUST_CHECK enum rc server_json(const struct server *s, const struct ask *ask,
                               const struct json **ret);

/* Say in run->err what could not be reached, and below it what to look at. */
void server_explain(const struct server *s, struct err *err);
/* The headers that every request has; returns how many. */
size_t server_headers(const struct server *s, const struct ask *ask, struct pair *headers);

/* An address as people type it: "cloud.example.net" gives "https://cloud.example.net", names of
 * this machine give http. RC_INVALID. */
MUST_CHECK enum rc server_url(struct str typed, struct arena *arena, struct str *ret,
                              struct err *err);
/* Whether the address is of this machine. */
bool server_is_local(struct str url);
/* Whether passwords sent there can be read on the way: http to another machine. */
bool server_is_open(struct str url);

/* Append s percent-encoded (RFC 3986: all but the unreserved characters). */
void server_encode(struct buf *b, struct str s);

#endif
