#include "base/process.h"

#include "base/base.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    MIB = 1024 * 1024,
    MALLOC_ARENAS = 2,
    KEEP_BYTES = 16 * MIB,
    MAP_BYTES = 2 * MIB, /* what is larger is the system's, one by one */
    SMALL_BYTES = 128 * 1024,
    SMALL_PAD_BYTES = 32 * 1024,
};

void process_prepare(void)
{
    struct rlimit files;
    umask(077);
    /* A value that malloc refuses leaves it as it was: slower, not wrong. */
    (void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, MAP_BYTES);
    (void)mallopt(M_TOP_PAD, MIB);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* refused: then with what there is */
    }
}

void process_prepare_small(void)
{
    /* Each of them said, or malloc moves it up by itself. A value that is refused leaves it. */
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TRIM_THRESHOLD, SMALL_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, SMALL_BYTES);
    (void)mallopt(M_TOP_PAD, SMALL_PAD_BYTES);
}

void process_block_signals(sigset_t *ret)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    int failed = pthread_sigmask(SIG_BLOCK, ret, NULL);
    ASSERT(failed == 0);
    failed = sigaction(SIGPIPE, &ignore, NULL);
    ASSERT(failed == 0);
}
