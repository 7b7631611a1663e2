/*
 * postgres.h - what postgres.c (connections, transactions) and postgres_query.c (statements and
 * rows) share. Private to store/.
 */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store/engine.h"

#include <libpq-fe.h>

/* The two halves of the advisory locks of Hanse: a kind, and the schema that the store lives in
 * (one database may hold several, as the tests' do). */
#define POSTGRES_LOCK_LIVE    "1212239443, hashtext(coalesce(current_schema(), ''))"
#define POSTGRES_LOCK_MIGRATE "1212239444, hashtext(coalesce(current_schema(), ''))"
#define POSTGRES_LOCK_SOLE    "1212239445, hashtext(coalesce(current_schema(), ''))"

/* The unit of work in hand. */
enum savepoint {
    SAVEPOINT_NONE,
    SAVEPOINT_OPEN,
    SAVEPOINT_KEPT,  /* to be released together with the next step: saves a round trip */
    SAVEPOINT_CLEAN, /* rolled back to: as good as new */
};

struct postgres_conn {
    struct store_conn base;
    PGconn *pg;
    bool in_tx;
    bool reading; /* the transaction may only read */
    bool sole;    /* the writer of a store that no other process may write */
    enum savepoint savepoint;
    unsigned next_number; /* of statements and cursors */
    struct statements statements;

    /* Parameters in libpq's form, grown as needed. */
    size_t room;
    const char **values;
    int *lengths;
    int *formats;
    Oid *types;
    char (*numbers)[24];
};

/* The code and sentence for what the server (or, with result NULL, the connection) said; marks the
 * connection's unit of work as failed, or its transaction as lost. */
enum rc postgres_failure(struct postgres_conn *c, const PGresult *result, struct err *err);

/* Run SQL without parameters whose rows do not matter. */
MUST_CHECK enum rc postgres_exec(struct postgres_conn *c, const char *sql, struct err *err);

/* engine_postgres.query */
MUST_CHECK enum rc postgres_query(struct store_conn *base, const struct query *q, struct err *err);
/* engine_postgres.insert */
MUST_CHECK enum rc postgres_insert(struct store_conn *base, const struct query *q, size_t rows,
                                   struct err *err);
/* Forget prepared statements without telling the server: their connection is gone. */
void postgres_forget_statements(struct postgres_conn *c);

/* Open a connection to the store at url: encoding checked, commits durable. RC_UNAVAILABLE,
 * RC_INVALID. */
MUST_CHECK enum rc postgres_connect(const char *url, PGconn **ret, struct err *err);
/* "postgresql://USER@HOST:PORT/DATABASE", malloc'ed, without what is secret. RC_INVALID: libpq does
 * not understand url. */
MUST_CHECK enum rc postgres_describe(const char *url, char **ret, struct err *err);

#endif
