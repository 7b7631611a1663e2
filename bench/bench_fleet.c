/*
 * bench_fleet.c - the fleet at the size that is promised; each line says what is wanted.
 *
 *  - placement: decisions over 10,000 nodes at 100 sites, each counted as taken;
 *  - reports: what hansed does for a heartbeat (signature, JSON, the node's row, one commit for
 *    many) with 100,000 nodes in the store, in time of the processors; 100,000 nodes at one a
 *    minute are 1,667 a second;
 *  - agent: memory and time with 50 services that run, and how long after something new is wanted
 *    the driver is asked for it. Its driver is the simulated one.
 */
#include <check.h>
/* The fixtures of the tests, without a test around them. */
#undef ck_assert_msg
#undef ck_assert_int_eq
#define ck_assert_msg(fact, ...) ASSERT(fact)
#define ck_assert_int_eq(a, b)   ASSERT((a) == (b))

#include "fleet/fleet_fixture.h"
#include "fleet/placement.h"
#include "node/agent.h"
#include "node/driver_sim.h"
#include "profile/signature.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

enum {
    SITES = 100,
    PLACE_NODES = 10000,
    PLACE_DECISIONS = 20000,
    PLACE_WANTED = 10000,
    HEARD_NODES = 100000,
    HEARD_AT_ONCE = 500,
    HEARD_REPORTS = 20000,
    HEARD_WAVE = 100, /* reports that wait for one commit */
    HEARD_WANTED = 1667,
    AGENT_SERVICES = 50,
    AGENT_HOURS = 6,
    AGENT_LOOK_S = 5,
    AGENT_KIB_WANTED = 15 * 1024,
    LATENCY_ROUNDS = 200,
    LATENCY_MS_WANTED = 100,
    BODY_BYTES = 8 * 1024,
    JSON_BYTES = 1024 * 1024,
    KIB = 1024,
};

static double processor_seconds(void)
{
    struct timespec t;
    int failed = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    ASSERT(failed == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- placement --- */

static void bench_placement(void)
{
    struct arena keep, one;
    struct clock_sim chance;
    arena_init(&keep, STORE_TX_ARENA_BYTES);
    arena_init(&one, STORE_TX_ARENA_BYTES);
    clock_sim_init(&chance, 0, 1);
    struct placement_node *nodes = NEW_N(&keep, struct placement_node, PLACE_NODES);
    for (size_t i = 0; i < PLACE_NODES; i++)
        nodes[i] = (struct placement_node){
            .id = arena_fmt(&keep, "nod_%zu", i),
            .site = arena_fmt(&keep, "sit_%zu", i / (PLACE_NODES / SITES)),
            .country = i % 2 == 0 ? STR("FR") : STR("DE"),
            .city = STR("City"),
            .features = STR("container vm:kvm vm"),
            .cpu_free = 64000,
            .memory_free = (int64_t)(128 + clock_sim_below(&chance, 128)) * FLEET_GIB,
            .disk_free = 4000 * FLEET_GIB};
    struct placement *p = placement_new(nodes, PLACE_NODES, &keep);
    double began = processor_seconds();
    for (int i = 0; i < PLACE_DECISIONS; i++) {
        struct err err;
        size_t at = 0;
        struct placement_wish w = {.cpu_milli = 500,
                                   .memory_bytes =
                                       (int64_t)(1 + clock_sim_below(&chance, 8)) * FLEET_GIB,
                                   .disk_bytes = 10 * FLEET_GIB,
                                   .feature = STR("container"),
                                   .spread = i % 2 == 0,
                                   .price_class_max = -1};
        if (i % 4 == 0)
            w.country = STR("FR");
        err_clear(&err);
        enum rc rc = placement_choose(p, &w, &one, &at, &err);
        ASSERT(rc == RC_OK);
        placement_take(p, at, &w);
        arena_reset(&one);
    }
    printf("placement over %d nodes: %.0f decisions a second, wanted %d\n", PLACE_NODES,
           PLACE_DECISIONS / (processor_seconds() - began), PLACE_WANTED);
    arena_fini(&one);
    arena_fini(&keep);
}

/* --- reports --- */

struct heard {
    struct world world;
    struct shop shop;
    struct arena keep;
    struct str *nodes;
    size_t made;
    struct str *sites;
};

static enum rc make_sites(struct tx *tx, void *arg)
{
    struct heard *h = arg;
    h->shop = make_shop(tx);
    for (size_t i = 0; i < SITES; i++)
        h->sites[i] = arena_str(&h->keep, make_site(tx, h->shop.other, "FR"));
    return RC_OK;
}

static enum rc make_nodes(struct tx *tx, void *arg)
{
    struct heard *h = arg;
    char key[2 * SIGNATURE_PUBLIC_BYTES];
    memset(key, 'a', sizeof key);
    for (size_t i = h->made; i < h->made + HEARD_AT_ONCE; i++) {
        struct node n;
        struct node fresh = {.name = STR("node")};
        struct node_enrolled enrolled;
        OK(tx, node_create(tx, h->sites[i % SITES], &fresh, &n));
        struct node_enrolment e = {.token = n.token, .key = str_n(key, sizeof key)};
        OK(tx, node_enrol(tx, &e, &enrolled));
        h->nodes[i] = arena_str(&h->keep, n.id);
    }
    return RC_OK;
}

static struct str report_text(const struct heard *h UNUSED, time_us order, struct arena *arena)
{
    struct buf b;
    struct json_writer w;
    static struct str features[] = {STR_INIT("container"), STR_INIT("cgroup:2"), STR_INIT("nft"),
                                    STR_INIT("vm:kvm")};
    struct node_report r = {.set = schema_all(&node_report_schema),
                            .order = order,
                            .booted = WORLD_START,
                            .cpu_milli = 64000,
                            .memory_bytes = 256 * FLEET_GIB,
                            .disk_bytes = 4000 * FLEET_GIB,
                            .features = {features, COUNT(features)},
                            .agent = STR("0.1.0"),
                            .hostname = STR("node.example.net"),
                            .address = STR("192.0.2.1")};
    buf_init(&b, arena, BODY_BYTES);
    json_writer_init(&w, &b);
    schema_encode(&node_report_schema, &r, &w);
    return buf_str(&b);
}

/* One call on its way. */
struct hearing {
    struct store_job job;
    struct heard *heard;
    struct arena arena;
    struct err err;
    struct str node, body, signature;
    struct node_report report;
    struct report_answer answer;
    struct node_key key;
    atomic_bool done;
    enum rc rc;
};

static enum rc key_in(struct tx *tx, void *arg)
{
    struct hearing *x = arg;
    return node_key(tx, x->node, &x->key);
}

static enum rc report_in(struct tx *tx, void *arg)
{
    struct hearing *x = arg;
    return service_report(tx, &x->heard->shop.seal, x->node, &x->report, &x->answer);
}

static void report_done(struct store_job *job, enum rc rc)
{
    struct hearing *x = CONTAINER_OF(job, struct hearing, job);
    x->rc = rc;
    atomic_store(&x->done, true);
}

/* What api/ does with it: the key, the signature, the body, the unit of work. */
static void hear(struct hearing *x, const uint8_t open[SIGNATURE_PUBLIC_BYTES])
{
    const struct json *json = NULL;
    struct store *store = x->heard->world.fixture.store;
    time_us now = clock_now(&x->heard->world.clock.clock);
    struct signature_request r = {STR("POST"), STR("/v1/node/reports"), x->node, now, x->body};
    enum rc rc = store_read(store, &x->arena, &x->err, key_in, x);
    ASSERT(rc == RC_OK);
    rc = signature_check(&r, x->signature, open, now, &x->arena, &x->err);
    ASSERT(rc == RC_OK);
    rc = json_parse(x->body, &x->arena, &json, &x->err);
    ASSERT(rc == RC_OK);
    rc = schema_decode(&node_report_schema, SCHEMA_WHOLE, json, &x->arena, &x->report, &x->err);
    ASSERT(rc == RC_OK);
    x->job = (struct store_job){
        .fn = report_in, .arg = x, .arena = &x->arena, .err = &x->err, .done = report_done};
    store_submit(store, &x->job);
}

static double hear_wave(struct heard *h, struct hearing *all, size_t first)
{
    uint8_t open[SIGNATURE_PUBLIC_BYTES], secret[SIGNATURE_SECRET_BYTES];
    time_us now = clock_now(&h->world.clock.clock);
    signature_pair(open, secret);
    for (size_t i = 0; i < HEARD_WAVE; i++) {
        struct hearing *x = &all[i];
        arena_reset(&x->arena);
        err_clear(&x->err);
        x->heard = h;
        x->node = h->nodes[(first + i * 997) % HEARD_NODES];
        x->body = report_text(h, now, &x->arena);
        struct signature_request r = {STR("POST"), STR("/v1/node/reports"), x->node, now, x->body};
        x->signature = signature_make(&r, secret, &x->arena);
        atomic_store(&x->done, false);
    }
    double began = processor_seconds();
    for (size_t i = 0; i < HEARD_WAVE; i++)
        hear(&all[i], open);
    for (size_t i = 0; i < HEARD_WAVE; i++) {
        while (!atomic_load(&all[i].done))
            (void)usleep(100);
        ASSERT(all[i].rc == RC_OK);
    }
    return processor_seconds() - began;
}

static void bench_reports(void)
{
    enum { KEEP_BYTES = 64 * 1024 * 1024 };
    struct heard *h = calloc(1, sizeof *h);
    struct hearing *all = calloc(HEARD_WAVE, sizeof *all);
    double spent = 0;
    ASSERT(h != NULL && all != NULL);
    arena_init(&h->keep, KEEP_BYTES);
    h->sites = NEW_N(&h->keep, struct str, SITES);
    h->nodes = NEW_N(&h->keep, struct str, HEARD_NODES);
    world_open(&h->world);
    world_write(&h->world, make_sites, h, RC_OK);
    for (h->made = 0; h->made < HEARD_NODES; h->made += HEARD_AT_ONCE) {
        arena_reset(&h->world.fixture.arena);
        world_write(&h->world, make_nodes, h, RC_OK);
    }
    for (size_t i = 0; i < HEARD_WAVE; i++)
        arena_init(&all[i].arena, STORE_TX_ARENA_BYTES);
    for (size_t first = 0; first < HEARD_REPORTS; first += HEARD_WAVE) {
        clock_sim_advance(&h->world.clock, US_PER_SECOND);
        spent += hear_wave(h, all, first);
    }
    printf("reports of %d nodes: %.0f a second of one processor, wanted %d\n", HEARD_NODES,
           HEARD_REPORTS / spent, HEARD_WANTED);
    for (size_t i = 0; i < HEARD_WAVE; i++)
        arena_fini(&all[i].arena);
    world_close(&h->world);
    arena_fini(&h->keep);
    free(all);
    free(h);
}

/* --- the agent --- */

static int64_t resident_kib(void)
{
    long long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    ASSERT(f != NULL);
    int n = fscanf(f, "%lld %lld", &pages, &resident); // NOLINT(cert-err34-c): the kernel's own
    (void)fclose(f);
    ASSERT(n == 2);
    return resident * sysconf(_SC_PAGESIZE) / KIB;
}

static struct str wanted_text(int revision, int services, struct arena *arena)
{
    struct buf b;
    buf_init(&b, arena, JSON_BYTES);
    buf_fmt(&b, "{\"revision\":%d,\"services\":[", revision);
    for (int i = 0; i < services; i++)
        buf_fmt(&b,
                "%s{\"id\":\"svc_01jd8v3q7w4k2m9x6c5b1n%04d\",\"generation\":%d,"
                "\"state\":\"running\",\"runtime\":\"container\",\"profile\":\"postgresql\","
                "\"subscription\":\"sub_01jd8v3q7w4k2m9x6c5b1n%04d\",\"cpu_milli\":500,"
                "\"memory_bytes\":268435456,\"disk_bytes\":1073741824,\"ports\":[{\"name\":\"p\","
                "\"port\":5432,\"published\":true,\"protocol\":\"tcp\"}],\"processes\":[{\"name\":"
                "\"server\",\"command\":[\"/usr/bin/server\",\"--port\",\"5432\"]}],\"files\":[{"
                "\"path\":\"/etc/server.conf\",\"content\":\"a = 1\\nb = 2\\n\",\"mode\":384}]}",
                i > 0 ? "," : "", i, revision, i);
    buf_add(&b, STR("]}"));
    ASSERT(!b.full);
    return buf_str(&b);
}

static void bench_agent(void)
{
    struct clock_sim clock;
    struct driver_sim *sim = calloc(1, sizeof *sim);
    struct arena arena;
    struct err err;
    struct spool *spool = NULL;
    ASSERT(sim != NULL);
    int64_t before = resident_kib();
    clock_sim_init(&clock, WORLD_START, 1);
    driver_sim_init(sim, &clock);
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    err_clear(&err);
    enum rc rc = spool_open(":memory:", &spool, &err);
    ASSERT(rc == RC_OK);
    struct agent *a = agent_open(
        &(struct agent_options){.driver = &sim->driver, .clock = &clock.clock, .spool = spool});
    rc = agent_want(a, wanted_text(1, AGENT_SERVICES, &arena), &err);
    ASSERT(rc == RC_OK);
    double began = processor_seconds();
    for (int s = 0; s < AGENT_HOURS * 3600; s += AGENT_LOOK_S) {
        struct list seen;
        (void)agent_turn(a); /* what it began is seen by rest */
        clock_sim_advance(&clock, AGENT_LOOK_S * US_PER_SECOND);
        if (s % (6 * AGENT_LOOK_S) == 0) {
            arena_reset(&arena);
            agent_sightings(a, &arena, &seen);
        }
    }
    double spent = processor_seconds() - began;
    ASSERT(agent_at_rest(a));
    printf("agent with %d services: %lld KiB resident more than before, wanted %d in all\n",
           AGENT_SERVICES, (long long)(resident_kib() - before), AGENT_KIB_WANTED);
    printf("agent with %d services: %.3f %% of a processor beside its driver, wanted 1\n",
           AGENT_SERVICES, 100.0 * spent / (AGENT_HOURS * 3600));
    agent_close(a);
    spool_close(spool);
    arena_fini(&arena);
    free(sim);
}

/* --- from wanted to done --- */

static void bench_latency(void)
{
    struct clock_sim clock;
    struct driver_sim *sim = calloc(1, sizeof *sim);
    struct arena arena;
    struct err err;
    time_us worst = 0;
    ASSERT(sim != NULL);
    clock_sim_init(&clock, WORLD_START, 1);
    driver_sim_init(sim, &clock);
    arena_init(&arena, STORE_TX_ARENA_BYTES);
    err_clear(&err);
    struct agent *a =
        agent_open(&(struct agent_options){.driver = &sim->driver, .clock = &clock.clock});
    for (int i = 1; i <= LATENCY_ROUNDS; i++) {
        arena_reset(&arena);
        struct str text = wanted_text(i, AGENT_SERVICES, &arena);
        time_us began = clock_steady(clock_system());
        enum rc rc = agent_want(a, text, &err);
        ASSERT(rc == RC_OK);
        agent_wait(a, -1, AGENT_LOOK_S * US_PER_SECOND);
        size_t begun = agent_turn(a);
        ASSERT(begun > 0);
        worst = max_i64(worst, clock_steady(clock_system()) - began);
        while (!agent_at_rest(a)) {
            agent_wait(a, -1, US_PER_SECOND);
            (void)agent_turn(a); /* until it rests */
        }
    }
    printf("agent with %d services: a new list is acted on after %.1f ms at worst, wanted %d\n",
           AGENT_SERVICES, (double)worst / (double)US_PER_MS, LATENCY_MS_WANTED);
    agent_close(a);
    arena_fini(&arena);
    free(sim);
}

int main(void)
{
    bench_agent(); /* first: its memory is seen in a small process */
    bench_latency();
    bench_placement();
    bench_reports();
    return EXIT_SUCCESS;
}
