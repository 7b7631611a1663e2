#include "cli/show.h"

#include "cli/stage.h"

static struct stage stage;

static void setup(void)
{
    stage_init(&stage);
    stage_log_in(&stage);
}

static void teardown(void)
{
    stage_fini(&stage);
}

static void on_terminal(size_t columns)
{
    stage.cli.out_terminal = true;
    stage.cli.columns = columns;
}

static const char tokens[] =
    "{\"items\":["
    "{\"id\":\"tok_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"name\":\"nightly\",\"party\":null,"
    "\"scopes\":[\"party:read\",\"party:write\"],\"created\":\"2026-11-22T01:57:28.5Z\","
    "\"ends\":\"2027-01-02T03:04:05Z\",\"used\":null},"
    "{\"id\":\"tok_02jd8v3q7w4k2m9x6c5b1n0h8z\",\"name\":\"\xE5\x8C\x97\xE4\xBA\xAC\","
    "\"party\":null,\"scopes\":[\"self:read\"],\"created\":\"2026-11-22T01:57:28Z\","
    "\"ends\":null,\"used\":null}],\"next\":null}";

START_TEST(tables_are_aligned_by_columns_and_leave_out_what_is_empty)
{
    stage_answer(&stage, 200, tokens);
    ck_assert_int_eq(stage_run(&stage, "token|list"), RC_OK);
    ck_assert_str_eq(
        stage.out_bytes,
        "ID                              NAME     SCOPES                   ENDS (UTC)\n"
        "tok_01jd8v3q7w4k2m9x6c5b1n0h8z  nightly  party:read, party:write  "
        "2027-01-02 03:04:05\n"
        "tok_02jd8v3q7w4k2m9x6c5b1n0h8z  \xE5\x8C\x97\xE4\xBA\xAC     self:read\n");
}
END_TEST

START_TEST(wide_shows_every_column)
{
    stage_answer(&stage, 200, tokens);
    ck_assert_int_eq(stage_run(&stage, "token|list|--wide"), RC_OK);
    stage_assert_out(&stage, "CREATED (UTC)");
    stage_assert_out(&stage, "2026-11-22 01:57:28");
}
END_TEST

/* Every width: no line is wider than the terminal, and ids are whole. */
START_TEST(narrow_terminals_cut_long_cells_or_turn_rows_into_blocks)
{
    for (size_t columns = 45; columns < 120; columns++) {
        on_terminal(columns);
        stage_env(&stage, "NO_COLOR", "1");
        stage_answer(&stage, 200, tokens);
        ck_assert_int_eq(stage_run(&stage, "token|list"), RC_OK);
        struct str rest = str_n(stage.out_bytes, stage.out_n);
        while (rest.n > 0) {
            struct str line = str_cut(&rest, '\n');
            ck_assert_msg(text_width(line) <= columns, "%zu columns: %.*s", columns, STRF(line));
        }
        stage_assert_out(&stage, "tok_02jd8v3q7w4k2m9x6c5b1n0h8z");
        if (columns == 72)
            stage_assert_out(&stage, "\xE2\x80\xA6");
        if (columns == 45)
            stage_assert_out(&stage, "scopes  self:read\n");
        for (size_t i = 2; i < STAGE_ENVIRONMENT_MAX; i++)
            stage.environment[i] = NULL;
    }
}
END_TEST

START_TEST(numbers_stand_to_the_right)
{
    stage_answer(&stage, 200,
                 "{\"items\":[{\"id\":\"a\",\"version\":7},{\"id\":\"b\",\"version\":1234}],"
                 "\"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "party|list|--wide"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "ID  VERSION\na         7\nb      1234\n");
}
END_TEST

START_TEST(an_empty_list_says_so_and_what_to_do)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"party|list", "no parties yet; see: hanse help party create\n"},
        {"party|list|--limit|5|--sort|name", "no parties yet; see: hanse help party create\n"},
        {"party|list|--kind|person", "no parties match; leave out --kind to see more\n"},
        {"party|list|--after|abc", "no more parties\n"},
        {"session|list", "no sessions yet\n"},
        {"audit|list|pty_01jd8v3q7w4k2m9x6c5b1n0h8z", "no audit entries yet\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        stage_answer(&stage, 200, "{\"items\":[],\"next\":null}");
        ck_assert_int_eq(stage_run(&stage, cases[i].line), RC_OK);
        ck_assert_str_eq(stage.out_bytes, cases[i].want);
    }
}
END_TEST

START_TEST(more_pages_are_hinted_at_beside_the_table)
{
    stage_answer(&stage, 200, "{\"items\":[{\"id\":\"a\"}],\"next\":\"cur\"}");
    ck_assert_int_eq(stage_run(&stage, "party|list"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "ID\na\n");
    ck_assert_str_eq(stage.err_bytes, "there is more: add --all, or --after cur\n");
}
END_TEST

START_TEST(all_follows_the_pages_to_the_end)
{
    stage_answer(&stage, 200, "{\"items\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"next\":\"c 1\"}");
    stage_answer(&stage, 200, "{\"items\":[{\"id\":\"c\"}],\"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "party|list|--all|--kind|company|--json"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "[\n{\"id\":\"a\"},\n{\"id\":\"b\"},\n{\"id\":\"c\"}\n]\n");
    ck_assert_uint_eq(stage.err_n, 0);
    ck_assert(str_ends(stage.requests[0].url, STR("/v1/parties?kind=company&limit=200")));
    ck_assert(str_ends(stage.requests[1].url, STR("?kind=company&limit=200&after=c%201")));

    stage_answer(&stage, 200, "{\"items\":[],\"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "session|list|--all|--json"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "[\n]\n");
}
END_TEST

START_TEST(pages_that_never_end_are_given_up)
{
    stage_answer(&stage, 200, "{\"items\":[],\"next\":\"x\"}");
    stage_answer(&stage, 200, "{\"items\":[],\"next\":\"x\"}");
    ck_assert_int_eq(stage_run(&stage, "party|list|--all"), RC_REMOTE);
    stage_assert_err(&stage, "do not end");
}
END_TEST

START_TEST(json_is_what_the_server_sent)
{
    stage_answer(&stage, 200, "{ \"items\":\t[], \"next\":null}");
    ck_assert_int_eq(stage_run(&stage, "party|list|--json"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "{ \"items\":\t[], \"next\":null}\n");
    stage_answer(&stage, 200, "{\"id\":\"a\",\"later\":1}\n");
    ck_assert_int_eq(stage_run(&stage, "me|show|--json"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "{\"id\":\"a\",\"later\":1}\n");
}
END_TEST

START_TEST(csv_is_the_servers_and_its_pages_join)
{
    stage_answer_with(&stage, 200, "link", "</v1/parties?limit=2&after=a%3D1>; rel=\"next\"",
                      "id,name\r\na,\"x\"\"y\"\r\n");
    ck_assert_int_eq(stage_run(&stage, "party|list|--csv|--limit|2"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "id,name\r\na,\"x\"\"y\"\r\n");
    stage_assert_err(&stage, "--after a=1");
    ck_assert(str_has(stage.requests[0].headers, STR("Accept: text/csv\n")));

    stage_answer_with(&stage, 200, "link", "<https://x/v1/parties?after=a%3D1>; rel=\"next\"",
                      "id,name\r\na,1\r\n");
    stage_answer(&stage, 200, "id,name\r\nb,2\r\n");
    ck_assert_int_eq(stage_run(&stage, "party|list|--csv|--all"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "id,name\r\na,1\r\nb,2\r\n");
    ck_assert(str_ends(stage.requests[1].url, STR("/v1/parties?limit=200&after=a%3D1")));
}
END_TEST

START_TEST(one_resource_is_lines_of_label_and_value)
{
    stage_answer(
        &stage, 200,
        "{\"id\":\"pty_1\",\"kind\":\"company\",\"name\":\"Nord\\u0007\",\"legal_name\":"
        "null,\"address\":{\"city\":\"Paris\",\"country\":\"FR\"},\"bank\":{\"iban\":null},"
        "\"tax_ids\":[{\"scheme\":\"vat\",\"value\":\"FR1\"}],\"taxable\":true,"
        "\"created\":\"2026-11-22T01:57:28Z\",\"unknown\":\"later\"}");
    ck_assert_int_eq(stage_run(&stage, "party|show|pty_1"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "id         pty_1\n"
                                      "kind       company\n"
                                      "name       Nord\xEF\xBF\xBD\n"
                                      "address\n"
                                      "  city     Paris\n"
                                      "  country  FR\n"
                                      "tax ids\n"
                                      "  SCHEME  VALUE\n"
                                      "  vat     FR1\n"
                                      "taxable    yes\n"
                                      "created    2026-11-22 01:57:28 UTC\n");
    stage_answer(&stage, 200, "{\"id\":\"pty_1\",\"unknown\":\"later\",\"phone\":null}");
    ck_assert_int_eq(stage_run(&stage, "party|show|pty_1|--wide"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "id       pty_1\nphone\nunknown  later\n");
}
END_TEST

START_TEST(nothing_to_show_is_said_in_one_line)
{
    stage_answer(&stage, 204, "");
    ck_assert_int_eq(stage_run(&stage, "token|delete|tok_1"), RC_OK);
    ck_assert_str_eq(stage.out_bytes, "done: token delete tok_1\n");
    stage_answer(&stage, 204, "");
    ck_assert_int_eq(stage_run(&stage, "token|delete|tok_1|--json"), RC_OK);
    ck_assert_uint_eq(stage.out_n, 0);
}
END_TEST

START_TEST(colours_are_for_terminals_that_want_them)
{
    stage_answer(&stage, 200, tokens);
    (void)stage_run(&stage, "token|list");
    ck_assert(!stage_out_has(&stage, "\033["));
    on_terminal(200);
    stage_answer(&stage, 200, tokens);
    (void)stage_run(&stage, "token|list");
    stage_assert_out(&stage, "\033[1mID");
    stage_env(&stage, "NO_COLOR", "1");
    stage_answer(&stage, 200, tokens);
    (void)stage_run(&stage, "token|list");
    ck_assert(!stage_out_has(&stage, "\033["));
}
END_TEST

Suite *show_suite(void);
Suite *show_suite(void)
{
    Suite *s = suite_create("show");
    TCase *c = tcase_create("show");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, tables_are_aligned_by_columns_and_leave_out_what_is_empty);
    tcase_add_test(c, wide_shows_every_column);
    tcase_add_test(c, narrow_terminals_cut_long_cells_or_turn_rows_into_blocks);
    tcase_add_test(c, numbers_stand_to_the_right);
    tcase_add_test(c, an_empty_list_says_so_and_what_to_do);
    tcase_add_test(c, more_pages_are_hinted_at_beside_the_table);
    tcase_add_test(c, all_follows_the_pages_to_the_end);
    tcase_add_test(c, pages_that_never_end_are_given_up);
    tcase_add_test(c, json_is_what_the_server_sent);
    tcase_add_test(c, csv_is_the_servers_and_its_pages_join);
    tcase_add_test(c, one_resource_is_lines_of_label_and_value);
    tcase_add_test(c, nothing_to_show_is_said_in_one_line);
    tcase_add_test(c, colours_are_for_terminals_that_want_them);
    suite_add_tcase(s, c);
    return s;
}
