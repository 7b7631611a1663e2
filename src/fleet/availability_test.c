/* The time of a month by how a service was: against a count second by second, and in the store. */
#include "fleet/availability.h"

#include "fleet/fleet_fixture.h"
#include "money/property.h"

/* --- the line alone --- */

enum { LINE_SECONDS = 400, LINE_NAMES = 4, LINE_CHANGES = 60, LINE_RUNS = 3000 };

struct naive {
    int64_t state[LINE_NAMES];
    int64_t second; /* counted so far */
    int64_t sums[3];
};

static void naive_to(struct naive *n, int64_t second)
{
    for (; n->second < min_i64(second, LINE_SECONDS); n->second++) {
        int64_t now = PROMISE_UNKNOWN;
        for (int i = 0; i < LINE_NAMES; i++)
            now = n->state[i] == PROMISE_FAILING                          ? PROMISE_FAILING
                  : n->state[i] == PROMISE_KEPT && now != PROMISE_FAILING ? PROMISE_KEPT
                                                                          : now;
        n->sums[now]++;
    }
}

START_TEST(every_second_is_counted_once_and_as_what_it_was)
{
    static const char *const names[LINE_NAMES] = {"web", "db", "disk", "mail"};
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct err err = {0};
    for (int run = 0; run < LINE_RUNS; run++) {
        struct availability_line l;
        struct naive n = {.second = 0};
        int64_t heard = property_between(&chance, -20, 20);
        for (int i = 0; i < LINE_NAMES; i++)
            n.state[i] = PROMISE_UNKNOWN;
        availability_begin(&l, 0, LINE_SECONDS * US_PER_SECOND);
        int64_t count = property_between(&chance, 0, LINE_CHANGES);
        for (int64_t i = 0; i < count; i++) {
            heard += property_between(&chance, 0, 15);
            int64_t since = heard - property_between(&chance, -3, 20);
            int64_t which = property_between(&chance, 0, LINE_NAMES - 1);
            struct promise_change c = {.name = str_c(names[which]),
                                       .state = property_between(&chance, 0, 2),
                                       .since = since * US_PER_SECOND,
                                       .heard = heard * US_PER_SECOND};
            ck_assert_int_eq(availability_change(&l, &c, &err), RC_OK);
            naive_to(&n, min_i64(since, heard));
            n.state[which] = c.state;
        }
        availability_end(&l);
        naive_to(&n, LINE_SECONDS);
        for (int s = 0; s < 3; s++)
            HOLDS(l.sums[s] == n.sums[s] * US_PER_SECOND, SEED_FMT "run %d, %s", seed, run,
                  promise_states[s]);
    }
}
END_TEST

/* --- a service's --- */

#define DECEMBER INT64_C(1796083200000000) /* 2026-12-01 UTC */

static void says(struct tx *tx, const struct shop *s, const struct service *v, const char *name,
                 bool kept)
{
    struct sighting_promise p = {.set = schema_all(&sighting_promise_schema),
                                 .name = str_c(name),
                                 .kept = kept,
                                 .since = tx->now};
    struct sighting seen = {.id = v->id,
                            .generation = v->generation,
                            .state = SIGHTING_RUNNING,
                            .promises = {&p, name != NULL}};
    (void)node_says(tx, &s->seal, v->node, 8, &seen, 1);
}

TX_TEST(a_month_of_a_service)
{
    struct shop s = make_shop(tx);
    struct availability a;
    tx->now = DECEMBER - US_PER_HOUR;
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    says(tx, &s, &v, "web", true); /* before the month: how it begins */
    tx->now = DECEMBER + 1000 * US_PER_SECOND;
    says(tx, &s, &v, "web", false);
    tx->now += 600 * US_PER_SECOND;
    says(tx, &s, &v, "web", true);
    tx->now += 400 * US_PER_SECOND;
    OK(tx, availability_of(tx, v.id, STR(""), &a)); /* so far */
    SAME(a.month, STR("2026-12"));
    ck_assert_int_eq(a.kept_s, 1400);
    ck_assert_int_eq(a.failing_s, 600);
    ck_assert_int_eq(a.observed_s, 2000);
    ck_assert_int_eq(a.unknown_s, 0);
    SAME(a.percent, STR("70.000"));
    ck_assert_int_eq(a.until, tx->now);
    says(tx, &s, &v, NULL, false); /* stopped: told of no more */
    tx->now = DECEMBER + 40 * US_PER_DAY;
    OK(tx, availability_of(tx, v.id, STR("2026-12"), &a));
    ck_assert_int_eq(a.observed_s, 2000);
    ck_assert_int_eq(a.unknown_s, 31 * 86400 - 2000);
    ck_assert_int_eq(a.until, DECEMBER + 31 * US_PER_DAY);
    OK(tx, availability_of(tx, v.id, STR("2026-11"), &a));
    ck_assert_int_eq(a.from, v.created);
    ck_assert_int_eq(a.kept_s, 3600);
    SAME(a.percent, STR("100.000"));
    OK(tx, availability_of(tx, v.id, STR("2027-01"), &a));
    ck_assert_int_eq(a.observed_s, 0);
    ck_assert((a.set & schema_bit(&availability_schema, "percent")) == 0);
    FAILS(tx, RC_INVALID, "month", availability_of(tx, v.id, STR("2027-02"), &a));
    FAILS(tx, RC_INVALID, "month", availability_of(tx, v.id, STR("2026-13"), &a));
    FAILS(tx, RC_NOT_FOUND, NULL, availability_of(tx, STR("svc_none"), STR("2026-12"), &a));
}

TX_TEST(while_its_node_is_lost_nobody_knows)
{
    struct shop s = make_shop(tx);
    struct availability a;
    bool more = true;
    tx->now = DECEMBER;
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    says(tx, &s, &v, "web", true);
    tx->now += 1000 * US_PER_SECOND;
    OK(tx, service_tick(tx, &s.seal, &more));
    tx->now += 500 * US_PER_SECOND;
    (void)node_says(tx, &s.seal, v.node, 8, NULL, 0); /* of its services nothing new */
    tx->now += 100 * US_PER_SECOND;
    OK(tx, availability_of(tx, v.id, STR("2026-12"), &a));
    ck_assert_int_eq(a.kept_s, 1100);
    ck_assert_int_eq(a.unknown_s, 500);
    ck_assert_int_eq(a.failing_s, 0);
}

Suite *availability_suite(void);
Suite *availability_suite(void)
{
    Suite *s = suite_create("availability");
    TCase *t = tcase_create("availability");
    tcase_add_test(t, every_second_is_counted_once_and_as_what_it_was);
    tcase_add_test(t, a_month_of_a_service);
    tcase_add_test(t, while_its_node_is_lost_nobody_knows);
    suite_add_tcase(s, t);
    return s;
}
