/*
 * packing.h - the records of one batch as the store keeps them: of each what the one before does
 * not tell already. Private to meter/ and to those that prove it.
 *
 * A node reports its subscriptions in turns, a meter after the other, for one and the same time: of
 * 64 bytes on the wire six or so are new, and only these are hashed, written twice (log and file)
 * and read again by a fold.
 *
 *   8   "HNSUSB2" and 0x82
 *   8   SipHash of all that follows, little-endian
 *   then for each record
 *   1   which of the following there are
 *       the subscription: the number of its place among those seen lately (2 bytes), or 16 bytes
 *       what was added to the number, the meter, the beginning and the length of the record before
 *       the quantity
 *       the key that UNIQUE counts (8 bytes)
 *       its scale; its texts, each with its length: the event's id, supersedes, dims
 *
 * Where no bytes are named, whole numbers have 7 bits in a byte, the lowest first, the top bit says
 * that more follow; what may be below nothing is folded to 0, -1, 1, -2, 2 ...
 *
 * Bodies from before are rows of records as record.h has them. The number of their first record is
 * below 2^63, so that the top bit of byte 7 tells the two apart.
 */
#ifndef METER_PACKING_H
#define METER_PACKING_H

#include "meter/record.h"

enum {
    PACKING_PLACES = 1024, /* subscriptions seen lately */
    PACKING_HEAD_BYTES = 16,
    /* The most that a record takes, beside its texts. */
    PACKING_RECORD_MAX = 96,
};

/* What both sides remember of the records so far. */
struct packing_past {
    struct packed last;
    unsigned __int128 places[PACKING_PLACES];
};

struct packing_writer {
    struct buf *to;
    struct packing_past past;
};
/* Writes to an empty buf. Bounds: PACKING_HEAD_BYTES, and for each record PACKING_RECORD_MAX and
 * its texts. */
void packing_begin(struct packing_writer *w, struct buf *to);
void packing_add(struct packing_writer *w, const struct packed *p);
/* The body is whole; nothing more is added. */
void packing_end(struct packing_writer *w);

struct packing_reader {
    struct str bytes;
    size_t at;
    bool plain; /* as bodies were before */
    bool damaged;
    struct packing_past past;
};
/* Of either form. The bytes stay the caller's: texts of records point into them. */
void packing_open(struct packing_reader *r, struct str bytes);
/* The next record. False at the end, and where the body is damaged (r->damaged). */
MUST_CHECK bool packing_next(struct packing_reader *r, struct packed *ret);

#endif
