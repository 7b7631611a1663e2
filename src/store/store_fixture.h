/*
 * store_fixture.h - a store of its own for one test, made and taken away again.
 *
 * On SQLite a private folder under TMPDIR; where TEST_STORE is a postgresql:// URL, a schema of its
 * own in that database. Only for tests (and benchmarks): everything here asserts.
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
    struct store *store;
    struct arena arena;
    struct err err;
};

static inline void fixture_sql(const char *sql)
{
    PGconn *pg = PQconnectdb(getenv("TEST_STORE"));
    ASSERT(PQstatus(pg) == CONNECTION_OK);
    PGresult *r = PQexec(pg, sql);
    ASSERT(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
    PQfinish(pg);
}

/* A place for a store; nothing is opened yet. */
static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
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
    uint64_t chance = 0;
    clock_chance(clock_system(), &chance, sizeof chance);
    (void)snprintf(f->schema, sizeof f->schema, "t%016llx", (unsigned long long)chance);
    char sql[128];
    (void)snprintf(sql, sizeof sql, "CREATE SCHEMA %s", f->schema);
    fixture_sql(sql);
    (void)snprintf(f->url, sizeof f->url, "%s%capplication_name=%s&options=-csearch_path%%3D%s",
                   server, strchr(server, '?') ? '&' : '?', f->schema, f->schema);
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

/* Close, and take the store away. */
static inline void fixture_close(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    arena_fini(&f->arena);
    if (f->schema[0] != '\0') {
        char sql[128];
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
