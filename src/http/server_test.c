#include "http/gzip.h"
#include "http/probe.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <zlib.h>

/* A handler that tells what it was asked. */
static void echo(void *arg, struct http_exchange *x)
{
    (void)arg;
    struct str body = http_body(x);
    size_t query_count = 0;
    const struct pair *query = http_query(x, &query_count);
    struct buf b;
    buf_init(&b, http_arena(x), 4096);
    buf_fmt(&b, "%.*s %.*s body=%zu", STRF(http_method_name(x)), STRF(http_path(x)), body.n);
    for (size_t i = 0; i < query_count; i++)
        buf_fmt(&b, " %.*s=[%.*s]", STRF(query[i].name), STRF(query[i].value));
    buf_fmt(&b, " x=[%.*s] peer=%.*s", STRF(http_header(x, "X-Test")), STRF(http_peer(x)));
    http_reply(x, 200, "text/plain", buf_str(&b));
}

static const struct http_handler echo_handler = {.request = echo};

START_TEST(request_arrives_whole_and_reply_leaves_whole)
{
    struct http_server *s = probe_open(&(struct http_options){.handler = echo_handler});
    char *r = probe_ask(s, "POST /v1/a%20b/c?q=1%2B1&empty=&flag&t=a+b HTTP/1.1\r\nHost: h\r\n"
                           "X-Test: one\r\nx-test:  two \r\nContent-Length: 5\r\n"
                           "Connection: close\r\n\r\nhello");
    ck_assert_int_eq(probe_status(r), 200);
    ck_assert_ptr_nonnull(strstr(r,
                                 "\r\n\r\nPOST /v1/a b/c body=5 q=[1+1] empty=[] flag=[] t=[a b] "
                                 "x=[one, two] peer=127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(r, "Content-Type: text/plain\r\n"));
    ck_assert_ptr_nonnull(strstr(r, "X-Request-Id: "));
    free(r);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(connection_serves_many_requests_also_pipelined)
{
    struct http_server *s = probe_open(&(struct http_options){.handler = echo_handler});
    int fd = probe_connect(http_address(s));
    for (int i = 0; i < 20; i++) {
        ck_assert(probe_send(fd, STR("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")));
        char *r = probe_read_reply(fd);
        ck_assert_int_eq(probe_status(r), 200);
        free(r);
    }
    ck_assert(probe_send(fd, STR("POST /p1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                                 "GET /p2 HTTP/1.1\r\nHost: h\r\n\r\n"
                                 "POST /p3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                                 "\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n"
                                 "GET /p4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
    char *r = probe_read_all(fd, NULL);
    ck_assert_uint_eq(probe_count(r, "HTTP/1.1 200 OK"), 4);
    ck_assert_ptr_nonnull(strstr(r, "POST /p1 body=3"));
    ck_assert_ptr_nonnull(strstr(r, "POST /p3 body=9"));
    ck_assert(strstr(r, "/p1") < strstr(r, "/p2") && strstr(r, "/p2") < strstr(r, "/p3"));
    free(r);
    close(fd);
    ck_assert_uint_eq(http_counters(s).requests, 24);
    ck_assert_uint_eq(http_counters(s).by_class[2], 24);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(head_is_answered_without_body_and_expect_with_continue)
{
    struct http_server *s = probe_open(&(struct http_options){.handler = echo_handler});
    char *r = probe_ask(s, "HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(probe_status(r), 200);
    ck_assert_ptr_nonnull(strcasestr(r, "Content-Length: "));
    ck_assert_str_eq(strstr(r, "\r\n\r\n"), "\r\n\r\n");
    free(r);
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                                 "Expect: 100-continue\r\nConnection: close\r\n\r\n")));
    r = probe_read_reply(fd);
    ck_assert_int_eq(probe_status(r), 100);
    free(r);
    ck_assert(probe_send(fd, STR("ok")));
    r = probe_read_all(fd, NULL);
    ck_assert_int_eq(probe_status(r), 200);
    ck_assert_ptr_nonnull(strstr(r, "body=2"));
    free(r);
    close(fd);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- holding: a thread of workers answers --- */

struct desk {
    pthread_t threads[3];
    pthread_mutex_t mutex;
    sem_t work;
    struct http_exchange *queue[4096];
    size_t first, last;
    bool stop;
};

static void *desk_run(void *arg)
{
    struct desk *d = arg;
    for (;;) {
        while (sem_wait(&d->work) != 0)
            ;
        pthread_mutex_lock(&d->mutex);
        struct http_exchange *x =
            d->first < d->last ? d->queue[d->first++ % COUNT(d->queue)] : NULL;
        pthread_mutex_unlock(&d->mutex);
        if (x == NULL)
            return NULL;
        http_reply(x, 201, "text/plain", arena_fmt(http_arena(x), "held %.*s", STRF(http_body(x))));
        http_send(x);
    }
}

static void desk_handle(void *arg, struct http_exchange *x)
{
    struct desk *d = arg;
    http_hold(x);
    pthread_mutex_lock(&d->mutex);
    d->queue[d->last++ % COUNT(d->queue)] = x;
    pthread_mutex_unlock(&d->mutex);
    sem_post(&d->work);
}

static void desk_open(struct desk *d)
{
    *d = (struct desk){0};
    pthread_mutex_init(&d->mutex, NULL);
    sem_init(&d->work, 0, 0);
    for (size_t i = 0; i < COUNT(d->threads); i++)
        ck_assert_int_eq(pthread_create(&d->threads[i], NULL, desk_run, d), 0);
}

static void desk_close(struct desk *d)
{
    for (size_t i = 0; i < COUNT(d->threads); i++)
        sem_post(&d->work);
    for (size_t i = 0; i < COUNT(d->threads); i++)
        pthread_join(d->threads[i], NULL);
}

struct caller {
    pthread_t thread;
    const struct http_server *server;
    size_t requests;
};

static void *caller_run(void *arg)
{
    struct caller *c = arg;
    int fd = probe_connect(http_address(c->server));
    for (size_t i = 0; i < c->requests; i++) {
        char request[128];
        int n = snprintf(request, sizeof request,
                         "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n%06zu", i);
        ck_assert(probe_send(fd, str_n(request, (size_t)n)));
        char *r = probe_read_reply(fd);
        ck_assert_int_eq(probe_status(r), 201);
        ck_assert_ptr_nonnull(strstr(r, "held "));
        ck_assert_uint_eq(strtoul(strstr(r, "held ") + 5, NULL, 10), i);
        free(r);
    }
    close(fd);
    return NULL;
}

START_TEST(held_replies_come_from_other_threads_by_the_thousand)
{
    enum { CALLERS = 16, REQUESTS = 500 };
    struct desk desk;
    desk_open(&desk);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = desk_handle, .arg = &desk}});
    struct caller callers[CALLERS];
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.server = s, .requests = REQUESTS};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
    ck_assert_uint_eq(http_counters(s).by_class[2], (size_t)CALLERS * REQUESTS);
    http_close(s, US_PER_SECOND);
    desk_close(&desk);
}
END_TEST

START_TEST(client_that_leaves_while_held_harms_nobody)
{
    struct desk desk;
    desk_open(&desk);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = desk_handle, .arg = &desk}});
    for (int i = 0; i < 300; i++) {
        int fd = probe_connect(http_address(s));
        ck_assert(probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")));
        if (i % 2 == 0) { /* with a reset instead of an orderly end */
            const struct linger now = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        close(fd);
    }
    http_close(s, 10 * US_PER_SECOND);
    desk_close(&desk);
}
END_TEST

/* --- closing --- */

struct gate {
    sem_t entered;
    struct http_exchange *_Atomic held;
};

static void wait_at_gate(void *arg, struct http_exchange *x)
{
    struct gate *g = arg;
    http_hold(x);
    g->held = x;
    sem_post(&g->entered);
}

static void *close_server(void *arg)
{
    http_close(arg, 20 * US_PER_SECOND);
    return NULL;
}

START_TEST(close_lets_requests_in_flight_finish_and_takes_no_more)
{
    struct gate gate = {0};
    sem_init(&gate.entered, 0, 0);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = wait_at_gate, .arg = &gate}});
    struct str address = http_address(s);
    char text[64];
    memcpy(text, address.p, address.n);
    address.p = text;
    int idle = probe_connect(address);
    int fd = probe_connect(address);
    ck_assert(probe_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
    sem_wait(&gate.entered);
    pthread_t closer;
    ck_assert_int_eq(pthread_create(&closer, NULL, close_server, s), 0);
    while (!http_closing(gate.held))
        (void)poll(NULL, 0, 1);
    /* New connections are refused while the old request is still being worked on. */
    int late = socket(AF_INET, SOCK_STREAM, 0);
    size_t colon = str_find(address, ':', 0);
    int64_t port = 0;
    ck_assert(str_to_i64(str_sub(address, colon + 1, address.n), 1, 65535, &port));
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_ne(connect(late, (struct sockaddr *)&in, sizeof in), 0);
    close(late);
    http_reply(gate.held, 200, "text/plain", STR("just in time"));
    http_send(gate.held);
    char *r = probe_read_all(fd, NULL);
    ck_assert_int_eq(probe_status(r), 200);
    ck_assert_ptr_nonnull(strstr(r, "Connection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(r, "just in time"));
    free(r);
    pthread_join(closer, NULL);
    r = probe_read_all(idle, NULL);
    ck_assert_str_eq(r, "");
    free(r);
    close(idle);
    close(fd);
}
END_TEST

START_TEST(close_does_not_wait_for_clients_longer_than_told)
{
    struct http_server *s = probe_open(&(struct http_options){.handler = echo_handler});
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")));
    while (http_counters(s).requests < 1)
        (void)poll(NULL, 0, 1);
    http_close(s, 10 * US_PER_MS);
    char *r = probe_read_all(fd, NULL);
    ck_assert_str_eq(r, "");
    free(r);
    close(fd);
    http_close(NULL, 0);
}
END_TEST

/* --- what a handler takes and gives back --- */

static _Atomic int taken;

static void give_back(void *arg)
{
    taken -= *(int *)arg;
}

static void take(void *arg, struct http_exchange *x)
{
    (void)arg;
    static int one = 1;
    static int ten = 10;
    taken += 11;
    http_at_end(x, give_back, &one);
    http_at_end(x, give_back, &ten);
}

START_TEST(at_end_is_called_once_however_the_request_ends)
{
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.head = take, .request = echo}});
    for (int i = 0; i < 50; i++) {
        int fd = probe_connect(http_address(s));
        ck_assert(probe_send(
            fd, i % 2 == 0 ? STR("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")
                           : STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
        if (i % 3 == 0)
            free(i % 2 == 0 ? NULL : probe_read_reply(fd));
        close(fd);
    }
    http_close(s, 100 * US_PER_MS);
    ck_assert_int_eq(taken, 0);
}
END_TEST

static void forget_to_reply(void *arg, struct http_exchange *x)
{
    (void)arg;
    (void)x;
}

START_TEST(handler_that_says_nothing_is_a_bug)
{
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = forget_to_reply}});
    free(probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
}
END_TEST

static void forge_header(void *arg, struct http_exchange *x)
{
    (void)arg;
    http_reply_header(x, "Location", STR("/a\r\nSet-Cookie: b"));
    http_reply(x, 302, "", STR(""));
}

START_TEST(line_end_in_a_reply_header_is_a_bug)
{
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = forge_header}});
    free(probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
}
END_TEST

/* --- compression --- */

static void say_much(void *arg, struct http_exchange *x)
{
    const char *type = arg;
    struct buf b;
    buf_init(&b, http_arena(x), (size_t)64 * 1024);
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "{\"line\":%d},", i);
    http_reply_header(x, "ETag", STR("\"v1\""));
    http_reply(x, 200, type, buf_str(&b));
}

START_TEST(long_text_is_compressed_for_those_who_take_it)
{
    static char json[] = "application/json";
    static char png[] = "image/png";
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = say_much, .arg = json}});
    char *plain = probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(plain, "Vary: Accept-Encoding\r\n"));
    ck_assert_ptr_null(strstr(plain, "Content-Encoding"));
    const char *want = strstr(plain, "\r\n\r\n") + 4;
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                 "Accept-Encoding: br, gzip;q=0.5\r\n\r\n")));
    size_t n = 0;
    char *packed = probe_read_all(fd, &n);
    close(fd);
    ck_assert_ptr_nonnull(strstr(packed, "Content-Encoding: gzip\r\n"));
    ck_assert_ptr_nonnull(strstr(packed, "ETag: \"v1\"\r\n"));
    char *body = strstr(packed, "\r\n\r\n") + 4;
    z_stream z = {.next_in = (Bytef *)body, .avail_in = (uInt)(n - (size_t)(body - packed))};
    ck_assert_int_eq(inflateInit2(&z, 31), Z_OK);
    char *got = calloc(1, (size_t)64 * 1024);
    z.next_out = (Bytef *)got;
    z.avail_out = 64 * 1024;
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_lt(n, strlen(want) / 3);
    ck_assert_str_eq(got, want);
    (void)inflateEnd(&z);
    free(got);
    free(packed);
    free(plain);
    http_close(s, US_PER_SECOND);
    s = probe_open(&(struct http_options){.handler = {.request = say_much, .arg = png}});
    plain = probe_ask(s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                         "Accept-Encoding: gzip\r\n\r\n");
    ck_assert_ptr_null(strstr(plain, "Content-Encoding"));
    free(plain);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(accept_encoding_is_read_with_its_weights)
{
    static const struct {
        const char *text;
        bool accepted;
    } cases[] = {
        {"gzip", true},
        {"GZIP", true},
        {"x-gzip", true},
        {"", false},
        {"br", false},
        {"gzip;q=0", false},
        {"gzip;q=0.0", false},
        {"gzip; q=0.001", true},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false},
        {"*;q=0,gzip", true},
        {"identity, gzip", true},
        {"gzip;q=2", false},
        {"gzip;q=x", false},
        {"gzip;level=1", false},
        {"deflate,,gzip", true},
        {"gzip;q=0.5000", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(gzip_is_accepted(str_c(cases[i].text)) == cases[i].accepted, "%s",
                      cases[i].text);
}
END_TEST

Suite *server_suite(void);
Suite *server_suite(void)
{
    Suite *s = suite_create("server");
    TCase *c = tcase_create("server");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, request_arrives_whole_and_reply_leaves_whole);
    tcase_add_test(c, connection_serves_many_requests_also_pipelined);
    tcase_add_test(c, head_is_answered_without_body_and_expect_with_continue);
    tcase_add_test(c, held_replies_come_from_other_threads_by_the_thousand);
    tcase_add_test(c, client_that_leaves_while_held_harms_nobody);
    tcase_add_test(c, close_lets_requests_in_flight_finish_and_takes_no_more);
    tcase_add_test(c, close_does_not_wait_for_clients_longer_than_told);
    tcase_add_test(c, at_end_is_called_once_however_the_request_ends);
    tcase_add_test_raise_signal(c, handler_that_says_nothing_is_a_bug, SIGABRT);
    tcase_add_test_raise_signal(c, line_end_in_a_reply_header_is_a_bug, SIGABRT);
    tcase_add_test(c, long_text_is_compressed_for_those_who_take_it);
    tcase_add_test(c, accept_encoding_is_read_with_its_weights);
    suite_add_tcase(s, c);
    return s;
}
