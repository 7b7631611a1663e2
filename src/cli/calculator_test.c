/*
 * "hanse plan": where the plan comes from, what is printed, and the pictures.
 */
#include "cli/chart.h"
#include "cli/sheet.h"
#include "cli/stage.h"

#include "plan/example.h"

static struct stage stage;

static void setup(void)
{
    stage_init(&stage); /* answers nothing: a request would fail */
}

static void teardown(void)
{
    stage_fini(&stage);
}

static struct str out(void)
{
    return str_n(stage.out_bytes, stage.out_n);
}

START_TEST(every_ready_plan_is_shown_without_a_server)
{
    for (size_t i = 0; i < forecast_example_count; i++) {
        const char *line = arena_fmt(&stage.arena, "plan|%s", forecast_examples[i].name).p;
        (void)stage_run(&stage, line);
        stage_assert_rc(&stage, RC_OK);
        stage_assert_out(&stage, "Cost of a server and month");
        stage_assert_out(&stage, "Beside what was declared");
        stage_assert_out(&stage, "Taken for granted");
        ck_assert(str_is_utf8(out()));
        ck_assert(!str_has(out(), STR(" \n"))); /* no blanks at the end of a line */
        ck_assert(!str_has(out(), STR("\xEF\xBF\xBD")));
    }
}
END_TEST

/* The sentence of the command and the completion name what is ready. */
START_TEST(every_ready_plan_is_named_where_people_look)
{
    for (size_t i = 0; i < forecast_example_count; i++) {
        (void)stage_run(&stage, "help|plan");
        stage_assert_out(&stage, forecast_examples[i].name);
        (void)stage_run(&stage, "completion|bash");
        stage_assert_out(&stage, forecast_examples[i].name);
    }
}
END_TEST

START_TEST(differences_are_printed_with_their_reason)
{
    (void)stage_run(&stage, "plan|rapid-space");
    stage_assert_out(&stage, "declared 168, computed 167.00, difference -1: the nine lines");
    stage_assert_out(&stage, "declared 30, computed 28.00, difference -2: ");
    stage_assert_out(&stage, "declared 20, computed 21.00, difference 1: ");
    stage_assert_out(&stage, "declared 1,000, computed 100.00, difference -900: ");
    (void)stage_run(&stage, "plan|coworking-100");
    stage_assert_out(&stage, "declared 960,000, computed 960,000.00, they agree");
    stage_assert_out(&stage, "paid back after 9.2 months, in month 10");
    stage_assert_out(&stage, "paid back after 24.0 months, in month 24");
}
END_TEST

START_TEST(a_narrow_terminal_is_not_overrun)
{
    stage.cli.out_terminal = true;
    stage_env(&stage, "NO_COLOR", "1");
    static const size_t widths[] = {60, 80, 200};
    for (size_t i = 0; i < COUNT(widths); i++) {
        stage.cli.columns = widths[i];
        (void)stage_run(&stage, "plan|coworking-1000");
        stage_assert_rc(&stage, RC_OK);
        struct str rest = out();
        while (rest.n > 0) {
            struct str line = str_cut(&rest, '\n');
            bool body = str_starts(line, STR("  "));
            ck_assert_msg(!body || text_width(line) <= widths[i], "%zu: %.*s", widths[i],
                          STRF(line));
        }
    }
}
END_TEST

START_TEST(json_is_what_the_table_writes)
{
    (void)stage_run(&stage, "plan|coworking-10|--json");
    stage_assert_rc(&stage, RC_OK);
    const struct json *json = NULL;
    struct err err = {0};
    ck_assert_int_eq(json_parse(out(), &stage.arena, &json, &err), RC_OK);
    ck_assert(str_eq(json_text(json_get(json, STR("cost"))), STR("400.00")));
}
END_TEST

START_TEST(flags_alone_make_a_plan)
{
    (void)stage_run(&stage, "plan|--currency|EUR|--price|195|--costs.network|8|--servers|3|"
                            "--services|name=training,once=3000|--roles|invest,host");
    stage_assert_rc(&stage, RC_OK);
    stage_assert_out(&stage, "3 servers");
    stage_assert_out(&stage, "you invest and host");
    ck_assert(!str_has(out(), STR("Beside what was declared")));
}
END_TEST

START_TEST(flags_change_a_ready_plan_and_leave_the_rest)
{
    (void)stage_run(&stage, "plan|coworking-100|--servers|7|--costs.software|80|--print");
    stage_assert_rc(&stage, RC_OK);
    struct forecast plan;
    struct err err = {0};
    ck_assert_int_eq(forecast_parse(out(), &stage.arena, &plan, &err), RC_OK);
    ck_assert_int_eq(plan.servers, 7);
    ck_assert(str_eq(plan.costs.lines[FORECAST_SOFTWARE], STR("80")));
    ck_assert(str_eq(plan.costs.lines[FORECAST_MANAGEMENT], STR("50")));
    ck_assert(str_eq(plan.price, STR("800")));
    ck_assert_uint_eq(plan.declared.count, 0);
}
END_TEST

START_TEST(a_plan_is_read_from_a_file_or_standard_input)
{
    static const char text[] = "{\"currency\":\"EUR\",\"price\":\"195\"}";
    (void)stage_run_with(&stage, "plan|--file|-|--json", text);
    stage_assert_rc(&stage, RC_OK);
    ck_assert_int_eq(stage_run_with(&stage, "plan|--file|-|--servers|4", text), RC_OK);
    stage_assert_out(&stage, "4 servers");
    ck_assert_int_eq(stage_run(&stage, "plan|--file|/nowhere.json"), RC_NOT_FOUND);
}
END_TEST

START_TEST(what_is_wrong_is_said_by_name)
{
    static const struct {
        const char *line;
        const char *input;
        enum rc rc;
        const char *text;
    } cases[] = {
        {"plan", "", RC_SYNTAX, "name a ready plan"},
        {"plan|coworking-11", "", RC_NOT_FOUND, "rapid-space, coworking-10"},
        {"plan|--currency|EUR", "", RC_INVALID, "'price' is required (at /price)"},
        {"plan|--currency|EUR|--price|1|--costs.network|-8", "", RC_INVALID, "(at /costs/network)"},
        {"plan|--currency|EUR|--price|1|--months|0", "", RC_INVALID, "(at /months)"},
        {"plan|rapid-space|--file|x", "", RC_SYNTAX, "choose one"},
        {"plan|--file|-", "{\"currency\":\"EUR\",\"prize\":\"1\"}", RC_INVALID,
         "did you mean 'price'"},
        {"plan|--file|-|--servers|2", "[]", RC_SYNTAX, "a plan is a JSON object"},
        {"plan|--file|-", "{", RC_SYNTAX, "line 1"},
        {"plan|rapid-space|--profile|x", "", RC_SYNTAX, "has no flag --profile"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)stage_run_with(&stage, cases[i].line, cases[i].input);
        stage_assert_rc(&stage, cases[i].rc);
        stage_assert_err(&stage, cases[i].text);
    }
}
END_TEST

/* --- pictures --- */

static struct str bar(int64_t value, int64_t most, size_t width)
{
    struct buf b;
    buf_init(&b, &stage.arena, 4096);
    chart_bar(&b, value, most, width);
    return buf_str(&b);
}

START_TEST(a_bar_is_an_eighth_of_a_cell_fine)
{
    ck_assert(str_eq(bar(0, 10, 4), STR("")));
    ck_assert(str_eq(bar(10, 10, 4), STR("████")));
    ck_assert(str_eq(bar(5, 10, 3), STR("█▌")));
    ck_assert(str_eq(bar(1, 1000000, 4), STR("▏"))); /* seen, however small */
    ck_assert_uint_eq(text_width(bar(INT64_MAX, INT64_MAX, 40)), 40);
}
END_TEST

static struct str curve(const int64_t *values, size_t count, size_t width)
{
    struct chart c = {.values = values,
                      .count = count,
                      .height = 4,
                      .width = width,
                      .tick = 12,
                      .top = STR("top"),
                      .bottom = STR("low")};
    struct buf b;
    buf_init(&b, &stage.arena, 65536);
    chart_curve(&b, &c);
    ck_assert(!b.full);
    return buf_str(&b);
}

START_TEST(a_curve_stands_on_its_base_and_hangs_below)
{
    static const int64_t values[] = {-200, -100, 0, 100, 200};
    struct str got = curve(values, COUNT(values), 5);
    ck_assert_msg(str_eq(got, STR("top ┤    █\n"
                                  "    │   ██\n"
                                  "  0 ┼─────\n"
                                  "    │██\n"
                                  "low ┤█\n"
                                  "     1\n")),
                  "%.*s", STRF(got));
}
END_TEST

START_TEST(a_curve_of_anything_stays_in_its_frame)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MAX};
    (void)curve(edges, COUNT(edges), 6);
    static const int64_t flat[] = {0, 0, 0};
    (void)curve(flat, COUNT(flat), 72);
    int64_t many[CHART_POINTS_MAX];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (int64_t)i * 1000 - 300000;
    struct str rest = curve(many, COUNT(many), 40);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        ck_assert_uint_le(text_width(line), 40 + 5);
    }
}
END_TEST

START_TEST(amounts_and_shares_read_well)
{
    static const struct {
        const char *from;
        const char *to;
    } cases[] = {{"960000.00", "960,000.00"}, {"-1234567", "-1,234,567"}, {"123", "123"},
                 {"-123.4567", "-123.4567"},  {"0.00", "0.00"},           {"", ""}};
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert(str_eq(sheet_amount(&stage.arena, str_c(cases[i].from)), str_c(cases[i].to)));
    ck_assert(str_eq(sheet_percent(&stage.arena, 413174, false), STR("41.3 %")));
    ck_assert(str_eq(sheet_percent(&stage.arena, 413174, true), STR("41.3174 %")));
    ck_assert(str_eq(sheet_percent(&stage.arena, 500000, true), STR("50 %")));
    ck_assert(str_eq(sheet_percent(&stage.arena, 50100, true), STR("5.01 %")));
    ck_assert(str_eq(sheet_percent(&stage.arena, -50000, true), STR("-5 %")));
}
END_TEST

Suite *calculator_suite(void);
Suite *calculator_suite(void)
{
    TCase *t = tcase_create("calculator");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_ready_plan_is_shown_without_a_server);
    tcase_add_test(t, every_ready_plan_is_named_where_people_look);
    tcase_add_test(t, differences_are_printed_with_their_reason);
    tcase_add_test(t, a_narrow_terminal_is_not_overrun);
    tcase_add_test(t, json_is_what_the_table_writes);
    tcase_add_test(t, flags_alone_make_a_plan);
    tcase_add_test(t, flags_change_a_ready_plan_and_leave_the_rest);
    tcase_add_test(t, a_plan_is_read_from_a_file_or_standard_input);
    tcase_add_test(t, what_is_wrong_is_said_by_name);
    tcase_add_test(t, a_bar_is_an_eighth_of_a_cell_fine);
    tcase_add_test(t, a_curve_stands_on_its_base_and_hangs_below);
    tcase_add_test(t, a_curve_of_anything_stays_in_its_frame);
    tcase_add_test(t, amounts_and_shares_read_well);
    Suite *s = suite_create("calculator");
    suite_add_tcase(s, t);
    return s;
}
