/*
 * bad_debt.h - an invoice that nobody will pay: who bears it, in all books that it is in.
 *
 * What is open is written off: the client owes it no more, and its seller has lost it. The edge by
 * which that seller buys says whether it bears the loss alone (terms.bad_debt of the agreement with
 * its supplier, which both have signed): the seller of the edge may take over all of it, or what it
 * sold the same thing for; and so on up the path, by each edge's own rule.
 *
 *   CHAIN, DIRECT  seller     Expense:BadDebt / AR:<client>          what was open
 *                  client     AP:<seller> / Income:BadDebt
 *                  supplier   owes its buyer what it takes over: a share, paid as others are
 *   COLLECT        Clearing   AP:<tier> / AR:<client>                what each tier bears
 *                  tier       Expense:BadDebt / AR:Clearing          and a share below 0
 *                  client     AP:Clearing / Income:BadDebt
 *
 * The tax in it is borne as well: whoever may reclaim it writes a credit note instead. Commissions
 * that wait for the cash are void.
 *
 * specs/billing.md 3.4, 3.10.
 */
#ifndef SETTLE_BAD_DEBT_H
#define SETTLE_BAD_DEBT_H

#include "billing/document_row.h"
#include "ledger/ledger.h"

/* RC_CONFLICT: a draft, no invoice, nothing is open, or it is not overdue and others would bear it;
 * RC_NOT_FOUND. Of an invoice between two tiers, and of one made by hand, the issuer bears it. */
MUST_CHECK enum rc bad_debt_write_off(struct tx *tx, struct ledger *l, struct str document,
                                      struct document *ret);
/* So much of what was written off is paid after all: it is owed again, as it was, and whoever bore
 * it bears so much less, by the same rule; what was void of the shares comes to life in proportion.
 * Parts that come add up to the whole. *invoice, as the store has it, is what it is then; at most
 * its written_off. */
MUST_CHECK enum rc bad_debt_recover(struct tx *tx, struct ledger *l, struct document_row *invoice,
                                    int64_t amount);

#endif
