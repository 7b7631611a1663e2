/*
 * document.h - invoices, credit notes and self-billed invoices: made as drafts, numbered once, then
 * fixed.
 *
 * Codes are those of UNTDID 1001 as EN 16931 uses them: 380 invoice, 381 credit note, 384 corrected
 * invoice, 389 self-billed invoice, 261 self-billed credit note, 386 prepayment. Amounts of credit
 * notes are positive. Numbers are gapless for each (issuer, series, year), given at the end, in one
 * unit of work. A final document and its lines never change: the store has no statement that would.
 *
 * Lines are rated lines (billing/rate.h), seen at the edge of the path that the document is about;
 * a document of another kind (a commission, a training day) has lines of its own.
 */
#ifndef BILLING_DOCUMENT_H
#define BILLING_DOCUMENT_H

#include "billing/tax_rule.h"
#include "channel/agreement.h"

enum document_code {
    DOCUMENT_INVOICE = 380,
    DOCUMENT_CREDIT_NOTE = 381,
    DOCUMENT_CORRECTED = 384,
    DOCUMENT_PREPAYMENT = 386,
    DOCUMENT_SELF_BILLED = 389,
    DOCUMENT_SELF_BILLED_CREDIT = 261,
};
enum document_state {
    DOCUMENT_DRAFT,
    DOCUMENT_HELD, /* taken out of the close by somebody; billed by a later one */
    DOCUMENT_FINAL,
    DOCUMENT_PART_PAID,
    DOCUMENT_PAID,
    DOCUMENT_CREDITED, /* wholly */
    DOCUMENT_WRITTEN_OFF,
};
extern const char *const document_kinds[]; /* "invoice", "credit-note", ... */
extern const char *const document_states[];

struct document_tax {
    uint64_t set;
    struct str category; /* "S", "AE" */
    struct str rate;     /* percent */
    struct str net;
    struct str tax;
    struct str reason;
};

extern const struct schema document_tax_schema;

/* The tax in the currency in which the seller accounts for it: EN 16931 BT-6, BT-111. */
struct document_exchange_view {
    uint64_t set; /* 0: the document's own currency is that one, or there is no tax */
    struct str currency;
    struct str tax;
    struct str rate; /* how much of it one of the document's is */
    struct str date;
    struct str source;
    struct str rounding; /* "half away from zero" */
};
extern const struct schema document_exchange_schema;

struct document {
    uint64_t set;
    struct str id;     /* "inv_..." */
    int64_t no;        /* of the store, dense; not shown */
    int64_t kind;      /* index in document_kinds */
    struct str issuer; /* the seller: owner. Of a self-billed one the payee, whose supply it is */
    struct str recipient; /* the buyer: the other side */
    struct str agreement;
    struct str number; /* "2026-000017", empty while a draft */
    int64_t state;
    struct str currency;
    struct str issued; /* date */
    struct str due;
    time_us period_begin;
    time_us period_end;
    struct str net; /* decimal texts in the currency */
    struct str tax;
    struct str gross;
    struct str prepaid; /* wallet and promotional credit, BT-113 */
    struct str payable; /* BT-115 */
    struct str paid;
    struct str credited;
    struct str written_off;
    struct list taxes; /* struct document_tax */
    struct document_exchange_view tax_exchange;
    struct str close;     /* "cls_...", or empty */
    struct str refers_to; /* credit notes: the invoice */
    struct str note;
    time_us created;
};
extern const struct schema document_schema;

struct document_line {
    uint64_t set;
    int64_t line; /* 1.. */
    struct str subscription;
    struct str item;
    struct str text;
    time_us from;
    time_us until;
    struct str quantity;
    struct str unit;
    struct str price;
    struct str net;
    struct str discount; /* what coupons, free tier, minimums did to it */
    struct str tax_category;
    struct str tax_rate;
};
extern const struct schema document_line_schema;

struct document_line_query {
    uint64_t set;
    struct page_query page;
};
extern const struct schema document_line_query_schema;

struct document_query {
    uint64_t set;
    struct page_query page;
    int64_t kind;
    int64_t state;
    struct str issuer;
    struct str recipient;
    struct str close;
};
extern const struct schema document_query_schema;

/* In numbers, as the close and the settlement make them. */
struct draft_line {
    struct str subscription; /* or empty */
    struct str item;
    struct str text;
    struct str income; /* account part */
    time_us from;
    time_us until;
    struct quantity quantity;
    struct str unit;
    struct price price;
    int64_t net; /* minor units; after discount; gross where tax_included */
    int64_t discount;
    enum tax_class tax_class;
    bool deferred; /* paid in advance: earned from `from` to `until` (billing/deferral.h) */
};
enum { DRAFT_LINES_MAX = 10000 };
struct draft {
    enum document_code code;
    struct str issuer;
    struct str recipient;
    struct str agreement;
    const struct currency *currency;
    time_us period_begin;
    time_us period_end;
    int64_t payment_days;
    struct str close;
    struct str refers_to;
    struct str note;
    enum tax_treatment tax;
    bool tax_included;
    const struct draft_line *lines;
    size_t count;
};

/* A draft with lines of its own: taxes decided, totals exact (EN 16931 BR-CO-10 to 17, without its
 * tolerance). RC_INVALID: no lines, a label that is no part of an account's code, a tax that is not
 * known, a prepayment (386), a corrected invoice (384) that refers to none. */
MUST_CHECK enum rc document_draft(struct tx *tx, const struct draft *d, struct document *ret);
/* Give it a number and post it: the chain of transfers in both books. FINAL. RC_CONFLICT: it is
 * no draft, or the draft of a close, which alone makes it final. */
struct ledger;
MUST_CHECK enum rc document_finalise(struct tx *tx, struct ledger *l, struct str id,
                                     struct document *ret);
MUST_CHECK enum rc document_get(struct tx *tx, struct str id, struct document *ret);
/* Those of the party on either side; drafts are shown to the issuer alone. */
MUST_CHECK enum rc document_list(struct tx *tx, struct str party, const struct document_query *q,
                                 struct page *ret);
/* What the document is about and nothing else: of a rated line the price and amount at the edge
 * between its two sides. In their order; after and limit of the query count, sort does not. */
MUST_CHECK enum rc document_lines(struct tx *tx, struct str id, const struct page_query *q,
                                  struct page *ret);
/* Drafts alone. */
MUST_CHECK enum rc document_hold(struct tx *tx, struct str id, bool held, struct document *ret);

/* What somebody writes by hand: becomes a draft of the issuer. */
struct order_line {
    uint64_t set;
    struct str text;
    struct str item;
    struct str income;
    struct str quantity;
    struct str unit;
    struct str price;
    struct str discount;
    int64_t tax_class;
    time_us from;
    time_us until;
    bool deferred;
};
struct document_order {
    uint64_t set;
    struct str recipient;
    struct str agreement;
    struct str currency;
    struct str corrects; /* id: makes it a corrected invoice (384) of one that is wholly credited */
    int64_t payment_days;
    bool tax_included;
    time_us period_begin;
    time_us period_end;
    struct str note;
    struct list lines; /* struct order_line */
};
extern const struct schema order_line_schema;
extern const struct schema document_order_schema;
/* RC_INVALID names the field; a recipient that is neither client nor sponsor of the issuer nor the
 * other side of the agreement that is named. */
MUST_CHECK enum rc document_order(struct tx *tx, struct str issuer, const struct document_order *o,
                                  struct document *ret);

/* Credit lines of a final document, or all that is left of it (count 0): a credit note, numbered
 * and posted, and the shares that had accrued on it taken back through above->credited (NULL: there
 * are none). RC_CONFLICT: more than is left to credit, lines that come to less than nothing, a
 * draft, a credit note. RC_TOO_LARGE: between tiers, more than 50,000 lines whose prices hold the
 * tax. */
struct credit_line {
    uint64_t set;
    int64_t line;
    struct str net; /* decimal; empty: all that is left of the line */
};
extern const struct schema credit_line_schema;
struct credit_order {
    uint64_t set;
    struct list lines; /* struct credit_line; empty: all */
    struct str note;
};
extern const struct schema credit_order_schema;
struct close_above;
struct credit_request {
    struct str id;
    const struct credit_line *lines; /* none: all that is left */
    size_t count;
    struct str note;
};
MUST_CHECK enum rc document_credit(struct tx *tx, struct ledger *l, const struct close_above *above,
                                   const struct credit_request *request, struct document *ret);

#endif
