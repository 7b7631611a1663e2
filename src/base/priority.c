#include "base/priority.h"

#include "base/base.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOW_NICE = 10 };

#define SLOW_NS UINT64_C(3000000)

/* As sched_setattr(2) has it; the C library of Debian 12 does not know it yet. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of an ordinary thread: the slice it asks for (Linux 6.12 and later) */
    uint64_t deadline_ns;
    uint64_t period_ns;
    uint32_t clamp[2];
};

/* Who has a long slice gives the processor to who has a short one (EEVDF). */
static void ask_for(int nice, uint64_t slice_ns)
{
    struct attributes a = {.size = sizeof a, .nice = nice, .runtime_ns = slice_ns};
    (void)syscall(SYS_sched_setattr, 0, &a, 0U); /* refused: as it was */
}

void priority_slow(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(),
                      SLOW_NICE); /* also where the other is refused */
    ask_for(SLOW_NICE, SLOW_NS);
}
