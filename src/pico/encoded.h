/*
 * encoded.h - bytes as texts, and what is in maps, for the modules that speak with other agents
 * (module_ursa.c, module_dido.c). Texts live in the activation's arena.
 */
#ifndef PICO_ENCODED_H
#define PICO_ENCODED_H

#include "pico/activation.h"

enum {
    ENCODED_BASE58_BYTES = 64,                      /* the most that is written or read */
    ENCODED_BASE58_TEXT = 2 * ENCODED_BASE58_BYTES, /* 1.37 digits a byte */
    ENCODED_BASE64_TEXT = 2 * 1024 * 1024,          /* the most that is read */
    ENCODED_BYTES_A_STEP = 16,                      /* of the budget */
};

/* n <= ENCODED_BASE58_BYTES. */
struct str base58_of(struct activation *a, const uint8_t *bytes, size_t n);
/* False: no base58 of n bytes. */
bool base58_read(struct str text, uint8_t *ret, size_t n);

/* URL-safe. */
struct str base64_of(struct activation *a, struct str bytes, bool padded);
/* With padding or without. False: it is none, or too long, or the budget ends (an error in the
 * heap). */
bool base64_read(struct activation *a, struct str text, struct str *ret);

/* Null where it is no map, or has no such key. */
struct krl_value encoded_field(struct krl_value map, const char *key);
/* Empty where it is no text. */
struct str encoded_text(struct activation *a, struct krl_value map, const char *key);
/* The bytes of a text in base64. n: how many there must be; 0: any number. */
bool encoded_bytes(struct activation *a, struct krl_value map, const char *key, size_t n,
                   struct str *ret);
/* What the JSON says; KRL_FAILED where it is none, or no UTF-8. */
struct krl_value encoded_json(struct activation *a, struct str json);
bool encoded_put(struct activation *a, struct krl_map *m, const char *key, struct str text);

/* Random bytes of the engine's clock. */
void encoded_chance(struct activation *a, uint8_t *ret, size_t n);

#endif
