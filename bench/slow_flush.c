/*
 * slow_flush.c - makes the disk of one process slower: preloaded, each fdatasync first waits
 * BENCH_FLUSH_US microseconds. For bench_hansed: what group commit is worth depends on what a
 * flush costs, and disks differ by a factor of a hundred.
 */
#include "base/base.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int fd)
{
    const char *text = getenv("BENCH_FLUSH_US");
    long us = text != NULL ? strtol(text, NULL, 10) : 0;
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void)nanosleep(&pause, NULL); /* cut short by a signal, it is still a pause */
    return (int)syscall(SYS_fdatasync, fd);
}
