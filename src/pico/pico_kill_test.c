/*
 * The engine is killed (kill -9) again and again while a thousand picos count events, tell one
 * another and plan events for later. In the end every event that was acknowledged is counted, none
 * twice, all that was told has arrived, and all that was planned has come. Of every eight lives,
 * four end soon after their start.
 *
 * HANSE_KILLS: how often; 20 without it.
 */
#include "pico/engine_fixture.h"
#include "pico/trial.h"

#include <signal.h>
#include <sys/wait.h>

enum { PICOS = 1000, KILLS = 20, OPEN_REQUESTS = 64, ACKS_MAX = 400, ACKS_FEW = 12 };

static const char ring[] =
    "ruleset ring { meta { shares state }\n"
    "  global { state = function() { {\"seen\": ent:seen.defaultsTo({}).values(),\n"
    "    \"keys\": ent:seen.defaultsTo({}).keys(), \"got\": ent:got.defaultsTo(0),\n"
    "    \"planned\": ent:planned.defaultsTo(0), \"came\": ent:came.defaultsTo(0)} } }\n"
    "  rule open { select when ring open\n"
    "    ctx:newChannel([\"ring\"]) setting(c)\n"
    "    always { ent:eci := c{\"id\"}  raise ring event \"tell\" attributes c } }\n"
    "  rule tell { select when ring tell send_directive(\"open\", {\"eci\": event:attr(\"id\")}) "
    "}\n"
    "  rule join { select when ring join always { ent:next := event:attr(\"next\") } }\n"
    "  rule hit { select when ring hit\n"
    "    pre { n = event:attr(\"n\") }\n"
    "    event:send({\"eci\": ent:next, \"domain\": \"ring\", \"name\": \"got\", \"attrs\": {}})\n"
    "    always { ent:seen{n} := ent:seen{n}.defaultsTo(0) + 1\n"
    "             schedule ring event \"came\" at time:now() if n % 10 == 0\n"
    "             ent:planned := ent:planned.defaultsTo(0) + 1 if n % 10 == 0 } }\n"
    "  rule got { select when ring got always { ent:got := ent:got.defaultsTo(0) + 1 } }\n"
    "  rule came { select when ring came always { ent:came := ent:came.defaultsTo(0) + 1 } }\n"
    "}";

struct hit {
    int64_t pico;
    int64_t n;
};

struct victim {
    struct pico_engine *e;
    struct str *ecis;
    int pipe;
    atomic_int_fast64_t next;
};

struct shot {
    struct pico_request r;
    struct arena arena;
    struct victim *v;
    struct hit hit;
    char attrs[64];
};

static void shoot(struct shot *s);

static void shot_done(struct pico_request *r)
{
    struct shot *s = CONTAINER_OF(r, struct shot, r);
    if (r->rc == RC_OK && write(s->v->pipe, &s->hit, sizeof s->hit) != sizeof s->hit)
        _exit(1);
    shoot(s);
}

static void shoot(struct shot *s)
{
    int64_t n = atomic_fetch_add(&s->v->next, 1);
    arena_reset(&s->arena);
    s->hit = (struct hit){.pico = n * 7919 % PICOS, .n = n};
    (void)snprintf(s->attrs, sizeof s->attrs, "{\"n\":%lld}", (long long)n);
    s->r = (struct pico_request){.ask = n % 3 == 0 ? PICO_EVENT : PICO_EVENT_WAIT,
                                 .eci = s->v->ecis[s->hit.pico],
                                 .domain = STR("ring"),
                                 .name = STR("hit"),
                                 .attrs = str_c(s->attrs),
                                 .arena = &s->arena,
                                 .done = shot_done};
    pico_submit(s->v->e, &s->r);
}

/* In a process of its own, until it is killed. */
static void run_victim(const char *url, struct str *ecis, int pipe, int64_t first)
{
    static struct shot shots[OPEN_REQUESTS];
    struct victim v = {.ecis = ecis, .pipe = pipe, .next = first};
    struct store *store = NULL;
    struct err err;
    if (store_open(
            &store,
            &(struct store_options){.url = str_c(url), .clock = clock_system(), .sole = true},
            &err) != RC_OK)
        _exit(2);
    const struct pico_options o = {.store = store, .clock = clock_system(), .threads = 2};
    if (pico_engine_open(&v.e, &o, &err) != RC_OK)
        _exit(3);
    for (size_t i = 0; i < COUNT(shots); i++) {
        arena_init(&shots[i].arena, 64 * 1024 * 1024);
        shots[i].v = &v;
        shoot(&shots[i]);
    }
    for (;;)
        (void)pause();
}

/* Make the ring; the channels of its picos. */
static void make_ring(struct world *w, struct str *ecis)
{
    world_flush(w, "ring", ring);
    for (size_t i = 0; i < PICOS; i++) {
        struct str id =
            world_child(w, pico_root(w->e), "{\"rulesets\":[{\"url\":\"file:///ring.krl\"}]}");
        struct str said = world_event(w, id, "ring", "open", "");
        size_t at = 0;
        while (!str_starts(str_sub(said, at, said.n), STR("\"eci\":\"")))
            at++;
        ecis[i] = str_sub(said, at + 7, at + 7 + 25);
    }
    for (size_t i = 0; i < PICOS; i++) {
        struct str attrs = arena_fmt(&w->arena, "{\"next\":\"%.*s\"}", STRF(ecis[(i + 1) % PICOS]));
        (void)world_event(w, ecis[i], "ring", "join", arena_cstr(&w->arena, attrs));
    }
}

/* One life: up to some acknowledged events, then kill -9. Returns how many came. */
static size_t kill_once(const char *url, struct str *ecis, int64_t first, struct hit *ret,
                        size_t acks)
{
    int ends[2];
    size_t n = 0;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ends[0]);
        run_victim(url, ecis, ends[1], first);
    }
    close(ends[1]);
    while (n < acks && read(ends[0], &ret[n], sizeof *ret) == sizeof *ret)
        n++;
    kill(pid, SIGKILL);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "it ended with %d", status);
    while (n < ACKS_MAX * 4 && read(ends[0], &ret[n], sizeof *ret) == sizeof *ret)
        n++; /* what was on its way when it died */
    close(ends[0]);
    return n;
}

static int64_t number_behind(struct str json, const char *key)
{
    size_t at = 0;
    while (!str_starts(str_sub(json, at, json.n), str_c(key)))
        ck_assert_uint_lt(++at, json.n);
    return strtoll(json.p + at + strlen(key), NULL, 10);
}

struct sums {
    int64_t counted, got, planned, came;
};

/* Every number that a pico has seen it has seen once. */
static void add_up(struct world *w, struct str eci, struct str *ret_keys, struct sums *sums)
{
    struct str said = world_query(w, eci, "ring", "state", "");
    struct str seen = str_sub(said, 9, str_find(said, ']', 9));
    for (size_t i = 0; i < seen.n; i++) {
        ck_assert(seen.p[i] == '1' || seen.p[i] == ',');
        sums->counted += seen.p[i] == '1';
    }
    *ret_keys = said;
    sums->got += number_behind(said, "\"got\":");
    sums->planned += number_behind(said, "\"planned\":");
    sums->came += number_behind(said, "\"came\":");
}

/* What waits in the store still, and what was set aside. */
struct left {
    int64_t events, schedules, asides;
};

static enum rc tx_left(struct tx *tx, void *arg)
{
    struct left *left = arg;
    struct rows r;
    TRY(sql_rows(tx, &r,
                 "SELECT (SELECT COUNT(*) FROM pico_event), (SELECT COUNT(*) FROM pico_schedule), "
                 "(SELECT COUNT(*) FROM pico_aside)"));
    *left = (struct left){row_int(&r, 0, 0), row_int(&r, 0, 1), row_int(&r, 0, 2)};
    return RC_OK;
}

START_TEST(what_was_acknowledged_is_counted_once_however_often_it_is_killed)
{
    static struct str ecis[PICOS];
    static struct str states[PICOS];
    struct world w;
    const char *wanted = getenv("HANSE_KILLS");
    size_t kills = wanted == NULL ? KILLS : (size_t)strtoul(wanted, NULL, 10);
    struct hit *hits = calloc(kills * ACKS_MAX * 4, sizeof *hits);
    size_t n = 0;
    world_start(&w);
    make_ring(&w, ecis);
    pico_engine_close(w.e);
    store_close(w.f.store);
    for (size_t i = 0; i < kills; i++)
        n += kill_once(w.f.url, ecis, (int64_t)i * 1000000 + 1, hits + n,
                       1 + clock_sim_below(&w.sim, i % 8 < 4 ? ACKS_FEW : ACKS_MAX));
    ck_assert_uint_gt(n, kills);
    clock_sim_advance(&w.sim, 10000 * US_PER_DAY); /* all that was planned is due */
    world_open_store(&w);
    world_open(&w);
    world_run(&w);
    world_advance(&w, PICO_CALM_MAX_US); /* what engines were killed at again and again */
    struct sums sums = {0};
    for (size_t i = 0; i < PICOS; i++)
        add_up(&w, ecis[i], &states[i], &sums);
    for (size_t i = 0; i < n; i++) {
        struct str key = arena_fmt(&w.arena, "\"%lld\"", (long long)hits[i].n);
        ck_assert_msg(str_has(states[hits[i].pico], key), "%.*s was acknowledged", STRF(key));
    }
    struct left left = {0};
    ck_assert_int_eq(store_read(w.f.store, &w.arena, &w.f.err, tx_left, &left), RC_OK);
    ck_assert_msg(left.events + left.schedules + left.asides == 0,
                  "%lld events and %lld schedules wait, %lld are set aside", (long long)left.events,
                  (long long)left.schedules, (long long)left.asides);
    ck_assert_int_ge(sums.counted, (int64_t)n);
    ck_assert_int_eq(sums.got, sums.counted);
    ck_assert_int_eq(sums.came, sums.planned);
    ck_assert_int_gt(sums.planned, 0);
    printf("%zu kills, %zu acknowledged, %lld counted, %lld told, %lld planned, seed %d\n", kills,
           n, (long long)sums.counted, (long long)sums.got, (long long)sums.came, 20261125);
    free(hits);
    world_stop(&w);
}
END_TEST

Suite *pico_kill_suite(void);
Suite *pico_kill_suite(void)
{
    Suite *s = suite_create("pico_kill");
    TCase *t = tcase_create("pico_kill");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, what_was_acknowledged_is_counted_once_however_often_it_is_killed);
    suite_add_tcase(s, t);
    return s;
}
