#include "meter/packing.h"

#include "base/map.h"

#include <endian.h>

enum { MAGIC_BYTES = 8, VARINT_MAX = 10, TEXT_COUNT = 3 };
enum {
    HAS_PLACE = 1,
    HAS_SUBSCRIPTION = 2,
    HAS_NUMBER = 4,
    HAS_METER = 8,
    HAS_FROM = 16,
    HAS_LENGTH = 32,
    HAS_KEY = 64,
    HAS_REST = 128, /* scale and texts */
};

static const char magic[MAGIC_BYTES + 1] = "HNSUSB2\x82";
static const uint64_t seal_key[2] = {UINT64_C(0x48616e736520626f), UINT64_C(0x6479206f66207573)};

static size_t place_of(unsigned __int128 subscription)
{
    uint64_t h =
        ((uint64_t)subscription ^ (uint64_t)(subscription >> 64)) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(h >> 54);
}
_Static_assert(PACKING_PLACES == 1 << (64 - 54), "a place for each value of the hash");

/* 0, -1, 1, -2, 2 ... */
static uint64_t folded(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 != 0 ? UINT64_MAX : 0);
}
static uint64_t unfolded(uint64_t v)
{
    return v >> 1 ^ ((v & 1) != 0 ? UINT64_MAX : 0);
}

/* --- writing --- */

static char *put_varint(char *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (char)(v | 0x80);
    *p++ = (char)v;
    return p;
}

static char *put_fixed(char *p, uint64_t v)
{
    v = htole64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

void packing_begin(struct packing_writer *w, struct buf *to)
{
    ASSERT(to->n == 0);
    *w = (struct packing_writer){.to = to};
    buf_add(to, str_n(magic, MAGIC_BYTES));
    buf_add(to, str_n("\0\0\0\0\0\0\0\0", sizeof(uint64_t)));
}

static char *put_subscription(struct packing_past *past, char *p, unsigned __int128 subscription,
                              unsigned *flags)
{
    size_t place = place_of(subscription);
    if (subscription == past->last.subscription)
        return p;
    if (past->places[place] == subscription) {
        *flags |= HAS_PLACE;
        *p++ = (char)(place & 0xFF);
        *p++ = (char)(place >> 8);
        return p;
    }
    *flags |= HAS_SUBSCRIPTION;
    past->places[place] = subscription;
    p = put_fixed(p, (uint64_t)(subscription >> 64));
    return put_fixed(p, (uint64_t)subscription);
}

/* What was added since the record before, where that is not what is expected. */
static char *put_change(char *p, uint64_t change, uint64_t expected, unsigned flag, unsigned *flags)
{
    if (change == expected)
        return p;
    *flags |= flag;
    return put_varint(p, folded(change));
}

static uint64_t length_of(const struct packed *p)
{
    return (uint64_t)p->until - (uint64_t)p->from;
}

void packing_add(struct packing_writer *w, const struct packed *p)
{
    char bytes[PACKING_RECORD_MAX];
    char *at = bytes + 1;
    unsigned flags = 0;
    const struct packed *last = &w->past.last;
    at = put_subscription(&w->past, at, p->subscription, &flags);
    at = put_change(at, p->number - last->number, 1, HAS_NUMBER, &flags);
    at = put_change(at, (uint64_t)p->meter - last->meter, 0, HAS_METER, &flags);
    at = put_change(at, (uint64_t)p->from - (uint64_t)last->from, 0, HAS_FROM, &flags);
    at = put_change(at, length_of(p) - length_of(last), 0, HAS_LENGTH, &flags);
    at = put_varint(at, folded((uint64_t)p->quantity));
    if (p->key != 0) {
        flags |= HAS_KEY;
        at = put_fixed(at, p->key);
    }
    bool texts = p->id.n + p->supersedes.n + p->dims.n > 0;
    if (texts || p->scale != 0) {
        flags |= HAS_REST;
        *at++ = (char)p->scale;
        at = put_varint(at, p->id.n);
        at = put_varint(at, p->supersedes.n);
        at = put_varint(at, p->dims.n);
    }
    bytes[0] = (char)flags;
    ASSERT(at <= bytes + sizeof bytes);
    buf_add(w->to, str_n(bytes, (size_t)(at - bytes)));
    if (texts) {
        buf_add(w->to, p->id);
        buf_add(w->to, p->supersedes);
        buf_add(w->to, p->dims);
    }
    w->past.last = *p;
}

void packing_end(struct packing_writer *w)
{
    struct str all = buf_str(w->to);
    if (!w->to->full)
        (void)put_fixed(w->to->p + MAGIC_BYTES,
                        hash_str(str_sub(all, PACKING_HEAD_BYTES, all.n), seal_key));
}

/* --- reading --- */

static uint64_t get_fixed(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

void packing_open(struct packing_reader *r, struct str bytes)
{
    *r = (struct packing_reader){.bytes = bytes};
    r->plain = bytes.n < MAGIC_BYTES || ((unsigned char)bytes.p[MAGIC_BYTES - 1] & 0x80) == 0;
    if (r->plain)
        return;
    r->at = PACKING_HEAD_BYTES;
    r->damaged = bytes.n < PACKING_HEAD_BYTES || memcmp(bytes.p, magic, MAGIC_BYTES) != 0 ||
                 get_fixed(bytes.p + MAGIC_BYTES) !=
                     hash_str(str_sub(bytes, PACKING_HEAD_BYTES, bytes.n), seal_key);
}

/* A place in the bytes; bad once something was not there. */
struct cursor {
    const char *p;
    const char *end;
    bool bad;
};

static uint64_t take_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < VARINT_MAX * 7 && c->p < c->end; shift += 7) {
        unsigned char byte = (unsigned char)*c->p++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return v;
    }
    c->bad = true;
    return 0;
}

static const char *take_bytes(struct cursor *c, uint64_t n)
{
    static const char none[16];
    const char *p = c->p;
    if ((uint64_t)(c->end - p) < n) {
        c->bad = true;
        return none;
    }
    c->p += n;
    return p;
}

static uint64_t take_change(struct cursor *c, unsigned flags, unsigned flag, uint64_t expected)
{
    return (flags & flag) == 0 ? expected : unfolded(take_varint(c));
}

static void take_subscription(struct cursor *c, struct packing_past *past, unsigned flags)
{
    if ((flags & HAS_PLACE) != 0) {
        const char *p = take_bytes(c, 2);
        size_t place = (unsigned char)p[0] | (size_t)(unsigned char)p[1] << 8;
        c->bad = c->bad || place >= PACKING_PLACES;
        past->last.subscription = past->places[place % PACKING_PLACES];
    } else if ((flags & HAS_SUBSCRIPTION) != 0) {
        const char *p = take_bytes(c, 16);
        unsigned __int128 id = (unsigned __int128)get_fixed(p) << 64 | get_fixed(p + 8);
        past->last.subscription = id;
        past->places[place_of(id)] = id;
    }
}

static void take_rest(struct cursor *c, struct packed *p)
{
    uint64_t n[TEXT_COUNT];
    struct str *texts[TEXT_COUNT] = {&p->id, &p->supersedes, &p->dims};
    p->scale = (uint8_t)*take_bytes(c, 1);
    for (size_t i = 0; i < TEXT_COUNT; i++)
        n[i] = take_varint(c);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = take_bytes(c, n[i]);
        *texts[i] = c->bad ? STR("") : str_n(text, (size_t)n[i]);
    }
}

static bool next_told(struct packing_reader *r, struct packed *ret)
{
    struct packed *p = &r->past.last;
    struct cursor c = {r->bytes.p + r->at, r->bytes.p + r->bytes.n, false};
    unsigned flags = (unsigned char)*take_bytes(&c, 1);
    uint64_t length = length_of(p);
    take_subscription(&c, &r->past, flags);
    p->number += take_change(&c, flags, HAS_NUMBER, 1);
    p->meter += (uint32_t)take_change(&c, flags, HAS_METER, 0);
    p->from = (int64_t)((uint64_t)p->from + take_change(&c, flags, HAS_FROM, 0));
    length += take_change(&c, flags, HAS_LENGTH, 0);
    p->until = (int64_t)((uint64_t)p->from + length);
    p->quantity = (int64_t)unfolded(take_varint(&c));
    p->key = (flags & HAS_KEY) != 0 ? get_fixed(take_bytes(&c, sizeof p->key)) : 0;
    p->scale = 0;
    p->id = p->supersedes = p->dims = STR("");
    if ((flags & HAS_REST) != 0)
        take_rest(&c, p);
    r->damaged = c.bad;
    r->at = (size_t)(c.p - r->bytes.p);
    if (!c.bad)
        *ret = *p;
    return !c.bad;
}

bool packing_next(struct packing_reader *r, struct packed *ret)
{
    if (r->damaged || r->at == r->bytes.n)
        return false;
    if (!r->plain)
        return next_told(r, ret);
    r->damaged = !record_read(r->bytes, &r->at, ret);
    return !r->damaged;
}
