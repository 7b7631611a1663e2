/* A machine and its agent: what main/node_run.c does with threads and pauses, as events. */
#include "sim.h"

#include "node/agent_inside.h"
#include "node/file.h"

#include <sys/stat.h>

enum { DRIFT_MAX_PPM = 10000, PULL_BACKOFF_MAX = 6, PULL_BACKOFF_S = 30, FIRST_S = 5 };
enum { CPU_MILLI = 16000, MEMORY_GIB = 64, DISK_GIB = 500, BACK_S = 30 };
#define BUSY_US    US_PER_SECOND
#define CHANGED_US (500 * US_PER_MS)
#define WAIT_S     20

/* --- its clock: wall time is right, steady time counts from the start of the machine --- */

static struct machine *machine_of(struct clock *c)
{
    return CONTAINER_OF(c, struct machine, clock);
}

static time_us wall(struct clock *c)
{
    return sim_now(machine_of(c)->sim);
}

static time_us steady(struct clock *c)
{
    const struct machine *m = machine_of(c);
    __int128 passed = sim_now(m->sim) - m->booted;
    return US_PER_SECOND + (time_us)(passed * (SIM_PPM + m->drift_ppm) / SIM_PPM);
}

static void chance(struct clock *c, void *bytes, size_t n)
{
    clock_chance(&machine_of(c)->sim->chance.clock, bytes, n);
}

/* True time of a steady time, not after now. */
static time_us true_time(struct machine *m, time_us at)
{
    __int128 ago = steady(&m->clock) - at;
    return max_i64(sim_now(m->sim) - (time_us)(ago * SIM_PPM / (SIM_PPM + m->drift_ppm)),
                   m->booted);
}

/* --- what happens to it --- */

void machine_expire(struct machine *m)
{
    for (size_t i = 0; i < m->twin.count; i++) {
        struct driver_sim_service *v = &m->twin.services[i];
        if (v->state != OBSERVED_RUNNING || v->lease == 0 || steady(&m->clock) < v->lease)
            continue;
        truth_end(m, v, max_i64(true_time(m, v->lease), v->started));
        v->state = OBSERVED_DEAD;
        sim_wake(m, EVENT_TURN, sim_now(m->sim));
    }
}

void machine_lose(struct machine *m, size_t service)
{
    struct driver_sim_service *v = &m->twin.services[service];
    machine_expire(m);
    if (v->state != OBSERVED_RUNNING)
        return;
    truth_end(m, v, sim_now(m->sim));
    v->state = OBSERVED_DEAD;
    m->sim->counts.deaths++;
    sim_trace(m->sim, "%s dies on machine %zu", v->id, m->number);
    sim_wake(m, EVENT_TURN, sim_now(m->sim));
}

void machine_kill(struct machine *m)
{
    eyes_close(m);
    agent_close(m->agent);
    m->agent = NULL;
    memset(m->due, 0, sizeof m->due);
}

void machine_power_off(struct machine *m)
{
    machine_expire(m);
    machine_kill(m);
    truth_power_off(m);
}

bool machine_cut(const struct machine *m)
{
    return sim_now(m->sim) < m->sim->cut_until[m->site];
}

bool machine_holds(struct machine *m, struct str service)
{
    const struct agent_service *s =
        m->agent != NULL ? agent_service_of(m->agent, service, false) : NULL;
    if (s != NULL && s->spec != NULL && s->spec->state == SPEC_RUNNING && s->spec->lease_s > 0 &&
        agent_leased(m->agent, s->spec))
        return true;
    const struct driver_sim_service *v = driver_sim_find(&m->twin, service);
    return v != NULL && v->state == OBSERVED_RUNNING && v->lease > steady(&m->clock);
}

/* --- its agent --- */

void machine_start(struct machine *m)
{
    struct sim *s = m->sim;
    if (m->agent != NULL)
        return;
    m->booted = min_i64(m->booted, sim_now(s)); /* earlier than was planned */
    m->agent = agent_open(&(struct agent_options){.driver = &m->driver,
                                                  .clock = &m->clock,
                                                  .spool = m->spool,
                                                  .backups = &m->door,
                                                  .meter_us = s->o.meter_s * US_PER_SECOND});
    m->link.unkept = false;
    m->kept = (struct backup_keep){
        .link = &m->link, .driver = &m->driver, .agent = m->agent, .home = m->link.home};
    eyes_open(m);
    m->told.whole = true;
    m->told.count = 0;
    m->failures = 0;
    link_recall(&m->link, m->agent, &s->arena);
    sim_trace(s, "the agent of machine %zu starts", m->number);
    sim_wake(m, EVENT_TURN, sim_now(s));
    sim_wake(m, EVENT_TELL, sim_now(s) + sim_below(s, US_PER_SECOND));
    sim_wake(m, EVENT_PULL, sim_now(s) + sim_below(s, US_PER_SECOND));
    if (s->o.keeps > 0)
        sim_wake(m, EVENT_KEEP, sim_now(s) + sim_below(s, US_PER_SECOND));
}

static void turn(struct machine *m)
{
    struct sim *s = m->sim;
    (void)agent_turn(m->agent); /* whether there is more to do, rest tells */
    judge_leases(m);
    if (agent_changes(m->agent) != m->changes)
        sim_wake(m, EVENT_TELL, sim_now(s) + CHANGED_US);
    bool rest = agent_at_rest(m->agent);
    sim_wake(m, EVENT_TURN, sim_now(s) + (rest ? s->o.look_s * US_PER_SECOND : BUSY_US));
}

static struct node_report report_of(struct sim *s, const struct machine *m)
{
    struct str *features = NEW_N(&s->arena, struct str, 2);
    features[0] = STR("container");
    features[1] = PROBE_FEATURE;
    return (struct node_report){.set = schema_all(&node_report_schema),
                                .cpu_milli = CPU_MILLI,
                                .memory_bytes = MEMORY_GIB * FLEET_GIB,
                                .disk_bytes = DISK_GIB * FLEET_GIB,
                                .features = {features, s->o.watched > 0 ? 2 : 1},
                                .agent = STR("simulated"),
                                .hostname = STR("machine"),
                                .address = machine_address_of(m, &s->arena)};
}

static void tell(struct machine *m)
{
    struct sim *s = m->sim;
    struct err err;
    struct node_report report = report_of(s, m);
    bool more = true;
    err_clear(&err);
    m->changes = agent_changes(m->agent);
    enum rc rc = link_report(&m->link, m->agent, &report, &m->told, &s->arena, &err);
    judge_leases(m);
    if (rc == RC_OK)
        sim_wake(m, EVENT_TURN, sim_now(s)); /* the lease is told to those that hold it */
    while (rc == RC_OK && more)
        rc = link_usage(&m->link, m->spool, &s->arena, &more, &err);
    if (rc != RC_OK)
        sim_trace(s, "machine %zu cannot tell: %s", m->number, err.text);
    sim_wake(m, EVENT_TELL, sim_now(s) + s->o.report_s * US_PER_SECOND);
}

static void pull(struct machine *m)
{
    struct sim *s = m->sim;
    struct err err;
    err_clear(&err);
    int64_t before = agent_revision(m->agent);
    enum rc rc = link_pull(&m->link, m->agent, WAIT_S, &s->arena, &err);
    if (rc != RC_OK) {
        m->failures++;
        int64_t halves = (int64_t)1 << min_i64(m->failures, PULL_BACKOFF_MAX);
        sim_wake(m, EVENT_PULL,
                 sim_now(s) + min_i64(halves, 2 * PULL_BACKOFF_S) * US_PER_SECOND / 2);
        return;
    }
    m->failures = 0;
    judge_leases(m);
    if (agent_revision(m->agent) != before)
        sim_wake(m, EVENT_TURN, sim_now(s));
    sim_wake(m, EVENT_PULL, sim_now(s) + s->o.pull_s * US_PER_SECOND);
}

/* Backups: what it is told to make, to send, to hold. */
static void keep(struct machine *m)
{
    struct sim *s = m->sim;
    struct err err;
    size_t done = 0;
    err_clear(&err);
    enum rc rc = backup_keep_turn(&m->kept, &s->arena, &done, &err);
    if (rc != RC_OK)
        sim_trace(s, "machine %zu cannot keep backups: %s", m->number, err.text);
    int64_t pause = done > 0 ? 1 : s->o.report_s;
    sim_wake(m, EVENT_KEEP, sim_now(s) + pause * US_PER_SECOND);
}

void machine_event(struct machine *m, enum event_kind kind)
{
    static void (*const doings[EVENT_MACHINE_KINDS])(struct machine *) = {
        [EVENT_TURN] = turn, [EVENT_TELL] = tell,       [EVENT_PULL] = pull,
        [EVENT_KEEP] = keep, [EVENT_LOOK] = eyes_event,
    };
    struct sim *s = m->sim;
    if (points_run(m, doings[kind]))
        return;
    s->counts.crashes++;
    machine_kill(m);
    sim_put(s, sim_now(s) + sim_below(s, BACK_S * US_PER_SECOND), EVENT_BACK, m->number, NULL);
}

/* --- birth and end --- */

void machine_init(struct machine *m, struct sim *s, size_t number)
{
    struct err err;
    *m = (struct machine){
        .sim = s, .number = number, .site = number % (size_t)s->o.sites, .booted = sim_now(s)};
    m->clock = (struct clock){wall, steady, chance};
    m->drift_ppm = sim_below(s, 2 * DRIFT_MAX_PPM) - DRIFT_MAX_PPM;
    truth_init(m);
    wires_init(m);
    eyes_init(m);
    const char *home = arena_fmt(&s->keep, "%s/machine%zu", s->fixture.folder, number).p;
    if (mkdir(home, S_IRWXU) != 0)
        sim_fail(s, "cannot make '%s'", home);
    uint8_t open[SIGNATURE_PUBLIC_BYTES];
    m->link = (struct link){.wire = &m->wire,
                            .clock = &m->clock,
                            .home = home,
                            .server = STR("sim://control"),
                            .node = str_n(m->id, strlen("nod_") + ID_DIGITS)};
    signature_pair(open, m->link.secret);
    m->kept.home = home;
    m->door = (struct backup_door){.fetch = backup_keep_fetch, .arg = &m->kept};
    err_clear(&err);
    if (backup_keep_init(&m->kept, &err) != RC_OK)
        sim_fail(s, "%s", err.text);
    if (spool_open(":memory:", &m->spool, &err) != RC_OK)
        sim_fail(s, "%s", err.text);
}

void machine_fini(struct machine *m)
{
    struct err err;
    err_clear(&err);
    eyes_close(m);
    agent_close(m->agent);
    spool_close(m->spool);
    if (file_remove(m->link.home, &err) != RC_OK)
        sim_fail(m->sim, "%s", err.text);
}
