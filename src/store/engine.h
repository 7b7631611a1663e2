/*
 * engine.h - what the two engines do for the store, and what they share. Private to store/.
 *
 * A connection is used by one thread at a time. It remembers two failures. `failed`: a statement
 * of this unit of work was refused, so the unit must not be kept. `lost`: the transaction itself
 * is gone or cannot be committed (disk full, serialisation, connection), so no unit in it is kept.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "store/memo.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STORE_HOOKS_MAX = 8,
    STORE_READERS_MAX = 64,
    STORE_WRITERS_MAX = 16,
    STORE_COLUMNS_MAX = 64,
    STORE_ARGS_MAX = 4000,
    STORE_PATH_MAX = 4096,
    STATEMENTS_MAX = 512, /* prepared and kept, of one connection */
    STATEMENT_WAYS = 4,
};

struct store_conn {
    struct store *store;
    const struct engine *engine;
    enum rc failed;
    enum rc lost;
    bool wrote;               /* a statement of this unit of work may have changed something */
    bool outbox;              /* this transaction put something into the outbox */
    int64_t event_seq;        /* of the last event in this transaction; 0: the store knows */
    struct memo *memo;        /* NULL: the engine cannot tell which tables a statement touches */
    struct memo_tables reads; /* with memo: of the last SELECT */
    bool unknown_outcome;     /* lost while committing: nobody can tell whether it is kept */
    struct store_conn *next;
};

/* Handed each row; cells are valid during the call. */
typedef enum rc (*cells_fn)(void *arg, const struct value *cells, size_t columns, struct err *err);

struct query {
    const char *sql; /* NUL-terminated */
    bool keep;       /* a constant: keep the prepared statement under its address */
    bool walk;       /* other SQL may run between the rows */
    bool writing;    /* may change the store */
    const struct value *args;
    size_t count;
    int64_t *ret_changed; /* or NULL */
    cells_fn row;         /* or NULL: rows do not matter */
    void *row_arg;
};

/* All functions set *err where they fail; begin_write and begin_read clear failed and lost. */
struct engine {
    enum store_engine kind;
    /* A unit of work that wrote nothing (wrote) needs no savepoint to be left out when it fails.
     * Not where a failed statement, were it only a SELECT, gives up the whole transaction. */
    bool has_bare_units;
    /* Once per store: check that it can be used by this process; and let it go. */
    enum rc (*start)(struct store *s, struct err *err);
    void (*stop)(struct store *s);

    enum rc (*connect)(struct store *s, bool writing, struct store_conn **ret, struct err *err);
    void (*disconnect)(struct store_conn *c);

    enum rc (*begin_read)(struct store_conn *c, struct err *err);
    void (*end_read)(struct store_conn *c);
    /* Let go of a snapshot that end_read kept for the next reader. */
    void (*drop_snapshot)(struct store_conn *c);

    enum rc (*begin_write)(struct store_conn *c, struct err *err);
    enum rc (*commit)(struct store_conn *c, struct err *err);
    void (*rollback)(struct store_conn *c);
    /* A unit of work within the transaction: begun, then kept or undone. */
    enum rc (*save)(struct store_conn *c, struct err *err);
    enum rc (*keep)(struct store_conn *c, struct err *err);
    enum rc (*undo)(struct store_conn *c, struct err *err);

    enum rc (*query)(struct store_conn *c, const struct query *q, struct err *err);
    /* q, an INSERT, for `rows` times q->count values; or NULL: it is run for each. */
    enum rc (*insert)(struct store_conn *c, const struct query *q, size_t rows, struct err *err);
    /* Statements without parameters, separated by semicolons, inside a transaction. */
    enum rc (*script)(struct store_conn *c, const char *sql, struct err *err);
    /* Keep other processes out (or in again) while the schema changes. Outside a transaction. */
    enum rc (*fence)(struct store_conn *c, bool on, struct err *err);
    /* Housekeeping of a writer between two batches, after its callers were told. */
    void (*tidy)(struct store_conn *c);
};

extern const struct engine engine_sqlite;
extern const struct engine engine_postgres;

/* --- the store --- */

struct hook {
    void (*fn)(void *arg);
    void *arg;
};

struct writer {
    struct store *store;
    struct store_conn *conn;
    struct id_source ids;
    struct store_job **jobs; /* of the batch in hand, batch_max */
    struct arena arena;      /* of the participants, for one batch */
    size_t careful;          /* batches to come in which every unit gets its savepoint */
    pthread_t thread;
    bool started;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct store_job *first;
    struct store_job *last;
    struct store_job *refused; /* came while the queue was full */
    size_t waiting;
    bool closing;
    bool alone; /* only the first writer goes on: the store has participants */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct store_conn *idle; /* latest used first */
    size_t open;
    size_t reading; /* of the open ones: not idle */
    bool held;      /* no reading begins */
    pthread_cond_t still;
};

struct store {
    const struct engine *engine;
    struct clock *clock;
    const struct log *log;
    char *url;                  /* a secret: may hold a password */
    char *describe;             /* without the password */
    char *folder;               /* SQLite: NULL in memory */
    int lock_fd;                /* SQLite: hanse.lock, or -1 */
    struct sqlite_files *files; /* SQLite on a disk: the writer's way to them, else NULL */
    bool sole;       /* PostgreSQL: its one writer holds a lock for as long as it is connected */
    bool shared;     /* one connection for all, under the pool's lock (SQLite in memory) */
    bool unthreaded; /* units of work run where they are asked for */
    bool running;    /* unthreaded: one runs */
    size_t readers_max;
    size_t batch_max;

    struct pool pool;
    struct queue queue;
    struct writer writers[STORE_WRITERS_MAX];
    size_t writers_count;

    struct store_participant participants[STORE_PARTICIPANTS_MAX];
    size_t participants_count;
    struct hook hooks[STORE_HOOKS_MAX];
    size_t hooks_count;
    pthread_mutex_t hooks_lock;
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t batched;
    atomic_uint_fast64_t rolled_back;
    atomic_uint_fast64_t retries;
    atomic_uint_fast64_t spoiled; /* batches that ran twice, as a unit of theirs failed half way */
    atomic_uint_fast64_t reads;
    atomic_uint_fast64_t outbox_commits; /* commits with rows for the outbox */
};

/* Split a store URL. RC_INVALID: neither kind; the text never shows what may be a password. */
MUST_CHECK enum rc store_url_engine(struct str url, const struct engine **ret, struct err *err);
/* The folder of "sqlite:FOLDER"; empty where it is ":memory:". */
struct str store_url_folder(struct str url);

/* malloc'ed copies that stop the process where memory is out. */
char *store_copy(struct str s);
void *store_alloc(size_t count, size_t size);

/* --- batches (batch.c) --- */

void batch_start(struct store *s);
void batch_stop(struct store *s);
/* End all writers but the first. */
void batch_alone(struct store *s);
/* Whether the calling thread is one of the store's. */
bool batch_on_thread(const struct store *s);
/* Let go of the snapshots that idle readers keep, so that the log file can begin anew. */
void pool_drop_snapshots(struct store *s);
/* Let no reading begin, and wait for those that run, for POOL_HOLD_MS at most: whether nobody reads
 * now. pool_release() is to follow, whatever the answer. */
bool pool_hold(struct store *s);
void pool_release(struct store *s);

/* --- prepared statements, found by the address of their SQL --- */

struct statement {
    const char *key; /* NULL: free */
    void *handle;    /* the engine's */
    uint16_t params;
    uint16_t *order; /* order[i]: number of the parameter at place i; NULL where in order */
    bool busy;       /* its rows are being walked */
    struct memo_tables reads; /* where the connection has a memo */
    struct memo_tables writes;
};

struct statements {
    struct statement slots[STATEMENTS_MAX / STATEMENT_WAYS][STATEMENT_WAYS];
    unsigned next_way;
};

/* The slot for key: the one that has it (slot->key == key), else one to fill, whose old content
 * the caller drops first; NULL where all are busy. */
struct statement *statements_slot(struct statements *all, const char *key);

#endif
