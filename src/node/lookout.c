#include "node/lookout.h"

#include "base/work.h"

#include <pthread.h>

enum { TASKS_BYTES_MAX = 2 * 1024 * 1024, LOOK_BYTES = 16 * 1024 * 1024, BODY_MAX = 1024 * 1024 };

/* What is to be looked at, decoded once; looks in hand may read it while a newer one is there. */
struct told {
    struct arena arena;
    struct probe_tasks tasks;
    time_us due[PROBE_TASKS_MAX]; /* steady */
    bool looking[PROBE_TASKS_MAX];
    int users; /* the lookout, and looks in hand */
};

struct lookout {
    struct lookout_options o;
    pthread_mutex_t lock;
    struct told *told;
    time_us asked; /* steady: when it was heard last */
    struct work_pool *pool;
};

struct look_work {
    struct work_item item;
    struct lookout *lookout;
    struct told *told;
    size_t index;
};

/* With the lock held. */
static void drop_told(struct told *t)
{
    if (t == NULL || --t->users > 0)
        return;
    arena_fini(&t->arena);
    free(t);
}

struct lookout *lookout_open(const struct lookout_options *o)
{
    enum { QUEUE_MAX = PROBE_TASKS_MAX };
    struct lookout *l = calloc(1, sizeof *l);
    ASSERT(l != NULL);
    l->o = *o;
    pthread_mutex_init(&l->lock, NULL);
    if (o->threads > 0)
        l->pool = work_open(o->threads, QUEUE_MAX);
    return l;
}

void lookout_close(struct lookout *l)
{
    if (l == NULL)
        return;
    work_close(l->pool);
    drop_told(l->told);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- what is asked for --- */

/* What is said already keeps its time. With the lock held. */
static void carry(const struct told *old, struct told *fresh, time_us now)
{
    const struct probe_task *tasks = fresh->tasks.tasks.items;
    for (size_t i = 0; i < fresh->tasks.tasks.count; i++) {
        fresh->due[i] = now;
        const struct probe_task *was = old != NULL ? old->tasks.tasks.items : NULL;
        for (size_t k = 0; was != NULL && k < old->tasks.tasks.count; k++)
            if (str_eq(was[k].id, tasks[i].id))
                fresh->due[i] = min_i64(old->due[k], now + tasks[i].every_s * US_PER_SECOND);
    }
}

static enum rc decode(struct told *t, struct str body, struct err *err)
{
    const struct json *root = NULL;
    TRY(json_parse(arena_str(&t->arena, body), &t->arena, &root, err));
    return schema_decode(&probe_tasks_schema, SCHEMA_WHOLE, root, &t->arena, &t->tasks, err);
}

enum rc lookout_ask(struct lookout *l, struct arena *arena, struct err *err)
{
    struct wire_reply reply;
    TRY(link_call(l->o.link, "GET", STR("/v1/node/probes"), STR(""), arena, &reply, err));
    struct told *fresh = calloc(1, sizeof *fresh);
    ASSERT(fresh != NULL);
    fresh->users = 1;
    arena_init(&fresh->arena, (size_t)8 * TASKS_BYTES_MAX);
    enum rc rc = decode(fresh, reply.body, err);
    time_us now = clock_steady(l->o.clock);
    pthread_mutex_lock(&l->lock);
    if (rc == RC_OK) {
        carry(l->told, fresh, now);
        drop_told(l->told);
        l->told = fresh;
        l->asked = now;
    } else {
        drop_told(fresh);
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* --- looking --- */

static void run_look(struct work_item *item)
{
    struct look_work *w = CONTAINER_OF(item, struct look_work, item);
    struct lookout *l = w->lookout;
    struct arena arena;
    struct err err;
    struct probe_result result;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): each piece of work counts as a user of it */
    const struct probe_task *tasks = w->told->tasks.tasks.items;
    arena_init(&arena, LOOK_BYTES);
    err_clear(&err);
    probe_look(&l->o.prober, &tasks[w->index], &arena, &result);
    /* A disk that is full: what was seen is lost, and seen again. */
    if (spool_saw(l->o.spool, &result, &err) != RC_OK)
        log_event(l->o.log, LOG_WARN, "node.probe", LOG_S("why", err_text(&err)));
    arena_fini(&arena);
    pthread_mutex_lock(&l->lock);
    w->told->looking[w->index] = false;
    drop_told(w->told);
    pthread_mutex_unlock(&l->lock);
    free(w);
}

/* With the lock held. */
static struct look_work *work_for(struct lookout *l, size_t index)
{
    const struct probe_task *task = &((const struct probe_task *)l->told->tasks.tasks.items)[index];
    struct look_work *w = calloc(1, sizeof *w);
    ASSERT(w != NULL);
    *w = (struct look_work){.item.run = run_look, .lookout = l, .told = l->told, .index = index};
    l->told->users++;
    l->told->looking[index] = true;
    l->told->due[index] = clock_steady(l->o.clock) + task->every_s * US_PER_SECOND;
    return w;
}

size_t lookout_turn(struct lookout *l)
{
    struct look_work *works[PROBE_TASKS_MAX];
    size_t count = 0;
    time_us now = clock_steady(l->o.clock);
    pthread_mutex_lock(&l->lock);
    bool heard = l->told != NULL && now - l->asked < LOOKOUT_ALONE_US;
    for (size_t i = 0; heard && i < l->told->tasks.tasks.count; i++)
        if (!l->told->looking[i] && now >= l->told->due[i])
            works[count++] = work_for(l, i);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < count; i++)
        if (l->pool == NULL || !work_submit(l->pool, &works[i]->item))
            run_look(&works[i]->item);
    return count;
}

/* --- telling --- */

static bool is_final(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_SYNTAX || rc == RC_TOO_LARGE || rc == RC_UNSUPPORTED;
}

enum rc lookout_tell(struct lookout *l, struct arena *arena, bool *ret, struct err *err)
{
    struct probe_results all = {.set = schema_all(&probe_results_schema)};
    struct wire_reply reply;
    struct buf text;
    struct json_writer w;
    int64_t last = 0;
    TRY(spool_seen(l->o.spool, arena, &all.results, &last, err));
    *ret = all.results.count == PROBE_RESULTS_MAX;
    if (all.results.count == 0)
        return RC_OK;
    buf_init(&text, arena, BODY_MAX);
    json_writer_init(&w, &text);
    schema_encode(&probe_results_schema, &all, &w);
    ASSERT(!text.full); /* 500 of at most 1.5 KB */
    enum rc rc =
        link_call(l->o.link, "POST", STR("/v1/node/probes"), buf_str(&text), arena, &reply, err);
    if (rc != RC_OK && !is_final(rc))
        return rc;
    if (rc != RC_OK)
        log_event(l->o.log, LOG_WARN, "node.probe", LOG_S("refused", err_text(err)));
    err_clear(err);
    return spool_saw_sent(l->o.spool, last, err);
}
