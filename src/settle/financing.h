/*
 * financing.h - capital that one party puts in and has back out of what it earns by an agreement:
 * services paid for a client and had back in instalments, loans on servers, leases, stakes.
 *
 * A COST agreement says what the financier is owed, month by month: instalments, a fixed sum for
 * each server, a share of the rest. A financing says that what one of its rules brings (label) is
 * not all income: it gives capital back. In the books, at each statement that owes the financier
 * something by that rule:
 *
 *   put in       a document   financier  Financing:<client> / Expense:<label of its lines>
 *                money        financier  Financing:<debtor> / Bank
 *                             debtor     Bank / Loan:<financier>
 *   comes back   both         financier  Income:<label> / Financing:<...>
 *                money        debtor     Loan:<financier> / Expense:<label>
 *
 * With the statement's own entry (AR:<debtor> / Income:<label>) an instalment is AR:<debtor> /
 * Financing:<client>: specs/billing.md 3.5, a7 and a8. So much of what comes back is capital as
 * R(amount x received / returns) grows by (3.9, telescoping); the rest stays income: interest, or a
 * share. What comes behind `returns` is income wholly, as is what other rules of the agreement
 * bring. Who bears it when the client never pays says the agreement's `earn`: INVOICE, the debtor,
 * who owes the instalments as it invoiced them (with recourse); CASH, the financier (without): what
 * waited for the cash is void, and of the capital R(amount x (received + lost) / returns) less what
 * came back is lost:
 *
 *   lost         a document   financier  Expense:BadDebt / Financing:<client>
 *
 * and the other way round as far as it is paid after all. Where several financings have the same
 * rule, the oldest has its money first; what a credit note takes back is taken from the youngest.
 */
#ifndef SETTLE_FINANCING_H
#define SETTLE_FINANCING_H

#include "settle/share.h"

enum { FINANCING_OF_PAIR_MAX = 1000, FINANCING_OF_PARTY_MAX = 10000, FINANCIERS_AT_ONCE = 100 };

struct financing {
    uint64_t set;
    struct str id;        /* "fin_..." */
    struct str agreement; /* COST: from the debtor to the financier */
    struct str label;     /* of the rule whose money gives it back */
    struct str financier;
    struct str debtor;
    struct str client;    /* with a document: for whom it was paid; else the debtor */
    struct str document;  /* the invoice to the financier that it pays; empty: money */
    struct str reference; /* the bank's or your own, unique for the agreement */
    struct str currency;
    struct str amount;   /* capital, decimal, > 0 */
    struct str returns;  /* what comes back in all; the capital where it is not given */
    struct str received; /* of it so far */
    struct str repaid;   /* of the capital so far */
    struct str lost;     /* of it: with what will not come */
    time_us created;
};
extern const struct schema financing_schema;

/* Put in, told by who can: the financier of an invoice that it owes, the debtor of money that it
 * had. The same reference again with the same content has no effect. RC_INVALID names the field: no
 * active COST agreement of the party's with a rule of that label, an amount that is not the
 * document's cost, returns below the amount, a client that is not there. RC_CONFLICT: the
 * reference with another content, a document that is a draft, credited or financed already. */
MUST_CHECK enum rc financing_create(struct tx *tx, struct ledger *l, struct str party,
                                    const struct financing *fresh, struct financing *ret);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc financing_get(struct tx *tx, struct str id, struct financing *ret);
/* What the party put in, and the money that it had. What a document cost is the financier's matter
 * alone. */
MUST_CHECK enum rc financing_list(struct tx *tx, struct str party, const struct page_query *q,
                                  struct page *ret);
/* A statement owes the payee these shares, so much of each (below 0: takes back). */
MUST_CHECK enum rc financing_follow(struct tx *tx, struct ledger *l, const struct share *shares,
                                    const int64_t *due, size_t count);
/* So much of the share is void, as the invoice that it is of was written off (below 0: it is paid
 * after all). What was paid for that client does not come back then: the capital in it, in
 * proportion, is the financier's bad debt. Money that was lent is owed all the same. */
MUST_CHECK enum rc financing_lost(struct tx *tx, struct ledger *l, const struct share *share,
                                  int64_t amount);
/* A credit note was posted on an invoice: where it is financed, so much less was put in. What the
 * credit note took off the expense is taken off the capital; of what came back so far less was
 * capital, in proportion, and more is income. */
MUST_CHECK enum rc financing_credited(struct tx *tx, struct ledger *l,
                                      const struct document_row *invoice);
/* What is out by the rows is what the books say, on both sides. RC_INVALID names the party. */
MUST_CHECK enum rc financing_verify(struct tx *tx, struct ledger *l);

#endif
