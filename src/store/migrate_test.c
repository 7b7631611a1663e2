#include "store/migrate.h"

#include "store/store_fixture.h"

#include <check.h>

enum { SCHEMA_MAX = 1024 * 1024 };

/* The source tree lies above the build folder that this program is in. */
static FILE *open_golden(const char *mode)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        (void)snprintf(slash, 64, "/tests/golden/schema.txt");
        if (access(path, R_OK) == 0)
            return fopen(path, mode);
        *slash = '\0';
    }
    return NULL;
}

static enum rc dump(struct tx *tx, void *arg)
{
    return store_schema(tx, arg);
}

START_TEST(both_engines_have_the_golden_schema)
{
    struct fixture f;
    fixture_open(&f);
    struct str schema;
    enum rc rc = fixture_read(&f, dump, &schema);
    ck_assert_msg(rc == RC_OK, "%s", f.err.text);
    if (getenv("UPDATE_GOLDEN") != NULL) {
        FILE *out = open_golden("w");
        ck_assert_ptr_nonnull(out);
        ck_assert_uint_eq(fwrite(schema.p, 1, schema.n, out), schema.n);
        ck_assert_int_eq(fclose(out), 0);
    }
    FILE *in = open_golden("r");
    ck_assert_ptr_nonnull(in);
    char *text = arena_bytes(&f.arena, SCHEMA_MAX);
    struct str golden = str_n(text, fread(text, 1, SCHEMA_MAX, in));
    (void)fclose(in);
    while (schema.n > 0 || golden.n > 0) {
        struct str is = str_cut(&schema, '\n');
        struct str wanted = str_cut(&golden, '\n');
        ck_assert_msg(str_eq(is, wanted),
                      "the schema has '%.*s' where tests/golden/schema.txt has '%.*s'; if that is "
                      "right: UPDATE_GOLDEN=1 build/dev/unit migrate",
                      STRF(is), STRF(wanted));
    }
    fixture_close(&f);
}
END_TEST

START_TEST(migrations_are_numbered_without_gaps)
{
    for (size_t i = 0; i < migrations_count; i++)
        ck_assert_int_eq(migrations[i].version, (int64_t)i + 1);
}
END_TEST

START_TEST(each_text_column_sorts_by_bytes_on_postgres)
{
    struct arena a;
    arena_init(&a, (size_t)1024 * 1024);
    static const char sql[] = "-- TEXT in a comment\nCREATE TABLE t (a TEXT NOT NULL, \"TEXT\" "
                              "BIGINT, CONTEXT TEXT);INSERT INTO t VALUES ('TEXT', 1)";
    static const char want[] =
        "-- TEXT in a comment\nCREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL, "
        "\"TEXT\" BIGINT, CONTEXT TEXT COLLATE \"C\");INSERT INTO t VALUES "
        "('TEXT', 1)";
    ck_assert_str_eq(migrate_collate(&a, sql).p, want);
    arena_fini(&a);
}
END_TEST

static enum rc run_sql(struct tx *tx, void *arg)
{
    return tx->conn->engine->script(tx->conn, arg, tx->err);
}

/* Open, change, open again: what is said then. */
static enum rc reopen_after(struct fixture *f, const char *sql)
{
    fixture_open(f);
    char copy[256];
    (void)snprintf(copy, sizeof copy, "%s", sql);
    enum rc rc = fixture_write(f, run_sql, copy);
    ck_assert_msg(rc == RC_OK, "%s", f->err.text);
    store_close(f->store);
    f->store = NULL;
    return fixture_try_open(f, (struct store_options){0});
}

START_TEST(a_store_that_is_newer_than_the_program_is_refused)
{
    struct fixture f;
    enum rc rc = reopen_after(
        &f, "INSERT INTO schema_version (version, name, hash, applied) VALUES (9999, 'x', 'x', 1)");
    ck_assert_int_eq(rc, RC_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "newer Hanse"));
    fixture_close(&f);
}
END_TEST

START_TEST(an_edited_migration_is_refused)
{
    struct fixture f;
    enum rc rc = reopen_after(&f, "UPDATE schema_version SET hash = 'other' WHERE version = 1");
    ck_assert_int_eq(rc, RC_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "0001_ground"));
    fixture_close(&f);
}
END_TEST

START_TEST(missing_migrations_are_told_where_they_may_not_be_run)
{
    struct fixture f;
    fixture_init(&f);
    ck_assert_int_eq(fixture_try_open(&f, (struct store_options){.no_migrate = true}), RC_CONFLICT);
    fixture_open_with(&f, (struct store_options){0});
    store_close(f.store);
    fixture_open_with(&f, (struct store_options){.no_migrate = true});
    fixture_close(&f);
}
END_TEST

START_TEST(a_migration_that_fails_leaves_the_store_as_it_was)
{
    struct fixture f;
    /* The table of the first migration is there already when it runs again. */
    enum rc rc = reopen_after(&f, "DELETE FROM schema_version; DROP TABLE setting");
    ck_assert_int_eq(rc, RC_INTERNAL);
    ck_assert_ptr_nonnull(strstr(f.err.text, "migration '0001_ground' was not made"));
    fixture_close(&f);
}
END_TEST

Suite *migrate_suite(void);
Suite *migrate_suite(void)
{
    Suite *s = suite_create("migrate");
    TCase *c = tcase_create("migrate");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, both_engines_have_the_golden_schema);
    tcase_add_test(c, migrations_are_numbered_without_gaps);
    tcase_add_test(c, each_text_column_sorts_by_bytes_on_postgres);
    tcase_add_test(c, a_store_that_is_newer_than_the_program_is_refused);
    tcase_add_test(c, an_edited_migration_is_refused);
    tcase_add_test(c, missing_migrations_are_told_where_they_may_not_be_run);
    tcase_add_test(c, a_migration_that_fails_leaves_the_store_as_it_was);
    suite_add_tcase(s, c);
    return s;
}
