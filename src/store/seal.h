/*
 * seal.h - what the store keeps of secrets: closed with the installation's key (libsodium's
 * secretbox, XSalsa20 and Poly1305), so that a copy of the store opens no service.
 *
 * The key is 32 bytes in a file of its own, made at the first start. Without it the sealed things
 * are lost: keep it beside the backups, not in them.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/store.h"

enum { SEAL_KEY_BYTES = 32 };

struct seal {
    uint8_t key[SEAL_KEY_BYTES];
};

/* Read the key, or make it where the file is not there. RC_FORBIDDEN, RC_INVALID (another length,
 * or others may read it), RC_FULL. */
MUST_CHECK enum rc seal_open(struct seal *ret, const char *path, struct err *err);
/* Closed bytes in the tx's arena; the nonce is of the tx's chance and stands in front. */
struct str seal_close(const struct seal *s, struct tx *tx, struct str plain);
/* RC_INTERNAL: not closed with this key, or changed since. */
MUST_CHECK enum rc seal_read(const struct seal *s, struct str closed, struct arena *arena,
                             struct str *ret, struct err *err);

#endif
