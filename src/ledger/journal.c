#include "ledger/journal.h"

#include <sodium.h>

enum { ROWS_AT_A_TIME = 4 }; /* PostgreSQL hands over all rows of a question at once */

void journal_head_init(struct journal_head *head)
{
    *head = (struct journal_head){0};
    memset(head->hash, '0', JOURNAL_HASH_DIGITS);
}

/* --- hashes --- */

static void add_number(crypto_generichash_state *state, int64_t number)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static void hash_row(const struct journal_row *row, char hash[JOURNAL_HASH_DIGITS + 1])
{
    crypto_generichash_state state;
    unsigned char digest[JOURNAL_HASH_DIGITS / 2];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, (const unsigned char *)row->previous.p, row->previous.n);
    add_number(&state, row->seq);
    add_number(&state, row->at);
    add_number(&state, row->records);
    add_number(&state, row->first_record);
    crypto_generichash_update(&state, (const unsigned char *)row->body.p, row->body.n);
    crypto_generichash_final(&state, digest, sizeof digest);
    (void)sodium_bin2hex(hash, JOURNAL_HASH_DIGITS + 1, digest, sizeof digest);
}

/* --- writing --- */

enum rc journal_write(struct tx *tx, struct journal_head *head, time_us at, struct str body,
                      int64_t records)
{
    struct journal_row row = {.seq = head->seq + 1,
                              .at = at,
                              .records = records,
                              .first_record = head->records,
                              .previous = str_n(head->hash, JOURNAL_HASH_DIGITS),
                              .body = body};
    char hash[JOURNAL_HASH_DIGITS + 1];
    hash_row(&row, hash);
    enum rc rc = sql_run(tx,
                         "INSERT INTO ledger_batch (seq, at, records, first_record, previous, "
                         "hash, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                         V(row.seq), V(at), V(records), V(row.first_record), V(row.previous),
                         V(hash), value_bytes(body));
    if (rc == RC_CONFLICT) /* its number is taken */
        return err_set(tx->err, RC_RETRY, "another process posted at the same time");
    TRY(rc);
    head->seq = row.seq;
    head->records += records;
    memcpy(head->hash, hash, sizeof hash);
    return RC_OK;
}

/* --- reading --- */

enum rc journal_last(struct tx *tx, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT seq FROM ledger_batch ORDER BY seq DESC LIMIT 1"));
    *ret = r.count > 0 ? row_int(&r, 0, 0) : 0;
    return RC_OK;
}

enum rc journal_last_at(struct tx *tx, time_us at, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT seq FROM ledger_batch WHERE at <= $1 ORDER BY at DESC, seq DESC LIMIT 1",
                 V(at)));
    *ret = r.count > 0 ? row_int(&r, 0, 0) : 0;
    return RC_OK;
}

struct walk {
    journal_fn fn;
    void *arg;
    int64_t last;
    size_t count;
};

static enum rc hand_row(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct walk *w = arg;
    ASSERT(columns == 7);
    struct journal_row row = {.seq = cells[0].number,
                              .at = cells[1].number,
                              .records = cells[2].number,
                              .first_record = cells[3].number,
                              .previous = cells[4].text,
                              .hash = cells[5].text,
                              .body = cells[6].text};
    w->last = row.seq;
    w->count++;
    return w->fn(tx, &row, w->arg);
}

enum rc journal_each(struct tx *tx, int64_t after, int64_t until, journal_fn fn, void *arg)
{
    struct walk w = {.fn = fn, .arg = arg, .last = after};
    do {
        w.count = 0;
        TRY(sql_each(tx, hand_row, &w,
                     "SELECT seq, at, records, first_record, previous, hash, body FROM "
                     "ledger_batch WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
                     V(w.last), V(until), V(ROWS_AT_A_TIME)));
    } while (w.count == ROWS_AT_A_TIME);
    return RC_OK;
}

/* --- checking --- */

enum rc journal_follow(struct journal_head *head, const struct journal_row *row, struct err *err)
{
    long long seq = row->seq;
    char hash[JOURNAL_HASH_DIGITS + 1];
    if (row->seq != head->seq + 1)
        return err_set(err, RC_INVALID, "batch %lld of the journal is missing: %lld follows",
                       (long long)head->seq + 1, seq);
    if (!str_eq(row->previous, str_c(head->hash)))
        return err_set(err, RC_INVALID,
                       "batch %lld of the journal does not follow the one before: its hash is "
                       "another",
                       seq);
    hash_row(row, hash);
    if (!str_eq(row->hash, str_c(hash)))
        return err_set(err, RC_INVALID,
                       "batch %lld of the journal was changed: its hash does not fit what it says",
                       seq);
    if (row->first_record != head->records)
        return err_set(err, RC_INVALID, "batch %lld of the journal counts its records wrongly",
                       seq);
    head->seq = row->seq;
    head->records += row->records;
    memcpy(head->hash, hash, sizeof hash);
    return RC_OK;
}

static enum rc apply_records(struct machine *m, const struct journal_row *row, struct err *err)
{
    struct record r;
    int64_t count = 0;
    int64_t chain = 0;
    for (struct str rest = row->body; rest.n > 0; count++) {
        TRY(record_decode(rest, &r, err));
        TRY(machine_apply(m, &r, err));
        chain = machine_in_chain(m) ? chain + 1 : 0;
        if (chain >= LEDGER_CHAIN_MAX)
            return err_set(err, RC_INVALID, "a chain has more than %d transfers", LEDGER_CHAIN_MAX);
        rest = str_sub(rest, record_size(&r), rest.n);
    }
    if (machine_in_chain(m))
        return err_set(err, RC_INVALID, "a chain of transfers has no end");
    if (count != row->records)
        return err_set(err, RC_INVALID, "it has %lld records, and says %lld", (long long)count,
                       (long long)row->records);
    return RC_OK;
}

enum rc journal_apply(struct machine *m, const struct journal_row *row, struct err *err)
{
    if (row->at < machine_time(m))
        return err_set(err, RC_INVALID, "batch %lld of the journal goes back in time",
                       (long long)row->seq);
    machine_begin(m, row->at);
    enum rc rc = apply_records(m, row, err);
    if (rc != RC_OK)
        err_add(err, "batch %lld of the journal", (long long)row->seq);
    return rc;
}
