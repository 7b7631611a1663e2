#include "node/machine.h"

#include "node/promise.h"

#include <check.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, (size_t)1024 * 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* So many thousandths of the disk, so many degrees, at that second; promise by its place. */
static struct sighting_promise say(struct machine_mind *mind, int64_t thousandths, int64_t degrees,
                                   int64_t second, size_t place)
{
    struct node_report r = {.disk_bytes = INT64_MAX / 1000 * 1000};
    r.disk_used_bytes = r.disk_bytes / 1000 * thousandths;
    struct list list = machine_promises(mind, &r, degrees, second * US_PER_SECOND, &arena);
    ck_assert_uint_gt(list.count, place);
    return ((struct sighting_promise *)list.items)[place];
}

START_TEST(a_disk_that_fills_breaks_its_promise_and_does_not_flap)
{
    struct machine_mind mind = {0};
    struct sighting_promise p = say(&mind, 900, -1, 1, 0);
    ck_assert(p.kept);
    ck_assert(str_eq(p.name, STR("disk")));
    p = say(&mind, 901, -1, 2, 0);
    ck_assert(!p.kept);
    ck_assert_int_eq(p.since, 2 * US_PER_SECOND);
    ck_assert(str_eq(p.text, STR("91 % of the disk is taken, at most 90 %")));
    p = say(&mind, 870, -1, 3, 0);
    ck_assert(!p.kept);
    ck_assert_int_eq(p.since, 2 * US_PER_SECOND);
    p = say(&mind, 850, -1, 4, 0);
    ck_assert(p.kept);
    ck_assert_int_eq(p.since, 4 * US_PER_SECOND);
    ck_assert_uint_eq(p.text.n, 0);
    p = say(&mind, 900, -1, 5, 0);
    ck_assert(p.kept);
    ck_assert_int_eq(p.since, 4 * US_PER_SECOND);
}
END_TEST

START_TEST(temperature_is_promised_where_there_is_a_sensor)
{
    struct machine_mind mind = {0};
    struct node_report nothing = {.disk_bytes = 0};
    ck_assert_uint_eq(machine_promises(&mind, &nothing, -1, 1, &arena).count, 0);
    struct sighting_promise p = say(&mind, 1, PROMISE_DEGREES_MAX, 1, 1);
    ck_assert(p.kept);
    ck_assert(str_eq(p.name, STR("temperature")));
    p = say(&mind, 1, PROMISE_DEGREES_MAX + 1, 2, 1);
    ck_assert(!p.kept);
    ck_assert(str_eq(p.text, STR("86 degrees, at most 85")));
    ck_assert(say(&mind, 1, 0, 3, 0).kept); /* the disk is another matter */
}
END_TEST

Suite *machine_promise_suite(void);
Suite *machine_promise_suite(void)
{
    Suite *s = suite_create("machine_promise");
    TCase *t = tcase_create("machine");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_disk_that_fills_breaks_its_promise_and_does_not_flap);
    tcase_add_test(t, temperature_is_promised_where_there_is_a_sensor);
    suite_add_tcase(s, t);
    return s;
}
