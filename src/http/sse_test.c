#include "http/probe.h"
#include "http/sse.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* --- the format --- */

static struct arena arena;

static const char *format(const char *id, const char *event, const char *data)
{
    struct buf b;
    buf_init(&b, &arena, 4096);
    sse_format(&b, str_c(id), str_c(event), str_c(data));
    ck_assert(!b.full);
    return arena_cstr(&arena, buf_str(&b));
}

START_TEST(event_keeps_its_lines_whatever_ends_them)
{
    arena_init(&arena, (size_t)1024 * 1024);
    ck_assert_str_eq(format("7", "a.b", "x"), "id: 7\nevent: a.b\ndata: x\n\n");
    ck_assert_str_eq(format("", "", ""), "data: \n\n");
    ck_assert_str_eq(format("", "", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    ck_assert_str_eq(format("", "", "a\n\nid: 9"), "data: a\ndata: \ndata: id: 9\n\n");
    arena_fini(&arena);
}
END_TEST

START_TEST(line_end_in_a_name_is_a_bug)
{
    arena_init(&arena, (size_t)1024 * 1024);
    (void)format("", "a\ndata: forged", "");
}
END_TEST

/* --- the stream --- */

struct board {
    pthread_mutex_t mutex;
    struct sse *streams[64];
    size_t count;
    _Atomic int ended;
    size_t queue_max;
    char last_id[64];
};

struct seat {
    struct board *board;
    struct sse *sse;
};

static void leave(void *arg)
{
    struct seat *seat = arg;
    struct board *b = seat->board;
    pthread_mutex_lock(&b->mutex);
    for (size_t i = 0; i < b->count; i++)
        if (b->streams[i] == seat->sse)
            b->streams[i] = b->streams[--b->count];
    pthread_mutex_unlock(&b->mutex);
    b->ended++;
    free(seat);
}

static void subscribe(void *arg, struct http_exchange *x)
{
    struct board *b = arg;
    struct str last = sse_last_id(x);
    struct seat *seat = calloc(1, sizeof *seat);
    pthread_mutex_lock(&b->mutex);
    memcpy(b->last_id, last.p != NULL ? last.p : "", min_size(last.n, sizeof b->last_id - 1));
    seat->board = b;
    seat->sse = sse_open(x, b->queue_max, leave, seat);
    b->streams[b->count++] = seat->sse;
    pthread_mutex_unlock(&b->mutex);
}

static void publish(struct board *b, uint64_t id)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    pthread_mutex_lock(&b->mutex);
    for (size_t i = 0; i < b->count; i++)
        (void)sse_send(b->streams[i], str_n(text, (size_t)n), STR("tick"), STR("{}"));
    pthread_mutex_unlock(&b->mutex);
}

static size_t subscribers(struct board *b)
{
    pthread_mutex_lock(&b->mutex);
    size_t count = b->count;
    pthread_mutex_unlock(&b->mutex);
    return count;
}

static int open_stream(const struct http_server *s)
{
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("GET /events HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 41\r\n\r\n")));
    return fd;
}

/* By HTTP/1.0: the bytes come as they are, without chunks that cut events in two. */
static int open_plain_stream(const struct http_server *s)
{
    int fd = probe_connect(http_address(s));
    ck_assert(probe_send(fd, STR("GET /events HTTP/1.0\r\nLast-Event-ID: 41\r\n\r\n")));
    return fd;
}

/* Reads until the event with this id has come; all before it came in order. */
static void read_until(int fd, uint64_t last)
{
    char *text = malloc(PROBE_TEXT_MAX);
    size_t n = 0;
    uint64_t next = 1;
    const char *at = text;
    text[0] = '\0';
    while (next <= last) {
        ck_assert(probe_more(fd, text, &n));
        for (const char *id; (id = strstr(at, "id: ")) != NULL && strchr(id, '\n') != NULL;) {
            ck_assert_uint_eq(strtoull(id + 4, NULL, 10), next);
            next++;
            at = strchr(id, '\n');
        }
    }
    free(text);
}

struct reader {
    pthread_t thread;
    int fd;
    uint64_t last;
};

static void *reader_run(void *arg)
{
    struct reader *r = arg;
    read_until(r->fd, r->last);
    return NULL;
}

START_TEST(every_event_reaches_every_reader_in_order_whatever_the_race)
{
    enum { READERS = 8, EVENTS = 3000 };
    struct board board = {.queue_max = (size_t)1024 * 1024};
    pthread_mutex_init(&board.mutex, NULL);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = subscribe, .arg = &board}});
    struct reader readers[READERS];
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.fd = open_plain_stream(s), .last = EVENTS};
        ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, reader_run, &readers[i]), 0);
    }
    while (subscribers(&board) < READERS)
        (void)poll(NULL, 0, 1);
    ck_assert_str_eq(board.last_id, "41");
    for (uint64_t id = 1; id <= EVENTS; id++)
        publish(&board, id);
    /* Nothing more is published: a lost wake-up would leave a reader waiting for ever. */
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    for (size_t i = 0; i < READERS; i++)
        close(readers[i].fd);
    http_close(s, US_PER_SECOND);
    ck_assert_int_eq(board.ended, READERS);
}
END_TEST

START_TEST(stream_ends_for_a_client_that_left_or_does_not_read)
{
    struct board board = {.queue_max = (size_t)64 * 1024};
    pthread_mutex_init(&board.mutex, NULL);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = subscribe, .arg = &board}});
    int gone = open_stream(s);
    while (subscribers(&board) < 1)
        (void)poll(NULL, 0, 1);
    close(gone);
    for (uint64_t id = 1; board.ended < 1; id++) {
        publish(&board, id);
        (void)poll(NULL, 0, 1);
    }
    /* This one stays and does not read: the queue overruns, and what is queued ends the stream. */
    int deaf = open_stream(s);
    while (subscribers(&board) < 1)
        (void)poll(NULL, 0, 1);
    bool full = false;
    char *data = malloc((size_t)16 * 1024);
    memset(data, 'x', (size_t)16 * 1024);
    while (!full) {
        pthread_mutex_lock(&board.mutex);
        full = !sse_send(board.streams[0], STR(""), STR(""), str_n(data, (size_t)16 * 1024));
        pthread_mutex_unlock(&board.mutex);
    }
    free(data);
    char *text = malloc(PROBE_TEXT_MAX);
    size_t n = 0;
    while (board.ended < 2) {
        ck_assert(probe_more(deaf, text, &n));
        n = 0;
    }
    free(text);
    close(deaf);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(closing_the_server_ends_its_streams_in_good_order)
{
    struct board board = {.queue_max = (size_t)64 * 1024};
    pthread_mutex_init(&board.mutex, NULL);
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = subscribe, .arg = &board}});
    int fd = open_stream(s);
    while (subscribers(&board) < 1)
        (void)poll(NULL, 0, 1);
    publish(&board, 1);
    http_close(s, 10 * US_PER_SECOND);
    ck_assert_int_eq(board.ended, 1);
    size_t n = 0;
    char *r = probe_read_all(fd, &n);
    ck_assert_ptr_nonnull(strstr(r, "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(r, "X-Accel-Buffering: no\r\n"));
    ck_assert_ptr_nonnull(strstr(r, "id: 1\nevent: tick\ndata: {}\n\n"));
    ck_assert_str_eq(r + n - 5,
                     "0\r\n\r\n"); /* the last chunk: the end is meant, not an accident */
    free(r);
    close(fd);
}
END_TEST

Suite *sse_suite(void);
Suite *sse_suite(void)
{
    Suite *s = suite_create("sse");
    TCase *c = tcase_create("sse");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, event_keeps_its_lines_whatever_ends_them);
    tcase_add_test_raise_signal(c, line_end_in_a_name_is_a_bug, SIGABRT);
    tcase_add_test(c, every_event_reaches_every_reader_in_order_whatever_the_race);
    tcase_add_test(c, stream_ends_for_a_client_that_left_or_does_not_read);
    tcase_add_test(c, closing_the_server_ends_its_streams_in_good_order);
    suite_add_tcase(s, c);
    return s;
}
