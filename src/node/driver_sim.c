/* The twin of driver.h. */
#include "node/driver_sim.h"

#include "node/reconcile.h"

#include <unistd.h>

enum { MILLION = 1000000 };

static struct driver_sim *sim_of(struct driver *d)
{
    return CONTAINER_OF(d, struct driver_sim, driver);
}

/* What goes wrong with this call. */
enum luck { LUCK_GOOD, LUCK_BEFORE, LUCK_MIDDLE, LUCK_AFTER };

static enum luck luck_of(struct driver_sim *s)
{
    if ((int64_t)clock_sim_below(s->clock, MILLION) >= s->fail_ppm)
        return LUCK_GOOD;
    return (enum luck)(LUCK_BEFORE + (int)clock_sim_below(s->clock, 3));
}

static enum rc bad_luck(struct err *err)
{
    return err_set(err, RC_UNAVAILABLE, "the simulated machine failed");
}

struct driver_sim_service *driver_sim_find(struct driver_sim *s, struct str id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->services[i].state != OBSERVED_ABSENT && str_eq(str_c(s->services[i].id), id))
            return &s->services[i];
    return NULL;
}

static struct driver_sim_service *sim_add(struct driver_sim *s, struct str id)
{
    size_t i = 0;
    while (i < s->count && s->services[i].state != OBSERVED_ABSENT)
        i++;
    ASSERT(i < DRIVER_SIM_MAX && id.n < sizeof s->services[i].id);
    s->count = max_size(s->count, i + 1);
    s->services[i] = (struct driver_sim_service){.state = OBSERVED_RESTING};
    memcpy(s->services[i].id, id.p, id.n);
    return &s->services[i];
}

static struct str sim_snapshot_ids(const struct driver_sim_service *v, struct arena *arena)
{
    struct buf text;
    buf_init(&text, arena, sizeof v->snapshots);
    for (size_t i = 0; i < v->snapshot_count; i++)
        buf_fmt(&text, "%s ", v->snapshots[i].id);
    return buf_str(&text);
}

static enum rc sim_observe(struct driver *d, struct arena *arena, struct list *ret,
                           struct err *err UNUSED)
{
    struct driver_sim *s = sim_of(d);
    struct observed *seen = NEW_N(arena, struct observed, DRIVER_SIM_MAX);
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct driver_sim_service *v = &s->services[i];
        if (v->state == OBSERVED_ABSENT)
            continue;
        seen[count++] = (struct observed){
            .id = arena_str(arena, str_c(v->id)),
            .state = v->state,
            .generation = v->generation,
            .form = arena_str(arena, str_n(v->form, v->form_n)),
            .restart = v->restart,
            .starts = v->starts,
            .started = v->started,
            .restored = v->restored,
            .lease = v->lease,
            .reverted = v->reverted,
            .snapshots = sim_snapshot_ids(v, arena),
        };
    }
    *ret = (struct list){.items = seen, .count = count};
    return RC_OK;
}

static enum rc sim_prepare(struct driver *d, const struct service_spec *spec, struct arena *arena,
                           struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v == NULL || v->state == OBSERVED_RESTING);
    if (v == NULL)
        v = sim_add(s, spec->id);
    v->form_n = 0;
    v->generation = 0;
    if (luck == LUCK_MIDDLE)
        return bad_luck(err);
    struct str form = reconcile_form(spec, arena);
    memcpy(v->form, form.p, form.n);
    v->form_n = form.n;
    v->generation = spec->generation;
    return luck == LUCK_AFTER ? bad_luck(err) : RC_OK;
}

static enum rc sim_start(struct driver *d, const struct service_spec *spec,
                         struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v != NULL && v->state == OBSERVED_RESTING);
    ASSERT(v->generation == spec->generation && v->form_n > 0);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    v->state = luck == LUCK_MIDDLE ? OBSERVED_DEAD : OBSERVED_RUNNING;
    v->restart = spec->restart;
    v->starts++;
    v->started = clock_now(&s->clock->clock);
    v->cpu_us = 0;
    return luck == LUCK_GOOD ? RC_OK : bad_luck(err);
}

static enum rc sim_adjust(struct driver *d, const struct service_spec *spec,
                          struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v != NULL && v->state == OBSERVED_RUNNING);
    if (luck == LUCK_BEFORE || luck == LUCK_MIDDLE)
        return bad_luck(err);
    v->generation = spec->generation;
    return luck == LUCK_AFTER ? bad_luck(err) : RC_OK;
}

static enum rc sim_lease(struct driver *d, struct str id, time_us until, struct arena *arena UNUSED,
                         struct err *err)
{
    struct driver_sim_service *v = driver_sim_find(sim_of(d), id);
    if (v == NULL)
        return err_set(err, RC_NOT_FOUND, "there is no service '%.*s'", STRF(id));
    v->lease = until;
    return RC_OK;
}

static enum rc sim_stats(struct driver *d, struct str id, struct arena *arena,
                         struct driver_stats *ret, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    const struct driver_sim_service *v = driver_sim_find(s, id);
    if (v == NULL || v->starts == 0)
        return err_set(err, RC_NOT_FOUND, "service '%.*s' never ran", STRF(id));
    *ret = (struct driver_stats){
        .process = arena_fmt(arena, "%lld", (long long)v->starts),
        .cpu_us = v->cpu_us,
    };
    return RC_OK;
}

static enum rc sim_stop(struct driver *d, struct str id, struct arena *arena,
                        struct driver_stats *ret_last, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, id);
    ASSERT(v != NULL);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    v->state = luck == LUCK_MIDDLE ? OBSERVED_DEAD : OBSERVED_RESTING;
    if (luck != LUCK_GOOD)
        return bad_luck(err);
    return sim_stats(d, id, arena, ret_last, err);
}

static enum rc sim_remove(struct driver *d, struct str id, struct arena *arena UNUSED,
                          struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, id);
    ASSERT(v == NULL || v->state == OBSERVED_RESTING);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    if (v != NULL) {
        v->form_n = 0;
        v->generation = 0;
        if (luck != LUCK_MIDDLE)
            v->state = OBSERVED_ABSENT;
    }
    return luck == LUCK_GOOD ? RC_OK : bad_luck(err);
}

static enum rc sim_facts(struct driver *d UNUSED, const struct service_spec *spec UNUSED,
                         struct arena *arena UNUSED, struct list *ret, struct err *err UNUSED)
{
    *ret = (struct list){0};
    return RC_OK;
}

static enum rc sim_exec(struct driver *d, const struct driver_exec *e, struct arena *arena UNUSED,
                        int *ret_status, struct str *ret_output, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    const struct driver_sim_service *v = driver_sim_find(s, e->id);
    if (v == NULL || v->state != OBSERVED_RUNNING)
        return err_set(err, RC_UNAVAILABLE, "service '%.*s' does not run", STRF(e->id));
    *ret_status = luck_of(s) == LUCK_GOOD && s->says == NULL ? 0 : 1;
    *ret_output = str_c(s->says != NULL ? s->says : "");
    return RC_OK;
}

static enum rc sim_restored(struct driver *d, struct str id, int64_t number,
                            struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, id);
    ASSERT(v != NULL && v->state == OBSERVED_RUNNING && v->restored < number);
    if (luck != LUCK_BEFORE && luck != LUCK_MIDDLE)
        v->restored = number;
    return luck == LUCK_GOOD ? RC_OK : bad_luck(err);
}

/* The twin keeps a text: what runs last wrote it. */
static enum rc sim_save(struct driver *d, struct str id, int output, struct arena *arena UNUSED,
                        struct err *err)
{
    struct driver_sim *s = sim_of(d);
    const struct driver_sim_service *v = driver_sim_find(s, id);
    if (luck_of(s) != LUCK_GOOD)
        return bad_luck(err);
    size_t n = v != NULL ? strlen(v->kept) : 0;
    if (n > 0 && write(output, v->kept, n) != (ssize_t)n)
        return bad_luck(err);
    return RC_OK;
}

static enum rc sim_load(struct driver *d, const struct service_spec *spec, int input,
                        struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v == NULL || v->state == OBSERVED_RESTING);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    if (v == NULL)
        v = sim_add(s, spec->id);
    v->generation = 0;
    size_t n = 0;
    ssize_t more = 0;
    memset(v->loaded, 0, sizeof v->loaded);
    while (luck != LUCK_MIDDLE && n + 1 < sizeof v->loaded &&
           (more = read(input, v->loaded + n, sizeof v->loaded - 1 - n)) > 0)
        n += (size_t)more;
    v->loads = luck != LUCK_MIDDLE;
    return luck == LUCK_GOOD ? RC_OK : bad_luck(err);
}

static enum rc sim_adopt(struct driver *d, const struct service_spec *spec, int64_t number,
                         struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v != NULL && v->state == OBSERVED_RESTING && v->restored < number && v->loads);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    memcpy(v->kept, v->loaded, sizeof v->kept);
    v->loads = false;
    v->generation = 0;
    if (luck == LUCK_MIDDLE)
        return bad_luck(err);
    v->restored = number;
    return luck == LUCK_AFTER ? bad_luck(err) : RC_OK;
}

static const char *sim_snapshot_find(const struct driver_sim_service *v, struct str id)
{
    for (size_t i = 0; i < v->snapshot_count; i++)
        if (str_eq(str_c(v->snapshots[i].id), id))
            return v->snapshots[i].kept;
    return NULL;
}

/* What it keeps now, for each that is to be taken. */
static enum rc sim_snapshot(struct driver *d, const struct service_spec *spec,
                            struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v != NULL && v->state != OBSERVED_DEAD);
    if (luck == LUCK_BEFORE || luck == LUCK_MIDDLE)
        return bad_luck(err);
    struct driver_sim_service old = *v;
    const struct spec_snapshot *items = spec->snapshots.items;
    v->snapshot_count = spec->snapshots.count;
    for (size_t i = 0; i < spec->snapshots.count; i++) {
        const char *kept = sim_snapshot_find(&old, items[i].id);
        snprintf(v->snapshots[i].id, sizeof v->snapshots[i].id, "%.*s", STRF(items[i].id));
        snprintf(v->snapshots[i].kept, sizeof v->snapshots[i].kept, "%s",
                 kept != NULL ? kept : v->kept);
    }
    return luck == LUCK_AFTER ? bad_luck(err) : RC_OK;
}

static enum rc sim_snapshots(struct driver *d, struct str id, struct arena *arena, struct list *ret,
                             struct err *err UNUSED)
{
    const struct driver_sim_service *v = driver_sim_find(sim_of(d), id);
    struct sighting_snapshot *items = NEW_N(arena, struct sighting_snapshot, SPEC_SNAPSHOTS_MAX);
    size_t count = v != NULL ? v->snapshot_count : 0;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct sighting_snapshot){.id = arena_str(arena, str_c(v->snapshots[i].id)),
                                              .kept = true};
    *ret = (struct list){items, count};
    return RC_OK;
}

static enum rc sim_revert(struct driver *d, const struct service_spec *spec,
                          struct arena *arena UNUSED, struct err *err)
{
    struct driver_sim *s = sim_of(d);
    enum luck luck = luck_of(s);
    struct driver_sim_service *v = driver_sim_find(s, spec->id);
    ASSERT(v != NULL && v->state == OBSERVED_RESTING && v->reverted < spec->reverts);
    if (luck == LUCK_BEFORE)
        return bad_luck(err);
    const char *kept = sim_snapshot_find(v, spec->revert);
    if (kept != NULL)
        memcpy(v->kept, kept, sizeof v->kept);
    if (luck == LUCK_MIDDLE)
        return bad_luck(err);
    v->reverted = spec->reverts;
    return luck == LUCK_AFTER ? bad_luck(err) : RC_OK;
}

void driver_sim_init(struct driver_sim *s, struct clock_sim *clock)
{
    *s = (struct driver_sim){
        .driver = {.name = "simulated",
                   .observe = sim_observe,
                   .prepare = sim_prepare,
                   .start = sim_start,
                   .adjust = sim_adjust,
                   .lease = sim_lease,
                   .stop = sim_stop,
                   .remove = sim_remove,
                   .facts = sim_facts,
                   .stats = sim_stats,
                   .exec = sim_exec,
                   .save = sim_save,
                   .load = sim_load,
                   .adopt = sim_adopt,
                   .restored = sim_restored,
                   .snapshot = sim_snapshot,
                   .snapshots = sim_snapshots,
                   .revert = sim_revert},
        .clock = clock,
    };
}

void driver_sim_reboot(struct driver_sim *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->services[i].state == OBSERVED_RUNNING || s->services[i].state == OBSERVED_DEAD)
            s->services[i].state = OBSERVED_RESTING;
}
