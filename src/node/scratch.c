/* A folder in memory (scratch.h), mounted in a namespace that ends with the process. */
#include "node/scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FULL_BELOW = 1024 * 1024, OPTIONS_BYTES = 64 };

static void close_both(struct scratch *s)
{
    if (s->space >= 0)
        (void)close(s->space);
    if (s->folder >= 0)
        (void)close(s->folder);
    *s = (struct scratch){.space = -1, .folder = -1};
}

bool scratch_enter(struct scratch *s, const char *folder, int64_t available)
{
    char options[OPTIONS_BYTES];
    *s = (struct scratch){.space = -1, .folder = -1};
    if (available < SCRATCH_AVAILABLE_MIN)
        return false;
    s->space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    s->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->space < 0 || s->folder < 0 || unshare(CLONE_NEWNS) != 0) {
        close_both(s);
        return false;
    }
    snprintf(options, sizeof options, "mode=0755,size=%lld",
             (long long)(available / SCRATCH_SHARE));
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("scratch", folder, "tmpfs", 0, options) == 0)
        return true;
    scratch_leave(s);
    return false;
}

bool scratch_is_full(const struct scratch *s, const char *folder)
{
    struct statvfs v;
    return s->space >= 0 && statvfs(folder, &v) == 0 &&
           (v.f_bavail < FULL_BELOW / v.f_frsize || v.f_ffree == 0);
}

void scratch_leave(struct scratch *s)
{
    if (s->space < 0)
        return;
    /* It was in there a moment ago: the kernel has no reason to refuse. */
    ASSERT(setns(s->space, CLONE_NEWNS) == 0);
    ASSERT(fchdir(s->folder) == 0);
    close_both(s);
}
