#include "http/address.h"
#include "http/probe.h"
#include "http/wire.h"

#include <pthread.h>

static struct arena arena;
static struct err err;
static struct wire *wire;
static struct http_server *server;
static char base[64]; /* "http://127.0.0.1:PORT" */

/* The far side: what it does stands in the path. */
static void answer(void *arg, struct http_exchange *x)
{
    (void)arg;
    struct str path = http_path(x);
    struct arena *a = http_arena(x);
    if (str_eq(path, STR("/echo"))) {
        http_reply_header(x, "X-Twice", STR("one"));
        http_reply_header(x, "X-Twice", STR("two"));
        http_reply(
            x, 200, "text/plain",
            arena_fmt(a, "%.*s [%.*s] type=%.*s auth=%.*s agent=%.*s", STRF(http_method_name(x)),
                      STRF(http_body(x)), STRF(http_header(x, "content-type")),
                      STRF(http_header(x, "authorization")), STRF(http_header(x, "user-agent"))));
    } else if (str_eq(path, STR("/loop"))) {
        http_reply_header(x, "Location", STR("/loop"));
        http_reply(x, 302, "", STR(""));
    } else if (str_eq(path, STR("/moved"))) {
        http_reply_header(x, "Location", STR("/echo"));
        http_reply(x, 303, "text/plain", STR("this page is nowhere to be seen"));
    } else if (str_eq(path, STR("/kept"))) {
        http_reply_header(x, "Location", STR("/echo"));
        http_reply(x, 307, "", STR(""));
    } else if (str_eq(path, STR("/abroad"))) {
        http_reply_header(x, "Location",
                          arena_fmt(a, "http://localhost%s/echo", strrchr(base, ':')));
        http_reply(x, 307, "", STR(""));
    } else if (str_eq(path, STR("/file"))) {
        http_reply_header(x, "Location", STR("file:///etc/passwd"));
        http_reply(x, 302, "", STR(""));
    } else if (str_eq(path, STR("/large"))) {
        http_reply(x, 200, "", str_n(NEW_N(a, char, 100000), 100000));
    } else {
        http_reply(x, 500, "text/plain", STR("broken"));
    }
}

static void never(void *arg, struct http_exchange *x)
{
    struct http_exchange *_Atomic *held = arg;
    http_hold(x);
    *held = x;
}

static void setup(void)
{
    arena_init(&arena, (size_t)8 * 1024 * 1024);
    err_clear(&err);
    wire = wire_curl_open();
    server = probe_open(&(struct http_options){.handler.request = answer});
    (void)snprintf(base, sizeof base, "http://%.*s", STRF(http_address(server)));
}

static void teardown(void)
{
    wire_curl_close(wire);
    http_close(server, US_PER_SECOND);
    arena_fini(&arena);
}

static struct str url(const char *path)
{
    return arena_fmt(&arena, "%s%s", base, path);
}

static enum rc call(struct wire_request r, struct wire_reply *ret)
{
    if (r.method.n == 0)
        r.method = STR("GET");
    return wire_call(wire, &r, &arena, ret, &err);
}

START_TEST(call_carries_method_headers_and_body_both_ways)
{
    const struct pair headers[] = {{STR_INIT("Authorization"), STR_INIT("Bearer t")},
                                   {STR_INIT("Content-Type"), STR_INIT("application/json")}};
    struct wire_reply r;
    ck_assert_int_eq(call((struct wire_request){.method = STR("PATCH"),
                                                .url = url("/echo"),
                                                .headers = headers,
                                                .header_count = 2,
                                                .body = STR("{}")},
                          &r),
                     RC_OK);
    ck_assert_int_eq(r.status, 200);
    ck_assert(str_eq(r.body, STR("PATCH [{}] type=application/json auth=Bearer t "
                                 "agent=hanse/" HANSE_VERSION)));
    ck_assert(str_eq(wire_header(&r, "content-type"), STR("text/plain")));
    ck_assert(str_eq(wire_header(&r, "x-twice"), STR("one")));
    ck_assert_uint_eq(wire_header(&r, "x-none").n, 0);
    static const char *const methods[] = {"GET", "POST", "DELETE", "OPTIONS", "PUT"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        ck_assert_int_eq(
            call((struct wire_request){.method = str_c(methods[i]), .url = url("/echo")}, &r),
            RC_OK);
        ck_assert(str_starts(r.body, arena_fmt(&arena, "%s [] type= auth= ", methods[i])));
    }
    ck_assert_int_eq(call((struct wire_request){.method = STR("HEAD"), .url = url("/echo")}, &r),
                     RC_OK);
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.body.n, 0);
    ck_assert_int_eq(call((struct wire_request){.url = url("/broken")}, &r), RC_OK);
    ck_assert_int_eq(r.status, 500);
}
END_TEST

START_TEST(connection_is_kept_for_the_next_call)
{
    struct wire_reply r;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(call((struct wire_request){.url = url("/echo")}, &r), RC_OK);
    ck_assert_uint_eq(http_counters(server).connections, 1);
}
END_TEST

START_TEST(redirects_are_followed_only_when_asked_and_five_times)
{
    struct wire_reply r;
    ck_assert_int_eq(call((struct wire_request){.url = url("/moved")}, &r), RC_OK);
    ck_assert_int_eq(r.status, 303);
    ck_assert(str_eq(wire_header(&r, "location"), STR("/echo")));
    ck_assert_int_eq(call((struct wire_request){.method = STR("POST"),
                                                .url = url("/moved"),
                                                .body = STR("b"),
                                                .follow = true},
                          &r),
                     RC_OK);
    ck_assert_msg(str_starts(r.body, STR("GET []")), "%.*s", STRF(r.body));
    ck_assert_int_eq(call((struct wire_request){.method = STR("POST"),
                                                .url = url("/kept"),
                                                .body = STR("b"),
                                                .follow = true},
                          &r),
                     RC_OK);
    ck_assert_msg(str_starts(r.body, STR("POST [b]")), "%.*s", STRF(r.body));
    ck_assert_int_eq(call((struct wire_request){.url = url("/loop"), .follow = true}, &r),
                     RC_UNAVAILABLE);
    ck_assert_int_eq(call((struct wire_request){.url = url("/file"), .follow = true}, &r),
                     RC_INVALID);
}
END_TEST

START_TEST(credentials_do_not_travel_to_another_host)
{
    const struct pair secret = {STR_INIT("Authorization"), STR_INIT("Bearer t")};
    struct wire_reply r;
    ck_assert_int_eq(call((struct wire_request){.url = url("/kept"),
                                                .headers = &secret,
                                                .header_count = 1,
                                                .follow = true},
                          &r),
                     RC_OK);
    ck_assert(str_has(r.body, STR("auth=Bearer t ")));
    ck_assert_int_eq(call((struct wire_request){.url = url("/abroad"),
                                                .headers = &secret,
                                                .header_count = 1,
                                                .follow = true},
                          &r),
                     RC_OK);
    ck_assert(str_has(r.body, STR("auth= ")));
}
END_TEST

static enum rc count_piece(void *arg, struct str piece, struct err *e)
{
    size_t *bytes = arg;
    *bytes += piece.n;
    return *bytes > 60000 ? err_set(e, RC_FULL, "the disk is full") : RC_OK;
}

START_TEST(answers_are_bounded_and_can_be_taken_in_pieces)
{
    struct wire_reply r = {.status = 7};
    size_t bytes = 0;
    ck_assert_int_eq(
        call((struct wire_request){.url = url("/large"), .reply_bytes_max = 99999}, &r),
        RC_TOO_LARGE);
    ck_assert_int_eq(r.status, 7);
    ck_assert_int_eq(
        call((struct wire_request){.url = url("/large"), .reply_bytes_max = 100000}, &r), RC_OK);
    ck_assert_uint_eq(r.body.n, 100000);
    ck_assert_int_eq(
        call((struct wire_request){.url = url("/echo"), .piece = count_piece, .arg = &bytes}, &r),
        RC_OK);
    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_eq(r.body.n, 0);
    bytes = 0;
    ck_assert_int_eq(
        call((struct wire_request){.url = url("/large"), .piece = count_piece, .arg = &bytes}, &r),
        RC_FULL);
    ck_assert_str_eq(err.text, "the disk is full");
}
END_TEST

static enum rc take_any(void *arg, struct str piece, struct err *e)
{
    (void)e;
    *(size_t *)arg += piece.n;
    return RC_OK;
}

START_TEST(a_call_that_is_given_up_ends)
{
    atomic_bool given_up = true;
    struct wire_reply r;
    struct http_exchange *_Atomic held = NULL;
    struct http_server *silent =
        probe_open(&(struct http_options){.handler = {.request = never, .arg = &held}});
    struct str address = arena_fmt(&arena, "http://%.*s/", STRF(http_address(silent)));
    ck_assert_int_eq(call((struct wire_request){.url = address, .given_up = &given_up}, &r),
                     RC_UNAVAILABLE);
    if (held != NULL) {
        http_reply(held, 200, "", STR(""));
        http_send(held);
    }
    http_close(silent, US_PER_SECOND);
    given_up = false;
    ck_assert_int_eq(call((struct wire_request){.url = url("/echo"), .given_up = &given_up}, &r),
                     RC_OK);
}
END_TEST

START_TEST(pieces_need_no_room_in_the_arena)
{
    struct wire *w = wire_curl_open();
    struct wire_reply r;
    struct arena small;
    size_t bytes = 0;
    arena_init(&small, 50000);
    struct wire_request request = {
        .method = STR("GET"), .url = url("/large"), .piece = take_any, .arg = &bytes};
    ck_assert_int_eq(wire_call(w, &request, &small, &r, &err), RC_OK);
    ck_assert_uint_eq(bytes, 100000);
    arena_fini(&small);
    wire_curl_close(w);
}
END_TEST

START_TEST(far_side_that_is_silent_away_or_nonsense_is_told_apart)
{
    struct wire_reply r;
    struct http_exchange *_Atomic held = NULL;
    struct http_server *silent =
        probe_open(&(struct http_options){.handler = {.request = never, .arg = &held}});
    struct str address = arena_fmt(&arena, "http://%.*s/?token=secret", STRF(http_address(silent)));
    ck_assert_int_eq(call((struct wire_request){.url = address, .timeout_us = 50 * US_PER_MS}, &r),
                     RC_TIMEOUT);
    ck_assert_ptr_null(strstr(err.text, "secret"));
    ck_assert_ptr_nonnull(held);
    http_reply(held, 200, "", STR(""));
    http_send(held);
    http_close(silent, US_PER_SECOND);
    ck_assert_int_eq(call((struct wire_request){.url = address}, &r), RC_UNAVAILABLE);
    static const char *const bad[] = {"",
                                      "ftp://h/",
                                      "file:///etc/passwd",
                                      "http://",
                                      "h",
                                      "http://a b/",
                                      "http://user:pw@127.0.0.1/",
                                      "http+unix:x:/",
                                      "http+unix:/s",
                                      "http+unix:/s:x"};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(call((struct wire_request){.url = str_c(bad[i])}, &r) == RC_INVALID, "%s: %s",
                      bad[i], err.text);
    const struct pair forged = {STR_INIT("X-A"), STR_INIT("a\r\nX-B: c")};
    ck_assert_int_eq(
        call((struct wire_request){.url = url("/echo"), .headers = &forged, .header_count = 1}, &r),
        RC_INVALID);
}
END_TEST

static int64_t half(void *arg, char *room, size_t n UNUSED)
{
    bool *given = arg;
    if (*given)
        return HTTP_PULL_WAIT;
    *given = true;
    room[0] = 'h';
    return 1;
}

static void begin(void *arg, struct http_exchange *x)
{
    http_reply_stream(x, 200, "application/octet-stream", half, arg);
}

/* A machine that lost its power in the middle of a file: the call may take an hour, and nobody
 * waits so long for a byte. */
START_TEST(who_says_nothing_more_is_given_up_long_before_the_time_is_over)
{
    struct wire_reply r;
    bool given = false;
    struct http_server *silent =
        probe_open(&(struct http_options){.handler = {.request = begin, .arg = &given}});
    struct str address = arena_fmt(&arena, "http://%.*s/", STRF(http_address(silent)));
    ck_assert_int_eq(call((struct wire_request){.url = address,
                                                .timeout_us = 3600 * US_PER_SECOND,
                                                .silence_us = US_PER_SECOND},
                          &r),
                     RC_TIMEOUT);
    ck_assert(given);
    http_close(silent, US_PER_SECOND);
}
END_TEST

START_TEST(public_only_refuses_what_is_behind_the_door_also_by_name_and_redirect)
{
    struct wire_reply r;
    /* First an ordinary call, whose kept connection must not be used. */
    ck_assert_int_eq(call((struct wire_request){.url = url("/echo")}, &r), RC_OK);
    ck_assert_int_eq(call((struct wire_request){.url = url("/echo"), .public_only = true}, &r),
                     RC_FORBIDDEN);
    struct str by_name = arena_fmt(&arena, "http://localhost%s/echo", strrchr(base, ':'));
    ck_assert_int_eq(call((struct wire_request){.url = by_name, .public_only = true}, &r),
                     RC_FORBIDDEN);
    static const char *const odd[] = {"http://2130706433/", "http://0x7f.1/",
                                      "http://[::1]/",      "http://[::ffff:127.0.0.1]/",
                                      "http://0/",          "http+unix:/run/s:/"};
    for (size_t i = 0; i < COUNT(odd); i++)
        ck_assert_msg(call((struct wire_request){.url = str_c(odd[i]), .public_only = true}, &r) ==
                          RC_FORBIDDEN,
                      "%s: %s", odd[i], err.text);
}
END_TEST

START_TEST(environment_sets_no_proxy)
{
    struct wire_reply r;
    ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    ck_assert_int_eq(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    ck_assert_int_eq(call((struct wire_request){.url = url("/echo")}, &r), RC_OK);
}
END_TEST

START_TEST(unix_socket_is_called_by_its_path)
{
    char folder[] = "/tmp/hanse-wire-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct str listen = arena_fmt(&arena, "unix:%s/s", folder);
    struct http_server *s =
        probe_open(&(struct http_options){.listen = listen, .handler.request = answer});
    struct wire_reply r;
    ck_assert_int_eq(
        call((struct wire_request){.url = arena_fmt(&arena, "http+unix:%s/s:/echo?x=1", folder)},
             &r),
        RC_OK);
    ck_assert_int_eq(r.status, 200);
    http_close(s, US_PER_SECOND);
    rmdir(folder);
}
END_TEST

struct caller {
    pthread_t thread;
    int wrong;
};

static void *caller_run(void *arg)
{
    struct caller *c = arg;
    for (int i = 0; i < 200; i++) {
        struct arena a;
        struct err e;
        struct wire_reply r;
        arena_init(&a, (size_t)1024 * 1024);
        char text[32];
        int n = snprintf(text, sizeof text, "%p %d", arg, i);
        struct wire_request request = {.method = STR("POST"),
                                       .url = arena_fmt(&a, "%s/echo", base),
                                       .body = {text, (size_t)n}};
        enum rc rc = wire_call(wire, &request, &a, &r, &e);
        c->wrong += rc != RC_OK || !str_has(r.body, str_n(text, (size_t)n));
        arena_fini(&a);
    }
    return NULL;
}

START_TEST(many_threads_call_at_once)
{
    struct caller callers[8] = {0};
    for (size_t i = 0; i < COUNT(callers); i++)
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]), 0);
    for (size_t i = 0; i < COUNT(callers); i++) {
        pthread_join(callers[i].thread, NULL);
        ck_assert_int_eq(callers[i].wrong, 0);
    }
}
END_TEST

/* --- addresses --- */

START_TEST(only_addresses_of_the_open_internet_are_public)
{
    static const struct {
        const char *text;
        bool is_public;
    } cases[] = {
        {"1.1.1.1", true},
        {"9.255.255.255", true},
        {"10.0.0.1", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"127.0.0.1", false},
        {"0.0.0.0", false},
        {"169.254.169.254", false},
        {"172.15.255.255", true},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"192.168.1.1", false},
        {"192.0.2.1", false},
        {"198.18.0.1", false},
        {"198.51.100.1", false},
        {"203.0.113.9", false},
        {"224.0.0.1", false},
        {"239.255.255.255", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},
        {"223.255.255.255", true},
        {"::", false},
        {"::1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:1.1.1.1", true},
        {"64:ff9b::10.0.0.1", false},
        {"64:ff9b::1.1.1.1", true},
        {"2002:a00:1::", false},
        {"2002:101:101::", true},
        {"fc00::1", false},
        {"fd12::1", false},
        {"fe80::1", false},
        {"ff02::1", false},
        {"2001:db8::1", false},
        {"2001::1", false},
        {"2606:4700::1111", true},
        {"2a00:1450::1", true},
        {"2001:4860:4860::8888", true},
        {"3fff::1", false},
        {"::127.0.0.1", false},
        {"fec0::1", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        const struct sockaddr *address = (const struct sockaddr *)&v4;
        if (inet_pton(AF_INET, cases[i].text, &v4.sin_addr) != 1) {
            ck_assert_int_eq(inet_pton(AF_INET6, cases[i].text, &v6.sin6_addr), 1);
            address = (const struct sockaddr *)&v6;
        }
        ck_assert_msg(address_is_public(address) == cases[i].is_public, "%s", cases[i].text);
    }
    const struct sockaddr other = {.sa_family = AF_UNIX};
    ck_assert(!address_is_public(&other));
}
END_TEST

/* --- the simulated twin --- */

static enum rc sim_answer(void *arg, const struct wire_request *request, struct arena *a,
                          struct wire_reply *ret, struct err *e)
{
    (void)request;
    (void)a;
    (void)e;
    (*(int *)arg)++;
    *ret = (struct wire_reply){.status = 200};
    return RC_OK;
}

START_TEST(twin_loses_questions_and_answers_as_its_seed_says)
{
    struct clock_sim clock;
    struct wire_sim sim;
    struct wire_reply r;
    int results[2][3] = {{0}};
    for (size_t run = 0; run < 2; run++) {
        int arrived = 0;
        clock_sim_init(&clock, 0, 42);
        wire_sim_init(&sim, &clock);
        sim.lose_ppm = 200000;
        sim.echo_ppm = 100000;
        sim.fn = sim_answer;
        sim.arg = &arrived;
        const struct wire_request request = {.method = STR("GET"), .url = STR("http://far/")};
        for (int i = 0; i < 10000; i++)
            results[run][wire_call(&sim.wire, &request, &arena, &r, &err) == RC_OK]++;
        results[run][2] = arrived;
    }
    ck_assert_int_eq(memcmp(results[0], results[1], sizeof results[0]), 0);
    /* 20 % never arrive; of the others, 10 % arrive and look as if they had not. */
    ck_assert_int_gt(results[0][2], 7800);
    ck_assert_int_lt(results[0][2], 8200);
    ck_assert_int_gt(results[0][2] - results[0][1], 700);
    ck_assert_int_lt(results[0][2] - results[0][1], 900);
}
END_TEST

Suite *wire_suite(void);
Suite *wire_suite(void)
{
    Suite *s = suite_create("wire");
    TCase *c = tcase_create("wire");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, call_carries_method_headers_and_body_both_ways);
    tcase_add_test(c, connection_is_kept_for_the_next_call);
    tcase_add_test(c, redirects_are_followed_only_when_asked_and_five_times);
    tcase_add_test(c, credentials_do_not_travel_to_another_host);
    tcase_add_test(c, answers_are_bounded_and_can_be_taken_in_pieces);
    tcase_add_test(c, a_call_that_is_given_up_ends);
    tcase_add_test(c, pieces_need_no_room_in_the_arena);
    tcase_add_test(c, far_side_that_is_silent_away_or_nonsense_is_told_apart);
    tcase_add_test(c, who_says_nothing_more_is_given_up_long_before_the_time_is_over);
    tcase_add_test(c, public_only_refuses_what_is_behind_the_door_also_by_name_and_redirect);
    tcase_add_test(c, environment_sets_no_proxy);
    tcase_add_test(c, unix_socket_is_called_by_its_path);
    tcase_add_test(c, many_threads_call_at_once);
    tcase_add_test(c, only_addresses_of_the_open_internet_are_public);
    tcase_add_test(c, twin_loses_questions_and_answers_as_its_seed_says);
    suite_add_tcase(s, c);
    return s;
}
