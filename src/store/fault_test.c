/* What the store promises when things break: processes killed, disks full, servers gone. */
#include "store/outbox.h"
#include "store/store.h"

#include "store/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/wait.h>

static uint64_t seed_of_test(void)
{
    const char *text = getenv("TEST_SEED");
    int64_t seed = 20261122;
    if (text != NULL)
        (void)!str_to_i64(str_c(text), 0, INT64_MAX, &seed);
    return (uint64_t)seed;
}

static enum rc count_of(struct tx *tx, const char *sql, int64_t *ret)
{
    struct rows r;
    TRY(sql_rows(tx, &r, sql));
    *ret = row_int(&r, 0, 0);
    return RC_OK;
}

static enum rc make_table(struct tx *tx, void *arg)
{
    (void)arg;
    /* No key: a row that came twice would be there twice. */
    return sql_run(tx, "CREATE TABLE kept (number BIGINT NOT NULL, filler TEXT NOT NULL)");
}

/* --- killed under load --- */

enum { ROUNDS = 100, KILL_WRITERS = 8, ACKS_MAX = 200, NUMBERS_MAX = 1 << 20 };

struct row {
    int64_t number;
    struct str filler;
};

static enum rc put_row(struct tx *tx, void *arg)
{
    const struct row *row = arg;
    TRY(sql_run(tx, "INSERT INTO kept (number, filler) VALUES ($1, $2)", V(row->number),
                V(row->filler)));
    return outbox_put(tx, "event.kept", STR(""), STR("{}"));
}

struct victim {
    struct store *store;
    atomic_llong next;
    int pipe;
};

static void *write_and_tell(void *arg)
{
    struct victim *v = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    for (;;) {
        struct row row = {atomic_fetch_add(&v->next, 1), STR("some text")};
        struct err err = {0};
        arena_reset(&arena);
        enum rc rc = store_write(v->store, &arena, &err, put_row, &row);
        if (rc == RC_OK && write(v->pipe, &row.number, sizeof row.number) != sizeof row.number)
            _exit(1);
    }
    return NULL;
}

/* Writes until it is killed. */
static void live_and_die(struct fixture *f, int64_t from, int pipe)
{
    fixture_open_with(f, (struct store_options){0});
    struct outbox *o = outbox_open(f->store, clock_system(), NULL);
    struct victim v = {.store = f->store, .pipe = pipe};
    atomic_init(&v.next, from);
    pthread_t threads[KILL_WRITERS];
    for (int i = 0; i < KILL_WRITERS; i++)
        if (pthread_create(&threads[i], NULL, write_and_tell, &v) != 0)
            _exit(1);
    for (int i = 0; i < KILL_WRITERS; i++)
        pthread_join(threads[i], NULL);
    outbox_close(o);
}

/* One life: start a process, let it tell acks numbers, kill it, note all that it had told. */
static int64_t kill_one(struct fixture *f, bool *told, int64_t from, uint64_t acks)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)close(ends[0]);
        live_and_die(f, from, ends[1]);
        _exit(0);
    }
    (void)close(ends[1]);
    int64_t highest = from;
    int64_t number = 0;
    for (uint64_t n = 0; read(ends[0], &number, sizeof number) == sizeof number; n++) {
        ck_assert(number >= from && number < NUMBERS_MAX);
        ck_assert(!told[number]);
        told[number] = true;
        highest = max_i64(highest, number);
        if (n == acks)
            ck_assert_int_eq(kill(pid, SIGKILL), 0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "the writing process ended by itself");
    (void)close(ends[0]);
    return highest + KILL_WRITERS + 1; /* the others were about to be told */
}

static enum rc strike_off(struct tx *tx, const struct value *cells, size_t columns, void *arg)
{
    (void)tx;
    (void)columns;
    ((bool *)arg)[cells[0].number] = false;
    return RC_OK;
}

static enum rc check_all_there(struct tx *tx, void *arg)
{
    TRY(sql_each(tx, strike_off, arg, "SELECT number FROM kept ORDER BY number"));
    int64_t rows = 0;
    int64_t numbers = 0;
    TRY(count_of(tx, "SELECT COUNT(*) FROM kept", &rows));
    TRY(count_of(tx, "SELECT COUNT(DISTINCT number) FROM kept", &numbers));
    ck_assert_int_eq(rows, numbers); /* none is there twice */
    int64_t events = 0;
    int64_t last = 0;
    TRY(count_of(tx, "SELECT COUNT(*) FROM outbox WHERE seq IS NOT NULL", &events));
    TRY(outbox_last(tx, &last));
    ck_assert_int_eq(events, rows); /* each has told of itself, once */
    ck_assert_int_eq(last, rows);   /* numbered without gaps */
    return RC_OK;
}

/* With PostgreSQL the last victim still holds it, and nobody wants to wait for its end here. */
static enum rc end_lease(struct tx *tx, void *arg)
{
    (void)arg;
    return sql_run(tx, "DELETE FROM lease");
}

START_TEST(what_was_acknowledged_survives_a_hundred_kills_and_none_is_there_twice)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, make_table, NULL), RC_OK);
    store_close(f.store);
    f.store = NULL;
    struct clock_sim chance;
    clock_sim_init(&chance, 0, seed_of_test());
    bool *told = calloc(NUMBERS_MAX, sizeof *told);
    ck_assert_ptr_nonnull(told);
    int64_t from = 0;
    for (int i = 0; i < ROUNDS; i++)
        from = kill_one(&f, told, from, clock_sim_below(&chance, ACKS_MAX));
    fixture_open_with(&f, (struct store_options){0});
    ck_assert_int_eq(fixture_write(&f, end_lease, NULL), RC_OK);
    struct outbox *o = outbox_open(f.store, clock_system(), NULL);
    ck_assert_int_eq(outbox_run_once(o, &f.err), RC_OK);
    ck_assert_int_eq(fixture_read(&f, check_all_there, told), RC_OK);
    for (int64_t i = 0; i < NUMBERS_MAX; i++)
        ck_assert_msg(!told[i], "number %lld was acknowledged and is gone (TEST_SEED=%llu)",
                      (long long)i, (unsigned long long)seed_of_test());
    outbox_close(o);
    fixture_close(&f);
    free(told);
}
END_TEST

/* --- two processes --- */

START_TEST(a_second_process_is_refused_and_the_store_is_free_again_after_a_kill)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* PostgreSQL takes many processes */
    struct fixture f;
    fixture_init(&f);
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        fixture_open_with(&f, (struct store_options){0});
        if (write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    char byte = 0;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_int_eq(fixture_try_open(&f, (struct store_options){0}), RC_CONFLICT);
    char want[512];
    (void)snprintf(want, sizeof want, "the store in '%s' is in use by process %d", f.folder,
                   (int)pid);
    ck_assert_str_eq(f.err.text, want);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    fixture_open_with(&f, (struct store_options){0});
    fixture_close(&f);
}
END_TEST

/* --- a full disk --- */

enum { SMALL_BYTES = 8 * 1024 * 1024, BALLAST_BYTES = 1024 * 1024, FULL_WRITERS = 8 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* A small file system over the folder, seen by this process alone. */
static bool mount_small(const char *folder)
{
    uid_t uid = geteuid();
    if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0)
        return false;
    char map[64];
    (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    if (uid != 0 && !write_text("/proc/self/uid_map", map))
        return false;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    char options[64];
    (void)snprintf(options, sizeof options, "size=%d", SMALL_BYTES);
    return mount("tmpfs", folder, "tmpfs", 0, options) == 0;
}

struct filler {
    struct store *store;
    int64_t from;
    int64_t acknowledged;
};

static enum rc put_plain(struct tx *tx, void *arg)
{
    const struct row *row = arg;
    return sql_run(tx, "INSERT INTO kept (number, filler) VALUES ($1, $2)", V(row->number),
                   V(row->filler));
}

/* Write until it is refused. */
static void *fill_up(void *arg)
{
    struct filler *to = arg;
    char text[2000];
    memset(text, 'x', sizeof text);
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        struct row row = {to->from + to->acknowledged, str_n(text, sizeof text)};
        struct err err = {0};
        arena_reset(&arena);
        rc = store_write(to->store, &arena, &err, put_plain, &row);
        to->acknowledged += rc == RC_OK;
        ck_assert_msg(rc == RC_OK || rc == RC_FULL, "%s", err.text);
        ck_assert(rc == RC_OK || strstr(err.text, "disk is full") != NULL);
    }
    arena_fini(&arena);
    return NULL;
}

static enum rc count_kept(struct tx *tx, void *arg)
{
    return count_of(tx, "SELECT COUNT(*) FROM kept", arg);
}

static void check_kept(struct fixture *f, int64_t wanted)
{
    int64_t n = -1;
    enum rc rc = fixture_read(f, count_kept, &n);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    ck_assert_int_eq(n, wanted);
}

static int64_t fill_with_many(struct fixture *f, int64_t from)
{
    pthread_t threads[FULL_WRITERS];
    struct filler fillers[FULL_WRITERS];
    for (int i = 0; i < FULL_WRITERS; i++) {
        fillers[i] = (struct filler){f->store, from + i * INT64_C(1000000), 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fill_up, &fillers[i]), 0);
    }
    int64_t acknowledged = 0;
    for (int i = 0; i < FULL_WRITERS; i++) {
        pthread_join(threads[i], NULL);
        acknowledged += fillers[i].acknowledged;
    }
    return acknowledged;
}

START_TEST(a_full_disk_refuses_writes_goes_on_reading_and_heals_without_restart)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* the server's disk is not ours to fill */
    struct fixture f;
    fixture_init(&f);
    if (!mount_small(f.folder)) {
        fprintf(stderr, "skipped: a full disk (no small file system can be mounted here)\n");
        fixture_close(&f);
        return;
    }
    char ballast[512];
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", f.folder);
    int fd = open(ballast, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, BALLAST_BYTES), 0);
    (void)close(fd);

    fixture_open_with(&f, (struct store_options){0});
    ck_assert_int_eq(fixture_write(&f, make_table, NULL), RC_OK);
    int64_t n = fill_with_many(&f, 0);
    ck_assert_int_gt(n, 0);
    check_kept(&f, n);
    struct filler again = {f.store, 100000000, 0};
    (void)fill_up(&again); /* still full, and still refused clearly */
    n += again.acknowledged;
    check_kept(&f, n);

    ck_assert_int_eq(unlink(ballast), 0);
    int64_t more = fill_with_many(&f, 200000000);
    ck_assert_int_gt(more, 0);
    check_kept(&f, n + more);

    /* All of it is sound, and is there after a restart on the disk that is full again. */
    ck_assert_int_eq(store_verify(str_c(f.url), &f.err), RC_OK);
    store_close(f.store);
    fixture_open_with(&f, (struct store_options){0});
    check_kept(&f, n + more);
    store_close(f.store);
    f.store = NULL;
    ck_assert_int_eq(umount2(f.folder, MNT_DETACH), 0);
    fixture_close(&f);
}
END_TEST

/* --- contention --- */

enum { COUNTERS = 4, ADDERS = 8, ADDS = 25 };

static enum rc add_one(struct tx *tx, void *arg)
{
    (void)arg;
    struct rows r;
    TRY(sql_rows(tx, &r, "SELECT number FROM kept WHERE filler = $1", V("counter")));
    return sql_run(tx, "UPDATE kept SET number = $1 WHERE filler = $2", V(row_int(&r, 0, 0) + 1),
                   V("counter"));
}

static enum rc read_counter(struct tx *tx, void *arg)
{
    return count_of(tx, "SELECT number FROM kept WHERE filler = 'counter'", arg);
}

static void *add_some(void *arg)
{
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    for (int i = 0; i < ADDS; i++) {
        enum rc rc = RC_UNAVAILABLE;
        while (rc == RC_UNAVAILABLE) { /* too many others, says the store: so try again */
            struct err err = {0};
            arena_reset(&arena);
            rc = store_write(arg, &arena, &err, add_one, NULL);
            ck_assert_msg(rc == RC_OK || rc == RC_UNAVAILABLE, "%s", err.text);
        }
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(counting_by_many_at_once_loses_nothing)
{
    struct fixture f;
    fixture_open(&f);
    ck_assert_int_eq(fixture_write(&f, make_table, NULL), RC_OK);
    struct row zero = {0, STR("counter")};
    ck_assert_int_eq(fixture_write(&f, put_plain, &zero), RC_OK);
    struct store *stores[COUNTERS] = {f.store, f.store, f.store, f.store};
    struct store_options o = {.url = str_c(f.url), .clock = clock_system()};
    for (int i = 1; i < COUNTERS && store_engine(f.store) == STORE_POSTGRES; i++)
        ck_assert_int_eq(store_open(&stores[i], &o, &f.err), RC_OK); /* as other processes would */
    pthread_t threads[ADDERS];
    for (int i = 0; i < ADDERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_some, stores[i % COUNTERS]), 0);
    for (int i = 0; i < ADDERS; i++)
        pthread_join(threads[i], NULL);
    int64_t n = 0;
    ck_assert_int_eq(fixture_read(&f, read_counter, &n), RC_OK);
    ck_assert_int_eq(n, (int64_t)ADDERS * ADDS);
    uint64_t retries = 0;
    for (int i = 0; i < COUNTERS; i++)
        retries += store_counters(stores[i]).retries;
    if (store_engine(f.store) == STORE_POSTGRES)
        ck_assert_uint_gt(retries, 0); /* they did run into each other */
    for (int i = 1; i < COUNTERS; i++)
        if (stores[i] != f.store)
            store_close(stores[i]);
    fixture_close(&f);
}
END_TEST

Suite *fault_suite(void);
Suite *fault_suite(void)
{
    Suite *s = suite_create("fault");
    TCase *c = tcase_create("fault");
    tcase_set_timeout(c, 300);
    tcase_add_test(c, what_was_acknowledged_survives_a_hundred_kills_and_none_is_there_twice);
    tcase_add_test(c, a_second_process_is_refused_and_the_store_is_free_again_after_a_kill);
    tcase_add_test(c, counting_by_many_at_once_loses_nothing);
    suite_add_tcase(s, c);
    c = tcase_create("full"); /* by itself: CK_RUN_CASE=full */
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_full_disk_refuses_writes_goes_on_reading_and_heals_without_restart);
    suite_add_tcase(s, c);
    return s;
}
