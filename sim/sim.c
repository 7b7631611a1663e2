/* The event loop of sim.h. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>

enum { KEEP_BYTES = 1 << 30, HEAP_FIRST = 1024, LIVES_MORE = 8, SETTLE_LOOKS = 36 };
#define TICK_US   (5 * US_PER_SECOND)
#define SETTLE_US (5 * US_PER_MINUTE)
#define FLUSH_US  (3 * US_PER_MINUTE)
#define FOLD_US   US_PER_HOUR

/* --- telling --- */

time_us sim_now(const struct sim *s)
{
    return s->clock.at;
}

static void put_time(const struct sim *s, FILE *to)
{
    int64_t seconds = (sim_now(s) - WORLD_START) / US_PER_SECOND;
    fprintf(to, "seed %" PRIu64 " day %" PRId64 " %02d:%02d:%02d.%03d ", s->seed, seconds / 86400,
            (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60), (int)(seconds % 60),
            (int)((sim_now(s) - WORLD_START) / US_PER_MS % 1000));
}

void sim_fail(const struct sim *s, const char *format, ...)
{
    va_list args;
    (void)fflush(stdout);
    va_start(args, format);
    put_time(s, stderr);
    fprintf(stderr, "FAILS: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

void sim_must(bool fact, const char *format, ...)
{
    va_list args;
    if (fact)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

void sim_trace(const struct sim *s, const char *format, ...)
{
    va_list args;
    if (s->o.trace == 0)
        return;
    va_start(args, format);
    put_time(s, stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* --- chance --- */

int64_t sim_below(struct sim *s, int64_t bound)
{
    return (int64_t)clock_sim_below(&s->chance, (uint64_t)bound);
}

bool sim_happens(struct sim *s, int64_t ppm)
{
    bool drawn = sim_below(s, (int64_t)SIM_PPM * SIM_PERCENT) < ppm * s->o.storm;
    return drawn && !s->calm;
}

/* --- the heap of events: the earliest first --- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
    struct event was = *a;
    *a = *b;
    *b = was;
}

void sim_put(struct sim *s, time_us at, enum event_kind kind, size_t index, struct message *late)
{
    if (s->heap_count == s->heap_room) {
        s->heap_room = s->heap_room > 0 ? 2 * s->heap_room : HEAP_FIRST;
        s->heap = realloc(s->heap, s->heap_room * sizeof *s->heap);
        ASSERT(s->heap != NULL);
    }
    size_t i = s->heap_count++;
    s->heap[i] = (struct event){max_i64(at, sim_now(s)), s->order++, kind, index, late};
    for (; i > 0 && is_before(&s->heap[i], &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&s->heap[i], &s->heap[(i - 1) / 2]);
}

static struct event take(struct sim *s)
{
    ASSERT(s->heap_count > 0); /* the clock's tick is always there */
    struct event first = s->heap[0];
    s->heap[0] = s->heap[--s->heap_count];
    for (size_t i = 0, least = 0;; i = least) {
        for (size_t k = 2 * i + 1; k <= 2 * i + 2; k++)
            if (k < s->heap_count && is_before(&s->heap[k], &s->heap[least]))
                least = k;
        if (least == i)
            return first;
        swap(&s->heap[i], &s->heap[least]);
    }
}

void sim_wake(struct machine *m, enum event_kind kind, time_us at)
{
    ASSERT((int)kind < EVENT_MACHINE_KINDS);
    if (m->due[kind] > 0 && m->due[kind] <= at)
        return;
    m->due[kind] = max_i64(at, sim_now(m->sim));
    sim_put(m->sim, at, kind, m->number, NULL);
}

/* --- lives --- */

struct life *sim_life(struct sim *s, struct str id)
{
    struct life *life = map_get(&s->by_id, id);
    if (life != NULL)
        return life;
    life = NEW(&s->keep, struct life);
    ASSERT(id.n < sizeof life->id);
    memcpy(life->id, id.p, id.n);
    (void)map_put(&s->by_id, str_c(life->id), life); /* it was not there */
    if (s->life_count % LIVES_MORE == 0) {
        s->lives = realloc(s->lives, (s->life_count + LIVES_MORE) * sizeof(struct life *));
        ASSERT(s->lives != NULL);
    }
    s->lives[s->life_count++] = life;
    return life;
}

/* --- what happens --- */

static void machine_due(struct sim *s, const struct event *e)
{
    struct machine *m = &s->machines[e->index];
    if (m->due[e->kind] != e->at)
        return; /* it was moved */
    m->due[e->kind] = 0;
    if (m->agent != NULL)
        machine_event(m, e->kind);
}

/* Of a long one each day is told, as it may take an hour. */
static void tell_day(const struct sim *s)
{
    enum { LONG_HOURS = 48 };
    time_us passed = sim_now(s) - WORLD_START;
    if (s->o.hours < LONG_HOURS || passed % US_PER_DAY >= TICK_US)
        return;
    printf("seed %" PRIu64 ": day %" PRId64 ", %zu services, %" PRId64 " messages\n", s->seed,
           passed / US_PER_DAY, s->living, s->counts.messages);
    (void)fflush(stdout);
}

static void tick(struct sim *s)
{
    tell_day(s);
    control_tick(s);
    if (sim_now(s) - s->folded >= FOLD_US)
        control_fold(s);
    sim_put(s, sim_now(s) + TICK_US, EVENT_TICK, 0, NULL);
}

static void happen(struct sim *s, const struct event *e)
{
    switch (e->kind) {
    case EVENT_TURN:
    case EVENT_TELL:
    case EVENT_PULL:
    case EVENT_KEEP:
    case EVENT_LOOK:
        machine_due(s, e);
        break;
    case EVENT_BACK:
        machine_start(&s->machines[e->index]);
        break;
    case EVENT_LATE:
        wires_late(s, e->late);
        break;
    case EVENT_DEED:
        people_deed(s);
        break;
    case EVENT_TICK:
        tick(s);
        break;
    case EVENT_FAULT:
        faults_event(s, e->index);
        break;
    case EVENT_UP:
        control_start(s);
        break;
    }
}

/* Until `until`; quiet: agents take no more samples, and look at nothing. */
static void run(struct sim *s, time_us until, bool quiet)
{
    s->quiet = quiet;
    while (s->heap[0].at <= until) {
        struct event e = take(s);
        ASSERT(e.at >= sim_now(s));
        s->clock.at = e.at;
        s->counts.events++;
        arena_reset(&s->arena);
        if (!quiet || e.kind != EVENT_TURN)
            happen(s, &e);
    }
    s->clock.at = until;
}

/* Nothing goes wrong any more. */
static void calm(struct sim *s)
{
    s->calm = true;
    for (size_t i = 0; i < (size_t)s->o.sites; i++)
        s->cut_until[i] = 0;
    for (size_t i = 0; i < (size_t)s->o.nodes; i++)
        s->machines[i].twin.fail_ppm = 0;
    if (s->down)
        control_start(s);
    for (size_t i = 0; i < (size_t)s->o.nodes; i++)
        if (s->machines[i].agent == NULL)
            machine_start(&s->machines[i]);
    people_calm(s);
}

static void settle(struct sim *s)
{
    const char *why = "";
    for (int i = 0; i < SETTLE_LOOKS && why != NULL; i++) {
        run(s, sim_now(s) + SETTLE_US, false);
        arena_reset(&s->arena);
        why = judge_settled(s);
    }
    if (why != NULL)
        sim_fail(s, "it does not settle: %s", why);
}

static void open_sim(struct sim *s)
{
    clock_sim_init(&s->clock, WORLD_START, s->seed);
    clock_sim_init(&s->chance, 0, ~s->seed);
    arena_init(&s->keep, KEEP_BYTES);
    arena_init(&s->arena, SIM_ARENA_BYTES);
    map_init(&s->by_id, &s->keep, (const uint64_t[]){1, 2});
    map_init(&s->tasks, &s->keep, (const uint64_t[]){5, 6});
    fixture_init(&s->fixture);
    fixture_open_with(&s->fixture,
                      (struct store_options){.clock = &s->clock.clock, .unthreaded = true});
    files_init(s);
    s->machines = calloc((size_t)s->o.nodes, sizeof *s->machines);
    ASSERT(s->machines != NULL);
    s->cut_until = NEW_N(&s->keep, time_us, (size_t)s->o.sites);
    s->sites = NEW_N(&s->keep, struct str, (size_t)s->o.sites);
}

static void close_sim(struct sim *s)
{
    for (size_t i = 0; i < s->heap_count; i++)
        free(s->heap[i].late);
    for (size_t i = 0; i < s->life_count; i++)
        free(s->lives[i]->stretches);
    eyes_fini(s);
    files_fini(s);
    fixture_close(&s->fixture);
    free(s->lives);
    free(s->heap);
    free(s->machines);
    arena_fini(&s->arena);
    arena_fini(&s->keep);
}

static void say(const struct sim *s)
{
    const struct sim_counts *c = &s->counts;
    printf("seed %" PRIu64 ": %" PRId64 " services, %" PRId64 " deeds (%" PRId64
           " refused), %" PRId64 " messages (%" PRId64 " lost, %" PRId64 " doubled, %" PRId64
           " late), %" PRId64 " units undone, %" PRId64 " crashes, %" PRId64 " reboots, %" PRId64
           " cuts, %" PRId64 " restarts, %" PRId64 " deaths, %" PRId64 " failovers, %" PRId64
           " moves (%" PRId64 " failed), %" PRId64 " backups, %" PRId64 " looks, %" PRId64
           " records, %" PRId64 " events\n",
           s->seed, c->orders, c->deeds, c->refused, c->messages, c->lost, c->doubled, c->late,
           c->undone, c->crashes, c->reboots, c->cuts, c->restarts, c->deaths, c->failovers,
           c->moves, c->returns, c->backups, c->looks, c->records, c->events);
}

void sim_play(const struct sim_options *o, uint64_t seed)
{
    struct sim *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    s->o = *o;
    s->seed = seed;
    open_sim(s);
    world_begin(s);
    faults_begin(s);
    sim_put(s, sim_now(s) + TICK_US, EVENT_TICK, 0, NULL);
    sim_put(s, sim_now(s) + US_PER_MINUTE, EVENT_DEED, 0, NULL);
    run(s, WORLD_START + o->hours * US_PER_HOUR, false);
    arena_reset(&s->arena);
    calm(s);
    settle(s);
    /* What was sampled is sent, and no more is sampled. */
    run(s, sim_now(s) + FLUSH_US, true);
    arena_reset(&s->arena);
    judge_usage(s);
    eyes_judge(s);
    files_judge(s);
    say(s);
    world_end(s);
    close_sim(s);
    free(s);
}
