#include "catalog/subscription.h"
#include "channel/channel_fixture.h"

#define DAY(n) ((n)*US_PER_DAY)

static struct str make_plan(struct tx *tx, struct str op)
{
    struct item item;
    struct plan plan;
    struct charge charge = {.set = schema_all(&charge_schema),
                            .label = STR("VM"),
                            .kind = CHARGE_FLAT,
                            .price = STR("10")};
    struct item fresh_item = {.code = STR("vm"),
                              .name = STR("VM"),
                              .category = STR("vm"),
                              .unit = STR("MON"),
                              .income = STR("VPS")};
    struct plan fresh_plan = {.item = STR("vm"),
                              .code = STR("vm-monthly"),
                              .name = STR("VM"),
                              .currency = STR("EUR"),
                              .charges = {&charge, 1}};
    OK(tx, item_create(tx, op, &fresh_item, &item));
    OK(tx, plan_create(tx, &fresh_plan, &plan));
    return plan.id;
}

TX_TEST(an_agreement_outlives_what_runs_by_it)
{
    struct str op = make_operator(tx);
    struct str client = make_party(tx, "Client", op);
    struct str first = make_supply(tx, op, client, STR(""), STR(""));
    struct str second = make_supply(tx, op, client, STR(""), STR(""));
    struct subscription s;
    struct subscription fresh = {
        .agreement = first, .plan = make_plan(tx, op), .quantity = STR("1")};
    OK(tx, subscription_check_end(tx, first, tx->now));
    OK(tx, subscription_create(tx, &fresh, &s));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, first, tx->now));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, first, tx->now + DAY(1000)));
    OK(tx, subscription_check_end(tx, second, tx->now));
    struct subscription patch = {.agreement = second};
    patch.set = UINT64_C(1) << schema_find(&subscription_schema, STR("agreement"));
    tx->now += DAY(5);
    OK(tx, subscription_change(tx, s.id, 0, 0, &patch, &s));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, first, tx->now - 1));
    OK(tx, subscription_check_end(tx, first, tx->now));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, second, tx->now));
    OK(tx, subscription_end(tx, s.id, tx->now + DAY(9), &s));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, second, tx->now + DAY(9) - 1));
    OK(tx, subscription_check_end(tx, second, tx->now + DAY(9)));
}

Suite *agreement_use_suite(void);
Suite *agreement_use_suite(void)
{
    Suite *s = suite_create("agreement_use");
    TCase *c = tcase_create("agreement_use");
    tcase_add_test(c, an_agreement_outlives_what_runs_by_it);
    suite_add_tcase(s, c);
    return s;
}
