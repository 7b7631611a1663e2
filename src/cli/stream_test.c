#include "cli/stream.h"

#include <check.h>

static struct arena arena;
static struct stream stream;
static struct buf seen;
static enum rc answer;

/* "event|data|id;" for each event. */
static enum rc keep(void *arg, const struct stream_event *event, struct err *err)
{
    (void)arg;
    (void)err;
    buf_fmt(&seen, "%.*s|%.*s|%.*s;", STRF(event->event), STRF(event->data), STRF(event->id));
    return answer;
}

static void setup(void)
{
    arena_init(&arena, (size_t)32 * 1024 * 1024);
    buf_init(&seen, &arena, (size_t)4 * 1024 * 1024);
    stream_init(&stream, &arena, keep, NULL);
    answer = RC_OK;
}

static void teardown(void)
{
    arena_fini(&arena);
}

static void feed(struct str piece)
{
    struct err err;
    err_clear(&err);
    ck_assert_int_eq(stream_feed(&stream, piece, &err), RC_OK);
}

static void check_seen(const char *want)
{
    struct str got = buf_str(&seen);
    ck_assert_msg(str_eq(got, str_c(want)), "want %s\n got %.*s", want, STRF(got));
}

START_TEST(events_come_out_whole)
{
    feed(STR("id: 7\nevent: party.created\ndata: {\"a\":1}\n\n"));
    check_seen("party.created|{\"a\":1}|7;");
    ck_assert(str_eq(stream_last_id(&stream), STR("7")));
}
END_TEST

START_TEST(the_examples_of_the_standard_hold)
{
    /* WHATWG HTML 9.2.6: "data" lines join, one space is dropped, comments are ignored. */
    feed(STR("data: YHOO\ndata: +2\ndata: 10\n\n"));
    feed(STR(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
             "event\n\n"));
    check_seen("message|YHOO\n+2\n10|;message|first event|1;message|second event|;"
               "message| third event|;");
    buf_reset(&seen);
    feed(STR("data\n\ndata\ndata\n\ndata:"));
    check_seen("message||;message|\n|;");
    buf_reset(&seen);
    stream_restart(&stream);
    feed(STR("data:test\n\ndata: test\n\n"));
    check_seen("message|test|;message|test|;");
}
END_TEST

START_TEST(an_event_without_data_is_none)
{
    feed(STR("event: lonely\nid: 9\n\ndata: x\n\n"));
    check_seen("message|x|9;");
}
END_TEST

static const char all_line_ends[] = "\xEF\xBB\xBFid: 1\r\nevent: a\r\ndata: caf\xC3\xA9\r\n\r\n"
                                    "id: 2\revent: b\rdata: x\rdata: y\r\r"
                                    "id: 3\nevent: c\ndata: z\n\n: ping\n\nretry: 1500\n";
static const char all_events[] = "a|caf\xC3\xA9|1;b|x\ny|2;c|z|3;";

/* Cut at every place, and into single bytes: borders of pieces mean nothing. */
START_TEST(borders_of_pieces_mean_nothing)
{
    struct str text = str_c(all_line_ends);
    for (size_t cut = 0; cut <= text.n; cut++) {
        buf_reset(&seen);
        stream_init(&stream, &arena, keep, NULL);
        feed(str_sub(text, 0, cut));
        feed(str_sub(text, cut, text.n));
        check_seen(all_events);
        ck_assert_int_eq(stream.retry_us, 1500 * US_PER_MS);
        arena_reset(&arena);
        buf_init(&seen, &arena, (size_t)4 * 1024 * 1024);
    }
    stream_init(&stream, &arena, keep, NULL);
    for (size_t i = 0; i < text.n; i++)
        feed(str_sub(text, i, i + 1));
    check_seen(all_events);
}
END_TEST

START_TEST(a_restart_forgets_half_an_event_and_keeps_the_id)
{
    feed(STR("id: 4\ndata: whole\n\nid: 5\ndata: ha"));
    stream_restart(&stream);
    feed(STR("data: next\n\n"));
    check_seen("message|whole|4;message|next|5;");
}
END_TEST

START_TEST(ids_that_could_not_be_a_header_are_dropped)
{
    feed(STR("id: 1\n\nid: a\tb\n\n"));
    ck_assert(str_eq(stream_last_id(&stream), STR("1")));
    feed(str_n("id: a\0b\n\n", 9));
    ck_assert(str_eq(stream_last_id(&stream), STR("1")));
}
END_TEST

START_TEST(endless_lines_and_events_are_refused)
{
    struct err err;
    err_clear(&err);
    char *bytes = arena_bytes(&arena, STREAM_BYTES_MAX + 1);
    memset(bytes, 'x', STREAM_BYTES_MAX + 1);
    ck_assert_int_eq(stream_feed(&stream, str_n(bytes, STREAM_BYTES_MAX + 1), &err), RC_TOO_LARGE);

    stream_init(&stream, &arena, keep, NULL);
    enum rc rc = RC_OK;
    size_t line = (size_t)64 * 1024;
    (void)snprintf(bytes, line, "data:");
    bytes[5] = 'x';
    bytes[line - 1] = '\n';
    for (int i = 0; i < 20 && rc == RC_OK; i++)
        rc = stream_feed(&stream, str_n(bytes, line), &err);
    ck_assert_int_eq(rc, RC_TOO_LARGE);
}
END_TEST

START_TEST(the_listener_can_stop_the_stream)
{
    struct err err;
    err_clear(&err);
    answer = RC_GONE;
    ck_assert_int_eq(stream_feed(&stream, STR("data: 1\n\ndata: 2\n\n"), &err), RC_GONE);
    check_seen("message|1|;");
}
END_TEST

Suite *stream_suite(void);
Suite *stream_suite(void)
{
    Suite *s = suite_create("stream");
    TCase *c = tcase_create("stream");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, events_come_out_whole);
    tcase_add_test(c, the_examples_of_the_standard_hold);
    tcase_add_test(c, an_event_without_data_is_none);
    tcase_add_test(c, borders_of_pieces_mean_nothing);
    tcase_add_test(c, a_restart_forgets_half_an_event_and_keeps_the_id);
    tcase_add_test(c, ids_that_could_not_be_a_header_are_dropped);
    tcase_add_test(c, endless_lines_and_events_are_refused);
    tcase_add_test(c, the_listener_can_stop_the_stream);
    suite_add_tcase(s, c);
    return s;
}
