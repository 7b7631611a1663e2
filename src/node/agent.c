/* The loop of agent.h. */
#include "node/agent_inside.h"

#include "base/point.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { QUEUE_MAX = 2048, LEASE_MARGIN_PARTS = 4, PART_TRIES = 5, PART_MS = 60000 };
#define LEASE_MARGIN_MAX_US (10 * US_PER_SECOND)
#define STEADY_US           US_PER_MINUTE

/* --- what is wanted --- */

void agent_drop(struct wanted *w)
{
    if (w == NULL || --w->users > 0)
        return;
    arena_fini(&w->arena);
    free(w);
}

static enum rc decode(struct wanted *w, struct str json, struct err *err)
{
    const struct json *root;
    if (json.n > AGENT_JSON_BYTES_MAX)
        return err_set(err, RC_TOO_LARGE, "the list of services is too long");
    w->text = arena_str(&w->arena, json);
    TRY(json_parse(w->text, &w->arena, &root, err));
    TRY(schema_decode(&desired_schema, SCHEMA_WHOLE, root, &w->arena, &w->desired, err));
    const struct service_spec *specs = w->desired.services.items;
    struct str *forms = NEW_N(&w->arena, struct str, w->desired.services.count);
    for (size_t i = 0; i < w->desired.services.count; i++)
        forms[i] = reconcile_form(&specs[i], &w->arena);
    w->forms = forms;
    return RC_OK;
}

struct agent_service *agent_service_of(struct agent *a, struct str id, bool make)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->services[i].used && str_eq(str_c(a->services[i].id), id))
            return &a->services[i];
    if (!make)
        return NULL;
    size_t at = 0;
    while (at < a->count && a->services[at].used)
        at++;
    if (at == SPEC_SERVICES_MAX || id.n > ID_TEXT_MAX)
        return NULL;
    a->count = max_size(a->count, at + 1);
    a->services[at] =
        (struct agent_service){.used = true, .state = -1, .since = clock_now(a->o.clock)};
    memcpy(a->services[at].id, id.p, id.n);
    return &a->services[at];
}

/* Most services have one or two of the many that they may have. */
static void want_promises(struct agent_service *s, size_t count)
{
    if (count <= s->promise_room)
        return;
    s->promises = realloc(s->promises, count * sizeof *s->promises);
    ASSERT(s->promises != NULL);
    memset(s->promises + s->promise_room, 0, (count - s->promise_room) * sizeof *s->promises);
    s->promise_room = count;
}

static void forget(struct agent_service *s)
{
    free(s->promises);
    *s = (struct agent_service){.used = false};
}

static void adopt(struct agent *a, struct wanted *w)
{
    agent_drop(a->wanted);
    a->wanted = w;
    for (size_t i = 0; i < a->count; i++)
        a->services[i].spec = NULL;
    const struct service_spec *specs = w->desired.services.items;
    for (size_t i = 0; i < w->desired.services.count; i++) {
        struct agent_service *s = agent_service_of(a, specs[i].id, true);
        if (s == NULL)
            continue; /* more than a node holds: the list is bounded to the same number */
        s->spec = &specs[i];
        s->form = w->forms[i];
        want_promises(s, specs[i].promises.count);
        if (s->generation != specs[i].generation)
            s->mind.failures = 0;
        s->generation = specs[i].generation;
    }
    a->changes++;
}

static struct wanted *wanted_new(void)
{
    struct wanted *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    w->users = 1;
    arena_init(&w->arena, (size_t)16 * AGENT_JSON_BYTES_MAX);
    return w;
}

enum rc agent_read(struct str json, struct wanted **ret, struct err *err)
{
    struct wanted *w = wanted_new();
    enum rc rc = decode(w, json, err);
    if (rc == RC_OK)
        *ret = w;
    else
        agent_drop(w);
    return rc;
}

static bool is_wanted(struct agent *a, struct str json)
{
    pthread_mutex_lock(&a->lock);
    bool same = a->wanted != NULL && str_eq(a->wanted->text, json);
    pthread_mutex_unlock(&a->lock);
    return same;
}

void agent_take(struct agent *a, struct wanted *w)
{
    if (is_wanted(a, w->text)) {
        agent_drop(w);
        return;
    }
    pthread_mutex_lock(&a->lock);
    adopt(a, w);
    pthread_mutex_unlock(&a->lock);
    agent_wake(a);
}

enum rc agent_want(struct agent *a, struct str json, struct err *err)
{
    struct wanted *w = NULL;
    if (is_wanted(a, json))
        return RC_OK;
    TRY(agent_read(json, &w, err));
    agent_take(a, w);
    return RC_OK;
}

int64_t agent_revision(struct agent *a)
{
    pthread_mutex_lock(&a->lock);
    int64_t revision = a->wanted != NULL ? a->wanted->desired.revision : 0;
    pthread_mutex_unlock(&a->lock);
    return revision;
}

void agent_lease(struct agent *a, time_us until)
{
    pthread_mutex_lock(&a->lock);
    a->lease = until;
    a->lease_known = true;
    pthread_mutex_unlock(&a->lock);
    agent_wake(a);
}

/* What an agent before this one was told holds on: who comes after it stops nothing that may
 * run. With the lock held. */
static void inherit_lease(struct agent *a, const struct list *seen)
{
    const struct observed *items = seen->items;
    if (a->lease_known)
        return;
    for (size_t i = 0; i < seen->count; i++)
        if (items[i].state == OBSERVED_RUNNING)
            a->lease = max_i64(a->lease, items[i].lease);
    a->lease_known = true;
}

/* It stops a little before the lease ends, as stopping takes time. */
bool agent_leased(const struct agent *a, const struct service_spec *spec)
{
    if (spec == NULL || spec->lease_s == 0)
        return true;
    time_us margin =
        min_i64(spec->lease_s * US_PER_SECOND / LEASE_MARGIN_PARTS, LEASE_MARGIN_MAX_US);
    return clock_steady(a->o.clock) < a->lease - margin;
}

/* --- one step --- */

struct step_work {
    struct work_item item;
    struct agent *agent;
    enum step step;
    struct wanted *wanted;
    const struct service_spec *spec; /* in wanted; NULL: not spoken of */
    char id[ID_TEXT_MAX + 1];
    time_us started; /* of what is stopped */
    time_us died;
    int64_t failures; /* before this step */
    bool parted;      /* as of the service */
    const char *left;
    struct err err;
};

/* A process that was found dead has used no time since. */
static void sample_end(struct step_work *w, struct driver_stats *stats)
{
    if (stats->process.n == 0)
        return;
    if (w->died > 0)
        stats->ended = stats->ended > 0 ? min_i64(stats->ended, w->died) : w->died;
    agent_meter_one(w->agent, str_c(w->id), w->started, stats);
}

/* What it made elsewhere it takes away itself, while it runs. It is asked a few times; then it goes
 * all the same, and that is told. Who dies in between asks again. */
static enum rc part(struct step_work *w, struct arena *arena)
{
    struct driver *d = w->agent->o.driver;
    int status = 0;
    struct str said = STR("");
    if (w->spec == NULL || w->spec->state != SPEC_GONE || w->spec->end.count == 0 || w->parted)
        return RC_OK;
    const struct driver_exec e = {.id = w->spec->id,
                                  .command = &w->spec->end,
                                  .timeout_ms = PART_MS,
                                  .input = -1,
                                  .output = -1};
    enum rc rc = d->exec(d, &e, arena, &status, &said, &w->err);
    if (rc == RC_OK && status != 0)
        rc = err_set(&w->err, RC_CONFLICT, "its command for the end ended with %d: %.*s", status,
                     STRF(str_sub(str_trim(said), 0, ERR_TEXT_MAX / 2)));
    if (rc != RC_OK && w->failures + 1 < PART_TRIES)
        return rc;
    if (rc != RC_OK) {
        log_event(w->agent->o.log, LOG_WARN, "node.left", LOG_S("service", str_c(w->id)),
                  LOG_S("why", err_text(&w->err)));
        w->left = "its command for the end failed: what it made elsewhere may be left";
    }
    err_clear(&w->err);
    w->parted = true;
    return RC_OK;
}

/* Sampled before it is stopped, too: counters go with the process, and an agent that is killed
 * right after that would know no more of them than it did a minute ago. */
static enum rc stop_step(struct step_work *w, struct arena *arena)
{
    struct driver *d = w->agent->o.driver;
    struct driver_stats stats;
    TRY(part(w, arena));
    if (w->agent->o.spool != NULL && d->stats(d, str_c(w->id), arena, &stats, &w->err) == RC_OK)
        sample_end(w, &stats);
    err_clear(&w->err); /* what never ran has no counters */
    point_pass("stop.sampled");
    TRY(d->stop(d, str_c(w->id), arena, &stats, &w->err));
    sample_end(w, &stats);
    point_pass("stop.metered");
    return RC_OK;
}

static enum rc remove_step(struct step_work *w, struct arena *arena)
{
    struct driver *d = w->agent->o.driver;
    if (w->spec != NULL && w->spec->end.count > 0 && !w->parted)
        w->left = "it did not run at its end: what it made elsewhere may be left";
    TRY(d->remove(d, str_c(w->id), arena, &w->err));
    point_pass("remove.removed");
    return w->agent->o.spool != NULL ? spool_end(w->agent->o.spool, str_c(w->id), &w->err) : RC_OK;
}

/* A service that holds a lease knows its end before it starts. */
static enum rc start_step(struct step_work *w, struct arena *arena)
{
    struct driver *d = w->agent->o.driver;
    ASSERT(w->spec != NULL); /* what nobody wants is not started */
    if (w->spec->lease_s > 0) {
        pthread_mutex_lock(&w->agent->lock);
        time_us until = w->agent->lease;
        pthread_mutex_unlock(&w->agent->lock);
        TRY(d->lease(d, w->spec->id, until, arena, &w->err));
    }
    return d->start(d, w->spec, arena, &w->err);
}

static enum rc restore_step(struct step_work *w, struct arena *arena)
{
    const struct backup_restore restore = {
        .driver = w->agent->o.driver, .door = w->agent->o.backups, .spec = w->spec};
    return backup_restore(&restore, arena, &w->err);
}

static enum rc do_step(struct step_work *w, struct arena *arena)
{
    struct driver *d = w->agent->o.driver;
    switch (w->step) {
    case STEP_PREPARE:
        return d->prepare(d, w->spec, arena, &w->err);
    case STEP_START:
        return start_step(w, arena);
    case STEP_ADJUST:
        return d->adjust(d, w->spec, arena, &w->err);
    case STEP_STOP:
        return stop_step(w, arena);
    case STEP_REMOVE:
        return remove_step(w, arena);
    case STEP_RESTORE:
        return restore_step(w, arena);
    case STEP_SNAPSHOT:
        return d->snapshot(d, w->spec, arena, &w->err);
    case STEP_REVERT:
        return d->revert(d, w->spec, arena, &w->err);
    case STEP_NONE:
        break;
    }
    NEVER("no step is no work");
}

/* With the lock held. */
static void note_outcome(struct agent *a, const struct step_work *w, enum rc rc)
{
    struct agent_service *s = agent_service_of(a, str_c(w->id), false);
    ASSERT(s != NULL && s->doing == w->step);
    s->doing = STEP_NONE;
    s->mind.tried = clock_now(a->o.clock);
    s->parted = w->parted;
    s->left = w->left;
    if (rc == RC_OK) {
        /* Whether a start was a success only time shows: note_life. */
        if (w->step != STEP_STOP && w->step != STEP_START)
            s->mind.failures = 0;
        snprintf(s->reason, sizeof s->reason, "%s", s->left != NULL ? s->left : "");
    } else {
        s->mind.failures++;
        s->mind.waits = rc == RC_RETRY;
        struct str text = err_text(&w->err);
        memcpy(s->reason, text.p, text.n);
        s->reason[text.n] = '\0';
    }
    a->steps--;
    a->changes++;
    agent_drop(w->wanted);
}

static void run_step(struct work_item *item)
{
    struct step_work *w = CONTAINER_OF(item, struct step_work, item);
    struct agent *a = w->agent;
    struct arena arena;
    arena_init(&arena, AGENT_STEP_BYTES);
    time_us began = clock_steady(a->o.clock);
    enum rc rc = do_step(w, &arena);
    int64_t us = clock_steady(a->o.clock) - began;
    if (rc == RC_OK)
        log_event(a->o.log, LOG_INFO, "node.step", LOG_S("service", str_c(w->id)),
                  LOG_S("step", str_c(step_names[w->step])), LOG_I("us", us));
    else
        log_event(a->o.log, rc == RC_RETRY ? LOG_INFO : LOG_WARN, "node.step",
                  LOG_S("service", str_c(w->id)), LOG_S("step", str_c(step_names[w->step])),
                  LOG_S("rc", str_c(rc_slug(rc))), LOG_S("why", err_text(&w->err)),
                  LOG_I("us", us));
    arena_fini(&arena);
    pthread_mutex_lock(&a->lock);
    note_outcome(a, w, rc);
    pthread_mutex_unlock(&a->lock);
    free(w);
    agent_wake(a);
}

/* --- looking --- */

/* What dies soon after its start, again and again, is started after growing pauses. */
static void note_life(struct agent *a, struct agent_service *s, const struct observed *seen)
{
    time_us now = clock_now(a->o.clock);
    bool died = seen->state == OBSERVED_DEAD && s->observed == OBSERVED_RUNNING;
    bool soon = now - seen->started < STEADY_US;
    if (died && soon) {
        s->mind.failures++;
        s->mind.waits = false;
        s->mind.tried = now;
        snprintf(s->reason, sizeof s->reason, "it ended soon after its start");
    }
    /* A restore that fails goes on failing while it runs. */
    bool whole = s->spec == NULL || s->spec->from.number <= seen->restored;
    if (seen->state == OBSERVED_RUNNING && !soon && whole)
        s->mind.failures = 0;
}

static void note_seen(struct agent *a, const struct list *seen)
{
    const struct observed *items = seen->items;
    for (size_t i = 0; i < a->count; i++)
        if (a->services[i].idle)
            a->services[i].seen = false;
    for (size_t i = 0; i < seen->count; i++) {
        struct agent_service *s = agent_service_of(a, items[i].id, true);
        if (s == NULL || s->doing != STEP_NONE || (s->state >= 0 && !s->idle))
            continue;
        note_life(a, s, &items[i]);
        if (items[i].state != OBSERVED_DEAD)
            s->died = 0;
        else if (s->died == 0)
            s->died = clock_now(a->o.clock);
        /* Told of a service that runs, though its state stays the same. */
        if (s->starts != items[i].starts || s->observed_generation != items[i].generation ||
            !str_eq(str_c(s->snapshots), items[i].snapshots))
            a->changes++;
        s->idle = true;
        s->seen = true;
        s->observed = items[i].state;
        s->observed_generation = items[i].generation;
        s->restart = items[i].restart;
        s->starts = items[i].starts;
        s->started = items[i].started;
        s->process = items[i].process;
        s->restored = items[i].restored;
        s->reverted = items[i].reverted;
        snprintf(s->snapshots, sizeof s->snapshots, "%.*s", STRF(items[i].snapshots));
        size_t n = min_size(items[i].form.n, DRIVER_FORM_MAX);
        memcpy(s->seen_form, items[i].form.p, n);
        s->seen_form[n] = '\0';
    }
}

static struct observed observed_of(const struct agent_service *s)
{
    return (struct observed){.id = str_c(s->id),
                             .state = s->observed,
                             .generation = s->observed_generation,
                             .form = str_c(s->seen_form),
                             .restart = s->restart,
                             .starts = s->starts,
                             .started = s->started,
                             .restored = s->restored,
                             .reverted = s->reverted,
                             .snapshots = str_c(s->snapshots)};
}

static struct step_work *work_for(struct agent *a, struct agent_service *s, enum step step)
{
    struct step_work *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    *w = (struct step_work){.item.run = run_step,
                            .agent = a,
                            .step = step,
                            .wanted = a->wanted,
                            .spec = s->spec,
                            .started = s->started,
                            .died = s->died,
                            .failures = s->mind.failures,
                            .parted = s->parted,
                            .left = s->left};
    memcpy(w->id, s->id, sizeof w->id);
    if (a->wanted != NULL)
        a->wanted->users++;
    s->doing = step;
    a->steps++;
    return w;
}

static void note_state(struct agent *a, struct agent_service *s, enum step step)
{
    struct observed seen = observed_of(s);
    int64_t state = (int64_t)reconcile_sighting(s->spec, s->spec != NULL ? s->form : STR(""),
                                                s->seen ? &seen : NULL, step, &s->mind);
    if (state == s->state)
        return;
    s->state = state;
    s->since = clock_now(a->o.clock);
    a->changes++;
}

/* With the lock held: the steps to take, at most max. */
static size_t decide(struct agent *a, struct step_work **works)
{
    time_us now = clock_now(a->o.clock);
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct agent_service *s = &a->services[i];
        if (!s->used || !s->idle || s->doing != STEP_NONE)
            continue;
        struct observed seen = observed_of(s);
        s->mind.leased = agent_leased(a, s->spec);
        enum step step = reconcile_step(s->spec, s->spec != NULL ? s->form : STR(""),
                                        s->seen ? &seen : NULL, &s->mind, now);
        note_state(a, s, step);
        if (step != STEP_NONE)
            works[count++] = work_for(a, s, step);
        else if (s->spec == NULL && !s->seen)
            forget(s); /* neither wanted nor there */
    }
    return count;
}

/* Tell a renewed lease to the services that hold it. Without the lock. */
static void renew(struct agent *a, const struct list *seen, struct arena *arena)
{
    const struct observed *items = seen->items;
    pthread_mutex_lock(&a->lock);
    time_us until = a->lease;
    pthread_mutex_unlock(&a->lock);
    if (until == a->lease_told)
        return;
    for (size_t i = 0; i < seen->count; i++) {
        struct err err;
        err_clear(&err);
        pthread_mutex_lock(&a->lock);
        const struct agent_service *s = agent_service_of(a, items[i].id, false);
        bool holds = s != NULL && s->spec != NULL && s->spec->lease_s > 0;
        pthread_mutex_unlock(&a->lock);
        if (holds && items[i].state == OBSERVED_RUNNING &&
            a->o.driver->lease(a->o.driver, items[i].id, until, arena, &err) != RC_OK)
            log_event(a->o.log, LOG_ERROR, "node.lease", LOG_S("service", items[i].id),
                      LOG_S("why", err_text(&err)));
    }
    a->lease_told = until;
}

/* First processes whose end wakes the agent. */
static void watch(struct agent *a)
{
    for (size_t i = 0; i < a->watched_count; i++)
        close(a->watched[i].fd);
    a->watched_count = 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct agent_service *s = &a->services[i];
        if (!s->used || !s->seen || s->observed != OBSERVED_RUNNING || s->process <= 0)
            continue;
        int fd = (int)syscall(SYS_pidfd_open, (pid_t)s->process, 0);
        if (fd >= 0)
            a->watched[a->watched_count++] = (struct watched){.process = s->process, .fd = fd};
    }
}

size_t agent_turn(struct agent *a)
{
    struct arena arena;
    struct err err;
    struct list seen;
    size_t count = 0;
    arena_init(&arena, AGENT_TURN_BYTES);
    err_clear(&err);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->count; i++)
        a->services[i].idle = a->services[i].doing == STEP_NONE;
    pthread_mutex_unlock(&a->lock);
    enum rc rc = a->o.driver->observe(a->o.driver, &arena, &seen, &err);
    if (rc != RC_OK) {
        log_event(a->o.log, LOG_ERROR, "node.observe", LOG_S("why", err_text(&err)));
        arena_fini(&arena);
        return 0;
    }
    struct step_work **works = NEW_N(&arena, struct step_work *, SPEC_SERVICES_MAX);
    pthread_mutex_lock(&a->lock);
    note_seen(a, &seen);
    inherit_lease(a, &seen);
    count = decide(a, works);
    watch(a);
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < count; i++)
        if (a->step_pool == NULL || !work_submit(a->step_pool, &works[i]->item))
            run_step(&works[i]->item); /* no threads, or all of them have much to do */
    renew(a, &seen, &arena);
    agent_meter(a, &seen, &arena);
    arena_fini(&arena);
    agent_look(a);
    return count;
}

void agent_wait(struct agent *a, int fd, int64_t wait_us)
{
    struct pollfd fds[SPEC_SERVICES_MAX + 2];
    nfds_t n = 0;
    uint64_t ignored;
    fds[n++] = (struct pollfd){.fd = a->wake, .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
    for (size_t i = 0; i < a->watched_count; i++)
        fds[n++] = (struct pollfd){.fd = a->watched[i].fd, .events = POLLIN};
    (void)poll(fds, n,
               (int)min_i64(wait_us / US_PER_MS, INT32_MAX)); /* a signal is a reason, too */
    (void)!read(a->wake, &ignored, sizeof ignored);           /* it may be empty */
}

void agent_wake(struct agent *a)
{
    uint64_t one = 1;
    (void)!write(a->wake, &one, sizeof one); /* full: it wakes already */
}

/* --- birth and end --- */

struct agent *agent_open(const struct agent_options *o)
{
    struct agent *a = calloc(1, sizeof *a);
    ASSERT(a != NULL);
    a->o = *o;
    a->services = calloc(SPEC_SERVICES_MAX, sizeof *a->services);
    ASSERT(a->services != NULL);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(a->wake >= 0);
    pthread_mutex_init(&a->lock, NULL);
    if (o->threads > 0) {
        a->step_pool = work_open(o->threads, QUEUE_MAX);
        a->promise_pool = work_open(o->threads, QUEUE_MAX);
    }
    return a;
}

void agent_close(struct agent *a)
{
    if (a == NULL)
        return;
    work_close(a->step_pool);
    work_close(a->promise_pool);
    for (size_t i = 0; i < a->watched_count; i++)
        close(a->watched[i].fd);
    agent_drop(a->wanted);
    for (size_t i = 0; i < a->count; i++)
        free(a->services[i].promises);
    close(a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a->services);
    free(a);
}
