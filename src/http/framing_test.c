#include "http/framing.h"
#include "http/probe.h"

#define H         "Host: h\r\n"
#define LABEL     "0123456789012345678901234567890123456789012345678901234567890."
#define LONG_HOST LABEL LABEL LABEL LABEL LABEL

/* --- from outside: each of these must be refused, and nothing behind it may be served --- */

static const struct {
    const char *name;
    const char *request;
    size_t n; /* 0: a C string */
} refused[] = {
    {"length and chunked",
     "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\nGET /smuggled HTTP/1.1\r\n" H "\r\n",
     0},
    {"chunked and length",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
     "0\r\n\r\nGET /smuggled HTTP/1.1\r\n" H "\r\n",
     0},
    {"two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
     0},
    {"one length twice",
     "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 0},
    {"list of lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello", 0},
    {"length with plus", "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", 0},
    {"negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\nhello", 0},
    {"hexadecimal length", "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", 0},
    {"space behind length", "POST / HTTP/1.1\r\n" H "Content-Length: 5 \r\n\r\nhello", 0},
    {"empty length", "POST / HTTP/1.1\r\n" H "Content-Length: \r\n\r\nhello", 0},
    {"endless length",
     "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\nhello", 0},
    {"unknown encoding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0},
    {"unknown encoding and length",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc", 0},
    {"two encodings in one",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0},
    {"two encodings",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n",
     0},
    {"space behind encoding",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n", 0},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     0},
    {"space before colon", "POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\nhello", 0},
    {"tab before colon", "POST / HTTP/1.1\r\n" H "Content-Length\t: 5\r\n\r\nhello", 0},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 0},
    {"two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 0},
    {"host that is too long", "GET / HTTP/1.1\r\nHost: " LONG_HOST "\r\n\r\n", 0},
    {"host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0},
    {"another host in the address", "GET http://g/ HTTP/1.1\r\n" H "\r\n", 0},
    {"folded line", "GET / HTTP/1.1\r\n" H "X-A: a\r\n b\r\n\r\n", 0},
    {"folded first line", "GET / HTTP/1.1\r\n X-A: a\r\n" H "\r\n", 0},
    {"bare LF", "GET / HTTP/1.1\nHost: h\nX-A: 1\n\n", 0},
    {"one bare LF", "GET / HTTP/1.1\r\n" H "X-A: 1\nX-B: 2\r\n\r\n", 0},
    {"bare LF behind the request line", "GET / HTTP/1.1\n" H "\r\n", 0},
    {"bare CR", "GET / HTTP/1.1\r\n" H "X-A: 1\rX-B: 2\r\n\r\n", 0},
    {"control character", "GET / HTTP/1.1\r\n" H "X-A: a\x01z\r\n\r\n", 0},
    {"line without colon", "GET / HTTP/1.1\r\n" H "XA\r\n\r\n", 0},
    {"header without name", "GET / HTTP/1.1\r\n: x\r\n" H "\r\n", 0},
    {"space in the address", "GET /a b HTTP/1.1\r\n" H "\r\n", 0},
    {"HTTP/2", "GET / HTTP/2.0\r\n" H "\r\n", 0},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 0},
    {"HTTP/0.9", "GET /\r\n\r\n", 0},
    {"http/1.1", "GET / http/1.1\r\n" H "\r\n", 0},
    {"method that is no word", "G\"ET / HTTP/1.1\r\n" H "\r\n", 0},
    {"expectation that nobody knows", "GET / HTTP/1.1\r\n" H "Expect: money\r\n\r\n", 0},
    {"chunk of no number",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 0},
    {"chunk of 2^64",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n", 0},
    {"chunk that does not end",
     "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", 0},
#define BYTES(text) text, sizeof(text) - 1
    {"NUL in a value", BYTES("GET / HTTP/1.1\r\n" H "X-A: a\0z\r\nX-B: c\r\n\r\n")},
    {"NUL in the last value", BYTES("GET / HTTP/1.1\r\n" H "X-A: a\0z\r\n\r\n")},
    {"NUL in a name", BYTES("GET / HTTP/1.1\r\n" H "X\0A: a\r\n\r\n")},
    {"NUL in the address", BYTES("GET /a\0z HTTP/1.1\r\n" H "\r\n")},
};

static void count_call(void *arg, struct http_exchange *x)
{
    _Atomic int *calls = arg;
    (*calls)++;
    http_reply(x, 200, "text/plain", STR("served"));
}

START_TEST(what_two_servers_could_read_differently_is_refused_and_closed)
{
    _Atomic int calls = 0;
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = count_call, .arg = &calls}});
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct str request = {refused[i].request,
                              refused[i].n > 0 ? refused[i].n : strlen(refused[i].request)};
        int fd = probe_connect(http_address(s));
        (void)probe_send(fd, request);
        char *r = probe_read_all(fd, NULL); /* ends because the server closes */
        int status = probe_status(r);
        ck_assert_msg(status == 400 || status == 413 || status == 505, "%s: %d", refused[i].name,
                      status);
        ck_assert_msg(strstr(r, "Connection: close") != NULL, "%s", refused[i].name);
        ck_assert_msg(calls == 0, "%s was served", refused[i].name);
        free(r);
        close(fd);
    }
    char *r = probe_ask(s, "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    ck_assert_int_eq(probe_status(r), 200);
    free(r);
    http_close(s, US_PER_SECOND);
}
END_TEST

START_TEST(refusal_is_a_problem_with_the_id_of_the_request)
{
    _Atomic int calls = 0;
    struct http_server *s =
        probe_open(&(struct http_options){.handler = {.request = count_call, .arg = &calls}});
    char *r = probe_ask(s, "GET / HTTP/1.1\r\n" H H "\r\n");
    ck_assert_ptr_nonnull(strstr(r, "Content-Type: application/problem+json\r\n"));
    ck_assert_ptr_nonnull(
        strstr(r, "{\"type\":\"about:blank\",\"title\":\"The request cannot be read\","
                  "\"status\":400,\"detail\":\"Host came twice\",\"request_id\":\""));
    const char *id = strstr(r, "X-Request-Id: ") + 14;
    ck_assert_int_eq(strncmp(strstr(r, "\"request_id\":\"") + 14, id, 16), 0);
    free(r);
    http_close(s, US_PER_SECOND);
}
END_TEST

/* --- inside --- */

static enum rc check(const char *version, const struct pair *headers, size_t count,
                     struct framing *ret)
{
    struct err err = {0};
    enum rc rc = framing_check(str_c(version), headers, count, ret, &err);
    ck_assert(rc == RC_OK || err.text_n > 0);
    return rc;
}

#define PAIR(n, v)                \
    (struct pair)                 \
    {                             \
        STR_INIT(n), STR_INIT(v), \
    }

START_TEST(length_and_chunked_are_read_as_they_stand)
{
    struct framing f = {.length = 77};
    const struct pair host = PAIR("HOST", "a.example:8420");
    ck_assert_int_eq(check("HTTP/1.1", &host, 1, &f), RC_OK);
    ck_assert(!f.chunked && f.length == 0 && str_eq(f.host, STR("a.example:8420")));
    const struct pair length[] = {host, PAIR("content-length", "0123")};
    ck_assert_int_eq(check("HTTP/1.1", length, 2, &f), RC_OK);
    ck_assert_uint_eq(f.length, 123);
    const struct pair chunked[] = {host, PAIR("Transfer-Encoding", "Chunked"),
                                   PAIR("Expect", "100-Continue ")};
    ck_assert_int_eq(check("HTTP/1.1", chunked, 3, &f), RC_OK);
    ck_assert(f.chunked && f.expects_continue && f.length == 0);
    ck_assert_int_eq(check("HTTP/1.0", NULL, 0, &f), RC_OK);
    ck_assert_int_eq(check("HTTP/3", &host, 1, &f), RC_UNSUPPORTED);
}
END_TEST

START_TEST(failure_writes_nothing)
{
    struct framing f = {.length = 77};
    const struct pair twice[] = {PAIR("Host", "h"), PAIR("Content-Length", "1"),
                                 PAIR("Content-Length", "1")};
    ck_assert_int_eq(check("HTTP/1.1", twice, 3, &f), RC_SYNTAX);
    ck_assert_uint_eq(f.length, 77);
    const struct pair digits[] = {PAIR("Host", "h"), PAIR("Content-Length", "1234567890123456")};
    ck_assert_int_eq(check("HTTP/1.1", digits, 2, &f), RC_SYNTAX);
}
END_TEST

START_TEST(lines_must_lie_a_line_end_apart)
{
    /* As libmicrohttpd leaves "GET /a HTTP/1.1 CRLF A: b CRLF C: d CRLF CRLF" behind. */
    char head[] = "GET\0/a\0HTTP/1.1\0\0A\0 b\0\0C\0 d\0\0\0\0";
    struct err err = {0};
    struct pair headers[] = {{{head + 17, 1}, {head + 20, 1}}, {{head + 23, 1}, {head + 26, 1}}};
    ck_assert_int_eq(framing_check_layout(head + 4, 2, head + 7, headers, 2, &err), RC_OK);
    ck_assert_int_eq(framing_check_layout(head + 4, 2, head + 7, headers, 0, &err), RC_OK);
    ck_assert_int_eq(framing_check_layout(head + 4, 1, head + 7, headers, 2, &err), RC_SYNTAX);
    ck_assert_int_eq(framing_check_layout(head + 4, 2, head + 7, headers + 1, 1, &err), RC_SYNTAX);
    head[28] = 'x';
    ck_assert_int_eq(framing_check_layout(head + 4, 2, head + 7, headers, 2, &err), RC_SYNTAX);
}
END_TEST

Suite *framing_suite(void);
Suite *framing_suite(void)
{
    Suite *s = suite_create("framing");
    TCase *c = tcase_create("framing");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, what_two_servers_could_read_differently_is_refused_and_closed);
    tcase_add_test(c, refusal_is_a_problem_with_the_id_of_the_request);
    tcase_add_test(c, length_and_chunked_are_read_as_they_stand);
    tcase_add_test(c, failure_writes_nothing);
    tcase_add_test(c, lines_must_lie_a_line_end_apart);
    suite_add_tcase(s, c);
    return s;
}
