/*
 * The planner over HTTP: the ready plans as the library computes them, and what is refused.
 */
#include "api/api_fixture.h"
#include "plan/example.h"

static struct house *house;

static void open_house(void)
{
    house = house_open();
}

static void close_house(void)
{
    house_close(house);
}

static struct answer calculate(const char *body)
{
    return ask(house, NULL, "POST", STR("/v1/calculator"), STR(""), str_c(body));
}

/* What the command line computes and prints for the same plan. */
static struct str computed(const char *json)
{
    struct err err = {0};
    struct forecast plan;
    struct forecast_answer answer;
    ck_assert_int_eq(forecast_parse(str_c(json), &house->arena, &plan, &err), RC_OK);
    ck_assert_int_eq(forecast_compute(&plan, &house->arena, &answer, &err), RC_OK);
    struct buf b;
    buf_init(&b, &house->arena, (size_t)1024 * 1024);
    struct json_writer w;
    json_writer_init(&w, &b);
    schema_encode(&forecast_answer_schema, &answer, &w);
    ck_assert(!b.full);
    return buf_str(&b);
}

START_TEST(every_ready_plan_is_answered_as_the_library_computes_it)
{
    for (size_t i = 0; i < forecast_example_count; i++) {
        struct answer a = calculate(forecast_examples[i].json);
        ck_assert_msg(a.status == 200, "%.*s", STRF(a.body));
        ck_assert(str_eq(str_trim(a.body), computed(forecast_examples[i].json)));
    }
}
END_TEST

START_TEST(the_longest_plan_is_answered)
{
    struct answer a = calculate("{\"currency\":\"EUR\",\"price\":\"195.123456789\",\"months\":120,"
                                "\"servers\":100000,\"costs\":{\"network\":\"100000000\"}}");
    ck_assert_msg(a.status == 200, "%.*s", STRF(a.body));
    const struct json *json = NULL;
    struct err err = {0};
    ck_assert_int_eq(json_parse(a.body, &house->arena, &json, &err), RC_OK);
    ck_assert_uint_eq(json_get(json, STR("months"))->n, 120);
    ck_assert_uint_eq(json_get(json, STR("years"))->n, 10);
}
END_TEST

START_TEST(wrong_input_is_refused_by_field)
{
    static const struct {
        const char *body;
        int status;
        const char *text;
    } cases[] = {
        {"{\"currency\":\"EUR\",\"price\":195}", 422, "\"#/price\""},
        {"{\"currency\":\"EUR\",\"price\":\"195\",\"server\":1}", 422, "did you mean 'servers'"},
        {"{\"currency\":\"EUR\",\"price\":\"195\",\"months\":1000000}", 422, "\"#/months\""},
        {"{\"currency\":\"EUR\",\"price\":\"195\",\"costs\":{\"network\":\"-8\"}}", 422,
         "\"#/costs/network\""},
        {"{\"currency\":\"ECU\",\"price\":\"195\"}", 422, "\"#/currency\""},
        {"{\"currency\":\"EUR\",\"price\":\"195\",\"server_price\":\"6000\"}", 422,
         "\"#/useful_months\""},
        {"{\"currency\":\"EUR\"", 400, "problem"},
        {"[]", 400, "expected an object"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct answer a = calculate(cases[i].body);
        ck_assert_msg(a.status == cases[i].status, "%s: %.*s", cases[i].body, STRF(a.body));
        ck_assert_msg(str_has(a.body, str_c(cases[i].text)), "%s: %.*s", cases[i].body,
                      STRF(a.body));
    }
}
END_TEST

Suite *calculator_routes_suite(void);
Suite *calculator_routes_suite(void)
{
    TCase *t = tcase_create("calculator_routes");
    tcase_add_checked_fixture(t, open_house, close_house);
    tcase_add_test(t, every_ready_plan_is_answered_as_the_library_computes_it);
    tcase_add_test(t, the_longest_plan_is_answered);
    tcase_add_test(t, wrong_input_is_refused_by_field);
    Suite *s = suite_create("calculator_routes");
    suite_add_tcase(s, t);
    return s;
}
