/*
 * point_kill.c - the points of base/point.h, armed: hanse-node-points is hanse-node with this.
 *
 *     HANSE_DIE_AT=NAME          the first time that it passes there, it ends by SIGKILL
 *     HANSE_DIE_AT=NAME+MS       so many milliseconds later, whatever it does by then
 *     HANSE_DIE_AT=NAME,NAME+MS  at whichever of them comes first
 *
 * Its last words are "died at NAME+MS", to the log.
 */
#include "base/point.h"

#include "base/str.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LATER_MS_MAX = 60000, MS_NS = 1000000, SECOND_MS = 1000 };

/* Where it dies; written once, before the thread that reads it begins. */
struct death {
    struct str word; /* as it was told: NAME or NAME+MS */
    int64_t ms;
};

NORETURN static void die(const struct death *d)
{
    (void)dprintf(STDERR_FILENO, "died at %.*s\n", STRF(d->word)); /* or nobody hears it */
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

static void *die_later(void *arg)
{
    const struct death *d = arg;
    const struct timespec wait = {.tv_sec = d->ms / SECOND_MS,
                                  .tv_nsec = d->ms % SECOND_MS * MS_NS};
    (void)nanosleep(&wait, NULL); /* nothing interrupts it that the process survives */
    die(d);
}

static bool is_told(const char *name, struct death *ret)
{
    const char *at = getenv("HANSE_DIE_AT"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    struct str rest = str_c(at != NULL ? at : "");
    while (rest.n > 0) {
        struct str word = str_cut(&rest, ','), later = word;
        if (str_eq(str_cut(&later, '+'), str_c(name))) {
            *ret = (struct death){.word = word};
            return later.n == 0 || str_to_i64(later, 1, LATER_MS_MAX, &ret->ms);
        }
    }
    return false;
}

void point_pass(const char *name)
{
    static atomic_flag passed = ATOMIC_FLAG_INIT;
    static struct death death;
    struct death told;
    pthread_t thread;
    if (!is_told(name, &told) || atomic_flag_test_and_set(&passed))
        return;
    death = told;
    if (death.ms == 0 || pthread_create(&thread, NULL, die_later, &death) != 0)
        die(&death);
}
