/*
 * bench_meter.c - usage as a cloud of 10,000 subscriptions sends it: 100 nodes, 100 subscriptions
 * each, 8 meters, one of each kind, a record every 5 minutes; a node sends an hour at once.
 *
 *  - durable ingest with every id looked up, binary and JSON, without and with the fold into totals
 *    (a fold for each hour of all nodes); the JSON is read inside the same unit of work;
 *  - beside it, in turns: one INSERT for each record in SQLite, with a commit for each record and
 *    with one for a node's hour, and arrays of a node's hour in PostgreSQL, which add up, too.
 *
 * PostgreSQL is a server of its own (tests/with-postgres), with fsync on. Times are of the disk:
 * set TMPDIR to the disk that is meant.
 */
#include <check.h>
/* The fixtures of the tests, without a test around them. */
#undef ck_assert_msg
#undef ck_assert_int_eq
#define ck_assert_msg(fact, ...) ASSERT(fact)
#define ck_assert_int_eq(a, b)   ASSERT((a) == (b))

#include "meter/meter_fixture.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    NODES = 100,
    OF_NODE = 100, /* subscriptions */
    SUBSCRIPTIONS = NODES * OF_NODE,
    TICKS = 12, /* in an hour */
    BATCH = OF_NODE * METER_KINDS * TICKS,
    JSON_PARTS = 3, /* a node's hour of JSON is below the bound of a body in so many calls */
    JSON_BYTES = 4 * 1024 * 1024,
    WAVE = 10, /* nodes that wait for one commit */
    HOURS = 6,
    HOURS_JSON = 2,
    PEER_SINGLES = 2000,
    PEER_BATCHES = 12,
    SUBSCRIBE_AT_ONCE = 250,
    CALL_ARENA_BYTES = 64 * 1024 * 1024,
    NUMBER_DIGITS = 21,
};
enum { BINARY_WANTED = 500000, JSON_WANTED = 100000 };
#define TICK_US (5 * US_PER_MINUTE)

static double seconds_since(time_us began)
{
    return (double)(clock_steady(clock_system()) - began) / (double)US_PER_SECOND;
}

static void must(enum rc rc, const struct err *err)
{
    if (rc != RC_OK)
        fprintf(stderr, "bench_meter: %s\n", err->text);
    ASSERT(rc == RC_OK);
}

/* Of the processors, all threads: what a busy machine does not change much. */
static double processor_seconds(void)
{
    struct timespec t;
    int failed = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    ASSERT(failed == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the cloud --- */

struct cloud {
    struct world world;
    struct metered m;
    struct arena arena;
    size_t made;
    struct str subscriptions[SUBSCRIPTIONS];
    unsigned __int128 ids[SUBSCRIPTIONS];
};

static enum rc make_metered(struct tx *tx, void *arg)
{
    struct cloud *c = arg;
    metered_make(tx, 0, &c->arena, &c->m);
    return RC_OK;
}

static enum rc subscribe(struct tx *tx, void *arg)
{
    struct cloud *c = arg;
    for (size_t i = c->made; i < c->made + SUBSCRIBE_AT_ONCE; i++) {
        c->subscriptions[i] = arena_str(&c->arena, metered_subscribe(tx, &c->m));
        c->ids[i] = id_number(c->subscriptions[i]);
    }
    return RC_OK;
}

static void cloud_open(struct cloud *c, const char *server)
{
    if (server != NULL)
        setenv("TEST_STORE", server, 1);
    else
        unsetenv("TEST_STORE");
    arena_init(&c->arena, (size_t)16 * 1024 * 1024);
    world_open(&c->world);
    world_write(&c->world, make_metered, c, RC_OK);
    for (c->made = 0; c->made < SUBSCRIPTIONS; c->made += SUBSCRIBE_AT_ONCE) {
        arena_reset(&c->world.fixture.arena);
        world_write(&c->world, subscribe, c, RC_OK);
    }
}

static void cloud_close(struct cloud *c)
{
    world_close(&c->world);
    arena_fini(&c->arena);
}

/* What a node's number `at` of an hour says: by tick, then subscription, then meter. */
static struct packed record_at(const struct cloud *c, int node, int hour, int at)
{
    int kind = at % METER_KINDS;
    int subscription = node * OF_NODE + at / METER_KINDS % OF_NODE;
    int tick = at / METER_KINDS / OF_NODE;
    time_us from = WORLD_START + hour * US_PER_HOUR + tick * TICK_US;
    return (struct packed){
        .number = (uint64_t)hour * BATCH + (uint64_t)at + 1,
        .subscription = c->ids[subscription],
        .meter = (uint32_t)c->m.meters[kind],
        .from = from,
        .until = from + TICK_US,
        .quantity = kind == METER_COUNTER ? (hour * TICKS + tick) * 1000 + at : at * 7919 % 1000,
        .key = kind == METER_UNIQUE ? (uint64_t)(at % 50 + 1) * UINT64_C(0x9E3779B97F4A7C15) : 0,
    };
}

/* --- calls --- */

struct wave {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t waiting;
};

struct node_call {
    struct store_job job;
    struct wave *wave;
    const struct cloud *cloud;
    struct arena arena;
    struct err err;
    struct str body;
    bool json;
    char bytes[JSON_BYTES];
};

static enum rc take_body(struct tx *tx, void *arg)
{
    struct node_call *n = arg;
    struct usage_record *records = NULL;
    struct usage_report report;
    struct str source;
    size_t count = 0;
    TRY(n->json ? usage_read_json(tx, n->body, &records, &count, &source)
                : usage_read_binary(tx, n->body, &records, &count, &source));
    TRY(usage_take(tx, n->cloud->m.op, source, records, count, &report));
    ASSERT(report.accepted == (int64_t)count);
    return RC_OK;
}

static void call_done(struct store_job *job, enum rc rc)
{
    struct node_call *n = CONTAINER_OF(job, struct node_call, job);
    must(rc, &n->err);
    pthread_mutex_lock(&n->wave->lock);
    if (--n->wave->waiting == 0)
        pthread_cond_signal(&n->wave->done);
    pthread_mutex_unlock(&n->wave->lock);
}

static void make_binary(struct node_call *n, int node, int hour)
{
    struct buf b;
    char header[RECORD_HEADER_BYTES] = "HNSUSG01";
    header[8] = (char)snprintf(header + 10, 20, "urn:node:%d", node);
    buf_init(&b, &n->arena, sizeof header + (size_t)BATCH * USAGE_RECORD_BYTES);
    buf_add(&b, str_n(header, sizeof header));
    for (int i = 0; i < BATCH; i++) {
        struct packed p = record_at(n->cloud, node, hour, i);
        record_write(&b, &p);
    }
    ASSERT(!b.full);
    memcpy(n->bytes, b.p, b.n);
    n->body = str_n(n->bytes, b.n);
    arena_reset(&n->arena);
}

static void make_json(struct node_call *n, int node, int hour, int part)
{
    size_t at = 0;
    for (int i = BATCH / JSON_PARTS * part; i < BATCH / JSON_PARTS * (part + 1); i++) {
        struct packed p = record_at(n->cloud, node, hour, i);
        char t0[TIME_TEXT_MAX];
        char t1[TIME_TEXT_MAX];
        (void)time_format(p.from, t0);
        (void)time_format(p.until, t1);
        int kind = i % METER_KINDS;
        at += (size_t)snprintf(
            n->bytes + at, sizeof n->bytes - at,
            "%c{\"specversion\":\"1.0\",\"type\":\"m%d\",\"source\":\"urn:json:%d\",\"id\":"
            "\"%010llx-%s\",\"subject\":\"%.*s\",\"data\":{\"t0\":\"%s\",\"t1\":\"%s\",\"qty\":"
            "\"%lld\"%s}}\n",
            at == 0 ? '[' : ',', kind, node, (unsigned long long)p.number, "5N3KQ8ZJ4M",
            STRF(n->cloud->subscriptions[node * OF_NODE + i / METER_KINDS % OF_NODE]), t0, t1,
            (long long)p.quantity, kind == METER_UNIQUE ? ",\"dims\":{\"key\":\"u17\"}" : "");
        ASSERT(at + 2 < sizeof n->bytes);
    }
    n->bytes[at++] = ']';
    n->body = str_n(n->bytes, at);
}

/* Seconds until all of the wave is durable. */
static double send_wave(struct cloud *c, struct wave *w, struct node_call **calls)
{
    w->waiting = WAVE;
    time_us began = clock_steady(clock_system());
    for (int i = 0; i < WAVE; i++) {
        calls[i]->job = (struct store_job){.fn = take_body,
                                           .arg = calls[i],
                                           .arena = &calls[i]->arena,
                                           .err = &calls[i]->err,
                                           .done = call_done};
        store_submit(c->world.fixture.store, &calls[i]->job);
    }
    pthread_mutex_lock(&w->lock);
    while (w->waiting > 0)
        pthread_cond_wait(&w->done, &w->lock);
    pthread_mutex_unlock(&w->lock);
    double spent = seconds_since(began);
    for (int i = 0; i < WAVE; i++)
        arena_reset(&calls[i]->arena);
    return spent;
}

static enum rc fold_tx(struct tx *tx, void *arg)
{
    return total_fold(tx, (size_t)NODES * BATCH, arg);
}

static double fold_all(struct cloud *c)
{
    bool done = false;
    time_us began = clock_steady(clock_system());
    while (!done) {
        arena_reset(&c->world.fixture.arena);
        must(fixture_write(&c->world.fixture, fold_tx, &done), &c->world.fixture.err);
    }
    return seconds_since(began);
}

struct rates {
    double ingest;
    double whole;        /* with the fold */
    double processor_us; /* of a record, with the fold */
};

static struct rates run_hours(struct cloud *c, bool json, int first, int hours)
{
    static const struct node_call empty;
    struct wave w = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct node_call *calls[WAVE];
    double ingest = 0;
    double fold = 0;
    double processor = 0;
    for (int i = 0; i < WAVE; i++) {
        calls[i] = malloc(sizeof *calls[i]);
        ASSERT(calls[i] != NULL);
        memcpy(calls[i], &empty, offsetof(struct node_call, bytes));
        calls[i]->wave = &w;
        calls[i]->cloud = c;
        calls[i]->json = json;
        arena_init(&calls[i]->arena, CALL_ARENA_BYTES);
    }
    for (int hour = first; hour < first + hours; hour++) {
        for (int node = 0; node < NODES; node += WAVE)
            for (int part = 0; part < (json ? JSON_PARTS : 1); part++) {
                for (int i = 0; i < WAVE; i++) {
                    if (json)
                        make_json(calls[i], node + i, hour, part);
                    else
                        make_binary(calls[i], node + i, hour);
                }
                double before = processor_seconds();
                ingest += send_wave(c, &w, calls);
                processor += processor_seconds() - before;
            }
        double before = processor_seconds();
        fold += fold_all(c);
        processor += processor_seconds() - before;
    }
    for (int i = 0; i < WAVE; i++) {
        arena_fini(&calls[i]->arena);
        free(calls[i]);
    }
    double records = (double)NODES * BATCH * hours;
    return (struct rates){records / ingest, records / (ingest + fold), processor / records * 1e6};
}

/* --- one INSERT for each record, SQLite --- */

static void run_sqlite(sqlite3 *db, const char *sql)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        fprintf(stderr, "bench_meter: %s\n", sqlite3_errmsg(db));
    ASSERT(code == SQLITE_OK);
}

static void insert_sqlite(sqlite3_stmt *s, const struct packed *p, const char *subscription)
{
    sqlite3_bind_int64(s, 1, 1);
    sqlite3_bind_int64(s, 2, (int64_t)p->number);
    sqlite3_bind_text(s, 3, subscription, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, p->meter);
    sqlite3_bind_int64(s, 5, p->from);
    sqlite3_bind_int64(s, 6, p->until);
    sqlite3_bind_int64(s, 7, p->quantity);
    int code = sqlite3_step(s);
    ASSERT(code == SQLITE_DONE);
    sqlite3_reset(s);
}

/* per_commit: records in one transaction. Only kept, not added up. */
static double sqlite_rate(const struct cloud *c, int records, int per_commit)
{
    char file[1200];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    (void)snprintf(file, sizeof file, "%s/peer%d.db", c->world.fixture.folder, per_commit);
    int code = sqlite3_open(file, &db);
    ASSERT(code == SQLITE_OK);
    run_sqlite(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE usage "
                   "(source INTEGER, number INTEGER, subscription TEXT, meter INTEGER, t0 "
                   "INTEGER, t1 INTEGER, quantity INTEGER, PRIMARY KEY (source, number))");
    code = sqlite3_prepare_v2(db,
                              "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?) "
                              "ON CONFLICT (source, number) DO NOTHING",
                              -1, &insert, NULL);
    ASSERT(code == SQLITE_OK);
    time_us began = clock_steady(clock_system());
    for (int i = 0; i < records; i++) {
        struct packed p = record_at(c, i / BATCH % NODES, i / BATCH / NODES, i % BATCH);
        p.number = (uint64_t)i;
        if (i % per_commit == 0)
            run_sqlite(db, "BEGIN");
        insert_sqlite(insert, &p, c->subscriptions[i % SUBSCRIPTIONS].p);
        if ((i + 1) % per_commit == 0 || i + 1 == records)
            run_sqlite(db, "COMMIT");
    }
    double rate = (double)records / seconds_since(began);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return rate;
}

/* --- arrays, PostgreSQL --- */

static void run_pg(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fprintf(stderr, "bench_meter: %s", PQerrorMessage(pg));
    ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
    PQclear(r);
}

static PGconn *peer_open(const char *server)
{
    PGconn *pg = PQconnectdb(server);
    ASSERT(PQstatus(pg) == CONNECTION_OK);
    run_pg(pg, "CREATE SCHEMA usage_peer; SET search_path = usage_peer;"
               "CREATE TABLE usage (source BIGINT, number BIGINT, subscription BIGINT, meter "
               "BIGINT, t0 BIGINT, t1 BIGINT, quantity BIGINT, PRIMARY KEY (source, number));"
               "CREATE TABLE total (subscription BIGINT, meter BIGINT, quantity BIGINT, PRIMARY "
               "KEY (subscription, meter))");
    PGresult *r = PQprepare(
        pg, "take",
        "WITH t AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], "
        "$5::bigint[], $6::bigint[]) AS t (number, subscription, meter, t0, t1, quantity)), kept "
        "AS (INSERT INTO usage SELECT $7::bigint, number, subscription, meter, t0, t1, quantity "
        "FROM t ON CONFLICT DO NOTHING RETURNING subscription, meter, quantity) INSERT INTO total "
        "SELECT subscription, meter, sum(quantity) FROM kept GROUP BY subscription, meter ON "
        "CONFLICT (subscription, meter) DO UPDATE SET quantity = total.quantity + "
        "excluded.quantity",
        7, NULL);
    ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
    return pg;
}

static double pg_rate(const struct cloud *c, PGconn *pg)
{
    char *arrays[7];
    char source[24];
    double spent = 0;
    for (size_t k = 0; k < COUNT(arrays) - 1; k++) {
        arrays[k] = malloc((size_t)BATCH * NUMBER_DIGITS + 3);
        ASSERT(arrays[k] != NULL);
    }
    arrays[6] = source;
    for (int batch = 0; batch < PEER_BATCHES; batch++) {
        char *at[6];
        memcpy(at, arrays, sizeof at);
        for (int i = 0; i < BATCH; i++) {
            struct packed p = record_at(c, batch % NODES, batch / NODES, i);
            const long long numbers[6] = {(long long)p.number,
                                          (long long)batch * OF_NODE + i / METER_KINDS % OF_NODE,
                                          p.meter,
                                          p.from,
                                          p.until,
                                          p.quantity};
            for (size_t k = 0; k < COUNT(at); k++)
                at[k] +=
                    snprintf(at[k], NUMBER_DIGITS + 1, "%c%lld", i == 0 ? '{' : ',', numbers[k]);
        }
        for (size_t k = 0; k < COUNT(at); k++)
            memcpy(at[k], "}", 2);
        (void)snprintf(source, sizeof source, "%d", batch);
        time_us began = clock_steady(clock_system());
        PGresult *r = PQexecPrepared(pg, "take", 7, (const char *const *)arrays, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fprintf(stderr, "bench_meter: %s", PQerrorMessage(pg));
        ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK);
        PQclear(r);
        spent += seconds_since(began);
    }
    for (size_t k = 0; k < COUNT(arrays) - 1; k++)
        free(arrays[k]);
    return (double)PEER_BATCHES * BATCH / spent;
}

static int run(const char *server)
{
    struct cloud *c = calloc(1, sizeof *c);
    struct cloud *on_pg = calloc(1, sizeof *on_pg);
    ASSERT(c != NULL && on_pg != NULL);
    cloud_open(c, NULL);
    PGconn *pg = peer_open(server);
    double theirs = pg_rate(c, pg);
    double singles = sqlite_rate(c, PEER_SINGLES, 1);
    struct rates binary = run_hours(c, false, 0, HOURS);
    double grouped = sqlite_rate(c, PEER_BATCHES * BATCH, BATCH);
    struct rates json = run_hours(c, true, HOURS, HOURS_JSON);
    PQfinish(pg);
    cloud_open(on_pg, server);
    struct rates ours_pg = run_hours(on_pg, false, 0, 1);
    cloud_close(on_pg);
    unsetenv("TEST_STORE");
    cloud_close(c);
    free(on_pg);
    free(c);
    printf("usage, binary, durable and deduplicated: %.0f records/s, with the fold %.0f/s (want >= "
           "%d)\n",
           binary.ingest, binary.whole, BINARY_WANTED);
    printf("usage, JSON, durable and deduplicated: %.0f records/s, with the fold %.0f/s (want >= "
           "%d)\n",
           json.ingest, json.whole, JSON_WANTED);
    printf("usage, processor for a record with the fold: %.2f us binary, %.2f us JSON\n",
           binary.processor_us, json.processor_us);
    printf("usage, binary on PostgreSQL: %.0f records/s, with the fold %.0f/s\n", ours_pg.ingest,
           ours_pg.whole);
    printf("one INSERT for each record in SQLite: %.0f/s with a commit for each, %.0f/s with one "
           "for %d; nothing is added up\n",
           singles, grouped, BATCH);
    printf("arrays of %d in PostgreSQL, added up: %.0f/s; ratio of ours with the fold %.1f\n",
           BATCH, theirs, binary.whole / theirs);
    return binary.whole >= BINARY_WANTED && json.whole >= JSON_WANTED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *server = getenv("TEST_STORE");
    if (server == NULL) { /* once more, beside a server */
        ASSERT(argc > 0);
        execl("tests/with-postgres", "tests/with-postgres", argv[0], (char *)NULL);
        fprintf(stderr, "bench_meter: run it in the root of the source\n");
        return EXIT_FAILURE;
    }
    char address[256];
    (void)snprintf(address, sizeof address, "%s", server);
    return run(address);
}
