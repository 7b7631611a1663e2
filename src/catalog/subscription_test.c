/* Subscriptions: begun, changed, moved, ended; walked; families. */
#include "catalog/catalog_fixture.h"

/* operator > reseller > client; the operator sells to a second one as well. */
struct shop {
    struct str op, reseller, client, other;
    struct str upper, lower; /* operator > reseller, reseller > client */
    struct str direct;       /* operator > client */
    struct str book, lower_book;
    struct plan vm; /* 50.00 a month */
};

static struct shop make_shop(struct tx *tx)
{
    struct shop s = {.op = make_operator(tx)};
    s.reseller = make_party(tx, "Reseller", s.op);
    s.client = make_party(tx, "Client", s.reseller);
    s.other = make_party(tx, "Other", s.op);
    s.book = make_book(tx, s.op, "for resellers");
    s.lower_book = make_book(tx, s.reseller, "for clients");
    s.upper = make_supply(tx, s.op, s.reseller, STR(""), s.book);
    s.lower = make_supply(tx, s.reseller, s.client, s.upper, s.lower_book);
    s.direct = make_supply(tx, s.op, s.client, STR(""), STR(""));
    s.vm = make_flat(tx, s.op, "vm", PLAN_MONTH, "50.00");
    return s;
}

static uint64_t bit(const char *name)
{
    return schema_bit(&subscription_schema, name);
}

static struct subscription reread(struct tx *tx, struct str id)
{
    struct subscription s;
    OK(tx, subscription_get(tx, id, &s));
    return s;
}

TX_TEST(a_subscription_reads_back_as_it_was_begun)
{
    struct shop shop = make_shop(tx);
    struct subscription made;
    struct subscription fresh = {.agreement = shop.lower,
                                 .plan = STR("vm-month"),
                                 .quantity = STR("2.50"),
                                 .producer = shop.other,
                                 .asset = STR("par1"),
                                 .name = STR("web"),
                                 .start = tx->now + US_PER_DAY,
                                 .ends = tx->now + 90 * US_PER_DAY};
    OK(tx, subscription_create(tx, &fresh, &made));
    struct subscription got = reread(tx, made.id);
    ck_assert(id_is(got.id, "sub"));
    SAME(got.seller, shop.reseller);
    SAME(got.client, shop.client);
    SAME(got.agreement, shop.lower);
    SAME(got.plan, shop.vm.id);
    SAME(got.item, STR("vm"));
    SAME(got.quantity, STR("2.50"));
    SAME(got.producer, shop.other);
    SAME(got.asset, STR("par1"));
    ck_assert_int_eq(got.start, fresh.start);
    ck_assert_int_eq(got.ends, fresh.ends);
    ck_assert_int_eq(got.state, SUBSCRIPTION_ACTIVE);
    FAILS(tx, RC_NOT_FOUND, NULL, subscription_get(tx, STR("sub_none"), &got));
}

TX_TEST(what_cannot_be_subscribed)
{
    struct shop shop = make_shop(tx);
    struct subscription s;
    struct plan dollars;
    struct charge flat = {.label = STR("x"), .kind = CHARGE_FLAT, .price = STR("1")};
    struct plan fresh = {.item = STR("vm"),
                         .code = STR("vm-usd"),
                         .name = STR("x"),
                         .currency = STR("USD"),
                         .charges = {&flat, 1}};
    OK(tx, plan_create(tx, &fresh, &dollars));
    (void)make_flat(tx, shop.op, "secret", PLAN_MONTH, "1");
    make_entry(tx, shop.book, "secret", ENTRY_HIDE, "");
    struct plan retired = make_flat(tx, shop.op, "old", PLAN_MONTH, "1");
    struct plan patch = {.set = schema_bit(&plan_schema, "retired"), .retired = true};
    OK(tx, plan_change(tx, retired.id, 0, &patch, &retired));
    const struct {
        const char *pointer;
        struct subscription s;
    } all[] = {
        {"/plan", {.plan = STR("none")}},
        {"/plan", {.plan = STR("pln_none")}},
        {"/plan", {.plan = dollars.id}},
        {"/plan", {.plan = STR("secret-month")}},
        {"/plan", {.plan = STR("old-month")}},
        {"/agreement", {.plan = shop.vm.id, .agreement = STR("agr_none")}},
        {"/quantity", {.plan = shop.vm.id, .quantity = STR("0")}},
        {"/quantity", {.plan = shop.vm.id, .quantity = STR("-1")}},
        {"/quantity", {.plan = shop.vm.id, .quantity = STR("1000000000.1")}},
        {"/quantity", {.plan = shop.vm.id, .quantity = STR("1.0000000001")}},
        {"/start", {.plan = shop.vm.id, .start = tx->now - 1}},
        {"/ends", {.plan = shop.vm.id, .ends = tx->now}},
        {"/producer", {.plan = shop.vm.id, .producer = STR("pty_none")}},
        {"/parent", {.plan = shop.vm.id, .parent = STR("sub_none")}},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct subscription one = all[i].s;
        one.agreement = one.agreement.n > 0 ? one.agreement : shop.lower;
        FAILS(tx, RC_INVALID, all[i].pointer, subscription_create(tx, &one, &s));
    }
    /* The direct agreement does not hide it. */
    (void)make_subscription(tx, shop.direct, STR("secret-month"), "1");
}

TX_TEST(a_retired_item_is_not_begun_but_runs_on)
{
    struct shop shop = make_shop(tx);
    struct item item;
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct item patch = {.set = schema_bit(&item_schema, "state"), .state = ITEM_RETIRED};
    OK(tx, item_find(tx, STR("vm"), &item));
    OK(tx, item_change(tx, item.id, 0, &patch, &item));
    struct subscription fresh = {.agreement = shop.lower, .plan = shop.vm.id};
    struct subscription more = {.set = bit("quantity"), .quantity = STR("2")};
    FAILS(tx, RC_INVALID, "/plan", subscription_create(tx, &fresh, &s));
    s = reread(tx, s.id);
    OK(tx, subscription_change(tx, s.id, 0, 0, &more, &s));
    SAME(s.quantity, STR("2"));
}

TX_TEST(terms_hold_from_their_instant_on)
{
    struct shop shop = make_shop(tx);
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription patch = {.set = bit("quantity"), .quantity = STR("5")};
    struct subscription_facts f;
    time_us now = tx->now;
    OK(tx, subscription_change(tx, s.id, 1, now + 10 * US_PER_DAY, &patch, &s));
    SAME(s.quantity, STR("1"));
    ck_assert_int_eq(s.version, 2);
    /* A later change of something else builds on what holds then. */
    patch = (struct subscription){.set = bit("asset"), .asset = STR("ber2")};
    OK(tx, subscription_change(tx, s.id, 0, now + 20 * US_PER_DAY, &patch, &s));
    OK(tx, subscription_facts(tx, s.id, &f));
    ck_assert_uint_eq(f.term_count, 3);
    ck_assert_int_eq(f.terms[0].until, now + 10 * US_PER_DAY);
    ck_assert_int_eq(f.terms[2].quantity.mantissa, 5);
    SAME(f.terms[2].asset, STR("ber2"));
    ck_assert_int_eq(f.terms[2].until, INT64_MAX);
    /* The last word: what was planned for later falls away. */
    patch = (struct subscription){.set = bit("quantity"), .quantity = STR("7")};
    tx->now = now + 5 * US_PER_DAY;
    OK(tx, subscription_change(tx, s.id, 0, 0, &patch, &s));
    OK(tx, subscription_facts(tx, s.id, &f));
    ck_assert_uint_eq(f.term_count, 2);
    SAME(s.quantity, STR("7"));
    OK(tx, subscription_change(tx, s.id, 0, 0, &patch, &s)); /* again at the same instant */
    OK(tx, subscription_facts(tx, s.id, &f));
    ck_assert_uint_eq(f.term_count, 2);
}

TX_TEST(what_cannot_be_changed)
{
    struct shop shop = make_shop(tx);
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription got;
    struct charge once = {.label = STR("x"), .kind = CHARGE_ONE_TIME, .price = STR("1")};
    (void)make_flat(tx, shop.op, "vm", PLAN_YEAR, "500");
    (void)make_plan(tx, shop.op, "setup", PLAN_MONTH, &once, 1);
    struct str lone = make_supply(tx, shop.op, shop.other, STR(""), STR(""));
    const struct {
        const char *pointer;
        const char *field;
        struct subscription patch;
    } all[] = {
        {"/plan", "plan", {.plan = STR("none")}},
        {"/plan", "plan", {.plan = STR("vm-year")}},
        {"/plan", "plan", {.plan = STR("setup-month")}},
        {"/quantity", "quantity", {.quantity = STR("0")}},
        {"/producer", "producer", {.producer = STR("pty_none")}},
        {"/agreement", "agreement", {.agreement = lone}},
        {"/agreement", "agreement", {.agreement = STR("agr_none")}},
        {"/start", "start", {.start = tx->now + 1}},
        {"/ends", "ends", {.ends = tx->now + 1}},
        {"/parent", "parent", {.parent = s.id}},
        {"/anchored", "anchored", {.anchored = true}},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct subscription patch = all[i].patch;
        patch.set = bit(all[i].field);
        FAILS(tx, RC_INVALID, all[i].pointer, subscription_change(tx, s.id, 0, 0, &patch, &got));
    }
    struct subscription patch = {.set = bit("quantity"), .quantity = STR("2")};
    FAILS(tx, RC_CHANGED, NULL, subscription_change(tx, s.id, 9, 0, &patch, &got));
    FAILS(tx, RC_INVALID, "at", subscription_change(tx, s.id, 0, tx->now - 1, &patch, &got));
    patch = (struct subscription){.set = bit("agreement"), .agreement = shop.direct};
    FAILS(tx, RC_INVALID, "at", subscription_change(tx, s.id, 0, tx->now + 1, &patch, &got));
    OK(tx, subscription_end(tx, s.id, 0, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_change(tx, s.id, 0, 0, &patch, &got));
}

TX_TEST(an_end_comes_earlier_never_later)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, shop.lower, tx->now));
    FAILS(tx, RC_INVALID, "/at", subscription_end(tx, s.id, tx->now - 1, &got));
    OK(tx, subscription_end(tx, s.id, tx->now + 100, &got));
    ck_assert_int_eq(got.ends, tx->now + 100);
    ck_assert_int_eq(got.state, SUBSCRIPTION_ACTIVE);
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, s.id, tx->now + 101, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_check_end(tx, shop.lower, tx->now + 99));
    OK(tx, subscription_check_end(tx, shop.lower, tx->now + 100));
    OK(tx, subscription_end(tx, s.id, 0, &got));
    ck_assert_int_eq(got.state, SUBSCRIPTION_ENDED);
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, s.id, 0, &got));
    OK(tx, subscription_check_end(tx, shop.lower, tx->now));
}

TX_TEST(nothing_is_sold_beyond_the_end_of_the_agreement)
{
    struct shop shop = make_shop(tx);
    struct agreement a;
    struct subscription s;
    OK(tx, agreement_end(tx, shop.direct, tx->now + US_PER_DAY, &a));
    struct subscription fresh = {.agreement = shop.direct, .plan = shop.vm.id};
    FAILS(tx, RC_INVALID, "/ends", subscription_create(tx, &fresh, &s));
    fresh.ends = tx->now + US_PER_DAY;
    OK(tx, subscription_create(tx, &fresh, &s));
}

TX_TEST(what_is_paid_in_parts_is_paid_before_it_ends)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct charge parts = {
        .label = STR("P2V"), .kind = CHARGE_INSTALMENT, .price = STR("100"), .instalments = 3};
    struct plan plan = make_plan(tx, shop.op, "p2v", PLAN_MONTH, &parts, 1);
    (void)make_flat(tx, shop.op, "p2v-free", PLAN_MONTH, "0");
    struct subscription s = make_subscription(tx, shop.direct, plan.id, "100");
    struct subscription patch = {.set = bit("plan"), .plan = STR("p2v-free-month")};
    time_us start = tx->now; /* 22 November: November, December, January */
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, s.id, 0, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, s.id, start + 30 * US_PER_DAY, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_change(tx, s.id, 0, 0, &patch, &got));
    OK(tx, subscription_end(tx, s.id, start + 60 * US_PER_DAY, &got));
}

TX_TEST(a_family_stays_with_its_seller_and_lasts_until_all_of_it_is_paid)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct charge parts = {
        .label = STR("P2V"), .kind = CHARGE_INSTALMENT, .price = STR("100"), .instalments = 3};
    struct plan plan = make_plan(tx, shop.op, "p2v", PLAN_MONTH, &parts, 1);
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription child = make_child(tx, &root, shop.vm.id);
    struct subscription financed = make_child(tx, &child, plan.id);
    struct subscription away = {.set = bit("agreement"), .agreement = shop.direct};
    time_us start = tx->now;
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, root.id, 0, &got));
    ck_assert(str_has(err_text(tx->err), financed.id));
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, root.id, start + 30 * US_PER_DAY, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_end(tx, child.id, 0, &got));
    FAILS(tx, RC_CONFLICT, NULL, subscription_change(tx, root.id, 0, 0, &away, &got));
    tx->now = start + 60 * US_PER_DAY; /* the third month has begun */
    OK(tx, subscription_change(tx, root.id, 0, 0, &away, &got));
    SAME(got.seller, shop.op);
    OK(tx, subscription_end(tx, root.id, 0, &got));
}

/* --- lists and walks --- */

TX_TEST(a_party_lists_what_it_sells_and_buys)
{
    struct shop shop = make_shop(tx);
    struct page page;
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription ended = make_subscription(tx, shop.lower, shop.vm.id, "1");
    (void)make_subscription(tx, shop.direct, shop.vm.id, "1");
    OK(tx, subscription_end(tx, ended.id, 0, &ended));
    struct subscription_query q = {0};
    OK(tx, subscription_list(tx, shop.client, &q, &page));
    ck_assert_uint_eq(page.items.count, 3);
    OK(tx, subscription_list(tx, shop.reseller, &q, &page));
    ck_assert_uint_eq(page.items.count, 2);
    OK(tx, subscription_list(tx, shop.op, &q, &page)); /* the reseller's are not its business */
    ck_assert_uint_eq(page.items.count, 1);
    OK(tx, subscription_list(tx, shop.other, &q, &page));
    ck_assert_uint_eq(page.items.count, 0);
    q = (struct subscription_query){.set = schema_bit(&subscription_query_schema, "state")};
    OK(tx, subscription_list(tx, shop.reseller, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    SAME(((struct subscription *)page.items.items)[0].id, s.id);
}

/* All ids of a walk, in its order, `limit` at a time. */
static size_t walk(struct tx *tx, time_us since, time_us before, size_t limit, struct str *ids)
{
    struct subscription_cursor after = {0};
    size_t total = 0;
    for (;;) {
        struct subscription_facts *f = NULL;
        size_t count = 0;
        const struct subscription_stretch stretch = {.after = total > 0 ? &after : NULL,
                                                     .limit = limit};
        OK(tx, subscription_walk(tx, since, before, &stretch, &f, &count));
        if (count == 0)
            return total;
        for (size_t i = 0; i < count; i++)
            ids[total++] = f[i].id;
        const struct subscription_facts *last = &f[count - 1];
        after = (struct subscription_cursor){last->terms[last->term_count - 1].agreement,
                                             last->client, last->id};
    }
}

TX_TEST(a_walk_meets_each_once_a_client_after_the_other)
{
    enum { MANY = 30 };
    struct shop shop = make_shop(tx);
    struct str ids[3 * MANY];
    time_us now = tx->now;
    for (int i = 0; i < MANY; i++) {
        struct subscription s =
            make_subscription(tx, i % 2 ? shop.lower : shop.direct, shop.vm.id, "1");
        for (int k = 0; k < i % 4; k++) {
            struct subscription patch = {.set = bit("quantity"), .quantity = STR("3")};
            OK(tx, subscription_change(tx, s.id, 0, now + (k + 1) * US_PER_HOUR, &patch, &s));
        }
    }
    for (size_t limit = 1; limit < MANY + 5; limit += 7) {
        ck_assert_uint_eq(walk(tx, now, now + US_PER_DAY, limit, ids), MANY);
        for (size_t i = 1; i < MANY; i++) {
            struct subscription a = reread(tx, ids[i - 1]);
            struct subscription b = reread(tx, ids[i]);
            int order = str_cmp(a.agreement, b.agreement);
            ck_assert(order < 0 || (order == 0 && str_cmp(a.id, b.id) < 0));
        }
    }
    ck_assert_uint_eq(walk(tx, now - US_PER_DAY, now, 7, ids), 0);
    struct subscription_facts *f = NULL;
    size_t count = 0;
    size_t terms = 0;
    OK(tx, subscription_walk(tx, now, now + US_PER_DAY,
                             &(struct subscription_stretch){.limit = MANY}, &f, &count));
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < f[i].term_count; t++, terms++)
            ck_assert(f[i].terms[t].until ==
                      (t + 1 < f[i].term_count ? f[i].terms[t + 1].from : INT64_MAX));
    ck_assert_uint_eq(terms, MANY + 7 * 6 + 1); /* i % 4 more each */
}

TX_TEST(facts_keep_the_calendar_of_the_beginning)
{
    struct shop shop = make_shop(tx);
    struct subscription_facts f;
    struct subscription s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct party p;
    struct party patch = {.set = schema_bit(&party_schema, "time_zone"),
                          .time_zone = STR("Asia/Shanghai")};
    OK(tx, party_change(tx, shop.reseller, 0, &patch, &p));
    OK(tx, subscription_facts(tx, s.id, &f));
    SAME(f.calendar.zone->name, STR("UTC"));
    s = make_subscription(tx, shop.lower, shop.vm.id, "1");
    OK(tx, subscription_facts(tx, s.id, &f));
    SAME(f.calendar.zone->name, STR("Asia/Shanghai"));
    FAILS(tx, RC_NOT_FOUND, NULL, subscription_facts(tx, STR("sub_none"), &f));
}

/* --- families --- */

static int64_t seconds_of(struct tx *tx, struct str id, time_us from, time_us until)
{
    struct quantity q;
    OK(tx, subscription_descendants(tx, id, from, until, &q));
    for (; q.scale > 0; q.scale--) {
        ck_assert_int_eq(q.mantissa % 10, 0);
        q.mantissa /= 10;
    }
    return q.mantissa;
}

TX_TEST(descendants_count_their_time_in_all_degrees)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    time_us now = tx->now;
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription child = make_child(tx, &root, shop.vm.id);
    struct subscription grandchild = make_child(tx, &child, shop.vm.id);
    time_us day = now + US_PER_DAY;
    ck_assert_int_eq(seconds_of(tx, root.id, now, day), 2 * 86400);
    ck_assert_int_eq(seconds_of(tx, child.id, now, day), 86400);
    ck_assert_int_eq(seconds_of(tx, grandchild.id, now, day), 0);
    ck_assert_int_eq(seconds_of(tx, root.id, now - US_PER_DAY, now), 0);
    tx->now = now + US_PER_HOUR;
    OK(tx, subscription_end(tx, grandchild.id, 0, &got));
    struct subscription patch = {.set = bit("quantity"), .quantity = STR("3")};
    OK(tx, subscription_change(tx, child.id, 0, now + 2 * US_PER_HOUR, &patch, &got));
    ck_assert_int_eq(seconds_of(tx, root.id, now, day), 3600 + 2 * 3600 + 22 * 3600 * 3);
    ck_assert_int_eq(seconds_of(tx, root.id, now + US_PER_HOUR / 2, now + US_PER_HOUR), 2 * 1800);
}

TX_TEST(a_child_goes_by_the_agreement_of_its_family)
{
    struct shop shop = make_shop(tx);
    struct subscription s;
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription fresh = {.agreement = shop.direct, .plan = shop.vm.id, .parent = root.id};
    FAILS(tx, RC_INVALID, "/parent", subscription_create(tx, &fresh, &s));
    struct subscription child = make_child(tx, &root, shop.vm.id);
    struct subscription patch = {.set = bit("agreement"), .agreement = shop.direct};
    FAILS(tx, RC_CONFLICT, NULL, subscription_change(tx, child.id, 0, 0, &patch, &s));
    OK(tx, subscription_end(tx, root.id, tx->now + US_PER_DAY, &s));
    fresh.agreement = shop.lower;
    OK(tx, subscription_create(tx, &fresh, &s)); /* not longer than what is above it */
    ck_assert_int_eq(s.ends, tx->now + US_PER_DAY);
    fresh.start = tx->now + US_PER_DAY;
    FAILS(tx, RC_INVALID, "/parent", subscription_create(tx, &fresh, &s));
}

TX_TEST(a_family_moves_as_one)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct subscription_facts f;
    time_us now = tx->now;
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription child = make_child(tx, &root, shop.vm.id);
    struct subscription grandchild = make_child(tx, &child, shop.vm.id);
    struct subscription ended = make_child(tx, &root, shop.vm.id);
    struct subscription planned = make_child(tx, &root, shop.vm.id);
    struct subscription more = {.set = bit("quantity"), .quantity = STR("4")};
    OK(tx, subscription_change(tx, planned.id, 0, now + 9 * US_PER_DAY, &more, &got));
    tx->now = now + US_PER_DAY;
    OK(tx, subscription_end(tx, ended.id, 0, &got));
    tx->now = now + 2 * US_PER_DAY;
    struct subscription patch = {.set = bit("agreement"), .agreement = shop.direct};
    OK(tx, subscription_change(tx, root.id, 0, 0, &patch, &got));
    SAME(got.seller, shop.op);
    const struct str ids[] = {root.id, child.id, grandchild.id, planned.id};
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct subscription s = reread(tx, ids[i]);
        SAME(s.agreement, shop.direct);
        SAME(s.seller, shop.op);
        OK(tx, subscription_facts(tx, ids[i], &f));
        SAME(f.terms[0].agreement, shop.lower); /* what was stays */
        ck_assert_int_eq(f.terms[1].from, tx->now);
        for (size_t t = 1; t < f.term_count; t++)
            SAME(f.terms[t].agreement, shop.direct);
    }
    ck_assert_uint_eq(f.term_count, 3);
    ck_assert_int_eq(f.terms[2].quantity.mantissa, 4); /* and what is planned goes with it */
    SAME(reread(tx, ended.id).agreement, shop.lower);
    OK(tx, subscription_check_end(tx, shop.lower, tx->now));
    ck_assert_int_eq(seconds_of(tx, root.id, tx->now, tx->now + US_PER_HOUR), 3 * 3600);
}

TX_TEST(a_family_does_not_go_where_one_of_it_is_not_sold)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct str book = make_book(tx, shop.op, "narrow");
    struct str narrow = make_supply(tx, shop.op, shop.client, STR(""), book);
    (void)make_flat(tx, shop.op, "pico", PLAN_MONTH, "1");
    make_entry(tx, book, "pico", ENTRY_HIDE, "");
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription child = make_child(tx, &root, STR("pico-month"));
    struct subscription patch = {.set = bit("agreement"), .agreement = narrow};
    FAILS(tx, RC_INVALID, "/plan", subscription_change(tx, root.id, 0, 0, &patch, &got));
    OK(tx, subscription_end(tx, child.id, 0, &got));
    OK(tx, subscription_change(tx, root.id, 0, 0, &patch, &got));
}

TX_TEST(a_family_ends_as_one)
{
    struct shop shop = make_shop(tx);
    struct subscription got;
    struct subscription root = make_subscription(tx, shop.lower, shop.vm.id, "1");
    struct subscription child = make_child(tx, &root, shop.vm.id);
    struct subscription grandchild = make_child(tx, &child, shop.vm.id);
    time_us soon = tx->now + US_PER_HOUR;
    OK(tx, subscription_end(tx, grandchild.id, soon, &got));
    OK(tx, subscription_end(tx, root.id, soon + US_PER_HOUR, &got));
    ck_assert_int_eq(reread(tx, child.id).ends, soon + US_PER_HOUR);
    ck_assert_int_eq(reread(tx, grandchild.id).ends, soon);
}

Suite *subscription_suite(void);
Suite *subscription_suite(void)
{
    Suite *s = suite_create("subscription");
    TCase *c = tcase_create("subscription");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_subscription_reads_back_as_it_was_begun);
    tcase_add_test(c, what_cannot_be_subscribed);
    tcase_add_test(c, a_retired_item_is_not_begun_but_runs_on);
    tcase_add_test(c, terms_hold_from_their_instant_on);
    tcase_add_test(c, what_cannot_be_changed);
    tcase_add_test(c, an_end_comes_earlier_never_later);
    tcase_add_test(c, nothing_is_sold_beyond_the_end_of_the_agreement);
    tcase_add_test(c, what_is_paid_in_parts_is_paid_before_it_ends);
    tcase_add_test(c, a_party_lists_what_it_sells_and_buys);
    tcase_add_test(c, a_walk_meets_each_once_a_client_after_the_other);
    tcase_add_test(c, facts_keep_the_calendar_of_the_beginning);
    tcase_add_test(c, descendants_count_their_time_in_all_degrees);
    tcase_add_test(c, a_child_goes_by_the_agreement_of_its_family);
    tcase_add_test(c, a_family_stays_with_its_seller_and_lasts_until_all_of_it_is_paid);
    tcase_add_test(c, a_family_moves_as_one);
    tcase_add_test(c, a_family_does_not_go_where_one_of_it_is_not_sold);
    tcase_add_test(c, a_family_ends_as_one);
    suite_add_tcase(s, c);
    return s;
}
