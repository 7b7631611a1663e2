/*
 * driver_sim.h - the driver's twin: services are a few numbers, and things go wrong by a seed.
 *
 * Each call may fail before or after its effect, or in the middle of it, as a crash of the agent
 * would leave it. The twin asserts what no driver may be asked for: a start of what runs, a start
 * of what is not prepared, a removal of what runs.
 */
#ifndef NODE_DRIVER_SIM_H
#define NODE_DRIVER_SIM_H

#include "node/driver.h"

enum { DRIVER_SIM_MAX = 64 };

struct driver_sim_service {
    char id[64];
    char form[DRIVER_FORM_MAX];
    size_t form_n;
    int64_t state;
    int64_t generation;
    int64_t restart;
    int64_t starts;
    time_us started;
    time_us lease;
    int64_t cpu_us;
    int64_t restored;
    int64_t restores; /* commands that were fed a backup to its end */
    char kept[64];    /* all that it keeps: a text */
    char loaded[64];  /* what was loaded, and not adopted yet */
    bool loads;
    int64_t reverted;
    size_t snapshot_count;
    struct {
        char id[64];
        char kept[64];
    } snapshots[SPEC_SNAPSHOTS_MAX];
};

struct driver_sim {
    struct driver driver;
    struct clock_sim *clock;
    int64_t fail_ppm; /* of a million calls so many fail */
    const char *says; /* by every command inside, which fails then; NULL: nothing */
    size_t count;
    struct driver_sim_service services[DRIVER_SIM_MAX];
};

void driver_sim_init(struct driver_sim *s, struct clock_sim *clock);
/* NULL: nothing is left of it. */
struct driver_sim_service *driver_sim_find(struct driver_sim *s, struct str id);
/* The machine starts anew: nothing runs, disks are as they were. */
void driver_sim_reboot(struct driver_sim *s);

#endif
