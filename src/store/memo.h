/*
 * memo.h - the rows of a few SELECTs, kept for as long as no table that they read has changed.
 * Private to store/.
 *
 * Who asks, and what they may do, is looked up for every request in the same few rows. A
 * connection remembers what such a statement said (sql_kept), and forgets it as soon as a statement
 * on the same connection writes to one of its tables, and wholly when a transaction or a unit of
 * work is undone or another snapshot begins. So a memo never differs from what the SELECT would
 * say. Only for an engine that knows which tables a statement reads and writes, and where nobody
 * else changes what the connection sees.
 */
#ifndef STORE_MEMO_H
#define STORE_MEMO_H

#include "store/store.h"

enum {
    MEMO_SLOTS = 64,
    MEMO_BYTES_MAX = 4096, /* of rows and arguments; more is not kept */
    MEMO_TABLES_MAX = 128, /* the last one stands for all that found no place of their own */
    MEMO_TABLE_NAME_MAX = 48,
};

/* A set of tables, a bit each. */
struct memo_tables {
    uint64_t bits[MEMO_TABLES_MAX / 64];
};

struct memo;

/* Owned by the connection. */
struct memo *memo_open(void);
/* NULL is fine. */
void memo_close(struct memo *m);

/* Put the table of that name into the set. */
void memo_add_table(struct memo *m, const char *name, struct memo_tables *to);

/* What the statement said with these arguments, copied into the arena; false: it has to be asked.
 * sql is known by its address. */
MUST_CHECK bool memo_find(struct memo *m, const char *sql, const struct value *args, size_t count,
                          struct arena *arena, struct rows *ret);
/* Keep what it said, if that is not too much. */
void memo_keep(struct memo *m, const char *sql, const struct value *args, size_t count,
               const struct memo_tables *reads, const struct rows *rows);

/* One of these tables is about to change. */
void memo_forget(struct memo *m, const struct memo_tables *changed);
void memo_forget_all(struct memo *m);

#endif
