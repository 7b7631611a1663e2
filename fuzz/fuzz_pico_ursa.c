/*
 * Envelopes from strangers: ursa:unpack gives the text that was packed, or a sentence. An input is
 * an envelope, or a "p" and what its "protected" is before base64, and goes to one who can open the
 * seeds. Only they are opened: no other input can be made without the keys.
 */
#include "fuzz.h"

#include "krl/lib.h"
#include "pico/activation.h"

#include <sodium.h>

enum { HEAP_BYTES = 32 * 1024 * 1024, STEPS = 1000 * 1000, INPUT_MAX = 64 * 1024 };

static const uint64_t seed[2] = {1, 2};

static const char keys[] =
    "{\"ariesPublicKey\":\"9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu\",\"secret\":"
    "{\"ariesPrivateKey\":"
    "\"3L3RY5sT8K4kyEnqhizwaqxLEbcYvpGrGPNEYRwtbCSdSvvMAJawwEEPE3NhshFbVUqmvDV7"
    "4Ct4vo7MEu7yxJX\"}}";

static const struct member *unpack(void)
{
    const struct member *m = module_ursa.members;
    while (strcmp(m->name, "unpack") != 0)
        m++;
    return m;
}

/* The envelope of an input. */
static struct str envelope(struct arena *arena, const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] != 'p')
        return str_n((const char *)data, size);
    size_t room = sodium_base64_encoded_len(size - 1, sodium_base64_VARIANT_URLSAFE);
    char *text = arena_bytes(arena, room);
    (void)sodium_bin2base64(text, room, data + 1, size - 1, sodium_base64_VARIANT_URLSAFE);
    return arena_fmt(
        arena, "{\"protected\":\"%s\",\"iv\":\"vGmZk1LN4mOCWY-k\",\"ciphertext\":\"AA==\"}", text);
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
    struct str text = envelope(&own, data, size);
    const struct krl_value args[2] = {
        krl_of_text(krl_text(&a.m.heap, text)),
        krl_json_parse(&a.m.heap, krl_text(&a.m.heap, str_c(keys))),
    };
    ASSERT(!krl_failing(&a.m.heap));
    struct krl_value v = unpack()->run(&a, args, 2);
    if (krl_is_failed(v) || krl_failing(&a.m.heap)) {
        ASSERT(a.m.heap.err.text_n > 0);
    } else {
        struct str message = text_of(&a, *krl_map_find(v.map, "message"));
        ASSERT(str_eq(message, STR("hello \xE2\x98\x83")) || str_eq(message, STR("hello")));
    }
    arena_fini(&own);
    arena_fini(&arena);
    return 0;
}
