/*
 * fund.h - the operator lends Clearing what somebody else owes it, so that others do not wait.
 *
 * Clearing pays out no more than is on its account (clearing.h). Where a client's credit paid, a
 * bank took money back that was paid out, or a debt was written off, whoever that falls on owes
 * Clearing, and others wait until it pays. The operator need not let them: its own money goes to
 * Clearing's account, as much as one debtor owes, and comes back first when that debtor pays.
 *
 *   book      debit                credit
 *   operator  Financing:Clearing   Bank                  released: a second pair of eyes
 *   Clearing  Bank                 Loan:<operator>
 *
 *   Clearing  Loan:<operator>      AP:<operator>         the debtor paid: a settlement run, before
 *   operator  AR:Clearing          Financing:Clearing    it pays anybody else out of Clearing
 *
 * What came back is a payout to the operator as any other, with its own four eyes. A debtor that
 * never pays leaves the money out: the debt is the operator's risk then, and Financing:Clearing
 * says how much it is.
 *
 * What a debtor owes: the balance of AP:<debtor> in Clearing's book, less what was booked for it
 * and waits for a client's cash.
 */
#ifndef SETTLE_FUND_H
#define SETTLE_FUND_H

#include "settle/clearing.h"

enum fund_state { FUND_PENDING, FUND_OUT, FUND_BACK, FUND_WITHDRAWN };
extern const char *const fund_states[];
enum { FUND_NOTE_MAX = 200 };

struct fund {
    uint64_t set;
    struct str id;     /* "cfd_..." */
    struct str party;  /* the operator: owner */
    struct str debtor; /* who owes Clearing */
    struct str currency;
    struct str amount;    /* decimal; in requests empty: all that is owed and not lent yet */
    struct str recovered; /* of it, what came back */
    int64_t state;        /* enum fund_state */
    struct str note;
    struct str asked_by; /* users */
    struct str released_by;
    time_us created;
};
extern const struct schema fund_schema;

/* Asks for it; nothing moves yet. RC_FORBIDDEN: the party is not the operator; RC_INVALID names the
 * field; RC_CONFLICT: the debtor owes less, or others are out for it already. */
MUST_CHECK enum rc fund_create(struct tx *tx, struct ledger *l, struct str party, struct str user,
                               const struct fund *fresh, struct fund *ret);
MUST_CHECK enum rc fund_get(struct tx *tx, struct str id, struct fund *ret);
MUST_CHECK enum rc fund_list(struct tx *tx, struct str party, const struct page_query *q,
                             struct page *ret);
/* The money goes over. RC_FORBIDDEN: by the same user who asked; RC_CONFLICT: it does not wait any
 * more, or the debtor owes less than that by now. */
MUST_CHECK enum rc fund_release(struct tx *tx, struct ledger *l, struct str id, struct str user,
                                struct fund *ret);
/* Nobody releases it: RC_CONFLICT where somebody did. */
MUST_CHECK enum rc fund_withdraw(struct tx *tx, struct str id, struct fund *ret);

/* Money that is out, and of which the debtor paid so much. */
struct fund_due {
    int64_t no; /* of the fund, by which a run goes on */
    struct str party;
    const struct currency *currency;
    int64_t amount; /* > 0 */
};
/* The next one behind a number (0: from the first on), the oldest first. */
MUST_CHECK enum rc fund_next(struct tx *tx, struct ledger *l, int64_t after, struct fund_due *ret,
                             bool *ret_found);
/* So much of it is the operator's in Clearing from now on: > 0, at most what is due. */
MUST_CHECK enum rc fund_take_back(struct tx *tx, struct ledger *l, const struct fund_due *due,
                                  int64_t amount, struct str settlement);

/* Part of settle_verify: what is out by the rows is what both books say. */
MUST_CHECK enum rc fund_verify(struct tx *tx, struct ledger *l);

#endif
