/*
 * point_kill.c - the points of base/point.h, armed: hanse-node-points is hanse-node with this.
 *
 *     HANSE_DIE_AT=NAME          the first time that it passes there, it ends by SIGKILL
 *     HANSE_DIE_AT=NAME+MS       so many milliseconds later, whatever it does by then
 */
#include "base/point.h"

#include "base/str.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LATER_MS_MAX = 60000, MS_NS = 1000000, SECOND_MS = 1000 };

static void *die_later(void *arg)
{
    const int64_t *ms = arg;
    const struct timespec wait = {.tv_sec = *ms / SECOND_MS, .tv_nsec = *ms % SECOND_MS * MS_NS};
    (void)nanosleep(&wait, NULL); /* nothing interrupts it that the process survives */
    (void)kill(getpid(), SIGKILL);
    return NULL;
}

void point_pass(const char *name)
{
    static atomic_flag passed = ATOMIC_FLAG_INIT;
    static int64_t ms;
    const char *at = getenv("HANSE_DIE_AT"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    struct str rest = str_c(at != NULL ? at : "");
    struct str wanted = str_cut(&rest, '+');
    if (!str_eq(wanted, str_c(name)) || atomic_flag_test_and_set(&passed))
        return;
    pthread_t thread;
    if (rest.n == 0 || !str_to_i64(rest, 1, LATER_MS_MAX, &ms) ||
        pthread_create(&thread, NULL, die_later, &ms) != 0)
        (void)kill(getpid(), SIGKILL);
}
