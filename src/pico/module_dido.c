/*
 * dido: DIDComm Messaging 2.0 between picos, and with other agents. What it keeps is in entity
 * variables of the ruleset whose code calls it, under the official engine's names, and so goes
 * where the pico goes: didDocs and didSecrets by DID and by key, didMap (theirs: mine),
 * pendingRotations, routes. Of a query nothing is kept: there, what would keep something is an
 * error.
 */
#include "pico/didcomm.h"

#include "krl/lib.h"
#include "pico/encoded.h"

#include <sodium.h>

enum {
    STEPS_CURVE = 2000,
    SCRATCH_BYTES = 32 * 1024 * 1024,
    ENDPOINT_MAX = 1024,
};

#define DID_O      "io.picolabs.did-o"
#define TAG_INVITE "did_invite"
#define DOMAIN     "dido"
#define NAME       "didcommv2_message"
#define TYPE_EVENT "https://picolabs.io/event/1.0/event"
#define TYPE_QUERY "https://picolabs.io/query/1.0/query"

/* --- what is kept --- */

static struct str running(struct activation *a)
{
    const struct krl_instance *i = krl_machine_running(&a->m);
    return i == NULL ? a->m.root->code->rid : i->code->rid;
}

/* A map of the ruleset; null where it is not set. */
static struct krl_value kept(struct activation *a, struct str rid, const char *name)
{
    const struct krl_text *key = krl_text(&a->m.heap, str_c(name));
    return key == NULL ? krl_failed() : a->host.ent_get(&a->host, &a->m, rid, key);
}

static bool keep(struct activation *a, const char *name, struct krl_value v)
{
    const struct krl_text *key = krl_text(&a->m.heap, str_c(name));
    return key != NULL && !krl_is_failed(v) && a->host.ent_put(&a->host, &a->m, running(a), key, v);
}

static bool keep_empty(struct activation *a, const char *name)
{
    return keep(a, name, krl_of_map(krl_map_new(&a->m.heap, 0)));
}

/* One member of a map that is kept. */
static bool keep_member(struct activation *a, const char *name, struct str key, struct krl_value v)
{
    struct krl_value all = kept(a, running(a), name);
    const struct krl_text *text = krl_text(&a->m.heap, key);
    const struct krl_map *m = all.type == KRL_MAP ? all.map : krl_map_new(&a->m.heap, 1);
    if (text == NULL || m == NULL || krl_is_failed(v))
        return false;
    return keep(a, name, krl_of_map(krl_map_put(&a->m.heap, m, text, v)));
}

static struct krl_value member(struct activation *a, struct krl_value map, struct str key)
{
    const struct krl_text *text = map.type == KRL_MAP ? krl_text(&a->m.heap, key) : NULL;
    const struct krl_value *v = text == NULL ? NULL : krl_map_get(map.map, text);
    return v == NULL ? krl_undefined() : *v;
}

static bool drop_member(struct activation *a, const char *name, struct str key)
{
    struct krl_value all = kept(a, running(a), name);
    const struct krl_text *text = krl_text(&a->m.heap, key);
    if (all.type != KRL_MAP || text == NULL || krl_map_get(all.map, text) == NULL)
        return text != NULL;
    return keep(a, name, krl_of_map(krl_map_without(&a->m.heap, all.map, text)));
}

static struct didcomm known(struct activation *a, struct str rid)
{
    return (struct didcomm){
        .known = {.a = a, .docs = kept(a, rid, "didDocs"), .secrets = kept(a, rid, "didSecrets")}};
}

/* Bytes on the way lie in an arena of the call, so that many calls take no more than one. What is
 * answered is in the heap. */
struct scratch {
    struct arena arena;
    struct arena *own;
};

static void scratch_begin(struct activation *a, struct scratch *s)
{
    s->own = a->arena_own;
    arena_init(&s->arena, SCRATCH_BYTES);
    a->arena_own = &s->arena;
}

static void scratch_end(struct activation *a, struct scratch *s)
{
    a->arena_own = s->own;
    arena_fini(&s->arena);
}

static struct str text_at(struct activation *a, const struct krl_value *args, size_t n, size_t i)
{
    struct krl_value v = krl_arg(args, n, i);
    return krl_is_null(v) ? STR("") : text_of(a, v);
}

/* True, or a failure. */
static struct krl_value done(bool ok, struct krl_value v)
{
    return ok ? v : krl_failed();
}

/* Noted in the log of the pico: what is wrong with a message is no error of the ruleset. */
static struct krl_value refuse(struct activation *a, const char *what, const char *why,
                               struct krl_value about)
{
    struct arena arena;
    if (krl_failing(&a->m.heap))
        return krl_failed();
    arena_init(&arena, SCRATCH_BYTES);
    struct str text = arena_fmt(&arena, "%s: %s", what, why == NULL ? "it cannot be read" : why);
    activation_log(a, "error", text, about);
    arena_fini(&arena);
    return krl_null();
}

/* --- documents --- */

static struct krl_value store_doc(struct activation *a, struct krl_value input)
{
    struct scratch s;
    struct krl_value doc = input;
    scratch_begin(a, &s);
    if (input.type == KRL_TEXT)
        doc = did_resolve(a, text_of(a, input));
    scratch_end(a, &s);
    if (doc.type != KRL_MAP || encoded_field(doc, "id").type != KRL_TEXT)
        return refuse(a, "dido:storeDidDoc", "no document, and no DID that says one", input);
    return done(keep_member(a, "didDocs", encoded_text(a, doc, "id"), doc), doc);
}

static struct krl_value store_did_doc(struct activation *a, const struct krl_value *args, size_t n)
{
    return store_doc(a, krl_arg(args, n, 0));
}

static struct krl_value delete_did(struct activation *a, const struct krl_value *args, size_t n)
{
    if (kept(a, running(a), "didDocs").type != KRL_MAP)
        return krl_failing(&a->m.heap) ? krl_failed() : krl_bool(false);
    return done(drop_member(a, "didDocs", text_at(a, args, n, 0)), krl_bool(true));
}

static struct krl_value update_did(struct activation *a, const struct krl_value *args, size_t n)
{
    if (kept(a, running(a), "didDocs").type != KRL_MAP)
        return krl_failing(&a->m.heap) ? krl_failed() : krl_bool(false);
    bool ok = keep_member(a, "didDocs", text_at(a, args, n, 0), krl_arg(args, n, 1));
    return done(ok, krl_bool(true));
}

static struct krl_value clear_did_docs(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return done(keep_empty(a, "didDocs"), krl_undefined());
}

/* --- channels --- */

/* As a tag: what cleaning makes of it. */
static struct krl_value tag_of(struct activation *a, struct str did)
{
    char *text = arena_bytes(a->arena_own, did.n + 1);
    for (size_t i = 0; i < did.n; i++) {
        char c = did.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        text[i] = upper ? (char)(c + ('a' - 'A')) : c;
        if (c == ':' || c == '.')
            text[i] = '-';
    }
    return value_of(a, str_n(text, did.n));
}

static bool has_tag(struct krl_value channel, struct krl_value tag)
{
    struct krl_value tags = encoded_field(channel, "tags");
    for (uint32_t i = 0; tags.type == KRL_ARRAY && tag.type == KRL_TEXT && i < tags.array->n; i++)
        if (tags.array->v[i].type == KRL_TEXT && krl_text_eq(tags.array->v[i].text, tag.text))
            return true;
    return false;
}

/* Null where there is none. */
static struct krl_value find_channel(struct activation *a, struct str eci)
{
    struct krl_value list = channel_list(a);
    for (uint32_t i = 0; list.type == KRL_ARRAY && i < list.array->n; i++)
        if (str_eq(encoded_text(a, list.array->v[i], "id"), eci))
            return list.array->v[i];
    return krl_null();
}

static bool drop_channels(struct activation *a, struct str did)
{
    struct krl_value list = channel_list(a);
    struct krl_value tag = tag_of(a, did);
    for (uint32_t i = 0; list.type == KRL_ARRAY && i < list.array->n; i++) {
        struct krl_value id = encoded_field(list.array->v[i], "id");
        if (has_tag(list.array->v[i], tag) && krl_is_failed(channel_drop(a, &id, 1)))
            return false;
    }
    return !krl_failing(&a->m.heap);
}

static struct krl_value add_labels(struct activation *a, struct str eci, struct krl_value labels)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value channel = find_channel(a, eci);
    struct krl_value was = encoded_field(channel, "tags");
    struct krl_array *tags = krl_array_reserve(h, 4);
    if (was.type != KRL_ARRAY)
        krl_fail(h, RC_NOT_FOUND, "Error: ECI not found %.*s", STRF(eci));
    for (uint32_t i = 0; was.type == KRL_ARRAY && tags != NULL && i < was.array->n; i++)
        if (!krl_array_add(h, tags, was.array->v[i]))
            return krl_failed();
    size_t more = labels.type == KRL_ARRAY ? labels.array->n : 1;
    for (size_t i = 0; i < more && tags != NULL && !krl_failing(h); i++)
        if (!krl_array_add(h, tags, labels.type == KRL_ARRAY ? labels.array->v[i] : labels))
            return krl_failed();
    const struct krl_value args[] = {value_of(a, eci), krl_of_array(tags), krl_undefined(),
                                     krl_undefined()};
    if (krl_failing(h) || krl_is_failed(channel_put(a, args, COUNT(args))))
        return krl_failed();
    return krl_undefined();
}

static struct krl_value changes_nothing(struct activation *a)
{
    krl_fail(&a->m.heap, RC_INVALID, "Error: a query changes nothing");
    return krl_failed();
}

static struct krl_value add_labels_to_channel(struct activation *a, const struct krl_value *args,
                                              size_t n)
{
    if (a->commit == NULL)
        return changes_nothing(a);
    return add_labels(a, text_at(a, args, n, 0), krl_arg(args, n, 1));
}

/* --- DIDs --- */

static struct krl_value rule(struct activation *a, const char *first_key, struct str first,
                             const char *name)
{
    struct krl_map *m = krl_map_new(&a->m.heap, 2);
    if (m == NULL || !encoded_put(a, m, first_key, first) ||
        !encoded_put(a, m, "name", str_c(name)))
        return krl_failed();
    return krl_of_map(m);
}

static struct krl_value policy(struct activation *a, const struct krl_value *allow, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *m = krl_map_new(h, 2);
    struct krl_array *list = krl_array_reserve(h, n);
    struct krl_array *none = krl_array_new(h, 0);
    for (size_t i = 0; i < n && list != NULL; i++)
        if (!krl_array_add(h, list, allow[i]))
            return krl_failed();
    if (m == NULL || krl_failing(h) || !krl_map_set_ascii(h, m, "allow", krl_of_array(list)) ||
        !krl_map_set_ascii(h, m, "deny", krl_of_array(none)))
        return krl_failed();
    return krl_of_map(m);
}

/* A channel for messages; its id. Empty: an error. */
static struct str new_channel(struct activation *a, bool invites)
{
    struct krl_array *tags = krl_array_reserve(&a->m.heap, 1);
    const struct krl_value events[] = {rule(a, "domain", STR(DOMAIN), NAME),
                                       rule(a, "domain", STR(DOMAIN), "dido_send_response")};
    const struct krl_value queries[] = {rule(a, "rid", running(a), "*")};
    struct krl_value args[] = {krl_of_array(tags), policy(a, events, COUNT(events)),
                               policy(a, queries, COUNT(queries))};
    if (krl_failing(&a->m.heap) ||
        (invites && !krl_array_add(&a->m.heap, tags, krl_ascii(&a->m.heap, TAG_INVITE))))
        return STR("");
    return encoded_text(a, channel_new(a, args, COUNT(args)), "id");
}

/* New keys, their DID and secrets; the document. */
static struct krl_value make_did(struct activation *a, struct str eci, struct str *ret)
{
    uint8_t secret[2][JOSE_KEY];
    uint8_t public[2][JOSE_KEY];
    uint8_t whole[crypto_sign_SECRETKEYBYTES];
    struct krl_value doc = krl_failed();
    struct str endpoint = arena_fmt(a->arena_own, "%.*s/sky/event/%.*s/none/" DOMAIN "/" NAME,
                                    STRF(a->e->o.base_url), STRF(eci));
    for (size_t i = 0; i < 2; i++)
        encoded_chance(a, secret[i], JOSE_KEY);
    (void)crypto_scalarmult_base(public[DID_ENCRYPTS], secret[DID_ENCRYPTS]); /* always 0 */
    (void)crypto_sign_seed_keypair(public[DID_SIGNS], whole, secret[DID_SIGNS]);
    *ret = did_peer(a, (const uint8_t(*)[JOSE_KEY]) public, endpoint);
    if (ret->n > 0)
        doc = did_resolve(a, *ret);
    for (enum did_use use = DID_ENCRYPTS; use <= DID_SIGNS && !krl_is_failed(doc); use++) {
        struct str kid = did_kid(a, *ret, use, public[use]);
        struct krl_value v = did_secret_value(a, kid, use, public[use], secret[use]);
        if (!keep_member(a, "didSecrets", kid, v))
            doc = krl_failed();
    }
    sodium_memzero(whole, sizeof whole);
    sodium_memzero(secret, sizeof secret);
    return doc;
}

static struct krl_value new_did(struct activation *a, bool invites)
{
    struct scratch s;
    struct str did;
    if (a->commit == NULL)
        return changes_nothing(a);
    struct str eci = krl_pay(&a->m.heap, 2 * STEPS_CURVE) ? new_channel(a, invites) : STR("");
    if (eci.n == 0)
        return krl_failed();
    scratch_begin(a, &s);
    struct krl_value doc = make_did(a, eci, &did);
    struct krl_value tag = krl_is_failed(doc) ? doc : value_of(a, did);
    scratch_end(a, &s);
    if (krl_is_failed(tag) || krl_is_failed(store_doc(a, doc)) ||
        krl_is_failed(add_labels(a, eci, tag)))
        return krl_failed();
    return doc;
}

static struct krl_value generate_did(struct activation *a, const struct krl_value *args, size_t n)
{
    return new_did(a, krl_truthy(krl_arg(args, n, 0)));
}

static struct krl_value map_did(struct activation *a, const struct krl_value *args, size_t n)
{
    return done(keep_member(a, "didMap", text_at(a, args, n, 0), krl_arg(args, n, 1)),
                krl_undefined());
}

static struct krl_value clear_did_map(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return done(keep_empty(a, "didMap"), krl_undefined());
}

/* Wherever the old one is, theirs or mine, the new one is. */
static bool rename_in_map(struct activation *a, struct str old, struct krl_value new)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value all = kept(a, running(a), "didMap");
    if (all.type != KRL_MAP)
        return !krl_failing(h);
    struct krl_map *ret = krl_map_new(h, all.map->n);
    for (size_t i = 0; i < all.map->n && ret != NULL; i++) {
        const struct krl_entry *e = krl_map_at(all.map, i);
        bool theirs = str_eq(krl_text_utf8(h, e->key, false), old);
        bool mine = !theirs && e->value.type == KRL_TEXT && str_eq(text_of(a, e->value), old);
        if (!krl_map_set(h, ret, theirs ? new.text : e->key, mine ? new : e->value))
            return false;
    }
    return keep(a, "didMap", krl_of_map(ret));
}

/* As DIDComm counts: whole seconds. */
static double seconds_now(const struct activation *a)
{
    int64_t seconds = clock_now(a->e->clock) / US_PER_SECOND;
    return (double)seconds;
}

static struct krl_value rotate(struct activation *a, struct str old)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_map *claims = krl_map_new(h, 4);
    struct krl_value doc = new_did(a, false);
    struct krl_value new = encoded_field(doc, "id");
    double now = seconds_now(a);
    if (krl_is_failed(doc) || claims == NULL || !rename_in_map(a, old, new) ||
        !encoded_put(a, claims, "iss", old) || !krl_map_set_ascii(h, claims, "sub", new) ||
        !krl_map_set_ascii(h, claims, "iat", krl_number(now)) ||
        !keep_member(a, "pendingRotations", text_of(a, new), krl_of_map(claims)))
        return krl_failed();
    return doc;
}

static struct krl_value rotate_did(struct activation *a, const struct krl_value *args, size_t n)
{
    return rotate(a, text_at(a, args, n, 0));
}

static bool is_rotated(struct activation *a, struct str did)
{
    struct krl_value all = kept(a, running(a), "pendingRotations");
    for (size_t i = 0; all.type == KRL_MAP && i < all.map->n; i++)
        if (str_eq(encoded_text(a, krl_map_at(all.map, i)->value, "iss"), did))
            return true;
    return false;
}

/* Somebody took an invitation: he gets a DID that only he knows. */
static struct krl_value rotate_invite(struct activation *a, const struct krl_value *args, size_t n)
{
    struct str mine = text_at(a, args, n, 0);
    struct krl_value theirs = krl_arg(args, n, 1);
    struct krl_value tag = krl_ascii(&a->m.heap, TAG_INVITE);
    if (a->commit == NULL)
        return changes_nothing(a);
    if (!has_tag(find_channel(a, a->eci), tag) || is_rotated(a, mine) || krl_is_null(theirs))
        return krl_failing(&a->m.heap) ? krl_failed() : krl_undefined();
    bool ok = !krl_is_failed(store_doc(a, theirs)) &&
              keep_member(a, "didMap", text_of(a, theirs), krl_arg(args, n, 0)) &&
              !krl_is_failed(rotate(a, mine));
    return done(ok, krl_undefined());
}

static struct krl_value clear_pending(struct activation *a, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    return done(keep_empty(a, "pendingRotations"), krl_undefined());
}

/* --- messages --- */

static struct krl_value pack_message(struct activation *a, struct str rid, struct krl_value message,
                                     struct str from, struct str to)
{
    struct scratch s;
    struct didcomm d = known(a, rid);
    scratch_begin(a, &s);
    struct krl_value v = didcomm_pack(&d, message, from, to);
    scratch_end(a, &s);
    return v.type == KRL_NULL ? refuse(a, "a message cannot be packed", d.why, message) : v;
}

static struct krl_value pack(struct activation *a, const struct krl_value *args, size_t n)
{
    return pack_message(a, running(a), krl_arg(args, n, 0), text_at(a, args, n, 1),
                        text_at(a, args, n, 2));
}

static struct krl_value unpack_message(struct activation *a, struct krl_value message)
{
    struct scratch s;
    struct didcomm d = known(a, running(a));
    scratch_begin(a, &s);
    struct krl_value v = didcomm_unpack(&d, message);
    scratch_end(a, &s);
    return v.type == KRL_NULL ? refuse(a, "a message cannot be unpacked", d.why, message) : v;
}

static struct krl_value unpack(struct activation *a, const struct krl_value *args, size_t n)
{
    return unpack_message(a, krl_arg(args, n, 0));
}

/* The claim of a rotation that the other side does not know of yet; undefined: there is none. */
static struct krl_value prior_of(struct activation *a, struct str rid, struct krl_value from)
{
    struct scratch s;
    struct krl_value all = kept(a, rid, "pendingRotations");
    struct krl_value claims = from.type == KRL_TEXT ? member(a, all, text_of(a, from)) : all;
    struct didcomm d = known(a, rid);
    if (from.type != KRL_TEXT || claims.type != KRL_MAP)
        return krl_undefined();
    scratch_begin(a, &s);
    struct krl_value v = didcomm_prior(&d, claims);
    scratch_end(a, &s);
    return v.type == KRL_NULL ? krl_undefined() : v;
}

static struct krl_value make_message(struct activation *a, struct str rid, struct krl_value options)
{
    static const char *const given[] = {"type", "body", "from", "to", "thid", "pthid"};
    struct krl_heap *h = &a->m.heap;
    struct krl_map *m = krl_map_new(h, 16);
    struct krl_value expires = encoded_field(options, "expires_time");
    struct krl_value prior = prior_of(a, rid, encoded_field(options, "from"));
    double now = seconds_now(a);
    double wait = 0;
    char id[ECI_N + 1];
    chance_eci(a->e, id);
    if (m == NULL || krl_is_failed(prior) || !encoded_put(a, m, "id", str_c(id)) ||
        !encoded_put(a, m, "typ", STR("application/didcomm-plain+json")))
        return krl_failed();
    for (size_t i = 0; i < COUNT(given); i++)
        if (!krl_map_set_ascii(h, m, given[i], member(a, options, str_c(given[i]))))
            return krl_failed();
    if (!krl_map_set_ascii(h, m, "created_time", krl_number(now)) ||
        !krl_map_set_ascii(h, m, "attachments", member(a, options, STR("attachments"))))
        return krl_failed();
    if (krl_truthy(expires) && krl_to_number(expires, &wait) &&
        !krl_map_set_ascii(h, m, "expires_time", krl_number(now + wait)))
        return krl_failed();
    if (prior.type == KRL_TEXT && !krl_map_set_ascii(h, m, "from_prior", prior))
        return krl_failed();
    return krl_of_map(m);
}

static struct krl_value generate_message(struct activation *a, const struct krl_value *args,
                                         size_t n)
{
    return make_message(a, running(a), krl_arg(args, n, 0));
}

static struct krl_value create_invite_url(struct activation *a, const struct krl_value *args,
                                          size_t n)
{
    struct str host = a->e->o.base_url;
    struct str code = text_at(a, args, n, 0);
    if (str_has(host, STR("localhost")))
        host = STR("http://example.com");
    struct krl_builder b;
    krl_builder_init(&b, &a->m.heap);
    bool ok = krl_add_value(&b, value_of(a, host)) &&
              krl_add_value(&b, krl_ascii(&a->m.heap, "/invite?_oob=")) &&
              krl_add_value(&b, value_of(a, code));
    return ok ? krl_of_text(krl_builder_text(&b)) : krl_failed();
}

/* --- sending --- */

/* Where messages for a DID go. */
struct place {
    struct krl_value url;
    bool pico; /* a channel of an engine */
    struct krl_value host;
    struct str eci;
    struct krl_value names[2];
};

/* BASE/sky/event/ECI/EID/DOMAIN/NAME */
static void read_place(struct activation *a, struct str url, struct place *ret)
{
    const struct str road = STR("/sky/event/");
    size_t at = 0;
    while (at < url.n && !str_starts(str_sub(url, at, url.n), road))
        at++;
    struct str rest = str_sub(url, min_size(url.n, at + road.n), url.n);
    struct str parts[4] = {{0}};
    for (size_t i = 0; i < COUNT(parts); i++)
        parts[i] = str_cut(&rest, '/');
    ret->pico = at < url.n && rest.n == 0 && !str_has(url, STR("?")) && !str_has(url, STR("%"));
    for (size_t i = 0; i < COUNT(parts); i++)
        ret->pico = ret->pico && parts[i].n > 0;
    struct str host = str_sub(url, 0, at);
    bool here = str_eq(host, a->e->o.base_url);
    ret->host = here ? krl_undefined() : value_of(a, host);
    ret->eci = parts[0];
    ret->names[0] = value_of(a, parts[2]);
    ret->names[1] = value_of(a, parts[3]);
}

/* False: an error, or the DID has none. */
static bool find_place(struct activation *a, struct str rid, struct str did, struct place *ret)
{
    struct scratch s;
    struct didcomm d = known(a, rid);
    scratch_begin(a, &s);
    struct krl_value doc = did_document(&d.known, did);
    scratch_end(a, &s);
    struct krl_value services = encoded_field(doc, "service");
    struct krl_value first =
        services.type == KRL_ARRAY && services.array->n > 0 ? services.array->v[0] : krl_null();
    ret->url = encoded_field(encoded_field(first, "serviceEndpoint"), "uri");
    struct str url = ret->url.type == KRL_TEXT ? text_of(a, ret->url) : STR("");
    if (url.n == 0 || url.n > ENDPOINT_MAX)
        return false;
    read_place(a, url, ret);
    return !krl_failing(&a->m.heap);
}

static struct krl_value send(struct activation *a, const struct krl_value *args, size_t n)
{
    struct place to;
    struct str did = text_at(a, args, n, 0);
    struct krl_value message = krl_arg(args, n, 1);
    if (a->commit == NULL)
        return changes_nothing(a);
    if (!find_place(a, running(a), did, &to))
        return refuse(a, "a message cannot be sent", "the DID says no endpoint", message);
    struct krl_value packed =
        pack_message(a, running(a), message, encoded_text(a, message, "from"), did);
    if (packed.type != KRL_MAP)
        return packed;
    struct krl_value sent = to.pico
                                ? activation_send(a, value_of(a, to.eci), to.names, packed, to.host)
                                : notify_post(a, to.url, packed);
    return krl_is_failed(sent) ? sent : krl_undefined();
}

/* An error that the asked one made is no error of the one who asks; its sentence. False: it is one,
 * or the activation is to be begun anew. */
static bool forgive(struct activation *a, struct str *ret)
{
    enum rc rc = a->m.heap.err.rc;
    bool mild = rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_FORBIDDEN || rc == RC_CONFLICT ||
                rc == RC_UNSUPPORTED;
    if (!mild || a->wants_slow || a->wants_settle || a->wants_rest)
        return false;
    *ret = arena_str(a->arena_own, err_text(&a->m.heap.err));
    err_clear(&a->m.heap.err);
    return true;
}

/* The options of the first directive. */
static struct krl_value first_directive(struct activation *a, struct krl_value reply)
{
    struct krl_value list = encoded_field(reply, "directives");
    if (list.type != KRL_ARRAY || list.array->n == 0)
        return refuse(a, "a query by DID", "there is no answer", reply);
    return encoded_field(list.array->v[0], "options");
}

static struct krl_value ask_pico(struct activation *a, const struct place *to,
                                 struct krl_value packed)
{
    struct str why;
    struct pico_request r = {.ask = PICO_EVENT_WAIT,
                             .eci = to->eci,
                             .domain = text_of(a, to->names[0]),
                             .name = text_of(a, to->names[1]),
                             .attrs = activation_json(a, packed)};
    if (krl_failing(&a->m.heap))
        return krl_failed();
    struct krl_value reply = activation_ask(a, &r);
    if (krl_is_failed(reply) && forgive(a, &why))
        return refuse(a, "a query by DID", "the pico refuses", value_of(a, why));
    return krl_is_failed(reply) ? reply : first_directive(a, reply);
}

static struct krl_value ask_url(struct activation *a, struct krl_value url, struct krl_value packed)
{
    struct str why;
    double status = 0;
    struct krl_value reply = http_post_json(a, url, packed);
    if (krl_is_failed(reply) && forgive(a, &why))
        return krl_ascii(&a->m.heap, "Query timed out");
    if (krl_is_failed(reply) || !krl_to_number(encoded_field(reply, "status_code"), &status) ||
        status != 200)
        return reply;
    struct krl_value content = encoded_field(reply, "content");
    struct krl_value read =
        content.type == KRL_TEXT ? krl_json_parse(&a->m.heap, content.text) : krl_null();
    if (krl_is_failed(read) && !krl_failing(&a->m.heap))
        read = krl_null();
    return krl_is_failed(read) ? read : first_directive(a, read);
}

static struct krl_value ask_did(struct activation *a, struct str rid, struct str did,
                                struct krl_value message)
{
    struct place to;
    if (!find_place(a, rid, did, &to))
        return refuse(a, "a query by DID", "the DID says no endpoint", message);
    if (!activation_slow(a))
        return krl_failed();
    struct krl_value packed = pack_message(a, rid, message, encoded_text(a, message, "from"), did);
    if (packed.type != KRL_MAP)
        return packed;
    if (to.pico && to.host.type == KRL_UNDEFINED)
        return ask_pico(a, &to, packed);
    return ask_url(a, to.url, packed);
}

static struct krl_value send_query(struct activation *a, const struct krl_value *args, size_t n)
{
    return ask_did(a, running(a), text_at(a, args, n, 0), krl_arg(args, n, 1));
}

/* A query by what the ruleset did-o knows, whoever calls. */
static struct krl_value prepare_query(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_heap *h = &a->m.heap;
    struct str rid = STR(DID_O);
    struct krl_map *options = krl_map_new(h, 4);
    struct krl_array *to = krl_array_reserve(h, 1);
    if (activation_installed(a, rid) == NULL)
        krl_fail(h, RC_INVALID, "Error: Module not found: %.*s", STRF(rid));
    if (krl_failing(h))
        return krl_failed();
    struct str did = text_at(a, args, n, 0);
    struct krl_value from = member(a, kept(a, rid, "didMap"), did);
    if (!krl_array_add(h, to, krl_arg(args, n, 0)) ||
        !encoded_put(a, options, "type", STR(TYPE_QUERY)) ||
        !krl_map_set_ascii(h, options, "from", from) ||
        !krl_map_set_ascii(h, options, "to", krl_of_array(to)) ||
        !krl_map_set_ascii(h, options, "body", krl_arg(args, n, 1)))
        return krl_failed();
    struct krl_value message = make_message(a, rid, krl_of_map(options));
    return krl_is_failed(message) ? message : ask_did(a, rid, did, message);
}

/* --- what came --- */

static struct krl_value add_route(struct activation *a, const struct krl_value *args, size_t n)
{
    struct krl_map *m = krl_map_new(&a->m.heap, 2);
    if (m == NULL || !krl_map_set_ascii(&a->m.heap, m, "domain", krl_arg(args, n, 1)) ||
        !krl_map_set_ascii(&a->m.heap, m, "name", krl_arg(args, n, 2)))
        return krl_failed();
    return done(keep_member(a, "routes", text_at(a, args, n, 0), krl_of_map(m)), krl_bool(true));
}

/* The sender has another DID than before, which he has proven. */
static bool follow_prior(struct activation *a, struct krl_value prior)
{
    struct krl_value sub = encoded_field(prior, "sub");
    struct str iss = encoded_text(a, prior, "iss");
    if (prior.type != KRL_MAP)
        return true;
    return drop_member(a, "didDocs", iss) && !krl_is_failed(store_doc(a, sub)) &&
           rename_in_map(a, iss, sub);
}

/* A message to the new DID: the other side knows it, and the old one ends. */
static bool end_rotations(struct activation *a, struct krl_value to)
{
    for (uint32_t i = 0; to.type == KRL_ARRAY && i < to.array->n; i++) {
        struct krl_value all = kept(a, running(a), "pendingRotations");
        struct str did = text_of(a, to.array->v[i]);
        struct krl_value claims = member(a, all, did);
        struct str iss = encoded_text(a, claims, "iss");
        if (claims.type == KRL_MAP && (!drop_member(a, "didDocs", iss) || !drop_channels(a, iss) ||
                                       !drop_member(a, "pendingRotations", did)))
            return false;
    }
    return !krl_failing(&a->m.heap);
}

/* Whether the sender is proven, and one that this pico has to do with. */
static bool is_known(struct activation *a, struct krl_value message, struct krl_value about)
{
    struct krl_value authenticated = encoded_field(about, "authenticated");
    struct str from = encoded_text(a, message, "from");
    return authenticated.type == KRL_BOOL && authenticated.truth && from.n > 0 &&
           member(a, kept(a, running(a), "didMap"), from).type == KRL_TEXT;
}

static struct krl_value route_query(struct activation *a, struct krl_value body)
{
    struct krl_machine *m = &a->m;
    const struct krl_machine was = *m;
    struct krl_value ret = krl_null();
    struct krl_value args = encoded_field(body, "args");
    struct str rid = encoded_text(a, body, "rid");
    struct str name = encoded_text(a, body, "name");
    struct str json = krl_is_null(args) ? STR("") : activation_json(a, args);
    struct str why;
    if (krl_failing(&m->heap))
        return krl_failed();
    if (m->nested == KRL_NESTED_MAX) {
        krl_fail(&m->heap, RC_TOO_LARGE, "Error: queries ask one another without end");
        return krl_failed();
    }
    m->nested++;
    bool ok = activation_query(a, rid, name, json, &ret);
    m->nested = was.nested;
    m->root = was.root;
    m->event = was.event;
    if (ok)
        return ret;
    if (!forgive(a, &why))
        return krl_failed();
    m->frames_n = was.frames_n;
    m->stack_n = was.stack_n;
    struct krl_value sentence = value_of(a, why);
    const struct krl_value start = krl_ascii(&m->heap, "Unable to query: ");
    return krl_failing(&m->heap) ? krl_failed() : krl_add(m, start, sentence);
}

static bool route_other(struct activation *a, struct krl_value message, struct krl_value about)
{
    struct krl_heap *h = &a->m.heap;
    struct krl_value routes = kept(a, running(a), "routes");
    struct krl_value route = member(a, routes, encoded_text(a, message, "type"));
    struct krl_map *attrs = krl_map_new(h, 2);
    if (route.type != KRL_MAP)
        return !krl_is_failed(refuse(a, "a message", "there is no route for its type", message));
    return attrs != NULL && krl_map_set_ascii(h, attrs, "message", message) &&
           krl_map_set_ascii(h, attrs, "metadata", about) &&
           activation_raise(a, encoded_field(route, "domain"), encoded_field(route, "name"),
                            krl_of_map(attrs), 0);
}

static struct krl_value route(struct activation *a, const struct krl_value *args, size_t n)
{
    if (a->commit == NULL)
        return changes_nothing(a);
    struct krl_value both = unpack_message(a, krl_arg(args, n, 0));
    if (both.type != KRL_ARRAY)
        return both;
    struct krl_value message = both.array->v[0];
    struct krl_value about = both.array->v[1];
    struct krl_value body = encoded_field(message, "body");
    struct str type = encoded_text(a, message, "type");
    if (!follow_prior(a, encoded_field(about, "from_prior")) ||
        !end_rotations(a, encoded_field(message, "to")))
        return krl_failed();
    bool event = str_eq(type, STR(TYPE_EVENT));
    if (!event && !str_eq(type, STR(TYPE_QUERY)))
        return done(route_other(a, message, about), krl_undefined());
    if (!is_known(a, message, about))
        return refuse(a, "a message", "its sender is nobody that this pico knows", message);
    if (!event)
        return route_query(a, body);
    return done(activation_raise(a, encoded_field(body, "domain"), encoded_field(body, "name"),
                                 encoded_field(body, "attrs"), 0),
                krl_undefined());
}

#define FUNCTION(name, fn, ...)      \
    {                                \
        name, KRL_DOOR_FUNCTION, fn, \
        {                            \
            __VA_ARGS__              \
        }                            \
    }

static const struct member members[] = {
    FUNCTION("generateDID", generate_did, "isInvite", NULL),
    FUNCTION("deleteDID", delete_did, "did", NULL),
    FUNCTION("updateDID", update_did, "did", "newDoc", NULL),
    FUNCTION("rotateDID", rotate_did, "old_did", NULL),
    FUNCTION("rotateInviteDID", rotate_invite, "my_did", "their_did", NULL),
    FUNCTION("clearPendingRotations", clear_pending, NULL),
    FUNCTION("mapDid", map_did, "their_did", "my_did", NULL),
    FUNCTION("clearDidMap", clear_did_map, NULL),
    FUNCTION("clearDidDocs", clear_did_docs, NULL),
    FUNCTION("storeDidDoc", store_did_doc, "input", NULL),
    FUNCTION("unpack", unpack, "message", NULL),
    FUNCTION("pack", pack, "message", "_from", "to", NULL),
    FUNCTION("addRoute", add_route, "type", "domain", "rule", NULL),
    FUNCTION("route", route, "message", NULL),
    FUNCTION("send", send, "did", "message", NULL),
    FUNCTION("prepareQuery", prepare_query, "did", "query", NULL),
    FUNCTION("sendQuery", send_query, "did", "message", NULL),
    FUNCTION("generateMessage", generate_message, "messageOptions", NULL),
    FUNCTION("createInviteUrl", create_invite_url, "base64", NULL),
    FUNCTION("addLabelsToChannel", add_labels_to_channel, "eci", "labels", NULL),
    {NULL, 0, NULL, {NULL}},
};

const struct module module_dido = {"dido", members};
