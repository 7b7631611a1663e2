#include "base/priority.h"

#include "base/base.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOW_NICE = 10, NICE_MAX = 19 };

#define SLOW_NS UINT64_C(3000000)

/* As sched_setattr(2) has it; the C library of Debian 12 does not know it yet. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* an ordinary thread's slice (Linux 6.12 and later); 0: as all */
    uint64_t deadline_ns;
    uint64_t period_ns;
    uint32_t clamp[2];
};

/* Who has a long slice gives the processor to who has a short one (EEVDF). */
static bool ask_for(int nice, uint64_t slice_ns)
{
    struct attributes a = {.size = sizeof a, .nice = nice, .runtime_ns = slice_ns};
    return syscall(SYS_sched_setattr, 0, &a, 0U) == 0;
}

static void ask(int more, uint64_t slice_ns)
{
    /* By the first thread, as this one may have been started by a slow one. */
    int nice = getpriority(PRIO_PROCESS, (id_t)getpid()) + more;
    nice = nice > NICE_MAX ? NICE_MAX : nice;
    if (!ask_for(nice, slice_ns))
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice); /* refused, too: as it was */
}

void priority_slow(void)
{
    ask(SLOW_NICE, SLOW_NS);
}

void priority_usual(void)
{
    ask(0, 0);
}
