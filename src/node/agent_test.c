#include "node/agent.h"

#include "node/driver_sim.h"
#include "node/reconcile.h"

#include <check.h>

enum { TURNS = 40 };

static struct arena arena;
static struct err err;
static struct clock_sim sim_clock;
static struct driver_sim sim;
static struct agent *agent;
static const struct str id = STR_INIT("svc_01jd8v3q7w4k2m9x6c5b1n0h8z");

static void setup(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    err_clear(&err);
    clock_sim_init(&sim_clock, US_PER_DAY, 7);
    driver_sim_init(&sim, &sim_clock);
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &sim_clock.clock});
}

static void teardown(void)
{
    agent_close(agent);
    arena_fini(&arena);
}

static void want(const char *state, int generation, const char *more)
{
    struct str json = arena_fmt(&arena,
                                "{\"revision\":%d,\"services\":[{\"id\":\"%.*s\",\"generation\":%d,"
                                "\"state\":\"%s\",\"runtime\":\"container\"%s}]}",
                                generation, STRF(id), generation, state, more);
    ck_assert_int_eq(agent_want(agent, json, &err), RC_OK);
}

static void turn(void)
{
    for (int i = 0; i < TURNS; i++) {
        agent_turn(agent);
        clock_sim_advance(&sim_clock, US_PER_SECOND);
    }
}

static struct sighting seen(void)
{
    struct list all;
    agent_sightings(agent, &arena, &all);
    ck_assert_uint_eq(all.count, 1);
    return *(struct sighting *)all.items;
}

START_TEST(a_service_lives_and_goes)
{
    want("running", 1, "");
    turn();
    ck_assert(agent_at_rest(agent));
    ck_assert_int_eq(seen().state, SIGHTING_RUNNING);
    ck_assert_int_eq(seen().starts, 1);
    want("running", 2, ",\"restart\":1");
    turn();
    ck_assert_int_eq(seen().starts, 2);
    want("gone", 3, ",\"restart\":1");
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_GONE);
    ck_assert_ptr_null(driver_sim_find(&sim, id));
}
END_TEST

#define ENDS ",\"end\":[\"/bin/end\"]"

START_TEST(what_it_made_elsewhere_it_takes_away_first)
{
    want("running", 1, ENDS);
    turn();
    sim.says = "no way to the server";
    want("gone", 2, ENDS);
    for (int i = 0; i < 3; i++) {
        agent_turn(agent);
        clock_sim_advance(&sim_clock, US_PER_SECOND / 4);
    }
    ck_assert_int_eq(driver_sim_find(&sim, id)->state, OBSERVED_RUNNING); /* asked again */
    ck_assert(str_has(seen().reason, STR("no way to the server")));
    sim.says = NULL;
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_GONE);
    ck_assert_uint_eq(seen().reason.n, 0);
    ck_assert_ptr_null(driver_sim_find(&sim, id));
}
END_TEST

START_TEST(it_ends_though_it_cannot_and_that_is_told)
{
    want("running", 1, ENDS);
    turn();
    sim.says = "no way to the server";
    want("gone", 2, ENDS);
    turn();
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_GONE);
    ck_assert(str_has(seen().reason, STR("may be left")));
    ck_assert_ptr_null(driver_sim_find(&sim, id));
}
END_TEST

START_TEST(what_is_stopped_at_its_end_is_not_asked)
{
    want("running", 1, ENDS);
    turn();
    want("stopped", 2, ENDS);
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_STOPPED);
    ck_assert_uint_eq(seen().reason.n, 0); /* a stop is no end */
    want("gone", 3, ENDS);
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_GONE);
    ck_assert(str_has(seen().reason, STR("it did not run at its end")));
}
END_TEST

START_TEST(another_agent_goes_on_where_this_one_died)
{
    want("running", 1, "");
    turn();
    agent_close(agent);
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &sim_clock.clock});
    want("running", 1, "");
    turn();
    ck_assert_int_eq(seen().starts, 1);
    ck_assert(agent_at_rest(agent));
}
END_TEST

START_TEST(without_a_lease_a_failover_service_does_not_run)
{
    want("running", 1, ",\"lease_s\":60");
    turn();
    ck_assert_int_eq(seen().starts, 0);
    agent_lease(agent, clock_steady(&sim_clock.clock) + 100 * US_PER_SECOND);
    agent_turn(agent);
    agent_turn(agent);
    agent_turn(agent);
    ck_assert_int_eq(seen().state, SIGHTING_RUNNING);
    ck_assert_int_gt(driver_sim_find(&sim, id)->lease, 0);
    clock_sim_advance(&sim_clock, 95 * US_PER_SECOND);
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_STOPPED);
    ck_assert_int_eq(driver_sim_find(&sim, id)->state, OBSERVED_RESTING);
}
END_TEST

START_TEST(another_agent_has_the_lease_of_this_one_and_no_more)
{
    want("running", 1, ",\"lease_s\":90");
    agent_lease(agent, clock_steady(&sim_clock.clock) + 3 * TURNS * US_PER_SECOND);
    turn();
    ck_assert_int_eq(seen().starts, 1);
    agent_close(agent);
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &sim_clock.clock});
    want("running", 1, ",\"lease_s\":90");
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_RUNNING);
    ck_assert_int_eq(seen().starts, 1);
    clock_sim_advance(&sim_clock, TURNS * US_PER_SECOND);
    turn();
    ck_assert_int_eq(seen().state, SIGHTING_STOPPED);
    /* What was given once is over: the next one inherits nothing of it. */
    agent_close(agent);
    agent = agent_open(&(struct agent_options){.driver = &sim.driver, .clock = &sim_clock.clock});
    want("running", 1, ",\"lease_s\":90");
    turn();
    ck_assert_int_eq(seen().starts, 1);
}
END_TEST

/* What a command inside prints is the tenant's. A report with a field that is refused is refused
 * whole: with it all that the node has to say, and its leases. */
START_TEST(whatever_a_service_says_a_report_of_it_is_taken)
{
    static const char *const words[] = {"one\ntwo\r\n\tthree", "\x1b[2J\x7f", "\xc2\x85\xc2\xa9",
                                        "\xff\xfe\xc2", "\xe2\x82"};
    static const struct promise_door door;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct buf text;
        struct json_writer w;
        const struct json *root = NULL;
        struct sighting again;
        agent_close(agent);
        sim.says = words[i];
        agent = agent_open(&(struct agent_options){
            .driver = &sim.driver, .clock = &sim_clock.clock, .door = &door});
        want("running", 1,
             ",\"promises\":[{\"name\":\"says\",\"kind\":\"command\",\"command\":[\"x\"]}]");
        turn();
        struct sighting told = seen();
        ck_assert_uint_eq(told.promises.count, 1);
        buf_init(&text, &arena, 65536);
        json_writer_init(&w, &text);
        schema_encode(&sighting_schema, &told, &w);
        ck_assert_int_eq(json_parse(buf_str(&text), &arena, &root, &err), RC_OK);
        ck_assert_int_eq(schema_decode(&sighting_schema, SCHEMA_WHOLE, root, &arena, &again, &err),
                         RC_OK);
        ck_assert(!((struct sighting_promise *)again.promises.items)[0].kept);
    }
    sim.says = NULL;
}
END_TEST

START_TEST(what_dies_at_once_is_started_after_growing_pauses)
{
    want("running", 1, "");
    for (int i = 0; i < 10 * TURNS; i++) {
        agent_turn(agent);
        struct driver_sim_service *v = driver_sim_find(&sim, id);
        if (v != NULL && v->state == OBSERVED_RUNNING) {
            agent_turn(agent);
            v->state = OBSERVED_DEAD;
        }
        clock_sim_advance(&sim_clock, US_PER_SECOND);
    }
    ck_assert_int_gt(seen().starts, 2);
    ck_assert_int_lt(seen().starts, 12);
}
END_TEST

/* An agent with a spool in memory, which knows the service. */
static struct spool *metered(uint64_t seed)
{
    struct spool *spool = NULL;
    agent_close(agent);
    clock_sim_init(&sim_clock, US_PER_DAY, seed);
    driver_sim_init(&sim, &sim_clock);
    ck_assert_int_eq(spool_open(":memory:", &spool, &err), RC_OK);
    agent = agent_open(
        &(struct agent_options){.driver = &sim.driver, .clock = &sim_clock.clock, .spool = spool});
    want("running", 1, ",\"subscription\":\"sub_01jd8v3q7w4k2m9x6c5b1n0h8z\"");
    turn();
    return spool;
}

static struct spool_record last_record(struct spool *spool, int64_t *ret_cpu_us)
{
    struct list records;
    ck_assert_int_eq(spool_next(spool, &arena, &records, &err), RC_OK);
    ck_assert_uint_gt(records.count, 0);
    const struct spool_record *items = records.items;
    *ret_cpu_us = 0;
    for (size_t i = 0; i < records.count; i++)
        *ret_cpu_us += items[i].cpu_us;
    return items[records.count - 1];
}

/* A backup that its holder brings a minute after it was wanted: a door of the test. */
static time_us comes_at;
static int asked;

static enum rc bring(void *arg UNUSED, const struct spec_restore *from UNUSED,
                     struct arena *a UNUSED, const char **ret UNUSED, struct err *e)
{
    asked++;
    if (clock_steady(&sim_clock.clock) < comes_at)
        return err_set(e, RC_RETRY, "it is on its way");
    return err_set(e, RC_INVALID, "it came");
}

START_TEST(what_is_on_its_way_is_taken_soon_after_it_came)
{
    const struct backup_door door = {.fetch = bring};
    agent_close(agent);
    agent = agent_open(&(struct agent_options){
        .driver = &sim.driver, .clock = &sim_clock.clock, .backups = &door});
    asked = 0;
    comes_at = INT64_MAX;
    want("running", 1,
         ",\"restore\":[\"/bin/tar\"],\"from\":{\"backup\":\"bak_01jd8v3q7w4k2m9x6c5b1n0h8z\","
         "\"number\":1,\"bytes\":1,\"sha256\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\",\"key\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}");
    turn();
    turn();
    ck_assert_int_gt(asked, 10);
    ck_assert_int_lt(asked, TURNS);
    /* Nothing is wrong with it: it is not told as failed. */
    ck_assert_int_eq(seen().state, SIGHTING_STARTING);
    ck_assert(str_has(seen().reason, STR("on its way")));
    comes_at = 0;
    for (time_us waited = 0; waited <= RECONCILE_WAIT_MAX_US; waited += US_PER_SECOND) {
        agent_turn(agent);
        clock_sim_advance(&sim_clock, US_PER_SECOND);
    }
    ck_assert(str_has(seen().reason, STR("it came")));
    ck_assert_int_eq(seen().state, SIGHTING_FAILED);
}
END_TEST

START_TEST(another_generation_is_a_change_that_is_told)
{
    want("running", 1, "");
    turn();
    want("running", 2, "");
    uint64_t before = 0;
    /* Adjusted while it runs: what was told last is of the old generation until it was seen. */
    for (int i = 0; i < TURNS && seen().generation < 2; i++) {
        before = agent_changes(agent);
        agent_turn(agent);
    }
    ck_assert_int_eq(seen().generation, 2);
    ck_assert_uint_gt(agent_changes(agent), before);
}
END_TEST

START_TEST(what_died_has_used_no_time_since)
{
    int64_t cpu_us = 0;
    struct spool *spool = metered(7);
    struct driver_sim_service *v = driver_sim_find(&sim, id);
    v->cpu_us = 300;
    v->state = OBSERVED_DEAD;
    time_us died = clock_now(&sim_clock.clock);
    /* It is stopped after a pause, as it died soon after its start. */
    for (int i = 0; i < 5; i++) {
        agent_turn(agent);
        clock_sim_advance(&sim_clock, US_PER_SECOND);
    }
    ck_assert_int_eq(seen().starts, 2);
    ck_assert_int_eq(last_record(spool, &cpu_us).until, died);
    ck_assert_int_eq(cpu_us, 300);
    agent_close(agent);
    agent = NULL;
    spool_close(spool);
}
END_TEST

/* Whatever of a stop fails before, within or after it. */
START_TEST(what_was_used_until_a_stop_is_sampled)
{
    int64_t cpu_us = 0;
    struct spool *spool = metered((uint64_t)_i);
    driver_sim_find(&sim, id)->cpu_us = 300;
    sim.fail_ppm = 900000;
    want("stopped", 2, ",\"subscription\":\"sub_01jd8v3q7w4k2m9x6c5b1n0h8z\"");
    for (int i = 0; i < 4 * TURNS && driver_sim_find(&sim, id)->state != OBSERVED_RESTING; i++)
        turn();
    ck_assert_int_eq(driver_sim_find(&sim, id)->state, OBSERVED_RESTING);
    (void)last_record(spool, &cpu_us);
    ck_assert_msg(cpu_us == 300, "seed %d: %lld us", _i, (long long)cpu_us);
    agent_close(agent);
    agent = NULL;
    spool_close(spool);
}
END_TEST

START_TEST(a_broken_list_changes_nothing)
{
    want("running", 1, "");
    turn();
    ck_assert_int_eq(agent_want(agent, STR("{\"revision\":2"), &err), RC_SYNTAX);
    ck_assert_int_eq(agent_want(agent, STR("{\"services\":[]}"), &err), RC_INVALID);
    turn();
    ck_assert_int_eq(agent_revision(agent), 1);
    ck_assert_int_eq(seen().state, SIGHTING_RUNNING);
}
END_TEST

Suite *agent_suite(void);
Suite *agent_suite(void)
{
    Suite *s = suite_create("agent");
    TCase *c = tcase_create("agent");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_service_lives_and_goes);
    tcase_add_test(c, what_it_made_elsewhere_it_takes_away_first);
    tcase_add_test(c, it_ends_though_it_cannot_and_that_is_told);
    tcase_add_test(c, what_is_stopped_at_its_end_is_not_asked);
    tcase_add_test(c, another_agent_goes_on_where_this_one_died);
    tcase_add_test(c, without_a_lease_a_failover_service_does_not_run);
    tcase_add_test(c, another_agent_has_the_lease_of_this_one_and_no_more);
    tcase_add_test(c, whatever_a_service_says_a_report_of_it_is_taken);
    tcase_add_test(c, what_dies_at_once_is_started_after_growing_pauses);
    tcase_add_test(c, what_is_on_its_way_is_taken_soon_after_it_came);
    tcase_add_test(c, another_generation_is_a_change_that_is_told);
    tcase_add_test(c, what_died_has_used_no_time_since);
    tcase_add_loop_test(c, what_was_used_until_a_stop_is_sampled, 0, 30);
    tcase_add_test(c, a_broken_list_changes_nothing);
    suite_add_tcase(s, c);
    return s;
}
