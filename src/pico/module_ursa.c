/*
 * ursa: envelopes and signatures of Aries agents (Aries RFC 0019, "JWM/1.0"), by libsodium: keys
 * are Ed25519 and written in base58, as are those that generateDID makes; the ruleset keeps them.
 * Each operation on a curve costs STEPS_CURVE of the budget.
 */
#include "pico/encoded.h"

#include "krl/lib.h"

#include <sodium.h>

enum {
    STEPS_CURVE = 2000,
    RECIPIENTS_MAX = 100,
    SIGNED_BYTES_MAX = 1024 * 1024,
    MESSAGE_BYTES_MAX = 1024 * 1024,
    SCRATCH_BYTES = 32 * 1024 * 1024,
    TIME_BYTES = 8, /* of signed data, before the field */
    NONCE = crypto_box_NONCEBYTES,
    IV = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_chacha20poly1305_ietf_ABYTES,
    CEK = crypto_aead_chacha20poly1305_ietf_KEYBYTES,
};

/* An Ed25519 key pair, and what it is on the other curve. */
struct keys {
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t box_public[crypto_box_PUBLICKEYBYTES];
    uint8_t box_secret[crypto_box_SECRETKEYBYTES];
    struct str public58;
};

static struct krl_value fail(struct activation *a, const char *text)
{
    krl_fail(&a->m.heap, RC_INVALID, "%s", text);
    return krl_failed();
}

static bool read_keys(struct activation *a, struct krl_value channel, struct keys *ret)
{
    ret->public58 = encoded_text(a, channel, "ariesPublicKey");
    struct str secret = encoded_text(a, encoded_field(channel, "secret"), "ariesPrivateKey");
    return krl_pay(&a->m.heap, 2 * STEPS_CURVE) &&
           base58_read(ret->public58, ret->public, sizeof ret->public) &&
           base58_read(secret, ret->secret, sizeof ret->secret) &&
           crypto_sign_ed25519_pk_to_curve25519(ret->box_public, ret->public) == 0 &&
           crypto_sign_ed25519_sk_to_curve25519(ret->box_secret, ret->secret) == 0;
}

/* An array of numbers as bytes, each modulo 256. */
static bool read_bytes(struct activation *a, struct krl_value v, struct str *ret)
{
    if (v.type != KRL_ARRAY || v.array->n > SIGNED_BYTES_MAX ||
        !krl_pay(&a->m.heap, v.array->n / ENCODED_BYTES_A_STEP + 1))
        return false;
    char *bytes = arena_bytes(a->arena_own, (size_t)v.array->n + 1);
    for (uint32_t i = 0; i < v.array->n; i++) {
        double number = 0;
        if (!krl_to_number(v.array->v[i], &number) || !(number > -1e15 && number < 1e15))
            number = 0;
        bytes[i] = (char)(uint8_t)(int64_t)number;
    }
    *ret = str_n(bytes, v.array->n);
    return true;
}

/* --- keys --- */

static struct krl_value generate_did(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    uint8_t seeds[2][crypto_sign_SEEDBYTES];
    uint8_t public[2][crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[2][crypto_sign_SECRETKEYBYTES];
    uint8_t box[crypto_box_PUBLICKEYBYTES];
    char hex[2 * crypto_sign_SEEDBYTES + 1];
    (void)args;
    (void)n;
    if (!krl_pay(h, 3 * STEPS_CURVE))
        return krl_failed();
    for (size_t i = 0; i < 2; i++) {
        encoded_chance(a, seeds[i], sizeof seeds[i]);
        (void)crypto_sign_seed_keypair(public[i], secret[i], seeds[i]); /* always 0 */
    }
    (void)crypto_scalarmult_base(box, seeds[0]); /* always 0 */
    (void)sodium_bin2hex(hex, sizeof hex, seeds[0], sizeof seeds[0]);
    struct str seed58 = base58_of(a, seeds[0], sizeof seeds[0]);
    struct krl_map *all = krl_map_new(h, 8);
    struct krl_map *own = krl_map_new(h, 4);
    bool ok = all != NULL && own != NULL &&
              encoded_put(a, all, "did", base58_of(a, public[0], sizeof public[0] / 2)) &&
              encoded_put(a, all, "verifyKey", base58_of(a, public[0], sizeof public[0])) &&
              encoded_put(a, all, "encryptionPublicKey", base58_of(a, box, sizeof box)) &&
              encoded_put(a, all, "ariesPublicKey", base58_of(a, public[1], sizeof public[1])) &&
              encoded_put(a, own, "seed", str_c(hex)) && encoded_put(a, own, "signKey", seed58) &&
              encoded_put(a, own, "encryptionPrivateKey", seed58) &&
              encoded_put(a, own, "ariesPrivateKey", base58_of(a, secret[1], sizeof secret[1])) &&
              krl_map_set_ascii(h, all, "secret", krl_of_map(own));
    return ok ? krl_of_map(all) : krl_failed();
}

/* --- signatures --- */

static struct krl_value sig_data(struct activation *a, const struct krl_value *args, size_t n)
{
    struct str bytes;
    if (!read_bytes(a, krl_arg(args, n, 0), &bytes))
        return fail(a, "TypeError: ursa:sig_data wants an array of bytes");
    return value_of(a, base64_of(a, str_n((const char *)bytes.p, bytes.n), true));
}

static struct krl_value crypto_sign_of(struct activation *a, const struct krl_value *args, size_t n)
{
    struct str bytes;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    struct str key =
        encoded_text(a, encoded_field(krl_arg(args, n, 1), "secret"), "ariesPrivateKey");
    if (!read_bytes(a, krl_arg(args, n, 0), &bytes))
        return fail(a, "TypeError: ursa:crypto_sign wants an array of bytes");
    if (!base58_read(key, secret, sizeof secret))
        return fail(a, "TypeError: ursa:crypto_sign wants a secret.ariesPrivateKey in base58");
    if (!krl_pay(&a->m.heap, STEPS_CURVE))
        return krl_failed();
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)bytes.p, bytes.n, secret);
    return value_of(a, base64_of(a, str_n((const char *)signature, sizeof signature), true));
}

static struct krl_value verify(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value signed_field = krl_arg(args, n, 0);
    struct str signature;
    struct str data;
    uint8_t signer[crypto_sign_PUBLICKEYBYTES];
    if (!encoded_bytes(a, signed_field, "signature", crypto_sign_BYTES, &signature) ||
        !encoded_bytes(a, signed_field, "sig_data", 0, &data) || data.n < TIME_BYTES ||
        !base58_read(encoded_text(a, signed_field, "signer"), signer, sizeof signer))
        return fail(a, "TypeError: ursa:verify_signed_field wants signature, sig_data and signer");
    if (!krl_pay(h, STEPS_CURVE + (int64_t)data.n / ENCODED_BYTES_A_STEP))
        return krl_failed();
    bool good = crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)data.p,
                                            data.n, signer) == 0;
    char *ascii = arena_bytes(a->arena_own, data.n);
    for (size_t i = TIME_BYTES; i < data.n; i++)
        ascii[i - TIME_BYTES] = (char)(data.p[i] & 0x7F); /* as Node.js reads "ascii" */
    struct krl_array *time = krl_array_new(h, TIME_BYTES);
    struct krl_map *m = krl_map_new(h, 4);
    if (time == NULL || m == NULL)
        return krl_failed();
    for (size_t i = 0; i < TIME_BYTES; i++)
        time->v[i] = krl_number((uint8_t)data.p[i]);
    if (!krl_map_set_ascii(h, m, "sig_verified", krl_bool(good)) ||
        !encoded_put(a, m, "field", str_n(ascii, data.n - TIME_BYTES)) ||
        !krl_map_set_ascii(h, m, "timestamp", krl_of_array(time)))
        return krl_failed();
    return krl_of_map(m);
}

/* --- envelopes --- */

/* As crypto_box_seal: a box of a key that is used once, whose nonce both keys give. The chance is
 * the clock's. ret: n + crypto_box_SEALBYTES. */
static void seal(struct activation *a, uint8_t *ret, const uint8_t *text, size_t n,
                 const uint8_t *to)
{
    uint8_t seed[crypto_box_SEEDBYTES];
    uint8_t secret[crypto_box_SECRETKEYBYTES];
    uint8_t nonce[NONCE];
    crypto_generichash_state state;
    encoded_chance(a, seed, sizeof seed);
    (void)crypto_box_seed_keypair(ret, secret, seed); /* always 0, as those below */
    (void)crypto_generichash_init(&state, NULL, 0, sizeof nonce);
    (void)crypto_generichash_update(&state, ret, crypto_box_PUBLICKEYBYTES);
    (void)crypto_generichash_update(&state, to, crypto_box_PUBLICKEYBYTES);
    (void)crypto_generichash_final(&state, nonce, sizeof nonce);
    if (crypto_box_easy(ret + crypto_box_PUBLICKEYBYTES, text, n, nonce, to, secret) != 0)
        memset(ret, 0, n + crypto_box_SEALBYTES); /* for a key that none has: nobody opens it */
    sodium_memzero(secret, sizeof secret);
}

static bool put_recipient(struct activation *a, struct buf *b, struct krl_value to,
                          const uint8_t cek[CEK], const struct keys *from)
{
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    uint8_t box[crypto_box_PUBLICKEYBYTES];
    uint8_t nonce[NONCE];
    uint8_t sealed[CEK + crypto_box_SEALBYTES];
    uint8_t sender[ENCODED_BASE58_TEXT + crypto_box_SEALBYTES];
    struct str kid = to.type == KRL_TEXT ? text_of(a, to) : STR("");
    if (!krl_pay(&a->m.heap, 4 * STEPS_CURVE))
        return false;
    if (!base58_read(kid, key, sizeof key) || crypto_sign_ed25519_pk_to_curve25519(box, key) != 0) {
        (void)fail(a, "TypeError: ursa:pack wants the public keys of who gets it, in base58");
        return false;
    }
    if (from == NULL) {
        seal(a, sealed, cek, CEK, box);
        buf_fmt(b,
                "{\"encrypted_key\":\"%.*s\",\"header\":{\"kid\":\"%.*s\",\"sender\":null,\"iv\":"
                "null}}",
                STRF(base64_of(a, str_n((const char *)sealed, sizeof sealed), true)), STRF(kid));
        return true;
    }
    encoded_chance(a, nonce, sizeof nonce);
    seal(a, sender, (const uint8_t *)from->public58.p, from->public58.n, box);
    if (crypto_box_easy(sealed, cek, CEK, nonce, box, from->box_secret) != 0) {
        (void)fail(a, "Error: the key of a recipient is none");
        return false;
    }
    buf_fmt(b,
            "{\"encrypted_key\":\"%.*s\",\"header\":{\"kid\":\"%.*s\",\"sender\":\"%.*s\",\"iv\":"
            "\"%.*s\"}}",
            STRF(base64_of(a, str_n((const char *)sealed, CEK + crypto_box_MACBYTES), true)),
            STRF(kid),
            STRF(base64_of(a, str_n((const char *)sender, from->public58.n + crypto_box_SEALBYTES),
                           true)),
            STRF(base64_of(a, str_n((const char *)nonce, sizeof nonce), true)));
    return true;
}

/* "protected" of the envelope. False: an error. */
static bool put_protected(struct activation *a, const struct krl_array *to, const uint8_t cek[CEK],
                          const struct keys *from, struct str *ret)
{
    struct buf b;
    buf_init(&b, a->arena_own, (size_t)1024 * (RECIPIENTS_MAX + 1));
    buf_fmt(
        &b,
        "{\"enc\":\"xchacha20poly1305_ietf\",\"typ\":\"JWM/1.0\",\"alg\":\"%s\",\"recipients\":[",
        from == NULL ? "Anoncrypt" : "Authcrypt");
    for (uint32_t i = 0; i < to->n; i++) {
        if (i > 0)
            buf_add_char(&b, ',');
        if (!put_recipient(a, &b, to->v[i], cek, from))
            return false;
    }
    buf_add(&b, STR("]}"));
    ASSERT(!b.full);
    *ret = base64_of(a, str_n((const char *)b.p, b.n), true);
    return true;
}

static struct krl_value pack(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value message = krl_arg(args, n, 0);
    struct krl_value to = krl_arg(args, n, 1);
    struct krl_value channel = krl_arg(args, n, 2);
    struct keys from;
    uint8_t cek[CEK];
    uint8_t iv[IV];
    uint8_t tag[TAG];
    struct str head;
    if (message.type != KRL_TEXT || to.type != KRL_ARRAY || to.array->n > RECIPIENTS_MAX)
        return fail(a, "TypeError: ursa:pack wants a text and an array of at most 100 public keys");
    bool signs = krl_truthy(channel);
    if (signs && !read_keys(a, channel, &from))
        return krl_failing(h) ? krl_failed()
                              : fail(a, "TypeError: ursa:pack wants the keys of ursa:generateDID");
    encoded_chance(a, cek, sizeof cek);
    encoded_chance(a, iv, sizeof iv);
    struct str text = text_of(a, message);
    if (text.n > MESSAGE_BYTES_MAX)
        krl_fail(h, RC_TOO_LARGE, "Error: ursa:pack takes at most %d bytes", MESSAGE_BYTES_MAX);
    if (krl_failing(h) || !krl_pay(h, (int64_t)text.n / ENCODED_BYTES_A_STEP) ||
        !put_protected(a, to.array, cek, signs ? &from : NULL, &head))
        return krl_failed();
    uint8_t *cipher = (uint8_t *)arena_bytes(a->arena_own, text.n + 1);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        cipher, tag, NULL, (const uint8_t *)text.p, text.n, (const uint8_t *)head.p, head.n, NULL,
        iv, cek); /* always 0 */
    struct str cipher64 = base64_of(a, str_n((const char *)cipher, text.n), true);
    return value_of(a, arena_fmt(a->arena_own,
                                 "{\"protected\":\"%.*s\",\"iv\":\"%.*s\",\"ciphertext\":\"%.*s\","
                                 "\"tag\":\"%.*s\"}",
                                 STRF(head),
                                 STRF(base64_of(a, str_n((const char *)iv, sizeof iv), true)),
                                 STRF(cipher64),
                                 STRF(base64_of(a, str_n((const char *)tag, sizeof tag), true))));
}

static struct krl_value find_recipient(struct activation *a, struct krl_value head,
                                       const struct keys *own)
{
    struct krl_value list = encoded_field(head, "recipients");
    for (uint32_t i = 0; list.type == KRL_ARRAY && i < list.array->n; i++) {
        struct str kid = encoded_text(a, encoded_field(list.array->v[i], "header"), "kid");
        if (kid.n > 0 && str_eq(kid, own->public58))
            return list.array->v[i];
    }
    return krl_null();
}

/* The key of the content; *ret_sender: who says that he sent it, empty: nobody. False: it is not
 * for these keys, or was changed. */
static bool open_key(struct activation *a, struct krl_value recipient, const struct keys *own,
                     uint8_t cek[CEK], struct str *ret_sender)
{
    struct krl_value header = encoded_field(recipient, "header");
    struct str key;
    struct str iv;
    struct str sender;
    uint8_t from[crypto_sign_PUBLICKEYBYTES];
    uint8_t box[crypto_box_PUBLICKEYBYTES];
    *ret_sender = STR("");
    if (!krl_truthy(encoded_field(header, "iv")) || !krl_truthy(encoded_field(header, "sender")))
        return encoded_bytes(a, recipient, "encrypted_key", CEK + crypto_box_SEALBYTES, &key) &&
               crypto_box_seal_open(cek, (const uint8_t *)key.p, key.n, own->box_public,
                                    own->box_secret) == 0;
    if (!encoded_bytes(a, recipient, "encrypted_key", CEK + crypto_box_MACBYTES, &key) ||
        !encoded_bytes(a, header, "iv", NONCE, &iv) ||
        !encoded_bytes(a, header, "sender", 0, &sender) || sender.n < crypto_box_SEALBYTES ||
        sender.n > ENCODED_BASE58_TEXT + crypto_box_SEALBYTES)
        return false;
    size_t n = sender.n - crypto_box_SEALBYTES;
    char *who = arena_bytes(a->arena_own, n + 1);
    if (crypto_box_seal_open((uint8_t *)who, (const uint8_t *)sender.p, sender.n, own->box_public,
                             own->box_secret) != 0 ||
        !base58_read(str_n(who, n), from, sizeof from) ||
        crypto_sign_ed25519_pk_to_curve25519(box, from) != 0 ||
        crypto_box_open_easy(cek, (const uint8_t *)key.p, key.n, (const uint8_t *)iv.p, box,
                             own->box_secret) != 0)
        return false;
    *ret_sender = str_n(who, n);
    return true;
}

/* The text of an envelope. False: it was changed, or is no text. */
static bool open_content(struct activation *a, struct krl_value wrapper, const uint8_t cek[CEK],
                         struct str *ret)
{
    struct str head = encoded_text(a, wrapper, "protected");
    struct str cipher;
    struct str iv;
    struct str tag;
    if (!encoded_bytes(a, wrapper, "ciphertext", 0, &cipher) ||
        !encoded_bytes(a, wrapper, "iv", IV, &iv) || !encoded_bytes(a, wrapper, "tag", TAG, &tag) ||
        !krl_pay(&a->m.heap, (int64_t)cipher.n / ENCODED_BYTES_A_STEP))
        return false;
    char *text = arena_bytes(a->arena_own, cipher.n + 1);
    *ret = str_n(text, cipher.n);
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               (uint8_t *)text, NULL, (const uint8_t *)cipher.p, cipher.n, (const uint8_t *)tag.p,
               (const uint8_t *)head.p, head.n, (const uint8_t *)iv.p, cek) == 0 &&
           str_is_utf8(*ret);
}

static struct krl_value unpack(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value wrapper = krl_arg(args, n, 0);
    struct keys own;
    uint8_t cek[CEK];
    struct str head;
    struct str sender;
    struct str text;
    if (!read_keys(a, krl_arg(args, n, 1), &own))
        return krl_failing(h)
                   ? krl_failed()
                   : fail(a, "TypeError: ursa:unpack wants the keys of ursa:generateDID");
    if (wrapper.type == KRL_TEXT)
        wrapper = krl_json_parse(h, wrapper.text);
    if (krl_is_failed(wrapper) || !encoded_bytes(a, wrapper, "protected", 0, &head))
        return fail(a, "Error: this is no packed message");
    struct krl_value outer = encoded_json(a, head);
    if (krl_is_failed(outer))
        return fail(a, "Error: this is no packed message");
    struct krl_value recipient = find_recipient(a, outer, &own);
    if (krl_is_null(recipient))
        return fail(a, "Error: No corresponding recipient key found");
    if (!krl_pay(h, 3 * STEPS_CURVE))
        return krl_failed();
    if (!open_key(a, recipient, &own, cek, &sender))
        return fail(a, "Error: the message cannot be opened");
    struct str alg = encoded_text(a, outer, "alg");
    if (str_eq(alg, STR("Authcrypt")) && sender.n == 0)
        return fail(a, "Error: Sender public key not provided in Authcrypt message");
    if (!str_eq(alg, STR("Authcrypt")) && !str_eq(alg, STR("Anoncrypt"))) {
        krl_fail(h, RC_INVALID, "Error: Unsupported pack algorithm: %.*s",
                 STRF(str_sub(alg, 0, WORD_MAX)));
        return krl_failed();
    }
    if (!open_content(a, wrapper, cek, &text))
        return fail(a, "Error: the message cannot be opened");
    struct krl_map *m = krl_map_new(h, 4);
    if (m == NULL || !encoded_put(a, m, "message", text) ||
        !krl_map_set_ascii(h, m, "sender_key", sender.n == 0 ? krl_null() : value_of(a, sender)) ||
        !encoded_put(a, m, "recipient_key", own.public58))
        return krl_failed();
    return krl_of_map(m);
}

/* --- the module --- */

/* Bytes on the way lie in an arena of the call, so that many calls take no more than one. What is
 * answered is in the heap. */
static struct krl_value within(struct activation *a, const struct krl_value *args, size_t n,
                               struct krl_value (*fn)(struct activation *a,
                                                      const struct krl_value *args, size_t n))
{
    struct arena scratch;
    struct arena *own = a->arena_own;
    arena_init(&scratch, SCRATCH_BYTES);
    a->arena_own = &scratch;
    struct krl_value v = fn(a, args, n);
    a->arena_own = own;
    arena_fini(&scratch);
    return v;
}

static struct krl_value do_generate_did(struct activation *a, const struct krl_value *args,
                                        size_t n)
{
    return within(a, args, n, generate_did);
}

static struct krl_value do_sig_data(struct activation *a, const struct krl_value *args, size_t n)
{
    return within(a, args, n, sig_data);
}

static struct krl_value do_crypto_sign_of(struct activation *a, const struct krl_value *args,
                                          size_t n)
{
    return within(a, args, n, crypto_sign_of);
}

static struct krl_value do_verify(struct activation *a, const struct krl_value *args, size_t n)
{
    return within(a, args, n, verify);
}

static struct krl_value do_unpack(struct activation *a, const struct krl_value *args, size_t n)
{
    return within(a, args, n, unpack);
}

static struct krl_value do_pack(struct activation *a, const struct krl_value *args, size_t n)
{
    return within(a, args, n, pack);
}

static const struct member members[] = {
    {"generateDID", KRL_DOOR_FUNCTION, do_generate_did, {NULL}},
    {"sig_data", KRL_DOOR_FUNCTION, do_sig_data, {"bytes", NULL}},
    {"crypto_sign", KRL_DOOR_FUNCTION, do_crypto_sign_of, {"bytes", "chann", NULL}},
    {"verify_signed_field", KRL_DOOR_FUNCTION, do_verify, {"signed_field", NULL}},
    {"unpack", KRL_DOOR_FUNCTION, do_unpack, {"messageIn", "chann", NULL}},
    {"pack", KRL_DOOR_FUNCTION, do_pack, {"message", "toPublicKeys", "fromChann", NULL}},
    {NULL, 0, NULL, {NULL}},
};

const struct module module_ursa = {"ursa", members};
