/*
 * bench_store.c - the store beside its peers, each pair in turns in one run:
 *
 *  - a batch of rows through store/ and through the raw SQLite C API, same pragmas, same statement;
 *  - durable writes of 64 callers with group commit, and with one commit for each, on one folder;
 *  - the same with an event each in the outbox, and the relay beside it;
 *  - reads of one row, by one thread and by four.
 *
 * Times are of the machine's disk: set TMPDIR to the disk that is meant.
 */
#include "store/outbox.h"
#include "store/store.h"

#include "store/store_fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum {
    ROWS = 200000,
    ROWS_IN_TX = 10000,
    INSERT_ROUNDS = 4,
    ROUNDS = 3,
    CALLERS = 64,
    READERS = 4
};
enum { INSERT_PERCENT_WANTED = 85, GROUP_RATIO_WANTED = 15 };

#define RUN_US (1500 * US_PER_MS)

static const char create_sql[] =
    "CREATE TABLE line (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT "
    "NULL, amount BIGINT NOT NULL, at BIGINT NOT NULL)";
static const char index_sql[] = "CREATE INDEX line_by_account ON line (account, at)";
static const char insert_sql[] =
    "INSERT INTO line (id, account, amount, at) VALUES ($1, $2, $3, $4)";

static void must(enum rc rc, const struct err *err)
{
    if (rc != RC_OK)
        fprintf(stderr, "bench_store: %s\n", err->text);
    ASSERT(rc == RC_OK);
}

static double seconds_since(time_us began)
{
    return (double)(clock_steady(clock_system()) - began) / (double)US_PER_SECOND;
}

/* The same row for both: ids ascend, accounts scatter. */
struct line {
    char id[40];
    char account[40];
};

static struct line make_line(int64_t i)
{
    struct line l;
    (void)snprintf(l.id, sizeof l.id, "lin_%026lld", (long long)i);
    (void)snprintf(l.account, sizeof l.account, "acc_%026lld", (long long)(i * 7919 % 10007));
    return l;
}

/* --- a batch of rows --- */

static enum rc make_table(struct tx *tx, void *arg)
{
    (void)arg;
    TRY(sql_run(tx, "DROP TABLE IF EXISTS line"));
    TRY(sql_run(tx, create_sql));
    return sql_run(tx, index_sql);
}

static enum rc insert_lines(struct tx *tx, void *arg)
{
    int64_t from = *(int64_t *)arg;
    for (int64_t i = from; i < from + ROWS_IN_TX; i++) {
        struct line l = make_line(i);
        TRY(sql_run(tx, insert_sql, V(l.id), V(l.account), V(i), V(i)));
    }
    return RC_OK;
}

/* What it took: of the clock, and of the processors. The disk's part is the same for both, but what
 * else the machine does is not, so the verdict is on the processors' time. */
struct cost {
    double wall_s;
    double cpu_s;
};

static double cpu_seconds(void)
{
    struct rusage r;
    int failed = getrusage(RUSAGE_SELF, &r);
    ASSERT(failed == 0);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / (double)US_PER_SECOND;
}

static void keep_best(struct cost *best, time_us began, double cpu_began)
{
    double wall_s = seconds_since(began);
    double cpu_s = cpu_seconds() - cpu_began;
    if (best->wall_s == 0 || wall_s < best->wall_s)
        best->wall_s = wall_s;
    if (best->cpu_s == 0 || cpu_s < best->cpu_s)
        best->cpu_s = cpu_s;
}

static void insert_by_store(struct fixture *f, struct cost *best)
{
    must(fixture_write(f, make_table, NULL), &f->err);
    double cpu_began = cpu_seconds();
    time_us began = clock_steady(clock_system());
    for (int64_t i = 0; i < ROWS; i += ROWS_IN_TX)
        must(fixture_write(f, insert_lines, &i), &f->err);
    keep_best(best, began, cpu_began);
}

static void run_raw(sqlite3 *db, const char *sql)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ASSERT(code == SQLITE_OK);
}

static void insert_raw_tx(sqlite3 *db, sqlite3_stmt *stmt, int64_t from)
{
    run_raw(db, "BEGIN IMMEDIATE");
    for (int64_t i = from; i < from + ROWS_IN_TX; i++) {
        struct line l = make_line(i);
        sqlite3_bind_text(stmt, 1, l.id, (int)strlen(l.id), SQLITE_STATIC);
        sqlite3_bind_text(stmt, 2, l.account, (int)strlen(l.account), SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 3, i);
        sqlite3_bind_int64(stmt, 4, i);
        int code = sqlite3_step(stmt);
        ASSERT(code == SQLITE_DONE);
        sqlite3_reset(stmt);
    }
    run_raw(db, "COMMIT");
}

static void insert_raw(const char *path, struct cost *best)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_open_v2(
        path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    ASSERT(code == SQLITE_OK);
    run_raw(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                "PRAGMA mmap_size = 268435456; PRAGMA cache_size = -16000;"
                "DROP TABLE IF EXISTS line");
    run_raw(db, create_sql);
    run_raw(db, index_sql);
    code = sqlite3_prepare_v2(db, insert_sql, -1, &stmt, NULL);
    ASSERT(code == SQLITE_OK);
    double cpu_began = cpu_seconds();
    time_us began = clock_steady(clock_system());
    for (int64_t i = 0; i < ROWS; i += ROWS_IN_TX)
        insert_raw_tx(db, stmt, i);
    keep_best(best, began, cpu_began);
    sqlite3_finalize(stmt);
    code = sqlite3_close(db);
    ASSERT(code == SQLITE_OK);
}

static bool compare_inserts(void)
{
    struct fixture f;
    struct fixture raw;
    char path[512];
    fixture_open(&f);
    fixture_init(&raw);
    (void)snprintf(path, sizeof path, "%s/raw.db", raw.folder);
    struct cost ours = {0};
    struct cost theirs = {0};
    for (int i = 0; i < INSERT_ROUNDS; i++) {
        if (i % 2 == 0) /* who comes second finds the disk busy with the first one's */
            insert_by_store(&f, &ours);
        insert_raw(path, &theirs);
        if (i % 2 == 1)
            insert_by_store(&f, &ours);
    }
    fixture_close(&f);
    fixture_close(&raw);
    double percent = 100 * theirs.cpu_s / ours.cpu_s;
    printf("store insert: %.2f us of processor a row, raw SQLite: %.2f, %.0f %% of its speed (want "
           ">= %d %%); by the clock %.0f and %.0f rows/s\n",
           ours.cpu_s / ROWS * 1e6, theirs.cpu_s / ROWS * 1e6, percent, INSERT_PERCENT_WANTED,
           ROWS / ours.wall_s, ROWS / theirs.wall_s);
    return percent >= INSERT_PERCENT_WANTED;
}

/* --- durable writes of many callers --- */

struct caller {
    struct store *store;
    atomic_bool *stop;
    tx_fn work;
    int64_t done;
    pthread_t thread;
};

static enum rc insert_one(struct tx *tx, void *arg)
{
    const int64_t *number = arg;
    struct str id = id_new(tx->ids, tx->arena, "lin");
    return sql_run(tx, insert_sql, V(id), V(STR("acc_1")), V(*number), V(tx->now));
}

static void *write_until_stopped(void *arg)
{
    struct caller *c = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    while (!atomic_load(c->stop)) {
        struct err err = {0};
        arena_reset(&arena);
        must(store_write(c->store, &arena, &err, c->work, &c->done), &err);
        c->done++;
    }
    arena_fini(&arena);
    return NULL;
}

static double run_callers(struct fixture *f, int count, void *(*fn)(void *arg), tx_fn work)
{
    struct caller callers[CALLERS];
    atomic_bool stop = false;
    time_us began = clock_steady(clock_system());
    for (int i = 0; i < count; i++) {
        callers[i] = (struct caller){.store = f->store, .stop = &stop, .work = work};
        int failed = pthread_create(&callers[i].thread, NULL, fn, &callers[i]);
        ASSERT(failed == 0);
    }
    struct timespec ts = {.tv_sec = RUN_US / US_PER_SECOND,
                          .tv_nsec = RUN_US % US_PER_SECOND * 1000};
    (void)nanosleep(&ts, NULL);
    atomic_store(&stop, true);
    int64_t done = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(callers[i].thread, NULL);
        done += callers[i].done;
    }
    return (double)done / seconds_since(began);
}

static double write_rate(struct fixture *f, size_t batch_max, double *ret_batch)
{
    fixture_open_with(f, (struct store_options){.batch_max = batch_max});
    must(fixture_write(f, make_table, NULL), &f->err);
    double rate = run_callers(f, CALLERS, write_until_stopped, insert_one);
    struct store_counters c = store_counters(f->store);
    *ret_batch = (double)c.batched / (double)c.commits;
    store_close(f->store);
    f->store = NULL;
    return rate;
}

static bool compare_commits(void)
{
    struct fixture f;
    fixture_init(&f);
    double grouped = 0;
    double single = 0;
    double batch = 0;
    double ignored = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double rate = write_rate(&f, 0, &batch);
        grouped = rate > grouped ? rate : grouped;
        rate = write_rate(&f, 1, &ignored);
        single = rate > single ? rate : single;
    }
    fixture_close(&f);
    double ratio = grouped / single;
    printf(
        "store commit, %d callers: %.0f/s in groups of %.0f, %.0f/s one by one, ratio %.1f (want "
        ">= %d)\n",
        CALLERS, grouped, batch, single, ratio, GROUP_RATIO_WANTED);
    return ratio >= GROUP_RATIO_WANTED;
}

/* --- durable writes that tell of themselves --- */

static enum rc insert_and_tell(struct tx *tx, void *arg)
{
    TRY(insert_one(tx, arg));
    return outbox_put(tx, "event.line.added", STR("pty_1"), STR("{\"line\":\"lin_1\"}"));
}

static void measure_events(void)
{
    struct fixture f;
    fixture_open(&f);
    must(fixture_write(&f, make_table, NULL), &f.err);
    struct outbox *o = outbox_open(f.store, clock_system(), NULL);
    double rate = run_callers(&f, CALLERS, write_until_stopped, insert_and_tell);
    time_us began = clock_steady(clock_system());
    must(outbox_run_once(o, &f.err), &f.err);
    double rest_ms = 1000 * seconds_since(began);
    ASSERT(outbox_counters(o).waiting == 0);
    outbox_close(o);
    fixture_close(&f);
    printf(
        "store commit with an event each, relay beside it: %.0f/s, the rest relayed in %.1f ms\n",
        rate, rest_ms);
}

/* --- reads --- */

static enum rc read_one(struct tx *tx, void *arg)
{
    struct line l = make_line(*(int64_t *)arg);
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT id, account, amount, at FROM line WHERE id = $1", V(l.id)));
    ASSERT(r.count == 1);
    return RC_OK;
}

static void *read_until_stopped(void *arg)
{
    struct caller *c = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    while (!atomic_load(c->stop)) {
        int64_t i = c->done * 7919 % ROWS_IN_TX;
        struct err err = {0};
        arena_reset(&arena);
        must(store_read(c->store, &arena, &err, c->work, &i), &err);
        c->done++;
    }
    arena_fini(&arena);
    return NULL;
}

static void measure_reads(void)
{
    struct fixture f;
    fixture_open(&f);
    must(fixture_write(&f, make_table, NULL), &f.err);
    int64_t from = 0;
    must(fixture_write(&f, insert_lines, &from), &f.err);
    double one = run_callers(&f, 1, read_until_stopped, read_one);
    double four = run_callers(&f, READERS, read_until_stopped, read_one);
    fixture_close(&f);
    printf("store read of one row: %.0f/s by one thread, %.0f/s by %d\n", one, four, READERS);
}

int main(void)
{
    bool inserts = compare_inserts();
    bool commits = compare_commits();
    measure_events();
    measure_reads();
    return inserts && commits ? EXIT_SUCCESS : EXIT_FAILURE;
}
