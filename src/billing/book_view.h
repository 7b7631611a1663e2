/*
 * book_view.h - a party's own books, for people: accounts with their balances, and what moved.
 *
 * A party sees the accounts of its own books and nothing of others: of an event that was written
 * into several books, the legs of its own.
 */
#ifndef BILLING_BOOK_VIEW_H
#define BILLING_BOOK_VIEW_H

#include "billing/posting.h"

struct book_account {
    uint64_t set;
    struct str account; /* code: "AR:pty_..." */
    struct str currency;
    struct str debits; /* decimal texts */
    struct str credits;
    struct str balance; /* debits less credits */
    struct str reserved_debits;
    struct str reserved_credits;
    bool closed;
};
extern const struct schema book_account_schema;

struct book_query {
    uint64_t set;
    struct page_query page; /* sort is not heard: in the order in which accounts were opened */
    struct str currency;
    struct str account; /* codes that begin so: "AR:" */
    time_us at;         /* balances as of then, of accounts that had moved by then; 0: now */
};
extern const struct schema book_query_schema;
MUST_CHECK enum rc book_list(struct tx *tx, struct ledger *l, struct str party,
                             const struct book_query *q, struct page *ret);

struct book_transfer {
    uint64_t set;
    time_us at;
    struct str kind; /* of posting_words */
    struct str debit;
    struct str credit;
    struct str amount;
    struct str currency;
    int64_t event;    /* the same in all legs of one event */
    struct str state; /* "posted", "reserved", "released" */
};
extern const struct schema book_transfer_schema;
extern const char *const posting_words[]; /* by posting_code; [0]: "other" */

struct book_transfer_query {
    uint64_t set;
    struct page_query page; /* oldest first; sort is not heard */
    struct str account;     /* a whole code */
    struct str currency;    /* of it */
    time_us since;          /* 0: BOOK_DAYS before until */
    time_us until;          /* 0: now */
};
enum { BOOK_DAYS = 31, BOOK_DAYS_MAX = 366 };
extern const struct schema book_transfer_query_schema;
/* RC_INVALID: a time longer than BOOK_DAYS_MAX; RC_NOT_FOUND: no such account. */
MUST_CHECK enum rc book_transfers(struct tx *tx, struct ledger *l, struct str party,
                                  const struct book_transfer_query *q, struct page *ret);

#endif
