/*
 * bench_ledger.c - the ledger beside its peers, in turns in one run:
 *
 *  - durable transfers in batches of 8,190 among 100,000 accounts: the ledger on SQLite, the ledger
 *    on PostgreSQL, and plain SQL on PostgreSQL: one statement for each batch that locks the
 *    accounts in order (so that two writers cannot deadlock), inserts the transfers with what ours
 *    carry, and updates the balances, all from arrays; it knows no limits, chains, reservations or
 *    hashes;
 *  - single transfers of 64 callers, with group commit and with one commit for each.
 *
 * PostgreSQL is a server of its own (tests/with-postgres), with fsync on. Times are of the disk:
 * set TMPDIR to the disk that is meant.
 */
#include "ledger/ledger.h"
#include "store/store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ACCOUNTS = 100000,
    BATCH = LEDGER_CHAIN_MAX,
    BATCHES = 60,    /* in one round of the ledger on SQLite */
    BATCHES_PG = 12, /* in one round on PostgreSQL */
    ROUNDS = 3,
    CALLERS = 64,
    NUMBER_DIGITS = 21,
};
enum { RATE_WANTED = 400000, SQL_RATIO_WANTED = 10, GROUP_RATIO_WANTED = 10 };
#define RUN_US (1500 * US_PER_MS)

static void must(enum rc rc, const struct err *err)
{
    if (rc != RC_OK)
        fprintf(stderr, "bench_ledger: %s\n", err->text);
    ASSERT(rc == RC_OK);
}

static double seconds_since(time_us began)
{
    return (double)(clock_steady(clock_system()) - began) / (double)US_PER_SECOND;
}

/* --- the ledger --- */

struct bench {
    struct fixture f;
    struct ledger *l;
    uint32_t source;
    uint64_t number;
    account_id first;
    struct clock_sim chance;
    struct transfer *transfers;
};

static enum rc define(struct tx *tx, void *arg)
{
    struct bench *b = arg;
    uint64_t last = 0;
    TRY(ledger_source(tx, b->l, STR("bench"), &b->source, &last));
    for (int i = 0; i < ACCOUNTS; i++) {
        account_id id = 0;
        TRY(ledger_account(tx, b->l,
                           &(struct account){.party = STR("Op"),
                                             .currency = STR("EUR"),
                                             .code = arena_fmt(tx->arena, "AR:%d", i)},
                           &id));
        b->first = i == 0 ? id : b->first;
    }
    return RC_OK;
}

static void bench_open(struct bench *b, const char *server, size_t batch_max)
{
    *b = (struct bench){0};
    if (server != NULL)
        setenv("TEST_STORE", server, 1);
    else
        unsetenv("TEST_STORE");
    fixture_init(&b->f);
    fixture_open_with(&b->f, (struct store_options){.batch_max = batch_max});
    must(ledger_open(&b->l, b->f.store, NULL, &b->f.err), &b->f.err);
    must(fixture_write(&b->f, define, b), &b->f.err);
    clock_sim_init(&b->chance, 0, 7);
    b->transfers = NEW_N(&b->f.arena, struct transfer, BATCH);
}

static void bench_close(struct bench *b)
{
    store_close(b->f.store);
    b->f.store = NULL;
    ledger_close(b->l);
    fixture_close(&b->f);
}

static uint64_t below(struct bench *b, uint64_t bound)
{
    return clock_sim_below(&b->chance, bound);
}

static void make_batch(struct bench *b)
{
    for (int i = 0; i < BATCH; i++) {
        uint64_t debit = below(b, ACCOUNTS);
        uint64_t credit = (debit + 1 + below(b, ACCOUNTS - 1)) % ACCOUNTS;
        b->transfers[i] = (struct transfer){.reference = {b->source, ++b->number},
                                            .debit = b->first + (account_id)debit,
                                            .credit = b->first + (account_id)credit,
                                            .amount = 1 + (int64_t)below(b, 10000),
                                            .event = b->number,
                                            .code = 1};
    }
}

static enum rc post_batch(struct tx *tx, void *arg)
{
    struct bench *b = arg;
    return ledger_post(tx, b->l, b->transfers, BATCH, NULL);
}

static double ledger_rate(struct bench *b, int batches)
{
    double spent = 0;
    for (int i = 0; i < batches; i++) {
        make_batch(b);
        time_us began = clock_steady(clock_system());
        must(fixture_write(&b->f, post_batch, b), &b->f.err);
        spent += seconds_since(began);
    }
    return (double)batches * BATCH / spent;
}

/* --- plain SQL --- */

struct sql_peer {
    PGconn *pg;
    char schema[64];
    char *arrays[4]; /* numbers, debits, credits, amounts: "{1,2,...}" */
};

static void run_sql(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fprintf(stderr, "bench_ledger: %s", PQerrorMessage(pg));
    ASSERT(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    PQclear(r);
}

static void peer_open(struct sql_peer *p, const char *server)
{
    *p = (struct sql_peer){.pg = PQconnectdb(server)};
    ASSERT(PQstatus(p->pg) == CONNECTION_OK);
    run_sql(p->pg, "CREATE SCHEMA peer; SET search_path = peer;"
                   "CREATE TABLE account (id BIGINT PRIMARY KEY, debits BIGINT NOT NULL, credits "
                   "BIGINT NOT NULL) WITH (fillfactor = 50);"
                   "CREATE TABLE transfer (source BIGINT NOT NULL, number BIGINT NOT NULL, debit "
                   "BIGINT NOT NULL, credit BIGINT NOT NULL, amount BIGINT NOT NULL, event BIGINT "
                   "NOT NULL, code BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (source, "
                   "number))");
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO account SELECT i, 0, 0 FROM generate_series(1, %d) i", ACCOUNTS);
    run_sql(p->pg, sql);
    run_sql(p->pg, "ANALYZE");
    PGresult *r = PQprepare(
        p->pg, "post",
        "WITH t AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) "
        "AS "
        "t (number, debit, credit, amount)), kept AS (INSERT INTO transfer SELECT 1, number, "
        "debit, "
        "credit, amount, number, 1, 0 FROM t), sums AS (SELECT id, sum(d)::bigint AS d, "
        "sum(c)::bigint AS c FROM (SELECT debit AS id, amount AS d, 0 AS c FROM t UNION ALL SELECT "
        "credit, 0, amount FROM t) x GROUP BY id), locked AS (SELECT a.id FROM account a JOIN sums "
        "USING (id) ORDER BY a.id FOR UPDATE OF a) UPDATE account a SET debits = a.debits + s.d, "
        "credits = a.credits + s.c FROM sums s JOIN locked USING (id) WHERE a.id = s.id",
        4, NULL);
    ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
    for (size_t i = 0; i < COUNT(p->arrays); i++) {
        p->arrays[i] = malloc((size_t)BATCH * NUMBER_DIGITS + 3);
        ASSERT(p->arrays[i] != NULL);
    }
}

static void peer_close(struct sql_peer *p)
{
    for (size_t i = 0; i < COUNT(p->arrays); i++)
        free(p->arrays[i]);
    PQfinish(p->pg);
}

static void fill_arrays(struct sql_peer *p, const struct bench *b)
{
    char *at[4];
    for (size_t k = 0; k < COUNT(at); k++)
        at[k] = p->arrays[k];
    for (int i = 0; i < BATCH; i++) {
        const struct transfer *t = &b->transfers[i];
        const long long numbers[4] = {(long long)t->reference.number, t->debit - b->first + 1,
                                      t->credit - b->first + 1, t->amount};
        for (size_t k = 0; k < COUNT(at); k++)
            at[k] += snprintf(at[k], NUMBER_DIGITS + 1, "%c%lld", i == 0 ? '{' : ',', numbers[k]);
    }
    for (size_t k = 0; k < COUNT(at); k++)
        memcpy(at[k], "}", 2);
}

static double sql_rate(struct sql_peer *p, struct bench *b)
{
    double spent = 0;
    for (int i = 0; i < BATCHES_PG; i++) {
        make_batch(b);
        fill_arrays(p, b);
        time_us began = clock_steady(clock_system());
        PGresult *r =
            PQexecPrepared(p->pg, "post", 4, (const char *const *)p->arrays, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fprintf(stderr, "bench_ledger: %s", PQerrorMessage(p->pg));
        ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK);
        PQclear(r);
        spent += seconds_since(began);
    }
    return (double)BATCHES_PG * BATCH / spent;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static bool compare_batches(const char *server)
{
    struct bench sqlite;
    struct bench postgres;
    struct sql_peer peer;
    double ours = 0;
    double ours_pg = 0;
    double theirs = 0;
    bench_open(&sqlite, NULL, 0);
    bench_open(&postgres, server, 0);
    peer_open(&peer, server);
    for (int i = 0; i < ROUNDS; i++) {
        ours = larger(ours, ledger_rate(&sqlite, BATCHES));
        theirs = larger(theirs, sql_rate(&peer, &postgres));
        ours_pg = larger(ours_pg, ledger_rate(&postgres, BATCHES_PG));
    }
    peer_close(&peer);
    struct ledger_report report;
    time_us began = clock_steady(clock_system());
    must(ledger_verify(sqlite.f.store, &sqlite.f.arena, &report, &sqlite.f.err), &sqlite.f.err);
    double verified = (double)report.transfers / seconds_since(began);
    bench_close(&postgres);
    unsetenv("TEST_STORE");
    bench_close(&sqlite);
    double ratio = ours / theirs;
    printf("ledger transfers in batches of %d, %d accounts: %.0f/s on SQLite (want >= %d)\n", BATCH,
           ACCOUNTS, ours, RATE_WANTED);
    printf(
        "ledger transfers beside SQL on PostgreSQL: %.0f/s, ratio %.1f (want >= %d); the ledger on "
        "PostgreSQL: %.0f/s, ratio %.1f\n",
        theirs, ratio, SQL_RATIO_WANTED, ours_pg, ours_pg / theirs);
    printf("ledger verify: %.0f transfers/s\n", verified);
    return ours >= RATE_WANTED && ratio >= SQL_RATIO_WANTED;
}

/* --- single callers --- */

struct caller {
    struct bench *b;
    int number;
    uint32_t source;
    atomic_bool *stop;
    int64_t done;
    pthread_t thread;
};

static enum rc post_one(struct tx *tx, void *arg)
{
    const struct caller *c = arg;
    uint64_t i = (uint64_t)c->done + 1;
    struct transfer t = {.reference = {c->source, i},
                         .debit = c->b->first + (account_id)(i % ACCOUNTS),
                         .credit = c->b->first + (account_id)((i + 7) % ACCOUNTS),
                         .amount = 1};
    return ledger_post(tx, c->b->l, &t, 1, NULL);
}

static enum rc open_caller(struct tx *tx, void *arg)
{
    struct caller *c = arg;
    uint64_t last = 0;
    return ledger_source(tx, c->b->l, arena_fmt(tx->arena, "caller/%d", c->number), &c->source,
                         &last);
}

static void *post_until_stopped(void *arg)
{
    struct caller *c = arg;
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    while (!atomic_load(c->stop)) {
        struct err err = {0};
        arena_reset(&arena);
        must(store_write(c->b->f.store, &arena, &err, post_one, c), &err);
        c->done++;
    }
    arena_fini(&arena);
    return NULL;
}

static double single_rate(size_t batch_max)
{
    struct bench b;
    struct caller callers[CALLERS];
    atomic_bool stop = false;
    bench_open(&b, NULL, batch_max);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.b = &b, .number = i, .stop = &stop};
        must(fixture_write(&b.f, open_caller, &callers[i]), &b.f.err);
    }
    time_us began = clock_steady(clock_system());
    for (int i = 0; i < CALLERS; i++) {
        int failed = pthread_create(&callers[i].thread, NULL, post_until_stopped, &callers[i]);
        ASSERT(failed == 0);
    }
    struct timespec ts = {.tv_sec = RUN_US / US_PER_SECOND,
                          .tv_nsec = RUN_US % US_PER_SECOND * 1000};
    (void)nanosleep(&ts, NULL);
    atomic_store(&stop, true);
    int64_t done = 0;
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        done += callers[i].done;
    }
    double rate = (double)done / seconds_since(began);
    bench_close(&b);
    return rate;
}

static bool compare_commits(void)
{
    double grouped = 0;
    double single = 0;
    for (int i = 0; i < ROUNDS; i++) {
        grouped = larger(grouped, single_rate(0));
        single = larger(single, single_rate(1));
    }
    double ratio = grouped / single;
    printf("ledger single transfers, %d callers: %.0f/s in groups, %.0f/s one by one, ratio %.1f "
           "(want >= %d)\n",
           CALLERS, grouped, single, ratio, GROUP_RATIO_WANTED);
    return ratio >= GROUP_RATIO_WANTED;
}

int main(int argc, char **argv)
{
    const char *server = getenv("TEST_STORE");
    if (server == NULL) { /* once more, beside a server */
        ASSERT(argc > 0);
        execl("tests/with-postgres", "tests/with-postgres", argv[0], (char *)NULL);
        fprintf(stderr, "bench_ledger: run it in the root of the source\n");
        return EXIT_FAILURE;
    }
    char address[256];
    (void)snprintf(address, sizeof address, "%s", server);
    bool batches = compare_batches(address);
    bool commits = compare_commits();
    return batches && commits ? EXIT_SUCCESS : EXIT_FAILURE;
}
