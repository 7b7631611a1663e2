#include "pico/web.h"

#include "http/probe.h"
#include "pico/web_inside.h"

#include <sys/stat.h>
#include <unistd.h>

enum { OFTEN = 2 /* a minute */, DOTS = 4 };

static struct pico_web *web;
static struct http_server *customers;
static struct http_server *developers;

static void open_web(struct pico_web_options o)
{
    if (o.clock == NULL)
        o.clock = clock_system();
    web = pico_web_open(&o);
    customers = probe_open(&(struct http_options){.handler = pico_web_customers(web)});
    developers = probe_open(&(struct http_options){.handler = pico_web_developers(web)});
}

static void up(void)
{
    open_web((struct pico_web_options){.per_minute = 0});
}

static void close_web(void)
{
    http_close(customers, US_PER_SECOND);
    http_close(developers, US_PER_SECOND);
    pico_web_close(web);
}

static char *ask(const struct http_server *s, const char *method, const char *target,
                 const char *headers)
{
    char request[4096];
    ck_assert_int_lt(snprintf(request, sizeof request,
                              "%s %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n",
                              method, target, headers),
                     (int)sizeof request);
    return probe_ask(s, request);
}

static void expect(const struct http_server *s, const char *method, const char *target, int status)
{
    char *reply = ask(s, method, target, "");
    ck_assert_msg(probe_status(reply) == status, "%s %s: %s", method, target, reply);
    free(reply);
}

/* The pattern with something in each place. */
static void fill(const char *pattern, char target[256])
{
    size_t n = 0;
    target[n++] = '/';
    for (; *pattern != '\0'; pattern++)
        target[n++] = *pattern == ':' ? 'x' : *pattern;
    target[n] = '\0';
}

START_TEST(no_developer_route_is_on_the_customers_listener)
{
    static const struct web_route *const tables[] = {web_official_routes, web_routes,
                                                     web_owner_routes};
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD"};
    size_t count = 0;
    for (size_t t = 0; t < COUNT(tables); t++)
        for (const struct web_route *r = tables[t]; r->pattern != NULL; r++) {
            char target[256];
            if ((r->flags & WEB_DEVELOPER) == 0)
                continue;
            count++;
            fill(r->pattern, target);
            bool ours = strncmp(target, "/v1/", 4) == 0;
            for (size_t m = 0; m < COUNT(methods); m++)
                expect(customers, methods[m], target, 404);
            expect(customers, "OPTIONS", target, ours ? 404 : 200); /* as for what is nowhere */
        }
    ck_assert_uint_ge(count, 18);
    expect(customers, "GET", "/", 404);
    expect(customers, "GET", "/pico-engine-ui.js", 404);
}
END_TEST

START_TEST(what_is_not_there_is_said_as_express_says_it)
{
    char *reply = ask(developers, "GET", "/a%3Cb%3E/c", "");
    ck_assert_int_eq(probe_status(reply), 404);
    ck_assert_ptr_nonnull(strstr(reply, "Cannot GET /a&#60;b&#62;/c"));
    ck_assert_ptr_nonnull(strstr(reply, "text/html"));
    free(reply);
    reply = ask(customers, "GET", "/v1/nothing", "");
    ck_assert_int_eq(probe_status(reply), 404);
    ck_assert_ptr_nonnull(strstr(reply, "application/problem+json"));
    free(reply);
}
END_TEST

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void shows(const char *target, const char *type, const char *text)
{
    char *reply = ask(developers, "GET", target, "");
    ck_assert_msg(probe_status(reply) == 200, "%s: %s", target, reply);
    ck_assert_msg(strstr(reply, type) != NULL, "%s: %s", target, reply);
    ck_assert_msg(strstr(reply, text) != NULL, "%s: %s", target, reply);
    free(reply);
    expect(customers, "GET", target, 404);
    expect(developers, "POST", target, 404);
}

/* As the official interface lies there: a page, its script and style, the documentation. */
START_TEST(developers_alone_see_the_interface)
{
    static const char *const outside[] = {"/../secret.html",
                                          "/%2e%2e/secret.html",
                                          "/docs/../../secret.html",
                                          "/..%2fsecret.html",
                                          "/link.html",
                                          "/.hidden.html",
                                          "/docs",
                                          "/nothing.js"};
    char place[] = "/tmp/hanse-interface-XXXXXX";
    char folder[128];
    char path[256];
    close_web();
    ck_assert_ptr_nonnull(mkdtemp(place));
    (void)snprintf(folder, sizeof folder, "%s/ui", place);
    (void)snprintf(path, sizeof path, "%s/docs", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    put_file(place, "secret.html", "secret");
    put_file(folder, "index.html", "<script src=\"/pico-engine-ui.js\"></script>");
    put_file(folder, "pico-engine-ui.js", "start()");
    put_file(folder, "pico-engine-ui.css", "p{}");
    put_file(folder, ".hidden.html", "hidden");
    put_file(path, "index.html", "the documentation");
    (void)snprintf(path, sizeof path, "%s/link.html", folder);
    ck_assert_int_eq(symlink("../secret.html", path), 0);
    open_web((struct pico_web_options){.interface = folder});
    shows("/", "text/html", "pico-engine-ui.js");
    shows("/pico-engine-ui.js", "text/javascript", "start()");
    shows("/pico-engine-ui.css", "text/css", "p{}");
    shows("/docs/", "text/html", "the documentation");
    for (size_t i = 0; i < COUNT(outside); i++) /* 400: no such address can be */
        expect(developers, "GET", outside[i], i < DOTS ? 400 : 404);
    char *reply = ask(developers, "GET", "/", "Origin: https://example.com\r\n");
    ck_assert_int_eq(probe_status(reply), 404);
    free(reply);
    close_web();
    open_web((struct pico_web_options){.interface = folder, .token = STR("secret")});
    expect(developers, "GET", "/", 404);
    static const char *const names[] = {"ui/docs/index.html",    "ui/docs",
                                        "ui/index.html",         "ui/pico-engine-ui.js",
                                        "ui/pico-engine-ui.css", "ui/.hidden.html",
                                        "ui/link.html",          "ui",
                                        "secret.html",           ""};
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", place, names[i]);
        ck_assert_int_eq(remove(path), 0);
    }
}
END_TEST

START_TEST(every_page_may_use_a_channel)
{
    char *reply = ask(customers, "OPTIONS", "/c/x/event/a/b", "Origin: https://example.com\r\n");
    ck_assert_int_eq(probe_status(reply), 200);
    ck_assert_ptr_nonnull(strstr(reply, "Access-Control-Allow-Origin: *\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "Allow: POST, GET, OPTIONS\r\n"));
    free(reply);
}
END_TEST

START_TEST(options_are_the_same_everywhere)
{
    static const char *const targets[] = {"/", "/nowhere/at/all", "/api/ui-context", "/metrics"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        char *reply = ask(customers, "OPTIONS", targets[i], "");
        ck_assert_int_eq(probe_status(reply), 200);
        ck_assert_ptr_nonnull(strstr(reply, "Access-Control-Allow-Origin: *\r\n"));
        ck_assert_ptr_nonnull(strstr(reply, "Allow: POST, GET, OPTIONS\r\n"));
        free(reply);
    }
    expect(customers, "OPTIONS", "/v1/nowhere", 404);
}
END_TEST

START_TEST(a_page_from_elsewhere_may_not_develop)
{
    static const char *const refused[] = {
        "Origin: https://example.com\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: null\r\n",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        char *reply = ask(developers, "GET", "/v1/picos?limit=0", refused[i]);
        ck_assert_msg(probe_status(reply) == 403, "%s: %s", refused[i], reply);
        free(reply);
    }
    char *reply = probe_ask(developers, "GET /v1/picos?limit=0 HTTP/1.1\r\n"
                                        "Host: rebound.example.com\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(probe_status(reply), 403);
    free(reply);
    expect(developers, "GET", "/v1/picos?limit=0", 422);
}
END_TEST

START_TEST(with_a_token_only_who_has_it_may_develop)
{
    close_web();
    open_web((struct pico_web_options){.token = STR("secret")});
    expect(developers, "GET", "/v1/picos?limit=0", 401);
    char *reply = ask(developers, "GET", "/v1/picos?limit=0", "Authorization: Bearer other\r\n");
    ck_assert_int_eq(probe_status(reply), 401);
    free(reply);
    reply = ask(developers, "GET", "/v1/picos?limit=0", "Authorization: Bearer secret\r\n");
    ck_assert_int_eq(probe_status(reply), 422);
    free(reply);
    expect(developers, "GET", "/v1/health", 200);
}
END_TEST

/* Once more than it may be asked, with what does not come as far as the engine. */
static char *ask_too_often(const struct http_server *s)
{
    static const char body[] =
        "POST /c/x/query/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n\r\n{";
    for (int i = 0; i < OFTEN; i++) {
        char *reply = probe_ask(s, body);
        ck_assert_int_eq(probe_status(reply), 200);
        ck_assert_ptr_nonnull(
            strstr(reply, "{\"error\":\"SyntaxError: Unexpected end of JSON input\"}"));
        free(reply);
    }
    return probe_ask(s, body);
}

START_TEST(a_channel_is_asked_only_so_often)
{
    close_web();
    open_web((struct pico_web_options){.per_minute = OFTEN});
    char *reply = ask_too_often(customers);
    ck_assert_int_eq(probe_status(reply), 429);
    ck_assert_ptr_nonnull(strstr(reply, "Retry-After: "));
    free(reply);
    expect(customers, "POST", "/v1/channels/x/events/a/b", 429);
}
END_TEST

/* The clock stands still: what leaves later never leaves. */
START_TEST(who_develops_hears_at_once_that_it_was_too_much)
{
    struct clock_sim sim;
    clock_sim_init(&sim, 0, 1);
    close_web();
    open_web((struct pico_web_options){.per_minute = OFTEN, .clock = &sim.clock});
    char *reply = ask_too_often(developers);
    ck_assert_int_eq(probe_status(reply), 429);
    free(reply);
    expect(developers, "POST", "/v1/channels/x/events/a/b", 429);
}
END_TEST

START_TEST(another_method_is_405_with_those_that_are_taken)
{
    char *reply = ask(customers, "GET", "/v1/channels/x/events/a/b", "");
    ck_assert_int_eq(probe_status(reply), 405);
    ck_assert_ptr_nonnull(strstr(reply, "Allow: POST\r\n"));
    free(reply);
    reply = ask(developers, "PUT", "/v1/picos/x", "");
    ck_assert_int_eq(probe_status(reply), 405);
    ck_assert_ptr_nonnull(strstr(reply, "Allow: GET, HEAD, DELETE\r\n"));
    free(reply);
}
END_TEST

START_TEST(a_body_above_100_kb_is_refused_in_the_official_words)
{
    size_t n = PICO_ATTRS_BYTES_MAX + 1;
    char *request = malloc(n + 256);
    int head = snprintf(request, 256,
                        "POST /c/x/event/a/b HTTP/1.1\r\nHost: h\r\nContent-Type: "
                        "application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                        n);
    memset(request + head, ' ', n);
    request[(size_t)head + n] = '\0';
    char *reply = probe_ask(customers, request);
    ck_assert_int_eq(probe_status(reply), 200);
    ck_assert_ptr_nonnull(
        strstr(reply, "{\"error\":\"PayloadTooLargeError: request entity too large\"}"));
    free(reply);
    free(request);
}
END_TEST

Suite *web_suite(void);
Suite *web_suite(void)
{
    Suite *s = suite_create("web");
    TCase *c = tcase_create("web");
    tcase_add_checked_fixture(c, up, close_web);
    tcase_add_test(c, no_developer_route_is_on_the_customers_listener);
    tcase_add_test(c, what_is_not_there_is_said_as_express_says_it);
    tcase_add_test(c, developers_alone_see_the_interface);
    tcase_add_test(c, every_page_may_use_a_channel);
    tcase_add_test(c, options_are_the_same_everywhere);
    tcase_add_test(c, a_page_from_elsewhere_may_not_develop);
    tcase_add_test(c, with_a_token_only_who_has_it_may_develop);
    tcase_add_test(c, a_channel_is_asked_only_so_often);
    tcase_add_test(c, who_develops_hears_at_once_that_it_was_too_much);
    tcase_add_test(c, another_method_is_405_with_those_that_are_taken);
    tcase_add_test(c, a_body_above_100_kb_is_refused_in_the_official_words);
    suite_add_tcase(s, c);
    return s;
}
