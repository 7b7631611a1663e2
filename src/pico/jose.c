#include "pico/jose.h"

#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/gcm.h>
#include <nettle/nist-keywrap.h>
#include <sodium.h>

enum { HALF = 32 }; /* of the key of A256CBC-HS512: first that of the tag */

static const struct {
    const char *name;
    size_t cek, iv, tag;
} encs[] = {
    [JOSE_A256CBC_HS512] = {"A256CBC-HS512", 2 * HALF, AES_BLOCK_SIZE, HALF},
    [JOSE_XC20P] = {"XC20P", crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
                    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                    crypto_aead_xchacha20poly1305_ietf_ABYTES},
    [JOSE_A256GCM] = {"A256GCM", AES256_KEY_SIZE, GCM_IV_SIZE, GCM_DIGEST_SIZE},
};

bool jose_enc_read(struct str name, enum jose_enc *ret)
{
    for (size_t i = 0; i < COUNT(encs); i++)
        if (str_eq(name, str_c(encs[i].name))) {
            *ret = (enum jose_enc)i;
            return true;
        }
    return false;
}

struct str jose_enc_name(enum jose_enc enc)
{
    return str_c(encs[enc].name);
}

size_t jose_cek_bytes(enum jose_enc enc)
{
    return encs[enc].cek;
}

size_t jose_iv_bytes(enum jose_enc enc)
{
    return encs[enc].iv;
}

size_t jose_tag_bytes(enum jose_enc enc)
{
    return encs[enc].tag;
}

/* --- keys --- */

static void put_u32(crypto_hash_sha256_state *state, uint32_t n)
{
    const uint8_t bytes[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                              (uint8_t)n};
    (void)crypto_hash_sha256_update(state, bytes, sizeof bytes); /* always 0, as all of them */
}

static void put_sized(crypto_hash_sha256_state *state, struct str s)
{
    put_u32(state, (uint32_t)s.n);
    (void)crypto_hash_sha256_update(state, (const uint8_t *)s.p, s.n);
}

void jose_derive(struct str secrets, const struct jose_parties *p, uint8_t ret[JOSE_KEY])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    put_u32(&state, 1); /* the first and only round */
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)secrets.p, secrets.n);
    put_sized(&state, p->alg);
    put_sized(&state, p->apu);
    put_sized(&state, p->apv);
    put_u32(&state, 8 * JOSE_KEY);
    if (p->tag.n > 0)
        put_sized(&state, p->tag);
    (void)crypto_hash_sha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

static const uint8_t wrap_iv[JOSE_WRAP] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};

void jose_wrap(const uint8_t kek[JOSE_KEY], const uint8_t *key, size_t n, uint8_t *ret)
{
    struct aes256_ctx aes;
    ASSERT(n % JOSE_WRAP == 0 && n >= 2 * JOSE_WRAP && n <= JOSE_CEK_MAX);
    aes256_set_encrypt_key(&aes, kek);
    aes256_keywrap(&aes, wrap_iv, n + JOSE_WRAP, ret, key);
    sodium_memzero(&aes, sizeof aes);
}

bool jose_unwrap(const uint8_t kek[JOSE_KEY], const uint8_t *wrapped, size_t n, uint8_t *ret)
{
    struct aes256_ctx aes;
    ASSERT(n % JOSE_WRAP == 0 && n >= 2 * JOSE_WRAP && n <= JOSE_CEK_MAX);
    aes256_set_decrypt_key(&aes, kek);
    bool good = aes256_keyunwrap(&aes, wrap_iv, n, ret, wrapped) == 1;
    sodium_memzero(&aes, sizeof aes);
    return good;
}

/* --- A256CBC-HS512: RFC 7518, 5.2 --- */

static void cbc_tag(const struct jose_seal *s, struct str cipher, uint8_t ret[JOSE_TAG_MAX])
{
    crypto_auth_hmacsha512_state state;
    uint8_t whole[crypto_auth_hmacsha512_BYTES];
    uint8_t bits[8];
    uint64_t n = (uint64_t)s->aad.n * 8;
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)(n >> (8 * (sizeof bits - 1 - i)));
    (void)crypto_auth_hmacsha512_init(&state, s->cek, HALF); /* always 0, as all of them */
    (void)crypto_auth_hmacsha512_update(&state, (const uint8_t *)s->aad.p, s->aad.n);
    (void)crypto_auth_hmacsha512_update(&state, s->iv, AES_BLOCK_SIZE);
    (void)crypto_auth_hmacsha512_update(&state, (const uint8_t *)cipher.p, cipher.n);
    (void)crypto_auth_hmacsha512_update(&state, bits, sizeof bits);
    (void)crypto_auth_hmacsha512_final(&state, whole);
    memcpy(ret, whole, HALF);
}

static size_t cbc_seal(const struct jose_seal *s, struct str text, uint8_t *ret,
                       uint8_t ret_tag[JOSE_TAG_MAX])
{
    struct CBC_CTX(struct aes256_ctx, AES_BLOCK_SIZE) cbc;
    size_t padding = AES_BLOCK_SIZE - text.n % AES_BLOCK_SIZE;
    size_t n = text.n + padding;
    memmove(ret, text.p, text.n);
    memset(ret + text.n, (int)padding, padding);
    aes256_set_encrypt_key(&cbc.ctx, s->cek + HALF);
    CBC_SET_IV(&cbc, s->iv);
    CBC_ENCRYPT(&cbc, aes256_encrypt, n, ret, ret);
    sodium_memzero(&cbc, sizeof cbc);
    cbc_tag(s, str_n((const char *)ret, n), ret_tag);
    return n;
}

static bool cbc_open(const struct jose_seal *s, struct str cipher, const uint8_t *tag, uint8_t *ret,
                     size_t *ret_n)
{
    struct CBC_CTX(struct aes256_ctx, AES_BLOCK_SIZE) cbc;
    uint8_t mine[JOSE_TAG_MAX];
    cbc_tag(s, cipher, mine);
    if (sodium_memcmp(mine, tag, HALF) != 0 || cipher.n == 0 || cipher.n % AES_BLOCK_SIZE != 0)
        return false;
    aes256_set_decrypt_key(&cbc.ctx, s->cek + HALF);
    CBC_SET_IV(&cbc, s->iv);
    CBC_DECRYPT(&cbc, aes256_decrypt, cipher.n, ret, (const uint8_t *)cipher.p);
    sodium_memzero(&cbc, sizeof cbc);
    size_t padding = ret[cipher.n - 1];
    if (padding == 0 || padding > AES_BLOCK_SIZE)
        return false;
    *ret_n = cipher.n - padding;
    return true;
}

/* --- A256GCM --- */

static void gcm_start(struct gcm_aes256_ctx *gcm, const struct jose_seal *s)
{
    gcm_aes256_set_key(gcm, s->cek);
    gcm_aes256_set_iv(gcm, GCM_IV_SIZE, s->iv);
    gcm_aes256_update(gcm, s->aad.n, (const uint8_t *)s->aad.p);
}

static void gcm_seal(const struct jose_seal *s, struct str text, uint8_t *ret,
                     uint8_t ret_tag[JOSE_TAG_MAX])
{
    struct gcm_aes256_ctx gcm;
    gcm_start(&gcm, s);
    gcm_aes256_encrypt(&gcm, text.n, ret, (const uint8_t *)text.p);
    gcm_aes256_digest(&gcm, GCM_DIGEST_SIZE, ret_tag);
    sodium_memzero(&gcm, sizeof gcm);
}

static bool gcm_open(const struct jose_seal *s, struct str cipher, const uint8_t *tag, uint8_t *ret)
{
    struct gcm_aes256_ctx gcm;
    uint8_t mine[GCM_DIGEST_SIZE];
    gcm_start(&gcm, s);
    gcm_aes256_decrypt(&gcm, cipher.n, ret, (const uint8_t *)cipher.p);
    gcm_aes256_digest(&gcm, sizeof mine, mine);
    sodium_memzero(&gcm, sizeof gcm);
    return sodium_memcmp(mine, tag, sizeof mine) == 0;
}

/* --- all three --- */

size_t jose_encrypt(const struct jose_seal *s, struct str text, uint8_t *ret,
                    uint8_t ret_tag[JOSE_TAG_MAX])
{
    switch (s->enc) {
    case JOSE_A256CBC_HS512:
        return cbc_seal(s, text, ret, ret_tag);
    case JOSE_XC20P:
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
            ret, ret_tag, NULL, (const uint8_t *)text.p, text.n, (const uint8_t *)s->aad.p,
            s->aad.n, NULL, s->iv, s->cek); /* always 0 */
        return text.n;
    case JOSE_A256GCM:
        gcm_seal(s, text, ret, ret_tag);
        return text.n;
    }
    NEVER("no such encryption");
}

bool jose_decrypt(const struct jose_seal *s, struct str cipher, const uint8_t *tag, uint8_t *ret,
                  size_t *ret_n)
{
    bool good = false;
    switch (s->enc) {
    case JOSE_A256CBC_HS512:
        return cbc_open(s, cipher, tag, ret, ret_n);
    case JOSE_XC20P:
        good = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
                   ret, NULL, (const uint8_t *)cipher.p, cipher.n, tag, (const uint8_t *)s->aad.p,
                   s->aad.n, s->iv, s->cek) == 0;
        break;
    case JOSE_A256GCM:
        good = gcm_open(s, cipher, tag, ret);
        break;
    }
    if (good)
        *ret_n = cipher.n;
    return good;
}
