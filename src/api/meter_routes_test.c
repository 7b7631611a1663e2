/*
 * Usage through its routes: by those who may report, for both sides of a subscription to read, in
 * both forms.
 */
#include "api/api_fixture.h"
#include "catalog/metered_fixture.h"
#include "meter/record.h"
#include "meter/source.h"
#include "meter/total.h"

enum { MANY = 4000 };

struct metering {
    struct house *h;
    struct metered m; /* sold by the reseller to the client */
};

static enum rc fill(struct tx *tx, void *arg)
{
    struct metering *g = arg;
    struct house *h = g->h;
    g->m = (struct metered){.op = h->op};
    struct str upper = make_supply(tx, h->op, h->reseller, STR(""), STR(""));
    g->m.agreement = make_supply(tx, h->reseller, h->client, upper, STR(""));
    g->m.plan = metered_plan(tx, h->op);
    metered_meters(tx, &g->m);
    g->m.subscriptions[0] = arena_str(&h->arena, metered_subscribe(tx, &g->m));
    const struct str sources[] = {STR("urn:n"), STR("bin")};
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct usage_source made;
        struct usage_source fresh = {.source = sources[i], .party = h->reseller};
        OK(tx, usage_source_bind(tx, h->op, &fresh, &made));
    }
    return RC_OK;
}

static struct metering open_metering(void)
{
    struct metering g = {.h = house_open()};
    house_write(g.h, fill, &g);
    return g;
}

static enum rc fold(struct tx *tx, void *arg)
{
    (void)arg;
    bool done = false;
    while (!done)
        OK(tx, total_fold(tx, MANY, &done));
    return RC_OK;
}

static void add_event(struct buf *b, const struct metering *g, const char *id, int qty)
{
    buf_fmt(
        b,
        "{\"specversion\":\"1.0\",\"type\":\"m1\",\"source\":\"urn:n\",\"id\":\"%s\",\"subject\":"
        "\"%.*s\",\"data\":{\"t0\":\"2026-11-23T02:00:00Z\",\"t1\":\"2026-11-23T03:00:00Z\","
        "\"qty\":\"%d\"}}",
        id, STRF(g->m.subscriptions[0]), qty);
}

static struct str event_of(const struct metering *g, const char *id, int qty)
{
    struct buf b;
    buf_init(&b, &g->h->arena, 1024);
    add_event(&b, g, id, qty);
    return buf_str(&b);
}

/* As ask, of any size and any bytes. */
static struct answer report_to(struct metering *g, const struct guest *who, const char *path,
                               const char *type, struct str body)
{
    struct buf b;
    buf_init(&b, &g->h->arena, body.n + 4096);
    buf_fmt(&b,
            "POST %s HTTP/1.1\r\nHost: cloud.test\r\nConnection: close\r\n%.*sContent-Type: "
            "%s\r\nContent-Length: %zu\r\n\r\n",
            path, STRF(who ? who->credentials : STR("")), type, body.n);
    buf_add(&b, body);
    ck_assert(!b.full);
    int fd = probe_connect(http_address(g->h->server));
    (void)probe_send(fd, buf_str(&b)); /* what is too large is not read to its end */
    size_t n = 0;
    char *reply = probe_read_all(fd, &n);
    close(fd);
    char *end = strstr(reply, "\r\n\r\n");
    ck_assert_msg(end != NULL, "no whole answer: %s", reply);
    struct answer a = {.status = probe_status(reply),
                       .head = arena_str(&g->h->arena, str_n(reply, (size_t)(end + 2 - reply))),
                       .body =
                           arena_str(&g->h->arena, str_n(end + 4, n - (size_t)(end + 4 - reply)))};
    free(reply);
    return a;
}

static struct answer report_as(struct metering *g, const struct guest *who, const char *type,
                               struct str body)
{
    return report_to(g, who, "/v1/usage", type, body);
}

static struct answer report(struct metering *g, const struct guest *who, struct str body)
{
    return report_as(g, who, "application/cloudevents+json", body);
}

static void has(const struct answer *a, const char *text)
{
    ck_assert_msg(str_has(a->body, str_c(text)), "%s in %.*s", text, STRF(a->body));
}

START_TEST(what_is_reported_is_read_by_both_sides_and_nobody_else)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    const char *path = at(h, "/v1/subscriptions/", g.m.subscriptions[0], "/usage");
    struct answer a = report(&g, &h->rita, event_of(&g, "a", 5)); /* the seller */
    STATUS(a, 200);
    has(&a, "\"accepted\":1");
    a = report(&g, &h->rita, event_of(&g, "a", 5));
    has(&a, "\"repeated\":1");
    a = report(&g, &h->rita, event_of(&g, "a", 6));
    has(&a, "\"refused\":1");
    has(&a, "\"conflicts\":[\"a\"]");
    STATUS(report(&g, &h->carl, event_of(&g, "b", 5)), 422); /* the buyer does not report */
    STATUS(report(&g, &h->tom, event_of(&g, "b", 5)), 422);
    STATUS(report(&g, &h->lea, event_of(&g, "b", 5)), 403);
    a = report(&g, &h->olga, event_of(&g, "b", 7)); /* the operator may use any source */
    STATUS(a, 200);
    house_write(h, fold, NULL);
    const struct guest *sides[] = {&h->rita, &h->carl};
    for (size_t i = 0; i < COUNT(sides); i++) {
        a = get(h, sides[i], path);
        STATUS(a, 200);
        has(&a, "\"meter\":\"m1\"");
        has(&a, "\"quantity\":\"12.00\"");
    }
    STATUS(get(h, &h->olga, path), 403); /* the sponsor of the seller is no side of it */
    STATUS(get(h, &h->tom, path), 404);
    house_close(h);
}
END_TEST

START_TEST(conflicts_are_shown_to_whom_the_source_reports_for_and_to_the_operator)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    STATUS(report(&g, &h->rita, event_of(&g, "a", 5)), 200);
    STATUS(report(&g, &h->rita, event_of(&g, "a", 6)), 200);
    struct answer a = get(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/usage-conflicts"));
    has(&a, "\"event\":\"a\"");
    a = get(h, &h->olga, at(h, "/v1/parties/", h->op, "/usage-conflicts"));
    has(&a, "\"event\":\"a\"");
    a = get(h, &h->carl, at(h, "/v1/parties/", h->client, "/usage-conflicts"));
    STATUS(a, 200);
    ck_assert(!str_has(a.body, STR("ucf_")));
    house_close(h);
}
END_TEST

static struct str see_path(struct house *h, struct str list)
{
    struct str rest = list;
    while (rest.n > 0 && !str_starts(rest, STR("ucf_")))
        rest = str_sub(rest, 1, rest.n);
    return str_c(at(h, "/v1/usage-conflicts/", str_cut(&rest, '"'), "/actions/see"));
}

START_TEST(who_has_looked_at_a_conflict_is_kept_and_it_is_raised_no_more)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    const char *list = at(h, "/v1/parties/", h->reseller, "/usage-conflicts");
    STATUS(report(&g, &h->rita, event_of(&g, "a", 5)), 200);
    STATUS(report(&g, &h->rita, event_of(&g, "a", 6)), 200);
    struct answer a = get(h, &h->rita, list);
    struct str see = see_path(h, a.body);
    STATUS(ask(h, &h->carl, "POST", see, STR(""), STR("")), 404);
    a = ask(h, &h->olga, "POST", see, STR(""), STR("")); /* the operator sees it, too */
    STATUS(a, 200);
    has(&a, "\"seen\":\"2026-");
    has(&a, arena_fmt(&h->arena, "\"seen_by\":\"%.*s\"", STRF(h->olga.user)).p);
    a = get(h, &h->rita, list);
    ck_assert(!str_has(a.body, STR("ucf_")));
    a = get(h, &h->rita, arena_fmt(&h->arena, "%s?seen=true", list).p);
    has(&a, "\"seen_by\"");
    house_close(h);
}
END_TEST

START_TEST(a_source_is_bound_by_the_operator_or_is_the_partys_own)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    struct str body =
        arena_fmt(&h->arena, "{\"source\":\"urn:pop:7\",\"party\":\"%.*s\"}", STRF(h->reseller));
    const char *ours = at(h, "/v1/parties/", h->op, "/usage-sources");
    const char *theirs = at(h, "/v1/parties/", h->reseller, "/usage-sources");
    struct answer a = ask(h, &h->rita, "POST", str_c(theirs), STR(""), body);
    STATUS(a, 422);
    has(&a, "ask the operator to bind it to you");
    STATUS(ask(h, &h->olga, "POST", str_c(ours), STR(""), body), 200);
    a = get(h, &h->rita, theirs);
    has(&a, "\"source\":\"urn:pop:7\"");
    a = get(h, &h->carl, at(h, "/v1/parties/", h->client, "/usage-sources"));
    STATUS(a, 200);
    ck_assert(!str_has(a.body, STR("urn:")));
    house_close(h);
}
END_TEST

START_TEST(the_body_is_taken_in_four_forms_and_no_other)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    struct buf b;
    struct packed p = {.number = 1,
                       .subscription = id_number(g.m.subscriptions[0]),
                       .meter = (uint32_t)g.m.meters[METER_SUM],
                       .from = WORLD_START,
                       .until = WORLD_START + US_PER_HOUR,
                       .quantity = 3};
    buf_init(&b, &h->arena, 1024);
    buf_add(&b, str_n("HNSUSG01\3\0bin", 13));
    while (b.n < RECORD_HEADER_BYTES)
        buf_add_char(&b, '\0');
    record_write(&b, &p);
    struct str many =
        arena_fmt(&h->arena, "[%.*s,%.*s]", STRF(event_of(&g, "a", 1)), STRF(event_of(&g, "b", 2)));
    STATUS(report_as(&g, &h->rita, "application/vnd.hanse.usage", buf_str(&b)), 200);
    STATUS(report_as(&g, &h->rita, "application/json", event_of(&g, "c", 1)), 200);
    STATUS(report_as(&g, &h->rita, "application/cloudevents-batch+json; charset=utf-8", many), 200);
    STATUS(report_as(&g, &h->rita, "text/csv", many), 415);
    STATUS(report_as(&g, &h->rita, "application/vnd.hanse.usage", many), 400);
    STATUS(report_as(&g, &h->rita, "application/json", STR("{")), 400);
    STATUS(report_to(&g, &h->rita, at(h, "/v1/usage?party=", h->other, ""), "application/json",
                     event_of(&g, "d", 1)),
           404);
    STATUS(report_to(&g, &h->rita, at(h, "/v1/usage?party=", h->reseller, ""), "application/json",
                     event_of(&g, "d", 1)),
           200);
    house_close(h);
}
END_TEST

START_TEST(a_batch_may_be_larger_than_other_bodies)
{
    struct metering g = open_metering();
    struct house *h = g.h;
    struct buf b;
    buf_init(&b, &h->arena, (size_t)2 * 1024 * 1024);
    for (int i = 0; i < MANY; i++) {
        buf_add_char(&b, i == 0 ? '[' : ',');
        add_event(&b, &g, arena_fmt(&h->arena, "event-%090d", i).p, i);
    }
    buf_add_char(&b, ']');
    ck_assert(!b.full);
    ck_assert_uint_gt(b.n, HTTP_BODY_BYTES_MAX);
    struct answer a = report(&g, &h->rita, buf_str(&b));
    STATUS(a, 200);
    has(&a, "\"accepted\":4000");
    STATUS(report(&g, NULL, buf_str(&b)), 413); /* nobody is given so much room */
    house_close(h);
}
END_TEST

Suite *meter_routes_suite(void);
Suite *meter_routes_suite(void)
{
    Suite *s = suite_create("meter_routes");
    TCase *c = tcase_create("meter_routes");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, what_is_reported_is_read_by_both_sides_and_nobody_else);
    tcase_add_test(c, conflicts_are_shown_to_whom_the_source_reports_for_and_to_the_operator);
    tcase_add_test(c, who_has_looked_at_a_conflict_is_kept_and_it_is_raised_no_more);
    tcase_add_test(c, a_source_is_bound_by_the_operator_or_is_the_partys_own);
    tcase_add_test(c, the_body_is_taken_in_four_forms_and_no_other);
    tcase_add_test(c, a_batch_may_be_larger_than_other_bodies);
    suite_add_tcase(s, c);
    return s;
}
