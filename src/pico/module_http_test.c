#include "pico/engine_fixture.h"

static const char asker[] =
    "ruleset asker { meta { shares ask, raised, sent }\n"
    "  global { raised = function() { ent:raised } sent = function() { ent:sent }\n"
    "    ask = function(url, qs) { http:get(url, qs=qs, parseJSON=true) } }\n"
    "  rule post { select when asker post\n"
    "    http:post(\"http://example.com/form\", form={\"a\": [1, {\"b\": \"x y\"}]},\n"
    "      auth={\"username\": \"u\", \"password\": \"p\"}, autoraise=\"mine\") }\n"
    "  rule json { select when asker json\n"
    "    http:put(\"http://example.com/json\", json={\"a\": 1}, headers={\"X-One\": \"1\"},\n"
    "      autosend={\"eci\": meta:eci, \"domain\": \"asker\", \"name\": \"sent\",\n"
    "        \"data\": {\"attrs\": {\"k\": \"v\"}}}) }\n"
    "  rule bad { select when asker bad http:post(5) }\n"
    "  rule large { select when asker large\n"
    "    http:post(\"http://example.com/\", form={\"x\": 0.range(100000)}) }\n"
    "  rule raised { select when http post always { ent:raised := event:attrs } }\n"
    "  rule sent { select when asker sent always { ent:sent := event:attrs } }\n"
    "}";

struct server {
    char seen[4096];
    size_t calls;
    enum rc rc;
};

static enum rc serve(void *arg, const struct wire_request *r, struct arena *arena,
                     struct wire_reply *ret, struct err *err)
{
    struct server *s = arg;
    s->calls++;
    size_t n =
        (size_t)snprintf(s->seen, sizeof s->seen, "%.*s %.*s %.*s public=%d follow=%d",
                         STRF(r->method), STRF(r->url), STRF(r->body), r->public_only, r->follow);
    for (size_t i = 0; i < r->header_count; i++)
        n += (size_t)snprintf(s->seen + n, sizeof s->seen - n, " %.*s=%.*s",
                              STRF(r->headers[i].name), STRF(r->headers[i].value));
    ck_assert(r->timeout_us == 10 * US_PER_SECOND && r->reply_bytes_max == 1024 * 1024);
    if (s->rc != RC_OK)
        return err_set(err, s->rc, "no connection");
    ret->status = 404;
    ret->header_count = 1;
    ret->headers = NEW_N(arena, struct pair, 1);
    ret->headers[0] = (struct pair){STR("content-type"), STR("application/json")};
    ret->body = STR("{\"x\":1}");
    return RC_OK;
}

struct net {
    struct world w;
    struct wire_sim wire;
    struct server server;
    struct str root;
};

static void net_start(struct net *n, bool wired)
{
    *n = (struct net){.wire = {.lose_ppm = 0}};
    world_start(&n->w);
    wire_sim_init(&n->wire, &n->w.sim);
    n->wire.fn = serve;
    n->wire.arg = &n->server;
    n->w.o.wire = wired ? &n->wire.wire : NULL;
    world_restart(&n->w);
    n->root = pico_root(n->w.e);
    world_install(&n->w, n->root, "asker", asker);
}

START_TEST(an_answer_is_a_map_whatever_its_status)
{
    struct net n;
    net_start(&n, true);
    CHECK_TEXT(
        world_query(&n.w, n.root, "asker", "ask",
                    "{\"url\":\"https://example.com/q?z=1\",\"qs\":{\"a\":[1,2],\"b\":null}}"),
        "{\"content\":{\"x\":1},\"content_type\":\"application/json\",\"content_length\":0,"
        "\"headers\":{\"content-type\":\"application/json\"},\"status_code\":404,"
        "\"status_line\":\"Not Found\"}");
    ck_assert_str_eq(n.server.seen,
                     "GET https://example.com/q?z=1&a%5B0%5D=1&a%5B1%5D=2&b=  public=1 follow=1 "
                     "User-Agent=pico-engine-core-http");
    world_stop(&n.w);
}
END_TEST

START_TEST(an_answer_is_raised_and_sent)
{
    struct net n;
    net_start(&n, true);
    (void)world_event(&n.w, n.root, "asker", "post", "");
    ck_assert_str_eq(n.server.seen,
                     "POST http://example.com/form a%5B0%5D=1&a%5B1%5D%5Bb%5D=x%20y public=1 "
                     "follow=1 User-Agent=pico-engine-core-http Authorization=Basic dTpw "
                     "Content-Type=application/x-www-form-urlencoded");
    ck_assert(
        str_has(world_query(&n.w, n.root, "asker", "raised", ""),
                STR("\"status_code\":404,\"status_line\":\"Not Found\",\"label\":\"mine\"}")));
    (void)world_event(&n.w, n.root, "asker", "json", "");
    ck_assert_ptr_nonnull(strstr(n.server.seen, "PUT http://example.com/json {\"a\":1} "));
    ck_assert_ptr_nonnull(strstr(n.server.seen, "X-One=1 Content-Type=application/json"));
    world_run(&n.w);
    ck_assert(str_starts(world_query(&n.w, n.root, "asker", "sent", ""),
                         STR("{\"k\":\"v\",\"content\":\"{\\\"x\\\":1}\"")));
    ck_assert_uint_eq(n.server.calls, 2);
    world_stop(&n.w);
}
END_TEST

START_TEST(what_cannot_be_asked_is_an_error_of_the_ruleset)
{
    struct net n;
    net_start(&n, true);
    CHECK_TEXT(world_event(&n.w, n.root, "asker", "bad", ""),
               "TypeError: http:post was given 5 instead of a url string");
    CHECK_TEXT(world_query(&n.w, n.root, "asker", "ask", ""), "Error: http:get needs a url string");
    ck_assert_uint_eq(n.server.calls, 0);
    n.server.rc = RC_UNAVAILABLE;
    CHECK_TEXT(world_query(&n.w, n.root, "asker", "ask", "{\"url\":\"http://example.com/\"}"),
               "Error: http:get failed: no connection");
    world_stop(&n.w);
    net_start(&n, false);
    CHECK_TEXT(world_query(&n.w, n.root, "asker", "ask", "{\"url\":\"http://example.com/\"}"),
               "Error: this engine asks no other hosts");
    world_stop(&n.w);
}
END_TEST

START_TEST(a_form_without_bound_is_refused)
{
    struct net n;
    net_start(&n, true);
    struct str said = world_event(&n.w, n.root, "asker", "large", "");
    ck_assert_msg(str_has(said, STR("rror: ")), "%.*s", STRF(said));
    ck_assert_uint_eq(n.server.calls, 0);
    world_stop(&n.w);
}
END_TEST

/* The first run of the second event finds that the first one's commit is on its way. */
START_TEST(an_activation_that_is_begun_anew_does_not_ask_again)
{
    static const char again[] =
        "ruleset again { meta { shares n } global { n = function() { ent:n } }\n"
        "  rule child { select when a child ctx:newPico([]) }\n"
        "  rule post { select when a post every {\n"
        "    http:post(\"http://example.com/\", body=\"one\") setting(x)\n"
        "    http:post(\"http://example.com/\", body=\"one\") setting(y) }\n"
        "    always { ent:n := ctx:children.length() + x{\"status_code\"} } } }";
    struct net n;
    net_start(&n, true);
    world_install(&n.w, n.root, "again", again);
    for (size_t i = 1; i <= 20; i++) {
        bool done[2] = {false, false};
        struct pico_request r[2] = {{.name = STR("child")}, {.name = STR("post")}};
        for (size_t k = 0; k < 2; k++) {
            r[k].ask = PICO_EVENT_WAIT;
            r[k].eci = n.root;
            r[k].domain = STR("a");
            r[k].inside = true;
            r[k].arena = &n.w.arena;
            r[k].done = world_done;
            r[k].inner = &done[k];
            pico_submit(n.w.e, &r[k]);
        }
        world_run(&n.w);
        ck_assert(done[0] && done[1] && r[1].rc == RC_OK);
        ck_assert_uint_eq(n.server.calls, 2 * i); /* the same question twice is two questions */
    }
    CHECK_TEXT(world_query(&n.w, n.root, "again", "n", ""), "424");
    world_stop(&n.w);
}
END_TEST

Suite *module_http_suite(void);
Suite *module_http_suite(void)
{
    Suite *s = suite_create("module_http");
    TCase *c = tcase_create("module_http");
    tcase_add_test(c, an_answer_is_a_map_whatever_its_status);
    tcase_add_test(c, an_answer_is_raised_and_sent);
    tcase_add_test(c, what_cannot_be_asked_is_an_error_of_the_ruleset);
    tcase_add_test(c, a_form_without_bound_is_refused);
    tcase_add_test(c, an_activation_that_is_begun_anew_does_not_ask_again);
    suite_add_tcase(s, c);
    return s;
}
