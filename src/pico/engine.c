#include "pico/engine.h"

#include "base/json.h"
#include "base/map.h"
#include "base/priority.h"
#include "krl/code.h"
#include "pico/inside.h"
#include "pico/outgoing.h"
#include "pico/unpaid.h"
#include "pico/url.h"
#include "pico/usage.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LOADED_DEFAULT = 20000,
    SLOW_THREADS_DEFAULT = 2,
    FAST_THREADS_MAX = 32,
    SLOT_US = 262144, /* identifiers made within one begin alike */
    SLOT_N = 4,       /* so many letters */
    DIGITS = 36,
    REPLY_BYTES_MAX = 1024 * 1024,
    STACK_BYTES = 8 * 1024 * 1024,
};

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

/* What is made at about the same time begins alike, so that it lies side by side in the indexes: of
 * a million picos, a commit would else change a page of each index for each new one. The begin is a
 * keyed hash: it tells nobody when that was. */
static void put_slot(struct pico_engine *e, char text[SLOT_N])
{
    const int64_t slot = clock_now(e->clock) / SLOT_US;
    uint64_t hash = hash_str(str_n((const char *)&slot, sizeof slot), e->seed);
    for (size_t i = 0; i < SLOT_N; i++, hash /= DIGITS)
        text[i] = digits[hash % DIGITS];
}

static unsigned char chance_byte(struct pico_engine *e)
{
    if (e->chance_left == 0) {
        clock_chance(e->clock, e->chance, sizeof e->chance);
        e->chance_left = sizeof e->chance;
    }
    return e->chance[--e->chance_left];
}

void chance_eci(struct pico_engine *e, char text[ECI_N + 1])
{
    text[0] = 'c';
    put_slot(e, text + 1);
    pthread_mutex_lock(&e->chance_lock);
    for (size_t i = 1 + SLOT_N; i < ECI_N; i++) {
        unsigned char byte = 0;
        do /* 252 is a multiple of 36: no digit is likelier than another */
            byte = chance_byte(e);
        while (byte >= 252);
        text[i] = digits[byte % DIGITS];
    }
    pthread_mutex_unlock(&e->chance_lock);
    text[ECI_N] = '\0';
}

/* --- threads --- */

static void *fast_thread(void *arg)
{
    struct pico_engine *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping)
        if (!queue_work(e, LANE_FAST))
            pthread_cond_wait(&e->work[LANE_FAST], &e->lock);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* With the lock, which is given up meanwhile. False: there is nothing to do, or enough do it. */
static bool work_slowly(struct pico_engine *e)
{
    if (e->slow_busy >= e->slow_max || e->returning > 0)
        return false;
    e->slow_busy++;
    bool some = queue_work(e, LANE_SLOW);
    e->slow_busy--;
    if (e->returning > 0)
        pthread_cond_signal(&e->back);
    else if (some && e->ready[LANE_SLOW].first != NULL)
        pthread_cond_signal(&e->work[LANE_SLOW]); /* this one may find the lane full */
    return some;
}

static void *slow_thread(void *arg)
{
    struct pico_engine *e = arg;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping)
        if (!work_slowly(e))
            pthread_cond_wait(&e->work[LANE_SLOW], &e->lock);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void start_thread(struct pico_engine *e, void *(*run)(void *arg))
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int failed = pthread_create(&e->threads[e->threads_n], &attr, run, e);
    ASSERT(failed == 0); /* without threads the process cannot work */
    pthread_attr_destroy(&attr);
    e->threads_n++;
}

void lane_pace(const struct pico_engine *e, enum lane lane, bool reckons)
{
    if (lane != LANE_SLOW || e->alone)
        return;
    if (reckons)
        priority_slow();
    else
        priority_usual();
}

void lane_leave(struct pico_engine *e)
{
    int waiting = 0;
    if (e->alone)
        return;
    for (const struct absence *a = e->away; a != NULL; a = a->next)
        waiting++;
    e->slow_busy--;
    if (!e->stopping && e->slow_n - waiting < e->slow_max && e->slow_n < e->slow_max + AWAY_MAX) {
        start_thread(e, slow_thread);
        e->slow_n++;
    }
    pthread_cond_signal(e->returning > 0 ? &e->back : &e->work[LANE_SLOW]);
}

void lane_return(struct pico_engine *e)
{
    if (e->alone)
        return;
    e->returning++;
    while (e->slow_busy >= e->slow_max)
        pthread_cond_wait(&e->back, &e->lock);
    e->returning--;
    e->slow_busy++;
    pthread_cond_signal(e->returning > 0 ? &e->back : &e->work[LANE_SLOW]);
}

static void start_threads(struct pico_engine *e)
{
    size_t fast = e->o.threads;
    size_t slow = e->o.slow_threads == 0 ? SLOW_THREADS_DEFAULT : e->o.slow_threads;
    if (fast == 0)
        fast = (size_t)max_i64(1, sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < min_size(fast, FAST_THREADS_MAX); i++)
        start_thread(e, fast_thread);
    e->slow_max = (int)min_size(slow, FAST_THREADS_MAX);
    e->slow_n = e->slow_max;
    for (int i = 0; i < e->slow_max; i++)
        start_thread(e, slow_thread);
    start_thread(e, timer_thread);
    for (size_t i = 0; i < REMOTE_THREADS && e->o.wire != NULL; i++)
        start_thread(e, remote_thread);
    for (size_t i = 0; i < OUTGOING_THREADS && e->o.wire != NULL; i++)
        start_thread(e, outgoing_thread);
    if (e->o.usage.suspended_url.n > 0 && e->o.wire != NULL)
        start_thread(e, unpaid_thread);
}

/* --- open and close --- */

static struct str copy_text(struct str s)
{
    char *p = malloc(s.n + 1);
    ASSERT(p != NULL);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

static struct pico_engine *make(const struct pico_options *o)
{
    struct pico_engine *e = calloc(1, sizeof *e);
    pthread_condattr_t monotonic;
    ASSERT(e != NULL);
    e->o = *o;
    e->o.base_url = copy_text(o->base_url);
    e->o.rulesets = copy_text(o->rulesets);
    e->o.usage.url = copy_text(o->usage.url);
    e->o.usage.token = copy_text(o->usage.token);
    e->o.usage.source = copy_text(o->usage.source);
    e->o.usage.suspended_url = copy_text(o->usage.suspended_url);
    e->o.mail.url = copy_text(o->mail.url);
    e->o.mail.user = copy_text(o->mail.user);
    e->o.mail.password = copy_text(o->mail.password);
    e->o.mail.from = copy_text(o->mail.from);
    e->o.steps_max = o->steps_max > 0 ? o->steps_max : KRL_STEPS_DEFAULT;
    e->o.memory_max = o->memory_max > 0 ? o->memory_max : KRL_MEMORY_DEFAULT;
    e->o.loaded_max = o->loaded_max > 0 ? o->loaded_max : LOADED_DEFAULT;
    e->store = o->store;
    e->clock = o->clock;
    e->alone = !clock_runs(o->clock);
    clock_chance(o->clock, e->seed, sizeof e->seed);
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->moving, NULL);
    pthread_mutex_init(&e->chance_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (size_t i = 0; i < LANES; i++)
        pthread_cond_init(&e->work[i], NULL);
    pthread_cond_init(&e->moved, NULL);
    pthread_cond_init(&e->back, NULL);
    pthread_cond_init(&e->tick, &monotonic);
    pthread_cond_init(&e->asking, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return e;
}

/* Picos with events that wait in the store read them. */
static enum rc find_waiting(struct tx *tx, const struct value *v, size_t columns, void *arg)
{
    struct pico_engine *e = arg;
    (void)tx;
    ASSERT(columns == 1);
    struct pico *p = table_need(e, v[0].number);
    p->reread = true;
    if (p->run == RUN_IDLE)
        queue_settle(e, p);
    return RC_OK;
}

static enum rc find_all_waiting(struct tx *tx, void *arg)
{
    return sql_each(tx, find_waiting, arg, "SELECT DISTINCT pico FROM pico_event ORDER BY pico");
}

static enum rc start(struct pico_engine *e, struct err *err)
{
    struct arena arena;
    TRY(rows_start(e, err));
    TRY(registry_open(&e->registry, e, err));
    TRY(remote_open(e, err));
    TRY(outgoing_open(e, err));
    TRY(move_open(e, err));
    arena_init(&arena, ARENA_COMMIT_BYTES);
    enum rc rc = store_read(e->store, &arena, err, find_all_waiting, e);
    arena_fini(&arena);
    return rc;
}

enum rc pico_engine_open(struct pico_engine **ret, const struct pico_options *o, struct err *err)
{
    struct pico_engine *e = make(o);
    commit_take_part(e);
    enum rc rc = start(e, err);
    if (rc != RC_OK) {
        pico_engine_close(e);
        return rc;
    }
    if (!e->alone)
        start_threads(e);
    *ret = e;
    return RC_OK;
}

static void free_rest(struct pico_engine *e)
{
    for (size_t i = 0; e->picos != NULL && i <= e->picos_mask; i++)
        for (struct pico *p = e->picos[i], *next = NULL; p != NULL; p = next) {
            next = p->chain;
            for (struct item *item = p->first, *after = NULL; item != NULL; item = after) {
                after = item->next;
                item_free(item);
            }
            pico_free(p);
        }
    for (size_t i = 0; e->ecis != NULL && i <= e->ecis_mask; i++)
        for (struct eci_node *n = e->ecis[i], *next = NULL; n != NULL; n = next) {
            next = n->chain;
            free(n);
        }
    free(e->picos);
    free(e->ecis);
}

/* Nobody asks any more: what was asked is refused, so that nobody waits for ever. */
static void refuse_rest(struct pico_engine *e)
{
    struct err err;
    err_clear(&err);
    err_write(&err, RC_UNAVAILABLE, "Error: the engine ends");
    for (struct pico_request *r = e->new_first, *next = NULL; r != NULL; r = next) {
        next = r->next;
        request_done(e, r, RC_UNAVAILABLE, &err);
    }
    e->new_first = NULL;
    for (size_t i = 0; e->picos != NULL && i <= e->picos_mask; i++)
        for (const struct pico *p = e->picos[i]; p != NULL; p = p->chain)
            for (struct item *item = p->first; item != NULL; item = item->next)
                if (item->kind == ITEM_REQUEST)
                    request_done(e, item->request, RC_UNAVAILABLE, &err);
}

void pico_engine_close(struct pico_engine *e)
{
    if (e == NULL)
        return;
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    atomic_store(&e->ending, true);
    remote_stop(e);
    for (size_t i = 0; i < LANES; i++)
        pthread_cond_broadcast(&e->work[i]);
    pthread_cond_broadcast(&e->tick);
    pthread_cond_broadcast(&e->asking);
    if (e->outgoing != NULL)
        outgoing_wake(e);
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < e->threads_n; i++)
        (void)pthread_join(e->threads[i], NULL); /* only fails for what is no thread */
    pthread_mutex_lock(&e->lock);
    while (e->commits > 0)
        pthread_cond_wait(&e->moved, &e->lock);
    diary_write(e);
    usage_write(e);
    pthread_mutex_unlock(&e->lock);
    refuse_rest(e);
    free_rest(e);
    registry_close(e->registry);
    remote_close(e);
    outgoing_close(e);
    usage_close(e);
    diary_close(e);
    scratch_close(e);
    for (size_t i = 0; i < LANES; i++)
        pthread_cond_destroy(&e->work[i]);
    pthread_cond_destroy(&e->moved);
    pthread_cond_destroy(&e->back);
    pthread_cond_destroy(&e->tick);
    pthread_cond_destroy(&e->asking);
    pthread_mutex_destroy(&e->moving);
    pthread_mutex_destroy(&e->chance_lock);
    pthread_mutex_destroy(&e->lock);
    const struct str texts[] = {e->o.base_url,
                                e->o.rulesets,
                                e->root,
                                e->o.usage.url,
                                e->o.usage.token,
                                e->o.usage.source,
                                e->o.usage.suspended_url,
                                e->o.mail.url,
                                e->o.mail.user,
                                e->o.mail.password,
                                e->o.mail.from};
    for (size_t i = 0; i < COUNT(texts); i++)
        free((char *)(uintptr_t)texts[i].p);
    free(e);
}

/* --- simulated time --- */

/* With the lock, which is given up meanwhile: all that is ready. False: nothing was. */
static bool run_ready(struct pico_engine *e)
{
    bool some = false;
    while (queue_work(e, LANE_FAST) || queue_work(e, LANE_SLOW))
        some = true;
    while (e->commits > 0)
        pthread_cond_wait(&e->moved, &e->lock);
    return some;
}

enum rc pico_engine_run_due(struct pico_engine *e, struct err *err)
{
    size_t fired = 1;
    ASSERT(e->alone);
    pthread_mutex_lock(&e->lock);
    queue_wake(e);
    while (fired > 0) {
        while (run_ready(e) || remote_run(e) > 0)
            continue;
        pthread_mutex_unlock(&e->lock);
        TRY(timer_poll(e, &fired, err));
        pthread_mutex_lock(&e->lock);
    }
    diary_write(e);
    usage_write(e);
    pthread_mutex_unlock(&e->lock);
    for (bool more = true; more;)
        TRY(usage_turn(e, &more, err));
    if (unpaid_turn(e, err) != RC_OK && e->o.log != NULL)
        log_event(e->o.log, LOG_WARN, "pico.unpaid", LOG_S("error", err_text(err)));
    pthread_mutex_lock(&e->lock);
    (void)outgoing_run(e); /* what is not done is due later */
    pthread_mutex_unlock(&e->lock);
    return RC_OK;
}

/* --- facts --- */

struct pico_counters pico_counters(struct pico_engine *e)
{
    pthread_mutex_lock(&e->lock);
    struct pico_counters c = e->counters;
    c.loaded = e->loaded;
    c.queued = e->queued;
    pthread_mutex_unlock(&e->lock);
    c.steps = atomic_load(&e->steps);
    return c;
}

struct str pico_root(const struct pico_engine *e)
{
    return e->root;
}

struct str pico_base_url(const struct pico_engine *e)
{
    return e->o.base_url;
}

/* --- rulesets --- */

static void put_warnings(struct json_writer *w, const struct krl_code *code)
{
    json_begin_array(w);
    for (uint32_t i = 0; i < code->warnings_n; i++) {
        const struct krl_warning *one = &code->warnings[i];
        json_begin_object(w);
        json_put_key(w, STR("loc"));
        json_begin_object(w);
        json_put_key(w, STR("line"));
        json_put_i64(w, one->place.line);
        json_put_key(w, STR("column"));
        json_put_i64(w, one->place.column);
        json_end_object(w);
        json_put_key(w, STR("message"));
        json_put_str(w, one->text);
        json_end_object(w);
    }
    json_end_array(w);
}

static struct str describe(struct arena *arena, const struct ruleset *set,
                           const struct ruleset_facts *facts)
{
    struct buf buf;
    struct json_writer w;
    char time[TIME_TEXT_MAX];
    buf_init(&buf, arena, REPLY_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_begin_object(&w);
    json_put_key(&w, STR("url"));
    json_put_str(&w, set->url);
    json_put_key(&w, STR("rid"));
    json_put_str(&w, set->rid);
    json_put_key(&w, STR("hash"));
    json_put_str(&w, str_c(facts->hash));
    json_put_key(&w, STR("flushed"));
    json_put_str(&w, str_n(time, time_format(facts->flushed, time)));
    json_put_key(&w, STR("compiler"));
    json_begin_object(&w);
    json_put_key(&w, STR("version"));
    json_put_str(&w, STR(HANSE_VERSION));
    json_put_key(&w, STR("warnings"));
    put_warnings(&w, facts->code);
    json_end_object(&w);
    json_end_object(&w);
    return buf_str(&buf);
}

enum rc pico_flush(struct pico_engine *e, struct str url, struct str source, struct arena *arena,
                   struct str *ret, struct err *err)
{
    struct str normal;
    const struct ruleset *set = NULL;
    struct ruleset_code *held = NULL;
    struct ruleset_facts facts;
    TRY(pico_url_normalise(url, arena, &normal, err));
    if (source.n > 0)
        TRY(registry_put(e->registry, normal, source, &set, err));
    else
        TRY(registry_flush(e->registry, normal, &set, err));
    TRY(registry_hold(e->registry, set, &held, &facts, err));
    *ret = describe(arena, set, &facts);
    registry_release(e->registry, held);
    return RC_OK;
}
