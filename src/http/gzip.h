/*
 * gzip.h - smaller replies for clients that take gzip.
 */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "http/http.h"

/* Whether an Accept-Encoding header takes gzip, by its q values (RFC 9110, 12.5.3). */
bool gzip_is_accepted(struct str accept_encoding);
/* Whether a media type becomes smaller: text, JSON, XML, JavaScript, SVG. */
bool gzip_is_worth(struct str type);

/* Compress the reply of x where the client takes it and it helps: bodies from HTTP_GZIP_FROM_BYTES
 * of a type that is worth it, not already encoded, no ranges. Adds Vary in every case in which
 * another client would get another form. The ETag stays: it names the version of the resource, and
 * If-Match must find it again whatever the client accepts. */
void gzip_reply(struct http_exchange *x);
/* Free the compressors that a server keeps for reuse. */
struct http_server;
void gzip_free_all(struct http_server *s);

#endif
