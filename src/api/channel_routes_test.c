/*
 * The channel through its routes: made and signed by those who may, and each tier sees its own
 * side of it only.
 */
#include "api/api_fixture.h"

/* Values that occur nowhere else. */
#define MARGIN_OP       "131.71"
#define MARGIN_RESELLER "137.31"

struct chain {
    struct house *h;
    struct str op_book, book; /* the operator's, the reseller's */
    struct str upper, lower;  /* operator > reseller, reseller > client */
};

static struct str id_of(struct house *h, struct answer a)
{
    STATUS(a, 201);
    return text_at(h, &a, "id");
}

static struct str make_book(struct house *h, const struct guest *who, struct str party,
                            const char *margin)
{
    struct str id = id_of(
        h, post(h, who, at(h, "/v1/parties/", party, "/price-books"), "{\"name\":\"for all\"}"));
    STATUS(post(h, who, at(h, "/v1/price-books/", id, "/entries"),
                arena_fmt(&h->arena, "{\"op\":\"mul\",\"value\":\"%s\"}", margin).p),
           201);
    return id;
}

/* Drafted and offered by one, signed by the other. */
static struct str make_supply(struct house *h, const struct guest *seller,
                              const struct guest *buyer, struct str from, const char *body)
{
    struct str id = id_of(h, post(h, seller, at(h, "/v1/parties/", from, "/agreements"), body));
    STATUS(post(h, seller, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    STATUS(post(h, buyer, at(h, "/v1/agreements/", id, "/actions/sign"), ""), 200);
    return id;
}

static struct chain make_chain(struct house *h)
{
    struct chain c = {.h = h};
    c.op_book = make_book(h, &h->olga, h->op, MARGIN_OP);
    c.upper = make_supply(
        h, &h->olga, &h->rita, h->op,
        arena_fmt(&h->arena, "{\"kind\":\"supply\",\"to\":\"%.*s\",\"terms\":{\"book\":\"%.*s\"}}",
                  STRF(h->reseller), STRF(c.op_book))
            .p);
    c.book = make_book(h, &h->rita, h->reseller, MARGIN_RESELLER);
    c.lower = make_supply(h, &h->rita, &h->carl, h->reseller,
                          arena_fmt(&h->arena,
                                    "{\"kind\":\"supply\",\"to\":\"%.*s\",\"terms\":{\"upstream\":"
                                    "\"%.*s\",\"book\":\"%.*s\",\"payment_days\":30}}",
                                    STRF(h->client), STRF(c.upper), STRF(c.book))
                              .p);
    return c;
}

static struct str get_body(struct house *h, const struct guest *who, const char *path)
{
    struct answer a = get(h, who, path);
    STATUS(a, 200);
    return a.body;
}

START_TEST(each_side_sees_its_half_of_an_agreement)
{
    struct house *h = house_open();
    struct chain c = make_chain(h);
    const char *lower = at(h, "/v1/agreements/", c.lower, "");
    struct answer seller = get(h, &h->rita, lower);
    struct answer buyer = get(h, &h->carl, lower);
    SAME(text_at(h, &seller, "terms/book"), c.book);
    SAME(text_at(h, &seller, "terms/upstream"), c.upper);
    SAME(text_at(h, &buyer, "state"), STR("active"));
    SAME(text_at(h, &buyer, "terms/payment_days"), STR("30"));
    ck_assert(!str_has(buyer.body, STR("\"book\"")));
    ck_assert(!str_has(buyer.body, STR("\"upstream\"")));
    struct answer above = get(h, &h->olga, lower); /* sponsor of the seller: near, but no side */
    STATUS(above, 403);
    ck_assert(!str_has(above.body, h->client));
    STATUS(get(h, &h->tom, lower), 404);
    STATUS(get(h, &h->rita, at(h, "/v1/price-books/", c.op_book, "")), 404);
    STATUS(get(h, &h->carl, at(h, "/v1/price-books/", c.book, "/entries")), 404);
    house_close(h);
}
END_TEST

/* Everything that a party can read of itself and of its agreements, as one text. */
static struct str all_answers(struct house *h, const struct guest *who, struct str party,
                              const struct str agreements[2])
{
    static const char *const lists[] = {"/agreements", "/price-books", "/rewards", "/audit", ""};
    struct buf all;
    buf_init(&all, &h->arena, 1024 * 1024);
    for (size_t i = 0; i < COUNT(lists); i++)
        buf_add(&all, get_body(h, who, at(h, "/v1/parties/", party, lists[i])));
    for (size_t i = 0; i < 2 && agreements[i].n > 0; i++) {
        buf_add(&all, get_body(h, who, at(h, "/v1/agreements/", agreements[i], "")));
        buf_add(&all, get_body(h, who, at(h, "/v1/agreements/", agreements[i], "/terms")));
    }
    ck_assert(!all.full);
    return buf_str(&all);
}

static void check_unseen(struct str all, const struct str *secrets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(!str_has(all, secrets[i]), "'%.*s' can be seen", STRF(secrets[i]));
}

START_TEST(no_answer_to_a_tier_holds_what_is_another_tiers)
{
    struct house *h = house_open();
    struct chain c = make_chain(h);
    /* New terms, signed by the buyer: the log of each is written by the other's hand. */
    struct answer now = get(h, &h->rita, at(h, "/v1/agreements/", c.lower, ""));
    struct str match = arena_fmt(&h->arena, "If-Match: %.*s\r\n", STRF(header(&now, "ETag")));
    STATUS(ask(h, &h->rita, "PATCH", str_c(at(h, "/v1/agreements/", c.lower, "")), match,
               STR("{\"terms\":{\"payment_days\":14}}")),
           200);
    STATUS(post(h, &h->carl, at(h, "/v1/agreements/", c.lower, "/actions/sign"), ""), 200);
    struct str from_client[] = {c.book, c.op_book, c.upper, STR(MARGIN_OP), STR(MARGIN_RESELLER)};
    struct str from_reseller[] = {c.op_book, STR(MARGIN_OP)};
    struct str from_operator[] = {c.book, c.lower, STR(MARGIN_RESELLER)};
    const struct str carls[2] = {c.lower};
    const struct str ritas[2] = {c.upper, c.lower};
    const struct str olgas[2] = {c.upper};
    check_unseen(all_answers(h, &h->carl, h->client, carls), from_client, COUNT(from_client));
    check_unseen(all_answers(h, &h->rita, h->reseller, ritas), from_reseller, COUNT(from_reseller));
    check_unseen(all_answers(h, &h->olga, h->op, olgas), from_operator, COUNT(from_operator));
    struct str own = get_body(h, &h->rita, at(h, "/v1/price-books/", c.book, "/entries"));
    ck_assert(str_has(own, STR(MARGIN_RESELLER))); /* it is there to be found */
    house_close(h);
}
END_TEST

START_TEST(a_draft_is_the_makers_and_what_is_signed_was_read)
{
    struct house *h = house_open();
    struct str body =
        arena_fmt(&h->arena, "{\"kind\":\"supply\",\"to\":\"%.*s\"}", STRF(h->reseller));
    struct answer made = post(h, &h->olga, at(h, "/v1/parties/", h->op, "/agreements"), body.p);
    struct str id = id_of(h, made);
    SAME(header(&made, "Location"), str_c(at(h, "/v1/agreements/", id, "")));
    const char *path = at(h, "/v1/agreements/", id, "");
    const char *sign = at(h, "/v1/agreements/", id, "/actions/sign");
    STATUS(get(h, &h->rita, path), 404);
    STATUS(post(h, &h->rita, sign, ""), 404);
    STATUS(post(h, &h->rita, at(h, "/v1/agreements/", id, "/actions/end"), "{}"), 404);
    STATUS(post(h, &h->olga, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    struct answer read = get(h, &h->rita, path);
    STATUS(read, 200);
    struct str match = arena_fmt(&h->arena, "If-Match: %.*s\r\n", STRF(header(&read, "ETag")));
    /* The maker exchanges what was offered: the signature of what was read does not fall on it. */
    STATUS(ask(h, &h->olga, "PATCH", str_c(path), STR("If-Match: *\r\n"),
               STR("{\"terms\":{\"payment_days\":1}}")),
           200);
    STATUS(get(h, &h->rita, path), 404);
    STATUS(post(h, &h->olga, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    STATUS(ask(h, &h->rita, "POST", str_c(sign), match, STR("")), 412);
    STATUS(post(h, &h->olga, sign, ""), 403); /* nobody signs with itself */
    STATUS(post(h, &h->rita, sign, ""), 200);
    house_close(h);
}
END_TEST

START_TEST(only_a_sponsor_signs_for_another)
{
    struct house *h = house_open();
    struct answer fresh =
        post(h, &h->rita, "/v1/parties", "{\"name\":\"Below\",\"address\":{\"country\":\"FR\"}}");
    struct str below = id_of(h, fresh);
    const char *body =
        arena_fmt(&h->arena,
                  "{\"kind\":\"referral\",\"to\":\"%.*s\",\"terms\":{\"rules\":[{\"kind\":"
                  "\"percent\",\"value\":\"5\"}]}}",
                  STRF(below))
            .p;
    /* The operator made the agreement, but the reseller sponsors the party. */
    struct str id = id_of(h, post(h, &h->olga, at(h, "/v1/parties/", h->op, "/agreements"), body));
    STATUS(post(h, &h->olga, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    STATUS(post(h, &h->olga, at(h, "/v1/agreements/", id, "/actions/sign-for"), ""), 403);
    STATUS(post(h, &h->rita, at(h, "/v1/agreements/", id, "/actions/sign-for"), ""), 404);
    id = id_of(h, post(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/agreements"), body));
    STATUS(post(h, &h->rita, at(h, "/v1/agreements/", id, "/actions/offer"), ""), 200);
    STATUS(post(h, &h->rita, at(h, "/v1/agreements/", id, "/actions/sign-for"), ""), 200);
    house_close(h);
}
END_TEST

Suite *channel_routes_suite(void);
Suite *channel_routes_suite(void)
{
    Suite *s = suite_create("channel_routes");
    TCase *c = tcase_create("channel_routes");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, each_side_sees_its_half_of_an_agreement);
    tcase_add_test(c, no_answer_to_a_tier_holds_what_is_another_tiers);
    tcase_add_test(c, a_draft_is_the_makers_and_what_is_signed_was_read);
    tcase_add_test(c, only_a_sponsor_signs_for_another);
    suite_add_tcase(s, c);
    return s;
}
