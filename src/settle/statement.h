/*
 * statement.h - what a party is owed and why, down to the usage record; and its payment.
 *
 * Shares live: accrued (at the invoice) -> earned (with its cash, pro rata, or at once where the
 * agreement says so) -> payable (matured) -> paid; void where a credit note or a returned payment
 * takes them back, before or after payment (clawback: the next statement is less).
 *
 * A settlement run (id, cut-off) makes one statement and one self-billed document (389; 261 where
 * clawbacks exceed) for each payee with something payable, and a payout where it is above the
 * agreed minimum. Run again with the same id it has no effect.
 */
#ifndef SETTLE_STATEMENT_H
#define SETTLE_STATEMENT_H

#include "billing/close.h"
#include "settle/clearing.h"
#include "settle/payment.h"

/* The steps of the close that belong to this room. */
extern const struct close_above settle_above;

struct statement {
    uint64_t set;
    struct str id;    /* "stm_..." */
    struct str party; /* the payee: owner */
    struct str payer; /* the other side */
    struct str period;
    struct str currency;
    struct str accrued; /* since the statement before, less what was void of that by now */
    struct str earned;
    struct str clawed_back;
    struct str paid;
    struct str payable;  /* now */
    struct str waiting;  /* accrued, not yet earned or not matured */
    struct str document; /* the self-billed one, or empty */
    struct str close;
    time_us created;
};
extern const struct schema statement_schema;

struct statement_line {
    uint64_t set;
    struct str agreement;
    struct str client;   /* only where the payee may know it: referrals name their client */
    struct str document; /* the invoice it came from, where the payee is a side of it */
    struct str subscription;
    struct str item;
    struct str text; /* "5 % of 700.00", "fixed 13.00 x 1 server-month" */
    struct str base;
    struct str amount;
    struct str earned;
    struct str state; /* accrued, earned, payable, paid, void */
};
extern const struct schema statement_line_schema;

MUST_CHECK enum rc statement_get(struct tx *tx, struct str id, struct statement *ret);
MUST_CHECK enum rc statement_list(struct tx *tx, struct str party, const struct page_query *q,
                                  struct page *ret);
MUST_CHECK enum rc statement_lines(struct tx *tx, struct str id, const struct page_query *q,
                                   struct page *ret);

/* --- payouts --- */

enum payout_state {
    PAYOUT_PENDING,
    PAYOUT_APPROVED,
    PAYOUT_SENT,
    PAYOUT_CONFIRMED,
    PAYOUT_RETURNED,
    PAYOUT_VOID /* not sent: the money it was for went back to the bank */
};
extern const char *const payout_states[];
struct payout {
    uint64_t set;
    struct str id;    /* "pyo_..." */
    struct str party; /* who pays: owner */
    struct str payee; /* the other side */
    struct str amount;
    struct str currency;
    struct str iban;
    struct str end_to_end; /* reference that the bank gives back */
    int64_t state;
    struct str approved_by; /* users: two different ones release (four eyes) */
    struct str released_by;
    struct str settlement; /* the run that made it */
    time_us created;
};
extern const struct schema payout_schema;
struct settlement {
    uint64_t set;
    struct str id; /* of the run, the caller's own: "2026-01" */
    struct str party;
    time_us cut_off;
    int64_t payouts;
    struct str amount; /* by currency */
    struct str passed; /* of what no statement could be made, and why; or empty */
};
extern const struct schema settlement_schema;

struct payout_answer {
    uint64_t set;
    bool returned;
};
extern const struct schema payout_answer_schema;

/* A run: statements, their payouts, and for the operator what Clearing has. It goes on in units of
 * work, each with what the last one that is durable left in *at (zeroed: at the beginning), until
 * it is at its end; settlement_end then writes down that it was. A run that was killed begins again
 * under the same id, and pays nothing twice; one that had its end has no effect again. Of the
 * order, party, id and cut_off count (0: now). RC_INVALID: a cut-off that is to come. */
enum settlement_step {
    SETTLEMENT_OWN,      /* what the party owes itself */
    SETTLEMENT_RECOVER,  /* what the operator lent it, as far as its debtors paid: fund.h */
    SETTLEMENT_CLEARING, /* what the neutral book owes under COLLECT */
    SETTLEMENT_NET,      /* CHAIN: invoices of the path */
    SETTLEMENT_RESTS,    /* CHAIN: what is left to each */
    SETTLEMENT_END
};
enum { SETTLEMENT_PASSED_MAX = 64, SETTLEMENT_PASSED_TEXT = 8000 };
struct settlement_progress {
    enum settlement_step step;
    struct clearing_walk walk;
    int64_t fund;  /* RECOVER: the last one that was looked at */
    size_t passed; /* statements that could not be made: the others are */
    char names[SETTLEMENT_PASSED_MAX][CLOSE_WHAT_MAX + 1];
    char why[SETTLEMENT_PASSED_TEXT]; /* of all */
    char hand[CLOSE_WHAT_MAX + 1];
};
MUST_CHECK enum rc settlement_some(struct tx *tx, struct ledger *l, const struct settlement *order,
                                   struct settlement_progress *at);
/* A unit of work failed and left *next. True where that was about one statement alone: *at passes
 * it by from now on, err is clear, and the run goes on. False: it is at its end. */
bool settlement_pass(struct settlement_progress *at, const struct settlement_progress *next,
                     struct err *err);
MUST_CHECK enum rc settlement_end(struct tx *tx, const struct settlement *order,
                                  const struct settlement_progress *at, struct settlement *ret);
MUST_CHECK enum rc payout_get(struct tx *tx, struct str id, struct payout *ret);
MUST_CHECK enum rc payout_list(struct tx *tx, struct str party, const struct page_query *q,
                               struct page *ret);
/* RC_FORBIDDEN: the same user twice. RC_CONFLICT: not in that state, no IBAN, or Clearing has less
 * on its account. */
MUST_CHECK enum rc payout_approve(struct tx *tx, struct str id, struct str user,
                                  struct payout *ret);
MUST_CHECK enum rc payout_release(struct tx *tx, struct ledger *l, struct str id, struct str user,
                                  struct payout *ret);
MUST_CHECK enum rc payout_confirm(struct tx *tx, struct ledger *l, struct str id, bool returned,
                                  struct payout *ret);

#endif
