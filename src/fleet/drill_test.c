/* Drills: a copy comes back from a backup, is judged by its promises, and goes. */
#include "fleet/drill.h"

#include "fleet/backup_fixture.h"
#include "fleet/promise_change.h"
#include "fleet/service_inside.h"

static struct drill last(struct tx *tx, struct str service)
{
    struct page page;
    struct page_query q = {.limit = 1};
    OK(tx, drill_list(tx, service, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    return *(struct drill *)page.items.items;
}

static struct service copy_of(struct tx *tx, struct str service)
{
    struct rows rows;
    struct service v;
    OK(tx,
       sql_rows(tx, &rows, "SELECT id FROM service WHERE drill_of = $1 ORDER BY id DESC LIMIT 1",
                V(service)));
    ck_assert_uint_eq(rows.count, 1);
    OK(tx, service_get(tx, row_str(&rows, 0, 0), &v));
    return v;
}

static struct drill begin(struct tx *tx, const struct place *p)
{
    struct drill d;
    OK(tx, drill_begin(tx, &p->shop.seal, p->v.id, &(struct drill_order){0}, &d));
    ck_assert_int_eq(d.state, DRILL_RUNNING);
    return d;
}

static int64_t taken_at(struct tx *tx, struct str node)
{
    struct node n;
    OK(tx, node_get(tx, node, &n));
    return n.memory_taken;
}

TX_TEST(a_copy_comes_back_unseen_and_goes_again)
{
    struct place p = make_place(tx, false);
    struct str backup = one_backup(tx, &p);
    struct service before;
    OK(tx, service_get(tx, p.v.id, &before));
    int64_t taken = taken_at(tx, p.b);
    struct drill d = begin(tx, &p);
    SAME(d.backup, backup);
    SAME(d.node, p.b); /* not where the service is */
    struct service copy = copy_of(tx, p.v.id);
    /* Restored from the service's own backup, with its key; closed; counted for nobody. */
    struct service_spec spec = spec_of(tx, &p, p.b, copy.id);
    SAME(spec.from.backup, backup);
    ck_assert_int_eq(spec.from.number, 1);
    ck_assert_uint_eq(spec.from.key.n, 64);
    ck_assert_uint_eq(spec.subscription.n, 0);
    ck_assert(!((struct spec_port *)spec.ports.items)[0].published);
    ck_assert(spec.alone);
    ck_assert_uint_eq(spec.end.count, 0); /* it takes nothing of the service's away */
    struct service_spec own = spec_of(tx, &p, p.a, p.v.id);
    ck_assert(((struct spec_port *)own.ports.items)[0].published);
    ck_assert(!own.alone);
    ck_assert_uint_eq(own.end.count, 1);
    OK(tx, backup_fetches(tx, p.a, backup) == RC_NOT_FOUND ? RC_OK : RC_INVALID);
    err_clear(tx->err);
    /* Nobody's list has it, and nothing is done with it. */
    struct page page;
    struct service unused;
    struct service_query q = {.page = {.limit = 10}};
    OK(tx, service_list(tx, p.shop.client, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &p.shop.seal, copy.id, SERVICE_STOP, &unused));
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &p.shop.seal, copy.id, SERVICE_CANCEL, &unused));
    FAILS(tx, RC_CONFLICT, NULL,
          drill_begin(tx, &p.shop.seal, copy.id, &(struct drill_order){0}, &d));
    FAILS(tx, RC_CONFLICT, NULL,
          drill_begin(tx, &p.shop.seal, p.v.id, &(struct drill_order){0}, &d));
    /* It runs, and then it answers. */
    tx->now += 20 * US_PER_SECOND;
    says(tx, &p, copy.node, copy.id, SIGHTING_STARTING, -1);
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, -1);
    ck_assert_int_eq(last(tx, p.v.id).state, DRILL_RUNNING);
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, 0);
    d = last(tx, p.v.id);
    ck_assert_int_eq(d.state, DRILL_RUNNING);
    ck_assert(str_has(d.reason, STR("connection refused")));
    tx->now += 22 * US_PER_SECOND;
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, 1);
    d = last(tx, p.v.id);
    ck_assert_int_eq(d.state, DRILL_PASSED);
    ck_assert_int_eq(d.promises, 1);
    ck_assert_int_eq(d.seconds, 42);
    ck_assert_uint_eq(d.reason.n, 0);
    ck_assert_int_eq(spec_of(tx, &p, p.b, copy.id).state, SPEC_GONE);
    ck_assert_int_gt(taken_at(tx, p.b), taken);
    says(tx, &p, copy.node, copy.id, SIGHTING_GONE, -1);
    OK(tx, service_get(tx, copy.id, &copy));
    ck_assert_int_eq(copy.state, SERVICE_ENDED);
    ck_assert_int_eq(taken_at(tx, p.b), taken);
    /* The service and its backup are as they were. */
    struct service after;
    struct backup b;
    OK(tx, service_get(tx, p.v.id, &after));
    ck_assert_int_eq(after.version, before.version);
    ck_assert_int_eq(after.generation, before.generation);
    OK(tx, backup_get(tx, backup, &b));
    ck_assert_int_eq(b.state, BACKUP_KEPT);
    (void)begin(tx, &p); /* and another one may follow */
}

TX_TEST(what_does_not_come_back_in_time_has_failed)
{
    struct place p = make_place(tx, false);
    bool more = true;
    FAILS(tx, RC_CONFLICT, NULL,
          drill_begin(tx, &p.shop.seal, p.v.id, &(struct drill_order){0}, &(struct drill){0}));
    (void)one_backup(tx, &p);
    FAILS(tx, RC_INVALID, "/backup",
          drill_begin(tx, &p.shop.seal, p.v.id,
                      &(struct drill_order){.backup = STR("bak_00000000000000000000000000")},
                      &(struct drill){0}));
    (void)begin(tx, &p);
    struct service copy = copy_of(tx, p.v.id);
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, 0);
    tx->now += DRILL_MAX_US - US_PER_SECOND;
    OK(tx, drill_tick_due(tx, &more));
    ck_assert(!more);
    tx->now += US_PER_SECOND;
    OK(tx, drill_tick_due(tx, &more));
    ck_assert(more);
    OK(tx, drill_tick(tx, &p.shop.seal, &more));
    struct drill d = last(tx, p.v.id);
    ck_assert_int_eq(d.state, DRILL_FAILED);
    ck_assert_msg(str_has(d.reason, STR("30 minutes")), "%.*s", STRF(d.reason));
    ck_assert_msg(str_has(d.reason, STR("connection refused")), "%.*s", STRF(d.reason));
    ck_assert_int_eq(spec_of(tx, &p, copy.node, copy.id).state, SPEC_GONE);
    OK(tx, drill_tick_due(tx, &more));
    ck_assert(!more);
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, 1); /* too late */
    ck_assert_int_eq(last(tx, p.v.id).state, DRILL_FAILED);
}

TX_TEST(with_the_service_its_drill_ends)
{
    struct place p = make_place(tx, false);
    struct service unused;
    (void)one_backup(tx, &p);
    (void)begin(tx, &p);
    struct service copy = copy_of(tx, p.v.id);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_CANCEL, &unused));
    ck_assert_int_eq(last(tx, p.v.id).state, DRILL_FAILED);
    OK(tx, service_get(tx, copy.id, &copy));
    ck_assert_int_eq(copy.wanted, SPEC_GONE);
    FAILS(tx, RC_CONFLICT, NULL,
          drill_begin(tx, &p.shop.seal, p.v.id, &(struct drill_order){0}, &(struct drill){0}));
}

TX_TEST(where_no_other_node_has_room_it_is_tried_beside_the_service)
{
    struct place p = make_place(tx, false);
    struct node n;
    (void)one_backup(tx, &p);
    OK(tx, node_act(tx, p.b, NODE_DRAIN, &n));
    SAME(begin(tx, &p).node, p.a);
}

/* --- by plan --- */

static struct drill_plan every(struct tx *tx, const struct place *p, int64_t days)
{
    struct drill_plan plan = {.set = schema_bit(&drill_plan_schema, "every_days"),
                              .every_days = days};
    OK(tx, drill_plan_set(tx, p->v.id, &plan, &plan));
    return plan;
}

static size_t count_drills(struct tx *tx, struct str service)
{
    struct page page;
    struct page_query q = {.limit = 50};
    OK(tx, drill_list(tx, service, &q, &page));
    return page.items.count;
}

/* The newest word on the promise that drills pass; -1: none. */
static int64_t drill_promise(struct tx *tx, struct str service, struct str *ret_text)
{
    struct page page;
    const struct page_query q = {.limit = 50};
    OK(tx, promise_change_list(tx, service, &q, &page));
    const struct promise_change *c = page.items.items;
    for (size_t i = 0; i < page.items.count; i++)
        if (str_eq(c[i].name, PROMISE_DRILL)) {
            *ret_text = c[i].text;
            return c[i].state;
        }
    return -1;
}

static void drill_ticks(struct tx *tx, const struct place *p)
{
    bool due = true, more = true;
    (void)node_says(tx, &p->shop.seal, p->a, 8, NULL, 0); /* they live */
    (void)node_says(tx, &p->shop.seal, p->b, 8, NULL, 0);
    OK(tx, drill_tick_due(tx, &due));
    for (int i = 0; due && more && i < 10; i++)
        OK(tx, drill_tick(tx, &p->shop.seal, &more));
    ck_assert(!due || !more);
}

TX_TEST(a_plan_begins_drills_and_their_end_is_a_promise)
{
    struct place p = make_place(tx, false);
    struct str text = STR("");
    (void)one_backup(tx, &p);
    struct drill_plan plan = every(tx, &p, 30);
    ck_assert_int_eq(plan.next, tx->now + 30 * US_PER_DAY);
    drill_ticks(tx, &p);
    ck_assert_uint_eq(count_drills(tx, p.v.id), 0);
    tx->now = plan.next;
    drill_ticks(tx, &p);
    drill_ticks(tx, &p); /* one is enough */
    ck_assert_uint_eq(count_drills(tx, p.v.id), 1);
    OK(tx, drill_plan_get(tx, p.v.id, &plan));
    ck_assert_int_eq(plan.next, tx->now + 30 * US_PER_DAY);
    struct service copy = copy_of(tx, p.v.id);
    says(tx, &p, copy.node, copy.id, SIGHTING_RUNNING, 1);
    ck_assert_int_eq(last(tx, p.v.id).state, DRILL_PASSED);
    ck_assert_int_eq(drill_promise(tx, p.v.id, &text), PROMISE_KEPT);
    says(tx, &p, copy.node, copy.id, SIGHTING_GONE, -1);
    /* The next one does not come up. */
    tx->now = plan.next;
    drill_ticks(tx, &p);
    ck_assert_uint_eq(count_drills(tx, p.v.id), 2);
    tx->now += DRILL_MAX_US;
    drill_ticks(tx, &p);
    ck_assert_int_eq(last(tx, p.v.id).state, DRILL_FAILED);
    ck_assert_int_eq(drill_promise(tx, p.v.id, &text), PROMISE_FAILING);
    ck_assert(str_starts(text, STR("after 30 minutes the copy is ")));
    (void)every(tx, &p, 0);
    tx->now += 100 * US_PER_DAY;
    drill_ticks(tx, &p);
    ck_assert_uint_eq(count_drills(tx, p.v.id), 2);
}

TX_TEST(what_cannot_be_tried_is_told_and_tried_a_day_later)
{
    struct place p = make_place(tx, false);
    struct str text = STR("");
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    struct drill_plan plan = every(tx, &p, 7); /* and no backup was made yet */
    tx->now = plan.next;
    drill_ticks(tx, &p);
    ck_assert_uint_eq(count_drills(tx, p.v.id), 0);
    ck_assert_int_eq(drill_promise(tx, p.v.id, &text), PROMISE_FAILING);
    ck_assert(str_starts(text, STR("no drill could begin: there is no backup")));
    OK(tx, drill_plan_get(tx, p.v.id, &plan));
    ck_assert_int_eq(plan.next, tx->now + US_PER_DAY);
    /* Nothing of it is left. */
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM service WHERE drill_of IS NOT NULL"));
    ck_assert_int_eq(row_int(&rows, 0, 0), 0);
    (void)one_backup(tx, &p);
    OK(tx, drill_plan_get(tx, p.v.id, &plan));
    tx->now = max_i64(plan.next, tx->now);
    drill_ticks(tx, &p);
    ck_assert_uint_eq(count_drills(tx, p.v.id), 1);
}

TX_TEST(only_what_is_backed_up_has_a_plan)
{
    struct shop s = make_shop(tx);
    struct drill_plan plan = {.every_days = 30};
    (void)make_node(tx, &s, "n1", 8);
    struct service v = order_one(tx, &s, "small-month", false);
    FAILS(tx, RC_CONFLICT, NULL, drill_plan_set(tx, v.id, &plan, &plan));
    OK(tx, drill_plan_get(tx, v.id, &plan));
    ck_assert_int_eq(plan.every_days, 0);
}

Suite *drill_suite(void);
Suite *drill_suite(void)
{
    Suite *s = suite_create("drill");
    TCase *t = tcase_create("drill");
    tcase_add_test(t, a_copy_comes_back_unseen_and_goes_again);
    tcase_add_test(t, a_plan_begins_drills_and_their_end_is_a_promise);
    tcase_add_test(t, what_cannot_be_tried_is_told_and_tried_a_day_later);
    tcase_add_test(t, only_what_is_backed_up_has_a_plan);
    tcase_add_test(t, what_does_not_come_back_in_time_has_failed);
    tcase_add_test(t, with_the_service_its_drill_ends);
    tcase_add_test(t, where_no_other_node_has_room_it_is_tried_beside_the_service);
    suite_add_tcase(s, t);
    return s;
}
