/* Backups: due, made, held, thinned out; services that begin with them. */
#include "fleet/backup_fixture.h"

TX_TEST(a_backup_is_made_held_elsewhere_and_leaves_the_control_plane)
{
    struct place p = make_place(tx, false);
    bool due = true;
    OK(tx, backup_tick_due(tx, &due));
    ck_assert(!due); /* it does not run */
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    OK(tx, backup_tick_due(tx, &due));
    ck_assert(due);
    tick(tx);
    OK(tx, backup_tick_due(tx, &due));
    ck_assert(!due);
    struct backup_task t = only_task(tx, &p, p.a, TASK_MAKE);
    ck_assert_int_eq(t.bytes, 2 * FLEET_GIB + BACKUP_BYTES_MORE);
    ck_assert_uint_eq(t.key.n, 64);
    int64_t max = 0;
    OK(tx, backup_sends(tx, p.a, t.id, &max));
    FAILS(tx, RC_NOT_FOUND, NULL, backup_sends(tx, p.b, t.id, &max));
    FAILS(tx, RC_NOT_FOUND, NULL, backup_fetches(tx, p.b, t.id));
    tells(tx, p.a, t.id, TASK_MAKE);
    ck_assert_int_eq(get(tx, t.id).state, BACKUP_KEPT);
    SAME(get(tx, t.id).holder, p.b);
    ck_assert_uint_eq(tasks_of(tx, &p, p.a).tasks.count, 0);
    struct backup_task hold = only_task(tx, &p, p.b, TASK_HOLD);
    ck_assert_uint_eq(hold.key.n, 0); /* who holds it reads nothing */
    OK(tx, backup_fetches(tx, p.b, t.id));
    tick(tx);
    ck_assert(get(tx, t.id).here);
    tells(tx, p.b, t.id, TASK_HOLD);
    tick(tx);
    ck_assert(!get(tx, t.id).here);
    ck_assert(get(tx, t.id).held);
    FAILS(tx, RC_CONFLICT, NULL, backup_fetches(tx, p.b, t.id));
    /* The next one after its hour. */
    tx->now += 3599 * US_PER_SECOND;
    tick(tx);
    ck_assert_uint_eq(tasks_of(tx, &p, p.a).tasks.count, 0);
    tx->now += US_PER_SECOND;
    tick(tx);
    ck_assert_uint_eq(tasks_of(tx, &p, p.a).tasks.count, 1);
}

/* The store knows a statement by its address: one that is put together has no address of its own,
 * and was taken for another one, sooner or later. */
TX_TEST(tasks_are_read_wherever_their_memory_lies)
{
    enum { BYTES = 1024 * 1024, PADS = 4096, STEP = 16 };
    struct place p = make_place(tx, false);
    struct backup_tasks tasks;
    struct arena one;
    struct arena *whole = tx->arena;
    arena_init(&one, BYTES);
    tx->arena = &one;
    for (size_t pad = STEP; pad < PADS; pad += STEP) {
        arena_reset(&one);
        (void)arena_alloc(&one, pad);
        OK(tx, backup_tasks(tx, &p.shop.seal, p.a, &tasks));
        ck_assert_uint_eq(tasks.tasks.count, 0);
    }
    tx->arena = whole;
    arena_fini(&one);
}

TX_TEST(without_another_site_it_stays_here_and_says_so)
{
    struct shop s = make_shop(tx);
    struct place p = {.shop = s};
    struct plan plan = make_flat(tx, s.op, "keeper", PLAN_MONTH, "5.00");
    make_kind(tx, s.op, KEEPER);
    make_sale(tx, s.op, plan.id, "keeper", NULL, false);
    p.a = make_node(tx, &s, "a", 8);
    (void)make_node(tx, &s, "a2", 8);
    p.v = order_one(tx, &s, "keeper-month", false);
    (void)sees(tx, &s, p.v.node, p.v.id, SIGHTING_RUNNING);
    tick(tx);
    struct backup_task t = only_task(tx, &p, p.v.node, TASK_MAKE);
    tells(tx, p.v.node, t.id, TASK_MAKE);
    tick(tx);
    struct backup b = get(tx, t.id);
    ck_assert(b.here);
    ck_assert_uint_eq(b.holder.n, 0);
    /* A node of another site comes: it is asked to hold it. */
    p.b = make_node_at(tx, &p.shop, make_site(tx, s.other, "DE"), "b");
    tick(tx);
    (void)only_task(tx, &p, p.b, TASK_HOLD);
}

TX_TEST(what_cannot_be_backed_up_is_said)
{
    struct place p = make_place(tx, false);
    struct service web = order_one(tx, &p.shop, "small-month", false);
    struct backup b;
    FAILS(tx, RC_CONFLICT, NULL, backup_ask(tx, web.id, &b));
    ck_assert(str_has(err_text(tx->err), STR("no way to back up")));
    FAILS(tx, RC_CONFLICT, NULL, backup_ask(tx, p.v.id, &b));
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    OK(tx, backup_ask(tx, p.v.id, &b));
    FAILS(tx, RC_CONFLICT, NULL, backup_ask(tx, p.v.id, &b));
    ck_assert(str_has(err_text(tx->err), STR("already")));
    struct backup_word word = {.kind = TASK_MAKE, .failed = true, .reason = STR("disk is full")};
    struct str id = only_task(tx, &p, p.a, TASK_MAKE).id;
    FAILS(tx, RC_NOT_FOUND, NULL, backup_told(tx, p.b, id, &word));
    OK(tx, backup_told(tx, p.a, id, &word));
    ck_assert_int_eq(get(tx, id).state, BACKUP_FAILED);
    SAME(get(tx, id).reason, STR("disk is full"));
    OK(tx, backup_ask(tx, p.v.id, &b));
}

static struct spec_restore spec_from(struct tx *tx, const struct place *p, struct str node)
{
    struct str text;
    struct desired d = {0};
    const struct json *json = NULL;
    OK(tx, service_desired(tx, &p->shop.seal, node, -1, &text));
    OK(tx, json_parse(text, tx->arena, &json, tx->err));
    OK(tx, schema_decode(&desired_schema, SCHEMA_WHOLE, json, tx->arena, &d, tx->err));
    const struct service_spec *specs = d.services.items;
    for (size_t i = 0; i < d.services.count; i++)
        if (str_eq(specs[i].id, p->v.id))
            return specs[i].from;
    ck_abort_msg("it is not on that node");
}

TX_TEST(a_service_goes_back_to_a_backup)
{
    struct place p = make_place(tx, false);
    struct str id = one_backup(tx, &p);
    struct service v;
    struct service_restore from = {.backup = STR("bak_00000000000000000000000000")};
    ck_assert_int_eq(spec_from(tx, &p, p.a).number, 0);
    FAILS(tx, RC_INVALID, "/backup", service_restore(tx, &p.shop.seal, p.v.id, &from, &v));
    from.backup = id;
    OK(tx, service_restore(tx, &p.shop.seal, p.v.id, &from, &v));
    ck_assert_int_eq(v.state, SERVICE_PREPARING);
    struct spec_restore told = spec_from(tx, &p, p.a);
    SAME(told.backup, id);
    SAME(told.sha256, STR(BACKUP_HASH));
    ck_assert_int_eq(told.number, 1);
    ck_assert_int_eq(told.bytes, 1000);
    ck_assert_uint_eq(told.key.n, 64);
    /* Its holder sends it, and the service's node fetches it; nobody else. */
    FAILS(tx, RC_CONFLICT, NULL, backup_fetches(tx, p.a, id));
    (void)only_task(tx, &p, p.b, TASK_SEND);
    tells(tx, p.b, id, TASK_SEND);
    tick(tx);
    OK(tx, backup_fetches(tx, p.a, id));
    FAILS(tx, RC_NOT_FOUND, NULL, backup_fetches(tx, STR("nod_x"), id));
    v = sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    ck_assert_int_eq(v.state, SERVICE_RUNNING);
    tick(tx);
    ck_assert(!get(tx, id).here); /* it is where it was */
    FAILS(tx, RC_NOT_FOUND, NULL, backup_told(tx, p.a, id, &(struct backup_word){.kind = 1}));
}

TX_TEST(a_failover_begins_with_the_newest_backup)
{
    struct place p = make_place(tx, true);
    struct str id = one_backup(tx, &p);
    struct service v = p.v;
    time_us sent = tx->now;
    for (int64_t second = 1; second <= NODE_LEASE_S + 60 && str_eq(v.node, p.a); second++) {
        bool more = false;
        tx->now = sent + second * US_PER_SECOND;
        if (second % 30 == 0)
            (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
        OK(tx, service_tick(tx, &p.shop.seal, &more));
        OK(tx, service_get(tx, v.id, &v));
    }
    SAME(v.node, p.b);
    struct spec_restore told = spec_from(tx, &p, p.b);
    SAME(told.backup, id);
    ck_assert_int_eq(told.number, 1);
    (void)only_task(tx, &p, p.b, TASK_SEND);
}

TX_TEST(a_failover_without_a_backup_begins_anew)
{
    struct place p = make_place(tx, true);
    struct service v = p.v;
    bool more = false;
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    tick(tx); /* one is being made, and is lost */
    tx->now += NODE_LOST_US - US_PER_SECOND;
    (void)node_says(tx, &p.shop.seal, p.b, 8, NULL, 0);
    tx->now += 2 * US_PER_SECOND;
    OK(tx, service_tick(tx, &p.shop.seal, &more));
    OK(tx, service_get(tx, v.id, &v));
    SAME(v.node, p.b);
    ck_assert_int_eq(spec_from(tx, &p, p.b).number, 0);
    ck_assert_uint_eq(tasks_of(tx, &p, p.a).tasks.count, 0);
}

TX_TEST(what_ended_leaves_no_backup)
{
    struct place p = make_place(tx, false);
    struct str id = one_backup(tx, &p);
    struct service v;
    struct page page;
    struct page_query q = {0};
    OK(tx, backup_list(tx, p.v.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_CANCEL, &v));
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_GONE);
    (void)only_task(tx, &p, p.b, TASK_DROP);
    tells(tx, p.b, id, TASK_DROP);
    ck_assert_uint_eq(tasks_of(tx, &p, p.b).tasks.count, 0);
    OK(tx, backup_list(tx, p.v.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

START_TEST(the_newest_and_one_a_day_are_kept)
{
    enum { HOURS = 24 * 60 };
    time_us asked[HOURS];
    bool keep[HOURS];
    time_us now = 100 * US_PER_DAY + 5 * US_PER_HOUR;
    size_t kept = 0, days = 0;
    for (size_t i = 0; i < HOURS; i++)
        asked[i] = now - (time_us)i * US_PER_HOUR;
    backup_thin(asked, HOURS, now, keep);
    for (size_t i = 0; i < HOURS; i++) {
        kept += keep[i];
        days += keep[i] && i >= BACKUP_NEWEST;
        ck_assert(i >= BACKUP_NEWEST || keep[i]);
        ck_assert(!keep[i] || asked[i] > now - (BACKUP_DAYS + 1) * US_PER_DAY);
        if (keep[i] && i >= BACKUP_NEWEST)
            ck_assert_int_ne(asked[i] / US_PER_DAY, asked[i - 1] / US_PER_DAY);
    }
    ck_assert_uint_ge(days, BACKUP_DAYS - 2);
    ck_assert_uint_le(kept, BACKUP_DAYS + BACKUP_NEWEST);
}
END_TEST

Suite *backup_keep_suite(void);
Suite *backup_keep_suite(void)
{
    Suite *s = suite_create("backup_keep");
    TCase *t = tcase_create("backups");
    tcase_add_test(t, a_backup_is_made_held_elsewhere_and_leaves_the_control_plane);
    tcase_add_test(t, tasks_are_read_wherever_their_memory_lies);
    tcase_add_test(t, without_another_site_it_stays_here_and_says_so);
    tcase_add_test(t, what_cannot_be_backed_up_is_said);
    tcase_add_test(t, a_service_goes_back_to_a_backup);
    tcase_add_test(t, a_failover_begins_with_the_newest_backup);
    tcase_add_test(t, a_failover_without_a_backup_begins_anew);
    tcase_add_test(t, what_ended_leaves_no_backup);
    tcase_add_test(t, the_newest_and_one_a_day_are_kept);
    suite_add_tcase(s, t);
    return s;
}
