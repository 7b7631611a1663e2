/* The folder of a SQLite store: its lock, and whether the file in it can be trusted. */
#include "store/sqlite.h"

#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 100,
    FORMAT_OFFSET = 60,       /* user_version */
    APP_OFFSET = 68,          /* application_id: https://www.sqlite.org/fileformat.html 1.3 */
    CHECK_BUDGET_US = 150000, /* of a start that is to take less than 0.3 s */
};

static enum rc os_failed(struct err *err, const char *what, const char *path)
{
    int code = errno;
    return err_set(err, code == ENOSPC || code == EDQUOT ? RC_FULL : RC_INVALID, "%s '%s': %s",
                   what, path, strerror(code));
}

enum rc sqlite_path(struct str folder, const char *file, char *ret, struct err *err)
{
    if (folder.n == 0 || folder.n + strlen(file) + 2 > STORE_PATH_MAX)
        return err_set(err, RC_INVALID,
                       "the folder of the store has no name, or one that is too "
                       "long");
    (void)snprintf(ret, STORE_PATH_MAX, "%.*s/%s", STRF(folder), file);
    return RC_OK;
}

/* As mkdir -p: each missing step, for the owner only. */
static enum rc make_folder(struct str folder, struct err *err)
{
    char path[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "", path, err));
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0700) == 0)
            TRY(sqlite_sync_folder(path, err));
        else if (errno != EEXIST)
            return os_failed(err, "cannot make the folder", path);
        *p = '/';
    }
    return RC_OK;
}

enum rc sqlite_sync_folder(const char *path, struct err *err)
{
    return durable_name(path) ? RC_OK : os_failed(err, "cannot make durable the name", path);
}

/* --- one process at a time --- */

static enum rc refuse_second(int fd, struct str folder, struct err *err)
{
    char pid[16] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    struct str text = str_trim(str_n(pid, n > 0 ? (size_t)n : 0));
    int64_t number = 0;
    if (str_to_i64(text, 1, INT32_MAX, &number))
        return err_set(err, RC_CONFLICT, "the store in '%.*s' is in use by process %d",
                       STRF(folder), (int)number);
    return err_set(err, RC_CONFLICT, "the store in '%.*s' is in use by another process",
                   STRF(folder));
}

enum rc sqlite_lock(struct str folder, int *ret_fd, struct err *err)
{
    char path[STORE_PATH_MAX];
    TRY(make_folder(folder, err));
    TRY(sqlite_path(folder, "hanse.lock", path, err));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return os_failed(err, "cannot open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum rc rc = errno == EWOULDBLOCK ? refuse_second(fd, folder, err)
                                          : os_failed(err, "cannot lock", path);
        (void)close(fd); /* the lock is not ours */
        return rc;
    }
    /* The number is for people; the lock holds without it, also on a full disk. */
    char pid[16];
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) != n)
        (void)!ftruncate(fd, 0);
    *ret_fd = fd;
    return RC_OK;
}

/* --- is it ours, is it whole --- */

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

enum rc sqlite_check_header(const char *path, const char *name, bool *ret_new, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret_new = true;
        return RC_OK;
    }
    if (fd < 0)
        return os_failed(err, "cannot open", path);
    unsigned char header[HEADER_BYTES] = {0};
    ssize_t n = pread(fd, header, sizeof header, 0);
    if (n < 0) {
        enum rc rc = os_failed(err, "cannot read", path);
        (void)close(fd); /* only read from */
        return rc;
    }
    (void)close(fd); /* only read from */
    if (n < HEADER_BYTES || memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, RC_INVALID,
                       "%s is damaged or no store of Hanse (it does not begin as one). nothing was "
                       "changed; restore the latest backup with: hansed restore FILE --replace",
                       name);
    if (big_endian(header + APP_OFFSET) != SQLITE_FILE_APP)
        return err_set(err, RC_INVALID,
                       "%s is no store of Hanse: another program wrote it. nothing was changed",
                       name);
    if (big_endian(header + FORMAT_OFFSET) > SQLITE_FILE_FORMAT)
        return err_set(err, RC_CONFLICT,
                       "%s was written by a newer Hanse: use that version. nothing was changed",
                       name);
    *ret_new = false;
    return RC_OK;
}

/* Stops a check that takes too long, from beside: a walk over the pages of one table is a single
 * step for SQLite and asks nobody in between. */
struct timer {
    sqlite3 *db;
    struct timespec until;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void *run_timer(void *arg)
{
    struct timer *t = arg;
    pthread_mutex_lock(&t->lock);
    int waited = 0;
    while (!t->done && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&t->over, &t->lock, &t->until);
    if (!t->done)
        sqlite3_interrupt(t->db);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void start_timer(struct timer *t, pthread_t *thread, sqlite3 *db, int64_t budget_us)
{
    *t = (struct timer){.db = db};
    time_us until = clock_steady(clock_system()) + budget_us;
    t->until.tv_sec = until / US_PER_SECOND;
    t->until.tv_nsec = until % US_PER_SECOND * 1000;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->over, &steady);
    pthread_condattr_destroy(&steady);
    int failed = pthread_create(thread, NULL, run_timer, t);
    ASSERT(failed == 0);
}

static void stop_timer(struct timer *t, pthread_t thread)
{
    pthread_mutex_lock(&t->lock);
    t->done = true;
    pthread_cond_signal(&t->over);
    pthread_mutex_unlock(&t->lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&t->over);
    pthread_mutex_destroy(&t->lock);
}

static enum rc damaged(const char *name, const char *what, struct err *err)
{
    return err_set(err, RC_INVALID,
                   "%s is damaged (%.200s). restore the latest backup with: hansed restore FILE "
                   "--replace; nothing was changed",
                   name, what);
}

/* The first line that the check says, into *ret_code; its text into found. */
static void run_check(sqlite3 *db, bool whole, int *ret_code, char found[256])
{
    sqlite3_stmt *stmt = NULL;
    const char *sql = whole ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";
    *ret_code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (*ret_code == SQLITE_OK)
        *ret_code = sqlite3_step(stmt);
    if (*ret_code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        (void)snprintf(found, 256, "%s", text ? text : "out of memory");
    } else {
        (void)snprintf(found, 256, "%s", sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(stmt); /* its failure is the step's, told above */
}

enum rc sqlite_check_pages(sqlite3 *db, const char *name, bool whole, int64_t budget_us,
                           struct err *err)
{
    int code = SQLITE_OK;
    char found[256] = "";
    struct timer timer;
    pthread_t thread;
    if (budget_us > 0)
        start_timer(&timer, &thread, db, budget_us);
    run_check(db, whole, &code, found);
    if (budget_us > 0)
        stop_timer(&timer, thread);
    int primary = code & 0xFF;
    if (primary == SQLITE_INTERRUPT && budget_us > 0)
        return RC_OK; /* sound as far as there was time to look */
    if (primary == SQLITE_ROW && strcmp(found, "ok") == 0)
        return RC_OK;
    if (primary == SQLITE_ROW || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
        return damaged(name, found, err);
    return sqlite_failure(db, code, err);
}

/* --- start --- */

/* Made under another name and renamed when whole: a hanse.db that is empty was damaged, it is not
 * half made. */
static enum rc fill_new(const char *path, struct err *err)
{
    sqlite3 *db = NULL;
    TRY(sqlite_open_file(path, SQLITE_OPEN_READWRITE, &db, err));
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA page_size = %d; BEGIN IMMEDIATE; PRAGMA application_id = %d; "
                   "PRAGMA user_version = %d; COMMIT",
                   SQLITE_FILE_PAGE, SQLITE_FILE_APP, SQLITE_FILE_FORMAT);
    enum rc rc = sqlite_exec(db, sql, err);
    (void)sqlite3_close(db); /* the commit above was durable, or has failed */
    return rc;
}

static enum rc create(struct str folder, const char *path, struct err *err)
{
    char wal[STORE_PATH_MAX];
    char fresh[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db-wal", wal, err));
    TRY(sqlite_path(folder, "hanse.db.new", fresh, err));
    if (access(wal, F_OK) == 0)
        return err_set(err, RC_INVALID,
                       "'%s' is there, but the store that it belongs to is missing. nothing was "
                       "changed; restore the latest backup with: hansed restore FILE --replace",
                       wal);
    /* Private from the first byte; SQLite gives the files beside it the same rights. */
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return os_failed(err, "cannot make", fresh);
    (void)close(fd); /* nothing was written */
    TRY(fill_new(fresh, err));
    if (rename(fresh, path) != 0)
        return os_failed(err, "cannot make", path);
    return sqlite_sync_folder(path, err);
}

static enum rc check_file(const char *path, const char *name, struct err *err)
{
    sqlite3 *db = NULL;
    TRY(sqlite_open_file(path, SQLITE_OPEN_READWRITE, &db, err));
    enum rc rc = sqlite_check_pages(db, name, false, CHECK_BUDGET_US, err);
    (void)sqlite3_close(db); /* only read from */
    return rc;
}

enum rc sqlite_start(struct store *s, struct err *err)
{
    /* Without counting memory SQLite takes no lock of the whole process at each allocation: up to a
     * third more reads by four threads. It refuses once it runs: what was said first holds. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct str folder = store_url_folder(str_c(s->url));
    if (folder.n == 0) {
        s->shared = true;
        s->describe = store_copy(STR("sqlite::memory:"));
        return RC_OK;
    }
    s->folder = store_copy(folder);
    s->describe = store_copy(str_c(s->url));
    s->files = sqlite_files_open();
    TRY(sqlite_lock(folder, &s->lock_fd, err));
    char path[STORE_PATH_MAX];
    TRY(sqlite_path(folder, "hanse.db", path, err));
    char name[ERR_TEXT_MAX / 2];
    (void)snprintf(name, sizeof name, "the store '%s'", path);
    bool fresh = false;
    TRY(sqlite_check_header(path, name, &fresh, err));
    return fresh ? create(folder, path, err) : check_file(path, name, err);
}

void sqlite_stop(struct store *s)
{
    sqlite_files_close(s->files);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd); /* lets go of the lock, whatever it returns */
}
