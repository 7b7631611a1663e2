/*
 * share.h - a right to a part of an invoice, from its accrual to its payment.
 *
 * What a share does in the books of its payer (posting.h has the codes):
 *
 *   accrued   Expense:<label> / Commission:<payee>        the invoice was posted
 *   voided    Commission:<payee> / Expense:<label>        a credit note takes its part back
 *   settled   Commission:<payee> / Expense:<label>, and then what is owed for good: the self-billed
 *             document (Expense:<label>, VAT-In / AP:<payee> and the payee's mirror), or, without
 *             consent to self-billing, Expense:<label> / AP:<payee> alone
 *
 * So the expense is there from the invoice on, the debt from the statement on, and nothing twice.
 * What is earned is a count beside them: R(worth x paid / gross) of the invoice, at each payment
 * the difference to what it was (telescoping), or all of it at once where the agreement says so.
 *
 * A booked share's debt is in the books already: a tier's margin in COLLECT. It is earned and paid
 * out as the others are, but what a part payment earns is rounded down: the neutral book pays all
 * tiers out of that one payment, and each cent rounded up would be one that has not come in.
 *
 * specs/billing.md 3.1, 3.4 to 3.7.
 */
#ifndef SETTLE_SHARE_H
#define SETTLE_SHARE_H

#include "billing/close.h"
#include "billing/document_row.h"
#include "billing/posting.h"

enum {
    SHARE_LABEL_MAX = 40,
    SHARES_OF_DOCUMENT_MAX = 50000, /* one invoice gives no more */
    SHARES_DUE_MAX = 5000,
};

enum share_origin {
    SHARE_OF_REFERRAL,
    SHARE_OF_REVSHARE,
    SHARE_OF_PRODUCTION, /* what the producer earns of what the operator sells */
    SHARE_OF_COST,       /* what the producer owes for its inputs */
    SHARE_OF_FEE,
    SHARE_OF_MARGIN,   /* a tier's margin in COLLECT; booked */
    SHARE_OF_PREPAID,  /* COLLECT: what a client's credit paid, less than nothing; booked */
    SHARE_OF_BAD_DEBT, /* what a seller bears of what its buyer could not collect */
    SHARE_OF_WORK,     /* what was done once, under a cost or fee agreement: once.h */
    SHARE_OF_MOVE,     /* what was paid in advance, and moved to the payee: moved.h; booked */
};
extern const char *const share_origins[];

struct share {
    int64_t no;
    struct str agreement; /* empty: none (margins) */
    int64_t terms;
    int64_t rule; /* its place in the terms, from 0 */
    enum share_origin origin;
    struct str payer;
    struct str payee;
    int64_t document; /* no of the client's invoice; 0: of a whole close, or done once */
    int64_t close_no;
    struct str client;
    struct str subscription; /* where all of it is one's, else empty */
    struct str item;
    struct str label;
    struct str note; /* "5 % of 700.00" */
    const struct currency *currency;
    int64_t base;
    int64_t weight;          /* of the lines it comes from: a credit note of so much voids all */
    int64_t weight_credited; /* so far */
    int64_t amount;
    int64_t voided;
    int64_t lost; /* of what is void: as its invoice was written off */
    int64_t earned;
    int64_t settled;
    enum earn_on earn;
    int64_t maturity_days;
    bool booked;
    bool counts; /* kept even where it is nothing, as its base counts for those that follow */
    time_us created;
};

/* Set aside within the payer's own book: Expense:<label> / Reserve:<label>, owed to nobody. */
bool share_is_reserve(const struct share *s);

/* Write new shares and post their accrual. gross, paid: of their invoice. Shares of 0 are left out,
 * unless they count. */
MUST_CHECK enum rc share_accrue(struct tx *tx, struct ledger *l, struct share *shares, size_t count,
                                int64_t gross, int64_t paid);
/* The invoice has been paid so far (of its gross, less what was credited): the shares follow. */
MUST_CHECK enum rc share_follow(struct tx *tx, const struct document_row *invoice);
/* A credit note: parts are the shares of what it takes back (division_run), of which the weights
 * count. Voids R(amount x weight credited / weight), telescoping: all of it when all is
 * credited, but for what is earned where the agreement's clawback_days are over. Of booked ones the
 * part's amount: what the credit note took of the tier's debt. So also of one without weight, as
 * its lines cost nothing, or as much as others gave back; never more than there is of it, and all
 * of it with the whole invoice. Where lines added up to no share, the part is taken back all the
 * same: below nothing. */
MUST_CHECK enum rc share_credit(struct tx *tx, struct ledger *l, const struct document_row *invoice,
                                const struct share *parts, size_t count);
/* What is open of the invoice was written off (it has written_off): what waits for its cash is
 * void. Margins of COLLECT are earned: who bears the loss owes it (bad_debt.h). */
MUST_CHECK enum rc share_write_off(struct tx *tx, struct ledger *l,
                                   const struct document_row *invoice);
/* Some of that is owed again (written_off is less): what was void comes to life in proportion. */
MUST_CHECK enum rc share_recover(struct tx *tx, struct ledger *l,
                                 const struct document_row *invoice);
/* Shares of an invoice behind a number, by no; limit: at most SHARES_OF_DOCUMENT_MAX. */
struct share_page {
    int64_t after;
    int64_t limit;
};
MUST_CHECK enum rc share_of_document(struct tx *tx, int64_t document, struct share_page page,
                                     struct share **ret, size_t *ret_count);
/* Shares of (payer, payee, currency) that have something to settle up to the instant: what is
 * earned and mature, or taken back: the oldest SHARES_DUE_MAX of them. ret_due: how much of each.
 */
MUST_CHECK enum rc share_due(struct tx *tx, struct str payer, struct str payee, struct str currency,
                             time_us until, struct share **ret, int64_t **ret_due,
                             size_t *ret_count);
/* A statement has taken over so much of it. Posts the release (not for booked ones). */
MUST_CHECK enum rc share_settle(struct tx *tx, struct ledger *l, const struct share *share,
                                int64_t amount);

/* For people: what has accrued for a party so far. */
struct share_row {
    uint64_t set;
    struct str payer;
    struct str origin;
    struct str client;
    struct str item;
    struct str text;
    struct str base;
    struct str amount;
    struct str earned;
    struct str settled;
    struct str currency;
    time_us created;
};
extern const struct schema share_row_schema;
MUST_CHECK enum rc share_list(struct tx *tx, struct str payee, const struct page_query *q,
                              struct page *ret);

#endif
