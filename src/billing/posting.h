/*
 * posting.h - what each business event writes into the books: the one place that knows account
 * codes.
 *
 * Codes (specs/billing.md 3.4): AR:<party> AP:<party> Bank Income:<label> Expense:<label>
 * VAT-Out:<country>:<ppm> VAT-In:<country>:<ppm> Deferred Wallet:<party> Promo:<party>
 * Commission:<party> (accrued, not yet earned) Reserve:<label> Marketing:<label> FX:<pair>
 * Financing:<party> Loan:<party> Suspense. AR and AP of two parties mirror one another
 * (ledger_debt). The neutral book of COLLECT belongs to the party "Clearing".
 *
 * Each event posts under the source "billing" or "settle" with the event's own number, so that a
 * repeat has no effect. Numbers of one source ascend: take them from posting_number in the unit of
 * work that posts. What has its own way to know that it was done takes posting_next.
 */
#ifndef BILLING_POSTING_H
#define BILLING_POSTING_H

#include "billing/document.h"
#include "ledger/ledger.h"

#define POSTING_CLEARING STR("Clearing")

enum { POSTING_LEGS_MAX = 1024 };

/* Kinds of posting: transfer.code, for statements and exports. */
enum posting_code {
    POSTING_INVOICE = 1,
    POSTING_TAX,
    POSTING_CREDIT_NOTE,
    POSTING_SHARE_ACCRUED,
    POSTING_SHARE_EARNED,
    POSTING_SHARE_VOID,
    POSTING_PAYMENT,
    POSTING_PAYOUT,
    POSTING_PREPAID,
    POSTING_RECOGNISED,
    POSTING_REWARD,
    POSTING_BREAKAGE,
    POSTING_BAD_DEBT,
    POSTING_FREE_TIER,
    POSTING_MANUAL,
    POSTING_EXCHANGE,
    POSTING_FINANCING,
};

/* One leg of an event, by codes; accounts are opened as needed. */
struct leg {
    struct str party; /* whose book */
    struct str debit;
    struct str credit;
    int64_t amount; /* 0: left out; below 0: the other way round */
    enum posting_code code;
    const struct currency *currency; /* of the book; NULL: the event's */
    unsigned debit_flags;            /* of ledger_account, for accounts that are opened here */
    unsigned credit_flags;
};
/* Post the legs as one chain under (source, number), at most POSTING_LEGS_MAX. AP:/AR: accounts are
 * opened as mirrors. A repeat, the same legs under the same number, has no effect. What ledger_post
 * returns. */
MUST_CHECK enum rc posting_event(struct tx *tx, struct ledger *l, struct str source,
                                 uint64_t number, const struct currency *currency,
                                 const struct leg *legs, size_t count);
/* The same under the next number that the source has left, for an event whose own number may come
 * behind a younger one's; it joins the legs (transfer.event). Not repeatable: the caller keeps in
 * the same unit of work that it is done. */
MUST_CHECK enum rc posting_next(struct tx *tx, struct ledger *l, struct str source, uint64_t event,
                                const struct currency *currency, const struct leg *legs,
                                size_t count);
/* The next number of an event: dense, for ever. */
MUST_CHECK enum rc posting_number(struct tx *tx, uint64_t *ret);

/* Part of `hansed ledger verify`: what each final document had to put into its buyer's book, the
 * journal has, once. RC_INVALID names the first document for which it is not so. */
MUST_CHECK enum rc posting_verify(struct tx *tx, struct ledger *l);

#endif
