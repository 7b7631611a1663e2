/*
 * document_rated.h - the rated lines of a close as lines of a document: each seen at the one edge
 * of its path that the document is about. Private to billing/.
 *
 * This is where confidentiality by layer is kept for documents: of a line's prices and amounts only
 * those of the document's own edge leave here (and, within the program, the tiers that a credit
 * note of a COLLECT invoice has to take back).
 */
#ifndef BILLING_DOCUMENT_RATED_H
#define BILLING_DOCUMENT_RATED_H

#include "billing/document_line.h"

/* As document_line_rows, but net as the amounts are: with the tax where prices hold it. */
MUST_CHECK enum rc document_rated_rows(struct tx *tx, const struct document_row *row,
                                       struct line_cursor after, int64_t limit,
                                       struct billed_line **ret, size_t *ret_count);
/* *ret_count 0: no such line, or not of this document. */
MUST_CHECK enum rc document_rated_get(struct tx *tx, const struct document_row *row, int64_t line,
                                      struct billed_line **ret, size_t *ret_count);

#endif
