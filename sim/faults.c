/*
 * faults.c - what goes wrong, and for how long. Rates are of a bad day; a month of a large fleet is
 * milder (--storm).
 */
#include "sim.h"

enum fault { FAULT_CRASH, FAULT_REBOOT, FAULT_DEATH, FAULT_CUT, FAULT_RESTART, FAULTS };

/* One for each machine (or site, or control plane) in so much time, and how long it lasts: mostly
 * short, sometimes long. */
static const struct {
    int64_t every_us;
    int64_t short_us;
    int64_t long_us;
} faults[FAULTS] = {
    [FAULT_CRASH] = {4 * US_PER_HOUR, 20 * US_PER_SECOND, 30 * US_PER_MINUTE},
    [FAULT_REBOOT] = {12 * US_PER_HOUR, 2 * US_PER_MINUTE, 2 * US_PER_HOUR},
    [FAULT_DEATH] = {2 * US_PER_HOUR, 0, 0},
    [FAULT_CUT] = {6 * US_PER_HOUR, 2 * US_PER_MINUTE, 5 * US_PER_HOUR},
    [FAULT_RESTART] = {4 * US_PER_HOUR, 10 * US_PER_SECOND, 20 * US_PER_MINUTE},
};

static int64_t many(const struct sim *s, enum fault f)
{
    return f == FAULT_RESTART ? 1 : f == FAULT_CUT ? s->o.sites : s->o.nodes;
}

static void plan(struct sim *s, enum fault f)
{
    if (s->o.storm == 0)
        return;
    int64_t mean = faults[f].every_us / many(s, f) * SIM_PERCENT / s->o.storm;
    sim_put(s, sim_now(s) + 1 + sim_below(s, 2 * mean), EVENT_FAULT, f, NULL);
}

static int64_t lasts(struct sim *s, enum fault f)
{
    return sim_below(s, sim_below(s, 4) == 0 ? faults[f].long_us : faults[f].short_us);
}

void faults_begin(struct sim *s)
{
    for (int f = 0; f < FAULTS; f++)
        plan(s, (enum fault)f);
}

static void of_machine(struct sim *s, enum fault f)
{
    struct machine *m = &s->machines[sim_below(s, s->o.nodes)];
    if (f == FAULT_DEATH) {
        if (m->twin.count > 0)
            machine_lose(m, (size_t)sim_below(s, (int64_t)m->twin.count));
        return;
    }
    if (m->agent == NULL)
        return;
    sim_trace(s, "machine %zu %s", m->number, f == FAULT_CRASH ? "loses its agent" : "loses power");
    if (f == FAULT_CRASH)
        machine_kill(m);
    else
        machine_power_off(m);
    time_us back = sim_now(s) + lasts(s, f);
    s->counts.crashes += f == FAULT_CRASH;
    s->counts.reboots += f == FAULT_REBOOT;
    if (f == FAULT_REBOOT)
        m->booted = back;
    sim_put(s, back, EVENT_BACK, m->number, NULL);
}

void faults_event(struct sim *s, size_t kind)
{
    enum fault f = (enum fault)kind;
    if (s->calm)
        return;
    plan(s, f);
    if (f == FAULT_CUT) {
        size_t site = (size_t)sim_below(s, s->o.sites);
        s->cut_until[site] = sim_now(s) + lasts(s, f);
        s->counts.cuts++;
        sim_trace(s, "site %zu is cut off", site);
    } else if (f == FAULT_RESTART && !s->down) {
        control_kill(s);
        sim_put(s, sim_now(s) + lasts(s, f), EVENT_UP, 0, NULL);
    } else if (f != FAULT_RESTART) {
        of_machine(s, f);
    }
}
