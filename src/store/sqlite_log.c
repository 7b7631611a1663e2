/*
 * The log file (WAL) of the writer, gathered: SQLite writes each page of a commit in two pieces, 24
 * bytes about the page and the page, and each piece would be a system call. Here pieces that follow
 * each other are put together and written at once, at the latest when SQLite wants the file
 * durable.
 *
 * Nobody can miss what waits here. A commit is told to readers, in the log's index, after the file
 * was made durable (synchronous = FULL); before that only the writer itself reads what it wrote,
 * through this same handle. Pieces that cannot be written stay, and are tried again before any that
 * come later: the file sees the same pieces in the same order as without this, only later.
 */
#include "store/sqlite.h"

enum {
    FRAME_BYTES = 24 + SQLITE_FILE_PAGE,
    /* SQLite's own way to the file takes less than 128 KiB at a time. */
    GATHER_FRAMES = 31,
    GATHER_BYTES = GATHER_FRAMES * FRAME_BYTES,
    VFS_NAME_MAX = 32,
};
_Static_assert(GATHER_BYTES < 128 * 1024, "a gathered write is one call");

struct sqlite_files {
    sqlite3_vfs vfs;
    sqlite3_vfs *below;
    char name[VFS_NAME_MAX];
};

struct log_file {
    sqlite3_file base;
    sqlite3_file *below; /* behind this struct, in the room that SQLite gave */
    char *pieces;
    int n; /* bytes that wait */
    sqlite3_int64 at;
};

static struct log_file *of(sqlite3_file *file)
{
    return CONTAINER_OF(file, struct log_file, base);
}

static int flush(struct log_file *f)
{
    if (f->n == 0)
        return SQLITE_OK;
    int code = f->below->pMethods->xWrite(f->below, f->pieces, f->n, f->at);
    if (code == SQLITE_OK)
        f->n = 0;
    return code;
}

static int gather_close(sqlite3_file *file)
{
    struct log_file *f = of(file);
    (void)flush(f); /* no commit waits for it: of one, all was written and made durable */
    free(f->pieces);
    f->pieces = NULL;
    return f->below->pMethods->xClose(f->below);
}

static int gather_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    struct log_file *f = of(file);
    bool waits = f->n > 0 && at < f->at + f->n && f->at < at + n;
    int code = waits ? flush(f) : SQLITE_OK;
    return code == SQLITE_OK ? f->below->pMethods->xRead(f->below, to, n, at) : code;
}

static int gather_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    struct log_file *f = of(file);
    bool follows = f->n > 0 && at == f->at + f->n && n <= GATHER_BYTES - f->n;
    if (!follows) {
        int code = flush(f);
        if (code != SQLITE_OK || n > GATHER_BYTES)
            return code != SQLITE_OK ? code : f->below->pMethods->xWrite(f->below, from, n, at);
        f->at = at;
    }
    memcpy(f->pieces + f->n, from, (size_t)n);
    f->n += n;
    return SQLITE_OK;
}

static int gather_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *f = of(file);
    int code = SQLITE_OK;
    if (size <= f->at)
        f->n = 0; /* cut off before it came: no disk needs to have room for it */
    else
        code = flush(f);
    return code == SQLITE_OK ? f->below->pMethods->xTruncate(f->below, size) : code;
}

static int gather_sync(sqlite3_file *file, int flags)
{
    struct log_file *f = of(file);
    int code = flush(f);
    return code == SQLITE_OK ? f->below->pMethods->xSync(f->below, flags) : code;
}

static int gather_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct log_file *f = of(file);
    int code = f->below->pMethods->xFileSize(f->below, ret);
    if (code == SQLITE_OK && f->n > 0)
        *ret = max_i64(*ret, f->at + f->n);
    return code;
}

static int gather_lock(sqlite3_file *file, int level)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xLock(f->below, level);
}

static int gather_unlock(sqlite3_file *file, int level)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xUnlock(f->below, level);
}

static int gather_check_lock(sqlite3_file *file, int *ret)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xCheckReservedLock(f->below, ret);
}

static int gather_control(sqlite3_file *file, int what, void *arg)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xFileControl(f->below, what, arg);
}

static int gather_sector(sqlite3_file *file)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xSectorSize(f->below);
}

static int gather_traits(sqlite3_file *file)
{
    struct log_file *f = of(file);
    return f->below->pMethods->xDeviceCharacteristics(f->below);
}

static const sqlite3_io_methods gather_methods = {
    .iVersion = 1,
    .xClose = gather_close,
    .xRead = gather_read,
    .xWrite = gather_write,
    .xTruncate = gather_truncate,
    .xSync = gather_sync,
    .xFileSize = gather_size,
    .xLock = gather_lock,
    .xUnlock = gather_unlock,
    .xCheckReservedLock = gather_check_lock,
    .xFileControl = gather_control,
    .xSectorSize = gather_sector,
    .xDeviceCharacteristics = gather_traits,
};

/* Any file but the log is SQLite's own alone. */
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    sqlite3_vfs *below = CONTAINER_OF(vfs, struct sqlite_files, vfs)->below;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return below->xOpen(below, name, file, flags, ret_flags);
    struct log_file *f = of(file);
    *f = (struct log_file){.below = (sqlite3_file *)(void *)(f + 1)};
    memset(f->below, 0, (size_t)below->szOsFile);
    int code = below->xOpen(below, name, f->below, flags, ret_flags);
    if (code != SQLITE_OK)
        return code; /* and without pMethods, so that nobody closes it */
    f->pieces = store_alloc(1, GATHER_BYTES);
    f->base.pMethods = &gather_methods;
    return SQLITE_OK;
}

struct sqlite_files *sqlite_files_open(void)
{
    struct sqlite_files *files = store_alloc(1, sizeof *files);
    files->below = sqlite3_vfs_find(NULL);
    ASSERT(files->below != NULL);
    files->vfs = *files->below;
    (void)snprintf(files->name, sizeof files->name, "hanse-%p", (void *)files);
    files->vfs.zName = files->name;
    files->vfs.pNext = NULL;
    files->vfs.szOsFile += (int)sizeof(struct log_file);
    files->vfs.xOpen = open_file;
    int code = sqlite3_vfs_register(&files->vfs, 0);
    ASSERT(code == SQLITE_OK);
    return files;
}

const char *sqlite_files_name(const struct sqlite_files *files)
{
    return files->name;
}

void sqlite_files_close(struct sqlite_files *files)
{
    if (files == NULL)
        return;
    (void)sqlite3_vfs_unregister(&files->vfs); /* it is registered: it cannot fail */
    free(files);
}
