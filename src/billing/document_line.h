/*
 * document_line.h - the lines of a document in numbers, whatever made them: its own rows, or rated
 * lines of a close seen at the edge that the document is about.
 */
#ifndef BILLING_DOCUMENT_LINE_H
#define BILLING_DOCUMENT_LINE_H

#include "billing/document_row.h"
#include "channel/supply.h"

/* Where a reading of lines goes on: behind this one. A document's own lines, and those of a
 * client's invoice, are in the order of their numbers (path 0); those of an upstream document by
 * path. */
struct line_cursor {
    int64_t path;
    int64_t line;
};

struct billed_line {
    int64_t line;            /* of a rated line, its number in the close */
    struct draft_line facts; /* net: without tax, whatever the prices hold */
    int64_t credits;         /* of a credit note: the line that it takes back */
    struct line_cursor at;
    int64_t path;                      /* of a rated line: its number */
    size_t tiers;                      /* COLLECT: edges of its path; else 0 */
    int64_t amounts[SUPPLY_DEPTH_MAX]; /* COLLECT: what the buyer of each edge owes for
                                          it, net as facts are */
};

/* People see lines numbered from the document's first one. */
static inline int64_t document_line_shown(const struct document_row *row, int64_t line)
{
    return line - row->first_line + 1;
}
static inline int64_t document_line_of(const struct document_row *row, int64_t shown)
{
    return shown + row->first_line - 1;
}

/* Add a line to a draft that no close made. */
MUST_CHECK enum rc document_line_insert(struct tx *tx, int64_t document,
                                        const struct billed_line *line);
/* Lines behind `after` ({0, 0}: from the first), at most limit. RC_TOO_LARGE: prices that hold the
 * tax in a document of more than DRAFT_LINES_MAX lines, or than limit, where that is more and at
 * most DOCUMENT_INCLUSIVE_MAX (some kilobytes each). */
enum { DOCUMENT_INCLUSIVE_MAX = 50000 };
MUST_CHECK enum rc document_line_rows(struct tx *tx, const struct document_row *row,
                                      struct line_cursor after, int64_t limit,
                                      struct billed_line **ret, size_t *ret_count);
/* One line. RC_NOT_FOUND. */
MUST_CHECK enum rc document_line_get(struct tx *tx, const struct document_row *row, int64_t line,
                                     struct billed_line *ret);
/* What credit notes took of a line so far, and whether any did. */
MUST_CHECK enum rc document_line_credited(struct tx *tx, int64_t document, int64_t line,
                                          int64_t *ret, bool *ret_any);

#endif
