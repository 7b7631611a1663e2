#include "cli/stage.h"

static struct stage stage;

static void up(void)
{
    stage_init(&stage);
    stage_log_in(&stage);
}

static void down(void)
{
    stage_fini(&stage);
}

static const char *report(int accepted, int repeated)
{
    return arena_fmt(&stage.arena,
                     "{\"accepted\":%d,\"repeated\":%d,\"refused\":0,\"conflicts\":[]}", accepted,
                     repeated)
        .p;
}

START_TEST(events_one_a_line_an_array_and_one_alone_become_batches)
{
    stage_answer(&stage, 200, report(2, 0));
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\n"),
                     RC_OK);
    ck_assert(str_eq(stage.requests[0].body, STR("[{\"id\":\"a\"},{\"id\":\"b\"}]")));
    stage_assert_out(&stage, "2");
    stage_answer(&stage, 200, report(1, 1));
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "[ {\"id\":\"a\"},\n {\"id\":\"b\"} ]"),
                     RC_OK);
    ck_assert(str_eq(stage.requests[0].body, STR("[{\"id\":\"a\"},{\"id\":\"b\"}]")));
    stage_answer(&stage, 200, report(1, 0));
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "{\n\"id\": \"a\"\n}"), RC_OK);
    ck_assert(str_starts(stage.requests[0].url, STR("http://127.0.0.1")));
    ck_assert(str_has(stage.requests[0].url, STR("/v1/usage")));
}
END_TEST

START_TEST(many_events_are_several_calls_and_one_sum)
{
    struct buf b;
    buf_init(&b, &stage.arena, (size_t)1024 * 1024);
    for (int i = 0; i < 12000; i++)
        buf_fmt(&b, "{\"id\":\"%d\"}\n", i);
    stage_answer(&stage, 200, report(5000, 0));
    stage_answer(&stage, 200, report(5000, 0));
    stage_answer(&stage, 200, report(1500, 500));
    ck_assert_int_eq(
        stage_run_with(&stage, "usage|send|-|--json", arena_cstr(&stage.arena, buf_str(&b))),
        RC_OK);
    stage_assert_out(&stage, "\"accepted\":11500");
    stage_assert_out(&stage, "\"repeated\":500");
    ck_assert(str_ends(stage.requests[1].body, STR("{\"id\":\"9999\"}]")));
}
END_TEST

START_TEST(a_binary_batch_goes_as_it_is)
{
    char bytes[64 * 3] = "HNSUSG01";
    const char *path = stage_path(&stage, "usage.bin");
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    (void)fclose(file);
    stage_answer(&stage, 200, report(2, 0));
    ck_assert_int_eq(stage_run(&stage, arena_fmt(&stage.arena, "usage|send|%s", path).p), RC_OK);
    ck_assert(str_eq(stage.requests[0].body, str_n(bytes, sizeof bytes)));
    ck_assert(str_has(stage.requests[0].headers, STR("application/vnd.hanse.usage")));
}
END_TEST

START_TEST(what_was_refused_is_told_and_fails)
{
    stage_answer(&stage, 200,
                 "{\"accepted\":1,\"repeated\":0,\"refused\":1,\"conflicts\":[\"a\"]}");
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n"),
                     RC_CONFLICT);
    stage_assert_err(&stage, "refused: a");
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", " \n"), RC_SYNTAX);
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "[{]"), RC_SYNTAX);
    ck_assert_int_eq(stage_run_with(&stage, "usage|send|-", "HNSUSG01 short"), RC_SYNTAX);
    ck_assert_int_eq(stage_run(&stage, "usage|send|nowhere"), RC_NOT_FOUND);
    ck_assert_int_eq(stage_run(&stage, "usage|send"), RC_SYNTAX);
}
END_TEST

Suite *usage_send_suite(void);
Suite *usage_send_suite(void)
{
    Suite *s = suite_create("usage_send");
    TCase *c = tcase_create("usage_send");
    tcase_add_checked_fixture(c, up, down);
    tcase_add_test(c, events_one_a_line_an_array_and_one_alone_become_batches);
    tcase_add_test(c, many_events_are_several_calls_and_one_sum);
    tcase_add_test(c, a_binary_batch_goes_as_it_is);
    tcase_add_test(c, what_was_refused_is_told_and_fails);
    suite_add_tcase(s, c);
    return s;
}
