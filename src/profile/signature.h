/*
 * signature.h - how an agent signs what it sends: Ed25519 (libsodium) over the request.
 *
 * Signed are the lines "METHOD", target (path and query), time (microseconds since 1970, decimal),
 * node id, SHA-256 of the body in hexadecimal, each ended by '\n'. Headers of a request:
 *
 *     Hanse-Node: nod_...      Hanse-Time: 1790000000000000      Hanse-Signature: base64url
 *
 * The receiver refuses a time more than SIGNATURE_SKEW_US away from its own. A request heard by a
 * stranger could be sent again within that time: so all that nodes send bears a repeat (reports
 * carry their own order, usage records are taken once).
 */
#ifndef PROFILE_SIGNATURE_H
#define PROFILE_SIGNATURE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

#define SIGNATURE_SKEW_US (300 * US_PER_SECOND)
enum { SIGNATURE_PUBLIC_BYTES = 32, SIGNATURE_SECRET_BYTES = 64, SIGNATURE_BYTES = 64 };

struct signature_request {
    struct str method;
    struct str target;
    struct str node;
    time_us time;
    struct str body;
};

/* A new pair; the secret never leaves the node. */
void signature_pair(uint8_t ret_public[SIGNATURE_PUBLIC_BYTES],
                    uint8_t ret_secret[SIGNATURE_SECRET_BYTES]);
/* Base64url in the arena. */
struct str signature_make(const struct signature_request *r,
                          const uint8_t secret[SIGNATURE_SECRET_BYTES], struct arena *arena);
/* RC_UNAUTHENTICATED: it does not fit, or the time is too far off. */
MUST_CHECK enum rc signature_check(const struct signature_request *r, struct str signature,
                                   const uint8_t key[SIGNATURE_PUBLIC_BYTES], time_us now,
                                   struct arena *arena, struct err *err);

#endif
