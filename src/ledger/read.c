/*
 * What callers see. A writing tx looks into the machine. A reading tx has a snapshot that ends with
 * some row of the journal, and gets everything as of that row: from what is published where that
 * reaches, else from the snapshot's own checkpoint and journal.
 */
#include "ledger/ledger_inside.h"

static enum rc no_account(struct tx *tx, account_id account)
{
    return err_set(tx->err, RC_NOT_FOUND, "there is no account %u", account);
}

/* --- what a record did to an account --- */

static void add_effect(struct balance *b, const struct record *r, bool debit)
{
    int64_t *posted = debit ? &b->debits : &b->credits;
    int64_t *pending = debit ? &b->debits_pending : &b->credits_pending;
    if (r->kind == RECORD_PENDING)
        *pending += r->amount;
    else
        *posted += r->amount; /* 0 for VOID and EXPIRE */
    *pending -= r->released;
}

/* Balances that are carried along the journal: of one account, or of all. */
struct carried {
    account_id only; /* 0: all */
    struct balance one;
    struct balance *all; /* by account */
    uint32_t count;
};

static struct balance *carried_at(struct carried *c, account_id account)
{
    if (c->only != 0)
        return account == c->only ? &c->one : NULL;
    return account < c->count ? &c->all[account] : NULL;
}

static enum rc carry_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct carried *c = arg;
    struct record r;
    for (struct str rest = row->body; rest.n > 0; rest = str_sub(rest, record_size(&r), rest.n)) {
        TRY(record_decode(rest, &r, tx->err));
        if (!record_is_transfer(&r))
            continue;
        struct balance *debit = carried_at(c, r.debit);
        struct balance *credit = carried_at(c, r.credit);
        if (debit != NULL)
            add_effect(debit, &r, true);
        if (credit != NULL)
            add_effect(credit, &r, false);
    }
    return RC_OK;
}

/* --- from the store alone --- */

/* The last row up to seq at which all balances were kept, 0: none. */
static enum rc checkpoint_before(struct tx *tx, int64_t seq, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(
        tx, &r, "SELECT batch FROM ledger_checkpoint WHERE batch <= $1 ORDER BY batch DESC LIMIT 1",
        V(seq)));
    *ret = r.count > 0 ? row_int(&r, 0, 0) : 0;
    return RC_OK;
}

/* The balance that is kept for the last row up to seq that has one. */
static enum rc kept_balance(struct tx *tx, account_id account, int64_t seq, struct balance *ret,
                            int64_t *ret_seq)
{
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT batch, debits, credits, debits_pending, credits_pending FROM "
                 "ledger_balance WHERE account = $1 AND batch <= $2 ORDER BY batch DESC LIMIT 1",
                 V(account), V(seq)));
    *ret = (struct balance){0};
    *ret_seq = 0;
    if (r.count > 0) {
        *ret = (struct balance){row_int(&r, 0, 1), row_int(&r, 0, 2), row_int(&r, 0, 3),
                                row_int(&r, 0, 4)};
        *ret_seq = row_int(&r, 0, 0);
    }
    return RC_OK;
}

/* The balance of one account at the end of row seq. */
static enum rc balance_in_store(struct tx *tx, account_id account, int64_t seq, struct balance *ret)
{
    struct carried c = {.only = account};
    int64_t from = 0;
    int64_t checkpoint = 0;
    TRY(kept_balance(tx, account, seq, &c.one, &from));
    /* A checkpoint that has no newer balance of the account says that it did not change. */
    TRY(checkpoint_before(tx, seq, &checkpoint));
    TRY(journal_each(tx, max_i64(from, checkpoint), seq, carry_row, &c));
    *ret = c.one;
    return RC_OK;
}

static enum rc is_account(struct tx *tx, account_id account)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT id FROM ledger_account WHERE id = $1 LIMIT 1", V(account)));
    return r.count > 0 ? RC_OK : no_account(tx, account);
}

/* --- balances --- */

enum rc ledger_balance(struct tx *tx, struct ledger *l, account_id account, struct balance *ret)
{
    if (tx->writing) {
        ledger_start(l, tx);
        if (account == 0 || account > machine_accounts(l->machine))
            return no_account(tx, account);
        *ret = *machine_balance(l->machine, account);
        return RC_OK;
    }
    int64_t seq = 0;
    int64_t as_of = 0;
    struct carried c = {.only = account};
    TRY(is_account(tx, account));
    TRY(journal_last(tx, &seq));
    switch (published_get(l->published, account, seq, &c.one, &as_of)) {
    case PUBLISHED_FOUND:
        break;
    case PUBLISHED_BEHIND:
        TRY(journal_each(tx, as_of, seq, carry_row, &c));
        break;
    case PUBLISHED_TOO_OLD:
        TRY(balance_in_store(tx, account, seq, &c.one));
        break;
    }
    *ret = c.one;
    return RC_OK;
}

enum rc ledger_balance_at(struct tx *tx, struct ledger *l, account_id account, time_us at,
                          struct balance *ret)
{
    int64_t seq = 0;
    if (tx->writing) {
        ledger_start(l, tx);
        if (account == 0 || account > machine_accounts(l->machine))
            return no_account(tx, account);
        if (at >= machine_time(l->machine)) { /* the batch in hand too */
            *ret = *machine_balance(l->machine, account);
            return RC_OK;
        }
    } else {
        TRY(is_account(tx, account));
    }
    TRY(journal_last_at(tx, at, &seq));
    return balance_in_store(tx, account, seq, ret);
}

/* --- accounts --- */

struct listing {
    struct ledger *l;
    account_fn fn;
    void *arg;
    int64_t seq;
    struct carried all; /* where published does not reach; all.all is NULL before */
};

static enum rc carry_kept(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)tx;
    struct carried *c = arg;
    ASSERT(columns == 5);
    struct balance *b = carried_at(c, (account_id)cells[0].number);
    if (b != NULL)
        *b = (struct balance){cells[1].number, cells[2].number, cells[3].number, cells[4].number};
    return RC_OK;
}

/* All balances at the end of row seq. */
static enum rc balances_in_store(struct tx *tx, struct listing *list)
{
    struct rows r;
    int64_t checkpoint = 0;
    TRY(sql_rows(tx, &r, "SELECT COALESCE(MAX(id), 0) FROM ledger_account"));
    uint32_t count = (uint32_t)row_int(&r, 0, 0) + 1;
    if (arena_room(tx->arena) / sizeof(struct balance) <= count)
        return err_set(tx->err, RC_TOO_LARGE, "there are too many accounts to list at once");
    list->all.count = count;
    list->all.all = NEW_N(tx->arena, struct balance, count);
    TRY(checkpoint_before(tx, list->seq, &checkpoint));
    TRY(sql_each(tx, carry_kept, &list->all,
                 "SELECT b.account, b.debits, b.credits, b.debits_pending, b.credits_pending FROM "
                 "ledger_account a JOIN ledger_balance b ON b.account = a.id AND b.batch = (SELECT "
                 "MAX(x.batch) FROM ledger_balance x WHERE x.account = a.id AND x.batch <= $1) "
                 "ORDER BY b.account",
                 V(checkpoint)));
    return journal_each(tx, checkpoint, list->seq, carry_row, &list->all);
}

static enum rc list_account(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct listing *list = arg;
    ASSERT(columns == 7);
    int64_t as_of = 0;
    struct account a = {.id = (account_id)cells[0].number,
                        .party = cells[1].text,
                        .currency = cells[2].text,
                        .code = cells[3].text,
                        .flags = (unsigned)cells[4].number,
                        .mirror = (account_id)cells[6].number};
    if (cells[5].number != 0)
        a.flags |= ACCOUNT_CLOSED;
    if (list->all.all == NULL &&
        published_get(list->l->published, a.id, list->seq, &a.balance, &as_of) != PUBLISHED_FOUND)
        TRY(balances_in_store(tx, list));
    if (list->all.all != NULL)
        a.balance = list->all.all[a.id];
    return list->fn(tx, &a, list->arg);
}

static enum rc list_accounts(struct tx *tx, struct str party, struct listing *list)
{
    return sql_each(tx, list_account, list,
                    "SELECT a.id, b.party, b.currency, a.code, a.flags, a.closed, "
                    "COALESCE(a.mirror, 0) FROM ledger_account a JOIN ledger_book b ON b.id = "
                    "a.book WHERE ($1 = '' OR b.party = $1) ORDER BY a.id",
                    V(party));
}

enum rc ledger_accounts(struct tx *tx, struct ledger *l, struct str party, account_fn fn, void *arg)
{
    if (tx->writing) {
        ledger_start(l, tx);
        for (account_id id = 1; id <= machine_accounts(l->machine); id++) {
            struct account a = machine_see_account(l->machine, id);
            if (party.n == 0 || str_eq(a.party, party))
                TRY(fn(tx, &a, arg));
        }
        return RC_OK;
    }
    struct listing list = {.l = l, .fn = fn, .arg = arg};
    TRY(journal_last(tx, &list.seq));
    return list_accounts(tx, party, &list);
}

enum rc ledger_accounts_at(struct tx *tx, struct ledger *l, struct str party, time_us at,
                           account_fn fn, void *arg)
{
    struct listing list = {.l = l, .fn = fn, .arg = arg};
    TRY(journal_last_at(tx, at, &list.seq));
    TRY(balances_in_store(tx, &list));
    return list_accounts(tx, party, &list);
}

enum rc ledger_find(struct tx *tx, struct ledger *l, struct str party, struct str currency,
                    struct str code, account_id *ret)
{
    account_id id = 0;
    if (tx->writing) {
        ledger_start(l, tx);
        id = machine_find(l->machine, party, currency, code);
    } else {
        struct rows r;
        TRY(sql_rows(tx, &r,
                     "SELECT a.id FROM ledger_account a JOIN ledger_book b ON b.id = a.book WHERE "
                     "b.party = $1 AND b.currency = $2 AND a.code = $3 ORDER BY a.id LIMIT 1",
                     V(party), V(currency), V(code)));
        id = r.count > 0 ? (account_id)row_int(&r, 0, 0) : 0;
    }
    if (id == 0)
        return err_set(tx->err, RC_NOT_FOUND, "there is no account '%.*s' of %.*s in %.*s",
                       STRF(code), STRF(party), STRF(currency));
    *ret = id;
    return RC_OK;
}

enum rc ledger_account_get(struct tx *tx, struct ledger *l, account_id account, struct account *ret)
{
    struct rows r;
    if (tx->writing) {
        ledger_start(l, tx);
        if (account == 0 || account > machine_accounts(l->machine))
            return no_account(tx, account);
        struct account seen = machine_see_account(l->machine, account);
        seen.balance = (struct balance){0};
        *ret = seen;
        return RC_OK;
    }
    TRY(sql_rows(tx, &r,
                 "SELECT b.party, b.currency, a.code, a.flags, a.closed, COALESCE(a.mirror, 0) "
                 "FROM ledger_account a JOIN ledger_book b ON b.id = a.book WHERE a.id = $1 ORDER "
                 "BY a.id LIMIT 1",
                 V(account)));
    if (r.count == 0)
        return no_account(tx, account);
    *ret = (struct account){.id = account,
                            .party = row_str(&r, 0, 0),
                            .currency = row_str(&r, 0, 1),
                            .code = row_str(&r, 0, 2),
                            .flags = (unsigned)row_int(&r, 0, 3),
                            .mirror = (account_id)row_int(&r, 0, 5)};
    if (row_int(&r, 0, 4) != 0)
        ret->flags |= ACCOUNT_CLOSED;
    return RC_OK;
}

/* --- transfers --- */

struct tell {
    account_id account;
    time_us at;
    transfer_fn fn;
    void *arg;
};

static struct transfer as_transfer(const struct record *r)
{
    static const uint16_t flags[] = {[RECORD_PENDING] = TRANSFER_PENDING,
                                     [RECORD_POST] = TRANSFER_POST,
                                     [RECORD_VOID] = TRANSFER_VOID,
                                     [RECORD_EXPIRE] = TRANSFER_EXPIRED};
    bool releases = r->kind == RECORD_VOID || r->kind == RECORD_EXPIRE;
    unsigned linked = r->flags & RECORD_LINKED ? TRANSFER_LINKED : 0;
    return (struct transfer){.reference = {r->source, r->number},
                             .pending = {r->pending_source, r->pending_number},
                             .debit = r->debit,
                             .credit = r->credit,
                             .amount = releases ? r->released : r->amount,
                             .event = r->event,
                             .timeout_us = r->timeout_us,
                             .code = r->code,
                             .flags = (uint16_t)(flags[r->kind] | linked)};
}

static enum rc tell_records(struct tx *tx, struct str records, const struct tell *t)
{
    struct record r;
    for (struct str rest = records; rest.n > 0; rest = str_sub(rest, record_size(&r), rest.n)) {
        TRY(record_decode(rest, &r, tx->err));
        if (!record_is_transfer(&r))
            continue;
        if (t->account != 0 && r.debit != t->account && r.credit != t->account)
            continue;
        struct transfer transfer = as_transfer(&r);
        TRY(t->fn(tx, &transfer, t->at, t->arg));
    }
    return RC_OK;
}

static enum rc tell_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct tell *t = arg;
    t->at = row->at;
    return tell_records(tx, row->body, t);
}

enum rc ledger_transfers(struct tx *tx, struct ledger *l, account_id account, time_us since,
                         time_us until, transfer_fn fn, void *arg)
{
    struct tell t = {.account = account, .fn = fn, .arg = arg};
    int64_t first = 0;
    int64_t last = 0;
    if (since >= until)
        return RC_OK;
    if (since > INT64_MIN)
        TRY(journal_last_at(tx, since - 1, &first));
    TRY(journal_last_at(tx, until - 1, &last));
    TRY(journal_each(tx, first, last, tell_row, &t));
    if (!tx->writing || !l->started)
        return RC_OK;
    t.at = machine_time(l->machine);
    if (t.at < since || t.at >= until)
        return RC_OK;
    return tell_records(tx, str_n(l->gathered.bytes, l->gathered.n), &t);
}
