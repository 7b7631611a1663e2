/* What becomes of a promise that is broken, kept again, or told of no more. */
#include "fleet/fleet_fixture.h"
#include "fleet/promise_change.h"

static struct sighting_promise said(const char *name, bool kept, time_us since)
{
    return (struct sighting_promise){.set = schema_all(&sighting_promise_schema),
                                     .name = str_c(name),
                                     .kept = kept,
                                     .text = kept ? STR("") : STR("no answer"),
                                     .since = since};
}

static void service_says(struct tx *tx, const struct shop *s, const struct service *v,
                         struct sighting_promise *promises, size_t count)
{
    struct sighting seen = {.id = v->id,
                            .generation = v->generation,
                            .state = SIGHTING_RUNNING,
                            .promises = {promises, count}};
    (void)node_says(tx, &s->seal, v->node, 8, &seen, 1);
}

/* The newest is the first; how many there are. */
static size_t changes_of(struct tx *tx, struct str id, struct promise_change *ret)
{
    struct page page;
    struct page_query q = {0};
    OK(tx, promise_change_list(tx, id, &q, &page));
    if (page.items.count > 0)
        *ret = ((struct promise_change *)page.items.items)[0];
    return page.items.count;
}

TX_TEST(a_row_is_kept_on_change_alone)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting_promise p = said("web", true, 100);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 0);
    service_says(tx, &s, &v, &p, 1);
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 1);
    ck_assert_int_eq(c.state, PROMISE_KEPT);
    p = said("web", false, 200);
    service_says(tx, &s, &v, &p, 1);
    p.text = STR("refused"); /* another reason is no change */
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 2);
    ck_assert_int_eq(c.state, PROMISE_FAILING);
    SAME(c.text, STR("no answer"));
    SAME(c.name, STR("web"));
    SAME(c.node, v.node);
    ck_assert_int_eq(c.since, 200);
    ck_assert_int_eq(c.heard, tx->now);
    p = said("web", true, 300);
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 3);
    ck_assert_int_eq(c.state, PROMISE_KEPT);
    ck_assert_uint_eq(changes_of(tx, v.node, &c), 0); /* the node's own are others */
}

TX_TEST(what_is_told_of_no_more_is_unknown)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting_promise p = said("web", false, 100);
    service_says(tx, &s, &v, &p, 1);
    service_says(tx, &s, &v, NULL, 0);
    service_says(tx, &s, &v, NULL, 0);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 2);
    ck_assert_int_eq(c.state, PROMISE_UNKNOWN);
    ck_assert_int_eq(c.since, tx->now);
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 3);
    ck_assert_int_eq(c.state, PROMISE_FAILING);
}

TX_TEST(of_two_with_one_name_the_first_counts)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting_promise p[] = {said("web", true, 100), said("web", false, 100)};
    for (int i = 0; i < 3; i++)
        service_says(tx, &s, &v, p, COUNT(p));
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 1);
    ck_assert_int_eq(c.state, PROMISE_KEPT);
}

TX_TEST(what_was_seen_of_an_older_generation_is_no_change)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting_promise p = said("web", true, 100);
    v.generation--;
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 0);
}

TX_TEST(a_node_has_promises_of_its_own)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    struct node n;
    struct report_answer answer;
    struct str node = make_node(tx, &s, "n1", 8);
    struct sighting_promise p = said("temperature", false, 100);
    struct node_report r = {.cpu_milli = 4000, .promises = {&p, 1}};
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    ck_assert_uint_eq(changes_of(tx, node, &c), 1);
    SAME(c.name, STR("temperature"));
    ck_assert_int_eq(c.state, PROMISE_FAILING);
    OK(tx, node_get(tx, node, &n));
    ck_assert(str_has(n.promises, STR("temperature")));
}

TX_TEST(a_site_has_those_of_its_nodes_and_of_no_service)
{
    struct shop s = make_shop(tx);
    struct node n;
    struct page page;
    struct page_query q = {0};
    struct report_answer answer;
    struct str node = make_node(tx, &s, "n1", 8);
    struct sighting_promise p = said("web", false, 100);
    struct service v = order_one(tx, &s, "small-month", false);
    service_says(tx, &s, &v, &p, 1);
    OK(tx, node_get(tx, node, &n));
    OK(tx, promise_change_list_site(tx, n.site, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
    p = said("temperature", false, 100);
    struct node_report r = {.cpu_milli = 4000, .promises = {&p, 1}};
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    OK(tx, promise_change_list_site(tx, n.site, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    SAME(((struct promise_change *)page.items.items)[0].subject, node);
    OK(tx, promise_change_list_site(tx, s.client, &q, &page)); /* of no site: nothing */
    ck_assert_uint_eq(page.items.count, 0);
}

TX_TEST(a_node_that_is_lost_says_nothing_until_it_is_heard_again)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    struct report_answer answer;
    bool more = true;
    struct str node = make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    struct sighting_promise own = said("temperature", true, 100);
    struct sighting_promise p = said("web", false, 100);
    struct node_report r = {.cpu_milli = 4000, .promises = {&own, 1}};
    service_says(tx, &s, &v, &p, 1);
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    tx->now += NODE_LOST_US + 1;
    OK(tx, service_tick(tx, &s.seal, &more));
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 2);
    ck_assert_int_eq(c.state, PROMISE_UNKNOWN);
    ck_assert_uint_eq(changes_of(tx, node, &c), 3); /* kept; not heard, unknown */
    ck_assert_int_eq(c.state, PROMISE_UNKNOWN);
    tx->now += US_PER_HOUR;
    OK(tx, service_report(tx, &s.seal, node, &r, &answer));
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 3);
    ck_assert_int_eq(c.state, PROMISE_FAILING);
    ck_assert_uint_eq(changes_of(tx, node, &c), 5);
    ck_assert_int_eq(c.state, PROMISE_KEPT);
    SAME(c.name, STR("temperature"));
}

/* The last word before the bound stays: what came after it began from there. */
TX_TEST(what_is_older_than_the_bound_goes)
{
    struct shop s = make_shop(tx);
    struct promise_change c = {0};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    for (int i = 0; i < 5; i++) {
        struct sighting_promise p = said("web", i % 2 == 0, 100 + i);
        service_says(tx, &s, &v, &p, 1);
        tx->now += US_PER_SECOND;
    }
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 5);
    tx->now += PROMISE_KEEP_US;
    struct sighting_promise p = said("web", false, 200);
    service_says(tx, &s, &v, &p, 1);
    ck_assert_uint_eq(changes_of(tx, v.id, &c), 2);
    ck_assert_int_eq(c.state, PROMISE_FAILING);
    ck_assert_int_eq(c.since, 200);
}

Suite *promise_change_suite(void);
Suite *promise_change_suite(void)
{
    Suite *s = suite_create("promise_change");
    TCase *t = tcase_create("history");
    tcase_add_test(t, a_row_is_kept_on_change_alone);
    tcase_add_test(t, what_is_told_of_no_more_is_unknown);
    tcase_add_test(t, of_two_with_one_name_the_first_counts);
    tcase_add_test(t, what_was_seen_of_an_older_generation_is_no_change);
    tcase_add_test(t, a_node_has_promises_of_its_own);
    tcase_add_test(t, a_site_has_those_of_its_nodes_and_of_no_service);
    tcase_add_test(t, a_node_that_is_lost_says_nothing_until_it_is_heard_again);
    tcase_add_test(t, what_is_older_than_the_bound_goes);
    suite_add_tcase(s, t);
    return s;
}
