/*
 * sqlite.h - what sqlite.c (connections and statements), sqlite_file.c (the folder, the lock, the
 * checks of the file) and sqlite_log.c (how the log file is written) share, and what backup.c needs
 * of them. Private to store/.
 *
 * A store is a folder: hanse.db, SQLite's own hanse.db-wal and hanse.db-shm beside it, and
 * hanse.lock, which the one process that uses the store holds with flock and writes its number in.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/engine.h"

#include <sqlite3.h>

enum {
    SQLITE_FILE_APP = 0x48414E53, /* application_id: "HANS" */
    SQLITE_FILE_PAGE = 4096,
    SQLITE_FILE_FORMAT = 1, /* user_version: how the file is laid out; tables have their own */
};

/* PATH of a file in a folder; ret holds STORE_PATH_MAX bytes. RC_INVALID: too long. */
MUST_CHECK enum rc sqlite_path(struct str folder, const char *file, char *ret, struct err *err);

/* Make the folder where it is missing, and hold hanse.lock. RC_CONFLICT: another process has it. */
MUST_CHECK enum rc sqlite_lock(struct str folder, int *ret_fd, struct err *err);

/* Look at the first bytes of a file: *ret_new where it is missing. RC_INVALID: it is no store
 * of ours. RC_CONFLICT: a newer one. name: what the sentence calls it. */
MUST_CHECK enum rc sqlite_check_header(const char *path, const char *name, bool *ret_new,
                                       struct err *err);

/* Read pages and indexes until all is seen or budget_us is over (0: no limit). whole: the thorough
 * check, which compares indexes with tables. RC_INVALID names the first damage. */
MUST_CHECK enum rc sqlite_check_pages(sqlite3 *db, const char *name, bool whole, int64_t budget_us,
                                      struct err *err);

/* Open a database file that is no part of a running store, such as a backup. flags: SQLite's. */
MUST_CHECK enum rc sqlite_open_file(const char *path, int flags, sqlite3 **ret, struct err *err);

/* The result code and sentence for a failed call on db. */
enum rc sqlite_failure(sqlite3 *db, int code, struct err *err);

/* Run statements that need no parameters and give no rows. */
MUST_CHECK enum rc sqlite_exec(sqlite3 *db, const char *sql, struct err *err);

/* Make the directory entry of a file durable. */
MUST_CHECK enum rc sqlite_sync_folder(const char *path, struct err *err);

/* The writer's way to its files, which gathers what goes into the log file (sqlite_log.c). One for
 * each store; name is what sqlite3_open_v2 finds it by, until it is closed. */
struct sqlite_files *sqlite_files_open(void);
const char *sqlite_files_name(const struct sqlite_files *files);
void sqlite_files_close(struct sqlite_files *files);

/* engine_sqlite.start and .stop. */
MUST_CHECK enum rc sqlite_start(struct store *s, struct err *err);
void sqlite_stop(struct store *s);

#endif
