/*
 * deferral.h - income that was invoiced in advance and is earned as time passes.
 *
 * A year that is paid at its beginning is Deferred in the seller's book, and becomes Income month
 * by month: R(amount x time so far / whole time) less what was recognised before (telescoping,
 * specs/billing.md 3.9 (4)), so that any steps add up to the amount. When what was paid for moves
 * to another party (a family of picos to another host), the rest moves with it: the portability
 * settlement of specs/billing.md 3.8. Where the platform collects, every tier's part of the line
 * waits in its own book.
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
/* Recognise what was earned up to `until`, at most `limit` lines at once (DEFERRAL_STEP_MAX);
 * *ret_done: nothing is left up to then. Again is without effect. */
MUST_CHECK enum rc deferral_recognise(struct tx *tx, struct ledger *l, time_us until, int64_t limit,
                                      bool *ret_done);
/* What is left of the subscription's lines in one party's book at an instant moves to another one:
 * the one before has earned up to `at` and owes the rest to `to`, which earns it from then on. What
 * the tiers above have deferred of the same subscription stays with them. */
struct deferral_handover {
    struct str subscription;
    struct str from;
    struct str to;
    time_us at;
};
MUST_CHECK enum rc deferral_move(struct tx *tx, struct ledger *l,
                                 const struct deferral_handover *h);
/* A credit note took `amount` of a line's part, and was posted to Deferred: the line is less, and
 * what was earned of it so far too. RC_CONFLICT: it moved to another party than `party`. */
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
