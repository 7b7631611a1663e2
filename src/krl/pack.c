#include "krl/pack.h"

#include "krl/regex.h"

#include <math.h>

enum tag {
    TAG_UNDEFINED,
    TAG_NULL,
    TAG_FALSE,
    TAG_TRUE,
    TAG_WHOLE, /* zigzag varint */
    TAG_NUMBER,
    TAG_TEXT,
    TAG_ARRAY,
    TAG_MAP,
    TAG_REGEX, /* source, flags as a byte */
};

enum { VARINT_BYTES_MAX = 10, WHOLE_MAX = 1 << 30 };

struct packer {
    struct krl_heap *h;
    char *p;
    size_t n;
    size_t capacity;
    bool failed;
};

static void put(struct packer *k, const void *bytes, size_t n)
{
    if (k->failed || n == 0)
        return;
    if (k->n + n > k->capacity) {
        size_t capacity = max_size(k->n + n, k->capacity * 2 + 64);
        char *p = krl_take_raw(k->h, capacity);
        k->failed = p == NULL;
        if (k->failed)
            return;
        if (k->n > 0)
            memcpy(p, k->p, k->n);
        k->p = p;
        k->capacity = capacity;
    }
    ASSERT(k->p != NULL);
    memcpy(k->p + k->n, bytes, n);
    k->n += n;
}

static void put_byte(struct packer *k, uint8_t byte)
{
    put(k, &byte, 1);
}

static void put_varint(struct packer *k, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(k, (uint8_t)(value | 0x80));
    put_byte(k, (uint8_t)value);
}

static void put_text(struct packer *k, const struct krl_text *t)
{
    struct str s = krl_text_utf8(k->h, t, true);
    k->failed = k->failed || s.p == NULL;
    put_varint(k, s.n);
    put(k, s.p, s.n);
}

static void put_number(struct packer *k, double number)
{
    int64_t whole = number >= -WHOLE_MAX && number <= WHOLE_MAX ? (int64_t)number : 0;
    /* -0 stays what it is. */
    if ((double)whole == number && !(whole == 0 && signbit(number))) {
        put_byte(k, TAG_WHOLE);
        put_varint(k, (uint64_t)whole << 1 ^ (whole < 0 ? UINT64_MAX : 0));
        return;
    }
    put_byte(k, TAG_NUMBER);
    put(k, &number, sizeof number);
}

/* Recursion: KRL_VALUE_DEPTH_MAX levels. */
static void put_value(struct packer *k, struct krl_value v, int depth)
{
    if (depth > KRL_VALUE_DEPTH_MAX)
        krl_fail(k->h, RC_TOO_LARGE, "RangeError: values are nested too deep");
    k->failed = k->failed || krl_failing(k->h) || !krl_pay(k->h, 1);
    if (k->failed)
        return;
    switch (v.type) {
    case KRL_UNDEFINED:
        put_byte(k, TAG_UNDEFINED);
        return;
    case KRL_BOOL:
        put_byte(k, v.truth ? TAG_TRUE : TAG_FALSE);
        return;
    case KRL_NUMBER:
        put_number(k, v.number);
        return;
    case KRL_TEXT:
        put_byte(k, TAG_TEXT);
        put_text(k, v.text);
        return;
    case KRL_REGEX:
        put_byte(k, TAG_REGEX);
        put_text(k, v.regex->source);
        put_byte(k, (uint8_t)(v.regex->global | v.regex->ignore_case << 1));
        return;
    case KRL_ARRAY:
        put_byte(k, TAG_ARRAY);
        put_varint(k, v.array->n);
        for (size_t i = 0; i < v.array->n; i++)
            put_value(k, v.array->v[i], depth + 1);
        return;
    case KRL_MAP:
        put_byte(k, TAG_MAP);
        put_varint(k, v.map->n);
        for (size_t i = 0; i < v.map->n; i++) {
            put_text(k, krl_map_at(v.map, i)->key);
            put_value(k, krl_map_at(v.map, i)->value, depth + 1);
        }
        return;
    case KRL_NULL:
    case KRL_FUNCTION:
    case KRL_BUILTIN:
    case KRL_DOOR:
        put_byte(k, TAG_NULL);
        return;
    case KRL_CELL:
    case KRL_FAILED:
        break;
    }
    NEVER("not a value");
}

struct str krl_pack(struct krl_heap *h, struct krl_value v)
{
    struct packer k = {.h = h};
    put_value(&k, v, 0);
    return k.failed ? (struct str){NULL, 0} : str_n(k.p, k.n);
}

/* --- back --- */

struct unpacker {
    struct krl_heap *h;
    struct str s;
    size_t at;
};

static bool take_varint(struct unpacker *u, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && u->at < u->s.n; i++) {
        uint8_t byte = (uint8_t)u->s.p[u->at++];
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* How many things follow, each of at least a byte. */
static bool take_count(struct unpacker *u, size_t *ret)
{
    uint64_t n = 0;
    if (!take_varint(u, &n) || n > u->s.n - u->at)
        return false;
    *ret = (size_t)n;
    return true;
}

static const struct krl_text *take_text(struct unpacker *u)
{
    size_t n = 0;
    if (!take_count(u, &n))
        return NULL;
    u->at += n;
    return krl_text(u->h, str_n(u->s.p + u->at - n, n));
}

static struct krl_value take_value(struct unpacker *u, int depth);

static struct krl_value take_array(struct unpacker *u, int depth)
{
    size_t n = 0;
    struct krl_array *a = take_count(u, &n) ? krl_array_new(u->h, n) : NULL;
    for (size_t i = 0; a != NULL && i < n; i++) {
        a->v[i] = take_value(u, depth + 1);
        if (krl_is_failed(a->v[i]))
            return krl_failed();
    }
    return krl_of_array(a);
}

static struct krl_value take_map(struct unpacker *u, int depth)
{
    size_t n = 0;
    struct krl_map *map = take_count(u, &n) ? krl_map_new(u->h, n) : NULL;
    for (size_t i = 0; map != NULL && i < n; i++) {
        const struct krl_text *key = take_text(u);
        struct krl_value v = key == NULL ? krl_failed() : take_value(u, depth + 1);
        if (!krl_map_set(u->h, map, key, v))
            return krl_failed();
    }
    return krl_of_map(map);
}

static struct krl_value take_regex(struct unpacker *u)
{
    const struct krl_text *source = take_text(u);
    if (source == NULL || u->at == u->s.n)
        return krl_failed();
    uint8_t flags = (uint8_t)u->s.p[u->at++];
    const struct krl_text *text = krl_text(u->h, (flags & 3) == 3   ? STR("gi")
                                                 : (flags & 1) != 0 ? STR("g")
                                                 : (flags & 2) != 0 ? STR("i")
                                                                    : STR(""));
    const struct krl_regex *re = text == NULL ? NULL : krl_regex(u->h, source, text);
    return re == NULL ? krl_failed() : (struct krl_value){.type = KRL_REGEX, .regex = re};
}

static struct krl_value take_whole(struct unpacker *u)
{
    uint64_t zigzag = 0;
    if (!take_varint(u, &zigzag))
        return krl_failed();
    return krl_number((double)(int64_t)(zigzag >> 1 ^ -(zigzag & 1)));
}

/* Recursion: KRL_VALUE_DEPTH_MAX levels. */
static struct krl_value take_value(struct unpacker *u, int depth)
{
    double number = 0;
    if (depth > KRL_VALUE_DEPTH_MAX || u->at == u->s.n || !krl_pay(u->h, 1))
        return krl_failed();
    uint8_t tag = (uint8_t)u->s.p[u->at++];
    if (tag > TAG_REGEX)
        return krl_failed();
    switch ((enum tag)tag) {
    case TAG_UNDEFINED:
        return krl_undefined();
    case TAG_NULL:
        return krl_null();
    case TAG_FALSE:
    case TAG_TRUE:
        return krl_bool(tag == TAG_TRUE);
    case TAG_WHOLE:
        return take_whole(u);
    case TAG_NUMBER:
        if (u->s.n - u->at < sizeof number)
            return krl_failed();
        memcpy(&number, u->s.p + u->at, sizeof number);
        u->at += sizeof number;
        return krl_number(number);
    case TAG_TEXT:
        return krl_of_text(take_text(u));
    case TAG_ARRAY:
        return take_array(u, depth);
    case TAG_MAP:
        return take_map(u, depth);
    case TAG_REGEX:
        return take_regex(u);
    }
    return krl_failed();
}

struct krl_value krl_unpack(struct krl_heap *h, struct str bytes)
{
    struct unpacker u = {.h = h, .s = bytes};
    struct krl_value v = take_value(&u, 0);
    if (!krl_is_failed(v) && u.at == bytes.n)
        return v;
    krl_fail(h, RC_INVALID, "the bytes are no packed value");
    return krl_failed();
}
