/*
 * framing.h - where a request ends, decided in one way or not at all (RFC 9112, 6).
 *
 * libmicrohttpd 0.9.75 takes the first Content-Length of two, and reads a request with both
 * Content-Length and Transfer-Encoding by one of them; a proxy in front may choose the other, and
 * then the rest of a body is read as a request of somebody else (specs/platform.md 1, the probe).
 * So the headers are walked before anything is believed, and every doubt is refused.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include "base/err.h"
#include "base/schema.h"

struct framing {
    bool chunked;
    bool expects_continue; /* the client waits for "100 Continue" before it sends the body */
    uint64_t length;       /* of the body; 0 where chunked or none */
    struct str host;
};

/* RC_SYNTAX: a name that is no token, a value with control characters, Content-Length twice, with
 * Transfer-Encoding, or no plain number; Transfer-Encoding twice, other than "chunked", or under
 * HTTP/1.0; Host twice, missing under HTTP/1.1, or with bytes that no host has; an Expect other
 * than "100-continue". Values are as they were sent: a space at the end of a length or an encoding
 * is refused, as libmicrohttpd does not cut it. RC_UNSUPPORTED: a version that is neither HTTP/1.1
 * nor HTTP/1.0. */
MUST_CHECK enum rc framing_check(struct str version, const struct pair *headers, size_t count,
                                 struct framing *ret, struct err *err);

/* The lines of a head as libmicrohttpd 0.9.75 left them in its read buffer: it puts NULs over the
 * line ends and hands out pointers into the buffer, so the gaps between them tell what it hides:
 * a bare LF as line end, a NUL inside a value (which it takes for the end), a folded line (which
 * it glues to the *name* of its header), a line without a name (which it drops). target is the
 * target as it was handed to us, unchanged in place up to its NUL when target_n was taken.
 * RC_SYNTAX where two lines are not exactly a CRLF apart. */
MUST_CHECK enum rc framing_check_layout(const char *target, size_t target_n, const char *version,
                                        const struct pair *headers, size_t count, struct err *err);

/* Whether s is a token (RFC 9110, 5.6.2): a header's name, a method. */
bool framing_is_token(struct str s);
/* No control characters but tab. */
bool framing_is_value(struct str s);

#endif
