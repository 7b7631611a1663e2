/* The ledger: opening it, and its part in every batch of the store. */
#include "ledger/ledger_inside.h"

#include <sodium.h>

#define GATHERED_BYTES_MAX ((size_t)4 * 1024 * 1024 * 1024)
enum { GATHERED_FIRST = 1024 * 1024, GATHERED_KEPT = 16 * 1024 * 1024 };

/* --- within a batch --- */

void ledger_gather(struct ledger *l, const struct record *r)
{
    struct gathered *g = &l->gathered;
    size_t size = record_size(r);
    if (g->n + size > g->room) {
        size_t room = g->room ? g->room * 2 : GATHERED_FIRST;
        char *bytes = arena_bytes(&g->arena, room);
        if (g->n > 0)
            memcpy(bytes, g->bytes, g->n);
        g->bytes = bytes;
        g->room = room;
    }
    record_encode(r, g->bytes + g->n);
    g->n += size;
}

struct source_place *ledger_place(struct ledger *l, uint32_t source)
{
    while (l->places.count <= source)
        (void)series_add(&l->places);
    return series_at(&l->places, source);
}

void ledger_start(struct ledger *l, const struct tx *tx)
{
    ASSERT(l->in_batch && tx->writing);
    if (l->started)
        return;
    l->started = true;
    /* A clock that steps back does not take the journal along. */
    machine_begin(l->machine, max_i64(tx->now, machine_time(l->machine)));
    struct record r;
    while (machine_expire(l->machine, &r))
        ledger_gather(l, &r);
    l->unit_mark = machine_mark(l->machine);
    l->unit_gathered = l->gathered.n;
}

/* --- what is replayed --- */

static void note_dirty(struct ledger *l, const struct touched *touched, size_t count)
{
    while (l->is_dirty.count <= machine_accounts(l->machine))
        (void)series_add(&l->is_dirty);
    for (size_t i = 0; i < count; i++) {
        bool *is = series_at(&l->is_dirty, touched[i].account);
        if (*is)
            continue;
        *is = true;
        *(account_id *)series_add(&l->dirty) = touched[i].account;
    }
}

/* A row that another process wrote, or that lies behind the checkpoint. */
static enum rc replay_row(struct tx *tx, const struct journal_row *row, void *arg)
{
    struct ledger *l = arg;
    TRY(journal_follow(&l->head, row, tx->err));
    enum rc rc = journal_apply(l->machine, row, tx->err);
    if (rc != RC_OK) {
        machine_cancel(l->machine);
        return rc;
    }
    size_t count = 0;
    const struct touched *touched = machine_seal(l->machine, &count);
    if (l->published != NULL)
        published_commit(l->published, l->machine, touched, count, row->seq);
    note_dirty(l, touched, count);
    l->checkpoint_records += row->records;
    machine_end(l->machine);
    return RC_OK;
}

/* --- the store's calls --- */

static void end_batch(struct ledger *l)
{
    struct gathered *g = &l->gathered;
    l->in_batch = false;
    l->started = false;
    g->n = 0;
    if (g->room > GATHERED_KEPT) {
        arena_reset(&g->arena);
        g->bytes = NULL;
        g->room = 0;
    }
}

/*
 * What other processes posted, where the engine lets others write. Whoever loses the race for the
 * next row of the journal repeats its batch behind a lock, so that it cannot lose for ever. LOCK
 * comes before the snapshot is taken, as it must
 * (https://www.postgresql.org/docs/15/sql-lock.html).
 */
static enum rc catch_up(struct ledger *l, struct tx *tx)
{
    if (store_engine(l->store) != STORE_POSTGRES)
        return RC_OK;
    if (l->lost_race)
        TRY(sql_run(tx, "LOCK TABLE ledger_batch IN SHARE ROW EXCLUSIVE MODE"));
    return journal_each(tx, l->head.seq, INT64_MAX, replay_row, l);
}

static enum rc on_begin(void *arg, struct tx *tx)
{
    struct ledger *l = arg;
    ASSERT(!l->in_batch);
    TRY(catch_up(l, tx));
    l->in_batch = true;
    l->commit++;
    l->repeat_at = 0;
    return RC_OK;
}

static void on_keep(void *arg)
{
    struct ledger *l = arg;
    if (!l->started)
        return;
    l->unit_mark = machine_mark(l->machine);
    l->unit_gathered = l->gathered.n;
}

static void on_undo(void *arg)
{
    struct ledger *l = arg;
    if (!l->started)
        return;
    machine_undo(l->machine, l->unit_mark);
    l->gathered.n = l->unit_gathered;
    l->repeat_at = 0;
}

static enum rc on_before_commit(void *arg, struct tx *tx)
{
    return ledger_write(arg, tx);
}

static void forget_dirty(struct ledger *l)
{
    while (l->dirty.count > 0) {
        account_id id = *(account_id *)series_at(&l->dirty, l->dirty.count - 1);
        *(bool *)series_at(&l->is_dirty, id) = false;
        series_drop(&l->dirty);
    }
}

static void on_committed(void *arg)
{
    struct ledger *l = arg;
    if (l->started) {
        ASSERT(l->next.seq > l->head.seq);
        l->checkpoint_records += l->next.records - l->head.records;
        l->head = l->next;
        published_commit(l->published, l->machine, l->touched, l->touched_count, l->head.seq);
        note_dirty(l, l->touched, l->touched_count);
        machine_end(l->machine);
    }
    l->lost_race = false;
    if (l->wrote_checkpoint) {
        forget_dirty(l);
        l->checkpoint_records = 0;
        l->checkpoint_at = machine_time(l->machine);
        atomic_store(&l->want_checkpoint, false);
    }
    end_batch(l);
}

static void on_rolled_back(void *arg)
{
    struct ledger *l = arg;
    if (l->started)
        machine_cancel(l->machine);
    l->lost_race = l->started; /* or something else went wrong: then the lock does no harm */
    end_batch(l);
}

/* --- opening --- */

static enum rc wrong_definition(struct tx *tx, const char *what, int64_t id)
{
    return err_set(tx->err, RC_INVALID, "the table of %s does not fit the ledger: number %lld",
                   what, (long long)id);
}

static enum rc load_book(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct ledger *l = arg;
    struct record r;
    uint32_t id = 0;
    ASSERT(columns == 3);
    TRY(machine_book(l->machine, cells[1].text, cells[2].text, &id, &r, tx->err));
    return id == cells[0].number ? RC_OK : wrong_definition(tx, "books", cells[0].number);
}

static enum rc load_account(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct ledger *l = arg;
    struct record r;
    account_id id = 0;
    ASSERT(columns == 5);
    /* Of two mirrors the second one was opened as such. */
    int64_t mirror = cells[4].number < cells[0].number ? cells[4].number : 0;
    struct record d = {.flags = (uint8_t)cells[3].number,
                       .book = (uint32_t)cells[1].number,
                       .mirror = (uint32_t)mirror,
                       .text = cells[2].text};
    TRY(machine_account(l->machine, &d, &id, &r, tx->err));
    return id == cells[0].number ? RC_OK : wrong_definition(tx, "accounts", cells[0].number);
}

static enum rc load_source(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct ledger *l = arg;
    struct record r;
    uint32_t id = 0;
    ASSERT(columns == 2);
    TRY(machine_source(l->machine, cells[1].text, &id, &r, tx->err));
    return id == cells[0].number ? RC_OK : wrong_definition(tx, "sources", cells[0].number);
}

static enum rc load_balance(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    struct ledger *l = arg;
    ASSERT(columns == 5);
    struct balance b = {cells[1].number, cells[2].number, cells[3].number, cells[4].number};
    return machine_load_balance(l->machine, (account_id)cells[0].number, &b, tx->err);
}

/* The state at the end of row seq, from the tables. */
static enum rc load_checkpoint(struct ledger *l, struct tx *tx, int64_t seq, struct str state)
{
    machine_begin(l->machine, 0);
    TRY(sql_each(tx, load_book, l,
                 "SELECT id, party, currency FROM ledger_book WHERE opened <= $1 ORDER BY id",
                 V(seq)));
    TRY(sql_each(tx, load_account, l,
                 "SELECT id, book, code, flags, COALESCE(mirror, 0) FROM ledger_account WHERE "
                 "opened <= $1 ORDER BY id",
                 V(seq)));
    TRY(sql_each(tx, load_source, l,
                 "SELECT id, name FROM ledger_source WHERE opened <= $1 ORDER BY id", V(seq)));
    machine_end(l->machine);
    TRY(machine_load(l->machine, state, tx->err));
    TRY(sql_each(tx, load_balance, l,
                 "SELECT b.account, b.debits, b.credits, b.debits_pending, b.credits_pending FROM "
                 "ledger_account a JOIN ledger_balance b ON b.account = a.id AND b.batch = (SELECT "
                 "MAX(x.batch) FROM ledger_balance x WHERE x.account = a.id AND x.batch <= $1) "
                 "ORDER BY b.account",
                 V(seq)));
    return machine_prove(l->machine, tx->err);
}

static enum rc load(struct tx *tx, void *arg)
{
    struct ledger *l = arg;
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT c.batch, c.state, j.first_record + j.records, j.hash FROM "
                 "ledger_checkpoint c JOIN ledger_batch j ON j.seq = c.batch ORDER BY c.batch DESC "
                 "LIMIT 1"));
    if (r.count > 0) {
        struct str hash = row_str(&r, 0, 3);
        if (hash.n != JOURNAL_HASH_DIGITS)
            return err_set(tx->err, RC_INVALID, "batch %lld of the journal has no hash",
                           (long long)row_int(&r, 0, 0));
        l->head.seq = row_int(&r, 0, 0);
        l->head.records = row_int(&r, 0, 2);
        memcpy(l->head.hash, hash.p, hash.n);
        TRY(load_checkpoint(l, tx, l->head.seq, row_bytes(&r, 0, 1)));
    }
    l->checkpoint_at = machine_time(l->machine);
    return journal_each(tx, l->head.seq, INT64_MAX, replay_row, l);
}

static struct ledger *make_ledger(struct store *s, const struct log *log)
{
    struct arena arena;
    uint64_t seed[2];
    arena_init(&arena, (size_t)1 << 40);
    struct ledger *l = NEW(&arena, struct ledger);
    l->arena = arena;
    l->store = s;
    l->log = log;
    clock_chance(clock_system(), seed, sizeof seed);
    l->machine = machine_open(seed);
    journal_head_init(&l->head);
    arena_init(&l->gathered.arena, GATHERED_BYTES_MAX);
    arena_init(&l->old.arena, STORE_TX_ARENA_BYTES);
    series_init(&l->places, &l->arena, sizeof(struct source_place));
    series_init(&l->dirty, &l->arena, sizeof(account_id));
    series_init(&l->is_dirty, &l->arena, sizeof(bool));
    return l;
}

enum rc ledger_open(struct ledger **ret, struct store *s, const struct log *log, struct err *err)
{
    int unusable = sodium_init(); /* chooses the fastest hash that the machine has */
    ASSERT(unusable >= 0);
    struct ledger *l = make_ledger(s, log);
    time_us began = clock_steady(clock_system());
    struct arena arena;
    arena_init(&arena, (size_t)1 << 40);
    enum rc rc = store_read(s, &arena, err, load, l);
    arena_fini(&arena);
    if (rc != RC_OK) {
        ledger_close(l);
        return rc;
    }
    l->published = published_open();
    published_set(l->published, l->machine, l->head.seq);
    store_take_part(s, &(struct store_participant){.begin = on_begin,
                                                   .keep = on_keep,
                                                   .undo = on_undo,
                                                   .before_commit = on_before_commit,
                                                   .committed = on_committed,
                                                   .rolled_back = on_rolled_back,
                                                   .arg = l});
    log_event(log, LOG_INFO, "ledger.opened", LOG_I("batch", l->head.seq),
              LOG_I("accounts", machine_accounts(l->machine)),
              LOG_I("us", clock_steady(clock_system()) - began));
    *ret = l;
    return RC_OK;
}

static enum rc nothing(struct tx *tx, void *arg)
{
    (void)tx;
    (void)arg;
    return RC_OK;
}

enum rc ledger_checkpoint(struct ledger *l, struct err *err)
{
    struct arena arena;
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    atomic_store(&l->want_checkpoint, true);
    enum rc rc = store_write(l->store, &arena, err, nothing, NULL);
    arena_fini(&arena);
    return rc;
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    published_close(l->published);
    machine_close(l->machine);
    arena_fini(&l->gathered.arena);
    arena_fini(&l->old.arena);
    struct arena arena = l->arena; /* l lies in it */
    arena_fini(&arena);
}
