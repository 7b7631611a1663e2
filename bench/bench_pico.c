/*
 * bench_pico.c - the pico engine by its library: events and queries a second with durable commits,
 * at one open request and at 64; how long picos take to be made, what they cost in memory and on
 * disk, how long the start and a cold pico take, export and import. The official engine's figures
 * (pico-engine 1.4.0, two cores, without any fsync, by HTTP) stand beside.
 *
 *     bench_pico [PICOS]        10,000 without it
 */
#include "pico/engine.h"
#include "pico/export.h"
#include "store/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { OPEN_MAX = 64, PICOS_DEFAULT = 10000, COUNTERS = 1000, NEW_AT_ONCE = 200 };

#define RUN_US (2 * US_PER_SECOND)

static const char ruleset[] =
    "ruleset bench { meta { shares n }\n"
    "  global { n = function() { ent:n.defaultsTo(0) } }\n"
    "  rule add { select when bench add always { ent:n := ent:n.defaultsTo(0) + 1 } }\n"
    "  rule say { select when bench say send_directive(\"say\", {\"something\": \"Hello World\"}) "
    "} }";

struct bench {
    struct fixture f;
    struct pico_engine *e;
    struct arena arena;
    struct str *ids;
    size_t ids_n;
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
    c->r.eci = c->b->ids[(c->at >> 33) % min_size(COUNTERS, c->b->ids_n)];
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
    for (size_t i = 0; i < open; i++) {
        worst = max_i64(worst, callers[i].worst_us);
        arena_fini(&callers[i].arena);
    }
    sem_destroy(&over);
    printf("pico: %s, %zu open: %lld a second, slowest %lld us\n", what, open,
           (long long)((int64_t)count * US_PER_SECOND / us), (long long)worst);
}

/* --- making picos --- */

struct birth {
    struct bench *b;
    struct pico_request r;
    struct arena arena;
    sem_t *done;
    atomic_size_t *left;
};

static void bear(struct birth *n);

static void born(struct pico_request *r)
{
    struct birth *n = CONTAINER_OF(r, struct birth, r);
    ASSERT(r->rc == RC_OK);
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    n->b->ids[n->b->ids_n++] = arena_str(&n->b->arena, str_sub(r->reply, 7, 32));
    pthread_mutex_unlock(&lock);
    bear(n);
}

static void bear(struct birth *n)
{
    size_t left = atomic_load(n->left);
    while (left > 0 && !atomic_compare_exchange_weak(n->left, &left, left - 1))
        continue;
    if (left == 0) {
        (void)sem_post(n->done);
        return;
    }
    arena_reset(&n->arena);
    n->r = (struct pico_request){
        .ask = PICO_NEW,
        .eci = pico_root(n->b->e),
        .attrs = STR("{\"rulesets\":[{\"url\":\"file:///bench.krl\"}]}"),
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

static void make_picos(struct bench *b, size_t n)
{
    static struct birth births[NEW_AT_ONCE];
    atomic_size_t left = n;
    sem_t over;
    sem_init(&over, 0, 0);
    b->ids = arena_alloc_n(&b->arena, n + 1, sizeof *b->ids);
    time_us from = clock_steady(clock_system());
    for (size_t i = 0; i < NEW_AT_ONCE; i++) {
        births[i] = (struct birth){.b = b, .done = &over, .left = &left};
        arena_init(&births[i].arena, 1024 * 1024);
        bear(&births[i]);
    }
    for (size_t i = 0; i < NEW_AT_ONCE; i++) {
        while (sem_wait(&over) != 0)
            continue;
        arena_fini(&births[i].arena);
    }
    time_us us = clock_steady(clock_system()) - from;
    sem_destroy(&over);
    printf("pico: %zu made: %lld a second, %lld MiB resident\n", n,
           (long long)((int64_t)n * US_PER_SECOND / us), (long long)(resident_kib() / 1024));
}

/* --- export and import --- */

static enum rc keep(void *arg, struct str bytes, struct err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return RC_OK;
}

static void measure_export(struct bench *b)
{
    struct bench other = {.e = NULL};
    struct buf file;
    struct str said;
    buf_init(&file, &b->arena, 512 * 1024 * 1024);
    time_us from = clock_steady(clock_system());
    enum rc rc = pico_export(b->e, pico_root(b->e), keep, &file, &b->f.err);
    ASSERT(rc == RC_OK);
    time_us us = clock_steady(clock_system()) - from;
    printf("pico: export: %lld picos a second, %lld bytes each\n",
           (long long)((int64_t)b->ids_n * US_PER_SECOND / us),
           (long long)(buf_str(&file).n / b->ids_n));
    fixture_open(&other.f);
    open_engine(&other);
    from = clock_steady(clock_system());
    rc = pico_import(other.e, pico_root(other.e), buf_str(&file), NULL, &b->arena, &said,
                     &other.f.err);
    if (rc != RC_OK)
        fprintf(stderr, "%s\n", other.f.err.text);
    ASSERT(rc == RC_OK);
    us = clock_steady(clock_system()) - from;
    printf("pico: import: %lld picos a second\n",
           (long long)((int64_t)b->ids_n * US_PER_SECOND / us));
    pico_engine_close(other.e);
    fixture_close(&other.f);
}

static void measure_start(struct bench *b)
{
    pico_engine_close(b->e);
    store_close(b->f.store);
    printf("pico: on disk: %lld bytes a pico\n", (long long)(disk_bytes(b) / (int64_t)b->ids_n));
    fixture_open_with(&b->f, (struct store_options){0});
    time_us from = clock_steady(clock_system());
    open_engine(b);
    printf("pico: start: %lld us\n", (long long)(clock_steady(clock_system()) - from));
    struct caller c = {.b = b};
    atomic_uint_fast64_t count = 0;
    sem_t over;
    sem_init(&over, 0, 0);
    c.done = &over;
    c.count = &count;
    c.r = (struct pico_request){.ask = PICO_EVENT_WAIT, .domain = STR("bench"), .name = STR("add")};
    arena_init(&c.arena, 1024 * 1024);
    next(&c);
    while (sem_wait(&over) != 0)
        continue;
    printf("pico: first event of a cold pico: %lld us\n", (long long)c.worst_us);
    arena_fini(&c.arena);
    sem_destroy(&over);
}

int main(int argc, char **argv)
{
    static struct bench b;
    size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : PICOS_DEFAULT;
    const struct pico_request add = {
        .ask = PICO_EVENT_WAIT, .domain = STR("bench"), .name = STR("add")};
    const struct pico_request say = {
        .ask = PICO_EVENT_WAIT, .domain = STR("bench"), .name = STR("say")};
    const struct pico_request query = {.ask = PICO_QUERY, .rid = STR("bench"), .query = STR("n")};
    fixture_open(&b.f);
    arena_init(&b.arena, (size_t)8 * 1024 * 1024 * 1024);
    open_engine(&b);
    flush(&b);
    make_picos(&b, n);
    printf("pico: official: queries 500 and 2000 a second at 1 and 64; directives 300 and 950; "
           "counters 300 and 600\n");
    measure(&b, "counter events", add, 1);
    measure(&b, "counter events", add, OPEN_MAX);
    measure(&b, "directive events", say, 1);
    measure(&b, "directive events", say, OPEN_MAX);
    measure(&b, "queries", query, 1);
    measure(&b, "queries", query, OPEN_MAX);
    measure_start(&b);
    measure_export(&b);
    pico_engine_close(b.e);
    arena_fini(&b.arena);
    fixture_close(&b.f);
    return 0;
}
