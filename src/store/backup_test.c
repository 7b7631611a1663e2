#include "store/store.h"

#include "store/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* A store, and a name for a backup beside it. */
struct case_ {
    struct fixture f;
    char folder[128];
    char file[256];
};

static void case_init(struct case_ *c)
{
    fixture_init(&c->f);
    (void)snprintf(c->folder, sizeof c->folder, "/tmp/hanse-backup-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(c->folder));
    (void)snprintf(c->file, sizeof c->file, "%s/backup", c->folder);
}

static void case_close(struct case_ *c)
{
    (void)unlink(c->file);
    ck_assert_int_eq(rmdir(c->folder), 0); /* nothing but the backup was left there */
    fixture_close(&c->f);
}

static enum rc put(struct tx *tx, void *arg)
{
    return sql_run(tx, "INSERT INTO setting (name, value) VALUES ($1, $2)", V((const char *)arg),
                   V("v"));
}

static void write_one(struct fixture *f, const char *name)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", name);
    enum rc rc = fixture_write(f, put, copy);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
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

static void must(enum rc rc, const struct err *err)
{
    ck_assert_msg(rc == RC_OK, "%s", err->text);
}

/* Hurt a file: write over some bytes. */
static void spoil(const char *path, off_t at, size_t n)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    char junk[8192];
    memset(junk, 0xA5, sizeof junk);
    ck_assert_int_eq(pwrite(fd, junk, min_size(n, sizeof junk), at), (ssize_t)n);
    (void)close(fd);
}

START_TEST(a_backup_restores_what_was_there_when_it_was_made)
{
    struct case_ c;
    case_init(&c);
    struct fixture *f = &c.f;
    fixture_open_with(f, (struct store_options){0});
    write_one(f, "before");
    must(store_backup(str_c(f->url), c.file, &f->err), &f->err);
    write_one(f, "after");
    ck_assert_int_eq(counted(f), 2);

    ck_assert_int_eq(store_restore(str_c(f->url), c.file, true, &f->err), RC_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f->err.text, "in use")); /* refused on a live store */
    store_close(f->store);
    ck_assert_int_eq(store_restore(str_c(f->url), c.file, false, &f->err), RC_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f->err.text, "--replace"));
    must(store_restore(str_c(f->url), c.file, true, &f->err), &f->err);
    must(store_verify(str_c(f->url), &f->err), &f->err);

    fixture_open_with(f, (struct store_options){0});
    ck_assert_int_eq(counted(f), 1);
    write_one(f, "after"); /* and goes on from there */
    case_close(&c);
}
END_TEST

START_TEST(a_backup_never_takes_the_place_of_a_file)
{
    struct case_ c;
    case_init(&c);
    fixture_open_with(&c.f, (struct store_options){0});
    must(store_backup(str_c(c.f.url), c.file, &c.f.err), &c.f.err);
    struct stat before;
    struct stat after;
    ck_assert_int_eq(stat(c.file, &before), 0);
    ck_assert_int_eq(before.st_mode & 0777 & ~0600U, getenv("TEST_STORE") ? 0044 : 0);
    ck_assert_int_eq(store_backup(str_c(c.f.url), c.file, &c.f.err), RC_CONFLICT);
    ck_assert_int_eq(stat(c.file, &after), 0);
    ck_assert_int_eq(before.st_ino, after.st_ino);
    case_close(&c);
}
END_TEST

START_TEST(what_is_no_whole_backup_is_refused_and_the_store_stays)
{
    struct case_ c;
    case_init(&c);
    struct fixture *f = &c.f;
    fixture_open_with(f, (struct store_options){0});
    for (int i = 0; i < 2000; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "a name that is long enough to fill some pages %d", i);
        write_one(f, name);
    }
    must(store_backup(str_c(f->url), c.file, &f->err), &f->err);
    store_close(f->store);
    struct stat st;
    ck_assert_int_eq(stat(c.file, &st), 0);
    ck_assert_int_eq(store_restore(str_c(f->url), "/nonexistent/file", true, &f->err),
                     RC_NOT_FOUND);
    ck_assert_int_eq(truncate(c.file, st.st_size / 2), 0);
    enum rc rc = store_restore(str_c(f->url), c.file, true, &f->err);
    ck_assert_msg(rc == RC_INVALID, "%s: %s", rc_slug(rc), f->err.text);
    spoil(c.file, 0, 50);
    ck_assert_int_eq(store_restore(str_c(f->url), c.file, true, &f->err), RC_INVALID);
    ck_assert_int_eq(truncate(c.file, 0), 0);
    ck_assert_int_eq(store_restore(str_c(f->url), c.file, true, &f->err), RC_INVALID);
    fixture_open_with(f, (struct store_options){0});
    ck_assert_int_eq(counted(f), 2000);
    case_close(&c);
}
END_TEST

START_TEST(there_must_be_a_store_to_copy)
{
    struct case_ c;
    case_init(&c);
    ck_assert_int_eq(store_backup(str_c(c.f.url), c.file, &c.f.err), RC_NOT_FOUND);
    ck_assert_int_eq(store_backup(STR("sqlite::memory:"), c.file, &c.f.err), RC_UNSUPPORTED);
    case_close(&c);
}
END_TEST

/* --- beside a store that is written to --- */

struct busy {
    struct store *store;
    atomic_bool stop;
    atomic_int written;
};

static void *write_on(void *arg)
{
    struct busy *b = arg;
    struct arena arena;
    arena_init(&arena, (size_t)1024 * 1024);
    while (!atomic_load(&b->stop)) {
        struct err err = {0};
        char name[64];
        (void)snprintf(name, sizeof name, "%d", atomic_load(&b->written));
        arena_reset(&arena);
        enum rc rc = store_write(b->store, &arena, &err, put, name);
        ck_assert_msg(rc == RC_OK, "%s", err.text);
        atomic_fetch_add(&b->written, 1);
    }
    arena_fini(&arena);
    return NULL;
}

START_TEST(a_backup_beside_a_writer_is_whole_and_holds_all_that_was_durable_before)
{
    struct case_ c;
    case_init(&c);
    struct fixture *f = &c.f;
    fixture_open_with(f, (struct store_options){0});
    struct busy b = {.store = f->store};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, write_on, &b), 0);
    while (atomic_load(&b.written) < 100)
        sched_yield();
    int before = atomic_load(&b.written);
    must(store_backup(str_c(f->url), c.file, &f->err), &f->err);
    int after = atomic_load(&b.written) + 1; /* one may be durable and not counted yet */
    atomic_store(&b.stop, true);
    pthread_join(thread, NULL);
    store_close(f->store);
    must(store_restore(str_c(f->url), c.file, true, &f->err), &f->err);
    fixture_open_with(f, (struct store_options){0});
    int64_t n = counted(f);
    ck_assert_int_ge(n, before);
    ck_assert_int_le(n, after);
    case_close(&c);
}
END_TEST

/* --- damage --- */

START_TEST(verify_finds_a_page_that_was_written_over)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* the server's files are its own */
    struct case_ c;
    case_init(&c);
    struct fixture *f = &c.f;
    fixture_open_with(f, (struct store_options){0});
    for (int i = 0; i < 500; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "a name that is long enough to fill some pages %d", i);
        write_one(f, name);
    }
    store_close(f->store);
    f->store = NULL;
    must(store_verify(str_c(f->url), &f->err), &f->err);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/hanse.db", f->folder);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    spoil(path, st.st_size - 4096, 100);
    ck_assert_int_eq(store_verify(str_c(f->url), &f->err), RC_INVALID);
    case_close(&c);
}
END_TEST

START_TEST(a_damaged_store_is_refused_unchanged_and_can_be_replaced)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* the server's files are its own */
    static const struct {
        off_t at;
        size_t n;
        off_t cut; /* the file's new length, where not 0 */
    } cases[] = {
        {0, 100, 0},             /* the header */
        {4096 + 3, 8000, 0},     /* pages behind it */
        {0, 0, (off_t)4096 * 3}, /* cut off */
        {0, 0, 10},              /* nearly nothing left */
        {68, 4, 0},              /* the mark of Hanse */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct case_ c;
        case_init(&c);
        struct fixture *f = &c.f;
        fixture_open_with(f, (struct store_options){0});
        write_one(f, "a");
        must(store_backup(str_c(f->url), c.file, &f->err), &f->err);
        store_close(f->store);
        f->store = NULL;
        char path[512];
        (void)snprintf(path, sizeof path, "%s/hanse.db", f->folder);
        if (cases[i].n > 0)
            spoil(path, cases[i].at, cases[i].n);
        if (cases[i].cut > 0)
            ck_assert_int_eq(truncate(path, cases[i].cut), 0);
        struct stat before;
        struct stat after;
        ck_assert_int_eq(stat(path, &before), 0);
        enum rc rc = fixture_try_open(f, (struct store_options){0});
        ck_assert_msg(rc == RC_INVALID, "case %zu: %s: %s", i, rc_slug(rc), f->err.text);
        ck_assert_ptr_nonnull(strstr(f->err.text, "nothing was changed"));
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert(before.st_size == after.st_size &&
                  before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
        must(store_restore(str_c(f->url), c.file, true, &f->err), &f->err);
        fixture_open_with(f, (struct store_options){0});
        ck_assert_int_eq(counted(f), 1);
        case_close(&c);
    }
}
END_TEST

START_TEST(another_programs_database_is_left_alone)
{
    if (getenv("TEST_STORE") != NULL)
        return; /* about files */
    struct case_ c;
    case_init(&c);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/hanse.db", c.f.folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs("my thesis, the only copy", out);
    (void)fclose(out);
    ck_assert_int_eq(fixture_try_open(&c.f, (struct store_options){0}), RC_INVALID);
    char text[64] = "";
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, in));
    (void)fclose(in);
    ck_assert_str_eq(text, "my thesis, the only copy");
    case_close(&c);
}
END_TEST

Suite *backup_suite(void);
Suite *backup_suite(void)
{
    Suite *s = suite_create("backup");
    TCase *c = tcase_create("backup");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_backup_restores_what_was_there_when_it_was_made);
    tcase_add_test(c, a_backup_never_takes_the_place_of_a_file);
    tcase_add_test(c, what_is_no_whole_backup_is_refused_and_the_store_stays);
    tcase_add_test(c, there_must_be_a_store_to_copy);
    tcase_add_test(c, a_backup_beside_a_writer_is_whole_and_holds_all_that_was_durable_before);
    tcase_add_test(c, verify_finds_a_page_that_was_written_over);
    tcase_add_test(c, a_damaged_store_is_refused_unchanged_and_can_be_replaced);
    tcase_add_test(c, another_programs_database_is_left_alone);
    suite_add_tcase(s, c);
    return s;
}
