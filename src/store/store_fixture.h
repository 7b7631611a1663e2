/*
 * store_fixture.h - a store of its own for one test, made and taken away again.
 *
 * On SQLite a private folder under TMPDIR; where TEST_STORE is a postgresql:// URL, a schema of its
 * own in that database. To make the tables there takes longer than most tests: who leaves them as
 * they are may take the emptied ones of a test before. Only for tests (and benchmarks): everything
 * here asserts.
 */
#ifndef STORE_STORE_FIXTURE_H
#define STORE_STORE_FIXTURE_H

#include "store/store.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <unistd.h>

struct fixture {
    char url[1024];
    char folder[256]; /* SQLite; empty on PostgreSQL */
    char schema[64];  /* PostgreSQL */
    bool handed_on;   /* PostgreSQL: emptied, the schema serves the next one */
    struct store *store;
    struct arena arena;
    struct err err;
};

/* Run SQL for PostgreSQL as it stands; what it tells first (at most a word) is put into ret. */
static inline void fixture_ask(const char *sql, char *ret, size_t size)
{
    PGconn *pg = PQconnectdb(getenv("TEST_STORE"));
    ASSERT(PQstatus(pg) == CONNECTION_OK);
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(pg));
    ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
    (void)snprintf(ret, size, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    PQfinish(pg);
}

static inline void fixture_sql(const char *sql)
{
    char ignored[1];
    fixture_ask(sql, ignored, sizeof ignored);
}

static inline void fixture_place(struct fixture *f)
{
    arena_init(&f->arena, STORE_TX_ARENA_BYTES);
    const char *server = getenv("TEST_STORE");
    if (server == NULL) {
        const char *tmp = getenv("TMPDIR");
        (void)snprintf(f->folder, sizeof f->folder, "%s/hanse-test-XXXXXX", tmp ? tmp : "/tmp");
        char *made = mkdtemp(f->folder);
        ASSERT(made != NULL);
        (void)snprintf(f->url, sizeof f->url, "sqlite:%s", f->folder);
        return;
    }
    if (f->handed_on)
        fixture_ask("SET client_min_messages = warning; SELECT pg_advisory_xact_lock(1); "
                    "CREATE TABLE IF NOT EXISTS public.emptied (name TEXT); "
                    "DELETE FROM public.emptied WHERE name = (SELECT name FROM public.emptied "
                    "LIMIT 1) RETURNING name",
                    f->schema, sizeof f->schema);
    if (f->schema[0] == '\0') {
        uint64_t chance = 0;
        clock_chance(clock_system(), &chance, sizeof chance);
        (void)snprintf(f->schema, sizeof f->schema, "t%016llx", (unsigned long long)chance);
        char sql[128];
        (void)snprintf(sql, sizeof sql, "CREATE SCHEMA %s", f->schema);
        fixture_sql(sql);
    }
    (void)snprintf(f->url, sizeof f->url, "%s%capplication_name=%s&options=-csearch_path%%3D%s",
                   server, strchr(server, '?') ? '&' : '?', f->schema, f->schema);
}

/* A place for a store; nothing is opened yet. */
static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    fixture_place(f);
}

/* The same for who lets all tables stand as the migrations make them. */
static inline void fixture_init_handed_on(struct fixture *f)
{
    *f = (struct fixture){.handed_on = true};
    fixture_place(f);
}

static inline enum rc fixture_try_open(struct fixture *f, struct store_options options)
{
    options.url = str_c(f->url);
    options.clock = options.clock ? options.clock : clock_system();
    return store_open(&f->store, &options, &f->err);
}

/* The url, clock and so on of options may be left out. */
static inline void fixture_open_with(struct fixture *f, struct store_options options)
{
    enum rc rc = fixture_try_open(f, options);
    if (rc != RC_OK)
        fprintf(stderr, "store_open: %s\n", f->err.text);
    ASSERT(rc == RC_OK);
}

static inline void fixture_open(struct fixture *f)
{
    fixture_init(f);
    fixture_open_with(f, (struct store_options){0});
}

/* A store in memory, on SQLite always: for tests that end in an abort and can take nothing away. */
static inline void fixture_open_in_memory(struct fixture *f)
{
    *f = (struct fixture){.url = "sqlite::memory:"};
    arena_init(&f->arena, STORE_TX_ARENA_BYTES);
    fixture_open_with(f, (struct store_options){0});
}

/* Empty all tables but the list of the migrations, and offer them to the next. */
static inline void fixture_hand_on(const struct fixture *f)
{
    char sql[1024];
    int n =
        snprintf(sql, sizeof sql,
                 "DO $$ DECLARE t TEXT; filled BOOLEAN; list TEXT := ''; BEGIN "
                 "FOR t IN SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables "
                 "WHERE schemaname = '%s' AND tablename <> 'schema_version' LOOP "
                 "EXECUTE 'SELECT EXISTS (SELECT FROM ' || t || ')' INTO filled; "
                 "IF filled THEN list := list || ', ' || t; END IF; END LOOP; "
                 "IF list <> '' THEN "
                 "EXECUTE 'TRUNCATE ' || substr(list, 3) || ' RESTART IDENTITY CASCADE'; END IF; "
                 "INSERT INTO public.emptied VALUES ('%s'); END $$",
                 f->schema, f->schema);
    ASSERT(n > 0 && (size_t)n < sizeof sql);
    fixture_sql(sql);
}

/* Close, and take the store away. */
static inline void fixture_close(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    arena_fini(&f->arena);
    if (f->schema[0] != '\0') {
        char sql[128];
        if (f->handed_on) {
            fixture_hand_on(f);
            return;
        }
        (void)snprintf(sql, sizeof sql, "SET client_min_messages = warning; DROP SCHEMA %s CASCADE",
                       f->schema);
        fixture_sql(sql);
        return;
    }
    DIR *dir = opendir(f->folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e != NULL; e = readdir(dir))
        (void)unlinkat(dirfd(dir), e->d_name, 0); /* fails for . and .. */
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(f->folder);
}

/* Run one unit of work. */
static inline enum rc fixture_write(struct fixture *f, tx_fn fn, void *arg)
{
    err_clear(&f->err);
    return store_write(f->store, &f->arena, &f->err, fn, arg);
}

static inline enum rc fixture_read(struct fixture *f, tx_fn fn, void *arg)
{
    err_clear(&f->err);
    return store_read(f->store, &f->arena, &f->err, fn, arg);
}

#endif
