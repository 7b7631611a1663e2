/* Snapshots: asked for, described to the node, seen by it, counted, and gone with the disk. */
#include "fleet/snapshot.h"

#include "fleet/backup_fixture.h"
#include "fleet/service_inside.h"

#define BOX                                                                               \
    "name: box\nversion: \"1\"\ntitle: B\nauthor: me\nruntime: vm\nimage: {name: disk}\n" \
    "resources: {cpu: 500m, memory: 1 GiB, disk: 2 GiB}\nbackup_disk: true\nuser_data: x\n"
#define ROOM (3 * FLEET_GIB)

static struct place make_box(struct tx *tx)
{
    struct place p = {.shop = make_shop(tx)};
    struct image image;
    struct image fresh = {
        .name = STR("disk"), .sha256 = STR(BACKUP_HASH), .bytes = 1000, .format = STR("qcow2")};
    struct plan plan = make_flat(tx, p.shop.op, "box", PLAN_MONTH, "5.00");
    OK(tx, image_create(tx, p.shop.op, &fresh, &image));
    make_kind(tx, p.shop.op, BOX);
    make_sale(tx, p.shop.op, plan.id, "box", NULL, false);
    p.a = make_node(tx, &p.shop, "a", 8);
    p.v = order_one(tx, &p.shop, "box-month", false);
    p.b = make_node_at(tx, &p.shop, make_site(tx, p.shop.other, "DE"), "b");
    p.v = sees(tx, &p.shop, p.a, p.v.id, SIGHTING_RUNNING);
    return p;
}

static int64_t taken_of(struct tx *tx, const struct place *p, struct str node)
{
    struct rows rows;
    (void)p;
    OK(tx, sql_rows(tx, &rows, "SELECT disk_taken FROM node WHERE id = $1", V(node)));
    return row_int(&rows, 0, 0);
}

static struct operation last_of(struct tx *tx, const struct place *p)
{
    struct page page;
    struct page_query q = {.limit = 1};
    OK(tx, operation_list(tx, p->v.id, &q, &page));
    return *(struct operation *)page.items.items;
}

static struct snapshot got(struct tx *tx, struct str id)
{
    struct snapshot s;
    OK(tx, snapshot_get(tx, id, &s));
    return s;
}

static struct snapshot take(struct tx *tx, const struct place *p)
{
    struct snapshot s;
    struct snapshot fresh = {.name = STR("before")};
    OK(tx, snapshot_take(tx, &p->shop.seal, p->v.id, &fresh, &s));
    return s;
}

/* The node says of the generation that is wanted that it has these. */
static void tells_of(struct tx *tx, const struct place *p, const struct sighting_snapshot *seen,
                     size_t count, int64_t reverted)
{
    struct service v = now_of(tx, p->v.id);
    struct sighting s = {.id = v.id,
                         .generation = v.generation,
                         .state = v.wanted == SPEC_RUNNING ? SIGHTING_RUNNING : SIGHTING_STOPPED,
                         .snapshots = {(void *)(uintptr_t)seen, count},
                         .reverted = reverted};
    (void)node_says(tx, &p->shop.seal, p->a, 8, &s, 1);
}

static struct str one_kept(struct tx *tx, const struct place *p)
{
    struct snapshot s = take(tx, p);
    struct sighting_snapshot seen = {.id = s.id, .kept = true, .memory_bytes = 5000};
    tells_of(tx, p, &seen, 1, 0);
    ck_assert_int_eq(got(tx, s.id).state, SNAPSHOT_KEPT);
    return s.id;
}

TX_TEST(it_is_taken_by_the_node_and_its_room_is_counted)
{
    struct place p = make_box(tx);
    int64_t before = taken_of(tx, &p, p.a);
    struct snapshot s = take(tx, &p);
    ck_assert_int_eq(s.state, SNAPSHOT_WANTED);
    ck_assert_int_eq(taken_of(tx, &p, p.a), before + ROOM);
    struct service_spec spec = spec_of(tx, &p, p.a, p.v.id);
    const struct spec_snapshot *wanted = spec.snapshots.items;
    ck_assert_uint_eq(spec.snapshots.count, 1);
    SAME(wanted[0].id, s.id);
    ck_assert(wanted[0].take);
    /* It runs, and that is not yet the end of what was asked for. */
    tells_of(tx, &p, NULL, 0, 0);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_RUNNING);
    struct sighting_snapshot seen = {.id = s.id, .kept = true, .memory_bytes = 5000};
    tells_of(tx, &p, &seen, 1, 0);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_DONE);
    ck_assert_int_eq(got(tx, s.id).memory_bytes, 5000);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_RUNNING);
}

TX_TEST(what_is_told_of_another_is_not_believed)
{
    struct place p = make_box(tx);
    struct snapshot s = take(tx, &p);
    struct sighting_snapshot seen = {.id = STR("snp_00000000000000000000000000"), .kept = true};
    tells_of(tx, &p, &seen, 1, 0);
    ck_assert_int_eq(got(tx, s.id).state, SNAPSHOT_WANTED);
}

TX_TEST(one_that_fails_says_why_and_takes_no_room)
{
    struct place p = make_box(tx);
    int64_t before = taken_of(tx, &p, p.a);
    struct snapshot s = take(tx, &p);
    struct sighting_snapshot seen = {.id = s.id, .reason = STR("no room")};
    tells_of(tx, &p, &seen, 1, 0);
    ck_assert_int_eq(got(tx, s.id).state, SNAPSHOT_FAILED);
    SAME(got(tx, s.id).reason, STR("no room"));
    ck_assert_int_eq(taken_of(tx, &p, p.a), before);
    ck_assert_int_eq(last_of(tx, &p).state, STEP_FAILED);
    ck_assert_int_eq(now_of(tx, p.v.id).state, SERVICE_RUNNING);
}

TX_TEST(it_goes_back_once_for_each_time_that_it_is_asked)
{
    struct place p = make_box(tx);
    struct service v;
    struct str id = one_kept(tx, &p);
    struct sighting_snapshot seen = {.id = id, .kept = true, .memory_bytes = 5000};
    for (int64_t i = 1; i <= 2; i++) {
        OK(tx, snapshot_revert(tx, &p.shop.seal, id, &v));
        ck_assert_int_eq(v.state, SERVICE_PREPARING);
        struct service_spec spec = spec_of(tx, &p, p.a, p.v.id);
        SAME(spec.revert, id);
        ck_assert_int_eq(spec.reverts, i);
        tells_of(tx, &p, &seen, 1, i - 1);
        ck_assert_int_eq(last_of(tx, &p).state, STEP_RUNNING);
        tells_of(tx, &p, &seen, 1, i);
        ck_assert_int_eq(last_of(tx, &p).state, STEP_DONE);
    }
}

TX_TEST(it_is_removed_and_its_room_given_back)
{
    struct place p = make_box(tx);
    struct snapshot s;
    int64_t before = taken_of(tx, &p, p.a);
    struct str id = one_kept(tx, &p);
    struct sighting_snapshot seen = {.id = id, .kept = true};
    OK(tx, snapshot_delete(tx, &p.shop.seal, id, &s));
    ck_assert_uint_eq(spec_of(tx, &p, p.a, p.v.id).snapshots.count, 0);
    tells_of(tx, &p, &seen, 1, 0);
    ck_assert_int_eq(got(tx, id).state, SNAPSHOT_REMOVING);
    FAILS(tx, RC_CONFLICT, NULL, snapshot_delete(tx, &p.shop.seal, id, &s));
    tells_of(tx, &p, NULL, 0, 0);
    ck_assert_int_eq(got(tx, id).state, SNAPSHOT_GONE);
    ck_assert_int_eq(taken_of(tx, &p, p.a), before);
}

TX_TEST(so_many_and_no_more_and_one_at_a_time)
{
    struct place p = make_box(tx);
    struct snapshot s;
    struct snapshot fresh = {.name = STR("x")};
    struct sighting_snapshot seen[SPEC_SNAPSHOTS_MAX];
    for (size_t i = 0; i < SPEC_SNAPSHOTS_MAX; i++) {
        seen[i] = (struct sighting_snapshot){.id = take(tx, &p).id, .kept = true};
        FAILS(tx, RC_CONFLICT, NULL, snapshot_take(tx, &p.shop.seal, p.v.id, &fresh, &s));
        tells_of(tx, &p, seen, i + 1, 0);
    }
    FAILS(tx, RC_CONFLICT, NULL, snapshot_take(tx, &p.shop.seal, p.v.id, &fresh, &s));
}

TX_TEST(a_full_node_takes_none)
{
    struct place p = make_box(tx);
    struct snapshot s;
    struct snapshot fresh = {.name = STR("x")};
    OK(tx, sql_run(tx, "UPDATE node SET disk_taken = disk_bytes - $2 WHERE id = $1", V(p.a),
                   V(ROOM - 1)));
    FAILS(tx, RC_CONFLICT, NULL, snapshot_take(tx, &p.shop.seal, p.v.id, &fresh, &s));
    OK(tx,
       sql_run(tx, "UPDATE node SET disk_taken = disk_bytes - $2 WHERE id = $1", V(p.a), V(ROOM)));
    (void)take(tx, &p);
}

TX_TEST(a_container_has_none)
{
    struct place p = make_place(tx, false);
    struct snapshot s;
    struct snapshot fresh = {.name = STR("x")};
    says(tx, &p, p.a, p.v.id, SIGHTING_RUNNING, 1);
    FAILS(tx, RC_CONFLICT, NULL, snapshot_take(tx, &p.shop.seal, p.v.id, &fresh, &s));
}

TX_TEST(who_would_lose_them_is_told_and_who_must_go_loses_them)
{
    struct place p = make_box(tx);
    struct service v;
    struct str id = one_kept(tx, &p);
    struct service_restore from = {.backup = STR("bak_00000000000000000000000000")};
    FAILS(tx, RC_CONFLICT, NULL, service_act(tx, &p.shop.seal, p.v.id, SERVICE_MOVE, &v));
    FAILS(tx, RC_CONFLICT, NULL, service_restore(tx, &p.shop.seal, p.v.id, &from, &v));
    int64_t before = taken_of(tx, &p, p.a);
    v = now_of(tx, p.v.id);
    OK(tx, service_leave(tx, &v));
    ck_assert_int_eq(got(tx, id).state, SNAPSHOT_GONE);
    SAME(got(tx, id).reason, STR("the service went to another node"));
    ck_assert_int_eq(taken_of(tx, &p, p.a), before - ROOM);
}

TX_TEST(they_end_with_their_service)
{
    struct place p = make_box(tx);
    struct service v;
    int64_t before = taken_of(tx, &p, p.a) - 2 * FLEET_GIB;
    struct str id = one_kept(tx, &p);
    OK(tx, service_act(tx, &p.shop.seal, p.v.id, SERVICE_CANCEL, &v));
    (void)sees(tx, &p.shop, p.a, p.v.id, SIGHTING_GONE);
    ck_assert_int_eq(got(tx, id).state, SNAPSHOT_GONE);
    ck_assert_int_eq(taken_of(tx, &p, p.a), before);
}

Suite *snapshot_suite(void);
Suite *snapshot_suite(void)
{
    Suite *s = suite_create("snapshot");
    TCase *c = tcase_create("snapshot");
    tcase_add_test(c, it_is_taken_by_the_node_and_its_room_is_counted);
    tcase_add_test(c, what_is_told_of_another_is_not_believed);
    tcase_add_test(c, one_that_fails_says_why_and_takes_no_room);
    tcase_add_test(c, it_goes_back_once_for_each_time_that_it_is_asked);
    tcase_add_test(c, it_is_removed_and_its_room_given_back);
    tcase_add_test(c, so_many_and_no_more_and_one_at_a_time);
    tcase_add_test(c, a_full_node_takes_none);
    tcase_add_test(c, a_container_has_none);
    tcase_add_test(c, who_would_lose_them_is_told_and_who_must_go_loses_them);
    tcase_add_test(c, they_end_with_their_service);
    suite_add_tcase(s, c);
    return s;
}
