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

static struct spool_sample sample_of(struct agent *a, struct str id, time_us started,
                                     const struct driver_stats *stats, struct arena *arena)
{
    time_us now = clock_now(a->o.clock);
    return (struct spool_sample){.service = id,
                                 .subscription = subscription_of(a, id, arena),
                                 .started = started,
                                 .now = stats->ended > 0 ? min_i64(stats->ended, now) : now,
                                 .stats = stats};
}

static void keep(struct agent *a, const struct spool_sample *samples, size_t count)
{
    struct err err;
    err_clear(&err);
    if (count > 0 && spool_add(a->o.spool, samples, count, &err) != RC_OK)
        log_event(a->o.log, LOG_ERROR, "node.meter", LOG_S("service", samples[0].service),
                  LOG_I("services", (int64_t)count), LOG_S("why", err_text(&err)));
}

void agent_meter_one(struct agent *a, struct str id, time_us started,
                     const struct driver_stats *stats)
{
    enum { ONE_BYTES = 64 * 1024 };
    struct arena arena;
    if (a->o.spool == NULL)
        return;
    arena_init(&arena, ONE_BYTES);
    struct spool_sample sample = sample_of(a, id, started, stats, &arena);
    keep(a, &sample, 1);
    arena_fini(&arena);
}

/* All in one: each wait for the disk would be one of the loop, and of whatever is wanted next. */
void agent_meter(struct agent *a, const struct list *seen, struct arena *arena)
{
    int64_t every = a->o.meter_us > 0 ? a->o.meter_us : US_PER_MINUTE;
    time_us now = clock_steady(a->o.clock);
    if (a->o.spool == NULL || (a->metered > 0 && now - a->metered < every))
        return;
    a->metered = now;
    const struct observed *items = seen->items;
    struct driver_stats *stats = NEW_N(arena, struct driver_stats, seen->count);
    struct spool_sample *samples = NEW_N(arena, struct spool_sample, seen->count);
    size_t count = 0;
    for (size_t i = 0; i < seen->count; i++) {
        struct err ignored; /* it ended since it was seen: its end is sampled by the step */
        err_clear(&ignored);
        if (items[i].state != OBSERVED_RUNNING ||
            a->o.driver->stats(a->o.driver, items[i].id, arena, &stats[count], &ignored) != RC_OK)
            continue;
        samples[count] = sample_of(a, items[i].id, items[i].started, &stats[count], arena);
        count++;
    }
    keep(a, samples, count);
}
