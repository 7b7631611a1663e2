#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool is_synced(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool good = fd >= 0 && fsync(fd) == 0;
    int e = errno;
    if (fd >= 0)
        (void)close(fd); /* nothing was written through it */
    errno = e;
    return good;
}

bool durable_file(const char *path)
{
    return is_synced(path, 0);
}

bool durable_folder(const char *path)
{
    return is_synced(path, O_DIRECTORY);
}

bool durable_name(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(folder, path, n);
    folder[n] = '\0';
    return durable_folder(n > 0 ? folder : ".");
}
