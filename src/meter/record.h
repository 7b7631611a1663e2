/*
 * record.h - usage records as bytes: what nodes send in binary, and what the store keeps of all.
 *
 * 64 bytes, little-endian:
 *
 *    0  u64  number, ascending within the source
 *    8  16   the 128 bits of the subscription's id, high half first
 *   24  u32  meter
 *   28  u8   scale of the quantity
 *   29  u8   0
 *   30  u16  bytes of text behind the 64: 0 on the wire
 *   32  i64  from, microseconds
 *   40  i64  until
 *   48  i64  quantity
 *   56  u64  hash of the key that UNIQUE counts; 0: none
 *
 * In the store the text behind a record is, each with a u16 of its length in front: the event's id,
 * the id of the record that it supersedes, its dims.
 *
 * A binary batch on the wire begins with a header of 64 bytes: "HNSUSG01", u16 length of the name
 * of the source, the name (at most 54 bytes), zeros.
 */
#ifndef METER_RECORD_H
#define METER_RECORD_H

#include "meter/usage.h"

enum {
    RECORD_HEADER_BYTES = 64,
    RECORD_SOURCE_MAX = 54,
    RECORD_TEXT_MAX = USAGE_ID_MAX * 2 + USAGE_DIMS_MAX + 6,
};

/* As the store has it. Texts point into the bytes. */
struct packed {
    unsigned __int128 subscription;
    uint64_t number;
    int64_t from;
    int64_t until;
    int64_t quantity;
    uint64_t key;
    struct str id;
    struct str supersedes;
    struct str dims;
    uint32_t meter;
    uint8_t scale;
};

void record_write(struct buf *b, const struct packed *p);
/* The next record at *at, which moves behind it. False at the end, or where the bytes are no
 * record. */
MUST_CHECK bool record_read(struct str body, size_t *at, struct packed *ret);
/* Whether two records say the same; their numbers are not compared. */
bool record_same(const struct packed *a, const struct packed *b);
/* SipHash of what UNIQUE counts, never 0; the same for ever, as nodes compute it too. */
uint64_t record_key(struct str dims_key);

/* usage_read_json with these meters (struct meter): asks no store. */
MUST_CHECK enum rc usage_read_events(struct tx *tx, const struct list *meters, struct str body,
                                     struct usage_record **ret, size_t *ret_count,
                                     struct str *ret_source);

#endif
