#include "api/mailer.h"

#include <check.h>
#include <unistd.h>

struct seen {
    int mails;
    struct wire_mail mail;
    enum rc answer;
};

static enum rc take(void *arg, const struct wire_mail *mail, struct err *err)
{
    struct seen *seen = arg;
    seen->mails++;
    seen->mail = *mail;
    return seen->answer == RC_OK ? RC_OK : err_set(err, seen->answer, "not now");
}

static struct arena arena;
static struct clock_sim sim;
static struct wire_sim wire;
static struct seen seen;

static struct mailer open_mailer(const char *url)
{
    arena_init(&arena, 1024 * 1024);
    clock_sim_init(&sim, US_PER_DAY, 1);
    wire_sim_init(&wire, &sim);
    wire.mail_fn = take;
    wire.arg = &seen;
    return (struct mailer){.wire = &wire.wire,
                           .url = str_c(url),
                           .user = STR("u"),
                           .password = STR("p"),
                           .from = STR("Hanse <h@example.net>")};
}

static enum rc deliver(struct mailer *m, const char *body)
{
    struct err err = {0};
    struct outbox_row row = {
        .id = STR("obx_1"), .topic = STR("mail"), .body = str_c(body), .tries = 1};
    return mailer_send(m, &row, &arena, &err);
}

START_TEST(a_row_becomes_a_mail_with_the_brands_sender_or_ours)
{
    struct mailer m = open_mailer("smtp://mail.test:25");
    ck_assert_int_eq(deliver(&m, "{\"to\":\"a@example.net\",\"subject\":\"S\","
                                 "\"text\":\"one\\ntwo\",\"from\":\"\"}"),
                     RC_OK);
    ck_assert_int_eq(seen.mails, 1);
    ck_assert(str_eq(seen.mail.from, STR("Hanse <h@example.net>")));
    ck_assert(str_eq(seen.mail.to, STR("a@example.net")));
    ck_assert(str_eq(seen.mail.text, STR("one\ntwo")));
    ck_assert(str_eq(seen.mail.message_id, STR("obx_1")));
    ck_assert_int_eq(deliver(&m, "{\"to\":\"a@example.net\",\"subject\":\"S\",\"text\":\"x\","
                                 "\"from\":\"Shop <s@example.net>\"}"),
                     RC_OK);
    ck_assert(str_eq(seen.mail.from, STR("Shop <s@example.net>")));
    arena_fini(&arena);
}
END_TEST

START_TEST(a_failure_is_passed_on_to_be_tried_again)
{
    struct mailer m = open_mailer("smtp://mail.test:25");
    seen.answer = RC_UNAVAILABLE;
    ck_assert_int_eq(deliver(&m, "{\"to\":\"a@b.c\",\"subject\":\"S\",\"text\":\"x\"}"),
                     RC_UNAVAILABLE);
    arena_fini(&arena);
}
END_TEST

START_TEST(a_row_that_is_no_mail_is_given_up)
{
    struct mailer m = open_mailer("smtp://mail.test:25");
    static const char *const bad[] = {"", "[]", "{\"to\":\"a@b.c\"}",
                                      "{\"to\":\"a@b.c\",\"subject\":\"S\",\"text\":1}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(deliver(&m, bad[i]), RC_INVALID);
    ck_assert_int_eq(seen.mails, 0);
    arena_fini(&arena);
}
END_TEST

START_TEST(without_a_mail_server_the_log_warns_and_shows_no_secret)
{
    int fds[2];
    char text[2000];
    ck_assert_int_eq(pipe(fds), 0);
    struct mailer m = open_mailer("");
    struct log log;
    log_init(&log, &sim.clock, fds[1], LOG_INFO, false);
    m.log = &log;
    ck_assert_int_eq(deliver(&m, "{\"to\":\"a@example.net\",\"subject\":\"S\","
                                 "\"text\":\"http://x/invite/SECRET\"}"),
                     RC_OK);
    ssize_t n = read(fds[0], text, sizeof text);
    ck_assert_int_gt(n, 0);
    struct str line = str_n(text, (size_t)n);
    ck_assert(str_has(line, STR("level=warn ev=mail.not_sent")));
    ck_assert(!str_has(line, STR("SECRET")));
    ck_assert_int_eq(seen.mails, 0);
    close(fds[0]);
    close(fds[1]);
    arena_fini(&arena);
}
END_TEST

Suite *mailer_suite(void);
Suite *mailer_suite(void)
{
    Suite *s = suite_create("mailer");
    TCase *c = tcase_create("mailer");
    tcase_add_test(c, a_row_becomes_a_mail_with_the_brands_sender_or_ours);
    tcase_add_test(c, a_failure_is_passed_on_to_be_tried_again);
    tcase_add_test(c, a_row_that_is_no_mail_is_given_up);
    tcase_add_test(c, without_a_mail_server_the_log_warns_and_shows_no_secret);
    suite_add_tcase(s, c);
    return s;
}
