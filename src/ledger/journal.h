/*
 * journal.h - the rows of the journal: written, read, chained by their hashes. Private to ledger/.
 *
 * Only this file and verify.c name the table ledger_batch.
 */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include "ledger/machine.h"

enum { JOURNAL_ROW_BYTES = 1024 * 1024, JOURNAL_HASH_DIGITS = 64 };

/* Where the journal ends, as far as one has read. */
struct journal_head {
    int64_t seq;     /* of the last row, 0: none yet */
    int64_t records; /* in all rows */
    char hash[JOURNAL_HASH_DIGITS + 1];
};

void journal_head_init(struct journal_head *head);

/* A row. Texts and bytes are borrowed. */
struct journal_row {
    int64_t seq;
    time_us at;
    int64_t records;
    int64_t first_record; /* number of records in all rows before */
    struct str previous;
    struct str hash;
    struct str body;
};

/* Add a row, and move the head. RC_RETRY: another process was faster. */
MUST_CHECK enum rc journal_write(struct tx *tx, struct journal_head *head, time_us at,
                                 struct str body, int64_t records);
/* Number of the last row, 0 where there is none. */
MUST_CHECK enum rc journal_last(struct tx *tx, int64_t *ret);
/* Number of the last row whose time is not after at. */
MUST_CHECK enum rc journal_last_at(struct tx *tx, time_us at, int64_t *ret);

/* Rows after < seq <= until, in order; a row is valid during the call. fn may run other SQL. */
typedef enum rc (*journal_fn)(struct tx *tx, const struct journal_row *row, void *arg);
MUST_CHECK enum rc journal_each(struct tx *tx, int64_t after, int64_t until, journal_fn fn,
                                void *arg);

/* The row follows the head and is whole: then the head moves. RC_INVALID names the row. */
MUST_CHECK enum rc journal_follow(struct journal_head *head, const struct journal_row *row,
                                  struct err *err);
/* All records of a row into the machine: from machine_begin up to before machine_seal. RC_INVALID
 * names the row; then the machine's batch is to be cancelled. */
MUST_CHECK enum rc journal_apply(struct machine *m, const struct journal_row *row, struct err *err);

#endif
