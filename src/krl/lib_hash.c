/*
 * math:hash and math:hmac, on nettle. Of the algorithms that Node.js lists, those under their plain
 * names: without the aliases ("RSA-SHA256"), BLAKE2, SM3 and SHAKE.
 */
#include "krl/lib.h"

#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>

enum { DIGEST_MAX = 64, CONTEXT_MAX = 512, BYTES_A_STEP = 8 };

static const struct {
    const char *name;
    const struct nettle_hash *hash;
} algorithms[] = {
    {"md5", &nettle_md5},
    {"ripemd160", &nettle_ripemd160},
    {"sha1", &nettle_sha1},
    {"sha224", &nettle_sha224},
    {"sha256", &nettle_sha256},
    {"sha3-224", &nettle_sha3_224},
    {"sha3-256", &nettle_sha3_256},
    {"sha3-384", &nettle_sha3_384},
    {"sha3-512", &nettle_sha3_512},
    {"sha384", &nettle_sha384},
    {"sha512", &nettle_sha512},
    {"sha512-224", &nettle_sha512_224},
    {"sha512-256", &nettle_sha512_256},
};

union context {
    max_align_t align;
    unsigned char bytes[CONTEXT_MAX];
};

struct krl_value krl_hash_algorithms(struct krl_heap *h)
{
    struct krl_array *a = krl_array_reserve(h, COUNT(algorithms));
    for (size_t i = 0; i < COUNT(algorithms) && a != NULL; i++)
        if (!krl_array_add(h, a, krl_ascii(h, algorithms[i].name)))
            return krl_failed();
    return krl_of_array(a);
}

/* NULL: an error. */
static const struct nettle_hash *find(struct krl_machine *m, const char *function,
                                      struct krl_value name)
{
    struct krl_heap *h = &m->heap;
    for (size_t i = 0; i < COUNT(algorithms) && name.type == KRL_TEXT; i++)
        if (krl_text_is(name.text, algorithms[i].name))
            return algorithms[i].hash;
    struct str shown = krl_to_message(h, name);
    if (name.type == KRL_TEXT)
        krl_fail(h, RC_INVALID, "Error: math:%s doesn't recognize the hash algorithm %.*s",
                 function, STRF(shown));
    else
        krl_fail(h, RC_INVALID, "TypeError: math:%s was given %.*s instead of a algorithm string",
                 function, STRF(shown));
    return NULL;
}

/* The bytes of a value's text; p is NULL: an error. */
static struct str bytes_of(struct krl_machine *m, struct krl_value v)
{
    const struct krl_text *t = krl_to_text(&m->heap, v);
    struct str s = {NULL, 0};
    if (t == NULL || !krl_pay(&m->heap, t->n / BYTES_A_STEP))
        return s;
    s = krl_text_utf8(&m->heap, t, false);
    return s.n == 0 && !krl_failing(&m->heap) ? STR("") : s;
}

static struct krl_value encoded(struct krl_machine *m, const char *function,
                                struct krl_value encoding, struct str digest)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * DIGEST_MAX];
    if (krl_truthy(encoding) && encoding.type == KRL_TEXT && krl_text_is(encoding.text, "base64"))
        return krl_base64(&m->heap, digest);
    if (krl_truthy(encoding) && (encoding.type != KRL_TEXT || !krl_text_is(encoding.text, "hex"))) {
        krl_fail(&m->heap, RC_INVALID,
                 "Error: math:%s encoding must be \"hex\" or \"base64\" but was %.*s", function,
                 STRF(krl_to_message(&m->heap, encoding)));
        return krl_failed();
    }
    for (size_t i = 0; i < digest.n; i++) {
        hex[2 * i] = digits[(uint8_t)digest.p[i] >> 4];
        hex[2 * i + 1] = digits[(uint8_t)digest.p[i] & 15];
    }
    return krl_of_text(krl_text(&m->heap, str_n(hex, 2 * digest.n)));
}

struct krl_value lib_hash(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    const struct nettle_hash *hash = find(m, "hash", krl_arg(args, n, 0));
    struct str s = hash == NULL ? (struct str){NULL, 0} : bytes_of(m, krl_arg(args, n, 1));
    union context context;
    uint8_t digest[DIGEST_MAX];
    if (s.p == NULL)
        return krl_failed();
    ASSERT(hash->context_size <= sizeof context && hash->digest_size <= sizeof digest);
    hash->init(&context);
    hash->update(&context, s.n, (const uint8_t *)s.p);
    hash->digest(&context, hash->digest_size, digest);
    return encoded(m, "hash", krl_arg(args, n, 2), str_n((const char *)digest, hash->digest_size));
}

struct krl_value lib_hmac(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    union context outer;
    union context inner;
    union context state;
    uint8_t digest[DIGEST_MAX];
    if (krl_arg(args, n, 1).type != KRL_TEXT) {
        krl_fail(&m->heap, RC_INVALID, "Error: math:hmac needs a key string");
        return krl_failed();
    }
    const struct nettle_hash *hash = find(m, "hmac", krl_arg(args, n, 0));
    struct str key = hash == NULL ? (struct str){NULL, 0} : bytes_of(m, args[1]);
    struct str s = key.p == NULL ? key : bytes_of(m, krl_arg(args, n, 2));
    if (s.p == NULL)
        return krl_failed();
    ASSERT(hash->context_size <= sizeof outer && hash->digest_size <= sizeof digest);
    hmac_set_key(&outer, &inner, &state, hash, key.n, (const uint8_t *)key.p);
    hmac_update(&state, hash, s.n, (const uint8_t *)s.p);
    hmac_digest(&outer, &inner, &state, hash, hash->digest_size, digest);
    return encoded(m, "hmac", krl_arg(args, n, 3), str_n((const char *)digest, hash->digest_size));
}
