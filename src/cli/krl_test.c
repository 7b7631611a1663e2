#include "cli/stage.h"

static struct stage stage;

static void up(void)
{
    stage_init(&stage);
}

static void down(void)
{
    stage_fini(&stage);
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = stage_path(&stage, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs(text, file);
    (void)fclose(file);
    return path;
}

static const char ruleset[] =
    "ruleset a.b { meta { shares hi } global { hi = function(n) { \"Hi \" + n } }\n"
    "rule r { select when x y\nsend_directive(\"d\", event:attrs) } }\n";

static enum rc run(const char *command, const char *file, const char *more, const char *input)
{
    return stage_run_with(&stage, arena_fmt(&stage.arena, "krl|%s|%s%s", command, file, more).p,
                          input);
}

START_TEST(a_ruleset_is_checked_without_a_server)
{
    ck_assert_int_eq(run("check", write_file("good.krl", ruleset), "", NULL), RC_OK);
    stage_assert_out(&stage, "a.b: 1 rules, 1 shared functions\n");
    ck_assert_int_eq(
        run("check", write_file("bad.krl", "ruleset a { global { x = y } }"), "", NULL), RC_SYNTAX);
    stage_assert_err(&stage, "hanse: Error: Undefined id: y [at line 1 col 26]\n");
    ck_assert_int_eq(run("check", write_file("list.krl", "1 + 2"), "", NULL), RC_INVALID);
    ck_assert_int_eq(run("check", "nowhere.krl", "", NULL), RC_NOT_FOUND);
    ck_assert_int_eq(stage_run(&stage, "krl|check"), RC_SYNTAX);
}
END_TEST

START_TEST(events_and_queries_are_played)
{
    const char *file = write_file("good.krl", ruleset);
    ck_assert_int_eq(run("run", file, "|x:y {\"k\": 1}|hi {\"n\": 5}", NULL), RC_OK);
    stage_assert_out(&stage, "directive d {\"k\":1}\n\"Hi 5\"\n");
    ck_assert_int_eq(run("run", file, "", "hi {\"n\": 6}\n"), RC_OK);
    stage_assert_out(&stage, "\"Hi 6\"\n");
    ck_assert_int_eq(run("run", file, "|nothing", NULL), RC_NOT_FOUND);
    ck_assert_int_eq(run("run", write_file("list.krl", "x = 20 x + 1"), "", NULL), RC_OK);
    stage_assert_out(&stage, "21\n");
    ck_assert_int_eq(run("run", write_file("list.krl", "1 +\n \"a\" - 1"), "", NULL), RC_INVALID);
    stage_assert_err(&stage, "at line 2, column 6\n");
}
END_TEST

START_TEST(what_is_no_step_is_refused)
{
    const char *file = write_file("good.krl", ruleset);
    ck_assert_int_eq(run("run", file, "|:y", NULL), RC_SYNTAX);
    stage_assert_err(&stage, "hanse: an event is DOMAIN:NAME, not ':y'\n");
    ck_assert_int_eq(run("run", write_file("list.krl", "1 + 2"), "|x:y", NULL), RC_INVALID);
    stage_assert_err(&stage, "hanse: only a ruleset takes steps: this is none\n");
}
END_TEST

START_TEST(the_layout_is_printed)
{
    ck_assert_int_eq(run("fmt", write_file("good.krl", "a = [1 ,\n2]"), "", NULL), RC_OK);
    stage_assert_out(&stage, "a = [1,\n  2]\n");
}
END_TEST

START_TEST(the_prompt_keeps_what_was_declared)
{
    ck_assert_int_eq(stage_run_with(&stage, "krl", "x = 2\nx * 21\nnope\n\"a\" + x\n"), RC_OK);
    stage_assert_out(&stage, "42\nError: Undefined id: nope [at line 2 col 1]\n\"a2\"\n");
}
END_TEST

START_TEST(the_prompt_keeps_declarations_that_log_and_nothing_else)
{
    ck_assert_int_eq(stage_run_with(&stage, "krl", "x = 1.klog(\"m\")\nnull\nx +\n"), RC_OK);
    stage_assert_out(&stage, "log klog m 1\nlog klog m 1\nundefined\n"
                             "ParseError: Expected an expression [at line 2 col 3]\n");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_passed_over)
{
    enum { LONG = 20000 };
    char *input = arena_bytes(&stage.arena, LONG + 16);
    memset(input, 'a', LONG);
    (void)snprintf(input + LONG, 16, "\n1 + 1\n");
    ck_assert_int_eq(stage_run_with(&stage, "krl", input), RC_OK);
    stage_assert_out(&stage, "a line has at most 16382 bytes\n2\n");
}
END_TEST

Suite *krl_suite(void);
Suite *krl_suite(void)
{
    Suite *s = suite_create("krl");
    TCase *t = tcase_create("commands");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, a_ruleset_is_checked_without_a_server);
    tcase_add_test(t, events_and_queries_are_played);
    tcase_add_test(t, what_is_no_step_is_refused);
    tcase_add_test(t, the_layout_is_printed);
    tcase_add_test(t, the_prompt_keeps_what_was_declared);
    tcase_add_test(t, the_prompt_keeps_declarations_that_log_and_nothing_else);
    tcase_add_test(t, a_line_that_is_too_long_is_passed_over);
    suite_add_tcase(s, t);
    return s;
}
