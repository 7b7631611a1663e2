/*
 * spool.c - two tables. Not the house's store: the agent shares a machine with its guests, and one
 * connection without threads is a tenth of the memory.
 */
#include "node/spool.h"

#include <pthread.h>
#include <sqlite3.h>

enum { VERSION = 1, BUSY_MS = 5000, TEXT_COLUMNS = 3 };

struct spool {
    sqlite3 *db;
    pthread_mutex_t lock;
    bool empty; /* no record waits: after most reports there is nothing to ask the file for */
};

/* counter: the last ones seen, with the process that they are of. record: use that is not taken
 * yet. AUTOINCREMENT: a number is not used again when its row is gone. */
static const char schema[] =
    "BEGIN;"
    "CREATE TABLE counter (service TEXT NOT NULL PRIMARY KEY, subscription TEXT NOT NULL,"
    " process TEXT NOT NULL, at BIGINT NOT NULL, cpu_us BIGINT NOT NULL,"
    " received_bytes BIGINT NOT NULL, sent_bytes BIGINT NOT NULL, read_bytes BIGINT NOT NULL,"
    " written_bytes BIGINT NOT NULL);"
    "CREATE TABLE record (number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL,"
    " subscription TEXT NOT NULL, t0 BIGINT NOT NULL, t1 BIGINT NOT NULL, cpu_us BIGINT NOT NULL,"
    " memory_bytes BIGINT NOT NULL, disk_bytes BIGINT NOT NULL, received_bytes BIGINT NOT NULL,"
    " sent_bytes BIGINT NOT NULL, read_bytes BIGINT NOT NULL, written_bytes BIGINT NOT NULL);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* Came later than version 1, beside what that has: an older agent does not see it. */
static const char schema_seen[] =
    "CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL,"
    " text TEXT NOT NULL, at BIGINT NOT NULL, outcome BIGINT NOT NULL, connect_us BIGINT NOT NULL,"
    " total_us BIGINT NOT NULL, days BIGINT NOT NULL);";

static enum rc failed(struct spool *s, struct err *err)
{
    int code = s->db != NULL ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
    enum rc rc = RC_UNAVAILABLE;
    if (code == SQLITE_FULL)
        rc = RC_FULL;
    else if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        rc = RC_INVALID;
    return err_set(err, rc, "the spool of usage: %s",
                   s->db != NULL ? sqlite3_errmsg(s->db) : "no memory");
}

static enum rc run(struct spool *s, const char *sql, struct err *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : failed(s, err);
}

/* What ?1, ?2, ... stand for: the texts, then the numbers. */
struct binding {
    const struct str *texts;
    size_t text_count;
    const int64_t *numbers;
    size_t number_count;
};

/* Prepare and bind; the texts live until the statement is done. */
static enum rc prepare(struct spool *s, const char *sql, struct binding b, sqlite3_stmt **ret,
                       struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
        return failed(s, err);
    int at = 1;
    for (size_t i = 0; i < b.text_count; i++)
        sqlite3_bind_text(q, at++, b.texts[i].n > 0 ? b.texts[i].p : "", (int)b.texts[i].n,
                          SQLITE_STATIC);
    for (size_t i = 0; i < b.number_count; i++)
        sqlite3_bind_int64(q, at++, b.numbers[i]);
    *ret = q;
    return RC_OK;
}

static enum rc change(struct spool *s, const char *sql, struct binding b, struct err *err)
{
    sqlite3_stmt *q = NULL;
    TRY(prepare(s, sql, b, &q, err));
    int code = sqlite3_step(q);
    enum rc rc = code == SQLITE_DONE ? RC_OK : failed(s, err);
    sqlite3_finalize(q);
    return rc;
}

static enum rc make_tables(struct spool *s, struct err *err)
{
    sqlite3_stmt *q = NULL;
    TRY(run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -256;",
            err));
    TRY(prepare(s, "PRAGMA user_version", (struct binding){0}, &q, err));
    int64_t version = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -1;
    sqlite3_finalize(q);
    if (version == 0)
        TRY(run(s, schema, err));
    else if (version != VERSION)
        return err_set(err, RC_INVALID, "the spool of usage was written by another Hanse");
    return run(s, schema_seen, err);
}

enum rc spool_open(const char *path, struct spool **ret, struct err *err)
{
    struct spool *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    enum rc rc = RC_OK;
    if (sqlite3_open_v2(path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        rc = failed(s, err);
    else
        (void)sqlite3_busy_timeout(s->db, BUSY_MS); /* cannot fail */
    if (rc == RC_OK)
        rc = make_tables(s, err);
    if (rc != RC_OK) {
        spool_close(s);
        return rc;
    }
    *ret = s;
    return RC_OK;
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* --- adding --- */

struct counters {
    bool found;
    bool same; /* of the process that is sampled now */
    char subscription[ID_TEXT_MAX + 1];
    time_us at;
    int64_t cpu_us, received, sent, read, written;
};

static enum rc last_counters(struct spool *s, const struct spool_sample *p, struct counters *ret,
                             struct err *err)
{
    sqlite3_stmt *q = NULL;
    struct counters last = {0};
    TRY(prepare(s,
                "SELECT process, at, cpu_us, received_bytes, sent_bytes, read_bytes, "
                "written_bytes, subscription FROM counter WHERE service = ?1",
                (struct binding){.texts = &p->service, .text_count = 1}, &q, err));
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW) {
        struct str process =
            str_n((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0));
        time_us at = sqlite3_column_int64(q, 1);
        /* A service that was removed and came back counts its processes anew: the first of them is
         * not the first that was sampled before it started. */
        last = (struct counters){.found = true,
                                 .same = str_eq(process, p->stats->process) && p->started <= at,
                                 .at = at,
                                 .cpu_us = sqlite3_column_int64(q, 2),
                                 .received = sqlite3_column_int64(q, 3),
                                 .sent = sqlite3_column_int64(q, 4),
                                 .read = sqlite3_column_int64(q, 5),
                                 .written = sqlite3_column_int64(q, 6)};
        (void)snprintf(last.subscription, sizeof last.subscription, "%s",
                       (const char *)sqlite3_column_text(q, 7));
    }
    enum rc rc = code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : failed(s, err);
    sqlite3_finalize(q);
    *ret = last;
    return rc;
}

/* A counter that fell was set back by somebody: what it shows is all that is known. */
static int64_t since(const struct counters *last, int64_t before, int64_t now)
{
    return last->same && now >= before ? now - before : now;
}

static enum rc add_record(struct spool *s, const struct spool_sample *p,
                          const struct counters *last, struct err *err)
{
    const struct driver_stats *t = p->stats;
    time_us from = last->same ? last->at : p->started;
    /* Two processes of one service never have the same time. */
    if (last->found && !last->same)
        from = max_i64(from, last->at);
    if (from <= 0 || from >= p->now)
        return RC_OK;
    s->empty = false;
    const struct str texts[] = {p->service, p->subscription};
    const int64_t numbers[] = {from,
                               p->now,
                               since(last, last->cpu_us, t->cpu_us),
                               t->memory_bytes,
                               t->disk_bytes,
                               since(last, last->received, t->received_bytes),
                               since(last, last->sent, t->sent_bytes),
                               since(last, last->read, t->read_bytes),
                               since(last, last->written, t->written_bytes)};
    return change(s,
                  "INSERT INTO record (service, subscription, t0, t1, cpu_us, memory_bytes, "
                  "disk_bytes, received_bytes, sent_bytes, read_bytes, written_bytes) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                  (struct binding){texts, COUNT(texts), numbers, COUNT(numbers)}, err);
}

static enum rc put_counters(struct spool *s, const struct spool_sample *p, struct err *err)
{
    const struct driver_stats *t = p->stats;
    const struct str texts[TEXT_COLUMNS] = {p->service, p->subscription, t->process};
    const int64_t numbers[] = {p->now,        t->cpu_us,     t->received_bytes,
                               t->sent_bytes, t->read_bytes, t->written_bytes};
    return change(s,
                  "INSERT OR REPLACE INTO counter (service, subscription, process, at, cpu_us, "
                  "received_bytes, sent_bytes, read_bytes, written_bytes) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                  (struct binding){texts, COUNT(texts), numbers, COUNT(numbers)}, err);
}

static enum rc add(struct spool *s, const struct spool_sample *said, struct err *err)
{
    struct counters last;
    struct spool_sample whole = *said;
    const struct spool_sample *p = &whole;
    TRY(last_counters(s, p, &last, err));
    if (p->subscription.n == 0)
        whole.subscription = str_c(last.subscription);
    if (p->subscription.n == 0)
        return RC_OK;
    /* The clock went back: what is counted now waits until it has caught up. Or another thread was
     * faster with a newer sample, perhaps of the next process: it stays the last one. */
    if (last.found && p->now <= last.at)
        return RC_OK;
    TRY(add_record(s, p, &last, err));
    return put_counters(s, p, err);
}

enum rc spool_add(struct spool *s, const struct spool_sample *samples, size_t count,
                  struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = run(s, "BEGIN IMMEDIATE", err);
    if (rc == RC_OK) {
        for (size_t i = 0; i < count && rc == RC_OK; i++)
            rc = add(s, &samples[i], err);
        if (rc == RC_OK)
            rc = run(s, "COMMIT", err);
        if (rc != RC_OK)
            (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* nothing may be open */
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

enum rc spool_end(struct spool *s, struct str service, struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = change(s, "DELETE FROM counter WHERE service = ?1",
                        (struct binding){.texts = &service, .text_count = 1}, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* --- sending --- */

static struct str column_text(sqlite3_stmt *q, int column, struct arena *arena)
{
    return arena_str(arena, str_n((const char *)sqlite3_column_text(q, column),
                                  (size_t)sqlite3_column_bytes(q, column)));
}

static enum rc read_records(struct spool *s, struct arena *arena, struct list *ret, struct err *err)
{
    sqlite3_stmt *q = NULL;
    const int64_t limit = SPOOL_SEND_MAX;
    struct spool_record *records = NEW_N(arena, struct spool_record, SPOOL_SEND_MAX);
    size_t count = 0;
    int code;
    TRY(prepare(s,
                "SELECT number, service, subscription, t0, t1, cpu_us, memory_bytes, disk_bytes, "
                "received_bytes, sent_bytes, read_bytes, written_bytes FROM record "
                "ORDER BY number LIMIT ?1",
                (struct binding){.numbers = &limit, .number_count = 1}, &q, err));
    while ((code = sqlite3_step(q)) == SQLITE_ROW && count < SPOOL_SEND_MAX)
        records[count++] = (struct spool_record){
            .number = sqlite3_column_int64(q, 0),
            .service = column_text(q, 1, arena),
            .subscription = column_text(q, 2, arena),
            .from = sqlite3_column_int64(q, 3),
            .until = sqlite3_column_int64(q, 4),
            .cpu_us = sqlite3_column_int64(q, 5),
            .memory_bytes = sqlite3_column_int64(q, 6),
            .disk_bytes = sqlite3_column_int64(q, 7),
            .received_bytes = sqlite3_column_int64(q, 8),
            .sent_bytes = sqlite3_column_int64(q, 9),
            .read_bytes = sqlite3_column_int64(q, 10),
            .written_bytes = sqlite3_column_int64(q, 11),
        };
    enum rc rc = code == SQLITE_DONE ? RC_OK : failed(s, err);
    sqlite3_finalize(q);
    *ret = (struct list){.items = records, .count = count};
    return rc;
}

enum rc spool_next(struct spool *s, struct arena *arena, struct list *ret, struct err *err)
{
    enum rc rc = RC_OK;
    pthread_mutex_lock(&s->lock);
    if (s->empty)
        *ret = (struct list){NULL, 0};
    else
        rc = read_records(s, arena, ret, err);
    if (rc == RC_OK)
        s->empty = ret->count == 0;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

enum rc spool_sent(struct spool *s, int64_t number, struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = change(s, "DELETE FROM record WHERE number <= ?1",
                        (struct binding){.numbers = &number, .number_count = 1}, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* --- what was seen --- */

static enum rc saw(struct spool *s, const struct probe_result *r, struct err *err)
{
    const struct str texts[] = {r->id, r->text};
    const int64_t numbers[] = {r->at, r->outcome, r->connect_us, r->total_us, r->days};
    TRY(change(s,
               "INSERT INTO seen (task, text, at, outcome, connect_us, total_us, days) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               (struct binding){texts, COUNT(texts), numbers, COUNT(numbers)}, err));
    const int64_t oldest = sqlite3_last_insert_rowid(s->db) - SPOOL_SEEN_MAX;
    return change(s, "DELETE FROM seen WHERE number <= ?1",
                  (struct binding){.numbers = &oldest, .number_count = 1}, err);
}

enum rc spool_saw(struct spool *s, const struct probe_result *r, struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = saw(s, r, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static enum rc read_seen(struct spool *s, struct arena *arena, struct list *ret, int64_t *ret_last,
                         struct err *err)
{
    sqlite3_stmt *q = NULL;
    const int64_t limit = PROBE_RESULTS_MAX;
    struct probe_result *results = NEW_N(arena, struct probe_result, PROBE_RESULTS_MAX);
    size_t count = 0;
    int code;
    TRY(prepare(s,
                "SELECT number, task, text, at, outcome, connect_us, total_us, days FROM seen "
                "ORDER BY number LIMIT ?1",
                (struct binding){.numbers = &limit, .number_count = 1}, &q, err));
    while ((code = sqlite3_step(q)) == SQLITE_ROW && count < PROBE_RESULTS_MAX) {
        *ret_last = sqlite3_column_int64(q, 0);
        results[count++] = (struct probe_result){.set = schema_all(&probe_result_schema),
                                                 .id = column_text(q, 1, arena),
                                                 .text = column_text(q, 2, arena),
                                                 .at = sqlite3_column_int64(q, 3),
                                                 .outcome = sqlite3_column_int64(q, 4),
                                                 .connect_us = sqlite3_column_int64(q, 5),
                                                 .total_us = sqlite3_column_int64(q, 6),
                                                 .days = sqlite3_column_int64(q, 7)};
    }
    enum rc rc = code == SQLITE_DONE ? RC_OK : failed(s, err);
    sqlite3_finalize(q);
    *ret = (struct list){.items = results, .count = count};
    return rc;
}

enum rc spool_seen(struct spool *s, struct arena *arena, struct list *ret, int64_t *ret_last,
                   struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = read_seen(s, arena, ret, ret_last, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

enum rc spool_saw_sent(struct spool *s, int64_t number, struct err *err)
{
    pthread_mutex_lock(&s->lock);
    enum rc rc = change(s, "DELETE FROM seen WHERE number <= ?1",
                        (struct binding){.numbers = &number, .number_count = 1}, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}
