/*
 * store.h - the one place where things are kept: one thin SQL layer over SQLite and PostgreSQL.
 *
 * A unit of work is a struct tx: one database transaction, one instant, one arena, one error. It
 * fails or is repeated without leaving anything behind; errors just return (TRY).
 *
 *     static enum rc widget_add(struct tx *tx, void *arg) { ... sql_run(tx, "INSERT ...", V(x)) }
 *     TRY(store_write(store, &arena, &err, widget_add, &args));   // durable when it returns RC_OK
 *
 * Writes of many callers are committed together (group commit) in one transaction; one caller's
 * failure undoes that caller's work alone; the commit is made durable; then every caller is told.
 * A tx function may run more than once (serialisation failures, a neighbour in the batch that
 * failed half way): it changes nothing but the store, its arena and its own arg, and sets its
 * results anew each time.
 *
 * Reads see a snapshot that holds at least all that was acknowledged before the read began.
 *
 * SQLite: WAL, synchronous=FULL, one writing thread, readers beside it; one process at a time (a
 * second is refused). PostgreSQL: SERIALIZABLE, retried; many processes.
 *
 * SQL is written once for both: BIGINT, TEXT and BYTEA columns, $1 parameters, no defaults, no
 * sequences, ORDER BY on every list, ON CONFLICT for duplicates that are expected. Do not catch an
 * SQL error inside a tx: PostgreSQL has given the transaction up already.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/log.h"

enum {
    STORE_TX_ARENA_BYTES = 64 * 1024 * 1024, /* a good limit for the arena of one unit of work */
    STORE_BATCH_MAX = 512,                   /* callers in one commit */
    STORE_QUEUE_MAX = 20000,                 /* callers that wait; more get RC_UNAVAILABLE */
    STORE_RETRIES_MAX = 10,
    STORE_ROWS_MAX = 100000, /* of one sql_rows; use sql_each for more */
};

struct store;
struct store_conn;

enum store_engine { STORE_SQLITE, STORE_POSTGRES };

struct store_options {
    /* "sqlite:/var/lib/hanse" (a folder, made where missing; the file in it is hanse.db),
     * "sqlite::memory:" (tests: one connection, gone at close), or a libpq URL
     * "postgresql://...". A password in the URL is never logged. */
    struct str url;
    struct clock *clock;
    const struct log *log; /* NULL: silent */
    size_t readers_max;    /* connections for reading, 1..64; 0: 4 */
    size_t writers;        /* batching threads; SQLite always has 1; PostgreSQL 0: 2 */
    size_t batch_max;      /* callers in one commit, 0: STORE_BATCH_MAX; 1 turns grouping off */
    bool no_migrate;       /* open as it is: RC_CONFLICT where migrations are missing */
    /* No other process may write, as this one knows by heart what is stored (the pico engine).
     * PostgreSQL: one writer; opening waits for up to half a minute for the end of another, also of
     * one that was killed in the middle of a commit, and is RC_CONFLICT then. SQLite always has one
     * process. */
    bool sole;
    /* No thread of its own writes: each unit of work runs and is committed on the thread that asks,
     * which is one and always the same. For simulations, whose one thread would do nothing else
     * than wait. */
    bool unthreaded;
};

/* Open, check, migrate. RC_CONFLICT: another process has it ("the store in ... is in use by
 * process 123"), or it was written by a newer Hanse. RC_INVALID: bad URL, or the file is corrupt or
 * no Hanse store; the text says what to do. RC_UNAVAILABLE: PostgreSQL does not answer. RC_FULL. */
MUST_CHECK enum rc store_open(struct store **ret, const struct store_options *options,
                              struct err *err);
/* Commits what is queued, then ends. NULL is fine. */
void store_close(struct store *s);

enum store_engine store_engine(const struct store *s);
/* Without password: for logs and `hanse status`. */
struct str store_describe(const struct store *s);
/* Number of commits that this process has seen become durable; it grows before their callers are
 * told. What streams wait on. */
uint64_t store_commits(const struct store *s);
/* Called on a store thread after each durable commit; must be quick and must not use the store.
 * At most 8 hooks; add them before the first write. */
void store_on_commit(struct store *s, void (*hook)(void *arg), void *arg);
/* Take it back; when this returns, the hook is not running and will not run. */
void store_off_commit(struct store *s, void (*hook)(void *arg), void *arg);

struct tx;

/*
 * A room that keeps state in memory beside the store (the ledger, the pico engine) takes part in
 * every write transaction, so that its memory and the store cannot disagree. All calls come on
 * the one writing thread (a store with participants has one, also on PostgreSQL), in this order:
 *
 *     begin, then keep or undo for each unit of work, then before_commit where a unit is kept,
 *     then committed or rolled_back, exactly one of them after every begin.
 */
struct store_participant {
    /* A write transaction has begun: catch up with what other processes committed (PostgreSQL).
     * Anything but RC_OK fails the batch, and nothing more is told; RC_RETRY repeats it. */
    enum rc (*begin)(void *arg, struct tx *tx);
    /* The unit of work in hand is kept (so far), or was undone: forget what it did. */
    void (*keep)(void *arg);
    void (*undo)(void *arg);
    /* All units are through: write what gathered. RC_RETRY repeats the whole batch; on another
     * failure each unit of work is run again alone. */
    enum rc (*before_commit)(void *arg, struct tx *tx);
    /* It is durable, before any caller is told; or nothing of it is, or (a connection that broke
     * during the commit) nobody knows: then the next begin finds out. */
    void (*committed)(void *arg);
    void (*rolled_back)(void *arg);
    void *arg;
};
/* Before the first write, not from a store thread. At most STORE_PARTICIPANTS_MAX; all functions
 * are given. */
enum { STORE_PARTICIPANTS_MAX = 4 };
void store_take_part(struct store *s, const struct store_participant *p);

struct store_counters {
    /* spoiled: batches that ran twice, for a unit that failed half way; queue: waiting now. */
    uint64_t commits, batched, rolled_back, retries, spoiled, reads, queue;
};
struct store_counters store_counters(struct store *s);

/* --- a unit of work --- */

struct tx {
    struct store_conn *conn;
    struct arena *arena;
    struct err *err;
    struct id_source *ids; /* NULL where the tx may only read */
    time_us now;           /* the one instant of this unit of work; ask no clock */
    bool writing;          /* false: the tx may only read */
};

typedef enum rc (*tx_fn)(struct tx *tx, void *arg);

/* Run fn with a snapshot. The arena and the error are the caller's. Returns what fn returns, or
 * RC_UNAVAILABLE, RC_FULL, RC_INTERNAL from the engine. Safe from any thread. With SQLite it never
 * waits for a disk commit; where reading follows on reading without a gap it begins up to 200 ms
 * late, once in 16 MB written, so that the log file can begin anew. With PostgreSQL it waits for
 * the network. */
MUST_CHECK enum rc store_read(struct store *s, struct arena *arena, struct err *err, tx_fn fn,
                              void *arg);

/* Run fn in a batch and wait until its commit is durable. Not from a tx and not from a store
 * thread. RC_OK: durable. Anything else: nothing of it is kept; but where the wire to PostgreSQL
 * broke during the commit, RC_UNAVAILABLE says that nobody knows ("... is not known. look before
 * you repeat it"): so give every fact a unique reference.
 * RC_FULL: the disk is full; later calls succeed as soon as there is space. RC_UNAVAILABLE: no
 * answer from the server, too many callers, or too many conflicts. RC_INTERNAL: a statement failed
 * and fn hid it, or the engine broke. What fn returned otherwise. */
MUST_CHECK enum rc store_write(struct store *s, struct arena *arena, struct err *err, tx_fn fn,
                               void *arg);

/* The same without waiting: done is called on a store thread, exactly once, after the commit is
 * durable or has failed. It must be quick. The job is the caller's until then. */
struct store_job {
    tx_fn fn;
    void *arg;
    struct arena *arena;
    struct err *err;
    void (*done)(struct store_job *job, enum rc rc);
    struct store_job *next; /* the store's while queued */
    enum rc rc;             /* the store's */
};
void store_submit(struct store *s, struct store_job *job);

/* --- SQL --- */

struct value {
    enum { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BYTES } type;
    int64_t number;
    struct str text; /* of VALUE_TEXT and VALUE_BYTES */
};

static inline struct value value_int(int64_t number)
{
    return (struct value){.type = VALUE_INT, .number = number};
}
static inline struct value value_str(struct str text)
{
    return (struct value){.type = VALUE_TEXT, .text = text};
}
static inline struct value value_cstr(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = str_c(text)};
}
/* Bytes of any value, for a column of type BYTEA (both engines). */
static inline struct value value_bytes(struct str bytes)
{
    return (struct value){.type = VALUE_BYTES, .text = bytes};
}
static inline struct value value_self(struct value v)
{
    return v;
}
/* Text that is NULL where empty. */
static inline struct value value_opt(struct str text)
{
    return text.n ? value_str(text) : (struct value){.type = VALUE_NULL};
}
/* Any argument of SQL: integers, bool, struct str, C strings, struct value. Never a double. */
#define V(x) \
    _Generic((x),                                                                                  \
        struct str: value_str,                                                                     \
        struct value: value_self,                                                                  \
        char *: value_cstr,                                                                        \
        const char *: value_cstr,                                                                  \
        default: value_int)(x)
#define SQL_NULL ((struct value){.type = VALUE_NULL})

/* For "... WHERE id IN (" SQL_KEYS ")": one statement for many keys, always as many, that it is
 * prepared once. Keys that are left over are SQL_NULL, which equals nothing; other parameters
 * follow from $65 on. */
#define SQL_KEYS                                                                       \
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "          \
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, " \
    "$33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, " \
    "$49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64"
enum { SQL_KEYS_MAX = 64 };

/* Rows copied into the tx's arena. */
struct rows {
    size_t count;
    size_t columns;
    const struct value *cells; /* count * columns, row by row */
};

/* Run a statement that returns no rows (or whose rows do not matter). sql is a string constant:
 * the prepared statement is found again by its address. RC_OK, or RC_CONFLICT where a UNIQUE or
 * CHECK rule refuses it (then the tx is lost: return), RC_FULL, RC_RETRY (passed up, the store
 * repeats), RC_INTERNAL for SQL that is wrong (a mistake of ours). */
#define sql_run(tx, sql, ...) sql_run_n((tx), NULL, (sql), VALUES(__VA_ARGS__))
/* As sql_run, and says how many rows were inserted, changed or deleted. */
#define sql_change(tx, ret_changed, sql, ...) \
    sql_run_n((tx), (ret_changed), (sql), VALUES(__VA_ARGS__))
/* All rows, at most STORE_ROWS_MAX (more is a mistake: put a LIMIT). */
/* As sql_rows, for a SELECT that many requests repeat while what it reads rarely changes: where the
 * connection can, it answers from memory for as long as the tables were not written to. No argument
 * may differ each time, as the time does. */
#define sql_kept(tx, ret, sql, ...) sql_kept_n((tx), (ret), (sql), VALUES(__VA_ARGS__))
#define sql_rows(tx, ret, sql, ...) sql_rows_n((tx), (ret), (sql), VALUES(__VA_ARGS__))
/* Each row as it comes, without keeping it: cells are valid during the call only. fn returns RC_OK
 * to go on. fn may run other SQL of the tx, but must not change the rows it walks. */
#define sql_each(tx, fn, arg, sql, ...) sql_each_n((tx), (fn), (arg), (sql), VALUES(__VA_ARGS__))

typedef enum rc (*row_fn)(struct tx *tx, const struct value *cells, size_t columns, void *arg);

/* (values, count) from any number of V(...), also none. */
#define VALUES(...)                                                           \
    (const struct value[]){SQL_NULL __VA_OPT__(, ) __VA_ARGS__} + 1,          \
        sizeof((const struct value[]){SQL_NULL __VA_OPT__(, ) __VA_ARGS__}) / \
                sizeof(struct value) -                                        \
            1

/* Many rows by one "INSERT INTO table (a, b) VALUES ($1, $2)": count times `columns` values, row by
 * row. PostgreSQL takes them in one stream (COPY), so nothing may stand behind the VALUES. What
 * sql_run returns. */
MUST_CHECK enum rc sql_insert(struct tx *tx, const char *sql, const struct value *rows,
                              size_t columns, size_t count);

MUST_CHECK enum rc sql_run_n(struct tx *tx, int64_t *ret_changed, const char *sql,
                             const struct value *args, size_t count);
MUST_CHECK enum rc sql_kept_n(struct tx *tx, struct rows *ret, const char *sql,
                              const struct value *args, size_t count);
MUST_CHECK enum rc sql_rows_n(struct tx *tx, struct rows *ret, const char *sql,
                              const struct value *args, size_t count);
MUST_CHECK enum rc sql_each_n(struct tx *tx, row_fn fn, void *arg, const char *sql,
                              const struct value *args, size_t count);
/* As the three above for SQL that is put together at run time, in the arena (filters and sorts
 * from tables, never from outside text): prepared for this call only. */
MUST_CHECK enum rc sql_rows_text(struct tx *tx, struct rows *ret, struct str sql,
                                 const struct value *args, size_t count);

/* A cell. NULL reads as 0 or as the empty text. A cell read as what it is not (text as int, bytes
 * as text) is a mistake of ours. */
const struct value *row_cell(const struct rows *r, size_t row, size_t column);
int64_t row_int(const struct rows *r, size_t row, size_t column);
struct str row_str(const struct rows *r, size_t row, size_t column);
struct str row_bytes(const struct rows *r, size_t row, size_t column);
bool row_null(const struct rows *r, size_t row, size_t column);

/* --- keeping it --- */

/* Copy a store to a file while it may be in use. SQLite: a complete database file, written beside
 * and renamed. PostgreSQL: pg_dump's custom format (pg_dump must be installed). RC_CONFLICT where
 * the file exists. Runs without store_open: from another process than hansed. */
MUST_CHECK enum rc store_backup(struct str url, const char *file, struct err *err);
/* Put a backup in the place of a store. RC_CONFLICT on a store that is live or (unless replace)
 * not empty; RC_INVALID where the file is no whole backup of Hanse. The store is as before on any
 * failure. */
MUST_CHECK enum rc store_restore(struct str url, const char *file, bool replace, struct err *err);
/* Read every page and every index; RC_INVALID tells the first damage found. */
MUST_CHECK enum rc store_verify(struct str url, struct err *err);
/* The schema as text, the same for both engines: what the golden file holds. */
MUST_CHECK enum rc store_schema(struct tx *tx, struct str *ret);

#endif
