/* Who is told of a promise that fails, when, how often, and what becomes of the message. */
#include "fleet/alert.h"
#include "fleet/fleet_fixture.h"

static struct alert mail_to(const char *address)
{
    return (struct alert){.name = STR("night"), .mail = str_c(address)};
}

/* What the last mail to whoever is to be told has in it. */
static struct str last_code(struct tx *tx)
{
    enum { CODE_N = 4 + 43 };
    struct rows rows;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT body FROM outbox WHERE topic = 'mail' ORDER BY id DESC LIMIT 1"));
    struct str body = row_str(&rows, 0, 0);
    size_t at = 0;
    while (at < body.n && !str_starts(str_sub(body, at, body.n), STR("alc_")))
        at++;
    ck_assert_uint_lt(at, body.n);
    return str_sub(body, at, at + CODE_N);
}

static struct alert make_alert(struct tx *tx, const struct shop *s, struct str party,
                               struct alert fresh)
{
    struct alert a;
    OK(tx, alert_create(tx, &s->seal, party, &fresh, &a));
    if (fresh.mail.n > 0)
        OK(tx, alert_confirm(tx, a.id, last_code(tx), &a));
    ck_assert(a.confirmed);
    return a;
}

static void says(struct tx *tx, const struct shop *s, const struct service *v, bool kept)
{
    struct sighting_promise p = {.set = schema_all(&sighting_promise_schema),
                                 .name = STR("web"),
                                 .kept = kept,
                                 .text = kept ? STR("") : STR("no answer"),
                                 .since = tx->now};
    struct sighting seen = {
        .id = v->id, .generation = v->generation, .state = SIGHTING_RUNNING, .promises = {&p, 1}};
    (void)node_says(tx, &s->seal, v->node, 8, &seen, 1);
}

/* Time passes, and what is due is made. */
static void pass(struct tx *tx, int64_t seconds)
{
    tx->now += seconds * US_PER_SECOND;
    OK(tx, alert_tick(tx));
}

static struct list told(struct tx *tx, struct str id)
{
    struct page page;
    struct page_query q = {0};
    OK(tx, alert_delivery_list(tx, id, &q, &page));
    return page.items;
}

/* How many, and the newest. */
static size_t count_told(struct tx *tx, struct str id, struct alert_delivery *ret)
{
    struct list list = told(tx, id);
    if (list.count > 0)
        *ret = ((struct alert_delivery *)list.items)[0];
    return list.count;
}

static struct alert_claim claim(struct tx *tx, const struct shop *s)
{
    struct alert_claim c;
    OK(tx, alert_claim(tx, &s->seal, &c));
    return c;
}

static void settle(struct tx *tx, const struct alert_claim *c, bool sent, bool hopeless)
{
    struct alert_outcome o = {.alert = c->delivery.alert,
                              .delivery = c->delivery.id,
                              .sent = sent,
                              .hopeless = hopeless,
                              .error = sent ? STR("") : STR("it answers with 500")};
    OK(tx, alert_settle(tx, &o));
}

/* A shop with a service on a node, and a rule of its client. */
struct scene {
    struct shop shop;
    struct service service;
    struct alert alert;
};

static struct scene make_scene(struct tx *tx)
{
    struct scene c = {.shop = make_shop(tx)};
    (void)make_node(tx, &c.shop, "n1", 8);
    c.service = order_one(tx, &c.shop, "small-month", false);
    c.alert = make_alert(tx, &c.shop, c.shop.client, mail_to("night@example.net"));
    says(tx, &c.shop, &c.service, true);
    return c;
}

TX_TEST(a_failure_is_told_once_and_its_end_once)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S - 1);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 0);
    pass(tx, 1);
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    ck_assert_int_eq(d.kind, ALERT_FAILING);
    SAME(d.subject, c.service.id);
    SAME(d.promise, STR("web"));
    SAME(d.text, STR("no answer"));
    OK(tx, alert_get(tx, c.alert.id, &c.alert));
    ck_assert_int_eq(c.alert.failing, 1);
    says(tx, &c.shop, &c.service, true);
    says(tx, &c.shop, &c.service, true);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 2);
    ck_assert_int_eq(d.kind, ALERT_RECOVERED);
    OK(tx, alert_get(tx, c.alert.id, &c.alert));
    ck_assert_int_eq(c.alert.failing, 0);
    ck_assert_int_eq(c.alert.waiting, 2);
}

TX_TEST(what_fails_for_less_than_the_delay_tells_nothing)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    for (int i = 0; i < 20; i++) {
        says(tx, &c.shop, &c.service, false);
        pass(tx, ALERT_DELAY_S - 1);
        says(tx, &c.shop, &c.service, true);
        pass(tx, ALERT_DELAY_S);
    }
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 0);
}

TX_TEST(an_hour_has_so_many_messages_and_one_summary)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    struct alert patch = {.set = schema_bit(&alert_schema, "delay_s") |
                                 schema_bit(&alert_schema, "hourly"),
                          .delay_s = 1,
                          .hourly = 3};
    OK(tx, alert_change(tx, c.alert.id, 0, &patch, &c.alert));
    for (int i = 0; i < 10; i++) {
        says(tx, &c.shop, &c.service, false);
        pass(tx, 1);
        says(tx, &c.shop, &c.service, true);
        pass(tx, 1);
    }
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 3);
    pass(tx, 3581);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 4);
    ck_assert_int_eq(d.kind, ALERT_SUMMARY);
    SAME(d.text, STR("17 more messages in the last hour; failing now: nothing"));
    says(tx, &c.shop, &c.service, false);
    pass(tx, 1);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 5); /* another hour */
    ck_assert_int_eq(d.kind, ALERT_FAILING);
    pass(tx, 2 * 3600);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 5);
}

TX_TEST(what_is_told_of_no_more_is_neither_told_nor_recovered)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    struct sighting silent = {
        .id = c.service.id, .generation = c.service.generation, .state = SIGHTING_RUNNING};
    says(tx, &c.shop, &c.service, false);
    (void)node_says(tx, &c.shop.seal, c.service.node, 8, &silent, 1);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 0);
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    (void)node_says(tx, &c.shop.seal, c.service.node, 8, &silent, 1);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    says(tx, &c.shop, &c.service, false); /* it was told */
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    says(tx, &c.shop, &c.service, true);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 2);
}

TX_TEST(each_is_told_of_its_own_alone)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    struct str third = make_party(tx, "Third", c.shop.op);
    struct alert of_third = make_alert(tx, &c.shop, third, mail_to("third@example.net"));
    struct alert of_host = make_alert(tx, &c.shop, c.shop.other, mail_to("host@example.net"));
    struct alert of_seller = make_alert(tx, &c.shop, c.shop.op, mail_to("op@example.net"));
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    ck_assert_uint_eq(count_told(tx, of_seller.id, &d), 1);
    ck_assert_uint_eq(count_told(tx, of_third.id, &d), 0);
    ck_assert_uint_eq(count_told(tx, of_host.id, &d), 0); /* it has the node, not what runs there */
    struct sighting_promise p = {.name = STR("disk"), .text = STR("full"), .since = tx->now};
    struct report_answer answer;
    struct node_report r = {.cpu_milli = 4000, .promises = {&p, 1}};
    OK(tx, service_report(tx, &c.shop.seal, c.service.node, &r, &answer));
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, of_host.id, &d), 1);
    SAME(d.subject, c.service.node);
    SAME(d.title, STR("n1"));
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    ck_assert_uint_eq(count_told(tx, of_third.id, &d), 0);
}

TX_TEST(a_rule_may_name_subjects_sites_and_promises)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    struct alert a = mail_to("a@example.net");
    struct str words[] = {STR("web"), STR("disk")};
    struct service second = order_one(tx, &c.shop, "small-month", false);
    a.subjects = (struct list){&second.id, 1};
    struct alert by_service = make_alert(tx, &c.shop, c.shop.client, a);
    a.subjects = (struct list){&c.shop.site, 1};
    a.promises = (struct list){words, COUNT(words)};
    struct alert by_site = make_alert(tx, &c.shop, c.shop.client, a);
    a.promises = (struct list){&words[1], 1};
    struct alert by_name = make_alert(tx, &c.shop, c.shop.client, a);
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, by_service.id, &d), 0);
    ck_assert_uint_eq(count_told(tx, by_site.id, &d), 1);
    ck_assert_uint_eq(count_told(tx, by_name.id, &d), 0);
}

TX_TEST(a_rule_is_about_what_the_party_has)
{
    struct scene c = make_scene(tx);
    struct alert a;
    struct str third = make_party(tx, "Third", c.shop.op);
    struct str strange[] = {c.service.id, c.service.node, c.shop.site, STR("svc_x"), STR("x")};
    for (size_t i = 0; i < COUNT(strange); i++) {
        struct alert fresh = mail_to("third@example.net");
        fresh.subjects = (struct list){&strange[i], 1};
        FAILS(tx, RC_INVALID, NULL, alert_create(tx, NULL, third, &fresh, &a));
    }
    struct alert fresh = mail_to("client@example.net");
    fresh.subjects = (struct list){&strange[1], 1}; /* its service's node is not its own */
    FAILS(tx, RC_INVALID, NULL, alert_create(tx, NULL, c.shop.client, &fresh, &a));
}

TX_TEST(a_wrong_address_is_refused)
{
    struct scene c = make_scene(tx);
    struct alert a;
    static const char *const urls[] = {"ftp://x/",      "http://",    "https:///x",  "http://u@h/",
                                       "http://u:p@h/", "http://h /", "mailto:x@y.z"};
    static const char *const mails[] = {"x", "x@y", "a@b.c\nBcc: d@e.f", "a b@c.d"};
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct alert fresh = {.name = STR("x"), .url = str_c(urls[i])};
        FAILS(tx, RC_INVALID, NULL, alert_create(tx, &c.shop.seal, c.shop.client, &fresh, &a));
    }
    for (size_t i = 0; i < COUNT(mails); i++) {
        struct alert fresh = mail_to(mails[i]);
        FAILS(tx, RC_INVALID, NULL, alert_create(tx, NULL, c.shop.client, &fresh, &a));
    }
    struct alert none = {.name = STR("x")};
    struct alert both = {.name = STR("x"), .mail = STR("a@b.cd"), .url = STR("https://h/")};
    FAILS(tx, RC_INVALID, NULL, alert_create(tx, NULL, c.shop.client, &none, &a));
    FAILS(tx, RC_INVALID, NULL, alert_create(tx, NULL, c.shop.client, &both, &a));
}

TX_TEST(a_party_has_so_many_rules)
{
    struct scene c = make_scene(tx);
    struct alert a;
    struct alert fresh = mail_to("a@b.cd");
    for (int i = 1; i < ALERT_OF_PARTY_MAX; i++)
        (void)make_alert(tx, &c.shop, c.shop.client, fresh);
    FAILS(tx, RC_CONFLICT, NULL, alert_create(tx, NULL, c.shop.client, &fresh, &a));
}

TX_TEST(a_webhooks_secret_is_shown_once_and_kept_sealed)
{
    struct scene c = make_scene(tx);
    struct alert fresh = {.name = STR("hook"), .url = STR("https://example.net/x")};
    struct alert a = make_alert(tx, &c.shop, c.shop.client, fresh);
    struct alert again;
    struct alert_delivery d;
    struct rows rows;
    ck_assert(str_starts(a.secret, STR("whs_")));
    OK(tx, alert_get(tx, a.id, &again));
    ck_assert_uint_eq(again.secret.n, 0);
    ck_assert(!schema_has(&alert_schema, &again, "secret"));
    OK(tx, sql_rows(tx, &rows, "SELECT secret FROM alert WHERE id = $1", V(a.id)));
    struct str kept = row_bytes(&rows, 0, 0);
    ck_assert_ptr_null(memmem(kept.p, kept.n, a.secret.p, a.secret.n));
    OK(tx, alert_test(tx, a.id, &d));
    struct alert_claim k = claim(tx, &c.shop);
    SAME(k.secret, a.secret);
    OK(tx, alert_renew(tx, &c.shop.seal, a.id, &again));
    ck_assert(!str_eq(again.secret, a.secret));
    FAILS(tx, RC_CONFLICT, NULL, alert_renew(tx, &c.shop.seal, c.alert.id, &again));
    FAILS(tx, RC_UNSUPPORTED, NULL, alert_create(tx, NULL, c.shop.client, &fresh, &a));
}

TX_TEST(a_key_that_was_lost_holds_up_no_other_rule)
{
    struct scene c = make_scene(tx);
    struct alert fresh = {.name = STR("hook"), .url = STR("https://example.net/x")};
    struct alert a = make_alert(tx, &c.shop, c.shop.client, fresh);
    struct shop other = c.shop;
    struct alert_delivery d;
    memset(other.seal.key, 1, sizeof other.seal.key);
    OK(tx, alert_test(tx, a.id, &d));
    struct alert_claim k = claim(tx, &other);
    ck_assert(k.found && k.trouble.n > 0);
    settle(tx, &k, false, false);
    OK(tx, alert_test(tx, c.alert.id, &d));
    k = claim(tx, &other);
    ck_assert(k.found && k.mail && k.trouble.n == 0);
}

TX_TEST(a_message_is_sent_in_order_and_again_with_the_same_id)
{
    struct scene c = make_scene(tx);
    struct alert_delivery first;
    struct alert_delivery second;
    OK(tx, alert_test(tx, c.alert.id, &first));
    OK(tx, alert_test(tx, c.alert.id, &second));
    struct alert_claim k = claim(tx, &c.shop);
    SAME(k.delivery.id, first.id);
    SAME(k.target, STR("night@example.net"));
    ck_assert(!claim(tx, &c.shop).found); /* in somebody's hands */
    tx->now += ALERT_CLAIM_MAIL_US;       /* who died */
    k = claim(tx, &c.shop);
    SAME(k.delivery.id, first.id);
    settle(tx, &k, false, false);
    ck_assert(!claim(tx, &c.shop).found); /* it rests */
    tx->now += US_PER_SECOND;
    k = claim(tx, &c.shop);
    SAME(k.delivery.id, first.id);
    settle(tx, &k, true, false);
    settle(tx, &k, false, false); /* told twice of one: nothing */
    k = claim(tx, &c.shop);
    SAME(k.delivery.id, second.id);
    settle(tx, &k, true, false);
    ck_assert(!claim(tx, &c.shop).found);
    time_us next = 0;
    OK(tx, alert_next(tx, &next));
    ck_assert_int_eq(next, ALERT_NEVER);
}

TX_TEST(after_so_many_tries_a_message_is_dead_and_its_row_says_so)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d;
    OK(tx, alert_test(tx, c.alert.id, &d));
    for (int i = 1; i <= ALERT_TRIES_MAX; i++) {
        struct alert_claim k = claim(tx, &c.shop);
        ck_assert_msg(k.found, "try %d", i);
        settle(tx, &k, false, false);
        ck_assert(!claim(tx, &c.shop).found);
        tx->now += US_PER_HOUR;
    }
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    ck_assert_int_eq(d.state, DELIVERY_DEAD);
    ck_assert_int_eq(d.tries, ALERT_TRIES_MAX);
    SAME(d.error, STR("it answers with 500"));
    ck_assert(!claim(tx, &c.shop).found);
    OK(tx, alert_test(tx, c.alert.id, &d));
    struct alert_claim k = claim(tx, &c.shop);
    settle(tx, &k, false, true); /* hopeless */
    (void)count_told(tx, c.alert.id, &d);
    ck_assert_int_eq(d.state, DELIVERY_DEAD);
    ck_assert_int_eq(d.tries, 1);
}

TX_TEST(a_receiver_that_fails_holds_up_itself_alone)
{
    struct scene c = make_scene(tx);
    struct alert other = make_alert(tx, &c.shop, c.shop.client, mail_to("other@example.net"));
    struct alert_delivery d;
    OK(tx, alert_test(tx, c.alert.id, &d));
    struct alert_claim k = claim(tx, &c.shop);
    settle(tx, &k, false, false);
    OK(tx, alert_test(tx, c.alert.id, &d)); /* behind the one that failed */
    OK(tx, alert_test(tx, other.id, &d));
    k = claim(tx, &c.shop);
    SAME(k.delivery.id, d.id);
    ck_assert(!claim(tx, &c.shop).found);
    settle(tx, &k, true, false);
    tx->now += US_PER_HOUR; /* both are due, the one that failed for longer */
    OK(tx, alert_test(tx, other.id, &d));
    k = claim(tx, &c.shop);
    SAME(k.delivery.alert, other.id);
    k = claim(tx, &c.shop);
    SAME(k.delivery.alert, c.alert.id);
}

TX_TEST(a_node_that_is_not_heard_breaks_a_promise_of_its_services)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    size_t lost = 0;
    tx->now += NODE_LOST_US + 1;
    OK(tx, node_lose(tx, 10, &lost));
    ck_assert_uint_eq(lost, 1);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    SAME(d.promise, PROMISE_HEARD);
    SAME(d.subject, c.service.id);
    says(tx, &c.shop, &c.service, true);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 2);
    ck_assert_int_eq(d.kind, ALERT_RECOVERED);
}

TX_TEST(a_rule_that_is_paused_or_deleted_tells_nothing)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    struct alert patch = {.set = schema_bit(&alert_schema, "paused"), .paused = true};
    says(tx, &c.shop, &c.service, false);
    OK(tx, alert_change(tx, c.alert.id, 0, &patch, &c.alert));
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 0);
    patch.paused = false;
    OK(tx, alert_change(tx, c.alert.id, 0, &patch, &c.alert));
    says(tx, &c.shop, &c.service, true);
    says(tx, &c.shop, &c.service, false);
    OK(tx, alert_delete(tx, c.alert.id));
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 0);
    FAILS(tx, RC_NOT_FOUND, NULL, alert_get(tx, c.alert.id, &c.alert));
}

TX_TEST(a_copy_tells_nobody)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d = {0};
    OK(tx, alert_test(tx, c.alert.id, &d));
    says(tx, &c.shop, &c.service, false);
    OK(tx, alert_forget(tx));
    pass(tx, ALERT_DELAY_S);
    says(tx, &c.shop, &c.service, true);
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    ck_assert(!claim(tx, &c.shop).found);
    ck_assert_uint_eq(count_told(tx, c.alert.id, &d), 1);
    ck_assert_int_eq(d.state, DELIVERY_DEAD);
    OK(tx, alert_get(tx, c.alert.id, &c.alert));
    ck_assert(c.alert.paused);
}

TX_TEST(a_test_is_counted_in_its_hour)
{
    struct scene c = make_scene(tx);
    struct alert_delivery d;
    for (int i = 0; i < ALERT_HOURLY; i++)
        OK(tx, alert_test(tx, c.alert.id, &d));
    FAILS(tx, RC_CONFLICT, NULL, alert_test(tx, c.alert.id, &d));
    tx->now += ALERT_HOUR_US;
    OK(tx, alert_test(tx, c.alert.id, &d));
}

TX_TEST(an_address_is_told_of_nothing_before_it_says_its_code)
{
    struct scene c = make_scene(tx);
    struct alert fresh = mail_to("stranger@example.net"), a, patch;
    struct alert_delivery d;
    OK(tx, alert_create(tx, NULL, c.shop.client, &fresh, &a));
    struct str first = last_code(tx);
    ck_assert(!a.confirmed);
    OK(tx, alert_delete(tx, c.alert.id));
    says(tx, &c.shop, &c.service, false);
    pass(tx, ALERT_DELAY_S);
    ck_assert_uint_eq(count_told(tx, a.id, &d), 1); /* it waits */
    ck_assert(!claim(tx, &c.shop).found);
    FAILS(tx, RC_CONFLICT, NULL, alert_test(tx, a.id, &d));
    FAILS(tx, RC_INVALID, "/code", alert_confirm(tx, a.id, STR("alc_other"), &a));
    OK(tx, alert_confirm(tx, a.id, STR(""), &a));
    FAILS(tx, RC_INVALID, "/code", alert_confirm(tx, a.id, first, &a)); /* the one before */
    OK(tx, alert_confirm(tx, a.id, last_code(tx), &a));
    ck_assert(a.confirmed);
    struct alert_claim k = claim(tx, &c.shop);
    ck_assert(k.found && k.delivery.kind == ALERT_FAILING);
    FAILS(tx, RC_CONFLICT, NULL, alert_confirm(tx, a.id, STR(""), &a));
    /* Another address is another one to ask; the same in other letters is not. */
    patch = (struct alert){.set = schema_bit(&alert_schema, "mail"),
                           .mail = STR("Stranger@EXAMPLE.net")};
    OK(tx, alert_change(tx, a.id, 0, &patch, &a));
    ck_assert(a.confirmed);
    patch.mail = STR("else@example.net");
    OK(tx, alert_change(tx, a.id, 0, &patch, &a));
    ck_assert(!a.confirmed);
}

TX_TEST(codes_are_no_flood_either)
{
    struct scene c = make_scene(tx);
    struct alert fresh = mail_to("stranger@example.net"), a;
    OK(tx, alert_create(tx, NULL, c.shop.client, &fresh, &a));
    for (int i = 0; i < ALERT_HOURLY; i++)
        OK(tx, alert_confirm(tx, a.id, STR(""), &a));
    FAILS(tx, RC_CONFLICT, NULL, alert_confirm(tx, a.id, STR(""), &a));
    tx->now += ALERT_HOUR_US;
    OK(tx, alert_confirm(tx, a.id, STR(""), &a));
}

Suite *alert_suite(void);
Suite *alert_suite(void)
{
    Suite *s = suite_create("alert");
    TCase *t = tcase_create("alert");
    tcase_add_test(t, a_failure_is_told_once_and_its_end_once);
    tcase_add_test(t, what_fails_for_less_than_the_delay_tells_nothing);
    tcase_add_test(t, an_hour_has_so_many_messages_and_one_summary);
    tcase_add_test(t, what_is_told_of_no_more_is_neither_told_nor_recovered);
    tcase_add_test(t, each_is_told_of_its_own_alone);
    tcase_add_test(t, a_rule_may_name_subjects_sites_and_promises);
    tcase_add_test(t, a_rule_is_about_what_the_party_has);
    tcase_add_test(t, a_wrong_address_is_refused);
    tcase_add_test(t, a_party_has_so_many_rules);
    tcase_add_test(t, a_webhooks_secret_is_shown_once_and_kept_sealed);
    tcase_add_test(t, a_key_that_was_lost_holds_up_no_other_rule);
    tcase_add_test(t, a_message_is_sent_in_order_and_again_with_the_same_id);
    tcase_add_test(t, after_so_many_tries_a_message_is_dead_and_its_row_says_so);
    tcase_add_test(t, a_receiver_that_fails_holds_up_itself_alone);
    tcase_add_test(t, a_node_that_is_not_heard_breaks_a_promise_of_its_services);
    tcase_add_test(t, a_rule_that_is_paused_or_deleted_tells_nothing);
    tcase_add_test(t, a_copy_tells_nobody);
    tcase_add_test(t, a_test_is_counted_in_its_hour);
    tcase_add_test(t, an_address_is_told_of_nothing_before_it_says_its_code);
    tcase_add_test(t, codes_are_no_flood_either);
    suite_add_tcase(s, t);
    return s;
}
