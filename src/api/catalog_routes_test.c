/*
 * The catalogue through its routes: made by the operator, sold down a chain of four, and each tier
 * sees its own prices only.
 */
#include "api/api_fixture.h"

/* operator > reseller > client > shopper, with prices that occur nowhere else. */
#define LIST_PRICE   "1117.13"
#define LIST_TRAFFIC "1117.19"
#define PRICE_1      "1223.29" /* what the reseller pays */
#define PRICE_2      "1327.31" /* what the client pays */
#define PRICE_3      "1429.37" /* what the shopper pays */
#define MARGIN_2     "104.02"
#define MARGIN_3     "102.06"
#define LIMIT_UPPER  "777.77"

struct tiers {
    struct house *h;
    struct str shopper;
    struct guest sam; /* the shopper's */
    struct str books[3];
    struct str agreements[3];
    struct str subscription;
};

static struct str id_of(struct house *h, struct answer a)
{
    STATUS(a, 201);
    return text_at(h, &a, "id");
}

static struct str make_book(struct house *h, const struct guest *who, struct str party,
                            const char *price)
{
    struct str id = id_of(
        h, post(h, who, at(h, "/v1/parties/", party, "/price-books"), "{\"name\":\"for all\"}"));
    const char *body =
        arena_fmt(&h->arena, "{\"item\":\"vm-4\",\"op\":\"abs\",\"value\":\"%s\"}", price).p;
    STATUS(post(h, who, at(h, "/v1/price-books/", id, "/entries"), body), 201);
    return id;
}

static struct str make_supply(struct house *h, const struct guest *seller,
                              const struct guest *buyer, struct str from, struct str to,
                              struct str upstream, struct str book)
{
    struct str up =
        upstream.n > 0 ? arena_fmt(&h->arena, "\"upstream\":\"%.*s\",", STRF(upstream)) : STR("");
    struct str body = arena_fmt(
        &h->arena, "{\"kind\":\"supply\",\"to\":\"%.*s\",\"terms\":{%.*s\"book\":\"%.*s\"}}",
        STRF(to), STRF(up), STRF(book));
    struct str id = id_of(h, post(h, seller, at(h, "/v1/parties/", from, "/agreements"), body.p));
    STATUS(post(h, seller, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    STATUS(post(h, buyer, at(h, "/v1/agreements/", id, "/actions/sign"), ""), 200);
    return id;
}

static void make_catalogue(struct house *h)
{
    const char *plans = at(h, "/v1/parties/", h->op, "/plans");
    STATUS(post(h, &h->olga, at(h, "/v1/parties/", h->op, "/items"),
                "{\"code\":\"vm-4\",\"name\":\"VM\",\"category\":\"vm\",\"unit\":\"MON\","
                "\"income\":\"VPS\"}"),
           201);
    STATUS(post(h, &h->olga, at(h, "/v1/parties/", h->op, "/items"),
                "{\"code\":\"secret\",\"name\":\"Not for all\",\"category\":\"vm\"}"),
           201);
    STATUS(post(h, &h->olga, at(h, "/v1/parties/", h->op, "/meters"),
                "{\"code\":\"net.out\",\"kind\":\"sum\",\"unit\":\"GB\",\"scale\":3}"),
           201);
    STATUS(
        post(h, &h->olga, plans,
             "{\"item\":\"vm-4\",\"code\":\"vm-4-monthly\",\"name\":\"VM\",\"charges\":[{\"label\":"
             "\"VM\",\"kind\":\"flat\",\"price\":\"" LIST_PRICE "\"}]}"),
        201);
    STATUS(post(h, &h->olga, plans,
                "{\"item\":\"secret\",\"code\":\"secret-monthly\",\"name\":\"x\",\"charges\":"
                "[{\"label\":\"Traffic\",\"kind\":\"per-unit\",\"meter\":\"net.out\",\"price\":"
                "\"" LIST_TRAFFIC "\"}]}"),
           201);
}

static enum rc make_shopper(struct tx *tx, void *arg)
{
    struct tiers *t = arg;
    struct house *h = t->h;
    t->shopper = arena_str(&h->arena, make_party(tx, "Shopper", h->client));
    t->sam = make_guest(tx, h, make_member(tx, "sam", t->shopper, "owner"));
    return RC_OK;
}

static struct tiers make_tiers(struct house *h)
{
    struct tiers t = {.h = h};
    house_write(h, make_shopper, &t);
    make_catalogue(h);
    t.books[0] = make_book(h, &h->olga, h->op, PRICE_1);
    STATUS(post(h, &h->olga, at(h, "/v1/price-books/", t.books[0], "/entries"),
                "{\"item\":\"secret\",\"op\":\"hide\"}"),
           201);
    t.books[1] = make_book(h, &h->rita, h->reseller, PRICE_2);
    t.books[2] = make_book(h, &h->carl, h->client, PRICE_3);
    t.agreements[0] = make_supply(h, &h->olga, &h->rita, h->op, h->reseller, STR(""), t.books[0]);
    t.agreements[1] =
        make_supply(h, &h->rita, &h->carl, h->reseller, h->client, t.agreements[0], t.books[1]);
    t.agreements[2] =
        make_supply(h, &h->carl, &t.sam, h->client, t.shopper, t.agreements[1], t.books[2]);
    STATUS(post(h, &h->olga, at(h, "/v1/agreements/", t.agreements[0], "/limits"),
                "{\"item\":\"vm-4\",\"units\":\"" LIMIT_UPPER "\"}"),
           200);
    STATUS(post(h, &h->carl, at(h, "/v1/agreements/", t.agreements[2], "/limits"),
                "{\"amount\":\"5000\"}"),
           200);
    t.subscription =
        id_of(h, post(h, &h->carl, at(h, "/v1/agreements/", t.agreements[2], "/subscriptions"),
                      "{\"plan\":\"vm-4-monthly\",\"quantity\":\"2\"}"));
    return t;
}

static struct str get_body(struct house *h, const struct guest *who, const char *path)
{
    struct answer a = get(h, who, path);
    STATUS(a, 200);
    return a.body;
}

/* Everything of this room that a party is answered, as one text; agreements "" are left out. */
static struct str all_answers(const struct tiers *t, const struct guest *who, struct str party,
                              const int agreements[2])
{
    static const char *const lists[] = {"/items", "/meters", "/subscriptions", "/audit"};
    static const char *const parts[] = {"/prices", "/limits", ""};
    struct house *h = t->h;
    struct buf all;
    buf_init(&all, &h->arena, 1024 * 1024);
    for (size_t i = 0; i < COUNT(lists); i++)
        buf_add(&all, get_body(h, who, at(h, "/v1/parties/", party, lists[i])));
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < COUNT(parts) && agreements[i] >= 0; k++)
            buf_add(
                &all,
                get_body(h, who, at(h, "/v1/agreements/", t->agreements[agreements[i]], parts[k])));
    ck_assert(!all.full);
    return buf_str(&all);
}

static void check_seen(struct str all, const char *who, const char *const *yes,
                       const char *const *no)
{
    for (size_t i = 0; yes[i] != NULL; i++)
        ck_assert_msg(str_has(all, str_c(yes[i])), "%s does not see %s", who, yes[i]);
    for (size_t i = 0; no[i] != NULL; i++)
        ck_assert_msg(!str_has(all, str_c(no[i])), "%s sees %s", who, no[i]);
}

START_TEST(no_tier_sees_the_price_of_another)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h);
    struct str all = all_answers(&t, &t.sam, t.shopper, (const int[]){2, -1});
    check_seen(all, "shopper", (const char *const[]){PRICE_3, NULL},
               (const char *const[]){LIST_PRICE, LIST_TRAFFIC, PRICE_1, PRICE_2, MARGIN_2, MARGIN_3,
                                     LIMIT_UPPER, "secret", NULL});
    all = all_answers(&t, &h->carl, h->client, (const int[]){1, 2});
    check_seen(all, "client", (const char *const[]){PRICE_2, PRICE_3, MARGIN_3, NULL},
               (const char *const[]){LIST_PRICE, LIST_TRAFFIC, PRICE_1, MARGIN_2, LIMIT_UPPER,
                                     "secret", NULL});
    all = all_answers(&t, &h->rita, h->reseller, (const int[]){0, 1});
    check_seen(all, "reseller", (const char *const[]){PRICE_1, PRICE_2, MARGIN_2, NULL},
               (const char *const[]){LIST_PRICE, LIST_TRAFFIC, PRICE_3, MARGIN_3, "secret", NULL});
    all = all_answers(&t, &h->olga, h->op, (const int[]){0, -1});
    check_seen(all, "operator", (const char *const[]){LIST_PRICE, PRICE_1, "secret", NULL},
               (const char *const[]){PRICE_2, PRICE_3, MARGIN_2, MARGIN_3, NULL});
    house_close(h);
}
END_TEST

START_TEST(nobody_reaches_what_is_not_its_own)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h);
    const char *sub = at(h, "/v1/subscriptions/", t.subscription, "");
    STATUS(get(h, &h->carl, sub), 200);
    STATUS(get(h, &t.sam, sub), 200);
    STATUS(get(h, &h->tom, sub), 404);
    STATUS(get(h, &h->olga, sub), 404);
    STATUS(get(h, &h->rita, sub), 403); /* sponsors the seller: near, but no side */
    STATUS(get(h, &h->tom, at(h, "/v1/agreements/", t.agreements[1], "/prices")), 404);
    STATUS(get(h, &h->carl, at(h, "/v1/agreements/", t.agreements[0], "/prices")), 404);
    STATUS(get(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/plans")), 403);
    STATUS(post(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/items"),
                "{\"code\":\"mine\",\"name\":\"x\",\"category\":\"vm\"}"),
           403);
    STATUS(post(h, &t.sam, at(h, "/v1/agreements/", t.agreements[2], "/subscriptions"),
                "{\"plan\":\"vm-4-monthly\"}"),
           404);
    house_close(h);
}
END_TEST

START_TEST(a_limit_above_is_kept_and_not_told)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h);
    const char *subs = at(h, "/v1/agreements/", t.agreements[2], "/subscriptions");
    struct answer own = post(h, &h->carl, subs, "{\"plan\":\"vm-4-monthly\",\"quantity\":\"2\"}");
    STATUS(own, 409); /* the client's own credit for the shopper */
    ck_assert(str_has(own.body, STR("5000")));
    STATUS(post(h, &h->carl, at(h, "/v1/agreements/", t.agreements[2], "/limits"),
                "{\"amount\":null}"),
           200);
    struct answer above =
        post(h, &h->carl, subs, "{\"plan\":\"vm-4-monthly\",\"quantity\":\"800\"}");
    STATUS(above, 409);
    ck_assert(!str_has(above.body, STR(LIMIT_UPPER)));
    STATUS(post(h, &h->carl, subs, "{\"plan\":\"vm-4-monthly\",\"quantity\":\"3\"}"), 201);
    house_close(h);
}
END_TEST

START_TEST(a_subscription_lives_through_its_routes)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h);
    const char *sub = at(h, "/v1/subscriptions/", t.subscription, "");
    struct answer read = get(h, &h->carl, sub);
    struct str match = arena_fmt(&h->arena, "If-Match: %.*s\r\n", STRF(header(&read, "ETag")));
    struct answer a = ask(h, &h->carl, "PATCH", str_c(sub), match, STR("{\"quantity\":\"3\"}"));
    STATUS(a, 200);
    SAME(text_at(h, &a, "quantity"), STR("3"));
    STATUS(ask(h, &h->carl, "PATCH", str_c(sub), match, STR("{\"quantity\":\"3\"}")), 412);
    STATUS(ask(h, &h->carl, "PATCH", str_c(sub), STR("If-Match: *\r\n"), STR("{\"start\":null}")),
           422);
    STATUS(ask(h, &h->carl, "PATCH", str_c(sub), STR("If-Match: *\r\n"),
               arena_fmt(&h->arena, "{\"agreement\":\"%.*s\"}", STRF(t.agreements[1]))),
           422); /* not its own to sell by */
    struct str later = arena_fmt(&h->arena, "%s?at=2027-01-01T00:00:00Z", sub);
    a = ask(h, &h->carl, "PATCH", later, STR("If-Match: *\r\n"), STR("{\"quantity\":\"1\"}"));
    STATUS(a, 200);
    SAME(text_at(h, &a, "quantity"), STR("3"));
    a = post(h, &t.sam, at(h, "/v1/subscriptions/", t.subscription, "/actions/rename"),
             "{\"name\":\"Shop\"}");
    STATUS(a, 200);
    SAME(text_at(h, &a, "name"), STR("Shop"));
    STATUS(post(h, &t.sam, at(h, "/v1/subscriptions/", t.subscription, "/actions/end"), "{}"), 404);
    a = post(h, &h->carl, at(h, "/v1/subscriptions/", t.subscription, "/actions/end"), "{}");
    STATUS(a, 200);
    SAME(text_at(h, &a, "state"), STR("ended"));
    house_close(h);
}
END_TEST

static struct answer used(struct tiers *t, const struct guest *who, struct str party,
                          const char *from, const char *until)
{
    struct house *h = t->h;
    struct str event =
        arena_fmt(&h->arena,
                  "{\"specversion\":\"1.0\",\"type\":\"net.out\",\"source\":"
                  "\"urn:hanse:%.*s:x\",\"id\":\"%s\",\"subject\":\"%.*s\",\"data\":"
                  "{\"t0\":\"2026-11-22T%sZ\",\"t1\":\"2026-11-22T%sZ\",\"qty\":\"1\"}}",
                  STRF(party), from, STRF(t->subscription), from, until);
    return post(h, who, "/v1/usage", event.p);
}

/* Its last report may come when the subscription is another's, and its clock may be a little
 * ahead. */
START_TEST(who_sold_it_before_tells_what_was_used_until_then)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h); /* at 11:57:28 */
    struct str other =
        make_supply(h, &h->rita, &t.sam, h->reseller, t.shopper, t.agreements[0], t.books[1]);
    struct str body = arena_fmt(&h->arena, "{\"agreement\":\"%.*s\"}", STRF(other));
    STATUS(used(&t, &h->rita, h->reseller, "12:00:00", "13:00:00"), 422);
    house_advance(h, 2 * US_PER_HOUR);
    STATUS(post(h, &t.sam, at(h, "/v1/subscriptions/", t.subscription, "/actions/move"), body.p),
           200);
    STATUS(used(&t, &h->carl, h->client, "12:00:00", "13:00:00"), 200);
    STATUS(used(&t, &h->carl, h->client, "13:00:00", "13:58:00"), 200);
    STATUS(used(&t, &h->carl, h->client, "14:00:00", "15:00:00"), 422);
    STATUS(used(&t, &h->rita, h->reseller, "14:00:00", "15:00:00"), 200);
    house_close(h);
}
END_TEST

START_TEST(a_client_moves_to_another_seller)
{
    struct house *h = house_open();
    struct tiers t = make_tiers(h);
    /* The reseller sells to the shopper as well. */
    struct str other =
        make_supply(h, &h->rita, &t.sam, h->reseller, t.shopper, t.agreements[0], t.books[1]);
    struct str body = arena_fmt(&h->arena, "{\"agreement\":\"%.*s\"}", STRF(other));
    const char *move = at(h, "/v1/subscriptions/", t.subscription, "/actions/move");
    struct str wrong = arena_fmt(&h->arena, "{\"agreement\":\"%.*s\"}", STRF(t.agreements[1]));
    STATUS(post(h, &t.sam, move, wrong.p), 422);
    STATUS(post(h, &h->carl, move, body.p), 403); /* the seller does not move it away */
    struct answer a = post(h, &t.sam, move, body.p);
    STATUS(a, 200);
    SAME(text_at(h, &a, "seller"), h->reseller);
    STATUS(get(h, &h->rita, at(h, "/v1/subscriptions/", t.subscription, "")), 200);
    STATUS(get(h, &h->carl, at(h, "/v1/subscriptions/", t.subscription, "")), 403);
    house_close(h);
}
END_TEST

Suite *catalog_routes_suite(void);
Suite *catalog_routes_suite(void)
{
    Suite *s = suite_create("catalog_routes");
    TCase *c = tcase_create("catalog_routes");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, no_tier_sees_the_price_of_another);
    tcase_add_test(c, nobody_reaches_what_is_not_its_own);
    tcase_add_test(c, a_limit_above_is_kept_and_not_told);
    tcase_add_test(c, a_subscription_lives_through_its_routes);
    tcase_add_test(c, a_client_moves_to_another_seller);
    tcase_add_test(c, who_sold_it_before_tells_what_was_used_until_then);
    suite_add_tcase(s, c);
    return s;
}
