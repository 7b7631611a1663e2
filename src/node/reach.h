/*
 * reach.h - whether something answers at an address, and for how long its certificate is good.
 */
#ifndef NODE_REACH_H
#define NODE_REACH_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

#include <sys/socket.h>

/* Whether a connection can be made within wait_ms; it is closed again. */
bool reach_connects(const struct sockaddr *to, socklen_t n, int64_t wait_ms);

/* When the certificate that a port shows ends. at: "192.0.2.1:443" or "[2001:db8::1]:443"; name:
 * what it is asked for (SNI), or empty. By two calls of openssl(1). RC_UNAVAILABLE: none is shown,
 * or one whose end cannot be read. RC_TIMEOUT. */
MUST_CHECK enum rc reach_certificate(struct str at, struct str name, int64_t wait_ms,
                                     struct arena *arena, time_us *ret_end, struct err *err);

#endif
