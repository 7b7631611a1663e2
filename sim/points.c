/*
 * points.c - an agent is killed at a point of its code (base/point.h) or at a message: whatever it
 * would have done next it does not. What it had in memory is lost, and leaks here as well.
 */
#include "sim.h"

#include "base/point.h"

#include <setjmp.h>

enum { POINT_PPM = 5000 };

/* One simulation is played by a process, and by one thread of it. */
static struct machine *busy; /* NULL: no agent's code runs */
static jmp_buf killed;

struct machine *points_pause(void)
{
    struct machine *was = busy;
    busy = NULL;
    return was;
}

void points_resume(struct machine *was)
{
    busy = was;
}

bool points_run(struct machine *m, void (*fn)(struct machine *m))
{
    ASSERT(busy == NULL);
    if (setjmp(killed) != 0)
        return false;
    busy = m;
    fn(m);
    busy = NULL;
    return true;
}

void points_kill(const char *where)
{
    ASSERT(busy != NULL);
    sim_trace(busy->sim, "the agent of machine %zu is killed at %s", busy->number, where);
    busy = NULL;
    longjmp(killed, 1);
}

/* In place of base/point.c. */
void point_pass(const char *name)
{
    if (busy != NULL && sim_happens(busy->sim, POINT_PPM))
        points_kill(name);
}
