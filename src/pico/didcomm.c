#include "pico/didcomm.h"

#include "krl/lib.h"
#include "pico/encoded.h"

#include <sodium.h>

enum { STEPS_CURVE = 2000, HASH = crypto_hash_sha256_BYTES, SIGNATURE = crypto_sign_BYTES };

#define TYP_PLAIN     "application/didcomm-plain+json"
#define TYP_SIGNED    "application/didcomm-signed+json"
#define TYP_ENCRYPTED "application/didcomm-encrypted+json"
#define ALG_AUTH      "ECDH-1PU+A256KW"
#define ALG_ANON      "ECDH-ES+A256KW"

static bool refuse(struct didcomm *d, const char *why)
{
    d->why = why;
    return false;
}

/* What a call that refused gives back. */
static struct krl_value refused(const struct didcomm *d)
{
    return krl_failing(&d->known.a->m.heap) ? krl_failed() : krl_null();
}

static struct str bytes_of(const uint8_t *bytes, size_t n)
{
    return str_n((const char *)bytes, n);
}

static bool has(struct krl_value map, const char *key)
{
    return !krl_is_null(encoded_field(map, key));
}

/* A map as JSON in base64. */
static struct str encode(struct activation *a, struct krl_map *m)
{
    return base64_of(a, activation_json(a, krl_of_map(m)), false);
}

/* The other way; KRL_FAILED where it is no map. */
static struct krl_value decode(struct activation *a, struct str text)
{
    struct str json;
    if (!base64_read(a, text, &json))
        return krl_failed();
    struct krl_value v = encoded_json(a, json);
    return v.type == KRL_MAP ? v : krl_failed();
}

/* --- signatures --- */

static bool sign(struct didcomm *d, struct str kid, struct str text, uint8_t ret[SIGNATURE])
{
    uint8_t seed[JOSE_KEY];
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    if (!krl_pay(&d->known.a->m.heap, 2 * STEPS_CURVE) ||
        !did_secret(&d->known, kid, DID_SIGNS, seed))
        return refuse(d, "there is no secret to sign with");
    (void)crypto_sign_seed_keypair(public, secret, seed); /* always 0, as the next one */
    (void)crypto_sign_detached(ret, NULL, (const uint8_t *)text.p, text.n, secret);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(seed, sizeof seed);
    return true;
}

static bool verify(struct didcomm *d, struct str kid, struct str text, struct str signature)
{
    uint8_t public[JOSE_KEY];
    if (!krl_pay(&d->known.a->m.heap, 2 * STEPS_CURVE) ||
        !did_public(&d->known, kid, DID_SIGNS, public))
        return refuse(d, "the key of the signature is not known");
    if (signature.n != SIGNATURE ||
        crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)text.p, text.n,
                                    public) != 0)
        return refuse(d, "the signature is of something else");
    return true;
}

/* The first key of the DID for which there is a secret. */
static bool own_kid(struct didcomm *d, struct str did, enum did_use use, struct str *ret)
{
    struct str kids[DID_KEYS_MAX];
    uint8_t secret[JOSE_KEY];
    size_t n = did_kids(&d->known, did, use, kids);
    for (size_t i = 0; i < n; i++)
        if (did_secret(&d->known, kids[i], use, secret)) {
            sodium_memzero(secret, sizeof secret);
            *ret = kids[i];
            return true;
        }
    return refuse(d, "the sender has no secret here");
}

struct krl_value didcomm_prior(struct didcomm *d, struct krl_value claims)
{
    struct activation *a = d->known.a;
    struct krl_map *head = krl_map_new(&a->m.heap, 4);
    struct str kid;
    uint8_t signature[SIGNATURE];
    if (claims.type != KRL_MAP || head == NULL ||
        !own_kid(d, encoded_text(a, claims, "iss"), DID_SIGNS, &kid) ||
        !encoded_put(a, head, "typ", STR("JWT")) || !encoded_put(a, head, "alg", STR("EdDSA")) ||
        !encoded_put(a, head, "kid", kid))
        return refused(d);
    struct str json = activation_json(a, claims);
    struct str text = arena_fmt(a->arena_own, "%.*s.%.*s", STRF(encode(a, head)),
                                STRF(base64_of(a, json, false)));
    if (!sign(d, kid, text, signature))
        return refused(d);
    struct str last = base64_of(a, bytes_of(signature, sizeof signature), false);
    return value_of(a, arena_fmt(a->arena_own, "%.*s.%.*s", STRF(text), STRF(last)));
}

/* --- packing --- */

static bool texts_or_none(struct krl_value map, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++)
        if (has(map, keys[i]) && encoded_field(map, keys[i]).type != KRL_TEXT)
            return false;
    return true;
}

static bool times_or_none(struct krl_value map, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++) {
        struct krl_value v = encoded_field(map, keys[i]);
        bool time = krl_is_number(v) && v.number >= 0 && v.number < 0x1p53 &&
                    v.number == (double)(int64_t)v.number;
        if (has(map, keys[i]) && !time)
            return false;
    }
    return true;
}

/* Whether "to" has the DID; a message without it is for whoever gets it. */
static bool is_to(struct activation *a, struct krl_value message, struct str did)
{
    struct krl_value to = encoded_field(message, "to");
    bool found = krl_is_null(to);
    for (uint32_t i = 0; to.type == KRL_ARRAY && i < to.array->n && !found; i++)
        found = to.array->v[i].type == KRL_TEXT && str_eq(text_of(a, to.array->v[i]), did);
    return found;
}

/* What is there of a plain message is what it must be. */
static bool check_plain(struct didcomm *d, struct krl_value m)
{
    static const char *const texts[] = {"typ", "from", "thid", "pthid", "from_prior", NULL};
    static const char *const times[] = {"created_time", "expires_time", NULL};
    struct activation *a = d->known.a;
    if (m.type != KRL_MAP || encoded_field(m, "id").type != KRL_TEXT ||
        encoded_field(m, "type").type != KRL_TEXT || krl_map_find(m.map, "body") == NULL ||
        krl_map_find(m.map, "body")->type == KRL_UNDEFINED)
        return refuse(d, "a message has id, type and body");
    if (!texts_or_none(m, texts) || !times_or_none(m, times))
        return refuse(d, "a header of the message is not what it must be");
    if (has(m, "typ") && !str_eq(encoded_text(a, m, "typ"), STR(TYP_PLAIN)))
        return refuse(d, "`typ` must be \"" TYP_PLAIN "\"");
    return true;
}

/* Without headers that are null, and with "typ". */
static struct krl_value tidy(struct activation *a, const struct krl_map *m)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *ret = krl_map_new(h, m->n + 1);
    for (size_t i = 0; i < m->n && ret != NULL; i++) {
        const struct krl_entry *e = krl_map_at(m, i);
        bool keep = !krl_is_null(e->value) || krl_text_is(e->key, "body");
        if (keep && !krl_map_set(h, ret, e->key, e->value))
            return krl_failed();
        if (krl_text_is(e->key, "id") && krl_map_find(m, "typ") == NULL &&
            !encoded_put(a, ret, "typ", STR(TYP_PLAIN)))
            return krl_failed();
    }
    return krl_of_map(ret);
}

static bool pack_signed(struct didcomm *d, struct str text, struct str from, struct str *ret)
{
    struct activation *a = d->known.a;
    struct krl_heap *h = &a->m.heap;
    struct krl_map *head = krl_map_new(h, 2);
    struct krl_map *about = krl_map_new(h, 1);
    struct krl_map *one = krl_map_new(h, 4);
    struct krl_map *all = krl_map_new(h, 2);
    struct krl_array *list = krl_array_reserve(h, 1);
    struct str kid;
    uint8_t signature[SIGNATURE];
    if (!own_kid(d, from, DID_SIGNS, &kid) || krl_failing(h) ||
        !encoded_put(a, head, "typ", STR(TYP_SIGNED)) || !encoded_put(a, head, "alg", STR("EdDSA")))
        return false;
    struct str head64 = encode(a, head);
    struct str text64 = base64_of(a, text, false);
    struct str both = arena_fmt(a->arena_own, "%.*s.%.*s", STRF(head64), STRF(text64));
    if (!sign(d, kid, both, signature) || !encoded_put(a, about, "kid", kid) ||
        !encoded_put(a, one, "protected", head64) ||
        !encoded_put(a, one, "signature",
                     base64_of(a, bytes_of(signature, sizeof signature), false)) ||
        !krl_map_set_ascii(h, one, "header", krl_of_map(about)) ||
        !krl_array_add(h, list, krl_of_map(one)) || !encoded_put(a, all, "payload", text64) ||
        !krl_map_set_ascii(h, all, "signatures", krl_of_array(list)))
        return false;
    *ret = activation_json(a, krl_of_map(all));
    return !krl_failing(h);
}

/* An encrypted message that is being made, or opened. */
struct envelope {
    struct didcomm *d;
    enum jose_enc enc;
    bool auth; /* else anonymous */
    struct str skid;
    struct str kids[DID_KEYS_MAX];
    size_t kids_n;
    uint8_t apv[HASH];
    uint8_t epk[JOSE_KEY];
    uint8_t cek[JOSE_CEK_MAX];
    uint8_t tag[JOSE_TAG_MAX];
};

/* The hash of all receivers' keys, in order. */
static void hash_kids(struct envelope *e)
{
    crypto_hash_sha256_state state;
    struct str sorted[DID_KEYS_MAX];
    for (size_t i = 0; i < e->kids_n; i++) {
        size_t at = i;
        for (; at > 0 && str_cmp(e->kids[i], sorted[at - 1]) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = e->kids[i];
    }
    (void)crypto_hash_sha256_init(&state); /* always 0, as all of them */
    for (size_t i = 0; i < e->kids_n; i++) {
        (void)crypto_hash_sha256_update(&state, (const uint8_t *)".", i > 0);
        (void)crypto_hash_sha256_update(&state, (const uint8_t *)sorted[i].p, sorted[i].n);
    }
    (void)crypto_hash_sha256_final(&state, e->apv);
}

/* The key that wraps for one receiver: ours[0] with theirs[0], and where it is authenticated
 * ours[1] with theirs[1]. */
static bool agree(struct envelope *e, const uint8_t *const ours[2], const uint8_t *const theirs[2],
                  uint8_t ret[JOSE_KEY])
{
    uint8_t secrets[2 * JOSE_KEY];
    size_t n = e->auth ? 2 : 1;
    if (!krl_pay(&e->d->known.a->m.heap, (int64_t)n * STEPS_CURVE))
        return false;
    for (size_t i = 0; i < n; i++)
        if (crypto_scalarmult(secrets + i * JOSE_KEY, ours[i], theirs[i]) != 0)
            return refuse(e->d, "a key is none");
    const struct jose_parties p = {
        .alg = e->auth ? STR(ALG_AUTH) : STR(ALG_ANON),
        .apu = e->skid,
        .apv = bytes_of(e->apv, sizeof e->apv),
        .tag = e->auth ? bytes_of(e->tag, jose_tag_bytes(e->enc)) : STR(""),
    };
    jose_derive(bytes_of(secrets, n * JOSE_KEY), &p, ret);
    sodium_memzero(secrets, sizeof secrets);
    return true;
}

static bool put_head(struct envelope *e, struct str *ret)
{
    struct activation *a = e->d->known.a;
    struct krl_heap *h = &a->m.heap;
    struct krl_map *head = krl_map_new(h, 8);
    struct krl_map *epk = krl_map_new(h, 4);
    if (head == NULL || epk == NULL || !encoded_put(a, head, "typ", STR(TYP_ENCRYPTED)) ||
        !encoded_put(a, head, "alg", e->auth ? STR(ALG_AUTH) : STR(ALG_ANON)) ||
        !encoded_put(a, head, "enc", jose_enc_name(e->enc)))
        return false;
    if (e->auth && (!encoded_put(a, head, "skid", e->skid) ||
                    !encoded_put(a, head, "apu", base64_of(a, e->skid, false))))
        return false;
    struct str apv = base64_of(a, bytes_of(e->apv, sizeof e->apv), false);
    if (!encoded_put(a, head, "apv", apv) || !encoded_put(a, epk, "crv", STR("X25519")) ||
        !encoded_put(a, epk, "kty", STR("OKP")) ||
        !encoded_put(a, epk, "x", base64_of(a, bytes_of(e->epk, sizeof e->epk), false)) ||
        !krl_map_set_ascii(h, head, "epk", krl_of_map(epk)))
        return false;
    *ret = encode(a, head);
    return !krl_failing(h);
}

static bool put_recipient(struct envelope *e, struct krl_array *list, struct str kid,
                          const uint8_t *const ours[2])
{
    struct activation *a = e->d->known.a;
    struct krl_map *one = krl_map_new(&a->m.heap, 2);
    struct krl_map *head = krl_map_new(&a->m.heap, 1);
    uint8_t public[JOSE_KEY];
    uint8_t kek[JOSE_KEY];
    uint8_t wrapped[JOSE_CEK_MAX + JOSE_WRAP];
    size_t n = jose_cek_bytes(e->enc);
    if (!did_public(&e->d->known, kid, DID_ENCRYPTS, public))
        return refuse(e->d, "the key of the receiver is not known");
    const uint8_t *const theirs[2] = {public, public};
    if (one == NULL || head == NULL || !agree(e, ours, theirs, kek))
        return false;
    jose_wrap(kek, e->cek, n, wrapped);
    return encoded_put(a, head, "kid", kid) &&
           krl_map_set_ascii(&a->m.heap, one, "header", krl_of_map(head)) &&
           encoded_put(a, one, "encrypted_key",
                       base64_of(a, bytes_of(wrapped, n + JOSE_WRAP), false)) &&
           krl_array_add(&a->m.heap, list, krl_of_map(one));
}

/* Encrypt the text for all e->kids. */
static struct krl_value seal(struct envelope *e, struct str text, const uint8_t *own)
{
    struct activation *a = e->d->known.a;
    struct krl_map *all = krl_map_new(&a->m.heap, 8);
    struct krl_array *list = krl_array_reserve(&a->m.heap, e->kids_n);
    uint8_t once[JOSE_KEY];
    uint8_t iv[JOSE_IV_MAX];
    struct str head;
    encoded_chance(a, once, sizeof once);
    encoded_chance(a, e->cek, sizeof e->cek);
    encoded_chance(a, iv, sizeof iv);
    if (!krl_pay(&a->m.heap, STEPS_CURVE + (int64_t)text.n / ENCODED_BYTES_A_STEP))
        return krl_failed();
    (void)crypto_scalarmult_base(e->epk, once); /* always 0 */
    hash_kids(e);
    if (all == NULL || list == NULL || !put_head(e, &head))
        return krl_failed();
    uint8_t *cipher = (uint8_t *)arena_bytes(a->arena_own, text.n + JOSE_PADDING_MAX);
    const struct jose_seal s = {.enc = e->enc, .cek = e->cek, .iv = iv, .aad = head};
    size_t n = jose_encrypt(&s, text, cipher, e->tag);
    const uint8_t *const ours[2] = {once, own};
    for (size_t i = 0; i < e->kids_n; i++)
        if (!put_recipient(e, list, e->kids[i], ours))
            return refused(e->d);
    bool ok =
        encoded_put(a, all, "protected", head) &&
        krl_map_set_ascii(&a->m.heap, all, "recipients", krl_of_array(list)) &&
        encoded_put(a, all, "iv", base64_of(a, bytes_of(iv, jose_iv_bytes(e->enc)), false)) &&
        encoded_put(a, all, "ciphertext", base64_of(a, bytes_of(cipher, n), false)) &&
        encoded_put(a, all, "tag", base64_of(a, bytes_of(e->tag, jose_tag_bytes(e->enc)), false));
    return ok ? krl_of_map(all) : krl_failed();
}

struct krl_value didcomm_pack(struct didcomm *d, struct krl_value message, struct str from,
                              struct str to)
{
    struct activation *a = d->known.a;
    struct envelope e = {.d = d, .auth = from.n > 0};
    uint8_t own[JOSE_KEY] = {0};
    e.enc = e.auth ? JOSE_A256CBC_HS512 : JOSE_XC20P;
    if (!check_plain(d, message))
        return refused(d);
    bool is_from =
        !e.auth || !has(message, "from") || str_eq(encoded_text(a, message, "from"), did_of(from));
    if (!is_from || !is_to(a, message, did_of(to))) {
        (void)refuse(d, is_from ? "the message is not to the receiver"
                                : "the message is not from the sender");
        return refused(d);
    }
    struct str text = activation_json(a, tidy(a, message.map));
    if (text.n > DIDCOMM_BYTES_MAX)
        krl_fail(&a->m.heap, RC_TOO_LARGE, "Error: a message has at most %d bytes",
                 DIDCOMM_BYTES_MAX);
    if (krl_failing(&a->m.heap) || (e.auth && !pack_signed(d, text, from, &text)))
        return refused(d);
    if (e.auth && (!own_kid(d, from, DID_ENCRYPTS, &e.skid) ||
                   !did_secret(&d->known, e.skid, DID_ENCRYPTS, own)))
        return refused(d);
    e.kids_n = did_kids(&d->known, to, DID_ENCRYPTS, e.kids);
    if (e.kids_n == 0) {
        (void)refuse(d, "the receiver has no key to encrypt for");
        return refused(d);
    }
    struct krl_value v = seal(&e, text, own);
    sodium_memzero(own, sizeof own);
    sodium_memzero(e.cek, sizeof e.cek);
    return v;
}

/* --- unpacking --- */

/* What is known of a message. */
struct seen {
    int depth; /* 0: nothing; 1 anonymous, 2 authenticated, 3 signed */
    bool encrypted, authenticated, signs, anonymous;
    struct str from_kid, sign_kid, prior_kid, own_kid;
    struct krl_array *to_kids;
    const char *alg_auth, *alg_anon;
    struct str signed_message;
    struct krl_value prior;
};

enum { DEPTH_ANON = 1, DEPTH_AUTH, DEPTH_SIGNED };

static bool deeper(struct didcomm *d, struct seen *s, int depth)
{
    if (s->depth >= depth)
        return refuse(d, "the message is packed in an order that is none");
    s->depth = depth;
    return true;
}

/* Who may open it; e->kids are their keys. */
static bool read_recipients(struct envelope *e, struct krl_value list, struct seen *s)
{
    struct activation *a = e->d->known.a;
    struct krl_array *kids = krl_array_reserve(&a->m.heap, 4);
    if (list.type != KRL_ARRAY || list.array->n == 0 || list.array->n > DID_KEYS_MAX)
        return refuse(e->d, "the message is for nobody");
    for (uint32_t i = 0; i < list.array->n && kids != NULL; i++) {
        struct krl_value kid = encoded_field(encoded_field(list.array->v[i], "header"), "kid");
        if (kid.type != KRL_TEXT || !krl_array_add(&a->m.heap, kids, kid))
            return refuse(e->d, "the message is for nobody");
        e->kids[e->kids_n++] = text_of(a, kid);
    }
    hash_kids(e);
    s->to_kids = kids;
    return kids != NULL;
}

static bool read_head(struct envelope *e, struct krl_value head, struct krl_value recipients,
                      struct seen *s)
{
    struct activation *a = e->d->known.a;
    struct str bytes;
    struct str apu = STR("");
    struct str alg = encoded_text(a, head, "alg");
    e->auth = str_eq(alg, STR(ALG_AUTH));
    if ((!e->auth && !str_eq(alg, STR(ALG_ANON))) ||
        !jose_enc_read(encoded_text(a, head, "enc"), &e->enc) ||
        (e->auth && e->enc != JOSE_A256CBC_HS512))
        return refuse(e->d, "the message is encrypted in another way");
    if (!read_recipients(e, recipients, s))
        return false;
    if (!encoded_bytes(a, head, "apv", HASH, &bytes) || sodium_memcmp(bytes.p, e->apv, HASH) != 0)
        return refuse(e->d, "the message is for others than it says");
    struct krl_value epk = encoded_field(head, "epk");
    if (!str_eq(encoded_text(a, epk, "crv"), STR("X25519")) ||
        !encoded_bytes(a, epk, "x", JOSE_KEY, &bytes))
        return refuse(e->d, "the message is encrypted in another way");
    memcpy(e->epk, bytes.p, JOSE_KEY);
    if (has(head, "apu") && !encoded_bytes(a, head, "apu", 0, &apu))
        return refuse(e->d, "the sender cannot be read");
    struct str skid = encoded_text(a, head, "skid");
    if (e->auth && (apu.n == 0 || (skid.n > 0 && !str_eq(skid, apu))))
        return refuse(e->d, "the sender cannot be read");
    e->skid = apu;
    return deeper(e->d, s, e->auth ? DEPTH_AUTH : DEPTH_ANON);
}

/* The key of the content, from the first receiver whose secret is here. */
static bool open_key(struct envelope *e, struct krl_value recipients, struct seen *s)
{
    struct did_known *k = &e->d->known;
    uint8_t own[JOSE_KEY];
    uint8_t sender[JOSE_KEY] = {0};
    uint8_t kek[JOSE_KEY];
    struct str wrapped;
    size_t at = 0;
    size_t n = jose_cek_bytes(e->enc);
    while (at < e->kids_n && !did_secret(k, e->kids[at], DID_ENCRYPTS, own))
        at++;
    if (at == e->kids_n)
        return refuse(e->d, "no secret here opens it");
    if (e->auth && (!str_is_utf8(e->skid) || !did_public(k, e->skid, DID_ENCRYPTS, sender)))
        return refuse(e->d, "the key of the sender is not known");
    const uint8_t *const ours[2] = {own, own};
    const uint8_t *const theirs[2] = {e->epk, sender};
    if (!encoded_bytes(k->a, recipients.array->v[at], "encrypted_key", n + JOSE_WRAP, &wrapped) ||
        !agree(e, ours, theirs, kek) || !jose_unwrap(kek, (const uint8_t *)wrapped.p, n, e->cek))
        return refuse(e->d, "it cannot be opened");
    sodium_memzero(own, sizeof own);
    s->own_kid = e->kids[at];
    return true;
}

static void note_encrypted(const struct envelope *e, struct seen *s)
{
    static const char *const anon[] = {
        [JOSE_A256CBC_HS512] = "A256cbcHs512EcdhEsA256kw",
        [JOSE_XC20P] = "Xc20pEcdhEsA256kw",
        [JOSE_A256GCM] = "A256gcmEcdhEsA256kw",
    };
    s->encrypted = true;
    if (e->auth) {
        s->authenticated = true;
        s->from_kid = e->skid;
        s->alg_auth = "A256cbcHs512Ecdh1puA256kw";
    } else {
        s->anonymous = true;
        s->alg_anon = anon[e->enc];
    }
}

static bool open_encrypted(struct didcomm *d, struct krl_value v, struct seen *s, struct str *ret)
{
    struct activation *a = d->known.a;
    struct envelope e = {.d = d};
    struct krl_value recipients = encoded_field(v, "recipients");
    struct str aad = encoded_text(a, v, "protected");
    struct krl_value head = decode(a, aad);
    struct str iv;
    struct str tag;
    struct str cipher;
    size_t n = 0;
    if (head.type != KRL_MAP)
        return refuse(d, "the message cannot be read");
    if (!read_head(&e, head, recipients, s))
        return false;
    if (!encoded_bytes(a, v, "iv", jose_iv_bytes(e.enc), &iv) ||
        !encoded_bytes(a, v, "tag", jose_tag_bytes(e.enc), &tag) ||
        !encoded_bytes(a, v, "ciphertext", 0, &cipher))
        return refuse(d, "the message cannot be read");
    memcpy(e.tag, tag.p, tag.n);
    if (!open_key(&e, recipients, s))
        return false;
    uint8_t *text = (uint8_t *)arena_bytes(a->arena_own, cipher.n + 1);
    const struct jose_seal seal = {
        .enc = e.enc, .cek = e.cek, .iv = (const uint8_t *)iv.p, .aad = aad};
    bool good = jose_decrypt(&seal, cipher, e.tag, text, &n);
    sodium_memzero(e.cek, sizeof e.cek);
    if (!good)
        return refuse(d, "it cannot be opened");
    note_encrypted(&e, s);
    *ret = bytes_of(text, n);
    return true;
}

static bool open_signed(struct didcomm *d, struct krl_value v, struct str whole, struct seen *s,
                        struct str *ret)
{
    struct activation *a = d->known.a;
    struct krl_value list = encoded_field(v, "signatures");
    struct str payload = encoded_text(a, v, "payload");
    struct krl_value one =
        list.type == KRL_ARRAY && list.array->n == 1 ? list.array->v[0] : krl_null();
    struct str head64 = encoded_text(a, one, "protected");
    struct krl_value head = decode(a, head64);
    struct str kid = encoded_text(a, encoded_field(one, "header"), "kid");
    struct str signature;
    if (krl_is_null(one))
        return refuse(d, "a message has one signature");
    if (!deeper(d, s, DEPTH_SIGNED))
        return false;
    if (head.type != KRL_MAP || !str_eq(encoded_text(a, head, "alg"), STR("EdDSA")) ||
        !encoded_bytes(a, one, "signature", SIGNATURE, &signature))
        return refuse(d, "the message is signed in another way");
    struct str both = arena_fmt(a->arena_own, "%.*s.%.*s", STRF(head64), STRF(payload));
    if (!verify(d, kid, both, signature) || !base64_read(a, payload, ret))
        return d->why == NULL ? refuse(d, "the message cannot be read") : false;
    s->signs = true;
    s->authenticated = true;
    s->sign_kid = kid;
    s->signed_message = whole;
    return true;
}

/* Another DID before: signed by a key of it, for the sender. */
static bool read_prior(struct didcomm *d, struct krl_value message, struct seen *s)
{
    struct activation *a = d->known.a;
    struct str jwt = encoded_text(a, message, "from_prior");
    struct str rest = jwt;
    struct str head64 = str_cut(&rest, '.');
    struct str claims64 = str_cut(&rest, '.');
    struct str text = str_sub(jwt, 0, min_size(jwt.n, head64.n + 1 + claims64.n));
    struct str signature;
    struct krl_value head = decode(a, head64);
    struct krl_value claims = decode(a, claims64);
    struct str kid = encoded_text(a, head, "kid");
    struct str iss = encoded_text(a, claims, "iss");
    struct str sub = encoded_text(a, claims, "sub");
    if (head.type != KRL_MAP || claims.type != KRL_MAP || !base64_read(a, rest, &signature) ||
        !str_eq(encoded_text(a, head, "typ"), STR("JWT")) ||
        !str_eq(encoded_text(a, head, "alg"), STR("EdDSA")) || iss.n == 0 ||
        !str_eq(did_of(kid), iss) || str_eq(iss, sub) ||
        !str_eq(sub, encoded_text(a, message, "from")))
        return refuse(d, "`from_prior` says something else than the message");
    if (!verify(d, kid, text, signature))
        return false;
    s->prior_kid = kid;
    s->prior = claims;
    return true;
}

static bool check_opened(struct didcomm *d, struct krl_value m, struct seen *s)
{
    struct activation *a = d->known.a;
    struct str from = encoded_text(a, m, "from");
    if (!check_plain(d, m))
        return false;
    if ((s->from_kid.n > 0 && !str_eq(from, did_of(s->from_kid))) ||
        (s->sign_kid.n > 0 && !str_eq(from, did_of(s->sign_kid))))
        return refuse(d, "the message is from somebody else than it says");
    if (s->own_kid.n > 0 && !is_to(a, m, did_of(s->own_kid)))
        return refuse(d, "the message is to somebody else");
    return !has(m, "from_prior") || read_prior(d, m, s);
}

static struct krl_value or_null(struct activation *a, struct str s)
{
    return s.n == 0 ? krl_null() : value_of(a, s);
}

static struct krl_value prior_value(struct activation *a, struct krl_value claims)
{
    static const char *const names[] = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"};
    struct krl_map *m = krl_map_new(&a->m.heap, 8);
    if (claims.type != KRL_MAP)
        return krl_null();
    for (size_t i = 0; i < COUNT(names) && m != NULL; i++)
        if (has(claims, names[i]) &&
            !krl_map_set_ascii(&a->m.heap, m, names[i], encoded_field(claims, names[i])))
            return krl_failed();
    return krl_of_map(m);
}

static struct krl_value metadata(struct activation *a, const struct seen *s)
{
    struct str auth = s->alg_auth == NULL ? STR("") : str_c(s->alg_auth);
    struct str anon = s->alg_anon == NULL ? STR("") : str_c(s->alg_anon);
    const struct {
        const char *key;
        struct krl_value value;
    } all[] = {
        {"encrypted", krl_bool(s->encrypted)},
        {"authenticated", krl_bool(s->authenticated)},
        {"non_repudiation", krl_bool(s->signs)},
        {"anonymous_sender", krl_bool(s->anonymous)},
        {"re_wrapped_in_forward", krl_bool(false)},
        {"encrypted_from_kid", or_null(a, s->from_kid)},
        {"encrypted_to_kids", s->to_kids == NULL ? krl_null() : krl_of_array(s->to_kids)},
        {"sign_from", or_null(a, s->sign_kid)},
        {"from_prior_issuer_kid", or_null(a, s->prior_kid)},
        {"enc_alg_auth", or_null(a, auth)},
        {"enc_alg_anon", or_null(a, anon)},
        {"sign_alg", s->signs ? krl_ascii(&a->m.heap, "EdDSA") : krl_null()},
        {"signed_message", or_null(a, s->signed_message)},
        {"from_prior", prior_value(a, s->prior)},
    };
    struct krl_map *m = krl_map_new(&a->m.heap, COUNT(all));
    for (size_t i = 0; i < COUNT(all) && m != NULL; i++)
        if (krl_is_failed(all[i].value) ||
            !krl_map_set_ascii(&a->m.heap, m, all[i].key, all[i].value))
            return krl_failed();
    return krl_of_map(m);
}

struct krl_value didcomm_unpack(struct didcomm *d, struct krl_value message)
{
    struct activation *a = d->known.a;
    struct krl_heap *h = &a->m.heap;
    struct seen s = {.depth = 0};
    struct krl_value v = message;
    struct str text = message.type == KRL_MAP ? activation_json(a, message) : STR("");
    while (has(v, "ciphertext") || has(v, "payload")) {
        bool good = has(v, "ciphertext") ? open_encrypted(d, v, &s, &text)
                                         : open_signed(d, v, text, &s, &text);
        if (!good || !krl_pay(h, (int64_t)text.n / ENCODED_BYTES_A_STEP))
            return refused(d);
        v = encoded_json(a, text);
        if (v.type != KRL_MAP && !krl_failing(h))
            (void)refuse(d, "the message cannot be read");
        if (v.type != KRL_MAP)
            return refused(d);
    }
    if (!check_opened(d, v, &s))
        return refused(d);
    struct krl_array *both = krl_array_new(h, 2);
    if (both == NULL)
        return krl_failed();
    both->v[0] = tidy(a, v.map);
    both->v[1] = metadata(a, &s);
    return krl_failing(h) ? krl_failed() : krl_of_array(both);
}
