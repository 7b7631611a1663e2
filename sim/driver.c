/*
 * driver.c - the driver that agents have: the twin of node/driver_sim.c does what they ask for, and
 * the truth about it is noted here: when each process ran, what was sampled, what was lost.
 */
#include "sim.h"

#include "node/file.h"

#include <inttypes.h>

enum { STRETCHES_FIRST = 16, DRIVER_FAILS_PPM = 5000 };
#define MEMORY_BYTES INT64_C(1000000)

static struct machine *machine_of(struct driver *d)
{
    return CONTAINER_OF(d, struct machine, driver);
}

static struct metering *metering_of(struct machine *m, const struct driver_sim_service *v)
{
    return &m->meterings[v - m->twin.services];
}

static struct driver_sim_service *find(struct machine *m, struct str id)
{
    return driver_sim_find(&m->twin, id);
}

/* --- data: a number, another one with each start and each end of a process --- */

static void write_data(struct life *life, struct driver_sim_service *v)
{
    if (!life->keeps)
        return;
    life->last = ++life->written;
    (void)snprintf(v->kept, sizeof v->kept, "%" PRId64, life->last);
}

static int64_t read_data(struct machine *m, const struct life *life, const char *text)
{
    int64_t found = 0;
    struct str kept = str_c(text);
    if (kept.n > 0 && !str_to_i64(kept, 0, life->written, &found))
        sim_fail(m->sim, "%s has on machine %zu what it never wrote: '%s'", life->id, m->number,
                 text);
    return found;
}

/* It finds what it wrote last; else it came back from a place that was lost, or to the one it
 * left: how often that may be is judged at the end. */
static void check_data(struct machine *m, struct life *life, const struct driver_sim_service *v)
{
    int64_t found = read_data(m, life, v->kept);
    if (!life->keeps || found == life->last)
        return;
    life->went_back++;
    life->behind = true;
    sim_trace(m->sim, "%s begins on machine %zu with %" PRId64 " after %" PRId64, life->id,
              m->number, found, life->last);
}

/* What a backup has: of who lost its place alone, and until it is noted that it was fed. */
static void feed_data(struct machine *m, struct driver_sim_service *v, int input)
{
    struct life *life = sim_life(m->sim, str_c(v->id));
    ssize_t n = file_read_fd(input, v->kept, sizeof v->kept - 1);
    ASSERT(n >= 0);
    v->kept[n] = '\0';
    if (!life->failover || !life->behind)
        sim_fail(m->sim, "%s is fed a backup on machine %zu, and had lost nothing", life->id,
                 m->number);
    life->last = read_data(m, life, v->kept);
    sim_trace(m->sim, "%s is restored on machine %zu with %" PRId64, life->id, m->number,
              life->last);
}

/* --- processes --- */

static void begin(struct machine *m, struct driver_sim_service *v)
{
    struct life *life = sim_life(m->sim, str_c(v->id));
    if (life->where != NULL)
        machine_expire(life->where);
    if (life->where != NULL)
        sim_fail(m->sim, "%s runs twice: on machine %zu and on %zu", life->id, life->where->number,
                 m->number);
    life->where = m;
    check_data(m, life, v);
    write_data(life, v);
    metering_of(m, v)->ended = 0;
    sim_trace(m->sim, "%s runs on machine %zu", v->id, m->number);
}

void truth_end(struct machine *m, struct driver_sim_service *v, time_us at)
{
    struct life *life = sim_life(m->sim, str_c(v->id));
    ASSERT(life->where == m);
    ASSERT(at >= v->started);
    life->where = NULL;
    write_data(life, v);
    sim_trace(m->sim, "%s has ended on machine %zu", v->id, m->number);
    metering_of(m, v)->ended = at;
    v->cpu_us = at - v->started;
    life->ran_us += v->cpu_us;
}

/* What its last process had used, and nobody sampled. */
static int64_t unsampled(struct machine *m, const struct driver_sim_service *v)
{
    const struct metering *t = metering_of(m, v);
    bool known = t->found && t->process == v->starts;
    return v->starts > 0 ? v->cpu_us - (known ? t->cpu_us : 0) : 0;
}

/* Its counters go now. */
static void check_sampled(struct machine *m, const struct driver_sim_service *v)
{
    int64_t us = unsampled(m, v);
    if (us > 0)
        sim_fail(m->sim, "%s on machine %zu: %" PRId64 " us of use were never sampled", v->id,
                 m->number, us);
}

/* The power goes, and all counters with it. */
void truth_power_off(struct machine *m)
{
    for (size_t i = 0; i < m->twin.count; i++) {
        struct driver_sim_service *v = &m->twin.services[i];
        if (v->state == OBSERVED_ABSENT)
            continue;
        if (v->state == OBSERVED_RUNNING)
            truth_end(m, v, sim_now(m->sim));
        v->lease = 0;
        if (v->starts == 0)
            continue;
        sim_life(m->sim, str_c(v->id))->lost_us += unsampled(m, v);
        m->meterings[i].found = true;
        m->meterings[i].process = v->starts;
        m->meterings[i].cpu_us = v->cpu_us;
        m->meterings[i].at = m->meterings[i].ended;
    }
    driver_sim_reboot(&m->twin);
}

/* --- samples --- */

static void add_stretch(struct life *life, time_us from, time_us until, int64_t ran_us)
{
    if (life->count == life->room) {
        life->room = life->room > 0 ? 2 * life->room : STRETCHES_FIRST;
        life->stretches = realloc(life->stretches, life->room * sizeof *life->stretches);
        ASSERT(life->stretches != NULL);
    }
    life->stretches[life->count++] = (struct stretch){from, until, ran_us};
}

static void sampled(struct machine *m, const struct driver_sim_service *v)
{
    struct metering *t = metering_of(m, v);
    time_us now = v->state == OBSERVED_RUNNING ? sim_now(m->sim) : t->ended;
    bool same = t->found && t->process == v->starts;
    if (same && now <= t->at)
        return;
    time_us from = same ? t->at : t->found ? max_i64(v->started, t->at) : v->started;
    int64_t ran = v->cpu_us - (same ? t->cpu_us : 0);
    if (from < now)
        add_stretch(sim_life(m->sim, str_c(v->id)), from, now, ran);
    *t = (struct metering){true, v->starts, now, v->cpu_us, t->ended};
}

static void count_on(struct machine *m, struct driver_sim_service *v)
{
    if (v->state == OBSERVED_RUNNING)
        v->cpu_us = sim_now(m->sim) - v->started;
}

/* --- the driver --- */

static enum rc truth_observe(struct driver *d, struct arena *arena, struct list *ret,
                             struct err *err)
{
    struct machine *m = machine_of(d);
    machine_expire(m);
    return m->twin.driver.observe(&m->twin.driver, arena, ret, err);
}

static enum rc truth_prepare(struct driver *d, const struct service_spec *spec, struct arena *arena,
                             struct err *err)
{
    struct machine *m = machine_of(d);
    bool fresh = find(m, spec->id) == NULL;
    enum rc rc = m->twin.driver.prepare(&m->twin.driver, spec, arena, err);
    struct driver_sim_service *v = find(m, spec->id);
    if (fresh && v != NULL)
        *metering_of(m, v) = (struct metering){0};
    return rc;
}

static enum rc truth_start(struct driver *d, const struct service_spec *spec, struct arena *arena,
                           struct err *err)
{
    struct machine *m = machine_of(d);
    struct driver_sim_service *v = find(m, spec->id);
    if (v == NULL) /* the twin says what that is */
        return m->twin.driver.start(&m->twin.driver, spec, arena, err);
    check_sampled(m, v);
    if (spec->lease_s > 0 && v->lease <= clock_steady(&m->clock))
        sim_fail(m->sim, "%s is started on machine %zu without a lease", v->id, m->number);
    enum rc rc = m->twin.driver.start(&m->twin.driver, spec, arena, err);
    if (v->state == OBSERVED_RUNNING)
        begin(m, v);
    else if (v->state == OBSERVED_DEAD)
        metering_of(m, v)->ended = sim_now(m->sim);
    if (spec->lease_s == 0)
        v->lease = 0;
    return rc;
}

static enum rc truth_adjust(struct driver *d, const struct service_spec *spec, struct arena *arena,
                            struct err *err)
{
    struct machine *m = machine_of(d);
    return m->twin.driver.adjust(&m->twin.driver, spec, arena, err);
}

static enum rc truth_lease(struct driver *d, struct str id, time_us until, struct arena *arena,
                           struct err *err)
{
    struct machine *m = machine_of(d);
    return m->twin.driver.lease(&m->twin.driver, id, until, arena, err);
}

static enum rc truth_stop(struct driver *d, struct str id, struct arena *arena,
                          struct driver_stats *ret_last, struct err *err)
{
    struct machine *m = machine_of(d);
    struct driver_sim_service *v = find(m, id);
    if (v == NULL)
        return m->twin.driver.stop(&m->twin.driver, id, arena, ret_last, err);
    bool ran = v->state == OBSERVED_RUNNING;
    enum rc rc = m->twin.driver.stop(&m->twin.driver, id, arena, ret_last, err);
    if (ran && v->state != OBSERVED_RUNNING) {
        truth_end(m, v, sim_now(m->sim));
        ret_last->cpu_us = v->cpu_us;
    }
    if (rc == RC_OK)
        ret_last->ended = metering_of(m, v)->ended;
    if (rc == RC_OK)
        sampled(m, v);
    return rc;
}

static enum rc truth_remove(struct driver *d, struct str id, struct arena *arena, struct err *err)
{
    struct machine *m = machine_of(d);
    struct driver_sim_service *v = find(m, id);
    if (v != NULL)
        check_sampled(m, v);
    return m->twin.driver.remove(&m->twin.driver, id, arena, err);
}

struct str machine_address_of(const struct machine *m, struct arena *arena)
{
    return arena_fmt(arena, "10.0.%zu.%zu", m->number / 256, m->number % 256);
}

/* Addresses are the machine's: who uses a service that moved is told another one. */
static enum rc truth_facts(struct driver *d, const struct service_spec *spec, struct arena *arena,
                           struct list *ret, struct err *err)
{
    struct machine *m = machine_of(d);
    const struct driver_sim_service *v = find(m, spec->id);
    if (v == NULL)
        return err_set(err, RC_NOT_FOUND, "there is no service '%.*s'", STRF(spec->id));
    struct sighting_fact *facts = NEW_N(arena, struct sighting_fact, 2);
    facts[0] =
        (struct sighting_fact){.name = STR("web.address"), .value = machine_address_of(m, arena)};
    facts[1] = (struct sighting_fact){
        .name = STR("web.port"),
        .value = arena_fmt(arena, "%d", MACHINE_PORT_FIRST + (int)(v - m->twin.services))};
    *ret = (struct list){facts, 2};
    return RC_OK;
}

static enum rc truth_stats(struct driver *d, struct str id, struct arena *arena,
                           struct driver_stats *ret, struct err *err)
{
    struct machine *m = machine_of(d);
    struct driver_sim_service *v = find(m, id);
    if (v == NULL)
        return m->twin.driver.stats(&m->twin.driver, id, arena, ret, err);
    count_on(m, v);
    TRY(m->twin.driver.stats(&m->twin.driver, id, arena, ret, err));
    ret->memory_bytes = MEMORY_BYTES;
    ret->ended = v->state == OBSERVED_RUNNING ? 0 : metering_of(m, v)->ended;
    sampled(m, v);
    return RC_OK;
}

static enum rc truth_exec(struct driver *d, const struct driver_exec *e, struct arena *arena,
                          int *ret_status, struct str *ret_output, struct err *err)
{
    struct machine *m = machine_of(d);
    TRY(m->twin.driver.exec(&m->twin.driver, e, arena, ret_status, ret_output, err));
    struct driver_sim_service *v = find(m, e->id);
    bool good = *ret_status == 0;
    if (good && e->output >= 0 && !file_put_fd(e->output, str_c(v->kept)))
        return file_failed(err, "cannot write", "a backup");
    if (good && e->input >= 0)
        feed_data(m, v, e->input);
    return RC_OK;
}

static enum rc truth_save(struct driver *d, struct str id, int output, struct arena *arena,
                          struct err *err)
{
    struct machine *m = machine_of(d);
    return m->twin.driver.save(&m->twin.driver, id, output, arena, err);
}

static enum rc truth_load(struct driver *d, const struct service_spec *spec, int input,
                          struct arena *arena, struct err *err)
{
    struct machine *m = machine_of(d);
    bool fresh = find(m, spec->id) == NULL;
    enum rc rc = m->twin.driver.load(&m->twin.driver, spec, input, arena, err);
    struct driver_sim_service *v = find(m, spec->id);
    if (fresh && v != NULL)
        *metering_of(m, v) = (struct metering){0};
    return rc;
}

static enum rc truth_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                           struct arena *arena, struct err *err)
{
    struct machine *m = machine_of(d);
    return m->twin.driver.adopt(&m->twin.driver, spec, number, arena, err);
}

static enum rc truth_restored(struct driver *d, struct str id, int64_t number, struct arena *arena,
                              struct err *err)
{
    struct machine *m = machine_of(d);
    enum rc rc = m->twin.driver.restored(&m->twin.driver, id, number, arena, err);
    const struct driver_sim_service *v = find(m, id);
    if (v->restored == number)
        sim_life(m->sim, id)->behind = false;
    return rc;
}

void truth_init(struct machine *m)
{
    driver_sim_init(&m->twin, &m->sim->clock);
    m->twin.fail_ppm = DRIVER_FAILS_PPM * m->sim->o.storm / SIM_PERCENT;
    m->driver = (struct driver){.name = "truth",
                                .observe = truth_observe,
                                .prepare = truth_prepare,
                                .start = truth_start,
                                .adjust = truth_adjust,
                                .lease = truth_lease,
                                .stop = truth_stop,
                                .remove = truth_remove,
                                .facts = truth_facts,
                                .stats = truth_stats,
                                .exec = truth_exec,
                                .save = truth_save,
                                .load = truth_load,
                                .adopt = truth_adopt,
                                .restored = truth_restored};
}
