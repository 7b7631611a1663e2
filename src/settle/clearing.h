/*
 * clearing.h - CHAIN: what the platform collected for a seller pays what that seller owes up the
 * path, and the rest is paid out to it.
 *
 * A client's payment of a reseller's invoice comes to the bank of the neutral book "Clearing",
 * which then owes it to the reseller (AP:<reseller>, payment.h). A settlement run of the operator
 * nets:
 *
 *   book        debit               credit
 *   Clearing    AP:<reseller>       AP:<its supplier>
 *   reseller    AP:<its supplier>   AR:Clearing
 *   supplier    AR:Clearing         AR:<reseller>
 *
 * for each open invoice of the path, oldest due first, until the reseller's money or its debts are
 * at an end; then the same for the supplier, up to the operator. What is left to a party that owes
 * nothing more becomes a payout out of Clearing: the operator's wholesale price too.
 *
 * How much a party has is the balance of AP:<party> in Clearing's book, and nowhere else. What
 * COLLECT owes the same party stands in the same account: it is left for its statements.
 *
 * specs/billing.md 3.4 and 3.7 (the CHAIN variant).
 */
#ifndef SETTLE_CLEARING_H
#define SETTLE_CLEARING_H

#include "billing/document_row.h"

/* Whether the platform collects for the document's issuer: COLLECT, and CHAIN below the first edge.
 * (A reseller of DIRECT, and the operator itself, have their own bank.) */
MUST_CHECK enum rc clearing_collects(struct tx *tx, const struct document_row *d, bool *ret);

/* How far one unit of work came. Zeroed: at the beginning. It is the caller's, who hands it to the
 * next unit once this one is durable; what was lost with a process begins anew, and does nothing a
 * second time. */
struct clearing_walk {
    account_id after; /* the party in Clearing's book that was looked at last */
    bool moved;       /* something was paid since the first one */
    bool done;
};

/* Pay open invoices of all parties that Clearing owes, bottom-up, as many as a unit of work has
 * room for; settlement: the run. Done: nothing is left that could be paid. RC_TOO_LARGE: more than
 * 100,000 parties. */
MUST_CHECK enum rc clearing_net(struct tx *tx, struct ledger *l, struct str settlement,
                                struct clearing_walk *walk);

struct clearing_rest {
    struct str party;
    const struct currency *currency;
    int64_t amount; /* > 0: without what is on its way out, what COLLECT owes, and while no invoice
                       is open that it pays */
};
/* What may be paid out, in the order in which the accounts were opened: the next few. Done: there
 * are no more. */
MUST_CHECK enum rc clearing_rests(struct tx *tx, struct ledger *l, struct clearing_walk *walk,
                                  struct clearing_rest **ret, size_t *ret_count);

/* So much money that had come in for a party went back to the bank. Where it is missing now:
 * payouts that were not sent are void, and then the invoices that the party paid last are open
 * again; and so up the path. What was sent is owed to Clearing, and held back from what comes in
 * next. */
MUST_CHECK enum rc clearing_undo(struct tx *tx, struct ledger *l, struct str party,
                                 const struct currency *currency, int64_t amount);

/* A credit note made an invoice less than what was paid of it: what Clearing paid too much of it is
 * the buyer's again, and the issuer gives it back as clearing_undo says. What a client paid to a
 * bank stays as it is. */
MUST_CHECK enum rc clearing_credited(struct tx *tx, struct ledger *l,
                                     const struct document_row *invoice);

/* What Clearing may pay out now: what is on its account, less what came in and found no invoice
 * yet. What it owes may be more: where a client's credit paid, where a bank took money back that
 * was paid out already, where a debt was written off. Who owes Clearing for that pays it by what
 * comes in for it next; until then others' payouts wait, and no run releases more than there is.
 * Below 0: the account is overdrawn. */
MUST_CHECK enum rc clearing_cash(struct tx *tx, struct ledger *l, const struct currency *currency,
                                 int64_t *ret);
/* Of that, what no payout was made for yet. */
MUST_CHECK enum rc clearing_cash_free(struct tx *tx, struct ledger *l,
                                      const struct currency *currency, int64_t *ret);
/* What a party owes Clearing, so that others may have to wait: what it was paid and has to give
 * back. What was booked for it and waits for a client's cash is not set off. 0: it owes nothing. */
MUST_CHECK enum rc clearing_debt(struct tx *tx, struct ledger *l, struct str party,
                                 const struct currency *currency, int64_t *ret);
/* A run begins: nobody waits for cash. */
MUST_CHECK enum rc clearing_wait_clear(struct tx *tx);
/* The run has not paid so much to the party, as it is not there: clearing_list says so. */
MUST_CHECK enum rc clearing_wait_note(struct tx *tx, struct str settlement, struct str party,
                                      const struct currency *currency, int64_t amount);

/* For people: what came in for a party, what it paid, and what was paid out, latest first. */
struct clearing_entry {
    uint64_t set;
    struct str kind;     /* "collected", "received", "paid", "payout", "recovered" (fund.h), "waits"
                        (clearing_wait_note) */
    struct str document; /* the invoice that was paid; empty: a payout */
    struct str other;    /* who paid, who was paid, the payout, the run */
    struct str amount;   /* below 0: it went */
    struct str currency;
    time_us created;
};
extern const struct schema clearing_entry_schema;
MUST_CHECK enum rc clearing_list(struct tx *tx, struct str party, const struct page_query *q,
                                 struct page *ret);

/* Part of settle_verify: what Clearing owes each party is what came in for it, less what it paid
 * and what was sent to it, and what COLLECT owes it; so that it is nothing when everything is paid.
 * RC_INVALID names the first party for which it is not so. */
MUST_CHECK enum rc clearing_verify(struct tx *tx, struct ledger *l);
/* How many waited for cash after the last run. */
MUST_CHECK enum rc clearing_waiting(struct tx *tx, int64_t *ret);

#endif
