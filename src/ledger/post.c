/* What callers change: accounts, sources, transfers; and how a repeat is known. */
#include "ledger/ledger_inside.h"

/* --- accounts and sources --- */

enum rc ledger_account(struct tx *tx, struct ledger *l, const struct account *wanted,
                       account_id *ret)
{
    struct record book;
    struct record account;
    uint32_t id = 0;
    ledger_start(l, tx);
    size_t mark = machine_mark(l->machine);
    if (wanted->flags > UINT8_MAX)
        return err_set_at(tx->err, RC_INVALID, STR("/flags"), "there are no such flags");
    TRY(machine_book(l->machine, wanted->party, wanted->currency, &id, &book, tx->err));
    struct record d = {.flags = (uint8_t)wanted->flags,
                       .book = id,
                       .mirror = wanted->mirror,
                       .text = wanted->code};
    enum rc rc = machine_account(l->machine, &d, ret, &account, tx->err);
    if (rc != RC_OK) {
        machine_undo(l->machine, mark); /* the book too, where it was made for this account */
        return rc;
    }
    if (book.text.n > 0)
        ledger_gather(l, &book);
    if (account.text.n > 0)
        ledger_gather(l, &account);
    return RC_OK;
}

enum rc ledger_debt(struct tx *tx, struct ledger *l, struct str debtor, struct str creditor,
                    struct str currency, account_id *ret_payable, account_id *ret_receivable)
{
    account_id payable = 0;
    struct account a = {.party = debtor,
                        .currency = currency,
                        .code = arena_fmt(tx->arena, "AP:%.*s", STRF(creditor))};
    TRY(ledger_account(tx, l, &a, &payable));
    a = (struct account){.party = creditor,
                         .currency = currency,
                         .code = arena_fmt(tx->arena, "AR:%.*s", STRF(debtor)),
                         .mirror = payable};
    TRY(ledger_account(tx, l, &a, ret_receivable));
    *ret_payable = payable;
    return RC_OK;
}

enum rc ledger_set_closed(struct tx *tx, struct ledger *l, account_id account, bool closed)
{
    struct record r;
    bool changed = false;
    ledger_start(l, tx);
    TRY(machine_set_closed(l->machine, account, closed, &changed, &r, tx->err));
    if (changed)
        ledger_gather(l, &r);
    return RC_OK;
}

enum rc ledger_source(struct tx *tx, struct ledger *l, struct str name, uint32_t *ret,
                      uint64_t *ret_last)
{
    struct record r;
    ledger_start(l, tx);
    TRY(machine_source(l->machine, name, ret, &r, tx->err));
    if (r.text.n > 0)
        ledger_gather(l, &r);
    *ret_last = machine_source_last(l->machine, *ret);
    return RC_OK;
}

/* --- repeats --- */

static bool same_settlement(const struct transfer *t, const struct record *r)
{
    return (t->debit == 0 || t->debit == r->debit) && (t->credit == 0 || t->credit == r->credit) &&
           (t->amount == r->amount || (t->amount == 0 && r->amount == r->released)) &&
           (t->event == 0 || t->event == r->event) && (t->code == 0 || t->code == r->code) &&
           t->pending.source == r->pending_source && t->pending.number == r->pending_number;
}

/* Whether t is what r records: with the liberties that a settlement has. */
static bool same_transfer(const struct transfer *t, const struct record *r)
{
    unsigned kind = r->kind == RECORD_PENDING ? TRANSFER_PENDING
                    : r->kind == RECORD_POST  ? TRANSFER_POST
                    : r->kind == RECORD_VOID  ? TRANSFER_VOID
                                              : 0;
    unsigned linked = r->flags & RECORD_LINKED ? TRANSFER_LINKED : 0;
    if (t->flags != (kind | linked))
        return false;
    if (kind == TRANSFER_POST || kind == TRANSFER_VOID)
        return t->timeout_us == 0 && same_settlement(t, r);
    return t->debit == r->debit && t->credit == r->credit && t->amount == r->amount &&
           t->event == r->event && t->code == r->code && t->timeout_us == r->timeout_us &&
           t->pending.source == 0 && t->pending.number == 0;
}

/* Look through records from *at on, and then from their beginning up to it. */
static bool scan(struct str bytes, size_t *at, struct reference reference, struct record *ret)
{
    size_t from = *at <= bytes.n ? *at : 0;
    bool linked = false;
    for (int pass = 0; pass < 2; pass++) {
        size_t end = pass == 0 ? bytes.n : from;
        for (size_t i = pass == 0 ? from : 0; i < end;) {
            size_t span = record_span(bytes.p + i, &linked);
            struct err ignored = {0};
            struct record r;
            bool read = record_decode(str_sub(bytes, i, i + span), &r, &ignored) == RC_OK;
            ASSERT(read); /* it was verified when it was written, or first read */
            i += span;
            if (!record_is_transfer(&r) || r.source != reference.source ||
                r.number != reference.number)
                continue;
            *at = i;
            *ret = r;
            return true;
        }
    }
    return false;
}

static enum rc keep_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    (void)tx;
    struct ledger *l = arg;
    l->old.seq = row->seq;
    l->old.body = arena_str(&l->old.arena, row->body);
    l->old.at = 0;
    return RC_OK;
}

/* The row of the journal that has the reference, if any has, as l->old. */
static enum rc fetch_row(struct ledger *l, struct tx *tx, struct reference reference, bool *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT batch FROM ledger_source_range WHERE source = $1 AND first_number <= $2 "
                 "ORDER BY first_number DESC LIMIT 1",
                 V(reference.source), V((int64_t)reference.number)));
    *ret = r.count > 0;
    if (r.count == 0 || l->old.seq == row_int(&r, 0, 0))
        return RC_OK;
    l->old.seq = 0;
    arena_reset(&l->old.arena);
    int64_t seq = row_int(&r, 0, 0);
    return journal_each(tx, seq - 1, seq, keep_row, l);
}

/* t has a number that its source has passed: RC_OK where it is the transfer of that number. */
static enum rc check_repeat(struct ledger *l, struct tx *tx, const struct transfer *t)
{
    struct record r;
    const struct source_place *place = ledger_place(l, t->reference.source);
    struct str now = str_n(l->gathered.bytes, l->gathered.n);
    bool found = place->commit == l->commit && t->reference.number >= place->first &&
                 scan(now, &l->repeat_at, t->reference, &r);
    if (!found) {
        TRY(fetch_row(l, tx, t->reference, &found));
        found = found && scan(l->old.body, &l->old.at, t->reference, &r);
    }
    struct str name = machine_source_name(l->machine, t->reference.source);
    unsigned long long number = t->reference.number;
    if (!found)
        return err_set(
            tx->err, RC_CONFLICT,
            "number %llu of '%.*s' comes late: it was left out, and later ones are there", number,
            STRF(name));
    if (!same_transfer(t, &r))
        return err_set(tx->err, RC_CONFLICT,
                       "number %llu of '%.*s' is another transfer already: a repeat is the same",
                       number, STRF(name));
    return RC_OK;
}

/* --- transfers --- */

/* What of the chain in hand was new, and what a repeat: it is one or the other. */
struct chain {
    bool is_new;
    bool repeats;
};

static enum rc post_one(struct ledger *l, struct tx *tx, const struct transfer *t,
                        struct chain *chain)
{
    uint32_t source = t->reference.source;
    bool known = source > 0 && source <= machine_sources(l->machine);
    bool repeat = known && t->reference.number > 0 &&
                  t->reference.number <= machine_source_last(l->machine, source);
    if (repeat) {
        TRY(check_repeat(l, tx, t));
        chain->repeats = true;
    } else {
        struct record r;
        TRY(machine_transfer(l->machine, t, &r, tx->err));
        struct source_place *place = ledger_place(l, source);
        if (place->commit != l->commit || place->first > r.number) {
            place->commit = l->commit;
            place->first = r.number;
        }
        ledger_gather(l, &r);
        chain->is_new = true;
    }
    if (chain->is_new && chain->repeats)
        return err_set(tx->err, RC_CONFLICT,
                       "number %llu of '%.*s' is in a chain of which a part was posted before",
                       (unsigned long long)t->reference.number,
                       STRF(machine_source_name(l->machine, source)));
    return RC_OK;
}

static enum rc post_all(struct ledger *l, struct tx *tx, const struct transfer *transfers,
                        size_t count, size_t *ret_posted)
{
    size_t posted = 0;
    struct chain chain = {0};
    for (size_t i = 0; i < count; i++) {
        TRY(post_one(l, tx, &transfers[i], &chain));
        posted += chain.is_new;
        if (!(transfers[i].flags & TRANSFER_LINKED))
            chain = (struct chain){0};
    }
    if (count > 0 && (transfers[count - 1].flags & TRANSFER_LINKED))
        return err_set(tx->err, RC_INVALID,
                       "the last transfer is linked to one that does not come");
    *ret_posted = posted;
    return RC_OK;
}

enum rc ledger_post(struct tx *tx, struct ledger *l, const struct transfer *transfers, size_t count,
                    size_t *ret_posted)
{
    ASSERT(count <= LEDGER_CHAIN_MAX);
    ledger_start(l, tx);
    size_t posted = 0;
    size_t mark = machine_mark(l->machine);
    size_t gathered = l->gathered.n;
    enum rc rc = post_all(l, tx, transfers, count, &posted);
    if (rc != RC_OK) {
        machine_undo(l->machine, mark);
        l->gathered.n = gathered;
        l->repeat_at = 0;
        return rc;
    }
    if (ret_posted != NULL)
        *ret_posted = posted;
    return RC_OK;
}
