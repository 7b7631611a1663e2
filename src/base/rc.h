/*
 * rc.h - how a call ended: one table of result codes for the whole house.
 *
 * Each code has the HTTP status that the API answers and the exit code that the command line
 * ends with. The text of a failure is in struct err (err.h); the code is what programs act on.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

#include "base/base.h"

/*   name             http exit  slug                    title (RFC 9457 "title") */
#define RC_TABLE(X)                                                                         \
    X(RC_OK, 200, 0, "ok", "Done")                                                          \
    X(RC_SYNTAX, 400, 2, "syntax", "The request cannot be read")                            \
    X(RC_UNAUTHENTICATED, 401, 4, "unauthenticated", "Log in first")                        \
    X(RC_FORBIDDEN, 403, 4, "forbidden", "You may not do this")                             \
    X(RC_NOT_FOUND, 404, 5, "not-found", "There is no such thing")                          \
    X(RC_METHOD, 405, 2, "method-not-allowed", "This address does not answer that method")  \
    X(RC_NOT_ACCEPTABLE, 406, 2, "not-acceptable", "No form of the answer that you accept") \
    X(RC_TIMEOUT, 408, 7, "timeout", "It took too long")                                    \
    X(RC_CONFLICT, 409, 6, "conflict", "It does not fit the present state")                 \
    X(RC_GONE, 410, 5, "gone", "It was here and is no more")                                \
    X(RC_CHANGED, 412, 6, "changed", "It was changed since you read it")                    \
    X(RC_TOO_LARGE, 413, 2, "too-large", "It is larger than allowed")                       \
    X(RC_MEDIA_TYPE, 415, 2, "media-type", "This kind of content is not taken here")        \
    X(RC_RANGE, 416, 2, "range", "That part of it does not exist")                          \
    X(RC_MISDIRECTED, 421, 2, "misdirected", "No brand answers at this host name")          \
    X(RC_INVALID, 422, 3, "invalid", "A value breaks a rule")                               \
    X(RC_CLOSED, 423, 6, "closed", "The period is closed")                                  \
    X(RC_NEED_MATCH, 428, 6, "if-match-required", "Say which version you change")           \
    X(RC_TOO_MANY, 429, 8, "too-many", "Too many requests")                                 \
    X(RC_INTERNAL, 500, 70, "internal", "Something broke on our side")                      \
    X(RC_UNSUPPORTED, 501, 3, "unsupported", "This is not offered here")                    \
    X(RC_REMOTE, 502, 7, "remote", "Another system did not answer as it should")            \
    X(RC_UNAVAILABLE, 503, 7, "unavailable", "Not available at this moment")                \
    X(RC_FULL, 507, 9, "storage-full", "The disk is full")                                  \
    X(RC_RETRY, 503, 7, "retry", "Try again")

enum rc {
#define X(name, http, exit, slug, title) name,
    RC_TABLE(X)
#undef X
        RC_COUNT
};

/* HTTP status, 200..599. */
int rc_http(enum rc rc);
/* Exit code of the command line, 0..127. */
int rc_exit(enum rc rc);
/* Stable word for problem types, logs and metrics: "not-found". */
const char *rc_slug(enum rc rc);
/* One sentence without a full stop, for people. */
const char *rc_title(enum rc rc);
/* The code for an HTTP status from a server; unknown 4xx give RC_SYNTAX, 5xx RC_REMOTE, and
 * 2xx and 3xx RC_OK. */
enum rc rc_from_http(int status);

#endif
