#include "meter/record.h"

#include "base/map.h"

#include <endian.h>

/* --- bytes --- */

static void put16(char *p, uint16_t v)
{
    v = htole16(v);
    memcpy(p, &v, sizeof v);
}
static void put32(char *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, sizeof v);
}
static void put64(char *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof v);
}
static uint16_t get16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return le16toh(v);
}
static uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return le32toh(v);
}
static uint64_t get64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static void add_text(struct buf *b, struct str text)
{
    char length[2];
    ASSERT(text.n <= UINT16_MAX);
    put16(length, (uint16_t)text.n);
    buf_add(b, str_n(length, sizeof length));
    buf_add(b, text);
}

void record_write(struct buf *b, const struct packed *p)
{
    char bytes[USAGE_RECORD_BYTES] = {0};
    bool texts = p->id.n + p->supersedes.n + p->dims.n > 0;
    size_t behind = texts ? p->id.n + p->supersedes.n + p->dims.n + 6 : 0;
    ASSERT(behind <= RECORD_TEXT_MAX);
    put64(bytes, p->number);
    put64(bytes + 8, (uint64_t)(p->subscription >> 64));
    put64(bytes + 16, (uint64_t)p->subscription);
    put32(bytes + 24, p->meter);
    bytes[28] = (char)p->scale;
    put16(bytes + 30, (uint16_t)behind);
    put64(bytes + 32, (uint64_t)p->from);
    put64(bytes + 40, (uint64_t)p->until);
    put64(bytes + 48, (uint64_t)p->quantity);
    put64(bytes + 56, p->key);
    buf_add(b, str_n(bytes, sizeof bytes));
    if (!texts)
        return;
    add_text(b, p->id);
    add_text(b, p->supersedes);
    add_text(b, p->dims);
}

/* A text with its length in front, out of what is left. */
static bool take_text(struct str *rest, struct str *ret)
{
    if (rest->n < 2 || rest->n - 2 < get16(rest->p))
        return false;
    *ret = str_n(rest->p + 2, get16(rest->p));
    *rest = str_sub(*rest, 2 + ret->n, rest->n);
    return true;
}

bool record_read(struct str body, size_t *at, struct packed *ret)
{
    if (body.n - *at < USAGE_RECORD_BYTES)
        return false;
    const char *p = body.p + *at;
    struct packed r = {
        .number = get64(p),
        .subscription = (unsigned __int128)get64(p + 8) << 64 | get64(p + 16),
        .meter = get32(p + 24),
        .scale = (uint8_t)p[28],
        .from = (int64_t)get64(p + 32),
        .until = (int64_t)get64(p + 40),
        .quantity = (int64_t)get64(p + 48),
        .key = get64(p + 56),
    };
    size_t behind = get16(p + 30);
    if (body.n - *at - USAGE_RECORD_BYTES < behind)
        return false;
    struct str rest = str_n(p + USAGE_RECORD_BYTES, behind);
    bool texts = behind == 0 || (take_text(&rest, &r.id) && take_text(&rest, &r.supersedes) &&
                                 take_text(&rest, &r.dims) && rest.n == 0);
    if (!texts)
        return false;
    *at += USAGE_RECORD_BYTES + behind;
    *ret = r;
    return true;
}

bool record_same(const struct packed *a, const struct packed *b)
{
    return a->subscription == b->subscription && a->meter == b->meter && a->scale == b->scale &&
           a->from == b->from && a->until == b->until && a->quantity == b->quantity &&
           a->key == b->key && str_eq(a->supersedes, b->supersedes) && str_eq(a->dims, b->dims);
}

uint64_t record_key(struct str dims_key)
{
    static const uint64_t key[2] = {UINT64_C(0x48616e7365207573), UINT64_C(0x616765206b657973)};
    uint64_t h = hash_str(dims_key, key);
    return h == 0 ? 1 : h;
}
