/* Promises, each in its own time. */
#include "node/agent_inside.h"

enum { LOOK_BYTES = 8 * 1024 * 1024 };

struct look_work {
    struct work_item item;
    struct agent *agent;
    struct wanted *wanted;
    const struct service_spec *spec;
    size_t index;
};

/* With the lock held: the place of the promise, if it is still the same one. */
static struct agent_promise *place_of(struct agent *a, const struct look_work *w)
{
    struct agent_service *s = agent_service_of(a, w->spec->id, false);
    const struct spec_promise *specs = w->spec->promises.items;
    if (s == NULL || w->index >= s->promise_room ||
        !str_eq(str_c(s->promises[w->index].name), specs[w->index].name))
        return NULL;
    return &s->promises[w->index];
}

static void note_look(struct agent *a, const struct look_work *w, enum rc rc, const struct err *err)
{
    struct agent_promise *p = place_of(a, w);
    if (p == NULL)
        return;
    bool kept = rc == RC_OK;
    struct str text = kept ? STR("") : str_sub(err_text(err), 0, PROMISE_TEXT_MAX);
    p->looking = false;
    if (p->known && p->kept == kept)
        return;
    p->known = true;
    p->kept = kept;
    p->since = clock_now(a->o.clock);
    memcpy(p->text, text.n > 0 ? text.p : "", text.n);
    p->text[text.n] = '\0';
    a->changes++;
    log_event(a->o.log, kept ? LOG_INFO : LOG_WARN, "node.promise", LOG_S("service", w->spec->id),
              LOG_S("promise", str_c(p->name)), LOG_I("kept", kept), LOG_S("why", text));
}

static void run_look(struct work_item *item)
{
    struct look_work *w = CONTAINER_OF(item, struct look_work, item);
    struct agent *a = w->agent;
    struct arena arena;
    struct err err;
    const struct spec_promise *promises = w->spec->promises.items;
    struct promise_look look = {
        .driver = a->o.driver, .door = a->o.door, .spec = w->spec, .promise = &promises[w->index]};
    arena_init(&arena, LOOK_BYTES);
    err_clear(&err);
    enum rc rc = promise_check(&look, &arena, &err);
    arena_fini(&arena);
    pthread_mutex_lock(&a->lock);
    uint64_t before = a->changes;
    note_look(a, w, rc, &err);
    bool changed = a->changes != before;
    agent_drop(w->wanted);
    pthread_mutex_unlock(&a->lock);
    free(w);
    if (changed)
        agent_wake(a);
}

static struct look_work *look_for(struct agent *a, const struct agent_service *s, size_t index)
{
    struct look_work *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    *w = (struct look_work){
        .item.run = run_look, .agent = a, .wanted = a->wanted, .spec = s->spec, .index = index};
    a->wanted->users++;
    return w;
}

/* With the lock held: whether the index-th promise of a running service is due. */
static bool is_due(struct agent_service *s, size_t index, time_us now)
{
    const struct spec_promise *spec =
        &((const struct spec_promise *)s->spec->promises.items)[index];
    struct agent_promise *p = &s->promises[index];
    if (!str_eq(str_c(p->name), spec->name)) {
        *p = (struct agent_promise){.due = now};
        memcpy(p->name, spec->name.p, min_size(spec->name.n, sizeof p->name - 1));
    }
    if (p->looking || now < p->due)
        return false;
    int64_t every_s = spec->every_s > 0 ? spec->every_s : PROMISE_EVERY_S;
    /* Until it is kept for the first time, a look each second: starting takes its time. */
    if (!p->known || !p->kept)
        every_s = min_i64(every_s, 1);
    p->due = now + every_s * US_PER_SECOND;
    p->looking = true;
    return true;
}

void agent_look(struct agent *a)
{
    enum { LOOKS_MAX = 256 }; /* of one turn; the others are due at the next */
    struct look_work *works[LOOKS_MAX];
    size_t count = 0;
    time_us now = clock_steady(a->o.clock);
    if (a->o.door == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->count; i++) {
        struct agent_service *s = &a->services[i];
        if (!s->used || s->spec == NULL || s->state != SIGHTING_RUNNING)
            continue;
        for (size_t k = 0; k < s->spec->promises.count && count < LOOKS_MAX; k++)
            if (is_due(s, k, now))
                works[count++] = look_for(a, s, k);
    }
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < count; i++)
        if (a->promise_pool == NULL || !work_submit(a->promise_pool, &works[i]->item))
            run_look(&works[i]->item);
}
