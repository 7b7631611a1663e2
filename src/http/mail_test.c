#include "http/date.h"
#include "http/mail.h"
#include "http/probe.h"

#include <pthread.h>

static struct arena arena;
static struct err err;

static void setup(void)
{
    arena_init(&arena, (size_t)32 * 1024 * 1024);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct wire_mail plain = {
    .url = STR_INIT("smtp://127.0.0.1:25"),
    .from = STR_INIT("Hanse <no-reply@hanse.example>"),
    .to = STR_INIT("ada@example.net"),
    .subject = STR_INIT("Your invoice"),
    .text = STR_INIT("Hello,\nthe sum is 10=10.\n"),
    .message_id = STR_INIT("obx_01jd8v3q7w4k2m9x6c5b1n0h8z"),
};

static const char *compose(const struct wire_mail *mail)
{
    struct str message = {NULL, 0};
    enum rc rc = mail_compose(mail, INT64_C(1795312648000000), &arena, &message, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return arena_cstr(&arena, message);
}

START_TEST(plain_mail_is_written_as_the_standard_says)
{
    ck_assert_str_eq(compose(&plain),
                     "Date: Sun, 22 Nov 2026 01:57:28 +0000\r\n"
                     "From: \"Hanse\"\r\n <no-reply@hanse.example>\r\n"
                     "To: <ada@example.net>\r\n"
                     "Subject: Your invoice\r\n"
                     "Message-ID: <obx_01jd8v3q7w4k2m9x6c5b1n0h8z@hanse.example>\r\n"
                     "MIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n"
                     "Auto-Submitted: auto-generated\r\n"
                     "\r\n"
                     "Hello,\r\nthe sum is 10=3D10.\r\n");
}
END_TEST

START_TEST(every_line_is_short_ascii_whatever_is_said)
{
    struct wire_mail mail = plain;
    mail.subject = STR("\xE6\x82\xA8\xE7\x9A\x84\xE5\x8F\x91\xE7\xA5\xA8 caf\xC3\xA9 \xE2\x82\xAC "
                       "\xE6\x82\xA8\xE7\x9A\x84\xE5\x8F\x91\xE7\xA5\xA8 and so on and so on");
    mail.from = STR("Z\xC3\xBCrich \"Hub\" <a@b.example>");
    struct buf text;
    buf_init(&text, &arena, (size_t)64 * 1024);
    for (int i = 0; i < 300; i++)
        buf_add(&text, STR("\xC3\xBC ="));
    buf_add(&text, STR("\r\ntrailing \nlast\t"));
    mail.text = buf_str(&text);
    const char *message = compose(&mail);
    struct str rest = str_c(message);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        ck_assert_uint_le(line.n, 77);
        ck_assert_int_eq(line.p[line.n - 1], '\r');
        for (size_t i = 0; i + 1 < line.n; i++)
            ck_assert(line.p[i] >= ' ' && line.p[i] < 0x7F);
        if (line.n > 1)
            ck_assert_msg(line.p[line.n - 2] != ' ', "%.*s", STRF(line));
    }
    ck_assert_ptr_nonnull(strstr(message, "Subject: =?UTF-8?B?5oKo55qE5Y+R56Wo"));
    ck_assert_ptr_nonnull(strstr(message, "trailing=20\r\nlast=09\r\n"));
}
END_TEST

START_TEST(nobody_writes_headers_of_his_own)
{
    static const char *const texts[] = {
        "a\r\nBcc: eve@example.net", "a\nb", "a\rb", "a\x01", "\xFF", "a\x7F"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct str out;
        struct wire_mail mail = plain;
        mail.subject = str_c(texts[i]);
        ck_assert_msg(mail_compose(&mail, 0, &arena, &out, &err) == RC_INVALID, "%zu", i);
        mail = plain;
        mail.from = arena_fmt(&arena, "%s <a@b.example>", texts[i]);
        ck_assert_msg(mail_compose(&mail, 0, &arena, &out, &err) == RC_INVALID, "%zu", i);
        mail = plain;
        mail.to = arena_fmt(&arena, "%s@b.example", texts[i]);
        ck_assert_msg(mail_compose(&mail, 0, &arena, &out, &err) == RC_INVALID, "%zu", i);
        mail = plain;
        mail.message_id = str_c(texts[i]);
        ck_assert_msg(mail_compose(&mail, 0, &arena, &out, &err) == RC_INVALID, "%zu", i);
    }
    static const char *const addresses[] = {"",          "a",        "@b",      "a@",
                                            "a@b@c",     "a b@c",    "<a@b",    "a@b>",
                                            "X <a@b> Y", "a@b, c@d", "\"a\"@b", "<>"};
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct mail_address address;
        ck_assert_msg(mail_parse_address(str_c(addresses[i]), &address, &err) == RC_INVALID, "%s",
                      addresses[i]);
    }
}
END_TEST

START_TEST(dates_are_those_of_the_calendar)
{
    char text[DATE_TEXT_MAX];
    date_format_http(0, text);
    ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    date_format_http(-1, text);
    ck_assert_str_eq(text, "Wed, 31 Dec 1969 23:59:59 GMT");
    date_format_http(INT64_C(784111777000000), text);
    ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT"); /* the example of RFC 9110 */
    date_format_http(INT64_C(951868799999999), text);
    ck_assert_str_eq(text, "Tue, 29 Feb 2000 23:59:59 GMT");
}
END_TEST

/* --- against a mail server of a few lines --- */

struct post {
    pthread_t thread;
    int listener;
    char address[64];
    const char *rcpt_reply; /* to RCPT TO */
    char talk[16384];       /* what the client said */
    size_t n;
};

static bool next_line(struct post *p, int fd, char line[2048])
{
    size_t n = 0;
    while (n < 2047 && recv(fd, line + n, 1, 0) == 1)
        if (line[n++] == '\n')
            break;
    line[n] = '\0';
    ck_assert_uint_lt(p->n + n, sizeof p->talk);
    memcpy(p->talk + p->n, line, n + 1);
    p->n += n;
    return n > 0;
}

static void *post_run(void *arg)
{
    struct post *p = arg;
    char line[2048];
    int fd = accept(p->listener, NULL, NULL);
    (void)probe_send(fd, STR("220 post\r\n"));
    bool in_data = false;
    while (next_line(p, fd, line)) {
        const char *reply = "250 ok\r\n";
        if (in_data && strcmp(line, ".\r\n") != 0)
            continue;
        if (in_data)
            in_data = false;
        else if (strncmp(line, "EHLO", 4) == 0)
            reply = "250-post\r\n250 AUTH PLAIN\r\n";
        else if (strcmp(line, "AUTH PLAIN\r\n") == 0)
            reply = "334 \r\n";
        else if (line[0] == 'A') /* base64 of a NUL, a name, a NUL, a password */
            reply = strcmp(line, "AHVzZXIAcGFzcw==\r\n") == 0 ? "235 welcome\r\n" : "535 no\r\n";
        else if (strncmp(line, "RCPT", 4) == 0)
            reply = p->rcpt_reply;
        else if (strcmp(line, "DATA\r\n") == 0) {
            in_data = true;
            reply = "354 go on\r\n";
        }
        if (!probe_send(fd, str_c(reply)))
            break;
    }
    close(fd);
    return NULL;
}

static void post_open(struct post *p, const char *rcpt_reply)
{
    *p = (struct post){.rcpt_reply = rcpt_reply};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(listen(p->listener, 1), 0);
    ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *)&in, &n), 0);
    (void)snprintf(p->address, sizeof p->address, "smtp://127.0.0.1:%u", ntohs(in.sin_port));
    ck_assert_int_eq(pthread_create(&p->thread, NULL, post_run, p), 0);
}

static enum rc post_mail(struct post *p, struct wire_mail mail)
{
    struct wire *wire = wire_curl_open();
    mail.url = str_c(p->address);
    enum rc rc = wire->mail(wire, &mail, &arena, &err);
    wire_curl_close(wire);
    pthread_join(p->thread, NULL);
    close(p->listener);
    return rc;
}

START_TEST(mail_arrives_with_its_dots_and_the_login)
{
    struct post p;
    struct wire_mail mail = plain;
    mail.user = STR("user");
    mail.password = STR("pass");
    mail.text = STR("one\n.\n..two\n");
    post_open(&p, "250 ok\r\n");
    enum rc rc = post_mail(&p, mail);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(p.talk, "MAIL FROM:<no-reply@hanse.example>"));
    ck_assert_ptr_nonnull(strstr(p.talk, "RCPT TO:<ada@example.net>\r\n"));
    ck_assert_ptr_nonnull(strstr(p.talk, "\r\n\r\none\r\n..\r\n...two\r\n.\r\n"));
}
END_TEST

START_TEST(refused_receiver_is_our_mistake_and_a_busy_server_is_not)
{
    struct post p;
    post_open(&p, "550 no such user\r\n");
    ck_assert_int_eq(post_mail(&p, plain), RC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "ada@example.net"));
    post_open(&p, "451 later\r\n");
    ck_assert_int_eq(post_mail(&p, plain), RC_UNAVAILABLE);
    struct wire_mail mail = plain;
    mail.user = STR("user");
    mail.password = STR("wrong");
    post_open(&p, "250 ok\r\n");
    ck_assert_int_eq(post_mail(&p, mail), RC_UNAVAILABLE);
    ck_assert_ptr_null(strstr(err.text, "wrong"));
}
END_TEST

START_TEST(password_is_not_sent_to_another_machine_in_the_clear)
{
    struct wire *wire = wire_curl_open();
    struct wire_mail mail = plain;
    mail.url = STR("http://127.0.0.1/");
    ck_assert_int_eq(wire->mail(wire, &mail, &arena, &err), RC_INVALID);
    mail.url = STR("smtp://127.0.0.1:1\r\nX");
    ck_assert_int_eq(wire->mail(wire, &mail, &arena, &err), RC_INVALID);
    wire_curl_close(wire);
    struct post p;
    post_open(&p, "250 ok\r\n");
    mail = plain;
    mail.user = STR("user");
    mail.password = STR("pass");
    /* 127.1 is this machine, but not by the names that are known to be. */
    (void)snprintf(p.address, sizeof p.address, "smtp://127.1%s", strrchr(p.address, ':'));
    ck_assert_int_eq(post_mail(&p, mail), RC_UNAVAILABLE);
    ck_assert_ptr_null(strstr(p.talk, "AUTH"));
}
END_TEST

Suite *mail_suite(void);
Suite *mail_suite(void)
{
    Suite *s = suite_create("mail");
    TCase *c = tcase_create("mail");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, plain_mail_is_written_as_the_standard_says);
    tcase_add_test(c, every_line_is_short_ascii_whatever_is_said);
    tcase_add_test(c, nobody_writes_headers_of_his_own);
    tcase_add_test(c, dates_are_those_of_the_calendar);
    tcase_add_test(c, mail_arrives_with_its_dots_and_the_login);
    tcase_add_test(c, refused_receiver_is_our_mistake_and_a_busy_server_is_not);
    tcase_add_test(c, password_is_not_sent_to_another_machine_in_the_clear);
    suite_add_tcase(s, c);
    return s;
}
