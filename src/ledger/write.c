/* What the ledger writes before a commit: rows of the journal, definitions, ranges, balances. */
#include "ledger/ledger_inside.h"

#include "base/buf.h"

enum {
    CHECKPOINT_RECORDS = 1 << 20, /* read again in about half a second at the next start */
    BALANCES_AT_A_TIME = 400,
    INSERT_BYTES_MAX = 64 * 1024,
    DEFINED_AT_A_TIME = 1000, /* books, accounts */
    BOOK_COLUMNS = 4,
    ACCOUNT_COLUMNS = 7,
    ACCOUNT_MIRROR = 4, /* which column */
};
#define CHECKPOINT_US (1 * US_PER_MINUTE)

/* --- definitions and ranges --- */

/* On PostgreSQL a row may be there already: from another process that was faster. */
static enum rc or_again(struct tx *tx, enum rc rc)
{
    if (rc == RC_CONFLICT)
        return err_set(tx->err, RC_RETRY, "another process posted at the same time");
    return rc;
}

/* Books and accounts on their way into the tables, many in one statement: the first invoices of a
 * month may open tens of thousands. */
struct defined {
    struct tx *tx;
    size_t book_count;
    size_t account_count;
    struct value (*books)[BOOK_COLUMNS];
    struct value (*accounts)[ACCOUNT_COLUMNS]; /* by id, which is the order they were opened in */
};

/* Most batches open nothing, and take no room for it. */
static void defined_room(struct defined *d)
{
    if (d->books != NULL)
        return;
    d->books = arena_alloc_n(d->tx->arena, DEFINED_AT_A_TIME, sizeof *d->books);
    d->accounts = arena_alloc_n(d->tx->arena, DEFINED_AT_A_TIME, sizeof *d->accounts);
}

static enum rc flush_defined(struct defined *d)
{
    struct tx *tx = d->tx;
    if (d->books == NULL)
        return RC_OK;
    TRY(or_again(tx, sql_insert(tx,
                                "INSERT INTO ledger_book (id, party, currency, opened) VALUES "
                                "($1, $2, $3, $4)",
                                d->books[0], BOOK_COLUMNS, d->book_count)));
    TRY(or_again(tx, sql_insert(tx,
                                "INSERT INTO ledger_account (id, book, code, flags, mirror, "
                                "closed, opened) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                                d->accounts[0], ACCOUNT_COLUMNS, d->account_count)));
    d->book_count = 0;
    d->account_count = 0;
    return RC_OK;
}

static enum rc write_book(struct defined *d, const struct record *r, int64_t seq)
{
    struct str party = r->text;
    struct str currency = str_cut(&party, ' ');
    defined_room(d);
    if (d->book_count == DEFINED_AT_A_TIME)
        TRY(flush_defined(d));
    const struct value cells[BOOK_COLUMNS] = {V(r->id), V(party), V(currency), V(seq)};
    memcpy(d->books[d->book_count++], cells, sizeof cells);
    return RC_OK;
}

/* The account that a new one mirrors: on its way too, as both of a debt are opened together, or in
 * the table. */
static enum rc write_mirror(struct defined *d, const struct record *r)
{
    for (size_t i = d->account_count; i-- > 0 && d->accounts[i][0].number >= (int64_t)r->mirror;)
        if (d->accounts[i][0].number == (int64_t)r->mirror) {
            d->accounts[i][ACCOUNT_MIRROR] = V(r->id);
            return RC_OK;
        }
    return sql_run(d->tx, "UPDATE ledger_account SET mirror = $2 WHERE id = $1", V(r->mirror),
                   V(r->id));
}

static enum rc write_account(struct defined *d, const struct record *r, int64_t seq)
{
    defined_room(d);
    if (d->account_count == DEFINED_AT_A_TIME)
        TRY(flush_defined(d));
    if (r->mirror != 0)
        TRY(write_mirror(d, r));
    const struct value cells[ACCOUNT_COLUMNS] = {
        V(r->id), V(r->book), V(r->text), V(r->flags), SQL_NULL, value_int(0), V(seq),
    };
    memcpy(d->accounts[d->account_count], cells, sizeof cells);
    if (r->mirror != 0)
        d->accounts[d->account_count][ACCOUNT_MIRROR] = V(r->mirror);
    d->account_count++;
    return RC_OK;
}

static enum rc write_definition(struct defined *d, const struct record *r, int64_t seq)
{
    switch (r->kind) {
    case RECORD_BOOK:
        return write_book(d, r, seq);
    case RECORD_ACCOUNT:
        return write_account(d, r, seq);
    case RECORD_SOURCE:
        return or_again(d->tx, sql_run(d->tx,
                                       "INSERT INTO ledger_source (id, name, opened) VALUES ($1, "
                                       "$2, $3)",
                                       V(r->id), V(r->text), V(seq)));
    case RECORD_CLOSE:
        TRY(flush_defined(d)); /* it may have been opened just now */
        return sql_run(d->tx, "UPDATE ledger_account SET closed = $2 WHERE id = $1", V(r->id),
                       V(r->flags != 0));
    case RECORD_TRANSFER:
    case RECORD_PENDING:
    case RECORD_POST:
    case RECORD_VOID:
    case RECORD_EXPIRE:
        break;
    }
    return RC_OK;
}

static enum rc write_range(struct ledger *l, struct tx *tx, const struct record *r, int64_t seq)
{
    if (r->source == 0)
        return RC_OK; /* what expired */
    struct source_place *place = ledger_place(l, r->source);
    if (place->row == l->rows_tried)
        return RC_OK;
    place->row = l->rows_tried;
    return or_again(
        tx, sql_run(tx,
                    "INSERT INTO ledger_source_range (source, first_number, batch) VALUES ($1, $2, "
                    "$3)",
                    V(r->source), V((int64_t)r->number), V(seq)));
}

/* --- rows --- */

static enum rc write_row(struct ledger *l, struct defined *d, struct str body, int64_t records)
{
    struct record r;
    struct tx *tx = d->tx;
    l->rows_tried++;
    TRY(journal_write(tx, &l->next, machine_time(l->machine), body, records));
    for (struct str rest = body; rest.n > 0; rest = str_sub(rest, record_size(&r), rest.n)) {
        enum rc rc = record_decode(rest, &r, tx->err);
        ASSERT(rc == RC_OK); /* we have just written it */
        if (record_is_transfer(&r))
            TRY(write_range(l, tx, &r, l->next.seq));
        else
            TRY(write_definition(d, &r, l->next.seq));
    }
    return RC_OK;
}

/* Rows of about JOURNAL_ROW_BYTES, cut where no chain is. */
static enum rc write_rows(struct ledger *l, struct tx *tx)
{
    const struct gathered *g = &l->gathered;
    struct defined d = {.tx = tx};
    size_t first = 0;
    int64_t records = 0;
    bool linked = false;
    for (size_t at = 0; at < g->n;) {
        at += record_span(g->bytes + at, &linked);
        records++;
        if (at < g->n && (linked || at - first < JOURNAL_ROW_BYTES))
            continue;
        ASSERT(!linked);
        TRY(write_row(l, &d, str_n(g->bytes + first, at - first), records));
        first = at;
        records = 0;
    }
    return flush_defined(&d);
}

/* --- balances --- */

/* Numbers as digits in the SQL, as they are ours: SQLite takes time that grows with the square of
 * their count to name so many parameters. */
struct balances {
    struct ledger *l;
    struct tx *tx;
    struct buf sql;
    size_t count; /* rows in it */
};

static enum rc flush_balances(struct balances *b)
{
    struct rows none;
    if (b->count == 0)
        return RC_OK;
    buf_add(&b->sql, STR(" ON CONFLICT (account, batch) DO NOTHING"));
    ASSERT(!b->sql.full);
    TRY(sql_rows_text(b->tx, &none, buf_str(&b->sql), NULL, 0));
    b->count = 0;
    return RC_OK;
}

static enum rc add_balance(struct balances *b, account_id id)
{
    const struct balance *now = machine_balance(b->l->machine, id);
    if (b->count == 0) {
        buf_reset(&b->sql);
        buf_add(&b->sql, STR("INSERT INTO ledger_balance (account, batch, debits, credits, "
                             "debits_pending, credits_pending) VALUES "));
    }
    const int64_t cells[] = {id,           b->l->next.seq,      now->debits,
                             now->credits, now->debits_pending, now->credits_pending};
    buf_add(&b->sql, b->count > 0 ? STR(", (") : STR("("));
    for (size_t i = 0; i < COUNT(cells); i++) {
        if (i > 0)
            buf_add_char(&b->sql, ',');
        buf_add_i64(&b->sql, cells[i]);
    }
    buf_add_char(&b->sql, ')');
    return ++b->count == BALANCES_AT_A_TIME ? flush_balances(b) : RC_OK;
}

static enum rc write_balances(struct balances *b, bool checkpoint)
{
    struct ledger *l = b->l;
    for (size_t i = 0; i < l->touched_count; i++) {
        account_id id = l->touched[i].account;
        if (checkpoint || (machine_flags(l->machine, id) & ACCOUNT_HISTORY))
            TRY(add_balance(b, id));
    }
    for (uint32_t i = 0; checkpoint && i < l->dirty.count; i++)
        TRY(add_balance(b, *(account_id *)series_at(&l->dirty, i)));
    return flush_balances(b);
}

/* --- checkpoints --- */

static bool wants_checkpoint(const struct ledger *l)
{
    if (l->next.seq == 0)
        return false; /* nothing to begin from */
    int64_t records = l->checkpoint_records + l->next.records - l->head.records;
    return atomic_load(&l->want_checkpoint) || records >= CHECKPOINT_RECORDS ||
           (l->next.seq > l->head.seq &&
            machine_time(l->machine) - l->checkpoint_at >= CHECKPOINT_US);
}

static enum rc write_state(struct ledger *l, struct tx *tx)
{
    struct str state = machine_save(l->machine, tx->arena);
    TRY(sql_run(tx,
                "UPDATE ledger_checkpoint SET state = NULL WHERE batch = (SELECT MAX(batch) FROM "
                "ledger_checkpoint WHERE batch < $1)",
                V(l->next.seq)));
    return sql_run(tx,
                   "INSERT INTO ledger_checkpoint (batch, state) VALUES ($1, $2) ON CONFLICT "
                   "(batch) DO NOTHING",
                   V(l->next.seq), value_bytes(state));
}

enum rc ledger_write(struct ledger *l, struct tx *tx)
{
    l->next = l->head;
    l->touched_count = 0;
    l->wrote_checkpoint = false;
    if (l->started && l->gathered.n == 0) { /* looked at, and left as it was */
        machine_cancel(l->machine);
        l->started = false;
    }
    if (l->started) {
        TRY(write_rows(l, tx));
        l->touched = machine_seal(l->machine, &l->touched_count);
    }
    bool checkpoint = wants_checkpoint(l);
    struct balances *b = NEW(tx->arena, struct balances);
    b->l = l;
    b->tx = tx;
    buf_init(&b->sql, tx->arena, INSERT_BYTES_MAX);
    TRY(write_balances(b, checkpoint));
    if (checkpoint)
        TRY(write_state(l, tx));
    l->wrote_checkpoint = checkpoint;
    return RC_OK;
}
