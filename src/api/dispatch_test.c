/*
 * What all routes share, from outside: problems, versions, lists, limits, headers, the audit log.
 */
#include "api/api_fixture.h"

/* --- problems --- */

START_TEST(a_wrong_field_is_named_by_pointer_and_a_wrong_parameter_by_name)
{
    struct house *h = house_open();
    struct answer a = post(h, &h->rita, "/v1/parties",
                           "{\"name\":\"X\",\"kind\":\"company\",\"address\":{\"country\":\"F\"}}");
    STATUS(a, 422);
    ck_assert(str_eq(header(&a, "Content-Type"), STR("application/problem+json")));
    SAME(text_at(h, &a, "type"), STR("/problems/invalid"));
    SAME(text_at(h, &a, "status"), STR("422"));
    SAME(text_at(h, &a, "instance"), STR("/v1/parties"));
    SAME(text_at(h, &a, "request_id"), header(&a, "X-Request-Id"));
    ck_assert(str_has(a.body, STR("\"pointer\":\"#/address/country\"")));
    a = post(h, &h->rita, "/v1/parties", "{\"nmae\":\"X\"}");
    STATUS(a, 422);
    ck_assert(str_has(a.body, STR("\"pointer\":\"#/nmae\"")));
    a = post(h, &h->rita, "/v1/parties", "{\"a b\\u0000\":1}");
    STATUS(a, 400);
    a = post(h, &h->rita, "/v1/parties", "{\"a \\\"b\":1}");
    ck_assert(str_has(a.body, STR("\"pointer\":\"#/a%20%22b\"")));
    a = get(h, &h->rita, "/v1/parties?limti=3");
    STATUS(a, 422);
    ck_assert(str_has(a.body, STR("\"parameter\":\"limti\"")));
    a = get(h, &h->rita, "/v1/parties?sort=secret");
    STATUS(a, 422);
    ck_assert(str_has(a.body, STR("\"parameter\":\"sort\"")));
    a = get(h, &h->rita, "/v1/me?x=1");
    STATUS(a, 422);
    ck_assert(str_has(a.body, STR("\"parameter\":\"x\"")));
    house_close(h);
}
END_TEST

START_TEST(what_cannot_be_read_is_told_only_to_who_may_call)
{
    struct house *h = house_open();
    STATUS(post(h, NULL, "/v1/parties", "{broken"), 401);
    STATUS(post(h, &h->rolf, "/v1/parties", "{broken"), 403);
    STATUS(post(h, &h->rita, "/v1/parties", "{broken"), 400);
    STATUS(ask(h, &h->rita, "POST", STR("/v1/parties"), STR("Content-Type: text/plain\r\n"),
               STR("{}")),
           415);
    const char *close = at(h, "/v1/parties/", h->client, "/actions/close"); /* takes no body */
    STATUS(post(h, &h->rita, close, "{\"x\":1}"), 400);
    STATUS(post(h, &h->rita, close, "{}"), 200);
    struct answer a = ask(h, &h->rita, "GET", STR("/v1/me"), STR("Accept: text/html\r\n"), STR(""));
    STATUS(a, 406);
    house_close(h);
}
END_TEST

START_TEST(unknown_addresses_and_methods_say_so)
{
    struct house *h = house_open();
    STATUS(get(h, NULL, "/v1/nothing"), 404);
    struct answer a = ask(h, NULL, "PUT", STR("/v1/me"), STR(""), STR("{}"));
    STATUS(a, 405);
    SAME(header(&a, "Allow"), STR("GET, HEAD, PATCH"));
    a = ask(h, NULL, "OPTIONS", STR("/v1/tokens"), STR(""), STR(""));
    STATUS(a, 204);
    SAME(header(&a, "Allow"), STR("GET, HEAD, POST"));
    a = ask(h, &h->carl, "HEAD", STR("/v1/me"), STR(""), STR(""));
    STATUS(a, 200);
    ck_assert_uint_eq(a.body.n, 0);
    ck_assert(header(&a, "ETag").n > 0);
    house_close(h);
}
END_TEST

START_TEST(refusals_say_what_is_missing)
{
    struct house *h = house_open();
    struct answer a = get(h, NULL, "/v1/me");
    STATUS(a, 401);
    SAME(header(&a, "WWW-Authenticate"), STR("Bearer realm=\"hanse\""));
    struct guest liar = {.credentials = bearer(&h->arena, STR("hse_nobody-has-this"))};
    a = get(h, &liar, "/v1/me");
    STATUS(a, 401);
    SAME(header(&a, "WWW-Authenticate"), STR("Bearer realm=\"hanse\", error=\"invalid_token\""));
    struct guest basic = {.credentials = STR("Authorization: Basic eDp5\r\n")};
    STATUS(get(h, &basic, "/v1/me"), 401);
    a = post(h, &h->rolf, at(h, "/v1/parties/", h->client, "/actions/close"), "");
    STATUS(a, 403);
    SAME(text_at(h, &a, "missing_permission"), STR("party:write"));
    /* What is another's and what does not exist are answered in the same words. */
    struct str nobody = STR("pty_01jd8v3q7w4k2m9x6c5b1n0h8z");
    a = get(h, &h->tom, at(h, "/v1/parties/", h->client, ""));
    struct answer b = get(h, &h->tom, at(h, "/v1/parties/", nobody, ""));
    STATUS(a, 404);
    STATUS(b, 404);
    ck_assert_uint_eq(text_at(h, &a, "detail").n, text_at(h, &b, "detail").n);
    SAME(text_at(h, &a, "detail"),
         arena_fmt(&h->arena, "there is no '%.*s', or it is not for you", STRF(h->client)));
    house_close(h);
}
END_TEST

START_TEST(every_answer_carries_the_headers_that_protect_browsers)
{
    struct house *h = house_open_with((struct api_options){.public_url = STR("https://c.test/")});
    static const char *const paths[] = {"/v1/me", "/v1/nothing", "/", "/healthz",
                                        "/v1/openapi.json"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = get(h, &h->carl, paths[i]);
        SAME(header(&a, "X-Content-Type-Options"), STR("nosniff"));
        SAME(header(&a, "Referrer-Policy"), STR("no-referrer"));
        ck_assert(str_starts(header(&a, "Strict-Transport-Security"), STR("max-age=")));
        ck_assert(header(&a, "Cache-Control").n > 0);
        ck_assert(header(&a, "X-Request-Id").n == 16);
    }
    struct answer a = get(h, NULL, "/");
    ck_assert(str_starts(header(&a, "Content-Security-Policy"), STR("default-src 'none'; ")));
    ck_assert(!str_has(header(&a, "Content-Security-Policy"), STR("unsafe")));
    ck_assert(!str_has(a.body, STR("<script")));
    ck_assert(!str_has(a.body, STR("style=")));
    house_close(h);
}
END_TEST

static struct answer claim(struct house *h, const struct guest *who, struct str party,
                           const char *host)
{
    return ask(h, who, "PATCH", str_c(at(h, "/v1/parties/", party, "/brand")),
               STR("If-Match: *\r\n"), arena_fmt(&h->arena, "{\"host\":\"%s\"}", host));
}

START_TEST(nobody_but_the_operator_brands_the_address_of_the_installation)
{
    struct house *h =
        house_open_with((struct api_options){.public_url = STR("https://a.c.test:8/")});
    STATUS(claim(h, &h->carl, h->client, "A.c.test"), 409);
    STATUS(claim(h, &h->carl, h->client, "*.c.test"), 409);
    STATUS(claim(h, &h->carl, h->client, "b.c.test"), 200);
    STATUS(claim(h, &h->carl, h->client, "*.a.c.test"), 200);
    STATUS(claim(h, &h->olga, h->op, "a.c.test"), 200);
    house_close(h);
}
END_TEST

/* --- versions --- */

START_TEST(changes_need_the_version_that_was_read)
{
    struct house *h = house_open();
    struct str path = str_c(at(h, "/v1/parties/", h->client, ""));
    struct str phone = STR("{\"phone\":\"+33 1 23\"}");
    struct answer a = get(h, &h->carl, path.p);
    SAME(header(&a, "ETag"), STR("\"1\""));
    STATUS(ask(h, &h->carl, "PATCH", path, STR(""), phone), 428);
    STATUS(ask(h, &h->carl, "PATCH", path, STR("If-Match: nonsense\r\n"), phone), 400);
    STATUS(ask(h, &h->carl, "PATCH", path, STR("If-Match: \"2\"\r\n"), phone), 412);
    a = ask(h, &h->carl, "PATCH", path, STR("If-Match: \"9\", W/\"1\"\r\n"), phone);
    STATUS(a, 200);
    SAME(header(&a, "ETag"), STR("\"2\""));
    a = ask(h, &h->carl, "PATCH", path, STR("If-Match: \"1\"\r\n"), phone);
    STATUS(a, 412);
    ck_assert(str_has(text_at(h, &a, "detail"), STR("version 2")));
    STATUS(ask(h, &h->carl, "PATCH", path, STR("If-Match: *\r\n"), phone), 200);
    house_close(h);
}
END_TEST

START_TEST(what_the_client_has_is_not_sent_again)
{
    struct house *h = house_open();
    struct answer a =
        ask(h, &h->carl, "GET", STR("/v1/me"), STR("If-None-Match: \"1\"\r\n"), STR(""));
    STATUS(a, 304);
    ck_assert_uint_eq(a.body.n, 0);
    SAME(header(&a, "ETag"), STR("\"1\""));
    STATUS(ask(h, &h->carl, "GET", STR("/v1/me"), STR("If-None-Match: \"2\"\r\n"), STR("")), 200);
    STATUS(
        ask(h, &h->carl, "GET", STR("/v1/me"), STR("If-None-Match: W/\"1\", \"5\"\r\n"), STR("")),
        304);
    STATUS(ask(h, &h->carl, "GET", STR("/v1/me"), STR("If-None-Match: nonsense\r\n"), STR("")),
           200);
    a = get(h, NULL, "/v1/openapi.json");
    struct str again = arena_fmt(&h->arena, "If-None-Match: %.*s\r\n", STRF(header(&a, "ETag")));
    STATUS(ask(h, NULL, "GET", STR("/v1/openapi.json"), again, STR("")), 304);
    house_close(h);
}
END_TEST

/* --- lists --- */

static void add_clients(struct house *h, int count)
{
    for (int i = 0; i < count; i++) {
        const char *body = arena_fmt(&h->arena,
                                     "{\"name\":\"%cparty %02d\",\"kind\":\"company\","
                                     "\"address\":{\"country\":\"FR\"}}",
                                     i == 3 ? '=' : 'A', i)
                               .p;
        struct answer a = post(h, &h->rita, "/v1/parties", body);
        STATUS(a, 201);
        SAME(header(&a, "Location"),
             arena_fmt(&h->arena, "/v1/parties/%.*s", STRF(text_at(h, &a, "id"))));
    }
}

START_TEST(pages_lead_to_one_another_and_hold_each_row_once)
{
    struct house *h = house_open();
    add_clients(h, 12);
    size_t rows = 0;
    size_t pages = 0;
    const char *path = "/v1/parties?limit=5&sort=name&q=party";
    while (path != NULL) {
        struct answer a = get(h, &h->rita, path);
        STATUS(a, 200);
        rows += items_in(h, &a);
        pages++;
        struct str link = header(&a, "Link");
        struct str next = text_at(h, &a, "next");
        path = NULL;
        if (next.n > 0) {
            ck_assert(str_starts(link, STR("</v1/parties?limit=5&sort=name&q=party&after=")));
            ck_assert(str_ends(link, STR(">; rel=\"next\"")));
            path = arena_cstr(&h->arena, str_sub(link, 1, link.n - strlen(">; rel=\"next\"")));
        } else {
            ck_assert_uint_eq(link.n, 0);
        }
    }
    ck_assert_uint_eq(rows, 12);
    ck_assert_uint_eq(pages, 3);
    STATUS(get(h, &h->rita, "/v1/parties?limit=0"), 422);
    STATUS(get(h, &h->rita, "/v1/parties?limit=201"), 422);
    STATUS(get(h, &h->rita, "/v1/parties?after=forged"), 422);
    house_close(h);
}
END_TEST

START_TEST(a_list_is_csv_for_who_prefers_it)
{
    struct house *h = house_open();
    add_clients(h, 4);
    struct answer a = ask(h, &h->rita, "GET", STR("/v1/parties?q=party"),
                          STR("Accept: text/csv, application/json;q=0.5\r\n"), STR(""));
    STATUS(a, 200);
    ck_assert(str_starts(header(&a, "Content-Type"), STR("text/csv")));
    SAME(header(&a, "Vary"), STR("Accept"));
    ck_assert(str_starts(a.body, STR("id,version,kind,name,")));
    ck_assert_uint_eq(probe_count(a.body.p, "\r\n"), 5);
    ck_assert(str_has(a.body, STR(",\"'=party 03\",")));
    STATUS(ask(h, &h->rita, "GET", STR("/v1/me"), STR("Accept: text/csv\r\n"), STR("")), 406);
    house_close(h);
}
END_TEST

/* --- limits --- */

START_TEST(whoever_asks_too_often_is_told_when_to_come_back)
{
    struct house *h =
        house_open_with((struct api_options){.read_per_minute = 5, .write_per_minute = 2});
    struct answer a = get(h, &h->carl, "/v1/me");
    SAME(header(&a, "RateLimit-Policy"), STR("\"read\";q=5;w=60"));
    SAME(header(&a, "RateLimit"), STR("\"read\";r=4;t=12"));
    for (int i = 0; i < 4; i++)
        STATUS(get(h, &h->carl, "/v1/me"), 200);
    a = get(h, &h->carl, "/v1/me");
    STATUS(a, 429);
    SAME(header(&a, "Retry-After"), STR("12"));
    STATUS(get(h, &h->rolf, "/v1/me"), 200);
    struct str path = STR("/v1/me");
    struct str name = STR("{\"name\":\"C\"}");
    STATUS(ask(h, &h->carl, "PATCH", path, STR(""), name), 200);
    STATUS(ask(h, &h->carl, "PATCH", path, STR(""), name), 200);
    STATUS(ask(h, &h->carl, "PATCH", path, STR(""), name), 429);
    house_advance(h, 12 * US_PER_SECOND);
    STATUS(get(h, &h->carl, "/v1/me"), 200);
    STATUS(get(h, NULL, "/healthz"), 200);
    house_close(h);
}
END_TEST

START_TEST(who_guesses_tokens_is_stopped_and_others_at_the_address_with_cookies_go_on)
{
    struct house *h = house_open_with((struct api_options){.login_per_minute = 1});
    int refused = 0;
    for (int i = 0; i < 20 && refused == 0; i++) {
        struct str secret = arena_fmt(&h->arena, "hse_%043d", i);
        struct guest liar = {.credentials = bearer(&h->arena, secret)};
        struct answer a = get(h, &liar, "/v1/me");
        ck_assert(a.status == 401 || a.status == 429);
        refused = a.status == 429 ? i : 0;
    }
    ck_assert_int_eq(refused, 6);
    struct session_order s = house_session(h, h->carl.user);
    struct guest browser = {.credentials = cookie(h, &s)};
    STATUS(get(h, &browser, "/v1/me"), 200);
    house_advance(h, US_PER_MINUTE);
    STATUS(get(h, &h->carl, "/v1/me"), 200);
    house_close(h);
}
END_TEST

/* --- who asks, found a moment ago --- */

START_TEST(a_token_that_was_revoked_or_has_ended_is_refused_at_once)
{
    struct house *h = house_open();
    struct answer made = post(h, &h->carl, "/v1/tokens",
                              "{\"name\":\"short\",\"scopes\":[\"self:read\"],"
                              "\"ends\":\"2026-11-22T12:57:28Z\"}");
    STATUS(made, 201);
    struct guest guest = {.credentials = bearer(&h->arena, text_at(h, &made, "secret"))};
    for (int i = 0; i < 3; i++)
        STATUS(get(h, &guest, "/v1/me"), 200);
    house_advance(h, US_PER_HOUR);
    STATUS(get(h, &guest, "/v1/me"), 401);
    made = post(h, &h->carl, "/v1/tokens", "{\"name\":\"long\",\"scopes\":[\"self:read\"]}");
    guest.credentials = bearer(&h->arena, text_at(h, &made, "secret"));
    for (int i = 0; i < 3; i++)
        STATUS(get(h, &guest, "/v1/me"), 200);
    STATUS(ask(h, &h->carl, "DELETE", str_c(at(h, "/v1/tokens/", text_at(h, &made, "id"), "")),
               STR(""), STR("")),
           204);
    STATUS(get(h, &guest, "/v1/me"), 401);
    house_close(h);
}
END_TEST

/* --- the log --- */

static struct answer change_phone(struct house *h)
{
    return ask(h, &h->carl, "PATCH", str_c(at(h, "/v1/parties/", h->client, "")),
               STR("If-Match: *\r\n"), STR("{\"phone\":\"+33 1\"}"));
}

START_TEST(the_audit_log_says_who_did_what_with_before_and_after)
{
    struct house *h = house_open();
    struct answer change = change_phone(h);
    STATUS(change, 200);
    STATUS(ask(h, &h->carl, "PATCH", str_c(at(h, "/v1/parties/", h->client, "")),
               STR("If-Match: \"99\"\r\n"), STR("{\"phone\":\"+33 2\"}")),
           412);
    struct answer a = get(h, &h->carl, at(h, "/v1/parties/", h->client, "/audit"));
    STATUS(a, 200);
    ck_assert_uint_eq(items_in(h, &a), 1); /* what failed changed nothing */
    const struct json *entry = json_first(json_get(json_of(h, &a), STR("items")));
    SAME(json_text(json_get(entry, STR("action"))), STR("party_change"));
    SAME(json_text(json_get(entry, STR("user"))), h->carl.user);
    SAME(json_text(json_get(entry, STR("party"))), h->client);
    SAME(json_text(json_get(entry, STR("subject"))), h->client);
    SAME(json_text(json_get(entry, STR("address"))), STR("127.0.0.1"));
    SAME(json_text(json_get(entry, STR("request"))), header(&change, "X-Request-Id"));
    ck_assert(id_is(json_text(json_get(entry, STR("token"))), "tok"));
    const struct json *before = json_get(entry, STR("before"));
    const struct json *after = json_get(entry, STR("after"));
    ck_assert_int_eq(json_type(json_get(before, STR("phone"))), JSON_NULL);
    SAME(json_text(json_get(after, STR("phone"))), STR("+33 1"));
    ck_assert(str_has(a.body, change.body)); /* in the very words of the answer */
    house_close(h);
}
END_TEST

START_TEST(the_audit_log_can_be_read_and_nothing_else)
{
    struct house *h = house_open();
    STATUS(change_phone(h), 200);
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < COUNT(methods); i++)
        STATUS(ask(h, &h->carl, methods[i], str_c(at(h, "/v1/parties/", h->client, "/audit")),
                   STR(""), STR("{}")),
               405);
    house_close(h);
}
END_TEST

START_TEST(a_closed_party_is_read_and_not_changed)
{
    struct house *h = house_open();
    STATUS(post(h, &h->carl, at(h, "/v1/parties/", h->client, "/actions/close"), ""), 200);
    STATUS(get(h, &h->carl, at(h, "/v1/parties/", h->client, "")), 200);
    struct answer a = change_phone(h);
    STATUS(a, 409);
    STATUS(post(h, &h->carl, at(h, "/v1/parties/", h->client, "/invitations"),
                "{\"joins\":true,\"role\":\"reader\"}"),
           409);
    /* Its own people cannot open it again: only who sponsors it can. */
    STATUS(post(h, &h->carl, at(h, "/v1/parties/", h->client, "/actions/reopen"), ""), 403);
    STATUS(change_phone(h), 409);
    STATUS(post(h, &h->rita, at(h, "/v1/parties/", h->client, "/actions/reopen"), ""), 200);
    STATUS(change_phone(h), 200);
    house_close(h);
}
END_TEST

START_TEST(the_operators_staff_sees_the_installation)
{
    struct house *h = house_open();
    struct answer a = get(h, &h->olga, "/v1/status");
    STATUS(a, 200);
    SAME(text_at(h, &a, "parties"), STR("4"));
    SAME(text_at(h, &a, "users"), STR("6"));
    a = get(h, &h->carl, "/v1/status");
    ck_assert_ptr_null(json_get(json_of(h, &a), STR("parties")));
    ck_assert_ptr_null(json_get(json_of(h, &a), STR("store")));
    SAME(text_at(h, &a, "email"), STR("carl@example.net"));
    a = get(h, &h->olga, "/metrics");
    STATUS(a, 200);
    ck_assert(str_has(a.body, STR("\nhanse_http_requests_total{class=\"2xx\"} ")));
    struct str rest = a.body;
    while (rest.n > 0) { /* each line is a comment, or a name, labels and an integer */
        struct str line = str_cut(&rest, '\n');
        size_t space = str_find(line, ' ', 0);
        int64_t value = 0;
        ck_assert_msg(line.p[0] == '#' ||
                          str_to_i64(str_sub(line, space + 1, line.n), -1, INT64_MAX, &value),
                      "%.*s", STRF(line));
    }
    house_close(h);
}
END_TEST

Suite *dispatch_suite(void);
Suite *dispatch_suite(void)
{
    Suite *s = suite_create("dispatch");
    TCase *c = tcase_create("dispatch");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_wrong_field_is_named_by_pointer_and_a_wrong_parameter_by_name);
    tcase_add_test(c, what_cannot_be_read_is_told_only_to_who_may_call);
    tcase_add_test(c, unknown_addresses_and_methods_say_so);
    tcase_add_test(c, refusals_say_what_is_missing);
    tcase_add_test(c, every_answer_carries_the_headers_that_protect_browsers);
    tcase_add_test(c, nobody_but_the_operator_brands_the_address_of_the_installation);
    tcase_add_test(c, changes_need_the_version_that_was_read);
    tcase_add_test(c, what_the_client_has_is_not_sent_again);
    tcase_add_test(c, pages_lead_to_one_another_and_hold_each_row_once);
    tcase_add_test(c, a_list_is_csv_for_who_prefers_it);
    tcase_add_test(c, whoever_asks_too_often_is_told_when_to_come_back);
    tcase_add_test(c, who_guesses_tokens_is_stopped_and_others_at_the_address_with_cookies_go_on);
    tcase_add_test(c, a_token_that_was_revoked_or_has_ended_is_refused_at_once);
    tcase_add_test(c, the_audit_log_says_who_did_what_with_before_and_after);
    tcase_add_test(c, the_audit_log_can_be_read_and_nothing_else);
    tcase_add_test(c, a_closed_party_is_read_and_not_changed);
    tcase_add_test(c, the_operators_staff_sees_the_installation);
    suite_add_tcase(s, c);
    return s;
}
