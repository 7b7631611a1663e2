/* What is suspended is stopped, stays so whatever happens to it, and goes on when it may. */
#include "fleet/hold.h"

#include "fleet/backup_fixture.h"
#include "fleet/drill.h"
#include "fleet/move.h"
#include "fleet/service_inside.h"

enum { DUE_DAY = 20393 }; /* 2025-11-01 */
#define WHY STR("an invoice that was due on 2025-11-01 is not paid")

static struct operation last_of(struct tx *tx, struct str id)
{
    struct page page;
    struct page_query q = {.limit = 1};
    OK(tx, operation_list(tx, id, &q, &page));
    return *(struct operation *)page.items.items;
}

/* As billing/dunning.c does. */
static void suspend(struct tx *tx, const struct service *v)
{
    OK(tx,
       sql_run(tx,
               "INSERT INTO suspension (subscription, seller, client, due_day, since) "
               "VALUES ($1, $2, $3, $4, $5)",
               V(v->subscription), V(v->seller), V(v->client), V((int64_t)DUE_DAY), V(tx->now)));
}

static void resume(struct tx *tx)
{
    OK(tx, sql_run(tx, "DELETE FROM suspension"));
}

/* Until there is nothing more; looking again changes nothing. */
static void ticks(struct tx *tx, const struct shop *s)
{
    bool more = true;
    struct rows before, after;
    for (int i = 0; more && i < 10; i++)
        OK(tx, service_tick(tx, &s->seal, &more));
    ck_assert(!more);
    OK(tx, hold_tick_due(tx, &more));
    ck_assert(!more);
    OK(tx, sql_rows(tx, &before, "SELECT SUM(version), SUM(generation) FROM service"));
    OK(tx, hold_tick(tx, &s->seal, &more));
    OK(tx, sql_rows(tx, &after, "SELECT SUM(version), SUM(generation) FROM service"));
    ck_assert_int_eq(row_int(&before, 0, 0), row_int(&after, 0, 0));
    ck_assert_int_eq(row_int(&before, 0, 1), row_int(&after, 0, 1));
}

static void is_held(struct tx *tx, struct str id)
{
    struct service v = now_of(tx, id);
    ck_assert_int_eq(v.wanted, SPEC_STOPPED);
    SAME(v.suspended, WHY);
}

static void is_free(struct tx *tx, struct str id, enum spec_state wanted)
{
    struct service v = now_of(tx, id);
    ck_assert_int_eq(v.wanted, wanted);
    ck_assert_uint_eq(v.suspended.n, 0);
}

static struct place running(struct tx *tx, bool failover)
{
    struct place p = make_place(tx, failover);
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    return p;
}

TX_TEST(it_stops_says_why_and_goes_on)
{
    struct place p = running(tx, false);
    struct service other = order_one(tx, &p.shop, "small-month", false);
    struct service v;
    bool due = true;
    (void)sees(tx, &p.shop, p.a, other.id, SIGHTING_RUNNING);
    OK(tx, hold_tick_due(tx, &due));
    ck_assert(!due);
    int64_t generation = now_of(tx, p.v.id).generation;
    suspend(tx, &p.v);
    OK(tx, service_tick_due(tx, &due));
    ck_assert(due);
    ticks(tx, &p.shop);
    is_held(tx, p.v.id);
    is_free(tx, other.id, SPEC_RUNNING);
    struct service_spec spec = spec_of(tx, &p, p.a, p.v.id);
    ck_assert_int_eq(spec.state, SPEC_STOPPED);
    ck_assert_int_eq(spec.generation, generation + 1);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_STOPPING);
    SAME(last_of(tx, p.v.id).kind, STR("suspend"));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_STOPPED);
    ck_assert_int_eq(last_of(tx, p.v.id).state, STEP_DONE);
    is_held(tx, p.v.id);
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &p.shop.seal, p.v.id, SERVICE_START, &v));
    ck_assert(str_has(err_text(tx->err), WHY));
    resume(tx);
    OK(tx, service_tick_due(tx, &due));
    ck_assert(due);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_RUNNING);
    SAME(last_of(tx, p.v.id).kind, STR("resume"));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_RUNNING);
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_RUNNING);
    ck_assert_int_eq(last_of(tx, p.v.id).state, STEP_DONE);
}

TX_TEST(what_its_client_stopped_stays_stopped)
{
    struct place p = running(tx, false);
    struct service other = order_one(tx, &p.shop, "small-month", false);
    struct service v;
    (void)sees(tx, &p.shop, p.a, other.id, SIGHTING_RUNNING);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_STOP, &v));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    suspend(tx, &p.v);
    suspend(tx, &other);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_STOPPED); /* before */
    is_held(tx, other.id);
    (void)sees(tx, &p.shop, p.a, other.id, SIGHTING_STOPPED);
    OK(tx, service_act(tx, &p.shop.seal, other.id, SERVICE_STOP, &v)); /* meanwhile */
    ck_assert_uint_eq(v.suspended.n, 0);
    ck_assert_int_eq(v.state, SERVICE_STOPPED);
    resume(tx);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_STOPPED);
    is_free(tx, other.id, SPEC_STOPPED);
    OK(tx, service_act(tx, &p.shop.seal, other.id, SERVICE_START, &v));
    ck_assert_int_eq(v.wanted, SPEC_RUNNING);
}

/* Started by hand in the moment between the payment and the clock. */
TX_TEST(who_is_faster_than_the_clock_is_held_by_nothing)
{
    struct place p = running(tx, false);
    struct service v;
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    resume(tx);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_START, &v));
    int64_t generation = v.generation;
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_RUNNING);
    ck_assert_int_eq(now_of(tx, p.v.id).generation, generation);
}

TX_TEST(it_does_not_fail_over_and_does_when_it_may_run)
{
    struct place p = running(tx, true);
    suspend(tx, &p.v);
    tx->now += NODE_LOST_US + US_PER_SECOND;
    (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
    ticks(tx, &p.shop); /* its node is lost and it is suspended at once */
    is_held(tx, p.v.id);
    SAME(now_of(tx, p.v.id).node, p.a);
    resume(tx);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_RUNNING);
    SAME(now_of(tx, p.v.id).node, p.b);
}

static struct str saved(struct tx *tx, const struct place *p)
{
    says(tx, p, p->a, p->v.id, SIGHTING_STOPPED, -1);
    struct backup_task t = only_task(tx, p, p->a, TASK_MAKE);
    tells(tx, p->a, t.id, TASK_MAKE);
    OK(tx, move_saved(tx, &p->shop.seal, t.id));
    SAME(now_of(tx, p->v.id).node, p->b);
    return t.id;
}

TX_TEST(a_move_in_hand_ends_at_rest)
{
    struct place p = running(tx, false);
    struct service v;
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_MOVE, &v));
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    is_held(tx, p.v.id);
    SAME(last_of(tx, p.v.id).kind, STR("move"));
    (void)saved(tx, &p);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, p.b, p.v.id, SIGHTING_STOPPED, -1);
    ck_assert_int_eq(last_of(tx, p.v.id).state, STEP_DONE);
    is_held(tx, p.v.id);
    resume(tx);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_RUNNING);
    SAME(now_of(tx, p.v.id).node, p.b);
}

TX_TEST(a_move_goes_on_to_run_where_it_may_again)
{
    struct place p = running(tx, false);
    struct service v;
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_MOVE, &v));
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    resume(tx);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_STOPPED); /* it rests on the way */
    (void)saved(tx, &p);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_RUNNING);
    /* Once more, at its new place. */
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    is_held(tx, p.v.id);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_STOPPED);
    resume(tx);
    ticks(tx, &p.shop);
    is_free(tx, p.v.id, SPEC_RUNNING);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, p.b, p.v.id, SIGHTING_RUNNING, 1);
    ck_assert_int_eq(last_of(tx, p.v.id).state, STEP_DONE);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
}

TX_TEST(an_evacuated_node_is_left_at_rest)
{
    struct place p = running(tx, false);
    struct node n;
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    OK(tx, node_act(tx, p.a, NODE_EVACUATE, &n));
    ticks(tx, &p.shop);
    struct backup_task t = only_task(tx, &p, p.a, TASK_MAKE);
    tells(tx, p.a, t.id, TASK_MAKE);
    OK(tx, move_saved(tx, &p.shop.seal, t.id));
    SAME(now_of(tx, p.v.id).node, p.b);
    is_held(tx, p.v.id);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_STOPPED);
}

TX_TEST(a_restore_starts_nothing)
{
    struct place p = running(tx, false);
    struct str backup = one_backup(tx, &p);
    struct service v;
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    OK(tx,
       service_restore(tx, &p.shop.seal, p.v.id, &(struct service_restore){.backup = backup}, &v));
    ticks(tx, &p.shop);
    is_held(tx, p.v.id);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    SAME(spec_of(tx, &p, p.a, p.v.id).from.backup, backup);
    resume(tx);
    ticks(tx, &p.shop);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_RUNNING);
    SAME(spec_of(tx, &p, p.a, p.v.id).from.backup, backup);
}

TX_TEST(a_drill_in_hand_ends_and_none_begins)
{
    struct place p = make_place(tx, false);
    struct drill d;
    struct page page;
    struct page_query q = {.limit = 1};
    struct drill_order order = {0};
    (void)one_backup(tx, &p);
    OK(tx,
       drill_plan_set(tx, p.v.id, &(struct drill_plan){.every_days = 7}, &(struct drill_plan){0}));
    OK(tx, drill_begin(tx, &p.shop.seal, p.v.id, &order, &d));
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    OK(tx, drill_list(tx, p.v.id, &q, &page));
    d = *(struct drill *)page.items.items;
    ck_assert_int_eq(d.state, DRILL_FAILED);
    SAME(d.reason, STR("the service is suspended"));
    FAILS(tx, RC_CONFLICT, NULL, drill_begin(tx, &p.shop.seal, p.v.id, &order, &d));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    struct str held = d.id;
    tx->now += 8 * US_PER_DAY;
    (void)node_says(tx, &p.shop.seal, p.a, 8, NULL, 0);
    (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
    ticks(tx, &p.shop);
    OK(tx, drill_list(tx, p.v.id, &q, &page));
    SAME(((struct drill *)page.items.items)->id, held); /* the plan waits, and is there */
    struct drill_plan plan;
    OK(tx, drill_plan_get(tx, p.v.id, &plan));
    ck_assert_int_eq(plan.every_days, 7);
}

/* Who uses another could not be described while that rests. */
TX_TEST(what_uses_another_is_held_and_freed_with_it)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service web = order_one(tx, &s, "small-month", false);
    struct service user;
    struct str text;
    (void)sees(tx, &s, node, web.id, SIGHTING_RUNNING);
    struct service_order o = {.agreement = s.supply, .plan = STR("user-month")};
    OK(tx, json_parse(arena_fmt(tx->arena, "{\"peer\":\"%.*s\"}", STRF(web.id)), tx->arena,
                      &o.needs, tx->err));
    OK(tx, service_order(tx, &s.seal, s.client, &o, &user));
    suspend(tx, &web);
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &s.seal, user.id, SERVICE_APPROVE, &user));
    resume(tx);
    OK(tx, service_act(tx, &s.seal, user.id, SERVICE_APPROVE, &user));
    (void)sees(tx, &s, node, user.id, SIGHTING_RUNNING);
    suspend(tx, &web);
    ticks(tx, &s);
    (void)sees(tx, &s, node, web.id, SIGHTING_STOPPED);
    user = now_of(tx, user.id);
    ck_assert_int_eq(service_spec_text(tx, &s.seal, &user, &text), RC_CONFLICT);
    err_clear(tx->err);
    suspend(tx, &user);
    ticks(tx, &s);
    is_held(tx, user.id);
    (void)sees(tx, &s, node, user.id, SIGHTING_STOPPED);
    resume(tx);
    ticks(tx, &s);
    is_free(tx, web.id, SPEC_RUNNING);
    is_free(tx, user.id, SPEC_RUNNING);
    int64_t generation = now_of(tx, user.id).generation;
    (void)sees(tx, &s, node, web.id, SIGHTING_RUNNING);
    ck_assert_int_eq(now_of(tx, user.id).generation, generation + 1); /* told where that is */
}

TX_TEST(nothing_is_resized_until_it_is_paid)
{
    struct shop s = make_shop(tx);
    struct str node = make_node(tx, &s, "n1", 8);
    struct service held = order_one(tx, &s, "small-month", false);
    struct service other = order_one(tx, &s, "small-month", false);
    struct service_resize larger = {.plan = STR("large-month")};
    struct service v;
    (void)sees(tx, &s, node, held.id, SIGHTING_RUNNING);
    (void)sees(tx, &s, node, other.id, SIGHTING_RUNNING);
    suspend(tx, &held);
    ticks(tx, &s);
    FAILS(tx, RC_CONFLICT, NULL, service_resize(tx, &s.seal, held.id, &larger, &v));
    ck_assert(str_has(err_text(tx->err), WHY));
    FAILS(tx, RC_CONFLICT, NULL,
          service_resize(tx, &s.seal, other.id, &larger, &v)); /* as orders */
    SAME(now_of(tx, other.id).plan, other.plan);
    resume(tx);
    ticks(tx, &s);
    OK(tx, service_resize(tx, &s.seal, held.id, &larger, &v));
    SAME(v.plan, s.large.id);
}

TX_TEST(a_cancel_ends_what_is_held)
{
    struct place p = running(tx, false);
    struct service v;
    struct rows rows;
    suspend(tx, &p.v);
    ticks(tx, &p.shop);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_CANCEL, &v));
    ck_assert_uint_eq(v.suspended.n, 0);
    ticks(tx, &p.shop);
    says(tx, &p, p.a, p.v.id, SIGHTING_GONE, -1);
    resume(tx);
    ticks(tx, &p.shop);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_ENDED);
    OK(tx, sql_rows(tx, &rows, "SELECT service FROM service_hold"));
    ck_assert_uint_eq(rows.count, 0);
}

Suite *hold_suite(void);
Suite *hold_suite(void)
{
    Suite *s = suite_create("hold");
    TCase *c = tcase_create("hold");
    tcase_add_test(c, it_stops_says_why_and_goes_on);
    tcase_add_test(c, what_its_client_stopped_stays_stopped);
    tcase_add_test(c, who_is_faster_than_the_clock_is_held_by_nothing);
    tcase_add_test(c, it_does_not_fail_over_and_does_when_it_may_run);
    tcase_add_test(c, a_move_in_hand_ends_at_rest);
    tcase_add_test(c, a_move_goes_on_to_run_where_it_may_again);
    tcase_add_test(c, an_evacuated_node_is_left_at_rest);
    tcase_add_test(c, a_restore_starts_nothing);
    tcase_add_test(c, a_drill_in_hand_ends_and_none_begins);
    tcase_add_test(c, what_uses_another_is_held_and_freed_with_it);
    tcase_add_test(c, nothing_is_resized_until_it_is_paid);
    tcase_add_test(c, a_cancel_ends_what_is_held);
    suite_add_tcase(s, c);
    return s;
}
