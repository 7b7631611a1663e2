/*
 * document_row.h - a document in numbers: how the close makes a million of them.
 *
 * document.h shows documents to people, in texts. Within billing/ and settle/ a document is this
 * struct: the same facts as integers, written by one INSERT, posted from memory.
 */
#ifndef BILLING_DOCUMENT_ROW_H
#define BILLING_DOCUMENT_ROW_H

#include "billing/document.h"

enum { DOCUMENT_INCOMES_MAX = 64 };

/* How the net is spread over accounts: Income:<label> of the issuer, Expense:<label> of the
 * recipient. Sums up to net. */
struct document_income {
    struct str label;
    int64_t net;
};
/* A group of EN 16931 BG-23, and whose tax it is. */
struct document_tax_group {
    struct tax_group group;
    struct tax_decision decision;
};

struct document_row {
    int64_t no; /* dense, > 0; 0: to be given */
    struct str id;
    enum document_code code;
    enum document_state state;
    struct str issuer;
    struct str recipient;
    struct str agreement;
    const struct currency *currency;
    enum settle_mode settle;
    bool tax_included;
    int64_t close_no;   /* 0: none */
    int64_t first_line; /* of rated_line in this close; or of document_line (close_no 0) */
    int64_t line_count; /* -1: all lines of the close whose path has the agreement (upstream) */
    int64_t year;       /* of the number */
    int64_t number;     /* 0: draft */
    int64_t issued_day; /* days since 1970-01-01 in the issuer's zone; 0: draft */
    int64_t due_day;
    int64_t payment_days;
    time_us period_begin;
    time_us period_end;
    int64_t net; /* minor units */
    int64_t tax;
    int64_t gross;
    int64_t prepaid;
    int64_t paid;
    int64_t credited;
    int64_t refers_to; /* no */
    struct str note;
    size_t income_count;
    const struct document_income *incomes;
    size_t group_count;
    const struct document_tax_group *groups;
};

/* Lines of one document summed by what matters to it: decide the tax of each class, then totals by
 * group. In: issuer, recipient, currency, tax_included, code; net per (tax class, income label). */
struct document_sum {
    enum tax_class tax_class;
    struct str income;
    int64_t amount; /* net, or gross where tax_included */
};
struct party;
/* Fills in net, tax, gross, incomes, groups. sums are added up by the caller or not: equal ones
 * are joined. RC_INVALID: the table of taxes knows no rate (text for the exceptions), too many
 * groups. */
MUST_CHECK enum rc document_row_total(struct document_row *row, const struct party *issuer,
                                      const struct party *recipient, enum tax_treatment treatment,
                                      int64_t day, const struct document_sum *sums, size_t count,
                                      struct arena *arena, struct err *err);

/* Insert a draft; gives no and id where they are not given. */
MUST_CHECK enum rc document_row_insert(struct tx *tx, struct document_row *row);
MUST_CHECK enum rc document_row_get(struct tx *tx, int64_t no, struct document_row *ret);
MUST_CHECK enum rc document_row_find(struct tx *tx, struct str id, struct document_row *ret);
/* The next `count` numbers of (issuer, kind's series, year), gapless: the first of them. */
MUST_CHECK enum rc document_numbers(struct tx *tx, struct str issuer, enum document_code code,
                                    int64_t year, int64_t count, int64_t *ret_first);
/* Paid or credited grows; the state follows. RC_CONFLICT: more than there is. */
MUST_CHECK enum rc document_row_paid(struct tx *tx, int64_t no, int64_t amount);

/* Write a final document into the books of both sides (posting.h), once: its `no` is the event's
 * number under the source "invoice". COLLECT takes the lines' amounts down the path as well: what
 * each tier earns (path: the edges; sums[k]: what the buyer of edge k owes). */
struct supply_path;
MUST_CHECK enum rc document_row_post(struct tx *tx, struct ledger *l,
                                     const struct document_row *row, const struct supply_path *path,
                                     const int64_t *sums);

#endif
