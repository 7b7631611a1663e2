/*
 * verify.h - what must be so of shares, statements and payments, looked at in the whole store.
 *
 *   - what a payer has accrued for a payee and not settled is what its book owes: the balance of
 *     Commission:<payee>, to the cent
 *   - a share is settled for what its statements say, and never earned above its worth
 *   - a payout of statements is what they say
 *   - what Clearing owes each party is what moved there for it (clearing.h), and what the operator
 *     lent it is out or came back (fund.h)
 *   - specs/billing.md 3.10: what the tiers have of an invoice is its net, what a waterfall shares
 *     is its amount, nothing is left of what was credited wholly, and each document is in its
 *     buyer's book once (docs/invariants.md)
 *   - a payment's parts are what it matched, and an invoice is paid by what its payments, and those
 *     within Clearing, paid it
 *
 * Part of `hansed ledger verify`; the same questions can be asked in SQL by anyone who can read
 * the store.
 */
#ifndef SETTLE_VERIFY_H
#define SETTLE_VERIFY_H

#include "ledger/ledger.h"

struct settle_report {
    int64_t shares;
    int64_t payments;
    int64_t waiting; /* payouts of Clearing that wait for cash: no fault, but somebody owes it */
};
/* RC_INVALID names the first thing that is not so. In a unit of work that reads. */
MUST_CHECK enum rc settle_verify(struct tx *tx, struct ledger *l, struct settle_report *ret);

#endif
