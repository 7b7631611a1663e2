/* Backups as files, and services that go back to them. */
#include "node/backup.h"

#include "node/agent.h"
#include "node/driver_sim.h"
#include "node/file.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLAIN_MAX = 200 * 1024, CHANGES = 200, SEEDS = 60, TURNS = 400 };

static struct arena arena;
static struct err err;
static char folder[64];
static uint8_t key[BACKUP_KEY_BYTES] = {1, 2, 3};

static void setup(void)
{
    arena_init(&arena, (size_t)512 * 1024 * 1024);
    err_clear(&err);
    snprintf(folder, sizeof folder, "/tmp/hanse-backup-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    ck_assert_int_eq(file_remove(folder, &err), RC_OK);
    arena_fini(&arena);
}

static int file_of(const char *name, struct str content)
{
    const char *path = arena_fmt(&arena, "%s/%s", folder, name).p;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content.p, content.n), (ssize_t)content.n);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static struct str content_of(const char *name)
{
    struct str text;
    const char *path = arena_fmt(&arena, "%s/%s", folder, name).p;
    ck_assert_int_eq(file_read(path, FILE_BYTES_MAX, &arena, &text, &err), RC_OK);
    return text;
}

static struct str encrypted(struct str plain)
{
    int from = file_of("plain", plain), to = file_of("sealed", STR(""));
    ck_assert_int_eq(backup_encrypt(from, to, key, INT64_MAX, &arena, &err), RC_OK);
    close(from);
    close(to);
    return content_of("sealed");
}

static enum rc decrypted(struct str sealed, const uint8_t *with, struct str *ret)
{
    int from = file_of("sealed", sealed), to = file_of("again", STR(""));
    enum rc rc = backup_decrypt(from, to, with, &arena, &err);
    close(from);
    close(to);
    *ret = content_of("again");
    return rc;
}

static struct str chance(struct clock_sim *clock, size_t n)
{
    char *p = arena_alloc(&arena, n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)clock_sim_below(clock, 256);
    return str_n(p, n);
}

START_TEST(what_goes_in_comes_out_whatever_its_length)
{
    struct clock_sim clock;
    static const size_t edges[] = {0, 1, 65535, 65536, 65537, 131071, 131072, PLAIN_MAX};
    clock_sim_init(&clock, US_PER_DAY, 11);
    for (size_t i = 0; i < COUNT(edges); i++) {
        struct str plain = chance(&clock, edges[i]), again;
        struct str sealed = encrypted(plain);
        ck_assert(plain.n < 32 || !str_has(sealed, str_sub(plain, 0, 32)));
        ck_assert_int_eq(decrypted(sealed, key, &again), RC_OK);
        ck_assert(str_eq(plain, again));
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(a_file_that_was_touched_is_refused)
{
    struct clock_sim clock;
    uint8_t other[BACKUP_KEY_BYTES] = {9};
    struct str plain, sealed, again;
    clock_sim_init(&clock, US_PER_DAY, 12);
    plain = chance(&clock, 70000);
    sealed = encrypted(plain);
    ck_assert_int_eq(decrypted(sealed, other, &again), RC_INVALID);
    for (int i = 0; i < CHANGES; i++) {
        struct str copy = arena_str(&arena, sealed);
        size_t at = (size_t)clock_sim_below(&clock, sealed.n);
        ((char *)(uintptr_t)copy.p)[at] ^= (char)(1 << clock_sim_below(&clock, 8));
        err_clear(&err);
        ck_assert_msg(decrypted(copy, key, &again) == RC_INVALID, "byte %zu", at);
        err_clear(&err);
        ck_assert_msg(decrypted(str_sub(sealed, 0, at), key, &again) == RC_INVALID, "cut at %zu",
                      at);
        ck_assert(again.n < plain.n);
    }
    err_clear(&err);
    struct str longer = arena_fmt(&arena, "%.*s", 1, "x");
    char *joined = arena_alloc(&arena, sealed.n + 1);
    memcpy(joined, sealed.p, sealed.n);
    joined[sealed.n] = longer.p[0];
    ck_assert_int_eq(decrypted(str_n(joined, sealed.n + 1), key, &again), RC_INVALID);
}
END_TEST

START_TEST(a_backup_has_a_bound_and_a_key_a_form)
{
    uint8_t got[BACKUP_KEY_BYTES];
    int from = file_of("plain", STR("0123456789")), to = file_of("sealed", STR(""));
    ck_assert_int_eq(backup_encrypt(from, to, key, 50, &arena, &err), RC_TOO_LARGE);
    close(from);
    close(to);
    err_clear(&err);
    ck_assert_int_eq(backup_key_read(STR("00ff"), got, &err), RC_INVALID);
    err_clear(&err);
    struct str bad = STR("zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    ck_assert_int_eq(backup_key_read(bad, got, &err), RC_INVALID);
}
END_TEST

/* --- services --- */

/* The twin's services have one volume: data. Backup says it, restore replaces it. */
struct world {
    struct clock_sim clock;
    struct driver_sim sim;
    struct backup_door door;
    const char *path; /* of the backup that the door has */
    enum rc (*exec)(struct driver *d, const struct driver_exec *e, struct arena *arena,
                    int *ret_status, struct str *ret_output, struct err *err);
    int fetches;
};
static struct world world;
static char data[64];

static enum rc world_exec(struct driver *d, const struct driver_exec *e, struct arena *a,
                          int *ret_status, struct str *ret_output, struct err *ret_err)
{
    TRY(world.exec(d, e, a, ret_status, ret_output, ret_err));
    bool good = *ret_status == 0;
    if (e->output >= 0)
        ck_assert_int_eq(write(e->output, data, strlen(data)), (ssize_t)strlen(data));
    if (e->input >= 0) {
        char got[sizeof data] = "";
        size_t n = 0;
        ssize_t more;
        while ((more = read(e->input, got + n, sizeof got - n)) > 0)
            n += (size_t)more;
        memset(data, 0, sizeof data);
        memcpy(data, got, good ? n : n / 2); /* a failed one leaves half */
        driver_sim_find(&world.sim, e->id)->restores += good;
    }
    return RC_OK;
}

static enum rc world_fetch(void *arg UNUSED, const struct spec_restore *from UNUSED,
                           struct arena *a UNUSED, const char **ret_path, struct err *ret_err)
{
    world.fetches++;
    if (clock_sim_below(&world.clock, 4) == 0)
        return err_set(ret_err, RC_CONFLICT, "it is on its way");
    *ret_path = world.path;
    return RC_OK;
}

static const struct str id = STR_INIT("svc_01jd8v3q7w4k2m9x6c5b1n0h8z");
#define KEY_HEX "0102030000000000000000000000000000000000000000000000000000000000"

static void world_init(uint64_t seed)
{
    world = (struct world){.door = {.fetch = world_fetch},
                           .path = arena_fmt(&arena, "%s/kept", folder).p};
    clock_sim_init(&world.clock, US_PER_DAY, seed);
    driver_sim_init(&world.sim, &world.clock);
    world.exec = world.sim.driver.exec;
    world.sim.driver.exec = world_exec;
}

static struct agent *agent_new(void)
{
    struct agent *a = agent_open(&(struct agent_options){
        .driver = &world.sim.driver, .clock = &world.clock.clock, .backups = &world.door});
    struct str json = arena_fmt(
        &arena,
        "{\"revision\":1,\"services\":[{\"id\":\"%.*s\",\"generation\":1,\"state\":\"running\","
        "\"runtime\":\"container\",\"backup\":[\"b\"],\"restore\":[\"r\"],"
        "\"from\":{\"backup\":\"bak_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"number\":3,\"sha256\":\"%s\","
        "\"bytes\":100,\"key\":\"%s\"}}]}",
        STRF(id), KEY_HEX, KEY_HEX);
    ck_assert_int_eq(agent_want(a, json, &err), RC_OK);
    return a;
}

static void make_backup(void)
{
    struct str word = STR("b");
    struct list command = {.items = &word, .count = 1};
    struct backup_make m = {.driver = &world.sim.driver,
                            .service = id,
                            .command = &command,
                            .key = STR(KEY_HEX),
                            .bytes_max = 1000,
                            .path = world.path};
    struct driver_sim_service *v = &world.sim.services[0];
    *v = (struct driver_sim_service){.state = OBSERVED_RUNNING};
    memcpy(v->id, id.p, id.n);
    world.sim.count = 1;
    snprintf(data, sizeof data, "%s", "what was there");
    ck_assert_int_eq(backup_make(&m, &arena, &err), RC_OK);
    v->state = OBSERVED_ABSENT;
    memset(data, 0, sizeof data);
}

static struct sighting seen(struct agent *a)
{
    struct list all;
    agent_sightings(a, &arena, &all);
    ck_assert_uint_eq(all.count, 1);
    return *(struct sighting *)all.items;
}

/* The agent is killed after any of its turns, calls fail before, in and after their effect: the
 * service is told as running only with its data, and from then on what it writes stays. */
START_TEST(it_runs_only_with_its_data_whoever_is_killed)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        bool told = false;
        world_init(seed);
        make_backup();
        struct agent *a = agent_new();
        world.sim.fail_ppm = 300000;
        for (int i = 0; i < TURNS; i++) {
            if (i > TURNS / 2)
                world.sim.fail_ppm = 0;
            if (i < TURNS / 2 && clock_sim_below(&world.clock, 5) == 0) {
                agent_close(a);
                a = agent_new();
            }
            if (i < TURNS / 2 && clock_sim_below(&world.clock, 40) == 0)
                driver_sim_reboot(&world.sim);
            agent_turn(a);
            bool runs = seen(a).state == SIGHTING_RUNNING;
            if (runs && !told) {
                ck_assert_msg(strcmp(data, "what was there") == 0, "seed %" PRIu64, seed);
                snprintf(data, sizeof data, "%s", "written since");
                told = true;
            }
            if (told)
                ck_assert_msg(strcmp(data, "written since") == 0, "seed %" PRIu64, seed);
            clock_sim_advance(&world.clock, 10 * US_PER_SECOND);
        }
        ck_assert_msg(agent_at_rest(a) && told, "seed %" PRIu64, seed);
        ck_assert_int_eq(driver_sim_find(&world.sim, id)->restored, 3);
        agent_close(a);
        arena_reset(&arena);
    }
}
END_TEST

/* The same of a whole disk: laid before it starts, and never over what it wrote since. */
static struct agent *agent_of_disk(const char *state)
{
    struct agent *a = agent_open(&(struct agent_options){
        .driver = &world.sim.driver, .clock = &world.clock.clock, .backups = &world.door});
    struct str json = arena_fmt(
        &arena,
        "{\"revision\":1,\"services\":[{\"id\":\"%.*s\",\"generation\":1,\"state\":\"%s\","
        "\"runtime\":\"container\","
        "\"from\":{\"backup\":\"bak_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"number\":3,\"sha256\":\"%s\","
        "\"bytes\":100,\"key\":\"%s\",\"disk\":true}}]}",
        STRF(id), state, KEY_HEX, KEY_HEX);
    ck_assert_int_eq(agent_want(a, json, &err), RC_OK);
    return a;
}

static void make_disk(void)
{
    struct backup_make m = {.driver = &world.sim.driver,
                            .service = id,
                            .key = STR(KEY_HEX),
                            .bytes_max = 1000,
                            .path = world.path};
    struct driver_sim_service *v = &world.sim.services[0];
    *v = (struct driver_sim_service){.state = OBSERVED_RESTING, .kept = "what was there"};
    memcpy(v->id, id.p, id.n);
    world.sim.count = 1;
    ck_assert_int_eq(backup_make(&m, &arena, &err), RC_OK);
    *v = (struct driver_sim_service){.state = OBSERVED_ABSENT};
}

START_TEST(a_disk_is_laid_before_it_runs_whoever_is_killed)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        bool told = false;
        world_init(seed);
        make_disk();
        struct agent *a = agent_of_disk("running");
        world.sim.fail_ppm = 300000;
        for (int i = 0; i < TURNS; i++) {
            if (i > TURNS / 2)
                world.sim.fail_ppm = 0;
            if (i < TURNS / 2 && clock_sim_below(&world.clock, 5) == 0) {
                agent_close(a);
                a = agent_of_disk("running");
            }
            if (i < TURNS / 2 && clock_sim_below(&world.clock, 40) == 0)
                driver_sim_reboot(&world.sim);
            agent_turn(a);
            struct driver_sim_service *v = driver_sim_find(&world.sim, id);
            if (v != NULL && v->state == OBSERVED_RUNNING && !told) {
                ck_assert_msg(strcmp(v->kept, "what was there") == 0, "seed %" PRIu64, seed);
                snprintf(v->kept, sizeof v->kept, "%s", "written since");
                told = true;
            }
            if (told)
                ck_assert_msg(v != NULL && strcmp(v->kept, "written since") == 0, "seed %" PRIu64,
                              seed);
            clock_sim_advance(&world.clock, 10 * US_PER_SECOND);
        }
        ck_assert_msg(agent_at_rest(a) && told, "seed %" PRIu64, seed);
        agent_close(a);
        arena_reset(&arena);
    }
}
END_TEST

START_TEST(a_disk_is_laid_for_what_shall_rest)
{
    world_init(7);
    make_disk();
    struct agent *a = agent_of_disk("stopped");
    ck_assert(!agent_at_rest(a));
    for (int i = 0; i < TURNS && !agent_at_rest(a); i++) {
        agent_turn(a);
        clock_sim_advance(&world.clock, 10 * US_PER_SECOND);
    }
    struct driver_sim_service *v = driver_sim_find(&world.sim, id);
    ck_assert_ptr_nonnull(v);
    ck_assert_str_eq(v->kept, "what was there");
    ck_assert_int_eq(v->starts, 0);
    ck_assert_int_eq(seen(a).state, SIGHTING_STOPPED);
    agent_close(a);
}
END_TEST

START_TEST(a_damaged_disk_is_never_adopted)
{
    world_init(5);
    make_disk();
    struct str kept = content_of("kept");
    ((char *)(uintptr_t)kept.p)[30] ^= 1;
    close(file_of("kept", kept));
    struct agent *a = agent_of_disk("running");
    for (int i = 0; i < TURNS; i++) {
        agent_turn(a);
        clock_sim_advance(&world.clock, US_PER_SECOND);
    }
    ck_assert_int_eq(seen(a).state, SIGHTING_FAILED);
    const struct driver_sim_service *v = driver_sim_find(&world.sim, id);
    ck_assert(v == NULL || (v->restored == 0 && v->starts == 0));
    agent_close(a);
}
END_TEST

START_TEST(a_damaged_backup_is_told_and_feeds_nothing)
{
    world_init(5);
    make_backup();
    struct str kept = content_of("kept");
    ((char *)(uintptr_t)kept.p)[30] ^= 1;
    close(file_of("kept", kept));
    struct agent *a = agent_new();
    for (int i = 0; i < TURNS; i++) {
        agent_turn(a);
        clock_sim_advance(&world.clock, US_PER_SECOND);
    }
    ck_assert_int_eq(seen(a).state, SIGHTING_FAILED);
    ck_assert_str_eq(data, "");
    ck_assert_int_lt(world.fetches, TURNS / 10); /* with growing pauses */
    agent_close(a);
}
END_TEST

START_TEST(a_command_that_fails_leaves_no_backup)
{
    world_init(5);
    world.sim.fail_ppm = 1000000;
    struct str word = STR("b");
    struct list command = {.items = &word, .count = 1};
    struct backup_make m = {.driver = &world.sim.driver,
                            .service = id,
                            .command = &command,
                            .key = STR(KEY_HEX),
                            .bytes_max = 1000,
                            .path = world.path};
    ck_assert_int_eq(backup_make(&m, &arena, &err), RC_UNAVAILABLE); /* it does not run */
    err_clear(&err);
    world.sim.services[0] = (struct driver_sim_service){.state = OBSERVED_RUNNING};
    memcpy(world.sim.services[0].id, id.p, id.n);
    world.sim.count = 1;
    ck_assert_int_eq(backup_make(&m, &arena, &err), RC_REMOTE);
    ck_assert(!file_exists(world.path));
}
END_TEST

Suite *backup_file_suite(void);
Suite *backup_file_suite(void)
{
    Suite *s = suite_create("backup_file");
    TCase *c = tcase_create("backup");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, what_goes_in_comes_out_whatever_its_length);
    tcase_add_test(c, a_file_that_was_touched_is_refused);
    tcase_add_test(c, a_backup_has_a_bound_and_a_key_a_form);
    tcase_add_test(c, it_runs_only_with_its_data_whoever_is_killed);
    tcase_add_test(c, a_disk_is_laid_before_it_runs_whoever_is_killed);
    tcase_add_test(c, a_disk_is_laid_for_what_shall_rest);
    tcase_add_test(c, a_damaged_disk_is_never_adopted);
    tcase_add_test(c, a_damaged_backup_is_told_and_feeds_nothing);
    tcase_add_test(c, a_command_that_fails_leaves_no_backup);
    suite_add_tcase(s, c);
    return s;
}
