/*
 * division.h - who has a share in a rated line: agreements become shares.
 *
 * For each line of a client's invoice, as specs/billing.md 3.1 and 3.5 to 3.8 say:
 *
 *   REFERRAL    to the introducer of the client, or of a buyer on its path
 *   REVSHARE    from a seller on the path to the item's author
 *   production  the operator owes the line's producer what it sells the line at, less the FEE
 *               agreements from the producer to the operator, less the operator's own costs
 *   COST        the producer owes its inputs, out of what the line brings it
 *   FEE         from a seller on the path or the producer to a third party: per unit, added up over
 *               the close and rounded once
 *   margin      COLLECT: each tier's, which the books owe it already
 *
 * FIXED counts the units of a subscription once for the time of a window, however many lines it has
 * (rated_line.timed). Shares of one rule in one invoice are one share.
 */
#ifndef SETTLE_DIVISION_H
#define SETTLE_DIVISION_H

#include "settle/share.h"

/* What is found once for many lines of one unit of work: agreements by party, referrals by path. */
struct division;
struct division *division_new(struct tx *tx);

/* The shares of an invoice's lines. RC_INVALID: rules that cannot be computed with. */
MUST_CHECK enum rc division_run(struct division *d, const struct document_row *invoice,
                                const struct rated_line *lines, size_t count, struct share **ret,
                                size_t *ret_count);
/* Keep what bounded fees left with the operator in the invoices that were divided since: once they
 * are posted, in the same unit of work. A credit note does not call it: caps are of what was sold.
 */
MUST_CHECK enum rc division_keep(struct division *d);
/* By what was agreed when a line is shared: as of the beginning of its window, or, where that
 * cannot be computed with, of the first instant behind it up to now that can be. RC_INVALID,
 * RC_TOO_LARGE: there is none: two rules take the residual, an amount is in another currency; the
 * sentence is for the exceptions of the close. In a reading tx, too. */
MUST_CHECK enum rc division_at(struct division *d, const struct rated_line *line, time_us *ret);
/* --- what fee.c and fit.c ask as well --- */

/* Active agreements of a kind from a party at an instant: struct agreement. */
MUST_CHECK enum rc division_agreements(struct division *d, enum agreement_kind kind,
                                       struct str from, time_us at, struct list *ret);
/* Whether the agreement, one of all of its kind from its party, is about the line. RC_INVALID: it
 * is, and counts in another currency. */
MUST_CHECK enum rc division_covers(struct division *d, const struct list *all,
                                   const struct agreement *a, const struct rated_line *line,
                                   bool *ret);
/* Those that introduced the buyers of the line's path: struct agreement. */
MUST_CHECK enum rc division_referrals(struct division *d, const struct rated_line *line, time_us at,
                                      struct list *ret);
/* Whether there are any agreements of a kind; once division_at was asked. */
bool division_has(const struct division *d, enum agreement_kind kind);
/* FIXED, PER_UNIT: what such a rule gives of one line, before its cap. RC_INVALID: more than a
 * share may be. */
bool division_counts_units(const struct rule *rule);
MUST_CHECK enum rc division_for_units(struct division *d, const struct rule *rule,
                                      const struct rated_line *line, int64_t *ret);
struct tx *division_tx(const struct division *d);
/* Whether the rule speaks of the month that the line is of, counted from the first one. */
bool division_in_months(const struct rule *rule, const struct rated_line *line);
/* What FIXED counts of a line: its units, where it tells the time of its window; below 0 where it
 * is given back. */
struct quantity division_units(const struct rated_line *line);
/* What a percentage is of: never more than its payer sees, which is what it sells the line at and
 * what it buys it at (docs/decisions/0012). */
int64_t division_base(const struct rule *rule, struct str payer, const struct rated_line *line);

#endif
