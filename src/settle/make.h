/*
 * make.h - statements are made: what is due becomes a document, a debt, and a page that explains
 * it.
 *
 * For each (payer, payee, currency) with shares that are due: one statement, and
 *   - with consent to self-billing (on the agreement the shares come from): one self-billed
 *     document 389, or 261 where more was taken back than earned, with a line for each agreement,
 *     rule and client, taxed by the two parties (specs/billing.md 3.4);
 *   - without consent: the debt alone, Expense:<label> / AP:<payee> and its mirror; the payee
 *     writes the invoice;
 *   - for booked shares (COLLECT): nothing more, the books have it already.
 */
#ifndef SETTLE_MAKE_H
#define SETTLE_MAKE_H

#include "settle/share.h"
#include "settle/statement.h"

struct statement_order {
    struct str payer;  /* empty: of all payers */
    struct str period; /* what they are called: "2026-01" */
    struct str close;  /* that makes them, or empty */
    time_us until;     /* what is due up to it */
    size_t limit;      /* pairs at once */
    const struct close_pass *pass;
};
/* Make the statements of pairs that have something due, but for those that are passed by. A pair
 * with more than SHARES_DUE_MAX shares has several; what one unit of work has no room for is left
 * to the next one at a later instant. *ret_done: none is left. */
MUST_CHECK enum rc statements_make(struct tx *tx, struct ledger *l,
                                   const struct statement_order *order, bool *ret_done);

#endif
