/*
 * bench_pico.c - the pico engine by its library: how long picos take to be made, what they cost in
 * memory and on disk, how long the start and the first event of a cold pico take, for more and more
 * picos; events and queries a second with durable commits, at one open request and at 64; export
 * and import. The official engine's figures (pico-engine 1.4.0, two cores, without any fsync, by
 * HTTP) stand beside. Beside what depends on other load stands the processors' time.
 *
 * A pico is made as a ruleset makes one: its parent is told wrangler:new_child_request, which gives
 * it the rulesets that come with the engine, names, and channels, and the parent installs a small
 * one more in it. Each has FAN children.
 *
 *     bench_pico [PICOS ...]        10,000 and 100,000 without it
 *
 * From EXPORT_PICOS_MAX on there is no export: one file does not take all.
 */
#include "pico/bundled.h"
#include "pico/engine.h"
#include "pico/export.h"
#include "store/store_fixture.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    OPEN_MAX = 64,
    COUNTERS = 1000, /* picos that the events are for */
    NEW_AT_ONCE = 200,
    FAN = 50,
    PARENTS_AT_ONCE = 64,
    COLD = 25,
    ECI_BYTES = 32,
    SIZES_MAX = 8,
    PICOS_MAX = 2 * 1000 * 1000,
    QUIET_PAUSE_US = 1000,
};

#define RUN_US (2 * US_PER_SECOND)

static const char ruleset[] =
    "ruleset bench { meta { shares n }\n"
    "  global { n = function() { ent:n.defaultsTo(0) } }\n"
    "  rule born { select when wrangler new_child_created every {\n"
    "    ctx:event(event:attrs{\"eci\"}, \"wrangler\", \"install_ruleset_request\",\n"
    "      {\"url\": \"file:///bench.krl\"})\n"
    "    send_directive(\"born\", {\"eci\": event:attrs{\"uiEci\"}}) } }\n"
    "  rule add { select when bench add always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule say { select when bench say send_directive(\"say\", {\"something\": \"Hello World\"}) "
    "} }";

struct bench {
    struct fixture f;
    struct pico_engine *e;
    struct arena arena;
    char (*ecis)[ECI_BYTES]; /* the channel of each pico for interfaces */
    char root[ECI_BYTES];
    size_t n;
};

/* What one number of picos came to; printed beside the next one. */
struct size {
    size_t picos;
    double made_us; /* each */
    double made_cpu_us;
    double disk_bytes; /* each */
    int64_t resident_kib;
    int64_t start_us;
    int64_t cold_us; /* the median */
};

struct caller {
    struct bench *b;
    struct pico_request r;
    struct arena arena;
    sem_t *done;
    atomic_uint_fast64_t *count;
    time_us until;
    uint64_t at;
    time_us began;
    int64_t worst_us;
};

/* Of all threads. */
static int64_t cpu_us(void)
{
    struct rusage u;
    int failed = getrusage(RUSAGE_SELF, &u);
    ASSERT(failed == 0);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * US_PER_SECOND + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void open_engine(struct bench *b)
{
    const struct pico_options o = {.store = b->f.store, .clock = clock_system()};
    enum rc rc = pico_engine_open(&b->e, &o, &b->f.err);
    ASSERT(rc == RC_OK);
}

static void flush(struct bench *b)
{
    struct str reply;
    enum rc rc =
        pico_flush(b->e, STR("file:///bench.krl"), str_c(ruleset), &b->arena, &reply, &b->f.err);
    ASSERT(rc == RC_OK);
}

/* --- one request after the other, by some callers --- */

static void next(struct caller *c);

static void done(struct pico_request *r)
{
    struct caller *c = CONTAINER_OF(r, struct caller, r);
    time_us now = clock_steady(clock_system());
    ASSERT(r->rc == RC_OK);
    c->worst_us = max_i64(c->worst_us, now - c->began);
    atomic_fetch_add(c->count, 1);
    if (now >= c->until)
        (void)sem_post(c->done);
    else
        next(c);
}

static void next(struct caller *c)
{
    arena_reset(&c->arena);
    c->at = c->at * 6364136223846793005U + 1442695040888963407U;
    c->r.eci = str_c(c->b->ecis[(c->at >> 33) % min_size(COUNTERS, c->b->n)]);
    c->r.arena = &c->arena;
    c->r.done = done;
    c->r.inside = true;
    c->began = clock_steady(clock_system());
    pico_submit(c->b->e, &c->r);
}

static void measure(struct bench *b, const char *what, struct pico_request r, size_t open)
{
    static struct caller callers[OPEN_MAX];
    atomic_uint_fast64_t count = 0;
    int64_t worst = 0;
    sem_t over;
    sem_init(&over, 0, 0);
    time_us from = clock_steady(clock_system());
    int64_t cpu = cpu_us();
    for (size_t i = 0; i < open; i++) {
        callers[i] = (struct caller){
            .b = b, .r = r, .done = &over, .count = &count, .until = from + RUN_US, .at = i + 1};
        arena_init(&callers[i].arena, 1024 * 1024);
        next(&callers[i]);
    }
    for (size_t i = 0; i < open; i++)
        while (sem_wait(&over) != 0)
            continue;
    time_us us = clock_steady(clock_system()) - from;
    cpu = cpu_us() - cpu;
    for (size_t i = 0; i < open; i++) {
        worst = max_i64(worst, callers[i].worst_us);
        arena_fini(&callers[i].arena);
    }
    sem_destroy(&over);
    printf("pico: %s, %zu open: %lld a second, slowest %lld us, %.1f us of a processor each\n",
           what, open, (long long)((int64_t)count * US_PER_SECOND / us), (long long)worst,
           (double)cpu / (double)(int64_t)count);
}

/* --- making picos --- */

struct birth {
    struct bench *b;
    struct pico_request r;
    struct arena arena;
    sem_t *done;
    atomic_size_t *next;
    size_t begin; /* of the level in hand */
    size_t end;
    size_t mine;
};

/* The k-th of a level to be born, so that PARENTS_AT_ONCE parents have children in turn; the last
 * parents of a level one after the other. */
static size_t place_in_level(size_t begin, size_t end, size_t k)
{
    size_t block = (size_t)PARENTS_AT_ONCE * FAN;
    size_t in = k % block;
    if (begin + k - in + block > end)
        return begin + k;
    return begin + k - in + in % PARENTS_AT_ONCE * FAN + in / PARENTS_AT_ONCE;
}

static void bear(struct birth *n);

static void born(struct pico_request *r)
{
    static const char before[] = "\"options\":{\"eci\":\"";
    struct birth *n = CONTAINER_OF(r, struct birth, r);
    if (r->rc != RC_OK)
        fprintf(stderr, "%s\n", r->err.text);
    ASSERT(r->rc == RC_OK);
    const char *at = memmem(r->reply.p, r->reply.n, before, sizeof before - 1);
    ASSERT(at != NULL);
    at += sizeof before - 1;
    size_t length = strcspn(at, "\"");
    ASSERT(length < ECI_BYTES);
    memcpy(n->b->ecis[n->mine], at, length);
    bear(n);
}

static void bear(struct birth *n)
{
    size_t k = atomic_fetch_add(n->next, 1);
    if (k >= n->end - n->begin) {
        (void)sem_post(n->done);
        return;
    }
    n->mine = place_in_level(n->begin, n->end, k);
    arena_reset(&n->arena);
    n->r = (struct pico_request){
        .ask = PICO_EVENT_WAIT,
        .eci = n->mine < FAN ? str_c(n->b->root) : str_c(n->b->ecis[n->mine / FAN - 1]),
        .domain = STR("wrangler"),
        .name = STR("new_child_request"),
        .attrs = arena_fmt(&n->arena, "{\"name\":\"Pico %zu\"}", n->mine),
        .inside = true,
        .arena = &n->arena,
        .done = born,
    };
    pico_submit(n->b->e, &n->r);
}

static int64_t resident_kib(void)
{
    char line[256];
    int64_t kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtoll(line + 6, NULL, 10);
    if (f != NULL)
        (void)fclose(f);
    return kib;
}

static int64_t disk_bytes(const struct bench *b)
{
    char path[512];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/hanse.db", b->f.folder);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Until what the picos told each other is done. */
static void wait_quiet(struct bench *b)
{
    const struct timespec pause = {.tv_nsec = QUIET_PAUSE_US * 1000};
    uint64_t commits = 0;
    for (;;) {
        struct pico_counters c = pico_counters(b->e);
        if (c.queued == 0 && c.commits == commits)
            return;
        commits = c.commits;
        (void)nanosleep(&pause, NULL); /* it is looked at again */
    }
}

static void make_level(struct bench *b, size_t begin, size_t end)
{
    static struct birth births[NEW_AT_ONCE];
    atomic_size_t next = 0;
    sem_t over;
    sem_init(&over, 0, 0);
    for (size_t i = 0; i < NEW_AT_ONCE; i++) {
        births[i] =
            (struct birth){.b = b, .done = &over, .next = &next, .begin = begin, .end = end};
        arena_init(&births[i].arena, 1024 * 1024);
        bear(&births[i]);
    }
    for (size_t i = 0; i < NEW_AT_ONCE; i++)
        while (sem_wait(&over) != 0)
            continue;
    for (size_t i = 0; i < NEW_AT_ONCE; i++)
        arena_fini(&births[i].arena);
    sem_destroy(&over);
}

static void make_picos(struct bench *b, struct size *s)
{
    b->ecis = calloc(s->picos, sizeof *b->ecis);
    ASSERT(b->ecis != NULL);
    b->n = s->picos;
    int64_t before_kib = resident_kib();
    time_us from = clock_steady(clock_system());
    int64_t cpu = cpu_us();
    for (size_t begin = 0, n = FAN; begin < s->picos; begin += n, n *= FAN)
        make_level(b, begin, min_size(begin + n, s->picos));
    wait_quiet(b);
    s->made_us = (double)(clock_steady(clock_system()) - from) / (double)s->picos;
    s->made_cpu_us = (double)(cpu_us() - cpu) / (double)s->picos;
    s->resident_kib = resident_kib();
    printf(
        "pico: %zu made: %.0f a second, %.0f us of a processor each, %lld MiB resident, of which "
        "%lld before (wanted: a million in 600 s, 1,667 a second; under 1 GiB)\n",
        s->picos, US_PER_SECOND / s->made_us, s->made_cpu_us, (long long)(s->resident_kib / 1024),
        (long long)(before_kib / 1024));
}

/* --- export and import --- */

static enum rc keep(void *arg, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return RC_OK;
}

static void print_export(const char *what, size_t picos, time_us us, int64_t cpu, size_t bytes)
{
    printf("pico: %s of %zu: %.0f picos a second, %.1f us of a processor each, %zu bytes each "
           "(wanted: 10,000 a second)\n",
           what, picos, (double)picos * US_PER_SECOND / (double)us, (double)cpu / (double)picos,
           bytes / picos);
}

static void measure_export(struct bench *b)
{
    struct bench other = {.e = NULL};
    struct buf file;
    struct str said;
    buf_init(&file, &b->arena, (size_t)1024 * 1024 * 1024);
    time_us from = clock_steady(clock_system());
    int64_t cpu = cpu_us();
    enum rc rc = pico_export(b->e, pico_root(b->e), keep, &file, &b->f.err);
    ASSERT(rc == RC_OK);
    print_export("export", b->n + 1, clock_steady(clock_system()) - from, cpu_us() - cpu,
                 buf_str(&file).n);
    fixture_open(&other.f);
    open_engine(&other);
    from = clock_steady(clock_system());
    cpu = cpu_us();
    rc = pico_import(other.e, pico_root(other.e), buf_str(&file), NULL, &b->arena, &said,
                     &other.f.err);
    if (rc != RC_OK)
        fprintf(stderr, "%s\n", other.f.err.text);
    ASSERT(rc == RC_OK);
    print_export("import", b->n + 1, clock_steady(clock_system()) - from, cpu_us() - cpu,
                 buf_str(&file).n);
    pico_engine_close(other.e);
    fixture_close(&other.f);
}

/* --- start --- */

static int compare_us(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* The first event of a pico that is not in memory, until it is durable. */
static int64_t ask_cold(struct bench *b, size_t pico)
{
    atomic_uint_fast64_t count = 0;
    sem_t over;
    sem_init(&over, 0, 0);
    struct caller c = {.b = b, .done = &over, .count = &count};
    c.r = (struct pico_request){.ask = PICO_EVENT_WAIT,
                                .eci = str_c(b->ecis[pico]),
                                .domain = STR("bench"),
                                .name = STR("add"),
                                .arena = &c.arena,
                                .done = done,
                                .inside = true};
    arena_init(&c.arena, 1024 * 1024);
    c.began = clock_steady(clock_system());
    pico_submit(b->e, &c.r);
    while (sem_wait(&over) != 0)
        continue;
    arena_fini(&c.arena);
    sem_destroy(&over);
    return c.worst_us;
}

static void measure_start(struct bench *b, struct size *s)
{
    int64_t cold[COLD];
    pico_engine_close(b->e);
    store_close(b->f.store);
    s->disk_bytes = (double)disk_bytes(b) / (double)s->picos;
    printf("pico: on disk: %.0f bytes a pico (wanted: under 2,048)\n", s->disk_bytes);
    fixture_open_with(&b->f, (struct store_options){0});
    time_us from = clock_steady(clock_system());
    open_engine(b);
    enum rc rc = pico_bundled_install(b->e, &b->arena, &b->f.err);
    ASSERT(rc == RC_OK);
    s->start_us = clock_steady(clock_system()) - from;
    printf("pico: start with %zu: %lld us (wanted: under 2,000,000), %lld MiB resident then\n",
           s->picos, (long long)s->start_us, (long long)(resident_kib() / 1024));
    int64_t cpu = cpu_us();
    int64_t first = ask_cold(b, s->picos - 1);
    int64_t first_cpu = cpu_us() - cpu;
    cpu = cpu_us();
    for (size_t i = 0; i < COLD; i++)
        cold[i] = ask_cold(b, (i + 1) * (s->picos - 2) / (COLD + 1));
    cpu = (cpu_us() - cpu) / COLD;
    qsort(cold, COLD, sizeof cold[0], compare_us);
    s->cold_us = cold[COLD / 2];
    printf("pico: the very first event: %lld us, %lld of a processor; first event of a cold pico, "
           "%d of them: best %lld us, median %lld, worst %lld, %lld of a processor each (wanted: "
           "under 5,000)\n",
           (long long)first, (long long)first_cpu, COLD, (long long)cold[0], (long long)s->cold_us,
           (long long)cold[COLD - 1], (long long)cpu);
}

static void measure_all(struct bench *b)
{
    const struct pico_request add = {
        .ask = PICO_EVENT_WAIT, .domain = STR("bench"), .name = STR("add")};
    const struct pico_request say = {
        .ask = PICO_EVENT_WAIT, .domain = STR("bench"), .name = STR("say")};
    const struct pico_request query = {.ask = PICO_QUERY, .rid = STR("bench"), .query = STR("n")};
    printf("pico: official: queries 500 and 2000 a second at 1 and 64; directives 300 and 950; "
           "counters 300 and 600\n");
    measure(b, "counter events", add, 1);
    measure(b, "counter events", add, OPEN_MAX);
    measure(b, "directive events", say, 1);
    measure(b, "directive events", say, OPEN_MAX);
    measure(b, "queries", query, 1);
    measure(b, "queries", query, OPEN_MAX);
}

/* The root has what all have. */
static void prepare(struct bench *b)
{
    struct caller c = {.b = b};
    atomic_uint_fast64_t count = 0;
    sem_t over;
    enum rc rc = pico_bundled_install(b->e, &b->arena, &b->f.err);
    ASSERT(rc == RC_OK);
    flush(b);
    (void)snprintf(b->root, sizeof b->root, "%.*s", STRF(pico_root(b->e)));
    sem_init(&over, 0, 0);
    c.done = &over;
    c.count = &count;
    c.r = (struct pico_request){.ask = PICO_INSTALL,
                                .eci = str_c(b->root),
                                .name = STR("file:///bench.krl"),
                                .arena = &b->arena,
                                .done = done,
                                .inside = true};
    pico_submit(b->e, &c.r);
    while (sem_wait(&over) != 0)
        continue;
    sem_destroy(&over);
}

static void run_size(struct size *s, bool all)
{
    static struct bench b;
    b = (struct bench){.e = NULL};
    fixture_open(&b.f);
    arena_init(&b.arena, (size_t)8 * 1024 * 1024 * 1024);
    open_engine(&b);
    prepare(&b);
    make_picos(&b, s);
    if (all)
        measure_all(&b);
    measure_start(&b, s);
    if (s->picos < EXPORT_PICOS_MAX)
        measure_export(&b);
    pico_engine_close(b.e);
    free(b.ecis);
    arena_fini(&b.arena);
    fixture_close(&b.f);
}

static void print_growth(const struct size *from, const struct size *to)
{
    printf(
        "pico: %.0f times the picos, %zu and %zu: each one made in %.2f times the processors' "
        "time and %.2f of the clock's, %.2f of the disk, all in %.2f times the memory, start %.2f "
        "times, a cold event %.2f times\n",
        (double)to->picos / (double)from->picos, from->picos, to->picos,
        to->made_cpu_us / from->made_cpu_us, to->made_us / from->made_us,
        to->disk_bytes / from->disk_bytes, (double)to->resident_kib / (double)from->resident_kib,
        (double)to->start_us / (double)from->start_us, (double)to->cold_us / (double)from->cold_us);
}

int main(int argc, char **argv)
{
    static struct size sizes[SIZES_MAX] = {{.picos = 10000}, {.picos = 100000}};
    size_t n = argc > 1 ? min_size((size_t)argc - 1, SIZES_MAX) : 2;
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a million takes a while */
    for (size_t i = 0; i < n; i++) {
        if (argc > 1)
            sizes[i].picos = (size_t)strtoul(argv[i + 1], NULL, 10);
        if (sizes[i].picos <= COLD || sizes[i].picos > PICOS_MAX) {
            fprintf(stderr, "bench_pico: from %d to %d picos\n", COLD + 1, PICOS_MAX);
            return 2;
        }
        run_size(&sizes[i], i == 0);
        if (i > 0)
            print_growth(&sizes[i - 1], &sizes[i]);
    }
    return 0;
}
