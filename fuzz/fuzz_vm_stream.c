/*
 * Any bytes as what a machine kept: taken only where they are disks from the first to the last
 * byte, and then these; and what is put comes back as it was.
 */
#include "fuzz_file.h"

#include "node/vm_stream.h"

#include <unistd.h>

enum { ARENA_BYTES = 16 * 1024 * 1024, DISKS = 3, HEAD = 8 };

struct taken {
    size_t count;
    int64_t bytes[DISKS];
    int files[DISKS];
};

static enum rc open_disk(void *arg, size_t number, int64_t bytes, int *ret, struct err *err UNUSED)
{
    struct taken *t = arg;
    ASSERT(number == t->count && number < DISKS);
    ASSERT(bytes > 0 && bytes <= VM_STREAM_DISK_MAX);
    t->bytes[number] = bytes;
    t->files[number] = fuzz_file((const uint8_t *)"", 0);
    t->count++;
    *ret = dup(t->files[number]); /* which is closed */
    ASSERT(*ret >= 0);
    return RC_OK;
}

static enum rc take(int input, struct taken *t, struct arena *arena)
{
    struct err err = {0};
    const struct vm_stream_door door = {.open = open_disk, .arg = t, .disks_max = DISKS};
    *t = (struct taken){.count = 0};
    enum rc rc = vm_stream_take(input, &door, arena, &err);
    ASSERT(rc == RC_OK || (rc == RC_INVALID && err.text_n > 0));
    return rc;
}

static void check_same(int fd, const uint8_t *data, size_t size, struct arena *arena)
{
    uint8_t *got = arena_alloc(arena, size + 1);
    ASSERT(lseek(fd, 0, SEEK_SET) == 0);
    ASSERT(read(fd, got, size + 1) == (ssize_t)size);
    ASSERT(memcmp(got, data, size) == 0);
}

/* How many disks the bytes are, by another way of reading; DISKS + 1: they are none. */
static size_t disks_in(const uint8_t *data, size_t size)
{
    size_t count = 0;
    while (size > 0) {
        uint64_t length = 0;
        if (size < HEAD || count == DISKS)
            return DISKS + 1;
        for (size_t i = 0; i < HEAD; i++)
            length = length << 8 | data[i];
        if (length == 0 || length > size - HEAD)
            return DISKS + 1;
        data += HEAD + length;
        size -= HEAD + length;
        count++;
    }
    return count;
}

static void check_taken(const struct taken *t, const uint8_t *data, size_t size,
                        struct arena *arena)
{
    size_t at = 0;
    for (size_t i = 0; i < t->count; i++) {
        check_same(t->files[i], data + at + HEAD, (size_t)t->bytes[i], arena);
        at += HEAD + (size_t)t->bytes[i];
    }
    ASSERT(at == size);
}

static void drop(struct taken *t)
{
    for (size_t i = 0; i < t->count; i++)
        close(t->files[i]);
}

/* The same bytes as two disks, the first of half of them. */
static void round_trip(const uint8_t *data, size_t size, struct arena *arena)
{
    struct err err = {0};
    struct taken t;
    size_t half = size / 2;
    int stream = fuzz_file(data, 0), first = fuzz_file(data, half);
    int second = fuzz_file(data + half, size - half);
    ASSERT(vm_stream_put(stream, first, (int64_t)half, arena, &err) == RC_OK);
    ASSERT(vm_stream_put(stream, second, (int64_t)(size - half), arena, &err) == RC_OK);
    ASSERT(lseek(first, 0, SEEK_SET) == 0);
    ASSERT(vm_stream_put(stream, first, (int64_t)half + 1, arena, &err) == RC_INVALID);
    ASSERT(ftruncate(stream, (off_t)(2 * HEAD + size)) == 0);
    ASSERT(lseek(stream, 0, SEEK_SET) == 0);
    ASSERT(take(stream, &t, arena) == RC_OK);
    ASSERT(t.count == 2);
    check_same(t.files[0], data, half, arena);
    check_same(t.files[1], data + half, size - half, arena);
    drop(&t);
    close(stream);
    close(first);
    close(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct taken t;
    arena_init(&arena, ARENA_BYTES);
    int input = fuzz_file(data, size);
    enum rc rc = take(input, &t, &arena);
    ASSERT((rc == RC_OK) == (disks_in(data, size) <= DISKS));
    if (rc == RC_OK)
        check_taken(&t, data, size, &arena);
    drop(&t);
    close(input);
    if (size > 1)
        round_trip(data, size, &arena);
    arena_fini(&arena);
    return 0;
}
