/*
 * sha1.h - HMAC-SHA-1, for the one place that still asks for it: TOTP as every authenticator
 * understands it (RFC 6238). For nothing else: SHA-1 alone no longer resists collisions; inside
 * HMAC it does its work (RFC 6194, 3.3). libsodium does not have it.
 */
#ifndef PARTY_SHA1_H
#define PARTY_SHA1_H

#include "base/str.h"

enum { SHA1_N = 20 };

/* RFC 3174. */
void sha1(struct str text, unsigned char ret[SHA1_N]);
/* RFC 2104. The key has at most 64 bytes, text at most SHA1_HMAC_TEXT_MAX. */
enum { SHA1_HMAC_TEXT_MAX = 64 };
void sha1_hmac(struct str key, struct str text, unsigned char ret[SHA1_N]);

#endif
