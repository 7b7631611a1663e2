/* Items, meters, plans. */
#include "catalog/catalog_fixture.h"

#include "catalog/charge.h"

static uint64_t bit(const struct schema *s, const char *name)
{
    return schema_bit(s, name);
}

/* --- items --- */

TX_TEST(an_item_reads_back_as_it_was_made)
{
    struct str op = make_operator(tx);
    struct item made, got, found;
    struct item fresh = {.code = STR("vm-4"),
                         .name = STR("VM with 4 GB"),
                         .category = STR("vm"),
                         .unit = STR("MON"),
                         .income = STR("VPS"),
                         .tax_class = TAX_CLASS_REDUCED,
                         .author = op};
    OK(tx, item_create(tx, op, &fresh, &made));
    OK(tx, item_get(tx, made.id, &got));
    OK(tx, item_find(tx, STR("vm-4"), &found));
    ck_assert(id_is(got.id, "itm"));
    SAME(found.id, got.id);
    SAME(got.name, fresh.name);
    SAME(got.income, STR("VPS"));
    SAME(got.author, op);
    ck_assert_int_eq(got.tax_class, TAX_CLASS_REDUCED);
    ck_assert_int_eq(got.version, 1);
    FAILS(tx, RC_CONFLICT, "/code", item_create(tx, op, &fresh, &made));
    FAILS(tx, RC_NOT_FOUND, NULL, item_get(tx, STR("itm_none"), &got));
    FAILS(tx, RC_NOT_FOUND, NULL, item_find(tx, STR("none"), &got));
}

TX_TEST(what_an_item_cannot_be)
{
    struct str op = make_operator(tx);
    struct item made;
    static const struct {
        const char *pointer;
        struct item item;
    } all[] = {
        {"/code", {.code = STR_INIT("VM"), .name = STR_INIT("x"), .category = STR_INIT("vm")}},
        {"/code", {.code = STR_INIT("-vm"), .name = STR_INIT("x"), .category = STR_INIT("vm")}},
        {"/category", {.code = STR_INIT("vm"), .name = STR_INIT("x"), .category = STR_INIT("V")}},
        {"/income",
         {.code = STR_INIT("vm"),
          .name = STR_INIT("x"),
          .category = STR_INIT("vm"),
          .income = STR_INIT("a:b")}},
        {"/author",
         {.code = STR_INIT("vm"),
          .name = STR_INIT("x"),
          .category = STR_INIT("vm"),
          .author = STR_INIT("pty_none")}},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        FAILS(tx, RC_INVALID, all[i].pointer, item_create(tx, op, &all[i].item, &made));
}

TX_TEST(an_item_changes_but_not_its_code)
{
    struct str op = make_operator(tx);
    struct str id = make_item(tx, op, "vm-4");
    struct item got;
    struct item patch = {.name = STR("New"), .state = ITEM_RETIRED};
    patch.set = bit(&item_schema, "name") | bit(&item_schema, "state");
    FAILS(tx, RC_CHANGED, NULL, item_change(tx, id, 7, &patch, &got));
    OK(tx, item_change(tx, id, 1, &patch, &got));
    SAME(got.name, STR("New"));
    ck_assert_int_eq(got.state, ITEM_RETIRED);
    ck_assert_int_eq(got.version, 2);
    patch = (struct item){.set = bit(&item_schema, "code"), .code = STR("other")};
    FAILS(tx, RC_INVALID, "/code", item_change(tx, id, 0, &patch, &got));
}

TX_TEST(items_are_listed_by_code_and_filtered)
{
    struct str op = make_operator(tx);
    struct page page;
    (void)make_item(tx, op, "b");
    (void)make_item(tx, op, "a");
    struct item_query q = {.page = {.limit = 1}};
    OK(tx, item_list(tx, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    SAME(((struct item *)page.items.items)[0].code, STR("a"));
    q.page.after = page.next;
    OK(tx, item_list(tx, &q, &page));
    SAME(((struct item *)page.items.items)[0].code, STR("b"));
    ck_assert_uint_eq(page.next.n, 0);
    q = (struct item_query){.set = bit(&item_query_schema, "category"), .category = STR("disk")};
    OK(tx, item_list(tx, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
}

/* --- meters --- */

TX_TEST(meters_are_numbered_in_order)
{
    struct str op = make_operator(tx);
    struct meter m;
    struct list list;
    struct str first = make_meter(tx, op, "net.out", METER_SUM);
    (void)make_meter(tx, op, "net.p95", METER_P95);
    OK(tx, meter_get(tx, first, &m));
    ck_assert_int_eq(m.number, 1);
    OK(tx, meter_find(tx, STR("net.p95"), &m));
    ck_assert_int_eq(m.number, 2);
    ck_assert_int_eq(m.kind, METER_P95);
    ck_assert_int_eq(m.scale, 3);
    OK(tx, meter_list(tx, &list));
    ck_assert_uint_eq(list.count, 2);
    SAME(((struct meter *)list.items)[0].code, STR("net.out"));
    struct meter again = {.code = STR("net.out"), .unit = STR("GB")};
    struct meter wrong = {.code = STR("Net"), .unit = STR("GB")};
    FAILS(tx, RC_CONFLICT, "/code", meter_create(tx, op, &again, &m));
    FAILS(tx, RC_INVALID, "/code", meter_create(tx, op, &wrong, &m));
    FAILS(tx, RC_NOT_FOUND, NULL, meter_find(tx, STR("none"), &m));
    FAILS(tx, RC_NOT_FOUND, NULL, meter_get(tx, STR("mtr_none"), &m));
}

START_TEST(a_level_is_not_a_sum)
{
    static const bool level[] = {[METER_MAX] = true,
                                 [METER_LAST] = true,
                                 [METER_UNIQUE] = true,
                                 [METER_P95] = true,
                                 [METER_COUNTER] = false};
    for (size_t k = 0; k < COUNT(level); k++)
        ck_assert(meter_is_level((enum meter_kind)k) == level[k]);
}
END_TEST

/* --- plans --- */

TX_TEST(a_plan_keeps_every_version_of_its_charges)
{
    struct str op = make_operator(tx);
    struct plan got;
    struct charge_tier tiers[] = {{.set = ~UINT64_C(0), .up_to = STR("10"), .price = STR("5.00")},
                                  {.set = ~UINT64_C(0), .price = STR("2.00"), .flat = STR("1.50")}};
    struct charge charges[] = {
        {.label = STR("Server"), .kind = CHARGE_FLAT, .price = STR("195.00"), .advance = 1},
        {.label = STR("Traffic \"out\""),
         .kind = CHARGE_GRADUATED,
         .meter = STR("net.out"),
         .tiers = {tiers, 2},
         .included = STR("100")},
    };
    (void)make_meter(tx, op, "net.out", METER_SUM);
    struct plan made = make_plan(tx, op, "vm-4", PLAN_MONTH, charges, 2);
    SAME(made.currency, STR("EUR"));
    struct charge dearer = {.label = STR("Server"), .kind = CHARGE_FLAT, .price = STR("200.00")};
    struct plan patch = {.set = bit(&plan_schema, "charges"), .charges = {&dearer, 1}};
    OK(tx, plan_change(tx, made.id, 1, &patch, &got));
    ck_assert_int_eq(got.number, 2);
    patch = (struct plan){.set = bit(&plan_schema, "name"), .name = STR("New")};
    OK(tx, plan_change(tx, made.id, 2, &patch, &got));
    ck_assert_int_eq(got.number, 2); /* the charges are the same */
    OK(tx, plan_find(tx, STR("vm-4-month"), &got));
    SAME(got.name, STR("New"));
    ck_assert_uint_eq(got.charges.count, 1);
    SAME(((struct charge *)got.charges.items)[0].price, STR("200.00"));
    OK(tx, plan_version(tx, made.id, 1, &got));
    ck_assert_uint_eq(got.charges.count, 2);
    const struct charge *first = got.charges.items;
    SAME(first[0].price, STR("195.00"));
    ck_assert_int_eq(first[0].advance, 1);
    SAME(first[1].label, STR("Traffic \"out\""));
    SAME(first[1].included, STR("100"));
    SAME(((struct charge_tier *)first[1].tiers.items)[1].flat, STR("1.50"));
    FAILS(tx, RC_NOT_FOUND, NULL, plan_version(tx, made.id, 3, &got));
    FAILS(tx, RC_NOT_FOUND, NULL, plan_get(tx, STR("pln_none"), &got));
    FAILS(tx, RC_CHANGED, NULL, plan_change(tx, made.id, 1, &patch, &got));
}

TX_TEST(what_a_plan_cannot_be)
{
    struct str op = make_operator(tx);
    struct plan p;
    struct charge flat = {.label = STR("x"), .kind = CHARGE_FLAT, .price = STR("1")};
    struct charge unknown = {
        .label = STR("x"), .kind = CHARGE_PER_UNIT, .price = STR("1"), .meter = STR("none")};
    struct charge bad[] = {flat, {.label = STR("x"), .kind = CHARGE_FLAT}};
    struct charge parts = {
        .label = STR("x"), .kind = CHARGE_INSTALMENT, .price = STR("1"), .instalments = 3};
    struct plan good = make_plan(tx, op, "vm", PLAN_MONTH, &flat, 1);
    const struct {
        const char *pointer;
        struct plan plan;
    } all[] = {
        {"/code", {.code = STR("Vm"), .item = STR("vm"), .charges = {&flat, 1}}},
        {"/item", {.code = STR("a"), .item = STR("none"), .charges = {&flat, 1}}},
        {"/currency",
         {.code = STR("a"), .item = STR("vm"), .currency = STR("XXY"), .charges = {&flat, 1}}},
        {"/charges", {.code = STR("a"), .item = STR("vm")}},
        {"/charges/0/meter", {.code = STR("a"), .item = STR("vm"), .charges = {&unknown, 1}}},
        {"/charges/1/price", {.code = STR("a"), .item = STR("vm"), .charges = {bad, 2}}},
        {"/charges/0/kind",
         {.code = STR("a"), .item = STR("vm"), .period = PLAN_ONCE, .charges = {&flat, 1}}},
        {"/charges/0/kind",
         {.code = STR("a"), .item = STR("vm"), .period = PLAN_ONCE, .charges = {&parts, 1}}},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        FAILS(tx, RC_INVALID, all[i].pointer, plan_create(tx, &all[i].plan, &p));
    struct plan again = {.code = good.code, .item = STR("vm"), .charges = {&flat, 1}};
    FAILS(tx, RC_CONFLICT, "/code", plan_create(tx, &again, &p));
    static const char *const fixed[] = {"code", "item", "period", "currency", "tax_included"};
    struct plan other = {.code = STR("b"),
                         .item = STR("c"),
                         .period = PLAN_YEAR,
                         .currency = STR("USD"),
                         .tax_included = true};
    for (size_t i = 0; i < COUNT(fixed); i++) {
        other.set = bit(&plan_schema, fixed[i]);
        FAILS(tx, RC_INVALID, arena_fmt(tx->arena, "/%s", fixed[i]).p,
              plan_change(tx, good.id, 0, &other, &p));
    }
}

TX_TEST(a_line_says_what_is_included)
{
    struct charge rent = {.label = STR("Rent")};
    struct charge traffic = {.label = STR("Traffic"), .included = STR("100")};
    struct plan plan = {.period = PLAN_QUARTER};
    SAME(plan_line_text(&plan, &rent, tx->arena), STR("Rent"));
    SAME(plan_line_text(&plan, &traffic, tx->arena), STR("Traffic (100 a quarter included)"));
    plan.period = PLAN_ONCE;
    SAME(plan_line_text(&plan, &traffic, tx->arena), STR("Traffic (100 included)"));
}

TX_TEST(plans_are_listed_by_item)
{
    struct str op = make_operator(tx);
    struct page page;
    (void)make_flat(tx, op, "vm", PLAN_MONTH, "1");
    (void)make_flat(tx, op, "vm", PLAN_YEAR, "10");
    (void)make_flat(tx, op, "disk", PLAN_MONTH, "2");
    struct plan_query q = {.set = bit(&plan_query_schema, "item"), .item = STR("vm")};
    OK(tx, plan_list(tx, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    SAME(((struct plan *)page.items.items)[1].code, STR("vm-year"));
    ck_assert_uint_eq(((struct plan *)page.items.items)[1].charges.count, 1);
    q = (struct plan_query){0};
    OK(tx, plan_list(tx, &q, &page));
    ck_assert_uint_eq(page.items.count, 3);
}

Suite *catalog_suite(void);
Suite *catalog_suite(void)
{
    Suite *s = suite_create("catalog");
    TCase *c = tcase_create("catalog");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, an_item_reads_back_as_it_was_made);
    tcase_add_test(c, what_an_item_cannot_be);
    tcase_add_test(c, an_item_changes_but_not_its_code);
    tcase_add_test(c, items_are_listed_by_code_and_filtered);
    tcase_add_test(c, meters_are_numbered_in_order);
    tcase_add_test(c, a_level_is_not_a_sum);
    tcase_add_test(c, a_plan_keeps_every_version_of_its_charges);
    tcase_add_test(c, what_a_plan_cannot_be);
    tcase_add_test(c, a_line_says_what_is_included);
    tcase_add_test(c, plans_are_listed_by_item);
    suite_add_tcase(s, c);
    return s;
}
