/* What the agent says of its services. */
#include "node/agent_inside.h"

uint64_t agent_changes(struct agent *a)
{
    pthread_mutex_lock(&a->lock);
    uint64_t changes = a->changes;
    pthread_mutex_unlock(&a->lock);
    return changes;
}

bool agent_at_rest(struct agent *a)
{
    pthread_mutex_lock(&a->lock);
    bool rest = a->steps == 0 && a->wanted != NULL;
    for (size_t i = 0; rest && i < a->count; i++) {
        const struct agent_service *s = &a->services[i];
        if (!s->used || s->spec == NULL)
            continue;
        switch ((enum spec_state)s->spec->state) {
        case SPEC_RUNNING:
            rest = s->state == SIGHTING_RUNNING && s->observed_generation == s->spec->generation &&
                   s->restart == s->spec->restart;
            break;
        case SPEC_STOPPED:
            rest = s->state == SIGHTING_STOPPED;
            break;
        case SPEC_GONE:
            rest = s->state == SIGHTING_GONE;
            break;
        }
    }
    pthread_mutex_unlock(&a->lock);
    return rest;
}

static struct list tell_promises(const struct agent_service *s, struct arena *arena)
{
    const struct spec_promise *specs = s->spec->promises.items;
    struct sighting_promise *told = NEW_N(arena, struct sighting_promise, s->spec->promises.count);
    size_t count = 0;
    for (size_t i = 0; i < s->spec->promises.count; i++) {
        const struct agent_promise *p = &s->promises[i];
        if (!p->known || !str_eq(str_c(p->name), specs[i].name))
            continue;
        told[count] = (struct sighting_promise){.name = arena_str(arena, str_c(p->name)),
                                                .kept = p->kept,
                                                .text = arena_line(arena, str_c(p->text)),
                                                .since = p->since};
        told[count++].set = 0xf;
    }
    return (struct list){.items = told, .count = count};
}

static const char *step_text(const struct agent_service *s)
{
    static const char *const texts[] = {"",
                                        "preparing image, disk and files",
                                        "starting",
                                        "setting its limits",
                                        "stopping",
                                        "removing what it left",
                                        "keeping snapshots",
                                        "going back to a snapshot",
                                        "restoring a backup"};
    return texts[s->doing];
}

/* Said of who has snapshots alone: a control plane that knows of none takes the rest. */
static uint64_t snapshot_bits(void)
{
    return schema_bit(&sighting_schema, "snapshots") | schema_bit(&sighting_schema, "reverted");
}

/* With the lock held. */
static bool tell(const struct agent_service *s, struct sighting *ret, struct arena *arena)
{
    if (!s->used || s->spec == NULL)
        return false;
    *ret = (struct sighting){.set = schema_all(&sighting_schema) & ~snapshot_bits(),
                             .id = arena_str(arena, str_c(s->id)),
                             .generation = s->generation,
                             .state = max_i64(s->state, SIGHTING_WAITING),
                             .step = str_c(step_text(s)),
                             .reason = arena_line(arena, str_c(s->reason)),
                             .since = s->since,
                             .starts = s->seen ? s->starts : 0,
                             .promises = tell_promises(s, arena)};
    /* It runs, but as another generation wanted it. */
    if (s->state == SIGHTING_RUNNING && s->observed_generation != s->generation)
        ret->generation = s->observed_generation;
    if (s->seen && (s->snapshots[0] != '\0' || s->reverted > 0)) {
        ret->reverted = s->reverted;
        ret->set |= snapshot_bits();
    }
    return true;
}

static void add_facts(struct agent *a, struct sighting *s, struct arena *arena)
{
    struct err ignored;
    struct service_spec spec = {.id = s->id};
    struct list facts = {0};
    err_clear(&ignored);
    /* Without an address there is nothing to tell. */
    if (s->state == SIGHTING_GONE || s->state == SIGHTING_WAITING ||
        a->o.driver->facts(a->o.driver, &spec, arena, &facts, &ignored) != RC_OK)
        return;
    struct sighting_fact *items = facts.items;
    for (size_t i = 0; i < facts.count; i++)
        items[i].set = 0x3;
    s->facts = facts;
}

static void add_snapshots(struct agent *a, struct sighting *s, struct arena *arena)
{
    struct err ignored;
    struct list seen = {0};
    err_clear(&ignored);
    if ((s->set & snapshot_bits()) == 0 ||
        a->o.driver->snapshots(a->o.driver, s->id, arena, &seen, &ignored) != RC_OK)
        return; /* it went meanwhile: the next report says so */
    struct sighting_snapshot *items = seen.items;
    for (size_t i = 0; i < seen.count; i++) {
        items[i].set = schema_all(&sighting_snapshot_schema);
        items[i].reason = arena_line(arena, items[i].reason);
    }
    s->snapshots = seen;
}

void agent_sightings(struct agent *a, struct arena *arena, struct list *ret)
{
    size_t count = 0;
    pthread_mutex_lock(&a->lock);
    struct sighting *told = NEW_N(arena, struct sighting, a->count);
    for (size_t i = 0; i < a->count; i++)
        if (tell(&a->services[i], &told[count], arena))
            count++;
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < count; i++) {
        add_facts(a, &told[i], arena);
        add_snapshots(a, &told[i], arena);
    }
    *ret = (struct list){.items = told, .count = count};
}

bool agent_backup_command(struct agent *a, struct str id, struct arena *arena, struct list *ret)
{
    pthread_mutex_lock(&a->lock);
    const struct agent_service *s = agent_service_of(a, id, false);
    bool found =
        s != NULL && s->spec != NULL && s->spec->backup.count > 0 && s->state == SIGHTING_RUNNING;
    if (found) {
        const struct str *words = s->spec->backup.items;
        struct str *copy = NEW_N(arena, struct str, s->spec->backup.count);
        for (size_t i = 0; i < s->spec->backup.count; i++)
            copy[i] = arena_str(arena, words[i]);
        *ret = (struct list){.items = copy, .count = s->spec->backup.count};
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

bool agent_restores(struct agent *a, struct str backup)
{
    pthread_mutex_lock(&a->lock);
    bool found = a->wanted == NULL;
    for (size_t i = 0; !found && i < a->count; i++) {
        const struct agent_service *s = &a->services[i];
        found = s->used && s->spec != NULL && str_eq(s->spec->from.backup, backup) &&
                (!s->seen || s->restored < s->spec->from.number);
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}
