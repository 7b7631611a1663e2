/*
 * fee.h - fees per unit that a seller or producer owes a third party, rounded once a close.
 *
 * 3.125 for each of a hundred gigabytes is 312.50, not a hundred times 3.13 (specs/billing.md 3.6):
 * so fees are added up exactly, line by line, while the invoices of a close are posted, and become
 * shares, one a rule, at its end. What belongs to free-tier lines is kept apart: it is the host's
 * marketing. They are owed for what was provided, paid or not: earned at once.
 */
#ifndef SETTLE_FEE_H
#define SETTLE_FEE_H

#include "settle/division.h"

/* Whether the fees of a line can be added up by what was agreed at an instant. RC_INVALID. */
MUST_CHECK enum rc fee_try(struct division *d, const struct rated_line *line, time_us at);
/* Add the fees of an invoice's lines to those of its close. */
MUST_CHECK enum rc fee_add(struct division *d, const struct document_row *invoice,
                           const struct rated_line *lines, size_t count);
/* At the end of a close: its fees, and those of invoices of earlier closes that it issued, but for
 * those that are passed by. *ret_done: there are none left. */
MUST_CHECK enum rc fee_close(struct tx *tx, struct ledger *l, int64_t close_no,
                             const struct close_pass *pass, bool *ret_done);

#endif
