/* Documents and books through the API: what each side may see and do. */
#include "api/api_fixture.h"

static const char *const order_body =
    "{\"recipient\":\"%.*s\",\"currency\":\"EUR\",\"payment_days\":14,\"lines\":["
    "{\"text\":\"Training day\",\"income\":\"Services\",\"quantity\":\"2\",\"price\":\"100.00\","
    "\"unit\":\"HUR\",\"discount\":\"10.00\"},"
    "{\"text\":\"Travel\",\"income\":\"Travel\",\"quantity\":\"1.5\",\"price\":\"33.33\"}]}";

/* The client bills its sponsor, the reseller; the draft's id. */
static struct str make_order(struct house *h)
{
    struct str body = arena_fmt(&h->arena, order_body, STRF(h->reseller));
    struct answer a = ask(h, &h->carl, "POST",
                          str_c(at(h, "/v1/parties/", h->client, "/documents")), STR(""), body);
    STATUS(a, 201);
    struct str id = text_at(h, &a, "id");
    ck_assert(str_eq(header(&a, "Location"), arena_fmt(&h->arena, "/v1/documents/%.*s", STRF(id))));
    return id;
}

static struct answer document(struct house *h, const struct guest *who, struct str id,
                              const char *behind)
{
    return get(h, who, at(h, "/v1/documents/", id, behind));
}

static struct answer act(struct house *h, const struct guest *who, struct str id, const char *verb,
                         const char *body)
{
    return post(h, who, arena_fmt(&h->arena, "/v1/documents/%.*s/actions/%s", STRF(id), verb).p,
                body);
}

START_TEST(a_draft_is_the_issuers_and_a_final_one_is_both_sides)
{
    struct house *h = house_open();
    struct str id = make_order(h);
    struct answer a = document(h, &h->carl, id, "");
    STATUS(a, 200);
    ck_assert(str_eq(text_at(h, &a, "net"), STR("240.00"))); /* 190.00 + R(49.995) = 50.00 */
    ck_assert(str_eq(text_at(h, &a, "state"), STR("draft")));
    STATUS(document(h, &h->rita, id, ""), 404);
    STATUS(document(h, &h->rita, id, "/lines"), 404);
    STATUS(document(h, &h->tom, id, ""), 404);
    STATUS(act(h, &h->rita, id, "finalise", ""), 403);
    STATUS(act(h, &h->carl, id, "hold", ""), 200);
    STATUS(act(h, &h->carl, id, "finalise", ""), 409);
    STATUS(act(h, &h->carl, id, "release", ""), 200);
    a = act(h, &h->carl, id, "finalise", "");
    STATUS(a, 200);
    ck_assert(str_eq(text_at(h, &a, "number"), STR("2026-000001")));
    STATUS(document(h, &h->rita, id, ""), 200);
    a = document(h, &h->rita, id, "/lines");
    STATUS(a, 200);
    ck_assert_uint_eq(items_in(h, &a), 2);
    STATUS(document(h, &h->tom, id, "/lines"), 404);
    a = get(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/documents"));
    ck_assert_uint_eq(items_in(h, &a), 1);
    a = get(h, &h->tom, at(h, "/v1/parties/", h->other, "/documents"));
    ck_assert_uint_eq(items_in(h, &a), 0);
    house_close(h);
}
END_TEST

START_TEST(a_credit_note_by_the_api_and_its_refusals)
{
    struct house *h = house_open();
    struct str id = make_order(h);
    STATUS(act(h, &h->carl, id, "credit", "{}"), 409);
    STATUS(act(h, &h->carl, id, "finalise", ""), 200);
    STATUS(act(h, &h->rita, id, "credit", "{}"), 403);
    STATUS(act(h, &h->carl, id, "credit", "{\"lines\":[{\"line\":9}]}"), 404);
    STATUS(act(h, &h->carl, id, "credit", "{\"lines\":[{\"line\":1,\"net\":\"190.01\"}]}"), 409);
    STATUS(act(h, &h->carl, id, "credit", "{\"lines\":[{\"line\":1},{\"line\":1}]}"), 422);
    struct answer a = act(h, &h->carl, id, "credit", "{\"lines\":[{\"line\":1}],\"note\":\"ill\"}");
    STATUS(a, 201);
    ck_assert(str_eq(text_at(h, &a, "net"), STR("190.00")));
    ck_assert(str_eq(text_at(h, &a, "refers_to"), id));
    STATUS(act(h, &h->carl, id, "credit", "{}"), 201);
    STATUS(act(h, &h->carl, id, "credit", "{}"), 409);
    a = document(h, &h->carl, id, "");
    ck_assert(str_eq(text_at(h, &a, "state"), STR("credited")));
    house_close(h);
}
END_TEST

START_TEST(an_order_to_a_stranger_is_refused)
{
    struct house *h = house_open();
    struct str body = arena_fmt(&h->arena, order_body, STRF(h->other));
    struct str path = str_c(at(h, "/v1/parties/", h->client, "/documents"));
    STATUS(ask(h, &h->carl, "POST", path, STR(""), body), 422);
    body = arena_fmt(&h->arena, order_body, STRF(h->client));
    STATUS(ask(h, &h->carl, "POST", path, STR(""), body), 422);
    house_close(h);
}
END_TEST

/* --- books --- */

START_TEST(each_party_sees_its_own_books)
{
    struct house *h = house_open();
    struct str id = make_order(h);
    STATUS(act(h, &h->carl, id, "finalise", ""), 200);
    struct answer a = get(h, &h->carl, at(h, "/v1/parties/", h->client, "/books"));
    STATUS(a, 200);
    ck_assert(str_has(a.body, STR("Income:Services")));
    ck_assert(str_has(a.body, STR("\"-190.00\"")));
    ck_assert(!str_has(a.body, STR("Expense")));
    a = get(h, &h->rita, at(h, "/v1/parties/", h->reseller, "/books"));
    ck_assert(str_has(a.body, STR("Expense:Services")));
    ck_assert(!str_has(a.body, STR("Income")));
    a = get(h, &h->carl, at(h, "/v1/parties/", h->client, "/books?account=AR:"));
    ck_assert_uint_eq(items_in(h, &a), 1);
    a = get(h, &h->tom, at(h, "/v1/parties/", h->other, "/books"));
    ck_assert_uint_eq(items_in(h, &a), 0);
    STATUS(get(h, &h->tom, at(h, "/v1/parties/", h->client, "/books")), 404);
    STATUS(get(h, &h->olga, "/v1/parties/Clearing/books"), 404); /* nobody reads the neutral book */
    house_close(h);
}
END_TEST

START_TEST(books_are_shown_as_they_were)
{
    struct house *h = house_open();
    struct str id = make_order(h);
    STATUS(act(h, &h->carl, id, "finalise", ""), 200);
    const char *books = at(h, "/v1/parties/", h->client, "/books");
    char asked[TIME_TEXT_MAX];
    struct str then = str_n(asked, time_format(house_now(&h->clock.clock), asked));
    h->clock.at += US_PER_DAY;
    STATUS(act(h, &h->carl, id, "credit", "{\"lines\":[{\"line\":1}]}"), 201);
    struct answer a = get(h, &h->carl, arena_fmt(&h->arena, "%s?at=%.*s", books, STRF(then)).p);
    STATUS(a, 200);
    ck_assert(str_has(a.body, STR("\"-190.00\"")));
    a = get(h, &h->carl, books);
    ck_assert(!str_has(a.body, STR("\"-190.00\"")));
    a = get(h, &h->carl, arena_fmt(&h->arena, "%s?at=2020-01-01T00:00:00Z", books).p);
    STATUS(a, 200);
    ck_assert_uint_eq(items_in(h, &a), 0);
    STATUS(get(h, &h->carl, arena_fmt(&h->arena, "%s?at=yesterday", books).p), 422);
    house_close(h);
}
END_TEST

/* All pages of a list, one row each; how many there were. */
static size_t count_pages(struct house *h, const struct guest *who, const char *path,
                          const char *separator)
{
    size_t count = 0;
    struct str after = STR("");
    do {
        struct answer a = get(h, who,
                              arena_fmt(&h->arena, "%s%slimit=1%s%.*s", path, separator,
                                        after.n > 0 ? "&after=" : "", STRF(after))
                                  .p);
        STATUS(a, 200);
        count += items_in(h, &a);
        after = text_at(h, &a, "next");
    } while (after.n > 0);
    return count;
}

START_TEST(accounts_and_transfers_come_page_by_page)
{
    struct house *h = house_open();
    for (int i = 0; i < 3; i++) {
        house_advance(h, US_PER_SECOND);
        STATUS(act(h, &h->carl, make_order(h), "finalise", ""), 200);
    }
    const char *transfers = at(h, "/v1/parties/", h->client, "/transfers");
    struct answer a = get(h, &h->carl, transfers);
    STATUS(a, 200);
    ck_assert_uint_eq(items_in(h, &a), 6); /* two kinds of income each, no tax */
    ck_assert(!str_has(a.body, STR("Expense")));
    ck_assert_uint_eq(count_pages(h, &h->carl, transfers, "?"), 6);
    ck_assert_uint_eq(count_pages(h, &h->carl, at(h, "/v1/parties/", h->client, "/books"), "?"), 3);
    const char *one =
        at(h, "/v1/parties/", h->client, "/transfers?account=Income:Travel&currency=EUR");
    ck_assert_uint_eq(count_pages(h, &h->carl, one, "&"), 3);
    STATUS(get(h, &h->carl, at(h, "/v1/parties/", h->client, "/transfers?account=Income:Travel")),
           422);
    STATUS(get(h, &h->carl,
               at(h, "/v1/parties/", h->client, "/transfers?account=Nothing&currency=EUR")),
           404);
    STATUS(
        get(h, &h->carl, at(h, "/v1/parties/", h->client, "/transfers?since=2020-01-01T00:00:00Z")),
        422);
    STATUS(get(h, &h->carl, at(h, "/v1/parties/", h->client, "/transfers?after=x")), 422);
    house_close(h);
}
END_TEST

START_TEST(rates_of_tax_are_told_to_whoever_is_logged_in)
{
    struct house *h = house_open();
    struct answer a = get(h, &h->lea, "/v1/taxes");
    STATUS(a, 200);
    ck_assert(
        str_has(a.body, STR("\"country\":\"FI\",\"tax_class\":\"standard\",\"rate\":\"25.5\"")));
    house_close(h);
}
END_TEST

Suite *document_routes_suite(void);
Suite *document_routes_suite(void)
{
    Suite *s = suite_create("document_routes");
    TCase *c = tcase_create("document_routes");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_draft_is_the_issuers_and_a_final_one_is_both_sides);
    tcase_add_test(c, a_credit_note_by_the_api_and_its_refusals);
    tcase_add_test(c, an_order_to_a_stranger_is_refused);
    tcase_add_test(c, each_party_sees_its_own_books);
    tcase_add_test(c, books_are_shown_as_they_were);
    tcase_add_test(c, accounts_and_transfers_come_page_by_page);
    tcase_add_test(c, rates_of_tax_are_told_to_whoever_is_logged_in);
    suite_add_tcase(s, c);
    return s;
}
