/*
 * deferral.h - income that was invoiced in advance and is earned as time passes.
 *
 * A year that is paid at its beginning is Deferred in the seller's book, and becomes Income month
 * by month: R(amount x time so far / whole time) less what was recognised before (telescoping,
 * specs/billing.md 3.9 (4)), so that any steps add up to the amount. Where the platform collects,
 * every tier's part of the line waits in its own book.
 *
 * When what was paid for moves to another party (a family of picos to another host), the close
 * gives back what is left of it, by a line below nothing, and the other party invoices it: nobody
 * pays twice, and each book has what it earned. settle/moved.h hands the one over for the other:
 * the portability settlement of specs/billing.md 3.8.
 */
#ifndef BILLING_DEFERRAL_H
#define BILLING_DEFERRAL_H

#include "billing/document.h"
#include "ledger/ledger.h"

enum { DEFERRAL_STEP_MAX = 10000 };

struct deferral {
    int64_t no;
    struct str party;        /* in whose book it waits */
    int64_t document;        /* no */
    int64_t line;            /* of it */
    int64_t tier;            /* COLLECT: whose part it is, 0: the operator's; else 0 */
    struct str subscription; /* or empty */
    struct str label;        /* becomes Income:<label> */
    const struct currency *currency;
    int64_t amount; /* minor units, net */
    time_us begins;
    time_us ends;
    time_us reached;    /* recognised up to here */
    int64_t recognised; /* so far */
};

/* A line of a final document that was posted to Deferred (document_income.deferred): begins < ends.
 * Sets no, reached, recognised. */
MUST_CHECK enum rc deferral_add(struct tx *tx, struct deferral *d);
/* The same for many. */
MUST_CHECK enum rc deferral_add_all(struct tx *tx, struct deferral *list, size_t count);
/* Recognise what was earned up to an instant; *ret_done: nothing is left up to then. Again is
 * without effect. What the pass has is left out, and tried again when it has it no more. */
#define DEFERRAL_PASSED "recognition of deferral "
struct close_pass;
struct deferral_span {
    time_us until;
    int64_t limit;                 /* lines at once, at most DEFERRAL_STEP_MAX */
    const struct close_pass *pass; /* NULL: none */
};
MUST_CHECK enum rc deferral_recognise(struct tx *tx, struct ledger *l,
                                      const struct deferral_span *span, bool *ret_done);
/* A credit note took `amount` of a line's part, and was posted to Deferred: the line is less, and
 * what was earned of it so far too. */
struct deferral_taking {
    struct str party; /* whose part: the issuer's, or a tier's */
    int64_t document;
    int64_t line;
    int64_t tier;
    int64_t amount;
};
MUST_CHECK enum rc deferral_credit(struct tx *tx, struct ledger *l,
                                   const struct deferral_taking *t);

#endif
