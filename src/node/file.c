/* Files, by system calls. */
#include "node/file.h"

#include "base/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_MAX = 32, OWN_MODE = 0600, SHOWN_MODE = 0644, FOLDER_MODE = 0711 };

enum rc file_failed(struct err *err, const char *what, const char *path)
{
    int e = errno;
    enum rc rc = RC_UNAVAILABLE;
    if (e == ENOENT)
        rc = RC_NOT_FOUND;
    else if (e == ENOSPC || e == EDQUOT)
        rc = RC_FULL;
    else if (e == EACCES || e == EPERM)
        rc = RC_FORBIDDEN;
    char text[128];
    return err_set(err, rc, "%s '%s': %s", what, path, strerror_r(e, text, sizeof text));
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

enum rc file_read(const char *path, size_t max, struct arena *arena, struct str *ret,
                  struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot read", path);
    struct buf content;
    char piece[FILE_PATH_MAX];
    ssize_t n;
    buf_init(&content, arena, max > 0 ? max : 1);
    while ((n = read(fd, piece, sizeof piece)) > 0 && !content.full)
        buf_add(&content, str_n(piece, (size_t)n));
    if (n < 0) {
        enum rc rc = file_failed(err, "cannot read", path);
        close(fd);
        return rc;
    }
    close(fd);
    if (content.full)
        return err_set(err, RC_TOO_LARGE, "'%s' has more than %zu bytes", path, max);
    *ret = buf_str(&content);
    return RC_OK;
}

int64_t file_number(const char *path, int64_t otherwise)
{
    char text[NUMBER_MAX];
    int64_t number = otherwise;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return otherwise;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n > 0 && str_to_i64(str_trim(str_n(text, (size_t)n)), INT64_MIN, INT64_MAX, &number))
        return number;
    return otherwise;
}

bool file_put_fd(int fd, struct str content)
{
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        content = str_sub(content, (size_t)n, content.n);
    }
    return true;
}

ssize_t file_read_fd(int fd, void *p, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, (char *)p + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static bool write_synced(const char *path, struct str content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, OWN_MODE);
    if (fd < 0)
        return false;
    /* By fchmod, which no mask narrows. */
    bool good = file_put_fd(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int e = errno;
    close(fd);
    errno = e;
    return good;
}

static enum rc replace(const char *path, struct str content, mode_t mode, struct err *err)
{
    char beside[FILE_PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    ASSERT(n > 0 && (size_t)n < sizeof beside);
    if (!write_synced(beside, content, mode) || rename(beside, path) != 0) {
        enum rc rc = file_failed(err, "cannot write", path);
        (void)unlink(beside); /* it may not be there */
        return rc;
    }
    return RC_OK;
}

enum rc file_write(const char *path, struct str content, struct err *err)
{
    return replace(path, content, OWN_MODE, err);
}

enum rc file_show(const char *path, struct str content, struct err *err)
{
    return replace(path, content, SHOWN_MODE, err);
}

enum rc file_rename(const char *from, const char *to, struct err *err)
{
    bool good = rename(from, to) == 0 && durable_name(to);
    return good ? RC_OK : file_failed(err, "cannot keep", to);
}

enum rc file_put(const char *path, struct str content, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot write", path);
    bool good = file_put_fd(fd, content);
    enum rc rc = good ? RC_OK : file_failed(err, "cannot write", path);
    close(fd);
    return rc;
}

enum rc file_make_folder(const char *path, struct err *err)
{
    char part[FILE_PATH_MAX];
    size_t n = strlen(path);
    ASSERT(n > 0 && n < sizeof part);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, FOLDER_MODE) != 0 && errno != EEXIST)
            return file_failed(err, "cannot make the folder", part);
    }
    return RC_OK;
}

/* What is in one folder, without following anything. */
static bool remove_inside(int parent, const char *name, dev_t device, int depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || depth > FILE_DEPTH_MAX || fstat(fd, &st) != 0 || st.st_dev != device) {
        errno = fd < 0 ? errno : EXDEV;
        if (fd >= 0)
            close(fd);
        return false;
    }
    DIR *dir = fdopendir(fd);
    bool good = dir != NULL;
    struct dirent *e;
    /* POSIX lets a folder be read on while entries are taken away. */
    while (good && (e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) == 0)
            continue;
        good = (errno == EISDIR || errno == EPERM) &&
               remove_inside(fd, e->d_name, device, depth + 1) &&
               unlinkat(fd, e->d_name, AT_REMOVEDIR) == 0;
    }
    int failure = errno;
    if (dir != NULL)
        closedir(dir);
    else
        close(fd);
    errno = failure;
    return good;
}

enum rc file_remove(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? RC_OK : file_failed(err, "cannot remove", path);
    bool good = S_ISDIR(st.st_mode)
                    ? remove_inside(AT_FDCWD, path, st.st_dev, 0) && rmdir(path) == 0
                    : unlink(path) == 0;
    if (good)
        return RC_OK;
    if (errno == EXDEV || errno == EBUSY)
        return err_set(err, RC_CONFLICT, "cannot remove '%s': something is mounted in it", path);
    return file_failed(err, "cannot remove", path);
}
