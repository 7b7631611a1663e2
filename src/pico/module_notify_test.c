#include "pico/engine_fixture.h"

static const char teller[] =
    "ruleset teller {"
    "  meta { shares logs }"
    "  global { logs = function() { ctx:logs().map(function(l) { l{\"msg\"} }) } }"
    "  rule hook { select when tell hook"
    "    webhook:post(event:attrs{\"url\"}, {\"n\": event:attrs{\"n\"}}) setting(id)"
    "    always { ent:id := id } }"
    "  rule mail { select when tell mail"
    "    mail:send(event:attrs{\"to\"}, event:attrs{\"subject\"}, \"It is \" + event:attrs{\"n\"}) "
    "}"
    "  rule undone { select when tell undone"
    "    every { webhook:post(\"https://sink.test/x\", {}) webhook:post(\"sink.test\", {}) } }"
    "  rule many { select when tell many"
    "    foreach 1.range(101) setting(i) webhook:post(\"https://sink.test/x\", {\"i\": i}) }"
    "}";

enum { KEPT_MAX = 50 };

struct sink {
    struct world w;
    struct wire_sim wire;
    struct str ids[KEPT_MAX];
    struct str bodies[KEPT_MAX];
    size_t calls;
    int status;
    bool private_only;
    struct wire_mail mail;
    size_t mails;
    enum rc mail_rc;
    struct arena arena;
};

static enum rc take(void *arg, const struct wire_request *q, struct arena *arena,
                    struct wire_reply *ret, struct err *err)
{
    struct sink *s = arg;
    (void)arena;
    ck_assert(q->public_only);
    if (str_starts(q->url, STR("http://10.")))
        return err_set(err, RC_FORBIDDEN, "'10.0.0.1' is a private address");
    ck_assert(str_eq(q->headers[2].name, STR("Hanse-Event")));
    if (s->calls < KEPT_MAX) {
        s->ids[s->calls] = arena_str(&s->arena, q->headers[2].value);
        s->bodies[s->calls] = arena_str(&s->arena, q->body);
    }
    s->calls++;
    *ret = (struct wire_reply){.status = s->status};
    return RC_OK;
}

static enum rc take_mail(void *arg, const struct wire_mail *mail, struct err *err)
{
    struct sink *s = arg;
    s->mails++;
    s->mail = (struct wire_mail){.to = arena_str(&s->arena, mail->to),
                                 .subject = arena_str(&s->arena, mail->subject),
                                 .text = arena_str(&s->arena, mail->text),
                                 .message_id = arena_str(&s->arena, mail->message_id)};
    return s->mail_rc == RC_OK ? RC_OK : err_set(err, s->mail_rc, "not now");
}

static void sink_open(struct sink *s, bool mail)
{
    *s = (struct sink){.status = 200};
    arena_init(&s->arena, 16 * 1024 * 1024);
    world_start(&s->w);
    wire_sim_init(&s->wire, &s->w.sim);
    s->wire.fn = take;
    s->wire.mail_fn = take_mail;
    s->wire.arg = s;
    s->w.o.wire = &s->wire.wire;
    if (mail)
        s->w.o.mail = (struct pico_mail_options){.url = STR("smtp://mail.test:25"),
                                                 .from = STR("Picos <no-reply@picos.test>")};
    world_restart(&s->w);
    world_install(&s->w, pico_root(s->w.e), "teller", teller);
}

static void sink_close(struct sink *s)
{
    world_stop(&s->w);
    arena_fini(&s->arena);
}

static struct str tell(struct sink *s, const char *what, const char *attrs)
{
    return world_event(&s->w, pico_root(s->w.e), "tell", what, attrs);
}

static struct str logs(struct sink *s)
{
    world_run(&s->w);
    return world_query(&s->w, pico_root(s->w.e), "teller", "logs", "");
}

START_TEST(a_webhook_is_called_until_it_has_the_news_always_with_one_id)
{
    struct sink s;
    sink_open(&s, false);
    s.status = 503;
    (void)tell(&s, "hook", "{\"url\":\"https://sink.test/in?x=1\",\"n\":7}");
    ck_assert_uint_eq(s.calls, 1);
    world_restart(&s.w);
    for (int i = 0; i < 3; i++)
        world_advance(&s.w, 60 * US_PER_SECOND);
    ck_assert_uint_eq(s.calls, 4);
    s.status = 204;
    world_advance(&s.w, 60 * US_PER_SECOND);
    world_advance(&s.w, US_PER_DAY);
    ck_assert_uint_eq(s.calls, 5);
    for (size_t i = 0; i < s.calls; i++) {
        ck_assert(str_eq(s.ids[i], s.ids[0]));
        ck_assert_uint_eq(s.ids[i].n, 25);
        CHECK_TEXT(s.bodies[i], "{\"n\":7}");
    }
    sink_close(&s);
}
END_TEST

/* The first pauses grow: 1, 2, 4 ... seconds. */
START_TEST(pauses_grow_and_end_after_a_week)
{
    struct sink s;
    sink_open(&s, false);
    s.status = 500;
    (void)tell(&s, "hook", "{\"url\":\"https://sink.test/in\",\"n\":7}");
    for (int i = 0; i < 64; i++)
        world_advance(&s.w, US_PER_SECOND);
    ck_assert_uint_eq(s.calls, 7);
    for (int i = 0; i < 8 * 24; i++)
        world_advance(&s.w, US_PER_HOUR);
    size_t calls = s.calls;
    ck_assert_uint_gt(calls, 100);
    world_advance(&s.w, US_PER_DAY);
    ck_assert_uint_eq(s.calls, calls);
    ck_assert(str_has(logs(&s), STR("not sent to https://sink.test: it answers with 500")));
    sink_close(&s);
}
END_TEST

START_TEST(what_is_refused_is_noted_and_not_sent_again)
{
    struct sink s;
    sink_open(&s, false);
    s.status = 410;
    (void)tell(&s, "hook", "{\"url\":\"https://sink.test/in\",\"n\":7}");
    (void)tell(&s, "hook", "{\"url\":\"http://10.0.0.1/in\",\"n\":7}");
    world_advance(&s.w, US_PER_DAY);
    ck_assert_uint_eq(s.calls, 1);
    struct str said = logs(&s);
    ck_assert(str_has(said, STR("not sent to https://sink.test: it answers with 410")));
    ck_assert(str_has(said, STR("private address")));
    CHECK_TEXT(tell(&s, "hook", "{\"url\":\"ftp://sink.test/in\"}"),
               "TypeError: webhook:post wants the url of a receiver: https://...");
    ck_assert(str_has(tell(&s, "mail", "{\"to\":\"a@b.test\",\"subject\":\"x\"}"),
                      STR("this engine sends no mail")));
    sink_close(&s);
}
END_TEST

START_TEST(an_event_that_is_undone_tells_nobody)
{
    struct sink s;
    sink_open(&s, false);
    ck_assert(str_has(tell(&s, "undone", ""), STR("Error")));
    ck_assert(str_has(tell(&s, "many", ""), STR("one event tells at most 100 others")));
    world_advance(&s.w, US_PER_DAY);
    ck_assert_uint_eq(s.calls, 0);
    sink_close(&s);
}
END_TEST

/* One that is slow to come back holds up nobody else. */
START_TEST(each_receiver_has_pauses_of_its_own)
{
    struct sink s;
    sink_open(&s, false);
    s.status = 503;
    (void)tell(&s, "hook", "{\"url\":\"https://broken.test/in\",\"n\":1}");
    for (int i = 0; i < 5; i++)
        (void)tell(&s, "hook", "{\"url\":\"https://broken.test/in\",\"n\":2}");
    size_t calls = s.calls;
    ck_assert_uint_le(calls, 6);
    s.status = 200;
    (void)tell(&s, "hook", "{\"url\":\"https://sound.test/in\",\"n\":3}");
    ck_assert_uint_eq(s.calls, calls + 1);
    CHECK_TEXT(s.bodies[calls], "{\"n\":3}");
    world_advance(&s.w, 60 * US_PER_SECOND);
    ck_assert_uint_eq(s.calls, calls + 7);
    sink_close(&s);
}
END_TEST

START_TEST(mail_goes_out_once_its_event_is_kept)
{
    struct sink s;
    sink_open(&s, true);
    s.mail_rc = RC_UNAVAILABLE;
    (void)tell(&s, "mail", "{\"to\":\"Ada <ada@a.test>\",\"subject\":\"News\",\"n\":5}");
    struct str id = s.mail.message_id;
    s.mail_rc = RC_OK;
    world_advance(&s.w, 60 * US_PER_SECOND);
    ck_assert_uint_eq(s.mails, 2);
    ck_assert(str_eq(id, s.mail.message_id));
    CHECK_TEXT(s.mail.to, "Ada <ada@a.test>");
    CHECK_TEXT(s.mail.text, "It is 5");
    static const char *const wrong[] = {
        "{\"to\":\"nobody\",\"subject\":\"x\"}",
        "{\"to\":\"a@b.test\\r\\nBcc: c@d.test\",\"subject\":\"x\"}",
        "{\"to\":\"a@b.test\",\"subject\":\"x\\r\\nBcc: c@d.test\"}",
        "{\"to\":\"a@b.test\"}",
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(str_has(tell(&s, "mail", wrong[i]), STR("Error:")), "%s", wrong[i]);
    world_advance(&s.w, US_PER_DAY);
    ck_assert_uint_eq(s.mails, 2);
    sink_close(&s);
}
END_TEST

Suite *module_notify_suite(void);
Suite *module_notify_suite(void)
{
    Suite *s = suite_create("module_notify");
    TCase *t = tcase_create("module_notify");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_webhook_is_called_until_it_has_the_news_always_with_one_id);
    tcase_add_test(t, pauses_grow_and_end_after_a_week);
    tcase_add_test(t, what_is_refused_is_noted_and_not_sent_again);
    tcase_add_test(t, an_event_that_is_undone_tells_nobody);
    tcase_add_test(t, each_receiver_has_pauses_of_its_own);
    tcase_add_test(t, mail_goes_out_once_its_event_is_kept);
    suite_add_tcase(s, t);
    return s;
}
