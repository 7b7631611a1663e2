#include "node/vm_stream.h"

#include "node/file.h"

#include <endian.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024 };

static enum rc write_all(int to, const void *piece, size_t n, struct err *err)
{
    return file_put_fd(to, str_n(piece, n)) ? RC_OK : file_failed(err, "cannot write", "the disk");
}

/* So many bytes, of a socket or a file. */
static enum rc copy(int from, int to, int64_t bytes, char *piece, struct err *err)
{
    for (int64_t left = bytes; left > 0;) {
        ssize_t n = file_read_fd(from, piece, (size_t)min_i64(left, PIECE_BYTES));
        if (n < 0)
            return file_failed(err, "cannot read", "the disk");
        if (n == 0)
            return err_set(err, RC_INVALID, "a disk is shorter than it says");
        TRY(write_all(to, piece, (size_t)n, err));
        left -= n;
    }
    return RC_OK;
}

enum rc vm_stream_put(int output, int file, int64_t bytes, struct arena *arena, struct err *err)
{
    uint64_t length = htobe64((uint64_t)bytes);
    ASSERT(bytes > 0);
    TRY(write_all(output, &length, sizeof length, err));
    return copy(file, output, bytes, arena_bytes(arena, PIECE_BYTES), err);
}

/* The length of the next disk; false at the end of all. */
static enum rc next_length(int input, bool *ret_more, int64_t *ret, struct err *err)
{
    uint64_t length = 0;
    ssize_t got = file_read_fd(input, &length, sizeof length);
    if (got < 0)
        return file_failed(err, "cannot read", "the disk");
    length = be64toh(length);
    *ret_more = got > 0;
    if (got > 0 && (got < (ssize_t)sizeof length || length == 0 || length > VM_STREAM_DISK_MAX))
        return err_set(err, RC_INVALID, "what is loaded is no disk of a machine");
    *ret = (int64_t)length;
    return RC_OK;
}

enum rc vm_stream_take(int input, const struct vm_stream_door *door, struct arena *arena,
                       struct err *err)
{
    char *piece = arena_bytes(arena, PIECE_BYTES);
    for (size_t i = 0;; i++) {
        bool more = false;
        int64_t bytes = 0;
        int fd = -1;
        TRY(next_length(input, &more, &bytes, err));
        if (!more)
            return RC_OK;
        if (i == door->disks_max)
            return err_set(err, RC_INVALID, "a machine has at most %zu disks", door->disks_max);
        TRY(door->open(door->arg, i, bytes, &fd, err));
        enum rc rc = copy(input, fd, bytes, piece, err);
        if (rc == RC_OK && fsync(fd) != 0)
            rc = file_failed(err, "cannot write", "the disk");
        close(fd);
        TRY(rc);
    }
}
