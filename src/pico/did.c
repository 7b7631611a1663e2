#include "pico/did.h"

#include "krl/lib.h"
#include "pico/encoded.h"

enum { CODEC = 2, PART_MIN = 46, PART_MAX = 47 /* base58 of a codec and a key */ };

static const struct {
    const char *curve;
    const char *relation;
    const char *types[2]; /* of methods with publicKeyBase58, publicKeyMultibase */
    uint8_t codec[CODEC];
    char purpose;
} uses[] = {
    [DID_ENCRYPTS] = {"X25519",
                      "keyAgreement",
                      {"X25519KeyAgreementKey2019", "X25519KeyAgreementKey2020"},
                      {0xEC, 0x01},
                      'E'},
    [DID_SIGNS] = {"Ed25519",
                   "authentication",
                   {"Ed25519VerificationKey2018", "Ed25519VerificationKey2020"},
                   {0xED, 0x01},
                   'V'},
};

struct str did_of(struct str url)
{
    return str_sub(url, 0, str_find(url, '#', 0));
}

/* --- peer DIDs --- */

static struct str multikey(struct activation *a, enum did_use use, const uint8_t key[JOSE_KEY])
{
    uint8_t bytes[CODEC + JOSE_KEY];
    memcpy(bytes, uses[use].codec, CODEC);
    memcpy(bytes + CODEC, key, JOSE_KEY);
    return base58_of(a, bytes, sizeof bytes);
}

static bool read_multikey(struct str text, uint8_t ret[JOSE_KEY], uint8_t ret_codec[CODEC])
{
    uint8_t bytes[CODEC + JOSE_KEY];
    if (!base58_read(text, bytes, sizeof bytes))
        return false;
    memcpy(ret_codec, bytes, CODEC);
    memcpy(ret, bytes + CODEC, JOSE_KEY);
    return true;
}

struct str did_peer(struct activation *a, const uint8_t keys[2][JOSE_KEY], struct str endpoint)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *service = krl_map_new(h, 4);
    struct krl_array *accept = krl_array_reserve(h, 2);
    if (service == NULL || accept == NULL ||
        !krl_array_add(h, accept, krl_ascii(h, "didcomm/v2")) ||
        !krl_array_add(h, accept, krl_ascii(h, "didcomm/aip2;env=rfc587")) ||
        !encoded_put(a, service, "t", STR("dm")) || !encoded_put(a, service, "s", endpoint) ||
        !krl_map_set_ascii(h, service, "a", krl_of_array(accept)))
        return STR("");
    struct str json = activation_json(a, krl_of_map(service));
    return arena_fmt(a->arena_own, "did:peer:2.Ez%.*s.Vz%.*s.S%.*s",
                     STRF(multikey(a, DID_ENCRYPTS, keys[DID_ENCRYPTS])),
                     STRF(multikey(a, DID_SIGNS, keys[DID_SIGNS])),
                     STRF(base64_of(a, json, false)));
}

struct str did_kid(struct activation *a, struct str did, enum did_use use,
                   const uint8_t key[JOSE_KEY])
{
    return arena_fmt(a->arena_own, "%.*s#%.*s", STRF(did), STRF(multikey(a, use, key)));
}

/* A document that is being made. */
struct making {
    struct activation *a;
    struct str did;
    struct krl_array *lists[2]; /* by use */
    struct krl_array *methods;
    struct krl_array *services;
};

static bool add_key(struct making *m, struct str multi, enum did_use use)
{
    struct krl_heap *h = &m->a->m.heap;
    uint8_t codec[CODEC];
    uint8_t key[JOSE_KEY];
    struct str kid = arena_fmt(m->a->arena_own, "%.*s#%.*s", STRF(m->did), STRF(multi));
    struct krl_map *method = krl_map_new(h, 4);
    struct krl_map *jwk = krl_map_new(h, 4);
    if (!read_multikey(multi, key, codec) || method == NULL || jwk == NULL)
        return false;
    return encoded_put(m->a, jwk, "crv", str_c(uses[use].curve)) &&
           encoded_put(m->a, jwk, "x",
                       base64_of(m->a, str_n((const char *)key, sizeof key), false)) &&
           encoded_put(m->a, jwk, "kty", STR("OKP")) && encoded_put(m->a, method, "id", kid) &&
           encoded_put(m->a, method, "type", STR("JsonWebKey2020")) &&
           encoded_put(m->a, method, "controller", m->did) &&
           krl_map_set_ascii(h, method, "publicKeyJwk", krl_of_map(jwk)) &&
           krl_array_add(h, m->methods, krl_of_map(method)) &&
           krl_array_add(h, m->lists[use], value_of(m->a, kid));
}

static bool add_service(struct making *m, struct str text)
{
    struct krl_heap *h = &m->a->m.heap;
    struct str json;
    if (!base64_read(m->a, text, &json))
        return false;
    struct krl_value said = encoded_json(m->a, json);
    struct krl_map *service = krl_map_new(h, 4);
    struct krl_map *endpoint = krl_map_new(h, 4);
    if (said.type != KRL_MAP || service == NULL || endpoint == NULL)
        return false;
    static const char *const names[][2] = {{"s", "uri"}, {"r", "routingKeys"}, {"a", "accept"}};
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct krl_value *v = krl_map_find(said.map, names[i][0]);
        if (v != NULL && !krl_map_set_ascii(h, endpoint, names[i][1], *v))
            return false;
    }
    return encoded_put(m->a, service, "id",
                       arena_fmt(m->a->arena_own, "%.*s#didcommmessaging-0", STRF(m->did))) &&
           encoded_put(m->a, service, "type", STR("DIDCommMessaging")) &&
           krl_map_set_ascii(h, service, "serviceEndpoint", krl_of_map(endpoint)) &&
           krl_array_add(h, m->services, krl_of_map(service));
}

/* One part: a purpose letter and what is for it. False: it is none, or an error. */
static bool add_part(struct making *m, struct str part)
{
    struct str multi = str_sub(part, 2, part.n);
    if (part.n > 0 && part.p[0] == 'S')
        return add_service(m, str_sub(part, 1, part.n));
    if (part.n < 2 || part.p[1] != 'z' || multi.n < PART_MIN || multi.n > PART_MAX)
        return false;
    if (part.p[0] == uses[DID_ENCRYPTS].purpose)
        return add_key(m, multi, DID_ENCRYPTS);
    if (part.p[0] == uses[DID_SIGNS].purpose)
        return add_key(m, multi, DID_SIGNS);
    uint8_t codec[CODEC];
    uint8_t key[JOSE_KEY];
    bool other = part.p[0] == 'A' || part.p[0] == 'I' || part.p[0] == 'D';
    return other && read_multikey(multi, key, codec); /* for what nobody here does */
}

struct krl_value did_resolve(struct activation *a, struct str did)
{
    struct krl_heap *h = &a->m.heap;
    const struct str method = STR("did:peer:2.");
    struct krl_map *doc = krl_map_new(h, 8);
    struct making m = {.a = a,
                       .did = did,
                       .lists = {krl_array_reserve(h, 2), krl_array_reserve(h, 2)},
                       .methods = krl_array_reserve(h, 4),
                       .services = krl_array_reserve(h, 1)};
    if (doc == NULL || krl_failing(h))
        return krl_failed();
    if (did.n > DID_BYTES_MAX || !str_starts(did, method))
        return krl_null();
    struct str rest = str_sub(did, method.n, did.n);
    for (struct str part = {0}; rest.n > 0;) {
        part = str_cut(&rest, '.');
        bool last = part.n > 0 && part.p[0] == 'S';
        if (!add_part(&m, part) || (last && rest.n > 0))
            return krl_failing(h) ? krl_failed() : krl_null();
    }
    bool ok = encoded_put(a, doc, "id", did) &&
              krl_map_set_ascii(h, doc, "keyAgreement", krl_of_array(m.lists[DID_ENCRYPTS])) &&
              krl_map_set_ascii(h, doc, "authentication", krl_of_array(m.lists[DID_SIGNS])) &&
              krl_map_set_ascii(h, doc, "verificationMethod", krl_of_array(m.methods)) &&
              krl_map_set_ascii(h, doc, "service", krl_of_array(m.services));
    return ok ? krl_of_map(doc) : krl_failed();
}

/* --- keys --- */

/* A member whose key is any text. */
static struct krl_value at(struct activation *a, struct krl_value map, struct str key)
{
    const struct krl_text *text = map.type == KRL_MAP ? krl_text(&a->m.heap, key) : NULL;
    const struct krl_value *v = text == NULL ? NULL : krl_map_get(map.map, text);
    return v == NULL ? krl_null() : *v;
}

struct krl_value did_document(const struct did_known *k, struct str did)
{
    struct krl_value doc = at(k->a, k->docs, did);
    if (krl_failing(&k->a->m.heap))
        return krl_failed();
    return doc.type == KRL_MAP ? doc : did_resolve(k->a, did);
}

size_t did_kids(const struct did_known *k, struct str url, enum did_use use,
                struct str ret[DID_KEYS_MAX])
{
    struct krl_value doc = did_document(k, did_of(url));
    struct krl_value list = encoded_field(doc, uses[use].relation);
    bool one = did_of(url).n < url.n;
    size_t n = 0;
    for (uint32_t i = 0; list.type == KRL_ARRAY && i < list.array->n && n < DID_KEYS_MAX; i++) {
        struct krl_value v = list.array->v[i];
        struct str kid = v.type == KRL_TEXT ? text_of(k->a, v) : STR("");
        if (kid.n > 0 && (!one || str_eq(kid, url)))
            ret[n++] = kid;
    }
    return n;
}

static bool read_jwk(struct activation *a, struct krl_value jwk, const char *member,
                     enum did_use use, uint8_t ret[JOSE_KEY])
{
    struct str bytes;
    if (!str_eq(encoded_text(a, jwk, "crv"), str_c(uses[use].curve)) ||
        !encoded_bytes(a, jwk, member, JOSE_KEY, &bytes))
        return false;
    memcpy(ret, bytes.p, JOSE_KEY);
    return true;
}

/* The key of a method, in one of three forms. */
static bool read_method(struct activation *a, struct krl_value method, enum did_use use,
                        uint8_t ret[JOSE_KEY])
{
    uint8_t codec[CODEC];
    struct str type = encoded_text(a, method, "type");
    struct str multi = encoded_text(a, method, "publicKeyMultibase");
    if (str_eq(type, STR("JsonWebKey2020")))
        return read_jwk(a, encoded_field(method, "publicKeyJwk"), "x", use, ret);
    if (str_eq(type, str_c(uses[use].types[0])))
        return base58_read(encoded_text(a, method, "publicKeyBase58"), ret, JOSE_KEY);
    return str_eq(type, str_c(uses[use].types[1])) && str_starts(multi, STR("z")) &&
           read_multikey(str_sub(multi, 1, multi.n), ret, codec) &&
           memcmp(codec, uses[use].codec, CODEC) == 0;
}

bool did_public(const struct did_known *k, struct str kid, enum did_use use, uint8_t ret[JOSE_KEY])
{
    struct str kids[DID_KEYS_MAX];
    struct krl_value doc = did_document(k, did_of(kid));
    struct krl_value methods = encoded_field(doc, "verificationMethod");
    if (did_of(kid).n == kid.n || did_kids(k, kid, use, kids) == 0)
        return false;
    for (uint32_t i = 0; methods.type == KRL_ARRAY && i < methods.array->n; i++)
        if (krl_pay(&k->a->m.heap, 1) && str_eq(encoded_text(k->a, methods.array->v[i], "id"), kid))
            return read_method(k->a, methods.array->v[i], use, ret);
    return false;
}

bool did_secret(const struct did_known *k, struct str kid, enum did_use use, uint8_t ret[JOSE_KEY])
{
    struct krl_value secret = at(k->a, k->secrets, kid);
    return read_jwk(k->a, encoded_field(secret, "privateKeyJwk"), "d", use, ret);
}

struct krl_value did_secret_value(struct activation *a, struct str kid, enum did_use use,
                                  const uint8_t public[JOSE_KEY], const uint8_t secret[JOSE_KEY])
{
    struct krl_map *all = krl_map_new(&a->m.heap, 4);
    struct krl_map *jwk = krl_map_new(&a->m.heap, 4);
    bool ok =
        all != NULL && jwk != NULL && encoded_put(a, jwk, "crv", str_c(uses[use].curve)) &&
        encoded_put(a, jwk, "d", base64_of(a, str_n((const char *)secret, JOSE_KEY), false)) &&
        encoded_put(a, jwk, "x", base64_of(a, str_n((const char *)public, JOSE_KEY), false)) &&
        encoded_put(a, jwk, "kty", STR("OKP")) && encoded_put(a, all, "id", kid) &&
        encoded_put(a, all, "type", STR("JsonWebKey2020")) &&
        krl_map_set_ascii(&a->m.heap, all, "privateKeyJwk", krl_of_map(jwk));
    return ok ? krl_of_map(all) : krl_failed();
}
