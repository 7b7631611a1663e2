#include "pico/encoded.h"

#include "krl/lib.h"

#include <sodium.h>

static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* --- base58 --- */

struct str base58_of(struct activation *a, const uint8_t *bytes, size_t n)
{
    uint8_t digits[ENCODED_BASE58_TEXT] = {0};
    size_t used = 0;
    size_t zeros = 0;
    ASSERT(n <= ENCODED_BASE58_BYTES);
    while (zeros < n && bytes[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < n; i++) {
        unsigned carry = bytes[i];
        for (size_t k = 0; k < used || carry > 0; k++) {
            carry += (unsigned)digits[k] << 8;
            digits[k] = (uint8_t)(carry % 58);
            carry /= 58;
            used = max_size(used, k + 1);
        }
    }
    char *text = arena_bytes(a->arena_own, zeros + used + 1);
    for (size_t i = 0; i < zeros; i++)
        text[i] = base58[0];
    for (size_t i = 0; i < used; i++)
        text[zeros + i] = base58[digits[used - 1 - i]];
    return str_n(text, zeros + used);
}

bool base58_read(struct str text, uint8_t *ret, size_t n)
{
    uint8_t bytes[ENCODED_BASE58_BYTES] = {0}; /* the last one first */
    size_t used = 0;
    size_t zeros = 0;
    ASSERT(n <= ENCODED_BASE58_BYTES);
    if (text.n > ENCODED_BASE58_TEXT)
        return false;
    while (zeros < text.n && text.p[zeros] == base58[0])
        zeros++;
    for (size_t i = zeros; i < text.n; i++) {
        const char *digit = text.p[i] == '\0' ? NULL : strchr(base58, text.p[i]);
        if (digit == NULL)
            return false;
        unsigned carry = (unsigned)(digit - base58);
        for (size_t k = 0; k < used || carry > 0; k++) {
            if (k == n)
                return false;
            carry += (unsigned)bytes[k] * 58;
            bytes[k] = (uint8_t)carry;
            carry >>= 8;
            used = max_size(used, k + 1);
        }
    }
    if (zeros + used != n)
        return false;
    memset(ret, 0, zeros);
    for (size_t i = 0; i < used; i++)
        ret[zeros + i] = bytes[used - 1 - i];
    return true;
}

/* --- base64 --- */

struct str base64_of(struct activation *a, struct str bytes, bool padded)
{
    int variant = padded ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    size_t room = sodium_base64_encoded_len(bytes.n, variant);
    char *text = arena_bytes(a->arena_own, room);
    (void)sodium_bin2base64(text, room, (const uint8_t *)bytes.p, bytes.n, variant); /* text */
    return str_n(text, strnlen(text, room));
}

bool base64_read(struct activation *a, struct str text, struct str *ret)
{
    static const int variants[] = {sodium_base64_VARIANT_URLSAFE,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    if (text.n > ENCODED_BASE64_TEXT ||
        !krl_pay(&a->m.heap, (int64_t)text.n / ENCODED_BYTES_A_STEP))
        return false;
    uint8_t *bytes = (uint8_t *)arena_bytes(a->arena_own, text.n + 1);
    for (size_t i = 0; i < COUNT(variants); i++) {
        size_t n = 0;
        if (sodium_base642bin(bytes, text.n + 1, text.p, text.n, NULL, &n, NULL, variants[i]) ==
            0) {
            *ret = str_n((const char *)bytes, n);
            return true;
        }
    }
    return false;
}

/* --- fields --- */

struct krl_value encoded_json(struct activation *a, struct str json)
{
    const struct krl_text *text = str_is_utf8(json) ? krl_text(&a->m.heap, json) : NULL;
    return text == NULL ? krl_failed() : krl_json_parse(&a->m.heap, text);
}

struct krl_value encoded_field(struct krl_value map, const char *key)
{
    const struct krl_value *v = map.type == KRL_MAP ? krl_map_find(map.map, key) : NULL;
    return v == NULL ? krl_null() : *v;
}

struct str encoded_text(struct activation *a, struct krl_value map, const char *key)
{
    struct krl_value v = encoded_field(map, key);
    return v.type == KRL_TEXT ? text_of(a, v) : STR("");
}

bool encoded_bytes(struct activation *a, struct krl_value map, const char *key, size_t n,
                   struct str *ret)
{
    struct krl_value v = encoded_field(map, key);
    return v.type == KRL_TEXT && base64_read(a, text_of(a, v), ret) && (n == 0 || ret->n == n);
}

bool encoded_put(struct activation *a, struct krl_map *m, const char *key, struct str text)
{
    return krl_map_set_ascii(&a->m.heap, m, key, value_of(a, text));
}

void encoded_chance(struct activation *a, uint8_t *ret, size_t n)
{
    pthread_mutex_lock(&a->e->chance_lock);
    clock_chance(a->e->clock, ret, n);
    pthread_mutex_unlock(&a->e->chance_lock);
}
