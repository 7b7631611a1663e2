#include "channel/reward.h"

#include "party/party_fixture.h"

TX_TEST(a_promise_holds_until_the_next_one)
{
    struct str op = make_operator(tx);
    struct reward made, got;
    struct reward fresh = {
        .inviter_amount = STR("25.00"), .invitee_amount = STR("10"), .expires_days = 90};
    FAILS(tx, RC_NOT_FOUND, NULL, reward_at(tx, op, tx->now, &got));
    OK(tx, reward_create(tx, op, &fresh, &made));
    ck_assert(id_is(made.id, "rwd"));
    OK(tx, reward_at(tx, op, tx->now, &got));
    SAME(got.id, made.id);
    SAME(got.currency, STR("EUR")); /* the party's */
    SAME(got.inviter_amount, STR("25.00"));
    SAME(got.invitee_amount, STR("10"));
    ck_assert_int_eq(got.expires_days, 90);
    FAILS(tx, RC_NOT_FOUND, NULL, reward_at(tx, op, tx->now - 1, &got));
    fresh.inviter_amount = STR("0");
    fresh.valid_from = tx->now + US_PER_DAY;
    OK(tx, reward_create(tx, op, &fresh, &made));
    OK(tx, reward_at(tx, op, tx->now + US_PER_DAY - 1, &got));
    SAME(got.inviter_amount, STR("25.00"));
    OK(tx, reward_at(tx, op, tx->now + US_PER_DAY, &got));
    SAME(got.inviter_amount, STR("0"));
    fresh.inviter_amount = STR("1"); /* for the same day: the one made later */
    OK(tx, reward_create(tx, op, &fresh, &made));
    OK(tx, reward_at(tx, op, tx->now + US_PER_DAY, &got));
    SAME(got.inviter_amount, STR("1"));
    struct page page;
    struct page_query q = {0};
    OK(tx, reward_list(tx, op, &q, &page));
    ck_assert_uint_eq(page.items.count, 3);
    OK(tx, reward_list(tx, make_party(tx, "Other", op), &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

TX_TEST(a_promise_that_cannot_be_is_refused_by_its_field)
{
    static const struct {
        const char *pointer;
        struct reward reward;
    } wrong[] = {
        {"/inviter_amount", {.inviter_amount = STR_INIT("-1"), .invitee_amount = STR_INIT("1")}},
        {"/inviter_amount", {.invitee_amount = STR_INIT("1")}},
        {"/invitee_amount", {.inviter_amount = STR_INIT("1"), .invitee_amount = STR_INIT("1.234")}},
        {"/currency",
         {.inviter_amount = STR_INIT("1"),
          .invitee_amount = STR_INIT("1"),
          .currency = STR_INIT("EUX")}},
        {"/valid_from",
         {.inviter_amount = STR_INIT("1"),
          .invitee_amount = STR_INIT("1"),
          .valid_from = WORLD_START - 1}},
    };
    struct str op = make_operator(tx);
    struct reward r;
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, wrong[i].pointer, reward_create(tx, op, &wrong[i].reward, &r));
    FAILS(tx, RC_NOT_FOUND, NULL, reward_create(tx, STR("pty_none"), &wrong[0].reward, &r));
}

Suite *reward_suite(void);
Suite *reward_suite(void)
{
    Suite *s = suite_create("reward");
    TCase *c = tcase_create("reward");
    tcase_add_test(c, a_promise_holds_until_the_next_one);
    tcase_add_test(c, a_promise_that_cannot_be_is_refused_by_its_field);
    suite_add_tcase(s, c);
    return s;
}
