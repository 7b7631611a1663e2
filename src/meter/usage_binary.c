/*
 * usage_binary.c - the door for nodes: records of a fixed size (meter/record.h).
 */
#include "meter/record.h"

#include <endian.h>

enum { MAGIC_BYTES = 8, LENGTH_BYTES = 2, NAMES_SEEN = 1024 };

static const char magic[MAGIC_BYTES + 1] = "HNSUSG01";

static enum rc not_binary(struct tx *tx, const char *what)
{
    return err_set(tx->err, RC_SYNTAX, "this is no batch of usage: %s", what);
}

static enum rc read_header(struct tx *tx, struct str body, struct str *ret_source)
{
    uint16_t n = 0;
    if (body.n < RECORD_HEADER_BYTES || memcmp(body.p, magic, MAGIC_BYTES) != 0)
        return not_binary(tx, "it does not begin with the header");
    memcpy(&n, body.p + MAGIC_BYTES, sizeof n);
    n = le16toh(n);
    if (n == 0 || n > RECORD_SOURCE_MAX)
        return not_binary(tx, "the name of the source has 1 to 54 bytes");
    struct str name = str_n(body.p + MAGIC_BYTES + LENGTH_BYTES, n);
    for (const char *p = name.p + n; p < body.p + RECORD_HEADER_BYTES; p++)
        if (*p != '\0')
            return not_binary(tx, "behind the name of the source are zeros");
    *ret_source = name;
    return RC_OK;
}

/* Ids as text, each once for many records: a node has a few hundred and sends them in turns. */
struct names {
    struct {
        unsigned __int128 id;
        struct str text;
    } seen[NAMES_SEEN];
};

static struct str name_of(struct names *names, struct arena *arena, unsigned __int128 id)
{
    size_t at = (size_t)((uint64_t)id % NAMES_SEEN);
    if (names->seen[at].text.n == 0 || names->seen[at].id != id) {
        names->seen[at].id = id;
        names->seen[at].text = id_of_number(id, arena, "sub");
    }
    return names->seen[at].text;
}

static bool read_record(struct str body, size_t *at, struct packed *ret)
{
    struct packed p;
    const char *bytes = body.p + *at;
    size_t began = *at;
    if (!record_read(body, at, &p) || *at - began != USAGE_RECORD_BYTES || bytes[29] != 0)
        return false;
    if (p.number == 0 || p.scale > QUANTITY_SCALE_MAX)
        return false;
    *ret = p;
    return true;
}

enum rc usage_read_binary(struct tx *tx, struct str body, struct usage_record **ret,
                          size_t *ret_count, struct str *ret_source)
{
    struct str source;
    size_t at = RECORD_HEADER_BYTES;
    TRY(read_header(tx, body, &source));
    size_t count = (body.n - at) / USAGE_RECORD_BYTES;
    if ((body.n - at) % USAGE_RECORD_BYTES != 0)
        return not_binary(tx, "records have 64 bytes each");
    if (count > USAGE_BATCH_MAX)
        return err_set(tx->err, RC_TOO_LARGE, "at most %d records at once", USAGE_BATCH_MAX);
    size_t each = sizeof(struct usage_record) + ID_TEXT_MAX + 1;
    if (arena_room(tx->arena) / 2 < count * each + sizeof(struct names))
        return err_set(tx->err, RC_TOO_LARGE, "these are too many records: send them in parts");
    struct names *names = NEW(tx->arena, struct names);
    struct usage_record *records = NEW_N(tx->arena, struct usage_record, count);
    for (size_t i = 0; i < count; i++) {
        struct packed p;
        if (!read_record(body, &at, &p))
            return err_set_at(tx->err, RC_SYNTAX, arena_fmt(tx->arena, "/%zu", i),
                              "record %zu is not in the form of records", i);
        records[i] =
            (struct usage_record){.number = p.number,
                                  .subscription = name_of(names, tx->arena, p.subscription),
                                  .meter = p.meter,
                                  .from = p.from,
                                  .until = p.until,
                                  .quantity = {p.quantity, p.scale},
                                  .key = p.key};
    }
    *ret = records;
    *ret_count = count;
    *ret_source = source;
    return RC_OK;
}
