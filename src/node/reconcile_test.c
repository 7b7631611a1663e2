#include "node/reconcile.h"

#include "node/driver_sim.h"

#include <check.h>
#include <inttypes.h>

enum {
    SEEDS = 30,
    SERVICES = 6,
    ROUNDS = 400,
    QUIET_ROUNDS = 60,
    FAIL_PPM = 300000,
    ARENA_BYTES = 64 * 1024 * 1024
};

static struct arena arena;
static struct err err;

static void setup(void)
{
    arena_init(&arena, ARENA_BYTES);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static struct service_spec running_spec(void)
{
    return (struct service_spec){
        .id = STR("svc_a"), .generation = 3, .state = SPEC_RUNNING, .memory_bytes = 1000};
}

static const struct reconcile_mind calm = {.leased = true};

static enum step step_of(const struct service_spec *spec, int64_t state, int64_t generation)
{
    struct str form = reconcile_form(spec, &arena);
    struct observed seen = {.id = spec->id,
                            .state = state,
                            .generation = generation,
                            .form = generation > 0 ? form : STR("")};
    return reconcile_step(spec, form, &seen, &calm, 0);
}

START_TEST(each_state_leads_to_its_step)
{
    struct service_spec spec = running_spec();
    ck_assert_int_eq(step_of(&spec, OBSERVED_ABSENT, 0), STEP_PREPARE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 0), STEP_PREPARE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 2), STEP_PREPARE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 3), STEP_START);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 3), STEP_NONE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 2), STEP_ADJUST);
    ck_assert_int_eq(step_of(&spec, OBSERVED_DEAD, 3), STEP_STOP);
    spec.state = SPEC_STOPPED;
    ck_assert_int_eq(step_of(&spec, OBSERVED_ABSENT, 0), STEP_NONE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 3), STEP_NONE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 3), STEP_STOP);
    spec.state = SPEC_GONE;
    ck_assert_int_eq(step_of(&spec, OBSERVED_ABSENT, 0), STEP_NONE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 3), STEP_REMOVE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 3), STEP_STOP);
    ck_assert_int_eq(step_of(&spec, OBSERVED_DEAD, 3), STEP_STOP);
}
END_TEST

START_TEST(a_disk_is_laid_at_rest_and_before_all_else)
{
    struct service_spec spec = running_spec();
    spec.from = (struct spec_restore){.number = 1, .disk = true};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(step_of(&spec, OBSERVED_ABSENT, 0), STEP_RESTORE);
        ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 3), STEP_RESTORE);
        ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 3), STEP_STOP);
        ck_assert_int_eq(step_of(&spec, OBSERVED_DEAD, 3), STEP_STOP);
        spec.state = SPEC_STOPPED;
    }
    spec.state = SPEC_GONE;
    ck_assert_int_eq(step_of(&spec, OBSERVED_RESTING, 3), STEP_REMOVE);
    ck_assert_int_eq(step_of(&spec, OBSERVED_ABSENT, 0), STEP_NONE);
    spec.from.number = 0;
    spec.state = SPEC_RUNNING;
    ck_assert_int_eq(step_of(&spec, OBSERVED_RUNNING, 3), STEP_NONE);
}
END_TEST

START_TEST(a_snapshot_is_taken_as_it_is_and_gone_back_to_at_rest)
{
    struct spec_snapshot wanted[] = {{.id = STR("snp_a"), .take = true}, {.id = STR("snp_b")}};
    struct service_spec spec = running_spec();
    spec.snapshots = (struct list){wanted, COUNT(wanted)};
    struct str form = reconcile_form(&spec, &arena);
    struct observed seen = {.state = OBSERVED_RUNNING, .generation = 3, .form = form};
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_SNAPSHOT);
    struct reconcile_mind failed = {.leased = true, .failures = 1};
    ck_assert_int_eq(reconcile_sighting(&spec, form, &seen, STEP_NONE, &failed), SIGHTING_RUNNING);
    ck_assert_int_eq(reconcile_sighting(&spec, form, &seen, STEP_SNAPSHOT, &calm),
                     SIGHTING_RUNNING);
    seen.snapshots = STR("snp_a ");
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_SNAPSHOT);
    seen.snapshots = STR("snp_a snp_b snp_c ");
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_SNAPSHOT);
    seen.snapshots = STR("snp_a snp_b ");
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_NONE);
    spec.reverts = 1;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_STOP);
    seen.state = OBSERVED_RESTING;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_REVERT);
    seen.reverted = 1;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_START);
    spec.state = SPEC_STOPPED;
    seen.snapshots = STR("");
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_SNAPSHOT);
    spec.state = SPEC_GONE;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &calm, 0), STEP_REMOVE);
}
END_TEST

START_TEST(what_nobody_speaks_of_is_stopped_and_keeps_its_data)
{
    struct observed seen = {.id = STR("svc_a"), .state = OBSERVED_RUNNING};
    ck_assert_int_eq(reconcile_step(NULL, STR(""), &seen, &calm, 0), STEP_STOP);
    seen.state = OBSERVED_RESTING;
    ck_assert_int_eq(reconcile_step(NULL, STR(""), &seen, &calm, 0), STEP_NONE);
}
END_TEST

START_TEST(a_lost_lease_stops_and_its_return_starts)
{
    struct service_spec spec = running_spec();
    struct str form = reconcile_form(&spec, &arena);
    struct observed seen = {.state = OBSERVED_RUNNING, .generation = 3, .form = form};
    struct reconcile_mind mind = {.leased = false};
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &mind, 0), STEP_STOP);
    seen.state = OBSERVED_RESTING;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &mind, 0), STEP_NONE);
    ck_assert_int_eq(reconcile_sighting(&spec, form, &seen, STEP_NONE, &mind), SIGHTING_STOPPED);
    mind.leased = true;
    ck_assert_int_eq(reconcile_step(&spec, form, &seen, &mind, 0), STEP_START);
}
END_TEST

START_TEST(limits_do_not_change_the_form_and_files_do)
{
    struct service_spec spec = running_spec();
    struct str form = reconcile_form(&spec, &arena);
    spec.generation++;
    spec.memory_bytes *= 2;
    ck_assert(str_eq(form, reconcile_form(&spec, &arena)));
    struct spec_file file = {.set = 0xf, .path = STR("/etc/a"), .content = STR("x")};
    spec.files = (struct list){.items = &file, .count = 1};
    ck_assert(!str_eq(form, reconcile_form(&spec, &arena)));
    spec = running_spec();
    spec.runtime = SPEC_VM;
    form = reconcile_form(&spec, &arena);
    spec.memory_bytes *= 2;
    ck_assert(!str_eq(form, reconcile_form(&spec, &arena)));
}
END_TEST

START_TEST(pauses_grow_and_end)
{
    struct service_spec spec = running_spec();
    struct str form = reconcile_form(&spec, &arena);
    struct reconcile_mind mind = {.leased = true, .failures = 1, .tried = US_PER_DAY};
    time_us at = US_PER_DAY;
    ck_assert_int_eq(reconcile_step(&spec, form, NULL, &mind, at), STEP_NONE);
    ck_assert_int_eq(reconcile_sighting(&spec, form, NULL, STEP_NONE, &mind), SIGHTING_FAILED);
    at += RECONCILE_PAUSE_US;
    ck_assert_int_eq(reconcile_step(&spec, form, NULL, &mind, at), STEP_PREPARE);
    mind.failures = INT64_MAX;
    ck_assert_int_eq(reconcile_retry(&mind), mind.tried + RECONCILE_PAUSE_MAX_US);
    /* The clock was set back by a year: no pause of a year. */
    ck_assert_int_eq(reconcile_step(&spec, form, NULL, &mind, 0), STEP_PREPARE);
}
END_TEST

/* --- the machine that fails --- */

struct world {
    struct clock_sim clock;
    struct driver_sim sim;
    struct service_spec specs[SERVICES];
    bool spoken[SERVICES]; /* in the list of desired services */
    struct reconcile_mind minds[SERVICES];
    char ids[SERVICES][8];
    size_t snapshots; /* so often other ones were wanted */
};

static const struct spec_snapshot snapshot_lists[2][2] = {
    {{.id = STR_INIT("snp_a"), .take = true}, {.id = STR_INIT("snp_b"), .take = true}},
    {{.id = STR_INIT("snp_b"), .take = true}, {.id = STR_INIT("snp_c"), .take = true}}};

static void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){0};
    clock_sim_init(&w->clock, US_PER_DAY, seed);
    driver_sim_init(&w->sim, &w->clock);
    w->sim.fail_ppm = FAIL_PPM;
    for (size_t i = 0; i < SERVICES; i++) {
        snprintf(w->ids[i], sizeof w->ids[i], "svc_%zu", i);
        w->specs[i] = (struct service_spec){.id = str_c(w->ids[i]), .generation = 1};
        w->spoken[i] = true;
        w->minds[i] = calm;
    }
}

/* The control plane changes its mind about one service. */
static void change(struct world *w)
{
    size_t i = (size_t)clock_sim_below(&w->clock, SERVICES);
    struct service_spec *spec = &w->specs[i];
    spec->generation++;
    w->minds[i].failures = 0;
    switch (clock_sim_below(&w->clock, 9)) {
    case 0:
        spec->state = (int64_t)clock_sim_below(&w->clock, 3);
        break;
    case 1:
        spec->restart++;
        break;
    case 2:
        spec->memory_bytes++;
        break;
    case 3:
        spec->user_data = arena_fmt(&arena, "%" PRId64, spec->generation);
        break;
    case 4:
        spec->from.number++;
        break;
    case 5:
        w->spoken[i] = !w->spoken[i];
        break;
    case 6:
        spec->snapshots.items = (void *)(uintptr_t)snapshot_lists[++w->snapshots % 2];
        spec->snapshots.count = 1 + w->snapshots % 2;
        break;
    case 7:
        spec->reverts++;
        spec->revert = snapshot_lists[0][0].id;
        break;
    default:
        w->minds[i].leased = !w->minds[i].leased;
        break;
    }
}

static enum rc do_step(struct world *w, size_t i, enum step step)
{
    struct driver *d = &w->sim.driver;
    struct driver_stats last;
    switch (step) {
    case STEP_NONE:
        return RC_OK;
    case STEP_PREPARE:
        return d->prepare(d, &w->specs[i], &arena, &err);
    case STEP_START:
        return d->start(d, &w->specs[i], &arena, &err);
    case STEP_ADJUST:
        return d->adjust(d, &w->specs[i], &arena, &err);
    case STEP_STOP:
        return d->stop(d, w->specs[i].id, &arena, &last, &err);
    case STEP_REMOVE:
        return d->remove(d, w->specs[i].id, &arena, &err);
    case STEP_RESTORE:
        return d->restored(d, w->specs[i].id, w->specs[i].from.number, &arena, &err);
    case STEP_SNAPSHOT:
        return d->snapshot(d, &w->specs[i], &arena, &err);
    case STEP_REVERT:
        return d->revert(d, &w->specs[i], &arena, &err);
    }
    NEVER("a step is one of these");
}

static const struct observed *seen_of(const struct list *seen, struct str id)
{
    const struct observed *items = seen->items;
    for (size_t i = 0; i < seen->count; i++)
        if (str_eq(items[i].id, id))
            return &items[i];
    return NULL;
}

/* Look, and take one step with each service. The number of steps taken. */
static size_t round_of(struct world *w)
{
    struct list seen;
    size_t steps = 0;
    ck_assert_int_eq(w->sim.driver.observe(&w->sim.driver, &arena, &seen, &err), RC_OK);
    for (size_t i = 0; i < SERVICES; i++) {
        const struct service_spec *spec = w->spoken[i] ? &w->specs[i] : NULL;
        struct str form = reconcile_form(&w->specs[i], &arena);
        enum step step = reconcile_step(spec, form, seen_of(&seen, w->specs[i].id), &w->minds[i],
                                        clock_now(&w->clock.clock));
        steps += step != STEP_NONE;
        w->minds[i].tried = clock_now(&w->clock.clock);
        if (do_step(w, i, step) == RC_OK)
            w->minds[i].failures = 0;
        else
            w->minds[i].failures++;
    }
    clock_sim_advance(&w->clock, RECONCILE_PAUSE_US / 2);
    return steps;
}

/* No service runs, after its step, that should not. */
static void check_end(struct world *w, uint64_t seed)
{
    for (size_t i = 0; i < SERVICES; i++) {
        const struct driver_sim_service *v = driver_sim_find(&w->sim, w->specs[i].id);
        int64_t state = v != NULL ? v->state : OBSERVED_ABSENT;
        bool runs = w->spoken[i] && w->specs[i].state == SPEC_RUNNING && w->minds[i].leased;
        ck_assert_msg((state == OBSERVED_RUNNING) == runs, "seed %" PRIu64 ", service %zu", seed,
                      i);
        if (runs) {
            ck_assert_int_eq(v->generation, w->specs[i].generation);
            ck_assert_int_eq(v->restart, w->specs[i].restart);
            ck_assert_int_ge(v->restored, w->specs[i].from.number);
            ck_assert_int_ge(v->reverted, w->specs[i].reverts);
            ck_assert_uint_eq(v->snapshot_count, w->specs[i].snapshots.count);
            ck_assert(str_eq(str_n(v->form, v->form_n), reconcile_form(&w->specs[i], &arena)));
        }
        bool gone = w->spoken[i] && w->specs[i].state == SPEC_GONE;
        ck_assert_msg(!gone || state == OBSERVED_ABSENT, "seed %" PRIu64 ", service %zu", seed, i);
    }
}

/* Crashes of the agent are in it: nothing of one round is known in the next but the pauses. The
 * twin asserts that nothing is started twice. */
START_TEST(whatever_happens_it_ends_as_wanted)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        world_init(&w, seed);
        for (size_t round = 0; round < ROUNDS; round++) {
            if (clock_sim_below(&w.clock, 4) == 0)
                change(&w);
            if (clock_sim_below(&w.clock, 50) == 0)
                driver_sim_reboot(&w.sim);
            round_of(&w);
            arena_reset(&arena);
            /* Texts of the specs died with the arena. */
            for (size_t i = 0; i < SERVICES; i++)
                w.specs[i].user_data = (struct str){0};
        }
        w.sim.fail_ppm = 0;
        for (size_t i = 0; i < SERVICES; i++)
            w.minds[i].failures = 0;
        for (size_t round = 0; round < QUIET_ROUNDS; round++)
            round_of(&w);
        check_end(&w, seed);
        ck_assert_msg(round_of(&w) == 0, "seed %" PRIu64 ": it does not come to rest", seed);
        arena_reset(&arena);
    }
}
END_TEST

Suite *reconcile_suite(void);
Suite *reconcile_suite(void)
{
    Suite *s = suite_create("reconcile");
    TCase *c = tcase_create("reconcile");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, each_state_leads_to_its_step);
    tcase_add_test(c, a_disk_is_laid_at_rest_and_before_all_else);
    tcase_add_test(c, a_snapshot_is_taken_as_it_is_and_gone_back_to_at_rest);
    tcase_add_test(c, what_nobody_speaks_of_is_stopped_and_keeps_its_data);
    tcase_add_test(c, a_lost_lease_stops_and_its_return_starts);
    tcase_add_test(c, limits_do_not_change_the_form_and_files_do);
    tcase_add_test(c, pauses_grow_and_end);
    tcase_add_test(c, whatever_happens_it_ends_as_wanted);
    suite_add_tcase(s, c);
    return s;
}
