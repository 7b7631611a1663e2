#include "settle/waterfall.h"

#include "money/property.h"

#include <check.h>

static const struct currency *eur(void)
{
    return currency_find(STR("EUR"));
}

static struct waterfall_step step(enum share_kind kind, int64_t major)
{
    return (struct waterfall_step){.kind = kind, .value = {major, 0}, .cap = -1};
}

static struct waterfall_use one_month(int64_t amount)
{
    return (struct waterfall_use){.amount = amount,
                                  .units = {1, 0},
                                  .quantity = {1, 0},
                                  .begin = 0,
                                  .end = 31 * US_PER_DAY,
                                  .from = 0,
                                  .until = 31 * US_PER_DAY,
                                  .currency = eur()};
}

/* specs/billing.md 3.5: 195 a server-month, and what the point of presence makes of its 175. */
START_TEST(the_server_of_the_mission_is_shared_to_the_cent)
{
    struct err err = {0};
    const struct waterfall_step platform[] = {step(SHARE_FIXED, 20), step(SHARE_RESIDUAL, 0)};
    int64_t shares[16];
    struct waterfall_use use = one_month(19500);
    ck_assert_int_eq(waterfall_run(platform, COUNT(platform), &use, shares, &err), RC_OK);
    ck_assert_int_eq(shares[0], 2000);
    ck_assert_int_eq(shares[1], 17500);
    const int64_t costs[] = {13, 20, 1, 8, 26, 6, 4, 69};
    struct waterfall_step pop[COUNT(costs) + 1];
    for (size_t i = 0; i < COUNT(costs); i++)
        pop[i] = step(SHARE_FIXED, costs[i]);
    pop[COUNT(costs)] = step(SHARE_RESIDUAL, 0);
    use = one_month(shares[1]);
    ck_assert_int_eq(waterfall_run(pop, COUNT(pop), &use, shares, &err), RC_OK);
    for (size_t i = 0; i < COUNT(costs); i++)
        ck_assert_int_eq(shares[i], costs[i] * 100);
    /* the document's first table; its second says 30 */
    ck_assert_int_eq(shares[COUNT(costs)], 2800);
}
END_TEST

START_TEST(a_claimant_bears_what_the_fixed_shares_exceed)
{
    struct err err = {0};
    const struct waterfall_step steps[] = {step(SHARE_FIXED, 20), step(SHARE_RESIDUAL, 0)};
    int64_t shares[2];
    struct waterfall_use use = one_month(500);
    ck_assert_int_eq(waterfall_run(steps, 2, &use, shares, &err), RC_OK);
    ck_assert_int_eq(shares[1], -1500);
}
END_TEST

START_TEST(two_residuals_are_refused)
{
    struct err err = {0};
    const struct waterfall_step steps[] = {step(SHARE_RESIDUAL, 0), step(SHARE_RESIDUAL, 0)};
    int64_t shares[2] = {7, 7};
    struct waterfall_use use = one_month(500);
    ck_assert_int_eq(waterfall_run(steps, 2, &use, shares, &err), RC_INVALID);
    ck_assert_int_eq(shares[0], 7);
    struct waterfall_step many[WATERFALL_STEPS_MAX + 1] = {0};
    int64_t all[WATERFALL_STEPS_MAX + 1];
    ck_assert_int_eq(waterfall_run(many, COUNT(many), &use, all, &err), RC_INVALID);
}
END_TEST

START_TEST(caps_and_floors_bind_in_both_directions)
{
    struct err err = {0};
    struct waterfall_step steps[] = {
        {.kind = SHARE_PERCENT, .ppm = 100000, .base = 100000, .cap = 5000, .floor = 0},
        {.kind = SHARE_PERCENT, .ppm = 100000, .base = 100, .cap = -1, .floor = 300},
        {.kind = SHARE_PERCENT, .ppm = 100000, .base = -100000, .cap = 5000, .floor = 0},
        {.kind = SHARE_PERCENT, .ppm = 100000, .base = 0, .cap = -1, .floor = 300},
    };
    int64_t shares[4];
    struct waterfall_use use = one_month(0);
    ck_assert_int_eq(waterfall_run(steps, COUNT(steps), &use, shares, &err), RC_OK);
    ck_assert_int_eq(shares[0], 5000);
    ck_assert_int_eq(shares[1], 300);
    ck_assert_int_eq(shares[2], -5000);
    ck_assert_int_eq(shares[3], 0); /* nothing was sold: nothing is owed */
}
END_TEST

START_TEST(a_tiered_share_does_not_depend_on_the_pieces_of_its_base)
{
    struct err err = {0};
    struct clock_sim p;
    uint64_t seed = property_begin(&p);
    for (int round = 0; round < 20000; round++) {
        struct waterfall_step s = {.kind = SHARE_TIERED,
                                   .tier_count = 3,
                                   .tiers = {{100000, 50000}, {500000, 70000}, {0, 100000}},
                                   .cap = -1};
        struct waterfall_use use = one_month(0);
        int64_t whole = 0;
        int64_t sum = 0;
        int64_t total = property_between(&p, 0, 2000000);
        s.base = total;
        ck_assert_int_eq(waterfall_run(&s, 1, &use, &whole, &err), RC_OK);
        for (int64_t done = 0; done < total;) {
            int64_t share = 0;
            s.base_before = done;
            s.base = min_i64(total - done, property_between(&p, 1, 900000));
            ck_assert_int_eq(waterfall_run(&s, 1, &use, &share, &err), RC_OK);
            sum += share;
            done += s.base;
        }
        HOLDS(sum == whole, SEED_FMT, seed);
    }
}
END_TEST

/* Whatever the rules: with a claimant the shares sum up to the amount, and the shares of a month
 * cut anywhere sum up to those of the whole month. */
START_TEST(shares_sum_up_whatever_the_rules_and_the_cuts)
{
    struct err err = {0};
    struct clock_sim p;
    uint64_t seed = property_begin(&p);
    for (int round = 0; round < 50000; round++) {
        struct waterfall_step steps[8];
        size_t count = (size_t)property_between(&p, 1, 8);
        for (size_t i = 0; i < count; i++)
            steps[i] = (struct waterfall_step){
                .kind = i == 0                       ? SHARE_RESIDUAL
                        : property_between(&p, 0, 1) ? SHARE_FIXED
                                                     : SHARE_PERCENT,
                .value = {property_between(&p, 0, 1000000), 4},
                .ppm = property_between(&p, 0, 300000),
                .base = property_between(&p, -1000000, 1000000),
                .cap = -1,
            };
        struct waterfall_use use = one_month(property_between(&p, -10000000, 10000000));
        use.units = (struct quantity){property_between(&p, 0, 9999), 2};
        int64_t whole[8];
        int64_t first[8];
        int64_t second[8];
        ck_assert_int_eq(waterfall_run(steps, count, &use, whole, &err), RC_OK);
        __int128 sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += whole[i];
        HOLDS(sum == use.amount, SEED_FMT, seed);
        use.until = property_between(&p, 1, use.end - 1);
        ck_assert_int_eq(waterfall_run(steps, count, &use, first, &err), RC_OK);
        use.from = use.until;
        use.until = use.end;
        ck_assert_int_eq(waterfall_run(steps, count, &use, second, &err), RC_OK);
        for (size_t i = 1; i < count; i++)
            HOLDS(steps[i].kind != SHARE_FIXED || first[i] + second[i] == whole[i], SEED_FMT, seed);
    }
}
END_TEST

Suite *waterfall_suite(void);
Suite *waterfall_suite(void)
{
    Suite *s = suite_create("waterfall");
    TCase *c = tcase_create("waterfall");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, the_server_of_the_mission_is_shared_to_the_cent);
    tcase_add_test(c, a_claimant_bears_what_the_fixed_shares_exceed);
    tcase_add_test(c, two_residuals_are_refused);
    tcase_add_test(c, caps_and_floors_bind_in_both_directions);
    tcase_add_test(c, a_tiered_share_does_not_depend_on_the_pieces_of_its_base);
    tcase_add_test(c, shares_sum_up_whatever_the_rules_and_the_cuts);
    suite_add_tcase(s, c);
    return s;
}
