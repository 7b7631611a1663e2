/*
 * migrate.h - bring the tables of a store to the shape that this program knows.
 *
 * The files under migrations/ are built into the program, in order. Each runs once, in one
 * transaction, and leaves a row in schema_version with the hash of its text. Forward only: a store
 * that a newer program wrote, or whose row does not match the shipped text, is refused unchanged.
 *
 * On PostgreSQL every TEXT column gets COLLATE "C", so that both engines sort and compare bytes,
 * whatever the locale of the server.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/engine.h"

struct migration {
    int64_t version; /* 1, 2, 3, ... without gaps */
    const char *name;
    const char *sql;
};

/* Made at build time by migrations/embed. */
extern const struct migration migrations[];
extern const size_t migrations_count;

enum { MIGRATION_HASH_MAX = 65 };

/* SHA-256 of the text in hex. */
void migration_hash(const struct migration *m, char ret[MIGRATION_HASH_MAX]);

/* The i-th row of schema_version, in order. RC_CONFLICT: newer than this program, or with another
 * text. */
MUST_CHECK enum rc migrate_check_row(size_t i, int64_t version, struct str hash, struct err *err);

/* Run what is missing. With check_only nothing is run and RC_CONFLICT says that something is
 * missing. RC_CONFLICT: the store is newer than this program, or a shipped migration was edited. */
MUST_CHECK enum rc migrate(struct store_conn *conn, bool check_only, struct clock *clock,
                           struct err *err);

/* sql with COLLATE "C" behind each word TEXT, outside of quotes and comments. */
struct str migrate_collate(struct arena *arena, const char *sql);

#endif
