/*
 * machine.h - the state of all books, and the one way to change it: record by record.
 *
 * Pure: no clock, no chance, no reading or writing. The same records at the same times give the
 * same state and the same answers. Private to ledger/; one thread at a time.
 *
 *     machine_begin(m, at);                       a batch begins, at its time
 *     while (machine_expire(m, &record)) ...      releases what has run out; records to keep
 *     mark = machine_mark(m);
 *     machine_transfer(m, &transfer, &record, err)     or refused: machine_undo(m, mark)
 *     machine_seal(m);                            proves the books; tells what was touched
 *     machine_end(m);                             kept; or machine_cancel(m)
 */
#ifndef LEDGER_MACHINE_H
#define LEDGER_MACHINE_H

#include "ledger/ledger.h"
#include "ledger/record.h"

struct machine;

/* seed: two words of chance, for the hash tables only; what the machine answers does not depend on
 * them. */
struct machine *machine_open(const uint64_t seed[2]);
/* NULL is fine. */
void machine_close(struct machine *m);

/* --- batches --- */

/* at: not before the batch before. */
void machine_begin(struct machine *m, time_us at);
/* Release the next reservation whose timeout has passed. False: there is none left. */
MUST_CHECK bool machine_expire(struct machine *m, struct record *ret);

/* A point to come back to, not within a chain. 0 is the beginning of the batch. */
size_t machine_mark(struct machine *m);
/* Forget all since the mark. */
void machine_undo(struct machine *m, size_t mark);
/* Forget the whole batch, its time too. */
void machine_cancel(struct machine *m);

/* An account that the batch touched, and its balance before. */
struct touched {
    account_id account;
    struct balance before;
};
/* The end of a batch: every book's changes sum up to zero (asserted). The list is valid until the
 * next call of a function that changes the machine. */
const struct touched *machine_seal(struct machine *m, size_t *ret_count);
void machine_end(struct machine *m);

/* --- records; refusals as ledger.h says --- */

/* Find the book, or open it: then ret_record is filled in, else its text is empty. */
MUST_CHECK enum rc machine_book(struct machine *m, struct str party, struct str currency,
                                uint32_t *ret, struct record *ret_record, struct err *err);
MUST_CHECK enum rc machine_account(struct machine *m, const struct record *definition,
                                   account_id *ret, struct record *ret_record, struct err *err);
MUST_CHECK enum rc machine_source(struct machine *m, struct str name, uint32_t *ret,
                                  struct record *ret_record, struct err *err);
/* *ret_changed: whether it was otherwise, and there is a record to keep. */
MUST_CHECK enum rc machine_set_closed(struct machine *m, account_id account, bool closed,
                                      bool *ret_changed, struct record *ret_record,
                                      struct err *err);
/* t->reference.number is above the source's last. After a refusal, undo to a mark before the
 * chain. */
MUST_CHECK enum rc machine_transfer(struct machine *m, const struct transfer *t,
                                    struct record *ret_record, struct err *err);
/* Whether the last transfer was linked to one that is still to come. */
bool machine_in_chain(const struct machine *m);
/* A record of the journal again. RC_INVALID: it cannot be what happened. */
MUST_CHECK enum rc machine_apply(struct machine *m, const struct record *r, struct err *err);

/* --- looking --- */

uint32_t machine_books(const struct machine *m); /* how many; numbers from 1 */
uint32_t machine_accounts(const struct machine *m);
uint32_t machine_sources(const struct machine *m);
time_us machine_time(const struct machine *m); /* of the last batch */

/* Numbers from 1 to the count. Texts are valid until the machine is closed, or the thing undone. */
void machine_see_book(const struct machine *m, uint32_t book, struct str *ret_party,
                      struct str *ret_currency);
uint32_t machine_book_of(const struct machine *m, account_id account);
struct account machine_see_account(const struct machine *m, account_id account);
const struct balance *machine_balance(const struct machine *m, account_id account);
unsigned machine_flags(const struct machine *m, account_id account);
struct str machine_source_name(const struct machine *m, uint32_t source);
uint64_t machine_source_last(const struct machine *m, uint32_t source);

/* The account with this code, or 0. */
account_id machine_find(const struct machine *m, struct str party, struct str currency,
                        struct str code);

/* --- checkpoints --- */

/* The parts of the state that no table shows, as bytes; equal states give equal bytes. */
struct str machine_save(const struct machine *m, struct arena *arena);
/* Into a machine that has all books, accounts and sources of that state. RC_INVALID. */
MUST_CHECK enum rc machine_load(struct machine *m, struct str bytes, struct err *err);
/* While loading: a balance as a checkpoint has it. RC_INVALID. */
MUST_CHECK enum rc machine_load_balance(struct machine *m, account_id account,
                                        const struct balance *balance, struct err *err);
/* A loaded or replayed state proves itself: every book at zero, every mirror in agreement, limits
 * kept, reservations as the accounts have them. RC_INVALID. */
MUST_CHECK enum rc machine_prove(const struct machine *m, struct err *err);

#endif
