#include "store/store.h"

#include "store/store_fixture.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

/* The tests keep their rows in `setting`: a name and a text. */
struct put {
    const char *name;
    const char *value;
    enum rc answer; /* what the function returns after its statement */
};

static enum rc put(struct tx *tx, void *arg)
{
    const struct put *p = arg;
    TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V(p->name), V(p->value)));
    if (p->answer != RC_OK)
        return err_set(tx->err, p->answer, "as the test wants");
    return RC_OK;
}

static enum rc count_rows(struct tx *tx, void *arg)
{
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM setting"));
    *(int64_t *)arg = row_int(&r, 0, 0);
    return RC_OK;
}

static int64_t counted(struct fixture *f)
{
    int64_t n = -1;
    enum rc rc = fixture_read(f, count_rows, &n);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    return n;
}

struct get {
    const char *name;
    char value[64];
    size_t rows;
};

static enum rc get(struct tx *tx, void *arg)
{
    struct get *g = arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT value FROM setting WHERE name = $1", V(g->name)));
    g->rows = r.count;
    if (r.count > 0)
        (void)snprintf(g->value, sizeof g->value, "%.*s", STRF(row_str(&r, 0, 0)));
    return RC_OK;
}

static void check_value(struct fixture *f, const char *name, const char *value)
{
    struct get g = {.name = name};
    enum rc rc = fixture_read(f, get, &g);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    ck_assert_uint_eq(g.rows, value != NULL);
    if (value != NULL)
        ck_assert_str_eq(g.value, value);
}

START_TEST(what_was_written_is_read_and_is_there_after_reopening)
{
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d", i);
        ck_assert_int_eq(fixture_write(&f, put, &(struct put){name, "v", RC_OK}), RC_OK);
        check_value(&f, name, "v"); /* read your writes, through snapshots that are kept */
    }
    store_close(f.store);
    fixture_open_with(&f, (struct store_options){0});
    ck_assert_int_eq(counted(&f), 100);
    fixture_close(&f);
}
END_TEST

START_TEST(a_unit_of_work_that_fails_leaves_nothing)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "1", RC_INVALID}), RC_INVALID);
    ck_assert_str_eq(f.err.text, "as the test wants");
    ck_assert_int_eq(counted(&f), 0);
    ck_assert_uint_eq(store_counters(f.store).rolled_back, 1);
    fixture_close(&f);
}
END_TEST

START_TEST(a_duplicate_is_a_conflict)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "1", RC_OK}), RC_OK);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "2", RC_OK}), RC_CONFLICT);
    check_value(&f, "a", "1");
    fixture_close(&f);
}
END_TEST

static enum rc swallow(struct tx *tx, void *arg)
{
    (void)arg;
    TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V("b"), V("1")));
    enum rc rc = sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V("a"), V("2"));
    ck_assert_int_eq(rc, RC_CONFLICT);
    return RC_OK; /* wrong on purpose: the failure is not passed on */
}

START_TEST(a_unit_of_work_that_hides_a_failed_statement_is_not_kept)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "1", RC_OK}), RC_OK);
    ck_assert_int_eq(fixture_write(&f, swallow, NULL), RC_INTERNAL);
    check_value(&f, "b", NULL);
    fixture_close(&f);
}
END_TEST

/* --- parameters and cells --- */

static enum rc use_parameters(struct tx *tx, void *arg)
{
    (void)arg;
    TRY(sql_run(tx, "INSERT INTO setting (value, name) VALUES ($2,$1)", V("name"), V("value")));
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT name, value, CAST($3 AS BIGINT), CAST($2 AS TEXT), CAST($4 AS TEXT) FROM "
                 "setting WHERE name = $1 AND name = $1",
                 V("name"), V(STR("two")), V(INT64_MIN), SQL_NULL));
    ck_assert_uint_eq(r.count, 1);
    ck_assert(str_eq(row_str(&r, 0, 0), STR("name")));
    ck_assert(str_eq(row_str(&r, 0, 1), STR("value")));
    ck_assert(row_int(&r, 0, 2) == INT64_MIN);
    ck_assert(str_eq(row_str(&r, 0, 3), STR("two")));
    ck_assert(row_null(&r, 0, 4));
    ck_assert_uint_eq(row_str(&r, 0, 4).n, 0);
    ck_assert_int_eq(row_int(&r, 0, 4), 0);
    int64_t changed = -1;
    TRY(sql_change(tx, &changed, "UPDATE setting SET value = $2 WHERE name = $1", V("name"),
                   V("")));
    ck_assert_int_eq(changed, 1);
    TRY(sql_change(tx, &changed, "DELETE FROM setting WHERE value IS NULL"));
    ck_assert_int_eq(changed, 0); /* the empty text is not NULL */
    struct str sql = arena_fmt(tx->arena, "SELECT value FROM setting ORDER BY %s LIMIT $1", "name");
    TRY(sql_rows_text(tx, &r, sql, VALUES(V(10))));
    ck_assert_uint_eq(r.count, 1);
    ck_assert_uint_eq(row_str(&r, 0, 0).n, 0);
    return RC_OK;
}

START_TEST(parameters_go_where_their_number_says)
{
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i < 2; i++) { /* the second time from the kept statements */
        enum rc rc = fixture_write(&f, use_parameters, NULL);
        ck_assert_msg(rc == (i ? RC_CONFLICT : RC_OK), "%s", f.err.text);
    }
    fixture_close(&f);
}
END_TEST

static enum rc put_nul(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V("nul"),
                   V(str_n("a\0b", 3)));
}

START_TEST(text_with_a_nul_byte_is_refused)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, put_nul, NULL), RC_INVALID);
    fixture_close(&f);
}
END_TEST

/* What would end a cell or a row of a stream, or look like nothing, is text as any other. */
enum { INSERTED = 500, INSERTED_COLUMNS = 2 };
static const char *const awkward[] = {"", "\\N", "a\tb\nc\rd", "\\", "\\.", "x\\\ty", "\303\251"};

static enum rc insert_rows(struct tx *tx, void *arg)
{
    struct value v[INSERTED * INSERTED_COLUMNS];
    size_t count = *(size_t *)arg;
    for (size_t i = 0; i < count; i++) {
        v[i * INSERTED_COLUMNS] = V(arena_fmt(tx->arena, "%04zu", i));
        v[i * INSERTED_COLUMNS + 1] = V(awkward[i % COUNT(awkward)]);
    }
    return sql_insert(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", v, INSERTED_COLUMNS,
                      count);
}

static enum rc check_rows(struct tx *tx, void *arg UNUSED)
{
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT name, value FROM setting ORDER BY name LIMIT 1000"));
    ck_assert_uint_eq(rows.count, INSERTED);
    for (size_t i = 0; i < rows.count; i++)
        ck_assert(str_eq(row_str(&rows, i, 1), str_c(awkward[i % COUNT(awkward)])));
    return RC_OK;
}

START_TEST(many_rows_are_inserted_as_one_by_one)
{
    struct fixture f;
    size_t two = 2;
    size_t many = INSERTED;
    size_t none = 0;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, insert_rows, &none), RC_OK);
    ck_assert_int_eq(fixture_write(&f, insert_rows, &two), RC_OK);
    ck_assert_int_eq(fixture_write(&f, insert_rows, &many), RC_CONFLICT); /* two are there */
    ck_assert_int_eq(counted(&f), 2);
    fixture_close(&f);
    fixture_open(&f);
    enum rc rc = fixture_write(&f, insert_rows, &many);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    ck_assert_int_eq(fixture_read(&f, check_rows, NULL), RC_OK);
    fixture_close(&f);
}
END_TEST

static enum rc insert_bytes(struct tx *tx, void *arg UNUSED)
{
    struct rows rows;
    struct value v[3 * 3];
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(unsigned char)i;
    TRY(sql_run(tx, "CREATE TABLE pile (no BIGINT NOT NULL PRIMARY KEY, body BYTEA, note TEXT)"));
    for (size_t i = 0; i < 3; i++) {
        v[i * 3] = V(i == 0 ? INT64_MIN : (int64_t)i);
        v[i * 3 + 1] = i == 1 ? SQL_NULL : value_bytes(str_n(all, i == 0 ? sizeof all : 0));
        v[i * 3 + 2] = i == 2 ? V("") : SQL_NULL;
    }
    TRY(sql_insert(tx, "INSERT INTO pile (no, body, note) VALUES ($1, $2, $3)", v, 3, 3));
    TRY(sql_rows(tx, &rows, "SELECT no, body, note FROM pile ORDER BY no LIMIT 10"));
    ck_assert_uint_eq(rows.count, 3);
    ck_assert_int_eq(row_int(&rows, 0, 0), INT64_MIN);
    ck_assert(str_eq(row_bytes(&rows, 0, 1), str_n(all, sizeof all)));
    ck_assert(row_null(&rows, 0, 2) && row_null(&rows, 1, 1));
    ck_assert(!row_null(&rows, 2, 1) && !row_null(&rows, 2, 2));
    return RC_OK;
}

START_TEST(many_rows_with_bytes_and_without_values)
{
    struct fixture f;
    fixture_open(&f);
    enum rc rc = fixture_write(&f, insert_bytes, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    fixture_close(&f);
}
END_TEST

static enum rc wrong_sql(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "INSERT INTO setting (nme) VALUES ('x')");
}

START_TEST(wrong_sql_is_an_internal_error)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, wrong_sql, NULL), RC_INTERNAL);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "1", RC_OK}), RC_OK);
    fixture_close(&f);
}
END_TEST

enum { WALKED = 2500 };

static enum rc put_many(struct tx *tx, void *arg)
{
    (void)arg;
    for (int i = 0; i < WALKED; i++)
        TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)",
                    V(arena_fmt(tx->arena, "%05d", i)), V("x")));
    return RC_OK;
}

static enum rc walk_one(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    int *seen = arg;
    ck_assert_uint_eq(columns, 1);
    char name[16];
    (void)snprintf(name, sizeof name, "%05d", *seen);
    ck_assert(str_eq(cells[0].text, str_c(name)));
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT value FROM setting WHERE name = $1", V(cells[0])));
    ck_assert_uint_eq(r.count, 1);
    ++*seen;
    return *seen == WALKED + 1 ? RC_GONE : RC_OK;
}

static enum rc walk_all(struct tx *tx, void *arg)
{
    return sql_each(tx, walk_one, arg, "SELECT name FROM setting WHERE name >= $1 ORDER BY name",
                    V(""));
}

START_TEST(each_walks_all_rows_in_order_and_other_sql_may_run_meanwhile)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, put_many, NULL), RC_OK);
    int seen = 0;
    ck_assert_int_eq(fixture_read(&f, walk_all, &seen), RC_OK);
    ck_assert_int_eq(seen, WALKED);
    seen = 0;
    ck_assert_int_eq(fixture_write(&f, walk_all, &seen), RC_OK);
    ck_assert_int_eq(seen, WALKED);
    fixture_close(&f);
}
END_TEST

START_TEST(a_reading_tx_cannot_write)
{
    struct fixture f;
    fixture_open_in_memory(&f);
    (void)!fixture_read(&f, put, &(struct put){"a", "1", RC_OK});
}
END_TEST

START_TEST(a_reading_tx_is_refused_to_write_by_postgres)
{
    if (getenv("TEST_STORE") == NULL)
        return; /* SQLite takes it for the mistake of ours that it is, above */
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_read(&f, put, &(struct put){"a", "1", RC_OK}), RC_INTERNAL);
    fixture_close(&f);
}
END_TEST

/* --- many callers --- */

enum { THREADS = 64, EACH = 50 };

struct crowd {
    struct store *store;
    int number;
    int acknowledged;
};

static void *write_some(void *arg)
{
    struct crowd *c = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    struct err err = {0};
    for (int i = 0; i < EACH; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%d.%d", c->number, i);
        /* Every fifth fails after its statement, every seventh is a duplicate of "same". */
        struct put p = {i % 7 == 6 ? "same" : name, "v", i % 5 == 4 ? RC_INVALID : RC_OK};
        enum rc rc = store_write(c->store, &arena, &err, put, &p);
        bool kept = rc == RC_OK;
        ck_assert(kept || i % 5 == 4 || i % 7 == 6);
        c->acknowledged += kept;
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(all_that_64_threads_were_told_is_there_and_no_more)
{
    struct fixture f;
    fixture_open(&f);
    pthread_t threads[THREADS];
    struct crowd crowd[THREADS];
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){f.store, i, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_some, &crowd[i]), 0);
    }
    int64_t acknowledged = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        acknowledged += crowd[i].acknowledged;
    }
    ck_assert_int_eq(counted(&f), acknowledged);
    struct store_counters counters = store_counters(f.store);
    ck_assert_uint_eq(counters.batched, (uint64_t)acknowledged);
    ck_assert_uint_lt(counters.commits, counters.batched); /* they were grouped */
    store_close(f.store);
    fixture_open_with(&f, (struct store_options){0});
    ck_assert_int_eq(counted(&f), acknowledged);
    fixture_close(&f);
}
END_TEST

/* --- more than there is room for --- */

enum { BEYOND = 10 };

struct flood {
    sem_t begun;
    sem_t go_on;
    atomic_int done;
    atomic_int refused;
    sem_t all_done;
    struct err err;
    struct arena arena;
    struct store_job jobs[1 + STORE_QUEUE_MAX + BEYOND];
};

static enum rc hold_up(struct tx *tx, void *arg)
{
    (void)tx;
    struct flood *f = arg;
    sem_post(&f->begun);
    sem_wait(&f->go_on);
    return RC_OK;
}

static enum rc do_nothing(struct tx *tx, void *arg)
{
    (void)tx;
    (void)arg;
    return RC_OK;
}

static void note_end(struct store_job *job, enum rc rc)
{
    struct flood *f = job->arg;
    ck_assert(rc == RC_OK || rc == RC_UNAVAILABLE);
    if (rc == RC_UNAVAILABLE)
        atomic_fetch_add(&f->refused, 1);
    if (atomic_fetch_add(&f->done, 1) + 1 == (int)COUNT(f->jobs))
        sem_post(&f->all_done);
}

START_TEST(callers_beyond_the_queue_are_refused_and_all_are_told)
{
    struct fixture f;
    fixture_init(&f);
    fixture_open_with(&f, (struct store_options){.writers = 1});
    struct flood *flood = calloc(1, sizeof *flood);
    ck_assert_ptr_nonnull(flood);
    arena_init(&flood->arena, STORE_TX_ARENA_BYTES);
    sem_init(&flood->begun, 0, 0);
    sem_init(&flood->go_on, 0, 0);
    sem_init(&flood->all_done, 0, 0);
    for (size_t i = 0; i < COUNT(flood->jobs); i++) {
        flood->jobs[i] = (struct store_job){.fn = i == 0 ? hold_up : do_nothing,
                                            .arg = flood,
                                            .arena = &flood->arena,
                                            .err = &flood->err,
                                            .done = note_end};
        store_submit(f.store, &flood->jobs[i]);
        if (i == 0)
            sem_wait(&flood->begun); /* from now on all others wait */
    }
    ck_assert_uint_eq(store_counters(f.store).queue, STORE_QUEUE_MAX);
    sem_post(&flood->go_on);
    sem_wait(&flood->all_done);
    ck_assert_int_eq(atomic_load(&flood->refused), BEYOND);
    fixture_close(&f);
    arena_fini(&flood->arena);
    free(flood);
}
END_TEST

/* --- neighbours in one batch --- */

enum { NEIGHBOURS = 6, ROUNDS = 3 };

struct neighbour {
    struct store_job job;
    struct put put;
    tx_fn fn;
    int runs;
    struct err err;
    struct arena arena;
    struct street *street;
};

struct street {
    struct store *store;
    sem_t begun;
    sem_t go_on;
    sem_t done;
    struct neighbour all[1 + NEIGHBOURS]; /* the first holds the writer up until all others wait */
};

static enum rc keep_out(struct tx *tx, void *arg)
{
    (void)tx;
    struct neighbour *n = arg;
    sem_post(&n->street->begun);
    sem_wait(&n->street->go_on);
    return RC_OK;
}

static enum rc refuse_at_once(struct tx *tx, void *arg)
{
    (void)arg;
    return err_set(tx->err, RC_FORBIDDEN, "before anything was written");
}

static enum rc live(struct tx *tx, void *arg)
{
    struct neighbour *n = arg;
    n->runs++;
    return n->fn(tx, &n->put);
}

static void neighbour_done(struct store_job *job, enum rc rc)
{
    (void)rc; /* it is in the job */
    sem_post(&CONTAINER_OF(job, struct neighbour, job)->street->done);
}

/* All neighbours in one batch, behind one that is alone in its own. */
static void run_street(struct street *s)
{
    for (size_t i = 0; i < COUNT(s->all); i++) {
        struct neighbour *n = &s->all[i];
        n->street = s;
        n->job = (struct store_job){.fn = i == 0 ? keep_out : live,
                                    .arg = n,
                                    .arena = &n->arena,
                                    .err = &n->err,
                                    .done = neighbour_done};
        store_submit(s->store, &n->job);
        if (i == 0)
            sem_wait(&s->begun);
    }
    sem_post(&s->go_on);
    for (size_t i = 0; i < COUNT(s->all); i++)
        sem_wait(&s->done);
}

static struct street *build_street(struct store *store)
{
    struct street *s = calloc(1, sizeof *s);
    ck_assert_ptr_nonnull(s);
    s->store = store;
    sem_init(&s->begun, 0, 0);
    sem_init(&s->go_on, 0, 0);
    sem_init(&s->done, 0, 0);
    for (size_t i = 0; i < COUNT(s->all); i++)
        arena_init(&s->all[i].arena, STORE_TX_ARENA_BYTES);
    return s;
}

static void leave_street(struct street *s)
{
    for (size_t i = 0; i < COUNT(s->all); i++)
        arena_fini(&s->all[i].arena);
    free(s);
}

START_TEST(a_unit_that_fails_before_it_wrote_costs_its_neighbours_nothing)
{
    struct fixture f;
    fixture_init(&f);
    fixture_open_with(&f, (struct store_options){.writers = 1});
    struct street *s = build_street(f.store);
    static const char *const names[] = {"", "a", "b", "c", "d", "e", "f"};
    for (size_t i = 1; i <= NEIGHBOURS; i++) {
        s->all[i].fn = i % 2 == 0 ? refuse_at_once : put;
        s->all[i].put = (struct put){names[i], "v", RC_OK};
    }
    run_street(s);
    for (size_t i = 1; i <= NEIGHBOURS; i++) {
        ck_assert_int_eq(s->all[i].job.rc, i % 2 == 0 ? RC_FORBIDDEN : RC_OK);
        ck_assert_int_eq(s->all[i].runs, 1);
        check_value(&f, names[i], i % 2 == 0 ? NULL : "v");
    }
    ck_assert_uint_eq(store_counters(f.store).spoiled, 0);
    leave_street(s);
    fixture_close(&f);
}
END_TEST

START_TEST(a_unit_that_fails_half_way_takes_no_neighbour_along)
{
    struct fixture f;
    fixture_init(&f);
    fixture_open_with(&f, (struct store_options){.writers = 1});
    bool bare = getenv("TEST_STORE") == NULL;
    struct street *s = build_street(f.store);
    char names[1 + NEIGHBOURS][16];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 1; i <= NEIGHBOURS; i++) {
            (void)snprintf(names[i], sizeof names[i], "n%d.%zu", round, i);
            s->all[i].fn = put;
            s->all[i].put = (struct put){names[i], "v", i == 3 ? RC_INVALID : RC_OK};
            s->all[i].runs = 0;
        }
        s->all[5].put.name = names[2]; /* a duplicate: its statement fails */
        run_street(s);
        for (size_t i = 1; i <= NEIGHBOURS; i++) {
            ck_assert_int_eq(s->all[i].job.rc, i == 3 ? RC_INVALID : i == 5 ? RC_CONFLICT : RC_OK);
            /* The first time it is found out; then the batches are run with care. */
            ck_assert_int_eq(s->all[i].runs, bare && round == 0 && i <= 3 ? 2 : 1);
            check_value(&f, names[i], i == 3 || i == 5 ? NULL : "v");
        }
    }
    ck_assert_uint_eq(store_counters(f.store).spoiled, bare ? 1 : 0);
    ck_assert_int_eq(counted(&f), (int64_t)ROUNDS * (NEIGHBOURS - 2));
    leave_street(s);
    fixture_close(&f);
}
END_TEST

enum { TEXTS = 2000 };

/* As many constants as no connection keeps statements for, each asked twice. */
static enum rc ask_many(struct tx *tx, void *arg)
{
    char(*texts)[64] = arg;
    for (int i = 0; i < 2 * TEXTS; i++) {
        struct rows r;
        int n = i % TEXTS;
        TRY(sql_rows_n(tx, &r, texts[n], VALUES(V(n))));
        ck_assert_int_eq(row_int(&r, 0, 0), 2 * n);
    }
    return RC_OK;
}

START_TEST(more_statements_than_are_kept_work_as_well)
{
    struct fixture f;
    fixture_open(&f);
    char(*texts)[64] = calloc(TEXTS, sizeof *texts);
    ck_assert_ptr_nonnull(texts);
    for (int i = 0; i < TEXTS; i++)
        (void)snprintf(texts[i], sizeof texts[i], "SELECT $1 + %d", i);
    ck_assert_int_eq(fixture_read(&f, ask_many, texts), RC_OK);
    ck_assert_int_eq(fixture_write(&f, ask_many, texts), RC_OK);
    fixture_close(&f);
    free(texts);
}
END_TEST

enum { LARGE_BYTES = 4 * 1024 * 1024 };

static enum rc keep_large(struct tx *tx, void *arg)
{
    struct str text = *(struct str *)arg;
    TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V("large"), V(text)));
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT value FROM setting WHERE name = $1", V("large")));
    ck_assert(str_eq(row_str(&r, 0, 0), text));
    return RC_OK;
}

START_TEST(large_texts_come_back_as_they_went_or_are_refused_for_want_of_room)
{
    struct fixture f;
    fixture_open(&f);
    char *bytes = malloc(LARGE_BYTES);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (char)('a' + i % 26);
    struct str text = str_n(bytes, LARGE_BYTES);
    ck_assert_int_eq(fixture_write(&f, keep_large, &text), RC_OK);
    struct arena small;
    arena_init(&small, LARGE_BYTES / 2);
    struct get g = {.name = "large"};
    ck_assert_int_eq(store_read(f.store, &small, &f.err, get, &g), RC_TOO_LARGE);
    arena_fini(&small);
    fixture_close(&f);
    free(bytes);
}
END_TEST

/* More than the writer keeps of its pages, so that some go to the log file before the commit. */
enum { WIDE_ROWS = 300, WIDE_BYTES = 64 * 1024 };

struct wide {
    char *text;
    char letter;
    enum rc end;
};

static enum rc put_wide(struct tx *tx, void *arg)
{
    const struct wide *w = arg;
    memset(w->text, w->letter, WIDE_BYTES);
    for (int i = 0; i < WIDE_ROWS; i++)
        TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)",
                    V(arena_fmt(tx->arena, "%c%d", w->letter, i)), V(str_n(w->text, WIDE_BYTES))));
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT SUM(LENGTH(value)) FROM setting WHERE name LIKE $1",
                 V(arena_fmt(tx->arena, "%c%%", w->letter))));
    ck_assert_int_eq(row_int(&r, 0, 0), (int64_t)WIDE_ROWS * WIDE_BYTES);
    return w->end == RC_OK ? RC_OK : err_set(tx->err, w->end, "as the test wants");
}

START_TEST(a_unit_wider_than_the_writers_memory_is_kept_or_leaves_nothing)
{
    struct fixture f;
    fixture_open(&f);
    struct wide w = {.text = malloc(WIDE_BYTES), .letter = 'a', .end = RC_INVALID};
    ck_assert_ptr_nonnull(w.text);
    ck_assert_int_eq(fixture_write(&f, put_wide, &w), RC_INVALID);
    ck_assert_int_eq(counted(&f), 0);
    check_value(&f, "a0", NULL);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"small", "1", RC_OK}), RC_OK);
    w = (struct wide){.text = w.text, .letter = 'b', .end = RC_OK};
    ck_assert_int_eq(fixture_write(&f, put_wide, &w), RC_OK);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){"next", "2", RC_OK}), RC_OK);
    store_close(f.store);
    fixture_open_with(&f, (struct store_options){0});
    ck_assert_int_eq(counted(&f), WIDE_ROWS + 2);
    check_value(&f, "small", "1");
    check_value(&f, "next", "2");
    free(w.text);
    fixture_close(&f);
}
END_TEST

/* --- who may open it --- */

START_TEST(a_second_opening_is_refused_by_sqlite)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* PostgreSQL takes many processes */
    struct fixture f;
    fixture_open(&f);
    struct store_options o = {.url = str_c(f.url), .clock = clock_system()};
    struct store *second = NULL;
    ck_assert_int_eq(store_open(&second, &o, &f.err), RC_CONFLICT);
    char want[512];
    (void)snprintf(want, sizeof want, "the store in '%s' is in use by process %d", f.folder,
                   (int)getpid());
    ck_assert_str_eq(f.err.text, want);
    ck_assert_ptr_null(second);
    fixture_close(&f);
}
END_TEST

START_TEST(an_address_of_no_known_kind_is_refused_without_repeating_it)
{
    static const char *const urls[] = {"", "sqlite:", "mysql://joe:secret@host/db", "/var/lib/x"};
    struct err err = {0};
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct store *s = NULL;
        struct store_options o = {.url = str_c(urls[i]), .clock = clock_system()};
        ck_assert_int_eq(store_open(&s, &o, &err), RC_INVALID);
        ck_assert_ptr_null(strstr(err.text, "secret"));
    }
}
END_TEST

START_TEST(a_store_in_memory_works_and_is_gone_at_close)
{
    struct fixture f = {.url = "sqlite::memory:"};
    arena_init(&f.arena, STORE_TX_ARENA_BYTES);
    for (int i = 0; i < 2; i++) {
        fixture_open_with(&f, (struct store_options){0});
        ck_assert_int_eq(counted(&f), 0);
        ck_assert_int_eq(fixture_write(&f, put, &(struct put){"a", "1", RC_OK}), RC_OK);
        ck_assert_int_eq(counted(&f), 1);
        store_close(f.store);
    }
    arena_fini(&f.arena);
}
END_TEST

/* Three who read so that there is always one that reads, each while others begin and commits come,
 * until told to end. */
enum { LONG_TEXT = 1 << 20, LONG_TEXTS = 160, LOG_MAX = 120 << 20 };

struct reading {
    struct fixture *f;
    atomic_bool end;
    atomic_uint begun;
};

static enum rc read_a_while(struct tx *tx, void *arg)
{
    struct reading *r = arg;
    struct rows rows;
    TRY(sql_rows(tx, &rows, "SELECT name FROM setting LIMIT 10"));
    unsigned before = atomic_fetch_add(&r->begun, 1);
    uint64_t commits = store_commits(r->f->store);
    for (int i = 0; i < 50; i++) {
        if (atomic_load(&r->begun) > before + 1 && store_commits(r->f->store) > commits + 1)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return RC_OK;
}

static void *read_on_and_on(void *arg)
{
    struct reading *r = arg;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    while (!atomic_load(&r->end)) {
        ck_assert_int_eq(store_read(r->f->store, &arena, &err, read_a_while, r), RC_OK);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

static enum rc put_long_text(struct tx *tx, void *arg)
{
    return sql_run(tx,
                   "INSERT INTO setting (name, value) VALUES ('long', $1) ON CONFLICT (name) DO "
                   "UPDATE SET value = excluded.value",
                   V(*(struct str *)arg));
}

START_TEST(the_log_file_begins_anew_though_there_is_always_one_that_reads)
{
    struct fixture f;
    struct reading r = {.f = &f};
    pthread_t readers[3];
    static char text[LONG_TEXT];
    struct stat file;
    char path[512];
    fixture_open(&f);
    struct str all = str_n(text, sizeof text);
    for (size_t i = 0; i < COUNT(readers); i++)
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on_and_on, &r), 0);
    for (int i = 0; i < LONG_TEXTS; i++) {
        memset(text, 'a' + i % 26, sizeof text); /* what stays as it is, is not written */
        ck_assert_int_eq(fixture_write(&f, put_long_text, &all), RC_OK);
    }
    atomic_store(&r.end, true);
    for (size_t i = 0; i < COUNT(readers); i++)
        pthread_join(readers[i], NULL);
    (void)snprintf(path, sizeof path, "%s/hanse.db-wal", f.folder);
    if (f.folder[0] != '\0') {
        ck_assert_int_eq(stat(path, &file), 0);
        ck_assert_int_lt(file.st_size, LOG_MAX);
    }
    fixture_close(&f);
}
END_TEST

Suite *store_suite(void);
Suite *store_suite(void)
{
    Suite *s = suite_create("store");
    TCase *c = tcase_create("store");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, what_was_written_is_read_and_is_there_after_reopening);
    tcase_add_test(c, a_unit_of_work_that_fails_leaves_nothing);
    tcase_add_test(c, a_duplicate_is_a_conflict);
    tcase_add_test(c, a_unit_of_work_that_hides_a_failed_statement_is_not_kept);
    tcase_add_test(c, parameters_go_where_their_number_says);
    tcase_add_test(c, text_with_a_nul_byte_is_refused);
    tcase_add_test(c, the_log_file_begins_anew_though_there_is_always_one_that_reads);
    tcase_add_test(c, many_rows_are_inserted_as_one_by_one);
    tcase_add_test(c, many_rows_with_bytes_and_without_values);
    tcase_add_test(c, wrong_sql_is_an_internal_error);
    tcase_add_test(c, each_walks_all_rows_in_order_and_other_sql_may_run_meanwhile);
    tcase_add_test_raise_signal(c, a_reading_tx_cannot_write, SIGABRT);
    tcase_add_test(c, a_reading_tx_is_refused_to_write_by_postgres);
    tcase_add_test(c, all_that_64_threads_were_told_is_there_and_no_more);
    tcase_add_test(c, callers_beyond_the_queue_are_refused_and_all_are_told);
    tcase_add_test(c, a_unit_that_fails_before_it_wrote_costs_its_neighbours_nothing);
    tcase_add_test(c, a_unit_that_fails_half_way_takes_no_neighbour_along);
    tcase_add_test(c, more_statements_than_are_kept_work_as_well);
    tcase_add_test(c, large_texts_come_back_as_they_went_or_are_refused_for_want_of_room);
    tcase_add_test(c, a_unit_wider_than_the_writers_memory_is_kept_or_leaves_nothing);
    tcase_add_test(c, a_second_opening_is_refused_by_sqlite);
    tcase_add_test(c, an_address_of_no_known_kind_is_refused_without_repeating_it);
    tcase_add_test(c, a_store_in_memory_works_and_is_gone_at_close);
    suite_add_tcase(s, c);
    return s;
}
