/* The stream of backup_file.h. */
#include "node/backup_file.h"

#include "node/file.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

enum {
    HEADER_BYTES = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    MORE_BYTES = crypto_secretstream_xchacha20poly1305_ABYTES,
    SEALED_BYTES = BACKUP_PIECE_BYTES + MORE_BYTES,
    TAG_LAST = crypto_secretstream_xchacha20poly1305_TAG_FINAL,
};
_Static_assert((int)BACKUP_KEY_BYTES == (int)crypto_secretstream_xchacha20poly1305_KEYBYTES,
               "a key is a key of the stream");

enum rc backup_key_read(struct str hex, uint8_t ret[BACKUP_KEY_BYTES], struct err *err)
{
    size_t n = 0;
    uint8_t key[BACKUP_KEY_BYTES];
    if (sodium_hex2bin(key, sizeof key, hex.p, hex.n, NULL, &n, NULL) != 0 || n != sizeof key ||
        hex.n != 2 * sizeof key)
        return err_set(err, RC_INVALID, "the key of a backup is 64 hexadecimal digits");
    memcpy(ret, key, sizeof key);
    return RC_OK;
}

static enum rc write_full(int fd, const uint8_t *p, size_t n, struct err *err)
{
    if (file_put_fd(fd, str_n((const char *)p, n)))
        return RC_OK;
    if (errno == EPIPE || errno == ECONNRESET)
        return err_set(err, RC_GONE, "the command ended before it had read the backup");
    return file_failed(err, "cannot write", "the backup");
}

enum rc backup_encrypt(int from, int to, const uint8_t key[BACKUP_KEY_BYTES], int64_t max,
                       struct arena *arena, struct err *err)
{
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t header[HEADER_BYTES];
    uint8_t *plain = arena_alloc(arena, BACKUP_PIECE_BYTES);
    uint8_t *sealed = arena_alloc(arena, SEALED_BYTES);
    int64_t left = max - HEADER_BYTES;
    bool last = false;
    crypto_secretstream_xchacha20poly1305_init_push(&state, header, key);
    TRY(write_full(to, header, sizeof header, err));
    while (!last) {
        ssize_t n = file_read_fd(from, plain, BACKUP_PIECE_BYTES);
        if (n < 0)
            return file_failed(err, "cannot read", "the backup");
        last = n < BACKUP_PIECE_BYTES;
        left -= n + MORE_BYTES;
        if (left < 0)
            return err_set(err, RC_TOO_LARGE, "the backup has more than %lld bytes",
                           (long long)max);
        crypto_secretstream_xchacha20poly1305_push(
            &state, sealed, NULL, plain, (unsigned long long)n, NULL, 0, last ? TAG_LAST : 0);
        TRY(write_full(to, sealed, (size_t)n + MORE_BYTES, err));
    }
    return RC_OK;
}

static enum rc refused(struct err *err)
{
    return err_set(err, RC_INVALID, "the backup is not what was written, or the key is another");
}

enum rc backup_decrypt(int from, int to, const uint8_t key[BACKUP_KEY_BYTES], struct arena *arena,
                       struct err *err)
{
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t header[HEADER_BYTES];
    uint8_t *plain = arena_alloc(arena, BACKUP_PIECE_BYTES);
    uint8_t *sealed = arena_alloc(arena, SEALED_BYTES);
    uint8_t tag = 0;
    if (file_read_fd(from, header, sizeof header) != (ssize_t)sizeof header ||
        crypto_secretstream_xchacha20poly1305_init_pull(&state, header, key) != 0)
        return refused(err);
    while (tag != TAG_LAST) {
        unsigned long long got = 0;
        ssize_t n = file_read_fd(from, sealed, SEALED_BYTES);
        if (n < 0)
            return file_failed(err, "cannot read", "the backup");
        if (n < MORE_BYTES ||
            crypto_secretstream_xchacha20poly1305_pull(&state, plain, &got, &tag, sealed,
                                                       (unsigned long long)n, NULL, 0) != 0)
            return refused(err);
        TRY(write_full(to, plain, (size_t)got, err));
    }
    return file_read_fd(from, sealed, 1) == 0 ? RC_OK : refused(err);
}
