/*
 * Messages from strangers: didcomm_unpack gives the message that was packed, or null, or the budget
 * ends. An input is a message, or a "p" and what its "protected" is before base64, and goes to one
 * who can open the seeds. Only they are opened: no other input can be made without the keys. After
 * a "d" it is a DID, which says a document or none.
 */
#include "fuzz.h"

#include "krl/lib.h"
#include "pico/didcomm.h"

#include <sodium.h>

enum { HEAP_BYTES = 32 * 1024 * 1024, STEPS = 1000 * 1000, INPUT_MAX = 64 * 1024 };

static const uint64_t seed[2] = {1, 2};

static const char secrets[] =
    "{\"did:peer:2.Ez6LStVBWuM5M3YRoWRs3yY3ix5BH4GJN5dy96MUzEZE1uhPS.Vz6MkiJ"
    "RhVxMEGht44UWZSvvBbhmEvg5shjuSsJJvxk4m1wmF.SeyJ0IjoiZG0iLCJzIjoiaHR0cD"
    "ovL2gvc2t5L2V2ZW50L2EwL25vbmUvZGlkby9kaWRjb21tdjJfbWVzc2FnZSIsImEiOlsi"
    "ZGlkY29tbS92MiIsImRpZGNvbW0vYWlwMjtlbnY9cmZjNTg3Il19#6LStVBWuM5M3YRoWR"
    "s3yY3ix5BH4GJN5dy96MUzEZE1uhPS\":{\"id\":\"did:peer:2.Ez6LStVBWuM5M3YRoWRs"
    "3yY3ix5BH4GJN5dy96MUzEZE1uhPS.Vz6MkiJRhVxMEGht44UWZSvvBbhmEvg5shjuSsJJ"
    "vxk4m1wmF.SeyJ0IjoiZG0iLCJzIjoiaHR0cDovL2gvc2t5L2V2ZW50L2EwL25vbmUvZGl"
    "kby9kaWRjb21tdjJfbWVzc2FnZSIsImEiOlsiZGlkY29tbS92MiIsImRpZGNvbW0vYWlwM"
    "jtlbnY9cmZjNTg3Il19#6LStVBWuM5M3YRoWRs3yY3ix5BH4GJN5dy96MUzEZE1uhPS\",\""
    "type\":\"JsonWebKey2020\",\"privateKeyJwk\":{\"crv\":\"X25519\",\"d\":\"WPQlLVkaBW"
    "acqMQJdC4hZSbOO6RKKMfv06YmHx-L7lU\",\"x\":\"-cWvp8UBcnkH1bfKilp1frafTf8MIO"
    "knhTA1wJu023U\",\"kty\":\"OKP\"}},\"did:peer:2.Ez6LStVBWuM5M3YRoWRs3yY3ix5BH"
    "4GJN5dy96MUzEZE1uhPS.Vz6MkiJRhVxMEGht44UWZSvvBbhmEvg5shjuSsJJvxk4m1wmF"
    ".SeyJ0IjoiZG0iLCJzIjoiaHR0cDovL2gvc2t5L2V2ZW50L2EwL25vbmUvZGlkby9kaWRj"
    "b21tdjJfbWVzc2FnZSIsImEiOlsiZGlkY29tbS92MiIsImRpZGNvbW0vYWlwMjtlbnY9cm"
    "ZjNTg3Il19#6MkiJRhVxMEGht44UWZSvvBbhmEvg5shjuSsJJvxk4m1wmF\":{\"id\":\"did"
    ":peer:2.Ez6LStVBWuM5M3YRoWRs3yY3ix5BH4GJN5dy96MUzEZE1uhPS.Vz6MkiJRhVxM"
    "EGht44UWZSvvBbhmEvg5shjuSsJJvxk4m1wmF.SeyJ0IjoiZG0iLCJzIjoiaHR0cDovL2g"
    "vc2t5L2V2ZW50L2EwL25vbmUvZGlkby9kaWRjb21tdjJfbWVzc2FnZSIsImEiOlsiZGlkY"
    "29tbS92MiIsImRpZGNvbW0vYWlwMjtlbnY9cmZjNTg3Il19#6MkiJRhVxMEGht44UWZSvv"
    "BbhmEvg5shjuSsJJvxk4m1wmF\",\"type\":\"JsonWebKey2020\",\"privateKeyJwk\":{\"c"
    "rv\":\"Ed25519\",\"d\":\"Fq_4lniW60VIeBPdP-ypD77IofB9qSNJJB4bjXkx4F0\",\"x\":\"O"
    "Stvj4EjHPxTA1B47A4IZFICG2NQmNRg7zqNkJBD8H4\",\"kty\":\"OKP\"}}}";

/* The message of an input. */
static struct str message(struct arena *arena, const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != 'p')
        return str_n((const char *)data, size);
    size_t room = sodium_base64_encoded_len(size - 1, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_bytes(arena, room);
    (void)sodium_bin2base64(text, room, data + 1, size - 1,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return arena_fmt(arena,
                     "{\"protected\":\"%s\",\"recipients\":[{\"header\":{\"kid\":\"x\"}}],"
                     "\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":\"AA\",\"tag\":"
                     "\"AAAAAAAAAAAAAAAAAAAAAA\"}",
                     text);
}

static void unpack(struct activation *a, struct str text)
{
    struct didcomm d = {.known = {.a = a}};
    const struct krl_text *read = str_is_utf8(text) ? krl_text(&a->m.heap, text) : NULL;
    d.known.secrets = krl_json_parse(&a->m.heap, krl_text(&a->m.heap, str_c(secrets)));
    struct krl_value input = read == NULL ? krl_failed() : krl_json_parse(&a->m.heap, read);
    if (krl_is_failed(input))
        return;
    struct krl_value both = didcomm_unpack(&d, input);
    if (both.type != KRL_ARRAY) {
        ASSERT(krl_failing(&a->m.heap) || d.why != NULL);
        return;
    }
    const struct krl_value *about = &both.array->v[1];
    const struct krl_value *body = krl_map_find(both.array->v[0].map, "body");
    bool plain = !krl_map_find(about->map, "encrypted")->truth &&
                 !krl_map_find(about->map, "authenticated")->truth;
    const struct krl_value *said = body->type == KRL_MAP ? krl_map_find(body->map, "text") : NULL;
    ASSERT(plain || (said != NULL && str_eq(text_of(a, *said), STR("h\xC3\xA9 \xE2\x98\x83"))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct arena own;
    struct activation a = {.arena_own = &own};
    if (size > INPUT_MAX)
        return 0;
    arena_init(&arena, HEAP_BYTES);
    arena_init(&own, HEAP_BYTES);
    krl_heap_init(&a.m.heap, &arena, STEPS, seed);
    struct str text = message(&own, data, size);
    if (size > 0 && data[0] == 'd') {
        struct krl_value doc = did_resolve(&a, text);
        ASSERT(doc.type == KRL_MAP || doc.type == KRL_NULL || krl_failing(&a.m.heap));
    } else {
        unpack(&a, text);
    }
    arena_fini(&own);
    arena_fini(&arena);
    return 0;
}
