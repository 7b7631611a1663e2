/* How hanse shows services as other sites see them. */
#include "cli/stage.h"

static const char answer[] =
    "{\"service\":\"svc_01jd8v3q7w4k2m9x6c5b1n0h8z\",\"watched\":true,\"places\":3,"
    "\"every_s\":60,\"port\":\"web\",\"kind\":\"http\",\"state\":\"failing\","
    "\"text\":\"2 of 3 places hold it to be down: FR Paris (nobody answers)\","
    "\"seen_from\":[{\"country\":\"FR\",\"city\":\"Paris\",\"seen\":\"down\",\"late\":false,"
    "\"looked\":\"2026-11-26T10:00:00Z\",\"total_us\":0,\"text\":\"nobody answers\"},"
    "{\"country\":\"CN\",\"city\":\"Shanghai\",\"seen\":\"up\",\"late\":true,"
    "\"looked\":\"2026-11-26T09:00:00Z\",\"total_us\":181500}],"
    "\"seen_daily\":["
    "{\"day\":\"2026-11-26\",\"country\":\"FR\",\"city\":\"Paris\",\"probes\":100,"
    "\"failures\":50,\"percent\":\"50.000\",\"p50_us\":12000,\"p95_us\":30000},"
    "{\"day\":\"2026-11-25\",\"country\":\"FR\",\"city\":\"Paris\",\"probes\":1440,"
    "\"failures\":0,\"percent\":\"100.000\",\"p50_us\":11000,\"p95_us\":15000}]}";

START_TEST(a_table_by_city_and_day_with_charts)
{
    struct stage s;
    stage_init(&s);
    stage_log_in(&s);
    stage_answer(&s, 200, answer);
    stage_run(&s, "service|vantage|svc_01jd8v3q7w4k2m9x6c5b1n0h8z|--days|30");
    stage_assert_rc(&s, RC_OK);
    ck_assert(str_has(s.requests[0].url,
                      STR("/v1/services/svc_01jd8v3q7w4k2m9x6c5b1n0h8z/vantage?days=30")));
    stage_assert_out(&s, "down, looked at by http at its port web from 3 places each 60 s");
    stage_assert_out(&s, "2 of 3 places");
    stage_assert_out(&s, "FR Paris");
    stage_assert_out(&s, "not heard");
    stage_assert_out(&s, "181.5 ms");
    stage_assert_out(&s, "50.000 %");
    stage_assert_out(&s, "██████████");
    stage_assert_out(&s, "30.0 ms");
    stage_assert_out(&s, "FR Paris, 95 of 100 looks by day:");
    stage_fini(&s);
}
END_TEST

START_TEST(json_comes_as_it_is_and_what_is_odd_is_no_failure)
{
    struct stage s;
    stage_init(&s);
    stage_log_in(&s);
    stage_answer(&s, 200, answer);
    stage_run(&s, "service|vantage|svc_01jd8v3q7w4k2m9x6c5b1n0h8z|--json");
    stage_assert_out(&s, "\"seen_daily\"");
    stage_answer(&s, 200, "{\"watched\":false}");
    stage_run(&s, "service|vantage|svc_01jd8v3q7w4k2m9x6c5b1n0h8z");
    stage_assert_out(&s, "nobody looks at it");
    stage_answer(&s, 200,
                 "{\"watched\":true,\"state\":7,\"seen_from\":{},\"seen_daily\":[{\"probes\":-3,"
                 "\"failures\":9},7]}");
    stage_run(&s, "service|vantage|svc_01jd8v3q7w4k2m9x6c5b1n0h8z");
    stage_assert_rc(&s, RC_OK);
    stage_answer(&s, 200,
                 "{\"seen_daily\":[{\"day\":\"2026-11-26\",\"country\":\"DE\",\"city\":\"Bonn\","
                 "\"services\":12,\"probes\":10,\"failures\":1,\"percent\":\"90.000\"}]}");
    stage_run(&s, "site|vantage|sit_01jd8v3q7w4k2m9x6c5b1n0h8z");
    stage_assert_rc(&s, RC_OK);
    stage_assert_out(&s, "DE Bonn");
    stage_assert_out(&s, "services");
    stage_fini(&s);
}
END_TEST

Suite *vantage_show_suite(void);
Suite *vantage_show_suite(void)
{
    Suite *s = suite_create("vantage_show");
    TCase *t = tcase_create("vantage_show");
    tcase_add_test(t, a_table_by_city_and_day_with_charts);
    tcase_add_test(t, json_comes_as_it_is_and_what_is_odd_is_no_failure);
    suite_add_tcase(s, t);
    return s;
}
