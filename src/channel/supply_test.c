#include "channel/supply.h"

#include "channel/channel_fixture.h"

#define DAY(n) ((n)*US_PER_DAY)

/* "agr_...:1/agr_...:2", or what went wrong. */
static struct str path_text(struct tx *tx, struct str agreement, time_us at)
{
    struct supply_path path;
    struct buf b;
    err_clear(tx->err);
    enum rc rc = supply_path_at(tx, agreement, at, &path);
    if (rc != RC_OK)
        return str_c(rc_slug(rc));
    buf_init(&b, tx->arena, 4096);
    for (size_t i = 0; i < path.count; i++)
        buf_fmt(&b, "%s%.*s:%lld", i > 0 ? "/" : "", STRF(path.edges[i].agreement),
                (long long)path.edges[i].terms);
    return buf_str(&b);
}

static struct agreement patch_upstream(struct str upstream, time_us from)
{
    struct agreement patch = {.terms = {.upstream = upstream, .valid_from = from}};
    patch.set = UINT64_C(1) << schema_find(&agreement_schema, STR("terms"));
    patch.terms.set = UINT64_C(1) << schema_find(&terms_schema, STR("upstream")) |
                      UINT64_C(1) << schema_find(&terms_schema, STR("valid_from"));
    return patch;
}

/* New terms with another upstream, signed at once. */
static enum rc move_to(struct tx *tx, struct str id, struct str upstream, time_us from)
{
    struct agreement a;
    struct agreement patch = patch_upstream(upstream, from);
    TRY(agreement_change(tx, id, 0, &patch, &a));
    return agreement_sign(tx, id, &a);
}

/* operator -> D1, D2; D1 -> R -> C */
struct tree {
    struct str op, d1, d2, r, c;
    struct str op_d1, op_d2, d1_r, d2_r, r_c;
};

static struct tree make_tree(struct tx *tx)
{
    struct tree t = {.op = make_operator(tx)};
    t.d1 = make_party(tx, "D1", t.op);
    t.d2 = make_party(tx, "D2", t.op);
    t.r = make_party(tx, "R", t.d1);
    t.c = make_party(tx, "C", t.r);
    t.op_d1 = make_supply(tx, t.op, t.d1, STR(""), STR(""));
    t.op_d2 = make_supply(tx, t.op, t.d2, STR(""), STR(""));
    t.d1_r = make_supply(tx, t.d1, t.r, t.op_d1, make_book(tx, t.d1, "partners"));
    t.d2_r = make_supply(tx, t.d2, t.r, t.op_d2, STR(""));
    t.r_c = make_supply(tx, t.r, t.c, t.d1_r, make_book(tx, t.r, "public"));
    return t;
}

TX_TEST(a_path_leads_from_the_operator_to_the_client)
{
    struct tree t = make_tree(tx);
    struct supply_path path;
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    ck_assert_uint_eq(path.count, 3);
    SAME(path.currency, STR("EUR"));
    SAME(path.edges[0].agreement, t.op_d1);
    SAME(path.edges[0].seller, t.op);
    SAME(path.edges[0].book, STR(""));
    SAME(path.edges[2].seller, t.r);
    SAME(path.edges[2].buyer, t.c);
    ck_assert(id_is(path.edges[2].book, "bok"));
    ck_assert_int_eq(path.edges[2].payment_days, 30);
    ck_assert_int_eq(path.edges[1].settle, SETTLE_CHAIN);
    FAILS(tx, RC_NOT_FOUND, NULL, supply_path_at(tx, t.r_c, tx->now - 1, &path));
    FAILS(tx, RC_NOT_FOUND, NULL, supply_path_at(tx, STR("agr_none"), tx->now, &path));
    struct str referral = make_referral(tx, t.op, t.d2, t.c, false, "1");
    FAILS(tx, RC_NOT_FOUND, NULL, supply_path_at(tx, referral, tx->now, &path));
}

TX_TEST(a_path_has_one_number_for_ever)
{
    struct tree t = make_tree(tx);
    struct supply_path path, got;
    int64_t first = 0, again = 0, other = 0;
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_path_number(tx, &path, &first));
    OK(tx, supply_path_number(tx, &path, &again));
    ck_assert_int_eq(first, again);
    time_us before = tx->now;
    tx->now += DAY(1);
    OK(tx, move_to(tx, t.r_c, t.d2_r, 0));
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_path_number(tx, &path, &other));
    ck_assert_int_ne(first, other);
    OK(tx, supply_path_at(tx, t.r_c, before, &path));
    OK(tx, supply_path_number(tx, &path, &again));
    ck_assert_int_eq(first, again);
    OK(tx, supply_path_get(tx, first, &got));
    ck_assert_uint_eq(got.count, 3);
    for (size_t i = 0; i < got.count; i++) {
        SAME(got.edges[i].agreement, path.edges[i].agreement);
        SAME(got.edges[i].seller, path.edges[i].seller);
        SAME(got.edges[i].buyer, path.edges[i].buyer);
        SAME(got.edges[i].book, path.edges[i].book);
        ck_assert_int_eq(got.edges[i].terms, path.edges[i].terms);
        ck_assert_int_eq(got.edges[i].payment_days, path.edges[i].payment_days);
    }
    SAME(got.currency, path.currency);
    FAILS(tx, RC_NOT_FOUND, NULL, supply_path_get(tx, 99, &got));
}

TX_TEST(a_reseller_that_moves_has_another_path_from_that_day)
{
    struct tree t = make_tree(tx);
    struct str before = path_text(tx, t.r_c, tx->now);
    time_us moves = tx->now + DAY(3);
    OK(tx, move_to(tx, t.r_c, t.d2_r, moves));
    SAME(path_text(tx, t.r_c, moves - 1), before);
    SAME(path_text(tx, t.r_c, moves),
         arena_fmt(tx->arena, "%.*s:1/%.*s:1/%.*s:2", STRF(t.op_d2), STRF(t.d2_r), STRF(t.r_c)));
    tx->now += DAY(10);
    SAME(path_text(tx, t.r_c, moves - 1), before);
}

TX_TEST(what_others_buy_under_does_not_end)
{
    struct tree t = make_tree(tx);
    struct agreement a;
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, t.d1_r, 0, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, t.op_d1, tx->now + DAY(100), &a));
    time_us moves = tx->now + DAY(3);
    OK(tx, move_to(tx, t.r_c, t.d2_r, moves));
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, t.d1_r, moves - 1, &a));
    OK(tx, agreement_end(tx, t.d1_r, moves, &a));
    FAILS(tx, RC_CONFLICT, NULL, agreement_end(tx, t.d2_r, moves, &a));
    OK(tx, agreement_end(tx, t.op_d1, moves, &a));
    /* Nobody builds on what comes to an end. */
    struct agreement fresh = {
        .kind = AGREEMENT_SUPPLY, .from = t.r, .to = t.d1, .terms = {.upstream = t.d1_r}};
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &fresh, &a));
    OK(tx, agreement_end(tx, t.r_c, 0, &a));
    OK(tx, agreement_end(tx, t.d2_r, 0, &a));
}

TX_TEST(an_upstream_that_cannot_be_is_refused)
{
    struct tree t = make_tree(tx);
    struct agreement a;
    struct agreement fresh = {.kind = AGREEMENT_SUPPLY, .from = t.r, .to = t.d2};
    fresh.terms.upstream = t.op_d1; /* not R's */
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &fresh, &a));
    fresh.terms.upstream = make_referral(tx, t.op, t.r, t.c, false, "1");
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &fresh, &a));
    fresh.terms.upstream = t.d1_r;
    fresh.terms.currency = STR("USD");
    FAILS(tx, RC_INVALID, "/terms/currency", agreement_create(tx, &fresh, &a));
    fresh.terms.currency = STR("");
    OK(tx, agreement_create(tx, &fresh, &a));
    SAME(a.terms.currency, STR("EUR")); /* upstream's */
    struct str draft = a.id;
    struct agreement below = {
        .kind = AGREEMENT_SUPPLY, .from = t.d2, .to = t.c, .terms = {.upstream = draft}};
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &below, &a));
    /* Upstream ends between the offer and the signature. */
    OK(tx, agreement_offer(tx, draft, &a));
    OK(tx, move_to(tx, t.r_c, t.d2_r, 0));
    OK(tx, agreement_end(tx, t.d1_r, 0, &a));
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_sign(tx, draft, &a));
}

TX_TEST(nobody_comes_to_buy_from_itself)
{
    struct tree t = make_tree(tx);
    struct agreement a;
    struct agreement back = {.kind = AGREEMENT_SUPPLY, .from = t.r, .to = t.d1};
    /* R may sell to D1 what it buys from D2, and not what it buys from D1. */
    back.terms.upstream = t.d1_r;
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &back, &a));
    struct str r_d1 = make_supply(tx, t.r, t.d1, t.d2_r, STR(""));
    FAILS(tx, RC_INVALID, "/terms/upstream", move_to(tx, r_d1, t.d1_r, 0));
    FAILS(tx, RC_INVALID, "/terms/upstream", move_to(tx, t.d1_r, r_d1, 0));
    FAILS(tx, RC_INVALID, "/terms/upstream", move_to(tx, t.d1_r, r_d1, tx->now + DAY(9)));
    /* Nor further down: D1 sells to X, who sells to R. */
    struct str x = make_party(tx, "X", t.op);
    struct str d1_x = make_supply(tx, t.d1, x, t.op_d1, STR(""));
    OK(tx, move_to(tx, d1_x, r_d1, tx->now + DAY(5)));
    struct agreement on = {.kind = AGREEMENT_SUPPLY, .from = x, .to = t.r};
    on.terms.upstream = d1_x;
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &on, &a));
    OK(tx, move_to(tx, d1_x, t.op_d1, tx->now + DAY(5)));
    (void)make_supply(tx, x, t.r, d1_x, STR(""));
    FAILS(tx, RC_INVALID, "/terms/upstream", move_to(tx, d1_x, r_d1, tx->now + DAY(5)));
}

TX_TEST(a_path_is_sixteen_deep_and_no_more)
{
    struct str op = make_operator(tx);
    struct str party = make_party(tx, "P0", op);
    struct str ids[SUPPLY_DEPTH_MAX];
    ids[0] = make_supply(tx, op, party, STR(""), STR(""));
    struct str side_party = make_party(tx, "Side", op);
    struct str side = make_supply(tx, op, side_party, STR(""), STR(""));
    struct str side_p1 = STR("");
    for (size_t i = 1; i < SUPPLY_DEPTH_MAX; i++) {
        struct str next = make_party(tx, "P", op);
        ids[i] = make_supply(tx, party, next, ids[i - 1], STR(""));
        if (i == 1)
            side_p1 = make_supply(tx, side_party, next, side, STR(""));
        party = next;
    }
    struct supply_path path;
    OK(tx, supply_path_at(tx, ids[SUPPLY_DEPTH_MAX - 1], tx->now, &path));
    ck_assert_uint_eq(path.count, SUPPLY_DEPTH_MAX);
    struct agreement a;
    struct agreement deeper = {.kind = AGREEMENT_SUPPLY,
                               .from = party,
                               .to = side_party,
                               .terms = {.upstream = ids[SUPPLY_DEPTH_MAX - 1]}};
    FAILS(tx, RC_INVALID, "/terms/upstream", agreement_create(tx, &deeper, &a));
    /* As deep as before is well; one deeper in the middle would put the end too deep. */
    OK(tx, move_to(tx, ids[2], side_p1, 0));
    struct str between = make_party(tx, "Between", op);
    struct str side_between = make_supply(tx, side_party, between, side, STR(""));
    struct supply_path two;
    OK(tx, supply_path_at(tx, side_p1, tx->now, &two));
    struct str between_p1 = make_supply(tx, between, two.edges[1].buyer, side_between, STR(""));
    FAILS(tx, RC_INVALID, "/terms/upstream", move_to(tx, ids[2], between_p1, 0));
}

TX_TEST(referrals_pay_on_who_they_are_about)
{
    struct tree t = make_tree(tx);
    struct str agent = make_party(tx, "Agent", t.op);
    struct supply_path path, other;
    struct list list;
    struct str on_client = make_referral(tx, t.op, agent, t.c, false, "3");
    struct str on_r = make_referral(tx, t.op, t.d2, t.r, true, "5");
    (void)make_referral(tx, t.op, agent, t.r, false, "7"); /* R's own purchases, not C's */
    struct str by_d1 = make_referral(tx, t.d1, agent, STR(""), false, "1");
    (void)make_referral(tx, t.d2, agent, STR(""), false, "2"); /* sells nothing here */
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_referrals(tx, &path, tx->now, &list));
    const struct agreement *got = list.items;
    ck_assert_uint_eq(list.count, 3);
    SAME(got[0].id, on_client);
    SAME(got[1].id, on_r);
    SAME(got[2].id, by_d1);
    SAME(((const struct rule *)got[1].terms.rules.items)[0].value, STR("5"));
    OK(tx, supply_referrals(tx, &path, tx->now - 1, &list));
    ck_assert_uint_eq(list.count, 0);
    OK(tx, supply_path_at(tx, t.d1_r, tx->now, &other));
    OK(tx, supply_referrals(tx, &other, tx->now, &list));
    ck_assert_uint_eq(list.count, 3); /* R's own, R's with its subtree, all that D1 sells */
    /* R moves to D2: what D1 owed on it is over, D2's begins. */
    tx->now += DAY(1);
    OK(tx, move_to(tx, t.r_c, t.d2_r, 0));
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_referrals(tx, &path, tx->now, &list));
    got = list.items;
    ck_assert_uint_eq(list.count, 3);
    SAME(got[2].from, t.d2);
}

static void same_referrals(struct tx *tx, const struct supply_path *path, time_us at)
{
    struct list few;
    struct list asked;
    bool is_few = false;
    OK(tx, supply_referrals_few(tx, at, &few, &is_few));
    ck_assert(is_few);
    OK(tx, supply_referrals(tx, path, at, &asked));
    struct list found = supply_referrals_among(&few, path, tx->arena);
    ck_assert_uint_eq(found.count, asked.count);
    for (size_t i = 0; i < asked.count; i++) {
        const struct agreement *a = &((const struct agreement *)asked.items)[i];
        const struct agreement *b = &((const struct agreement *)found.items)[i];
        SAME(b->id, a->id);
        ck_assert_int_eq(b->terms.number, a->terms.number);
        ck_assert_uint_eq(b->terms.rules.count, a->terms.rules.count);
    }
}

TX_TEST(few_referrals_are_looked_through_to_the_same_end)
{
    struct tree t = make_tree(tx);
    struct str agent = make_party(tx, "Agent", t.op);
    struct supply_path path, other;
    struct list list;
    bool few = false;
    OK(tx, supply_referrals_few(tx, tx->now, &list, &few));
    ck_assert(few);
    ck_assert_uint_eq(list.count, 0);
    (void)make_referral(tx, t.op, agent, t.c, false, "3");
    (void)make_referral(tx, t.op, t.d2, t.r, true, "5");
    (void)make_referral(tx, t.op, agent, t.r, false, "7");
    (void)make_referral(tx, t.d1, agent, STR(""), false, "1");
    (void)make_referral(tx, t.d2, agent, STR(""), false, "2");
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_path_at(tx, t.d1_r, tx->now, &other));
    same_referrals(tx, &path, tx->now);
    same_referrals(tx, &other, tx->now);
    same_referrals(tx, &path, tx->now - 1);
    OK(tx, supply_referrals_few(tx, tx->now, &list, &few));
    ck_assert_uint_eq(supply_referrals_among(&list, &path, tx->arena).count, 3);
    for (size_t i = list.count; i < SUPPLY_REFERRALS_FEW; i++)
        (void)make_referral(tx, t.d2, agent, t.c, false, "2");
    same_referrals(tx, &path, tx->now);
    (void)make_referral(tx, t.d2, agent, t.c, false, "2");
    OK(tx, supply_referrals_few(tx, tx->now, &list, &few));
    ck_assert(!few);
    ck_assert_uint_eq(list.count, 0);
}

TX_TEST(changes_are_the_instants_at_which_a_price_may_change)
{
    struct tree t = make_tree(tx);
    time_us from = tx->now;
    time_us *at = NULL;
    size_t count = 0;
    struct supply_path path;
    struct price_entry e;
    OK(tx, supply_path_at(tx, t.r_c, tx->now, &path));
    OK(tx, supply_changes(tx, t.r_c, from, INT64_MAX, &at, &count));
    ck_assert_uint_eq(count, 0);
    OK(tx, supply_changes(tx, t.r_c, from - DAY(1), INT64_MAX, &at, &count));
    ck_assert_uint_eq(count, 1); /* it begins */
    ck_assert_int_eq(at[0], from);
    struct price_entry entry = {.op = ENTRY_MUL, .value = STR("110"), .valid_from = from + DAY(2)};
    OK(tx, price_entry_add(tx, path.edges[1].book, &entry, &e));
    entry.item = STR("vm");
    OK(tx, price_entry_add(tx, path.edges[1].book, &entry, &e)); /* the same instant */
    entry.valid_from = from + DAY(9); /* of a book that is off the path by then */
    OK(tx, price_entry_add(tx, path.edges[1].book, &entry, &e));
    OK(tx, move_to(tx, t.r_c, t.d2_r, from + DAY(5)));
    OK(tx, supply_changes(tx, t.r_c, from, INT64_MAX, &at, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(at[0], from + DAY(2));
    ck_assert_int_eq(at[1], from + DAY(5));
    OK(tx, supply_changes(tx, t.r_c, from + DAY(2), from + DAY(5), &at, &count));
    ck_assert_uint_eq(count, 0); /* both ends are outside */
    struct agreement a;
    OK(tx, agreement_end(tx, t.r_c, from + DAY(7), &a));
    OK(tx, supply_changes(tx, t.r_c, from, INT64_MAX, &at, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(at[2], from + DAY(7));
}

Suite *supply_suite(void);
Suite *supply_suite(void)
{
    Suite *s = suite_create("supply");
    TCase *c = tcase_create("supply");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_path_leads_from_the_operator_to_the_client);
    tcase_add_test(c, a_path_has_one_number_for_ever);
    tcase_add_test(c, a_reseller_that_moves_has_another_path_from_that_day);
    tcase_add_test(c, what_others_buy_under_does_not_end);
    tcase_add_test(c, an_upstream_that_cannot_be_is_refused);
    tcase_add_test(c, nobody_comes_to_buy_from_itself);
    tcase_add_test(c, a_path_is_sixteen_deep_and_no_more);
    tcase_add_test(c, referrals_pay_on_who_they_are_about);
    tcase_add_test(c, few_referrals_are_looked_through_to_the_same_end);
    tcase_add_test(c, changes_are_the_instants_at_which_a_price_may_change);
    suite_add_tcase(s, c);
    return s;
}
