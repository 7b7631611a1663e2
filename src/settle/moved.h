/*
 * moved.h - what is paid in advance moves to another seller: a family of picos to another host.
 *
 * The close gives the client back what the old seller has not earned, and the new one bills the
 * rest of the time (billing/deferral.h). Where that makes a credit note, the old seller hands it
 * to the new one, which takes it as payment: the portability settlement of specs/billing.md 3.8.
 *
 *   book        debit               credit
 *   old seller  AR:<client>         AP:<new seller>
 *   client      AP:<new seller>     AP:<old seller>
 *   new seller  AR:<old seller>     AR:<client>
 *
 * With the documents beside it the old seller's Deferred became a debt to the new one, and its
 * claim Deferred: the client pays nothing twice, and has a document for each supply. The debt is a
 * booked share, which the next settlement run of the old seller states and pays out.
 *
 * What the old seller sets off against other lines of the same document paid those already, and
 * no more than both documents tell of the same subscriptions goes over. Where the platform
 * collects, its neutral book owes each seller its own anyway, and nothing is to be handed over.
 */
#ifndef SETTLE_MOVED_H
#define SETTLE_MOVED_H

#include "billing/close.h"

/* The credit notes of a close, and those of the one before that were passed by, some of them at
 * once; *ret_done: all are looked at. Again it has no effect. */
MUST_CHECK enum rc moved_close(struct tx *tx, struct ledger *l, int64_t close_no,
                               const struct close_pass *pass, bool *ret_done);

#endif
