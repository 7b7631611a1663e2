/*
 * document_net.h - prices that hold the tax: the rated lines of a close as they are without it.
 *
 * Shares are taken, and tiers earn, of what is left when the tax is off (specs/billing.md 3.6). At
 * the edge that the document is about a line's net is the one that the document shows. Where the
 * platform collects, so is every tier's: the tax of the document is taken off what each buyer on
 * the path owes, and what is left is given to the lines by largest remainder, so that the parts of
 * all tiers add up to the document's net. Where each tier invoices the next, a tier's prices hold
 * the tax of its own document.
 */
#ifndef BILLING_DOCUMENT_NET_H
#define BILLING_DOCUMENT_NET_H

#include "billing/document_row.h"
#include "billing/rate.h"

/* What is found once for many documents of one unit of work. */
struct document_netter;
struct document_netter *document_netter_new(struct tx *tx);

/* All lines of a client's document of a close, whole: amounts, list_amount and discount become net,
 * tax_included false. Nothing where they hold no tax. RC_INVALID: a sum that does not fit. */
MUST_CHECK enum rc document_netter_lines(struct document_netter *n, const struct document_row *row,
                                         struct rated_line *lines, size_t count);

#endif
