/*
 * document_text.h - the incomes and taxes of a document as short texts in its row.
 *
 *     incomes   "VPS 19500 0 0;Storage 20000 14000 0"     label net wholesale deferred
 *     taxes     "S 200000 19500 3900 FR - 0 0 1 VPS"
 *               category rate net tax country reason buyer-rate buyer-tax classes expense
 *     exchange  "EUR 3600 250 271 20454 2600,1000 ECB reference rate"
 *               currency tax numerator denominator day parts source; empty: none
 *
 * Integers only; '-' where a text is missing.
 */
#ifndef BILLING_DOCUMENT_TEXT_H
#define BILLING_DOCUMENT_TEXT_H

#include "billing/document_row.h"

enum { DOCUMENT_TEXT_MAX = 16 * 1024 };

struct str document_incomes_write(const struct document_row *row, struct arena *arena);
struct str document_taxes_write(const struct document_row *row, struct arena *arena);
struct str document_exchange_write(const struct document_row *row, struct arena *arena);

/* Fill in incomes, groups and exchange. RC_INVALID where a text is not of this form. */
MUST_CHECK enum rc document_incomes_read(struct str text, struct arena *arena,
                                         struct document_row *ret, struct err *err);
MUST_CHECK enum rc document_taxes_read(struct str text, struct arena *arena,
                                       struct document_row *ret, struct err *err);
/* ret has its currency and its groups. */
MUST_CHECK enum rc document_exchange_read(struct str text, struct arena *arena,
                                          struct document_row *ret, struct err *err);

#endif
