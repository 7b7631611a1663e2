/* The proof: the journal once more, from its first row, and all tables beside it. */
#include "ledger/journal.h"
#include "ledger/series.h"

#include <sodium.h>

struct verifier {
    struct machine *machine;
    struct journal_head head;
    int64_t transfers;
    int64_t ranges;
    int64_t checkpoint; /* row, 0: none */
    struct str state;
    struct series range_rows; /* int64_t, by source: the last row that had a range */
    uint32_t seen;            /* of the table that is being compared */
    time_us until;            /* replay: no row behind this time */
};

static enum rc wrong_table(struct tx *tx, const char *table, int64_t id, const char *what)
{
    return err_set(tx->err, RC_INVALID, "%s %lld %s: the journal says otherwise", table,
                   (long long)id, what);
}

/* --- rows --- */

static enum rc check_range(struct verifier *v, struct tx *tx, const struct record *r, int64_t seq)
{
    while (v->range_rows.count <= r->source)
        (void)series_add(&v->range_rows);
    int64_t *last = series_at(&v->range_rows, r->source);
    if (r->source == 0 || *last == seq)
        return RC_OK;
    *last = seq;
    v->ranges++;
    struct rows rows;
    TRY(sql_rows(tx, &rows,
                 "SELECT batch FROM ledger_source_range WHERE source = $1 AND first_number = $2 "
                 "LIMIT 1",
                 V(r->source), V((int64_t)r->number)));
    if (rows.count == 1 && row_int(&rows, 0, 0) == seq)
        return RC_OK;
    return wrong_table(tx, "the range of source", r->source, "is missing or wrong");
}

static enum rc look_at_records(struct verifier *v, struct tx *tx, const struct journal_row *row)
{
    struct record r;
    for (struct str rest = row->body; rest.n > 0; rest = str_sub(rest, record_size(&r), rest.n)) {
        TRY(record_decode(rest, &r, tx->err));
        if (!record_is_transfer(&r))
            continue;
        v->transfers += r.kind != RECORD_EXPIRE;
        TRY(check_range(v, tx, &r, row->seq));
    }
    return RC_OK;
}

static enum rc replay(struct verifier *v, struct tx *tx, const struct journal_row *row)
{
    size_t count = 0;
    TRY(journal_follow(&v->head, row, tx->err));
    TRY(journal_apply(v->machine, row, tx->err));
    (void)machine_seal(v->machine, &count);
    machine_end(v->machine);
    return RC_OK;
}

static enum rc verify_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct verifier *v = arg;
    TRY(replay(v, tx, row));
    TRY(look_at_records(v, tx, row));
    if (row->seq != v->checkpoint)
        return RC_OK;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 40);
    bool same = str_eq(machine_save(v->machine, &arena), v->state);
    arena_fini(&arena);
    return same ? RC_OK : wrong_table(tx, "the checkpoint at batch", row->seq, "is another state");
}

static enum rc replay_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct verifier *v = arg;
    if (row->at > v->until)
        return RC_OK; /* times ascend: all that follow are later too */
    return replay(v, tx, row);
}

/* --- the tables beside the journal --- */

/* Kept balances come in the order of rows; the journal is read up to each. */
static enum rc verify_balance(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct verifier *v = arg;
    ASSERT(columns == 6);
    int64_t seq = cells[0].number;
    if (seq > v->head.seq)
        TRY(journal_each(tx, v->head.seq, seq, verify_row, v));
    int64_t id = cells[1].number;
    if (seq > v->head.seq)
        return err_set(tx->err, RC_INVALID,
                       "batch %lld of the journal is missing: the balance of account %lld is kept "
                       "for batch %lld",
                       (long long)v->head.seq + 1, (long long)id, (long long)seq);
    struct balance kept = {cells[2].number, cells[3].number, cells[4].number, cells[5].number};
    if (seq == v->head.seq && id > 0 && id <= machine_accounts(v->machine) &&
        memcmp(&kept, machine_balance(v->machine, (account_id)id), sizeof kept) == 0)
        return RC_OK;
    return err_set(tx->err, RC_INVALID,
                   "the balance of account %lld that is kept for batch %lld is another than the "
                   "journal gives",
                   (long long)id, (long long)seq);
}

static enum rc verify_book(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct verifier *v = arg;
    struct str party;
    struct str currency;
    ASSERT(columns == 3);
    if (cells[0].number != ++v->seen || v->seen > machine_books(v->machine))
        return wrong_table(tx, "book", cells[0].number, "is out of order");
    machine_see_book(v->machine, v->seen, &party, &currency);
    if (!str_eq(party, cells[1].text) || !str_eq(currency, cells[2].text))
        return wrong_table(tx, "book", v->seen, "is another's");
    return RC_OK;
}

static enum rc verify_account(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct verifier *v = arg;
    ASSERT(columns == 6);
    if (cells[0].number != ++v->seen || v->seen > machine_accounts(v->machine))
        return wrong_table(tx, "account", cells[0].number, "is out of order");
    struct account a = machine_see_account(v->machine, v->seen);
    bool closed = (a.flags & ACCOUNT_CLOSED) != 0;
    if (machine_book_of(v->machine, v->seen) != cells[1].number || !str_eq(a.code, cells[2].text) ||
        (a.flags & ~(unsigned)ACCOUNT_CLOSED) != cells[3].number || a.mirror != cells[4].number ||
        closed != cells[5].number)
        return wrong_table(tx, "account", v->seen, "is defined otherwise");
    return RC_OK;
}

static enum rc verify_source(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct verifier *v = arg;
    ASSERT(columns == 2);
    if (cells[0].number != ++v->seen || v->seen > machine_sources(v->machine))
        return wrong_table(tx, "source", cells[0].number, "is out of order");
    if (!str_eq(machine_source_name(v->machine, v->seen), cells[1].text))
        return wrong_table(tx, "source", v->seen, "has another name");
    return RC_OK;
}

static enum rc verify_definitions(struct tx *tx, struct verifier *v)
{
    struct rows r;
    v->seen = 0;
    TRY(sql_each(tx, verify_book, v, "SELECT id, party, currency FROM ledger_book ORDER BY id"));
    if (v->seen != machine_books(v->machine))
        return wrong_table(tx, "book", v->seen + 1, "is missing");
    v->seen = 0;
    TRY(sql_each(tx, verify_account, v,
                 "SELECT id, book, code, flags, COALESCE(mirror, 0), closed FROM ledger_account "
                 "ORDER BY id"));
    if (v->seen != machine_accounts(v->machine))
        return wrong_table(tx, "account", v->seen + 1, "is missing");
    v->seen = 0;
    TRY(sql_each(tx, verify_source, v, "SELECT id, name FROM ledger_source ORDER BY id"));
    if (v->seen != machine_sources(v->machine))
        return wrong_table(tx, "source", v->seen + 1, "is missing");
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM ledger_source_range"));
    if (row_int(&r, 0, 0) != v->ranges)
        return wrong_table(tx, "the table of ranges, with rows", row_int(&r, 0, 0),
                           "too many or too few");
    return RC_OK;
}

static enum rc verify_all(struct tx *tx, void *arg)
{
    struct verifier *v = arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT batch, state FROM ledger_checkpoint ORDER BY batch DESC LIMIT 1"));
    if (r.count > 0) {
        v->checkpoint = row_int(&r, 0, 0);
        v->state = row_bytes(&r, 0, 1);
    }
    TRY(sql_each(tx, verify_balance, v,
                 "SELECT batch, account, debits, credits, debits_pending, credits_pending FROM "
                 "ledger_balance ORDER BY batch, account"));
    TRY(journal_each(tx, v->head.seq, INT64_MAX, verify_row, v));
    if (v->checkpoint > v->head.seq)
        return wrong_table(tx, "the checkpoint at batch", v->checkpoint, "has no batch");
    TRY(verify_definitions(tx, v));
    return machine_prove(v->machine, tx->err);
}

/* --- the doors --- */

static void verifier_init(struct verifier *v, struct arena *arena)
{
    static const uint64_t seed[2] = {0x9E3779B97F4A7C15, 0x6A09E667F3BCC909};
    int unusable = sodium_init();
    ASSERT(unusable >= 0);
    *v = (struct verifier){.machine = machine_open(seed), .until = INT64_MAX};
    journal_head_init(&v->head);
    series_init(&v->range_rows, arena, sizeof(int64_t));
}

enum rc ledger_verify(struct store *s, struct arena *arena, struct ledger_report *ret,
                      struct err *err)
{
    struct verifier v;
    verifier_init(&v, arena);
    enum rc rc = store_read(s, arena, err, verify_all, &v);
    if (rc == RC_OK)
        *ret = (struct ledger_report){.batches = v.head.seq,
                                      .records = v.head.records,
                                      .transfers = v.transfers,
                                      .accounts = machine_accounts(v.machine),
                                      .books = machine_books(v.machine),
                                      .head = arena_str(arena, str_c(v.head.hash))};
    machine_close(v.machine);
    return rc;
}

struct replaying {
    struct verifier v;
    account_fn fn;
    void *arg;
};

static enum rc replay_all(struct tx *tx, void *arg)
{
    struct replaying *r = arg;
    TRY(journal_each(tx, 0, INT64_MAX, replay_row, &r->v));
    TRY(machine_prove(r->v.machine, tx->err));
    for (account_id id = 1; id <= machine_accounts(r->v.machine); id++) {
        struct account a = machine_see_account(r->v.machine, id);
        TRY(r->fn(tx, &a, r->arg));
    }
    return RC_OK;
}

enum rc ledger_replay(struct store *s, struct arena *arena, time_us at, account_fn fn, void *arg,
                      struct err *err)
{
    struct replaying r = {.fn = fn, .arg = arg};
    verifier_init(&r.v, arena);
    r.v.until = at;
    enum rc rc = store_read(s, arena, err, replay_all, &r);
    machine_close(r.v.machine);
    return rc;
}
