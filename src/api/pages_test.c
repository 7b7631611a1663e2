/*
 * Invitations end to end, by page and by API; the portal's files.
 */
#include "api/api_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static struct str invite(struct house *h, const struct guest *who, struct str party,
                         const char *body)
{
    struct answer a = post(h, who, at(h, "/v1/parties/", party, "/invitations"), body);
    STATUS(a, 201);
    SAME(header(&a, "Location"),
         arena_fmt(&h->arena, "/v1/invitations/%.*s", STRF(text_at(h, &a, "id"))));
    struct str link = text_at(h, &a, "link");
    ck_assert(str_starts(link, STR("http://cloud.test/invite/")));
    return str_sub(link, strlen("http://cloud.test"), link.n);
}

static struct answer submit(struct house *h, struct str path, const char *form)
{
    return ask(h, NULL, "POST", path, STR(FORM "Origin: http://cloud.test\r\n"), str_c(form));
}

START_TEST(a_reseller_invites_a_client_who_comes_in_by_the_page)
{
    struct house *h = house_open();
    struct str path = invite(h, &h->rita, h->reseller,
                             "{\"email\":\"nina@example.net\",\"message\":\"<b>Hi & welcome\","
                             "\"prefill\":{\"name\":\"Nina's \\\"Shop\\\"\","
                             "\"address\":{\"country\":\"BE\"}}}");
    struct answer page = get(h, NULL, arena_cstr(&h->arena, path));
    STATUS(page, 200);
    SAME(header(&page, "Cache-Control"), STR("no-store"));
    ck_assert(str_has(page.body, STR("&lt;b&gt;Hi &amp; welcome")));
    ck_assert(!str_has(page.body, STR("<b>Hi")));
    ck_assert(str_has(page.body, STR("value=\"Nina&#39;s &quot;Shop&quot;\"")));
    ck_assert(str_has(page.body, STR("value=\"nina@example.net\"")));
    ck_assert(str_has(page.body, STR("value=\"BE\"")));

    /* What is wrong is shown at its field, and what was typed is kept, but for the password. */
    page = submit(h, path,
                  "email=nina%40example.net&name=Nina+N&password=short&party_name=%3CShop"
                  "&country=BE");
    STATUS(page, 422);
    ck_assert(str_has(page.body, STR("id=\"password-error\"")));
    ck_assert(str_has(page.body, STR("value=\"&lt;Shop\"")));
    ck_assert(!str_has(page.body, STR("short\"")));
    page = submit(h, path,
                  "email=nina%40example.net&name=Nina&password=a+long+passphrase+7"
                  "&party_name=Shop&country=XX");
    STATUS(page, 422);
    ck_assert(str_has(page.body, STR("id=\"country-error\"")));

    page = submit(h, path,
                  "email=nina%40example.net&name=Nina&password=a+long+passphrase+7"
                  "&party_name=Shop&country=BE");
    STATUS(page, 200);
    ck_assert(str_has(page.body, STR("hanse login http://cloud.test")));
    STATUS(get(h, NULL, arena_cstr(&h->arena, path)), 410);
    STATUS(submit(h, path,
                  "email=x%40example.net&name=X&password=a+long+passphrase+7"
                  "&party_name=Y&country=BE"),
           410);
    struct answer list = get(h, &h->rita, "/v1/parties?q=Shop");
    ck_assert_uint_eq(items_in(h, &list), 1);
    STATUS(post(h, NULL, "/v1/session",
                "{\"email\":\"nina@example.net\",\"password\":\"a long passphrase 7\"}"),
           201);
    house_close(h);
}
END_TEST

START_TEST(forms_from_elsewhere_and_broken_ones_are_refused)
{
    struct house *h = house_open();
    struct str path = invite(h, &h->carl, h->client, "{\"joins\":true,\"role\":\"reader\"}");
    const char *form = "email=e%40example.net&name=E&password=a+long+passphrase+7";
    STATUS(ask(h, NULL, "POST", path, STR(FORM "Origin: https://evil.test\r\n"), str_c(form)), 403);
    STATUS(ask(h, NULL, "POST", path, STR("Content-Type: text/plain\r\n"), str_c(form)), 415);
    STATUS(submit(h, path, "email=%GG"), 400);
    STATUS(submit(h, path, "email=%FF&name=E"), 400);
    STATUS(submit(h, STR("/invite/no-such-link"), form), 404);
    struct answer page = get(h, NULL, "/invite/no-such-link");
    STATUS(page, 404);
    ck_assert(str_starts(header(&page, "Content-Type"), STR("text/html")));
    STATUS(submit(h, path, form), 200);
    house_close(h);
}
END_TEST

START_TEST(a_link_that_was_sent_again_or_revoked_does_not_open)
{
    struct house *h = house_open();
    struct answer made = post(h, &h->carl, at(h, "/v1/parties/", h->client, "/invitations"),
                              "{\"joins\":true,\"role\":\"reader\"}");
    struct str id = text_at(h, &made, "id");
    struct answer again = post(h, &h->carl, at(h, "/v1/invitations/", id, "/actions/resend"), "");
    STATUS(again, 200);
    const char *open = "/v1/invitations/actions/open";
    struct str old = text_at(h, &made, "link");
    struct str fresh = text_at(h, &again, "link");
    ck_assert(!str_eq(old, fresh));
    STATUS(post(h, NULL, open, arena_fmt(&h->arena, "{\"token\":\"%.*s\"}", STRF(old)).p), 404);
    struct answer view =
        post(h, NULL, open, arena_fmt(&h->arena, "{\"token\":\"%.*s\"}", STRF(fresh)).p);
    STATUS(view, 200);
    SAME(text_at(h, &view, "party_name"), STR("Client"));
    STATUS(post(h, &h->carl, at(h, "/v1/invitations/", id, "/actions/revoke"), ""), 200);
    STATUS(post(h, NULL, open, arena_fmt(&h->arena, "{\"token\":\"%.*s\"}", STRF(fresh)).p), 410);
    struct answer shown = get(h, &h->carl, at(h, "/v1/invitations/", id, ""));
    ck_assert_ptr_null(json_get(json_of(h, &shown), STR("link")));
    house_close(h);
}
END_TEST

START_TEST(each_problem_type_has_its_page)
{
    struct house *h = house_open();
    for (enum rc rc = RC_SYNTAX; rc < RC_COUNT; rc++) {
        struct answer a = get(h, NULL, arena_fmt(&h->arena, "/problems/%s", rc_slug(rc)).p);
        STATUS(a, 200);
        ck_assert(str_has(a.body, str_c(rc_title(rc))));
    }
    STATUS(get(h, NULL, "/problems/ok"), 404);
    STATUS(get(h, NULL, "/problems/<b>"), 404);
    house_close(h);
}
END_TEST

/* --- the portal's files --- */

static void put_file(struct house *h, const char *root, const char *name, const char *text)
{
    const char *path = arena_fmt(&h->arena, "%s/%s", root, name).p;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(the_portal_answers_where_no_route_does)
{
    struct house *h = house_open();
    char root[] = "/tmp/hanse-test-web-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(mkdir(arena_fmt(&h->arena, "%s/assets", root).p, 0700), 0);
    put_file(h, root, "index.html", "<!DOCTYPE html>portal");
    put_file(h, root, "assets/app-1f2e3d4c.js", "console.log(1)");
    h->api->web_root = root;
    struct str html = STR("Accept: text/html,*/*;q=0.8\r\n");
    struct answer a = ask(h, NULL, "GET", STR("/"), html, STR(""));
    STATUS(a, 200);
    ck_assert(str_has(a.body, STR("portal")));
    SAME(header(&a, "X-Content-Type-Options"), STR("nosniff"));
    a = ask(h, NULL, "GET", STR("/services/svc_1"), html, STR(""));
    ck_assert(str_has(a.body, STR("portal")));
    a = ask(h, NULL, "GET", STR("/assets/app-1f2e3d4c.js"), html, STR(""));
    STATUS(a, 200);
    ck_assert(str_has(header(&a, "Cache-Control"), STR("immutable")));
    STATUS(ask(h, NULL, "GET", STR("/assets/gone"), html, STR("")), 404);
    STATUS(ask(h, NULL, "GET", STR("/favicon.ico"), html, STR("")), 404);
    STATUS(ask(h, NULL, "GET", STR("/v1/gone"), html, STR("")), 404);
    STATUS(
        ask(h, NULL, "GET", STR("/services/svc_1"), STR("Accept: application/json\r\n"), STR("")),
        404);
    STATUS(ask(h, &h->carl, "GET", STR("/v1/me"), STR(""), STR("")), 200);
    (void)unlink(arena_fmt(&h->arena, "%s/assets/app-1f2e3d4c.js", root).p);
    (void)unlink(arena_fmt(&h->arena, "%s/index.html", root).p);
    (void)rmdir(arena_fmt(&h->arena, "%s/assets", root).p);
    (void)rmdir(root);
    house_close(h);
}
END_TEST

Suite *pages_suite(void);
Suite *pages_suite(void)
{
    Suite *s = suite_create("pages");
    TCase *c = tcase_create("pages");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_reseller_invites_a_client_who_comes_in_by_the_page);
    tcase_add_test(c, forms_from_elsewhere_and_broken_ones_are_refused);
    tcase_add_test(c, a_link_that_was_sent_again_or_revoked_does_not_open);
    tcase_add_test(c, each_problem_type_has_its_page);
    tcase_add_test(c, the_portal_answers_where_no_route_does);
    suite_add_tcase(s, c);
    return s;
}
