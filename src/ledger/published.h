/*
 * published.h - the balances for those who read while one thread writes. Private to ledger/.
 *
 * A reading tx has a snapshot of the store, which ends with some row of the journal; commits may
 * have followed since. So what is published here is not only the newest balance of each account but
 * also, for the latest changes, what it was before: a reader gets the balance as of its own
 * snapshot, and all that it reads belongs together. What lies too far back, or (with another
 * process on PostgreSQL) ahead of what is published, the reader takes from the store itself.
 */
#ifndef LEDGER_PUBLISHED_H
#define LEDGER_PUBLISHED_H

#include "ledger/machine.h"

struct published;

struct published *published_open(void);
void published_close(struct published *p);

/* All accounts of the machine, as of row seq: at the start. */
void published_set(struct published *p, const struct machine *m, int64_t seq);
/* A commit that ends with row seq: what it touched, and the machine behind it. */
void published_commit(struct published *p, const struct machine *m, const struct touched *touched,
                      size_t count, int64_t seq);

enum published_answer {
    PUBLISHED_FOUND,   /* as of seq */
    PUBLISHED_TOO_OLD, /* seq lies too far back */
    PUBLISHED_BEHIND,  /* *ret is as of *ret_seq, before seq: the journal tells the rest */
};
/* The balance at the end of row seq. Zero for an account that was not there. Any thread. */
enum published_answer published_get(struct published *p, account_id account, int64_t seq,
                                    struct balance *ret, int64_t *ret_seq);

#endif
