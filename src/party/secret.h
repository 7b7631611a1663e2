/*
 * secret.h - secrets that are given out once and of which only a hash is kept.
 *
 * A secret is 256 bits of the clock's chance as 43 characters of base64url, which nobody can guess
 * or try through; so a plain fast hash (BLAKE2b-256, RFC 7693) is enough to keep, and looking it
 * up is one index access. Passwords are another matter (password.c).
 */
#ifndef PARTY_SECRET_H
#define PARTY_SECRET_H

#include "store/store.h"

enum { SECRET_N = 43, SECRET_HASH_N = 64 };

/* prefix and then 43 characters, in the tx's arena. */
struct str secret_new(struct tx *tx, const char *prefix);
/* BLAKE2b-256 as 64 hex digits. */
struct str secret_hash(struct str secret, struct arena *arena);
/* Another secret that follows from this one and from the purpose, and does not tell it. */
struct str secret_derive(struct str secret, const char *purpose, struct arena *arena);

#endif
