#include "channel/owed.h"

#include "channel/channel_fixture.h"

static struct str make_cost(struct tx *tx, enum agreement_kind kind, struct str from, struct str to)
{
    struct rule rule = {.kind = RULE_FIXED, .value = STR("20"), .label = STR("HwMgmt")};
    struct agreement fresh = {.kind = kind, .from = from, .to = to, .terms = {.rules = {&rule, 1}}};
    return make_agreement(tx, &fresh);
}

static struct owed thing(const char *reference, struct str agreement, int64_t amount)
{
    return (struct owed){.reference = str_c(reference),
                         .agreement = agreement,
                         .terms = 1,
                         .label = STR("Work"),
                         .note = STR("replaced"),
                         .amount = amount};
}

TX_TEST(it_is_owed_once_by_the_terms_in_force)
{
    struct str op = make_operator(tx);
    struct str pop = make_party(tx, "Pop", op);
    struct str si = make_party(tx, "Si", op);
    struct str cost = make_cost(tx, AGREEMENT_COST, pop, si);
    struct owed o = thing("wko_1", cost, 3000);
    struct owed *items = NULL;
    size_t count = 0;
    OK(tx, owed_put(tx, &o));
    FAILS(tx, RC_CONFLICT, NULL, owed_put(tx, &o));
    OK(tx, owed_get(tx, STR("wko_1"), &o));
    ck_assert_int_eq(o.terms, 1);
    ck_assert_int_eq(o.at, tx->now);
    SAME(str_c(o.currency->code), STR("EUR"));
    OK(tx, owed_waiting(tx, tx->now, 10, &items, &count));
    ck_assert_uint_eq(count, 0); /* of before that instant alone */
    OK(tx, owed_waiting(tx, tx->now + 1, 10, &items, &count));
    ck_assert_uint_eq(count, 1);
    SAME(items[0].reference, STR("wko_1"));
    OK(tx, owed_take(tx, STR("wko_1"), 7));
    OK(tx, owed_waiting(tx, tx->now + 1, 10, &items, &count));
    ck_assert_uint_eq(count, 0);
    FAILS(tx, RC_CONFLICT, NULL, owed_withdraw(tx, STR("wko_1")));
}

TX_TEST(what_no_close_has_taken_can_be_withdrawn)
{
    struct str op = make_operator(tx);
    struct str si = make_party(tx, "Si", op);
    struct owed o = thing("wko_1", make_cost(tx, AGREEMENT_FEE, op, si), 1);
    OK(tx, owed_put(tx, &o));
    OK(tx, owed_withdraw(tx, STR("wko_1")));
    FAILS(tx, RC_NOT_FOUND, NULL, owed_get(tx, STR("wko_1"), &o));
    FAILS(tx, RC_NOT_FOUND, NULL, owed_withdraw(tx, STR("wko_1")));
}

TX_TEST(an_agreement_that_does_not_carry_it_is_refused)
{
    struct str op = make_operator(tx);
    struct str si = make_party(tx, "Si", op);
    struct str other = make_party(tx, "Other", op);
    struct str supply = make_supply(tx, op, si, STR(""), STR(""));
    struct str cost = make_cost(tx, AGREEMENT_COST, op, si);
    struct agreement a;
    struct owed o = thing("wko_1", cost, 1);
    OK(tx, owed_agreement(tx, cost, op, si, &a));
    FAILS(tx, RC_INVALID, NULL, owed_agreement(tx, supply, op, si, &a));
    FAILS(tx, RC_INVALID, NULL, owed_agreement(tx, cost, op, other, &a));
    FAILS(tx, RC_INVALID, NULL, owed_agreement(tx, STR("agr_none"), op, si, &a));
    OK(tx, agreement_end(tx, cost, 0, &a));
    tx->now++;
    FAILS(tx, RC_INVALID, NULL, owed_agreement(tx, cost, op, si, &a));
    OK(tx, owed_put(tx, &o)); /* it was agreed before */
    o.terms = 2;
    FAILS(tx, RC_NOT_FOUND, NULL, owed_put(tx, &o));
}

Suite *owed_suite(void);
Suite *owed_suite(void)
{
    Suite *s = suite_create("owed");
    TCase *t = tcase_create("owed");
    tcase_add_test(t, it_is_owed_once_by_the_terms_in_force);
    tcase_add_test(t, what_no_close_has_taken_can_be_withdrawn);
    tcase_add_test(t, an_agreement_that_does_not_carry_it_is_refused);
    suite_add_tcase(s, t);
    return s;
}
