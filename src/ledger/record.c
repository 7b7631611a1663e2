#include "ledger/record.h"

enum { TEXTS_BYTES = 2 * RECORD_BYTES }; /* RECORD_TEXT_MAX, rounded up */

static bool is_definition(enum record_kind kind)
{
    return kind == RECORD_BOOK || kind == RECORD_ACCOUNT || kind == RECORD_SOURCE;
}

bool record_is_transfer(const struct record *r)
{
    return r->kind >= RECORD_TRANSFER;
}

size_t record_size(const struct record *r)
{
    size_t text = (r->text.n + RECORD_BYTES - 1) / RECORD_BYTES * RECORD_BYTES;
    return RECORD_BYTES + text;
}

static void put(char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(uint8_t)(value >> (8 * i));
}

static uint64_t get(const char *from, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(uint8_t)from[i] << (8 * i);
    return value;
}

size_t record_span(const char *bytes, bool *ret_linked)
{
    bool transfer = (uint8_t)bytes[0] >= RECORD_TRANSFER;
    *ret_linked = transfer && (bytes[1] & RECORD_LINKED) != 0;
    return record_size(&(struct record){.text = {NULL, transfer ? 0 : (size_t)get(bytes + 4, 4)}});
}

static void encode_definition(const struct record *r, char *to)
{
    put(to + 4, r->text.n, 4);
    put(to + 16, r->id, 4);
    put(to + 20, r->book, 4);
    put(to + 56, r->mirror, 4);
    if (r->text.n > 0)
        memcpy(to + RECORD_BYTES, r->text.p, r->text.n);
}

void record_encode(const struct record *r, char *to)
{
    memset(to, 0, record_size(r));
    put(to, r->kind, 1);
    put(to + 1, r->flags, 1);
    if (!record_is_transfer(r)) {
        ASSERT(is_definition(r->kind) || r->text.n == 0);
        ASSERT(r->text.n <= RECORD_TEXT_MAX);
        encode_definition(r, to);
        return;
    }
    put(to + 2, r->code, 2);
    put(to + 4, r->source, 4);
    put(to + 8, r->number, 8);
    put(to + 16, r->debit, 4);
    put(to + 20, r->credit, 4);
    put(to + 24, (uint64_t)r->amount, 8);
    put(to + 32, r->event, 8);
    put(to + 40, (uint64_t)(r->kind == RECORD_PENDING ? r->timeout_us : r->released), 8);
    put(to + 48, r->pending_number, 8);
    put(to + 56, r->pending_source, 4);
}

static void decode_transfer(const char *p, struct record *r)
{
    r->code = (uint16_t)get(p + 2, 2);
    r->source = (uint32_t)get(p + 4, 4);
    r->number = get(p + 8, 8);
    r->debit = (uint32_t)get(p + 16, 4);
    r->credit = (uint32_t)get(p + 20, 4);
    r->amount = (int64_t)get(p + 24, 8);
    r->event = get(p + 32, 8);
    int64_t other = (int64_t)get(p + 40, 8);
    if (r->kind == RECORD_PENDING)
        r->timeout_us = other;
    else
        r->released = other;
    r->pending_number = get(p + 48, 8);
    r->pending_source = (uint32_t)get(p + 56, 4);
}

static enum rc decode_definition(struct str bytes, struct record *r, struct err *err)
{
    const char *p = bytes.p;
    size_t n = (size_t)get(p + 4, 4);
    bool fits = is_definition(r->kind) ? n > 0 && n <= RECORD_TEXT_MAX : n == 0;
    if (!fits || record_size(&(struct record){.text = {NULL, n}}) > bytes.n)
        return err_set(err, RC_INVALID, "a record of the journal is cut off");
    r->id = (uint32_t)get(p + 16, 4);
    r->book = (uint32_t)get(p + 20, 4);
    r->mirror = (uint32_t)get(p + 56, 4);
    r->text = str_n(n > 0 ? p + RECORD_BYTES : NULL, n);
    return RC_OK;
}

enum rc record_decode(struct str bytes, struct record *ret, struct err *err)
{
    if (bytes.n < RECORD_BYTES)
        return err_set(err, RC_INVALID, "a record of the journal is cut off");
    unsigned kind = (uint8_t)bytes.p[0];
    if (kind < RECORD_BOOK || kind > RECORD_EXPIRE)
        return err_set(err, RC_INVALID, "a record of the journal is of no known kind (%u)", kind);
    struct record r = {.kind = (enum record_kind)kind, .flags = (uint8_t)bytes.p[1]};
    if (record_is_transfer(&r))
        decode_transfer(bytes.p, &r);
    else
        TRY(decode_definition(bytes, &r, err));
    /* One form each: what is not used is zero. */
    char again[RECORD_BYTES + TEXTS_BYTES];
    record_encode(&r, again);
    if (memcmp(again, bytes.p, record_size(&r)) != 0)
        return err_set(err, RC_INVALID, "a record of the journal is not in its one form");
    *ret = r;
    return RC_OK;
}
