/* Samples of what runs, into the spool. */
#include "node/agent_inside.h"

static struct str subscription_of(struct agent *a, struct str id, struct arena *arena)
{
    pthread_mutex_lock(&a->lock);
    const struct agent_service *s = agent_service_of(a, id, false);
    struct str found =
        s != NULL && s->spec != NULL ? arena_str(arena, s->spec->subscription) : STR("");
    pthread_mutex_unlock(&a->lock);
    return found;
}

void agent_meter_one(struct agent *a, struct str id, time_us started,
                     const struct driver_stats *stats)
{
    enum { ONE_BYTES = 64 * 1024 };
    struct arena arena;
    struct err err;
    if (a->o.spool == NULL)
        return;
    arena_init(&arena, ONE_BYTES);
    err_clear(&err);
    time_us now = clock_now(a->o.clock);
    struct spool_sample sample = {.service = id,
                                  .subscription = subscription_of(a, id, &arena),
                                  .started = started,
                                  .now = stats->ended > 0 ? min_i64(stats->ended, now) : now,
                                  .stats = stats};
    if (spool_add(a->o.spool, &sample, &err) != RC_OK)
        log_event(a->o.log, LOG_ERROR, "node.meter", LOG_S("service", id),
                  LOG_S("why", err_text(&err)));
    arena_fini(&arena);
}

void agent_meter(struct agent *a, const struct list *seen, struct arena *arena)
{
    int64_t every = a->o.meter_us > 0 ? a->o.meter_us : US_PER_MINUTE;
    time_us now = clock_steady(a->o.clock);
    if (a->o.spool == NULL || (a->metered > 0 && now - a->metered < every))
        return;
    a->metered = now;
    const struct observed *items = seen->items;
    for (size_t i = 0; i < seen->count; i++) {
        struct driver_stats stats;
        struct err ignored; /* it ended since it was seen: its end is sampled by the step */
        err_clear(&ignored);
        if (items[i].state == OBSERVED_RUNNING &&
            a->o.driver->stats(a->o.driver, items[i].id, arena, &stats, &ignored) == RC_OK)
            agent_meter_one(a, items[i].id, items[i].started, &stats);
    }
}
