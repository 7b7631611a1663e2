/*
 * record.h - what the journal consists of: records of 64 bytes, little-endian, one form each.
 *
 *     bytes  what                         a definition puts there
 *     0      kind                         kind
 *     1      flags (RECORD_LINKED)        flags of the account (enum account_flag)
 *     2..3   code
 *     4..7   source                       number of bytes of text
 *     8..15  number
 *     16..19 debit                        id
 *     20..23 credit                       book of the account
 *     24..31 amount
 *     32..39 event
 *     40..47 PENDING: timeout, microseconds; POST, VOID, EXPIRE: what is released of it
 *     48..55 number of the pending one
 *     56..59 source of the pending one    mirror of the account
 *     60..63 zero
 *
 * What a kind does not use is zero. Text follows its record, filled up with zeros to the next 64
 * bytes. A record tells everything that it changes, so that one account can be followed through the
 * journal without knowing any other.
 */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "base/err.h"

enum { RECORD_BYTES = 64, RECORD_TEXT_MAX = 120 };

enum record_kind {
    RECORD_BOOK = 1, /* text: currency, a space, party */
    RECORD_ACCOUNT,  /* text: code */
    RECORD_SOURCE,   /* text: name */
    RECORD_CLOSE,    /* flags: ACCOUNT_CLOSED, or 0 to open it again */
    RECORD_TRANSFER,
    RECORD_PENDING,
    RECORD_POST,
    RECORD_VOID,
    RECORD_EXPIRE, /* the timeout of a reservation has passed; source and number are 0 */
};

enum { RECORD_LINKED = 1 };

struct record {
    enum record_kind kind;
    uint8_t flags;
    uint16_t code;
    uint32_t source;
    uint64_t number;
    uint32_t debit;
    uint32_t credit;
    int64_t amount; /* posted, or reserved (PENDING) */
    uint64_t event;
    int64_t timeout_us;
    int64_t released; /* of the reservation: all of it */
    uint64_t pending_number;
    uint32_t pending_source;

    /* definitions */
    uint32_t id;
    uint32_t book;
    uint32_t mirror;
    struct str text; /* borrowed */
};

/* Whether it moves or reserves money, from one account to another. */
bool record_is_transfer(const struct record *r);

/* Bytes that the record takes, its text included: a multiple of RECORD_BYTES. */
size_t record_size(const struct record *r);
/* The same of a record that record_encode wrote, without reading it whole. */
size_t record_span(const char *bytes, bool *ret_linked);
/* Write it to record_size(r) bytes. */
void record_encode(const struct record *r, char *to);
/* Read the record at the beginning of bytes; its text borrows from them. RC_INVALID: it is none, is
 * cut off, or is not in its one form. */
MUST_CHECK enum rc record_decode(struct str bytes, struct record *ret, struct err *err);

#endif
