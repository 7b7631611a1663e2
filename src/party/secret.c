#include "party/secret.h"

#include <sodium.h>

enum { SECRET_BYTES = 32 };

/* libsodium wants to be woken before its first use, and once is enough. */
__attribute__((constructor)) static void wake_sodium(void)
{
    if (sodium_init() < 0)
        NEVER("libsodium does not start");
}

static struct str base64(const unsigned char bytes[SECRET_BYTES], const char *prefix,
                         struct arena *arena)
{
    char text[SECRET_N + 1];
    (void)sodium_bin2base64(text, sizeof text, bytes, SECRET_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    struct str ret = arena_fmt(arena, "%s%s", prefix, text);
    sodium_memzero(text, sizeof text);
    return ret;
}

struct str secret_new(struct tx *tx, const char *prefix)
{
    unsigned char bytes[SECRET_BYTES];
    clock_chance(tx->ids->clock, bytes, sizeof bytes);
    struct str ret = base64(bytes, prefix, tx->arena);
    sodium_memzero(bytes, sizeof bytes);
    return ret;
}

static void hash(struct str text, const char *key, unsigned char ret[SECRET_BYTES])
{
    const unsigned char *key_bytes = (const unsigned char *)key;
    if (crypto_generichash(ret, SECRET_BYTES, (const unsigned char *)text.p, text.n, key_bytes,
                           key != NULL ? strlen(key) : 0) != 0)
        NEVER("BLAKE2b with lengths that it takes");
}

struct str secret_hash(struct str secret, struct arena *arena)
{
    unsigned char bytes[SECRET_BYTES];
    char text[SECRET_HASH_N + 1];
    hash(secret, NULL, bytes);
    (void)sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    return arena_str(arena, str_n(text, SECRET_HASH_N));
}

struct str secret_derive(struct str secret, const char *purpose, struct arena *arena)
{
    unsigned char bytes[SECRET_BYTES];
    ASSERT(strlen(purpose) >= crypto_generichash_KEYBYTES_MIN);
    hash(secret, purpose, bytes);
    return base64(bytes, "", arena);
}
