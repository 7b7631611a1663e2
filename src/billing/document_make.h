/*
 * document_make.h - how a document of this room comes about and becomes final. Private to billing/.
 */
#ifndef BILLING_DOCUMENT_MAKE_H
#define BILLING_DOCUMENT_MAKE_H

#include "billing/document_line.h"

/* What each seller of the paths of a COLLECT document gets, whatever paths its lines took. */
struct document_tiers {
    size_t count;
    struct str sellers[SUPPLY_DEPTH_MAX]; /* [0]: the operator */
    int64_t amounts[SUPPLY_DEPTH_MAX];    /* of each its own part */
    int64_t deferred[SUPPLY_DEPTH_MAX];   /* of that, what was paid in advance */
};
/* Add a line that took a path: amounts as of a rated line. RC_CONFLICT: too many tiers. */
MUST_CHECK enum rc document_tiers_add(struct document_tiers *t, const struct supply_path *path,
                                      const int64_t *amounts, bool deferred, struct err *err);
/* As document_row_post wants them: the issuer last, amounts added up. ret_path is in the result. */
void document_tiers_parts(const struct document_tiers *t, struct str issuer,
                          struct supply_path *ret_path, struct document_parts *ret);

/* A draft that no close made gets its number, today's date, and is posted. tiers: COLLECT alone. */
MUST_CHECK enum rc document_issue(struct tx *tx, struct ledger *l, struct document_row *row,
                                  const struct document_tiers *tiers);

/* Incomes, groups and totals of a credit note: lines are net. before: what credit notes took so
 * far, by the invoice's groups. The tax of a group is R(its tax x net credited / its net) less what
 * was credited before, so that the whole is credited to the cent, whatever the parts. */
MUST_CHECK enum rc document_row_credit_total(struct document_row *row,
                                             const struct document_row *invoice,
                                             const struct document_tax_group *before,
                                             const struct document_sum *sums, size_t count,
                                             struct arena *arena, struct err *err);

/* What credits an invoice has its rate. before: what credit notes took so far, by the invoice's
 * groups: of what the invoice said of each group they take R(that x tax credited / tax) less what
 * they took before, so that all parts together take back the whole, to the minor unit. */
MUST_CHECK enum rc document_row_exchange_as(struct document_row *row,
                                            const struct document_row *invoice,
                                            const struct document_tax_group *before,
                                            struct arena *arena, struct err *err);
/* What corrects an invoice has its rate, too: nothing where that has none. */
MUST_CHECK enum rc document_row_exchange_at(struct tx *tx, struct document_row *row,
                                            const struct document_row *invoice);

#endif
