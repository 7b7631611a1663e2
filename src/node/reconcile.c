/* The table of reconcile.h, written out. */
#include "node/reconcile.h"

#include <sodium.h>

enum { FORM_TEXT_MAX = 32 * 1024 * 1024, DOUBLINGS_MAX = 16 };

const char *const step_names[] = {"none",   "prepare",  "start",  "adjust",  "stop",
                                  "remove", "snapshot", "revert", "restore", NULL};

/* Of these fields a service is made: with another value of one, it is another service. */
static const char *const form_fields[] = {"images", "files", "processes", "volumes", "user_data"};
/* A machine has its memory and processors from its start. */
static const char *const vm_form_fields[] = {"cpu_milli", "memory_bytes"};

struct str reconcile_form(const struct service_spec *spec, struct arena *arena)
{
    struct service_spec form = *spec;
    form.set = 0;
    for (size_t i = 0; i < COUNT(form_fields); i++)
        form.set |= schema_bit(&service_spec_schema, form_fields[i]);
    for (size_t i = 0; spec->runtime == SPEC_VM && i < COUNT(vm_form_fields); i++)
        form.set |= schema_bit(&service_spec_schema, vm_form_fields[i]);
    struct buf text;
    struct json_writer w;
    buf_init(&text, arena, FORM_TEXT_MAX);
    json_writer_init(&w, &text);
    schema_encode(&service_spec_schema, &form, &w);
    ASSERT(!text.full);
    uint8_t hash[DRIVER_FORM_MAX / 2];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text.p, text.n, NULL, 0);
    char *hex = arena_alloc(arena, DRIVER_FORM_MAX + 1);
    sodium_bin2hex(hex, DRIVER_FORM_MAX + 1, hash, sizeof hash);
    return str_n(hex, DRIVER_FORM_MAX);
}

time_us reconcile_retry(const struct reconcile_mind *mind)
{
    if (mind->failures == 0)
        return mind->tried;
    int64_t doublings = min_i64(mind->failures - 1, DOUBLINGS_MAX);
    int64_t most = mind->waits ? RECONCILE_WAIT_MAX_US : RECONCILE_PAUSE_MAX_US;
    return mind->tried + min_i64(RECONCILE_PAUSE_US << doublings, most);
}

static enum step step_to_rest(int64_t state)
{
    return state == OBSERVED_RUNNING || state == OBSERVED_DEAD ? STEP_STOP : STEP_NONE;
}

static enum step step_to_gone(int64_t state)
{
    return state == OBSERVED_RESTING ? STEP_REMOVE : step_to_rest(state);
}

/* It is to have the disk of a backup, and has not: laid while it rests, before all else. */
static bool wants_disk(const struct service_spec *spec, const struct observed *seen)
{
    return spec->from.disk && spec->from.number > (seen != NULL ? seen->restored : 0);
}

/* It goes back to a snapshot, and did not yet. */
static bool wants_revert(const struct service_spec *spec, const struct observed *seen)
{
    return seen != NULL && seen->state != OBSERVED_ABSENT && spec->reverts > seen->reverted;
}

static enum step step_at_rest(int64_t state, enum step step)
{
    return state == OBSERVED_RUNNING || state == OBSERVED_DEAD ? STEP_STOP : step;
}

/* Other snapshots are wanted than were when it was last seen to. */
static bool wants_snapshots(const struct service_spec *spec, const struct observed *seen)
{
    const struct spec_snapshot *items = spec->snapshots.items;
    struct str rest = seen->snapshots;
    for (size_t i = 0; i < spec->snapshots.count; i++)
        if (!str_eq(str_cut(&rest, ' '), items[i].id))
            return true;
    return rest.n > 0;
}

static enum step step_to_run(const struct service_spec *spec, struct str form,
                             const struct observed *seen)
{
    if (seen == NULL || seen->state == OBSERVED_ABSENT)
        return STEP_PREPARE;
    bool same = str_eq(seen->form, form);
    if (seen->state == OBSERVED_DEAD)
        return STEP_STOP;
    if (seen->state == OBSERVED_RESTING)
        return same && seen->generation == spec->generation ? STEP_START : STEP_PREPARE;
    if (!same || seen->restart != spec->restart)
        return STEP_STOP;
    if (seen->generation != spec->generation)
        return STEP_ADJUST;
    if (spec->from.number > seen->restored)
        return STEP_RESTORE;
    return wants_snapshots(spec, seen) ? STEP_SNAPSHOT : STEP_NONE;
}

static enum step step_to_stopped(const struct service_spec *spec, const struct observed *seen)
{
    bool rests = seen != NULL && seen->state == OBSERVED_RESTING;
    if (rests && wants_snapshots(spec, seen))
        return STEP_SNAPSHOT;
    return step_to_rest(seen != NULL ? seen->state : OBSERVED_ABSENT);
}

static enum step step_without_pause(const struct service_spec *spec, struct str form,
                                    const struct observed *seen, const struct reconcile_mind *mind)
{
    int64_t state = seen != NULL ? seen->state : OBSERVED_ABSENT;
    if (spec == NULL)
        return step_to_rest(state);
    bool may = spec->state == SPEC_STOPPED || (spec->state == SPEC_RUNNING && mind->leased);
    if (may && wants_disk(spec, seen))
        return step_at_rest(state, STEP_RESTORE);
    if (may && wants_revert(spec, seen))
        return step_at_rest(state, STEP_REVERT);
    switch ((enum spec_state)spec->state) {
    case SPEC_GONE:
        return step_to_gone(state);
    case SPEC_STOPPED:
        return step_to_stopped(spec, seen);
    case SPEC_RUNNING:
        return mind->leased ? step_to_run(spec, form, seen) : step_to_rest(state);
    }
    NEVER("a state is one of three");
}

enum step reconcile_step(const struct service_spec *spec, struct str form,
                         const struct observed *seen, const struct reconcile_mind *mind,
                         time_us now)
{
    ASSERT(mind->failures >= 0);
    enum step step = step_without_pause(spec, form, seen, mind);
    /* A clock that was set back does not make the pause longer than it is. */
    bool pausing = mind->failures > 0 && now >= mind->tried && now < reconcile_retry(mind);
    return pausing ? STEP_NONE : step;
}

static enum sighting_state sighting_of_step(enum step step, int64_t state)
{
    switch (step) {
    case STEP_PREPARE:
    case STEP_REVERT:
        return SIGHTING_PREPARING;
    case STEP_SNAPSHOT: /* beside all else: it is as it is */
        return state == OBSERVED_RUNNING ? SIGHTING_RUNNING : SIGHTING_STOPPED;
    case STEP_RESTORE:
        return state == OBSERVED_RUNNING ? SIGHTING_STARTING : SIGHTING_PREPARING;
    case STEP_START:
        return SIGHTING_STARTING;
    case STEP_STOP:
    case STEP_REMOVE:
        return SIGHTING_STOPPING;
    case STEP_ADJUST:
        return SIGHTING_RUNNING;
    case STEP_NONE:
        break;
    }
    return SIGHTING_WAITING;
}

enum sighting_state reconcile_sighting(const struct service_spec *spec, struct str form,
                                       const struct observed *seen, enum step step,
                                       const struct reconcile_mind *mind)
{
    int64_t state = seen != NULL ? seen->state : OBSERVED_ABSENT;
    if (step != STEP_NONE)
        return sighting_of_step(step, state);
    enum step next = step_without_pause(spec, form, seen, mind);
    if (next == STEP_SNAPSHOT)
        return sighting_of_step(next, state);
    if (next != STEP_NONE && mind->failures > 0)
        return mind->waits ? sighting_of_step(next, state) : SIGHTING_FAILED;
    if (state == OBSERVED_RUNNING && next == STEP_RESTORE)
        return SIGHTING_STARTING;
    if (state == OBSERVED_RUNNING)
        return next == STEP_STOP ? SIGHTING_STOPPING : SIGHTING_RUNNING;
    if (spec != NULL && spec->state == SPEC_GONE && state == OBSERVED_ABSENT)
        return SIGHTING_GONE;
    return next == STEP_NONE ? SIGHTING_STOPPED : SIGHTING_WAITING;
}
