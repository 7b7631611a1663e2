/* What an alert sends, and what it makes of the answer: over a simulated wire and clock. */
#include "api/alerter.h"
#include "fleet/alert.h"
#include "party/party_fixture.h"

static struct seen {
    int calls;
    int mails;
    int status;
    enum rc rc;
    char body[4096];
    char signature[160];
    char event[64];
    char subject[256];
    char text[1024];
    char id[64];
    bool public_only;
} seen;

static void copy(char *to, size_t room, struct str s)
{
    ck_assert_uint_lt(s.n, room);
    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
}

static enum rc on_call(void *arg UNUSED, const struct wire_request *r, struct arena *arena UNUSED,
                       struct wire_reply *ret, struct err *err)
{
    seen.calls++;
    seen.public_only = r->public_only;
    copy(seen.body, sizeof seen.body, r->body);
    for (size_t i = 0; i < r->header_count; i++) {
        if (str_eq(r->headers[i].name, STR("Hanse-Webhook-Signature")))
            copy(seen.signature, sizeof seen.signature, r->headers[i].value);
        if (str_eq(r->headers[i].name, STR("Hanse-Event")))
            copy(seen.event, sizeof seen.event, r->headers[i].value);
    }
    if (seen.rc != RC_OK)
        return err_set(err, seen.rc, "not there");
    *ret = (struct wire_reply){.status = seen.status};
    return RC_OK;
}

static enum rc on_mail(void *arg UNUSED, const struct wire_mail *m, struct err *err)
{
    seen.mails++;
    copy(seen.subject, sizeof seen.subject, m->subject);
    copy(seen.text, sizeof seen.text, m->text);
    copy(seen.id, sizeof seen.id, m->message_id);
    return seen.rc == RC_OK ? RC_OK : err_set(err, seen.rc, "refused");
}

/* A store with a party that has one alert. */
struct scene {
    struct fixture f;
    struct clock_sim clock;
    struct wire_sim wire;
    struct mailer mailer;
    struct seal seal;
    struct arena arena;
    struct alerter alerter;
    struct alert fresh;
    struct alert alert;
    struct alert_delivery delivery;
};

static enum rc make_in(struct tx *tx, void *arg)
{
    struct scene *s = arg;
    struct str op = make_operator(tx);
    TRY(alert_create(tx, &s->seal, op, &s->fresh, &s->alert));
    return sql_run(tx, "UPDATE alert SET code = NULL"); /* as if it had been said */
}

static enum rc test_in(struct tx *tx, void *arg)
{
    struct scene *s = arg;
    return alert_test(tx, s->alert.id, &s->delivery);
}

static enum rc look_in(struct tx *tx, void *arg)
{
    struct scene *s = arg;
    struct page page;
    struct page_query q = {0};
    TRY(alert_delivery_list(tx, s->alert.id, &q, &page));
    ck_assert_uint_eq(page.items.count, 1);
    s->delivery = *(struct alert_delivery *)page.items.items;
    return RC_OK;
}

static void begin(struct scene *s, struct alert fresh)
{
    *s = (struct scene){.fresh = fresh};
    seen = (struct seen){.status = 200};
    arena_init(&s->arena, STORE_TX_ARENA_BYTES);
    clock_sim_init(&s->clock, 1700000000 * US_PER_SECOND, 1);
    wire_sim_init(&s->wire, &s->clock);
    s->wire.fn = on_call;
    s->wire.mail_fn = on_mail;
    fixture_init_handed_on(&s->f);
    fixture_open_with(&s->f, (struct store_options){.clock = &s->clock.clock});
    s->mailer = (struct mailer){.wire = &s->wire.wire, .url = STR("smtp://mail.test:25")};
    s->alerter = (struct alerter){
        .store = s->f.store, .mailer = &s->mailer, .seal = &s->seal, .arena = &s->arena};
    ck_assert_int_eq(fixture_write(&s->f, make_in, s), RC_OK);
    ck_assert_int_eq(fixture_write(&s->f, test_in, s), RC_OK);
}

static void end(struct scene *s)
{
    arena_fini(&s->arena);
    fixture_close(&s->f);
}

/* One step; what the row of the message says then. */
static struct alert_delivery step(struct scene *s, bool want_work)
{
    bool worked = false;
    int64_t wait_us = 0;
    struct err err = {0};
    ck_assert_int_eq(alerter_work(&s->alerter, &worked, &wait_us, &err), RC_OK);
    ck_assert_int_eq(worked, want_work);
    ck_assert_int_eq(fixture_read(&s->f, look_in, s), RC_OK);
    return s->delivery;
}

static const struct alert hook = {.name = STR_INIT("hook"), .url = STR_INIT("https://a.test/x")};
static const struct alert post = {.name = STR_INIT("post"), .mail = STR_INIT("night@a.test")};

START_TEST(a_webhook_is_signed_over_time_and_body)
{
    static struct scene s;
    begin(&s, hook);
    struct str id = s.delivery.id;
    ck_assert_uint_eq(step(&s, true).state, DELIVERY_SENT);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert(seen.public_only);
    ck_assert(str_eq(str_c(seen.event), id));
    ck_assert_ptr_nonnull(strstr(seen.body, "\"kind\":\"test\""));
    ck_assert_ptr_null(strstr(seen.body, "\"state\""));
    ck_assert(str_starts(str_c(seen.signature), STR("t=1700000000,v1=")));
    ck_assert_uint_eq(strlen(seen.signature), strlen("t=1700000000,v1=") + 64);
    (void)step(&s, false); /* once */
    ck_assert_int_eq(seen.calls, 1);
    end(&s);
}
END_TEST

START_TEST(what_fails_is_sent_again_with_the_same_body_and_another_time)
{
    static struct scene s;
    char body[sizeof seen.body];
    char signature[sizeof seen.signature];
    begin(&s, hook);
    seen.status = 503;
    struct alert_delivery d = step(&s, true);
    ck_assert_int_eq(d.state, DELIVERY_WAITING);
    ck_assert(str_eq(d.error, STR("it answers with 503")));
    memcpy(body, seen.body, sizeof body);
    memcpy(signature, seen.signature, sizeof signature);
    (void)step(&s, false); /* it rests */
    clock_sim_advance(&s.clock, US_PER_SECOND);
    seen.status = 204;
    d = step(&s, true);
    ck_assert_int_eq(d.state, DELIVERY_SENT);
    ck_assert_int_eq(d.tries, 2);
    ck_assert_str_eq(seen.body, body);
    ck_assert_str_ne(seen.signature, signature);
    end(&s);
}
END_TEST

START_TEST(a_private_address_is_given_up_at_once)
{
    static struct scene s;
    begin(&s, hook);
    seen.rc = RC_FORBIDDEN;
    ck_assert_int_eq(step(&s, true).state, DELIVERY_DEAD);
    (void)step(&s, false);
    ck_assert_int_eq(seen.calls, 1);
    end(&s);
}
END_TEST

START_TEST(a_closed_network_may_call_private_addresses)
{
    static struct scene s;
    begin(&s, hook);
    s.alerter.private_hosts = true;
    (void)step(&s, true);
    ck_assert(!seen.public_only);
    end(&s);
}
END_TEST

START_TEST(a_mail_says_what_and_whose_and_has_the_messages_id)
{
    static struct scene s;
    begin(&s, post);
    struct str id = s.delivery.id;
    ck_assert_int_eq(step(&s, true).state, DELIVERY_SENT);
    ck_assert_str_eq(seen.subject, "post: a test");
    ck_assert_ptr_nonnull(strstr(seen.text, "all is well"));
    ck_assert(str_eq(str_c(seen.id), id));
    end(&s);
}
END_TEST

START_TEST(a_mail_that_is_refused_for_good_is_dead)
{
    static struct scene s;
    begin(&s, post);
    seen.rc = RC_INVALID;
    ck_assert_int_eq(step(&s, true).state, DELIVERY_DEAD);
    end(&s);
}
END_TEST

START_TEST(without_a_mail_server_the_row_says_so)
{
    static struct scene s;
    begin(&s, post);
    s.mailer.url = STR("");
    struct alert_delivery d = step(&s, true);
    ck_assert_int_eq(d.state, DELIVERY_DEAD);
    ck_assert(str_eq(d.error, STR("this installation sends no mail")));
    ck_assert_int_eq(seen.mails, 0);
    end(&s);
}
END_TEST

Suite *alerter_suite(void);
Suite *alerter_suite(void)
{
    Suite *s = suite_create("alerter");
    TCase *t = tcase_create("alerter");
    tcase_add_test(t, a_webhook_is_signed_over_time_and_body);
    tcase_add_test(t, what_fails_is_sent_again_with_the_same_body_and_another_time);
    tcase_add_test(t, a_private_address_is_given_up_at_once);
    tcase_add_test(t, a_closed_network_may_call_private_addresses);
    tcase_add_test(t, a_mail_says_what_and_whose_and_has_the_messages_id);
    tcase_add_test(t, a_mail_that_is_refused_for_good_is_dead);
    tcase_add_test(t, without_a_mail_server_the_row_says_so);
    suite_add_tcase(s, t);
    return s;
}
