#include "http/probe.h"

#include <pthread.h>
#include <semaphore.h>

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
    ck_assert_uint_eq(http_counters(s).by_class[2], CALLERS * REQUESTS);
    http_close(s, US_PER_SECOND);
    desk_close(&desk);
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
    suite_add_tcase(s, c);
    return s;
}
