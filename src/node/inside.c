/* openat2(2) behind inside.h. */
#include "node/inside.h"

#include "node/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ABOVE_MODE = 0755 };

static int open_inside(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static enum rc check_path(struct str path, struct err *err)
{
    bool good = path.n > 0 && path.p[0] == '/' && path.n < FILE_PATH_MAX;
    for (size_t i = 0; good && i < path.n; i++)
        good = path.p[i] != '\0';
    return good ? RC_OK : err_set(err, RC_INVALID, "the path '%.*s' is not absolute", STRF(path));
}

/* The last part, and what is above it; "/" has none. Slashes at the end are passed over. */
static struct str cut_last(struct str path, struct str *ret_above)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    *ret_above = str_sub(path, 0, max_size(at, 1));
    return str_sub(path, at, path.n);
}

static bool is_name(struct str name)
{
    return name.n > 0 && !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

static bool own(int fd, const struct inside_owner *owner)
{
    return fchown(fd, owner->user, owner->group) == 0 && fchmod(fd, owner->mode) == 0;
}

/* The folder, made where it is missing, opened. Each part costs one call more at most. */
static enum rc open_folder(int root, struct str path, const struct inside_owner *owner,
                           struct arena *arena, int *ret, struct err *err)
{
    struct stat st;
    if (fstat(root, &st) != 0)
        return file_failed(err, "cannot look at the root of", "a service");
    struct inside_owner above = {.user = st.st_uid, .group = st.st_gid, .mode = ABOVE_MODE};
    for (size_t end = 1; end <= path.n; end++) {
        if (end < path.n && path.p[end] != '/')
            continue;
        struct str parent, part = str_sub(path, 0, end), name = cut_last(part, &parent);
        const char *full = arena_cstr(arena, part);
        int fd = open_inside(root, full, O_RDONLY | O_DIRECTORY);
        bool made = false;
        if (fd < 0 && errno == ENOENT && is_name(name)) {
            int up = open_inside(root, arena_cstr(arena, parent), O_RDONLY | O_DIRECTORY);
            made = up >= 0 && mkdirat(up, arena_cstr(arena, name), ABOVE_MODE) == 0;
            if (up >= 0)
                close(up);
            fd = open_inside(root, full, O_RDONLY | O_DIRECTORY);
        }
        bool last = end == path.n;
        if (fd < 0 || (made && !own(fd, last && owner != NULL ? owner : &above))) {
            enum rc rc = file_failed(err, "cannot make the folder", full);
            if (fd >= 0)
                close(fd);
            return rc;
        }
        if (last) {
            *ret = fd;
            return RC_OK;
        }
        close(fd);
    }
    NEVER("a path has an end");
}

enum rc inside_folder(int root, struct str path, const struct inside_owner *owner,
                      struct arena *arena, struct err *err)
{
    int fd = -1;
    TRY(check_path(path, err));
    TRY(open_folder(root, path, owner, arena, &fd, err));
    close(fd);
    return RC_OK;
}

static enum rc write_in(int folder, const char *name, struct str content,
                        const struct inside_owner *owner, struct err *err)
{
    /* What was there goes first: it may be a link, or open in somebody's hands. */
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        return file_failed(err, "cannot replace", name);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(err, "cannot make", name);
    bool good = true;
    while (good && content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        good = n > 0;
        content = good ? str_sub(content, (size_t)n, content.n) : content;
    }
    good = good && own(fd, owner) && fsync(fd) == 0;
    enum rc rc = good ? RC_OK : file_failed(err, "cannot write", name);
    close(fd);
    return rc;
}

enum rc inside_file(int root, struct str path, struct str content, const struct inside_owner *owner,
                    struct arena *arena, struct err *err)
{
    int folder = -1;
    struct str above;
    TRY(check_path(path, err));
    struct str name = cut_last(path, &above);
    if (!is_name(name))
        return err_set(err, RC_INVALID, "'%.*s' names no file", STRF(path));
    TRY(open_folder(root, above, NULL, arena, &folder, err));
    enum rc rc = write_in(folder, arena_cstr(arena, name), content, owner, err);
    close(folder);
    return rc;
}

bool inside_owner(int root, struct str path, struct inside_owner *ret, struct arena *arena)
{
    struct stat st;
    int fd = open_inside(root, arena_cstr(arena, path), O_PATH);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (fd >= 0)
        close(fd);
    if (good)
        *ret = (struct inside_owner){
            .user = st.st_uid, .group = st.st_gid, .mode = st.st_mode & 07777};
    return good;
}
