/*
 * listen.h - open the socket that a server listens on, from the text of its address.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/err.h"

enum { LISTEN_TEXT_MAX = 128 };

struct listen_socket {
    int fd;
    bool is_unix;
    size_t text_n;
    char text[LISTEN_TEXT_MAX]; /* "127.0.0.1:43211", "[::1]:80", "unix:/path": as it was taken */
};

/* address: "127.0.0.1:8420", "[::1]:0", "unix:/path". A stale socket file, behind which nobody
 * listens, is replaced. RC_INVALID: it cannot be understood. RC_CONFLICT: somebody listens there.
 * RC_UNAVAILABLE: the system refuses. */
MUST_CHECK enum rc listen_open(struct str address, struct listen_socket *ret, struct err *err);
/* Closes, and removes the socket file. */
void listen_close(struct listen_socket *s);

#endif
