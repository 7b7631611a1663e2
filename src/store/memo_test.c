#include "store/engine.h"
#include "store/store_fixture.h"

#include <check.h>
#include <semaphore.h>

/* PostgreSQL keeps nothing: there the rounds show that sql_kept is sql_rows, over a wire. */
enum { NAMES = 6, UNIT_STEPS = 12, ROUNDS_SQLITE = 300, ROUNDS_POSTGRES = 20 };

/* What is kept has to say what the SELECT says, whatever happened before. */
static enum rc compare(struct tx *tx, int64_t number)
{
    struct rows kept;
    struct rows asked;
    struct str name = arena_fmt(tx->arena, "name%lld", (long long)(number % NAMES));
    TRY(sql_kept(tx, &kept, "SELECT name, value FROM setting WHERE name = $1", V(name)));
    TRY(sql_rows(tx, &asked, "SELECT name, value FROM setting WHERE name = $1 ", V(name)));
    ck_assert_uint_eq(kept.count, asked.count);
    for (size_t i = 0; i < kept.count; i++) {
        ck_assert(str_eq(row_str(&kept, i, 0), row_str(&asked, i, 0)));
        ck_assert(str_eq(row_str(&kept, i, 1), row_str(&asked, i, 1)));
    }
    TRY(sql_kept(tx, &kept, "SELECT COUNT(*) FROM setting WHERE name LIKE 'name%'"));
    TRY(sql_rows(tx, &asked, "SELECT COUNT(*) FROM setting WHERE name LIKE 'name%' "));
    ck_assert_int_eq(row_int(&kept, 0, 0), row_int(&asked, 0, 0));
    return RC_OK;
}

struct unit {
    uint64_t seed;
    enum rc answer;
};

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static enum rc change(struct tx *tx, int64_t number, uint64_t how)
{
    struct str name = arena_fmt(tx->arena, "name%lld", (long long)(number % NAMES));
    struct str value = arena_fmt(tx->arena, "%lld", (long long)number);
    if (how == 0)
        return sql_run(tx, "DELETE FROM setting WHERE name = $1", V(name));
    if (how == 1)
        return sql_run(tx, "UPDATE setting SET value = $2 WHERE name = $1", V(name), V(value));
    return sql_run(tx,
                   "INSERT INTO setting (name, value) VALUES ($1, $2) "
                   "ON CONFLICT (name) DO UPDATE SET value = $2",
                   V(name), V(value));
}

static enum rc run_unit(struct tx *tx, void *arg)
{
    const struct unit *u = arg;
    uint64_t seed = u->seed;
    for (int i = 0; i < UNIT_STEPS; i++) {
        int64_t number = (int64_t)next(&seed);
        uint64_t how = next(&seed) % 6;
        TRY(compare(tx, number));
        if (tx->writing && how < 3)
            TRY(change(tx, number, how));
        TRY(compare(tx, number));
    }
    return u->answer == RC_OK ? RC_OK : err_set(tx->err, u->answer, "as the test wants");
}

struct answer {
    struct store_job job;
    sem_t came; /* until then the unit and the arena are the writer's */
};

static void take_answer(struct store_job *job, enum rc rc)
{
    (void)rc;
    sem_post(&CONTAINER_OF(job, struct answer, job)->came);
}

START_TEST(what_is_kept_says_what_the_store_says)
{
    struct fixture f;
    fixture_open(&f);
    uint64_t seed = 0;
    clock_chance(clock_system(), &seed, sizeof seed);
    printf("memo: seed %llu\n", (unsigned long long)seed);
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    int rounds = store_engine(f.store) == STORE_SQLITE ? ROUNDS_SQLITE : ROUNDS_POSTGRES;
    for (int i = 0; i < rounds; i++) {
        /* Three at once make a batch, often; one of four fails, with or without changes of it. */
        struct unit units[3];
        for (size_t k = 0; k < COUNT(units); k++)
            units[k] = (struct unit){next(&seed), next(&seed) % 4 == 0 ? RC_CONFLICT : RC_OK};
        struct answer answer = {.job = {.fn = run_unit,
                                        .arg = &units[0],
                                        .arena = &arena,
                                        .err = &err,
                                        .done = take_answer}};
        sem_init(&answer.came, 0, 0);
        store_submit(f.store, &answer.job);
        ck_assert_int_eq(fixture_write(&f, run_unit, &units[1]), units[1].answer);
        ck_assert_int_eq(fixture_read(&f, run_unit, &units[2]), units[2].answer);
        while (sem_wait(&answer.came) != 0)
            ; /* a signal came between */
        sem_destroy(&answer.came);
        arena_reset(&arena);
        arena_reset(&f.arena);
    }
    arena_fini(&arena);
    fixture_close(&f);
}
END_TEST

/* --- the table by itself --- */

static const char one[] = "SELECT one";
static const char other[] = "SELECT other";

START_TEST(rows_are_found_by_statement_and_arguments_until_a_table_changes)
{
    struct memo *m = memo_open();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct memo_tables a = {0};
    struct memo_tables b = {0};
    memo_add_table(m, "a", &a);
    memo_add_table(m, "b", &b);
    struct value args[] = {V("x"), V(7)};
    struct value cells[] = {V("text"), SQL_NULL, V(STR("")), V(-1)};
    struct rows rows = {2, 2, cells};
    struct rows got;
    memo_keep(m, one, args, COUNT(args), &a, &rows);
    ck_assert(memo_find(m, one, args, COUNT(args), &arena, &got));
    ck_assert_uint_eq(got.count, 2);
    ck_assert(str_eq(row_str(&got, 0, 0), STR("text")));
    ck_assert(row_null(&got, 0, 1));
    ck_assert_uint_eq(row_str(&got, 1, 0).n, 0);
    ck_assert_int_eq(row_int(&got, 1, 1), -1);
    ck_assert(!memo_find(m, other, args, COUNT(args), &arena, &got));
    ck_assert(!memo_find(m, one, args, 1, &arena, &got));
    struct value others[] = {V("x"), V(8)};
    ck_assert(!memo_find(m, one, others, COUNT(others), &arena, &got));
    memo_forget(m, &b);
    ck_assert(memo_find(m, one, args, COUNT(args), &arena, &got));
    memo_forget(m, &a);
    ck_assert(!memo_find(m, one, args, COUNT(args), &arena, &got));
    memo_keep(m, one, args, COUNT(args), &a, &rows);
    memo_forget_all(m);
    ck_assert(!memo_find(m, one, args, COUNT(args), &arena, &got));
    memo_close(m);
    arena_fini(&arena);
}
END_TEST

START_TEST(too_much_and_nothing_are_not_kept)
{
    struct memo *m = memo_open();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct memo_tables a = {0};
    char large[MEMO_BYTES_MAX];
    memset(large, 'x', sizeof large);
    struct value cells[] = {V(str_n(large, sizeof large))};
    struct rows got;
    memo_keep(m, one, NULL, 0, &a, &(struct rows){1, 1, cells});
    ck_assert(!memo_find(m, one, NULL, 0, &arena, &got));
    memo_keep(m, one, NULL, 0, &a, &(struct rows){0, 1, cells});
    ck_assert(!memo_find(m, one, NULL, 0, &arena, &got));
    memo_close(m);
    arena_fini(&arena);
}
END_TEST

START_TEST(tables_without_a_place_of_their_own_share_one)
{
    struct memo *m = memo_open();
    struct memo_tables last = {0};
    for (int i = 0; i < MEMO_TABLES_MAX + 5; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "table%d", i);
        struct memo_tables one_table = {0};
        memo_add_table(m, name, &one_table);
        last = one_table;
    }
    struct memo_tables long_name = {0};
    memo_add_table(m, "a_name_that_is_longer_than_any_table_of_hanse_is_by_far", &long_name);
    ck_assert_mem_eq(&last, &long_name, sizeof last);
    memo_close(m);
}
END_TEST

Suite *memo_suite(void);
Suite *memo_suite(void)
{
    Suite *s = suite_create("memo");
    TCase *c = tcase_create("memo");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, what_is_kept_says_what_the_store_says);
    tcase_add_test(c, rows_are_found_by_statement_and_arguments_until_a_table_changes);
    tcase_add_test(c, too_much_and_nothing_are_not_kept);
    tcase_add_test(c, tables_without_a_place_of_their_own_share_one);
    suite_add_tcase(s, c);
    return s;
}
