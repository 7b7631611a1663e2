#include "store/store_fixture.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>

/* A room beside the store: it counts rows of `setting` in memory, and notes what it is told. */
struct room {
    char told[4096];
    size_t told_n;
    int64_t rows; /* committed */
    int64_t kept; /* of the batch in hand */
    int64_t unit; /* of the unit in hand */
    enum rc answer;
    bool in_batch;
    pthread_t thread;
    bool many_threads;
};

static void told(struct room *r, char what)
{
    if (r->told_n < sizeof r->told - 1)
        r->told[r->told_n++] = what;
    if (r->told_n > 1 && !pthread_equal(r->thread, pthread_self()))
        r->many_threads = true;
    r->thread = pthread_self();
}

static enum rc room_begin(void *arg, struct tx *tx)
{
    struct room *r = arg;
    told(r, 'b');
    ck_assert(!r->in_batch);
    ck_assert(tx->writing);
    r->in_batch = true;
    r->kept = 0;
    r->unit = 0;
    return RC_OK;
}

static void room_keep(void *arg)
{
    struct room *r = arg;
    told(r, 'k');
    r->kept += r->unit;
    r->unit = 0;
}

static void room_undo(void *arg)
{
    struct room *r = arg;
    told(r, 'u');
    r->unit = 0;
}

static enum rc room_before_commit(void *arg, struct tx *tx)
{
    struct room *r = arg;
    told(r, 'w');
    if (r->answer != RC_OK) {
        enum rc rc = r->answer;
        r->answer = RC_OK;
        return err_set(tx->err, rc, "as the test wants");
    }
    int64_t rows = r->rows + r->kept;
    return sql_run(tx,
                   "INSERT INTO lease (name, holder, ends) VALUES ('rows', '', $1) ON CONFLICT "
                   "(name) DO UPDATE SET ends = $1",
                   V(rows));
}

static void room_committed(void *arg)
{
    struct room *r = arg;
    told(r, 'c');
    r->rows += r->kept;
    r->in_batch = false;
}

static void room_rolled_back(void *arg)
{
    struct room *r = arg;
    told(r, 'r');
    r->in_batch = false;
}

static void take_part(struct fixture *f, struct room *r)
{
    store_take_part(f->store, &(struct store_participant){room_begin, room_keep, room_undo,
                                                          room_before_commit, room_committed,
                                                          room_rolled_back, r});
}

struct put {
    struct room *room;
    const char *name;
    enum rc answer;
};

static enum rc put(struct tx *tx, void *arg)
{
    const struct put *p = arg;
    TRY(sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, 'x')", V(p->name)));
    p->room->unit++;
    if (p->answer != RC_OK)
        return err_set(tx->err, p->answer, "as the test wants");
    return RC_OK;
}

static enum rc count(struct tx *tx, void *arg)
{
    int64_t *n = arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT COUNT(*) FROM setting"));
    n[0] = row_int(&r, 0, 0);
    TRY(sql_rows(tx, &r, "SELECT ends FROM lease WHERE name = 'rows'"));
    n[1] = r.count > 0 ? row_int(&r, 0, 0) : 0;
    return RC_OK;
}

static void check_rows(struct fixture *f, const struct room *r, int64_t want)
{
    int64_t n[2] = {-1, -1};
    ck_assert_int_eq(fixture_read(f, count, n), RC_OK);
    ck_assert_int_eq(n[0], want);
    ck_assert_int_eq(n[1], want);
    ck_assert_int_eq(r->rows, want);
}

START_TEST(a_participant_hears_of_every_unit_and_of_the_end)
{
    struct fixture f;
    struct room r = {0};
    fixture_open(&f);
    take_part(&f, &r);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "a", RC_OK}), RC_OK);
    ck_assert_str_eq(r.told, "bkwc");
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "b", RC_INVALID}), RC_INVALID);
    ck_assert_str_eq(r.told, "bkwcbur");
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "a", RC_OK}), RC_CONFLICT);
    ck_assert_str_eq(r.told, "bkwcburbur");
    check_rows(&f, &r, 1);
    fixture_close(&f);
}
END_TEST

START_TEST(before_the_commit_it_may_ask_for_a_repeat)
{
    struct fixture f;
    struct room r = {.answer = RC_RETRY};
    fixture_open(&f);
    take_part(&f, &r);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "a", RC_OK}), RC_OK);
    ck_assert_str_eq(r.told, "bkwrbkwc");
    check_rows(&f, &r, 1);
    fixture_close(&f);
}
END_TEST

START_TEST(before_the_commit_it_may_refuse_and_nothing_is_kept)
{
    struct fixture f;
    struct room r = {.answer = RC_INVALID};
    fixture_open(&f);
    take_part(&f, &r);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "a", RC_OK}), RC_INVALID);
    ck_assert_str_eq(f.err.text, "as the test wants");
    ck_assert_str_eq(r.told, "bkwr");
    check_rows(&f, &r, 0);
    fixture_close(&f);
}
END_TEST

START_TEST(none_takes_part_after_the_first_write)
{
    struct fixture f;
    struct room r = {0};
    fixture_open_in_memory(&f);
    take_part(&f, &r);
    ck_assert_int_eq(fixture_write(&f, put, &(struct put){&r, "a", RC_OK}), RC_OK);
    take_part(&f, &r);
}
END_TEST

enum { THREADS = 16, EACH = 40 };

struct crowd {
    struct fixture *f;
    struct room *room;
    int number;
    int acknowledged;
};

static void *write_some(void *arg)
{
    struct crowd *c = arg;
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct err err = {0};
    for (int i = 0; i < EACH; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%d.%d", c->number, i);
        struct put p = {c->room, i % 7 == 6 ? "same" : name, i % 5 == 4 ? RC_INVALID : RC_OK};
        c->acknowledged += store_write(c->f->store, &arena, &err, put, &p) == RC_OK;
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(memory_and_store_agree_whatever_fails_and_one_thread_writes)
{
    struct fixture f;
    struct room r = {0};
    fixture_init(&f);
    fixture_open_with(&f, (struct store_options){.writers = 4});
    take_part(&f, &r);
    pthread_t threads[THREADS];
    struct crowd crowd[THREADS];
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){&f, &r, i, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_some, &crowd[i]), 0);
    }
    int64_t acknowledged = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        acknowledged += crowd[i].acknowledged;
    }
    ck_assert(!r.many_threads);
    ck_assert_int_gt(acknowledged, THREADS * EACH / 2);
    check_rows(&f, &r, acknowledged);
    fixture_close(&f);
}
END_TEST

/* --- bytes --- */

static const char *const make_table =
    "CREATE TABLE bytes_test (id BIGINT NOT NULL PRIMARY KEY, body BYTEA)";

static struct str all_bytes(struct arena *arena, size_t n)
{
    char *p = arena_bytes(arena, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 256);
    return str_n(p, n);
}

static enum rc check_bytes(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    int64_t *seen = arg;
    ck_assert_uint_eq(columns, 3);
    ck_assert_int_eq(cells[0].number, (*seen)++);
    if (cells[0].number == 0) {
        ck_assert_int_eq(cells[1].type, VALUE_NULL);
        return RC_OK;
    }
    ck_assert_int_eq(cells[1].type, VALUE_BYTES);
    ck_assert_int_eq(cells[2].type, VALUE_BYTES);
    size_t n = cells[0].number == 1 ? 0 : cells[0].number == 2 ? 256 : 1000000;
    /* Other SQL that gives bytes leaves those in hand alone. */
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT body FROM bytes_test WHERE id = $1", V(5 - cells[0].number)));
    ck_assert(str_eq(cells[1].text, all_bytes(tx->arena, n)));
    ck_assert(str_eq(cells[2].text, cells[1].text));
    return RC_OK;
}

static enum rc put_bytes(struct tx *tx, void *arg)
{
    (void)arg;
    TRY(sql_run(tx, make_table));
    const char *sql = "INSERT INTO bytes_test (id, body) VALUES ($1, $2)";
    TRY(sql_run(tx, sql, V(0), SQL_NULL));
    TRY(sql_run(tx, sql, V(1), value_bytes(STR(""))));
    TRY(sql_run(tx, sql, V(2), value_bytes(all_bytes(tx->arena, 256))));
    return sql_run(tx, sql, V(3), value_bytes(all_bytes(tx->arena, 1000000)));
}

static enum rc get_bytes(struct tx *tx, void *arg)
{
    (void)arg;
    int64_t seen = 0;
    TRY(sql_each(tx, check_bytes, &seen, "SELECT id, body, body FROM bytes_test ORDER BY id"));
    ck_assert_int_eq(seen, 4);
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT body FROM bytes_test ORDER BY id LIMIT 4"));
    ck_assert_uint_eq(row_bytes(&r, 0, 0).n, 0);
    ck_assert_uint_eq(row_bytes(&r, 1, 0).n, 0);
    ck_assert(row_null(&r, 0, 0));
    ck_assert(!row_null(&r, 1, 0));
    ck_assert(str_eq(row_bytes(&r, 2, 0), all_bytes(tx->arena, 256)));
    ck_assert(str_eq(row_bytes(&r, 3, 0), all_bytes(tx->arena, 1000000)));
    TRY(sql_rows(tx, &r, "SELECT id FROM bytes_test WHERE body = $1 ORDER BY id LIMIT 2",
                 value_bytes(all_bytes(tx->arena, 256))));
    ck_assert_uint_eq(r.count, 1);
    ck_assert_int_eq(row_int(&r, 0, 0), 2);
    return RC_OK;
}

START_TEST(bytes_of_every_value_come_back)
{
    struct fixture f;
    fixture_open(&f);
    enum rc rc = fixture_write(&f, put_bytes, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    rc = fixture_read(&f, get_bytes, NULL);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    fixture_close(&f);
}
END_TEST

Suite *participant_suite(void);
Suite *participant_suite(void)
{
    Suite *s = suite_create("participant");
    TCase *c = tcase_create("participant");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_participant_hears_of_every_unit_and_of_the_end);
    tcase_add_test(c, before_the_commit_it_may_ask_for_a_repeat);
    tcase_add_test(c, before_the_commit_it_may_refuse_and_nothing_is_kept);
    tcase_add_test_raise_signal(c, none_takes_part_after_the_first_write, SIGABRT);
    tcase_add_test(c, memory_and_store_agree_whatever_fails_and_one_thread_writes);
    tcase_add_test(c, bytes_of_every_value_come_back);
    suite_add_tcase(s, c);
    return s;
}
