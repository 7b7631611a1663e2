#include "meter/meter_fixture.h"
#include "meter/source.h"

#define HOUR US_PER_HOUR

enum { WIRE_MAX = 8 };

static struct metered make_one(struct tx *tx)
{
    struct metered m;
    metered_make(tx, 1, tx->arena, &m);
    return m;
}

static struct usage_record hour_of(const struct metered *m, enum meter_kind kind, const char *id,
                                   int64_t hour, int64_t quantity)
{
    return (struct usage_record){.id = str_c(id),
                                 .subscription = m->subscriptions[0],
                                 .meter = m->meters[kind],
                                 .from = WORLD_START + hour * HOUR,
                                 .until = WORLD_START + (hour + 1) * HOUR,
                                 .quantity = {quantity, 0}};
}

static struct usage_report take(struct tx *tx, const struct metered *m, const char *source,
                                const struct usage_record *records, size_t count)
{
    struct usage_report report = {0};
    OK(tx, usage_take(tx, m->op, str_c(source), records, count, &report));
    return report;
}

static void check_report(struct usage_report got, int64_t accepted, int64_t repeated,
                         int64_t refused)
{
    ck_assert_int_eq(got.accepted, accepted);
    ck_assert_int_eq(got.repeated, repeated);
    ck_assert_int_eq(got.refused, refused);
}

static int64_t count_of(struct tx *tx, const char *sql)
{
    struct rows rows;
    OK(tx, sql_rows_text(tx, &rows, str_c(sql), NULL, 0));
    return row_int(&rows, 0, 0);
}

TX_TEST(an_event_counts_once_for_ever)
{
    struct metered m = make_one(tx);
    struct usage_record r[] = {hour_of(&m, METER_SUM, "a", 0, 5), hour_of(&m, METER_SUM, "b", 1, 7),
                               hour_of(&m, METER_SUM, "a", 0, 5)};
    check_report(take(tx, &m, "urn:a", r, 3), 2, 1, 0);
    check_report(take(tx, &m, "urn:a", r, 2), 0, 2, 0);
    check_report(take(tx, &m, "urn:b", r, 1), 1, 0, 0); /* another source, another record */
    metered_fold(tx);
    check_report(take(tx, &m, "urn:a", r, 3), 0, 3, 0);
    metered_fold(tx);
    struct quantity q = metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START);
    ck_assert_int_eq(q.mantissa, 1700);
    ck_assert_int_eq(q.scale, 2);
}

TX_TEST(another_body_under_a_known_id_is_refused_and_raised_once)
{
    struct metered m = make_one(tx);
    struct usage_record r = hour_of(&m, METER_SUM, "a", 0, 5);
    struct usage_record other = hour_of(&m, METER_SUM, "a", 0, 6);
    struct usage_record both[] = {hour_of(&m, METER_SUM, "c", 2, 1), r, other};
    check_report(take(tx, &m, "urn:a", &r, 1), 1, 0, 0);
    struct usage_report report = take(tx, &m, "urn:a", both, 3);
    check_report(report, 1, 1, 1);
    SAME(((const struct str *)report.conflicts.items)[0], STR("a"));
    check_report(take(tx, &m, "urn:a", &other, 1), 0, 0, 1);
    ck_assert_int_eq(count_of(tx, "SELECT COUNT(*) FROM usage_conflict"), 1);
    metered_fold(tx);
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 600);
}

TX_TEST(numbers_come_in_any_order_and_count_once)
{
    struct metered m = make_one(tx);
    struct usage_record r[6];
    for (int i = 0; i < 6; i++) {
        r[i] = hour_of(&m, METER_SUM, "", i, 1 << i);
        r[i].number = UINT64_C(10) * ((uint64_t)i + 1);
    }
    struct usage_record backwards[] = {r[5], r[1], r[5]};
    check_report(take(tx, &m, "urn:n", backwards, 3), 2, 1, 0);
    check_report(take(tx, &m, "urn:n", r, 4), 3, 1, 0); /* 10, 30, 40 come late */
    check_report(take(tx, &m, "urn:n", r, 6), 1, 5, 0);
    struct usage_record other = r[2];
    other.quantity.mantissa = 99;
    check_report(take(tx, &m, "urn:n", &other, 1), 0, 0, 1);
    metered_fold(tx);
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 6300);
}

TX_TEST(a_correction_stands_for_what_it_corrects)
{
    static const enum meter_kind kinds[] = {METER_SUM, METER_MAX, METER_LAST, METER_TIME_WEIGHTED,
                                            METER_P95};
    static const int64_t want[] = {300, 300, 300, 3600 * 300, 300};
    struct metered m = make_one(tx);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *id = arena_fmt(tx->arena, "a%zu", i).p;
        struct usage_record a = hour_of(&m, kinds[i], id, 0, 5);
        struct usage_record b = hour_of(&m, kinds[i], arena_fmt(tx->arena, "b%zu", i).p, 0, 3);
        struct usage_record c = hour_of(&m, kinds[i], arena_fmt(tx->arena, "c%zu", i).p, 0, 4);
        b.supersedes = a.id;
        c.supersedes = a.id;
        check_report(take(tx, &m, "urn:a", &a, 1), 1, 0, 0);
        if (i % 2)
            metered_fold(tx);
        check_report(take(tx, &m, "urn:a", &b, 1), 1, 0, 0);
        check_report(take(tx, &m, "urn:a", &c, 1), 0, 0, 1); /* it was corrected before */
        check_report(take(tx, &m, "urn:a", &a, 1), 0, 1, 0);
        metered_fold(tx);
        struct quantity q = metered_total(tx, m.subscriptions[0], m.meters[kinds[i]], WORLD_START);
        ck_assert_msg(q.mantissa == want[i], "%s: %lld", meter_kinds[kinds[i]],
                      (long long)q.mantissa);
    }
    struct usage_record lost = hour_of(&m, METER_SUM, "x", 0, 3);
    struct usage_report report;
    lost.supersedes = STR("nothing");
    FAILS(tx, RC_INVALID, "/0/data/supersedes",
          usage_take(tx, m.op, STR("urn:a"), &lost, 1, &report));
}

TX_TEST(what_is_wrong_is_named_and_nothing_of_the_call_is_kept)
{
    struct metered m = make_one(tx);
    struct str other = make_party(tx, "Other", m.op);
    struct usage_report report;
    struct usage_record good = hour_of(&m, METER_SUM, "a", 0, 5);
    struct {
        const char *pointer;
        struct usage_record r;
    } wrong[] = {
        {"/0/subject", good},  {"/0/subject", good},  {"/0/type", good},
        {"/0/data/t1", good},  {"/0/data/t0", good},  {"/0/data/qty", good},
        {"/0/data/qty", good}, {"/0/data/qty", good}, {"/0/data/dims/key", good},
        {"/0/id", good},       {"/0/data/t1", good},
    };
    wrong[0].r.subscription = STR("sub_1");
    wrong[1].r.subscription = STR("sub_00000000000000000000000000");
    wrong[2].r.meter = 99;
    wrong[3].r.until = good.from;
    wrong[4].r.from = WORLD_START - 1;
    wrong[5].r.quantity = (struct quantity){5, 3};
    wrong[6].r.quantity = (struct quantity){INT64_MAX, 0};
    wrong[7].r.meter = m.meters[METER_P95];
    wrong[7].r.quantity.mantissa = -1;
    wrong[8].r.meter = m.meters[METER_UNIQUE];
    wrong[9].r.number = UINT64_MAX;
    wrong[10].r.until = good.from + 500 * US_PER_DAY;
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, wrong[i].pointer,
              usage_take(tx, m.op, wrong[i].r.number ? STR("urn:n") : STR("urn:a"), &wrong[i].r, 1,
                         &report));
    struct str own = arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s:o", STRF(other));
    FAILS(tx, RC_INVALID, "/0/subject", usage_take(tx, other, own, &good, 1, &report));
    FAILS(tx, RC_INVALID, "/source", usage_take(tx, m.op, STR("a b"), &good, 1, &report));
    ck_assert_int_eq(count_of(tx, "SELECT COUNT(*) FROM usage_batch"), 0);
    take(tx, &m, "urn:m", &good, 1);
    FAILS(tx, RC_INVALID, "/source", usage_take(tx, other, STR("urn:m"), &good, 1, &report));
    good.number = 1;
    good.id = STR("");
    FAILS(tx, RC_INVALID, "/source", usage_take(tx, m.op, STR("urn:m"), &good, 1, &report));
    OK(tx, usage_take(tx, m.op, STR("urn:m"), NULL, 0, &report));
}

TX_TEST(the_producer_and_the_seller_report_and_nobody_else)
{
    struct metered m = make_one(tx);
    struct str pop = make_party(tx, "Pop", m.op);
    struct subscription s;
    struct usage_report report;
    struct subscription fresh = {
        .agreement = m.agreement, .plan = m.plan, .quantity = STR("1"), .producer = pop};
    OK(tx, subscription_create(tx, &fresh, &s));
    struct usage_record r = hour_of(&m, METER_SUM, "a", 0, 5);
    struct str own = arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s:p", STRF(pop));
    struct str bought = arena_fmt(tx->arena, USAGE_SOURCE_OWN "%.*s:c", STRF(m.client));
    FAILS(tx, RC_INVALID, "/0/subject", usage_take(tx, pop, own, &r, 1, &report));
    r.subscription = s.id;
    OK(tx, usage_take(tx, pop, own, &r, 1, &report));
    FAILS(tx, RC_INVALID, "/0/subject", usage_take(tx, m.client, bought, &r, 1, &report));
}

TX_TEST(sums_beyond_a_quantity_are_kept_and_come_back_exactly)
{
    struct metered m = make_one(tx);
    struct total *totals = NULL;
    size_t count = 0;
    int64_t hour = 0;
    const int64_t much = INT64_C(90000000000000000); /* three of them fit no quantity */
    const int64_t steps[] = {much, much, much, -much, -much, -much, -much, -7, much, 2};
    for (size_t i = 0; i < COUNT(steps); i++, hour++) {
        char id[8];
        (void)snprintf(id, sizeof id, "e%zu", i);
        struct usage_record r = hour_of(&m, METER_SUM, id, hour, steps[i]);
        check_report(take(tx, &m, "urn:a", &r, 1), 1, 0, 0);
        metered_fold(tx); /* each on top of what is there */
        if (i == 2)
            FAILS(tx, RC_INVALID, NULL,
                  total_of(tx, m.subscriptions[0], INT64_MIN, INT64_MAX, &totals, &count));
    }
    struct quantity q = metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START);
    ck_assert_int_eq(q.mantissa, -500);
}

/* --- doors --- */

static struct str wire(struct tx *tx, const char *source, const struct packed *p, size_t count)
{
    struct buf b;
    char header[RECORD_HEADER_BYTES] = "HNSUSG01";
    header[8] = (char)strlen(source);
    for (size_t i = 0; source[i] != '\0'; i++)
        header[10 + i] = source[i];
    buf_init(&b, tx->arena, RECORD_HEADER_BYTES * (WIRE_MAX + 1));
    buf_add(&b, str_n(header, sizeof header));
    for (size_t i = 0; i < count; i++)
        record_write(&b, &p[i]);
    ck_assert(!b.full);
    return buf_str(&b);
}

TX_TEST(the_binary_door_reads_what_is_in_its_one_form)
{
    struct metered m = make_one(tx);
    struct packed p[2] = {{.number = 4,
                           .subscription = id_number(m.subscriptions[0]),
                           .meter = (uint32_t)m.meters[METER_SUM],
                           .scale = 1,
                           .from = WORLD_START,
                           .until = WORLD_START + HOUR,
                           .quantity = 15}};
    p[1] = p[0];
    p[1].number = 5;
    struct usage_record *r = NULL;
    size_t count = 0;
    struct str source;
    struct str body = wire(tx, "urn:node", p, 2);
    OK(tx, usage_read_binary(tx, body, &r, &count, &source));
    ck_assert_uint_eq(count, 2);
    SAME(source, STR("urn:node"));
    SAME(r[1].subscription, m.subscriptions[0]);
    ck_assert_uint_eq(r[1].number, 5);
    check_report(take(tx, &m, "urn:node", r, count), 2, 0, 0);
    metered_fold(tx);
    ck_assert_int_eq(
        metered_total(tx, m.subscriptions[0], m.meters[METER_SUM], WORLD_START).mantissa, 300);
    for (size_t n = 0; n < body.n; n++)
        if (n != RECORD_HEADER_BYTES && n != RECORD_HEADER_BYTES * 2)
            FAILS(tx, RC_SYNTAX, NULL,
                  usage_read_binary(tx, str_sub(body, 0, n), &r, &count, &source));
    p[1].number = 0;
    FAILS(tx, RC_SYNTAX, "/1",
          usage_read_binary(tx, wire(tx, "urn:node", p, 2), &r, &count, &source));
    p[1].number = 6;
    p[1].scale = 10;
    FAILS(tx, RC_SYNTAX, "/1",
          usage_read_binary(tx, wire(tx, "urn:node", p, 2), &r, &count, &source));
}

static struct str event(struct tx *tx, const struct metered *m, const char *more, const char *data)
{
    return arena_fmt(tx->arena,
                     "{\"specversion\":\"1.0\",\"type\":\"m1\",\"source\":\"urn:j\",\"id\":\"e1\","
                     "\"subject\":\"%.*s\"%s,\"data\":{%s}}",
                     STRF(m->subscriptions[0]), more, data);
}

TX_TEST(the_json_door_reads_cloud_events)
{
    struct metered m = make_one(tx);
    struct usage_record *r = NULL;
    size_t count = 0;
    struct str source;
    const char *data = "\"t0\":\"2026-11-22T02:00:00Z\",\"t1\":\"2026-11-22T04:00:00+01:00\","
                       "\"qty\":\"1.5\",\"unit\":\"C62\",\"dims\":{ \"key\" : \"x\", \"n\": 1 }";
    OK(tx,
       usage_read_json(tx, event(tx, &m, ",\"traceparent\":\"00-1\"", data), &r, &count, &source));
    ck_assert_uint_eq(count, 1);
    SAME(source, STR("urn:j"));
    SAME(r->id, STR("e1"));
    SAME(r->dims, STR("{\"key\":\"x\",\"n\":1}"));
    ck_assert(r->key == record_key(STR("x")));
    ck_assert_int_eq(r->meter, 2);
    ck_assert_int_eq(r->quantity.mantissa, 15);
    ck_assert_int_eq(r->until - r->from, HOUR);
    /* A point in time, a number without quotes, in a batch. */
    struct str point = event(tx, &m, ",\"time\":\"2026-11-22T02:00:00Z\"", "\"qty\":3");
    OK(tx, usage_read_json(tx, arena_fmt(tx->arena, "[%.*s]", STRF(point)), &r, &count, &source));
    ck_assert(r->from == r->until);
    ck_assert_int_eq(r->quantity.mantissa, 3);
}

TX_TEST(the_json_door_says_which_event_is_wrong)
{
    struct metered m = make_one(tx);
    struct usage_record *r = NULL;
    size_t count = 0;
    struct str source;
    const char *t = ",\"time\":\"2026-11-22T02:00:00Z\"";
    struct {
        const char *pointer;
        struct str body;
    } wrong[] = {
        {"/data/qty", event(tx, &m, t, "")},
        {"/data/qty", event(tx, &m, t, "\"qty\":1e3")},
        {"/data/qty", event(tx, &m, t, "\"qty\":true")},
        {"/data", event(tx, &m, t, "\"qty\":1,\"extra\":1")},
        {"/data/t1", event(tx, &m, "", "\"qty\":1")},
        {"/data/unit", event(tx, &m, t, "\"qty\":1,\"unit\":\"KGM\"")},
        {"/data/dims", event(tx, &m, t, "\"qty\":1,\"dims\":[]")},
        {"/data/dims/key", event(tx, &m, t, "\"qty\":1,\"dims\":{\"key\":1}")},
        {"/time", event(tx, &m, ",\"time\":\"yesterday\"", "\"qty\":1")},
        {"/data", event(tx, &m, ",\"other\":{}", "\"qty\":1")},
        {"/specversion", STR("{}")},
        {"/0/id", STR("[1]")},
        {"/0/type", STR("[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\","
                        "\"type\":\"none\"}]")},
        {"/0/source", STR("[{\"specversion\":\"1.0\",\"id\":\"1\"}]")},
        {"", STR("[]")},
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, wrong[i].pointer,
              usage_read_json(tx, wrong[i].body, &r, &count, &source));
    FAILS(tx, RC_SYNTAX, NULL, usage_read_json(tx, STR("{"), &r, &count, &source));
}

Suite *usage_suite(void);
Suite *usage_suite(void)
{
    Suite *s = suite_create("usage");
    TCase *c = tcase_create("usage");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, an_event_counts_once_for_ever);
    tcase_add_test(c, another_body_under_a_known_id_is_refused_and_raised_once);
    tcase_add_test(c, numbers_come_in_any_order_and_count_once);
    tcase_add_test(c, a_correction_stands_for_what_it_corrects);
    tcase_add_test(c, what_is_wrong_is_named_and_nothing_of_the_call_is_kept);
    tcase_add_test(c, the_producer_and_the_seller_report_and_nobody_else);
    tcase_add_test(c, sums_beyond_a_quantity_are_kept_and_come_back_exactly);
    tcase_add_test(c, the_binary_door_reads_what_is_in_its_one_form);
    tcase_add_test(c, the_json_door_reads_cloud_events);
    tcase_add_test(c, the_json_door_says_which_event_is_wrong);
    suite_add_tcase(s, c);
    return s;
}
