#include "store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MODE = 0600, OTHERS = 077 };

static enum rc refuse(struct err *err, enum rc rc, const char *path, const char *why)
{
    return err_set(err, rc, "the key file '%s' %s", path, why);
}

/* Beside and renamed: a stop half way leaves no short key. */
static enum rc make_key(struct seal *s, const char *path, struct err *err)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return refuse(err, RC_INVALID, path, "has too long a name");
    clock_chance(clock_system(), s->key, sizeof s->key);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, KEY_MODE);
    if (fd < 0)
        return refuse(err, RC_FORBIDDEN, path, strerror(errno));
    bool good = write(fd, s->key, sizeof s->key) == (ssize_t)sizeof s->key && fsync(fd) == 0;
    good = close(fd) == 0 && good && rename(temporary, path) == 0;
    return good ? RC_OK : refuse(err, RC_FULL, path, "cannot be written");
}

enum rc seal_open(struct seal *ret, const char *path, struct err *err)
{
    struct seal s;
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        TRY(make_key(&s, path, err));
        *ret = s;
        return RC_OK;
    }
    if (fd < 0)
        return refuse(err, RC_FORBIDDEN, path, strerror(errno));
    bool known = fstat(fd, &about) == 0;
    bool whole = known && about.st_size == (off_t)sizeof s.key &&
                 read(fd, s.key, sizeof s.key) == (ssize_t)sizeof s.key;
    (void)close(fd); /* only read */
    if (!whole)
        return refuse(err, RC_INVALID, path, "is no key of 32 bytes");
    if ((about.st_mode & OTHERS) != 0)
        return refuse(err, RC_INVALID, path, "can be read by others: chmod 600");
    *ret = s;
    return RC_OK;
}

struct str seal_close(const struct seal *s, struct tx *tx, struct str plain)
{
    size_t n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.n;
    unsigned char *closed = arena_alloc(tx->arena, n);
    clock_chance(tx->ids->clock, closed, crypto_secretbox_NONCEBYTES);
    int rc = crypto_secretbox_easy(closed + crypto_secretbox_NONCEBYTES,
                                   (const unsigned char *)plain.p, plain.n, closed, s->key);
    ASSERT(rc == 0);
    return str_n((const char *)closed, n);
}

enum rc seal_read(const struct seal *s, struct str closed, struct arena *arena, struct str *ret,
                  struct err *err)
{
    const size_t more = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (closed.n < more)
        return err_set(err, RC_INTERNAL, "what is sealed in the store is not whole");
    unsigned char *plain = arena_alloc(arena, closed.n - more + 1);
    const unsigned char *bytes = (const unsigned char *)closed.p;
    if (crypto_secretbox_open_easy(plain, bytes + crypto_secretbox_NONCEBYTES,
                                   closed.n - crypto_secretbox_NONCEBYTES, bytes, s->key) != 0)
        return err_set(err, RC_INTERNAL, "what is sealed in the store was closed with another key");
    *ret = str_n((const char *)plain, closed.n - more);
    return RC_OK;
}
