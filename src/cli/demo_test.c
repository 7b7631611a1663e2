/*
 * demo_test.c - the demo with the other programs played; with real ones: tests/outside/demo.
 */
#include "cli/demo.h"

#include "cli/stage.h"

#include <sys/stat.h>

/* A server that says something and ends. */
static enum rc play_start(const struct host *h, const struct program *p, int64_t *ret_pid,
                          struct err *err)
{
    (void)h;
    (void)err;
    FILE *log = fopen(p->output, "we");
    ck_assert_ptr_nonnull(log);
    (void)fputs("hansed: the disk is full\n", log);
    (void)fclose(log);
    *ret_pid = 1;
    return RC_OK;
}

static bool play_runs(const struct host *h, int64_t pid)
{
    (void)h;
    ck_assert_int_eq(pid, 1);
    return false;
}

static enum rc play_stop(const struct host *h, int64_t pid, struct err *err)
{
    (void)h;
    ck_assert_int_eq(pid, 1);
    return err_set(err, RC_INTERNAL, "it ended badly");
}

static struct str play_beside(const struct host *h, const char *name, struct arena *arena)
{
    (void)h;
    return arena_fmt(arena, "/usr/bin/%s", name);
}

static bool play_stopped(const struct host *h)
{
    (void)h;
    return false;
}

static void play_hold(const struct host *h, bool yes)
{
    (void)h;
    (void)yes;
}

static const struct host played = {.start = play_start,
                                   .runs = play_runs,
                                   .stop = play_stop,
                                   .beside = play_beside,
                                   .stopped = play_stopped,
                                   .hold = play_hold};

START_TEST(a_case_has_to_be_named)
{
    struct stage s;
    stage_init(&s);
    s.cli.host = &played;
    stage_run(&s, "demo");
    stage_assert_rc(&s, RC_SYNTAX);
    stage_assert_err(&s, "rapid-space, coworking, channel, picos");
    stage_run(&s, "demo|moon");
    stage_assert_rc(&s, RC_SYNTAX);
    stage_fini(&s);
}
END_TEST

START_TEST(a_server_that_does_not_start_is_told_and_nothing_is_left)
{
    struct stage s;
    stage_init(&s);
    s.cli.host = &played;
    stage_env(&s, "TMPDIR", s.folder);
    stage_run(&s, "demo|picos");
    stage_assert_rc(&s, RC_UNAVAILABLE);
    stage_assert_err(&s, "hansed did not start");
    ck_assert_int_eq(rmdir(s.folder), 0); /* it is empty */
    ck_assert_int_eq(mkdir(s.folder, 0700), 0);
    stage_fini(&s);
}
END_TEST

START_TEST(a_folder_that_is_there_is_not_written_to)
{
    struct stage s;
    stage_init(&s);
    s.cli.host = &played;
    stage_run(&s, arena_cstr(&s.arena, arena_fmt(&s.arena, "demo|picos|--keep|%s", s.folder)));
    stage_assert_rc(&s, RC_CONFLICT);
    stage_fini(&s);
}
END_TEST

START_TEST(the_live_story_wants_the_operator)
{
    struct stage s;
    stage_init(&s);
    s.cli.host = &played;
    stage_env(&s, "TMPDIR", s.folder);
    stage_run(&s, "demo|live");
    stage_assert_rc(&s, RC_UNAUTHENTICATED);
    stage_assert_err(&s, "hanse setup LINK");
    stage_run(&s, "demo|live|--seconds|0");
    stage_assert_rc(&s, RC_SYNTAX);
    stage_log_in(&s);
    stage_answer(&s, 200,
                 "{\"now\":\"2026-11-01T00:00:00Z\",\"memberships\":[{\"party\":\"pty_1\"}]}");
    stage_run(&s, "demo|live"); /* where things are kept is told to the operator alone */
    stage_assert_rc(&s, RC_FORBIDDEN);
    stage_assert_err(&s, "owner of the operator");
    stage_fini(&s);
}
END_TEST

START_TEST(what_the_live_story_is_paid_is_named_once)
{
    size_t count = 0;
    const struct demo_step *steps = demo_live_close(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i && steps[i].act == DEMO_FIGURE; k++)
            ck_assert(steps[k].act != DEMO_FIGURE || strcmp(steps[i].name, steps[k].name) != 0);
}
END_TEST

START_TEST(every_figure_of_a_document_is_an_amount)
{
    struct err err = {0};
    size_t count = 0;
    const struct demo_case *cases = demo_cases(&count);
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < cases[i].count; k++) {
            const struct demo_step *step = &cases[i].steps[k];
            int64_t amount = 0;
            if (step->said != NULL)
                ck_assert_int_eq(amount_parse(str_c(step->said),
                                              currency_find(str_c(cases[i].currency)), &amount,
                                              &err),
                                 RC_OK);
        }
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told)
{
    const struct host *h = host_system();
    const char *const argv[] = {"no-such-program-of-hanse", NULL};
    struct program p = {.argv = argv, .output = "/dev/null"};
    struct err err = {0};
    int code = 0;
    ck_assert_int_eq(h->run(h, &p, &code, &err), RC_NOT_FOUND);
    const char *const truth[] = {"true", NULL};
    p.argv = truth;
    ck_assert_int_eq(h->run(h, &p, &code, &err), RC_OK);
    ck_assert_int_eq(code, 0);
}
END_TEST

Suite *demo_suite(void);
Suite *demo_suite(void)
{
    Suite *s = suite_create("demo");
    TCase *t = tcase_create("demo");
    tcase_add_test(t, a_case_has_to_be_named);
    tcase_add_test(t, a_server_that_does_not_start_is_told_and_nothing_is_left);
    tcase_add_test(t, a_folder_that_is_there_is_not_written_to);
    tcase_add_test(t, the_live_story_wants_the_operator);
    tcase_add_test(t, what_the_live_story_is_paid_is_named_once);
    tcase_add_test(t, every_figure_of_a_document_is_an_amount);
    tcase_add_test(t, a_program_that_is_not_there_is_told);
    suite_add_tcase(s, t);
    return s;
}
