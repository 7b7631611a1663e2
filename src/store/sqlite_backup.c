/*
 * Copies of a SQLite store.
 *
 * A backup is read in one step under one snapshot, beside a live hansed, which goes on writing. A
 * restore takes the lock of the store, brings the copy under another name into the folder, reads
 * all of it, and only then renames it into place.
 */
#include "store/backup.h"
#include "store/migrate.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1024 * 1024, NAME_BYTES = ERR_TEXT_MAX / 2 };

/* --- checks --- */

/* One number that a statement without parameters gives. */
static enum rc ask_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    bool ok = code == SQLITE_ROW;
    if (ok)
        *ret = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt); /* its failure is the step's, told below */
    return ok ? RC_OK : sqlite_failure(db, code, err);
}

static enum rc check_versions(sqlite3 *db, const char *name, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(
        db, "SELECT version, hash FROM schema_version ORDER BY version LIMIT 10000", -1, &stmt,
        NULL);
    if (code != SQLITE_OK)
        return err_set(err, RC_INVALID, "%s is no store of Hanse: it has no versions", name);
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW; i++) {
        struct str hash = str_c((const char *)sqlite3_column_text(stmt, 1));
        rc = migrate_check_row(i, sqlite3_column_int64(stmt, 0), hash, err);
    }
    if (rc == RC_OK && code != SQLITE_DONE)
        rc = sqlite_failure(db, code, err);
    (void)sqlite3_finalize(stmt); /* its failure is the step's, told above */
    return rc;
}

static enum rc check_whole(sqlite3 *db, const char *name, struct err *err)
{
    int64_t app = 0;
    enum rc rc = ask_number(db, "PRAGMA application_id", &app, err);
    if (rc != RC_OK || app != SQLITE_FILE_APP)
        return err_set(err, RC_INVALID, "%s is damaged or no store of Hanse", name);
    TRY(sqlite_check_pages(db, name, true, 0, err));
    return check_versions(db, name, err);
}

/* Not by reading the file itself: closing it would drop the locks that this process may have on
 * it through SQLite. */
static enum rc open_store(struct str url, char name[NAME_BYTES], sqlite3 **ret, struct err *err)
{
    struct str folder = store_url_folder(url);
    if (folder.n == 0)
        return err_set(err, RC_UNSUPPORTED, "a store in memory cannot be copied");
    char path[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db", path, err));
    if (access(path, F_OK) != 0)
        return err_set(err, RC_NOT_FOUND, "there is no store in '%.*s'", STRF(folder));
    (void)snprintf(name, NAME_BYTES, "the store '%s'", path);
    return sqlite_open_file(path, SQLITE_OPEN_READWRITE, ret, err);
}

enum rc verify_sqlite(struct str url, struct err *err)
{
    char name[NAME_BYTES];
    sqlite3 *db = NULL;
    TRY(open_store(url, name, &db, err));
    enum rc rc = check_whole(db, name, err);
    (void)sqlite3_close(db); /* only read from */
    return rc;
}

/* --- backup --- */

static enum rc copy_pages(sqlite3 *from, sqlite3 *to, struct err *err)
{
    /* fsync comes once, at the end (backup_finish). */
    TRY(sqlite_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", err));
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (b == NULL)
        return sqlite_failure(to, sqlite3_extended_errcode(to), err);
    int code = sqlite3_backup_step(b, -1);
    int finished = sqlite3_backup_finish(b);
    if (code == SQLITE_DONE && finished == SQLITE_OK)
        return RC_OK;
    return sqlite_failure(to, code == SQLITE_DONE ? finished : code, err);
}

/* The copy says of itself that it has a log file beside it; it has none: a backup is one file. */
static enum rc close_copy(const char *part, const char *name, struct err *err)
{
    sqlite3 *db = NULL;
    TRY(sqlite_open_file(part, SQLITE_OPEN_READWRITE, &db, err));
    enum rc rc = sqlite_exec(db, "PRAGMA journal_mode = DELETE", err);
    if (rc == RC_OK)
        rc = sqlite_check_pages(db, name, false, 0, err);
    (void)sqlite3_close(db); /* what it wrote is made durable by backup_finish */
    return rc;
}

static enum rc write_part(sqlite3 *from, const char *part, const char *file, struct err *err)
{
    sqlite3 *to = NULL;
    TRY(sqlite_open_file(part, SQLITE_OPEN_READWRITE, &to, err));
    enum rc rc = copy_pages(from, to, err);
    (void)sqlite3_close(to); /* what it wrote is made durable by backup_finish */
    TRY(rc);
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "the backup '%s'", file);
    return close_copy(part, name, err);
}

enum rc backup_sqlite(struct str url, const char *file, struct err *err)
{
    char part[STORE_PATH_MAX];
    char name[NAME_BYTES];
    sqlite3 *from = NULL;
    TRY(backup_part(file, part, err));
    TRY(open_store(url, name, &from, err));
    int64_t app = 0;
    enum rc rc = ask_number(from, "PRAGMA application_id", &app, err);
    if (rc == RC_OK && app != SQLITE_FILE_APP)
        rc = err_set(err, RC_INVALID, "%s is no store of Hanse", name);
    int fd = rc == RC_OK ? open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (rc == RC_OK && fd < 0)
        rc = err_set(err, errno == ENOSPC ? RC_FULL : RC_INVALID, "cannot make '%s': %s", part,
                     strerror(errno));
    if (fd >= 0)
        (void)close(fd); /* nothing was written: it is there to be private from the first byte */
    if (rc == RC_OK)
        rc = write_part(from, part, file, err);
    (void)sqlite3_close(from); /* only read from */
    if (rc == RC_OK)
        rc = backup_finish(part, file, err);
    if (rc != RC_OK && fd >= 0)
        (void)unlink(part); /* it is of no use */
    return rc;
}

/* --- restore --- */

static enum rc copy_bytes(int from, int to, const char *path, struct err *err)
{
    char *block = store_alloc(COPY_BYTES, 1);
    ssize_t n = 0;
    ssize_t written = 0;
    while (written == n && (n = read(from, block, COPY_BYTES)) > 0)
        written = write(to, block, (size_t)n);
    int code = errno;
    free(block);
    if (n == 0)
        return RC_OK;
    if (n > 0 && written >= 0)
        code = ENOSPC; /* a part was written */
    return err_set(err, code == ENOSPC || code == EDQUOT ? RC_FULL : RC_INTERNAL,
                   "cannot copy the backup to '%s': %s", path, strerror(code));
}

static enum rc copy_file(const char *file, const char *path, struct err *err)
{
    int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_set(err, RC_INVALID, "cannot read '%s': %s", file, strerror(errno));
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum rc rc = RC_OK;
    if (to < 0)
        rc = err_set(err, errno == ENOSPC ? RC_FULL : RC_INVALID, "cannot make '%s': %s", path,
                     strerror(errno));
    else
        rc = copy_bytes(from, to, path, err);
    if (rc == RC_OK && fsync(to) != 0)
        rc = err_set(err, errno == ENOSPC ? RC_FULL : RC_INTERNAL, "cannot write '%s': %s", path,
                     strerror(errno));
    (void)close(from); /* only read from */
    if (to >= 0)
        (void)close(to); /* all is on the disk, or the copy is given up */
    return rc;
}

static enum rc check_backup(const char *file, struct err *err)
{
    char name[NAME_BYTES];
    char wal[STORE_PATH_MAX + 8];
    bool missing = false;
    struct stat st;
    (void)snprintf(name, sizeof name, "the backup '%s'", file);
    TRY(sqlite_check_header(file, name, &missing, err));
    if (missing)
        return err_set(err, RC_NOT_FOUND, "there is no file '%s'", file);
    (void)snprintf(wal, sizeof wal, "%s-wal", file);
    if (stat(wal, &st) == 0 && st.st_size > 0)
        return err_set(
            err, RC_INVALID,
            "'%s' is a store in use, no whole backup: '%s' belongs to it. make one with: "
            "hansed backup FILE",
            file, wal);
    return RC_OK;
}

static enum rc check_copy(const char *path, const char *file, struct err *err)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "the backup '%s'", file);
    sqlite3 *db = NULL;
    TRY(sqlite_open_file(path, SQLITE_OPEN_READWRITE, &db, err));
    enum rc rc = check_whole(db, name, err);
    (void)sqlite3_close(db); /* only read from */
    return rc;
}

/* The old log file must not be taken for the new store's. Where the old store is sound, its log is
 * folded back first, so that nothing of it is lost whatever happens next; where it is damaged, it
 * is put aside under the name hanse.db.damaged, log and all. */
static enum rc set_old_aside(struct str folder, const char *path, struct err *err)
{
    char wal[STORE_PATH_MAX];
    char old[STORE_PATH_MAX];
    char old_wal[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db-wal", wal, err));
    TRY(sqlite_path(folder, "hanse.db.damaged", old, err));
    TRY(sqlite_path(folder, "hanse.db.damaged-wal", old_wal, err));
    struct err ignored = {0};
    sqlite3 *db = NULL;
    if (access(path, F_OK) == 0 &&
        sqlite_open_file(path, SQLITE_OPEN_READWRITE, &db, &ignored) == 0) {
        (void)sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        (void)sqlite3_close(db); /* the size of the log tells whether it worked */
    }
    struct stat st;
    if (stat(wal, &st) != 0 || st.st_size == 0) {
        (void)unlink(wal); /* it is empty, or not there */
        return RC_OK;
    }
    (void)unlink(old); /* of an earlier time */
    if ((link(path, old) != 0 && errno != ENOENT) || rename(wal, old_wal) != 0)
        return err_set(err, RC_INTERNAL, "cannot put the damaged store '%s' aside: %s", path,
                       strerror(errno));
    return RC_OK;
}

static enum rc swap(struct str folder, const char *fresh, const char *path, struct err *err)
{
    char shm[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db-shm", shm, err));
    TRY(set_old_aside(folder, path, err));
    (void)unlink(shm); /* an index of the log, made anew when it is missing */
    if (rename(fresh, path) != 0)
        return err_set(err, RC_INTERNAL, "cannot put the backup in the place of '%s': %s", path,
                       strerror(errno));
    return sqlite_sync_folder(path, err);
}

static enum rc restore_locked(struct str folder, const char *file, bool replace, struct err *err)
{
    char path[STORE_PATH_MAX];
    char fresh[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db", path, err));
    TRY(sqlite_path(folder, "hanse.db.restore", fresh, err));
    if (!replace && access(path, F_OK) == 0)
        return err_set(err, RC_CONFLICT,
                       "there is a store in '%.*s' already: say --replace to give it up",
                       STRF(folder));
    TRY(check_backup(file, err));
    enum rc rc = copy_file(file, fresh, err);
    if (rc == RC_OK)
        rc = check_copy(fresh, file, err);
    if (rc == RC_OK)
        rc = swap(folder, fresh, path, err);
    if (rc != RC_OK)
        (void)unlink(fresh); /* it is of no use */
    return rc;
}

enum rc restore_sqlite(struct str url, const char *file, bool replace, struct err *err)
{
    struct str folder = store_url_folder(url);
    if (folder.n == 0)
        return err_set(err, RC_UNSUPPORTED, "a store in memory cannot be restored");
    int fd = -1;
    TRY(sqlite_lock(folder, &fd, err));
    enum rc rc = restore_locked(folder, file, replace, err);
    (void)close(fd); /* lets go of the lock, whatever it returns */
    return rc;
}
