#include "money/property.h"
#include "money/split.h"

#include <check.h>

enum { PARTS = 24 };

static struct arena arena;

static void arena_up(void)
{
    arena_init(&arena, (size_t)16 * 1024 * 1024);
}

static void arena_down(void)
{
    arena_fini(&arena);
}

static __int128 sum_of(const struct split_part *parts, size_t n)
{
    __int128 sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += parts[i].amount;
    return sum;
}

static void check_amounts(const struct split_part *parts, const int64_t *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(parts[i].amount, want[i]);
}

START_TEST(worked_examples_of_the_rules)
{
    struct err err = {0};
    /* specs 3.9 (5), by largest remainder and with the 82 % as the claimant. */
    struct split_part a[] = {{5, 0}, {3, 0}, {10, 0}, {82, 0}};
    ck_assert_int_eq(split_by_weight(3333, a, 4, &arena, &err), RC_OK);
    check_amounts(a, (const int64_t[]){167, 100, 333, 2733}, 4);
    struct split_part b[] = {{50000, 0}, {30000, 0}, {100000, 0}, {-1, 0}};
    ck_assert_int_eq(split_with_residual(3333, b, 4, 3, &arena, &err), RC_OK);
    check_amounts(b, (const int64_t[]){167, 100, 333, 2733}, 4);
    ck_assert_int_eq(b[3].weight, 820000);
    struct split_part c[] = {{1, 0}, {1, 0}, {1, 0}};
    ck_assert_int_eq(split_by_weight(100, c, 3, &arena, &err), RC_OK);
    check_amounts(c, (const int64_t[]){34, 33, 33}, 3);
    ck_assert_int_eq(split_by_weight(-100, c, 3, &arena, &err), RC_OK);
    check_amounts(c, (const int64_t[]){-34, -33, -33}, 3);
}
END_TEST

START_TEST(on_a_tiny_total_nobody_pays_in)
{
    /* Three shares of a third of 0.02 round to a cent each: the claimant would owe one. */
    struct err err = {0};
    struct split_part p[] = {{333333, 0}, {333333, 0}, {333333, 0}, {0, 0}};
    ck_assert_int_eq(split_with_residual(2, p, 4, 3, &arena, &err), RC_OK);
    check_amounts(p, (const int64_t[]){1, 1, 0, 0}, 4);
    ck_assert_int_eq(split_with_residual(-2, p, 4, 3, &arena, &err), RC_OK);
    check_amounts(p, (const int64_t[]){-1, -1, 0, 0}, 4);
    ck_assert_int_eq(split_with_residual(0, p, 4, 3, &arena, &err), RC_OK);
    check_amounts(p, (const int64_t[]){0, 0, 0, 0}, 4);
}
END_TEST

START_TEST(parts_add_up_mirror_and_stay_within_one_unit)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct err err = {0};
        struct split_part p[PARTS];
        struct split_part mirror[PARTS];
        size_t n = 1 + clock_sim_below(&chance, PARTS);
        int64_t total = max_i64(property_i64(&chance), -INT64_MAX);
        int64_t top = (int64_t)1 << clock_sim_below(&chance, 40);
        __int128 whole = 0;
        for (size_t k = 0; k < n; k++) {
            p[k] = (struct split_part){property_between(&chance, k == 0, top), 0};
            mirror[k] = p[k];
            whole += p[k].weight;
        }
        arena_reset(&arena);
        HOLDS(split_by_weight(total, p, n, &arena, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
        HOLDS(split_by_weight(-total, mirror, n, &arena, &err) == RC_OK, SEED_FMT "%s", seed,
              err.text);
        HOLDS(sum_of(p, n) == total, SEED_FMT "total %" PRId64, seed, total);
        for (size_t k = 0; k < n; k++) {
            HOLDS(p[k].amount == -mirror[k].amount, SEED_FMT "part %zu", seed, k);
            __int128 off = (__int128)total * p[k].weight - p[k].amount * whole;
            HOLDS(off > -whole && off < whole, SEED_FMT "part %zu", seed, k);
        }
    }
}
END_TEST

START_TEST(a_claimant_takes_what_is_left_and_never_pays_in)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS; i++) {
        struct err err = {0};
        struct split_part p[PARTS];
        struct split_part mirror[PARTS];
        size_t n = 1 + clock_sim_below(&chance, PARTS);
        size_t claimant = clock_sim_below(&chance, n);
        int64_t total = max_i64(property_i64(&chance), -INT64_MAX);
        int64_t left = SPLIT_WHOLE_PPM;
        for (size_t k = 0; k < n; k++) {
            p[k] = (struct split_part){property_between(&chance, 0, left), 0};
            left -= k == claimant ? 0 : p[k].weight;
            mirror[k] = p[k];
        }
        arena_reset(&arena);
        HOLDS(split_with_residual(total, p, n, claimant, &arena, &err) == RC_OK, SEED_FMT "%s",
              seed, err.text);
        HOLDS(split_with_residual(-total, mirror, n, claimant, &arena, &err) == RC_OK,
              SEED_FMT "%s", seed, err.text);
        HOLDS(sum_of(p, n) == total, SEED_FMT "total %" PRId64, seed, total);
        for (size_t k = 0; k < n; k++) {
            HOLDS(p[k].amount == -mirror[k].amount, SEED_FMT "part %zu", seed, k);
            HOLDS(total >= 0 ? p[k].amount >= 0 : p[k].amount <= 0, SEED_FMT "part %zu", seed, k);
        }
    }
}
END_TEST

/* The obvious model: hand out one unit at a time to whoever is furthest below its share. */
static void hamilton_model(int64_t total, struct split_part *p, size_t n)
{
    int64_t whole = 0;
    for (size_t i = 0; i < n; i++)
        whole += p[i].weight;
    int64_t left = total;
    bool given[PARTS] = {false};
    for (size_t i = 0; i < n; i++) {
        p[i].amount = total * p[i].weight / whole;
        left -= p[i].amount;
    }
    for (; left > 0; left--) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            if (given[i])
                continue;
            if (best == n || total * p[i].weight % whole > total * p[best].weight % whole)
                best = i;
        }
        p[best].amount++;
        given[best] = true;
    }
}

START_TEST(largest_remainder_agrees_with_the_obvious_model)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    for (int i = 0; i < PROPERTY_RUNS / 4; i++) {
        struct err err = {0};
        struct split_part p[PARTS];
        struct split_part want[PARTS];
        size_t n = 1 + clock_sim_below(&chance, PARTS);
        int64_t total = property_between(&chance, 0, 1000);
        for (size_t k = 0; k < n; k++) {
            p[k] = (struct split_part){property_between(&chance, k == 0, 12), 0};
            want[k] = p[k];
        }
        arena_reset(&arena);
        HOLDS(split_by_weight(total, p, n, &arena, &err) == RC_OK, SEED_FMT "%s", seed, err.text);
        hamilton_model(total, want, n);
        for (size_t k = 0; k < n; k++)
            HOLDS(p[k].amount == want[k].amount, SEED_FMT "total %" PRId64 " part %zu", seed, total,
                  k);
    }
}
END_TEST

START_TEST(ten_thousand_parts_of_the_largest_amounts)
{
    struct err err = {0};
    static struct split_part parts[SPLIT_PARTS_MAX];
    static const int64_t totals[] = {INT64_MAX, INT64_MIN, 1, -1, 0};
    for (size_t t = 0; t < COUNT(totals); t++) {
        for (size_t i = 0; i < SPLIT_PARTS_MAX; i++)
            parts[i].weight = SPLIT_WEIGHT_MAX - (int64_t)(i % 7);
        arena_reset(&arena);
        ck_assert_int_eq(split_by_weight(totals[t], parts, SPLIT_PARTS_MAX, &arena, &err), RC_OK);
        ck_assert(sum_of(parts, SPLIT_PARTS_MAX) == totals[t]);
    }
    struct split_part one[] = {{7, 0}};
    ck_assert_int_eq(split_by_weight(INT64_MIN, one, 1, &arena, &err), RC_OK);
    ck_assert_int_eq(one[0].amount, INT64_MIN);
    ck_assert_int_eq(split_with_residual(INT64_MIN, one, 1, 0, &arena, &err), RC_OK);
    ck_assert_int_eq(one[0].amount, INT64_MIN);
}
END_TEST

START_TEST(what_cannot_be_shared_is_refused)
{
    struct err err = {0};
    struct split_part p[] = {{1, 77}, {-1, 77}};
    ck_assert_int_eq(split_by_weight(100, p, 0, &arena, &err), RC_INVALID);
    ck_assert_int_eq(split_by_weight(100, p, SPLIT_PARTS_MAX + 1, &arena, &err), RC_INVALID);
    ck_assert_int_eq(split_by_weight(100, p, 2, &arena, &err), RC_INVALID);
    p[1].weight = SPLIT_WEIGHT_MAX + 1;
    ck_assert_int_eq(split_by_weight(100, p, 2, &arena, &err), RC_INVALID);
    p[0].weight = p[1].weight = 0;
    ck_assert_int_eq(split_by_weight(100, p, 2, &arena, &err), RC_INVALID);
    p[0].weight = SPLIT_WHOLE_PPM + 1;
    ck_assert_int_eq(split_with_residual(100, p, 2, 1, &arena, &err), RC_INVALID);
    p[0].weight = -1;
    ck_assert_int_eq(split_with_residual(100, p, 2, 1, &arena, &err), RC_INVALID);
    ck_assert_int_eq(p[0].amount, 77);
    ck_assert_int_eq(p[1].amount, 77);
}
END_TEST

Suite *split_suite(void);
Suite *split_suite(void)
{
    Suite *s = suite_create("split");
    TCase *c = tcase_create("split");
    tcase_add_checked_fixture(c, arena_up, arena_down);
    tcase_add_test(c, worked_examples_of_the_rules);
    tcase_add_test(c, on_a_tiny_total_nobody_pays_in);
    tcase_add_test(c, parts_add_up_mirror_and_stay_within_one_unit);
    tcase_add_test(c, a_claimant_takes_what_is_left_and_never_pays_in);
    tcase_add_test(c, largest_remainder_agrees_with_the_obvious_model);
    tcase_add_test(c, ten_thousand_parts_of_the_largest_amounts);
    tcase_add_test(c, what_cannot_be_shared_is_refused);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return s;
}
