/*
 * idempotency.h - a repeated request has its effect once:
 * draft-ietf-httpapi-idempotency-key-header-07.
 *
 * A request that changes something may carry an Idempotency-Key of 1..200 printable characters. Its
 * answer is kept, in the same unit of work as its effect, for IDEMPOTENCY_KEEP_US. The same key
 * from the same caller with the same method, address and body is answered from there, with the
 * header Idempotent-Replayed: true; with another request it is refused (RC_INVALID).
 *
 * A request that failed left nothing behind, so nothing is kept of it either, whatever its status:
 * its repeat is a first try. Two at the same time: the second waits for the first one's commit,
 * inside the batch or in the engine's serialisation, and is then answered from the table.
 *
 * Answers hold secrets (a new token, an invitation's link) and requests hold passwords. Both are
 * kept so that only who repeats the request can read them: from the caller's own secret, the key
 * and the whole request, BLAKE2b makes 64 bytes; the first half is stored to recognise the
 * request, the second half seals the answer (XSalsa20-Poly1305). The store never sees the caller's
 * secret, so neither the body can be guessed from the hash nor the answer be read from a stolen
 * copy. For callers without a secret of their own (an invitation is accepted) the token in the
 * body takes its place. A login has nothing but a password that might be guessed from the hash:
 * its key is ignored (ROUTE_NO_REPLAY), and a repeat is one more session.
 */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "base/err.h"
#include "store/store.h"

#define IDEMPOTENCY_KEEP_US (24 * US_PER_HOUR)
enum { IDEMPOTENCY_KEY_MAX = 200, IDEMPOTENCY_HASH = 32, IDEMPOTENCY_SEAL = 32 };

struct request;

struct idempotency {
    struct str key; /* empty: none was given */
    bool ready;     /* the hashes are there */
    unsigned char hash[IDEMPOTENCY_HASH];
    unsigned char seal[IDEMPOTENCY_SEAL];
};

/* Take the header. RC_SYNTAX: not 1..200 printable characters. RC_INVALID: the route wants one. */
MUST_CHECK enum rc idempotency_read(struct request *r);
/* Look for an answer that was kept, and take it over: then r->replayed. RC_INVALID: the key was
 * used with another request. The caller is known. */
MUST_CHECK enum rc idempotency_find(struct request *r, struct tx *tx);
/* Keep the answer. */
MUST_CHECK enum rc idempotency_keep(struct request *r, struct tx *tx);

#endif
