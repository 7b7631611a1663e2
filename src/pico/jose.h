/*
 * jose.h - the arithmetic of encrypted JSON messages (RFC 7516, RFC 7518, and
 * draft-madden-jose-ecdh-1pu-04, as DIDComm Messaging 2.0 wants them): keys that two secrets give,
 * keys that carry keys, and three ways to encrypt. By nettle and libsodium; pure.
 */
#ifndef PICO_JOSE_H
#define PICO_JOSE_H

#include "base/base.h"
#include "base/str.h"

enum {
    JOSE_KEY = 32, /* bytes of keys on curves and of keys that wrap */
    JOSE_CEK_MAX = 64,
    JOSE_IV_MAX = 24,
    JOSE_TAG_MAX = 32,
    JOSE_WRAP = 8,         /* bytes that a wrapped key has more */
    JOSE_PADDING_MAX = 16, /* bytes that a ciphertext may have more */
};

enum jose_enc { JOSE_A256CBC_HS512, JOSE_XC20P, JOSE_A256GCM };

/* "A256CBC-HS512", "XC20P", "A256GCM". False: another one. */
bool jose_enc_read(struct str name, enum jose_enc *ret);
struct str jose_enc_name(enum jose_enc enc);
size_t jose_cek_bytes(enum jose_enc enc);
size_t jose_iv_bytes(enum jose_enc enc);
size_t jose_tag_bytes(enum jose_enc enc);

/* What is mixed into a key beside the secrets. */
struct jose_parties {
    struct str alg;
    struct str apu; /* bytes */
    struct str apv;
    struct str tag; /* of what is encrypted; empty where alg does not bind it */
};
/* The key that wraps: the Concat KDF of NIST SP 800-56A with SHA-256. */
void jose_derive(struct str secrets, const struct jose_parties *p, uint8_t ret[JOSE_KEY]);

/* RFC 3394. n: a multiple of 8, at most JOSE_CEK_MAX; the wrapped key has JOSE_WRAP more. */
void jose_wrap(const uint8_t kek[JOSE_KEY], const uint8_t *key, size_t n, uint8_t *ret);
/* False: it was not wrapped with that key. */
bool jose_unwrap(const uint8_t kek[JOSE_KEY], const uint8_t *wrapped, size_t n, uint8_t *ret);

struct jose_seal {
    enum jose_enc enc;
    const uint8_t *cek;
    const uint8_t *iv;
    struct str aad; /* what is authenticated beside the text */
};
/* ret: room for text.n + JOSE_PADDING_MAX; how many were written. */
size_t jose_encrypt(const struct jose_seal *s, struct str text, uint8_t *ret,
                    uint8_t ret_tag[JOSE_TAG_MAX]);
/* ret: room for cipher.n. False: the tag is of something else. */
bool jose_decrypt(const struct jose_seal *s, struct str cipher, const uint8_t *tag, uint8_t *ret,
                  size_t *ret_n);

#endif
