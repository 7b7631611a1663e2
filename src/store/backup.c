/* Copy, restore, verify: which engine, and what both need. */
#include "store/backup.h"

#include "base/durable.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum rc backup_part(const char *file, char *ret, struct err *err)
{
    if (*file == '\0' || strlen(file) + sizeof ".part" > STORE_PATH_MAX)
        return err_set(err, RC_INVALID, "the backup needs the name of a file");
    if (access(file, F_OK) == 0)
        return err_set(err, RC_CONFLICT, "'%s' is there already: give another name", file);
    (void)snprintf(ret, STORE_PATH_MAX, "%s.part", file);
    return RC_OK;
}

static enum rc make_durable(const char *path, struct err *err)
{
    if (durable_file(path))
        return RC_OK;
    int code = errno;
    return err_set(err, code == ENOSPC ? RC_FULL : RC_INTERNAL, "cannot write '%s': %s", path,
                   strerror(code));
}

enum rc backup_finish(const char *part, const char *file, struct err *err)
{
    TRY(make_durable(part, err));
    int failed = renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE);
    if (failed != 0 &&
        errno == EINVAL) /* a file system that cannot tell: it was not there before */
        failed = rename(part, file);
    if (failed != 0)
        return err_set(err, errno == EEXIST ? RC_CONFLICT : RC_INTERNAL, "cannot make '%s': %s",
                       file, strerror(errno));
    return sqlite_sync_folder(file, err);
}

enum rc store_backup(struct str url, const char *file, struct err *err)
{
    const struct engine *engine = NULL;
    TRY(store_url_engine(url, &engine, err));
    return engine->kind == STORE_SQLITE ? backup_sqlite(url, file, err)
                                        : backup_postgres(url, file, err);
}

enum rc store_restore(struct str url, const char *file, bool replace, struct err *err)
{
    const struct engine *engine = NULL;
    TRY(store_url_engine(url, &engine, err));
    return engine->kind == STORE_SQLITE ? restore_sqlite(url, file, replace, err)
                                        : restore_postgres(url, file, replace, err);
}

enum rc store_verify(struct str url, struct err *err)
{
    const struct engine *engine = NULL;
    TRY(store_url_engine(url, &engine, err));
    return engine->kind == STORE_SQLITE ? verify_sqlite(url, err) : verify_postgres(url, err);
}
