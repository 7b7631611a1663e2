/*
 * The SQLite engine: one writing connection, readers beside it.
 *
 * A reader keeps its snapshot open between two reads for as long as nothing was committed since:
 * only this process writes the store, so the snapshot is still the newest, and a read costs its
 * SELECTs alone. The log file (WAL) is folded back into the database by the writer between two
 * batches, never by a reader or inside a commit.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
    BUSY_TIMEOUT_MS = 1000,
    /* Fold back from here on: 16 MB, the reach of the first hash table of the log's index. A page
     * that many commits changed is folded once, and each fold waits for the disk twice. */
    WAL_FOLD_PAGES = 4000,
    WAL_RESTART_PAGES = 1 << 14, /* 64 MB: begin the file anew, and hold readers off for that */
    /* Small pieces that SQLite takes and gives back with each statement: enough of them for the
     * kept statements of a writer and what one of them needs while it runs. */
    LOOKASIDE_BYTES = 1200,
    LOOKASIDE_SLOTS = 800,
};

struct sqlite_conn {
    struct store_conn base;
    sqlite3 *db;
    uint64_t stamp;              /* commits that the open snapshot holds at least */
    int wal_pages;               /* in the log file */
    int wal_folded;              /* of those: when they were last folded back */
    struct statement *preparing; /* whose tables are being noted */
    bool full; /* a change found no room: folding the log file back may make some */
    struct statements statements;
};

static struct sqlite_conn *of(struct store_conn *c)
{
    return CONTAINER_OF(c, struct sqlite_conn, base);
}

/* --- failures --- */

static enum rc constraint_failure(sqlite3 *db, int code, struct err *err)
{
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_CHECK || code == SQLITE_CONSTRAINT_ROWID)
        return err_set(err, RC_CONFLICT, "it does not fit what is stored already (%s)",
                       sqlite3_errmsg(db));
    return err_set(err, RC_INTERNAL, "the store refused a change (%s)", sqlite3_errmsg(db));
}

enum rc sqlite_failure(sqlite3 *db, int code, struct err *err)
{
    int os = sqlite3_system_errno(db);
    int primary = code & 0xFF;
    bool full =
        primary == SQLITE_FULL ||
        ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && (os == ENOSPC || os == EDQUOT));
    if (full)
        return err_set(
            err, RC_FULL,
            "the disk is full: nothing of this was kept. it works again as soon as there "
            "is space");
    switch (primary) {
    case SQLITE_CONSTRAINT:
        return constraint_failure(db, code, err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, RC_RETRY, "another program holds the store: try again in a moment");
    case SQLITE_TOOBIG:
        return err_set(err, RC_TOO_LARGE, "a text is larger than the store takes");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, RC_INTERNAL,
                       "the store is damaged (%s): stop, and restore the latest backup",
                       sqlite3_errmsg(db));
    case SQLITE_NOMEM:
        NEVER("memory is out"); /* stops the process; the store undoes the work */
    default:
        return err_set(err, RC_INTERNAL, "the store failed (%s; code %d, system error %d)",
                       sqlite3_errmsg(db), code, os);
    }
}

/* A refused statement loses its unit of work; some failures take the whole transaction along. */
static enum rc refused(struct sqlite_conn *c, int code, bool in_tx, struct err *err)
{
    enum rc rc = sqlite_failure(c->db, code, err);
    c->base.failed = rc;
    c->full = c->full || rc == RC_FULL;
    if (rc == RC_RETRY || (in_tx && sqlite3_get_autocommit(c->db)))
        c->base.lost = rc;
    return rc;
}

enum rc sqlite_exec(sqlite3 *db, const char *sql, struct err *err)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : sqlite_failure(db, code, err);
}

/* --- connections --- */

/* files: the name of a way to the files, NULL for SQLite's own. */
static enum rc open_through(const char *files, const char *path, int flags, sqlite3 **ret,
                            struct err *err)
{
    sqlite3 *db = NULL;
    int code =
        sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, files);
    if (code != SQLITE_OK) {
        enum rc rc = sqlite_failure(db, code, err);
        (void)sqlite3_close(db); /* it was never open */
        return rc;
    }
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    *ret = db;
    return RC_OK;
}

enum rc sqlite_open_file(const char *path, int flags, sqlite3 **ret, struct err *err)
{
    return open_through(NULL, path, flags, ret, err);
}

static int note_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_conn *c = arg;
    if (pages < c->wal_pages)
        c->wal_folded = 0; /* the file began anew */
    c->wal_pages = pages;
    return SQLITE_OK;
}

/* What PostgreSQL would refuse is refused here too: "text" in double quotes is a name. */
static void set_strict(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
}

static enum rc want_wal(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    bool wal = code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    (void)sqlite3_finalize(stmt); /* its failure is the step's, judged below */
    if (wal)
        return RC_OK;
    if (code != SQLITE_ROW)
        return sqlite_failure(db, code, err);
    return err_set(err, RC_INVALID,
                   "the folder of the store is on a file system without shared memory: use a local "
                   "disk");
}

/* SQLite asks at each preparation whether what the statement does is allowed, and so tells which
 * tables it touches, those of subqueries too. */
static int note_table(void *arg, int action, const char *one, const char *two, const char *base,
                      const char *trigger)
{
    (void)two;
    (void)base;
    (void)trigger;
    struct sqlite_conn *c = arg;
    bool reads = action == SQLITE_READ;
    bool writes = action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
    if (c->preparing != NULL && one != NULL && (reads || writes))
        memo_add_table(c->base.memo, one, reads ? &c->preparing->reads : &c->preparing->writes);
    return SQLITE_OK;
}

static enum rc set_up(struct sqlite_conn *c, bool writing, bool on_disk, struct err *err)
{
    set_strict(c->db);
    c->base.memo = memo_open();
    (void)sqlite3_set_authorizer(c->db, note_table, c); /* fails for a NULL database alone */
    if (writing) /* before any statement: later it is refused */
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_BYTES, LOOKASIDE_SLOTS);
    TRY(sqlite_exec(c->db,
                    "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                    "PRAGMA journal_size_limit = 67108864",
                    err));
    /* Readers find their pages in the mapped file; what a connection keeps by itself is small. The
     * writer keeps many: with a mapped file SQLite would ask the log's index for each page that a
     * SELECT of the writer touches, though it holds the page already. */
    TRY(sqlite_exec(c->db,
                    writing ? "PRAGMA mmap_size = 0; PRAGMA cache_size = -16000"
                            : "PRAGMA mmap_size = 268435456; PRAGMA cache_size = -2000",
                    err));
    if (!writing)
        return sqlite_exec(c->db, "PRAGMA query_only = 1", err);
    if (on_disk)
        TRY(want_wal(c->db, err));
    sqlite3_wal_hook(c->db, note_wal, c);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return RC_OK;
}

static void drop_statement(struct statement *st)
{
    (void)sqlite3_finalize(st->handle); /* repeats the failure of the last step, told then */
    free(st->order);
    *st = (struct statement){0};
}

static void disconnect(struct store_conn *base)
{
    struct sqlite_conn *c = of(base);
    for (size_t i = 0; i < COUNT(c->statements.slots); i++)
        for (size_t j = 0; j < STATEMENT_WAYS; j++)
            drop_statement(&c->statements.slots[i][j]);
    int code = sqlite3_close(c->db);
    ASSERT(code == SQLITE_OK); /* a statement was left open */
    memo_close(c->base.memo);
    free(c);
}

static enum rc connect_to(struct store *s, bool writing, struct store_conn **ret, struct err *err)
{
    char path[STORE_PATH_MAX] = ":memory:";
    if (s->folder != NULL)
        TRY(sqlite_path(str_c(s->folder), "hanse.db", path, err));
    sqlite3 *db = NULL;
    const char *files = writing && s->files != NULL ? sqlite_files_name(s->files) : NULL;
    TRY(open_through(files, path, SQLITE_OPEN_READWRITE, &db, err));
    struct sqlite_conn *c = store_alloc(1, sizeof *c);
    c->base.store = s;
    c->base.engine = &engine_sqlite;
    c->db = db;
    enum rc rc = set_up(c, writing, s->folder != NULL, err);
    if (rc != RC_OK) {
        disconnect(&c->base);
        return rc;
    }
    *ret = &c->base;
    return RC_OK;
}

/* --- statements --- */

/* SQLite numbers $1, $2, ... by where they first stand; we number them by their names. */
static void note_parameters(struct statement *st)
{
    int n = sqlite3_bind_parameter_count(st->handle);
    ASSERT(n <= STORE_ARGS_MAX);
    st->params = (uint16_t)n;
    bool in_order = true;
    uint16_t *order = store_alloc((size_t)n + 1, sizeof *order);
    for (int i = 1; i <= n; i++) {
        const char *name = sqlite3_bind_parameter_name(st->handle, i);
        int64_t number = 0;
        ASSERT(name != NULL && name[0] == '$');
        bool ok = str_to_i64(str_c(name + 1), 1, n, &number); /* $1..$n without gaps */
        ASSERT(ok);
        order[i - 1] = (uint16_t)number;
        in_order = in_order && number == i;
    }
    if (in_order) {
        free(order);
        order = NULL;
    }
    st->order = order;
}

static enum rc prepare(struct sqlite_conn *c, const struct query *q, struct statement *st,
                       struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    *st = (struct statement){0};
    c->preparing = st;
    int code = sqlite3_prepare_v3(c->db, q->sql, -1, q->keep ? SQLITE_PREPARE_PERSISTENT : 0, &stmt,
                                  &tail);
    c->preparing = NULL;
    if (code != SQLITE_OK) {
        enum rc rc = refused(c, code, true, err);
        err_add(err, "in \"%.120s\"", q->sql);
        return rc;
    }
    ASSERT(stmt != NULL);
    ASSERT(str_trim(str_c(tail)).n == 0); /* one statement at a time */
    st->key = q->sql;
    st->handle = stmt;
    note_parameters(st);
    return RC_OK;
}

/* A kept statement, or *spare filled with one for this call. */
static enum rc find(struct sqlite_conn *c, const struct query *q, struct statement *spare,
                    struct statement **ret, struct err *err)
{
    struct statement *st = q->keep ? statements_slot(&c->statements, q->sql) : NULL;
    if (st != NULL && st->key == q->sql && !st->busy) {
        /* The same address with another text: it was no constant. */
        ASSERT(strcmp(sqlite3_sql(st->handle), q->sql) == 0);
        *ret = st;
        return RC_OK;
    }
    if (st == NULL || st->busy)
        st = spare;
    else
        drop_statement(st);
    TRY(prepare(c, q, st, err));
    *ret = st;
    return RC_OK;
}

static void bind_one(sqlite3_stmt *stmt, int at, const struct value *v)
{
    int code = SQLITE_OK;
    switch (v->type) {
    case VALUE_NULL:
        code = sqlite3_bind_null(stmt, at);
        break;
    case VALUE_INT:
        code = sqlite3_bind_int64(stmt, at, v->number);
        break;
    case VALUE_TEXT:
        code = sqlite3_bind_text64(stmt, at, v->text.n > 0 ? v->text.p : "", v->text.n,
                                   SQLITE_STATIC, SQLITE_UTF8);
        break;
    case VALUE_BYTES:
        code =
            sqlite3_bind_blob64(stmt, at, v->text.n > 0 ? v->text.p : "", v->text.n, SQLITE_STATIC);
        break;
    }
    ASSERT(code == SQLITE_OK || code == SQLITE_TOOBIG);
}

static void bind_all(const struct statement *st, const struct query *q)
{
    ASSERT(st->params == q->count); /* as many values as the SQL has parameters */
    for (int i = 0; i < st->params; i++) {
        size_t at = st->order != NULL ? st->order[i] - 1U : (size_t)i;
        bind_one(st->handle, i + 1, &q->args[at]);
    }
}

static enum rc read_cell(sqlite3_stmt *stmt, int i, struct value *ret, struct err *err)
{
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_NULL:
        *ret = SQL_NULL;
        return RC_OK;
    case SQLITE_INTEGER:
        *ret = value_int(sqlite3_column_int64(stmt, i));
        return RC_OK;
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_column_text(stmt, i);
        ASSERT(p != NULL);
        *ret = value_str(str_n(p, (size_t)sqlite3_column_bytes(stmt, i)));
        return RC_OK;
    }
    case SQLITE_BLOB: {
        const char *p = sqlite3_column_blob(stmt, i); /* NULL where it is empty */
        *ret = value_bytes(str_n(p, (size_t)sqlite3_column_bytes(stmt, i)));
        return RC_OK;
    }
    default:
        return err_set(err, RC_INTERNAL, "column '%s' is neither a whole number, text nor bytes",
                       sqlite3_column_name(stmt, i));
    }
}

static enum rc hand_row(struct sqlite_conn *c, sqlite3_stmt *stmt, const struct query *q,
                        struct err *err)
{
    struct value cells[STORE_COLUMNS_MAX];
    int columns = sqlite3_column_count(stmt);
    ASSERT(columns <= STORE_COLUMNS_MAX);
    for (int i = 0; i < columns; i++) {
        enum rc rc = read_cell(stmt, i, &cells[i], err);
        if (rc != RC_OK)
            return c->base.failed = rc;
    }
    return q->row(q->row_arg, cells, (size_t)columns, err);
}

static enum rc step_all(struct sqlite_conn *c, sqlite3_stmt *stmt, const struct query *q,
                        struct err *err)
{
    for (;;) {
        int code = sqlite3_step(stmt);
        if (code == SQLITE_DONE)
            break;
        if (code != SQLITE_ROW) {
            enum rc rc = refused(c, code, true, err);
            if (rc == RC_INTERNAL)
                err_add(err, "in \"%.120s\"", q->sql);
            return rc;
        }
        if (q->row != NULL)
            TRY(hand_row(c, stmt, q, err));
    }
    if (q->ret_changed != NULL)
        *q->ret_changed = sqlite3_changes64(c->db);
    return RC_OK;
}

static enum rc run_query(struct store_conn *base, const struct query *q, struct err *err)
{
    struct sqlite_conn *c = of(base);
    struct statement spare = {0};
    struct statement *st = NULL;
    TRY(find(c, q, &spare, &st, err));
    bool writes = !sqlite3_stmt_readonly(st->handle);
    ASSERT(q->writing || !writes); /* a read tx must not write */
    base->wrote = base->wrote || writes;
    base->reads = st->reads;
    if (writes)
        memo_forget(base->memo, &st->writes);
    bind_all(st, q);
    st->busy = true;
    enum rc rc = step_all(c, st->handle, q, err);
    st->busy = false;
    (void)sqlite3_reset(st->handle); /* repeats the failure of the last step, told above */
    if (st == &spare)
        drop_statement(&spare);
    return rc;
}

/* --- transactions --- */

/* BEGIN and its like run through the same prepared statements. */
static enum rc control(struct sqlite_conn *c, const char *sql, struct err *err)
{
    struct query q = {.sql = sql, .keep = true, .writing = true};
    struct statement *st = NULL;
    struct statement spare = {0};
    TRY(find(c, &q, &spare, &st, err));
    int code = sqlite3_step(st->handle);
    enum rc rc = code == SQLITE_DONE ? RC_OK : refused(c, code, false, err);
    (void)sqlite3_reset(st->handle); /* repeats the failure of the step, told above */
    if (st == &spare)
        drop_statement(&spare);
    return rc;
}

static void rollback(struct store_conn *base)
{
    struct sqlite_conn *c = of(base);
    struct err ignored = {0};
    /* Some failures have rolled back already. ROLLBACK itself cannot fail in WAL mode: what was
     * written lies behind the last commit mark, where nobody reads. */
    if (!sqlite3_get_autocommit(c->db))
        (void)control(c, "ROLLBACK", &ignored);
    memo_forget_all(base->memo); /* it may hold what was undone, or is not the newest any more */
    ASSERT(sqlite3_get_autocommit(c->db));
}

static enum rc begin_write(struct store_conn *base, struct err *err)
{
    struct sqlite_conn *c = of(base);
    base->failed = RC_OK;
    base->lost = RC_OK;
    return control(c, "BEGIN IMMEDIATE", err);
}

static enum rc commit(struct store_conn *base, struct err *err)
{
    return control(of(base), "COMMIT", err);
}

static enum rc save(struct store_conn *base, struct err *err)
{
    return control(of(base), "SAVEPOINT job", err);
}

static enum rc keep(struct store_conn *base, struct err *err)
{
    return control(of(base), "RELEASE job", err);
}

static enum rc undo(struct store_conn *base, struct err *err)
{
    memo_forget_all(base->memo);
    TRY(control(of(base), "ROLLBACK TO job", err));
    return control(of(base), "RELEASE job", err);
}

static enum rc begin_read(struct store_conn *base, struct err *err)
{
    struct sqlite_conn *c = of(base);
    base->failed = RC_OK;
    base->lost = RC_OK;
    uint64_t commits = store_commits(base->store);
    if (!sqlite3_get_autocommit(c->db) && c->stamp == commits)
        return RC_OK;
    rollback(base);
    c->stamp = commits;
    return control(c, "BEGIN", err);
}

static void end_read(struct store_conn *base)
{
    if (base->failed != RC_OK || base->store->shared)
        rollback(base);
}

/* Pages that the database has, counted with those that are in the log file only; 0: not known. */
static int64_t count_pages(struct sqlite_conn *c)
{
    struct query q = {.sql = "PRAGMA page_count", .keep = true};
    struct statement *st = NULL;
    struct statement spare = {0};
    struct err ignored = {0};
    if (find(c, &q, &spare, &st, &ignored) != RC_OK)
        return 0;
    int64_t pages =
        sqlite3_step(st->handle) == SQLITE_ROW ? sqlite3_column_int64(st->handle, 0) : 0;
    (void)sqlite3_reset(st->handle); /* repeats the failure of the step, seen above */
    if (st == &spare)
        drop_statement(&spare);
    return pages;
}

/* Whether the database can grow by what is in the log file only. A fold that stops half way, on a
 * disk that is nearly full, would eat the space that the next commits need in the log file. */
static bool room_to_fold(struct sqlite_conn *c)
{
    const char *path = sqlite3_db_filename(c->db, "main");
    struct stat file;
    struct statvfs disk;
    if (stat(path, &file) != 0 || statvfs(path, &disk) != 0)
        return true; /* then SQLite says what is wrong */
    int64_t growth = count_pages(c) * SQLITE_FILE_PAGE - file.st_size;
    return growth <= 0 || (uint64_t)growth <= (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* Only from a log file that begins anew are old pages gone; with one reading after the other it
 * would never be, and each page read is looked for in the whole of it. */
static void begin_log_anew(struct sqlite_conn *c)
{
    struct store *s = c->base.store;
    if (pool_hold(s))
        (void)sqlite3_wal_checkpoint_v2(
            c->db, "main", c->full ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, NULL,
            NULL);
    pool_release(s);
}

/* Fold the log file back. That it cannot be done now (a full disk, a reader in the way) harms
 * nobody: all is in the log file, and a later batch tries again. */
static void tidy(struct store_conn *base)
{
    struct sqlite_conn *c = of(base);
    if (c->wal_pages - c->wal_folded < WAL_FOLD_PAGES && !c->full)
        return;
    if (base->store->shared || !room_to_fold(c))
        return;
    pool_drop_snapshots(base->store);
    sqlite3_busy_timeout(c->db, 0);
    (void)sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (c->full || c->wal_pages >= WAL_RESTART_PAGES)
        begin_log_anew(c);
    sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
    c->wal_folded = c->wal_pages;
    c->full = false;
}

/* --- the rest --- */

static enum rc script(struct store_conn *base, const char *sql, struct err *err)
{
    struct sqlite_conn *c = of(base);
    base->wrote = true;
    memo_forget_all(base->memo); /* nobody looked which tables it names */
    int code = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : refused(c, code, true, err);
}

static enum rc fence(struct store_conn *base, bool on, struct err *err)
{
    (void)base;
    (void)on;
    (void)err;
    return RC_OK; /* hanse.lock keeps everybody else out already */
}

const struct engine engine_sqlite = {
    .kind = STORE_SQLITE,
    .has_bare_units = true,
    .start = sqlite_start,
    .stop = sqlite_stop,
    .connect = connect_to,
    .disconnect = disconnect,
    .begin_read = begin_read,
    .end_read = end_read,
    .drop_snapshot = rollback,
    .begin_write = begin_write,
    .commit = commit,
    .rollback = rollback,
    .save = save,
    .keep = keep,
    .undo = undo,
    .query = run_query,
    .script = script,
    .fence = fence,
    .tidy = tidy,
};
