/*
 * ledger.h - the books: the only code that writes a balance.
 *
 * A book belongs to one party and one currency. An account belongs to one book. A transfer debits
 * one account and credits another of the same book, so every book balances at every instant, by
 * construction. A chain of transfers succeeds or fails as one; an event that concerns two parties
 * is a chain that writes both books. Two accounts that mirror one another (what A owes B in A's
 * book, what B is owed by A in B's book) agree at the end of every chain, or the chain is refused.
 *
 * The ledger is a pure state machine (ledger/machine.h): records go in with their time, balances
 * and answers come out; it asks no clock and no chance. Its journal is kept in the store, in rows
 * of about a mebibyte, each with the hash of the row before. Replaying the journal gives the same
 * balances, bit for bit: that is the audit.
 *
 * ledger_post works inside a struct tx: what it posts becomes durable with everything else that the
 * tx writes, or not at all. Balances are in memory, owned by the thread that writes; a reading tx
 * sees them as of its own snapshot, whatever is written meanwhile. They are rebuilt from the last
 * checkpoint and the journal behind it.
 *
 * Time: all that is committed together has one time, never before the one of the batch before.
 *
 * Rules: specs/billing.md 3.4 and 3.9; names as in TigerBeetle's data model where it has one
 * (https://docs.tigerbeetle.com/reference/).
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/log.h"
#include "store/store.h"

enum {
    LEDGER_CHAIN_MAX = 8190, /* transfers in one chain, and in one call */
};
#define LEDGER_TIMEOUT_MAX_US (400 * US_PER_DAY)

struct ledger;

/* Rebuild the balances and take part in every write of the store from now on. One per store, before
 * the store's first write. RC_INVALID: the journal does not verify; the text names the batch. Also
 * what the store returns. */
MUST_CHECK enum rc ledger_open(struct ledger **ret, struct store *s, const struct log *log,
                               struct err *err);
/* Write what a quick start needs (every million records and every minute with a commit it is
 * written anyway): call it before store_close. Not from a tx. What store_write returns. */
MUST_CHECK enum rc ledger_checkpoint(struct ledger *l, struct err *err);
/* After store_close. NULL is fine. */
void ledger_close(struct ledger *l);

/* --- books and accounts --- */

typedef uint32_t account_id; /* given in order, never used again; 0 is none */

enum account_flag {
    ACCOUNT_DEBITS_LE_CREDITS = 1, /* debits may not pass credits, pending ones included: wallets */
    ACCOUNT_CREDITS_LE_DEBITS = 2,
    ACCOUNT_CLOSED = 4,  /* no transfer touches it any more but voids of pending ones */
    ACCOUNT_HISTORY = 8, /* the balance after every batch is kept for quick reading */
};

/* Minor units, none below 0. */
struct balance {
    int64_t debits; /* posted */
    int64_t credits;
    int64_t debits_pending;
    int64_t credits_pending;
};
struct account {
    account_id id;
    struct str party;
    struct str currency;
    struct str code;
    unsigned flags;
    account_id mirror;
    struct balance balance;
};
/* The account with this code in the book of (party, currency), opened where it is not there yet:
 * book and account are made as they are needed. Of wanted, id and balance are not looked at.
 * party: an id, or one part of a code. code: parts joined by ':', at most 120 characters, each part
 * letters, digits and '-' behind a capital letter or a digit, or an id: "AR:pty_...",
 * "Income:VPS", "VAT-Out:FR:200000". currency: of ISO 4217. flags: not ACCOUNT_CLOSED. mirror: the
 * account in the other party's book of the same currency that must agree, without transfers so far;
 * or 0: no wish.
 * RC_INVALID: a name, the currency, the flags or the mirror; RC_CONFLICT: it is there with other
 * flags or another mirror, or mirror has another one; RC_NOT_FOUND: mirror is no account. */
MUST_CHECK enum rc ledger_account(struct tx *tx, struct ledger *l, const struct account *wanted,
                                  account_id *ret);
/* Both sides of a debt at once: AP:<creditor> in the debtor's book and AR:<debtor> in the
 * creditor's, mirrors of one another. As ledger_account. */
MUST_CHECK enum rc ledger_debt(struct tx *tx, struct ledger *l, struct str debtor,
                               struct str creditor, struct str currency, account_id *ret_payable,
                               account_id *ret_receivable);
/* The account with this code, without opening it. In a reading tx as of its snapshot.
 * RC_NOT_FOUND. */
MUST_CHECK enum rc ledger_find(struct tx *tx, struct ledger *l, struct str party,
                               struct str currency, struct str code, account_id *ret);
/* What an account is: all but its balance. In a reading tx as of its snapshot. RC_NOT_FOUND. */
MUST_CHECK enum rc ledger_account_get(struct tx *tx, struct ledger *l, account_id account,
                                      struct account *ret);
/* Close an account, or open it again. RC_NOT_FOUND. */
MUST_CHECK enum rc ledger_set_closed(struct tx *tx, struct ledger *l, account_id account,
                                     bool closed);

/* --- transfers --- */

/* Unique for ever. A source is a job or a door that posts ("close/2026-01", "bank/...", "api");
 * within it numbers ascend, gaps are fine. So a repeat is known without a table of all references:
 * a number that is not above the source's last is one. The same transfer again is RC_OK without
 * effect; another one under a number that was used, or a number that was left out and comes late,
 * is RC_CONFLICT. */
struct reference {
    uint32_t source; /* ledger_source */
    uint64_t number; /* > 0 */
};
/* The number of a source by its name, made where it is not there yet, and the last number that was
 * used in it. name: at most 120 letters, digits and any of "._/:@+-"; RC_INVALID. */
MUST_CHECK enum rc ledger_source(struct tx *tx, struct ledger *l, struct str name, uint32_t *ret,
                                 uint64_t *ret_last);

enum transfer_flag {
    TRANSFER_LINKED = 1,  /* succeeds or fails with the next one */
    TRANSFER_PENDING = 2, /* reserves; until posted or voided, or until its timeout */
    TRANSFER_POST = 4, /* of the pending one: amount at most the reserved; the rest is released */
    TRANSFER_VOID = 8, /* of the pending one: nothing is posted, all is released */
    TRANSFER_EXPIRED = 16, /* only in what ledger_transfers gives: its timeout has passed */
};

struct transfer {
    struct reference reference;
    struct reference pending; /* POST and VOID: which one */
    account_id debit;         /* POST and VOID: 0, or as the pending one */
    account_id credit;
    int64_t amount; /* minor units; > 0; POST: 0 is all of it; VOID: 0 */
    uint64_t event; /* what business event it belongs to, the same in every book: joins the legs */
    int64_t timeout_us; /* PENDING: from the batch's time, at most LEDGER_TIMEOUT_MAX_US; 0: none */
    uint16_t code;      /* what kind of posting it is, for statements and exports */
    uint16_t flags;     /* enum transfer_flag; at most one of PENDING, POST, VOID */
};

/* Post transfers in order, at most LEDGER_CHAIN_MAX. All or nothing: one that is refused refuses
 * the call, which then has no effect; the unit of work may go on. (Chains within it are atomic in
 * the machine as well, which replay needs.) RC_CONFLICT: a limit of an account, a closed account,
 * a used reference with another body, a chain of which a part was posted before, a pending one
 * that is posted, voided or expired already; RC_INVALID: an amount that is not above 0, books that
 * differ, mirrors that would disagree, balances past int64, a chain without end; RC_NOT_FOUND: a
 * source, an account or a pending transfer that is not there. The text names the account and what
 * was wanted. ret_posted, where not NULL: how many were new. */
MUST_CHECK enum rc ledger_post(struct tx *tx, struct ledger *l, const struct transfer *transfers,
                               size_t count, size_t *ret_posted);

/* --- reading --- */

/* As this tx sees it. In a tx that writes: with what it posted itself. Reservations are released by
 * the first batch behind their timeout. RC_NOT_FOUND. */
MUST_CHECK enum rc ledger_balance(struct tx *tx, struct ledger *l, account_id account,
                                  struct balance *ret);
/* At the end of the last batch whose time is not after at: from the checkpoint before it and the
 * journal between. Zero before the account was opened. RC_NOT_FOUND. */
MUST_CHECK enum rc ledger_balance_at(struct tx *tx, struct ledger *l, account_id account,
                                     time_us at, struct balance *ret);

/* One by one, in the order of ids. party empty: all books. fn returns RC_OK to go on; texts are
 * valid during the call. */
typedef enum rc (*account_fn)(struct tx *tx, const struct account *account, void *arg);
MUST_CHECK enum rc ledger_accounts(struct tx *tx, struct ledger *l, struct str party, account_fn fn,
                                   void *arg);
/* The same with all balances as ledger_balance_at gives them; of what is committed, also in a tx
 * that writes. Accounts that were opened later are zero. */
MUST_CHECK enum rc ledger_accounts_at(struct tx *tx, struct ledger *l, struct str party, time_us at,
                                      account_fn fn, void *arg);
/* Transfers of one account (0: of all) whose batch lies in since <= time < until, oldest first,
 * with accounts and amounts as they took effect: the posted amount for POST, the released one for
 * VOID and for what expired. Reads the journal of that time from end to end. */
typedef enum rc (*transfer_fn)(struct tx *tx, const struct transfer *transfer, time_us at,
                               void *arg);
MUST_CHECK enum rc ledger_transfers(struct tx *tx, struct ledger *l, account_id account,
                                    time_us since, time_us until, transfer_fn fn, void *arg);

/* --- proof --- */

struct ledger_report {
    int64_t batches;
    int64_t records;
    int64_t transfers;
    int64_t accounts;
    int64_t books;
    struct str head; /* hash of the last batch: keep it elsewhere, and a rewritten journal shows */
};
/* Read the whole journal with a machine of its own: every hash, every record again, all definitions
 * and balances that are kept beside it, every book at zero, every mirror in agreement. RC_INVALID
 * tells the first batch that breaks it and how. */
MUST_CHECK enum rc ledger_verify(struct store *s, struct arena *arena, struct ledger_report *ret,
                                 struct err *err);
/* As ledger_verify, up to the end of the last batch whose time is not after at, and hand over each
 * account as the replay has it, in the order of ids. tx of fn is the reading one. */
MUST_CHECK enum rc ledger_replay(struct store *s, struct arena *arena, time_us at, account_fn fn,
                                 void *arg, struct err *err);

enum ledger_format { LEDGER_HLEDGER, LEDGER_LEDGER, LEDGER_BEANCOUNT };
/* Posted transfers as text that hledger, ledger or beancount read, through write; one entry for
 * each book of a chain. Reservations are not told. */
MUST_CHECK enum rc ledger_export(struct store *s, enum ledger_format format,
                                 enum rc (*write)(void *arg, struct str piece, struct err *err),
                                 void *arg, struct err *err);

#endif
