#include "channel/price_book.h"

#include "channel/channel_fixture.h"
#include "money/property.h"

/* Case (c) of specs/billing.md 3.7: operator, R1, R2, client. */
struct channel {
    struct str op, r1, r2, client;
    struct str book1, book2; /* of R1 and R2 */
    struct str supply[3];
};

static struct channel make_channel(struct tx *tx)
{
    struct channel c = {.op = make_operator(tx)};
    c.r1 = make_party(tx, "R1", c.op);
    c.r2 = make_party(tx, "R2", c.r1);
    c.client = make_party(tx, "Client", c.r2);
    c.book1 = make_book(tx, c.r1, "partners");
    c.book2 = make_book(tx, c.r2, "public");
    c.supply[0] = make_supply(tx, c.op, c.r1, STR(""), STR(""));
    c.supply[1] = make_supply(tx, c.r1, c.r2, c.supply[0], c.book1);
    c.supply[2] = make_supply(tx, c.r2, c.client, c.supply[1], c.book2);
    return c;
}

/* What the buyers pay for the item, "56.00 70.00". */
static struct str prices_at(struct tx *tx, struct str agreement, const char *item,
                            const char *category, const char *list, time_us at)
{
    struct supply_path path;
    struct price_steps steps;
    struct price p;
    struct price ret[SUPPLY_DEPTH_MAX];
    struct buf b;
    OK(tx, supply_path_at(tx, agreement, at, &path));
    OK(tx, price_steps_at(tx, &path, str_c(item), str_c(category), at, &steps));
    OK(tx, price_parse(str_c(list), &p, tx->err));
    OK(tx, price_steps_apply(&steps, p, ret, tx->err));
    buf_init(&b, tx->arena, 1000);
    for (size_t i = 0; i < path.count; i++) {
        char text[PRICE_TEXT_MAX];
        (void)price_format(ret[i], text);
        buf_fmt(&b, "%s%s", i > 0 ? " " : "", text);
    }
    if (!steps.visible)
        buf_add(&b, STR(" hidden"));
    return buf_str(&b);
}

TX_TEST(prices_of_the_worked_case_come_down_the_path)
{
    struct channel c = make_channel(tx);
    make_entry(tx, c.book1, "vm", ENTRY_MUL, "112");
    make_entry(tx, c.book2, "vm", ENTRY_MUL, "125");
    make_entry(tx, c.book2, "storage", ENTRY_MUL, "95");
    SAME(prices_at(tx, c.supply[2], "vm", "compute", "50.00", tx->now), STR("50.00 56.00 70.00"));
    SAME(prices_at(tx, c.supply[2], "storage", "disk", "10.00", tx->now), STR("10.00 10.00 9.50"));
    SAME(prices_at(tx, c.supply[1], "vm", "compute", "50.00", tx->now), STR("50.00 56.00"));
}

TX_TEST(the_narrowest_entry_wins_and_of_those_the_latest)
{
    struct channel c = make_channel(tx);
    struct price_entry e;
    struct price_entry category = {
        .category = STR("compute"), .op = ENTRY_ADD, .value = STR("1.5"), .msrp = STR("80")};
    make_entry(tx, c.book1, "", ENTRY_MUL, "200");
    SAME(prices_at(tx, c.supply[1], "vm", "compute", "10", tx->now), STR("10 20"));
    OK(tx, price_entry_add(tx, c.book1, &category, &e));
    SAME(prices_at(tx, c.supply[1], "vm", "compute", "10", tx->now), STR("10 11.5"));
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now), STR("10 20"));
    make_entry(tx, c.book1, "vm", ENTRY_ABS, "7");
    make_entry(tx, c.book1, "vm", ENTRY_ABS, "8");
    SAME(prices_at(tx, c.supply[1], "vm", "compute", "10", tx->now), STR("10 8"));
    struct supply_path path;
    struct price_steps steps;
    OK(tx, supply_path_at(tx, c.supply[1], tx->now, &path));
    OK(tx, price_steps_at(tx, &path, STR("other"), STR("compute"), tx->now, &steps));
    SAME(steps.steps[1].msrp, STR("80"));
    OK(tx, price_steps_at(tx, &path, STR("vm"), STR("compute"), tx->now, &steps));
    SAME(steps.steps[1].msrp, STR(""));
}

TX_TEST(what_is_hidden_anywhere_on_the_way_is_hidden_below)
{
    struct channel c = make_channel(tx);
    make_entry(tx, c.book1, "", ENTRY_HIDE, "");
    make_entry(tx, c.book1, "vm", ENTRY_MUL, "110");
    make_entry(tx, c.book2, "gpu", ENTRY_ABS, "99");
    SAME(prices_at(tx, c.supply[2], "vm", "", "10", tx->now), STR("10 11 11"));
    SAME(prices_at(tx, c.supply[2], "gpu", "", "10", tx->now), STR("10 10 99 hidden"));
    SAME(prices_at(tx, c.supply[0], "gpu", "", "10", tx->now), STR("10"));
}

TX_TEST(who_has_what_is_hidden_pays_for_it_as_before)
{
    struct channel c = make_channel(tx);
    make_entry(tx, c.book1, "", ENTRY_MUL, "120");
    make_entry(tx, c.book1, "vm", ENTRY_ADD, "3");
    make_entry(tx, c.book1, "vm", ENTRY_HIDE, "");
    make_entry(tx, c.book1, "gpu", ENTRY_HIDE, "");
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now), STR("10 13 hidden"));
    SAME(prices_at(tx, c.supply[1], "gpu", "", "10", tx->now), STR("10 12 hidden"));
    make_entry(tx, c.book1, "vm", ENTRY_ABS, "15");
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now), STR("10 15"));
}

TX_TEST(an_entry_for_later_changes_nothing_before)
{
    struct channel c = make_channel(tx);
    struct price_entry e;
    struct price_entry later = {.item = STR("vm"),
                                .op = ENTRY_MUL,
                                .value = STR("150"),
                                .valid_from = tx->now + US_PER_DAY};
    OK(tx, price_entry_add(tx, c.book1, &later, &e));
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now + US_PER_DAY - 1), STR("10 10"));
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now + US_PER_DAY), STR("10 15"));
    tx->now += US_PER_DAY * 2;
    make_entry(tx, c.book1, "vm", ENTRY_MUL, "130");
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now - 1), STR("10 15"));
    SAME(prices_at(tx, c.supply[1], "vm", "", "10", tx->now), STR("10 13"));
    later.valid_from = tx->now - 1;
    FAILS(tx, RC_INVALID, "/valid_from", price_entry_add(tx, c.book1, &later, &e));
}

TX_TEST(guard_rails_lift_what_is_too_low_from_their_day_on)
{
    struct channel c = make_channel(tx);
    struct price_book b;
    struct price_book patch = {.floor_percent = STR("100"), .max_discount_percent = STR("")};
    patch.set = UINT64_C(1) << schema_find(&price_book_schema, STR("floor_percent"));
    make_entry(tx, c.book1, "vm", ENTRY_ABS, "4");
    make_entry(tx, c.book2, "vm", ENTRY_MUL, "50");
    tx->now += US_PER_DAY;
    OK(tx, price_book_change(tx, c.book2, 1, &patch, &b));
    ck_assert_int_eq(b.version, 2);
    SAME(prices_at(tx, c.supply[2], "vm", "", "10", tx->now - 1), STR("10 4 2"));
    SAME(prices_at(tx, c.supply[2], "vm", "", "10", tx->now), STR("10 4 4"));
    /* R1's rail binds itself, and R2 towards what R2 pays; the tighter one holds. */
    patch.set = UINT64_C(1) << schema_find(&price_book_schema, STR("max_discount_percent"));
    patch.max_discount_percent = STR("20");
    OK(tx, price_book_change(tx, c.book1, 0, &patch, &b));
    SAME(prices_at(tx, c.supply[2], "vm", "", "10", tx->now), STR("10 8 8"));
    patch.set = UINT64_C(1) << schema_find(&price_book_schema, STR("floor_percent"));
    patch.floor_percent = STR("");
    OK(tx, price_book_change(tx, c.book2, 0, &patch, &b));
    SAME(prices_at(tx, c.supply[2], "vm", "", "10", tx->now), STR("10 8 6.4"));
}

TX_TEST(a_book_reads_back_and_says_what_is_wrong)
{
    struct str op = make_operator(tx);
    struct price_book b, got;
    struct price_book fresh = {.name = STR("member"), .floor_percent = STR("90")};
    OK(tx, price_book_create(tx, op, &fresh, &b));
    OK(tx, price_book_get(tx, b.id, &got));
    SAME(got.name, STR("member"));
    SAME(got.currency, STR("EUR"));
    SAME(got.floor_percent, STR("90"));
    SAME(got.party, op);
    FAILS(tx, RC_CONFLICT, "/name", price_book_create(tx, op, &fresh, &b));
    fresh.name = STR(" ");
    FAILS(tx, RC_INVALID, "/name", price_book_create(tx, op, &fresh, &b));
    fresh = (struct price_book){.name = STR("x"), .currency = STR("EUX")};
    FAILS(tx, RC_INVALID, "/currency", price_book_create(tx, op, &fresh, &b));
    fresh = (struct price_book){.name = STR("x"), .floor_percent = STR("-1")};
    FAILS(tx, RC_INVALID, "/floor_percent", price_book_create(tx, op, &fresh, &b));
    fresh = (struct price_book){.name = STR("x"), .max_discount_percent = STR("100.1")};
    FAILS(tx, RC_INVALID, "/max_discount_percent", price_book_create(tx, op, &fresh, &b));
    FAILS(tx, RC_NOT_FOUND, NULL, price_book_get(tx, STR("bok_none"), &b));
    struct price_book patch = {.currency = STR("USD")};
    patch.set = UINT64_C(1) << schema_find(&price_book_schema, STR("currency"));
    FAILS(tx, RC_INVALID, "/currency", price_book_change(tx, got.id, 1, &patch, &b));
    patch.set = UINT64_C(1) << schema_find(&price_book_schema, STR("name"));
    patch.name = STR("members");
    FAILS(tx, RC_CHANGED, NULL, price_book_change(tx, got.id, 7, &patch, &b));
    OK(tx, price_book_change(tx, got.id, 1, &patch, &b));
    SAME(b.name, STR("members"));
    SAME(b.floor_percent, STR("90"));
    struct page page;
    struct page_query q = {0};
    (void)make_book(tx, op, "public");
    OK(tx, price_book_list(tx, op, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
}

TX_TEST(an_entry_that_cannot_be_is_refused_by_its_field)
{
    static const struct {
        const char *pointer;
        struct price_entry entry;
    } wrong[] = {
        {"/category", {.item = STR_INIT("a"), .category = STR_INIT("b"), .op = ENTRY_HIDE}},
        {"/value", {.op = ENTRY_ABS}},
        {"/value", {.op = ENTRY_HIDE, .value = STR_INIT("1")}},
        {"/value", {.op = ENTRY_ABS, .value = STR_INIT("-1")}},
        {"/value", {.op = ENTRY_MUL, .value = STR_INIT("-1")}},
        {"/value", {.op = ENTRY_MUL, .value = STR_INIT("1000.1")}},
        {"/value", {.op = ENTRY_MUL, .value = STR_INIT("1.00001")}},
        {"/value", {.op = ENTRY_ADD, .value = STR_INIT("1e3")}},
        {"/value", {.op = ENTRY_ADD, .value = STR_INIT("1.0000000000001")}},
        {"/msrp", {.op = ENTRY_MUL, .value = STR_INIT("1"), .msrp = STR_INIT("-2")}},
        {"/item",
         {.item = STR_INIT("12345678901234567890123456789012345678901"), .op = ENTRY_HIDE}},
    };
    struct str book = make_book(tx, make_operator(tx), "b");
    struct price_entry e;
    for (size_t i = 0; i < COUNT(wrong); i++)
        FAILS(tx, RC_INVALID, wrong[i].pointer, price_entry_add(tx, book, &wrong[i].entry, &e));
    FAILS(tx, RC_NOT_FOUND, NULL, price_entry_add(tx, STR("bok_none"), &wrong[0].entry, &e));
    make_entry(tx, book, "vm", ENTRY_ADD, "-0.50");
    struct page page;
    struct page_query q = {0};
    OK(tx, price_entry_list(tx, book, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    const struct price_entry *got = page.items.items;
    SAME(got->item, STR("vm"));
    SAME(got->category, STR(""));
    SAME(got->value, STR("-0.50"));
    ck_assert_int_eq(got->op, ENTRY_ADD);
}

/* --- steps alone --- */

START_TEST(a_price_below_zero_is_refused)
{
    struct err err;
    struct price ret[SUPPLY_DEPTH_MAX] = {{7, 0}};
    struct price_steps steps = {
        .count = 1, .steps = {{.op = ENTRY_ADD, .value = {-11, 0}, .max_discount_ppm = -1}}};
    ck_assert_int_eq(price_steps_apply(&steps, (struct price){10, 0}, ret, &err), RC_INVALID);
    ck_assert_int_eq(ret[0].mantissa, 7);
    steps.steps[0].floor_ppm = 500000;
    ck_assert_int_eq(price_steps_apply(&steps, (struct price){10, 0}, ret, &err), RC_OK);
    ck_assert_int_eq(price_compare(ret[0], (struct price){5, 0}), 0);
}
END_TEST

static struct price_step any_step(struct clock_sim *chance)
{
    static const enum entry_op ops[] = {ENTRY_ABS, ENTRY_MUL, ENTRY_ADD};
    struct price_step s = {
        .op = ops[clock_sim_below(chance, COUNT(ops))],
        .value = {property_between(chance, -1000, 100000), (int)clock_sim_below(chance, 5)},
        .ppm = property_between(chance, 0, 2000000),
        .max_discount_ppm = -1};
    if (s.op == ENTRY_ABS && s.value.mantissa < 0)
        s.value.mantissa = -s.value.mantissa;
    if (clock_sim_below(chance, 3) == 0)
        s.floor_ppm = property_between(chance, 0, 1200000);
    if (clock_sim_below(chance, 3) == 0)
        s.max_discount_ppm = property_between(chance, 0, 1000000);
    return s;
}

/* Margins of a vector of prices, at any quantity: they and the first price are the last one, and no
 * rail is broken. The sum is exact whatever the rounding, as each amount is rounded alone. */
START_TEST(price_vectors_telescope_and_keep_their_rails)
{
    enum { VECTORS = 20000 };
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    const struct currency *eur = currency_find(STR("EUR"));
    for (size_t run = 0; run < VECTORS; run++) {
        struct err err;
        struct price_steps steps = {.count = 1 + clock_sim_below(&chance, SUPPLY_DEPTH_MAX)};
        struct price prices[SUPPLY_DEPTH_MAX];
        struct price list = {property_between(&chance, 0, 1000000),
                             (int)clock_sim_below(&chance, 7)};
        struct quantity q = {property_between(&chance, 0, 100000000), 3};
        for (size_t i = 0; i < steps.count; i++)
            steps.steps[i] = any_step(&chance);
        if (price_steps_apply(&steps, list, prices, &err) != RC_OK)
            continue;
        int64_t amounts[SUPPLY_DEPTH_MAX] = {0};
        int64_t margins = 0;
        struct price bought = list;
        bool whole = true;
        for (size_t i = 0; i < steps.count; i++) {
            const struct price_step *s = &steps.steps[i];
            rated r = 0;
            struct price least = {0, 0};
            HOLDS(prices[i].mantissa >= 0, SEED_FMT "run %zu: below 0", seed, run);
            ck_assert_int_eq(price_scale_ppm(bought, s->floor_ppm, &least, &err), RC_OK);
            HOLDS(price_compare(prices[i], least) >= 0, SEED_FMT "run %zu: below floor", seed, run);
            if (s->max_discount_ppm >= 0)
                ck_assert_int_eq(
                    price_scale_ppm(bought, PRICE_WHOLE_PPM - s->max_discount_ppm, &least, &err),
                    RC_OK);
            HOLDS(price_compare(prices[i], least) >= 0, SEED_FMT "run %zu: discount", seed, run);
            whole = whole && price_rate(prices[i], q, &r, &err) == RC_OK &&
                    rated_round(r, eur, &amounts[i], &err) == RC_OK;
            margins += i > 0 ? amounts[i] - amounts[i - 1] : 0;
            bought = prices[i];
        }
        HOLDS(!whole || amounts[0] + margins == amounts[steps.count - 1],
              SEED_FMT "run %zu: margins do not add up", seed, run);
    }
}
END_TEST

Suite *price_book_suite(void);
Suite *price_book_suite(void)
{
    Suite *s = suite_create("price_book");
    TCase *c = tcase_create("price_book");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, prices_of_the_worked_case_come_down_the_path);
    tcase_add_test(c, the_narrowest_entry_wins_and_of_those_the_latest);
    tcase_add_test(c, what_is_hidden_anywhere_on_the_way_is_hidden_below);
    tcase_add_test(c, who_has_what_is_hidden_pays_for_it_as_before);
    tcase_add_test(c, an_entry_for_later_changes_nothing_before);
    tcase_add_test(c, guard_rails_lift_what_is_too_low_from_their_day_on);
    tcase_add_test(c, a_book_reads_back_and_says_what_is_wrong);
    tcase_add_test(c, an_entry_that_cannot_be_is_refused_by_its_field);
    tcase_add_test(c, a_price_below_zero_is_refused);
    tcase_add_test(c, price_vectors_telescope_and_keep_their_rails);
    suite_add_tcase(s, c);
    return s;
}
