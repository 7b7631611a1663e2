/* Ed25519 of libsodium behind signature.h. */
#include "profile/signature.h"

#include <inttypes.h>
#include <sodium.h>

/* The lines that are signed. No part can hold a line end. */
static struct str signed_lines(const struct signature_request *r, struct arena *arena)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)r->body.p, r->body.n);
    char hex[2 * sizeof(hash) + 1];
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    return arena_fmt(arena, "%.*s\n%.*s\n%" PRId64 "\n%.*s\n%s\n", STRF(r->method), STRF(r->target),
                     r->time, STRF(r->node), hex);
}

void signature_pair(uint8_t ret_public[SIGNATURE_PUBLIC_BYTES],
                    uint8_t ret_secret[SIGNATURE_SECRET_BYTES])
{
    crypto_sign_keypair(ret_public, ret_secret);
}

struct str signature_make(const struct signature_request *r,
                          const uint8_t secret[SIGNATURE_SECRET_BYTES], struct arena *arena)
{
    struct str lines = signed_lines(r, arena);
    uint8_t bytes[SIGNATURE_BYTES];
    crypto_sign_detached(bytes, NULL, (const unsigned char *)lines.p, lines.n, secret);
    size_t room =
        sodium_base64_encoded_len(sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_alloc(arena, room);
    sodium_bin2base64(text, room, bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return str_c(text);
}

enum rc signature_check(const struct signature_request *r, struct str signature,
                        const uint8_t key[SIGNATURE_PUBLIC_BYTES], time_us now, struct arena *arena,
                        struct err *err)
{
    int64_t off;
    if (__builtin_sub_overflow(now, r->time, &off) || off > SIGNATURE_SKEW_US ||
        off < -SIGNATURE_SKEW_US)
        return err_set(err, RC_UNAUTHENTICATED,
                       "the time of the request is more than %d seconds off: set the node's clock",
                       (int)(SIGNATURE_SKEW_US / US_PER_SECOND));
    uint8_t bytes[SIGNATURE_BYTES];
    size_t n = 0;
    if (sodium_base642bin(bytes, sizeof(bytes), signature.p, signature.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n != sizeof(bytes))
        return err_set(err, RC_UNAUTHENTICATED, "the signature cannot be read");
    struct str lines = signed_lines(r, arena);
    if (crypto_sign_verify_detached(bytes, (const unsigned char *)lines.p, lines.n, key) != 0)
        return err_set(err, RC_UNAUTHENTICATED, "the signature does not fit the request");
    return RC_OK;
}
