/* Moves: a service stops, travels with what it keeps, and is at one place at any time. */
#include "fleet/move.h"

#include "fleet/backup_fixture.h"
#include "fleet/service_inside.h"

static struct operation last_of(struct tx *tx, const struct place *p)
{
    struct page page;
    struct page_query q = {.limit = 1};
    OK(tx, operation_list(tx, p->v.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    return *(struct operation *)page.items.items;
}

static bool is_in_hand(struct tx *tx, const struct place *p)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT step FROM service_move WHERE service = $1", V(p->v.id)));
    return rows.count > 0;
}

static void clock_ticks(struct tx *tx, const struct place *p)
{
    bool more = false;
    OK(tx, service_tick(tx, &p->shop.seal, &more));
}

/* Nodes that have nothing new to say are heard all the same. */
static void hear(struct tx *tx, const struct place *p)
{
    (void)node_says(tx, &p->shop.seal, p->a, 8, NULL, 0);
    (void)node_says(tx, &p->shop.seal, p->b, 8, NULL, 0);
}

/* Of what is left of it at a node: the spec alone has a state. */
static void says_of_left(struct tx *tx, const struct place *p, struct str node,
                         enum sighting_state state)
{
    struct service_spec spec = spec_of(tx, p, node, p->v.id);
    struct sighting seen = {.id = p->v.id, .generation = spec.generation, .state = state};
    (void)node_says(tx, &p->shop.seal, node, 8, &seen, 1);
}

static struct place running(struct tx *tx, bool failover)
{
    struct place p = make_place(tx, failover);
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    return p;
}

static void begin(struct tx *tx, const struct place *p)
{
    struct service v;
    OK(tx, service_act(tx, &p->shop.seal, p->v.id, SERVICE_MOVE, &v));
    ck_assert(is_in_hand(tx, p));
}

static struct backup_task disk_task(struct tx *tx, const struct place *p)
{
    const struct backup_tasks tasks = tasks_of(tx, p, p->a);
    const struct backup_task *t = tasks.tasks.items;
    ck_assert_uint_eq(tasks.tasks.count, 1);
    ck_assert_int_eq(t->kind, TASK_MAKE);
    ck_assert(t->disk);
    return *t;
}

/* Saved at a: b is told of it. */
static struct str saved(struct tx *tx, const struct place *p)
{
    says(tx, p, p->a, p->v.id, SIGHTING_STOPPED, -1);
    struct backup_task t = disk_task(tx, p);
    tells(tx, p->a, t.id, TASK_MAKE);
    OK(tx, move_saved(tx, &p->shop.seal, t.id));
    OK(tx, move_saved(tx, &p->shop.seal, t.id)); /* twice is once */
    SAME(now_of(tx, p->v.id).node, p->b);
    return t.id;
}

TX_TEST(it_goes_with_its_data_and_the_old_copy_waits_for_the_promises)
{
    struct place p = running(tx, false);
    begin(tx, &p);
    SAME(now_of(tx, p.v.id).node, p.a);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    ck_assert_uint_eq(tasks_of(tx, &p, p.a).tasks.count, 0); /* not while it runs */
    struct str backup = saved(tx, &p);
    struct service_spec there = spec_of(tx, &p, p.b, p.v.id);
    ck_assert_int_eq(there.state, SPEC_RUNNING);
    SAME(there.from.backup, backup);
    ck_assert(there.from.disk);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    /* b alone may fetch it, and nobody holds it. */
    OK(tx, backup_fetches(tx, p.b, backup));
    FAILS(tx, RC_NOT_FOUND, NULL, backup_fetches(tx, p.a, backup));
    ck_assert_uint_eq(tasks_of(tx, &p, p.b).tasks.count, 0);
    SAME(last_of(tx, &p).step, STR("prepare"));
    says(tx, &p, p.b, p.v.id, SIGHTING_STARTING, -1);
    SAME(last_of(tx, &p).step, STR("start"));
    says(tx, &p, p.b, p.v.id, SIGHTING_RUNNING, 0);
    SAME(last_of(tx, &p).step, STR("check"));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, p.b, p.v.id, SIGHTING_RUNNING, 1);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_DONE);
    ck_assert(!is_in_hand(tx, &p));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
    ck_assert_int_eq(get(tx, backup).state, BACKUP_GONE);
    /* The room there is given back when it is gone, and the next spec restores nothing. */
    struct node a;
    OK(tx, node_get(tx, p.a, &a));
    ck_assert_int_gt(a.memory_taken, 0);
    says_of_left(tx, &p, p.a, SIGHTING_GONE);
    OK(tx, node_get(tx, p.a, &a));
    ck_assert_int_eq(a.memory_taken, 0);
    struct service v;
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_RESTART, &v));
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).from.number, 0);
}

TX_TEST(a_stopped_one_goes_at_rest)
{
    struct place p = running(tx, false);
    struct service v;
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_STOP, &v));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    begin(tx, &p);
    struct backup_task t = disk_task(tx, &p);
    tells(tx, p.a, t.id, TASK_MAKE);
    OK(tx, move_saved(tx, &p.shop.seal, t.id));
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_STOPPED);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).from.number, 1);
    says(tx, &p, p.b, p.v.id, SIGHTING_PREPARING, -1);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, p.b, p.v.id, SIGHTING_STOPPED, -1);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_STOPPED);
}

TX_TEST(what_cannot_be_saved_goes_on_where_it_is)
{
    struct place p = running(tx, false);
    begin(tx, &p);
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    struct backup_task t = disk_task(tx, &p);
    struct backup_word word = {.kind = TASK_MAKE, .failed = true, .reason = STR("no room")};
    OK(tx, backup_told(tx, p.a, t.id, &word));
    OK(tx, move_saved(tx, &p.shop.seal, t.id));
    SAME(now_of(tx, p.v.id).node, p.a);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_RUNNING);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_FAILED);
    SAME(last_of(tx, &p).reason, STR("no room"));
    ck_assert(!is_in_hand(tx, &p));
}

TX_TEST(without_a_place_nothing_is_stopped)
{
    struct place p = running(tx, false);
    struct node n;
    struct service v;
    OK(tx, node_act(tx, p.b, NODE_DRAIN, &n));
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &p.shop.seal, p.v.id, SERVICE_MOVE, &v));
    ck_assert(!is_in_hand(tx, &p));
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_RUNNING);
    /* One that is lost between the stop and the going: it stays. */
    OK(tx, node_act(tx, p.b, NODE_ENABLE, &n));
    begin(tx, &p);
    OK(tx, node_act(tx, p.b, NODE_DISABLE, &n));
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    struct backup_task t = disk_task(tx, &p);
    tells(tx, p.a, t.id, TASK_MAKE);
    OK(tx, move_saved(tx, &p.shop.seal, t.id));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_RUNNING);
    ck_assert_int_eq(get(tx, t.id).state, BACKUP_GONE);
}

TX_TEST(what_does_not_run_there_goes_back_with_what_it_left_with)
{
    struct place p = running(tx, false);
    begin(tx, &p);
    struct str backup = saved(tx, &p);
    says(tx, &p, p.b, p.v.id, SIGHTING_FAILED, -1);
    clock_ticks(tx, &p);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_RUNNING); /* it is tried again */
    tx->now += MOVE_LOAD_US;
    hear(tx, &p);
    clock_ticks(tx, &p);
    /* Not before it rests there. */
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_STOPPED);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, p.b, p.v.id, SIGHTING_STOPPED, -1);
    SAME(now_of(tx, p.v.id).node, p.a);
    struct service_spec back = spec_of(tx, &p, p.a, p.v.id);
    ck_assert_int_eq(back.state, SPEC_RUNNING);
    ck_assert_int_eq(back.from.number, 0); /* what lies there is newer than any backup */
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_GONE);
    ck_assert_int_eq(get(tx, backup).state, BACKUP_GONE);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_FAILED);
    says_of_left(tx, &p, p.b, SIGHTING_GONE);
    struct node a, b;
    OK(tx, node_get(tx, p.a, &a));
    OK(tx, node_get(tx, p.b, &b));
    ck_assert_int_eq(a.memory_taken, 64 << 20);
    ck_assert_int_eq(b.memory_taken, 0);
}

TX_TEST(nothing_else_is_done_meanwhile_but_a_cancel)
{
    struct place p = running(tx, false);
    struct service v;
    const struct seal *seal = &p.shop.seal;
    begin(tx, &p);
    for (int i = 0; i < 2; i++) {
        FAILS(tx, RC_CONFLICT, NULL, service_act(tx, seal, p.v.id, SERVICE_STOP, &v));
        FAILS(tx, RC_CONFLICT, NULL, service_act(tx, seal, p.v.id, SERVICE_START, &v));
        FAILS(tx, RC_CONFLICT, NULL, service_act(tx, seal, p.v.id, SERVICE_MOVE, &v));
        FAILS(tx, RC_CONFLICT, NULL,
              service_resize(tx, seal, p.v.id, &(struct service_resize){0}, &v));
        if (i == 0)
            (void)saved(tx, &p);
    }
    OK(tx, service_act(tx, seal, p.v.id, SERVICE_CANCEL, &v));
    ck_assert(!is_in_hand(tx, &p));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_GONE);
    says_of_left(tx, &p, p.a, SIGHTING_GONE);
    says(tx, &p, p.b, p.v.id, SIGHTING_GONE, -1);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_ENDED);
}

/* Its node dies while it is stopped for the move: it comes back from its newest backup, as it would
 * have. */
TX_TEST(a_lost_source_ends_the_move_of_what_fails_over)
{
    struct place p = running(tx, true);
    struct str backup = one_backup(tx, &p);
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    begin(tx, &p);
    tx->now += 200 * US_PER_SECOND;
    (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
    clock_ticks(tx, &p);
    clock_ticks(tx, &p);
    SAME(now_of(tx, p.v.id).node, p.b);
    struct service_spec spec = spec_of(tx, &p, p.b, p.v.id);
    ck_assert_int_eq(spec.state, SPEC_RUNNING);
    SAME(spec.from.backup, backup);
    ck_assert(!spec.from.disk);
    ck_assert(!is_in_hand(tx, &p));
}

/* The node that it went to dies before it ran there: it goes to a third with what was saved. */
TX_TEST(a_lost_target_loses_nothing)
{
    struct place p = running(tx, true);
    begin(tx, &p);
    struct str backup = saved(tx, &p);
    struct str c = make_node_at(tx, &p.shop, make_site(tx, p.shop.other, "ES"), "c");
    tx->now += 200 * US_PER_SECOND;
    (void)node_says(tx, &p.shop.seal, p.a, 8, NULL, 0);
    (void)node_says(tx, &p.shop.seal, c, 8, NULL, 0);
    clock_ticks(tx, &p);
    SAME(now_of(tx, p.v.id).node, c);
    SAME(spec_of(tx, &p, c, p.v.id).from.backup, backup);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_STOPPED);
    says(tx, &p, c, p.v.id, SIGHTING_RUNNING, 1);
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).state, SPEC_GONE);
}

TX_TEST(an_evacuated_node_is_emptied_and_takes_nothing)
{
    struct place p = running(tx, false);
    struct node n;
    OK(tx, node_act(tx, p.a, NODE_EVACUATE, &n));
    ck_assert_int_eq(n.state, NODE_DRAINING);
    bool due = false;
    OK(tx, service_tick_due(tx, &due));
    ck_assert(due);
    clock_ticks(tx, &p);
    ck_assert(is_in_hand(tx, &p));
    (void)saved(tx, &p);
    says(tx, &p, p.b, p.v.id, SIGHTING_RUNNING, 1);
    says_of_left(tx, &p, p.a, SIGHTING_GONE);
    OK(tx, service_tick_due(tx, &due));
    ck_assert(!due);
    /* Lost and heard again, it is what it was. */
    tx->now += NODE_LOST_US + 1;
    (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
    clock_ticks(tx, &p);
    OK(tx, node_get(tx, p.a, &n));
    ck_assert_int_eq(n.state, NODE_LOST);
    hear(tx, &p);
    OK(tx, node_get(tx, p.a, &n));
    ck_assert_int_eq(n.state, NODE_DRAINING);
    OK(tx, node_act(tx, p.a, NODE_ENABLE, &n));
    ck_assert_int_eq(n.state, NODE_READY);
}

/* Where nobody has room for it, it runs on, and says why. */
TX_TEST(what_finds_no_place_stays_on_an_evacuated_node)
{
    struct place p = running(tx, false);
    struct node n;
    OK(tx, node_act(tx, p.b, NODE_DRAIN, &n));
    OK(tx, node_act(tx, p.a, NODE_EVACUATE, &n));
    clock_ticks(tx, &p);
    clock_ticks(tx, &p);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_RUNNING);
    ck_assert_uint_gt(now_of(tx, p.v.id).reason.n, 0);
    OK(tx, node_act(tx, p.b, NODE_ENABLE, &n));
    clock_ticks(tx, &p);
    ck_assert(is_in_hand(tx, &p));
}

/* What keeps nothing on its node is not saved, and still never at two. */
TX_TEST(what_keeps_nothing_moves_as_soon_as_it_rests)
{
    struct place p = {.shop = make_shop(tx)};
    p.a = make_node(tx, &p.shop, "a", 8);
    p.v = order_one(tx, &p.shop, "small-month", false);
    p.b = make_node_at(tx, &p.shop, make_site(tx, p.shop.other, "DE"), "b");
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, -1);
    begin(tx, &p);
    SAME(now_of(tx, p.v.id).node, p.a);
    says(tx, &p, p.a, p.v.id, SIGHTING_STOPPED, -1);
    SAME(now_of(tx, p.v.id).node, p.b);
    ck_assert_int_eq(spec_of(tx, &p, p.b, p.v.id).from.number, 0);
    says(tx, &p, p.b, p.v.id, SIGHTING_RUNNING, -1);
    ck_assert(!is_in_hand(tx, &p));
    ck_assert_int_eq(spec_of(tx, &p, p.a, p.v.id).state, SPEC_GONE);
}

Suite *move_suite(void);
Suite *move_suite(void)
{
    Suite *s = suite_create("move");
    TCase *c = tcase_create("move");
    tcase_add_test(c, it_goes_with_its_data_and_the_old_copy_waits_for_the_promises);
    tcase_add_test(c, a_stopped_one_goes_at_rest);
    tcase_add_test(c, what_cannot_be_saved_goes_on_where_it_is);
    tcase_add_test(c, without_a_place_nothing_is_stopped);
    tcase_add_test(c, what_does_not_run_there_goes_back_with_what_it_left_with);
    tcase_add_test(c, nothing_else_is_done_meanwhile_but_a_cancel);
    tcase_add_test(c, a_lost_source_ends_the_move_of_what_fails_over);
    tcase_add_test(c, a_lost_target_loses_nothing);
    tcase_add_test(c, an_evacuated_node_is_emptied_and_takes_nothing);
    tcase_add_test(c, what_finds_no_place_stays_on_an_evacuated_node);
    tcase_add_test(c, what_keeps_nothing_moves_as_soon_as_it_rests);
    suite_add_tcase(s, c);
    return s;
}
