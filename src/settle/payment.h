/*
 * payment.h - money that comes in: matched to documents, and what it sets free.
 *
 * A payment is booked once by its reference. It pays the invoice it names (or the one that its RF
 * reference names, or the payer's oldest); what is left over waits in Suspense. Each document paid
 * in part is paid pro rata: shares that wait for cash are earned by R(share * paid / gross),
 * telescoping, so that the last payment completes them to the cent.
 */
#ifndef SETTLE_PAYMENT_H
#define SETTLE_PAYMENT_H

#include "billing/posting.h"

struct payment {
    uint64_t set;
    struct str id;    /* "pay_..." */
    struct str party; /* who received it: owner */
    struct str payer; /* may be empty where it is not known yet */
    struct str amount;
    struct str currency;
    struct str reference;  /* the bank's or provider's own, unique for the party */
    struct str remittance; /* RF reference or text */
    struct str document;   /* in requests: the one that is paid; empty: matched */
    struct str value_date;
    struct str matched; /* how much of it found documents */
    struct str state;   /* "matched", "part", "suspense", "returned" */
    time_us created;
};
extern const struct schema payment_schema;

/* The same reference again with the same content has no effect and answers what is there; with
 * another content RC_CONFLICT. RC_INVALID: the document is no invoice (credit notes are paid by
 * nobody, self-billed documents by payouts), or in another currency. An amount above what is open
 * with nothing else to match is not refused: the rest goes to Suspense. */
MUST_CHECK enum rc payment_book(struct tx *tx, struct ledger *l, struct str party,
                                const struct payment *fresh, struct payment *ret);
MUST_CHECK enum rc payment_get(struct tx *tx, struct str id, struct payment *ret);
MUST_CHECK enum rc payment_list(struct tx *tx, struct str party, const struct page_query *q,
                                struct page *ret);
/* Pay so much of a document (below 0: take it back): the books of both sides, and the shares that
 * wait for its cash. d->paid follows. */
struct document_row;
MUST_CHECK enum rc payment_apply(struct tx *tx, struct ledger *l, struct document_row *d,
                                 int64_t amount);
/* The bank took it back: all of it is undone, earned shares too, and what was paid with it in
 * Clearing (clearing.h). */
MUST_CHECK enum rc payment_return(struct tx *tx, struct ledger *l, struct str id,
                                  struct payment *ret);

#endif
