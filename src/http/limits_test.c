#include "http/probe.h"

#include <sys/resource.h>

static void ok(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_reply(x, 200, "text/plain", arena_fmt(http_arena(x), "body=%zu", http_body(x).n));
}

static struct http_server *open_ok(struct http_options o)
{
    o.handler.request = o.handler.request != NULL ? o.handler.request : ok;
    return probe_open(&o);
}

static char *repeat(const char *front, const char *part, size_t times, const char *back)
{
    size_t part_n = strlen(part);
    size_t front_n = strlen(front);
    size_t back_n = strlen(back);
    char *text = calloc(1, front_n + part_n * times + back_n + 1);
    char *at = text;
    memcpy(at, front, front_n); /* NOLINT(bugprone-not-null-terminated-result): calloc ends it */
    at += front_n;
    for (; times > 0; times--, at += part_n)
        memcpy(at, part, part_n); /* NOLINT(bugprone-not-null-terminated-result) */
    memcpy(at, back, back_n);
    return text;
}

static int ask_status(struct http_server *s, char *request)
{
    char *r = probe_ask(s, request);
    int status = probe_status(r);
    ck_assert_msg(status == 200 || strstr(r, "Connection: close") != NULL, "%s", r);
    free(r);
    free(request);
    return status;
}

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";

START_TEST(head_of_a_request_is_bounded_in_count_and_bytes)
{
    struct http_server *s = open_ok((struct http_options){0});
    /* Host and Connection count as well. */
    ck_assert_int_eq(ask_status(s, repeat(get, "X-A: b\r\n", 62, "\r\n")), 200);
    ck_assert_int_eq(ask_status(s, repeat(get, "X-A: b\r\n", 63, "\r\n")), 431);
    ck_assert_int_eq(ask_status(s, repeat(get,
                                          "X-A: 0123456789012345678901234567890123456789"
                                          "01234567890123456789012345678901234567890123456789"
                                          "01234567890123456789012345678901234567890123456789"
                                          "01234567890123456789012345678901234567890123456789"
                                          "01234567890123456789012345678901234567890123456789"
                                          "01234567890123456789012345678901234567890123456789"
                                          "\r\n",
                                          60, "\r\n")),
                     431);
    /* Beyond what libmicrohttpd takes at all. */
    char *huge = repeat(get, "X-A: 01234567890123456789012345678901234567890123456789012345678\r\n",
                        (size_t)10 * 1024 * 1024 / 66, "\r\n");
    int fd = probe_connect(http_address(s));
    (void)probe_send(fd, str_c(huge));
    char *r = probe_read_all(fd, NULL);
    ck_assert(probe_status(r) == 431 || r[0] == '\0'); /* a reset may overtake the reply */
    free(r);
    free(huge);
    close(fd);
    ck_assert_int_eq(ask_status(s, repeat(get, "", 0, "\r\n")), 200);
    http_close(s, US_PER_SECOND);
}
END_TEST

static void answer_long_head(void *arg, struct http_exchange *x)
{
    (void)arg;
    struct str value = str_n(NEW_N(http_arena(x), char, 300), 300);
    memset((char *)(uintptr_t)value.p, 'v', value.n);
    for (int i = 0; i < HTTP_REPLY_HEADERS_MAX; i++)
        http_reply_header(x, "X-Long", value);
    http_reply(x, 200, "text/plain", STR("whole"));
}

START_TEST(longest_request_still_gets_the_longest_reply)
{
    struct http_server *s = open_ok((struct http_options){.handler.request = answer_long_head});
    char value[256];
    memset(value, 'a', sizeof value);
    value[227] = '\0';
    char line[256];
    (void)snprintf(line, sizeof line, "X-A: %s\r\n", value + 5);
    char front[1024];
    (void)snprintf(front, sizeof front, "GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n",
                   "?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&a&b&c&d&e&f&g&h&i&j&k&l&m"
                   "&n&o&p&q&r&s&t&u&v&w&x&y&z&a&b&c&d&e&f&g&h&i&j&k&l");
    /* 62 headers of 229 bytes and 64 parameters: 14,400 bytes. */
    char *request = repeat(front, line, 62, "\r\n");
    char *r = probe_ask(s, request);
    ck_assert_int_eq(probe_status(r), 200);
    ck_assert_uint_eq(probe_count(r, "X-Long: "), HTTP_REPLY_HEADERS_MAX);
    ck_assert_ptr_nonnull(strstr(r, "\r\n\r\nwhole"));
    free(r);
    free(request);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(target_is_bounded_in_bytes_and_parameters)
{
    struct http_server *s = open_ok((struct http_options){0});
    const char *back = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    ck_assert_int_eq(ask_status(s, repeat("GET /", "a", 4095, back)), 200);
    ck_assert_int_eq(ask_status(s, repeat("GET /", "a", 4096, back)), 414);
    ck_assert_int_eq(ask_status(s, repeat("GET /?a", "&a", 63, back)), 200);
    ck_assert_int_eq(ask_status(s, repeat("GET /?a", "&a", 64, back)), 400);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- bodies --- */

START_TEST(declared_body_that_is_too_large_is_refused_before_it_is_sent)
{
    struct http_server *s = open_ok((struct http_options){0});
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n")));
    char *r = probe_read_all(fd, NULL);
    ck_assert_int_eq(probe_status(r), 413);
    ck_assert_ptr_nonnull(strstr(r, "\"detail\":\"the body is larger than 1048576 bytes\""));
    free(r);
    close(fd);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(client_that_sends_all_of_a_refused_body_still_reads_the_answer)
{
    struct http_server *s = open_ok((struct http_options){0});
    char *body = repeat("", "0123456789abcdef", (size_t)3 * 65536, "");
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = probe_connect(http_address(s));
        ck_assert(probe_send(
            fd, chunked ? STR("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "300000\r\n")
                        : STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3145728\r\n\r\n")));
        ck_assert(probe_send(fd, str_n(body, (size_t)3 * 1024 * 1024)));
        char *r = probe_read_all(fd, NULL);
        ck_assert_int_eq(probe_status(r), 413);
        free(r);
        close(fd);
    }
    free(body);
    http_close(s, US_PER_SECOND);
}
END_TEST

static void take_more(void *arg, struct http_exchange *x)
{
    http_body_limit(x, *(size_t *)arg);
}

START_TEST(handler_sets_the_limit_of_its_bodies)
{
    size_t limit = (size_t)4 * 1024 * 1024;
    struct http_server *s = open_ok(
        (struct http_options){.handler = {.head = take_more, .request = ok, .arg = &limit}});
    ck_assert_int_eq(ask_status(s, repeat("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                          "Content-Length: 4194304\r\n\r\n",
                                          "0123456789abcdef", 4194304 / 16, "")),
                     200);
    ck_assert_int_eq(
        ask_status(
            s, repeat("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4194305\r\n\r\n", "", 0, "")),
        413);
    http_close(s, US_PER_SECOND);
}
END_TEST

struct sink {
    uint64_t bytes;
    bool refuse;
};

static enum rc take_piece(void *arg, struct str piece, struct err *err)
{
    struct sink *sink = arg;
    sink->bytes += piece.n;
    return sink->refuse ? err_set(err, RC_FULL, "the disk is full") : RC_OK;
}

static void stream_in(void *arg, struct http_exchange *x)
{
    http_body_to(x, (uint64_t)2 * 1024 * 1024, take_piece, arg);
}

START_TEST(body_in_pieces_is_bounded_and_can_be_refused_midway)
{
    struct sink sink = {0};
    struct http_server *s =
        open_ok((struct http_options){.handler = {.head = stream_in, .request = ok, .arg = &sink}});
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                       "Content-Length: 2097152\r\n\r\n";
    ck_assert_int_eq(ask_status(s, repeat(head, "0123456789abcdef", 131072, "")), 200);
    ck_assert_uint_eq(sink.bytes, 2097152);
    ck_assert_int_eq(
        ask_status(s, repeat("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "200001\r\n",
                             "0123456789abcdef", 131072, "x\r\n0\r\n\r\n")),
        413);
    sink.refuse = true;
    ck_assert_int_eq(ask_status(s, repeat(head, "0123456789abcdef", 131072, "")), 507);
    http_close(s, US_PER_SECOND);
}
END_TEST

static void refuse_head(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_reply_header(x, "WWW-Authenticate", STR("Bearer"));
    http_reply(x, 401, "text/plain", STR("who are you?"));
}

START_TEST(refusal_by_head_keeps_the_connection_only_for_short_bodies)
{
    struct http_server *s =
        open_ok((struct http_options){.handler = {.head = refuse_head, .request = ok}});
    int fd = probe_connect(http_address(s));
    for (int i = 0; i < 3; i++) {
        ck_assert(
            probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")));
        char *r = probe_read_reply(fd);
        ck_assert_int_eq(probe_status(r), 401);
        ck_assert_ptr_nonnull(strstr(r, "WWW-Authenticate: Bearer\r\n"));
        free(r);
    }
    ck_assert(probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")));
    char *r = probe_read_all(fd, NULL);
    ck_assert_int_eq(probe_status(r), 401);
    ck_assert_ptr_nonnull(strstr(r, "WWW-Authenticate: Bearer\r\n"));
    ck_assert_ptr_nonnull(strstr(r, "Connection: close\r\n"));
    free(r);
    close(fd);
    r = probe_ask(s, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                     "Expect: 100-continue\r\n\r\n");
    ck_assert_int_eq(probe_status(r), 401);
    free(r);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- time --- */

START_TEST(request_that_trickles_in_is_answered_408)
{
    struct http_server *s = open_ok((struct http_options){.request_us = 60 * US_PER_MS});
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")));
    /* A byte every few milliseconds: never silent, never done. */
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int bytes = 0;
    while (bytes < 1000 && poll(&p, 1, 5) == 0) {
        if (!probe_send(fd, STR("x")))
            break;
        bytes++;
    }
    ck_assert_int_lt(bytes, 1000);
    char *r = probe_read_all(fd, NULL);
    ck_assert_int_eq(probe_status(r), 408);
    const char *length = strstr(r, "Content-Length: ");
    ck_assert_ptr_nonnull(length);
    ck_assert_uint_eq(strtoul(length + 16, NULL, 10), strlen(strstr(r, "\r\n\r\n") + 4));
    free(r);
    close(fd);
    ck_assert_uint_eq(http_counters(s).timeouts, 1);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(connection_that_says_nothing_or_half_a_line_is_closed)
{
    struct http_server *s = open_ok((struct http_options){.idle_us = 60 * US_PER_MS});
    int silent = probe_connect(http_address(s));
    int half = probe_connect(http_address(s));
    int done = probe_connect(http_address(s));
    ck_assert(probe_send(half, STR("GET / HT")));
    ck_assert(probe_send(done, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
    char *r = probe_read_all(done, NULL);
    ck_assert_int_eq(probe_status(r), 200);
    free(r);
    int all[] = {silent, half};
    for (size_t i = 0; i < COUNT(all); i++) {
        r = probe_read_all(all[i], NULL);
        ck_assert_str_eq(r, "");
        free(r);
        close(all[i]);
    }
    close(done);
    ck_assert_uint_eq(http_counters(s).timeouts, 3);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- connections --- */

/* Whether the server keeps a new connection; it stays open in *ret_fd. */
static bool is_served(const struct http_server *s, int *ret_fd)
{
    *ret_fd = probe_connect(http_address(s));
    (void)probe_send(*ret_fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    char *r = probe_read_reply(*ret_fd);
    int status = probe_status(r);
    free(r);
    return status == 200;
}

START_TEST(connections_are_bounded_in_all_and_by_address)
{
    int fds[8];
    struct http_server *s = open_ok((struct http_options){.connections_max = 5});
    for (size_t i = 0; i < COUNT(fds); i++)
        ck_assert_int_eq(is_served(s, &fds[i]), i < 5);
    close(fds[0]);
    /* The place is free as soon as the server has seen the end. */
    int again = -1;
    while (http_counters(s).connections >= 5)
        (void)poll(NULL, 0, 1);
    ck_assert(is_served(s, &again));
    for (size_t i = 1; i < COUNT(fds); i++)
        close(fds[i]);
    close(again);
    http_close(s, US_PER_SECOND);

    s = open_ok((struct http_options){.per_address_max = 3});
    for (size_t i = 0; i < COUNT(fds); i++)
        ck_assert_int_eq(is_served(s, &fds[i]), i < 3);
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(two_thousand_idle_connections_disturb_nobody)
{
    enum { IDLE = 2000 };
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * IDLE + 100)
        return;                           /* the machine allows no such test */
    int64_t long_us = 10 * US_PER_MINUTE; /* none ends before the test does */
    struct http_server *s = open_ok(
        (struct http_options){.per_address_max = 4000, .idle_us = long_us, .request_us = long_us});
    static int fds[IDLE];
    for (size_t i = 0; i < IDLE; i++)
        fds[i] = probe_connect(http_address(s));
    while (http_counters(s).connections < IDLE)
        (void)poll(NULL, 0, 1);
    int fd = -1;
    ck_assert(is_served(s, &fd));
    for (size_t i = 0; i < 500; i++) {
        ck_assert(probe_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
        char *r = probe_read_reply(fd);
        ck_assert_int_eq(probe_status(r), 200);
        free(r);
    }
    ck_assert_uint_eq(http_counters(s).connections, IDLE + 1);
    for (size_t i = 0; i < IDLE; i++)
        close(fds[i]);
    close(fd);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- addresses --- */

static void tell_peer(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_reply(x, 200, "text/plain", http_peer(x));
}

START_TEST(peer_is_the_socket_or_behind_a_proxy_its_last_word)
{
    const char *request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                          "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.7\r\n\r\n";
    struct http_server *s = open_ok((struct http_options){.handler.request = tell_peer});
    char *r = probe_ask(s, request);
    ck_assert_ptr_nonnull(strstr(r, "\r\n\r\n127.0.0.1"));
    free(r);
    http_close(s, US_PER_SECOND);
    s = open_ok((struct http_options){.handler.request = tell_peer, .trust_forwarded = true});
    r = probe_ask(s, request);
    ck_assert_ptr_nonnull(strstr(r, "\r\n\r\n192.0.2.7"));
    free(r);
    r = probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                     "X-Forwarded-For: 192.0.2.7, <script>\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(r, "\r\n\r\n127.0.0.1"));
    free(r);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(address_is_taken_once_and_a_stale_socket_file_is_replaced)
{
    char folder[] = "/tmp/hanse-http-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char address[64];
    int n = snprintf(address, sizeof address, "unix:%s/s", folder);
    struct http_options o = {
        .listen = {address, (size_t)n}, .clock = clock_system(), .handler.request = tell_peer};
    struct err err = {0};
    struct http_server *s = NULL;
    struct http_server *second = NULL;
    ck_assert_int_eq(http_open(&s, &o, &err), RC_OK);
    ck_assert_int_eq(http_open(&second, &o, &err), RC_CONFLICT);
    char *r = probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(r, "\r\n\r\nunix"));
    free(r);
    http_close(s, US_PER_SECOND);
    ck_assert_int_ne(access(address + 5, F_OK), 0);
    /* What a killed server leaves behind. */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, address + 5, (size_t)n - 5);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
    ck_assert_int_eq(http_open(&s, &o, &err), RC_OK);
    http_close(s, US_PER_SECOND);
    rmdir(folder);

    s = open_ok((struct http_options){.listen = STR("[::1]:0")});
    ck_assert(str_starts(http_address(s), STR("[::1]:")));
    http_close(s, 0);
    s = open_ok((struct http_options){0});
    o.listen = http_address(s);
    ck_assert_int_eq(http_open(&second, &o, &err), RC_CONFLICT);
    http_close(s, 0);
    static const char *const bad[] = {
        "",       "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:80", "[::1]",
        "::1:80", "[::1:80",   "unix:",      "unix:relative",   ":80",          "127.0.0.1:-1"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        o.listen = str_c(bad[i]);
        ck_assert_msg(http_open(&second, &o, &err) == RC_INVALID, "%s", bad[i]);
    }
}
END_TEST

Suite *limits_suite(void);
Suite *limits_suite(void)
{
    Suite *s = suite_create("limits");
    TCase *c = tcase_create("limits");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, head_of_a_request_is_bounded_in_count_and_bytes);
    tcase_add_test(c, longest_request_still_gets_the_longest_reply);
    tcase_add_test(c, target_is_bounded_in_bytes_and_parameters);
    tcase_add_test(c, declared_body_that_is_too_large_is_refused_before_it_is_sent);
    tcase_add_test(c, client_that_sends_all_of_a_refused_body_still_reads_the_answer);
    tcase_add_test(c, handler_sets_the_limit_of_its_bodies);
    tcase_add_test(c, body_in_pieces_is_bounded_and_can_be_refused_midway);
    tcase_add_test(c, refusal_by_head_keeps_the_connection_only_for_short_bodies);
    tcase_add_test(c, request_that_trickles_in_is_answered_408);
    tcase_add_test(c, connection_that_says_nothing_or_half_a_line_is_closed);
    tcase_add_test(c, connections_are_bounded_in_all_and_by_address);
    tcase_add_test(c, two_thousand_idle_connections_disturb_nobody);
    tcase_add_test(c, peer_is_the_socket_or_behind_a_proxy_its_last_word);
    tcase_add_test(c, address_is_taken_once_and_a_stale_socket_file_is_replaced);
    suite_add_tcase(s, c);
    return s;
}
