#include "meter/state.h"

#include "money/property.h"

enum { RUNS = 2000, SAMPLES_MAX = 400, DAY_READINGS = 60 };

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* One after the other the highest is thrown away, for each 20 samples one. */
static int64_t naive_p95(const int64_t *values, size_t count)
{
    int64_t left[SAMPLES_MAX];
    memcpy(left, values, count * sizeof *left);
    for (size_t dropped = 0; (dropped + 1) * 20 <= count; dropped++) {
        size_t highest = 0;
        for (size_t i = 1; i < count - dropped; i++)
            if (left[i] > left[highest])
                highest = i;
        left[highest] = left[count - dropped - 1];
    }
    size_t kept = count - count / 20;
    qsort(left, kept, sizeof *left, by_value);
    return count > 0 ? left[kept - 1] : 0;
}

START_TEST(p95_is_the_highest_but_the_top_5_percent)
{
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    int64_t hundred[100];
    for (size_t i = 0; i < COUNT(hundred); i++)
        hundred[i] = 100 - (int64_t)i;
    ck_assert_int_eq(state_p95(hundred, 100), 95);
    ck_assert_int_eq(state_p95(hundred, 19), 19); /* sorted by now: 1 to 19 */
    ck_assert_int_eq(state_p95(hundred, 20), 19);
    ck_assert_int_eq(state_p95(hundred, 0), 0);
    for (int run = 0; run < RUNS; run++) {
        int64_t values[SAMPLES_MAX] = {0};
        size_t count = (size_t)property_between(&chance, 1, SAMPLES_MAX);
        for (size_t i = 0; i < count; i++)
            values[i] = property_between(&chance, 0, run % 2 ? 10 : INT64_MAX);
        int64_t want = naive_p95(values, count);
        HOLDS(state_p95(values, count) == want, SEED_FMT "run %d", seed, run);
    }
}
END_TEST

START_TEST(a_counter_that_starts_again_counts_from_zero)
{
    struct entry readings[] = {{1, 100}, {2, 150}, {3, 30}, {4, 30}, {5, 40}, {6, 0}, {7, 7}};
    struct state s = {COUNT(readings), readings};
    ck_assert_int_eq(state_step(100, 150), 50);
    ck_assert_int_eq(state_step(150, 30), 30);
    ck_assert_int_eq(state_step(30, 30), 0);
    ck_assert(state_growth(&s) == 50 + 30 + 0 + 10 + 0 + 7);
    s.count = 1; /* the first reading is where counting begins */
    ck_assert(state_growth(&s) == 0);
}
END_TEST

/* Any cut and any order of the same entries, told twice, is the same state. */
START_TEST(merging_knows_no_order_and_no_repeats)
{
    struct clock_sim chance;
    struct arena arena;
    struct err err = {0};
    uint64_t seed = property_begin(&chance);
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    for (int run = 0; run < RUNS; run++) {
        struct entry all[DAY_READINGS] = {0};
        struct entry part[DAY_READINGS];
        struct state whole;
        struct state piecewise = {0};
        size_t count = (size_t)property_between(&chance, 1, DAY_READINGS);
        for (size_t i = 0; i < count; i++)
            all[i] =
                (struct entry){property_between(&chance, -20, 20), property_between(&chance, 0, 9)};
        for (int k = 0; k < 12; k++) {
            size_t n = (size_t)property_between(&chance, 0, (int64_t)count);
            for (size_t i = 0; i < n; i++)
                part[i] = all[property_between(&chance, 0, (int64_t)count - 1)];
            ck_assert(state_merge(&piecewise, part, n, &arena, &piecewise, &err) == RC_OK);
        }
        memcpy(part, all, sizeof part);
        ck_assert(state_merge(&piecewise, part, count, &arena, &piecewise, &err) == RC_OK);
        ck_assert(state_merge(&(struct state){0}, all, count, &arena, &whole, &err) == RC_OK);
        struct str a = state_write(&whole, &arena);
        struct str b = state_write(&piecewise, &arena);
        HOLDS(str_eq(a, b), SEED_FMT "run %d", seed, run);
        struct state again;
        ck_assert(state_read(a, &arena, &again, &err) == RC_OK);
        HOLDS(str_eq(state_write(&again, &arena), a), SEED_FMT "run %d", seed, run);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(damaged_states_are_refused)
{
    struct arena arena;
    struct err err = {0};
    struct state s = {.count = 7};
    arena_init(&arena, 1024 * 1024);
    ck_assert(state_read(STR("123456789"), &arena, &s, &err) == RC_INVALID);
    ck_assert_uint_eq(s.count, 7);
    ck_assert(state_read(STR(""), &arena, &s, &err) == RC_OK);
    ck_assert_uint_eq(s.count, 0);
    arena_fini(&arena);
}
END_TEST

Suite *state_suite(void);
Suite *state_suite(void)
{
    Suite *s = suite_create("state");
    TCase *c = tcase_create("state");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, p95_is_the_highest_but_the_top_5_percent);
    tcase_add_test(c, a_counter_that_starts_again_counts_from_zero);
    tcase_add_test(c, merging_knows_no_order_and_no_repeats);
    tcase_add_test(c, damaged_states_are_refused);
    suite_add_tcase(s, c);
    return s;
}
