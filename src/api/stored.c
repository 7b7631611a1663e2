#include "api/stored.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024 };

bool stored_write(int fd, struct str piece, int64_t at)
{
    while (piece.n > 0) {
        ssize_t n = pwrite(fd, piece.p, piece.n, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        piece = str_sub(piece, (size_t)n, piece.n);
        at += n;
    }
    return true;
}

bool stored_hash(int fd, struct arena *arena, struct str *ret, int64_t *ret_bytes)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char *hex = arena_alloc(arena, 2 * sizeof hash + 1);
    char *piece = arena_bytes(arena, READ_BYTES);
    crypto_hash_sha256_state state;
    ssize_t n = 0;
    *ret_bytes = 0;
    crypto_hash_sha256_init(&state);
    while ((n = read(fd, piece, READ_BYTES)) > 0) {
        crypto_hash_sha256_update(&state, (const unsigned char *)piece, (size_t)n);
        *ret_bytes += n;
    }
    if (n < 0)
        return false;
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
    *ret = str_n(hex, 2 * sizeof hash);
    return true;
}

/* --- what nobody went on sending --- */

static bool is_left(int folder, const char *name, time_us before)
{
    struct stat about;
    return str_ends(str_c(name), STR(STORED_UNFINISHED)) &&
           fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode) &&
           about.st_mtim.tv_sec < before / US_PER_SECOND;
}

bool stored_sweep(const char *folder, time_us before, size_t *ret)
{
    *ret = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT;
    bool good = true;
    for (const struct dirent *e = readdir(dir); good && e != NULL; e = readdir(dir)) {
        if (!is_left(dirfd(dir), e->d_name, before))
            continue;
        good = unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT;
        *ret += good;
    }
    int e = errno;
    (void)closedir(dir); /* only read */
    errno = e;
    return good;
}
