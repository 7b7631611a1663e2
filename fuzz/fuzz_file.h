/* fuzz_file.h - the bytes of an input as a file, for targets that read files. */
#ifndef FUZZ_FUZZ_FILE_H
#define FUZZ_FUZZ_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* At its beginning; the caller closes it. */
static inline int fuzz_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    ASSERT(fd >= 0);
    ASSERT(write(fd, data, size) == (ssize_t)size);
    ASSERT(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

#endif
