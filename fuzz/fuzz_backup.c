/*
 * Any bytes are refused as a backup, and nothing else; what was encrypted comes back whole, and not
 * when the byte that the first two name was changed.
 */
#include "fuzz_file.h"

#include "node/backup_file.h"

#include <unistd.h>

enum { ARENA_BYTES = 4 * 1024 * 1024, FLIP = 0x5a };

static enum rc decrypt(int from, struct arena *arena, int *ret_to)
{
    static const uint8_t key[BACKUP_KEY_BYTES] = {7};
    struct err err = {0};
    *ret_to = fuzz_file((const uint8_t *)"", 0);
    ASSERT(lseek(from, 0, SEEK_SET) == 0);
    return backup_decrypt(from, *ret_to, key, arena, &err);
}

static void check_same(int fd, const uint8_t *data, size_t size, struct arena *arena)
{
    uint8_t *got = arena_alloc(arena, size + 1);
    ASSERT(lseek(fd, 0, SEEK_SET) == 0);
    ASSERT(read(fd, got, size + 1) == (ssize_t)size);
    ASSERT(size == 0 || memcmp(got, data, size) == 0);
}

static void round_trip(const uint8_t *data, size_t size, size_t at, struct arena *arena)
{
    static const uint8_t key[BACKUP_KEY_BYTES] = {7};
    struct err err = {0};
    uint8_t byte = 0;
    int from = fuzz_file(data, size), sealed = fuzz_file(data, 0), to = -1, again = -1;
    ASSERT(backup_encrypt(from, sealed, key, INT64_MAX, arena, &err) == RC_OK);
    off_t n = lseek(sealed, 0, SEEK_END);
    ASSERT(decrypt(sealed, arena, &to) == RC_OK);
    check_same(to, data, size, arena);
    off_t flip = (off_t)at % n;
    ASSERT(pread(sealed, &byte, 1, flip) == 1);
    byte ^= FLIP;
    ASSERT(pwrite(sealed, &byte, 1, flip) == 1);
    ASSERT(decrypt(sealed, arena, &again) == RC_INVALID);
    close(from);
    close(sealed);
    close(to);
    close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    uint16_t at = 0;
    int to = -1;
    if (size < sizeof at)
        return 0;
    memcpy(&at, data, sizeof at);
    arena_init(&arena, ARENA_BYTES);
    int from = fuzz_file(data + sizeof at, size - sizeof at);
    ASSERT(decrypt(from, &arena, &to) == RC_INVALID);
    close(from);
    close(to);
    round_trip(data + sizeof at, size - sizeof at, at, &arena);
    arena_fini(&arena);
    return 0;
}
