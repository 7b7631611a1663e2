/*
 * document_row.h - a document in numbers: how the close makes a million of them.
 *
 * document.h shows documents to people, in texts. Within billing/ and settle/ a document is this
 * struct: the same facts as integers, written by one INSERT, posted from memory.
 */
#ifndef BILLING_DOCUMENT_ROW_H
#define BILLING_DOCUMENT_ROW_H

#include "billing/document.h"
#include "channel/supply.h"
#include "ledger/ledger.h"
#include "money/exchange.h"

enum { DOCUMENT_INCOMES_MAX = 64 };

/* How the net is spread over accounts: Income:<label> of the issuer, Expense:<label> of the
 * recipient. Sums up to net. */
struct document_income {
    struct str label;
    int64_t net;
    int64_t wholesale; /* COLLECT: what of it the operator earns; what is missing of sums[0] is
                          Income:Wholesale */
    bool deferred;     /* paid in advance: Deferred instead of Income (billing/deferral.h) */
};
/* A group of EN 16931 BG-23, and whose tax it is. */
struct document_tax_group {
    struct tax_group group;
    struct tax_decision decision;
    int64_t buyer_tax;  /* reverse charge: what the buyer accounts for itself */
    unsigned classes;   /* bit of each enum tax_class that is in it */
    struct str expense; /* label of its greatest income: what becomes dearer where the tax is not
                           deducted. One label, so that credit notes of parts take back the same */
};

/* The tax in the currency in which the issuer accounts for it (EN 16931 BT-111), and the rate. */
struct document_exchange {
    struct exchange rate; /* to NULL: it is the document's own, or there is no tax */
    int64_t tax;          /* minor units of rate.to; half away from zero */
    const int64_t *parts; /* of each group; they sum up to tax */
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
    int64_t prepaid; /* by wallet and promotional credit, BT-113 */
    int64_t promo;   /* of prepaid, the promotional part */
    int64_t paid;
    int64_t credited;
    int64_t written_off;
    int64_t refers_to;    /* no */
    bool tax_recoverable; /* the recipient deducts the tax: VAT-In; else it is part of Expense */
    bool posted;          /* by document_finalise; documents of a close are posted by its cursor */
    struct str note;
    time_us created;
    size_t income_count;
    const struct document_income *incomes;
    size_t group_count;
    const struct document_tax_group *groups;
    struct document_exchange exchange;
};

/* Lines of one document summed by what matters to it: decide the tax of each class, then totals by
 * group. In: issuer, recipient, currency, tax_included, code; net per (tax class, income label). */
struct document_sum {
    int64_t amount;    /* net, or gross where tax_included */
    int64_t wholesale; /* COLLECT: amounts[0] of the same lines; else 0. As amount */
    struct str income;
    enum tax_class tax_class;
    bool deferred;
};
struct party;
/* Fills in net, tax, gross, tax_recoverable, incomes, groups. sums are added up by the caller or
 * not: equal ones are joined. RC_INVALID: the table of taxes knows no rate (text for the
 * exceptions), too many groups or labels, net or gross above AMOUNT_ONE_MAX. */
struct document_sides {
    const struct party *issuer;
    const struct party *recipient;
    enum tax_treatment treatment;
    int64_t day; /* of the supply, in the issuer's time zone */
};
MUST_CHECK enum rc document_row_total(struct document_row *row, const struct document_sides *sides,
                                      const struct document_sum *sums, size_t count,
                                      struct arena *arena, struct err *err);

/* After the totals: the tax in the currency in which the issuer accounts for it, by the rate of the
 * day of the supply (exchange_rate.h). RC_INVALID: none is known. */
MUST_CHECK enum rc document_row_exchange(struct tx *tx, struct document_row *row,
                                         const struct party *issuer, int64_t day);

/* The nets of the lines of a row whose totals are made: as given, or, where prices hold the tax,
 * the net of each kind (tax class, income) given to its lines by largest remainder. RC_INVALID. */
MUST_CHECK enum rc document_line_nets(const struct document_row *row,
                                      const struct document_sum *lines, size_t count,
                                      struct arena *arena, int64_t *ret_nets, struct err *err);
/* The group that a tax class is in, or NULL. */
const struct document_tax_group *document_group(const struct document_row *row,
                                                enum tax_class tax_class);

/* As people see it. */
MUST_CHECK enum rc document_show(struct tx *tx, const struct document_row *row,
                                 struct document *ret);

/* The next `count` of no: the first of them. */
MUST_CHECK enum rc document_nos(struct tx *tx, int64_t count, int64_t *ret_first);
/* Insert a draft; gives no and id where they are not given. */
MUST_CHECK enum rc document_row_insert(struct tx *tx, struct document_row *row);
/* Many drafts, which have their no. */
MUST_CHECK enum rc document_row_insert_all(struct tx *tx, struct document_row *rows, size_t count);
MUST_CHECK enum rc document_row_get(struct tx *tx, int64_t no, struct document_row *ret);
MUST_CHECK enum rc document_row_find(struct tx *tx, struct str id, struct document_row *ret);
/* One by one in the order of no, behind `after`; at most limit. */
typedef enum rc (*document_row_fn)(struct tx *tx, const struct document_row *row, void *arg);
MUST_CHECK enum rc document_row_each(struct tx *tx, int64_t after, int64_t limit,
                                     document_row_fn fn, void *arg);
/* The credit notes that refer to a document. */
MUST_CHECK enum rc document_row_credits(struct tx *tx, int64_t no, document_row_fn fn, void *arg);
/* What its issuer asks the recipient to pay: an invoice, the corrected one too. (Credit notes are
 * paid by nobody, self-billed documents by payouts.) */
static inline bool document_is_invoice(const struct document_row *row)
{
    return row->code == DOCUMENT_INVOICE || row->code == DOCUMENT_CORRECTED;
}
/* Of a document d something is open, as SQL says it. */
#define DOCUMENT_OPEN "d.gross > d.prepaid + d.credited + d.paid + COALESCE(d.written_off, 0) "
/* Final invoices between two parties of which something is open: oldest due first, those of one day
 * by their no. */
MUST_CHECK enum rc document_row_unpaid(struct tx *tx, struct str issuer, struct str recipient,
                                       struct str currency, int64_t limit, document_row_fn fn,
                                       void *arg);
/* Invoices under SUPPLY agreements of a mode that the recipient has not paid wholly, final and not
 * written off: oldest due first. */
MUST_CHECK enum rc document_row_debts(struct tx *tx, struct str recipient, struct str currency,
                                      enum settle_mode settle, int64_t limit, document_row_fn fn,
                                      void *arg);
/* The next `count` numbers of (issuer, kind's series, year), gapless: the first of them. */
MUST_CHECK enum rc document_numbers(struct tx *tx, struct str issuer, enum document_code code,
                                    int64_t year, int64_t count, int64_t *ret_first);
/* "2026-000017", "C-2026-000003"; empty of a draft. */
struct str document_number_text(const struct document_row *row, struct arena *arena);
/* The date at an instant in the party's time zone, and its year. */
MUST_CHECK enum rc document_day(const struct party *issuer, time_us at, int64_t *ret_day,
                                int64_t *ret_year, struct err *err);
/* One draft becomes final: number, dates, state. RC_CONFLICT: it is no draft; RC_INVALID: its
 * totals are not right. It is not posted. What the close does to all of its drafts in one
 * statement. */
MUST_CHECK enum rc document_row_finalise(struct tx *tx, struct document_row *row);

/* EN 16931 BR-CO-10 to 17 and BR-53 on the totals, exactly, without the tolerance that its
 * validators have: lines (as incomes), groups, net, tax, gross, payable, tax in the seller's
 * currency. A credit note of a part bears the difference that its invoice's tax makes, so there one
 * minor unit a group is allowed. RC_INVALID names the rule. */
MUST_CHECK enum rc document_check(const struct document_row *row, struct err *err);
/* The same for every document in the store, its lines (its own, or those of the close that made
 * it), and all numbers without a gap: for `hansed ledger verify`. RC_INVALID names the first that
 * breaks it. The arena is reset between steps. */
MUST_CHECK enum rc document_verify(struct store *s, struct arena *arena, int64_t *ret_checked,
                                   struct err *err);
/* Its steps: documents behind `after`, at most limit; then the numbers. */
MUST_CHECK enum rc document_verify_some(struct tx *tx, int64_t after, int64_t limit,
                                        int64_t *ret_last, int64_t *ret_checked);
MUST_CHECK enum rc document_verify_numbers(struct tx *tx);

/* What is still to be paid: gross less prepaid, paid, credited and written off; below 0: to be paid
 * back. */
int64_t document_open(const struct document_row *row);
/* Paid or credited grows (below 0: is taken back); the state follows. RC_CONFLICT: more than there
 * is. */
MUST_CHECK enum rc document_row_paid(struct tx *tx, int64_t no, int64_t amount);
MUST_CHECK enum rc document_row_credited(struct tx *tx, int64_t no, int64_t amount);
/* Nobody will pay what is open: *ret_amount, > 0. RC_CONFLICT: nothing is. */
MUST_CHECK enum rc document_row_write_off(struct tx *tx, int64_t no, int64_t *ret_amount);
/* So much of what was written off is owed again, as somebody pays it. */
MUST_CHECK enum rc document_row_recover(struct tx *tx, int64_t no, int64_t amount);

/* Write a final document into the books of both sides (posting.h), under the source "invoice" with
 * the document's `no` as event; nothing where row->posted. Once: the caller keeps in the same unit
 * of work that it did. (Numbers within a source ascend for ever, while a draft that was held back
 * becomes final after younger ones: so `no` cannot be the reference.) COLLECT takes what each tier
 * earns as well; elsewhere parts may be NULL. */
struct document_parts {
    const struct supply_path *path;
    int64_t sums[SUPPLY_DEPTH_MAX];     /* net: what the buyer of each edge owes; the last is not
                                           read, as that is the document's */
    int64_t deferred[SUPPLY_DEPTH_MAX]; /* of each tier's own part, what was paid in advance; the
                                           operator's is not read, as incomes tell it */
};
MUST_CHECK enum rc document_row_post(struct tx *tx, struct ledger *l,
                                     const struct document_row *row,
                                     const struct document_parts *parts);

#endif
