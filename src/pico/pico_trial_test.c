/*
 * Events of which the engine dies (SIGKILL, in a process of its own, in the midst of the event).
 */
#include "pico/engine_fixture.h"
#include "pico/trial.h"

#include <signal.h>
#include <sys/wait.h>

enum { LIVES_MAX = 40, KILLS = 20 };

static const char deadly[] =
    "ruleset deadly { meta { shares state, logs }\n"
    "  global { logs = function() { ctx:logs().encode() }\n"
    "    state = function() { [ent:died.defaultsTo(0), ent:added.defaultsTo(0)] } }\n"
    "  rule tell { select when deadly tell foreach event:attr(\"to\") setting(to) every {\n"
    "    event:send({\"eci\": to, \"domain\": \"deadly\", \"name\": \"die\", \"attrs\": {\"a\": "
    "1}})\n"
    "    event:send({\"eci\": to, \"domain\": \"deadly\", \"name\": \"add\", \"attrs\": {}}) } }\n"
    "  rule plan { select when deadly plan always {\n"
    "    schedule deadly event \"die\" at time:now()\n"
    "    schedule deadly event \"add\" at time:now() } }\n"
    "  rule die { select when deadly die pre { x = http:get(\"http://example.com/\") }\n"
    "    always { ent:died := ent:died.defaultsTo(0) + 1 } }\n"
    "  rule add { select when deadly add always { ent:added := ent:added.defaultsTo(0) + 1 } }\n"
    "}";

struct deadly {
    struct world w;
    struct wire_sim wire;
    struct str root;
};

static enum rc die(void *arg, const struct wire_request *r, struct arena *arena,
                   struct wire_reply *ret, struct err *err)
{
    (void)arg;
    (void)r;
    (void)arena;
    (void)ret;
    (void)err;
    (void)kill(getpid(), SIGKILL);
    _exit(9);
}

static enum rc live(void *arg, const struct wire_request *r, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    (void)arg;
    (void)r;
    (void)arena;
    (void)err;
    *ret = (struct wire_reply){.status = 200};
    return RC_OK;
}

static void deadly_start(struct deadly *d)
{
    *d = (struct deadly){.wire = {.lose_ppm = 0}};
    world_start(&d->w);
    wire_sim_init(&d->wire, &d->w.sim);
    d->wire.fn = live;
    d->w.o.wire = &d->wire.wire;
    world_restart(&d->w);
    d->root = arena_str(&d->w.arena, pico_root(d->w.e));
    world_install(&d->w, d->root, "deadly", deadly);
}

/* A process with an engine that does one thing and all that waits, or is killed once it began it.
 * How it ended, as waitpid says it. */
static int child(struct deadly *d, struct str eci, const char *name, const char *attrs, bool killed)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        d->wire.fn = die;
        world_open_store(&d->w);
        world_open(&d->w);
        world_run(&d->w);
        if (name != NULL)
            (void)world_event(&d->w, eci, "deadly", name, attrs); /* it may not live to answer */
        if (killed)
            (void)kill(getpid(), SIGKILL);
        world_advance(&d->w, PICO_CALM_MAX_US);
        pico_engine_close(d->w.e);
        store_close(d->w.f.store);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* True: it lived to its end. */
static bool live_once(struct deadly *d, struct str eci, const char *name, const char *attrs)
{
    int status = child(d, eci, name, attrs, false);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    clock_sim_advance(&d->w.sim, US_PER_SECOND);
    return !WIFSIGNALED(status);
}

/* Until an engine lives; how many died before. */
static int lives(struct deadly *d, struct str eci, const char *name, const char *attrs)
{
    int deaths = 0;
    pico_engine_close(d->w.e);
    store_close(d->w.f.store);
    while (!live_once(d, eci, deaths == 0 ? name : NULL, attrs)) {
        deaths++;
        ck_assert_int_lt(deaths, LIVES_MAX);
    }
    world_open_store(&d->w);
    world_open(&d->w);
    world_run(&d->w);
    return deaths;
}

/* Engines that are killed soon after their start, whatever they do; the first one in the event. */
static void killed_soon(struct deadly *d, struct str eci, const char *name, const char *attrs)
{
    pico_engine_close(d->w.e);
    store_close(d->w.f.store);
    for (int i = 0; i < KILLS; i++)
        ck_assert(WIFSIGNALED(child(d, eci, i == 0 ? name : NULL, attrs, true)));
    world_open_store(&d->w);
    world_open(&d->w);
    world_run(&d->w);
    world_advance(&d->w, PICO_CALM_MAX_US);
}

struct aside {
    struct str id;
    struct buf b;
};

static enum rc tx_asides(struct tx *tx, void *arg)
{
    struct aside *a = arg;
    struct json_writer w;
    buf_reset(&a->b);
    json_writer_init(&w, &a->b);
    return pico_aside_list(tx, a->id, &w);
}

static struct str asides(struct deadly *d, struct str id)
{
    struct aside a = {.id = id};
    buf_init(&a.b, &d->w.arena, 64 * 1024);
    ck_assert_int_eq(store_read(d->w.f.store, &d->w.arena, &d->w.f.err, tx_asides, &a), RC_OK);
    return buf_str(&a.b);
}

static int64_t first_number(struct str list)
{
    size_t at = 0;
    while (!str_starts(str_sub(list, at, list.n), STR("\"no\":")))
        ck_assert_uint_lt(++at, list.n);
    return strtoll(list.p + at + 5, NULL, 10);
}

/* A child; ret_eci: its channel for the root. */
static struct str new_deadly(struct deadly *d, struct str *ret_eci)
{
    static const char between[] = "\",\"eci\":\"";
    struct pico_request r = world_ask(
        &d->w,
        (struct pico_request){.ask = PICO_NEW,
                              .eci = d->root,
                              .attrs = STR("{\"rulesets\":[{\"url\":\"file:///deadly.krl\"}]}"),
                              .inside = true});
    ck_assert_int_eq(r.rc, RC_OK);
    *ret_eci = str_sub(r.reply, 7 + 25 + sizeof between - 1, 7 + 25 + sizeof between - 1 + 25);
    return str_sub(r.reply, 7, 7 + 25);
}

START_TEST(an_event_of_which_the_engine_dies_is_set_aside_and_the_queue_goes_on)
{
    struct deadly d;
    deadly_start(&d);
    struct str eci;
    struct str pico = new_deadly(&d, &eci);
    struct str to = arena_fmt(&d.w.arena, "{\"to\":[\"%.*s\"]}", STRF(eci));
    ck_assert_int_eq(lives(&d, d.root, "tell", arena_cstr(&d.w.arena, to)), PICO_TRIES_MAX + 1);
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[0,1]");
    struct str list = asides(&d, pico);
    ck_assert(str_has(list, STR("\"name\":\"die\"")));
    ck_assert(!str_has(list, STR("\"name\":\"add\"")));
    ck_assert(str_has(world_query(&d.w, pico, "deadly", "logs", ""), STR("it is set aside")));
    ck_assert_int_eq(pico_aside_again(d.w.e, pico, first_number(list), &d.w.f.err), RC_OK);
    world_run(&d.w);
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[1,1]");
    CHECK_TEXT(asides(&d, pico), "{\"items\":[]}");
    ck_assert_int_eq(pico_aside_again(d.w.e, pico, first_number(list), &d.w.f.err), RC_NOT_FOUND);
    world_stop(&d.w);
}
END_TEST

START_TEST(what_is_set_aside_can_be_forgotten)
{
    struct deadly d;
    deadly_start(&d);
    struct str eci;
    struct str pico = new_deadly(&d, &eci);
    struct str to = arena_fmt(&d.w.arena, "{\"to\":[\"%.*s\"]}", STRF(eci));
    (void)lives(&d, d.root, "tell", arena_cstr(&d.w.arena, to));
    ck_assert_int_eq(pico_aside_drop(d.w.e, pico, first_number(asides(&d, pico)), &d.w.f.err),
                     RC_OK);
    world_run(&d.w);
    CHECK_TEXT(asides(&d, pico), "{\"items\":[]}");
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[0,1]");
    world_stop(&d.w);
}
END_TEST

START_TEST(a_schedule_of_which_the_engine_dies_is_set_aside)
{
    struct deadly d;
    deadly_start(&d);
    struct str eci;
    struct str pico = new_deadly(&d, &eci);
    ck_assert_int_eq(lives(&d, pico, "plan", ""), PICO_TRIES_MAX + 1);
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[0,1]");
    ck_assert(str_has(asides(&d, pico), STR("\"name\":\"die\"")));
    world_stop(&d.w);
}
END_TEST

START_TEST(kills_from_outside_set_nothing_aside)
{
    struct deadly d;
    deadly_start(&d);
    struct str eci;
    struct str pico = new_deadly(&d, &eci);
    struct str to = arena_fmt(&d.w.arena, "{\"to\":[\"%.*s\"]}", STRF(eci));
    killed_soon(&d, d.root, "tell", arena_cstr(&d.w.arena, to));
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[1,1]");
    killed_soon(&d, pico, "plan", "");
    CHECK_TEXT(world_query(&d.w, pico, "deadly", "state", ""), "[2,2]");
    CHECK_TEXT(asides(&d, pico), "{\"items\":[]}");
    world_stop(&d.w);
}
END_TEST

START_TEST(each_death_is_the_fault_of_one)
{
    struct deadly d;
    struct str picos[3];
    struct str ecis[3];
    deadly_start(&d);
    for (size_t i = 0; i < COUNT(picos); i++)
        picos[i] = new_deadly(&d, &ecis[i]);
    struct str to = arena_fmt(&d.w.arena, "{\"to\":[\"%.*s\",\"%.*s\",\"%.*s\"]}", STRF(ecis[0]),
                              STRF(ecis[1]), STRF(ecis[2]));
    int deaths = lives(&d, d.root, "tell", arena_cstr(&d.w.arena, to));
    ck_assert_int_ge(deaths, PICO_TRIES_MAX + 1);
    ck_assert_int_le(deaths, 3 * PICO_TRIES_MAX + 1);
    for (size_t i = 0; i < COUNT(picos); i++) {
        CHECK_TEXT(world_query(&d.w, picos[i], "deadly", "state", ""), "[0,1]");
        ck_assert(!str_has(asides(&d, picos[i]), STR("\"name\":\"add\"")));
    }
    world_stop(&d.w);
}
END_TEST

Suite *pico_trial_suite(void);
Suite *pico_trial_suite(void)
{
    Suite *s = suite_create("pico_trial");
    TCase *t = tcase_create("pico_trial");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, an_event_of_which_the_engine_dies_is_set_aside_and_the_queue_goes_on);
    tcase_add_test(t, what_is_set_aside_can_be_forgotten);
    tcase_add_test(t, a_schedule_of_which_the_engine_dies_is_set_aside);
    tcase_add_test(t, kills_from_outside_set_nothing_aside);
    tcase_add_test(t, each_death_is_the_fault_of_one);
    suite_add_tcase(s, t);
    return s;
}
