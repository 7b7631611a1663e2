/* Limits along the path, and the prices of each side. */
#include "catalog/catalog_fixture.h"

#include "money/property.h"

#include <sodium.h>

enum { ITEMS = 42 };

/* operator > distributor > reseller > client; the distributor has a second client. */
struct path {
    struct str op, distributor, reseller, client, second;
    struct str edges[3];
    struct str beside; /* distributor > second */
    struct str books[3];
    struct plan vm;
};

static struct path make_path(struct tx *tx)
{
    struct path p = {.op = make_operator(tx)};
    p.distributor = make_party(tx, "Distributor", p.op);
    p.reseller = make_party(tx, "Reseller", p.distributor);
    p.client = make_party(tx, "Client", p.reseller);
    p.second = make_party(tx, "Second", p.distributor);
    p.books[0] = make_book(tx, p.op, "a");
    p.books[1] = make_book(tx, p.distributor, "b");
    p.books[2] = make_book(tx, p.reseller, "c");
    p.edges[0] = make_supply(tx, p.op, p.distributor, STR(""), p.books[0]);
    p.edges[1] = make_supply(tx, p.distributor, p.reseller, p.edges[0], p.books[1]);
    p.edges[2] = make_supply(tx, p.reseller, p.client, p.edges[1], p.books[2]);
    p.beside = make_supply(tx, p.distributor, p.second, p.edges[0], p.books[1]);
    p.vm = make_flat(tx, p.op, "vm", PLAN_MONTH, "50.00");
    return p;
}

static void limit_units(struct tx *tx, struct str edge, const char *item, const char *units)
{
    struct path_limit l;
    struct path_limit wanted = {.item = str_c(item), .units = str_c(units)};
    OK(tx, path_limit_set(tx, edge, &wanted, &l));
}

static void limit_credit(struct tx *tx, struct str edge, const char *amount)
{
    struct path_limit l;
    struct path_limit wanted = {.set = schema_bit(&path_limit_schema, "amount"),
                                .amount = str_c(amount)};
    OK(tx, path_limit_set(tx, edge, &wanted, &l));
}

static enum rc buy(struct tx *tx, struct str edge, struct str plan, const char *quantity,
                   struct subscription *ret)
{
    struct subscription fresh = {.agreement = edge, .plan = plan, .quantity = str_c(quantity)};
    return subscription_create(tx, &fresh, ret);
}

static struct str used(struct tx *tx, struct str edge)
{
    struct list list;
    OK(tx, path_limit_list(tx, edge, &list));
    ck_assert_uint_eq(list.count, 1);
    return ((struct path_limit *)list.items)[0].used;
}

TX_TEST(a_child_never_gets_more_than_its_parent)
{
    struct path p = make_path(tx);
    struct subscription s;
    limit_units(tx, p.edges[0], "vm", "10");
    limit_units(tx, p.edges[2], "vm", "100"); /* more than the seller has itself */
    OK(tx, buy(tx, p.edges[2], p.vm.id, "6", &s));
    OK(tx, buy(tx, p.beside, p.vm.id, "3", &s));
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.edges[2], p.vm.id, "2", &s));
    ck_assert(!str_has(err_text(tx->err), STR("10"))); /* whose limit it is, and how much */
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.beside, p.vm.id, "1.5", &s));
    OK(tx, buy(tx, p.beside, p.vm.id, "1", &s));
    SAME(used(tx, p.edges[0]), STR("10"));
    SAME(used(tx, p.edges[2]), STR("6"));
    OK(tx, subscription_end(tx, s.id, 0, &s));
    OK(tx, buy(tx, p.edges[2], p.vm.id, "1", &s));
}

TX_TEST(the_last_edge_tells_its_limit)
{
    struct path p = make_path(tx);
    struct subscription s;
    limit_units(tx, p.edges[2], "vm", "4");
    (void)make_flat(tx, p.op, "disk", PLAN_MONTH, "1");
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.edges[2], p.vm.id, "5", &s));
    ck_assert(str_has(err_text(tx->err), STR("allows 4 of 'vm'")));
    OK(tx, buy(tx, p.edges[2], STR("disk-month"), "5", &s)); /* of another item */
    limit_units(tx, p.edges[2], "vm", "");
    OK(tx, buy(tx, p.edges[2], p.vm.id, "5", &s));
    struct list list;
    OK(tx, path_limit_list(tx, p.edges[2], &list));
    ck_assert_uint_eq(list.count, 0);
}

TX_TEST(changes_count_as_what_they_add)
{
    struct path p = make_path(tx);
    struct subscription s;
    struct subscription more = {.set = schema_bit(&subscription_schema, "quantity"),
                                .quantity = STR("9")};
    OK(tx, buy(tx, p.edges[2], p.vm.id, "6", &s));
    limit_units(tx, p.edges[1], "vm", "8");
    FAILS(tx, RC_CONFLICT, "/quantity", subscription_change(tx, s.id, 0, 0, &more, &s));
    more.quantity = STR("8");
    OK(tx, subscription_change(tx, s.id, 0, 0, &more, &s));
    limit_units(tx, p.edges[1], "vm", "2"); /* lowered below what runs */
    more.quantity = STR("7");
    OK(tx, subscription_change(tx, s.id, 0, 0, &more, &s));
    more.quantity = STR("7.5");
    FAILS(tx, RC_CONFLICT, "/quantity", subscription_change(tx, s.id, 0, 0, &more, &s));
}

TX_TEST(what_is_planned_counts_already)
{
    struct path p = make_path(tx);
    struct subscription s;
    struct subscription other;
    struct subscription more = {.set = schema_bit(&subscription_schema, "quantity"),
                                .quantity = STR("9")};
    limit_units(tx, p.edges[0], "vm", "10");
    OK(tx, buy(tx, p.edges[2], p.vm.id, "1", &s));
    OK(tx, subscription_change(tx, s.id, 0, tx->now + US_PER_DAY, &more, &s));
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.beside, p.vm.id, "2", &other));
    struct subscription fresh = {
        .agreement = p.beside, .plan = p.vm.id, .start = tx->now + US_PER_DAY};
    OK(tx, subscription_create(tx, &fresh, &other));
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.beside, p.vm.id, "1", &other));
}

TX_TEST(credit_is_at_the_price_of_the_edge)
{
    struct path p = make_path(tx);
    struct subscription s;
    make_entry(tx, p.books[0], "vm", ENTRY_ABS, "40");
    make_entry(tx, p.books[2], "vm", ENTRY_ABS, "70");
    limit_credit(tx, p.edges[0], "120.00");
    limit_credit(tx, p.edges[2], "200.00");
    OK(tx, buy(tx, p.edges[2], p.vm.id, "2", &s));
    SAME(used(tx, p.edges[0]), STR("80"));
    SAME(used(tx, p.edges[2]), STR("140"));
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.edges[2], p.vm.id, "1", &s));
    ck_assert(str_has(err_text(tx->err), STR("200.00 EUR")));
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.beside, p.vm.id, "1.01", &s));
    ck_assert(!str_has(err_text(tx->err), STR("120")));
    OK(tx, buy(tx, p.beside, p.vm.id, "1", &s));
}

TX_TEST(credit_counts_what_is_fixed)
{
    struct path p = make_path(tx);
    struct subscription s;
    (void)make_meter(tx, p.op, "net", METER_SUM);
    struct charge charges[] = {
        {.label = STR("a"), .kind = CHARGE_FLAT, .price = STR("10")},
        {.label = STR("b"), .kind = CHARGE_ONE_TIME, .price = STR("100")},
        {.label = STR("c"), .kind = CHARGE_INSTALMENT, .price = STR("36"), .instalments = 12},
        {.label = STR("d"), .kind = CHARGE_PER_UNIT, .price = STR("7"), .meter = STR("net")},
    };
    struct plan plan = make_plan(tx, p.op, "all", PLAN_MONTH, charges, COUNT(charges));
    limit_credit(tx, p.edges[1], "225.99");
    FAILS(tx, RC_CONFLICT, "/quantity", buy(tx, p.edges[2], plan.id, "2", &s));
    limit_credit(tx, p.edges[1], "226");
    OK(tx, buy(tx, p.edges[2], plan.id, "2", &s));
    SAME(used(tx, p.edges[1]), STR("226"));
}

TX_TEST(a_family_goes_only_where_there_is_room)
{
    struct path p = make_path(tx);
    struct subscription s;
    struct str other = make_supply(tx, p.distributor, p.client, p.edges[0], p.books[1]);
    struct subscription root = make_subscription(tx, p.edges[2], p.vm.id, "1");
    struct subscription child = make_child(tx, &root, p.vm.id);
    (void)make_child(tx, &child, p.vm.id);
    struct subscription patch = {.set = schema_bit(&subscription_schema, "agreement"),
                                 .agreement = other};
    limit_units(tx, p.edges[0], "vm", "3"); /* full, of these three: they stay below it */
    limit_units(tx, other, "vm", "2");
    FAILS(tx, RC_CONFLICT, "/quantity", subscription_change(tx, root.id, 0, 0, &patch, &s));
    limit_units(tx, other, "vm", "3");
    OK(tx, subscription_change(tx, root.id, 0, 0, &patch, &s));
    SAME(used(tx, other), STR("3"));
    SAME(used(tx, p.edges[0]), STR("3"));
}

TX_TEST(what_a_limit_cannot_be)
{
    struct path p = make_path(tx);
    struct path_limit l;
    const struct {
        const char *pointer;
        struct path_limit limit;
    } all[] = {
        {"/item", {.item = STR("none"), .units = STR("1")}},
        {"/item", {.set = 0}},
        {"/item", {.item = STR("vm"), .units = STR("1"), .amount = STR("1")}},
        {"/item", {.units = STR("1")}},
        {"/units", {.item = STR("vm"), .units = STR("-1")}},
        {"/units", {.item = STR("vm"), .units = STR("1.0000000001")}},
        {"/amount", {.set = schema_bit(&path_limit_schema, "amount"), .amount = STR("-0.01")}},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        FAILS(tx, RC_INVALID, all[i].pointer, path_limit_set(tx, p.edges[0], &all[i].limit, &l));
}

/* Against the obvious: units added up by hand over a forest of resellers. */
TX_TEST(the_sum_below_an_edge_is_what_was_bought_below_it)
{
    enum { EDGES = 40, BUYS = 120 };
    struct clock_sim chance;
    uint64_t seed = property_begin(&chance);
    struct str parties[EDGES + 1] = {make_operator(tx)};
    struct str edges[EDGES + 1];
    int above[EDGES + 1] = {0};
    int64_t sums[EDGES + 1] = {0};
    struct plan vm = make_flat(tx, parties[0], "vm", PLAN_MONTH, "1");
    for (int i = 1; i <= EDGES; i++) {
        above[i] = (int)clock_sim_below(&chance, (uint64_t)(i < 4 ? 1 : i / 2));
        parties[i] = make_party(tx, "P", parties[0]);
        edges[i] = make_supply(tx, parties[above[i]], parties[i],
                               above[i] > 0 ? edges[above[i]] : STR(""), STR(""));
        limit_units(tx, edges[i], "vm", "1000000");
    }
    for (int k = 0; k < BUYS; k++) {
        int at = 1 + (int)clock_sim_below(&chance, EDGES);
        int64_t units = property_between(&chance, 1, 9);
        struct subscription s;
        OK(tx, buy(tx, edges[at], vm.id, arena_fmt(tx->arena, "%lld", (long long)units).p, &s));
        if (clock_sim_below(&chance, 4) == 0) {
            OK(tx, subscription_end(tx, s.id, 0, &s));
            continue;
        }
        for (int e = at; e > 0; e = above[e])
            sums[e] += units;
    }
    for (int i = 1; i <= EDGES; i++)
        ck_assert_msg(str_eq(used(tx, edges[i]), arena_fmt(tx->arena, "%lld", (long long)sums[i])),
                      SEED_FMT "edge %d: %.*s, wanted was %lld", seed, i, STRF(used(tx, edges[i])),
                      (long long)sums[i]);
}

/* --- prices --- */

static const struct price_row *row_of(const struct list *list, const char *charge,
                                      const char *up_to, const char *unit)
{
    const struct price_row *rows = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(rows[i].charge, str_c(charge)) && str_eq(rows[i].up_to, str_c(up_to)) &&
            str_eq(rows[i].unit, str_c(unit)))
            return &rows[i];
    ck_abort_msg("no price of '%s' up to '%s' for '%s'", charge, up_to, unit);
}

TX_TEST(prices_are_those_of_the_side_that_asks)
{
    struct path p = make_path(tx);
    struct list list;
    make_entry(tx, p.books[0], "vm", ENTRY_MUL, "90");  /* 45.00 */
    make_entry(tx, p.books[1], "vm", ENTRY_MUL, "112"); /* 50.40 */
    make_entry(tx, p.books[2], "vm", ENTRY_ADD, "9.60");
    OK(tx, catalog_prices(tx, p.edges[2], p.client, tx->now, &list));
    const struct price_row *row = row_of(&list, "vm", "", "C62");
    SAME(row->price, STR("60.00"));
    SAME(row->cost, STR(""));
    SAME(row->margin, STR(""));
    SAME(row->plan, STR("vm-month"));
    SAME(row->currency, STR("EUR"));
    OK(tx, catalog_prices(tx, p.edges[2], p.reseller, tx->now, &list));
    row = row_of(&list, "vm", "", "C62");
    SAME(row->price, STR("60.00"));
    SAME(row->cost, STR("50.40"));
    SAME(row->margin, STR("9.60"));
    OK(tx, catalog_prices(tx, p.edges[0], p.op, tx->now, &list));
    row = row_of(&list, "vm", "", "C62");
    SAME(row->price, STR("45.00"));
    SAME(row->cost, STR("")); /* the list price is no cost */
    SAME(row->margin, STR(""));
    FAILS(tx, RC_NOT_FOUND, NULL,
          catalog_prices(tx, p.edges[2], p.client, tx->now - US_PER_DAY, &list));
}

TX_TEST(every_price_point_is_told)
{
    struct path p = make_path(tx);
    struct list list;
    (void)make_meter(tx, p.op, "net", METER_SUM);
    struct charge_tier tiers[] = {{.up_to = STR("10"), .price = STR("5"), .flat = STR("1")},
                                  {.price = STR("2")}};
    struct charge charges[] = {
        {.label = STR("tiers"), .kind = CHARGE_GRADUATED, .meter = STR("net"), .tiers = {tiers, 2}},
        {.label = STR("packs"),
         .kind = CHARGE_PACKAGE,
         .meter = STR("net"),
         .price = STR("3"),
         .package = STR("100")},
        {.label = STR("least"), .kind = CHARGE_MINIMUM, .minimum = STR("20")},
        {.label = STR("fee"), .kind = CHARGE_PERCENT, .meter = STR("net"), .percent = STR("2.5")},
    };
    (void)make_plan(tx, p.op, "all", PLAN_MONTH, charges, COUNT(charges));
    make_entry(tx, p.books[0], "all", ENTRY_MUL, "200");
    OK(tx, catalog_prices(tx, p.edges[0], p.distributor, tx->now, &list));
    SAME(row_of(&list, "tiers", "10", "GB")->price, STR("10"));
    SAME(row_of(&list, "tiers", "10", "")->price, STR("2"));
    SAME(row_of(&list, "tiers", "", "GB")->price, STR("4"));
    SAME(row_of(&list, "packs", "", "100 GB")->price, STR("6"));
    SAME(row_of(&list, "least", "", "")->price, STR("40"));
    SAME(row_of(&list, "fee", "", "%")->price, STR("5"));
    ck_assert_uint_eq(list.count, 7);
}

TX_TEST(a_percentage_has_a_margin_at_every_tier)
{
    struct path p = make_path(tx);
    struct list list;
    (void)make_meter(tx, p.op, "turnover", METER_SUM);
    struct charge fee = {
        .label = STR("fee"), .kind = CHARGE_PERCENT, .meter = STR("turnover"), .percent = STR("3")};
    (void)make_plan(tx, p.op, "shop", PLAN_MONTH, &fee, 1);
    make_entry(tx, p.books[1], "shop", ENTRY_MUL, "112");
    OK(tx, catalog_prices(tx, p.edges[1], p.distributor, tx->now, &list));
    const struct price_row *row = row_of(&list, "fee", "", "%");
    SAME(row->price, STR("3.36"));
    SAME(row->cost, STR("3"));
    SAME(row->margin, STR("0.36"));
    make_entry(tx, p.books[2], "shop", ENTRY_ADD, "9.60"); /* an amount: no percentage */
    OK(tx, catalog_prices(tx, p.edges[2], p.reseller, tx->now, &list));
    row = row_of(&list, "fee", "", "%");
    SAME(row->price, STR("3.36"));
    SAME(row->cost, STR("3.36"));
    SAME(row->margin, STR("0"));
    OK(tx, catalog_prices(tx, p.edges[2], p.client, tx->now, &list));
    row = row_of(&list, "fee", "", "%");
    SAME(row->price, STR("3.36"));
    SAME(row->cost, STR(""));
}

TX_TEST(items_are_seen_by_whom_they_are_sold_to)
{
    struct path p = make_path(tx);
    struct page page;
    struct item_query q = {0};
    (void)make_flat(tx, p.op, "disk", PLAN_MONTH, "1");
    make_entry(tx, p.books[1], "disk", ENTRY_HIDE, "");
    OK(tx, item_list_visible(tx, p.distributor, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    OK(tx, item_list_visible(tx, p.client, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    const struct item *item = page.items.items;
    SAME(item->code, STR("vm"));
    ck_assert(!schema_has(&item_schema, item, "owner"));
    ck_assert(!schema_has(&item_schema, item, "income"));
    struct str nobody = make_party(tx, "Nobody", p.op);
    OK(tx, item_list_visible(tx, nobody, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

/* What a cursor carries, as its reader finds it. */
static struct str cursor_text(struct tx *tx, struct str cursor)
{
    unsigned char *bytes = (unsigned char *)arena_bytes(tx->arena, cursor.n);
    size_t n = 0;
    ck_assert(sodium_base642bin(bytes, cursor.n, cursor.p, cursor.n, NULL, &n, NULL,
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
    return str_n((const char *)bytes, n);
}

TX_TEST(pages_of_items_tell_nothing_of_what_is_hidden)
{
    struct path p = make_path(tx);
    size_t seen = 0;
    /* One in seven is seen, the first and the last are not. */
    for (int i = 0; i < ITEMS; i++) {
        const char *code = arena_fmt(tx->arena, "%s%03d", i % 7 == 3 ? "s" : "hidden-", i).p;
        (void)make_flat(tx, p.op, code, PLAN_MONTH, "1");
        if (i % 7 != 3)
            make_entry(tx, p.books[1], code, ENTRY_HIDE, "");
    }
    make_entry(tx, p.books[1], "vm", ENTRY_HIDE, "");
    const struct str sorts[] = {STR("name"), STR("-created"), STR("code")};
    for (size_t k = 0; k < COUNT(sorts); k++) {
        struct page page = {0};
        struct item_query q = {.page = {.limit = 2, .sort = {(void *)(uintptr_t)&sorts[k], 1}}};
        for (seen = 0; seen == 0 || page.next.n > 0; q.page.after = page.next) {
            OK(tx, item_list_visible(tx, p.client, &q, &page));
            const struct item *items = page.items.items;
            for (size_t i = 0; i < page.items.count; i++)
                ck_assert(str_starts(items[i].code, STR("s")));
            seen += page.items.count;
            ck_assert_uint_gt(page.items.count, 0);
            if (page.next.n == 0)
                continue;
            ck_assert_uint_eq(page.items.count, 2);
            struct str text = cursor_text(tx, page.next);
            ck_assert(!str_has(text, STR("hidden")));
            ck_assert(str_has(text, items[1].id));
        }
        ck_assert_uint_eq(seen, ITEMS / 7);
    }
}

Suite *path_limit_suite(void);
Suite *path_limit_suite(void)
{
    Suite *s = suite_create("path_limit");
    TCase *c = tcase_create("path_limit");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_child_never_gets_more_than_its_parent);
    tcase_add_test(c, the_last_edge_tells_its_limit);
    tcase_add_test(c, changes_count_as_what_they_add);
    tcase_add_test(c, what_is_planned_counts_already);
    tcase_add_test(c, credit_is_at_the_price_of_the_edge);
    tcase_add_test(c, credit_counts_what_is_fixed);
    tcase_add_test(c, a_family_goes_only_where_there_is_room);
    tcase_add_test(c, what_a_limit_cannot_be);
    tcase_add_test(c, the_sum_below_an_edge_is_what_was_bought_below_it);
    tcase_add_test(c, prices_are_those_of_the_side_that_asks);
    tcase_add_test(c, every_price_point_is_told);
    tcase_add_test(c, a_percentage_has_a_margin_at_every_tier);
    tcase_add_test(c, items_are_seen_by_whom_they_are_sold_to);
    tcase_add_test(c, pages_of_items_tell_nothing_of_what_is_hidden);
    suite_add_tcase(s, c);
    return s;
}
